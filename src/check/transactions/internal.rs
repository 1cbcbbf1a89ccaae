//! Each transaction alone: whatever isolation there is, it sees its own writes, and only once it has made them (INT of Cerone, Bernardi and
//! Gotsman, CONCUR 2015; Adya 1999, 4.2.1, rules of complete histories). Whether it sees one version of a key each time that it looks is a
//! matter of the level.

use rustc_hash::FxHashMap;

use crate::check::history::NIL;
use crate::check::transactions::gather::Dependencies;
use crate::check::transactions::history::{Seen, What};
use crate::check::transactions::levels::Kind;
use crate::check::transactions::tell;

/// What a transaction has done to a key so far.
#[derive(Default)]
struct Own {
    /// What it has written or appended, in order.
    written: Vec<i64>,
    /// What it saw first of others, before it wrote.
    register: Option<i64>,
    /// What it saw first of others, without its own.
    list: Option<Seen>,
    /// All that it saw of lists.
    lists: Vec<Seen>,
}

/// Finds what is wrong within committed transactions.
pub(super) fn look(dependencies: &mut Dependencies<'_>) {
    let mut keys: FxHashMap<u32, Own> = FxHashMap::default();
    let history = dependencies.history;
    for (number, transaction) in (0u32..).zip(&history.transactions) {
        if !dependencies.writes.effective[number as usize] {
            continue;
        }
        keys.clear();
        for action in &transaction.actions {
            let own = keys.entry(action.key).or_default();
            match action.what {
                What::Write(value) => own.written.push(value),
                What::Append(value) => {
                    if own.lists.iter().any(|seen| history.elements(*seen).contains(&value)) {
                        let sentence = || tell::too_early(history, number, action.key, value);
                        dependencies.anomaly(Kind::Future, &[number], sentence);
                    }
                    own.written.push(value);
                }
                What::Read(value) => register(dependencies, number, action.key, value, own),
                What::List(seen) => list(dependencies, number, action.key, seen, own),
            }
        }
    }
}

fn register(dependencies: &mut Dependencies<'_>, reader: u32, key: u32, value: i64, own: &mut Own) {
    let history = dependencies.history;
    if let Some(last) = own.written.last().copied() {
        if last != value {
            dependencies.anomaly(Kind::Internal, &[reader], || tell::own_write(history, reader, key, last));
        }
        return;
    }
    if dependencies.writes.is_only_of(key, value, reader) {
        dependencies.anomaly(Kind::Future, &[reader], || tell::too_early(history, reader, key, value));
    }
    if value != NIL {
        dependencies.saw(reader, key, value);
    }
    match own.register {
        Some(first) if first != value => {
            not_again(dependencies, reader, key, (first, value));
        }
        _ => own.register = Some(value),
    }
}

fn list(dependencies: &mut Dependencies<'_>, reader: u32, key: u32, seen: Seen, own: &mut Own) {
    let history = dependencies.history;
    let elements = history.elements(seen);
    let Some(others) = elements.strip_suffix(own.written.as_slice()) else {
        if let Some(missing) = own.written.iter().copied().find(|value| !elements.contains(value)) {
            dependencies
                .anomaly(Kind::Internal, &[reader], || tell::own_write(history, reader, key, missing));
        }
        // Otherwise somebody appended between: that makes a cycle.
        own.lists.push(seen);
        return;
    };
    match own.list {
        Some(first) if history.elements(first) != others => {
            let last = |elements: &[i64]| elements.last().copied().unwrap_or(NIL);
            not_again(dependencies, reader, key, (last(history.elements(first)), last(others)));
        }
        Some(_) => {}
        None => own.list = Some(Seen { len: others.len() as u32, ..seen }),
    }
    own.lists.push(seen);
}

/// A transaction saw one version and then another.
fn not_again(dependencies: &mut Dependencies<'_>, reader: u32, key: u32, seen: (i64, i64)) {
    let history = dependencies.history;
    let writer = dependencies.writer(key, seen.1).or_else(|| dependencies.writer(key, seen.0));
    let all: Vec<u32> = std::iter::once(reader).chain(writer).collect();
    let by = dependencies.writer(key, seen.1);
    let sentence = || tell::not_again(history, reader, key, seen, by);
    dependencies.anomaly(Kind::NonRepeatable, &all, sentence);
}
