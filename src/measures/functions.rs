//! The measures themselves, as functions of what a run has recorded.

use crate::base::cause::Cause;
use crate::base::ids::{ProbeId, TallyId, TierId};
use crate::base::op::Reason;
use crate::base::series::SeriesKind;
use crate::base::time::Span;
use crate::measures::Dimension;
use crate::measures::evaluation::{Evaluation, Purpose, Stretch};
use crate::measures::expression::During;
use crate::measures::percentile::{Quantile, by_rank, nearest_rank, percentile, rank};
use crate::record::observed::Open;
use crate::record::series::{Recorded, SeriesName};
use crate::record::sums::{Sums, Which};

/// Why a measure has no value: one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undefined(pub String);

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Requests.
    Probe(ProbeId),
    /// A counter or a level.
    Series(SeriesName),
    /// A tally.
    Tally(TallyId),
    /// All cores of a part or of one member, and the series of the busy ones.
    Cores(f64, SeriesName),
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
    pub fn series(&self) -> Option<SeriesName> {
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
    /// `errors(…, reason=…, part=…)`.
    FailedFor(Why),
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

/// Which requests that did not succeed are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// Those that ended for this reason.
    pub reason: Option<Reason>,
    /// Those that failed there.
    pub at: Option<TierId>,
}

impl Why {
    fn is_of(&self, (reason, at, _): &(Reason, TierId, u64)) -> bool {
        self.reason.is_none_or(|wanted| wanted == *reason) && self.at.is_none_or(|wanted| wanted == *at)
    }
}

/// Which requests a measure takes, and of what.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Choice {
    /// Their time of one cause.
    pub cause: Option<Cause>,
    /// Those that ended so. Unless it says so, tables take successes, and an objective's percentile takes all.
    pub outcome: Option<Which>,
}

/// Whether the share of successes stands beside what is said of them: where it is below this.
const NEARLY_ALL: f64 = 0.999;

fn none_ended(which: Which) -> Undefined {
    let what = match which {
        Which::Any => "no request ended",
        Which::Ok => "no request succeeded",
        Which::Answered => "no request was answered",
        Which::Failed => "no request failed",
    };
    Undefined(format!("{what} in this stretch of the run"))
}

fn no_such_measure() -> Undefined {
    Undefined("requests have no such measure".to_owned())
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

impl Function {
    /// Whether it needs samples one by one.
    pub fn takes_samples(self) -> bool {
        matches!(self, Function::Percentile(_) | Function::Max)
    }

    /// Whether it is about some requests of all, by how they ended.
    pub fn takes_outcome(self) -> bool {
        matches!(self, Function::Percentile(_) | Function::Mean | Function::Max | Function::Waited)
    }

    /// Whether it is measured per time.
    fn is_per_time(self, target: &Target) -> bool {
        match self {
            Function::Rate
            | Function::Goodput
            | Function::Throughput
            | Function::InFlight
            | Function::Util
            | Function::Peak => true,
            Function::Mean => matches!(target, Target::Series(_)),
            _ => false,
        }
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
        choice: Choice,
        during: &During,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<f64, Undefined> {
        let recorder = evaluation.recorder;
        let stretch = match self.is_per_time(target) {
            true => evaluation.stretch_of_time(during),
            false => evaluation.stretch(during),
        };
        match target {
            Target::Constant(value) => Ok(*value),
            Target::Cores(cores, busy) => Ok(mean_level(recorder.recorded(*busy), &stretch)? / cores),
            Target::Series(series) => self.of_series(recorder.recorded(*series), &stretch, evaluation),
            Target::Tally(tally) => {
                let tally = recorder.tally_of(*tally);
                match self {
                    Function::Max => Ok(tally.largest(stretch.cells) as f64),
                    Function::Jain => jain(&tally.by_key(stretch.cells).0),
                    Function::Peak => {
                        Ok(evaluation.busiest_second(&stretch, |cells| tally.counted(cells).max(0) as u64))
                    }
                    Function::Rate => Ok(tally.counted(stretch.cells.clone()) as f64 / stretch.seconds()?),
                    _ => Ok(tally.counted(stretch.cells) as f64),
                }
            }
            Target::Probe(probe) => self.of_requests(*probe, choice, &stretch, evaluation),
        }
    }

    fn of_series(
        self,
        series: &Recorded,
        stretch: &Stretch,
        evaluation: &Evaluation<'_>,
    ) -> Result<f64, Undefined> {
        let is_level = series.kind == SeriesKind::Level;
        let cells = stretch.cells.clone();
        match self {
            Function::Mean => mean_level(series, stretch),
            Function::Max => Ok(series.peak(cells) as f64),
            Function::Peak => Ok(evaluation.busiest_second(stretch, |cells| series.counted(cells))),
            Function::Rate => Ok(series.counted(cells) as f64 / stretch.seconds()?),
            // over time a level is what it is on average over the slice
            _ if is_level && evaluation.slice.is_some() => mean_level(series, stretch),
            _ if is_level => Ok(series.level as f64),
            _ => Ok(series.counted(cells) as f64),
        }
    }

    fn of_requests(
        self,
        probe: ProbeId,
        choice: Choice,
        stretch: &Stretch,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<f64, Undefined> {
        let kept = evaluation.recorder.probe(probe);
        match self {
            Function::Count => return Ok(kept.ended(stretch.cells.clone()) as f64),
            Function::Peak => return Ok(evaluation.busiest_second(stretch, |cells| kept.ended(cells))),
            Function::Jain | Function::Util | Function::Initial => return Err(no_such_measure()),
            _ => {}
        }
        let sums = kept.sums(stretch.cells.clone());
        let which = choice.outcome.unwrap_or(Which::Ok);
        if stretch.bounds.span() == Span::ZERO && !self.is_per_time(&Target::Probe(probe)) {
            return Err(none_ended(Which::Any)); // nothing can, and nothing is under way in it
        }
        if !matches!(self, Function::Late) {
            remark(self, choice, &sums, evaluation);
        }
        match self {
            Function::Success => share(&sums, Which::Answered, evaluation),
            Function::Errors => share(&sums, Which::Failed, evaluation),
            Function::FailedFor(why) => {
                let failures = kept.failures(stretch.cells.clone());
                let some = failures.iter().filter(|failure| why.is_of(failure)).map(|(.., many)| many).sum();
                share_of(&sums, some, true, evaluation)
            }
            Function::Rate | Function::Throughput => Ok(sums.ends() as f64 / stretch.seconds()?),
            Function::Goodput => Ok(sums.ended(Which::Ok).many as f64 / stretch.seconds()?),
            Function::Late => Ok(sums.late as f64),
            Function::InFlight => {
                let area = kept.in_flight(stretch.cells.clone(), stretch.bounds).all();
                Ok(area as f64 / 1e9 / stretch.seconds()?)
            }
            Function::Outage => {
                let area = kept.in_flight(stretch.cells.clone(), stretch.bounds).all();
                if sums.ends() == 0 && area == 0 {
                    return Err(none_ended(Which::Any));
                }
                Ok(kept.gaps(stretch.cells.clone()).longest(stretch.bounds).as_secs_f64())
            }
            Function::Mean => mean(probe, choice.cause, which, stretch, evaluation),
            Function::Waited => {
                let ends = sums.ended(which);
                let met = choice.cause.map_or(0, |cause| ends.met[cause as usize]);
                if ends.many == 0 { Err(none_ended(which)) } else { Ok(met as f64 / ends.many as f64) }
            }
            Function::Max => quantile(probe, None, choice, stretch, evaluation),
            Function::Percentile(percent) => quantile(probe, Some(percent), choice, stretch, evaluation),
            _ => Err(no_such_measure()),
        }
    }
}

/// What stands beside a measure of requests.
fn remark(function: Function, choice: Choice, sums: &Sums, evaluation: &mut Evaluation<'_>) {
    let (ended, open) = (sums.sent_ended(Which::Any), sums.sent_open());
    if open > 0 {
        let share = open as f64 / (ended + open) as f64;
        evaluation.remarks.open = evaluation.remarks.open.max(share);
    }
    let of_successes = function.takes_outcome() && choice.outcome.is_none();
    if of_successes && evaluation.purpose == Purpose::Shown && ended > 0 {
        let share = sums.sent_ended(Which::Ok) as f64 / ended as f64;
        if share < NEARLY_ALL {
            let lowest = evaluation.remarks.success.map_or(share, |other| other.min(share));
            evaluation.remarks.success = Some(lowest);
        }
    }
}

/// The share of the requests sent in a stretch that ended so, of those that ended.
fn share(sums: &Sums, which: Which, evaluation: &mut Evaluation<'_>) -> Result<f64, Undefined> {
    share_of(sums, sums.sent_ended(which), which == Which::Failed, evaluation)
}

/// The same of so many, which are failures or not.
fn share_of(
    sums: &Sums,
    some: u64,
    failures: bool,
    evaluation: &mut Evaluation<'_>,
) -> Result<f64, Undefined> {
    let (ended, open) = (sums.sent_ended(Which::Any), sums.sent_open());
    let with = |some: u64| some as f64 / (ended + open) as f64;
    let (if_they_fail, if_they_succeed) = match failures {
        true => (some + open, some),
        false => (some, some + open),
    };
    match evaluation.purpose {
        _ if ended + open == 0 => Err(none_ended(Which::Any)),
        Purpose::Judged(Open::Fail) => Ok(with(if_they_fail)),
        Purpose::Judged(Open::Succeed) => Ok(with(if_they_succeed)),
        _ if ended == 0 => Err(none_ended(Which::Any)),
        _ => {
            evaluation.remarks.between = (open > 0).then(|| (with(if_they_fail), with(if_they_succeed)));
            Ok(some as f64 / ended as f64)
        }
    }
}

/// Requests in flight × time, over how many ended: Little's law as a definition. Those that are open when the run ends may come to be of
/// any kind: each kind is given as much of their time as it has of that of the others. Of one cause, and of requests that are over.
fn mean(
    probe: ProbeId,
    cause: Option<Cause>,
    which: Which,
    stretch: &Stretch,
    evaluation: &Evaluation<'_>,
) -> Result<f64, Undefined> {
    let kept = evaluation.recorder.probe(probe);
    let sums = kept.sums(stretch.cells.clone());
    let ends = sums.ended(which);
    if ends.many == 0 {
        return Err(none_ended(which));
    }
    if let Some(cause) = cause {
        return Ok(ends.causes.of(cause).as_ns() as f64 / ends.many as f64 / 1e9);
    }
    let area = kept.in_flight(stretch.cells.clone(), stretch.bounds);
    let (own, all, open) = (area.ended(which) as f64, area.ended(Which::Any) as f64, area.open() as f64);
    let of_open = match evaluation.purpose {
        _ if which == Which::Any => 1.0,
        Purpose::Judged(Open::Fail) => f64::from(which == Which::Failed),
        Purpose::Judged(Open::Succeed) => f64::from(which != Which::Failed),
        _ if all > 0.0 => own / all,
        _ => ends.many as f64 / sums.ends() as f64,
    };
    Ok((own + open * of_open) / ends.many as f64 / 1e9)
}

/// A percentile, or the largest (`None`).
fn quantile(
    probe: ProbeId,
    percent: Option<f64>,
    choice: Choice,
    stretch: &Stretch,
    evaluation: &mut Evaluation<'_>,
) -> Result<f64, Undefined> {
    if let (Purpose::Judged(open), None) = (evaluation.purpose, choice.outcome) {
        return objective(probe, percent.unwrap_or(100.0), choice.cause, stretch, open, evaluation);
    }
    let which = choice.outcome.unwrap_or(Which::Ok);
    if let Some(cause) = choice.cause {
        let times = evaluation.times(probe, stretch, cause, which)?;
        let at = nearest_rank(times, percent.unwrap_or(100.0));
        return at.map(seconds).ok_or_else(|| none_ended(which));
    }
    let open = match evaluation.purpose {
        Purpose::Shown => Open::AsTheyAre,
        Purpose::Judged(open) => open,
    };
    let kept = evaluation.recorder.probe(probe);
    let sums = kept.sums(stretch.cells.clone());
    if sums.ended(which).many == 0 && sums.ends() > 0 && open == Open::AsTheyAre {
        return Err(none_ended(which)); // those that did were of another kind
    }
    let found = match percent {
        Some(percent) => percentile(evaluation.observed(probe, stretch, which, open)?, percent),
        None => {
            let longest =
                Some(kept.longest_ns(stretch.cells.clone(), which)).filter(|_| sums.ended(which).many > 0);
            let oldest = kept.oldest((stretch.index, stretch.bounds), which, open);
            match oldest.filter(|age| Some(*age) > longest) {
                Some(age) if open == Open::AsTheyAre => Some(Quantile::AtLeast(age)),
                Some(age) => Some(Quantile::At(age)),
                None => longest.map(Quantile::At),
            }
        }
    };
    match (found, open) {
        (None, _) => Err(none_ended(which)),
        (Some(Quantile::At(ns)), _) => Ok(seconds(ns)),
        // whatever has not ended yet may take forever, or end now
        (Some(Quantile::AtLeast(_)), Open::Fail) => Ok(f64::INFINITY),
        (Some(Quantile::AtLeast(ns)), _) => {
            evaluation.remarks.at_least = true;
            Ok(seconds(ns))
        }
    }
}

/// A percentile as an objective means it: over all requests that were meant to be sent in the stretch. One that failed is slower than any
/// bound.
fn objective(
    probe: ProbeId,
    percent: f64,
    cause: Option<Cause>,
    stretch: &Stretch,
    open: Open,
    evaluation: &mut Evaluation<'_>,
) -> Result<f64, Undefined> {
    let sent = evaluation.sent(probe, stretch, cause)?;
    let all = sent.answered.many() + sent.failed + sent.open.len() as u64;
    if all == 0 {
        return Err(none_ended(Which::Any));
    }
    let rank = rank(percent, all);
    let at = match (open, cause) {
        (Open::Succeed, None) => {
            let mut answered = sent.answered.clone();
            answered.exact.extend(&sent.open);
            answered.exact.sort_unstable();
            by_rank(&answered, rank)
        }
        // where their time went is not known: none of it may be of this cause
        (Open::Succeed, Some(_)) => match rank.checked_sub(sent.open.len() as u64) {
            None | Some(0) => Some(0),
            Some(rank) => by_rank(&sent.answered, rank),
        },
        _ => by_rank(&sent.answered, rank),
    };
    Ok(at.map_or(f64::INFINITY, seconds))
}

fn mean_level(series: &Recorded, stretch: &Stretch) -> Result<f64, Undefined> {
    Ok(series.integral(stretch.cells.clone()) as f64 / 1e9 / stretch.seconds()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fairness_is_one_when_all_are_equal() {
        assert_eq!(jain(&[5, 5, 5, 5]), Ok(1.0));
        assert_eq!(jain(&[7, 0, 0, 0]), Ok(0.25));
        assert!(jain(&[]).is_err());
    }
}
