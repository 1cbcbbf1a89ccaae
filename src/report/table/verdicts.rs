//! What was expected and what happened: properties, theory beside simulation, findings, comparisons.

use std::collections::BTreeSet;

use super::{Mark, Page, Paint, padded, wide};
use crate::experiment::results::{Cell, Property, Results};
use crate::report::text::{digits, estimate, interval, maybe, place, point, value};

/// Comparisons in the terminal; the rest stands in `results.json`.
const COMPARISONS_MAX: usize = 12;
/// Failing seeds named on one line.
const SEEDS_MAX: usize = 8;

/// One line for a property that came out alike everywhere, otherwise one per cell; its witness below.
pub(super) fn properties(page: &mut Page, paint: Paint, results: &Results) {
    let names: BTreeSet<&String> = results.cells.iter().flat_map(|cell| cell.properties.keys()).collect();
    if names.is_empty() {
        return;
    }
    let good =
        results.cells.iter().flat_map(|cell| cell.properties.values()).filter(|one| one.as_expected).count();
    let all: usize = results.cells.iter().map(|cell| cell.properties.len()).sum();
    page.line(paint.bold(&format!("Properties: {good} of {all} as expected")));
    let longest = names.iter().map(|name| wide(name)).max().unwrap_or(0).min(44);
    for name in names {
        let having = |cell: &'_ Cell| cell.properties.contains_key(name);
        let cells: Vec<&Cell> = results.cells.iter().filter(|cell| having(cell)).collect();
        let first = &cells[0].properties[name];
        let same = |cell: &&Cell| {
            let property = &cell.properties[name];
            (&property.outcome, &property.expected) == (&first.outcome, &first.expected)
        };
        if cells.len() > 1 && first.outcome == "holds" && cells.iter().all(same) {
            let everywhere = format!("all {} cells", cells.len());
            property(page, paint, &padded(name, longest), first, &everywhere);
            continue;
        }
        for cell in cells {
            let at = place(&cell.variant, &cell.point);
            property(page, paint, &padded(name, longest), &cell.properties[name], &at);
        }
    }
    page.gap();
}

fn property(page: &mut Page, paint: Paint, name: &str, property: &Property, at: &str) {
    let mark = match (property.as_expected, property.outcome.as_str()) {
        (true, _) => Mark::Good,
        (false, "unknown") => Mark::Open,
        (false, _) => Mark::Bad,
    };
    let happened = match (property.as_expected, property.expected.as_str()) {
        (true, "either") => format!("{} (either will do)", property.outcome),
        (true, _) => format!("{}, as expected", property.outcome),
        (false, expected) => format!("{}, expected: {expected}", property.outcome),
    };
    page.line(format!("  {} {name}  {}  {}", paint.mark(mark), padded(&happened, 26), paint.dim(at)));
    let seeds = match property.failing_seeds.as_slice() {
        [] => String::new(),
        [one] => format!("seed {one}: "),
        many => {
            let shown = many.iter().take(SEEDS_MAX).map(u64::to_string).collect::<Vec<_>>().join(", ");
            let more = many.len().saturating_sub(SEEDS_MAX);
            if more > 0 { format!("seeds {shown} and {more} more: ") } else { format!("seeds {shown}: ") }
        }
    };
    if !property.witness.is_empty() || !seeds.is_empty() {
        page.wrapped(6, &format!("{seeds}{}", property.witness), |line| paint.dim(line));
    }
}

/// Theory beside simulation.
pub(super) fn theory(page: &mut Page, paint: Paint, results: &Results) {
    if results.theory.is_empty() {
        return;
    }
    let good = results.theory.iter().filter(|theory| theory.agrees).count();
    page.line(paint.bold(&format!("Theory: {good} of {} agree with the simulation", results.theory.len())));
    let mut rows = vec![["", "simulated", "theory", "off by", "within", "where"].map(str::to_owned)];
    for theory in &results.theory {
        let simulated = theory
            .simulated
            .map_or_else(|| "undefined".to_owned(), |mean| interval(mean, theory.ci95, &theory.unit));
        let off = theory
            .simulated
            .filter(|_| theory.theory != 0.0)
            .map(|mean| (mean / theory.theory - 1.0) * 100.0);
        rows.push([
            theory.name.clone(),
            simulated,
            value(theory.theory, &theory.unit),
            off.map_or_else(|| "–".to_owned(), |percent| format!("{percent:+.1} %")),
            format!("{} %", digits(theory.within * 100.0)),
            place(&theory.variant, &theory.point),
        ]);
    }
    let widths: Vec<usize> =
        (0..5).map(|column| rows.iter().map(|row| wide(&row[column])).max().unwrap_or(0)).collect();
    for (index, row) in rows.iter().enumerate() {
        let texts: Vec<String> = (0..5).map(|column| padded(&row[column], widths[column])).collect();
        let text = texts.join("  ");
        if index == 0 {
            page.line(paint.dim(&format!("    {text}  {}", row[5])));
        } else {
            let mark = if results.theory[index - 1].agrees { Mark::Good } else { Mark::Bad };
            page.line(format!("  {} {text}  {}", paint.mark(mark), paint.dim(&row[5])));
        }
    }
    page.gap();
}

/// What `find` found.
pub(super) fn findings(page: &mut Page, paint: Paint, results: &Results) {
    if results.findings.is_empty() {
        return;
    }
    page.line(paint.bold("Found"));
    let longest = results.findings.keys().map(|name| wide(name)).max().unwrap_or(0);
    for (name, finding) in &results.findings {
        let note = finding.note.as_deref().map_or_else(String::new, |note| format!("  {note}"));
        page.line(format!("  {}  {}{}", padded(name, longest), estimate(finding), paint.dim(&note)));
    }
    page.gap();
}

/// Pairs of variants under the same seeds.
pub(super) fn comparisons(page: &mut Page, paint: Paint, results: &Results) {
    if results.comparisons.is_empty() {
        return;
    }
    page.gap();
    page.line(paint.bold("Under the same seeds (95 % interval of the difference)"));
    for one in results.comparisons.iter().take(COMPARISONS_MAX) {
        let unit = unit_of(results, &one.measure);
        let difference = match (one.difference, one.ci95) {
            (Some(mean), ci95) => interval(mean, ci95, unit),
            (None, _) => maybe(None, unit),
        };
        let chance = one.p_value.map_or_else(String::new, |p| {
            if p < 0.001 { ", p < 0.001".to_owned() } else { format!(", p = {}", digits(p)) }
        });
        let at = point(&one.point);
        page.line(format!(
            "  {}: {} − {} = {difference}{chance}  {}",
            one.measure,
            one.a,
            one.b,
            paint.dim(&at)
        ));
    }
    let more = results.comparisons.len().saturating_sub(COMPARISONS_MAX);
    if more > 0 {
        page.line(paint.dim(&format!("  and {more} more in results.json")));
    }
}

fn unit_of<'a>(results: &'a Results, measure: &str) -> &'a str {
    results
        .cells
        .iter()
        .find_map(|cell| cell.measures.get(measure))
        .map_or("1", |estimate| estimate.unit.as_str())
}
