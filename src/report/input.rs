//! What a report is made from: plain data, filled by whoever ran the experiment. The report knows neither designs
//! nor runs; it draws what stands here, in the order in which it stands here.

use std::collections::BTreeSet;

pub use crate::experiment::pictures::{
    Axis, Bar, BarGroup, Bound, Curve, Drawing, Graph, GraphNode, GridLine, Length, Plot, PlotKind,
    SpaceTime, Stretch, TimelineRow,
};
use crate::experiment::results::Results;

/// Everything a report needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportInput {
    /// The contract: what goes to `results.json`.
    pub results: Results,
    /// The experiment's question, in the author's words. May be empty.
    pub about: String,
    /// What the file asks to be measured, in its order, printed canonically; some of it may be no measure.
    pub asked: Vec<String>,
    /// Variants as the file names them: this order gives each its colour, everywhere.
    pub variants_in_order: Vec<String>,
    /// The command that reproduces the run.
    pub command: String,
    /// Where the files go, as people would type it.
    pub out_dir: String,
    /// The design, of variants that differ in it once each.
    pub designs: Vec<Drawing>,
    /// Plots, in the order of the page.
    pub plots: Vec<Plot>,
    /// One row per run, in run order: `runs.csv`.
    pub trials: Vec<TrialRow>,
    /// Whether files are written; otherwise the table does not point at them.
    pub files: bool,
}

impl ReportInput {
    /// The measures of all cells: those that the file asks for, in its order, then the others in order of name; and how many are asked
    /// for.
    pub fn measures(&self) -> (Vec<&str>, usize) {
        let all: BTreeSet<&str> =
            self.results.cells.iter().flat_map(|cell| cell.measures.keys().map(String::as_str)).collect();
        let asked = self.asked.iter().map(String::as_str).filter(|name| all.contains(name));
        let mut names: Vec<&str> = asked.collect();
        let asked = names.len();
        let others: Vec<&str> = all.into_iter().filter(|name| !names.contains(name)).collect();
        names.extend(others);
        (names, asked)
    }
}

/// One run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrialRow {
    /// The variant.
    pub variant: String,
    /// The sweep point: path and value.
    pub point: Vec<(String, String)>,
    /// The seed.
    pub seed: u64,
    /// The run's fingerprint, 32 hex digits.
    pub fingerprint: String,
    /// Measure and value; none where it is undefined.
    pub values: Vec<(String, Option<f64>)>,
}
