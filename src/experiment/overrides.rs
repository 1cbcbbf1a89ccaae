//! What the command line changes of an experiment.

use std::collections::BTreeSet;

use crate::base::problem::Problems;
use crate::components::Kinds;
use crate::design::codes;
use crate::design::file;
use crate::design::patch::{Change, Path};
use crate::design::source::Sources;
use crate::experiment::question::{Question, Runs};

/// What the command line changes.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--seed`
    pub seed: Option<u64>,
    /// `--runs`
    pub runs: Option<u32>,
    /// `--full`: as many runs as the experiment's theories need.
    pub full: bool,
    /// `--variant`: only these.
    pub variants: Vec<String>,
    /// `--set PATH=VALUE`
    pub set: Vec<String>,
    /// `--max-inflight`
    pub max_inflight: Option<u64>,
    /// The kinds of parts that it may have: those that splitbrain has, unless there are some of one's own.
    pub kinds: Kinds,
}

/// What the command line says of the seed and of the runs.
pub(super) fn overridden(question: &mut Question, overrides: &Overrides) {
    if let Some(seed) = overrides.seed {
        question.seed = seed;
        question.defaults.remove("seed");
    }
    if let Some(runs) = overrides.runs {
        question.runs = Runs::Fixed(runs.max(1));
        question.defaults.remove("runs");
    }
    if let Runs::Quick { full, .. } = question.runs
        && overrides.full
    {
        question.runs = Runs::Fixed(full);
    }
}

pub(super) fn command_line(set: &[String], sources: &mut Sources, problems: &mut Problems) -> Vec<Change> {
    let mut changes = Vec::new();
    for argument in set {
        let path = argument.split_once('=').map(|(path, _)| path);
        match path.and_then(|path| Path::parse(path).map(|parsed| (parsed, path.len() + 1))) {
            Some((path, value_at)) => {
                let value = file::value_from_command_line(sources, argument, value_at);
                changes.push(Change { path, place: value.place.clone(), value });
            }
            None => {
                let message = format!("`--set {argument}` is no PATH=VALUE");
                problems.overall(codes::UNKNOWN_PATH, message).help("write `--set cache.pages.ttl=5s`");
            }
        }
    }
    changes
}

/// The variants to run, in order of name.
pub(super) fn chosen(all: &[String], wanted: &[String], problems: &mut Problems) -> Vec<String> {
    for name in wanted.iter().filter(|name| !all.contains(name)) {
        let near = crate::base::problem::nearest(name, all.iter().map(String::as_str));
        let help =
            near.map_or(format!("variants: {}", all.join(", ")), |near| format!("did you mean `{near}`?"));
        problems.overall(codes::UNKNOWN_VARIANT, format!("unknown variant '{name}'")).help(help);
    }
    let kept: BTreeSet<String> =
        all.iter().filter(|name| wanted.is_empty() || wanted.contains(name)).cloned().collect();
    kept.into_iter().collect()
}
