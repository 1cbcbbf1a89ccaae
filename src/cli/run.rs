//! `splitbrain run`: every variant × sweep point × seed; table, plots, report. An old result is replaced only when the
//! new one is complete.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::files::find;
use crate::cli::recorded::Recording;
use crate::cli::report::gather;
use crate::cli::{
    AS_EXPECTED, BAD_INPUT, Colour, Denying, INTERRUPTED, NOT_AS_EXPECTED, UNDECIDED, complain, folder,
    machine, print,
};
use crate::design::render::render as render_problems;
use crate::experiment::budget::memory;
use crate::experiment::results::Results;
use crate::experiment::{Experiment, Overrides, Progress, Stopped, execute, load, trial};
use crate::report::json::json;
use crate::report::render;
use crate::report::table::table;

/// Columns where no terminal says how many it has.
const WIDTH: usize = 110;

/// Its arguments.
#[derive(Debug, Args)]
pub struct Run {
    /// A file, or the name of a shipped experiment
    pub experiment: String,
    /// The first seed, instead of the file's
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many runs of each cell, instead of the file's
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub runs: Option<u32>,
    /// As many runs as the experiment's theories need, where it has a quick number too
    #[arg(long, conflicts_with = "runs")]
    pub full: bool,
    /// Only this variant; may be given again
    #[arg(long)]
    pub variant: Vec<String>,
    /// Change a knob: `--set cache.pages.ttl=5s`; may be given again
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Runs at once; as many as there are cores without it
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Where to write; `out/EXPERIMENT` without it
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What goes to stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Neither progress nor table
    #[arg(long)]
    pub quiet: bool,
    /// Run the first seed of each cell twice and compare event by event
    #[arg(long)]
    pub verify: bool,
    /// Whether warnings end it
    #[command(flatten)]
    pub denying: Denying,
    /// What is recorded
    #[command(flatten)]
    pub recording: Recording,
}

/// What goes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people.
    Table,
    /// `results.json`.
    Json,
}

/// Runs it.
pub fn run(arguments: &Run, colour: Colour) -> u8 {
    let (reader, path) = match find(&arguments.experiment) {
        Ok(found) => found,
        Err(why) => return complain(&why),
    };
    let overrides = Overrides {
        seed: arguments.seed,
        runs: arguments.runs,
        full: arguments.full,
        variants: arguments.variant.clone(),
        set: arguments.set.clone(),
    };
    let experiment = match load(reader.as_ref(), &path, &overrides) {
        Ok(experiment) => experiment,
        Err((sources, problems)) => {
            let _ = std::io::stderr()
                .write_all(render_problems(&sources, &problems, colour.on_stderr()).as_bytes());
            return BAD_INPUT;
        }
    };
    if arguments.denying.warned(&experiment.sources, &experiment.warnings, colour) {
        return BAD_INPUT;
    }
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("out").join(&experiment.name));
    let recording = arguments.recording.check(&experiment);
    if let Err(why) = recording
        .and_then(|()| folder::replaceable(&out))
        .and_then(|()| enough_memory(arguments, &experiment))
    {
        return complain(&why);
    }
    if arguments.verify {
        if let Err(why) = verify(&experiment) {
            let _ = writeln!(std::io::stderr(), "error: {why}");
            return NOT_AS_EXPECTED;
        }
        if !arguments.quiet {
            let cells = experiment.cells.len();
            let _ = writeln!(
                std::io::stderr(),
                "verified: {cells} cells came out the same twice, event by event"
            );
        }
    }
    simulate(arguments, colour, &experiment, &out)
}

fn simulate(arguments: &Run, colour: Colour, experiment: &Experiment, out: &Path) -> u8 {
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = cancelled.clone();
    let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
    let bar = progress_bar(arguments.quiet);
    let begun = Instant::now();
    let report = |progress: Progress| {
        bar.set_length(progress.planned);
        bar.set_position(progress.done);
    };
    let outcome = execute(experiment, jobs(arguments), &report, &cancelled);
    bar.finish_and_clear();
    let mut outcome = match outcome {
        Ok(outcome) => outcome,
        Err(Stopped::Cancelled(progress)) => return interrupted(out, progress),
        Err(Stopped::TooLong(which)) => {
            let _ = writeln!(
                std::io::stderr(),
                "error: nothing can be concluded: {which}\nhelp: make the run shorter or the rates lower"
            );
            return UNDECIDED;
        }
        Err(Stopped::Broken(why)) => {
            let _ = writeln!(
                std::io::stderr(),
                "error: an invariant of every run is broken, which is our mistake: {why}"
            );
            return NOT_AS_EXPECTED;
        }
    };
    let wall = begun.elapsed().as_secs_f64();
    outcome.results.summary.wall_s = wall;
    outcome.results.summary.events_per_s = outcome.results.summary.events as f64 / wall.max(1e-9);
    let status = status(&outcome.results);
    let input = gather(arguments, experiment, outcome, out.display().to_string());
    let files = match render(&input) {
        Ok(files) => files,
        Err(why) => return complain(&why),
    };
    // The history of the first run is written while that run is made again.
    let history = |fresh: &Path| match experiment.cells.first() {
        Some(cell) if arguments.recording.history => {
            arguments.recording.write(experiment, cell, fresh, &cancelled)
        }
        _ => Ok(true),
    };
    match folder::replace(out, &files, history) {
        Ok(true) => {}
        Ok(false) => {
            let trials = input.results.summary.trials;
            return interrupted(out, Progress { done: trials, planned: trials });
        }
        Err(why) => return complain(&why),
    }
    if !arguments.quiet {
        print(&match arguments.format {
            Format::Json => json(&input.results),
            Format::Table => table(&input, colour.on_stdout(), width()),
        });
    }
    status
}

fn interrupted(out: &Path, progress: Progress) -> u8 {
    let left = if out.exists() {
        format!("; the old result in {} is untouched", out.display())
    } else {
        String::new()
    };
    let (done, planned) = (progress.done, progress.planned);
    let _ = writeln!(std::io::stderr(), "interrupted after {done} of {planned} runs{left}");
    INTERRUPTED
}

/// Columns of the terminal; enough for most tables where there is none.
fn width() -> usize {
    console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns))
}

/// 0 as expected; 3 when all that is not is undecided; 1 otherwise.
fn status(results: &Results) -> u8 {
    if results.summary.as_expected {
        return AS_EXPECTED;
    }
    let mut wrong = results
        .cells
        .iter()
        .flat_map(|cell| cell.properties.values())
        .filter(|property| !property.as_expected);
    let undecided = wrong.all(|property| property.outcome == "unknown");
    let theory = results.theory.iter().all(|theory| theory.agrees || theory.undecided || theory.needs_full);
    if undecided && theory { UNDECIDED } else { NOT_AS_EXPECTED }
}

fn verify(experiment: &Experiment) -> Result<(), String> {
    for cell in &experiment.cells {
        trial::verify(cell, experiment.question.warmup, experiment.question.seed)
            .map_err(|why| format!("variant {}: {why}", cell.variant))?;
    }
    Ok(())
}

fn progress_bar(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn jobs(arguments: &Run) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    arguments.jobs.map_or_else(cores, usize::from)
}

/// Refuses, before it starts, what would not fit into the memory that this machine has free.
fn enough_memory(arguments: &Run, experiment: &Experiment) -> Result<(), String> {
    let needed = memory(experiment, jobs(arguments));
    match machine::free_memory() {
        Some(free) if needed > free => Err(format!(
            "the runs would take about {:.1} GB of memory, and {:.1} GB are free\n\
             help: fewer --jobs, fewer users or members, or shorter runs",
            needed / 1e9,
            free / 1e9
        )),
        _ => Ok(()),
    }
}
