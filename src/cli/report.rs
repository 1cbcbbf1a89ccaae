//! What a report is made from, gathered from an experiment, its outcome and the command line.

use crate::base::plain::plain;
use crate::cli::run::Run;
use crate::design::shape::ONLY_VARIANT;
use crate::experiment::asked::asked;
use crate::experiment::compiled::Named;
use crate::experiment::draw::draw;
use crate::experiment::drawing::designs;
use crate::experiment::outcome::CellTrials;
use crate::experiment::results::Results;
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
        asked: asked(&experiment.question),
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

/// Says of each property that some run violates how to run the first of these again.
pub fn replays(arguments: &Run, results: &mut Results) {
    for cell in &mut results.cells {
        let (variant, point) = (&cell.variant, &cell.point);
        for property in cell.properties.values_mut() {
            let Some(seed) = property.failing_seeds.first() else { continue };
            // what was set in the place of a sweep is the point now
            let swept =
                |set: &str| set.split_once('=').is_some_and(|(path, _)| point.contains_key(path.trim()));
            let mut words = start(arguments, swept);
            let set = point.iter().map(|(path, value)| format!("{path}={value}"));
            set.for_each(|set| words.extend(["--set".to_owned(), quoted(&set)]));
            if variant != ONLY_VARIANT {
                words.extend(["--variant".to_owned(), quoted(variant)]);
            }
            words.push(format!("--seed {seed} --runs 1"));
            property.replay = Some(plain(&words.join(" ")).into_owned());
        }
    }
}

/// What all commands about these runs begin with; what is set is left out where it is told elsewhere.
fn start(arguments: &Run, elsewhere: impl Fn(&str) -> bool) -> Vec<String> {
    let mut words = vec!["splitbrain".to_owned(), "run".to_owned(), quoted(&arguments.experiment)];
    let set = arguments.set.iter().filter(|set| !elsewhere(set));
    set.for_each(|value| words.extend(["--set".to_owned(), quoted(value)]));
    words.extend(arguments.max_inflight.map(|most| format!("--max-inflight {most}")));
    words
}

/// The command that gives the same results: what changes nothing of them is left out.
fn command(arguments: &Run) -> String {
    let mut words = start(arguments, |_| false);
    arguments.variant.iter().for_each(|value| words.extend(["--variant".to_owned(), quoted(value)]));
    words.extend(arguments.seed.map(|seed| format!("--seed {seed}")));
    words.extend(arguments.runs.map(|runs| format!("--runs {runs}")));
    words.extend(arguments.full.then(|| "--full".to_owned()));
    plain(&words.join(" ")).into_owned()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
