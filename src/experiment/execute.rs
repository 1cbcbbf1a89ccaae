//! Runs all trials of an experiment, in parallel; results are ordered by index, never by finish.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use crate::design::limits::EVENTS_MAX;
use crate::experiment::fork;
use crate::experiment::load::{Cell, Experiment};
use crate::experiment::outcome::{CellTrials, results};
use crate::experiment::question::{RUNS_MIN, Runs};
use crate::experiment::results::Results;
use crate::experiment::statistics::Summary;
use crate::experiment::trial::Trial;

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
    /// A run had too many events: nothing can be concluded; which one.
    TooLong(String),
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
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build();
    let pool = pool.map_err(|why| Stopped::Broken(why.to_string()))?;
    let mut cells: Vec<CellTrials<'a>> =
        experiment.cells.iter().map(|cell| CellTrials { cell, trials: Vec::new() }).collect();
    let families = fork::families(&experiment.cells);
    let mut target = match experiment.question.runs {
        Runs::Fixed(runs) | Runs::Quick { quick: runs, .. } => runs,
        Runs::Until { .. } => RUNS_MIN,
    };
    let done = AtomicU64::new(0);
    loop {
        pool.install(|| round(experiment, &families, &mut cells, target, &done, progress, cancelled));
        if cancelled.load(Ordering::Relaxed) {
            let planned = u64::from(target) * cells.len() as u64;
            return Err(Stopped::Cancelled(Progress { done: done.load(Ordering::Relaxed), planned }));
        }
        let long =
            cells.iter().find_map(|cell| Some((cell, cell.trials.iter().find(|trial| trial.cut_short)?)));
        if let Some((cell, trial)) = long {
            let variant = &cell.cell.variant;
            return Err(Stopped::TooLong(format!(
                "variant {variant}, seed {}: more than {EVENTS_MAX} events",
                trial.seed
            )));
        }
        let broken = cells.iter().flat_map(|cell| &cell.trials).find_map(|trial| trial.broken.clone());
        if let Some(broken) = broken {
            return Err(Stopped::Broken(broken));
        }
        match next_target(experiment, &cells, target) {
            Some(more) => target = more,
            None => break,
        }
    }
    Ok(Outcome { results: results(experiment, &cells), cells })
}

/// All missing trials up to `target` of each cell.
fn round(
    experiment: &Experiment,
    families: &[Vec<usize>],
    cells: &mut [CellTrials<'_>],
    target: u32,
    done: &AtomicU64,
    progress: &(dyn Fn(Progress) + Sync),
    cancelled: &AtomicBool,
) {
    let planned = u64::from(target) * cells.len() as u64;
    let missing: Vec<(&Vec<usize>, u32)> = (0..target)
        .flat_map(|run| families.iter().map(move |family| (family, run)))
        .filter(|(family, run)| cells[family[0]].trials.len() <= *run as usize)
        .collect();
    let trials: Vec<Option<Vec<Trial>>> = missing
        .par_iter()
        .map(|(family, run)| {
            if cancelled.load(Ordering::Relaxed) {
                return None; // thousands may be left
            }
            let family: Vec<&Cell> = family.iter().map(|cell| cells[*cell].cell).collect();
            let seed = experiment.question.seed.wrapping_add(u64::from(*run));
            let each = || progress(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, planned });
            fork::run(&family, experiment.question.warmup, seed, *run == 0, &each, cancelled)
        })
        .collect();
    for ((family, _), trials) in missing.iter().zip(trials) {
        for (cell, trial) in family.iter().zip(trials.into_iter().flatten()) {
            cells[*cell].trials.push(trial);
        }
    }
}

/// With `until`: more runs as long as some cell's interval is too wide.
fn next_target(experiment: &Experiment, cells: &[CellTrials<'_>], target: u32) -> Option<u32> {
    let Runs::Until { ci, on, max } = &experiment.question.runs else { return None };
    if target >= *max {
        return None;
    }
    let name = crate::program::syntax::expression(on.as_str()).ok()?.value.to_string();
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
    cells.iter().any(wide).then(|| (target + target / 2).min(*max))
}
