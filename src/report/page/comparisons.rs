//! Variants beside the first one, under the same seeds: a column for each of them, however many there are.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::experiment::results::Comparison;
use crate::report::input::ReportInput;
use crate::report::text::{interval, point};

/// Rows on the page; the rest stands in `results.json`.
const ROWS_MAX: usize = 60;
/// A difference is in bold that is this improbable without one, for all comparisons together.
const IMPROBABLE: f64 = 0.01;

/// The section.
pub(super) fn comparisons(input: &ReportInput) -> Markup {
    let results = &input.results;
    let is_there = |name: &&String| results.cells.iter().any(|cell| cell.variant == **name);
    let variants: Vec<&String> = input.variants_in_order.iter().filter(is_there).collect();
    let Some((first, others)) = variants.split_first() else { return html! {} };
    // By measure and point: what is known of each other variant, as its difference from the first.
    let mut rows: Vec<(&str, &BTreeMap<String, String>)> = Vec::new();
    for one in &results.comparisons {
        let row = (one.measure.as_str(), &one.point);
        if (one.a == **first || one.b == **first) && !rows.contains(&row) {
            rows.push(row);
        }
    }
    let find = |(measure, at): &(&str, &BTreeMap<String, String>), other: &str| {
        results.comparisons.iter().find(|one| {
            one.measure == *measure && one.point == **at && {
                (one.a == **first && one.b == other) || (one.b == **first && one.a == other)
            }
        })
    };
    let unit = |measure: &str| {
        let known = results.cells.iter().find_map(|cell| cell.measures.get(measure));
        known.map_or("1", |one| one.unit.as_str())
    };
    let bound = IMPROBABLE / (rows.len() * others.len()).max(1) as f64;
    html! {
        @if !rows.is_empty() {
            section {
                details open[others.len() > 1] {
                    summary { "Compared with " (first) ", under the same seeds" }
                    p.small {
                        "How much more than " (first) ", ± half the 95 % interval. Bold: by chance alone in less than one of a hundred such tables."
                    }
                    div.wide {
                        table {
                            thead { tr { th { "measure" } th { "at" } @for other in others { th.number { (other) } } } }
                            tbody {
                                @for row in rows.iter().take(ROWS_MAX) {
                                    tr {
                                        td { code { (row.0) } }
                                        td { (point(row.1)) }
                                        @for other in others { (cell(find(row, other), first, unit(row.0), bound)) }
                                    }
                                }
                            }
                        }
                    }
                    @if rows.len() > ROWS_MAX { p.small { "The others stand in results.json." } }
                }
            }
        }
    }
}

/// A difference from the first variant.
fn cell(known: Option<&Comparison>, first: &str, unit: &str, bound: f64) -> Markup {
    let told = known.and_then(|one| {
        // The other minus the first, whichever way round it was computed.
        let way = if one.a == first { -1.0 } else { 1.0 };
        let ci95 = one.ci95.map(|[low, high]| if way < 0.0 { [-high, -low] } else { [low, high] });
        Some((interval(way * one.difference?, ci95, unit), one.p_value.is_some_and(|p| p < bound)))
    });
    html! {
        td.number {
            @match told {
                Some((text, true)) => strong { (text) },
                Some((text, false)) => (text),
                None => "–",
            }
        }
    }
}
