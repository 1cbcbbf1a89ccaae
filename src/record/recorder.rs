//! Collects while the run goes on. Cheap: vectors indexed by id, no look-ups; each event is added to one cell of its
//! series, and windows are summed up when they are asked for.

use crate::record::ended::Finished;
use std::ops::Range;

use crate::base::ids::{Pid, ProbeId, SeriesId, TallyId, TierId};
use crate::base::op::Reason;
use crate::base::series::SeriesKind;
use crate::base::time::{Span, Time};
use crate::record::bins::{CurrentBin, TimeBins};
use crate::record::history::{History, HistoryPlan};
use crate::record::probe::{Probe, ProbePlan};
use crate::record::replicas::Replicas;
use crate::record::series::{Recorded, SeriesName, Window, bucket_width};
use crate::record::tally::Tally;
use crate::record::warmup::mser5;

#[cfg(test)]
mod tests;

/// What a run is to keep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordPlan {
    /// How long the run is.
    pub length: Span,
    /// Window 0 is the run after its warm-up; others are those that measures name.
    pub windows: Vec<Window>,
    /// The series, each with what it is.
    pub series: Vec<SeriesKind>,
    /// Series that nobody asks for.
    pub unasked: Vec<SeriesId>,
    /// Series of which it is also asked what one member has recorded.
    pub members: Vec<(SeriesId, Pid)>,
    /// Until when requests arrive, if the run goes on after that until the last has ended.
    pub arrivals: Option<Time>,
    /// How many tallies.
    pub tallies: usize,
    /// Those of which the sums by key are asked for.
    pub keyed: Vec<TallyId>,
    /// By probe.
    pub probes: Vec<ProbePlan>,
    /// `warmup = "auto"`: the probes whose latencies say where window 0 begins, by MSER-5. Empty: where it stands.
    pub steady: Vec<ProbeId>,
    /// Series whose change stops the run, for `always`.
    pub watched_series: Vec<SeriesId>,
    /// Tallies whose change stops the run.
    pub watched_tallies: Vec<TallyId>,
    /// Probes whose change stops the run.
    pub watched_probes: Vec<ProbeId>,
    /// What clients asked of stores, and what copies took in.
    pub history: HistoryPlan,
}

/// Collects what happens in one run.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    windows: Vec<Window>,
    /// The cells of each window.
    ranges: Vec<Range<usize>>,
    cells: TimeBins,
    here: CurrentBin,
    series: Vec<Recorded>,
    /// What one member has recorded of a series.
    members: Vec<(SeriesId, Pid, Recorded)>,
    /// Who records.
    who: Option<Pid>,
    tallies: Vec<Tally>,
    probes: Vec<Probe>,
    watched_series: Vec<bool>,
    watched_tallies: Vec<bool>,
    watched_probes: Vec<bool>,
    changed: bool,
    steady: Vec<ProbeId>,
    warmup_note: Option<String>,
    arrivals: Option<Time>,
    end: Time,
    /// What clients asked of stores, and what copies took in.
    pub history: History,
    /// How far copies are behind, and what they have shown.
    pub replicas: Replicas,
}

impl Recorder {
    /// Keeps what the plan says.
    pub fn new(plan: &RecordPlan) -> Self {
        let arrivals = plan.arrivals.map(|until| Window { from: Time::ZERO, until });
        let edges: Vec<Window> = plan.windows.iter().copied().chain(arrivals).collect();
        let cells = TimeBins::new(bucket_width(plan.length), &edges);
        let marked = |count: usize, indices: Vec<usize>| {
            let mut marks = vec![false; count];
            indices.into_iter().for_each(|index| marks[index] = true);
            marks
        };
        let mut series: Vec<Recorded> = plan.series.iter().map(|kind| Recorded::new(*kind)).collect();
        plan.unasked.iter().for_each(|id| series[id.index()].unasked = true);
        plan.members.iter().for_each(|(id, _)| series[id.index()].by_member = true);
        let member = |(id, who): &(SeriesId, Pid)| (*id, *who, Recorded::new(plan.series[id.index()]));
        let mut tallies = vec![Tally::default(); plan.tallies];
        plan.keyed.iter().for_each(|id| tallies[id.index()].keyed = true);
        let mut probes = plan.probes.clone();
        plan.steady.iter().for_each(|probe| probes[probe.index()].samples = true);
        Recorder {
            windows: plan.windows.clone(),
            ranges: plan.windows.iter().map(|window| cells.range(*window)).collect(),
            cells,
            here: CurrentBin::default(),
            series,
            members: plan.members.iter().map(member).collect(),
            who: None,
            tallies,
            probes: probes.into_iter().map(Probe::new).collect(),
            watched_series: marked(
                plan.series.len(),
                plan.watched_series.iter().map(|id| id.index()).collect(),
            ),
            watched_tallies: marked(plan.tallies, plan.watched_tallies.iter().map(|id| id.index()).collect()),
            watched_probes: marked(
                plan.probes.len(),
                plan.watched_probes.iter().map(|id| id.index()).collect(),
            ),
            changed: false,
            steady: plan.steady.clone(),
            warmup_note: None,
            arrivals: plan.arrivals,
            end: Time::NEVER,
            history: History::new(&plan.history),
            replicas: Replicas::default(),
        }
    }

    /// Whether a watched counter has changed since [`Recorder::take_changed`], or moments wait to be handed on.
    #[inline]
    pub fn changed(&self) -> bool {
        self.changed || self.history.is_full()
    }

    /// The run is to stop, whatever has changed.
    pub fn interrupt(&mut self) {
        self.changed = true;
    }

    /// The same; asks anew from now on.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Who records from now on.
    #[inline]
    pub fn by(&mut self, who: Pid) -> &mut Self {
        self.who = Some(who);
        self
    }

    /// `n` more of a counter (`pages.hits`).
    pub fn count(&mut self, series: SeriesId, at: Time, n: u64) {
        let index = series.index();
        let here = self.here.at(at, &self.cells);
        self.series[index].count(n, here);
        if self.series[index].by_member {
            self.of_member(series, |recorded, _| recorded.count(n, here));
        }
        self.changed |= self.watched_series[index];
    }

    /// The same of what whoever records has of a series, if that is asked for.
    #[cold]
    fn of_member(&mut self, series: SeriesId, record: impl FnOnce(&mut Recorded, &TimeBins)) {
        let who = self.who;
        let mut members = self.members.iter_mut();
        if let Some((.., recorded)) = members.find(|(id, member, _)| *id == series && Some(*member) == who) {
            record(recorded, &self.cells);
        }
    }

    /// A level changed (`app.busy`); kept as a time-weighted average and a maximum.
    pub fn level(&mut self, series: SeriesId, at: Time, change: i64) {
        let index = series.index();
        let here = self.here.at(at, &self.cells);
        self.series[index].change(at, change, here, &self.cells);
        if self.series[index].by_member {
            self.of_member(series, |recorded, cells| recorded.change(at, change, here, cells));
        }
        self.changed |= self.watched_series[index];
    }

    /// The same for a level whose time at zero is recorded too: from the start of the run, whenever the level leaves
    /// zero, and at the end.
    pub fn occupied(&mut self, series: SeriesId, vacancy: SeriesId, at: Time, change: i64) {
        let empty = |recorder: &Self| recorder.series[series.index()].level == 0;
        let (was_empty, since) = (empty(self), self.series[series.index()].since());
        self.level(series, at, change);
        if was_empty && !empty(self) {
            self.series[vacancy.index()].pass(since, at, &self.cells);
            self.changed |= self.watched_series[vacancy.index()];
        }
        self.series[series.index()].vacancy = Some(vacancy);
    }

    /// A request that was meant to be sent at `intended`, now or before, is in flight.
    pub fn started(&mut self, probe: ProbeId, intended: Time, now: Time) {
        self.probes[probe.index()].start(intended, now);
    }

    /// A request ended.
    pub fn finished(&mut self, probe: ProbeId, request: Finished) {
        let index = probe.index();
        let here = self.here.at(request.ended, &self.cells);
        let too_many = self.probes[index].finish(&request, here, &self.cells, &self.windows);
        self.changed |= self.watched_probes[index];
        if too_many {
            self.find_warmup(); // histograms cannot be cut later
            self.probes[index].convert(&self.windows);
        }
    }

    /// A request that was meant to be sent at `intended` and ends now has not succeeded, for such a reason, at that tier. To be told
    /// beside [`Recorder::finished`].
    pub fn failed(&mut self, probe: ProbeId, intended: Time, now: Time, reason: Reason, at: TierId) {
        let here = self.here.at(now, &self.cells);
        self.probes[probe.index()].failed(intended, (reason, at), here, &self.cells);
    }

    /// A late reply arrived for a caller that had let go.
    pub fn late(&mut self, probe: ProbeId, at: Time) {
        self.probes[probe.index()].late(self.here.at(at, &self.cells));
    }

    /// `tally name[key] += by`.
    pub fn tally(&mut self, tally: TallyId, key: i64, at: Time, by: i64) {
        let index = tally.index();
        self.tallies[index].add(key, by, self.here.at(at, &self.cells));
        self.changed |= self.watched_tallies[index];
    }

    /// Ends the run: settles all levels, finds the warm-up if it is automatic, and checks what must hold in every run. Each that is
    /// open is told of with its intended start.
    ///
    /// # Errors
    /// When Little's law, the conservation of requests or the sum of causes is broken: our mistake, named.
    pub fn close(
        &mut self,
        end: Time,
        open: &[(ProbeId, Time)],
        names: &dyn Fn(ProbeId) -> String,
    ) -> Result<(), String> {
        let here = self.here.at(end, &self.cells);
        for index in 0..self.series.len() {
            let series = &self.series[index];
            if let (Some(vacancy), 0) = (series.vacancy, series.level) {
                let since = series.since();
                self.series[vacancy.index()].pass(since, end.max(since), &self.cells);
            }
            self.series[index].settle(end, here, &self.cells);
        }
        self.members.iter_mut().for_each(|(.., recorded)| recorded.settle(end, here, &self.cells));
        self.end = end;
        self.windows.iter_mut().for_each(|window| window.until = window.until.min(end));
        let mut by_probe: Vec<Vec<Time>> = vec![Vec::new(); self.probes.len()];
        open.iter().for_each(|(probe, intended)| by_probe[probe.index()].push(*intended));
        let closed =
            self.probes.iter_mut().zip(by_probe).map(|(probe, open)| probe.close(end, open, &self.cells));
        let checks = closed.collect::<Vec<_>>();
        self.find_warmup();
        for (index, check) in checks.into_iter().enumerate() {
            check.map_err(|why| format!("{}: {why}", names(ProbeId(index as u16))))?;
        }
        match self.series.iter().position(|series| series.lowest < 0) {
            Some(index) => Err(format!("level {index} went down to {}", self.series[index].lowest)),
            None => Ok(()),
        }
    }

    /// Stops the run from now on whenever a request of one of these has ended.
    pub fn watch(&mut self, probes: &[ProbeId]) {
        probes.iter().for_each(|probe| self.watched_probes[probe.index()] = true);
    }

    /// The same whenever one of these levels changes.
    pub fn watch_levels(&mut self, levels: &[SeriesId]) {
        levels.iter().for_each(|level| self.watched_series[level.index()] = true);
    }

    /// When the run ended.
    pub fn end(&self) -> Time {
        self.end
    }

    /// The stretch of a window, which lasts until the run ends, in which requests arrived, with its cells; of other windows it is all.
    pub fn of_arrivals(&self, window: Window, cells: Range<usize>) -> (Window, Range<usize>) {
        match self.arrivals {
            Some(until) if window.until >= self.end && until < window.until => {
                let window = Window { until: until.max(window.from), ..window };
                (window, cells.start..self.cells.of(window.until).max(cells.start))
            }
            _ => (window, cells),
        }
    }

    /// Moves the start of window 0 to where the steady probes settle, by MSER-5 on their latencies in the order of
    /// their ends: the latest of their cuts, moved on to the next edge of a bucket so that every count is exact. Once.
    fn find_warmup(&mut self) {
        let mut at = Time::ZERO;
        for probe in std::mem::take(&mut self.steady) {
            let samples = &self.probes[probe.index()].samples;
            let cut = mser5(samples.iter().map(|sample| sample.latency().as_ns() as f64));
            if let Some(last) = cut.observations.checked_sub(1) {
                at = at.max(samples[last].ended());
            }
            if !cut.steady {
                let why = "MSER-5 finds no steady state: the run is too short, or its load changes";
                self.warmup_note = Some(why.to_owned());
            }
        }
        let bucket = self.bucket().as_ns();
        let first = at.as_ns().div_ceil(bucket);
        if first == 0 || self.windows.is_empty() {
            return;
        }
        let window = &mut self.windows[0];
        window.from = Time::from_ns(first.saturating_mul(bucket)).min(window.until);
        self.ranges[0].start = self.cells.of(window.from);
    }

    /// What a reader should know of an automatic warm-up: that the run never seems to settle.
    pub fn warmup_note(&self) -> Option<&str> {
        self.warmup_note.as_deref()
    }

    /// Other edges of windows from now on, for a run that goes on in another way. Edges before now must be where they were;
    /// window 0 stays as it is, since an automatic warm-up may have moved it.
    pub fn move_windows(&mut self, windows: &[Window]) {
        let first = self.windows.first().copied();
        self.windows = first.into_iter().chain(windows.iter().skip(1).copied()).collect();
        debug_assert!(self.arrivals.is_none(), "a run that ends with its last request forks into none");
        self.cells = TimeBins::new(self.bucket(), &self.windows);
        self.ranges = self.windows.iter().map(|window| self.cells.range(*window)).collect();
        self.here = CurrentBin::default();
    }

    /// A stretch of the same run seen in about so many slices of equal length (whole buckets): window k is the k-th
    /// slice. For pictures over time: every measure can be asked of each slice.
    pub fn sliced(&self, slices: usize, stretch: Window) -> Recorder {
        let bucket = self.bucket().as_ns();
        let edge = |number: usize| Time::from_ns((number as u64).saturating_mul(bucket));
        let first = (stretch.from.as_ns() / bucket) as usize;
        let last = first.max(stretch.until.min(self.end).as_ns().div_ceil(bucket) as usize);
        let wide = (last - first).div_ceil(slices.max(1)).max(1);
        let starts: Vec<usize> = (first..last).step_by(wide).collect();
        let window = |first: &usize| Window { from: edge(*first), until: edge(first + wide).min(self.end) };
        let mut sliced = self.clone();
        sliced.windows = starts.iter().map(window).collect();
        sliced.ranges = starts.iter().map(|first| self.cells.buckets(*first, wide)).collect();
        sliced.arrivals = None;
        sliced.probes.iter_mut().for_each(Probe::forget_windows);
        sliced
    }

    /// The windows of the plan.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// The cells of a window.
    pub fn range(&self, window: usize) -> Range<usize> {
        self.ranges[window].clone()
    }

    /// Width of a bucket.
    pub fn bucket(&self) -> Span {
        self.cells.bucket()
    }

    /// The cells of each bucket up to an instant.
    pub fn buckets(&self, until: Time) -> impl Iterator<Item = Range<usize>> {
        let many = until.as_ns().div_ceil(self.bucket().as_ns()) as usize;
        (0..many).map(|first| self.cells.buckets(first, 1))
    }

    /// A series.
    pub fn series(&self, id: SeriesId) -> &Recorded {
        &self.series[id.index()]
    }

    /// A series, or a member's of it, that was planned.
    ///
    /// # Panics
    /// If a member's was not.
    pub fn recorded(&self, name: SeriesName) -> &Recorded {
        let Some(who) = name.member else { return self.series(name.id) };
        let theirs = self.members.iter().find(|(id, member, _)| (*id, *member) == (name.id, who));
        let (.., recorded) = theirs.expect("members whose series are asked for are in the plan");
        recorded
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
