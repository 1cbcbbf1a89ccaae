//! Why requests did not succeed, and where.

use maud::{Markup, html};

use crate::experiment::results::{Cell, Failures, Results};
use crate::report::text::{place, value};

/// A row for each cell, program, reason and part.
pub(super) fn failures(results: &Results) -> Markup {
    let of = |cell: &'_ Cell| -> Vec<(String, String, Failures)> {
        let rows =
            cell.failures.iter().flat_map(|(program, rows)| rows.iter().map(move |row| (program, row)));
        let at = place(&cell.variant, &cell.point);
        rows.map(|(program, row)| (at.clone(), program.clone(), row.clone())).collect()
    };
    let rows: Vec<(String, String, Failures)> = results.cells.iter().flat_map(of).collect();
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "Why requests did not succeed" }
                p.small {
                    "Share of those that ended, over all runs, by reason and by the part that said no or gave no answer. \
                     An answer that the design declares as one is no failure."
                }
                div.wide {
                    table {
                        thead {
                            tr {
                                th { "where" } th { "program" } th { "reason" } th { "part" }
                                th.number { "share" } th.number { "requests" } th { "" }
                            }
                        }
                        tbody {
                            @for (at, program, row) in &rows {
                                tr {
                                    td { (at) }
                                    td { (program) }
                                    td { (row.reason) }
                                    td { (row.part) }
                                    td.number { (value(row.share, "1")) }
                                    td.number { (row.requests) }
                                    td { @if row.answer { "an answer" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
