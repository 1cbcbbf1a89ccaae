//! One run of one cell under one seed: a world from the first event to the last, and what it shows.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::cause::Causes;
use crate::base::ids::{ProbeId, TierId};
use crate::base::op::Reason;
use crate::base::time::Time;
use crate::experiment::course::Course;
use crate::experiment::leads::{Lead, Leads};
use crate::experiment::load::Cell;
use crate::experiment::meters::Load;
use crate::experiment::question::Warmup;
use crate::experiment::running::Running;
use crate::experiment::telling::{Happening, Sink};
use crate::experiment::timetable::times;
use crate::faults::plan::Occurrence;
use crate::measures::evaluation::{Evaluation, Remarks};
use crate::measures::functions::Undefined;
use crate::measures::verdicts::Explanation;
use crate::record::history::{History, HistoryPlan};
use crate::record::recorder::Recorder;
use crate::sim::fingerprint::{BLOCK, Fingerprint, Witnessed};

/// What one run shows of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// Whether the condition held; `None`: undefined, or it hangs on what becomes of requests that are open at the end.
    pub holds: Option<bool>,
    /// Left side minus right side of a comparison, for intervals of objectives: if those that are open at the end fail, and if they
    /// succeed.
    pub margins: Option<[f64; 2]>,
    /// A sentence.
    pub witness: String,
}

/// Requests of one probe that did not succeed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The probe.
    pub probe: ProbeId,
    /// How many of its requests ended.
    pub ended: u64,
    /// Why, where, and how many.
    pub why: Vec<(Reason, TierId, u64)>,
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
    /// What is to be known beside them.
    pub remarks: Vec<Remarks>,
    /// By property of the cell; verdicts see nothing themselves.
    pub seen: Vec<Option<Decided>>,
    /// Time by cause of all requests, by probe that workloads call: requests, and their causes.
    pub causes: Vec<(ProbeId, u64, Causes)>,
    /// What did not succeed, by probe that workloads call: how many ended, and why and where how many of them failed.
    pub failures: Vec<Failed>,
    /// Where the time of the slowest hundredth of the successes of these went, in the order of `causes`.
    pub slowest: Vec<Causes>,
    /// How busy the parts were, in the order of the cell's meters.
    pub loads: Vec<Load>,
    /// What it recorded, when it is kept for pictures.
    pub recorder: Option<Recorder>,
    /// How measures went over time, as the cell's pictures ask.
    pub courses: Vec<Course>,
    /// When the faults were active, by name.
    pub faults: Vec<(String, Time, Time)>,
    /// What happened, in order: instants and members.
    pub plan: Vec<Occurrence>,
    /// What must hold in every run and did not: our mistake.
    pub broken: Option<String>,
    /// What it had too much of, and where: it was cut short, and nothing can be concluded from it.
    pub too_much: Option<String>,
    /// Requests whose percentiles came from a histogram.
    pub approximate: Vec<ProbeId>,
    /// What a reader should know of an automatic warm-up.
    pub warmup_note: Option<String>,
}

/// Runs a cell under a seed; nothing comes out when it is cancelled on the way.
pub fn run(cell: &Cell, warmup: Warmup, seed: u64, keep: bool, cancelled: &AtomicBool) -> Option<Trial> {
    let mut running = Running::new(cell, warmup, seed, &cell.record.history, cancelled);
    running.go(cancelled);
    (!cancelled.load(Ordering::Relaxed)).then(|| running.finish(keep))
}

/// Runs a cell under a seed and hands on every operation on a store and every fault as it happens, then those of which nobody knows what became
/// of them. Nothing of it is kept. Whether it ran to its end.
pub fn stream(cell: &Cell, warmup: Warmup, seed: u64, sink: Sink<'_>) -> bool {
    let known = times(&cell.faults.known_before(seed, cell.length));
    let plan = HistoryPlan { streams: true, ..HistoryPlan::default() };
    let mut running = Running::with(cell, warmup, seed, &known, &plan);
    running.sink = Some(sink);
    running.go(&AtomicBool::new(false)); // the sink says when to stop
    running.hand_on();
    let left = running.world.recorder().history.left_open(running.end);
    running.cut_short.is_none() && running.sink.is_some_and(|sink| sink(Happening::Moments(&left)))
}

/// A run with all that was asked of stores in it, and what in it shows a violation.
#[derive(Debug)]
pub struct WitnessRun {
    /// The sentence, and the operations that it names.
    pub told: Explanation,
    /// All operations, and what copies took in.
    pub history: History,
    /// What went wrong, in order.
    pub plan: Vec<Occurrence>,
    /// Who led whom, in order.
    pub leads: Vec<Lead>,
    /// When the run was over.
    pub end: Time,
}

/// Runs a cell under a seed once more and keeps everything, for a picture of what shows that a property (by place among the cell's) is
/// violated. `None` if nothing shows it.
pub fn witness_run(cell: &Cell, warmup: Warmup, seed: u64, property: usize) -> Option<WitnessRun> {
    let never = AtomicBool::new(false);
    let plan = HistoryPlan { all: true, ..HistoryPlan::default() };
    let mut running = Running::new(cell, warmup, seed, &plan, &never);
    running.leads = Some(Leads::of(cell, &mut running.world));
    running.go(&never);
    let condition = cell.judged.get(property)?.condition.as_ref()?;
    let plan = running.schedule.plan_so_far();
    let findings = running.looks.answers(cell, &times(&plan), &running.world);
    let mut evaluation =
        Evaluation::new(running.world.recorder(), &cell.windows).with(&findings).beginning_at_zero();
    condition.expression.value(&mut evaluation).ok()?;
    let told = (*evaluation.take_witnesses().first()?).clone();
    let (leads, end) = (running.leads.take().unwrap_or_default().changes, running.end);
    Some(WitnessRun { told, history: running.world.into_recorder().0.history, plan, leads, end })
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
