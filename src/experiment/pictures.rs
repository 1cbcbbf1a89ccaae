//! What plots show, as plain data: axes, curves, bars, cells of a grid. The report draws it.

/// The design as boxes and arrows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The parts.
    pub nodes: Vec<GraphNode>,
    /// From, to (positions in `nodes`), and what the arrow says (may be empty). Edges out of range are left out.
    pub edges: Vec<(usize, usize, String)>,
}

/// The design of some variants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// Whose.
    pub variants: Vec<String>,
    /// As it is drawn.
    pub graph: Graph,
}

/// A part of the design.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphNode {
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
    /// What it shows and what is to be seen there, as a line of text.
    pub title: String,
    /// How it was made: of how many runs; may be empty.
    pub note: String,
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
    /// `s`, `1/s`, `1`, `%` (of shares, which are written as percentages) or `$`; may be empty.
    pub unit: String,
    /// Whether it is logarithmic; then values of zero and below are left out.
    pub log: bool,
}

/// What a plot draws.
#[derive(Clone, Debug, PartialEq)]
pub enum PlotKind {
    /// Lines, such as a measure over time or over a parameter.
    Line {
        /// The lines, in the order of the legend.
        series: Vec<Curve>,
        /// Stretches of x in which a fault was at work: its name, from, to.
        faults: Vec<(String, f64, f64)>,
        /// What was to be kept.
        bounds: Vec<Bound>,
    },
    /// Distribution functions; y is the fraction at or below x.
    Cdf {
        /// The curves, in the order of the legend.
        curves: Vec<Curve>,
    },
    /// Groups of bars.
    Bars {
        /// From top to bottom.
        groups: Vec<BarGroup>,
        /// What was to be kept.
        bounds: Vec<Bound>,
    },
    /// A table of small texts, some of them verdicts.
    Grid {
        /// Headings across.
        columns: Vec<String>,
        /// Headings down.
        rows: Vec<String>,
        /// By row, then column: lines, one below the other.
        cells: Vec<Vec<Vec<GridLine>>>,
    },
    /// Points without lines.
    Scatter {
        /// Clouds, in the order of the legend.
        points: Vec<Curve>,
    },
    /// Processes and what passes between them.
    SpaceTime(SpaceTime),
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
    /// Of those that do not share a rectangle the one that it is in: its heading.
    pub panel: String,
    /// Whether theory says so.
    pub of_theory: bool,
    /// x and y, by growing x. Points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// x, low, high of an interval around the points.
    pub band: Option<Vec<(f64, f64, f64)>>,
}

/// Bars under one heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BarGroup {
    /// Over the bars; may be empty.
    pub label: String,
    /// From top to bottom.
    pub bars: Vec<Length>,
}

/// A bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Length {
    /// Its name; a variant's gives its colour.
    pub name: String,
    /// How long it is.
    pub value: f64,
    /// 95 % interval.
    pub ci95: Option<[f64; 2]>,
    /// What theory says.
    pub theory: Option<f64>,
}

/// A value that was to be kept, or kept below.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bound {
    /// In which panel; empty: in all.
    pub panel: String,
    /// What stands beside it: `≤ 200 ms (fast)`.
    pub text: String,
    /// The value.
    pub value: f64,
}

/// A line in a cell of a grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GridLine {
    /// Of what; may be empty.
    pub name: String,
    /// What it says of it.
    pub value: String,
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

/// Processes as lanes over time, with what they did and what passed between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpaceTime {
    /// What it shows, in a sentence.
    pub note: String,
    /// The stretch of time that is shown.
    pub stretch: (f64, f64),
    /// Names of the lanes, from top to bottom; what follows a line break says more.
    pub lanes: Vec<String>,
    /// What happened in them. Lanes that are not there are left out.
    pub bars: Vec<Bar>,
    /// What passed between them.
    pub arrows: Vec<Arrow>,
    /// Stretches of time in which a fault was at work that is no one lane's: its name, from, to.
    pub faults: Vec<(String, f64, f64)>,
    /// What lanes were meanwhile.
    pub stretches: Vec<Stretch>,
}

/// What a lane was for a while.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Which lane.
    pub lane: usize,
    /// What.
    pub text: String,
    /// Since when.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// Whether something was wrong with it.
    pub bad: bool,
}

/// Something that happened in a lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// Which lane.
    pub lane: usize,
    /// What.
    pub text: String,
    /// When it began.
    pub from: f64,
    /// When it ended, the same for an instant; `None`: it did not.
    pub to: Option<f64>,
    /// Whether it is one of those that the picture is about.
    pub marked: bool,
}

/// Something that passed from what happened to something else that happened: bars by place. It leaves as the one begins and is there as
/// the other does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrow {
    /// What it comes from.
    pub from: usize,
    /// What it leads to.
    pub to: usize,
}
