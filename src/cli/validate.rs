//! `splitbrain validate`: all problems of the files, warnings too; prints nothing when there are none. Warnings alone
//! exit 0.

use std::io::Write;

use clap::Args;

use crate::base::problem::{Problem, Problems};
use crate::cli::files::Once;
use crate::cli::status::{AS_EXPECTED, BAD_INPUT, Colour, Denying};
use crate::components::Kinds;
use crate::design::file;
use crate::design::prune::all_problems;
use crate::design::render::render;
use crate::design::resolve::{Tables, resolve};
use crate::design::source::Sources;
use crate::experiment::{Failure, Overrides, load};

/// Its arguments.
#[derive(Debug, Args)]
pub struct Validate {
    /// Designs and experiments
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Whether warnings count as mistakes
    #[command(flatten)]
    pub denying: Denying,
}

/// Checks them.
pub fn validate(arguments: &Validate, colour: Colour) -> u8 {
    let mut shown = Vec::new();
    let mut denied = false;
    for file in &arguments.files {
        match check(file) {
            Ok((sources, warnings)) => denied |= arguments.denying.warned(&sources, &warnings, colour),
            Err((sources, problems)) => shown.push(render(&sources, &problems, colour.on_stderr())),
        }
    }
    let _ = std::io::stderr().write_all(shown.join("\n").as_bytes());
    if shown.is_empty() && !denied { AS_EXPECTED } else { BAD_INPUT }
}

/// A file with a `length` or a workload is an experiment; others are designs and need neither. Its warnings, or what is
/// wrong with it.
fn check(path: &str) -> Result<(Sources, Vec<Problem>), Failure> {
    let reader = Once::default();
    let loaded = file::load(&reader, path)?;
    if loaded.tree.get("length").is_some() || loaded.tree.get("workload").is_some() {
        return load(&reader, path, &Overrides::default())
            .map(|experiment| (experiment.sources, experiment.warnings));
    }
    let mut problems = Problems::default();
    let data = file::Data { reader: &reader, sources: &loaded.sources };
    all_problems(&loaded.tree, &[], &mut problems, |tree, _, problems| {
        resolve(tree, &Tables::of(&Kinds::builtin()), data, problems);
    });
    let warnings = problems.warnings();
    if problems.is_empty() { Ok((loaded.sources, warnings)) } else { Err((loaded.sources, problems)) }
}
