//! Variants × sweep points: which cells there are, and the patched tree of each.

use std::collections::BTreeMap;

use crate::base::problem::Problems;
use crate::base::quantity::Quantity;
use crate::components::KINDS;
use crate::design::patch::{Change, changes, set};
use crate::design::shape::{Entries, ONLY_VARIANT};
use crate::design::tree::{Node, Table, Value};
use crate::program::syntax::{Expr, expression};

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
        set(&mut tree, change, KINDS, problems);
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
