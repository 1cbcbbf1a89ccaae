//! The measures themselves, as functions of what a run has recorded.

use std::collections::BTreeMap;

use crate::base::cause::Cause;
use crate::base::ids::{ProbeId, SeriesId, TallyId};
use crate::measures::Dimension;
use crate::measures::expression::During;
use crate::record::probe::{Probe, Sums};
use crate::record::recorder::Recorder;
use crate::record::series::{Series, Window};

/// Why a measure has no value: one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undefined(pub String);

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Requests.
    Probe(ProbeId),
    /// A counter or a level.
    Series(SeriesId),
    /// A tally.
    Tally(TallyId),
    /// All cores of a part, and the series of its busy ones.
    Cores(f64, SeriesId),
    /// A value known before the run.
    Constant(f64),
}

/// A measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// `pN`.
    Percentile(f64),
    /// `mean`.
    Mean,
    /// `max`.
    Max,
    /// `rate`.
    Rate,
    /// `peak`.
    Peak,
    /// `count`, and a name alone.
    Count,
    /// `errors`.
    Errors,
    /// `success`.
    Success,
    /// `goodput`.
    Goodput,
    /// `throughput`.
    Throughput,
    /// `late`.
    Late,
    /// `waited`.
    Waited,
    /// `inflight`.
    InFlight,
    /// `util`.
    Util,
    /// `initial`.
    Initial,
}

/// A run as measures see it: what was recorded, which window is which, and sorted samples kept for the next measure.
pub struct Evaluation<'a> {
    recorder: &'a Recorder,
    windows: &'a [During],
    sorted: BTreeMap<(ProbeId, Option<Cause>, usize), Vec<u64>>,
}

impl<'a> Evaluation<'a> {
    /// Over a finished run; `windows` says what each of the recorder's windows is.
    pub fn new(recorder: &'a Recorder, windows: &'a [During]) -> Self {
        Evaluation { recorder, windows, sorted: BTreeMap::new() }
    }

    fn window(&self, during: &During) -> usize {
        self.windows.iter().position(|window| window == during).unwrap_or(0)
    }

    fn bounds(&self, window: usize) -> Window {
        self.recorder.windows()[window]
    }

    fn seconds(&self, window: usize) -> Result<f64, Undefined> {
        let seconds = self.bounds(window).span().as_secs_f64();
        if seconds > 0.0 { Ok(seconds) } else { Err(Undefined("its stretch of the run is empty".to_owned())) }
    }

    /// The samples of a window in order of size, nanoseconds.
    fn sorted(&mut self, probe: ProbeId, cause: Option<Cause>, window: usize) -> &[u64] {
        let (recorder, bounds) = (self.recorder, self.bounds(window));
        self.sorted.entry((probe, cause, window)).or_insert_with(|| {
            let kept = recorder.probe(probe);
            let of_cause = cause.and_then(|cause| kept.cause_samples.iter().find(|(of, _)| *of == cause));
            let inside = |index: &usize| bounds.contains(kept.samples[*index].intended);
            let indices = (0..kept.samples.len()).filter(inside);
            let mut values: Vec<u64> = match of_cause {
                Some((_, times)) => indices.map(|index| times[index]).collect(),
                None => indices.map(|index| kept.samples[index].latency().as_ns()).collect(),
            };
            values.sort_unstable();
            values
        })
    }
}

fn none_ended() -> Undefined {
    Undefined("no request ended in this stretch of the run".to_owned())
}

impl Function {
    /// Whether it needs samples one by one.
    pub fn takes_samples(self, cause: Option<Cause>) -> bool {
        matches!(self, Function::Percentile(_) | Function::Waited)
            || (self == Function::Max && cause.is_some())
    }

    /// The unit of its value.
    pub fn dimension(self, target: &Target) -> Dimension {
        match (self, target) {
            (Function::Percentile(_) | Function::Mean | Function::Max, Target::Probe(_)) => {
                Dimension::Seconds
            }
            (Function::Rate | Function::Goodput | Function::Throughput, _) => Dimension::PerSecond,
            _ => Dimension::One,
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// Why it is undefined: an empty sample is never zero.
    pub fn of(
        self,
        target: &Target,
        cause: Option<Cause>,
        during: &During,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<f64, Undefined> {
        let window = evaluation.window(during);
        let recorder = evaluation.recorder;
        match target {
            Target::Constant(value) => Ok(*value),
            Target::Cores(cores, busy) => Ok(mean_level(recorder.series(*busy), window, evaluation)? / cores),
            Target::Series(series) => self.of_series(recorder.series(*series), window, evaluation),
            Target::Tally(tally) => {
                let tally = recorder.tally_of(*tally);
                match self {
                    Function::Max => Ok(tally.max as f64),
                    Function::Rate => Ok(tally.in_window[window] as f64 / evaluation.seconds(window)?),
                    _ if *during == During::Run => Ok(tally.total as f64),
                    _ => Ok(tally.in_window[window] as f64),
                }
            }
            Target::Probe(probe) => self.of_requests(*probe, cause, window, evaluation),
        }
    }

    fn of_series(
        self,
        series: &Series,
        window: usize,
        evaluation: &Evaluation<'_>,
    ) -> Result<f64, Undefined> {
        match self {
            Function::Mean => mean_level(series, window, evaluation),
            Function::Max => Ok(series.peak[window] as f64),
            Function::Peak if series.is_level => Ok(series.peak[window] as f64),
            Function::Peak => {
                let bucket = evaluation.recorder.bucket().as_secs_f64();
                let bounds = evaluation.bounds(window);
                let width = evaluation.recorder.bucket().as_ns();
                let first = bounds.from.as_ns().div_ceil(width) as usize;
                let last = (bounds.until.as_ns() / width) as usize;
                let inside = series.buckets.iter().take(last).skip(first);
                Ok(inside.max().copied().unwrap_or(0) as f64 / bucket)
            }
            Function::Rate => Ok(series.in_window[window] as f64 / evaluation.seconds(window)?),
            _ => Ok(series.in_window[window] as f64),
        }
    }

    fn of_requests(
        self,
        probe: ProbeId,
        cause: Option<Cause>,
        window: usize,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<f64, Undefined> {
        let kept = evaluation.recorder.probe(probe);
        let sums: Sums = kept.sums[window];
        let ended = sums.ended();
        let share = |part: u64| if ended == 0 { Err(none_ended()) } else { Ok(part as f64 / ended as f64) };
        match self {
            Function::Count => Ok(ended as f64),
            Function::Success => share(sums.ok),
            Function::Errors => share(ended - sums.ok),
            Function::Rate | Function::Throughput => Ok(ended as f64 / evaluation.seconds(window)?),
            Function::Goodput => Ok(sums.ok as f64 / evaluation.seconds(window)?),
            Function::Late => Ok(sums.late as f64),
            Function::InFlight => Ok(sums.in_flight_ns as f64 / 1e9 / evaluation.seconds(window)?),
            Function::Mean if ended == 0 => Err(none_ended()),
            Function::Mean => {
                let total =
                    cause.map_or(sums.latency_ns as f64, |cause| sums.causes.of(cause).as_ns() as f64);
                Ok(total / ended as f64 / 1e9)
            }
            Function::Max if cause.is_none() && ended > 0 => Ok(sums.latency_max_ns as f64 / 1e9),
            Function::Percentile(percent) if cause.is_none() && kept.histograms.is_some() => {
                from_histogram(kept, window, percent)
            }
            Function::Max => nearest_rank(evaluation.sorted(probe, cause, window), 100.0),
            Function::Percentile(percent) => nearest_rank(evaluation.sorted(probe, cause, window), percent),
            Function::Waited => {
                let sorted = evaluation.sorted(probe, cause, window);
                if sorted.is_empty() {
                    return Err(none_ended());
                }
                let waited = sorted.len() - sorted.partition_point(|time| *time == 0);
                Ok(waited as f64 / sorted.len() as f64)
            }
            Function::Peak | Function::Util | Function::Initial => {
                Err(Undefined("requests have no such measure".to_owned()))
            }
        }
    }
}

fn mean_level(series: &Series, window: usize, evaluation: &Evaluation<'_>) -> Result<f64, Undefined> {
    Ok(series.integral[window] as f64 / 1e9 / evaluation.seconds(window)?)
}

/// The ⌈percent·n/100⌉-th smallest, in seconds.
fn nearest_rank(sorted: &[u64], percent: f64) -> Result<f64, Undefined> {
    if sorted.is_empty() {
        return Err(none_ended());
    }
    // in millionths of a percent, so that 99.9 % of 1000 is 999 and not the next float above
    let millionths = (percent * 1e6).round() as u128;
    let rank = (millionths * sorted.len() as u128).div_ceil(100_000_000).max(1) as usize;
    Ok(sorted[rank - 1] as f64 / 1e9)
}

fn from_histogram(probe: &Probe, window: usize, percent: f64) -> Result<f64, Undefined> {
    let histogram = probe.histograms.as_ref().map(|histograms| &histograms[window]);
    match histogram {
        Some(histogram) if !histogram.is_empty() => {
            Ok(histogram.value_at_quantile(percent / 100.0) as f64 / 1e9)
        }
        _ => Err(none_ended()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let sorted: Vec<u64> = (1..=1000).map(|n| n * 1_000_000_000).collect();
        for (percent, value) in
            [(0.0, 1.0), (50.0, 500.0), (99.0, 990.0), (99.9, 999.0), (99.95, 1000.0), (100.0, 1000.0)]
        {
            assert_eq!(nearest_rank(&sorted, percent), Ok(value), "p{percent}");
        }
        assert!(nearest_rank(&[], 50.0).is_err(), "an empty sample has no percentile");
    }
}
