//! One run of one cell under one seed: a world from the first event to the last, and what it shows; streamed, kept for a picture, or twice.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::experiment::cell::Cell;
use crate::experiment::leads::{Lead, Leads};
use crate::experiment::question::Warmup;
use crate::experiment::running::Running;
use crate::experiment::telling::{Happening, Sink};
use crate::experiment::timetable::times;
use crate::experiment::trial::Trial;
use crate::faults::plan::Occurrence;
use crate::measures::evaluation::Evaluation;
use crate::measures::verdicts::Explanation;
use crate::record::history::{History, HistoryPlan};
use crate::sim::fingerprint::{BLOCK, Fingerprint, Witnessed, first_difference};

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
    let leads = running.leads.take().unwrap_or_default().changes;
    Some(WitnessRun { told, history: running.world.into_recorder().0.history, plan, leads })
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
    let Some(block) = first_difference(&a, &b) else { return Ok(()) };
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
