//! How busy the parts are, and what saturates.

use std::collections::BTreeMap;

use super::{Page, Paint, padded, pushed, wide};
use crate::experiment::results::{Cell, Part};
use crate::report::input::ReportInput;
use crate::report::table::measures::in_order;
use crate::report::text::{bottleneck, counted, digits, place, value};

/// Rows in the terminal; the rest stands in `results.json`.
const ROWS_MAX: usize = 40;
/// The column of refusals, which is left out where there are none.
const REFUSED: usize = 2;
/// What stands where there is nothing.
const EMPTY: &str = "–";

/// A sentence for each cell in which something saturates.
pub(super) fn bottlenecks(page: &mut Page, paint: Paint, input: &ReportInput) {
    let cells = in_order(input);
    let told: Vec<(&Cell, String)> =
        cells.iter().filter_map(|cell| Some((*cell, bottleneck(cell.bottleneck.as_ref()?)))).collect();
    if told.is_empty() {
        return;
    }
    page.gap();
    page.line(paint.bold("Bottleneck"));
    for (cell, text) in told.iter().take(ROWS_MAX) {
        let at =
            if cells.len() > 1 { format!("{}: ", place(&cell.variant, &cell.point)) } else { String::new() };
        page.wrapped(2, &format!("{at}{text}"), str::to_owned);
    }
    left_out(page, paint, told.len(), "sentence");
}

/// A row for each cell and part.
pub(super) fn parts(page: &mut Page, paint: Paint, input: &ReportInput) {
    let cells = in_order(input);
    let several = cells.len() > 1;
    let of = |cell: &Cell| -> Vec<[String; 6]> {
        let at = if several { place(&cell.variant, &cell.point) } else { String::new() };
        let busy = cell.parts.iter().filter(|(_, part)| !is_idle(part));
        busy.map(|(name, part)| texts(name, part, at.clone())).collect()
    };
    let rows: Vec<[String; 6]> = cells.into_iter().flat_map(of).collect();
    if rows.is_empty() {
        return;
    }
    page.gap();
    page.line(paint.bold("Parts: on average over time"));
    let shown = &rows[..rows.len().min(ROWS_MAX)];
    let headings = ["part", "done", "refused", "in use", "waiting", ""].map(str::to_owned);
    let widths: [usize; 5] = std::array::from_fn(|column| {
        shown.iter().chain([&headings]).map(|row| wide(&row[column])).max().unwrap_or(0)
    });
    let refuses = shown.iter().any(|row| row[REFUSED] != EMPTY);
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).enumerate();
        let cells = cells.filter(|(column, _)| refuses || *column != REFUSED);
        let cells = cells.map(|(column, (text, width))| match column {
            1 | REFUSED => pushed(text, width),
            _ => padded(text, width),
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  "))
    };
    page.line(paint.dim(line(&headings).trim_end()));
    for row in shown {
        let text = line(row) + "  ";
        page.hanging(&text, wide(&text), &row[5], |line| paint.dim(line));
    }
    left_out(page, paint, rows.len(), "row");
}

fn left_out(page: &mut Page, paint: Paint, all: usize, noun: &str) {
    if all > ROWS_MAX {
        let more = counted((all - ROWS_MAX) as u64, &format!("more {noun}"));
        page.line(paint.dim(&format!("  {more} in results.json")));
    }
}

/// Nobody asked it for anything that it counts: such rows would be dashes.
fn is_idle(part: &Part) -> bool {
    let nothing = |of: &BTreeMap<String, f64>| of.values().all(|value| *value == 0.0);
    part.throughput == 0.0 && part.refusals == 0.0 && nothing(&part.utilisation) && nothing(&part.waiting)
}

/// Part, throughput, refusals, in use, waiting, where.
fn texts(name: &str, part: &Part, at: String) -> [String; 6] {
    let refused = if part.refusals > 0.0 { value(part.refusals, "1/s") } else { EMPTY.to_owned() };
    let used = listed(&part.utilisation, |share| format!("{} %", digits((share * 1000.0).round() / 10.0)));
    let waiting = listed(&part.waiting, |many| digits((many * 1000.0).round() / 1000.0));
    [name.to_owned(), value(part.throughput, "1/s"), refused, used, waiting, at]
}

/// `cores 90 %, threads 4 %`: what is nothing is left out.
fn listed(of: &BTreeMap<String, f64>, text: impl Fn(f64) -> String) -> String {
    let all = of.iter().map(|(what, value)| (what, text(*value)));
    let some: Vec<String> = all
        .filter(|(_, text)| text != "0" && text != "0 %")
        .map(|(what, text)| format!("{what} {text}"))
        .collect();
    if some.is_empty() { EMPTY.to_owned() } else { some.join(", ") }
}
