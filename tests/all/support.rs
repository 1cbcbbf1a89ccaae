//! What tests of whole experiments share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use splitbrain::design::file::{ReadError, Reader};
use splitbrain::design::render::render;
use splitbrain::experiment::results::Results;
use splitbrain::experiment::{Experiment, Overrides, execute, load};
use splitbrain::report::json::{json, without_timing};

/// Files in memory; others are read from the project's folder.
pub struct Files(pub BTreeMap<String, String>);

impl Reader for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        match self.0.get(path) {
            Some(text) => Ok(text.clone().into_bytes()),
            None => std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
                .map_err(|_| ReadError::Missing),
        }
    }
}

/// Loads an experiment from a text that stands at a path; its problems, as users would read them, end the test.
pub fn experiment(path: &str, text: &str, overrides: &Overrides) -> Experiment {
    let files = Files(BTreeMap::from([(path.to_owned(), text.to_owned())]));
    load(&files, path, overrides)
        .unwrap_or_else(|(sources, problems)| panic!("{}", render(&sources, &problems, false)))
}

/// Runs an experiment.
pub fn run(experiment: &Experiment, jobs: usize) -> Results {
    let ended = execute(experiment, jobs, &|_| {}, &AtomicBool::new(false));
    ended.map(|outcome| outcome.results).unwrap_or_else(|why| panic!("{why:?}"))
}

/// What must be the same for the same (design, seed, version).
pub fn bytes(results: &Results) -> String {
    without_timing(&json(results))
}
