//! `splitbrain validate`: all problems of the files; prints nothing and exits 0 when there are none.

use std::io::Write;

use clap::Args;

use crate::cli::files::Once;
use crate::cli::{AS_EXPECTED, BAD_INPUT, Colour};
use crate::design::file;
use crate::design::render::render;
use crate::design::resolve::{Tables, resolve};
use crate::experiment::{Failure, Overrides, load};

/// Its arguments.
#[derive(Debug, Args)]
pub struct Validate {
    /// Designs and experiments
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
}

/// Checks them.
pub fn validate(arguments: &Validate, colour: Colour) -> u8 {
    let mut shown = Vec::new();
    for file in &arguments.files {
        if let Err((sources, problems)) = check(file) {
            shown.push(render(&sources, &problems, colour.on_stderr()));
        }
    }
    let _ = std::io::stderr().write_all(shown.join("\n").as_bytes());
    if shown.is_empty() { AS_EXPECTED } else { BAD_INPUT }
}

/// A file with a `length` or a workload is an experiment; others are designs and need neither.
fn check(path: &str) -> Result<(), Failure> {
    let reader = Once::default();
    let loaded = file::load(&reader, path)?;
    if loaded.tree.get("length").is_some() || loaded.tree.get("workload").is_some() {
        return load(&reader, path, &Overrides::default()).map(|_| ());
    }
    let mut problems = crate::base::problem::Problems::default();
    let data = file::Data { reader: &reader, sources: &loaded.sources };
    resolve(&loaded.tree, &Tables::shipped(), data, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err((loaded.sources, problems)) }
}
