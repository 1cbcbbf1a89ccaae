//! Variants × sweep points: which cells there are, and the patched tree of each.

use std::collections::BTreeMap;

use crate::base::problem::Problems;
use crate::base::quantity::{Quantity, Unit};
use crate::components::part::Kind;
use crate::design::patch::{Change, changes, set};
use crate::design::shape::{Entries, ONLY_VARIANT};
use crate::design::tree::{Node, Table, Value};
use crate::program::distribution::distribution_of_spans;
use crate::program::syntax::{Does, Expr, Spanned, Step, expression, steps};

/// One sweep point: what it changes, and how it is shown.
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// The changes.
    pub changes: Vec<Change>,
    /// Path to value, as written.
    pub shown: BTreeMap<String, String>,
}

/// All variants in file order; `base` when there is none.
pub fn variants(entries: &Entries) -> Vec<String> {
    let names: Vec<String> = entries.named("variant").iter().map(|entry| entry.key.clone()).collect();
    if names.is_empty() { vec![ONLY_VARIANT.to_owned()] } else { names }
}

/// All sweep points: the grid over `sweep`, times the lists of `zip` together. Paths vary in order of name, the last
/// one fastest, so that the order of lines changes nothing.
pub fn points(entries: &Entries) -> Vec<Point> {
    let mut points = vec![Point::default()];
    if let Some(table) = entries.one("zip").and_then(|entry| entry.node.table()) {
        let lists = sorted(table);
        let length = lists.iter().map(|(_, list)| list.len()).min().unwrap_or(1);
        points = (0..length)
            .map(|index| {
                lists
                    .iter()
                    .fold(Point::default(), |point, (change, list)| with(&point, change, &list[index]))
            })
            .collect();
    }
    if let Some(table) = entries.one("sweep").and_then(|entry| entry.node.table()) {
        for (change, list) in sorted(table) {
            points = points
                .iter()
                .flat_map(|point| list.iter().map(|value| with(point, &change, value)).collect::<Vec<_>>())
                .collect();
        }
    }
    points
}

/// How many sweep points there are.
pub fn count(entries: &Entries) -> usize {
    let lists = |kind: &str| {
        let table = entries.one(kind).and_then(|entry| entry.node.table());
        table.map_or_else(Vec::new, sorted).into_iter().map(|(_, list)| list.len())
    };
    lists("sweep").fold(lists("zip").min().unwrap_or(1), usize::saturating_mul)
}

fn sorted(table: &Table) -> Vec<(Change, Vec<Node>)> {
    let mut lists: Vec<(Change, Vec<Node>)> = changes(table)
        .into_iter()
        .filter_map(|change| match &change.value.value {
            Value::List(list) => Some((change.clone(), list.clone())),
            _ => None,
        })
        .collect();
    lists.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    lists
}

fn with(point: &Point, change: &Change, value: &Node) -> Point {
    let mut point = point.clone();
    point.shown.insert(change.path.to_string(), value.show());
    point.changes.push(Change { value: value.clone(), ..change.clone() });
    point
}

/// The tree of a cell: the variant's changes, then the point's, then those of the command line.
pub fn patched(
    tree: &Table,
    variant: &str,
    point: &Point,
    overrides: &[Change],
    kinds: &[Kind],
    problems: &mut Problems,
) -> Table {
    let mut tree = tree.clone();
    let of_variant = tree
        .get("variant")
        .and_then(Node::table)
        .and_then(|table| table.get(variant))
        .and_then(Node::table)
        .map_or_else(Vec::new, changes);
    for change in of_variant.iter().chain(&point.changes).chain(overrides) {
        set(&mut tree, change, kinds, problems);
    }
    tree
}

/// The number that a value is, or that its only argument is: `500/s` and `poisson(500/s)`.
pub fn number(shown: &str) -> Option<Quantity> {
    Quantity::parse(shown).ok().or_else(|| {
        let Expr::Call(call) = expression(shown).ok()?.value else { return None };
        let [arg] = &call.args[..] else { return None };
        Quantity::parse(&arg.value.value.to_string()).ok()
    })
}

/// The mean of a distribution of times: `lognormal(p50=4ms, p99=40ms)`. Distributions from files have none here.
pub fn mean_time(shown: &str) -> Option<Quantity> {
    mean_of(&expression(shown).ok()?)
}

fn mean_of(distribution: &Spanned<Expr>) -> Option<Quantity> {
    let no_files = |_: &str| Err(String::new());
    let mean = distribution_of_spans(distribution, &no_files).ok()?.mean()?;
    Some(Quantity { value: mean, exact: None, unit: Unit::Span })
}

/// The mean of the time that a program takes by itself, where one step alone takes any: `cpu exp(5ms)`, `hold seat[1] { wait exp(50ms) }`.
pub fn only_time(program: &str) -> Option<Quantity> {
    let mut times = Vec::new();
    times_of(&steps(program).ok()?, &mut times);
    match &times[..] {
        [distribution] => mean_of(distribution.as_ref()?),
        _ => None,
    }
}

/// The distributions of the times that steps take; `None` for one that is taken several times, or perhaps not at all.
fn times_of(steps: &[Step], times: &mut Vec<Option<Spanned<Expr>>>) {
    for step in steps {
        match &step.does {
            Does::Cpu { distribution, times: None } | Does::Wait { distribution, times: None } => {
                times.push(Some(distribution.clone()))
            }
            Does::Cpu { .. } | Does::Wait { .. } => times.push(None),
            Does::Hold { body, .. } | Does::Tx { body, .. } | Does::Block { body } => times_of(body, times),
            Does::Each { .. }
            | Does::ParEach { .. }
            | Does::Par { .. }
            | Does::Race { .. }
            | Does::If { .. } => times.push(None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_stands_for_the_one_time_that_it_takes() {
        let mean = |program| only_time(program).map(|mean| mean.value / 1e6);
        assert_eq!(mean("cpu exp(5ms)"), Some(5.0));
        assert_eq!(mean("x = read kv.rows[1]; wait uniform(2ms, 4ms); return x"), Some(3.0));
        assert_eq!(mean("hold seat[1] { wait exp(50ms) }"), Some(50.0));
        for unclear in
            ["cpu 1ms; cpu 1ms", "cpu 1ms * 3", "if x == 1 { wait 1ms }", "each 3 { wait 1ms }", "return 1"]
        {
            assert_eq!(mean(unclear), None, "{unclear}");
        }
    }
}
