//! What a report is made from, gathered from an experiment, its outcome and the command line.

use crate::cli::run::Run;
use crate::experiment::draw::draw;
use crate::experiment::load::Named;
use crate::experiment::outcome::CellTrials;
use crate::experiment::topology::designs;
use crate::experiment::trial::Trial;
use crate::experiment::witness::diagrams;
use crate::experiment::{Experiment, Outcome};
use crate::report::input::{ReportInput, TrialRow};

/// Gathers it.
pub fn gather(
    arguments: &Run,
    experiment: &Experiment,
    outcome: Outcome<'_>,
    out_dir: String,
) -> ReportInput {
    let cells = outcome.cells.iter();
    let mut plots = draw(experiment, &outcome.cells, &outcome.results);
    plots.extend(diagrams(experiment, &outcome.cells));
    ReportInput {
        about: experiment.question.about.clone(),
        variants_in_order: experiment.variants.clone(),
        command: command(arguments),
        out_dir,
        designs: designs(experiment),
        plots,
        trials: cells.flat_map(|cell| rows(experiment, cell)).collect(),
        files: true,
        results: outcome.results,
    }
}

fn rows(experiment: &Experiment, cell: &CellTrials<'_>) -> Vec<TrialRow> {
    let point = &experiment.points[cell.cell.point].shown;
    let listed = |(index, _): &(usize, &Named)| !cell.cell.unlisted.contains(index);
    let measures: Vec<(usize, &Named)> = cell.cell.measures.iter().enumerate().filter(listed).collect();
    let row = |trial: &Trial| TrialRow {
        variant: cell.cell.variant.clone(),
        point: point.iter().map(|(path, value)| (path.clone(), value.clone())).collect(),
        seed: trial.seed,
        fingerprint: format!("{:032x}", trial.fingerprint),
        values: measures
            .iter()
            .map(|(index, named)| (named.name.clone(), trial.values[*index].as_ref().ok().copied()))
            .collect(),
    };
    cell.trials.iter().map(row).collect()
}

/// The command that gives the same results: what changes nothing of them is left out.
fn command(arguments: &Run) -> String {
    let mut words = vec!["splitbrain".to_owned(), "run".to_owned(), quoted(&arguments.experiment)];
    for (flag, values) in [("--variant", &arguments.variant), ("--set", &arguments.set)] {
        values.iter().for_each(|value| words.extend([flag.to_owned(), quoted(value)]));
    }
    words.extend(arguments.seed.map(|seed| format!("--seed {seed}")));
    words.extend(arguments.runs.map(|runs| format!("--runs {runs}")));
    words.extend(arguments.full.then(|| "--full".to_owned()));
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
