//! Lines with bands, shaded faults and bounds, distribution functions, clouds of points. What would hide each other stands in rectangles of its
//! own that share their axes: E. Tufte, "The Visual Display of Quantitative Information" (1983), calls them small multiples.

use super::axis::Ruler;
use super::frame::{Area, Frame, SIZE, SMALL, Swatch, head, height};
use super::palette::{BAD, FAINT, GREY, HUES, INK, Look, PLAIN, looks};
use super::picture::{Picture, Place, Shape, Side, cut};
use crate::report::input::{Axis, Bound, Curve, Plot};

/// More faults than this are shaded but not named.
const NAMED_FAULTS_MAX: usize = 6;
/// Curves in one rectangle at most.
const TOGETHER_MAX: usize = 4;
/// Two curves hide each other where they are no farther apart than this, of the height ...
const HIDDEN: f64 = 0.012;
/// ... for this share of their points.
const HIDDEN_SHARE: f64 = 0.6;
/// The share of the fastest for which a logarithmic axis makes no room.
const FASTEST: f64 = 0.01;
/// Height of a rectangle among several, its heading included.
const PANEL: f64 = 190.0;

/// How curves are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Line,
    Stairs,
}

/// Lines, with their bands below them and the faults behind everything.
pub fn line(
    plot: &Plot,
    series: &[Curve],
    (faults, bounds): (&[(String, f64, f64)], &[Bound]),
    variants: &[String],
) -> Picture {
    let x = Ruler::around(&plot.x, xs(series), std::iter::empty(), (false, 7));
    let bands = series.iter().flat_map(|curve| curve.band.iter().flatten());
    let beside = bands.flat_map(|(_, low, high)| [*low, *high]).chain(bounds.iter().map(|bound| bound.value));
    let y = Ruler::around(&plot.y, ys(series), beside, (true, 5));
    drawn(plot, series, (&x, &y), (faults, bounds), How::Line, variants)
}

/// Distribution functions as stairs, from zero to one. On a logarithmic axis the fastest hundredth stands at its beginning: of many requests
/// the very fastest are decades below all others.
pub fn cdf(plot: &Plot, curves: &[Curve], variants: &[String]) -> Picture {
    let points = curves.iter().flat_map(|curve| &curve.points);
    let shown = points.filter(|(_, share)| !plot.x.log || *share >= FASTEST).map(|(x, _)| *x);
    let x = Ruler::around(&plot.x, shown, std::iter::empty(), (true, 7));
    let y = Ruler::exact(&Axis { log: false, ..plot.y.clone() }, 0.0, 1.0, 5);
    drawn(plot, curves, (&x, &y), (&[], &[]), How::Stairs, variants)
}

/// What stands behind and over curves.
type Beside<'a> = (&'a [(String, f64, f64)], &'a [Bound]);

fn drawn(
    plot: &Plot,
    series: &[Curve],
    (x, y): (&Ruler, &Ruler),
    beside: Beside<'_>,
    how: How,
    variants: &[String],
) -> Picture {
    let legend = legend(series, variants);
    let mut picture = Picture { width: SIZE.0, height: 0.0, shapes: Vec::new() };
    let top = head(&mut picture, plot);
    let panels = panels(series, x, y, how);
    if panels.len() > 1 {
        let legend = plain(legend, series);
        return multiples(picture, top, &Multiples { panels, series, legend, x, y, how }, beside);
    }
    let shown: Vec<(String, Look)> = if legend.len() > 1 { legend.clone() } else { Vec::new() };
    picture.height = height(top, shown.len());
    let frame = Frame::new(&mut picture, top, x.clone(), y.clone(), &shown, Swatch::Line);
    shaded(&mut picture, &frame, beside.0, true);
    curves(&mut picture, &frame, series.iter().zip(legend.iter().map(|(_, look)| *look)), how);
    bounded(&mut picture, &frame, beside.1.iter());
    picture
}

/// Several rectangles with the same axes.
struct Multiples<'a> {
    panels: Vec<Panel>,
    series: &'a [Curve],
    legend: Vec<(String, Look)>,
    x: &'a Ruler,
    y: &'a Ruler,
    how: How,
}

fn multiples(mut picture: Picture, top: f64, all: &Multiples<'_>, (faults, bounds): Beside<'_>) -> Picture {
    let columns = if [2, 4].contains(&all.panels.len()) { 2 } else { 3 };
    let rows = all.panels.len().div_ceil(columns);
    picture.height = top + 24.0 + PANEL * rows as f64 + 48.0;
    picture.text((16.0, top + 10.0), &cut(&all.y.title, SMALL, SIZE.0 - 32.0), SMALL, INK, Side::Left);
    let wide = (SIZE.0 - 24.0) / columns as f64;
    for (index, panel) in all.panels.iter().enumerate() {
        let (column, row) = (index % columns, index / columns);
        let (left, begin) = (column as f64 * wide, top + 24.0 + PANEL * row as f64);
        let area = Area { left, right: left + wide, top: begin + 26.0, bottom: begin + PANEL };
        let x = all.x.thinned(if all.x.ticks.len() > 4 { columns } else { 1 });
        let frame = Frame::within(&mut picture, area, x, all.y.clone(), true);
        shaded(&mut picture, &frame, faults, index == 0);
        all.draw(&mut picture, &frame, panel);
        bounded(&mut picture, &frame, bounds.iter().filter(|bound| bound.panel == panel.of));
        let heading = cut(&panel.heading(all.series), SMALL, wide - 40.0);
        let colour = if panel.curves.len() == 1 { all.legend[panel.curves[0]].1.colour } else { INK };
        picture.text((frame.across(0.0), begin + 12.0), &heading, SMALL, colour, Side::Left);
    }
    picture.text((SIZE.0 / 2.0, picture.height - 18.0), &all.x.title, SMALL, INK, Side::Middle);
    picture
}

impl Multiples<'_> {
    /// The curves of a rectangle, the others behind them in grey, to compare with.
    fn draw(&self, picture: &mut Picture, frame: &Frame, panel: &Panel) {
        let others = self.series.iter().enumerate().filter(|(place, other)| {
            !panel.curves.contains(place) && other.panel == panel.of && !other.of_theory
        });
        let grey = Look { colour: FAINT, dash: 0 };
        let others = others.map(|(_, curve)| (Curve { band: None, ..curve.clone() }, grey));
        curves(picture, frame, others, self.how);
        let own = panel.curves.iter().map(|place| (&self.series[*place], self.legend[*place].1));
        curves(picture, frame, own, self.how);
        direct(picture, frame, panel, self.series, &self.legend);
    }
}

/// Curves that share a rectangle.
struct Panel {
    of: String,
    curves: Vec<usize>,
}

impl Panel {
    fn heading(&self, series: &[Curve]) -> String {
        let alone = self.curves.iter().filter(|place| !series[**place].of_theory).count() == 1;
        match (alone, self.of.is_empty()) {
            (true, true) => series[self.curves[0]].name.clone(),
            (true, false) => format!("{}, {}", series[self.curves[0]].name, self.of),
            (false, _) => self.of.clone(),
        }
    }
}

/// Who shares a rectangle: those who say so, but no more than can be told apart, and none that hide each other.
fn panels(series: &[Curve], x: &Ruler, y: &Ruler, how: How) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    for (place, curve) in series.iter().enumerate() {
        match panels.iter_mut().find(|panel| panel.of == curve.panel) {
            Some(panel) => panel.curves.push(place),
            None => panels.push(Panel { of: curve.panel.clone(), curves: vec![place] }),
        }
    }
    let crowded = |panel: &Panel| {
        let own: Vec<&Curve> =
            panel.curves.iter().map(|place| &series[*place]).filter(|curve| !curve.of_theory).collect();
        own.len() > TOGETHER_MAX || own.len() > 2 && hide(&own, x, y, how)
    };
    if !panels.iter().any(crowded) {
        return if panels.is_empty() {
            vec![Panel { of: String::new(), curves: Vec::new() }]
        } else {
            panels
        };
    }
    let mut single: Vec<Panel> = Vec::new();
    for panel in panels {
        for place in panel.curves.iter().filter(|place| !series[**place].of_theory) {
            let theory = format!("{} (theory)", series[*place].name);
            let with = panel.curves.iter().filter(|other| series[**other].name == theory);
            single.push(Panel {
                of: panel.of.clone(),
                curves: std::iter::once(place).chain(with).copied().collect(),
            });
        }
    }
    single
}

/// Whether two of them are at one place most of the time: of lines over each other by height where they have points at the same place, of
/// distribution functions beside each other, point by point.
fn hide(curves: &[&Curve], x: &Ruler, y: &Ruler, how: How) -> bool {
    let close = |a: &Curve, (at, value): (f64, f64), b: &Curve, place: usize| match how {
        How::Line => {
            let same = a.points.get(place).zip(b.points.get(place)).filter(|(a, b)| a.0 == b.0);
            let there =
                same.map(|(_, other)| *other).or_else(|| b.points.iter().copied().find(|(x, _)| *x == at));
            there.and_then(|(_, other)| Some((y.within(value)?, y.within(other)?)))
        }
        How::Stairs => b.points.get(place).and_then(|(other, _)| Some((x.within(at)?, x.within(*other)?))),
    };
    let near = |a: &Curve, b: &Curve| {
        let points = a.points.iter().enumerate();
        let hidden = points.filter(|(place, point)| {
            close(a, **point, b, *place).is_some_and(|(one, other)| (one - other).abs() <= HIDDEN)
        });
        !a.points.is_empty() && hidden.count() as f64 >= HIDDEN_SHARE * a.points.len() as f64
    };
    curves.iter().enumerate().any(|(place, a)| curves[place + 1..].iter().any(|b| near(a, b)))
}

/// Names at the ends of the curves of a rectangle with several.
fn direct(picture: &mut Picture, frame: &Frame, panel: &Panel, series: &[Curve], legend: &[(String, Look)]) {
    if panel.curves.len() < 2 {
        return;
    }
    let ends = panel.curves.iter().filter_map(|place| {
        let (x, y) = *series[*place].points.last()?;
        Some((frame.place(x, y)?, *place))
    });
    let mut ends: Vec<(Place, usize)> = ends.collect();
    ends.sort_by(|a, b| a.0.1.total_cmp(&b.0.1).then(a.1.cmp(&b.1)));
    let mut free = f64::NEG_INFINITY;
    for ((_, y), place) in ends {
        let y = (y - 10.0).max(free);
        let right = frame.across(1.0) - 4.0;
        picture.text_on_paper(
            (right, y),
            &cut(&series[place].name, SMALL, 180.0),
            SMALL,
            legend[place].1.colour,
            Side::Right,
        );
        free = y + SMALL + 3.0;
    }
}

/// With more names than hues that can be told apart all are of one: each has its name over its rectangle.
pub(super) fn plain(legend: Vec<(String, Look)>, series: &[Curve]) -> Vec<(String, Look)> {
    let mut names: Vec<&str> = legend.iter().map(|(name, _)| name.trim_end_matches(" (theory)")).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() <= HUES {
        return legend;
    }
    let of = |curve: &Curve| Look { colour: PLAIN, dash: if curve.of_theory { 2 } else { 0 } };
    series.iter().map(|curve| (curve.name.clone(), of(curve))).collect()
}

/// The looks of curves; theory has the colour of what it is about, in dots.
pub(super) fn legend(curves: &[Curve], variants: &[String]) -> Vec<(String, Look)> {
    let own = |curve: &Curve| curve.name.trim_end_matches(" (theory)").to_owned();
    let names: Vec<String> = curves.iter().map(own).collect();
    let looks = looks(&names.iter().map(String::as_str).collect::<Vec<_>>(), variants);
    let look = |(curve, look): (&Curve, Look)| {
        let look = if curve.of_theory { Look { dash: 2, ..look } } else { look };
        (curve.name.clone(), look)
    };
    curves.iter().zip(looks).map(look).collect()
}

fn shaded(picture: &mut Picture, frame: &Frame, faults: &[(String, f64, f64)], named: bool) {
    for (index, (name, from, to)) in faults.iter().enumerate() {
        let (Some(left), Some(right)) = (frame.x.within(*from), frame.x.within(*to)) else { continue };
        let (left, right) = (frame.across(left), frame.across(right).max(frame.across(left) + 1.0));
        picture.block((left, frame.up(1.0)), (right, frame.up(0.0)), GREY, 0.16);
        if named && faults.len() <= NAMED_FAULTS_MAX {
            let room = (frame.across(1.0) - left - 4.0).max(0.0);
            let y = frame.up(1.0) + 10.0 + 16.0 * (index % 2) as f64;
            picture.text((left + 4.0, y), &cut(name, SMALL, room), SMALL, GREY, Side::Left);
        }
    }
}

fn bounded<'a>(picture: &mut Picture, frame: &Frame, bounds: impl Iterator<Item = &'a Bound>) {
    for bound in bounds {
        let Some(level) = frame.y.within(bound.value).map(|share| frame.up(share)) else { continue };
        picture.line(vec![(frame.across(0.0), level), (frame.across(1.0), level)], BAD, 1.5, 1);
        let text = cut(&bound.text, SMALL, frame.across(1.0) - frame.across(0.0));
        let y = if level - SMALL > frame.up(1.0) { level - 10.0 } else { level + 10.0 };
        picture.text_on_paper((frame.across(1.0) - 4.0, y), &text, SMALL, BAD, Side::Right);
    }
}

pub(super) fn xs(curves: &[Curve]) -> impl Iterator<Item = f64> + Clone {
    curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.0))
}

pub(super) fn ys(curves: &[Curve]) -> impl Iterator<Item = f64> + Clone {
    curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1))
}

/// Bands first, so that no line is under one.
fn curves<C: std::borrow::Borrow<Curve>>(
    picture: &mut Picture,
    frame: &Frame,
    all: impl Iterator<Item = (C, Look)>,
    how: How,
) {
    let all: Vec<(C, Look)> = all.collect();
    for (curve, look) in &all {
        band(picture, frame, curve.borrow(), *look);
    }
    for (curve, look) in &all {
        match how {
            How::Line => stroke(picture, frame, curve.borrow(), *look),
            How::Stairs => stairs(picture, frame, curve.borrow(), *look),
        }
    }
}

fn stairs(picture: &mut Picture, frame: &Frame, curve: &Curve, look: Look) {
    let mut stairs: Vec<Place> = Vec::new();
    for (x, y) in &curve.points {
        let Some(place) = frame.place(*x, *y) else { continue };
        let before = stairs.last().map_or(frame.up(0.0), |last| last.1);
        stairs.push((place.0, before));
        stairs.push(place);
    }
    if stairs.len() > 1 {
        picture.line(stairs, look.colour, 2.0, look.dash);
    }
}

fn band(picture: &mut Picture, frame: &Frame, curve: &Curve, look: Look) {
    let Some(band) = &curve.band else { return };
    // What is not finite breaks the band, as it breaks the line.
    for piece in band.split(|(x, low, high)| !(x.is_finite() && low.is_finite() && high.is_finite())) {
        let mut points: Vec<Place> = piece.iter().filter_map(|(x, _, high)| frame.place(*x, *high)).collect();
        points.extend(piece.iter().rev().filter_map(|(x, low, _)| frame.place(*x, *low)));
        if points.len() > 2 {
            picture.shapes.push(Shape::Area { points, colour: look.colour, alpha: 0.18 });
        }
    }
}

fn stroke(picture: &mut Picture, frame: &Frame, curve: &Curve, look: Look) {
    let shown = |(x, y): &(f64, f64)| frame.x.share(*x).is_some() && frame.y.share(*y).is_some();
    for piece in curve.points.split(|point| !shown(point)) {
        let points: Vec<Place> = piece.iter().filter_map(|(x, y)| frame.place(*x, *y)).collect();
        match points.as_slice() {
            [] => {}
            [at] => picture.shapes.push(Shape::Dot { at: *at, radius: 2.0, colour: look.colour, alpha: 1.0 }),
            _ => picture.line(points, look.colour, 2.0, look.dash),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::input::PlotKind;

    fn curve(name: &str, height: f64) -> Curve {
        let points = (0..20).map(|x| (f64::from(x), height * f64::from(x))).collect();
        Curve { name: name.to_owned(), points, ..Curve::default() }
    }

    fn texts(series: &[Curve], bounds: &[Bound], variants: &[String]) -> (Vec<String>, usize) {
        let axis =
            |label: &str, unit: &str| Axis { label: label.to_owned(), unit: unit.to_owned(), log: false };
        let plot = Plot {
            name: String::new(),
            title: "a title".to_owned(),
            note: "mean of 3 runs".to_owned(),
            x: axis("time", "s"),
            y: axis("goodput", "1/s"),
            kind: PlotKind::Timeline { rows: Vec::new() },
        };
        let picture = line(&plot, series, (&[], bounds), variants);
        let mut colours: Vec<_> = Vec::new();
        let mut texts = Vec::new();
        for shape in picture.shapes {
            match shape {
                Shape::Text { text, .. } => texts.push(text),
                Shape::Line { points, colour, .. } if points.len() == 20 && !colours.contains(&colour) => {
                    colours.push(colour);
                }
                _ => {}
            }
        }
        (texts, colours.iter().filter(|colour| **colour != FAINT).count())
    }

    #[test]
    fn lines_that_hide_each_other_or_are_many_stand_apart() {
        let few = [curve("a", 1.0), curve("b", 2.0), curve("c", 3.0)];
        assert_eq!(panels_of(&few), 1);
        assert_eq!(panels_of(&[curve("a", 1.0), curve("b", 1.01), curve("c", 3.0)]), 3, "two are one line");
        let five: Vec<Curve> =
            ["a", "b", "c", "d", "e"].iter().zip(1..).map(|(name, by)| curve(name, f64::from(by))).collect();
        assert_eq!(panels_of(&five), 5);
    }

    #[test]
    fn a_distribution_has_no_room_for_the_very_fastest() {
        let fast =
            (1..=1000).map(|n| (if n < 5 { 1e-9 } else { 0.001 * f64::from(n) }, f64::from(n) / 1000.0));
        let curve = Curve { name: "a".to_owned(), points: fast.collect(), ..Curve::default() };
        let axis = |unit: &str, log| Axis { label: String::new(), unit: unit.to_owned(), log };
        let (name, kind) = (String::new(), PlotKind::Cdf { curves: Vec::new() });
        let (title, note) = (name.clone(), name.clone());
        let plot = Plot { name, title, note, x: axis("s", true), y: axis("%", false), kind };
        let shapes = cdf(&plot, &[curve], &[]).shapes;
        let said = |wanted: &str| {
            shapes.iter().any(|shape| matches!(shape, Shape::Text { text, .. } if text == wanted))
        };
        assert!(said("10 ms") && said("1 s") && !said("1 ns") && !said("1 ms"), "{shapes:?}");
    }

    fn panels_of(series: &[Curve]) -> usize {
        let ruler = Ruler::exact(&Axis::default(), 0.0, 60.0, 5);
        panels(series, &ruler, &ruler, How::Line).len()
    }

    #[test]
    fn a_picture_says_units_runs_and_bounds() {
        let bound = Bound { panel: String::new(), text: "≥ 20/s (fast)".to_owned(), value: 20.0 };
        let (texts, _) = texts(&[curve("a", 1.0), curve("b", 2.0)], &[bound], &[]);
        for wanted in ["a title", "mean of 3 runs", "time (s)", "goodput (/s)", "≥ 20/s (fast)", "a", "b"] {
            assert!(texts.iter().any(|text| text == wanted), "{wanted}: {texts:?}");
        }
    }

    #[test]
    fn no_hue_comes_again_in_another_strength() {
        let names: Vec<String> = (0..11).map(|number| format!("v{number}")).collect();
        let series: Vec<Curve> = names.iter().zip(1..).map(|(name, by)| curve(name, f64::from(by))).collect();
        let (many, colours) = texts(&series, &[], &names);
        assert_eq!(colours, 1);
        assert!(names.iter().all(|name| many.contains(name)), "{many:?}");
        assert_eq!(texts(&series[..8], &[], &names[..8]).1, 8);
    }
}
