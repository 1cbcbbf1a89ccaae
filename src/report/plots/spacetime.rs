//! Space-time diagrams: processes as lanes, time across, what passed between them as arrows. After L. Lamport, "Time, clocks, and the
//! ordering of events in a distributed system" (1978), lying down.

use super::axis::Ruler;
use super::frame::{SIZE, SMALL, heading};
use super::palette::{BAD, FAINT, GREY, INK, PLAIN};
use super::picture::{Picture, Place, Shape, Side, cut, width_of};
use crate::report::input::{Axis, Bar, Plot, SpaceTime};

/// The widest name of a lane.
const NAME_MAX: f64 = 150.0;
/// Height of a row of a lane: what would overlap in one stands in several.
const ROW: f64 = 30.0;
/// Room between lanes.
const GAP: f64 = 12.0;
/// Height of a line of the note.
const LINE: f64 = 17.0;

/// Where the rows of each lane lie.
struct Lanes {
    /// Row of each bar in its lane; `None`: its lane is not there.
    rows: Vec<Option<usize>>,
    /// Where each lane begins.
    tops: Vec<f64>,
    /// Where the last one ends.
    bottom: f64,
}

impl Lanes {
    /// Middle of the line that a bar is drawn on; of a lane's first row for what has none.
    fn level(&self, lane: usize, row: usize) -> Option<f64> {
        Some(self.tops.get(lane)? + row as f64 * ROW + ROW - 8.0)
    }
}

/// Draws one.
pub fn spacetime(plot: &Plot, all: &SpaceTime) -> Picture {
    let note = lines(&all.note, SIZE.0 - 32.0);
    let names: Vec<String> = all.lanes.iter().map(|name| cut(name, SMALL, NAME_MAX)).collect();
    let left = 28.0 + names.iter().map(|name| width_of(name, SMALL)).fold(0.0, f64::max);
    let right = SIZE.0 - 20.0;
    let top = 40.0 + LINE * note.len() as f64;
    let (low, high) = range(all.stretch);
    let x = within(&plot.x, low, high);
    let across = |at: f64| left + x.share(at).unwrap_or(0.0).clamp(0.0, 1.0) * (right - left);
    let lanes = arrange(all, top + if all.faults.is_empty() { 8.0 } else { 26.0 }, &across, right);
    let mut picture = Picture { width: SIZE.0, height: lanes.bottom + 50.0, shapes: Vec::new() };
    heading(&mut picture, &plot.title);
    for (index, line) in note.iter().enumerate() {
        picture.text((16.0, 42.0 + LINE * index as f64), line, SMALL, INK, Side::Left);
    }
    faults(&mut picture, all, (low, high), &across, (top, lanes.bottom));
    for (lane, name) in names.iter().enumerate() {
        let Some(level) = lanes.level(lane, 0) else { continue };
        picture.text((left - 10.0, level), name, SMALL, INK, Side::Right);
        picture.line(vec![(left, level), (right, level)], FAINT, 1.0, 0);
    }
    for arrow in &all.arrows {
        let bar = |lane: usize, at: f64, begins: bool| {
            let is = |bar: &Bar| bar.lane == lane && bar.from == at && (begins || bar.to == Some(at));
            let row = all.bars.iter().position(is).and_then(|place| lanes.rows[place]).unwrap_or(0);
            Some((across(at), lanes.level(lane, row)?))
        };
        if let (Some(from), Some(to)) =
            (bar(arrow.from.0, arrow.from.1, true), bar(arrow.to.0, arrow.to.1, false))
        {
            point(&mut picture, from, to);
        }
    }
    for (bar, row) in all.bars.iter().zip(&lanes.rows) {
        if let Some(level) = row.and_then(|row| lanes.level(bar.lane, row)) {
            happening(&mut picture, bar, level, &across, right);
        }
    }
    axis(&mut picture, &x, &across, lanes.bottom);
    picture
}

/// The stretch that is shown, if it is one.
fn range((low, high): (f64, f64)) -> (f64, f64) {
    match low < high && low.is_finite() && high.is_finite() {
        true => (low, high),
        false => (0.0, 1.0),
    }
}

/// An axis of this range, with the round ticks that lie in it. A short stretch late in a run is counted from a round instant before it,
/// lest all ticks read alike.
fn within(axis: &Axis, low: f64, high: f64) -> Ruler {
    let places = -libm::ceil(libm::log10(high - low)); // of the digit that is just too coarse for the stretch
    let ten = libm::exp10(-places);
    let zero = if high - low < 0.1 * high { libm::floor(low / ten) * ten } else { 0.0 };
    let label = match zero > 0.0 {
        true => format!("{} after {zero:.*} {}", axis.label, places.max(0.0) as usize, axis.unit),
        false => axis.label.clone(),
    };
    let mut ruler = Ruler::exact(&Axis { label, ..axis.clone() }, low - zero, high - zero, 8);
    ruler.ticks.retain(|(at, _)| (low - zero..=high - zero).contains(at));
    ruler.moved(zero)
}

/// Gives each bar the first row of its lane in which it overlaps nothing, its text included.
fn arrange(all: &SpaceTime, top: f64, across: &impl Fn(f64) -> f64, right: f64) -> Lanes {
    let mut order: Vec<usize> = (0..all.bars.len()).collect();
    order.sort_by(|a, b| all.bars[*a].from.total_cmp(&all.bars[*b].from));
    let mut free: Vec<Vec<f64>> = vec![Vec::new(); all.lanes.len()];
    let mut rows = vec![None; all.bars.len()];
    for place in order {
        let bar = &all.bars[place];
        let Some(lane) = free.get_mut(bar.lane) else { continue };
        let (from, to) = extent(bar, across, right);
        let row = lane.iter().position(|free| *free <= from).unwrap_or(lane.len());
        if row == lane.len() {
            lane.push(0.0);
        }
        lane[row] = to + 8.0;
        rows[place] = Some(row);
    }
    let mut tops = Vec::new();
    let mut bottom = top;
    for lane in &free {
        tops.push(bottom);
        bottom += ROW * lane.len().max(1) as f64 + GAP;
    }
    Lanes { rows, tops, bottom }
}

/// Where a bar's text begins: over its beginning, beside what may come from above, or as far to the left as it takes to end within the
/// picture.
fn text_begins(bar: &Bar, across: &impl Fn(f64) -> f64, right: f64) -> f64 {
    (across(bar.from) + 5.0).min(right - width_of(&bar.text, SMALL))
}

/// From where to where a bar and its text reach.
fn extent(bar: &Bar, across: &impl Fn(f64) -> f64, right: f64) -> (f64, f64) {
    let text = text_begins(bar, across, right);
    let end = bar.to.map_or(right, across);
    (text.min(across(bar.from)), end.max(text + width_of(&bar.text, SMALL)))
}

fn faults(
    picture: &mut Picture,
    all: &SpaceTime,
    (low, high): (f64, f64),
    across: &impl Fn(f64) -> f64,
    (top, bottom): (f64, f64),
) {
    let mut free = 0.0;
    for (name, from, to) in all.faults.iter().filter(|(_, from, to)| *from < high && *to > low) {
        let (from, to) = (across(from.max(low)), across(to.min(high)));
        picture.block((from, top), (to.max(from + 2.0), bottom), GREY, 0.14);
        // Of faults that overlap the later one's name is left out rather than printed over the other.
        if from >= free {
            let name = cut(name, SMALL, (SIZE.0 - from - 12.0).max(0.0));
            picture.text((from + 4.0, top + 9.0), &name, SMALL, GREY, Side::Left);
            free = from + 12.0 + width_of(&name, SMALL);
        }
    }
}

/// A stretch with its ends, or a dot where it took no time; open to the right where it did not end.
fn happening(picture: &mut Picture, bar: &Bar, level: f64, across: &impl Fn(f64) -> f64, right: f64) {
    let colour = if bar.marked { BAD } else { PLAIN };
    let from = across(bar.from);
    let tick = |picture: &mut Picture, x: f64| {
        picture.line(vec![(x, level - 4.0), (x, level + 4.0)], colour, 1.5, 0);
    };
    match bar.to {
        Some(to) if to > bar.from => {
            let to = across(to).max(from + 2.0);
            picture.line(vec![(from, level), (to, level)], colour, 3.0, 0);
            tick(picture, from);
            tick(picture, to);
        }
        Some(_) => picture.shapes.push(Shape::Dot { at: (from, level), radius: 3.5, colour, alpha: 1.0 }),
        None => {
            picture.line(vec![(from, level), (right, level)], colour, 2.0, 1);
            tick(picture, from);
        }
    }
    let text = cut(&bar.text, SMALL, right - 16.0);
    let ink = if bar.marked { BAD } else { INK };
    let at = (text_begins(bar, across, right), level - 12.0);
    picture.shapes.push(Shape::Text { at, text, size: SMALL, colour: ink, side: Side::Left, bold: false });
}

/// An arrow.
fn point(picture: &mut Picture, from: Place, to: Place) {
    picture.line(vec![from, to], GREY, 1.0, 0);
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = libm::hypot(dx, dy);
    if length < 1.0 {
        return;
    }
    let (dx, dy) = (dx / length, dy / length);
    let tip = (to.0 - 3.5 * dx, to.1 - 3.5 * dy);
    let back = (tip.0 - 7.0 * dx, tip.1 - 7.0 * dy);
    let points = vec![tip, (back.0 - 3.0 * dy, back.1 + 3.0 * dx), (back.0 + 3.0 * dy, back.1 - 3.0 * dx)];
    picture.shapes.push(Shape::Area { points, colour: GREY, alpha: 1.0 });
}

fn axis(picture: &mut Picture, x: &Ruler, across: &impl Fn(f64) -> f64, bottom: f64) {
    let (left, right) = (across(f64::MIN), across(f64::MAX));
    picture.line(vec![(left, bottom), (right, bottom)], GREY, 0.5, 0);
    let mut free = 0.0;
    for (value, text) in &x.ticks {
        let (at, half) = (across(*value), width_of(text, SMALL) / 2.0);
        picture.line(vec![(at, bottom), (at, bottom + 4.0)], GREY, 0.5, 0);
        if at - half >= free {
            picture.text((at, bottom + 14.0), text, SMALL, GREY, Side::Middle);
            free = at + half + 6.0;
        }
    }
    picture.text((f64::midpoint(left, right), bottom + 34.0), &x.title, SMALL, INK, Side::Middle);
}

/// A text in lines of at most this width, broken between words.
fn lines(text: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(&format!("{line} {word}"), SMALL) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, SMALL, width)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::input::{Arrow, PlotKind};

    fn bar(lane: usize, text: &str, from: f64, to: Option<f64>) -> Bar {
        Bar { lane, text: text.to_owned(), from, to, marked: false }
    }

    #[test]
    fn what_would_overlap_stands_in_rows_of_its_own() {
        let bars = vec![
            bar(0, "write 1", 1.0, Some(1.4)),
            bar(0, "read 0", 1.1, Some(1.2)),
            bar(0, "read 1", 3.0, None),
            bar(1, "has 1", 1.3, Some(1.3)),
            bar(7, "nowhere", 1.0, Some(2.0)),
        ];
        let arrows = vec![Arrow { from: (0, 1.0), to: (1, 1.3) }, Arrow { from: (0, 1.0), to: (9, 1.3) }];
        let lanes = vec!["app".to_owned(), "kv[0]".to_owned()];
        let faults = vec![("cut".to_owned(), 1.05, 99.0)];
        let stretch = (0.9, 3.2);
        let all = SpaceTime { stretch, note: "a word ".repeat(80), lanes, bars, arrows, faults };
        let plot = Plot {
            name: String::new(),
            title: "t".to_owned(),
            x: Axis { label: "time".to_owned(), unit: "s".to_owned(), log: false },
            y: Axis::default(),
            kind: PlotKind::Timeline { rows: Vec::new() },
        };
        let picture = spacetime(&plot, &all);
        let texts: Vec<(Place, &str)> = picture
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text { at, text, .. } => Some((*at, text.as_str())),
                _ => None,
            })
            .collect();
        let of = |text: &str| texts.iter().find(|(_, known)| *known == text).map(|(at, _)| *at);
        let (write, read) = (of("write 1").expect("drawn"), of("read 0").expect("drawn"));
        assert!(read.1 - write.1 >= ROW, "{write:?} {read:?}");
        assert_eq!(of("read 1").expect("drawn").1, write.1);
        assert_eq!(of("nowhere"), None);
        assert!(texts.iter().all(|(at, _)| at.1 < picture.height && at.0 < picture.width));
        let heads = picture.shapes.iter().filter(|shape| matches!(shape, Shape::Area { .. })).count();
        assert_eq!(heads, 1, "an arrow to no lane is left out");
    }
}
