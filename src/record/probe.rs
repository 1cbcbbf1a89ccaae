//! The requests of one program: exact samples up to [`SAMPLES_MAX`], a histogram of four digits beyond.

use hdrhistogram::Histogram;

use crate::base::cause::{Cause, Causes};
use crate::base::time::{Span, Time};
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbePlan {
    /// Whether latencies are.
    pub samples: bool,
    /// Causes whose times are kept sample by sample.
    pub causes: Vec<Cause>,
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
    /// Requests × time in flight within the window, nanoseconds.
    pub in_flight_ns: u128,
}

impl Sums {
    /// Requests that ended.
    pub fn ended(&self) -> u64 {
        self.ok + self.failed + self.unknown
    }
}

/// The requests of one program.
#[derive(Clone, Debug)]
pub struct Probe {
    plan: ProbePlan,
    /// Exact samples, in order of their ends.
    pub samples: Vec<Sample>,
    /// For each cause that is kept: its times, one per sample, nanoseconds.
    pub cause_samples: Vec<(Cause, Vec<u64>)>,
    /// By window, once there are too many samples.
    pub histograms: Option<Vec<Histogram<u64>>>,
    /// By window.
    pub sums: Vec<Sums>,
    /// Of the whole run.
    pub all: Sums,
    /// Started in all.
    pub started: u64,
    open: u64,
    open_intended_ns: u128,
    changed: Time,
    in_flight_ns: u128,
    wrong_causes: u64,
}

impl Probe {
    pub(super) fn new(plan: ProbePlan, windows: usize) -> Self {
        let cause_samples = plan.causes.iter().map(|cause| (*cause, Vec::new())).collect();
        Probe {
            plan,
            samples: Vec::new(),
            cause_samples,
            histograms: None,
            sums: vec![Sums::default(); windows],
            all: Sums::default(),
            started: 0,
            open: 0,
            open_intended_ns: 0,
            changed: Time::ZERO,
            in_flight_ns: 0,
            wrong_causes: 0,
        }
    }

    fn settle(&mut self, at: Time, windows: &[Window]) {
        if self.open > 0 && at > self.changed {
            self.in_flight_ns += u128::from(self.open) * u128::from((at - self.changed).as_ns());
            for (sums, window) in self.sums.iter_mut().zip(windows) {
                let overlap = window.until.min(at).since(window.from.max(self.changed));
                sums.in_flight_ns += u128::from(self.open) * u128::from(overlap.as_ns());
            }
        }
        self.changed = self.changed.max(at);
    }

    pub(super) fn start(&mut self, intended: Time, now: Time, windows: &[Window]) {
        self.settle(now, windows);
        // what began before we were told of it
        self.in_flight_ns += u128::from((now - intended).as_ns());
        for (sums, window) in self.sums.iter_mut().zip(windows) {
            sums.in_flight_ns += u128::from(window.until.min(now).since(window.from.max(intended)).as_ns());
        }
        self.started += 1;
        self.open += 1;
        self.open_intended_ns += u128::from(intended.as_ns());
    }

    pub(super) fn finish(&mut self, request: &Finished, windows: &[Window]) {
        self.settle(request.ended, windows);
        self.open -= 1;
        self.open_intended_ns -= u128::from(request.intended.as_ns());
        let latency = request.ended - request.intended;
        self.wrong_causes += u64::from(request.causes.total() != latency);
        add(&mut self.all, request, latency);
        for (sums, window) in self.sums.iter_mut().zip(windows) {
            if window.contains(request.intended) {
                add(sums, request, latency);
            }
        }
        if self.plan.samples {
            self.keep(request, windows);
        }
    }

    fn keep(&mut self, request: &Finished, windows: &[Window]) {
        let sample = Sample::new(request);
        if let Some(histograms) = &mut self.histograms {
            put(histograms, windows, sample);
            return;
        }
        self.samples.push(sample);
        for (cause, times) in &mut self.cause_samples {
            times.push(request.causes.of(*cause).as_ns());
        }
        if self.samples.len() >= SAMPLES_MAX {
            let new = || Histogram::new(4).expect("four digits are allowed");
            let mut histograms: Vec<Histogram<u64>> = windows.iter().map(|_| new()).collect();
            for sample in &self.samples {
                put(&mut histograms, windows, *sample);
            }
            self.histograms = Some(histograms);
        }
    }

    pub(super) fn late(&mut self, at: Time, windows: &[Window]) {
        self.all.late += 1;
        for (sums, window) in self.sums.iter_mut().zip(windows) {
            sums.late += u64::from(window.contains(at));
        }
    }

    /// Requests under way.
    pub fn in_flight(&self) -> u64 {
        self.open
    }

    /// Little's law, the conservation of requests, and the sum of causes: exact, in integers.
    pub(super) fn check(&mut self, end: Time, windows: &[Window]) -> Result<(), String> {
        self.settle(end, windows);
        let ended = self.all.ended();
        if self.started != ended + self.open {
            return Err(format!(
                "{} requests started, {ended} ended, {} are in flight",
                self.started, self.open
            ));
        }
        let unfinished = u128::from(self.open) * u128::from(end.as_ns()) - self.open_intended_ns;
        if self.in_flight_ns != self.all.latency_ns + unfinished {
            let times = self.all.latency_ns + unfinished;
            return Err(format!("Little's law: {} ns in flight, {times} ns of latency", self.in_flight_ns));
        }
        if self.wrong_causes > 0 {
            return Err(format!("the causes of {} requests do not sum to their latency", self.wrong_causes));
        }
        Ok(())
    }
}

fn add(sums: &mut Sums, request: &Finished, latency: Span) {
    match request.how {
        Ended::Ok => sums.ok += 1,
        Ended::Failed => sums.failed += 1,
        Ended::Unknown => sums.unknown += 1,
    }
    sums.latency_ns += u128::from(latency.as_ns());
    sums.latency_max_ns = sums.latency_max_ns.max(latency.as_ns());
    sums.causes.merge(&request.causes);
}

fn put(histograms: &mut [Histogram<u64>], windows: &[Window], sample: Sample) {
    for (histogram, window) in histograms.iter_mut().zip(windows) {
        if window.contains(sample.intended) {
            histogram.saturating_record(sample.latency().as_ns().max(1));
        }
    }
}
