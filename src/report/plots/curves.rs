//! Lines with bands and shaded faults, distribution functions, clouds of points.

use super::axis::Ruler;
use super::frame::{Frame, SIZE, SMALL, Swatch};
use super::palette::{GREY, Look, looks};
use super::picture::{Picture, Place, Shape, Side, cut};
use crate::report::input::{Axis, Curve, Plot};

/// More faults than this are shaded but not named.
const NAMED_FAULTS_MAX: usize = 6;

/// Lines, with their bands below them and the faults behind everything.
pub fn line(plot: &Plot, series: &[Curve], faults: &[(String, f64, f64)], variants: &[String]) -> Picture {
    let (mut picture, names) = begin(series, variants);
    let x = Ruler::around(&plot.x, xs(series), false, 8);
    let y = Ruler::around(&plot.y, ys(series), true, 5);
    let frame = Frame::new(&mut picture, &plot.title, x, y, &names, Swatch::Line, true);
    for (index, (name, from, to)) in faults.iter().enumerate() {
        let (Some(left), Some(right)) = (frame.x.within(*from), frame.x.within(*to)) else { continue };
        let (left, right) = (frame.across(left), frame.across(right).max(frame.across(left) + 1.0));
        picture.block((left, frame.up(1.0)), (right, frame.up(0.0)), GREY, 0.16);
        if faults.len() <= NAMED_FAULTS_MAX {
            let room = (frame.across(1.0) - left).max(0.0);
            let y = frame.up(1.0) - 7.0 - 11.0 * (index % 2) as f64;
            picture.text((left, y), &cut(name, SMALL - 2.0, room), SMALL - 2.0, GREY, Side::Left);
        }
    }
    for (curve, (_, look)) in series.iter().zip(&names) {
        band(&mut picture, &frame, curve, *look);
    }
    for (curve, (_, look)) in series.iter().zip(&names) {
        stroke(&mut picture, &frame, curve, *look);
    }
    picture
}

/// Distribution functions as stairs, from zero to one.
pub fn cdf(plot: &Plot, curves: &[Curve], variants: &[String]) -> Picture {
    let (mut picture, names) = begin(curves, variants);
    let x = Ruler::around(&plot.x, xs(curves), true, 8);
    let y = Ruler::exact(&Axis { log: false, ..plot.y.clone() }, 0.0, 1.0, 5);
    let frame = Frame::new(&mut picture, &plot.title, x, y, &names, Swatch::Line, true);
    for (curve, (_, look)) in curves.iter().zip(&names) {
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
    picture
}

/// Points without lines.
pub fn scatter(plot: &Plot, clouds: &[Curve], variants: &[String]) -> Picture {
    let (mut picture, names) = begin(clouds, variants);
    let x = Ruler::around(&plot.x, xs(clouds), false, 8);
    let y = Ruler::around(&plot.y, ys(clouds), true, 5);
    let frame = Frame::new(&mut picture, &plot.title, x, y, &names, Swatch::Dot, true);
    for (cloud, (_, look)) in clouds.iter().zip(&names) {
        for at in cloud.points.iter().filter_map(|(x, y)| frame.place(*x, *y)) {
            picture.shapes.push(Shape::Dot { at, radius: 3.0, colour: look.colour, alpha: 0.6 });
        }
    }
    picture
}

fn begin(curves: &[Curve], variants: &[String]) -> (Picture, Vec<(String, Look)>) {
    let names: Vec<&str> = curves.iter().map(|curve| curve.name.as_str()).collect();
    let looks = looks(&names, variants);
    let height = SIZE.1.max(96.0 + 20.0 * names.len() as f64);
    let picture = Picture { width: SIZE.0, height, shapes: Vec::new() };
    (picture, names.into_iter().map(str::to_owned).zip(looks).collect())
}

fn xs(curves: &[Curve]) -> impl Iterator<Item = f64> {
    curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.0))
}

fn ys(curves: &[Curve]) -> impl Iterator<Item = f64> {
    let bands = curves.iter().flat_map(|curve| curve.band.iter().flatten());
    let points = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
    points.chain(bands.flat_map(|(_, low, high)| [*low, *high]))
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
        // A few points are dots as well, so that one alone is visible and a sweep shows where it was measured.
        if curve.points.len() <= 24 {
            for at in &points {
                picture.shapes.push(Shape::Dot { at: *at, radius: 3.0, colour: look.colour, alpha: 1.0 });
            }
        }
        match points.as_slice() {
            [] => {}
            [at] => picture.shapes.push(Shape::Dot { at: *at, radius: 2.0, colour: look.colour, alpha: 1.0 }),
            _ => picture.line(points, look.colour, 2.0, look.dash),
        }
    }
}
