//! `--set` on a path that is swept: the one value takes the place of the list. Where it is one of the list, what the file says of that
//! point – outcomes and values in sweep order – holds; otherwise the file says nothing of it.

use std::collections::BTreeSet;

use crate::design::patch::{Change, Path, changes};
use crate::design::shape;
use crate::design::tree::{Entry, Node, Table, Value};
use crate::experiment::cells::{Point, points};

/// Puts what is set in the place of the values of `sweep` and `zip`, so that whatever names the path still finds it: sentences about what
/// that changes.
pub fn pinned(tree: &mut Table, set: &[Change]) -> Vec<String> {
    let mut notes = Vec::new();
    let before = points(&shape::entries(tree));
    let mut replaced: Vec<&Change> = Vec::new();
    for change in set {
        for kind in ["sweep", "zip"] {
            let Some(entry) = tree.entry_mut(kind) else { continue };
            let Some(table) = entry.node.table() else { continue };
            let list = changes(table).into_iter().find(|swept| swept.path == change.path);
            let Some(Value::List(list)) = list.map(|swept| swept.value.value) else { continue };
            let value = change.value.show();
            notes.push(format!(
                "`--set {}={value}` takes the place of {} swept values",
                change.path,
                list.len()
            ));
            // Lists of `zip` go together: while others are left, this one is as long as they are.
            let alone = changes(table).iter().all(|swept| set.iter().any(|change| change.path == swept.path));
            let many = if kind == "sweep" || alone { 1 } else { list.len() };
            entry.node.value =
                Value::Table(with(table, &[], &change.path, &vec![change.value.clone(); many]));
            replaced.push(change);
        }
    }
    if replaced.is_empty() {
        return notes;
    }
    let after = points(&shape::entries(tree)).len();
    if after != before.len() {
        let is_that = |point: &Point| {
            replaced.iter().all(|change| {
                point.shown.get(&change.path.to_string()).is_some_and(|value| *value == change.value.show())
            })
        };
        let same = (0..before.len()).filter(|place| is_that(&before[*place])).collect::<Vec<_>>();
        let same = Some(same).filter(|same| same.len() == after);
        by_point(tree, before.len(), same.as_deref(), &mut notes);
    }
    notes
}

/// A table with these values in the place of the list at a path.
fn with(table: &Table, above: &[String], path: &Path, values: &[Node]) -> Table {
    let entries = table.entries().iter().map(|entry| {
        let parts = match Path::parse(&entry.key).filter(|_| above.is_empty() && entry.key.contains('.')) {
            Some(whole) => whole.0,
            None => vec![entry.key.clone()],
        };
        let here = [above, &parts].concat();
        let mut entry = entry.clone();
        match entry.node.table() {
            Some(within) => entry.node.value = Value::Table(with(within, &here, path, values)),
            None if here == path.0 => entry.node.value = Value::List(values.to_vec()),
            None => {}
        }
        entry
    });
    entries.collect()
}

fn kept(table: &Table, keep: impl Fn(&Entry) -> bool) -> Table {
    table.entries().iter().filter(|entry| keep(entry)).cloned().collect()
}

/// What the file says for each point says only what it says of those that are the `same` now; nothing where there are none.
fn by_point(tree: &mut Table, points: usize, same: Option<&[usize]>, notes: &mut Vec<String>) {
    let chosen = |node: &Node| -> Option<Node> {
        let Value::List(list) = &node.value else { return Some(node.clone()) };
        if list.len() != points {
            return Some(node.clone()); // one for all, or a mistake that is told
        }
        let list = same?.iter().map(|place| list[*place].clone()).collect();
        Some(Node { value: Value::List(list), place: node.place.clone() })
    };
    let mut silent = BTreeSet::new();
    let mut change = |table: &Table, above: &str| -> Table {
        let entries = table.entries().iter().filter_map(|entry| {
            let node = chosen(&entry.node);
            if node.is_none() {
                silent.insert(format!("{above}.{}", entry.key));
            }
            Some(Entry { node: node?, ..entry.clone() })
        });
        entries.collect()
    };
    for kind in ["expect", "theory"] {
        let Some(entry) = tree.entry_mut(kind) else { continue };
        let Value::Table(table) = &entry.node.value else { continue };
        let named = table.entries().iter().filter_map(|named| {
            let Some(inner) = named.node.table() else { return Some(named.clone()) };
            let path = format!("{kind}.{}", named.key);
            let changed = match kind {
                "expect" => change(inner, &path),
                _ => {
                    let is = kept(inner, |entry| entry.key == "is");
                    let is = change(&is, &path);
                    if is.entries().is_empty() && inner.get("is").is_some() {
                        return None; // a theory without a value is none
                    }
                    let with = |entry: &Entry| is.entry(&entry.key).unwrap_or(entry).clone();
                    inner.entries().iter().map(with).collect()
                }
            };
            let mut named = named.clone();
            named.node.value = Value::Table(changed);
            Some(named)
        });
        entry.node.value = Value::Table(named.collect());
    }
    if !silent.is_empty() {
        let silent: Vec<String> = silent.into_iter().collect();
        notes.push(format!("{} say nothing of this value, and are left out", silent.join(", ")));
    }
}
