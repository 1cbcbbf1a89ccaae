//! Measures over time and over a sweep, distributions, points.

use crate::experiment::course::Points;
use crate::experiment::draw::data::{along, distribution, is_wide, path_axis, told};
use crate::experiment::draw::{Drawing, Mean, Measure, Shown, finding};
use crate::experiment::pictures::{Axis, Bound, Curve, Plot, PlotKind};
use crate::experiment::trial::Trial;

/// From so many runs on a band leaves out the tenth at each end.
const QUANTILES_FROM: usize = 10;
/// Faults of two runs are at the same time if they are no farther apart, seconds.
const SAME: f64 = 1e-3;

impl<'a> Drawing<'a> {
    pub(super) fn over_time(&self) -> Vec<Plot> {
        let mut plots = Vec::new();
        let groups = self.by_unit();
        for (label, group) in self.groups(&[]) {
            let alike = group.iter().all(|cell| self.has_faults_alike(cell));
            let faults = self.faults(&group);
            let note = match (self.runs(), alike) {
                (0 | 1, _) => format!("seed {}", self.experiment.question.seed),
                (_, false) => format!(
                    "seed {} alone: what goes wrong does so at other times in each run",
                    self.experiment.question.seed
                ),
                (runs, true) if runs < QUANTILES_FROM => {
                    format!("mean of {runs} runs; the band is from the least to the greatest of them")
                }
                (runs, true) => {
                    format!("mean of {runs} runs; the band leaves out the tenth of them at each end")
                }
            };
            for measures in &groups {
                let colours = self.colours(&group);
                let mut series = Vec::new();
                let mut bounds = Vec::new();
                for measure in measures {
                    let (panel, _) = panel_and_name(measure, measures, "", colours.len());
                    bounds.extend(self.bounds(measure, &panel));
                    for (name, cells) in &colours {
                        let Some(cell) = cells.first() else { continue };
                        let (panel, name) = panel_and_name(measure, measures, name, colours.len());
                        let mut curve = self.course(cell, measure, alike);
                        (curve.name, curve.panel) = (name, panel);
                        series.push(curve);
                    }
                }
                let finding = finding::over_time(&series, &measures[0].unit);
                plots.push(Plot {
                    name: String::new(),
                    title: self.title(&names(measures), groups.len() == 1, &label, finding),
                    note: note.clone(),
                    x: Axis { label: "time".to_owned(), unit: "s".to_owned(), log: false },
                    y: self.value_axis(measures, measures[0].spreads && is_wide(&series)),
                    kind: PlotKind::Line { series, faults: faults.clone(), bounds },
                });
            }
        }
        plots
    }

    /// Whether the same goes wrong at the same times in all runs of a cell.
    fn has_faults_alike(&self, cell: &Shown<'_>) -> bool {
        let of = |trial: &Trial| self.faults_of(cell, trial);
        let first = cell.trials.trials.first().map_or(Vec::new(), of);
        cell.trials.trials.iter().all(|trial| {
            let own = of(trial);
            let same = |(a, b): (&(String, f64, f64), &(String, f64, f64))| {
                a.0 == b.0 && (a.1 - b.1).abs() <= SAME && (a.2 - b.2).abs() <= SAME
            };
            own.len() == first.len() && own.iter().zip(&first).all(same)
        })
    }

    /// How a measure went, in the mean over runs with a band, or in the first one.
    fn course(&self, cell: &Shown<'_>, measure: &Measure, all: bool) -> Curve {
        let of = cell.trials.cell;
        let asked = crate::experiment::course::stretch(
            self.entry,
            &of.faults,
            self.experiment.question.seed,
            of.length,
        );
        let is_it = |one: &crate::experiment::course::Asked| {
            one.stretch == asked && of.measures[one.measure].name == measure.name
        };
        let Some(place) = of.courses.iter().position(is_it) else { return Curve::default() };
        let trials = &cell.trials.trials
            [..if all { cell.trials.trials.len() } else { 1.min(cell.trials.trials.len()) }];
        let courses = || trials.iter().map(|trial| &trial.courses[place]);
        let level = courses().map(|course| course.level(measure.tail)).max().unwrap_or(0);
        let runs: Vec<&Points> = courses().filter_map(|course| course.levels.get(level)).collect();
        mean(&runs)
    }

    pub(super) fn over_sweep(&self) -> Vec<Plot> {
        let Some(x) = self.entry.x.as_deref() else { return Vec::new() };
        let (groups, axis) = (self.by_unit(), path_axis(x, &self.cells));
        let mut plots = Vec::new();
        for (label, group) in self.groups(&[x]) {
            for measures in &groups {
                let colours = self.colours(&group);
                let (mut series, mut theories, mut bounds) = (Vec::new(), Vec::new(), Vec::<Bound>::new());
                for measure in measures {
                    let (panel, _) = panel_and_name(measure, measures, "", colours.len());
                    bounds.extend(self.bounds(measure, &panel));
                    for (name, cells) in &colours {
                        let (panel, name) = panel_and_name(measure, measures, name, colours.len());
                        let curve = |of_theory, value: &dyn Fn(&Shown<'_>) -> Option<Mean>| {
                            let name = if of_theory { format!("{name} (theory)") } else { name.clone() };
                            Curve { name, panel: panel.clone(), of_theory, ..along(cells, x, value) }
                        };
                        series.push(curve(false, &|cell| cell.mean(&measure.name)));
                        let mut theory = curve(true, &|cell| Some((self.theory(cell, measure)?, None)));
                        if theory.points.len() > 1 {
                            theory.points = self.between(cells, measure, &axis);
                            theories.push(theory);
                        }
                    }
                }
                let finding = finding::over_sweep(&series, &measures[0].unit, &axis);
                let log = measures[0].spreads && is_wide(&series);
                series.extend(theories);
                plots.push(Plot {
                    name: String::new(),
                    title: self.title(&names(measures), groups.len() == 1, &label, finding),
                    note: interval_note(self.runs()),
                    x: axis.clone(),
                    y: self.value_axis(measures, log),
                    kind: PlotKind::Line { series, faults: Vec::new(), bounds },
                });
            }
        }
        plots
    }

    /// Latencies of successes: those of failures are no latencies. Who has some says how many succeed.
    pub(super) fn distributions(&self) -> Vec<Plot> {
        let mut plots = Vec::new();
        for (label, group) in self.groups(&[]) {
            let colours = self.colours(&group);
            let programs: Vec<&str> = self.entry.of.iter().map(|program| program.as_str()).collect();
            let mut curves = Vec::new();
            let mut failing = Vec::new();
            for program in &programs {
                for (name, cells) in &colours {
                    let Some(cell) = cells.first() else { continue };
                    let Some(points) = distribution(cell, program) else { continue };
                    let (panel, name) = match (programs.len(), colours.len()) {
                        (1, _) => (String::new(), name.clone()),
                        (_, 1) => (String::new(), (*program).to_owned()),
                        _ => ((*program).to_owned(), name.clone()),
                    };
                    if let Some((success, _)) = cell.mean(&format!("success({program})"))
                        && success < 0.9995
                    {
                        let of = if panel.is_empty() { name.clone() } else { format!("{name}, {panel}") };
                        failing.push(format!("{} of {of}", told(success, "%")));
                    }
                    curves.push(Curve { name, panel, points, ..Curve::default() });
                }
            }
            alone_together(&mut curves);
            let least = curves.iter().filter_map(|curve| curve.points.first()).map(|(x, _)| *x);
            let log = least.fold(f64::INFINITY, f64::min) > 0.0;
            let mut note = format!("successes of seed {}", self.experiment.question.seed);
            if !failing.is_empty() {
                let more = failing.len().saturating_sub(3);
                failing.truncate(3);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                note += &format!("; they are {}{more}", failing.join(", "));
            }
            let of = programs.join(", ");
            plots.push(Plot {
                name: String::new(),
                title: self.title(&of, true, &label, finding::distribution(&curves)),
                note,
                x: Axis {
                    label: format!("latency of {of}"),
                    unit: "s".to_owned(),
                    log: self.entry.log.unwrap_or(log),
                },
                y: Axis {
                    label: "share of successes that were as fast".to_owned(),
                    unit: "%".to_owned(),
                    log: false,
                },
                kind: PlotKind::Cdf { curves },
            });
        }
        plots
    }

    /// One point for each run.
    pub(super) fn scatter(&self) -> Vec<Plot> {
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
            Curve { name, points, ..Curve::default() }
        };
        vec![Plot {
            name: String::new(),
            title: self.title(&format!("{} against {}", y.name, x.name), true, "", None),
            note: "a point for each run".to_owned(),
            x: Axis { label: x.name.clone(), unit: x.unit.clone(), log: false },
            y: self.value_axis(std::slice::from_ref(y), false),
            kind: PlotKind::Scatter { points: self.colours(&self.cells).into_iter().map(cloud).collect() },
        }]
    }
}

/// What an interval is of.
pub(super) fn interval_note(runs: usize) -> String {
    match runs {
        0 | 1 => "one run".to_owned(),
        runs => format!("mean of {runs} runs with its 95 % interval"),
    }
}

fn names(measures: &[Measure]) -> String {
    measures.iter().map(|measure| measure.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The panel and name of a curve: of several measures of one thing each has a colour, of several things each measure a panel.
fn panel_and_name(measure: &Measure, measures: &[Measure], name: &str, colours: usize) -> (String, String) {
    let name = if name.is_empty() || measures.len() > 1 && colours == 1 { &measure.name } else { name };
    let panel = if measures.len() > 1 && colours > 1 { &measure.name } else { "" };
    (panel.to_owned(), name.to_owned())
}

/// Where each panel has but one curve, they can be in one.
fn alone_together(curves: &mut [Curve]) {
    let alone = |curve: &Curve| curves.iter().filter(|other| other.panel == curve.panel).count() == 1;
    if curves.iter().all(alone) {
        for curve in curves.iter_mut().filter(|curve| !curve.panel.is_empty()) {
            curve.name = format!("{}, {}", curve.name, std::mem::take(&mut curve.panel));
        }
    }
}

/// The mean over runs, slice by slice, and the band of their values; a slice counts if it is defined in half of the runs.
fn mean(runs: &[&Points]) -> Curve {
    let mut at: Vec<(f64, Vec<f64>)> = Vec::new();
    for (x, y) in runs.iter().flat_map(|points| points.iter()) {
        match at.binary_search_by(|(known, _)| known.total_cmp(x)) {
            Ok(place) => at[place].1.push(*y),
            Err(place) => at.insert(place, (*x, vec![*y])),
        }
    }
    at.retain(|(_, values)| 2 * values.len() >= runs.len());
    let mut curve = Curve::default();
    let mut band = Vec::new();
    for (x, mut values) in at {
        values.sort_by(f64::total_cmp);
        let out = if values.len() >= QUANTILES_FROM { values.len() / 10 } else { 0 };
        band.push((x, values[out], values[values.len() - 1 - out]));
        curve.points.push((x, values.iter().sum::<f64>() / values.len() as f64));
    }
    curve.band = (runs.len() > 1).then_some(band);
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_of_all_runs_but_the_tenth_at_each_end() {
        let runs: Vec<Points> = (0..20).map(|run| vec![(1.0, f64::from(run)), (2.0, 7.0)]).collect();
        let curve = mean(&runs.iter().collect::<Vec<_>>());
        assert_eq!(curve.points, [(1.0, 9.5), (2.0, 7.0)]);
        assert_eq!(curve.band, Some(vec![(1.0, 2.0, 17.0), (2.0, 7.0, 7.0)]));
        let (one, none) = (vec![(1.0, 3.0)], Vec::new());
        assert_eq!(mean(&[&one]).band, None, "one run has none");
        assert_eq!(mean(&[&one, &none, &none]).points, [], "it is undefined in most runs");
    }
}
