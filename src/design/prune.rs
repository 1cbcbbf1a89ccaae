//! All mistakes in one round. Some stand in the way of others: a call in a workload is only looked at once the programs that it may
//! call have been read. So what is wrong is taken out of the tree, the rest is looked at again, and what that finds is told too – unless
//! it may be wrong only because something was taken out.

use std::collections::BTreeSet;

use crate::base::problem::{Place, Problem, Problems};
use crate::design::entries::ENTRIES;
use crate::design::patch::Change;
use crate::design::text::Text;
use crate::design::tree::{Entry, Node, Table, Value};
use crate::program::compile::NO_PARAMETER;

/// How often it is looked again. A mistake hides another, which seldom hides a third.
const ROUNDS: usize = 6;

/// Beyond as many the file is another language, and each round takes its time.
const MISTAKES_MAX: usize = 40;

/// Kinds of which an entry makes no sense without one of its keys.
const WHOLE: [&str; 6] = ["workload", "fault", "theory", "plot", "verdict", "expect"];

/// Keys that others depend on: how many members a part has, what is behind it, who fills it.
const DEPENDED_ON: [&str; 9] = ["at", "count", "copies", "copy", "to", "fill", "start", "merge", "failover"];

/// Tells all problems of a tree and of what changes it: those that `check` finds, and those that these hide.
pub fn all_problems<R>(
    tree: &Table,
    changes: &[Change],
    problems: &mut Problems,
    mut check: impl FnMut(&Table, &[Change], &mut Problems) -> R,
) -> R {
    let found = check(tree, changes, problems);
    let mut pruned = Pruned::default();
    let (mut tree, mut changes) = (tree.clone(), changes.to_vec());
    let mut in_the_way = problems.0.clone();
    for _ in 1..ROUNDS {
        if problems.0.len() > MISTAKES_MAX {
            break;
        }
        let mut is_out = false;
        for place in in_the_way.iter().filter_map(|problem| problem.place.as_ref()) {
            let count = changes.len();
            changes.retain(|change| !holds(&change.place, place));
            is_out |= count > changes.len() || pruned.take_out(&mut tree, place);
        }
        if !is_out {
            break; // nothing is wrong any more, or it is not known where
        }
        let mut again = Problems::default();
        check(&tree, &changes, &mut again);
        in_the_way = again.0;
        let news =
            in_the_way.iter().filter(|problem| pruned.is_news(problem) && !problems.0.contains(problem));
        let news: Vec<Problem> = news.cloned().collect();
        problems.0.extend(news);
    }
    found
}

/// What was taken out.
#[derive(Default)]
struct Pruned {
    /// Entries of which something was, by place of their keys and values.
    entries: Vec<Place>,
    /// What is missed by its name.
    names: BTreeSet<String>,
    /// Programs in whose place stands another, and their texts.
    programs: Vec<(Place, String)>,
}

impl Pruned {
    /// Whether a problem has nothing to do with what was taken out.
    fn is_news(&self, problem: &Problem) -> bool {
        let Some(place) = &problem.place else { return false };
        let words = || problem.message.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        // what takes a program's place has no parameters
        if let Some(rest) = problem.message.strip_prefix(NO_PARAMETER) {
            let name = rest.split('`').nth(1);
            if self.programs.iter().any(|(_, text)| name.is_none_or(|name| text.contains(name))) {
                return false;
            }
        }
        let within = self.entries.iter().any(|entry| holds(entry, place));
        !within && !words().any(|word| self.names.contains(word))
    }

    /// Takes the smallest part of a tree out that holds a place and can be missed; false if there is none.
    fn take_out(&mut self, tree: &mut Table, place: &Place) -> bool {
        let Some(kind) = tree.entries().iter().find(|entry| has(entry, place)) else { return false };
        let (kind, has_names) = (kind.clone(), is_named(kind));
        let kept = match &kind.node.value {
            Value::Table(all) if has_names => Some(Value::Table(self.without(all, place, &kind.key))),
            Value::Table(table) => {
                self.entries.push(kind.key_place.clone());
                Some(Value::Table(self.rid_of(table, place)))
            }
            Value::List(list) => Some(Value::List(self.rid_of_element(list, place))),
            _ => None,
        };
        if kept.is_none() {
            self.entries.push(kind.node.place.clone());
        }
        let changed = |entry: &Entry| -> Option<Entry> {
            if entry.key != kind.key {
                return Some(entry.clone());
            }
            let value = kept.clone()?;
            Some(Entry { node: Node { value, place: entry.node.place.clone() }, ..entry.clone() })
        };
        *tree = tree.entries().iter().filter_map(changed).collect();
        true
    }

    /// The named entries of a kind, without what is wrong in one of them.
    fn without(&mut self, all: &Table, place: &Place, kind: &str) -> Table {
        let entries = all.entries().iter().filter_map(|named| {
            if !has(named, place) {
                return Some(named.clone());
            }
            if kind != "on" {
                self.entries.extend([named.key_place.clone(), named.node.place.clone()]);
            }
            let inner =
                named.node.table().filter(|_| !WHOLE.contains(&kind) && !holds(&named.key_place, place));
            let wrong = inner.and_then(|inner| inner.entries().iter().find(|entry| has(entry, place)));
            let (Some(inner), Some(wrong)) = (inner, wrong.filter(|wrong| wrong.key != "to")) else {
                self.names.insert(named.key.clone());
                return None;
            };
            if kind == "on" {
                self.names.insert(wrong.key.clone()); // a program
            } else if DEPENDED_ON.contains(&wrong.key.as_str()) {
                self.names.insert(named.key.clone());
            }
            let once = self.programs.iter().all(|(place, _)| *place != wrong.key_place);
            let rest = inner.entries().iter().filter_map(|entry| match has(entry, place) {
                false => Some(entry.clone()),
                true if kind == "on" && once => {
                    // its callers still find it
                    self.programs.push((entry.key_place.clone(), entry.node.written()));
                    let text = Value::Text(Text::all_at("cpu 1ms", &entry.node.place));
                    Some(Entry { node: Node { value: text, ..entry.node.clone() }, ..entry.clone() })
                }
                true => None,
            });
            let rest = Value::Table(rest.collect());
            Some(Entry { node: Node { value: rest, ..named.node.clone() }, ..named.clone() })
        });
        entries.collect()
    }

    /// A table of keys without the one that is wrong.
    fn rid_of(&mut self, table: &Table, place: &Place) -> Table {
        let (wrong, right): (Vec<&Entry>, Vec<&Entry>) =
            table.entries().iter().partition(|entry| has(entry, place));
        for entry in wrong {
            self.entries.extend([entry.key_place.clone(), entry.node.place.clone()]);
        }
        right.into_iter().cloned().collect()
    }

    fn rid_of_element(&mut self, list: &[Node], place: &Place) -> Vec<Node> {
        let (wrong, right): (Vec<&Node>, Vec<&Node>) =
            list.iter().partition(|element| holds(&element.place, place));
        self.entries.extend(wrong.into_iter().map(|element| element.place.clone()));
        right.into_iter().cloned().collect()
    }
}

/// Whether the entries of a kind have names: `server.app`, `slo.fast`.
fn is_named(kind: &Entry) -> bool {
    ENTRIES.iter().find(|known| known.name == kind.key).is_none_or(|known| known.named)
}

/// Whether a place is within another.
fn holds(outer: &Place, place: &Place) -> bool {
    outer.file == place.file
        && outer.bytes.start <= place.bytes.start
        && place.bytes.start < outer.bytes.end.max(outer.bytes.start + 1)
}

/// Whether a place is in an entry: tables of dotted keys lie in several stretches.
fn has(entry: &Entry, place: &Place) -> bool {
    holds(&entry.key_place, place)
        || match &entry.node.value {
            Value::Table(table) => table.entries().iter().any(|inner| has(inner, place)),
            _ => holds(&entry.node.place, place),
        }
}
