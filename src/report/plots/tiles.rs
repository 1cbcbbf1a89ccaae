//! Grids of verdicts, and timelines.

use super::axis::Ruler;
use super::frame::{Frame, SIZE, SMALL, Swatch, head, shade};
use super::palette::{BAD, FAINT, GOOD, GREY, INK, looks};
use super::picture::{Picture, Side, cut, width_of};
use crate::report::input::{Axis, GridLine, Plot, TimelineRow};

/// Height of a row of a timeline.
const ROW: f64 = 34.0;
/// Height of a line of a cell.
const LINE: f64 = 24.0;
/// Between two rows of cells.
const GAP: f64 = 8.0;
/// The widest cell of a grid.
const CELL_MAX: f64 = 260.0;
/// The widest heading of a row.
const HEADING_MAX: f64 = 240.0;

/// A table of small texts, a line each; verdicts are coloured, and say themselves in words or marks, so colour is never
/// alone. What a line is of stands once, to the left.
pub fn grid(plot: &Plot, columns: &[String], rows: &[String], cells: &[Vec<Vec<GridLine>>]) -> Picture {
    let names = |row: usize| -> Vec<&str> {
        let longest = cells.get(row).into_iter().flatten().max_by_key(|cell| cell.len());
        longest.into_iter().flatten().map(|line| line.name.as_str()).collect()
    };
    let count = (0..rows.len()).map(|row| names(row).len()).max().unwrap_or(1).max(1);
    let tall = LINE * count as f64 + GAP;
    let mut picture = Picture { width: SIZE.0, height: 0.0, shapes: Vec::new() };
    let top = head(&mut picture, plot) + 40.0;
    picture.height = top + tall * rows.len() as f64 + 12.0;
    let widest = |texts: &mut dyn Iterator<Item = &str>| {
        texts.map(|text| width_of(text, SMALL)).fold(0.0, f64::max).min(HEADING_MAX)
    };
    let first = 16.0 + widest(&mut rows.iter().map(String::as_str));
    let left = first + 20.0 + widest(&mut (0..rows.len()).flat_map(names)) + 10.0;
    let width = ((picture.width - left - 16.0) / columns.len().max(1) as f64).min(CELL_MAX);
    let (x, y) = (|column: usize| left + column as f64 * width, |row: usize| top + row as f64 * tall);
    picture.text(
        (left - 10.0, top - 22.0),
        &cut(&plot.x.label, SMALL, left - 26.0),
        SMALL,
        GREY,
        Side::Right,
    );
    for (column, text) in columns.iter().enumerate() {
        let text = cut(text, SMALL, width - 6.0);
        picture.text((x(column) + width / 2.0, top - 22.0), &text, SMALL, GREY, Side::Middle);
    }
    for (row, text) in rows.iter().enumerate() {
        let text = cut(text, SMALL, HEADING_MAX);
        picture.text((16.0, y(row) + LINE / 2.0), &text, SMALL, INK, Side::Left);
        for (line, name) in names(row).iter().enumerate() {
            let at = (left - 10.0, y(row) + LINE * (line as f64 + 0.5));
            picture.text(at, &cut(name, SMALL, HEADING_MAX), SMALL, GREY, Side::Right);
        }
        for (column, cell) in cells.get(row).into_iter().flatten().take(columns.len()).enumerate() {
            tile(&mut picture, cell, (x(column) + 1.5, x(column) + width - 1.5), (y(row), tall - GAP));
        }
    }
    picture
}

/// A cell of it.
fn tile(picture: &mut Picture, cell: &[GridLine], (left, right): (f64, f64), (top, tall): (f64, f64)) {
    if cell.is_empty() {
        picture.block((left, top), (right, top + tall), FAINT, 0.5);
    }
    for (index, line) in cell.iter().enumerate() {
        let (colour, alpha) = match line.verdict {
            Some(true) => (GOOD, 0.22),
            Some(false) => (BAD, 0.34),
            None => (FAINT, 0.5),
        };
        let top = top + LINE * index as f64;
        picture.block((left, top), (right, top + LINE), colour, alpha);
        let at = (f64::midpoint(left, right), top + LINE / 2.0);
        picture.text(at, &cut(&line.value, SMALL, right - left - 6.0), SMALL, INK, Side::Middle);
    }
}

/// Stretches of time in rows; each kind of stretch has a colour and stands in the legend.
pub fn timeline(plot: &Plot, rows: &[TimelineRow]) -> Picture {
    let mut names: Vec<&str> = Vec::new();
    for (name, ..) in rows.iter().flat_map(|row| &row.spans) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let looks = looks(&names, &[]);
    let legend: Vec<_> = names.iter().map(|name| (*name).to_owned()).zip(looks.iter().copied()).collect();
    let mut picture = Picture { width: SIZE.0, height: 0.0, shapes: Vec::new() };
    let top = head(&mut picture, plot);
    picture.height =
        (top + 100.0 + ROW * rows.len().max(1) as f64).max(top + 70.0 + 24.0 * names.len() as f64);
    let ends = rows.iter().flat_map(|row| &row.spans).flat_map(|(_, from, to)| [*from, *to]);
    let x = Ruler::around(&plot.x, ends, std::iter::empty(), (true, 8));
    let mut y = Ruler::exact(&Axis::default(), 0.0, 1.0, 2);
    let share = |row: usize| 1.0 - (row as f64 + 0.5) / rows.len().max(1) as f64;
    let label = |row: &TimelineRow| cut(&row.name, SMALL, HEADING_MAX);
    y.ticks = rows.iter().enumerate().map(|(index, row)| (share(index), label(row))).collect();
    y.title.clone_from(&plot.y.label);
    let frame = Frame::new(&mut picture, top, x, y, &legend, Swatch::Block);
    for (index, row) in rows.iter().enumerate() {
        let middle = frame.up(share(index));
        for (name, from, to) in &row.spans {
            let look = names.iter().position(|known| known == name).map(|at| looks[at]);
            let (Some(look), Some(from), Some(to)) = (look, frame.x.within(*from), frame.x.within(*to))
            else {
                continue;
            };
            let (from, to) = (frame.across(from), frame.across(to));
            picture.block(
                (from, middle - 10.0),
                (to.max(from + 2.0), middle + 10.0),
                look.colour,
                shade(look.dash),
            );
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::input::PlotKind;
    use crate::report::plots::picture::Shape;

    #[test]
    fn what_a_line_is_of_is_said_once_in_a_row_and_its_value_in_each_cell() {
        let line = |name: &str, value: &str, verdict| GridLine {
            name: name.to_owned(),
            value: value.to_owned(),
            verdict,
        };
        let long = "success(pay, during=split) of everybody who asked";
        let cell = vec![
            line("fast", "holds", Some(true)),
            line("up", "violated", Some(false)),
            line(long, "12.3 ms", None),
        ];
        let names = ["b".to_owned(), "a".to_owned()];
        let plot = Plot {
            name: String::new(),
            title: "map".to_owned(),
            note: String::new(),
            x: Axis::default(),
            y: Axis::default(),
            kind: PlotKind::Timeline { rows: Vec::new() },
        };
        let picture = grid(&plot, &names, &names, &vec![vec![cell; 2]; 2]);
        let texts: Vec<(f64, &str)> = picture
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text { at, text, .. } => Some((at.1, text.as_str())),
                _ => None,
            })
            .collect();
        let many = |wanted: &str| texts.iter().filter(|(_, text)| *text == wanted).count();
        assert_eq!((many("fast"), many("up"), many("violated"), many("12.3 ms")), (2, 2, 4, 4), "{texts:?}");
        assert!(
            texts.iter().any(|(_, text)| text.starts_with("success(") && text.ends_with('…')),
            "{texts:?}"
        );
        let of = |row: &str| texts.iter().rfind(|(_, text)| *text == row).expect("it is there").0;
        assert!(of("b") < of("a"), "as they are given");
        assert!(texts.iter().all(|(y, _)| *y < picture.height - 8.0), "{} {texts:?}", picture.height);
    }
}
