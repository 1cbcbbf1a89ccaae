//! The requests of one program: exact samples up to [`SAMPLES_MAX`], a histogram of four digits beyond.

use hdrhistogram::Histogram;

use crate::base::cause::{Cause, Causes};
use crate::base::time::{Span, Time};
use crate::record::gaps::Gaps;
use crate::record::recorder::{Ended, Finished};
use crate::record::series::{Window, part};

/// So many samples are kept exactly.
pub const SAMPLES_MAX: usize = 4_000_000;

/// One finished request in 16 bytes: when it was meant to be sent, and its latency with how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was meant to be sent.
    pub intended: Time,
    packed: u64,
}

impl Sample {
    fn new(request: &Finished) -> Self {
        let how = match request.how {
            Ended::Ok => 0,
            Ended::Failed => 1,
            Ended::Unknown => 2,
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
            _ => Ended::Unknown,
        }
    }
}

/// What is to be kept of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePlan {
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
        ProbePlan { samples: false, gaps: false, causes: Vec::new(), samples_max: SAMPLES_MAX }
    }
}

/// Sums over the requests of one window, by their intended start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Succeeded.
    pub ok: u64,
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
    /// Requests that ended.
    pub fn ended(&self) -> u64 {
        self.ok + self.failed + self.unknown
    }

    fn add(&mut self, request: &Finished, latency: Span) {
        match request.how {
            Ended::Ok => self.ok += 1,
            Ended::Failed => self.failed += 1,
            Ended::Unknown => self.unknown += 1,
        }
        self.latency_ns += u128::from(latency.as_ns());
        self.latency_max_ns = self.latency_max_ns.max(latency.as_ns());
        for cause in Cause::ALL {
            let time = request.causes.of(cause);
            self.causes.add(cause, time);
            self.met[cause as usize] += u64::from(time > Span::ZERO);
        }
    }

    fn merge(&mut self, other: &Sums) {
        self.ok += other.ok;
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
    /// By window.
    pub sums: Vec<Sums>,
    /// By bucket of time; as many as were reached.
    pub buckets: Vec<Sums>,
    /// Successes by window and by bucket of their ends, if gaps are kept.
    pub gaps: Vec<Gaps>,
    gap_buckets: Vec<Gaps>,
    /// Of the whole run.
    pub all: Sums,
    /// Started in all.
    pub started: u64,
    open: u64,
    open_intended_ns: i128,
    open_mark: u64,
    changed: Time,
    in_flight_ns: u128,
    wrong_causes: u64,
    strangers: u64,
}

impl Probe {
    pub(super) fn new(plan: ProbePlan, windows: usize) -> Self {
        let cause_samples = plan.causes.iter().map(|cause| (*cause, Vec::new())).collect();
        Probe {
            plan,
            samples: Vec::new(),
            cause_samples,
            histograms: None,
            cause_histograms: Vec::new(),
            sums: vec![Sums::default(); windows],
            buckets: Vec::new(),
            gaps: vec![Gaps::default(); windows],
            gap_buckets: Vec::new(),
            all: Sums::default(),
            started: 0,
            open: 0,
            open_intended_ns: 0,
            open_mark: 0,
            changed: Time::ZERO,
            in_flight_ns: 0,
            wrong_causes: 0,
            strangers: 0,
        }
    }

    fn settle(&mut self, at: Time, frame: Frame<'_>) {
        if self.open > 0 && at > self.changed {
            self.in_flight(self.open, self.changed, at, frame);
        }
        self.changed = self.changed.max(at);
    }

    /// So many more were in flight from one instant until another.
    fn in_flight(&mut self, many: u64, from: Time, until: Time, frame: Frame<'_>) {
        self.in_flight_ns += u128::from(many) * u128::from(until.since(from).as_ns());
        for (sums, window) in self.sums.iter_mut().zip(frame.windows) {
            let overlap = window.until.min(until).since(window.from.max(from));
            sums.in_flight_ns += u128::from(many) * u128::from(overlap.as_ns());
        }
        let mut from = from;
        while from < until {
            let index = frame.bucket_of(from);
            let end = Time::from_ns((index as u64 + 1).saturating_mul(frame.bucket.as_ns())).min(until);
            self.bucket(index).in_flight_ns += u128::from(many) * u128::from((end - from).as_ns());
            from = end;
        }
    }

    fn bucket(&mut self, index: usize) -> &mut Sums {
        if self.buckets.len() <= index {
            self.buckets.resize(index + 1, Sums::default());
        }
        &mut self.buckets[index]
    }

    pub(super) fn start(&mut self, intended: Time, now: Time, frame: Frame<'_>) {
        self.settle(now, frame);
        self.in_flight(1, intended, now, frame); // what began before we were told of it
        self.started += 1;
        self.open += 1;
        self.open_intended_ns += i128::from(intended.as_ns());
        self.open_mark = self.open_mark.wrapping_add(mark(intended));
    }

    /// A request ended. Says whether there are now too many samples, and [`Probe::convert`] is due.
    pub(super) fn finish(&mut self, request: &Finished, frame: Frame<'_>) -> bool {
        self.settle(request.ended, frame);
        self.open = self.open.checked_sub(1).expect("a request ends once, after it has started");
        self.open_intended_ns -= i128::from(request.intended.as_ns());
        self.open_mark = self.open_mark.wrapping_sub(mark(request.intended));
        self.strangers += u64::from(self.open == 0 && self.open_mark != 0);
        let latency = request.ended - request.intended;
        self.wrong_causes += u64::from(request.causes.total() != latency);
        self.all.add(request, latency);
        self.bucket(frame.bucket_of(request.intended)).add(request, latency);
        for (sums, window) in self.sums.iter_mut().zip(frame.windows) {
            if window.contains(request.intended) {
                sums.add(request, latency);
            }
        }
        if self.plan.gaps && request.how == Ended::Ok {
            self.success(request.ended, frame);
        }
        self.plan.samples && self.keep(request, frame.windows)
    }

    fn success(&mut self, at: Time, frame: Frame<'_>) {
        for (gaps, window) in self.gaps.iter_mut().zip(frame.windows) {
            if window.contains(at) {
                gaps.success(at);
            }
        }
        let index = frame.bucket_of(at);
        if self.gap_buckets.len() <= index {
            self.gap_buckets.resize(index + 1, Gaps::default());
        }
        self.gap_buckets[index].success(at);
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

    pub(super) fn late(&mut self, at: Time, frame: Frame<'_>) {
        self.all.late += 1;
        self.bucket(frame.bucket_of(at)).late += 1;
        for (sums, window) in self.sums.iter_mut().zip(frame.windows) {
            sums.late += u64::from(window.contains(at));
        }
    }

    /// Requests under way.
    pub fn open(&self) -> u64 {
        self.open
    }

    /// Whether percentiles are exact: no sample is in a histogram.
    pub fn is_exact(&self) -> bool {
        self.histograms.is_none()
    }

    /// Makes a window of `wide` buckets from each of `starts` on. Percentiles of the slices are of the samples that
    /// were kept.
    pub(super) fn slice(&mut self, starts: &[usize], wide: usize) {
        self.histograms = None;
        self.cause_histograms.clear();
        let sums = |first: &usize| {
            let mut sums = Sums::default();
            part(&self.buckets, *first, wide).iter().for_each(|bucket| sums.merge(bucket));
            sums
        };
        self.sums = starts.iter().map(sums).collect();
        let gaps = |first: &usize| {
            let mut gaps = Gaps::default();
            part(&self.gap_buckets, *first, wide).iter().for_each(|bucket| gaps.merge(bucket));
            gaps
        };
        self.gaps = starts.iter().map(gaps).collect();
    }

    /// Lets window 0 begin at a bucket.
    pub(super) fn cut(&mut self, first: usize) {
        if let Some(sums) = self.sums.first_mut() {
            *sums = Sums::default();
            self.buckets.iter().skip(first).for_each(|bucket| sums.merge(bucket));
        }
        if let Some(gaps) = self.gaps.first_mut() {
            *gaps = Gaps::default();
            self.gap_buckets.iter().skip(first).for_each(|bucket| gaps.merge(bucket));
        }
    }

    /// What must hold in every run, exactly, in integers:
    ///
    /// 1. Conservation: started = ended + in flight.
    /// 2. Little's law in its sample-path form: the requests in flight, integrated as time went by, are the latencies
    ///    of those that ended plus the time so far of those that did not.
    /// 3. The causes of each request sum to its latency.
    /// 4. Those that end are those that started: whenever none is in flight, the intended starts of both are the
    ///    same, as a multiset (by a sum of hashes). Little's law alone cannot see this.
    pub(super) fn check(&mut self, end: Time, frame: Frame<'_>) -> Result<(), String> {
        self.settle(end, frame);
        let ended = self.all.ended();
        if self.started != ended + self.open {
            return Err(format!(
                "{} requests started, {ended} ended, {} are in flight",
                self.started, self.open
            ));
        }
        let end = end.max(self.changed);
        let unfinished = i128::from(self.open) * i128::from(end.as_ns()) - self.open_intended_ns;
        let times = self.all.latency_ns as i128 + unfinished;
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

/// How a run is cut up.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    /// The windows.
    pub windows: &'a [Window],
    /// Width of a bucket.
    pub bucket: Span,
}

impl Frame<'_> {
    fn bucket_of(&self, at: Time) -> usize {
        (at.as_ns() / self.bucket.as_ns()) as usize
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
