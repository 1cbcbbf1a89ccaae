//! Groups of bars with their intervals.

use super::axis::Ruler;
use super::frame::{Frame, SIZE, Swatch, shade};
use super::palette::{INK, looks};
use super::picture::Picture;
use crate::report::input::{Axis, BarGroup, Plot};

/// The share of a group's room that its bars take.
const FILLED: f64 = 0.72;

/// Bars from zero (or the foot of a logarithmic axis) up, or down from zero.
pub fn bars(plot: &Plot, groups: &[BarGroup], variants: &[String]) -> Picture {
    let mut names: Vec<&str> = Vec::new();
    for (name, ..) in groups.iter().flat_map(|group| &group.bars) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let looks = looks(&names, variants);
    let legend: Vec<_> = names.iter().map(|name| (*name).to_owned()).zip(looks.iter().copied()).collect();
    let height = SIZE.1.max(96.0 + 20.0 * names.len() as f64);
    let mut picture = Picture { width: SIZE.0, height, shapes: Vec::new() };
    let all = groups.iter().flat_map(|group| &group.bars);
    let values = all.flat_map(|(_, value, ci95)| [*value].into_iter().chain(ci95.iter().flatten().copied()));
    let y = Ruler::around(&plot.y, values, true, 5);
    // Across there are groups, not numbers; only the title is left of this axis.
    let unit = if plot.x.unit == "1" { "" } else { plot.x.unit.as_str() };
    let title = Axis { label: plot.x.label.clone(), unit: String::new(), log: false };
    let mut x = Ruler::exact(&title, 0.0, 1.0, 5);
    let labelled = groups.iter().any(|group| group.label.ends_with(|c: char| !c.is_ascii_digit()));
    x.title = if unit.is_empty() || labelled { x.title } else { format!("{} ({unit})", x.title) };
    let frame = Frame::new(&mut picture, &plot.title, x, y, &legend, Swatch::Block, false);
    let room = 1.0 / groups.len().max(1) as f64;
    for (index, group) in groups.iter().enumerate() {
        let left = index as f64 * room + room * (1.0 - FILLED) / 2.0;
        frame.label_across(&mut picture, (index as f64 + 0.5) * room, room, &group.label);
        // Few bars in a wide group would be walls.
        let width = (room * FILLED / group.bars.len().max(1) as f64).min(0.14);
        let left = left + (room * FILLED - width * group.bars.len() as f64) / 2.0;
        for (place, (name, value, ci95)) in group.bars.iter().enumerate() {
            let look = names.iter().position(|known| known == name).map(|at| looks[at]);
            let (Some(look), Some(top)) = (look, frame.y.within(*value)) else { continue };
            let foot = frame.y.within(0.0).unwrap_or(0.0);
            let (from, to) =
                (frame.across(left + place as f64 * width), frame.across(left + (place + 1) as f64 * width));
            let (from, to) = (from + 1.5, to - 1.5);
            picture.block(
                (from, frame.up(top.max(foot))),
                (to, frame.up(top.min(foot))),
                look.colour,
                shade(look.dash),
            );
            let Some([low, high]) = ci95 else { continue };
            let (Some(low), Some(high)) = (frame.y.within(*low), frame.y.within(*high)) else { continue };
            let (middle, low, high) = (f64::midpoint(from, to), frame.up(low), frame.up(high));
            picture.line(vec![(middle, low), (middle, high)], INK, 1.0, 0);
            for end in [low, high] {
                picture.line(vec![(middle - 4.0, end), (middle + 4.0, end)], INK, 1.0, 0);
            }
        }
    }
    picture
}
