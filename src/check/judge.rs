//! Judges a history of many keys: each key by the fastest check that knows its operations.

use std::collections::BTreeMap;

use crate::check::history::{Operation, Texts};
use crate::check::search::{Budget, search};
use crate::check::{Verdict, register};

/// The operations of each key.
pub type ByKey = BTreeMap<i64, Vec<Operation>>;

/// Whether every key's operations are linearizable; linearizability is local, so then all of them are (Herlihy and
/// Wing 1990). A violation of one key decides, whatever is unknown of others.
pub fn linearizable(keys: &ByKey, initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
    let mut unknown = None;
    for operations in keys.values() {
        match one(operations, initial, texts, budget) {
            Verdict::Holds => {}
            Verdict::Unknown(why) => unknown = Some(why),
            violated => return violated,
        }
    }
    unknown.map_or(Verdict::Holds, Verdict::Unknown)
}

/// Whether the operations of one object are linearizable.
pub fn one(operations: &[Operation], initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
    register::check(operations, initial, texts).unwrap_or_else(|| search(operations, initial, texts, budget))
}
