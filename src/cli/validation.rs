//! `splitbrain validation`: runs every shipped experiment that has a theory and writes what theory and the literature say beside what the
//! simulation says. `docs/validation.md` is its output.

use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::cli::files::Embedded;
use crate::cli::{AS_EXPECTED, NOT_AS_EXPECTED, complain, print, shipped};
use crate::experiment::results::{Results, Theory};
use crate::experiment::{Overrides, execute, load};

/// Its arguments.
#[derive(Debug, Args)]
pub struct Validation {
    /// Compare with this file instead of printing
    #[arg(long, value_name = "FILE")]
    pub check: Option<std::path::PathBuf>,
}

/// Runs everything.
pub fn validation(arguments: &Validation) -> u8 {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = Vec::new();
    for file in shipped::experiments() {
        let path = format!("experiments/{}", file.path);
        let Ok(experiment) = load(&Embedded, &path, &Overrides::default()) else {
            return complain(&format!("{path} cannot be loaded; `splitbrain run {}` says why", file.name));
        };
        if experiment.question.theories.is_empty() {
            continue; // it has nothing to compare
        }
        let outcome = execute(&experiment, jobs, &|_| {}, &AtomicBool::new(false));
        let results = match outcome {
            Ok(outcome) => outcome.results,
            Err(why) => return complain(&format!("{path}: {why:?}")),
        };
        eprintln!(
            "{}: {}",
            file.name,
            if results.summary.as_expected { "as expected" } else { "NOT as expected" }
        );
        all.push(results);
    }
    let text = page(&all);
    let as_expected = all.iter().all(|results| results.summary.as_expected);
    let Some(file) = &arguments.check else {
        print(&text);
        return if as_expected { AS_EXPECTED } else { NOT_AS_EXPECTED };
    };
    match std::fs::read_to_string(file) {
        Ok(written) if written == text && as_expected => AS_EXPECTED,
        Ok(written) if written == text => NOT_AS_EXPECTED,
        Ok(_) => {
            complain(&format!(
                "{} is not what the experiments give\nhelp: splitbrain validation > {}",
                file.display(),
                file.display()
            ));
            NOT_AS_EXPECTED
        }
        Err(why) => complain(&format!("cannot read {}: {why}", file.display())),
    }
}

/// The page.
fn page(all: &[Results]) -> String {
    let mut text = String::from(
        "# Validation\n\n\
         Every row that the shipped experiments reproduce: what the simulation gives beside what a formula or a paper says.\n\
         Written by `cargo run --release -- validation > docs/validation.md`, and checked in CI; rows are added by adding\n\
         `theory` entries to experiments, not here.\n\n\
         **The rule.** A row agrees when the 99 % interval of the simulated mean (Student's t over the runs) overlaps\n\
         reference ± tolerance, *and* half its width is no more than the tolerance. A percentile pN of n samples is the\n\
         ⌈N·n/100⌉-th smallest.\n\n\
         Rows C8, D1 and D1b need recorded traces, which are not part of the project: `tests/all/rows.rs` holds them to the\n\
         last request where the traces are there, and says so where they are not.\n",
    );
    for results in all.iter().filter(|results| !results.theory.is_empty()) {
        text += &format!("\n## {} ({})\n\n", results.title, results.experiment);
        text += "| row | variant | point | measure | simulated | 99 % interval | reference | tolerance | source | verdict |\n";
        text += "|---|---|---|---|---|---|---|---|---|---|\n";
        for theory in &results.theory {
            text += &row(theory);
        }
    }
    text
}

fn row(theory: &Theory) -> String {
    let unit = if theory.unit == "1" { String::new() } else { format!(" {}", theory.unit) };
    let number = |value: f64| format!("{}{unit}", significant(value));
    let simulated = theory.simulated.map_or("undefined".to_owned(), number);
    let interval = theory
        .ci99
        .map_or("-".to_owned(), |[low, high]| format!("{} to {}", significant(low), significant(high)));
    let point: Vec<String> = theory.point.iter().map(|(path, value)| format!("{path} = {value}")).collect();
    format!(
        "| {} | {} | {} | `{}` | {simulated} | {interval} | {} | {} % | {} | {} |\n",
        theory.name,
        theory.variant,
        point.join(", "),
        theory.of,
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
