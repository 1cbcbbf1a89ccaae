//! `plot.x` as written: what is drawn, along what, and what gets a colour each.

use crate::base::problem::{Place, Problems, nearest};
use crate::base::quantity::{Quantity, Unit};
use crate::base::time::Span;
use crate::design::codes;
use crate::design::shape::Entries;
use crate::design::text::Text;
use crate::design::tree::{Entry, Node, Table, Value};
use crate::experiment::question::Property;

/// The word for variants among a plot's dimensions.
pub const VARIANT: &str = "variant";

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Measures over time or over the sweep.
    Line,
    /// Latencies of programs.
    Cdf,
    /// Measures of each cell.
    Bars,
    /// A measure against another.
    Scatter,
    /// Faults and measures as stretches of time.
    Timeline,
    /// A table of cells.
    Grid,
}

impl Shape {
    const ALL: [(&'static str, Shape); 6] = [
        ("line", Shape::Line),
        ("cdf", Shape::Cdf),
        ("bars", Shape::Bars),
        ("scatter", Shape::Scatter),
        ("timeline", Shape::Timeline),
        ("grid", Shape::Grid),
    ];
}

/// One plot.
#[derive(Clone, Debug)]
pub struct PlotEntry {
    /// Its name.
    pub name: String,
    /// What is drawn.
    pub shape: Shape,
    /// Measures, programs for `cdf`, properties and measures for `grid`.
    pub of: Vec<Text>,
    /// `grid`: what goes down and across.
    pub axes: Vec<String>,
    /// A path along the horizontal axis, swept or set by variants; without it time.
    pub x: Option<String>,
    /// What gets a colour each: `variant` or a path, swept or set by variants.
    pub by: Option<String>,
    /// Over time: the stretch of the run that is shown.
    pub stretch: (Span, Span),
    /// Its title.
    pub title: String,
    /// Whether the value axis is logarithmic.
    pub log: Option<bool>,
    /// The variants that it shows; all when empty.
    pub variants: Vec<String>,
}

impl PlotEntry {
    /// Whether it shows measures as they go over the time of a run.
    pub fn is_over_time(&self) -> bool {
        self.shape == Shape::Line && self.x.is_none()
    }

    /// The measures that it needs: a distribution needs the samples that a median takes, and cells of a grid may name
    /// properties, which are judged anyway.
    pub fn measures(&self, properties: &[Property]) -> Vec<Text> {
        let is_property = |text: &&Text| properties.iter().any(|property| property.name == text.as_str());
        match self.shape {
            Shape::Cdf => self.of.iter().map(|text| text.around("p50(", ")")).collect(),
            _ => self.of.iter().filter(|text| !is_property(text)).cloned().collect(),
        }
    }
}

/// Reads all plots. `swept` are the paths that a sweep varies.
pub fn plots(entries: &Entries, swept: &[String], problems: &mut Problems) -> Vec<PlotEntry> {
    let mut paths = swept.to_vec();
    for variant in entries.named("variant") {
        leaves(&variant.node, &mut Vec::new(), &mut paths);
    }
    entries.named("plot").iter().filter_map(|entry| plot(entry, &paths, problems)).collect()
}

/// The paths that a variant sets, without those that are there.
fn leaves(node: &Node, above: &mut Vec<String>, paths: &mut Vec<String>) {
    let Some(table) = node.table() else {
        let path = above.join(".");
        if !paths.contains(&path) {
            paths.push(path);
        }
        return;
    };
    for entry in table.entries() {
        above.push(entry.key.clone());
        leaves(&entry.node, above, paths);
        above.pop();
    }
}

fn texts(table: &Table, key: &str) -> Vec<Text> {
    let list = table.get(key).map_or(&[][..], Node::list_or_itself);
    list.iter().filter_map(|node| node.text().cloned()).collect()
}

fn span(table: &Table, key: &str) -> Option<Span> {
    let quantity = Quantity::parse(table.get(key)?.text()?.as_str()).ok()?;
    (quantity.unit == Unit::Span).then(|| Span::from_ns(quantity.value as u64))
}

fn plot(entry: &Entry, paths: &[String], problems: &mut Problems) -> Option<PlotEntry> {
    let table = entry.node.table()?;
    let shapes: Vec<_> = Shape::ALL.iter().filter(|(key, _)| table.get(key).is_some()).collect();
    let [(key, shape)] = &shapes[..] else {
        let message = match shapes.len() {
            0 => "this plot draws nothing".to_owned(),
            _ => format!("this plot is both `{}` and `{}`", shapes[0].0, shapes[1].0),
        };
        let help = "give it one of `line`, `cdf`, `bars`, `scatter`, `timeline`, `grid`";
        problems.at(codes::WRONG_TYPE, entry.key_place.clone(), message).help(help);
        return None;
    };
    let known = |text: &Text, problems: &mut Problems| {
        dimension(text.as_str(), text.place(0..text.as_str().len()), paths, problems)
    };
    let mut named = |key: &str| -> Option<String> {
        let text = table.get(key)?.text()?.clone();
        known(&text, problems)
    };
    let (x, by) = (named("x"), named("by"));
    let (of, axes) = match shape {
        Shape::Grid => {
            let axes = texts(table, "grid").iter().filter_map(|text| known(text, problems)).collect();
            (texts(table, "cell"), axes)
        }
        _ => (texts(table, key), Vec::new()),
    };
    let right = match shape {
        Shape::Scatter => of.len() == 2,
        Shape::Grid => axes.len() == 2 && !of.is_empty(),
        _ => !of.is_empty(),
    };
    if !right {
        let help =
            "write `scatter = [\"mean(a)\", \"p99(a)\"]`, or `grid = [\"variant\", PATH], cell = [\"bank\"]`";
        let message = format!("`{key}` has not what it needs");
        problems.at(codes::WRONG_TYPE, entry.key_place.clone(), message).help(help);
        return None;
    }
    let variants = texts(table, "variant").iter().map(|text| text.as_str().to_owned()).collect();
    let title =
        table.get("title").and_then(Node::text).map_or(String::new(), |text| text.as_str().to_owned());
    let stretch = (span(table, "from").unwrap_or(Span::ZERO), span(table, "to").unwrap_or(Span::MAX));
    let log = match table.get("log").map(|node| &node.value) {
        Some(Value::Bool(log)) => Some(*log),
        _ => None,
    };
    Some(PlotEntry { name: entry.key.clone(), shape: *shape, of, axes, x, by, stretch, title, log, variants })
}

/// `variant`, or a path that is swept or set by variants.
fn dimension(name: &str, place: Place, paths: &[String], problems: &mut Problems) -> Option<String> {
    if name == VARIANT || paths.iter().any(|path| path == name) {
        return Some(name.to_owned());
    }
    let near = nearest(name, paths.iter().map(String::as_str));
    let help = near.map_or_else(
        || {
            ["name `variant` or a path of `sweep`, `zip` or a variant", &paths.join(", ")]
                .join(if paths.is_empty() { "" } else { ": " })
        },
        |near| format!("did you mean `{near}`?"),
    );
    problems.at(codes::UNKNOWN_PATH, place, format!("nothing varies `{name}`")).help(help);
    None
}
