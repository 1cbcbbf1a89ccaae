//! What came of it, in words.

use maud::{Markup, html};

use crate::experiment::results::{Property, Theory};
use crate::report::input::{PlotKind, ReportInput};
use crate::report::page::cells::name;
use crate::report::text::counted;

/// Things that are named one by one.
const NAMED_MAX: usize = 8;

/// The section.
pub(super) fn summary(input: &ReportInput) -> Markup {
    let results = &input.results;
    let of = |wanted: &dyn Fn(&Property) -> bool| -> Vec<String> {
        let cells = results.cells.iter();
        cells
            .flat_map(|cell| {
                let properties = cell.properties.iter().filter(|(_, seen)| wanted(seen));
                properties.map(|(property, seen)| {
                    format!("{property} of {}: {}, expected: {}", name(cell), seen.outcome, seen.expected)
                })
            })
            .collect()
    };
    let bad = of(&|seen| !seen.as_expected && seen.outcome != "unknown");
    let open = of(&|seen| !seen.as_expected && seen.outcome == "unknown");
    let theories = |wanted: &dyn Fn(&Theory) -> bool| -> Vec<String> {
        let rows = results.theory.iter().filter(|theory| wanted(theory));
        rows.map(|theory| crate::report::text::place(&theory.name, &theory.point)).collect()
    };
    let parts = theories(&|theory| !theory.agrees && !theory.undecided && !theory.needs_full);
    let undecided = theories(&|theory| theory.undecided || theory.needs_full);
    let seen = input.plots.iter().filter(|plot| !matches!(plot.kind, PlotKind::SpaceTime(_)));
    let seen: Vec<&str> = seen.map(|plot| plot.title.as_str()).filter(|title| title.contains(": ")).collect();
    let any = results.cells.iter().any(|cell| !cell.properties.is_empty());
    html! {
        @if !results.cells.is_empty() {
            section {
                h2 { "In words" }
                p { (counts(input)) }
                @if any && bad.is_empty() && open.is_empty() { p { "All properties came as expected." } }
                (told(&bad, "property", "properties", "did not come as expected"))
                (told(&open, "property", "properties", "could not be decided"))
                (told(&parts, "figure", "figures", "of theory and simulation part"))
                (told(&undecided, "figure", "figures", "of theory would need more runs to be decided"))
                @if !seen.is_empty() {
                    ul { @for title in seen.iter().take(NAMED_MAX) { li { (title) } } }
                }
            }
        }
    }
}

/// How much was run.
fn counts(input: &ReportInput) -> String {
    let cells = &input.results.cells;
    let mut variants: Vec<&str> = cells.iter().map(|cell| cell.variant.as_str()).collect();
    variants.sort_unstable();
    variants.dedup();
    let mut points: Vec<_> = cells.iter().map(|cell| &cell.point).collect();
    points.sort_unstable();
    points.dedup();
    let runs = cells.iter().map(|cell| u64::from(cell.runs)).max().unwrap_or(0);
    let at = if points.len() > 1 { format!(" at {} points", points.len()) } else { String::new() };
    format!("{}{at}, {} of each.", counted(variants.len() as u64, "variant"), counted(runs, "run"))
}

/// How many of them, and which.
fn told(all: &[String], one: &str, many: &str, what: &str) -> Markup {
    html! {
        @if !all.is_empty() {
            p { strong { (all.len()) " " (if all.len() == 1 { one } else { many }) " " (what) ":" } }
            ul {
                @for text in all.iter().take(NAMED_MAX) { li { (text) } }
                @if all.len() > NAMED_MAX { li { "and " (all.len() - NAMED_MAX) " more" } }
            }
        }
    }
}
