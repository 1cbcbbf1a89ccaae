//! The requests of one program: exact samples up to [`SAMPLES_MAX`], a histogram of four digits beyond.

use std::ops::Range;

use hdrhistogram::Histogram;

use crate::base::cause::{Cause, Causes};
use crate::base::time::{Span, Time};
use crate::record::cells::{Cells, Here, reach, reached};
use crate::record::gaps::Gaps;
use crate::record::recorder::{Ended, Finished};
use crate::record::series::Window;

/// So many samples are kept exactly.
pub const SAMPLES_MAX: usize = 4_000_000;

/// One finished request in 16 bytes: when it was meant to be sent, and its latency with how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was meant to be sent.
    pub intended: Time,
    packed: u64,
}

/// What a sample takes, bytes.
pub const SAMPLE_BYTES: usize = size_of::<Sample>();

impl Sample {
    fn new(request: &Finished) -> Self {
        let how = match request.how {
            Ended::Ok => 0,
            Ended::Failed => 1,
            Ended::Unknown => 2,
            Ended::Answered => 3,
        };
        Sample { intended: request.intended, packed: (request.ended - request.intended).as_ns() << 2 | how }
    }

    /// From the intended start to the end.
    pub fn latency(&self) -> Span {
        Span::from_ns(self.packed >> 2)
    }

    /// How it ended.
    pub fn how(&self) -> Ended {
        match self.packed & 3 {
            0 => Ended::Ok,
            1 => Ended::Failed,
            2 => Ended::Unknown,
            _ => Ended::Answered,
        }
    }
}

/// What is to be kept of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePlan {
    /// Nobody asks for it: requests are counted, and nothing else is kept of them.
    pub unasked: bool,
    /// Whether latencies are.
    pub samples: bool,
    /// Whether the longest time without a success is.
    pub gaps: bool,
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
            causes: Vec::new(),
            samples_max: SAMPLES_MAX,
        }
    }
}

/// Sums over the requests of some cells, by their intended start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Succeeded.
    pub ok: u64,
    /// Got another answer that is expected.
    pub answered: u64,
    /// Certainly failed.
    pub failed: u64,
    /// Nobody knows.
    pub unknown: u64,
    /// Answers that came too late.
    pub late: u64,
    /// Latency of all, nanoseconds.
    pub latency_ns: u128,
    /// The longest, nanoseconds.
    pub latency_max_ns: u64,
    /// Time by cause of all.
    pub causes: Causes,
    /// How many spent any time on a cause, in the order of [`Cause::ALL`].
    pub met: [u64; Cause::ALL.len()],
    /// Requests × time in flight within the window, nanoseconds.
    pub in_flight_ns: u128,
}

impl Sums {
    /// Requests that got an answer that is expected.
    pub fn answers(&self) -> u64 {
        self.ok + self.answered
    }

    /// Requests that ended.
    pub fn ended(&self) -> u64 {
        self.answers() + self.failed + self.unknown
    }

    /// Whether there is nothing to be summed up.
    fn is_nothing(&self) -> bool {
        self.ended() == 0 && self.late == 0 && self.in_flight_ns == 0
    }

    fn add(&mut self, request: &Finished, latency: Span) {
        match request.how {
            Ended::Ok => self.ok += 1,
            Ended::Answered => self.answered += 1,
            Ended::Failed => self.failed += 1,
            Ended::Unknown => self.unknown += 1,
        }
        self.latency_ns += u128::from(latency.as_ns());
        self.latency_max_ns = self.latency_max_ns.max(latency.as_ns());
        self.causes.merge(&request.causes);
        for (met, time) in self.met.iter_mut().zip(request.causes.spans()) {
            *met += u64::from(*time > Span::ZERO);
        }
    }

    fn merge(&mut self, other: &Sums) {
        self.ok += other.ok;
        self.answered += other.answered;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.late += other.late;
        self.latency_ns += other.latency_ns;
        self.latency_max_ns = self.latency_max_ns.max(other.latency_max_ns);
        self.causes.merge(&other.causes);
        for (mine, theirs) in self.met.iter_mut().zip(other.met) {
            *mine += theirs;
        }
        self.in_flight_ns += other.in_flight_ns;
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
    /// Of latencies, by window, once there are too many samples.
    pub histograms: Option<Vec<Histogram<u64>>>,
    /// Of the times of each cause that is kept, by window, once there are too many samples.
    pub cause_histograms: Vec<(Cause, Vec<Histogram<u64>>)>,
    /// Started in all.
    pub started: u64,
    /// Ended in all.
    pub ended: u64,
    /// By cell.
    cells: Vec<Sums>,
    /// Successes by the cell of their end, if gaps are kept.
    gaps: Vec<Gaps>,
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
            histograms: None,
            cause_histograms: Vec::new(),
            started: 0,
            ended: 0,
            cells: Vec::new(),
            gaps: Vec::new(),
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
        let told = |cell: &&Sums| !cell.is_nothing(); // most of a short run's are
        reached(&self.cells, cells).iter().filter(told).for_each(|cell| sums.merge(cell));
        sums
    }

    /// The successes that came within some cells.
    pub fn gaps(&self, cells: Range<usize>) -> Gaps {
        let mut gaps = Gaps::default();
        reached(&self.gaps, cells).iter().for_each(|cell| gaps.merge(cell));
        gaps
    }

    /// Requests of some cells that ended.
    pub fn ended(&self, cells: Range<usize>) -> u64 {
        match cells.start == 0 && cells.end >= self.cells.len() {
            true => self.ended,
            false => reached(&self.cells, cells).iter().map(Sums::ended).sum(),
        }
    }

    #[inline]
    fn settle(&mut self, at: Time, here: Here, cells: &Cells) {
        if self.open > 0 && at > self.changed {
            if self.changed >= here.from {
                self.flies(self.open, here.cell, at - self.changed);
            } else {
                self.in_flight(self.open, self.changed, at, cells);
            }
        }
        self.changed = self.changed.max(at);
    }

    /// So many more were in flight for so long within a cell.
    #[inline]
    fn flies(&mut self, many: u64, cell: usize, span: Span) {
        let time = u128::from(many) * u128::from(span.as_ns());
        self.in_flight_ns += time;
        reach(&mut self.cells, cell).in_flight_ns += time;
    }

    /// So many more were in flight from one instant until another.
    fn in_flight(&mut self, many: u64, from: Time, until: Time, cells: &Cells) {
        let mut from = from;
        while from < until {
            let end = cells.end(from).min(until);
            self.flies(many, cells.of(from), end - from);
            from = end;
        }
    }

    pub(super) fn start(&mut self, intended: Time, now: Time, here: Here, cells: &Cells) {
        self.started += 1;
        if self.plan.unasked {
            self.open += 1;
            return;
        }
        self.settle(now, here, cells);
        self.in_flight(1, intended, now, cells); // what began before we were told of it
        self.open += 1;
        self.open_intended_ns += i128::from(intended.as_ns());
        self.open_mark = self.open_mark.wrapping_add(mark(intended));
    }

    /// A request ended. Says whether there are now too many samples, and [`Probe::convert`] is due.
    pub(super) fn finish(
        &mut self,
        request: &Finished,
        here: Here,
        cells: &Cells,
        windows: &[Window],
    ) -> bool {
        const ONCE: &str = "a request ends once, after it has started";
        self.ended += 1;
        if self.plan.unasked {
            self.open = self.open.checked_sub(1).expect(ONCE);
            return false;
        }
        self.settle(request.ended, here, cells);
        self.open = self.open.checked_sub(1).expect(ONCE);
        self.open_intended_ns -= i128::from(request.intended.as_ns());
        self.open_mark = self.open_mark.wrapping_sub(mark(request.intended));
        self.strangers += u64::from(self.open == 0 && self.open_mark != 0);
        let latency = request.ended - request.intended;
        self.wrong_causes += u64::from(request.causes.total() != latency);
        let cell = if request.intended >= here.from { here.cell } else { cells.of(request.intended) };
        reach(&mut self.cells, cell).add(request, latency);
        if self.plan.gaps && request.how == Ended::Ok {
            reach(&mut self.gaps, here.cell).success(request.ended);
        }
        self.plan.samples && self.keep(request, windows)
    }

    fn keep(&mut self, request: &Finished, windows: &[Window]) -> bool {
        let sample = Sample::new(request);
        if let Some(histograms) = &mut self.histograms {
            put(histograms, windows, sample.intended, sample.latency().as_ns());
            for (cause, histograms) in &mut self.cause_histograms {
                put(histograms, windows, sample.intended, request.causes.of(*cause).as_ns());
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
        let empty = || Histogram::new(4).expect("four digits are allowed");
        let new = || -> Vec<Histogram<u64>> { windows.iter().map(|_| empty()).collect() };
        let mut histograms = new();
        for sample in &self.samples {
            put(&mut histograms, windows, sample.intended, sample.latency().as_ns());
        }
        self.histograms = Some(histograms);
        for (cause, times) in &mut self.cause_samples {
            let mut histograms = new();
            for (sample, time) in self.samples.iter().zip(std::mem::take(times)) {
                put(&mut histograms, windows, sample.intended, time);
            }
            self.cause_histograms.push((*cause, histograms));
        }
        self.samples.truncate(self.plan.samples_max);
    }

    pub(super) fn late(&mut self, here: Here) {
        reach(&mut self.cells, here.cell).late += 1;
    }

    /// Requests under way.
    pub fn open(&self) -> u64 {
        self.open
    }

    /// Whether percentiles are exact: no sample is in a histogram.
    pub fn is_exact(&self) -> bool {
        self.histograms.is_none()
    }

    /// Forgets the histograms of windows that are no longer the run's: percentiles are of the samples that were kept.
    pub(super) fn forget_windows(&mut self) {
        self.histograms = None;
        self.cause_histograms.clear();
    }

    /// What must hold in every run, exactly, in integers:
    ///
    /// 1. Conservation: started = ended + in flight.
    /// 2. Little's law in its sample-path form: the requests in flight, integrated as time went by, are the latencies
    ///    of those that ended plus the time so far of those that did not.
    /// 3. The causes of each request sum to its latency.
    /// 4. Those that end are those that started: whenever none is in flight, the intended starts of both are the
    ///    same, as a multiset (by a sum of hashes). Little's law alone cannot see this.
    pub(super) fn check(&mut self, end: Time, here: Here, cells: &Cells) -> Result<(), String> {
        if self.plan.unasked {
            return Ok(()); // those whose sums are kept are the same requests
        }
        self.settle(end, here, cells);
        let all = self.sums(0..self.cells.len());
        let ended = all.ended();
        if self.started != ended + self.open {
            return Err(format!(
                "{} requests started, {ended} ended, {} are in flight",
                self.started, self.open
            ));
        }
        let end = end.max(self.changed);
        let unfinished = i128::from(self.open) * i128::from(end.as_ns()) - self.open_intended_ns;
        let times = all.latency_ns as i128 + unfinished;
        if self.in_flight_ns as i128 != times || unfinished < 0 {
            return Err(format!("Little's law: {} ns in flight, {times} ns of latency", self.in_flight_ns));
        }
        if self.wrong_causes > 0 {
            return Err(format!("the causes of {} requests do not sum to their latency", self.wrong_causes));
        }
        if self.strangers > 0 {
            return Err("requests ended that are not the ones that started".to_owned());
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

fn put(histograms: &mut [Histogram<u64>], windows: &[Window], intended: Time, ns: u64) {
    for (histogram, window) in histograms.iter_mut().zip(windows) {
        if window.contains(intended) {
            // not `saturating_record`: that does not let the histogram grow
            histogram.record(ns).expect("a histogram that grows takes any value");
        }
    }
}
