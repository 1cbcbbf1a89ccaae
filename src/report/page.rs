//! `report.html`: one file that needs nothing else, in the order in which a reader asks: what was the question, what is
//! the design, what does it look like, what was expected and what happened, what does theory say, how do I see it again.

mod failures;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::experiment::results::{Cell, Results, Theory};
use crate::report::input::ReportInput;
use crate::report::text::{digits, estimate, interval, place, point, short_path, value};
use crate::report::{graph, plots};

const STYLE: &str = include_str!("page.css");
/// Comparisons on the page; the rest stands in `results.json`.
const COMPARISONS_MAX: usize = 200;

/// The page.
pub fn page(input: &ReportInput) -> String {
    let results = &input.results;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (results.experiment) ": " (results.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(results))
                (about(&input.about))
                (design(input))
                (pictures(input))
                (happened(input))
                (theory(results))
                (measures(input))
                (failures::failures(results))
                (causes(results))
                (comparisons(results))
                (defaults(results))
                (again(input))
            }
        }
    };
    page.into_string() + "\n"
}

fn head(results: &Results) -> Markup {
    let summary = &results.summary;
    let properties = || results.cells.iter().flat_map(|cell| cell.properties.values());
    let expected = properties().filter(|property| property.as_expected).count();
    let agree = results.theory.iter().filter(|theory| theory.agrees).count();
    html! {
        header {
            p.kicker { "splitbrain " (results.version) " · " (results.experiment) }
            h1 { (if results.title.is_empty() { &results.experiment } else { &results.title }) }
            p class=(if summary.as_expected { "verdict good" } else { "verdict bad" }) {
                @if summary.as_expected { "✓ As expected" } @else { "✗ Not as expected" }
                span {
                    (expected) " of " (properties().count()) " properties as expected"
                    @if !results.theory.is_empty() { ", " (agree) " of " (results.theory.len()) " theories agree" }
                }
            }
            p.small {
                (summary.trials) " runs from seed " (results.seed) ", " (summary.events) " events; fingerprint "
                code { (results.fingerprint) }
            }
        }
    }
}

/// The author's words: paragraphs, lists whose lines begin with `*`, and `code`.
fn about(text: &str) -> Markup {
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    html! {
        @if !text.trim().is_empty() {
            section {
                h2 { "The question" }
                @for block in blocks {
                    @if block.starts_with("* ") {
                        ul { @for item in block.split("\n* ") { li { (words(item.trim_start_matches("* "))) } } }
                    } @else {
                        p { (words(block)) }
                    }
                }
            }
        }
    }
}

fn words(text: &str) -> Markup {
    html! {
        @for (place, piece) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

fn design(input: &ReportInput) -> Markup {
    html! {
        @if !input.graph.nodes.is_empty() {
            section {
                h2 { "The design" }
                div.wide { (PreEscaped(graph::svg(&input.graph))) }
            }
        }
    }
}

/// A cell's name as a reader knows it: with its point only where there are several.
fn name(cell: &Cell) -> String {
    place(&cell.variant, &cell.point)
}

fn happened(input: &ReportInput) -> Markup {
    let cells = &input.results.cells;
    let any = cells.iter().any(|cell| !cell.properties.is_empty());
    html! {
        @if any {
            section {
                h2 { "What was expected, and what happened" }
                div.wide {
                    table {
                        thead { tr { th { "" } th { "property" } th { "where" } th { "happened" } th { "expected" } th { "witness" } } }
                        tbody {
                            @for cell in ordered(input) {
                                @for (property, seen) in &cell.properties {
                                    tr {
                                        td { (mark(seen.as_expected, seen.outcome == "unknown")) }
                                        td { code { (property) } span.small { " " (seen.kind) } }
                                        td { (name(cell)) }
                                        td { (seen.outcome) }
                                        td { (seen.expected) }
                                        td.witness {
                                            (seen.witness)
                                            @if !seen.failing_seeds.is_empty() {
                                                span.small { " (" (seeds(&seen.failing_seeds)) ")" }
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
}

/// ✓, ? or ✗, with a word for those who do not see them.
fn mark(good: bool, open: bool) -> Markup {
    let (class, sign, word) = match (good, open) {
        (true, _) => ("good", "✓", "as expected"),
        (false, true) => ("open", "?", "undecided"),
        (false, false) => ("bad", "✗", "not as expected"),
    };
    html! { span class=(class) title=(word) aria-label=(word) { (sign) } }
}

fn seeds(seeds: &[u64]) -> String {
    let shown = seeds.iter().take(8).map(u64::to_string).collect::<Vec<_>>().join(", ");
    let word = if seeds.len() == 1 { "seed" } else { "seeds" };
    let more = seeds.len().saturating_sub(8);
    if more > 0 { format!("{word} {shown} and {more} more") } else { format!("{word} {shown}") }
}

/// Cells by point, then variants in the file's order.
fn ordered(input: &ReportInput) -> Vec<&Cell> {
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

fn theory(results: &Results) -> Markup {
    let off = |theory: &Theory| match theory.simulated {
        Some(mean) if theory.theory != 0.0 => format!("{:+.1} %", (mean / theory.theory - 1.0) * 100.0),
        _ => "–".to_owned(),
    };
    html! {
        @if !results.theory.is_empty() {
            section {
                h2 { "Theory beside simulation" }
                p.small {
                    "A row agrees when the 99 % interval of the simulated mean overlaps the theory ± its tolerance, and is no "
                    "wider than that. The interval shown is of 95 %."
                }
                div.wide {
                    table {
                        thead {
                            tr {
                                th { "" } th { "theory" } th { "where" } th { "measure" } th.number { "simulated" }
                                th.number { "theory" } th.number { "off by" } th.number { "within" } th { "source" }
                            }
                        }
                        tbody {
                            @for theory in &results.theory {
                                tr {
                                    td {
                                        @if theory.agrees { span.good title="agrees" { "✓" } }
                                        @else if theory.needs_full { span.open title="undecided by the quick runs: --full" { "?" } }
                                        @else if theory.undecided { span.open title="undecided: more runs" { "?" } }
                                        @else { span.bad title="parts" { "✗" } }
                                    }
                                    td { (theory.name) }
                                    td { (place(&theory.variant, &theory.point)) }
                                    td { code { (theory.of) } }
                                    td.number {
                                        @match theory.simulated {
                                            Some(mean) => (interval(mean, theory.ci95, &theory.unit)),
                                            None => "undefined",
                                        }
                                    }
                                    td.number { (value(theory.theory, &theory.unit)) }
                                    td.number { (off(theory)) }
                                    td.number { (digits(theory.within * 100.0)) " %" }
                                    td.small { (theory.source) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn pictures(input: &ReportInput) -> Markup {
    html! {
        @if !input.plots.is_empty() {
            section {
                h2 { "Plots" }
                @for plot in &input.plots {
                    figure.wide {
                        (PreEscaped(plots::svg(&plots::draw(plot, &input.variants_in_order))))
                        figcaption.small { "plots/" (plot.name) ".svg, .png" }
                    }
                }
            }
        }
    }
}

fn measures(input: &ReportInput) -> Markup {
    let cells = ordered(input);
    let mut names: Vec<&String> = cells.iter().flat_map(|cell| cell.measures.keys()).collect();
    names.sort();
    names.dedup();
    let mut paths: Vec<&String> = cells.iter().flat_map(|cell| cell.point.keys()).collect();
    paths.sort();
    paths.dedup();
    html! {
        @if !names.is_empty() {
            section {
                h2 { "Measures" }
                p.small {
                    "Mean over runs ± half the 95 % interval, after the warm-up; what is compared with the state of a store counts \
                     from time 0. Latencies are of successes unless outcome= says otherwise. A percentile pN of n samples is the \
                     ⌈N·n/100⌉-th smallest; where requests were under way at an edge it is the product-limit estimate, and ≥ is a \
                     lower bound. goodput counts what succeeded, throughput whatever ended."
                }
                div.wide {
                    table {
                        thead {
                            tr {
                                @for path in &paths { th { (short_path(path)) } }
                                th { "variant" }
                                @for name in &names { th.number { (name) } }
                            }
                        }
                        tbody {
                            @for cell in &cells {
                                tr {
                                    @for path in &paths {
                                        td { (cell.point.get(*path).map_or("", String::as_str)) }
                                    }
                                    td { (cell.variant) }
                                    @for name in &names {
                                        @match cell.measures.get(*name) {
                                            Some(one) => td.number title=(one.note.as_deref().unwrap_or("")) {
                                                @if one.mean.is_some() { (estimate(one)) } @else { "–" }
                                                @if one.note.is_some() { sup { "*" } }
                                            },
                                            None => td {},
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                @for note in notes(&cells) { p.small { "* " (note) } }
            }
        }
    }
}

fn notes(cells: &[&Cell]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for note in cells.iter().flat_map(|cell| cell.measures.values()).filter_map(|one| one.note.clone()) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// Where the time of each program went, as shares of a bar with the numbers beside it.
fn causes(results: &Results) -> Markup {
    let rows: Vec<(String, &String, &BTreeMap<String, u64>)> = results
        .cells
        .iter()
        .flat_map(|cell| cell.causes.iter().map(move |(program, causes)| (name(cell), program, causes)))
        .filter(|(_, _, causes)| causes.get("total_ns").is_some_and(|total| *total > 0))
        .collect();
    let seconds = |ns: u64| value(ns as f64 / 1e9, "s");
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "Where the time went" }
                p.small { "Mean time of a request by cause, over all runs. The causes sum to the latency exactly." }
                div.wide {
                    table {
                        thead { tr { th { "where" } th { "program" } th.number { "mean" } th { "of which" } } }
                        tbody {
                            @for (at, program, causes) in &rows {
                                @let total = causes["total_ns"];
                                tr {
                                    td { (at) }
                                    td { code { (program) } }
                                    td.number { (seconds(total)) }
                                    td {
                                        @for (cause, ns) in causes.iter().filter(|(cause, _)| *cause != "total_ns") {
                                            span.cause {
                                                (cause.trim_end_matches("_ns")) " " (seconds(*ns))
                                                span.small { " " (digits(*ns as f64 * 100.0 / total as f64)) " %" }
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
}

fn comparisons(results: &Results) -> Markup {
    let unit = |measure: &str| {
        let known = results.cells.iter().find_map(|cell| cell.measures.get(measure));
        known.map_or("1", |one| one.unit.as_str())
    };
    html! {
        @if !results.comparisons.is_empty() {
            section {
                details {
                    summary { "Variants compared under the same seeds (" (results.comparisons.len()) ")" }
                    div.wide {
                        table {
                            thead {
                                tr {
                                    th { "measure" } th { "at" } th { "a − b" } th.number { "difference" }
                                    th.number { "p" } th.number { "correlation" }
                                }
                            }
                            tbody {
                                @for one in results.comparisons.iter().take(COMPARISONS_MAX) {
                                    tr {
                                        td { code { (one.measure) } }
                                        td { (point(&one.point)) }
                                        td { (one.a) " − " (one.b) }
                                        td.number {
                                            @match one.difference {
                                                Some(mean) => (interval(mean, one.ci95, unit(&one.measure))),
                                                None => "–",
                                            }
                                        }
                                        td.number { (one.p_value.map_or("–".to_owned(), digits)) }
                                        td.number { (one.correlation.map_or("–".to_owned(), digits)) }
                                    }
                                }
                            }
                        }
                    }
                    @if results.comparisons.len() > COMPARISONS_MAX { p.small { "The others stand in results.json." } }
                }
            }
        }
    }
}

fn defaults(results: &Results) -> Markup {
    html! {
        @if !results.defaults.is_empty() {
            section {
                details {
                    summary { "Defaults that were used (" (results.defaults.len()) ")" }
                    p.small { code { "splitbrain explain " (results.experiment) } " says where each comes from." }
                    table {
                        tbody {
                            @for (path, value) in &results.defaults { tr { td { code { (path) } } td { (value) } } }
                        }
                    }
                }
            }
        }
    }
}

fn again(input: &ReportInput) -> Markup {
    html! {
        section {
            h2 { "See it again" }
            pre { (input.command) }
            p.small {
                "The same design, seed and version give the same results, byte for byte, on any machine."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::stampede;

    #[test]
    fn hostile_names_are_escaped() {
        let mut input = stampede();
        input.about = "<script>alert(2)</script>\n\n* `<b>`\n* two".to_owned();
        input.results.cells[0].variant = "<img src=x>".to_owned();
        input.command = "splitbrain run '<x>'".to_owned();
        let text = page(&input);
        assert!(
            !text.contains("<script")
                && !text.contains("<img")
                && !text.contains("<b>")
                && !text.contains("<x>")
        );
        assert!(text.contains("&lt;script&gt;"));
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let text = page(&stampede());
        for outside in ["src=\"http", "href=\"http", "@import", "url(http", "<script", "<link"] {
            assert!(!text.contains(outside), "{outside}");
        }
    }

    #[test]
    fn an_empty_experiment_has_a_page() {
        let mut input = stampede();
        input.results.cells.clear();
        input.results.theory.clear();
        input.results.comparisons.clear();
        input.results.defaults.clear();
        input.plots.clear();
        input.graph = crate::report::input::Graph::default();
        input.about.clear();
        let text = page(&input);
        assert!(text.contains("See it again") && !text.contains("<table"));
    }

    #[test]
    fn what_nobody_expected_is_told_by_sign_and_word() {
        let text = page(&stampede());
        assert!(text.contains("Not as expected") && text.contains("✗") && text.contains("p99 is 31 ms"));
    }
}
