//! What tests of whole experiments share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
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

/// A folder of its own for the command line.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// With one file in it.
    pub fn with(name: &str, text: &str) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        folder.write(name, text);
        folder
    }

    /// Writes another.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("it can be written");
    }

    /// Where something in it is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command line, in it.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
        command.args(words).current_dir(self.0.path());
        command
    }

    /// Its exit status, and what it says on stdout and stderr.
    pub fn run(&self, words: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(words).output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (status.code().expect("it ends by itself"), text(stdout), text(stderr))
    }

    /// The results in a folder of it.
    pub fn results(&self, out: &str) -> String {
        without_timing(&std::fs::read_to_string(self.path(out).join("results.json")).expect("results"))
    }
}
