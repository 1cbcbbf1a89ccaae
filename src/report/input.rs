//! What a report is made from: plain data, filled by whoever ran the experiment. The report knows neither designs
//! nor runs; it draws what stands here, in the order in which it stands here.

use crate::experiment::results::Results;

/// Everything a report needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportInput {
    /// The contract: what goes to `results.json`.
    pub results: Results,
    /// The experiment's question, in the author's words. May be empty.
    pub about: String,
    /// Variants as the file names them: this order gives each its colour, everywhere.
    pub variants_in_order: Vec<String>,
    /// The command that reproduces the run.
    pub command: String,
    /// Where the files go, as people would type it.
    pub out_dir: String,
    /// The design.
    pub graph: Graph,
    /// Plots, in the order of the page.
    pub plots: Vec<Plot>,
    /// One row per run, in run order: `runs.csv`.
    pub trials: Vec<TrialRow>,
    /// Whether files are written; otherwise the table does not point at them.
    pub files: bool,
}

/// The design as boxes and arrows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The parts.
    pub nodes: Vec<Node>,
    /// From, to (positions in `nodes`), and what the arrow says (may be empty). Edges out of range are left out.
    pub edges: Vec<(usize, usize, String)>,
}

/// A part of the design.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it is: `server`, `cache`, ….
    pub kind: String,
    /// Its zone; may be empty.
    pub zone: String,
    /// How many of it there are.
    pub count: u32,
    /// One more line, such as `4 cores`; may be empty.
    pub note: String,
}

/// One plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// Stem of its files.
    pub name: String,
    /// What it shows, as a line of text.
    pub title: String,
    /// Across.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// What is drawn.
    pub kind: PlotKind,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it measures.
    pub label: String,
    /// `s`, `1/s`, `1` or `$`; may be empty.
    pub unit: String,
    /// Whether it is logarithmic; then values of zero and below are left out.
    pub log: bool,
}

/// What a plot draws.
#[derive(Clone, Debug, PartialEq)]
pub enum PlotKind {
    /// Lines, such as a measure over time or over a knob.
    Line {
        /// The lines, in the order of the legend.
        series: Vec<Curve>,
        /// Stretches of x in which a fault was at work: its name, from, to.
        faults: Vec<(String, f64, f64)>,
    },
    /// Distribution functions; y is the fraction at or below x.
    Cdf {
        /// The curves, in the order of the legend.
        curves: Vec<Curve>,
    },
    /// Groups of bars.
    Bars {
        /// From left to right.
        groups: Vec<BarGroup>,
    },
    /// A table of small texts, some of them verdicts.
    Grid {
        /// Headings across.
        columns: Vec<String>,
        /// Headings down.
        rows: Vec<String>,
        /// By row, then column.
        cells: Vec<Vec<GridCell>>,
    },
    /// Points without lines.
    Scatter {
        /// Clouds, in the order of the legend.
        points: Vec<Curve>,
    },
    /// Stretches of time in rows.
    Timeline {
        /// From top to bottom.
        rows: Vec<TimelineRow>,
    },
}

/// A named row of points; a variant's name gives the variant's colour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// A variant, or another label.
    pub name: String,
    /// x and y, by growing x. Points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// x, low, high of an interval around the points.
    pub band: Option<Vec<(f64, f64, f64)>>,
}

/// Bars side by side under one label.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BarGroup {
    /// Under the bars.
    pub label: String,
    /// Name (a variant's gives its colour), height, 95 % interval.
    pub bars: Vec<(String, f64, Option<[f64; 2]>)>,
}

/// A cell of a grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GridCell {
    /// What it says.
    pub text: String,
    /// Good, bad, or neither.
    pub verdict: Option<bool>,
}

/// A row of a timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelineRow {
    /// Left of the row.
    pub name: String,
    /// What happened, from, to.
    pub spans: Vec<(String, f64, f64)>,
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
