//! What theory says along an axis: a curve, and not only at the places where something was run.

use crate::base::math;
use crate::base::quantity::Quantity;
use crate::experiment::cell::Cell;
use crate::experiment::draw::data::placed;
use crate::experiment::draw::{Drawing, Measure, Shown};
use crate::experiment::load::theories_of;
use crate::experiment::pictures::Axis;
use crate::experiment::theory::{Numbers, evaluate};
use crate::program::syntax::expression;

/// Into so many pieces the curve between two cells is cut.
const PIECES: usize = 24;

/// A design with another value of one parameter.
struct Changed<'a> {
    cell: &'a Cell,
    path: &'a str,
    value: Quantity,
}

impl Numbers for Changed<'_> {
    fn parameter(&self, path: &str) -> Option<Quantity> {
        if path == self.path { Some(self.value) } else { self.cell.parameter(path) }
    }

    fn latency(&self, from: &str, to: &str) -> Option<Quantity> {
        self.cell.latency(from, to)
    }
}

impl Drawing<'_> {
    /// What theory says along an axis, between two cells as well where one form speaks of both and follows what is along the axis.
    pub(super) fn between(&self, cells: &[&Shown<'_>], measure: &Measure, axis: &Axis) -> Vec<(f64, f64)> {
        let mut known: Vec<(f64, Quantity, f64, &Shown<'_>)> = cells
            .iter()
            .filter_map(|cell| {
                let (x, quantity) = placed(cell.at(&axis.label))?;
                Some((x, quantity, self.theory(cell, measure)?, *cell))
            })
            .collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut points = Vec::new();
        for pair in known.windows(2) {
            let [(from, start, y, cell), (until, end, there, other)] = pair else { continue };
            points.push((*from, *y));
            let at = |share: f64, cell| {
                let way = |from: f64, until: f64| match axis.log {
                    true => math::exp(math::ln(from) * (1.0 - share) + math::ln(until) * share),
                    false => from + (until - from) * share,
                };
                let value = Quantity { value: way(start.value, end.value), exact: None, unit: start.unit };
                Some((way(*from, *until), self.theory_at(cell, measure, &axis.label, value)?))
            };
            // the form follows the axis, and nothing else that differs between the two
            let close = |value: Option<(f64, f64)>, expected: f64| {
                value.is_some_and(|(_, value)| (value - expected).abs() <= 1e-9 * expected.abs())
            };
            if close(at(1.0, cell), *there) && close(at(0.0, other), *y) {
                points.extend((1..PIECES).filter_map(|step| at(step as f64 / PIECES as f64, cell)));
            }
        }
        points.extend(known.last().map(|(x, _, y, _)| (*x, *y)));
        points
    }

    /// What theory would say of a measure in a cell if a parameter had this value.
    fn theory_at(&self, cell: &Shown<'_>, measure: &Measure, path: &str, value: Quantity) -> Option<f64> {
        let (_, named) = cell.measure(&measure.name)?;
        let mut entries = theories_of(&self.experiment.question, &cell.trials.cell.variant);
        let text = entries.find(|entry| named.text_is(&entry.of))?.at(cell.trials.cell.point)?;
        let changed = Changed { cell: cell.trials.cell, path, value };
        Some(evaluate(&expression(text.as_str()).ok()?, &changed).ok()?.value)
    }
}
