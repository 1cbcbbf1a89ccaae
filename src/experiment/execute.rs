//! Runs all trials of an experiment, in parallel; results are ordered by index, never by finish.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::experiment::cell::{Cell, Experiment};
use crate::experiment::fork;
use crate::experiment::outcome::{CellTrials, results};
use crate::experiment::parallel;
use crate::experiment::question::{RUNS_MIN, Runs};
use crate::experiment::results::Results;
use crate::experiment::statistics::Summary;
use crate::experiment::trial::Trial;
use crate::measures::functions::Undefined;

/// Runs in which the measure that `until` waits for may have no value, if it has none in any.
const WITHOUT_VALUE_MAX: usize = 15;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs done.
    pub done: u64,
    /// Runs planned so far.
    pub planned: u64,
}

/// What comes out.
pub struct Outcome<'a> {
    /// For `results.json`; timings are 0.
    pub results: Results,
    /// The trials, for pictures and tables.
    pub cells: Vec<CellTrials<'a>>,
}

/// Why nothing came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody asked for it; so many runs were done.
    Cancelled(Progress),
    /// A run had too much of something: nothing can be concluded; which one, of what, and what would help.
    TooMuch(String),
    /// What must hold in every run did not.
    Broken(String),
}

/// Runs every cell under every seed, `jobs` at once.
///
/// # Errors
/// When it was cancelled, a run was too long, or an invariant of every run was broken.
pub fn execute<'a>(
    experiment: &'a Experiment,
    jobs: usize,
    progress: &(dyn Fn(Progress) + Sync),
    cancelled: &AtomicBool,
) -> Result<Outcome<'a>, Stopped> {
    parallel::with_jobs(jobs, || all_rounds(experiment, progress, cancelled)).map_err(Stopped::Broken)?
}

/// Rounds of runs until there are enough.
fn all_rounds<'a>(
    experiment: &'a Experiment,
    progress: &(dyn Fn(Progress) + Sync),
    cancelled: &AtomicBool,
) -> Result<Outcome<'a>, Stopped> {
    let mut cells: Vec<CellTrials<'a>> =
        experiment.cells.iter().map(|cell| CellTrials { cell, trials: Vec::new() }).collect();
    let prefix_families = fork::prefix_families(&experiment.cells);
    let mut target = match experiment.question.runs {
        Runs::Fixed(runs) | Runs::Quick { quick: runs, .. } => runs,
        Runs::Until { .. } => RUNS_MIN,
    };
    let done = AtomicU64::new(0);
    loop {
        let ended = round(experiment, &prefix_families, &mut cells, target, &done, progress, cancelled);
        if cancelled.load(Ordering::Relaxed) {
            let planned = u64::from(target) * cells.len() as u64;
            return Err(Stopped::Cancelled(Progress { done: done.load(Ordering::Relaxed), planned }));
        }
        if let Err(too_much) = ended {
            return Err(Stopped::TooMuch(too_much));
        }
        let broken = cells.iter().flat_map(|cell| &cell.trials).find_map(|trial| trial.broken.clone());
        if let Some(broken) = broken {
            return Err(Stopped::Broken(broken));
        }
        match next_target(experiment, &cells, target).map_err(Stopped::TooMuch)? {
            Some(more) => target = more,
            None => break,
        }
    }
    Ok(Outcome { results: results(experiment, &cells), cells })
}

/// All missing trials up to `target` of each cell.
///
/// # Errors
/// What a run had too much of: the first such in order, whoever was first. What comes after it is not run.
fn round(
    experiment: &Experiment,
    prefix_families: &[Vec<usize>],
    cells: &mut [CellTrials<'_>],
    target: u32,
    done: &AtomicU64,
    progress: &(dyn Fn(Progress) + Sync),
    cancelled: &AtomicBool,
) -> Result<(), String> {
    let planned = u64::from(target) * cells.len() as u64;
    let missing: Vec<(&Vec<usize>, u32)> = (0..target)
        .flat_map(|run| prefix_families.iter().map(move |family| (family, run)))
        .filter(|(family, run)| cells[family[0]].trials.len() <= *run as usize)
        .collect();
    let runaway = AtomicUsize::new(usize::MAX);
    let trials: Vec<Option<Vec<Trial>>> = parallel::map(&missing, |place, (family, run)| {
        if cancelled.load(Ordering::Relaxed) || place > runaway.load(Ordering::Relaxed) {
            return None; // thousands may be left
        }
        let family: Vec<&Cell> = family.iter().map(|cell| cells[*cell].cell).collect();
        let seed = experiment.question.seed.wrapping_add(u64::from(*run));
        let each = || progress(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, planned });
        let trials = fork::run(&family, experiment.question.warmup, seed, *run == 0, &each, cancelled);
        if trials.iter().flatten().any(|trial| trial.too_much.is_some()) {
            runaway.fetch_min(place, Ordering::Relaxed);
        }
        trials
    });
    for ((family, _), trials) in missing.iter().zip(trials) {
        for (cell, trial) in family.iter().zip(trials.into_iter().flatten()) {
            if let Some(why) = &trial.too_much {
                let variant = &cells[*cell].cell.variant;
                return Err(format!("variant {variant}, seed {}: {why}", trial.seed));
            }
            cells[*cell].trials.push(trial);
        }
    }
    Ok(())
}

/// With `until`: more runs as long as some cell's interval is too wide.
///
/// # Errors
/// When it has no value in any run of a cell: it would go on to the last run, and for nothing.
fn next_target(
    experiment: &Experiment,
    cells: &[CellTrials<'_>],
    target: u32,
) -> Result<Option<u32>, String> {
    let Runs::Until { ci, on, max } = &experiment.question.runs else { return Ok(None) };
    if target >= *max {
        return Ok(None);
    }
    let Ok(name) = crate::program::syntax::expression(on.as_str()).map(|expr| expr.value.to_string()) else {
        return Ok(None);
    };
    for cell in cells.iter().filter(|cell| cell.trials.len() >= WITHOUT_VALUE_MAX) {
        let Some(index) = cell.cell.measures.iter().position(|named| named.name == name) else { continue };
        let mut values = cell.trials.iter().map(|trial| &trial.values[index]);
        if let Some(Err(Undefined(why))) = values.next()
            && values.all(Result::is_err)
        {
            let (variant, runs) = (&cell.cell.variant, cell.trials.len());
            return Err(format!(
                "variant {variant}: `until` waits for {name}, which had no value in {runs} runs: {why}\n\
                 help: let it wait for another measure, or write how many runs there are: `runs = 30`"
            ));
        }
    }
    let wide = |cell: &CellTrials<'_>| {
        let Some(index) = cell.cell.measures.iter().position(|named| named.name == name) else {
            return false;
        };
        let values: Vec<f64> =
            cell.trials.iter().filter_map(|trial| trial.values[index].as_ref().ok().copied()).collect();
        match Summary::of(&values).and_then(|summary| Some((summary, summary.half_width(0.95)?))) {
            Some((summary, half)) => half > ci * summary.mean.abs(),
            None => true,
        }
    };
    Ok(cells.iter().any(wide).then(|| (target + target / 2).min(*max)))
}
