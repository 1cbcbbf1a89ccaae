//! From plots as written and what the trials recorded to pictures as plain data.
//!
//! Cells have dimensions: the variant and each swept path. A plot puts one along its horizontal axis (`x`, or time) and
//! gives the values of another a colour each (`by`); what is left over makes a picture, or a group of bars, each.

mod data;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::time::{Span, Time};
use crate::design::places::nowhere;
use crate::design::text::Text;
use crate::experiment::draw::data::{above_zero, along, distribution, in_slices, is_wide, path_axis, told};
use crate::experiment::load::{Experiment, Named};
use crate::experiment::outcome::CellTrials;
use crate::experiment::pictures::{Axis, BarGroup, Curve, GridLine, Plot, PlotKind, TimelineRow};
use crate::experiment::plot::{PlotEntry, Shape, VARIANT};
use crate::experiment::results::{self, Results};
use crate::measures::Dimension;
use crate::program::syntax::expression;
use crate::record::recorder::Recorder;
use crate::record::series::Window;

/// A run is cut into at most so many slices for pictures over time.
const SLICES: usize = 200;
/// Pictures of one plot at most; of more, evenly chosen ones are drawn.
const PICTURES_MAX: usize = 12;

/// All plots of an experiment, in file order; the distribution of each workload's latency when it asks for none.
pub fn draw(experiment: &Experiment, cells: &[CellTrials<'_>], results: &Results) -> Vec<Plot> {
    let shown: Vec<Shown<'_>> = cells
        .iter()
        .zip(&results.cells)
        .map(|(trials, result)| Shown { trials, result, dimensions: dimensions(experiment, trials) })
        .collect();
    let own = [latencies(experiment)];
    let entries = if experiment.question.plots.is_empty() { &own[..] } else { &experiment.question.plots };
    let mut plots = Vec::new();
    for entry in entries {
        let chosen = |cell: &&Shown<'_>| {
            entry.variants.is_empty() || entry.variants.contains(&cell.trials.cell.variant)
        };
        let cells: Vec<&Shown<'_>> = shown.iter().filter(chosen).collect();
        let drawing = Drawing::new(experiment, entry, cells);
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

fn dimensions(experiment: &Experiment, trials: &CellTrials<'_>) -> BTreeMap<String, String> {
    let mut dimensions = experiment.points[trials.cell.point].shown.clone();
    dimensions.insert(VARIANT.to_owned(), trials.cell.variant.clone());
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

    fn mean(&self, name: &str) -> Option<(f64, Option<[f64; 2]>)> {
        let estimate = self.result.measures.get(name)?;
        Some((estimate.mean?, estimate.ci95))
    }

    fn recorder(&self) -> Option<&Recorder> {
        self.trials.trials.first()?.recorder.as_ref()
    }
}

struct Drawing<'a> {
    experiment: &'a Experiment,
    entry: &'a PlotEntry,
    cells: Vec<&'a Shown<'a>>,
    by: String,
}

/// A measure of a plot: its name in results, its unit, and whether it is a time that spreads over orders of magnitude,
/// as percentiles do.
struct Measure {
    name: String,
    unit: String,
    spreads: bool,
}

impl<'a> Drawing<'a> {
    fn new(experiment: &'a Experiment, entry: &'a PlotEntry, cells: Vec<&'a Shown<'a>>) -> Self {
        let one_variant = cells.iter().all(|cell| cell.at(VARIANT) == cells[0].at(VARIANT));
        let other = || {
            let mut paths = cells.first()?.dimensions.keys();
            paths.find(|path| *path != VARIANT && Some(*path) != entry.x.as_ref()).cloned()
        };
        let by = entry.by.clone().or_else(|| if one_variant { other() } else { None });
        Drawing { experiment, entry, by: by.unwrap_or_else(|| VARIANT.to_owned()), cells }
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
                Some(Measure { name, unit: expression.unit().unit().to_owned(), spreads })
            })
            .collect()
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

    fn title(&self, measure: &str, alone: bool, label: &str) -> String {
        let mut title = match (self.entry.title.as_str(), alone) {
            ("", _) => measure.to_owned(),
            (title, true) => title.to_owned(),
            (title, false) => format!("{title}: {measure}"),
        };
        if !label.is_empty() {
            title = format!("{title} ({label})");
        }
        title
    }

    fn value_axis(&self, measure: &Measure, log: bool) -> Axis {
        Axis { label: measure.name.clone(), unit: measure.unit.clone(), log: self.entry.log.unwrap_or(log) }
    }

    /// The part of a run that is shown.
    fn stretch(&self, cell: &Shown<'_>) -> Window {
        let end = cell.recorder().map_or(Time::ZERO + cell.trials.cell.length, Recorder::end);
        let (from, to) = self.entry.stretch;
        Window {
            from: (Time::ZERO + from).min(end),
            until: (Time::ZERO + to.min(cell.trials.cell.length)).min(end),
        }
    }

    /// Faults within the part of a run that is shown.
    fn faults(&self, group: &[&'a Shown<'a>]) -> Vec<(String, f64, f64)> {
        let Some(cell) = group.first() else { return Vec::new() };
        let Window { from, until } = self.stretch(cell);
        let (from, until) = (from.as_secs_f64(), until.as_secs_f64());
        let times = cell.trials.trials.first().map_or(&[][..], |trial| &trial.faults);
        times
            .iter()
            .map(|(name, begin, end)| {
                (name.clone(), begin.as_secs_f64().max(from), end.as_secs_f64().min(until))
            })
            .filter(|(_, begin, end)| begin <= end)
            .collect()
    }

    fn over_time(&self) -> Vec<Plot> {
        let measures = self.measures();
        let mut plots = Vec::new();
        for (label, group) in self.groups(&[]) {
            let faults = self.faults(&group);
            let mut series: Vec<Vec<Curve>> = measures.iter().map(|_| Vec::new()).collect();
            for (name, cells) in self.colours(&group) {
                let Some((cell, recorder)) = cells.first().and_then(|cell| Some((cell, cell.recorder()?)))
                else {
                    continue;
                };
                let sliced = recorder.sliced(SLICES, self.stretch(cell));
                for (measure, series) in measures.iter().zip(&mut series) {
                    series.push(Curve {
                        name: name.clone(),
                        points: in_slices(cell, measure, &sliced),
                        band: None,
                    });
                }
            }
            for (measure, series) in measures.iter().zip(series) {
                plots.push(Plot {
                    name: String::new(),
                    title: self.title(&measure.name, measures.len() == 1, &label),
                    x: Axis { label: "time".to_owned(), unit: "s".to_owned(), log: false },
                    y: self.value_axis(measure, measure.spreads && is_wide(&series)),
                    kind: PlotKind::Line { series, faults: faults.clone() },
                });
            }
        }
        plots
    }

    fn over_sweep(&self) -> Vec<Plot> {
        let Some(x) = self.entry.x.as_deref() else { return Vec::new() };
        let (measures, axis) = (self.measures(), path_axis(x, &self.cells));
        let mut plots = Vec::new();
        for (label, group) in self.groups(&[x]) {
            for measure in &measures {
                let series: Vec<Curve> = self
                    .colours(&group)
                    .into_iter()
                    .map(|(name, cells)| along(name, &cells, x, &measure.name))
                    .collect();
                plots.push(Plot {
                    name: String::new(),
                    title: self.title(&measure.name, measures.len() == 1, &label),
                    x: axis.clone(),
                    y: self.value_axis(measure, measure.spreads && is_wide(&series)),
                    kind: PlotKind::Line { series, faults: Vec::new() },
                });
            }
        }
        plots
    }

    fn distributions(&self) -> Vec<Plot> {
        let mut plots = Vec::new();
        for (label, group) in self.groups(&[]) {
            for program in &self.entry.of {
                let program = program.as_str();
                let curves: Vec<Curve> = self
                    .colours(&group)
                    .into_iter()
                    .filter_map(|(name, cells)| {
                        Some(Curve { name, points: distribution(cells.first()?, program)?, band: None })
                    })
                    .collect();
                let least = curves.iter().filter_map(|curve| curve.points.first()).map(|(x, _)| *x);
                let log = least.fold(f64::INFINITY, f64::min) > 0.0;
                plots.push(Plot {
                    name: String::new(),
                    title: self.title(program, self.entry.of.len() == 1, &label),
                    x: Axis {
                        label: format!("latency of {program}"),
                        unit: "s".to_owned(),
                        log: self.entry.log.unwrap_or(log),
                    },
                    y: Axis { label: "share of requests".to_owned(), unit: "1".to_owned(), log: false },
                    kind: PlotKind::Cdf { curves },
                });
            }
        }
        plots
    }

    fn bars(&self) -> Vec<Plot> {
        let measures = self.measures();
        let draw = |measure: &Measure| {
            let bars = |group: &[&'a Shown<'a>]| -> Vec<(String, f64, Option<[f64; 2]>)> {
                let colours = self.colours(group).into_iter();
                let bar = |(name, cells): (String, Vec<&Shown<'_>>)| {
                    let (mean, interval) = cells.first()?.mean(&measure.name)?;
                    Some((name, mean, interval))
                };
                colours.filter_map(bar).collect()
            };
            let groups = self.groups(&[]).into_iter();
            let groups = groups.map(|(label, group)| BarGroup { bars: bars(&group), label }).collect();
            Plot {
                name: String::new(),
                title: self.title(&measure.name, measures.len() == 1, ""),
                x: Axis::default(),
                y: self.value_axis(measure, false),
                kind: PlotKind::Bars { groups },
            }
        };
        measures.iter().map(draw).collect()
    }

    /// One point for each run.
    fn scatter(&self) -> Vec<Plot> {
        let measures = self.measures();
        let [x, y] = &measures[..] else { return Vec::new() };
        let cloud = |(name, cells): (String, Vec<&'a Shown<'a>>)| {
            let values = |cell: &Shown<'_>, trial: usize, of: &Measure| {
                let (index, _) = cell.measure(&of.name)?;
                cell.trials.trials[trial].values[index].as_ref().ok().copied()
            };
            let runs =
                cells.iter().flat_map(|cell| (0..cell.trials.trials.len()).map(move |run| (*cell, run)));
            let mut points: Vec<(f64, f64)> =
                runs.filter_map(|(cell, run)| Some((values(cell, run, x)?, values(cell, run, y)?))).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            Curve { name, points, band: None }
        };
        vec![Plot {
            name: String::new(),
            title: self.title(&format!("{} against {}", y.name, x.name), true, ""),
            x: Axis { label: x.name.clone(), unit: x.unit.clone(), log: false },
            y: self.value_axis(y, false),
            kind: PlotKind::Scatter { points: self.colours(&self.cells).into_iter().map(cloud).collect() },
        }]
    }

    /// When faults were at work, and when each measure was above zero.
    fn timeline(&self) -> Vec<Plot> {
        let measures = self.measures();
        let picture = |(label, group): (String, Vec<&'a Shown<'a>>)| {
            let mut rows: Vec<TimelineRow> = Vec::new();
            for (name, from, until) in self.faults(&group) {
                let span = (name.clone(), from, until);
                match rows.iter_mut().find(|row| row.name == name) {
                    Some(row) => row.spans.push(span),
                    None => rows.push(TimelineRow { name, spans: vec![span] }),
                }
            }
            for (colour, cells) in self.colours(&group) {
                let Some((cell, recorder)) = cells.first().and_then(|cell| Some((cell, cell.recorder()?)))
                else {
                    continue;
                };
                let sliced = recorder.sliced(SLICES, self.stretch(cell));
                for measure in &measures {
                    let spans = above_zero(&in_slices(cell, measure, &sliced), &sliced);
                    rows.push(TimelineRow { name: format!("{colour}: {}", measure.name), spans });
                }
            }
            Plot {
                name: String::new(),
                title: self.title("what happened when", true, &label),
                x: Axis { label: "time".to_owned(), unit: "s".to_owned(), log: false },
                y: Axis::default(),
                kind: PlotKind::Timeline { rows },
            }
        };
        self.groups(&[]).into_iter().map(picture).collect()
    }

    fn grid(&self) -> Vec<Plot> {
        let [down, across] = &self.entry.axes[..] else { return Vec::new() };
        let values = |axis: &str| {
            let mut values: Vec<String> = Vec::new();
            for cell in &self.cells {
                if !values.iter().any(|known| known == cell.at(axis)) {
                    values.push(cell.at(axis).to_owned());
                }
            }
            values
        };
        let (rows, columns) = (values(down), values(across));
        let find = |row: &str, column: &str| {
            self.cells.iter().find(|cell| cell.at(down) == row && cell.at(across) == column)
        };
        let line = |row: &String| {
            columns
                .iter()
                .map(|column| find(row, column).map_or_else(Vec::new, |cell| self.words(cell)))
                .collect()
        };
        let cells = rows.iter().map(line).collect();
        vec![Plot {
            name: String::new(),
            title: self.title(&format!("{down} and {across}"), true, ""),
            x: Axis { label: across.clone(), ..Axis::default() },
            y: Axis { label: down.clone(), ..Axis::default() },
            kind: PlotKind::Grid { columns, rows, cells },
        }]
    }

    /// What stands in a cell of a grid: a line for each property and measure.
    fn words(&self, cell: &Shown<'_>) -> Vec<GridLine> {
        let line = |text: &Text| {
            if let Some(property) = cell.result.properties.get(text.as_str()) {
                let verdict = match property.outcome.as_str() {
                    "holds" => Some(true),
                    "violated" => Some(false),
                    _ => None,
                };
                let (name, value) = (text.as_str().to_owned(), property.outcome.clone());
                return Some(GridLine { name, value, verdict });
            }
            let name = expression(text.as_str()).map_or(String::new(), |expr| expr.value.to_string());
            let measure = cell.result.measures.get(&name)?;
            let value = measure.mean.map_or("undefined".to_owned(), |mean| told(mean, &measure.unit));
            Some(GridLine { name, value, verdict: None })
        };
        self.entry.of.iter().filter_map(line).collect()
    }
}
