//! `splitbrain run`: every variant × sweep point × seed; table, plots, report. An old result is replaced only when the
//! new one is complete.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::files::find;
use crate::cli::recorded;
use crate::cli::report::gather;
use crate::cli::{AS_EXPECTED, BAD_INPUT, Colour, INTERRUPTED, NOT_AS_EXPECTED, UNDECIDED, complain, print};
use crate::design::render::render as render_problems;
use crate::experiment::results::Results;
use crate::experiment::{Experiment, Overrides, Progress, Stopped, execute, load, trial};
use crate::report::json::{is_results, json};
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
    /// Record a trace of the first run (not in this version)
    #[arg(long)]
    pub trace: bool,
    /// Record the history of the first run, of the first variant and point unless `--variant` and `--set` choose:
    /// `history.jsonl` and `history.edn`
    #[arg(long)]
    pub history: bool,
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
    if arguments.trace {
        return complain("this version records no traces\nhelp: leave out --trace");
    }
    let (reader, path) = match find(&arguments.experiment) {
        Ok(found) => found,
        Err(why) => return complain(&why),
    };
    let overrides = Overrides {
        seed: arguments.seed,
        runs: arguments.runs,
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
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("out").join(&experiment.name));
    if let Err(why) = replaceable(&out) {
        return complain(&why);
    }
    if arguments.verify
        && let Err(why) = verify(&experiment)
    {
        let _ = writeln!(std::io::stderr(), "error: {why}");
        return NOT_AS_EXPECTED;
    }
    simulate(arguments, colour, &experiment, &out)
}

fn simulate(arguments: &Run, colour: Colour, experiment: &Experiment, out: &Path) -> u8 {
    let jobs = arguments
        .jobs
        .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = cancelled.clone();
    let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
    let bar = progress_bar(arguments.quiet);
    let begun = Instant::now();
    let report = |progress: Progress| {
        bar.set_length(progress.planned);
        bar.set_position(progress.done);
    };
    let outcome = execute(experiment, jobs, &report, &cancelled);
    bar.finish_and_clear();
    let mut outcome = match outcome {
        Ok(outcome) => outcome,
        Err(Stopped::Cancelled(progress)) => return interrupted(out, progress),
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
    let history = arguments.history.then_some((experiment, cancelled.as_ref()));
    match replace(out, &files, history) {
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
    let theory = results.theory.iter().all(|theory| theory.agrees || theory.undecided);
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

/// Whether a folder may be replaced: it is not there, or empty, or holds a result of ours.
fn replaceable(out: &Path) -> Result<(), String> {
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(why) => {
            return Err(format!(
                "cannot write to {}: {why}\nhelp: choose another folder with --out",
                out.display()
            ));
        }
    };
    let ours = fs::read_to_string(out.join("results.json")).is_ok_and(|text| is_results(&text));
    if entries.count() == 0 || ours {
        return Ok(());
    }
    Err(format!(
        "{} holds something that is no result of splitbrain\nhelp: choose another folder with --out",
        out.display()
    ))
}

/// Writes all files beside the folder, the history of the first run too if it is wanted, then puts the new folder in the place of the
/// old one. False if it was interrupted before.
fn replace(
    out: &Path,
    files: &[(String, Vec<u8>)],
    history: Option<(&Experiment, &AtomicBool)>,
) -> Result<bool, String> {
    let failed = |why: std::io::Error| {
        format!("cannot write to {}: {why}\nhelp: choose another folder with --out", out.display())
    };
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(failed)?;
    let fresh = tempfile::Builder::new().prefix(".splitbrain-").tempdir_in(&parent).map_err(failed)?;
    for (name, bytes) in files {
        let path = fresh.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(path, bytes).map_err(failed)?;
    }
    if let Some((experiment, cancelled)) = history
        && let Some(cell) = experiment.cells.first()
        && !recorded::write(experiment, cell, fresh.path(), cancelled).map_err(failed)?
    {
        return Ok(false);
    }
    make_readable(fresh.path()).map_err(failed)?;
    let old = tempfile::Builder::new().prefix(".splitbrain-old-").tempdir_in(&parent).map_err(failed)?;
    if out.exists() {
        fs::rename(out, old.path().join("old")).map_err(failed)?;
    }
    fs::rename(fresh.keep(), out).map_err(failed)?;
    Ok(true)
}

/// Temporary folders are private; results are not.
#[cfg(unix)]
fn make_readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
