//! `splitbrain run`: every variant × sweep point × seed; table, plots, report. An old result is replaced only when the
//! new one is complete.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::base::plain::plain;
use crate::cli::files::find;
use crate::cli::folder::Folder;
use crate::cli::machine;
use crate::cli::progress::telling;
use crate::cli::recorded::Recording;
use crate::cli::report::{gather, replays};
use crate::cli::status::{
    AS_EXPECTED, BAD_INPUT, CANNOT_WRITE, Colour, Denying, INTERRUPTED, NOT_AS_EXPECTED, UNDECIDED, complain,
    print,
};
use crate::design::render::render as render_problems;
use crate::experiment::memory::memory;
use crate::experiment::results::Results;
use crate::experiment::{Experiment, Overrides, Progress, Stopped, execute, load, run};
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
    /// Change a parameter: `--set cache.pages.ttl=5s`; may be given again
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Runs at once; as many as there are cores without it
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Calls in flight, coroutines, and requests of one workload: so many of each in one run, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_inflight: Option<u64>,
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
        max_inflight: arguments.max_inflight,
        ..Overrides::default()
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
    let recording = arguments.recording.check(&experiment).map_err(|why| (BAD_INPUT, why));
    let found = recording.and_then(|()| Folder::find(&out)).and_then(|out| {
        let jobs = jobs(arguments, &experiment).map_err(|why| (BAD_INPUT, why))?;
        Ok((out, jobs))
    });
    let (out, jobs) = match found {
        Ok(found) => found,
        Err((status, why)) => {
            complain(&why);
            return status;
        }
    };
    let notes = out.left.iter().chain(experiment.notes.iter().filter(|_| !arguments.quiet));
    notes.for_each(|note| _ = writeln!(std::io::stderr(), "note: {}", plain(note)));
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
    simulate(arguments, colour, &experiment, jobs, &out)
}

fn simulate(arguments: &Run, colour: Colour, experiment: &Experiment, jobs: usize, out: &Folder) -> u8 {
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = cancelled.clone();
    let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
    let begun = Instant::now();
    let outcome = telling(arguments.quiet, |report| execute(experiment, jobs, report, &cancelled));
    let mut outcome = match outcome {
        Ok(outcome) => outcome,
        Err(Stopped::Cancelled(progress)) => return interrupted(out, progress),
        Err(Stopped::TooMuch(what)) => {
            let _ = writeln!(std::io::stderr(), "error: nothing can be concluded: {what}");
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
    replays(arguments, &mut outcome.results);
    let input = gather(arguments, experiment, outcome, out.shown());
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
    match out.replace(&files, history) {
        Ok(true) => {}
        Ok(false) => {
            let trials = input.results.summary.trials;
            return interrupted(out, Progress { done: trials, planned: trials });
        }
        Err(why) => {
            complain(&why);
            return CANNOT_WRITE;
        }
    }
    let shown = match arguments.format {
        Format::Json => json(&input.results),
        Format::Table if arguments.quiet => {
            broken(&input.results);
            return status;
        }
        Format::Table => table(&input, colour.on_stdout(), width()),
    };
    match print(&shown) {
        AS_EXPECTED => status,
        failed => failed,
    }
}

fn interrupted(out: &Folder, progress: Progress) -> u8 {
    let left = if out.is_there() {
        format!("; the old result in {} is untouched", out.shown())
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
        run::verify(cell, experiment.question.warmup, experiment.question.seed)
            .map_err(|why| format!("variant {}: {why}", cell.variant))?;
    }
    Ok(())
}

/// A line for each property and theory that did not come as expected, where nothing else is shown.
fn broken(results: &Results) {
    let mut stderr = std::io::stderr().lock();
    for cell in &results.cells {
        let point: String = cell.point.iter().map(|(path, value)| format!(", {path}={value}")).collect();
        for (name, property) in cell.properties.iter().filter(|(_, property)| !property.as_expected) {
            let replay = property.replay.as_ref().map_or_else(String::new, |replay| format!(": {replay}"));
            let _ = writeln!(stderr, "{} {name} ({}{point}){replay}", property.outcome, cell.variant);
        }
    }
    for theory in results.theory.iter().filter(|theory| !theory.agrees && !theory.needs_full) {
        let outcome = if theory.undecided { "undecided" } else { "violated" };
        let _ = writeln!(stderr, "{outcome} theory {} ({})", theory.name, theory.variant);
    }
}

/// How many runs there are at once: as many as were asked for, or there are cores, but no more than fit into the memory that is free.
/// Refuses, before it starts, what would not fit at all.
fn jobs(arguments: &Run, experiment: &Experiment) -> Result<usize, String> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let asked = arguments.jobs.map_or_else(cores, usize::from);
    let Some(free) = machine::free_memory() else { return Ok(asked) };
    let memory = memory(experiment);
    let jobs = memory.jobs(asked, free).ok_or_else(|| {
        format!(
            "one run at a time, and what is kept for pictures, would take about {:.1} GB of memory, and {:.1} GB are free\n\
             help: fewer users, members or cells, or shorter runs",
            (memory.running + memory.kept) / 1e9,
            free / 1e9
        )
    })?;
    if jobs < asked && !arguments.quiet {
        let runs = if jobs == 1 { "1 run" } else { &format!("{jobs} runs") };
        let _ = writeln!(
            std::io::stderr(),
            "note: {runs} at once, not {asked}: {:.1} GB of memory are free, and one may take up to {:.1}",
            free / 1e9,
            memory.most / 1e9
        );
    }
    Ok(jobs)
}
