//! `report.html`: one file that needs nothing else, in the order in which a reader asks: what came of it, what was the question, what was
//! expected and did not happen, what does it look like, what is the design, what does theory say, how do I see it again.

mod cells;
mod comparisons;
mod failures;
mod happened;
mod parts;
mod summary;

use crate::report::page::cells::{name, ordered};
use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::experiment::results::{Cell, Results, Theory};
use crate::report::input::ReportInput;
use crate::report::text::{digits, estimate, interval, place, short_path, value};
use crate::report::{graph, plots};

const STYLE: &str = include_str!("page.css");
/// Designs that are drawn.
const DESIGNS_MAX: usize = 6;

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
                (summary::summary(input))
                (about(&input.about))
                (happened::happened(input))
                (pictures(input))
                (designs(input))
                (theory(results))
                (measures(input))
                (failures::failures(results))
                (parts::parts(results))
                (causes(results))
                (comparisons::comparisons(input))
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

fn designs(input: &ReportInput) -> Markup {
    let (shown, more) = input.designs.split_at(input.designs.len().min(DESIGNS_MAX));
    html! {
        @if shown.iter().any(|design| !design.graph.nodes.is_empty()) {
            section {
                h2 { "The design" }
                @for design in shown {
                    figure.wide {
                        (PreEscaped(graph::svg(&design.graph)))
                        @if input.designs.len() > 1 { figcaption { (design.variants.join(", ")) } }
                    }
                }
                @if !more.is_empty() {
                    p.small {
                        "Not drawn: " (more.iter().flat_map(|design| &design.variants).cloned().collect::<Vec<_>>().join(", "))
                        ". " code { "splitbrain explain " (input.results.experiment) " --variant NAME --topology svg" } " draws them."
                    }
                }
            }
        }
    }
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
                    "A row agrees when the simulated mean is no further from the theory than the tolerance and half of its 99 % "
                    "interval is at most 70 % of that; it parts when the whole interval lies outside; otherwise more runs would "
                    "tell. The interval shown is of 95 %."
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
    let (names, _) = input.measures();
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
        input.designs.clear();
        input.about.clear();
        let text = page(&input);
        assert!(text.contains("See it again") && !text.contains("<table"));
    }

    #[test]
    fn what_nobody_expected_is_told_by_sign_and_word() {
        let text = page(&stampede());
        assert!(text.contains("at most 70 % of that"), "by the rule that judges");
        assert!(text.contains("Not as expected") && text.contains("✗") && text.contains("p99 is 31 ms"));
    }

    #[test]
    fn words_come_first_and_what_nobody_expected_before_what_everybody_did() {
        let mut input = stampede();
        for property in input.results.cells.iter_mut().flat_map(|cell| cell.properties.values_mut()) {
            property.replay =
                property.failing_seeds.first().map(|seed| format!("splitbrain run x --seed {seed}"));
        }
        let text = page(&input);
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}"));
        assert!(at("In words") < at("The question") && at("The question") < at("What was expected"));
        assert!(at("1 property did not come as expected") < at("The question"));
        let table = &text[at("What was expected")..at("Plots")];
        let bad = table.find("not as expected").expect("one is not");
        assert!(bad < table.find("title=\"as expected\"").expect("others are"), "{table}");
        assert!(table.contains("splitbrain run x --seed 4"), "how to see it: {table}");
    }

    #[test]
    fn designs_that_differ_are_drawn_each_with_its_variants() {
        let mut input = stampede();
        assert_eq!(page(&input).matches("<svg class=\"design\"").count(), 1);
        let mut other = input.designs[0].clone();
        other.variants = vec!["no cache".to_owned()];
        other.graph.nodes.remove(2);
        input.designs.push(other);
        let text = page(&input);
        assert_eq!(text.matches("<svg class=\"design\"").count(), 2);
        assert!(text.contains("<figcaption>no cache</figcaption>"));
    }

    #[test]
    fn three_variants_are_compared_with_the_first() {
        let mut input = stampede();
        input.variants_in_order.push("lease".to_owned());
        let mut third = input.results.cells[0].clone();
        third.variant = "lease".to_owned();
        input.results.cells.push(third);
        let mut lease = input.results.comparisons[0].clone();
        lease.b = "lease".to_owned();
        input.results.comparisons.push(lease.clone());
        input
            .results
            .comparisons
            .push(crate::experiment::results::Comparison { a: "single flight".to_owned(), ..lease });
        let text = page(&input);
        let table = &text[text.find("Compared with").expect("a table")..];
        assert!(table.contains(">lease</th>") && table.contains(">single flight</th>"), "{table}");
        assert_eq!(
            table[..table.find("</table>").expect("its end")].matches("-12.0 ± 0.5 ms").count(),
            2,
            "{table}"
        );
    }
}
