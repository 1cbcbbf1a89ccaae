//! How busy the parts are, and what saturates.

use std::collections::BTreeMap;

use crate::experiment::results::{Cell, Part};
use crate::report::input::ReportInput;
use crate::report::table::measures::in_order;
use crate::report::table::sheet::{EMPTY, Page, Paint};
use crate::report::text::{bottleneck, digits, place, value};

/// Rows in the terminal; the rest stands in `results.json`.
const ROWS_MAX: usize = 40;

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
    page.left_out(paint, told.len(), ROWS_MAX, "sentence");
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
    let headings = ["part", "done", "refused", "in use", "waiting", ""];
    page.rows(paint, headings, &rows, &[1, 2], ROWS_MAX);
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
