//! One run of one cell under one seed: a world from the first event to the last, and what it shows.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::cause::Causes;
use crate::base::ids::ProbeId;
use crate::base::time::{Span, Time};
use crate::design::limits::EVENTS_MAX;
use crate::experiment::judging::Looks;
use crate::experiment::load::{Cell, Judged};
use crate::experiment::question::{PropertyKind, Warmup};
use crate::experiment::timetable::times;
use crate::faults::plan::{Planned, TIMES_MAX};
use crate::faults::schedule::Schedule;
use crate::measures::asked::Moment as Named;
use crate::measures::expression::During;
use crate::measures::functions::{Evaluation, Undefined};
use crate::measures::verdicts::Told;
use crate::record::history::{History, HistoryPlan, Moment};
use crate::record::recorder::{RecordPlan, Recorder};
use crate::record::series::Window;
use crate::sim::fingerprint::{BLOCK, Fingerprint, Witnessed};
use crate::sim::run::{Stop, World};

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
    /// What happened, in order: instants and members.
    pub plan: Vec<Planned>,
    /// What must hold in every run and did not: our mistake.
    pub broken: Option<String>,
    /// Whether it had more than [`EVENTS_MAX`] events: nothing can be concluded from it.
    pub cut_short: bool,
    /// Whether percentiles came from a histogram.
    pub approximate: bool,
    /// What a reader should know of an automatic warm-up.
    pub warmup_note: Option<String>,
}

/// Events between two looks at whether somebody wants to stop: a fraction of a second.
const LOOK_EVERY: u64 = 1 << 20;

/// Runs a cell under a seed; nothing comes out when it is cancelled on the way.
pub fn run(cell: &Cell, warmup: Warmup, seed: u64, keep: bool, cancelled: &AtomicBool) -> Option<Trial> {
    let mut running = Running::new(cell, warmup, seed, &cell.record.history, cancelled);
    running.go(cancelled);
    (!cancelled.load(Ordering::Relaxed)).then(|| running.finish(keep))
}

/// Takes what happens in a run, in order; false: it wants no more, and the run ends.
pub type Sink<'a> = &'a mut dyn FnMut(&[Moment]) -> bool;

/// Runs a cell under a seed and hands on every operation on a store as it happens, then those of which nobody knows what became
/// of them. Nothing of it is kept. Whether it ran to its end.
pub fn stream(cell: &Cell, warmup: Warmup, seed: u64, sink: Sink<'_>) -> bool {
    let known = times(&cell.faults.known_before(seed, cell.length));
    let plan = HistoryPlan { streams: true, ..HistoryPlan::default() };
    let mut running = Running::with(cell, warmup, seed, &known, &plan);
    running.sink = Some(sink);
    running.go(&AtomicBool::new(false)); // the sink says when to stop
    running.hand_on();
    let left = running.world.recorder().history.left_open(running.end);
    !running.cut_short && running.sink.is_some_and(|sink| sink(&left))
}

/// A run with all that was asked of stores in it, and what in it shows a violation.
#[derive(Debug)]
pub struct Caught {
    /// The sentence, and the operations that it names.
    pub told: Told,
    /// All operations, and what copies took in.
    pub history: History,
    /// When the faults were active, by name.
    pub faults: Vec<(String, Time, Time)>,
}

/// Runs a cell under a seed once more and keeps everything, for a picture of what shows that a property (by place among the cell's) is
/// violated. `None` if nothing shows it.
pub fn caught(cell: &Cell, warmup: Warmup, seed: u64, property: usize) -> Option<Caught> {
    let never = AtomicBool::new(false);
    let plan = HistoryPlan { all: true, ..HistoryPlan::default() };
    let mut running = Running::new(cell, warmup, seed, &plan, &never);
    running.go(&never);
    let condition = cell.judged.get(property)?.condition.as_ref()?;
    let faults = times(&running.schedule.plan_so_far());
    let findings = running.looks.answers(cell, &faults, &running.world);
    let mut evaluation = Evaluation::new(running.world.recorder(), &running.whole).with(&findings);
    condition.expression.value(&mut evaluation).ok()?;
    let told = (*evaluation.take_witnesses().first()?).clone();
    Some(Caught { told, history: running.world.into_recorder().0.history, faults })
}

struct Running<'a> {
    cell: &'a Cell,
    seed: u64,
    world: World,
    end: Time,
    /// For `always` and `sometimes`: counts over the whole run.
    whole: Vec<During>,
    seen: Vec<Option<Seen>>,
    schedule: Schedule,
    looks: Looks,
    sink: Option<Sink<'a>>,
    /// It had too many events, or was cancelled.
    cut_short: bool,
}

impl<'a> Running<'a> {
    /// A run whose windows are those of faults that only a run tells is made twice: the same happens both times, and the
    /// second time it is known when.
    fn new(cell: &'a Cell, warmup: Warmup, seed: u64, history: &HistoryPlan, cancelled: &AtomicBool) -> Self {
        let named = |during: &During| match during {
            During::Fault(name) | During::After(name, _) => !cell.faults.is_known_before(name),
            During::Run | During::Between(..) => false,
        };
        let known = times(&cell.faults.known_before(seed, cell.length));
        let asked = cell.asked.iter().flat_map(|asked| [&asked.before, &asked.at]);
        let told_by_run =
            |moment: &Named| moment.fault().is_some_and(|fault| !cell.faults.is_known_before(fault));
        if !cell.windows.iter().any(named) && !asked.into_iter().any(told_by_run) {
            return Running::with(cell, warmup, seed, &known, history);
        }
        let mut first = Running::with(cell, warmup, seed, &known, &HistoryPlan::default());
        first.go(cancelled);
        Running::with(cell, warmup, seed, &times(&first.schedule.plan_so_far()), history)
    }

    fn with(
        cell: &'a Cell,
        warmup: Warmup,
        seed: u64,
        faults: &[(String, Time, Time)],
        history: &HistoryPlan,
    ) -> Self {
        let (cut, steady) = match warmup {
            Warmup::Span(span) => (span, Vec::new()),
            Warmup::Auto => (Span::ZERO, cell.setup.called().into_iter().collect()),
        };
        let windows = windows(cell, cut, faults);
        let record = RecordPlan { windows, steady, history: history.clone(), ..cell.record.clone() };
        let mut world = cell.setup.world(seed, &record);
        if record.history == cell.record.history {
            let [steps, taken] =
                [&cell.room.steps, &cell.room.taken].map(|room| room.load(Ordering::Relaxed));
            world.recorder_mut().history.reserve(steps, taken);
        }
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
            looks: Looks::new(cell, faults),
            schedule: cell.faults.schedule(seed, cell.length),
            sink: None,
            cut_short: false,
        }
    }

    /// To the end, with the faults at their times, and looks at the copies after the faults of an instant.
    fn go(&mut self, cancelled: &AtomicBool) {
        self.notice();
        while !self.cut_short {
            let due = [self.schedule.next(), self.looks.next()].into_iter().flatten().min();
            let due = due.filter(|at| *at < self.end);
            if !self.until(due.unwrap_or(self.end), cancelled) {
                continue; // something else is due before
            }
            match due {
                None => break,
                Some(at) if self.schedule.next() == Some(at) => {
                    self.world.advance(at);
                    self.schedule.step(Some(&mut self.world));
                    self.notice();
                }
                Some(_) => self.looks.look(self.cell, &self.world),
            }
        }
        self.looks.look_last(self.cell, &self.world);
    }

    /// Runs until then; false if it ended before, since more became due or the run was cut short.
    fn until(&mut self, horizon: Time, cancelled: &AtomicBool) -> bool {
        loop {
            let events = self.world.fingerprint().events();
            match self.world.run(horizon, (events + LOOK_EVERY).min(EVENTS_MAX)) {
                Stop::Horizon => return true,
                Stop::Events => {
                    self.cut_short = events >= EVENTS_MAX || cancelled.load(Ordering::Relaxed);
                    if self.cut_short {
                        return false;
                    }
                }
                Stop::Changed => {
                    self.notice();
                    if self.cut_short || self.schedule.next().is_some_and(|at| at < horizon) {
                        return false;
                    }
                }
            }
        }
    }

    /// What follows at once from a level or a counter that has changed.
    fn notice(&mut self) {
        if self.world.recorder().history.is_full() {
            self.hand_on();
        }
        self.schedule.notice(self.world.now(), &self.world);
        if self.world.recorder_mut().take_changed() {
            self.watch();
        }
    }

    /// Hands on what has happened.
    fn hand_on(&mut self) {
        let moments = self.world.recorder_mut().history.take_moments();
        let goes_on = self.sink.as_mut().is_none_or(|sink| sink(&moments));
        self.cut_short |= !goes_on;
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
        let end = self.end.max(self.world.now());
        let cell = self.cell;
        let broken = self.world.recorder_mut().close(end, &|probe| cell.setup.probe_name(probe)).err();
        self.watch();
        let faults = times(&self.schedule.plan_so_far());
        let findings = self.looks.answers(cell, &faults, &self.world);
        let overdone = || {
            self.schedule
                .overdone()
                .map(|fault| format!("fault '{fault}' happens more than {TIMES_MAX} times"))
        };
        let broken = broken.or_else(overdone);
        let recorder = self.world.recorder();
        let mut evaluation = Evaluation::new(recorder, &cell.windows).with(&findings);
        let values = cell.measures.iter().map(|named| named.expression.value(&mut evaluation)).collect();
        let mut whole = Evaluation::new(recorder, &self.whole).with(&findings);
        let seen = cell.judged.iter().zip(std::mem::take(&mut self.seen));
        let seed = self.seed;
        let seen = seen
            .map(|(judged, seen)| seen.or_else(|| at_end(judged, seed, &mut evaluation, &mut whole)))
            .collect();
        let called = cell.setup.called();
        let causes = called.iter().map(|probe| {
            let sums = recorder.probe(*probe).sums(recorder.range(0));
            (*probe, sums.ended(), sums.causes)
        });
        let causes = causes.collect();
        let approximate = called.iter().any(|probe| recorder.probe(*probe).histograms.is_some());
        let warmup_note = recorder.warmup_note().map(str::to_owned);
        let (mut recorder, fingerprint) = self.world.into_recorder();
        let (steps, taken) = (recorder.history.steps().len(), recorder.history.taken().len());
        self.cell.room.steps.fetch_max(steps, Ordering::Relaxed);
        self.cell.room.taken.fetch_max(taken, Ordering::Relaxed);
        recorder.history = History::default(); // it is large, and has been judged
        let plan = self.schedule.plan_so_far();
        Trial {
            seed: self.seed,
            fingerprint: fingerprint.value(),
            events: fingerprint.events(),
            values,
            seen,
            causes,
            recorder: keep.then_some(recorder),
            faults: times(&plan),
            plan,
            broken,
            cut_short: self.cut_short,
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
fn at_end<'r>(
    judged: &Judged,
    seed: u64,
    evaluation: &mut Evaluation<'r>,
    whole: &mut Evaluation<'r>,
) -> Option<Seen> {
    let condition = judged.condition.as_ref()?;
    let evaluation = if judged.property.kind == PropertyKind::Slo { evaluation } else { whole };
    evaluation.take_witnesses();
    let value = condition.expression.value(evaluation);
    let shown = evaluation.take_witnesses();
    let margin = condition
        .expression
        .comparison()
        .and_then(|(_, left, right)| Some(left.value(evaluation).ok()? - right.value(evaluation).ok()?));
    let witness = match &value {
        Ok(_) => match shown.first() {
            Some(told) => format!("in seed {seed}, {}: {}", sides(judged, evaluation), told.sentence),
            None => sides(judged, evaluation),
        },
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

/// Whether two runs of one cell under one seed are the same, event by event.
///
/// # Errors
/// The first event that differs.
pub fn verify(cell: &Cell, warmup: Warmup, seed: u64) -> Result<(), String> {
    parted([cell, cell], warmup, seed)
}

/// Whether one run of each of two cells under one seed are the same, event by event: first by the hashes of their
/// blocks, then, should they part, by a second run of each that keeps the states of that one block.
///
/// # Errors
/// The first event that differs.
pub fn parted(cells: [&Cell; 2], warmup: Warmup, seed: u64) -> Result<(), String> {
    let once = |cell: &Cell, watched: Option<u64>| -> Fingerprint {
        let never = AtomicBool::new(false);
        let mut running = Running::new(cell, warmup, seed, &cell.record.history, &never);
        if let Some(block) = watched {
            running.world.watch_block(block);
        }
        running.go(&never);
        running.world.into_recorder().1
    };
    let [a, b] = cells.map(|cell| once(cell, None));
    let Some(block) = crate::sim::fingerprint::first_difference(&a, &b) else { return Ok(()) };
    let [a, b] = cells.map(|cell| once(cell, Some(block)));
    let (a, b) = (a.seen(), b.seen());
    let both = a.len().min(b.len());
    let first = (0..both).find(|place| a[*place] != b[*place]).unwrap_or(both);
    let (one, other) = match (a.get(first), b.get(first)) {
        (None, None) => {
            let again = "and not again when it was watched";
            return Err(format!("two runs of seed {seed} part in block {block}, {again}"));
        }
        (one, other) => (one.or(other).expect("one of them is there"), other),
    };
    let at_all = |event: Option<&Witnessed>| {
        event.map_or("nothing more".to_owned(), |event| format!("{} at {}", event.event, event.at))
    };
    let number = block * BLOCK + first as u64 + 1;
    Err(format!(
        "two runs of seed {seed} part at event {number}, at {}: {} in one, {} in the other",
        one.at,
        at_all(a.get(first)),
        at_all(other)
    ))
}
