//! Why requests did not succeed, and where.

use super::{Page, Paint, padded, pushed, wide};
use crate::experiment::results::{Cell, Failures};
use crate::report::input::ReportInput;
use crate::report::text::{counted, place, value};

/// Rows in the terminal; the rest stands in `results.json`.
const ROWS_MAX: usize = 24;

/// A row for each cell, program, reason and part.
pub(super) fn failures(page: &mut Page, paint: Paint, input: &ReportInput) {
    let cells = &input.results.cells;
    let of = |cell: &'_ Cell| -> Vec<[String; 6]> {
        let rows =
            cell.failures.iter().flat_map(|(program, rows)| rows.iter().map(move |row| (program, row)));
        rows.map(|(program, row)| texts(cell, program, row)).collect()
    };
    let rows: Vec<[String; 6]> = cells.iter().flat_map(of).collect();
    if rows.is_empty() {
        return;
    }
    page.gap();
    page.line(paint.bold("Failures, of requests that ended: why, and at which part"));
    let shown = &rows[..rows.len().min(ROWS_MAX)];
    let headings = ["program", "reason", "part", "share", "", ""].map(str::to_owned);
    // where comes last, and goes on below where it does not fit
    let widths: [usize; 5] = std::array::from_fn(|column| {
        shown.iter().chain([&headings]).map(|row| wide(&row[column])).max().unwrap_or(0)
    });
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (text, width))| match column {
            3 => pushed(text, width),
            _ => padded(text, width),
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  "))
    };
    page.line(paint.dim(line(&headings).trim_end()));
    for row in shown {
        let text = line(row) + "  ";
        page.hanging(&text, wide(&text), &row[5], |line| paint.dim(line));
    }
    if rows.len() > shown.len() {
        let more = counted((rows.len() - shown.len()) as u64, "more row");
        page.line(paint.dim(&format!("  {more} in results.json")));
    }
}

fn texts(cell: &Cell, program: &str, row: &Failures) -> [String; 6] {
    let note = if row.answer { "an answer" } else { "" };
    let share = value(row.share, "1");
    [
        program.to_owned(),
        row.reason.clone(),
        row.part.clone(),
        share,
        note.to_owned(),
        place(&cell.variant, &cell.point),
    ]
}
