//! Why requests did not succeed, and where.

use crate::experiment::results::{Cell, Failures};
use crate::report::input::ReportInput;
use crate::report::table::sheet::{Page, Paint};
use crate::report::text::{place, value};

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
    let headings = ["program", "reason", "part", "share", "", ""];
    page.rows(paint, headings, &rows, &[3], ROWS_MAX);
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
