//! One run of one cell under one seed: a world from the first event to the last, and what it shows.

use crate::base::cause::Causes;
use crate::base::ids::ProbeId;
use crate::base::time::{Span, Time};
use crate::experiment::load::{Cell, Judged};
use crate::experiment::question::{PropertyKind, Warmup};
use crate::experiment::timetable::Plan;
use crate::measures::expression::During;
use crate::measures::functions::{Evaluation, Undefined};
use crate::record::recorder::{RecordPlan, Recorder};
use crate::record::series::Window;
use crate::sim::fingerprint::Fingerprint;
use crate::sim::run::{Stop, World};

/// Events of one run at most: beyond it the run is cut short and said to be undecided.
pub const EVENTS_MAX: u64 = 40_000_000_000;

/// What one run shows of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Whether the condition held; `None`: undefined.
    pub holds: Option<bool>,
    /// Left side minus right side of a comparison: for intervals of objectives.
    pub margin: Option<f64>,
    /// A sentence.
    pub witness: String,
}

/// What one run leaves behind.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its seed.
    pub seed: u64,
    /// Its fingerprint.
    pub fingerprint: u128,
    /// Events.
    pub events: u64,
    /// By measure of the cell.
    pub values: Vec<Result<f64, Undefined>>,
    /// By property of the cell; verdicts see nothing themselves.
    pub seen: Vec<Option<Seen>>,
    /// Time by cause of all requests, by probe that workloads call: requests, and their causes.
    pub causes: Vec<(ProbeId, u64, Causes)>,
    /// What it recorded, when it is kept for pictures.
    pub recorder: Option<Recorder>,
    /// When the faults were active, by name.
    pub faults: Vec<(String, Time, Time)>,
    /// What must hold in every run and did not: our mistake.
    pub broken: Option<String>,
    /// Whether percentiles came from a histogram.
    pub approximate: bool,
    /// What a reader should know of an automatic warm-up.
    pub warmup_note: Option<String>,
}

/// Runs a cell under a seed.
pub fn run(cell: &Cell, warmup: Warmup, seed: u64, keep: bool) -> Trial {
    Running::new(cell, warmup, seed).finish(keep)
}

struct Running<'a> {
    cell: &'a Cell,
    seed: u64,
    world: World,
    end: Time,
    /// For `always` and `sometimes`: counts over the whole run.
    whole: Vec<During>,
    seen: Vec<Option<Seen>>,
    faults: Vec<(String, Time, Time)>,
    plan: Plan,
    cut_short: bool,
}

impl<'a> Running<'a> {
    fn new(cell: &'a Cell, warmup: Warmup, seed: u64) -> Self {
        let (cut, steady) = match warmup {
            Warmup::Span(span) => (span, Vec::new()),
            Warmup::Auto => (Span::ZERO, cell.setup.called().into_iter().collect()),
        };
        let plan = cell.faults.plan(seed, cell.length);
        let faults = plan.times();
        let windows = windows(cell, cut, &faults);
        let record = RecordPlan { windows, steady, ..cell.record.clone() };
        let mut world = cell.setup.world(seed, &record);
        world.start();
        let mut whole = cell.windows.clone();
        whole[0] = During::Between(Span::MAX, Span::MAX); // no name for it: `Run` is window 1, the whole run
        Running {
            cell,
            seed,
            world,
            end: Time::ZERO + cell.length,
            whole,
            seen: vec![None; cell.judged.len()],
            faults,
            plan,
            cut_short: false,
        }
    }

    /// To the end, with the faults at their times.
    fn go(&mut self) {
        while let Some(at) = self.plan.next().filter(|at| *at < self.end) {
            self.until(at);
            if self.cut_short {
                return;
            }
            self.world.advance(at);
            self.plan.step(&mut self.world);
        }
        self.until(self.end);
    }

    fn until(&mut self, horizon: Time) {
        loop {
            match self.world.run(horizon, EVENTS_MAX) {
                Stop::Horizon => return,
                Stop::Events => {
                    self.cut_short = true;
                    return;
                }
                Stop::Changed => {
                    self.world.recorder_mut().take_changed();
                    self.watch();
                }
            }
        }
    }

    /// Looks at the properties that can be watched, which have not been decided yet.
    fn watch(&mut self) {
        let now = self.world.now();
        for (judged, seen) in self.cell.judged.iter().zip(&mut self.seen) {
            let Some(condition) = judged.condition.as_ref().filter(|_| seen.is_none()) else { continue };
            let decisive = match judged.property.kind {
                PropertyKind::Always => Some(false),
                PropertyKind::Sometimes => Some(true),
                PropertyKind::Slo | PropertyKind::Verdict => None,
            };
            if decisive.is_none() || !condition.expression.can_be_watched() {
                continue;
            }
            let mut evaluation = Evaluation::new(self.world.recorder(), &self.whole);
            let holds = condition.expression.value(&mut evaluation).ok().map(|value| value != 0.0);
            if holds == decisive {
                let witness = format!("at {now} of seed {}: {}", self.seed, sides(judged, &mut evaluation));
                *seen = Some(Seen { holds, margin: None, witness });
            }
        }
    }

    fn finish(mut self, keep: bool) -> Trial {
        self.go();
        let end = self.end.max(self.world.now());
        let cell = self.cell;
        let broken = self.world.recorder_mut().close(end, &|probe| cell.setup.probe_name(probe)).err();
        self.watch();
        let broken = broken.or_else(|| self.cut_short.then(|| format!("more than {EVENTS_MAX} events")));
        let recorder = self.world.recorder();
        let mut evaluation = Evaluation::new(recorder, &cell.windows);
        let values = cell.measures.iter().map(|named| named.expression.value(&mut evaluation)).collect();
        let mut whole = Evaluation::new(recorder, &self.whole);
        let seen = cell.judged.iter().zip(std::mem::take(&mut self.seen));
        let seen =
            seen.map(|(judged, seen)| seen.or_else(|| at_end(judged, &mut evaluation, &mut whole))).collect();
        let called = cell.setup.called();
        let causes = called.iter().map(|probe| {
            let sums = recorder.probe(*probe).sums(recorder.range(0));
            (*probe, sums.ended(), sums.causes)
        });
        let causes = causes.collect();
        let approximate = called.iter().any(|probe| recorder.probe(*probe).histograms.is_some());
        let warmup_note = recorder.warmup_note().map(str::to_owned);
        let (recorder, fingerprint) = self.world.into_recorder();
        Trial {
            seed: self.seed,
            fingerprint: fingerprint.value(),
            events: fingerprint.events(),
            values,
            seen,
            causes,
            recorder: keep.then_some(recorder),
            faults: self.faults,
            broken,
            approximate,
            warmup_note,
        }
    }
}

/// Both sides of a condition, as text.
fn sides(judged: &Judged, evaluation: &mut Evaluation<'_>) -> String {
    let Some(condition) = &judged.condition else { return String::new() };
    match condition.expression.comparison() {
        Some((_, left, right)) => {
            let mut shown = |side: &crate::measures::expression::Expression| match side.value(evaluation) {
                Ok(value) => format!(
                    "{value} {}",
                    if side.dimension.unit() == "1" { "" } else { side.dimension.unit() }
                ),
                Err(Undefined(why)) => format!("undefined ({why})"),
            };
            let (left, right) = (shown(&left), shown(&right));
            format!("{}: {} against {}", condition.name, left.trim_end(), right.trim_end())
        }
        None => condition.name.clone(),
    }
}

/// A property at the end of a run.
fn at_end<'r>(judged: &Judged, evaluation: &mut Evaluation<'r>, whole: &mut Evaluation<'r>) -> Option<Seen> {
    let condition = judged.condition.as_ref()?;
    let evaluation = if judged.property.kind == PropertyKind::Slo { evaluation } else { whole };
    let value = condition.expression.value(evaluation);
    let margin = condition
        .expression
        .comparison()
        .and_then(|(_, left, right)| Some(left.value(evaluation).ok()? - right.value(evaluation).ok()?));
    let witness = match &value {
        Ok(_) => sides(judged, evaluation),
        Err(Undefined(why)) => format!("{} is undefined: {why}", condition.name),
    };
    Some(Seen { holds: value.ok().map(|value| value != 0.0), margin, witness })
}

/// The windows of a run: after the warm-up, the whole, and those that measures name.
fn windows(cell: &Cell, cut: Span, faults: &[(String, Time, Time)]) -> Vec<Window> {
    let end = Time::ZERO + cell.length;
    let start = (Time::ZERO + cut).min(end);
    let of_fault = |name: &str| {
        let times = || faults.iter().filter(|(fault, _, _)| fault == name);
        let from = times().map(|(_, from, _)| *from).min().unwrap_or(end);
        (from, times().map(|(_, _, until)| *until).max().unwrap_or(end).min(end))
    };
    let window = |(index, during): (usize, &During)| match during {
        _ if index == 0 => Window { from: start, until: end },
        During::Run => Window { from: Time::ZERO, until: end },
        During::Between(from, until) => {
            Window { from: Time::ZERO + *from, until: (Time::ZERO + *until).min(end) }
        }
        During::Fault(name) => {
            let (from, until) = of_fault(name);
            Window { from, until }
        }
        During::After(name, span) => {
            let (_, from) = of_fault(name);
            Window { from, until: (from + *span).min(end) }
        }
    };
    cell.windows.iter().enumerate().map(window).collect()
}

/// Whether two runs of one cell under one seed are the same, event by event; if not, the first event that differs.
pub fn verify(cell: &Cell, warmup: Warmup, seed: u64) -> Result<(), String> {
    let once = |watched: Option<u64>| -> Fingerprint {
        let mut running = Running::new(cell, warmup, seed);
        if let Some(block) = watched {
            running.world.watch_block(block);
        }
        running.go();
        running.world.into_recorder().1
    };
    let (a, b) = (once(None), once(None));
    let Some(block) = crate::sim::fingerprint::first_difference(&a, &b) else { return Ok(()) };
    let (a, b) = (once(Some(block)), once(Some(block)));
    let first = a.seen().iter().zip(b.seen()).find(|(a, b)| a != b);
    Err(match first {
        Some((a, b)) => format!(
            "two runs of seed {seed} part at {}: {} in one, {} at {} in the other",
            a.at, a.event, b.event, b.at
        ),
        None => format!("two runs of seed {seed} part in block {block}, and not again when it was watched"),
    })
}
