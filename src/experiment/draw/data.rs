//! What pictures show, measured: slices of a run, stretches, swept values, distributions.

use crate::base::quantity::{Quantity, Unit};
use crate::base::time::Span;
use crate::experiment::cells::number;
use crate::experiment::draw::{Mean, Measure, Shown};
use crate::experiment::pictures::{Axis, Curve};
use crate::measures::evaluation::Evaluation;
use crate::measures::expression::Names;
use crate::measures::percentile::{Quantile, percentile};
use crate::record::observed::Open;
use crate::record::recorder::Recorder;
use crate::record::sums::Which;

/// Points of a distribution function: even steps, and more of them in the tail.
const CDF_STEPS: u64 = 200;
/// Values that span more than this are drawn on a logarithmic axis.
const WIDE: f64 = 30.0;
/// A measure in each slice of a run, at the middle of the slice; slices in which it is undefined are left out.
pub(super) fn in_slices(cell: &Shown<'_>, measure: &Measure, sliced: &Recorder) -> Vec<(f64, f64)> {
    let Some((_, named)) = cell.measure(&measure.name) else { return Vec::new() };
    let windows = sliced.windows().iter().enumerate();
    windows
        .filter_map(|(index, window)| {
            let value = named.expression.value(&mut Evaluation::of_slice(sliced, index)).ok()?;
            let middle = (window.from.as_secs_f64() + window.until.as_secs_f64()) / 2.0;
            Some((middle, value))
        })
        .collect()
}

/// A value for people: three significant digits and its unit.
pub(super) fn told(value: f64, unit: &str) -> String {
    if unit == "s" && value >= 0.0 {
        return Span::from_secs_f64(value).to_string();
    }
    let (value, unit) = if unit == "%" { (100.0 * value, " %") } else { (value, unit) };
    let magnitude = if value == 0.0 { 0.0 } else { crate::base::math::log10(value.abs()).floor() };
    let decimals = (2.0 - magnitude).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match unit {
        "1" | "" => text.to_owned(),
        " %" => format!("{text} %"),
        "1/s" => format!("{text}/s"),
        other => format!("{text} {other}"),
    }
}

/// Stretches in which a value is above zero.
pub(super) fn above_zero(points: &[(f64, f64)], sliced: &Recorder) -> Vec<(String, f64, f64)> {
    let half = sliced.windows().first().map_or(0.0, |window| window.span().as_secs_f64() / 2.0);
    let mut spans: Vec<(f64, f64)> = Vec::new();
    for (middle, _) in points.iter().filter(|(_, value)| *value > 0.0) {
        match spans.last_mut().filter(|(_, until)| (middle - half - *until).abs() < half / 2.0) {
            Some((_, until)) => *until = middle + half,
            None => spans.push((middle - half, middle + half)),
        }
    }
    spans.into_iter().map(|(from, until)| ("above 0".to_owned(), from, until)).collect()
}

/// A measure along a swept path, with its interval as a band.
pub(super) fn along(cells: &[&Shown<'_>], x: &str, value: &dyn Fn(&Shown<'_>) -> Option<Mean>) -> Curve {
    let mut found: Vec<(f64, f64, Option<[f64; 2]>)> = cells
        .iter()
        .enumerate()
        .filter_map(|(index, cell)| {
            let (mean, interval) = value(cell)?;
            Some((position(cell.at(x)).map_or(index as f64, |(x, _)| x), mean, interval))
        })
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let band: Vec<(f64, f64, f64)> =
        found.iter().filter_map(|(x, _, interval)| interval.map(|[low, high]| (*x, low, high))).collect();
    let band = (band.len() == found.len() && !band.is_empty()).then_some(band);
    Curve { points: found.iter().map(|(x, mean, _)| (*x, *mean)).collect(), band, ..Curve::default() }
}

/// Where a value stands on its axis, and what it is.
pub(super) fn placed(value: &str) -> Option<(f64, Quantity)> {
    Some((position(value)?.0, number(value)?))
}

/// Where a value stands on its axis, and the unit there.
fn position(value: &str) -> Option<(f64, &'static str)> {
    let quantity = number(value)?;
    Some(match quantity.unit {
        Unit::Span => (quantity.value / 1e9, "s"),
        Unit::Rate => (quantity.value, "1/s"),
        Unit::Bytes => (quantity.value, "B"),
        Unit::BitsPerSecond => (quantity.value, "b/s"),
        Unit::Dollars => (quantity.value, "$"),
        Unit::DollarsPerHour => (quantity.value, "$/h"),
        Unit::Count | Unit::Share | Unit::Factor => (quantity.value, "1"),
    })
}

pub(super) fn path_axis(path: &str, cells: &[&Shown<'_>]) -> Axis {
    let known: Vec<(f64, &str)> = cells.iter().filter_map(|cell| position(cell.at(path))).collect();
    let least = known.iter().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
    let most = known.iter().map(|(x, _)| *x).fold(0.0, f64::max);
    let unit = known.first().map_or("", |(_, unit)| *unit);
    Axis { label: path.to_owned(), unit: unit.to_owned(), log: least > 0.0 && most > least * WIDE }
}

pub(super) fn is_wide(series: &[Curve]) -> bool {
    let values = || series.iter().flat_map(|curve| &curve.points).map(|(_, y)| *y).filter(|y| *y > 0.0);
    values().fold(0.0, f64::max) > values().fold(f64::INFINITY, f64::min) * WIDE
}

/// The distribution of the latencies of a program's successes after the warm-up, of the first run: seconds and the share at or below;
/// as far as what was under way at an edge of the window lets it be known.
pub(super) fn distribution(cell: &Shown<'_>, program: &str) -> Option<Vec<(f64, f64)>> {
    let recorder = cell.recorder()?;
    let window = *recorder.windows().first()?;
    let probe = recorder.probe(cell.trials.cell.setup.probe(program)?);
    let seen = probe.observed((0, window), Which::Ok, Open::AsTheyAre)?;
    let even = (0..=CDF_STEPS).map(|step| 100.0 * step as f64 / CDF_STEPS as f64);
    let tail = [99.6, 99.7, 99.8, 99.9, 99.95, 99.99];
    let mut percents: Vec<f64> = even.chain(tail).collect();
    percents.sort_by(f64::total_cmp);
    let known = |percent: f64| match percentile(&seen, percent) {
        Some(Quantile::At(ns)) => Some((ns as f64 / 1e9, percent / 100.0)),
        Some(Quantile::AtLeast(_)) | None => None,
    };
    let points: Vec<(f64, f64)> = percents.into_iter().map_while(known).collect();
    (!points.is_empty()).then_some(points)
}
