//! What was expected and what happened: what nobody expected first, with the command that shows it again.

use maud::{Markup, html};

use crate::experiment::results::{Cell, Property};
use crate::report::input::ReportInput;
use crate::report::page::cells::{mark, name, ordered};

/// Of what came as expected more than this is folded.
const OPEN_MAX: usize = 12;

/// What is told first: what is not as expected, then what nobody knows, then the rest.
fn rank(property: &Property) -> u8 {
    match (property.as_expected, property.outcome.as_str()) {
        (false, "unknown") => 1,
        (false, _) => 0,
        (true, _) => 2,
    }
}

/// The section.
pub(super) fn happened(input: &ReportInput) -> Markup {
    let mut rows: Vec<(&Cell, &String, &Property)> = ordered(input)
        .into_iter()
        .flat_map(|cell| cell.properties.iter().map(move |(property, seen)| (cell, property, seen)))
        .collect();
    rows.sort_by_key(|(_, _, seen)| rank(seen));
    let bad = rows.iter().filter(|(_, _, seen)| rank(seen) < 2).count();
    let (first, rest) = rows.split_at(bad);
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "What was expected, and what happened" }
                @if !first.is_empty() { (table(first)) }
                @if !rest.is_empty() {
                    @if rest.len() > OPEN_MAX {
                        details {
                            summary { "What came as expected (" (rest.len()) ")" }
                            (table(rest))
                        }
                    } @else {
                        (table(rest))
                    }
                }
            }
        }
    }
}

fn table(rows: &[(&Cell, &String, &Property)]) -> Markup {
    html! {
        div.wide {
            table {
                thead { tr { th { "" } th { "property" } th { "where" } th { "happened" } th { "expected" } th { "witness" } } }
                tbody {
                    @for (cell, property, seen) in rows {
                        tr {
                            td { (mark(seen.as_expected, seen.outcome == "unknown")) }
                            td { code { (property) } span.small { " " (seen.kind) } }
                            td { (name(cell)) }
                            td { (seen.outcome) }
                            td { (seen.expected) }
                            td.witness {
                                @if seen.witness.is_empty() && !seen.as_expected { "in all " (cell.runs) " runs" }
                                (seen.witness)
                                @if !seen.failing_seeds.is_empty() {
                                    span.small { " (" (seeds(&seen.failing_seeds)) ")" }
                                }
                                @if let (false, Some(replay)) = (seen.as_expected, &seen.replay) {
                                    br;
                                    code.small { (replay) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn seeds(seeds: &[u64]) -> String {
    let shown = seeds.iter().take(8).map(u64::to_string).collect::<Vec<_>>().join(", ");
    let word = if seeds.len() == 1 { "seed" } else { "seeds" };
    let more = seeds.len().saturating_sub(8);
    if more > 0 { format!("{word} {shown} and {more} more") } else { format!("{word} {shown}") }
}
