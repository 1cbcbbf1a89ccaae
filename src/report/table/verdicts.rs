//! What was expected and what happened: properties, theory beside simulation, findings, comparisons.

use std::collections::BTreeSet;

use crate::experiment::results::{Cell, Property, Results, Theory};
use crate::report::table::sheet::{Mark, Page, Paint, padded, wide};
use crate::report::text::{digits, estimate, interval, maybe, place, point, value};

/// More comparisons are left to `results.json`.
const COMPARISONS_MAX: usize = 12;
/// Cells named on one line.
const CELLS_MAX: usize = 12;
/// Points of a theory on one line.
const POINTS_MAX: usize = 6;
/// Failing seeds named on one line.
const SEEDS_MAX: usize = 8;

/// A line for all cells in which a property came out alike, with the witness of the first below.
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
        let mut label = padded(name, longest);
        for alike in alike(&results.cells, name) {
            property(page, paint, &label, alike.0, &cells_named(&results.cells, &alike.1));
            label = padded("", longest);
        }
    }
    page.gap();
}

/// The cells in which a property came out alike, with the property of the first; first those not as expected.
fn alike<'a>(cells: &'a [Cell], name: &str) -> Vec<(&'a Property, Vec<&'a Cell>)> {
    let mut groups: Vec<(&Property, Vec<&Cell>)> = Vec::new();
    for cell in cells {
        let Some(property) = cell.properties.get(name) else { continue };
        let same =
            |known: &Property| (&known.outcome, &known.expected) == (&property.outcome, &property.expected);
        // What nobody expected is told cell by cell.
        match groups.iter_mut().find(|(known, _)| property.as_expected && same(known)) {
            Some((_, cells)) => cells.push(cell),
            None => groups.push((property, vec![cell])),
        }
    }
    groups.sort_by_key(|(property, _)| (property.as_expected, property.outcome != "holds"));
    groups
}

/// Variants by name; with their points where only some of a variant's cells are meant.
fn cells_named(all: &[Cell], some: &[&Cell]) -> String {
    if all.len() > 1 && all.len() == some.len() {
        return format!("all {} cells", all.len());
    }
    let mut names: Vec<String> = Vec::new();
    for cell in some {
        let of =
            |cells: &mut dyn Iterator<Item = &Cell>| cells.filter(|one| one.variant == cell.variant).count();
        let whole = of(&mut all.iter()) == of(&mut some.iter().copied());
        let name = if whole { cell.variant.clone() } else { place(&cell.variant, &cell.point) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut text = names.iter().take(CELLS_MAX).cloned().collect::<Vec<_>>().join("; ");
    if names.len() > CELLS_MAX {
        text.push_str(&format!(" and {} more", names.len() - CELLS_MAX));
    }
    text
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
    let happened = padded(&happened, 21);
    let label = format!("  {} {name}  {happened}  ", paint.mark(mark));
    page.hanging(&label, 8 + wide(name) + wide(&happened), at, |line| paint.dim(line));
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
        page.wrapped(6 + wide(name), &format!("{seeds}{}", property.witness), |line| paint.dim(line));
    }
}

/// Theory beside simulation: a line for each variant that agrees at all points, and one for each point where not.
pub(super) fn theory(page: &mut Page, paint: Paint, results: &Results) {
    if results.theory.is_empty() {
        return;
    }
    let good = results.theory.iter().filter(|theory| theory.agrees).count();
    let full = results.theory.iter().filter(|theory| theory.needs_full).count();
    let open = results.theory.iter().filter(|theory| theory.undecided && !theory.needs_full).count();
    let more = if open > 0 { format!(", {open} need more runs to tell") } else { String::new() };
    let more = if full > 0 { format!("{more}, {full} need --full") } else { more };
    let all = results.theory.len();
    page.line(paint.bold(&format!("Theory: {good} of {all} agree with the simulation{more}")));
    // as many points on one line as fit
    let (groups, rows, widths) = (1..=POINTS_MAX)
        .rev()
        .map(|points| theory_rows(results, points))
        .find(|(.., widths)| 4 + widths.iter().sum::<usize>() + 2 * (widths.len() - 1) <= page.width)
        .unwrap_or_else(|| theory_rows(results, 1));
    for (index, row) in rows.iter().enumerate() {
        let texts: Vec<String> = (0..5).map(|column| padded(&row[column], widths[column])).collect();
        let text = texts.join("  ");
        if index == 0 {
            page.line(paint.dim(&format!("    {}", text.trim_end())));
        } else {
            let first = groups[index - 1][0];
            let mark = match (first.agrees, first.undecided || first.needs_full) {
                (true, _) => Mark::Good,
                (false, true) => Mark::Open,
                (false, false) => Mark::Bad,
            };
            let label = format!("  {} {text}  ", paint.mark(mark));
            page.hanging(&label, 6 + wide(&text), &row[5], |line| paint.dim(line));
        }
    }
    page.gap();
}

/// The theories in groups of at most so many points, their rows of texts, and how wide the columns are.
fn theory_rows(results: &Results, points: usize) -> (Vec<Vec<&Theory>>, Vec<[String; 6]>, Vec<usize>) {
    let mut groups: Vec<Vec<&Theory>> = Vec::new();
    for theory in &results.theory {
        let joins = |group: &&mut Vec<&Theory>| {
            let first = group[0];
            (theory.agrees || theory.undecided)
                && (first.agrees, first.undecided) == (theory.agrees, theory.undecided)
                && (&first.name, &first.variant) == (&theory.name, &theory.variant)
                && group.len() < points
        };
        match groups.iter_mut().find(joins) {
            Some(group) => group.push(theory),
            None => groups.push(vec![theory]),
        }
    }
    groups.sort_by_key(|group| group[0].agrees);
    let mut rows = vec![["", "variant", "simulated", "theory", "within", ""].map(str::to_owned)];
    rows.extend(groups.iter().map(|group| theory_row(group)));
    let widths = (0..5).map(|column| rows.iter().map(|row| wide(&row[column])).max().unwrap_or(0)).collect();
    (groups, rows, widths)
}

fn theory_row(group: &[&Theory]) -> [String; 6] {
    let simulated = |theory: &Theory| match theory.simulated {
        Some(mean) if group.len() == 1 => interval(mean, theory.ci95, &theory.unit),
        Some(mean) => value(mean, &theory.unit),
        None => "undefined".to_owned(),
    };
    let joined = |texts: Vec<String>| texts.join(" · ");
    let first = group[0];
    [
        first.name.clone(),
        first.variant.clone(),
        joined(group.iter().map(|theory| simulated(theory)).collect()),
        joined(group.iter().map(|theory| value(theory.theory, &theory.unit)).collect()),
        format!("{} %", digits(first.within * 100.0)),
        if group.len() == 1 { point(&first.point) } else { String::new() },
    ]
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
    let many = results.comparisons.len();
    if many > COMPARISONS_MAX {
        let text =
            format!("{many} paired comparisons of variants under the same seeds stand in results.json");
        page.line(paint.dim(&text));
        return;
    }
    page.line(paint.bold("Under the same seeds (95 % interval of the difference)"));
    for one in &results.comparisons {
        let unit = unit_of(results, &one.measure);
        let difference = match (one.difference, one.ci95) {
            (Some(mean), ci95) => interval(mean, ci95, unit),
            (None, _) => maybe(None, unit),
        };
        let chance = one.p_value.map_or_else(String::new, |p| {
            if p < 0.001 { ", p < 0.001".to_owned() } else { format!(", p = {}", digits(p)) }
        });
        let at = point(&one.point);
        let text = format!("  {}: {} − {} = {difference}{chance}  ", one.measure, one.a, one.b);
        page.hanging(&text, wide(&text), &at, |line| paint.dim(line));
    }
}

fn unit_of<'a>(results: &'a Results, measure: &str) -> &'a str {
    results
        .cells
        .iter()
        .find_map(|cell| cell.measures.get(measure))
        .map_or("1", |estimate| estimate.unit.as_str())
}
