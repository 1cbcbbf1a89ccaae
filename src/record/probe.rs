//! The requests of one program: exact samples up to [`SAMPLES_MAX`], a histogram of four digits beyond.

use std::ops::Range;

use crate::base::cause::{Cause, Causes};
use crate::base::ids::TierId;
use crate::base::op::Reason;
use crate::base::time::{Span, Time};
use crate::record::bins::{CurrentBin, TimeBins, reach, reached};
use crate::record::ended::{Ended, Finished};
use crate::record::gaps::Gaps;
use crate::record::sample::{Distribution, Sample};
use crate::record::series::Window;
use crate::record::sums::{InFlight, Sums, Which};
use crate::record::tails::Tails;

/// So many samples are kept exactly.
pub const SAMPLES_MAX: usize = 4_000_000;

/// What is to be kept of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePlan {
    /// Nobody asks for it: requests are counted, and nothing else is kept of them.
    pub unasked: bool,
    /// Whether latencies are.
    pub samples: bool,
    /// Whether the longest time without a success is.
    pub gaps: bool,
    /// Whether where the time of the slowest went is.
    pub tails: bool,
    /// Causes whose times are kept sample by sample.
    pub causes: Vec<Cause>,
    /// How many samples are kept exactly: [`SAMPLES_MAX`].
    pub samples_max: usize,
}

impl Default for ProbePlan {
    fn default() -> Self {
        ProbePlan {
            unasked: false,
            samples: false,
            gaps: false,
            tails: false,
            causes: Vec::new(),
            samples_max: SAMPLES_MAX,
        }
    }
}

/// The requests of one program.
#[derive(Clone, Debug)]
pub struct Probe {
    plan: ProbePlan,
    /// Exact samples, in order of their ends; the first [`SAMPLES_MAX`] when there are histograms.
    pub samples: Vec<Sample>,
    /// For each cause that is kept: its times, one per sample, nanoseconds. Empty when there are histograms.
    pub cause_samples: Vec<(Cause, Vec<u64>)>,
    /// By window, once there are too many samples.
    pub(super) distributions: Option<Vec<Distribution>>,
    /// All samples are there of requests that ended before.
    pub(super) covered: Time,
    /// The longest latency.
    pub(super) longest: Span,
    /// Started in all.
    pub started: u64,
    /// Ended in all.
    pub ended: u64,
    /// When the run ended, and the intended starts of those that were open then, in order.
    pub(super) end: Time,
    pub(super) left_open: Vec<Time>,
    /// By cell.
    cells: Vec<Sums>,
    /// Requests that did not succeed, by why and where: few kinds, in the order in which they first came.
    failures: Vec<((Reason, TierId), Vec<u64>)>,
    /// Successes by the cell of their end, if gaps are kept.
    gaps: Vec<Gaps>,
    /// Successes sent within window 0, by latency, if their causes are kept.
    tails: Tails,
    open: u64,
    open_intended_ns: i128,
    open_mark: u64,
    changed: Time,
    in_flight_ns: u128,
    wrong_causes: u64,
    strangers: u64,
}

impl Probe {
    pub(super) fn new(plan: ProbePlan) -> Self {
        let cause_samples = plan.causes.iter().map(|cause| (*cause, Vec::new())).collect();
        Probe {
            plan,
            samples: Vec::new(),
            cause_samples,
            distributions: None,
            covered: Time::NEVER,
            longest: Span::ZERO,
            started: 0,
            ended: 0,
            end: Time::ZERO,
            left_open: Vec::new(),
            cells: Vec::new(),
            failures: Vec::new(),
            gaps: Vec::new(),
            tails: Tails::default(),
            open: 0,
            open_intended_ns: 0,
            open_mark: 0,
            changed: Time::ZERO,
            in_flight_ns: 0,
            wrong_causes: 0,
            strangers: 0,
        }
    }

    /// The sums of some cells.
    pub fn sums(&self, cells: Range<usize>) -> Sums {
        debug_assert!(!self.plan.unasked, "somebody asks");
        let mut sums = Sums::default();
        reached(&self.cells, cells).iter().for_each(|cell| sums.merge(cell));
        sums
    }

    /// Requests × time in flight from one instant to another, at which these cells begin and end; once the run has ended.
    pub fn in_flight(&self, cells: Range<usize>, window: Window) -> InFlight {
        let before = InFlight::before(window.from, reached(&self.cells, 0..cells.start));
        InFlight::before(window.until, reached(&self.cells, 0..cells.end)).since(before)
    }

    /// The successes that came within some cells.
    pub fn gaps(&self, cells: Range<usize>) -> Gaps {
        let mut gaps = Gaps::default();
        reached(&self.gaps, cells).iter().for_each(|cell| gaps.merge(cell));
        gaps
    }

    /// Where the time of the slowest successes went, of those sent since window 0 began as it was planned.
    pub fn slowest(&self, share: f64) -> Causes {
        self.tails.slowest(share)
    }

    /// Requests that ended in some cells.
    pub fn ended(&self, cells: Range<usize>) -> u64 {
        match cells.start == 0 && cells.end >= self.cells.len() {
            true => self.ended,
            false => reached(&self.cells, cells).iter().map(Sums::ends).sum(),
        }
    }

    /// The longest latency of requests that ended in some cells, nanoseconds.
    pub fn longest_ns(&self, cells: Range<usize>, which: Which) -> u64 {
        reached(&self.cells, cells).iter().map(|cell| cell.longest_ns(which)).max().unwrap_or(0)
    }

    #[inline]
    fn settle(&mut self, at: Time) {
        if at > self.changed {
            self.in_flight_ns += u128::from(self.open) * u128::from((at - self.changed).as_ns());
            self.changed = at;
        }
    }

    pub(super) fn start(&mut self, intended: Time, now: Time) {
        self.started += 1;
        if self.plan.unasked {
            self.open += 1;
            return;
        }
        self.settle(now);
        self.in_flight_ns += u128::from((now - intended).as_ns()); // what began before we were told of it
        self.open += 1;
        self.open_intended_ns += i128::from(intended.as_ns());
        self.open_mark = self.open_mark.wrapping_add(mark(intended));
    }

    /// A request ended. Says whether there are now too many samples, and [`Probe::convert`] is due.
    pub(super) fn finish(
        &mut self,
        request: &Finished,
        here: CurrentBin,
        cells: &TimeBins,
        windows: &[Window],
    ) -> bool {
        const ONCE: &str = "a request ends once, after it has started";
        self.ended += 1;
        if self.plan.unasked {
            self.open = self.open.checked_sub(1).expect(ONCE);
            return false;
        }
        self.settle(request.ended);
        self.open = self.open.checked_sub(1).expect(ONCE);
        self.open_intended_ns -= i128::from(request.intended.as_ns());
        self.open_mark = self.open_mark.wrapping_sub(mark(request.intended));
        self.strangers += u64::from(self.open == 0 && self.open_mark != 0);
        let latency = request.ended - request.intended;
        self.longest = self.longest.max(latency);
        self.wrong_causes += u64::from(request.causes.total() != latency);
        reach(&mut self.cells, here.cell).end(request, latency);
        let sent = if request.intended >= here.from { here.cell } else { cells.of(request.intended) };
        self.cells[sent].sent(request.intended, Some(request.how));
        if self.plan.gaps && request.how == Ended::Ok {
            reach(&mut self.gaps, here.cell).success(request.ended);
        }
        if self.plan.tails
            && request.how == Ended::Ok
            && windows.first().is_none_or(|window| window.from <= request.intended)
        {
            self.tails.put(latency, &request.causes);
        }
        self.plan.samples && self.keep(request, windows)
    }

    fn keep(&mut self, request: &Finished, windows: &[Window]) -> bool {
        let sample = Sample::new(request);
        if let Some(distributions) = &mut self.distributions {
            for (distribution, window) in distributions.iter_mut().zip(windows) {
                distribution.put(sample, *window);
                distribution.put_causes(sample, &request.causes, *window);
            }
            return false;
        }
        self.samples.push(sample);
        for (cause, times) in &mut self.cause_samples {
            times.push(request.causes.of(*cause).as_ns());
        }
        self.samples.len() > self.plan.samples_max
    }

    /// Turns from samples to histograms, one per window: windows must not move from here on. Samples stay for
    /// pictures; percentiles come from the histograms.
    pub(super) fn convert(&mut self, windows: &[Window]) {
        let mut distributions = vec![Distribution::new(&self.plan.causes); windows.len()];
        for (distribution, window) in distributions.iter_mut().zip(windows) {
            self.samples.iter().for_each(|sample| distribution.put(*sample, *window));
            for (place, (_, times)) in self.cause_samples.iter().enumerate() {
                for (sample, time) in self.samples.iter().zip(times) {
                    distribution.put_cause(place, *sample, *time, *window);
                }
            }
        }
        self.distributions = Some(distributions);
        self.cause_samples.iter_mut().for_each(|(_, times)| *times = Vec::new());
        self.covered = self.samples.get(self.plan.samples_max).map_or(Time::NEVER, Sample::ended);
        self.samples.truncate(self.plan.samples_max);
    }

    pub(super) fn failed(
        &mut self,
        intended: Time,
        why: (Reason, TierId),
        here: CurrentBin,
        cells: &TimeBins,
    ) {
        if self.plan.unasked {
            return;
        }
        let cell = if intended >= here.from { here.cell } else { cells.of(intended) };
        let place = self.failures.iter().position(|(known, _)| *known == why).unwrap_or_else(|| {
            self.failures.push((why, Vec::new()));
            self.failures.len() - 1
        });
        *reach(&mut self.failures[place].1, cell) += 1;
    }

    /// How many requests of some cells did not succeed, by why and where; in order.
    pub fn failures(&self, cells: Range<usize>) -> Vec<(Reason, TierId, u64)> {
        let failures = self
            .failures
            .iter()
            .map(|((reason, at), counts)| (*reason, *at, reached(counts, cells.clone()).iter().sum::<u64>()));
        let mut failures: Vec<_> = failures.filter(|(.., many)| *many > 0).collect();
        failures.sort_unstable();
        failures
    }

    pub(super) fn late(&mut self, here: CurrentBin) {
        reach(&mut self.cells, here.cell).late += 1;
    }

    /// Requests under way.
    pub fn open(&self) -> u64 {
        self.open
    }

    /// Whether percentiles are exact: no sample is in a histogram.
    pub fn is_exact(&self) -> bool {
        self.covered == Time::NEVER
    }

    /// Forgets the histograms of windows that are no longer the run's: percentiles are of the samples that were kept.
    pub(super) fn forget_windows(&mut self) {
        self.distributions = None;
    }

    /// The run ends, and these are open (their intended starts). What must hold in every run, exactly, in integers:
    ///
    /// 1. Conservation: started = ended + in flight.
    /// 2. Little's law in its sample-path form: the requests in flight, integrated as time went by, are the latencies
    ///    of those that ended plus the time so far of those that did not; and so they are cell by cell.
    /// 3. The causes of each request sum to its latency.
    /// 4. Those that end are those that started: whenever none is in flight, the intended starts of both are the
    ///    same, as a multiset (by a sum of hashes). Little's law alone cannot see this.
    /// 5. Those that are open are those that started and did not end, as a multiset.
    pub(super) fn close(&mut self, end: Time, mut open: Vec<Time>, cells: &TimeBins) -> Result<(), String> {
        if self.plan.unasked {
            return Ok(()); // those whose sums are kept are the same requests
        }
        self.settle(end);
        let end = end.max(self.changed);
        let all = self.sums(0..self.cells.len());
        if self.started != all.ends() + self.open {
            return Err(format!(
                "{} requests started, {} ended, {} are in flight",
                self.started,
                all.ends(),
                self.open
            ));
        }
        if self.strangers > 0 {
            return Err("requests ended that are not the ones that started".to_owned());
        }
        let told = open.iter().fold(0u64, |sum, intended| sum.wrapping_add(mark(*intended)));
        if open.len() as u64 != self.open || told != self.open_mark {
            return Err(format!(
                "{} requests are in flight, and other {} are told of",
                self.open,
                open.len()
            ));
        }
        let unfinished = i128::from(self.open) * i128::from(end.as_ns()) - self.open_intended_ns;
        let times = all.ended(Which::Any).latency_ns as i128 + unfinished;
        if self.in_flight_ns as i128 != times || unfinished < 0 {
            return Err(format!("Little's law: {} ns in flight, {times} ns of latency", self.in_flight_ns));
        }
        open.sort_unstable();
        for intended in &open {
            reach(&mut self.cells, cells.of(*intended)).sent(*intended, None);
        }
        (self.end, self.left_open) = (end, open);
        let by_cell = self.in_flight(0..self.cells.len(), Window { from: Time::ZERO, until: end }).all();
        if by_cell != times {
            return Err(format!("Little's law by cell: {by_cell} ns in flight, {times} ns of latency"));
        }
        if self.wrong_causes > 0 {
            return Err(format!("the causes of {} requests do not sum to their latency", self.wrong_causes));
        }
        Ok(())
    }
}

/// A hash of an intended start (SplitMix64's finaliser).
fn mark(intended: Time) -> u64 {
    let mut word = intended.as_ns().wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
