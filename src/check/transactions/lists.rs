//! The order of versions of lists that are appended to: a list shows all appends before it, so the longest one that was seen shows the
//! order of all that were. What was never seen comes after it, in whatever order.

use std::collections::BTreeMap;

use crate::check::history::NIL;
use crate::check::transactions::{Dependencies, How, Kind, What, tell};

/// Who saw how much of a list.
#[derive(Clone, Copy)]
struct Sight<'a> {
    reader: u32,
    seen: &'a [i64],
}

/// Adds what can be inferred from lists.
pub(super) fn depend(dependencies: &mut Dependencies<'_>) {
    let mut sights: BTreeMap<u32, Vec<Sight<'_>>> = BTreeMap::new();
    let history = dependencies.history;
    for (reader, transaction) in (0u32..).zip(&history.transactions) {
        if !dependencies.writes.effective[reader as usize] {
            continue;
        }
        for action in &transaction.actions {
            match &action.what {
                What::List(seen) => sights.entry(action.key).or_default().push(Sight { reader, seen }),
                What::Append(_) => {
                    sights.entry(action.key).or_default();
                }
                What::Read(_) | What::Write(_) => {}
            }
        }
    }
    let unseen = unseen(dependencies, &sights);
    for (key, sights) in &sights {
        one(dependencies, *key, sights, unseen.get(key).map_or(&[], Vec::as_slice));
    }
}

/// By key: the elements of committed transactions that are in no list, in the order of the history.
fn unseen(
    dependencies: &Dependencies<'_>,
    sights: &BTreeMap<u32, Vec<Sight<'_>>>,
) -> BTreeMap<u32, Vec<i64>> {
    let longest: BTreeMap<u32, rustc_hash::FxHashSet<i64>> =
        sights.iter().map(|(key, sights)| (*key, longest(sights).seen.iter().copied().collect())).collect();
    let mut unseen: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for (by, transaction) in dependencies.history.transactions.iter().enumerate() {
        for action in &transaction.actions {
            if let What::Append(value) = action.what
                && dependencies.writes.effective[by]
                && !longest[&action.key].contains(&value)
            {
                unseen.entry(action.key).or_default().push(value);
            }
        }
    }
    unseen
}

fn longest<'a>(sights: &[Sight<'a>]) -> Sight<'a> {
    let nothing = Sight { reader: 0, seen: &[] };
    sights.iter().copied().max_by_key(|sight| sight.seen.len()).unwrap_or(nothing)
}

fn one(dependencies: &mut Dependencies<'_>, key: u32, sights: &[Sight<'_>], unseen: &[i64]) {
    let history = dependencies.history;
    let longest = longest(sights);
    let mut fits: Vec<Sight<'_>> = Vec::with_capacity(sights.len());
    for sight in sights {
        if longest.seen.starts_with(sight.seen) {
            fits.push(*sight);
        } else {
            let (one, other) = (longest.reader, sight.reader);
            let sentence = || tell::no_order(history, one, other, key);
            dependencies.anomaly(Kind::NoOrder, &[one, other], sentence);
        }
    }
    let mut sorted = longest.seen.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        let sentence = || tell::no_order(history, longest.reader, longest.reader, key);
        return dependencies.anomaly(Kind::NoOrder, &[longest.reader], sentence);
    }
    for value in longest.seen {
        // An element that its writer replaced may be there, under what replaced it; one that had no effect may not.
        let may_be = |by: u32| dependencies.writes.effective[by as usize];
        let under = dependencies.write(key, *value).is_some_and(|write| write.replaced && may_be(write.by));
        if !under {
            dependencies.saw(longest.reader, key, *value);
        }
    }
    let after = chain(dependencies, key, longest.seen, unseen);
    for sight in fits {
        let last = sight.seen.last().copied();
        if let Some(value) = last {
            dependencies.saw(sight.reader, key, value);
        }
        read(dependencies, key, sight, &after);
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
fn chain(dependencies: &mut Dependencies<'_>, key: u32, seen: &[i64], unseen: &[i64]) -> After {
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
        for value in unseen {
            let writer = dependencies.writer(key, *value).expect("it is committed");
            dependencies.depends(all, writer, How::Ww, key, NIL, *value);
        }
        if let Some((writer, value)) = before {
            dependencies.depends(writer, all, How::Ww, key, value, NIL);
        }
    }
    After { next, all }
}

fn read(dependencies: &mut Dependencies<'_>, key: u32, Sight { reader, seen }: Sight<'_>, after: &After) {
    let is_own = |value: &i64| dependencies.write(key, *value).is_some_and(|write| write.by == reader);
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
