//! Collects while the run goes on. Cheap: vectors indexed by id, no look-ups.

use rustc_hash::FxHashMap;

use crate::base::cause::Causes;
use crate::base::ids::{ProbeId, SeriesId, TallyId};
use crate::base::time::{Span, Time};
use crate::record::probe::{Probe, ProbePlan};
use crate::record::series::{BUCKETS, Series, Window};

/// How a request ended, for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// Success.
    Ok,
    /// It certainly failed.
    Failed,
    /// Nobody knows (timeout, reset).
    Unknown,
}

/// A finished request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finished {
    /// When its sender meant to send it: latency counts from here.
    pub intended: Time,
    /// When it ended.
    pub ended: Time,
    /// How.
    pub how: Ended,
    /// How many attempts it took, at least 1.
    pub attempts: u32,
    /// Where the time went: sums to `ended - intended`.
    pub causes: Causes,
}

/// What a run is to keep.
#[derive(Clone, Debug, Default)]
pub struct RecordPlan {
    /// How long the run is.
    pub length: Span,
    /// Window 0 is the run after its warm-up; others are those that measures name.
    pub windows: Vec<Window>,
    /// How many series.
    pub series: usize,
    /// How many tallies.
    pub tallies: usize,
    /// By probe.
    pub probes: Vec<ProbePlan>,
    /// Series whose change stops the run, for `always`.
    pub watched_series: Vec<SeriesId>,
    /// Tallies whose change stops the run.
    pub watched_tallies: Vec<TallyId>,
    /// Probes whose change stops the run.
    pub watched_probes: Vec<ProbeId>,
}

/// A tally: what programs counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Sum over all keys.
    pub total: i64,
    /// Sum over all keys, by window.
    pub in_window: Vec<i64>,
    /// The largest sum that any key ever had.
    pub max: i64,
    by_key: FxHashMap<i64, i64>,
}

/// Collects what happens in one run.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    windows: Vec<Window>,
    bucket: Span,
    series: Vec<Series>,
    tallies: Vec<Tally>,
    probes: Vec<Probe>,
    watched_series: Vec<bool>,
    watched_tallies: Vec<bool>,
    watched_probes: Vec<bool>,
    changed: bool,
}

impl Recorder {
    /// Keeps what the plan says.
    pub fn new(plan: &RecordPlan) -> Self {
        let windows = plan.windows.len();
        let marked = |count: usize, indices: Vec<usize>| {
            let mut marks = vec![false; count];
            indices.into_iter().for_each(|index| marks[index] = true);
            marks
        };
        Recorder {
            windows: plan.windows.clone(),
            bucket: Span::from_ns((plan.length.as_ns() / BUCKETS as u64).max(1)),
            series: vec![Series::new(windows); plan.series],
            tallies: vec![Tally { in_window: vec![0; windows], ..Tally::default() }; plan.tallies],
            probes: plan.probes.iter().map(|probe| Probe::new(probe.clone(), windows)).collect(),
            watched_series: marked(plan.series, plan.watched_series.iter().map(|id| id.index()).collect()),
            watched_tallies: marked(plan.tallies, plan.watched_tallies.iter().map(|id| id.index()).collect()),
            watched_probes: marked(
                plan.probes.len(),
                plan.watched_probes.iter().map(|id| id.index()).collect(),
            ),
            changed: false,
        }
    }

    /// Whether a watched counter has changed since [`Recorder::take_changed`].
    #[inline]
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// The same; asks anew from now on.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// `n` more of a counter (`pages.hits`).
    pub fn count(&mut self, series: SeriesId, at: Time, n: u64) {
        let index = series.index();
        self.series[index].count(at, n, &self.windows, self.bucket);
        self.changed |= self.watched_series[index];
    }

    /// A level changed (`app.busy`); kept as a time-weighted average and a maximum.
    pub fn level(&mut self, series: SeriesId, at: Time, change: i64) {
        let index = series.index();
        self.series[index].change(at, change, &self.windows, self.bucket);
        self.changed |= self.watched_series[index];
    }

    /// A request that was meant to be sent at `intended`, now or before, is in flight.
    pub fn started(&mut self, probe: ProbeId, intended: Time, now: Time) {
        self.probes[probe.index()].start(intended, now, &self.windows);
    }

    /// A request ended.
    pub fn finished(&mut self, probe: ProbeId, request: Finished) {
        let index = probe.index();
        self.probes[index].finish(&request, &self.windows);
        self.changed |= self.watched_probes[index];
    }

    /// A late reply arrived for a caller that had let go.
    pub fn late(&mut self, probe: ProbeId, at: Time) {
        self.probes[probe.index()].late(at, &self.windows);
    }

    /// `tally name[key] += by`.
    pub fn tally(&mut self, tally: TallyId, key: i64, at: Time, by: i64) {
        let index = tally.index();
        let kept = &mut self.tallies[index];
        kept.total = kept.total.saturating_add(by);
        for (sum, window) in kept.in_window.iter_mut().zip(&self.windows) {
            if window.contains(at) {
                *sum = sum.saturating_add(by);
            }
        }
        let sum = kept.by_key.entry(key).or_insert(0);
        *sum = sum.saturating_add(by);
        kept.max = kept.max.max(*sum);
        self.changed |= self.watched_tallies[index];
    }

    /// Ends the run: settles all levels and checks what must hold in every run.
    ///
    /// # Errors
    /// When Little's law, the conservation of requests or the sum of causes is broken: our mistake, named.
    pub fn close(&mut self, end: Time, names: &dyn Fn(ProbeId) -> String) -> Result<(), String> {
        for series in &mut self.series {
            series.settle(end, &self.windows, self.bucket);
        }
        for (index, probe) in self.probes.iter_mut().enumerate() {
            probe
                .check(end, &self.windows)
                .map_err(|why| format!("{}: {why}", names(ProbeId(index as u16))))?;
        }
        Ok(())
    }

    /// The windows of the plan.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Width of a bucket.
    pub fn bucket(&self) -> Span {
        self.bucket
    }

    /// A series.
    pub fn series(&self, id: SeriesId) -> &Series {
        &self.series[id.index()]
    }

    /// A probe.
    pub fn probe(&self, id: ProbeId) -> &Probe {
        &self.probes[id.index()]
    }

    /// A tally.
    pub fn tally_of(&self, id: TallyId) -> &Tally {
        &self.tallies[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::cause::Cause;

    fn ns(ns: u64) -> Time {
        Time::from_ns(ns)
    }

    fn recorder() -> Recorder {
        let window = |from, until| Window { from: ns(from), until: ns(until) };
        Recorder::new(&RecordPlan {
            length: Span::from_ns(1000),
            windows: vec![window(100, 1000), window(200, 300)],
            series: 1,
            tallies: 1,
            probes: vec![ProbePlan { samples: true, causes: vec![Cause::Queue] }],
            ..RecordPlan::default()
        })
    }

    fn request(intended: u64, ended: u64, queued: u64) -> Finished {
        let mut causes = Causes::only(Cause::Queue, Span::from_ns(queued));
        causes.add(Cause::Cpu, Span::from_ns(ended - intended - queued));
        Finished { intended: ns(intended), ended: ns(ended), how: Ended::Ok, attempts: 1, causes }
    }

    #[test]
    fn windows_count_by_the_intended_start() {
        let mut recorder = recorder();
        let start = |recorder: &mut Recorder, at| recorder.started(ProbeId(0), ns(at), ns(at));
        start(&mut recorder, 50);
        recorder.finished(ProbeId(0), request(50, 150, 10));
        start(&mut recorder, 199);
        start(&mut recorder, 200);
        recorder.finished(ProbeId(0), request(200, 250, 10));
        start(&mut recorder, 299);
        recorder.finished(ProbeId(0), request(199, 900, 10));
        recorder.finished(ProbeId(0), request(299, 999, 10));
        let probe = recorder.probe(ProbeId(0));
        assert_eq!((probe.sums[0].ok, probe.sums[1].ok, probe.all.ok), (3, 2, 4));
        assert_eq!(recorder.close(ns(1000), &|_| "p".into()), Ok(()));
    }

    #[test]
    fn levels_are_weighted_by_time() {
        let mut recorder = recorder();
        recorder.level(SeriesId(0), ns(50), 2);
        recorder.level(SeriesId(0), ns(250), -1);
        recorder.close(ns(1000), &|_| String::new()).expect("nothing is broken");
        let series = recorder.series(SeriesId(0));
        assert_eq!(series.integral, [2 * 150 + 750, 2 * 50 + 50]);
        assert_eq!(series.bucket_integral.iter().sum::<i128>(), 2 * 200 + 750);
    }

    #[test]
    fn requests_in_flight_at_the_end_are_conserved() {
        let mut recorder = recorder();
        recorder.started(ProbeId(0), ns(10), ns(40)); // meant to be sent before
        recorder.started(ProbeId(0), ns(100), ns(100));
        recorder.finished(ProbeId(0), request(10, 500, 0));
        assert_eq!(recorder.close(ns(1000), &|_| "p".into()), Ok(()));
        assert_eq!(recorder.probe(ProbeId(0)).in_flight(), 1);
    }

    #[test]
    fn causes_that_do_not_sum_are_told() {
        let mut recorder = recorder();
        recorder.started(ProbeId(0), ns(10), ns(10));
        let wrong = Finished { causes: Causes::NONE, ..request(10, 500, 0) };
        recorder.finished(ProbeId(0), wrong);
        let told = recorder.close(ns(1000), &|_| "page".into()).expect_err("broken");
        assert_eq!(told, "page: the causes of 1 requests do not sum to their latency");
    }

    #[test]
    fn tallies_know_their_largest_key() {
        let mut recorder = recorder();
        for (key, by) in [(1, 5), (2, 3), (1, 4), (1, -8)] {
            recorder.tally(TallyId(0), key, ns(210), by);
        }
        let tally = recorder.tally_of(TallyId(0));
        assert_eq!((tally.total, tally.max, tally.in_window[1]), (4, 9, 4));
    }
}
