//! `splitbrain validation`: runs every shipped experiment that has a theory and writes what theory and the literature say beside what the
//! simulation says. `docs/validation.md` is its output.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::cli::files::Embedded;
use crate::cli::shipped;
use crate::cli::status::{AS_EXPECTED, NOT_AS_EXPECTED, complain, print};
use crate::experiment::question::Runs;
use crate::experiment::results::{Results, Theory};
use crate::experiment::{Overrides, execute, load};

/// Its arguments.
#[derive(Debug, Args)]
pub struct Validation {
    /// Shipped experiments; without any all that have a theory
    #[arg(value_name = "EXPERIMENT")]
    pub experiments: Vec<String>,
    /// Compare with this file instead of printing
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// Runs from this seed on, and prints what is violated there and again from the next seed on: nothing else is compared. Only with
    /// chance 1 in 1,000 or less does it fail where all is right
    #[arg(long, value_name = "SEED", conflicts_with = "check")]
    pub seed: Option<u64>,
    /// With --check: the quick runs of experiments that have them. Their rows must not part and must stand in the file; the others must
    /// be the file's to the letter
    #[arg(long)]
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
    match arguments.seed {
        Some(seed) => at_seeds(arguments, seed),
        None => as_written(arguments),
    }
}

/// What is violated in every variant, point, row and property of an experiment from a seed on.
fn violated(results: &Results) -> BTreeSet<String> {
    let point = |point: &BTreeMap<String, String>| {
        point.iter().map(|(path, value)| format!(" {path} = {value}")).collect::<String>()
    };
    let rows = results.theory.iter().filter(|row| !row.agrees && !row.undecided && !row.needs_full);
    let rows = rows.map(|row| format!("theory {} in {}{}", row.name, row.variant, point(&row.point)));
    let properties = results.cells.iter().flat_map(|cell| {
        let broken = cell
            .properties
            .iter()
            .filter(|(_, property)| !property.as_expected && property.outcome == "violated");
        broken.map(|(name, _)| format!("{name} in {}{}", cell.variant, point(&cell.point)))
    });
    rows.chain(properties).collect()
}

/// Runs from a seed and, where something is violated, from the next: what logic decides is violated in both, what chance decides hardly ever.
///
/// Of a row that is right, the 99 % interval lies wholly outside the tolerance with a chance of 1 % at the very most, were the tolerance nothing;
/// where half the interval is as wide as the tolerance, as it is in quick runs, of 1e-4 (Student's t with 4 runs: twice the quantile) to 3e-7 (many
/// runs). In both: 1e-8 at most, and 3e-6 over 300 rows. A property that holds with a chance p of its seeds by luck alone fails with (1 - p)².
fn at_seeds(arguments: &Validation, seed: u64) -> u8 {
    let mut all_hold = true;
    let at = |name: &str, seed: u64| {
        run(name, &Overrides { full: !arguments.quick, seed: Some(seed), ..Overrides::default() })
    };
    for name in asked(arguments) {
        let found = at(&name, seed).and_then(|first| {
            let first = violated(&first.results);
            if first.is_empty() {
                return Ok(first);
            }
            let second = violated(&at(&name, seed.wrapping_add(1))?.results);
            Ok(first.intersection(&second).cloned().collect())
        });
        match found {
            Ok(found) => {
                found.iter().for_each(|what| {
                    _ = complain(&format!(
                        "{name}: {what} is violated from seed {seed} on, and from the next"
                    ))
                });
                all_hold &= found.is_empty();
            }
            Err(why) => return complain(&why),
        }
    }
    if all_hold { AS_EXPECTED } else { NOT_AS_EXPECTED }
}

/// The experiments that are asked for, by name.
fn asked(arguments: &Validation) -> Vec<String> {
    match arguments.experiments.is_empty() {
        true => shipped::experiments().iter().map(|file| file.name.to_string()).collect(),
        false => arguments.experiments.clone(),
    }
}

/// One shipped experiment after its runs; why not is a sentence.
fn run(name: &str, overrides: &Overrides) -> Result<Done, String> {
    let Some(file) = shipped::experiment(name) else {
        let names: Vec<String> = shipped::experiments().iter().map(|file| file.name.to_string()).collect();
        return Err(format!("no shipped experiment is called `{name}`\nhelp: {}", names.join(" ")));
    };
    let path = format!("experiments/{}", file.path);
    let experiment = load(&Embedded, &path, overrides)
        .map_err(|_| format!("{path} cannot be loaded; `splitbrain run {name}` says why"))?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = std::time::Instant::now();
    let outcome = execute(&experiment, jobs, &|_| {}, &AtomicBool::new(false));
    let results = outcome.map_err(|why| format!("{path}: {why:?}"))?.results;
    let verdict = if results.summary.as_expected { "as expected" } else { "NOT as expected" };
    eprintln!("{name}: {verdict}, {:.1} s", begun.elapsed().as_secs_f64());
    let is_quick = matches!(experiment.question.runs, Runs::Quick { quick, full } if quick < full);
    Ok(Done { results, is_quick })
}

/// Runs them, and prints the page or compares it.
fn as_written(arguments: &Validation) -> u8 {
    let overrides = Overrides { full: !arguments.quick, ..Overrides::default() };
    let mut all = Vec::new();
    for name in asked(arguments) {
        let has_theory = |file: &shipped::Shipped| file.text.contains("[theory.");
        if shipped::experiment(&name).is_some_and(|file| !has_theory(&file)) {
            continue; // it has nothing to compare
        }
        match run(&name, &overrides) {
            Ok(done) => all.push(done),
            Err(why) => return complain(&why),
        }
    }
    let as_expected = all.iter().all(|done| done.results.summary.as_expected);
    let same = match &arguments.check {
        Some(file) => match is_in(file, &all, arguments.experiments.is_empty()) {
            Ok(same) => same,
            Err(why) => return complain(&format!("cannot read {}: {why}", file.display())),
        },
        None => {
            let head = if arguments.experiments.is_empty() { HEAD } else { "" };
            print(&format!("{head}{}", all.iter().map(|done| section(&done.results)).collect::<String>()));
            true
        }
    };
    if as_expected && same { AS_EXPECTED } else { NOT_AS_EXPECTED }
}

/// Whether a file says what came out, of all experiments or of some. Tells of each experiment of which it does not.
fn is_in(file: &Path, all: &[Done], is_all: bool) -> std::io::Result<bool> {
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
    if is_all && all.iter().all(|done| !done.is_quick) && written.len() != length {
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
         **The rule.** A row agrees when the simulated mean is no further from the reference than the tolerance, *and* half of its 99 %\n\
         interval (Student's t over the runs; of rare events the exact one of their number) is at most 70 % of the tolerance. It parts from the reference when the whole interval lies outside\n\
         reference ± tolerance, and is undecided otherwise. A percentile pN of n samples is the ⌈N·n/100⌉-th smallest.\n\n\
         The hits of a recorded web trace and the waits under recorded arrivals need traces that are not part of the project: tests/all/rows.rs\n\
         has them to the last request (`TRACES=folder cargo test --test all -- --ignored rows`).\n";

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
    let source = match &theory.published {
        Some(published) => format!("{}; published: {published}", theory.source),
        None => theory.source.clone(),
    };
    format!(
        "{}{simulated} | {interval} | {} | {} % | {} | {} |\n",
        start_of_row(theory),
        number(theory.theory),
        significant(theory.within * 100.0),
        source.replace('|', "\\|"),
        match (theory.agrees, theory.undecided) {
            (true, _) => "agrees",
            (false, true) => "undecided",
            (false, false) => "**parts**",
        },
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
