//! The order of versions of lists that are appended to: a list shows all appends before it, so the longest one that was seen shows the
//! order of all that were. What was never seen comes after it, in whatever order.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::history::NIL;
use crate::check::transactions::gather::Dependencies;
use crate::check::transactions::graph::How;
use crate::check::transactions::history::{Seen, What};
use crate::check::transactions::levels::Kind;
use crate::check::transactions::tell;

/// Who saw how much of a list.
#[derive(Clone, Copy)]
struct Sight {
    reader: u32,
    seen: Seen,
}

/// An element that had an effect.
#[derive(Clone, Copy)]
struct Appended {
    value: i64,
    by: u32,
}

/// What was done to a key.
#[derive(Default)]
struct List {
    sights: Vec<Sight>,
    /// In the order of the history.
    appended: Vec<Appended>,
}

/// Adds what can be inferred from lists.
pub(super) fn depend(dependencies: &mut Dependencies<'_>) {
    let mut lists: BTreeMap<u32, List> = BTreeMap::new();
    let history = dependencies.history;
    for (by, transaction) in (0u32..).zip(&history.transactions) {
        if !dependencies.writes.effective[by as usize] {
            continue;
        }
        for action in &transaction.actions {
            match action.what {
                What::List(seen) => {
                    lists.entry(action.key).or_default().sights.push(Sight { reader: by, seen })
                }
                What::Append(value) => {
                    lists.entry(action.key).or_default().appended.push(Appended { value, by })
                }
                What::Read(_) | What::Write(_) => {}
            }
        }
    }
    for (key, list) in &lists {
        one(dependencies, *key, list);
    }
}

fn one(dependencies: &mut Dependencies<'_>, key: u32, list: &List) {
    let history = dependencies.history;
    let Some(longest) = list.sights.iter().copied().max_by_key(|sight| sight.seen.len) else { return };
    let whole = history.elements(longest.seen);
    let Some(unseen) = unseen(dependencies, key, longest, list) else { return };
    let mut fits: Vec<Sight> = Vec::with_capacity(list.sights.len());
    for sight in &list.sights {
        if sight.seen.list == longest.seen.list || whole.starts_with(history.elements(sight.seen)) {
            fits.push(*sight);
        } else {
            let (one, other) = (longest.reader, sight.reader);
            let sentence = || tell::no_order(history, one, other, key);
            dependencies.anomaly(Kind::NoOrder, &[one, other], sentence);
        }
    }
    for value in whole {
        // An element that its writer replaced may be there, under what replaced it; one that had no effect may not.
        let may_be = |by: u32| dependencies.writes.effective[by as usize];
        let under =
            dependencies.writes.only(key, *value).is_some_and(|write| write.replaced && may_be(write.by));
        if !under {
            dependencies.saw(longest.reader, key, *value);
        }
    }
    lost(dependencies, key, &fits, list);
    let after = chain(dependencies, key, whole, &unseen);
    for sight in fits {
        let elements = history.elements(sight.seen);
        if let Some(value) = elements.last() {
            dependencies.saw(sight.reader, key, *value);
        }
        read(dependencies, key, sight.reader, elements, &after);
    }
}
/// The elements that are not in the longest list that was seen; `None` if that one fits no order of its elements, or not one alone.
fn unseen(
    dependencies: &mut Dependencies<'_>,
    key: u32,
    longest: Sight,
    list: &List,
) -> Option<Vec<Appended>> {
    let history = dependencies.history;
    // By element: its place in the list of all, how many its transaction appended before it, and whether it is alone.
    let mut places: FxHashMap<i64, (usize, u32, bool)> = FxHashMap::default();
    let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
    for (place, Appended { value, by }) in list.appended.iter().enumerate() {
        let count = counts.entry(*by).or_default();
        places.entry(*value).and_modify(|(.., alone)| *alone = false).or_insert((place, *count, true));
        *count += 1;
    }
    counts.clear();
    let mut seen = vec![false; list.appended.len()];
    let mut others: FxHashSet<i64> = FxHashSet::default();
    for value in history.elements(longest.seen) {
        let fits = match places.get(value) {
            Some((.., false)) => {
                dependencies.unknown = Some(format!(
                    "{} was appended to {} more than once, so nobody knows which of them was seen",
                    history.texts.show(*value),
                    history.keys[key as usize]
                ));
                return None;
            }
            // Each element once, and those of one transaction in its order.
            Some((place, before, true)) => {
                let count = counts.entry(list.appended[*place].by).or_default();
                *count += 1;
                !std::mem::replace(&mut seen[*place], true) && *count == before + 1
            }
            None => others.insert(*value),
        };
        if !fits {
            let sentence = || tell::no_order(history, longest.reader, longest.reader, key);
            dependencies.anomaly(Kind::NoOrder, &[longest.reader], sentence);
            return None;
        }
    }
    let unseen = list.appended.iter().zip(&seen).filter(|(_, seen)| !**seen);
    Some(unseen.map(|(appended, _)| *appended).collect())
}

/// Two who saw one version and both replaced it.
fn lost(dependencies: &mut Dependencies<'_>, key: u32, sights: &[Sight], list: &List) {
    let appends: FxHashSet<u32> = list.appended.iter().map(|appended| appended.by).collect();
    let history = dependencies.history;
    let mut replaced_by: FxHashMap<u32, u32> = FxHashMap::default();
    for Sight { reader, seen } in sights.iter().filter(|sight| appends.contains(&sight.reader)) {
        let elements = history.elements(*seen);
        let is_own = elements.last().is_some_and(|last| dependencies.writes.is_only_of(key, *last, *reader));
        let first = if is_own { *reader } else { *replaced_by.entry(seen.len).or_insert(*reader) };
        if first != *reader {
            let version = elements.last().copied().unwrap_or(NIL);
            let sentence = || tell::lost_update(history, first, *reader, key, version);
            dependencies.anomaly(Kind::LostUpdate, &[first, *reader], sentence);
        }
    }
}

/// What comes after each version of a key: who replaced it, and by what.
struct After {
    /// By place, 0 for the initial version: the next value that had an effect.
    next: Vec<Option<(u32, i64)>>,
    /// The node of all who replaced the last version.
    all: Option<u32>,
}

/// Each who wrote a version comes after who wrote the one before.
fn chain(dependencies: &mut Dependencies<'_>, key: u32, seen: &[i64], unseen: &[Appended]) -> After {
    let mut before: Option<(u32, i64)> = None;
    let mut next = vec![None; seen.len() + 1];
    for (place, value) in seen.iter().enumerate() {
        let Some(writer) = dependencies.writer(key, *value) else { continue };
        if let Some((earlier, old)) = before.replace((writer, *value)) {
            dependencies.depends(earlier, writer, How::Ww, key, old, *value);
        }
        next[place] = Some((writer, *value));
    }
    // A version whose follower had no effect was followed by the next that had one.
    for place in (0..seen.len()).rev() {
        next[place] = next[place].or(next[place + 1]);
    }
    let all = (!unseen.is_empty()).then(|| dependencies.graph.node());
    if let Some(all) = all {
        for Appended { value, by } in unseen {
            dependencies.depends(all, *by, How::Ww, key, NIL, *value);
        }
        if let Some((writer, value)) = before {
            dependencies.depends(writer, all, How::Ww, key, value, NIL);
        }
    }
    After { next, all }
}

fn read(dependencies: &mut Dependencies<'_>, key: u32, reader: u32, seen: &[i64], after: &After) {
    let is_own = |value: &i64| dependencies.writes.is_only_of(key, *value, reader);
    let own = seen.iter().rev().take_while(|value| is_own(value)).count();
    let others = &seen[..seen.len() - own];
    if let Some(value) = others.last()
        && let Some(writer) = dependencies.writer(key, *value)
    {
        dependencies.depends(writer, reader, How::Wr, key, *value, *value);
    }
    if own > 0 {
        return; // it has replaced what it saw itself, and comes before the next by that
    }
    let version = seen.last().copied().unwrap_or(NIL);
    match (after.next[seen.len()], after.all) {
        (Some((writer, value)), _) => dependencies.depends(reader, writer, How::Rw, key, version, value),
        (None, Some(all)) => dependencies.depends(reader, all, How::Rw, key, version, NIL),
        (None, None) => {}
    }
}
