//! A measure against another: a dot for each run.

use super::axis::Ruler;
use super::curves::{legend, plain, xs, ys};
use super::frame::{Frame, SIZE, SMALL, Swatch, head, height};
use super::palette::{INK, PLAIN};
use super::picture::{Picture, Place, Shape, Side, cut, width_of};
use crate::report::input::{Curve, Plot};

/// Points without lines.
pub fn scatter(plot: &Plot, clouds: &[Curve], variants: &[String]) -> Picture {
    let looks = plain(legend(clouds, variants), clouds);
    let direct = clouds.len() > 1 && looks.iter().all(|(_, look)| look.colour == PLAIN);
    let legend = if direct { Vec::new() } else { looks.clone() };
    let mut picture = Picture { width: SIZE.0, height: 0.0, shapes: Vec::new() };
    let top = head(&mut picture, plot);
    picture.height = height(top, legend.len());
    let x = Ruler::around(&plot.x, xs(clouds), std::iter::empty(), (false, 7));
    let y = Ruler::around(&plot.y, ys(clouds), std::iter::empty(), (true, 5));
    let frame = Frame::new(&mut picture, top, x, y, &legend, Swatch::Dot);
    for (cloud, (_, look)) in clouds.iter().zip(&looks) {
        for at in cloud.points.iter().filter_map(|(x, y)| frame.place(*x, *y)) {
            picture.shapes.push(Shape::Dot { at, radius: 3.0, colour: look.colour, alpha: 0.6 });
        }
    }
    if direct {
        named_beside(&mut picture, &frame, clouds);
    }
    picture
}

/// The name of each cloud beside its middle, where no other name is; one that has no room is left out.
fn named_beside(picture: &mut Picture, frame: &Frame, clouds: &[Curve]) {
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for cloud in clouds {
        let places: Vec<Place> = cloud.points.iter().filter_map(|(x, y)| frame.place(*x, *y)).collect();
        if places.is_empty() {
            continue;
        }
        let many = places.len() as f64;
        let sum = places.iter().fold((0.0, 0.0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
        let (x, y) = (sum.0 / many, sum.1 / many);
        let name = cut(&cloud.name, SMALL, 180.0);
        let wide = width_of(&name, SMALL);
        let free = |left: f64, y: f64| {
            let inside = left >= frame.across(0.0)
                && left + wide <= frame.across(1.0)
                && y - SMALL / 2.0 >= frame.up(1.0)
                && y + SMALL / 2.0 <= frame.up(0.0);
            let apart = |(other, until, at): &(f64, f64, f64)| {
                left > *until || left + wide < *other || (y - at).abs() >= SMALL
            };
            inside && taken.iter().all(apart)
        };
        let sides = [7.0, -7.0 - wide];
        let above_and_below = [-13.0, 13.0].into_iter().flat_map(|dy| {
            let across = [-wide / 2.0, sides[0], sides[1]];
            across.map(|dx| (dx, dy))
        });
        let mut around = sides.map(|dx| (dx, 0.0)).into_iter().chain(above_and_below);
        if let Some((dx, dy)) = around.find(|(dx, dy)| free(x + dx, y + dy)) {
            taken.push((x + dx, x + dx + wide, y + dy));
            picture.text((x + dx, y + dy), &name, SMALL, INK, Side::Left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::input::{Axis, PlotKind};

    #[test]
    fn more_clouds_than_hues_have_their_names_beside_them() {
        let names: Vec<String> = (0..11).map(|number| format!("v{number}")).collect();
        let named = |clouds: &[Curve]| {
            let plot = Plot {
                name: String::new(),
                title: String::new(),
                note: String::new(),
                x: Axis::default(),
                y: Axis::default(),
                kind: PlotKind::Scatter { points: Vec::new() },
            };
            let picture = scatter(&plot, clouds, &names);
            let mut dots = picture.shapes.iter().filter_map(|shape| match shape {
                Shape::Dot { colour, .. } => Some(*colour),
                _ => None,
            });
            let first = dots.next().expect("a dot");
            let shown = |name: &&String| {
                picture.shapes.iter().any(|shape| matches!(shape, Shape::Text { text, .. } if text == *name))
            };
            (dots.all(|colour| colour == first), names.iter().filter(shown).count())
        };
        let spread: Vec<Curve> = names
            .iter()
            .zip(0..)
            .map(|(name, at)| Curve {
                name: name.clone(),
                points: vec![(f64::from(at % 4), f64::from(at / 4))],
                ..Curve::default()
            })
            .collect();
        assert_eq!(named(&spread), (true, 11));
        assert_eq!(named(&spread[..8]), (false, 8));
    }
}
