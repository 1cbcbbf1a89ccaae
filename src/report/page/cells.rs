//! How cells are named, marked and put in order.

use crate::experiment::results::Cell;
use crate::report::input::ReportInput;
use crate::report::text::place;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// A cell's name as a reader knows it: with its point only where there are several.
pub(super) fn name(cell: &Cell) -> String {
    place(&cell.variant, &cell.point)
}

/// ✓, ? or ✗, with a word for those who do not see them.
pub(super) fn mark(good: bool, open: bool) -> Markup {
    let (class, sign, word) = match (good, open) {
        (true, _) => ("good", "✓", "as expected"),
        (false, true) => ("open", "?", "undecided"),
        (false, false) => ("bad", "✗", "not as expected"),
    };
    html! { span class=(class) title=(word) aria-label=(word) { (sign) } }
}

/// Cells by point, then variants in the file's order.
pub(super) fn ordered(input: &ReportInput) -> Vec<&Cell> {
    let mut points: Vec<&BTreeMap<String, String>> = Vec::new();
    for cell in &input.results.cells {
        if !points.contains(&&cell.point) {
            points.push(&cell.point);
        }
    }
    let mut cells: Vec<&Cell> = input.results.cells.iter().collect();
    let variant = |cell: &Cell| input.variants_in_order.iter().position(|name| *name == cell.variant);
    cells.sort_by_key(|cell| (points.iter().position(|point| **point == cell.point), variant(cell)));
    cells
}
