//! A run as measures see it: what was recorded, which stretch is which, what is shown or judged of it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::cause::Cause;
use crate::base::ids::ProbeId;
use crate::base::time::{Span, Time};
use crate::measures::asked::Query;
use crate::measures::expression::During;
use crate::measures::functions::Undefined;
use crate::measures::verdicts::{Explanation, Finding};
use crate::record::observed::{Observed, Open, Sent, Values};
use crate::record::recorder::Recorder;
use crate::record::series::Window;
use crate::record::sums::Which;

/// What a value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Tables, plots and theories.
    Shown,
    /// A property, with requests that are open at the end as this: [`Open::Fail`] or [`Open::Succeed`].
    Judged(Open),
}

/// A stretch of a run.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// Which of the recorder's windows it is.
    pub index: usize,
    /// Its cells.
    pub cells: Range<usize>,
    /// Its ends.
    pub bounds: Window,
}

impl Stretch {
    /// Its length, seconds.
    pub fn seconds(&self) -> Result<f64, Undefined> {
        let seconds = self.bounds.span().as_secs_f64();
        if seconds > 0.0 { Ok(seconds) } else { Err(Undefined("its stretch of the run is empty".to_owned())) }
    }
}

/// What a reader has to know beside a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Remarks {
    /// It is no less than this: some were under way at the end of its stretch, for longer than those that ended can tell of.
    pub at_least: bool,
    /// The share of the requests sent in its stretch that were open when the run ended.
    pub open: f64,
    /// The share of the requests that succeeded, where it is about these alone.
    pub success: Option<f64>,
    /// What it would be if all that were open at the end failed, and if all succeeded.
    pub between: Option<(f64, f64)>,
}

/// What a key of kept values is: whose, of which cause and outcome, in which window.
type Kept = (ProbeId, Option<Cause>, Which, usize);

/// A run as measures see it.
pub struct Evaluation<'a> {
    pub(super) recorder: &'a Recorder,
    windows: &'a [During],
    /// The slice that stands for the run.
    pub(super) slice: Option<usize>,
    /// Whether the run is meant with its warm-up.
    beginning_at_zero: bool,
    pub(super) purpose: Purpose,
    findings: &'a [(Query, Finding)],
    /// What showed the answers that were asked for, in order.
    witnesses: Vec<&'a Explanation>,
    pub(super) remarks: Remarks,
    observed: BTreeMap<(Kept, Open), Option<Observed>>,
    sent: BTreeMap<Kept, Option<Sent>>,
    times: BTreeMap<Kept, Option<Values>>,
}

fn too_many() -> Undefined {
    Undefined("there were too many requests to keep those of each stretch".to_owned())
}

impl<'a> Evaluation<'a> {
    /// Over a finished run; `windows` says what each of the recorder's windows is.
    pub fn new(recorder: &'a Recorder, windows: &'a [During]) -> Self {
        Evaluation {
            recorder,
            windows,
            slice: None,
            beginning_at_zero: false,
            purpose: Purpose::Shown,
            findings: &[],
            witnesses: Vec::new(),
            remarks: Remarks::default(),
            observed: BTreeMap::new(),
            sent: BTreeMap::new(),
            times: BTreeMap::new(),
        }
    }

    /// Over one slice of a [`Recorder::sliced`] run: it stands for the run, whatever a measure names.
    pub fn of_slice(recorder: &'a Recorder, slice: usize) -> Self {
        Evaluation { slice: Some(slice), ..Evaluation::new(recorder, &[]) }
    }

    /// The same, knowing the answers to questions about the history.
    pub fn with(self, findings: &'a [(Query, Finding)]) -> Self {
        Evaluation { findings, ..self }
    }

    /// The same over the run with its warm-up.
    pub fn beginning_at_zero(self) -> Self {
        Evaluation { beginning_at_zero: true, ..self }
    }

    /// The same for another purpose.
    pub fn set_purpose(&mut self, purpose: Purpose) {
        self.purpose = purpose;
    }

    /// The answer to a question about the history.
    ///
    /// # Errors
    /// Why nobody knows: an undecided verdict is none.
    pub fn answer(&mut self, asked: &Query) -> Result<f64, Undefined> {
        let Some((_, finding)) = self.findings.iter().find(|(known, _)| known == asked) else {
            return Err(Undefined("the history is judged for whole runs alone".to_owned()));
        };
        self.witnesses.extend(&finding.witness);
        finding.value.clone()
    }

    /// What showed the answers that were asked for since this was last called.
    pub fn take_witnesses(&mut self) -> Vec<&'a Explanation> {
        std::mem::take(&mut self.witnesses)
    }

    /// What is to be known beside the values that were asked for since this was last called.
    pub fn take_remarks(&mut self) -> Remarks {
        std::mem::take(&mut self.remarks)
    }

    pub(super) fn stretch(&self, during: &During) -> Stretch {
        let whole = During::Whole;
        let during = if self.beginning_at_zero && *during == During::Run { &whole } else { during };
        let index = self.windows.iter().position(|window| window == during);
        let index = index.unwrap_or(self.slice.unwrap_or(0));
        let (cells, bounds) = (self.recorder.range(index), self.recorder.windows()[index]);
        if self.slice.is_some() && *during == During::Whole {
            return Stretch { index, cells: 0..cells.end, bounds: Window { from: Time::ZERO, ..bounds } };
        }
        Stretch { index, cells, bounds }
    }

    /// The stretch over which something is measured per time: of a run that goes on until its last request has ended that in which
    /// requests arrived.
    pub(super) fn stretch_of_time(&self, during: &During) -> Stretch {
        let stretch = self.stretch(during);
        if !matches!(during, During::Run | During::Whole) {
            return stretch;
        }
        let (bounds, cells) = self.recorder.of_arrivals(stretch.bounds, stretch.cells);
        Stretch { cells, bounds, ..stretch }
    }

    pub(super) fn busiest_second(&self, stretch: &Stretch, counted: impl Fn(Range<usize>) -> u64) -> f64 {
        let buckets: Vec<u64> = self.recorder.buckets(stretch.bounds.until).map(counted).collect();
        busiest_second(&buckets, self.recorder.bucket(), stretch.bounds)
    }

    /// All requests that were in flight in a stretch.
    pub(super) fn observed(
        &mut self,
        probe: ProbeId,
        stretch: &Stretch,
        which: Which,
        open: Open,
    ) -> Result<&Observed, Undefined> {
        let (kept, window) = (self.recorder.probe(probe), (stretch.index, stretch.bounds));
        let key = ((probe, None, which, stretch.index), open);
        let seen = self.observed.entry(key).or_insert_with(|| kept.observed(window, which, open));
        seen.as_ref().ok_or_else(too_many)
    }

    /// All that were meant to be sent in a stretch.
    pub(super) fn sent(
        &mut self,
        probe: ProbeId,
        stretch: &Stretch,
        cause: Option<Cause>,
    ) -> Result<&Sent, Undefined> {
        let (kept, window) = (self.recorder.probe(probe), (stretch.index, stretch.bounds));
        let key = (probe, cause, Which::Any, stretch.index);
        self.sent.entry(key).or_insert_with(|| kept.sent(window, cause)).as_ref().ok_or_else(too_many)
    }

    /// What those that ended in a stretch spent on a cause.
    pub(super) fn times(
        &mut self,
        probe: ProbeId,
        stretch: &Stretch,
        cause: Cause,
        which: Which,
    ) -> Result<&Values, Undefined> {
        let (kept, window) = (self.recorder.probe(probe), (stretch.index, stretch.bounds));
        let key = (probe, Some(cause), which, stretch.index);
        self.times
            .entry(key)
            .or_insert_with(|| kept.times(window, cause, which))
            .as_ref()
            .ok_or_else(too_many)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_busiest_second() {
        let window = Window { from: Time::from_ns(1), until: Time::from_ns(4_000_000_000) };
        let buckets = [9, 1, 2, 3, 4, 0, 9]; // of half a second; the first began before the window
        assert_eq!(busiest_second(&buckets, Span::from_ms(500), window), 9.0);
        assert_eq!(busiest_second(&buckets[..6], Span::from_ms(500), window), 7.0);
        assert_eq!(busiest_second(&buckets[1..], Span::from_secs(2), window), 1.0);
        assert_eq!(busiest_second(&[], Span::from_secs(2), window), 0.0);
    }
}
