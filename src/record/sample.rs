//! Finished requests one by one, and beyond so many of them their distributions by window.

use hdrhistogram::Histogram;

use crate::base::cause::{Cause, Causes};
use crate::base::time::{Span, Time};
use crate::record::ended::{Ended, Finished};
use crate::record::series::Window;
use crate::record::sums::{CLASSES, Which, class};

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
    /// Of a request.
    pub(super) fn new(request: &Finished) -> Self {
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

    /// When it ended.
    pub fn ended(&self) -> Time {
        self.intended + self.latency()
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

/// Histograms of four digits, one for each class of requests.
type ByClass = [Option<Histogram<u64>>; CLASSES];

fn put(by_class: &mut ByClass, how: Ended, ns: u64) {
    let new = || Histogram::new(4).expect("four digits are allowed");
    let histogram = by_class[class(how)].get_or_insert_with(new);
    // not `saturating_record`: that does not let the histogram grow
    histogram.record(ns).expect("a histogram that grows takes any value");
}

/// Values and how many there are of each, in order: those of the classes that are asked for.
fn steps(by_class: &ByClass, which: Which) -> Vec<(u64, u64)> {
    let mut steps = Vec::new();
    for (_, histogram) in by_class.iter().enumerate().filter(|(class, _)| which.takes_class(*class)) {
        let Some(histogram) = histogram else { continue };
        steps.extend(histogram.iter_recorded().map(|step| {
            let middle = histogram.median_equivalent(step.value_iterated_to());
            (middle.min(histogram.max()), step.count_since_last_iteration())
        }));
    }
    steps.sort_unstable();
    steps
}

/// The requests of one window, when there are too many samples: those that began and ended in it in histograms, those
/// that crossed an edge one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    inside: ByClass,
    causes: Vec<(Cause, ByClass)>,
    /// In order of their ends.
    pub(super) across: Vec<Sample>,
}

impl Distribution {
    /// Nothing yet; these causes are kept.
    pub(super) fn new(causes: &[Cause]) -> Self {
        let causes = causes.iter().map(|cause| (*cause, ByClass::default())).collect();
        Distribution { causes, ..Distribution::default() }
    }

    /// A request ended.
    pub(super) fn put(&mut self, sample: Sample, window: Window) {
        let (intended, ended) = (sample.intended, sample.ended());
        if window.contains(intended) && window.contains(ended) {
            put(&mut self.inside, sample.how(), sample.latency().as_ns());
        } else if intended < window.until && ended >= window.from {
            self.across.push(sample);
        }
    }

    /// What a request that ended spent on a cause; in the order of causes.
    pub(super) fn put_cause(&mut self, place: usize, sample: Sample, ns: u64, window: Window) {
        if window.contains(sample.ended()) {
            put(&mut self.causes[place].1, sample.how(), ns);
        }
    }

    /// What a request that ended spent on causes.
    pub(super) fn put_causes(&mut self, sample: Sample, causes: &Causes, window: Window) {
        for place in 0..self.causes.len() {
            let ns = causes.of(self.causes[place].0).as_ns();
            self.put_cause(place, sample, ns, window);
        }
    }

    /// Latencies of those that began and ended in it.
    pub(super) fn latencies(&self, which: Which) -> Vec<(u64, u64)> {
        steps(&self.inside, which)
    }

    /// Times of a cause of those that ended in it.
    pub(super) fn times(&self, cause: Cause, which: Which) -> Vec<(u64, u64)> {
        let known = self.causes.iter().find(|(known, _)| *known == cause);
        known.map_or(Vec::new(), |(_, by_class)| steps(by_class, which))
    }
}
