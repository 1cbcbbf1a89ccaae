//! The measures themselves, as functions of what a run has recorded.

use std::collections::BTreeMap;
use std::ops::Range;

use hdrhistogram::Histogram;

use crate::base::cause::Cause;
use crate::base::ids::{ProbeId, SeriesId, TallyId};
use crate::base::series::SeriesKind;
use crate::base::time::Span;
use crate::measures::Dimension;
use crate::measures::asked::Asked;
use crate::measures::expression::During;
use crate::measures::verdicts::{Finding, Told};
use crate::record::probe::Probe;
use crate::record::recorder::Recorder;
use crate::record::series::{Recorded, Window};

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

impl Target {
    /// The requests, if it is some.
    pub fn probe(&self) -> Option<ProbeId> {
        match self {
            Target::Probe(probe) => Some(*probe),
            _ => None,
        }
    }

    /// The series that must be recorded, if it is one.
    pub fn series(&self) -> Option<SeriesId> {
        match self {
            Target::Series(series) | Target::Cores(_, series) => Some(*series),
            _ => None,
        }
    }
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
    /// `outage`.
    Outage,
    /// `util`.
    Util,
    /// `jain`.
    Jain,
    /// `initial`.
    Initial,
}

/// A run as measures see it: what was recorded, which window is which, and sorted samples kept for the next measure.
pub struct Evaluation<'a> {
    recorder: &'a Recorder,
    windows: &'a [During],
    /// The slice that stands for the run.
    slice: Option<usize>,
    findings: &'a [(Asked, Finding)],
    /// What showed the answers that were asked for, in order.
    witnesses: Vec<&'a Told>,
    sorted: BTreeMap<(ProbeId, Option<Cause>, usize), Vec<u64>>,
}

impl<'a> Evaluation<'a> {
    /// Over a finished run; `windows` says what each of the recorder's windows is.
    pub fn new(recorder: &'a Recorder, windows: &'a [During]) -> Self {
        let (findings, witnesses): (&[_], _) = (&[], Vec::new());
        Evaluation { recorder, windows, slice: None, findings, witnesses, sorted: BTreeMap::new() }
    }

    /// Over one slice of a [`Recorder::sliced`] run: it stands for the run, whatever a measure names.
    pub fn of_slice(recorder: &'a Recorder, slice: usize) -> Self {
        Evaluation { slice: Some(slice), ..Evaluation::new(recorder, &[]) }
    }

    /// The same, knowing the answers to questions about the history.
    pub fn with(self, findings: &'a [(Asked, Finding)]) -> Self {
        Evaluation { findings, ..self }
    }

    /// The answer to a question about the history.
    ///
    /// # Errors
    /// Why nobody knows: an undecided verdict is none.
    pub fn answer(&mut self, asked: &Asked) -> Result<f64, Undefined> {
        let Some((_, finding)) = self.findings.iter().find(|(known, _)| known == asked) else {
            return Err(Undefined("the history is judged for whole runs alone".to_owned()));
        };
        self.witnesses.extend(&finding.witness);
        finding.value.clone()
    }

    /// What showed the answers that were asked for since this was last called.
    pub fn take_witnesses(&mut self) -> Vec<&'a Told> {
        std::mem::take(&mut self.witnesses)
    }

    fn window(&self, during: &During) -> usize {
        self.windows.iter().position(|window| window == during).unwrap_or(self.slice.unwrap_or(0))
    }

    fn bounds(&self, window: usize) -> Window {
        self.recorder.windows()[window]
    }

    fn seconds(&self, window: usize) -> Result<f64, Undefined> {
        let seconds = self.bounds(window).span().as_secs_f64();
        if seconds > 0.0 { Ok(seconds) } else { Err(Undefined("its stretch of the run is empty".to_owned())) }
    }

    fn busiest_second(&self, window: usize, counted: impl Fn(Range<usize>) -> u64) -> f64 {
        let bounds = self.bounds(window);
        let buckets: Vec<u64> = self.recorder.buckets(bounds.until).map(counted).collect();
        busiest_second(&buckets, self.recorder.bucket(), bounds)
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
        matches!(self, Function::Percentile(_)) || (self == Function::Max && cause.is_some())
    }

    /// The unit of its value.
    pub fn dimension(self, target: &Target) -> Dimension {
        match (self, target) {
            (Function::Percentile(_) | Function::Mean | Function::Max, Target::Probe(_))
            | (Function::Outage, _) => Dimension::Seconds,
            (Function::Rate | Function::Peak | Function::Goodput | Function::Throughput, _) => {
                Dimension::PerSecond
            }
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
                    Function::Jain => jain(tally.sums()),
                    Function::Peak => {
                        Ok(evaluation.busiest_second(window, |cells| tally.counted(cells).max(0) as u64))
                    }
                    Function::Rate => {
                        Ok(tally.counted(recorder.range(window)) as f64 / evaluation.seconds(window)?)
                    }
                    _ if *during == During::Run && evaluation.slice.is_none() => Ok(tally.total as f64),
                    _ => Ok(tally.counted(recorder.range(window)) as f64),
                }
            }
            Target::Probe(probe) => self.of_requests(*probe, cause, window, evaluation),
        }
    }

    fn of_series(
        self,
        series: &Recorded,
        window: usize,
        evaluation: &Evaluation<'_>,
    ) -> Result<f64, Undefined> {
        let is_level = series.kind == SeriesKind::Level;
        let cells = evaluation.recorder.range(window);
        match self {
            Function::Mean => mean_level(series, window, evaluation),
            Function::Max => Ok(series.peak(cells) as f64),
            Function::Peak => Ok(evaluation.busiest_second(window, |cells| series.counted(cells))),
            Function::Rate => Ok(series.counted(cells) as f64 / evaluation.seconds(window)?),
            // over time a level is what it is on average over the slice
            _ if is_level && evaluation.slice.is_some() => mean_level(series, window, evaluation),
            _ if is_level => Ok(series.level as f64),
            _ => Ok(series.counted(cells) as f64),
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
        let cells = evaluation.recorder.range(window);
        if self == Function::Count {
            return Ok(kept.ended(cells) as f64);
        }
        let sums = kept.sums(cells);
        let ended = sums.ended();
        let share = |part: u64| if ended == 0 { Err(none_ended()) } else { Ok(part as f64 / ended as f64) };
        match self {
            Function::Success => share(sums.answers()),
            Function::Errors => share(ended - sums.answers()),
            Function::Rate | Function::Throughput => Ok(ended as f64 / evaluation.seconds(window)?),
            Function::Goodput => Ok(sums.ok as f64 / evaluation.seconds(window)?),
            Function::Late => Ok(sums.late as f64),
            Function::InFlight => Ok(sums.in_flight_ns as f64 / 1e9 / evaluation.seconds(window)?),
            Function::Outage if ended == 0 => Err(none_ended()),
            Function::Outage => {
                let gaps = kept.gaps(evaluation.recorder.range(window));
                Ok(gaps.longest(evaluation.bounds(window)).as_secs_f64())
            }
            Function::Mean if ended == 0 => Err(none_ended()),
            Function::Mean => {
                let total =
                    cause.map_or(sums.latency_ns as f64, |cause| sums.causes.of(cause).as_ns() as f64);
                Ok(total / ended as f64 / 1e9)
            }
            Function::Max if cause.is_none() && ended > 0 => Ok(sums.latency_max_ns as f64 / 1e9),
            Function::Max if !kept.is_exact() => from_histogram(kept, cause, window, 100.0),
            Function::Percentile(percent) if !kept.is_exact() => from_histogram(kept, cause, window, percent),
            Function::Max => nearest_rank(evaluation.sorted(probe, cause, window), 100.0),
            Function::Percentile(percent) => nearest_rank(evaluation.sorted(probe, cause, window), percent),
            Function::Waited => share(cause.map_or(0, |cause| sums.met[cause as usize])),
            Function::Peak => Ok(evaluation.busiest_second(window, |cells| kept.ended(cells))),
            Function::Count | Function::Jain | Function::Util | Function::Initial => {
                Err(Undefined("requests have no such measure".to_owned()))
            }
        }
    }
}

fn mean_level(series: &Recorded, window: usize, evaluation: &Evaluation<'_>) -> Result<f64, Undefined> {
    Ok(series.integral(evaluation.recorder.range(window)) as f64 / 1e9 / evaluation.seconds(window)?)
}

/// The highest rate over any second within a window, per second; over a bucket where that is longer.
fn busiest_second(buckets: &[u64], width: Span, window: Window) -> f64 {
    let many = (1_000_000_000 / width.as_ns()).max(1) as usize;
    let first = window.from.as_ns().div_ceil(width.as_ns()) as usize;
    let last = ((window.until.as_ns() / width.as_ns()) as usize).min(buckets.len());
    let inside = buckets.get(first..last).unwrap_or(&[]);
    let busiest = match inside.len() > many {
        true => inside.windows(many).map(|second| second.iter().sum()).max().unwrap_or(0),
        false => inside.iter().sum::<u64>(),
    };
    busiest as f64 / (width.as_secs_f64() * many as f64)
}

/// Jain's index of fairness (Jain, Chiu & Hawe, DEC TR-301, 1984): (Σx)² / (n·Σx²); 1 when all are equal, 1/n when
/// one has everything.
fn jain(sums: &[i64]) -> Result<f64, Undefined> {
    let (mut sum, mut squares) = (0i128, 0i128);
    for x in sums {
        sum += i128::from(*x);
        squares = squares.saturating_add(i128::from(*x) * i128::from(*x));
    }
    if squares == 0 {
        return Err(Undefined("nothing was counted".to_owned()));
    }
    Ok(sum as f64 * sum as f64 / (sums.len() as f64 * squares as f64))
}

/// The rank of a percentile among `n` samples: the ⌈percent·n/100⌉-th smallest, counted from 1.
pub fn rank(percent: f64, n: u64) -> u64 {
    // in millionths of a percent, so that 99.9 % of 1000 is 999 and not the next float above
    let millionths = (percent * 1e6 + 0.5) as u128;
    ((millionths * u128::from(n)).div_ceil(100_000_000) as u64).max(1)
}

/// The percentile of samples in order of size, in seconds.
pub(super) fn nearest_rank(sorted: &[u64], percent: f64) -> Result<f64, Undefined> {
    if sorted.is_empty() {
        return Err(none_ended());
    }
    Ok(sorted[rank(percent, sorted.len() as u64) as usize - 1] as f64 / 1e9)
}

fn from_histogram(
    probe: &Probe,
    cause: Option<Cause>,
    window: usize,
    percent: f64,
) -> Result<f64, Undefined> {
    let histograms = match cause {
        None => probe.histograms.as_ref(),
        Some(cause) => probe.cause_histograms.iter().find(|(of, _)| *of == cause).map(|(_, of)| of),
    };
    histograms.and_then(|histograms| by_rank(&histograms[window], percent)).ok_or_else(none_ended)
}

/// The percentile of a histogram, in seconds: off by at most one part in ten thousand.
pub fn by_rank(histogram: &Histogram<u64>, percent: f64) -> Option<f64> {
    let rank = rank(percent, histogram.len());
    let mut below = 0;
    for step in histogram.iter_recorded() {
        below += step.count_since_last_iteration();
        if below >= rank {
            let middle = histogram.median_equivalent(step.value_iterated_to());
            return Some(middle.min(histogram.max()) as f64 / 1e9);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Time;

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

    #[test]
    fn a_histogram_has_the_same_percentiles_to_four_digits() {
        let mut sorted: Vec<u64> = (0..5000u64).map(|n| n * n * 7919 % 5_000_011 * 1000).collect();
        let mut histogram = Histogram::new(4).expect("four digits");
        sorted.iter().for_each(|ns| histogram.record(*ns).expect("it grows"));
        sorted.sort_unstable();
        for percent in [0.0, 1.0, 50.0, 99.0, 99.9, 100.0] {
            let (exact, near) = (nearest_rank(&sorted, percent), by_rank(&histogram, percent));
            let (exact, near) = (exact.expect("samples"), near.expect("samples"));
            assert!((exact - near).abs() <= exact * 1e-4, "p{percent}: {exact} {near}");
        }
    }

    #[test]
    fn the_peak_is_the_busiest_second() {
        let window = Window { from: Time::from_ns(1), until: Time::from_ns(4_000_000_000) };
        let buckets = [9, 1, 2, 3, 4, 0, 9]; // of half a second; the first began before the window
        assert_eq!(busiest_second(&buckets, Span::from_ms(500), window), 9.0);
        assert_eq!(busiest_second(&buckets[..6], Span::from_ms(500), window), 7.0);
        assert_eq!(busiest_second(&buckets[1..], Span::from_secs(2), window), 1.0);
        assert_eq!(busiest_second(&[], Span::from_secs(2), window), 0.0);
    }

    #[test]
    fn fairness_is_one_when_all_are_equal() {
        assert_eq!(jain(&[5, 5, 5, 5]), Ok(1.0));
        assert_eq!(jain(&[7, 0, 0, 0]), Ok(0.25));
        assert!(jain(&[]).is_err());
    }
}
