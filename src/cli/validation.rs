//! `splitbrain validation`: runs every shipped experiment that has a theory and writes what theory and the literature say beside what the
//! simulation says. `docs/validation.md` is its output.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::cli::files::Embedded;
use crate::cli::{AS_EXPECTED, NOT_AS_EXPECTED, complain, print, shipped};
use crate::experiment::question::Runs;
use crate::experiment::results::{Results, Theory};
use crate::experiment::{Overrides, execute, load};

/// Its arguments.
#[derive(Debug, Args)]
pub struct Validation {
    /// Compare with this file instead of printing
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// With --check: the quick runs of experiments that have them. Their rows must not part and must stand in the file; the others must
    /// be the file's to the letter
    #[arg(long, requires = "check")]
    pub quick: bool,
}

/// What follows this line in the file is written by `.ci/full`, and is not compared.
const END: &str = "<!-- The rest is written by .ci/full. -->";

/// An experiment with its theories, after its runs.
struct Done {
    results: Results,
    /// Only the quick ones of its runs were made.
    is_quick: bool,
}

/// Runs everything.
pub fn validation(arguments: &Validation) -> u8 {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let overrides = Overrides { full: !arguments.quick, ..Overrides::default() };
    let mut all = Vec::new();
    for file in shipped::experiments() {
        let path = format!("experiments/{}", file.path);
        let Ok(experiment) = load(&Embedded, &path, &overrides) else {
            return complain(&format!("{path} cannot be loaded; `splitbrain run {}` says why", file.name));
        };
        if experiment.question.theories.is_empty() {
            continue; // it has nothing to compare
        }
        let begun = std::time::Instant::now();
        let outcome = execute(&experiment, jobs, &|_| {}, &AtomicBool::new(false));
        let results = match outcome {
            Ok(outcome) => outcome.results,
            Err(why) => return complain(&format!("{path}: {why:?}")),
        };
        let verdict = if results.summary.as_expected { "as expected" } else { "NOT as expected" };
        eprintln!("{}: {verdict}, {:.1} s", file.name, begun.elapsed().as_secs_f64());
        let is_quick = matches!(experiment.question.runs, Runs::Quick { quick, full } if quick < full);
        all.push(Done { results, is_quick });
    }
    let as_expected = all.iter().all(|done| done.results.summary.as_expected);
    let same = match &arguments.check {
        Some(file) => match is_in(file, &all) {
            Ok(same) => same,
            Err(why) => return complain(&format!("cannot read {}: {why}", file.display())),
        },
        None => {
            print(&format!("{HEAD}{}", all.iter().map(|done| section(&done.results)).collect::<String>()));
            true
        }
    };
    if as_expected && same { AS_EXPECTED } else { NOT_AS_EXPECTED }
}

/// Whether a file says what came out. Tells of each experiment of which it does not.
fn is_in(file: &Path, all: &[Done]) -> std::io::Result<bool> {
    let text = std::fs::read_to_string(file)?;
    let written = text.split_once(END).map_or(text.as_str(), |(written, _)| written);
    let mut same = written.starts_with(HEAD);
    let mut length = HEAD.len();
    for done in all {
        let section = section(&done.results);
        // Fewer runs give other figures of the same rows.
        let there = match done.is_quick {
            false => written.contains(&section),
            true => done.results.theory.iter().all(|theory| written.contains(&start_of_row(theory))),
        };
        if !there {
            let name = &done.results.experiment;
            complain(&format!("{} does not say what {name} gives", file.display()));
        }
        same &= there;
        length += section.len();
    }
    if all.iter().all(|done| !done.is_quick) && written.len() != length {
        complain(&format!("{} has rows that nothing gives", file.display()));
        same = false;
    }
    if !same {
        complain(&format!("help: splitbrain validation > {}", file.display()));
    }
    Ok(same)
}

/// How the page begins.
const HEAD: &str = "# Validation\n\n\
         Every row that the shipped experiments reproduce: what the simulation gives beside what a formula or a paper says.\n\
         Written by `cargo run --release -- validation > docs/validation.md`, and checked in CI (`validation --check --quick`: the\n\
         experiments that have quick runs make those) and in whole by `.ci/full`; rows are added by adding `theory` entries to\n\
         experiments, not here.\n\n\
         **The rule.** A row agrees when the 99 % interval of the simulated mean (Student's t over the runs) overlaps\n\
         reference ± tolerance, *and* half its width is no more than the tolerance. A percentile pN of n samples is the\n\
         ⌈N·n/100⌉-th smallest.\n\n\
         Rows C8, D1 and D1b need recorded traces, which are not part of the project: `tests/all/rows.rs` holds them to the\n\
         last request where the traces are there, and says so where they are not.\n";

/// What the page says of an experiment.
fn section(results: &Results) -> String {
    let mut text = format!("\n## {} ({})\n\n", results.title, results.experiment);
    text += "| row | variant | point | measure | simulated | 99 % interval | reference | tolerance | source | verdict |\n";
    text += "|---|---|---|---|---|---|---|---|---|---|\n";
    results.theory.iter().for_each(|theory| text += &row(theory));
    text
}

/// A row as far as the runs do not matter.
fn start_of_row(theory: &Theory) -> String {
    let point: Vec<String> = theory.point.iter().map(|(path, value)| format!("{path} = {value}")).collect();
    format!("| {} | {} | {} | `{}` | ", theory.name, theory.variant, point.join(", "), theory.of)
}

fn row(theory: &Theory) -> String {
    let unit = if theory.unit == "1" { String::new() } else { format!(" {}", theory.unit) };
    let number = |value: f64| format!("{}{unit}", significant(value));
    let simulated = theory.simulated.map_or("undefined".to_owned(), number);
    let interval = theory
        .ci99
        .map_or("-".to_owned(), |[low, high]| format!("{} to {}", significant(low), significant(high)));
    format!(
        "{}{simulated} | {interval} | {} | {} % | {} | {} |\n",
        start_of_row(theory),
        number(theory.theory),
        significant(theory.within * 100.0),
        theory.source.replace('|', "\\|"),
        if theory.agrees { "agrees" } else { "**parts**" },
    )
}

/// Five significant digits.
fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = crate::base::math::log10(value.abs()).floor() as i32;
    let digits = (4 - magnitude).clamp(0, 12) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
