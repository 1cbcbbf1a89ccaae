//! From plots as written and what the trials recorded to pictures as plain data.
//!
//! Cells have dimensions: the variant and each swept path. A plot puts one along its horizontal axis (`x`, or time) and
//! gives the values of another a colour each (`by`); what is left over makes a picture, or a group of bars, each.

mod curves;
mod data;
mod finding;
mod still;
mod theory;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::time::{Span, Time};
use crate::design::patch::{Path, get};
use crate::design::places::nowhere;
use crate::design::text::Text;
use crate::experiment::cell::Experiment;
use crate::experiment::compiled::Named;
use crate::experiment::course;
use crate::experiment::outcome::CellTrials;
use crate::experiment::pictures::{Axis, Bound, Plot};
use crate::experiment::plot::{PlotEntry, Shape, VARIANT};
use crate::experiment::question::PropertyKind;
use crate::experiment::results::{self, Results};
use crate::experiment::trial::Trial;
use crate::measures::Dimension;
use crate::program::syntax::{BinaryOp, Expr, expression};
use crate::record::recorder::Recorder;
use crate::record::series::Window;

/// A timeline is cut into at most so many slices.
const SLICES: usize = 200;
/// Pictures of one plot at most; of more, evenly chosen ones are drawn.
const PICTURES_MAX: usize = 12;

/// All plots of an experiment, in file order; the distribution of each workload's latency when it asks for none.
pub fn draw(experiment: &Experiment, cells: &[CellTrials<'_>], results: &Results) -> Vec<Plot> {
    let own = [latencies(experiment)];
    let entries = if experiment.question.plots.is_empty() { &own[..] } else { &experiment.question.plots };
    let mut plots = Vec::new();
    for entry in entries {
        let chosen = |trials: &CellTrials<'_>| {
            entry.variants.is_empty() || entry.variants.contains(&trials.cell.variant)
        };
        let chosen = cells.iter().zip(&results.cells).filter(|(trials, _)| chosen(trials));
        let shown: Vec<Shown<'_>> = chosen
            .map(|(trials, result)| Shown {
                trials,
                result,
                dimensions: dimensions(experiment, entry, trials),
            })
            .collect();
        let drawing = Drawing::new(experiment, results, entry, shown.iter().collect());
        plots.extend(numbered(&entry.name, drawing.plots()));
    }
    plots
}

/// What is drawn when nothing is asked for.
fn latencies(experiment: &Experiment) -> PlotEntry {
    let setups = experiment.cells.iter().map(|cell| &cell.setup);
    let names: BTreeSet<String> =
        setups.flat_map(|setup| setup.called().into_iter().map(|probe| setup.probe_name(probe))).collect();
    PlotEntry {
        name: "latency".to_owned(),
        shape: Shape::Cdf,
        of: names.into_iter().map(|name| Text::all_at(name, &nowhere())).collect(),
        axes: Vec::new(),
        x: None,
        by: None,
        stretch: (Span::ZERO, Span::MAX),
        title: String::new(),
        log: None,
        variants: Vec::new(),
    }
}

/// A path without the kind of its part, which readers know: `shop.read` for `db.shop.read`.
fn short(path: &str) -> &str {
    path.split_once('.').map_or(path, |(_, rest)| if rest.contains('.') { rest } else { path })
}

/// Where a cell stands: its variant, its point of the sweep, and what the variants of this plot differ by along its axis and by colour.
fn dimensions(
    experiment: &Experiment,
    entry: &PlotEntry,
    trials: &CellTrials<'_>,
) -> BTreeMap<String, String> {
    let mut dimensions = experiment.points[trials.cell.point].shown.clone();
    dimensions.insert(VARIANT.to_owned(), trials.cell.variant.clone());
    for path in entry.x.iter().chain(&entry.by).chain(&entry.axes) {
        if !dimensions.contains_key(path)
            && let Some(parsed) = Path::parse(path)
            && let Some(node) = get(&trials.cell.tree, &parsed, &trials.cell.setup.design.kinds)
        {
            dimensions.insert(path.clone(), node.show());
        }
    }
    dimensions
}

/// The pictures of one plot: `herd`, `herd-2`, `herd-3`.
fn numbered(name: &str, mut plots: Vec<Plot>) -> Vec<Plot> {
    if plots.len() > PICTURES_MAX {
        let all = plots.len();
        let kept = (0..PICTURES_MAX).map(|index| index * (all - 1) / (PICTURES_MAX - 1));
        plots = kept.map(|index| plots[index].clone()).collect();
    }
    for (index, plot) in plots.iter_mut().enumerate() {
        plot.name = if index == 0 { name.to_owned() } else { format!("{name}-{}", index + 1) };
    }
    plots
}

/// A cell, its results, and its value of each dimension.
struct Shown<'a> {
    trials: &'a CellTrials<'a>,
    result: &'a results::Cell,
    dimensions: BTreeMap<String, String>,
}

impl Shown<'_> {
    fn at(&self, dimension: &str) -> &str {
        self.dimensions.get(dimension).map_or("", String::as_str)
    }

    fn measure(&self, name: &str) -> Option<(usize, &Named)> {
        self.trials.cell.measures.iter().enumerate().find(|(_, named)| named.name == name)
    }

    fn mean(&self, name: &str) -> Option<Mean> {
        let estimate = self.result.measures.get(name)?;
        Some((estimate.mean?, estimate.ci95))
    }

    fn recorder(&self) -> Option<&Recorder> {
        self.trials.trials.first()?.recorder.as_ref()
    }
}

/// A mean with its 95 % interval.
type Mean = (f64, Option<[f64; 2]>);

struct Drawing<'a> {
    experiment: &'a Experiment,
    results: &'a Results,
    entry: &'a PlotEntry,
    cells: Vec<&'a Shown<'a>>,
    by: String,
    /// Variants are places along the axis: what is there is not swept, so that they set it.
    lined_up: bool,
}

/// A measure of a plot.
#[derive(Clone)]
struct Measure {
    /// Its name in results.
    name: String,
    /// Its unit, `%` where it is a share.
    unit: String,
    /// Whether it is a time that spreads over orders of magnitude, as percentiles do.
    spreads: bool,
    /// The share beyond the rarest percentile in it.
    tail: Option<f64>,
}

impl<'a> Drawing<'a> {
    fn new(
        experiment: &'a Experiment,
        results: &'a Results,
        entry: &'a PlotEntry,
        cells: Vec<&'a Shown<'a>>,
    ) -> Self {
        let one_variant = cells.iter().all(|cell| cell.at(VARIANT) == cells[0].at(VARIANT));
        let other = || {
            let mut paths = cells.first()?.dimensions.keys();
            paths.find(|path| *path != VARIANT && Some(*path) != entry.x.as_ref()).cloned()
        };
        let swept = |path: &String| experiment.points.iter().any(|point| point.shown.contains_key(path));
        let lined_up = entry.x.as_ref().is_some_and(|x| x != VARIANT && !swept(x));
        let by = match &entry.by {
            None if lined_up => Some(String::new()), // one curve through all
            None if one_variant => other(),
            by => by.clone(),
        };
        Drawing { experiment, results, entry, by: by.unwrap_or_else(|| VARIANT.to_owned()), cells, lined_up }
    }

    fn plots(&self) -> Vec<Plot> {
        if self.cells.is_empty() {
            return Vec::new();
        }
        match self.entry.shape {
            Shape::Line if self.entry.x.is_some() => self.over_sweep(),
            Shape::Line => self.over_time(),
            Shape::Cdf => self.distributions(),
            Shape::Bars => self.bars(),
            Shape::Scatter => self.scatter(),
            Shape::Timeline => self.timeline(),
            Shape::Grid => self.grid(),
        }
    }

    fn measures(&self) -> Vec<Measure> {
        let names = self.entry.of.iter().filter_map(|text| expression(text.as_str()).ok());
        names
            .map(|expr| expr.value.to_string())
            .filter_map(|name| {
                let expression = &self.cells.iter().find_map(|cell| cell.measure(&name))?.1.expression;
                let spreads = expression.has_percentile() && expression.unit() == Dimension::Seconds;
                // A quotient of two numbers is a share if it never was anything else.
                let is_share = expression.is_share() || expression.is_quotient() && self.is_within_one(&name);
                let unit = if is_share { "%" } else { expression.unit().unit() };
                Some(Measure { unit: unit.to_owned(), spreads, tail: expression.tail(), name })
            })
            .collect()
    }

    fn is_within_one(&self, measure: &str) -> bool {
        let values =
            self.cells.iter().filter_map(|cell| cell.measure(measure).map(|(index, _)| (cell, index)));
        let mut values = values.flat_map(|(cell, index)| {
            cell.trials.trials.iter().filter_map(move |trial| trial.values[index].as_ref().ok())
        });
        values.all(|value| (0.0..=1.0).contains(value))
    }

    /// The measures in groups of one unit, which share a picture.
    fn by_unit(&self) -> Vec<Vec<Measure>> {
        let mut groups: Vec<Vec<Measure>> = Vec::new();
        for measure in self.measures() {
            match groups.iter_mut().find(|group| group[0].unit == measure.unit) {
                Some(group) => group.push(measure),
                None => groups.push(vec![measure]),
            }
        }
        groups
    }

    /// How many runs there are of each cell, at most.
    fn runs(&self) -> usize {
        self.cells.iter().map(|cell| cell.trials.trials.len()).max().unwrap_or(0)
    }

    /// Whether a path changes with `x` and never without it: then it has no dimension of its own.
    fn tied(&self, path: &str, x: &str) -> bool {
        self.cells.iter().all(|a| self.cells.iter().all(|b| a.at(x) != b.at(x) || a.at(path) == b.at(path)))
    }

    /// The cells in groups that differ neither by colour nor along `taken`, each with what it has in common.
    fn groups(&self, taken: &[&str]) -> Vec<(String, Vec<&'a Shown<'a>>)> {
        let used = |path: &str| {
            path == self.by
                || taken.contains(&path)
                || taken.iter().any(|taken| self.tied(path, taken))
                || path == VARIANT && self.lined_up
                || (self.by != VARIANT && path != VARIANT && self.tied(path, &self.by))
                || self.cells.iter().all(|cell| cell.at(path) == self.cells[0].at(path))
        };
        let mut groups: Vec<(String, Vec<&Shown<'_>>)> = Vec::new();
        for point in 0..self.experiment.points.len() {
            for cell in self.cells.iter().filter(|cell| cell.trials.cell.point == point) {
                let rest = cell.dimensions.iter().filter(|(path, _)| !used(path));
                let label =
                    rest.map(|(path, value)| {
                        if path == VARIANT { value.clone() } else { format!("{} = {value}", short(path)) }
                    })
                    .collect::<Vec<_>>()
                    .join(", ");
                match groups.iter_mut().find(|(known, _)| *known == label) {
                    Some((_, cells)) => cells.push(cell),
                    None => groups.push((label, vec![cell])),
                }
            }
        }
        groups
    }

    /// The cells of a group by colour: variants in file order, values in the order of the sweep.
    fn colours(&self, group: &[&'a Shown<'a>]) -> Vec<(String, Vec<&'a Shown<'a>>)> {
        let mut colours: Vec<(String, Vec<&Shown<'_>>)> = Vec::new();
        for cell in group {
            let name = cell.at(&self.by).to_owned();
            match colours.iter_mut().find(|(known, _)| *known == name) {
                Some((_, cells)) => cells.push(cell),
                None => colours.push((name, vec![cell])),
            }
        }
        if self.by == VARIANT {
            let place = |name: &str| self.experiment.variants.iter().position(|variant| variant == name);
            colours.sort_by_key(|(name, _)| place(name));
        }
        colours
    }

    /// The author's words, what they are about if they are about several things, and what is to be seen.
    fn title(&self, of: &str, alone: bool, label: &str, finding: Option<String>) -> String {
        let mut title = match (self.entry.title.as_str(), alone) {
            ("", _) => of.to_owned(),
            (title, true) => title.to_owned(),
            (title, false) => format!("{title}: {of}"),
        };
        if !label.is_empty() {
            title = format!("{title} ({label})");
        }
        match finding {
            Some(finding) => format!("{title}: {finding}"),
            None => title,
        }
    }

    fn value_axis(&self, measures: &[Measure], log: bool) -> Axis {
        let names: Vec<&str> = measures.iter().map(|measure| measure.name.as_str()).collect();
        let unit = measures.first().map_or(String::new(), |measure| measure.unit.clone());
        Axis { label: names.join(", "), unit, log: self.entry.log.unwrap_or(log) }
    }

    /// The bounds of objectives about a measure, in this panel. What is meant of a stretch of the run is drawn over all of it.
    fn bounds(&self, measure: &Measure, panel: &str) -> Vec<Bound> {
        let mut bounds: Vec<Bound> = Vec::new();
        for judged in self.cells.iter().flat_map(|cell| &cell.trials.cell.judged) {
            let Some(condition) =
                judged.condition.as_ref().filter(|_| judged.property.kind == PropertyKind::Slo)
            else {
                continue;
            };
            let text = judged.property.condition.as_ref().and_then(|text| expression(text.as_str()).ok());
            let (Some((.., right)), Some(Expr::Binary(op, left, _))) =
                (condition.expression.comparison(), text.map(|expr| expr.value))
            else {
                continue;
            };
            let Some(value) = right.constant() else { continue };
            if without_stretch(&left.value.to_string()) == without_stretch(&measure.name) {
                let text =
                    format!("{} {} ({})", sign(op), data::told(value, &measure.unit), judged.property.name);
                let bound = Bound { panel: panel.to_owned(), text, value };
                if !bounds.contains(&bound) {
                    bounds.push(bound);
                }
            }
        }
        bounds
    }

    /// What theory says of a measure in a cell.
    fn theory(&self, cell: &Shown<'_>, measure: &Measure) -> Option<f64> {
        let is_of = |theory: &&results::Theory| {
            theory.variant == cell.result.variant
                && theory.point == cell.result.point
                && theory.of == measure.name
        };
        self.results.theory.iter().find(is_of).map(|theory| theory.theory)
    }

    /// The part of a run that is shown.
    fn stretch(&self, cell: &Shown<'_>) -> Window {
        let (of, question) = (cell.trials.cell, &self.experiment.question);
        let end = cell.recorder().map_or(Time::ZERO + of.length, Recorder::end);
        let stretch = course::stretch(self.entry, &of.faults, question.seed, of.length);
        Window { from: stretch.from.min(end), until: stretch.until.min(end) }
    }

    /// Faults of a run within the part of it that is shown.
    fn faults_of(&self, cell: &Shown<'_>, trial: &Trial) -> Vec<(String, f64, f64)> {
        let Window { from, until } = self.stretch(cell);
        let (from, until) = (from.as_secs_f64(), until.as_secs_f64());
        trial
            .faults
            .iter()
            .map(|(name, begin, end)| {
                (name.clone(), begin.as_secs_f64().max(from), end.as_secs_f64().min(until))
            })
            .filter(|(_, begin, end)| begin <= end)
            .collect()
    }

    /// The same of the first run.
    fn faults(&self, group: &[&'a Shown<'a>]) -> Vec<(String, f64, f64)> {
        let first = group.first().and_then(|cell| Some((cell, cell.trials.trials.first()?)));
        first.map_or(Vec::new(), |(cell, trial)| self.faults_of(cell, trial))
    }
}

/// What is to be kept, as people write it.
fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Below => "<",
        BinaryOp::AtMost => "≤",
        BinaryOp::Above => ">",
        BinaryOp::AtLeast => "≥",
        _ => "=",
    }
}

/// A measure without the stretch that it is of.
fn without_stretch(name: &str) -> String {
    match name.split_once(", during=") {
        Some((before, after)) => {
            let end = after.find([',', ')']).unwrap_or(after.len());
            format!("{before}{}", &after[end..])
        }
        None => name.to_owned(),
    }
}
