//! Grids of verdicts, and timelines.

use super::axis::Ruler;
use super::frame::{Frame, SIZE, SMALL, Swatch, heading, shade};
use super::palette::{BAD, FAINT, GOOD, GREY, INK, looks};
use super::picture::{Picture, Side, cut, width_of};
use crate::report::input::{Axis, GridLine, Plot, TimelineRow};

/// Height of a row.
const ROW: f64 = 30.0;
/// Height of each further line of text in a row.
const LINE: f64 = 16.0;
/// The widest cell of a grid.
const CELL_MAX: f64 = 260.0;
/// The widest heading of a row.
const HEADING_MAX: f64 = 240.0;

/// A table of small texts, a line each; verdicts are coloured, and say themselves in words or marks, so colour is never
/// alone.
pub fn grid(plot: &Plot, columns: &[String], rows: &[String], cells: &[Vec<Vec<GridLine>>]) -> Picture {
    let lines = cells.iter().flatten().map(Vec::len).max().unwrap_or(1).max(1);
    let tall = ROW + LINE * (lines - 1) as f64;
    let mut picture = Picture { width: SIZE.0, height: 84.0 + tall * rows.len() as f64, shapes: Vec::new() };
    heading(&mut picture, &plot.title);
    let left = 32.0 + rows.iter().map(|row| width_of(row, SMALL)).fold(0.0, f64::max).min(HEADING_MAX);
    let width = ((picture.width - left - 16.0) / columns.len().max(1) as f64).min(CELL_MAX);
    let (x, y) = (|column: usize| left + column as f64 * width, |row: usize| 66.0 + row as f64 * tall);
    for (column, text) in columns.iter().enumerate() {
        let text = cut(text, SMALL, width - 6.0);
        picture.text((x(column) + width / 2.0, 50.0), &text, SMALL, GREY, Side::Middle);
    }
    for (row, text) in rows.iter().enumerate() {
        let text = cut(text, SMALL, HEADING_MAX);
        picture.text((left - 10.0, y(row) + tall / 2.0), &text, SMALL, INK, Side::Right);
        for (column, cell) in cells.get(row).into_iter().flatten().take(columns.len()).enumerate() {
            let (left, right) = (x(column) + 1.5, x(column) + width - 1.5);
            let (top, bottom) = (y(row) + 1.5, y(row) + tall - 1.5);
            let high = (bottom - top) / cell.len().max(1) as f64;
            if cell.is_empty() {
                picture.block((left, top), (right, bottom), FAINT, 0.5);
            }
            for (index, line) in cell.iter().enumerate() {
                let (colour, alpha) = match line.verdict {
                    Some(true) => (GOOD, 0.22),
                    Some(false) => (BAD, 0.34),
                    None => (FAINT, 0.5),
                };
                let top = top + high * index as f64;
                picture.block((left, top), (right, top + high), colour, alpha);
                let at = (f64::midpoint(left, right), top + high / 2.0);
                picture.text(at, &written(line, width - 10.0), SMALL, INK, Side::Middle);
            }
        }
    }
    picture
}

/// A line with its name cut, not its value, where it is too long.
fn written(line: &GridLine, width: f64) -> String {
    // Widths are whole pixels, so the sum of two may be a little more than that of both together.
    let room = width - width_of(&format!(" {}", line.value), SMALL) - 4.0;
    cut(format!("{} {}", cut(&line.name, SMALL, room), line.value).trim_start(), SMALL, width)
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
    let height = (116.0 + ROW * rows.len().max(1) as f64).max(96.0 + 20.0 * names.len() as f64);
    let mut picture = Picture { width: SIZE.0, height, shapes: Vec::new() };
    let ends = rows.iter().flat_map(|row| &row.spans).flat_map(|(_, from, to)| [*from, *to]);
    let x = Ruler::around(&plot.x, ends, true, 8);
    let mut y = Ruler::exact(&Axis::default(), 0.0, 1.0, 2);
    let share = |row: usize| 1.0 - (row as f64 + 0.5) / rows.len().max(1) as f64;
    let label = |row: &TimelineRow| cut(&row.name, SMALL, HEADING_MAX);
    y.ticks = rows.iter().enumerate().map(|(index, row)| (share(index), label(row))).collect();
    y.title.clone_from(&plot.y.label);
    let frame = Frame::new(&mut picture, &plot.title, x, y, &legend, Swatch::Block, true);
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
    fn every_line_of_a_cell_is_a_text_of_its_own_within_the_cell() {
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
        let names = ["a".to_owned(), "b".to_owned()];
        let plot = Plot {
            name: String::new(),
            title: "map".to_owned(),
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
        assert!(
            texts.iter().any(|(_, text)| text.starts_with("success(") && text.ends_with("… 12.3 ms")),
            "{texts:?}"
        );
        assert_eq!(texts.iter().filter(|(_, text)| *text == "up violated").count(), 4);
        assert!(texts.iter().all(|(y, _)| *y < picture.height - 8.0), "{} {texts:?}", picture.height);
    }
}
