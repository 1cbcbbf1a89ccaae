//! Space-time diagrams: processes as lanes, time across, what passed between them as arrows. After L. Lamport, "Time, clocks, and the
//! ordering of events in a distributed system" (1978), lying down.

use super::clock::Clock;
use super::frame::{SIZE, SMALL, head, lines};
use super::palette::{BAD, Colour, FAINT, GOOD, GREY, INK, PAPER, PLAIN};
use super::picture::{Picture, Place, Shape, Side, cut, width_of};
use crate::report::input::{Bar, Plot, SpaceTime, Stretch};

/// The widest name of a lane.
const NAME_MAX: f64 = 210.0;
/// Height of a row of a lane: what would overlap in one stands in several.
const ROW: f64 = 38.0;
/// Room between lanes.
const GAP: f64 = 14.0;
/// Height of a line of text.
const LINE: f64 = 21.0;

/// Something with a place in a lane: a bar, or a stretch.
struct Item {
    lane: usize,
    /// When it begins and how long it lasts: what comes first, and of two at once the longer one, stands higher.
    begins: f64,
    lasts: f64,
    /// From where to where it reaches, and its text.
    from: f64,
    to: f64,
    text: f64,
}

/// Where the rows of each lane lie.
struct Lanes {
    /// Row of each item in its lane; `None`: its lane is not there.
    rows: Vec<Option<usize>>,
    /// Where each lane begins and ends.
    tops: Vec<(f64, f64)>,
    /// Where the last one ends.
    bottom: f64,
}

impl Lanes {
    /// Middle of the line that a bar is drawn on; of a lane's first row for what has none.
    fn level(&self, lane: usize, row: usize) -> Option<f64> {
        Some(self.tops.get(lane)?.0 + row as f64 * ROW + ROW - 10.0)
    }
}

/// Draws one.
pub fn spacetime(plot: &Plot, all: &SpaceTime) -> Picture {
    let mut picture = Picture { width: SIZE.0, height: 0.0, shapes: Vec::new() };
    let mut top = head(&mut picture, plot);
    for line in lines(&all.note, SMALL, SIZE.0 - 32.0) {
        picture.text((16.0, top), &line, SMALL, INK, Side::Left);
        top += LINE;
    }
    let names: Vec<Vec<String>> =
        all.lanes.iter().map(|name| name.lines().map(|line| cut(line, SMALL, NAME_MAX)).collect()).collect();
    let widest = names.iter().flatten().map(|name| width_of(name, SMALL)).fold(0.0, f64::max);
    let (left, right) = (30.0 + widest, SIZE.0 - 20.0);
    let clock = Clock::of(&plot.x, range(all.stretch), &events(all), (left, right));
    let across = |at: f64| clock.across(at);
    // Stretches stand over what happens in their lanes.
    let mut items: Vec<Item> = all.stretches.iter().map(|one| of_stretch(one, &across, right)).collect();
    items.extend(all.bars.iter().map(|bar| of_bar(bar, &across, right)));
    let lanes =
        arrange(&items, all.stretches.len(), &names, top + if all.faults.is_empty() { 6.0 } else { 28.0 });
    picture.height = lanes.bottom + 62.0;
    behind(&mut picture, all, &across, &lanes, (top, left, right), &names);
    let (stretch_rows, rows) = lanes.rows.split_at(all.stretches.len());
    let at = |place: usize| {
        let (bar, row) = (all.bars.get(place)?, rows.get(place).copied().flatten()?);
        Some((across(bar.from), lanes.level(bar.lane, row)?))
    };
    let arrows: Vec<(Place, Place)> =
        all.arrows.iter().filter_map(|arrow| at(arrow.from).zip(at(arrow.to))).collect();
    for (from, to) in &arrows {
        picture.line(vec![*from, *to], GREY, 1.0, 0);
    }
    for (one, row) in all.stretches.iter().zip(stretch_rows) {
        if let Some(level) = row.and_then(|row| lanes.level(one.lane, row)) {
            stretched(&mut picture, one, level, &across);
        }
    }
    for (bar, row) in all.bars.iter().zip(rows) {
        if let Some(level) = row.and_then(|row| lanes.level(bar.lane, row)) {
            happening(&mut picture, bar, level, &across, right);
        }
    }
    axis(&mut picture, &clock, (left, right), (top, lanes.bottom));
    texts(&mut picture, all, &across, &lanes, (top, right));
    picture.shapes.extend(arrows.into_iter().filter_map(head_of)); // over the texts: it says at which event an arrow ends
    picture
}

/// What is wrong, and the lanes with their names.
fn behind(
    picture: &mut Picture,
    all: &SpaceTime,
    across: &impl Fn(f64) -> f64,
    lanes: &Lanes,
    (top, left, right): (f64, f64, f64),
    names: &[Vec<String>],
) {
    for (_, from, to) in &all.faults {
        let (from, to) = (across(*from), across(*to));
        picture.block((from, top), (to.max(from + 2.0), lanes.bottom), GREY, 0.12);
    }
    for one in all.stretches.iter().filter(|one| one.bad) {
        let Some((begin, end)) = lanes.tops.get(one.lane) else { continue };
        let (from, to) = (across(one.from), across(one.to).max(across(one.from) + 2.0));
        picture.block((from, *begin), (to, *end - GAP / 2.0), GREY, 0.16);
    }
    for (lane, name) in names.iter().enumerate() {
        let Some(level) = lanes.level(lane, 0) else { continue };
        for (index, line) in name.iter().enumerate() {
            let colour = if index == 0 { INK } else { GREY };
            picture.text((left - 10.0, level + 19.0 * index as f64), line, SMALL, colour, Side::Right);
        }
        picture.line(vec![(left, level), (right, level)], FAINT, 1.0, 0);
    }
}

/// Texts after all else but the heads of arrows, so that no break and no arrow goes through them.
fn texts(
    picture: &mut Picture,
    all: &SpaceTime,
    across: &impl Fn(f64) -> f64,
    lanes: &Lanes,
    (top, right): (f64, f64),
) {
    let (stretch_rows, rows) = lanes.rows.split_at(all.stretches.len());
    fault_names(picture, all, across, top);
    for (one, row) in all.stretches.iter().zip(stretch_rows) {
        if let Some(level) = row.and_then(|row| lanes.level(one.lane, row)) {
            worded(picture, (across(one.from), level), &one.text, if one.bad { GREY } else { GOOD }, right);
        }
    }
    for (bar, row) in all.bars.iter().zip(rows) {
        if let Some(level) = row.and_then(|row| lanes.level(bar.lane, row)) {
            worded(picture, (across(bar.from), level), &bar.text, if bar.marked { BAD } else { INK }, right);
        }
    }
}

/// The stretch that is shown, if it is one.
fn range((low, high): (f64, f64)) -> (f64, f64) {
    match low < high && low.is_finite() && high.is_finite() {
        true => (low, high),
        false => (0.0, 1.0),
    }
}

/// When something begins or ends.
fn events(all: &SpaceTime) -> Vec<f64> {
    let bars = all.bars.iter().flat_map(|bar| [Some(bar.from), bar.to].into_iter().flatten());
    let stretches = all.stretches.iter().flat_map(|one| [one.from, one.to]);
    let faults = all.faults.iter().flat_map(|(_, from, to)| [*from, *to]);
    bars.chain(stretches).chain(faults).collect()
}

/// Gives each item the first row of its lane in which it overlaps nothing, its text included; bars the rows below those of stretches.
fn arrange(items: &[Item], stretches: usize, names: &[Vec<String>], top: f64) -> Lanes {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| {
        (*a >= stretches)
            .cmp(&(*b >= stretches))
            .then(items[*a].begins.total_cmp(&items[*b].begins))
            .then(items[*b].lasts.total_cmp(&items[*a].lasts))
            .then(a.cmp(b))
    });
    let mut free: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    let mut first: Vec<usize> = vec![0; names.len()];
    let mut rows = vec![None; items.len()];
    for place in order {
        let item = &items[place];
        let Some(lane) = free.get_mut(item.lane) else { continue };
        if place < stretches {
            first[item.lane] = lane.len().max(1);
        }
        let skipped = if place < stretches { 0 } else { first[item.lane] };
        let row = (skipped..lane.len()).find(|row| lane[*row] <= item.from).unwrap_or(lane.len());
        if row == lane.len() {
            lane.push(0.0);
        }
        lane[row] = item.to.max(item.text) + 10.0;
        rows[place] = Some(row);
        if place < stretches {
            first[item.lane] = lane.len();
        }
    }
    let mut tops = Vec::new();
    let mut bottom = top;
    for (lane, name) in free.iter().zip(names) {
        let begin = bottom;
        // A name of two lines takes as much.
        bottom +=
            (ROW * lane.len().max(1) as f64).max(ROW + 19.0 * name.len().saturating_sub(1) as f64) + GAP;
        tops.push((begin, bottom));
    }
    Lanes { rows, tops, bottom }
}

/// Where a text begins: over the beginning of what it tells, beside what may come from above, or as far to the left as it takes to end within
/// the picture.
fn text_begins(from: f64, text: &str, right: f64) -> f64 {
    (from + 5.0).min(right - width_of(text, SMALL))
}

/// From where to where a bar and its text reach.
fn of_bar(bar: &Bar, across: &impl Fn(f64) -> f64, right: f64) -> Item {
    let from = across(bar.from);
    let text = text_begins(from, &bar.text, right);
    let to = bar.to.map_or(right, across);
    let (begins, lasts) = (bar.from, bar.to.unwrap_or(f64::INFINITY) - bar.from);
    Item { lane: bar.lane, begins, lasts, from: text.min(from), to, text: text + width_of(&bar.text, SMALL) }
}

fn of_stretch(one: &Stretch, across: &impl Fn(f64) -> f64, right: f64) -> Item {
    let from = across(one.from);
    let text = text_begins(from, &one.text, right);
    let (begins, lasts, to) = (one.from, one.to - one.from, across(one.to));
    Item { lane: one.lane, begins, lasts, from: text.min(from), to, text: text + width_of(&one.text, SMALL) }
}

fn fault_names(picture: &mut Picture, all: &SpaceTime, across: &impl Fn(f64) -> f64, top: f64) {
    let mut free = 0.0;
    for (name, from, _) in &all.faults {
        let from = across(*from);
        // Of faults that overlap the later one's name is left out rather than printed over the other.
        if from >= free {
            let name = cut(name, SMALL, SIZE.0 - 28.0);
            let at = (from + 4.0).min(SIZE.0 - 12.0 - width_of(&name, SMALL)).max(8.0);
            picture.text_on_paper((at, top + 12.0), &name, SMALL, GREY, Side::Left);
            free = at + 12.0 + width_of(&name, SMALL);
        }
    }
}

/// The text of what begins there.
fn worded(picture: &mut Picture, (from, level): Place, text: &str, ink: Colour, right: f64) {
    let text = cut(text, SMALL, right - 16.0);
    let at = (text_begins(from, &text, right), level - 14.0);
    picture.text_on_paper(at, &text, SMALL, ink, Side::Left);
}

/// What a lane was for a while: a rail.
fn stretched(picture: &mut Picture, one: &Stretch, level: f64, across: &impl Fn(f64) -> f64) {
    let (from, to) = (across(one.from), across(one.to).max(across(one.from) + 2.0));
    picture.block((from, level - 2.5), (to, level + 2.5), if one.bad { GREY } else { GOOD }, 0.55);
}

/// A stretch with its ends, or a dot where it took no time; open to the right where it did not end.
fn happening(picture: &mut Picture, bar: &Bar, level: f64, across: &impl Fn(f64) -> f64, right: f64) {
    let colour = if bar.marked { BAD } else { PLAIN };
    let from = across(bar.from);
    let tick = |picture: &mut Picture, x: f64| {
        picture.line(vec![(x, level - 5.0), (x, level + 5.0)], colour, 1.5, 0);
    };
    match bar.to {
        Some(to) if to > bar.from => {
            let to = across(to).max(from + 2.0);
            picture.line(vec![(from, level), (to, level)], colour, 3.0, 0);
            tick(picture, from);
            tick(picture, to);
        }
        Some(_) => picture.shapes.push(Shape::Dot { at: (from, level), radius: 4.0, colour, alpha: 1.0 }),
        None => {
            picture.line(vec![(from, level), (right, level)], colour, 2.0, 1);
            tick(picture, from);
        }
    }
}

/// The head of an arrow; none where there is no way to point.
fn head_of((from, to): (Place, Place)) -> Option<Shape> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = libm::hypot(dx, dy);
    if length < 1.0 {
        return None;
    }
    let (dx, dy) = (dx / length, dy / length);
    let tip = (to.0 - 4.0 * dx, to.1 - 4.0 * dy);
    let back = (tip.0 - 8.0 * dx, tip.1 - 8.0 * dy);
    let points = vec![tip, (back.0 - 3.5 * dy, back.1 + 3.5 * dx), (back.0 + 3.5 * dy, back.1 - 3.5 * dx)];
    Some(Shape::Area { points, colour: GREY, alpha: 1.0 })
}

/// The axis with its ticks, and its breaks through all lanes.
fn axis(picture: &mut Picture, clock: &Clock, (left, right): (f64, f64), (top, bottom): (f64, f64)) {
    picture.line(vec![(left, bottom), (right, bottom)], GREY, 0.5, 0);
    for at in clock.breaks() {
        picture.block((at - 5.0, top), (at + 5.0, bottom + 6.0), PAPER, 1.0);
        for side in [at - 5.0, at + 5.0] {
            picture.line(vec![(side, top), (side, bottom)], GREY, 0.5, 2);
            picture.line(vec![(side - 3.0, bottom + 6.0), (side + 3.0, bottom - 6.0)], GREY, 1.0, 0);
        }
    }
    let mut free = 0.0;
    for (at, text) in clock.ticks() {
        let half = width_of(&text, SMALL) / 2.0;
        picture.line(vec![(at, bottom), (at, bottom + 4.0)], GREY, 0.5, 0);
        if at - half >= free && at + half < SIZE.0 {
            picture.text((at, bottom + 17.0), &text, SMALL, GREY, Side::Middle);
            free = at + half + 8.0;
        }
    }
    picture.text((f64::midpoint(left, right), bottom + 42.0), &clock.title, SMALL, INK, Side::Middle);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::pictures::Arrow;
    use crate::report::input::{Axis, PlotKind};

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
        let arrows = vec![Arrow { from: 0, to: 3 }, Arrow { from: 0, to: 4 }, Arrow { from: 9, to: 0 }];
        let lanes = vec!["app".to_owned(), "kv[0]".to_owned()];
        let faults = vec![("cut".to_owned(), 1.05, 99.0)];
        let stretch = (0.9, 3.2);
        let stretches = vec![Stretch { lane: 1, text: "down".to_owned(), from: 1.5, to: 2.0, bad: true }];
        let all = SpaceTime { stretch, note: "a word ".repeat(80), lanes, bars, arrows, faults, stretches };
        let plot = Plot {
            name: String::new(),
            title: "t".to_owned(),
            note: String::new(),
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
        assert!(of("down").expect("drawn").1 < of("has 1").expect("drawn").1, "over what happened");
        assert_eq!(of("nowhere"), None);
        assert!(texts.iter().all(|(at, _)| at.1 < picture.height && at.0 < picture.width));
        let paper = |at: &Place| {
            let behind = |shape: &Shape| matches!(shape, Shape::Block { from, to, colour, .. } if *colour == PAPER && from.0 == at.0 && from.1 < at.1 && at.1 < to.1);
            picture.shapes.iter().any(behind)
        };
        assert!([write, read, of("down").expect("drawn")].iter().all(paper), "no line goes through a text");
        let heads = picture.shapes.iter().filter(|shape| matches!(shape, Shape::Area { .. })).count();
        assert_eq!(heads, 1, "an arrow to no lane is left out");
    }
}
