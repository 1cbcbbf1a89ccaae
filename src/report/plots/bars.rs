//! Groups of bars with their intervals. They lie, so that each has its name beside it, and its value: nobody has to look for a colour in a
//! legend.

use super::axis::Ruler;
use super::frame::{SIZE, SMALL, head};
use super::palette::{BAD, FAINT, GREY, HUES, INK, Look, PLAIN, looks};
use super::picture::{Picture, Shape, Side, cut, width_of};
use crate::report::input::{BarGroup, Bound, Length, Plot};
use crate::report::text::value;

/// Height of a bar and of what is between two.
const ROW: f64 = 27.0;
/// Height of a heading, of what is between two groups.
const HEADING: f64 = 30.0;
/// The widest name.
const NAME_MAX: f64 = 260.0;
/// Room for the values to the right.
const VALUE: f64 = 110.0;

/// Bars from zero (or the foot of a logarithmic axis) to the right, or to the left from zero.
pub fn bars(plot: &Plot, groups: &[BarGroup], bounds: &[Bound], variants: &[String]) -> Picture {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let widest = bars().map(|bar| width_of(&cut(&bar.name, SMALL, NAME_MAX), SMALL)).fold(0.0, f64::max);
    let (left, right) = (32.0 + widest, SIZE.0 - VALUE);
    let beside = bars().flat_map(|bar| bar.ci95.into_iter().flatten().chain(bar.theory));
    let values = bars().map(|bar| bar.value);
    let x = Ruler::around(&plot.y, values, beside.chain(bounds.iter().map(|bound| bound.value)), (true, 6));
    let looks = colours(groups, variants);
    let mut picture = Picture { width: SIZE.0, height: 0.0, shapes: Vec::new() };
    let top = head(&mut picture, plot) + if bounds.is_empty() { 6.0 } else { 26.0 };
    let headings = groups.iter().filter(|group| !group.label.is_empty()).count() as f64;
    let bottom = top + HEADING * headings + ROW * bars().count().max(1) as f64 + 6.0;
    picture.height = bottom + 62.0;
    let across = |share: f64| left + share * (right - left);
    for (at, text) in &x.ticks {
        let Some(share) = x.share(*at) else { continue };
        picture.line(vec![(across(share), top), (across(share), bottom)], FAINT, 0.5, 0);
        picture.text((across(share), bottom + 16.0), text, SMALL, GREY, Side::Middle);
    }
    picture.text((f64::midpoint(left, right), bottom + 42.0), &x.title, SMALL, INK, Side::Middle);
    let mut y = top;
    for group in groups {
        if !group.label.is_empty() {
            let text = cut(&group.label, SMALL, SIZE.0 - 32.0);
            picture.text((16.0, y + HEADING / 2.0 + 2.0), &text, SMALL, GREY, Side::Left);
            y += HEADING;
        }
        // The axis does not go through headings.
        picture.line(vec![(left, y), (left, y + ROW * group.bars.len() as f64)], GREY, 0.5, 0);
        for bar in &group.bars {
            let look =
                looks.iter().find(|(name, _)| *name == bar.name).map_or(PLAIN, |(_, look)| look.colour);
            row(&mut picture, &x, bar, (y + ROW / 2.0, left), &across, &plot.y.unit, look);
            y += ROW;
        }
    }
    for bound in bounds {
        let Some(at) = x.within(bound.value).map(across) else { continue };
        picture.line(vec![(at, top), (at, bottom)], BAD, 1.5, 1);
        let half = width_of(&bound.text, SMALL) / 2.0;
        let middle = at.clamp(16.0 + half, (SIZE.0 - 16.0 - half).max(16.0 + half));
        picture.text((middle, top - 10.0), &bound.text, SMALL, BAD, Side::Middle);
    }
    picture
}

/// A colour for each name where there are few.
fn colours<'a>(groups: &'a [BarGroup], variants: &[String]) -> Vec<(&'a str, Look)> {
    let mut names: Vec<&str> = Vec::new();
    for bar in groups.iter().flat_map(|group| &group.bars) {
        if !names.contains(&bar.name.as_str()) {
            names.push(&bar.name);
        }
    }
    if names.len() > HUES || variants.len() > HUES {
        return Vec::new();
    }
    let looks = looks(&names, variants);
    names.into_iter().zip(looks).collect()
}

/// A bar with its name, its interval, what theory says, and its value.
fn row(
    picture: &mut Picture,
    x: &Ruler,
    bar: &Length,
    (y, left): (f64, f64),
    across: &impl Fn(f64) -> f64,
    unit: &str,
    colour: super::palette::Colour,
) {
    picture.text((left - 10.0, y), &cut(&bar.name, SMALL, NAME_MAX), SMALL, INK, Side::Right);
    let Some(end) = x.within(bar.value).map(across) else {
        return picture.text((left + 8.0, y), "undefined", SMALL, GREY, Side::Left);
    };
    let foot = across(x.within(0.0).unwrap_or(0.0));
    let (from, to) = (foot.min(end), foot.max(end).max(foot.min(end) + 2.0));
    picture.block((from, y - 9.0), (to, y + 9.0), colour, 0.85);
    let mut last = to;
    if let Some([low, high]) = bar.ci95
        && let (Some(low), Some(high)) = (x.within(low), x.within(high))
        && (high - low).abs() > 1e-9
    {
        let (low, high) = (across(low), across(high));
        picture.line(vec![(low, y), (high, y)], INK, 1.0, 0);
        for end in [low, high] {
            picture.line(vec![(end, y - 4.0), (end, y + 4.0)], INK, 1.0, 0);
        }
        last = last.max(high);
    }
    if let Some(at) = bar.theory.and_then(|theory| x.within(theory)).map(across) {
        let points = vec![(at - 5.0, y), (at, y - 6.0), (at + 5.0, y), (at, y + 6.0)];
        picture.shapes.push(Shape::Area {
            points: points.clone(),
            colour: super::palette::PAPER,
            alpha: 1.0,
        });
        picture.line(points.iter().copied().chain([points[0]]).collect(), INK, 1.0, 0);
        last = last.max(at + 5.0);
    }
    picture.text((last + 8.0, y), &value(bar.value, unit), SMALL, INK, Side::Left);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::input::{Axis, PlotKind};

    fn drawn(values: &[(&str, f64)], log: bool) -> Picture {
        let bar = |(name, value): &(&str, f64)| Length {
            name: (*name).to_owned(),
            value: *value,
            ci95: Some([value * 0.5, value * 1.5]),
            theory: None,
        };
        let groups = [BarGroup { label: String::new(), bars: values.iter().map(bar).collect() }];
        let plot = Plot {
            name: String::new(),
            title: "reads".to_owned(),
            note: String::new(),
            x: Axis::default(),
            y: Axis { label: "reads".to_owned(), unit: "1".to_owned(), log },
            kind: PlotKind::Timeline { rows: Vec::new() },
        };
        let variants: Vec<String> = values.iter().map(|(name, _)| (*name).to_owned()).collect();
        bars(&plot, &groups, &[], &variants)
    }

    /// Bars as left end, right end, height and colour.
    fn blocks(picture: &Picture) -> Vec<(f64, f64, f64, super::super::palette::Colour)> {
        let block = |shape: &Shape| match shape {
            Shape::Block { from, to, colour, .. } => Some((from.0, to.0, from.1, *colour)),
            _ => None,
        };
        picture.shapes.iter().filter_map(block).collect()
    }

    fn place(picture: &Picture, wanted: &str) -> (f64, f64) {
        let text = |shape: &Shape| match shape {
            Shape::Text { at, text, .. } if text == wanted => Some(*at),
            _ => None,
        };
        picture.shapes.iter().find_map(text).unwrap_or_else(|| panic!("{wanted}"))
    }

    #[test]
    fn each_bar_has_its_name_before_it_and_its_value_after_it_in_the_order_of_the_file() {
        let picture = drawn(&[("none", 31.0), ("mutex", 1.0), ("lease", 2.0)], false);
        let bars = blocks(&picture);
        for ((name, value), bar) in [("none", "31"), ("mutex", "1"), ("lease", "2")].iter().zip(&bars) {
            let (before, after) = (place(&picture, name), place(&picture, value));
            assert!(before.0 < bar.0 && after.0 > bar.1 && (before.1 - bar.2).abs() < ROW, "{name}: {bar:?}");
        }
        assert!(bars.is_sorted_by(|a, b| a.2 < b.2), "{bars:?}");
        assert!(bars.iter().all(|bar| (bar.0 - bars[0].0).abs() < 1e-9), "all begin at zero: {bars:?}");
        place(&picture, "reads (number)");
    }

    #[test]
    fn a_logarithmic_bar_says_how_many_times_more_than_the_floor() {
        let picture = drawn(&[("none", 1000.0), ("mutex", 1.0), ("never", 0.0)], true);
        let bars = blocks(&picture);
        assert!(bars[1].1 - bars[1].0 <= 2.0 && bars[0].1 - bars[0].0 > 100.0, "{bars:?}");
        place(&picture, "reads (number, log scale)");
        place(&picture, "0");
    }

    #[test]
    fn more_bars_than_hues_are_of_one() {
        let names: Vec<String> = (0..9).map(|number| format!("v{number}")).collect();
        let values: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 2.0)).collect();
        let bars = blocks(&drawn(&values, false));
        assert!(bars.iter().all(|bar| bar.3 == PLAIN), "{bars:?}");
        let few = blocks(&drawn(&values[..8], false));
        assert_eq!(few.iter().filter(|bar| bar.3 == PLAIN).count(), 1, "one of eight hues");
    }
}
