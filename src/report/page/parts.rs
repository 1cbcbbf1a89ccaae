//! How busy the parts are, and what saturates.

use maud::{Markup, html};

use crate::experiment::results::{Cell, Part, Results};
use crate::report::page::cells::name;
use crate::report::text::{bottleneck, digits, value};

/// Sentences, then a row for each cell and part.
pub(super) fn parts(results: &Results) -> Markup {
    let told =
        results.cells.iter().filter_map(|cell| Some((name(cell), bottleneck(cell.bottleneck.as_ref()?))));
    let told: Vec<(String, String)> = told.collect();
    let of = |cell: &'_ Cell| -> Vec<(String, String, Part)> {
        cell.parts.iter().map(|(part, figures)| (name(cell), part.clone(), figures.clone())).collect()
    };
    let rows: Vec<(String, String, Part)> = results.cells.iter().flat_map(of).collect();
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "How busy the parts are" }
                @for (at, sentence) in &told {
                    p { @if results.cells.len() > 1 { strong { (at) } ": " } (sentence) "." }
                }
                p.small {
                    "On average over time and over all runs, after the warm-up: the share of what a part has that is in use, how \
                     many wait for it, what the part does and what it turns away."
                }
                div.wide {
                    table {
                        thead {
                            tr {
                                th { "where" } th { "part" } th { "kind" } th.number { "done" } th.number { "refused" }
                                th { "in use" } th { "waiting" }
                            }
                        }
                        tbody {
                            @for (at, part, figures) in &rows {
                                tr {
                                    td { (at) }
                                    td { code { (part) } }
                                    td { (figures.kind) }
                                    td.number { (value(figures.throughput, "1/s")) }
                                    td.number { @if figures.refusals > 0.0 { (value(figures.refusals, "1/s")) } @else { "–" } }
                                    td {
                                        @for (what, share) in &figures.utilisation {
                                            span.cause { (what) " " (digits(share * 100.0)) " %" }
                                        }
                                    }
                                    td {
                                        @for (what, many) in figures.waiting.iter().filter(|(_, many)| **many > 0.0) {
                                            span.cause { (what) " " (digits(*many)) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
