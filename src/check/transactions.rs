//! Histories of transactions: which isolation they had.
//!
//! A. Adya, "Weak consistency: a generalized theory and optimistic implementations for distributed transactions" (1999), as K. Kingsbury and
//! P. Alvaro make it checkable from outside in "Elle: inferring isolation anomalies from experimental observations" (VLDB 2020): writes
//! are told apart by their values, so each read names the transaction that it saw, and the order of a key's versions is read off
//! what was seen. Transactions that depend on each other in a cycle cannot have happened one after the other; what the cycle is made of says
//! which isolation is broken.
//!
//! [`check`] finds the anomalies that are plain to see, with the smallest cycle of each kind ([`graph`]). `internal` looks at each transaction
//! alone · `lists` knows the order of the versions of a list that is appended to, for a longer one shows all that came before ·
//! `registers` knows of a register's versions that nothing came before the initial one and that who read a version and then wrote
//! replaced it; or a store's own order is given.
//!
//! [`decide`] says whether a history is of a [`Level`]. Where nothing plain is against it, there must be an order of the writes that
//! explains what was seen: it is found, or shown not to exist, or the search was given up.
//!
//! [`mod@bank`] and [`mod@set`] judge histories that were made to be judged by a sum or by what is there at the end. Predicates are not looked
//! at: the levels are those of items.

pub mod bank;
mod decide;
mod few;
mod form;
mod gather;
pub mod graph;
mod internal;
mod levels;
mod lists;
mod ordered;
mod polygraph;
mod prune;
mod registers;
mod room;
mod serial;
mod sessions;
pub mod set;
mod solve;
mod tell;
#[cfg(test)]
mod tests;
mod weak;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::check::history::Texts;
use crate::check::{Verdict, Witness};

use gather::{Dependencies, Writes};

pub use decide::decide;
pub use gather::{How, Why};
pub use levels::{Kind, Level};

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Completion {
    /// It was acknowledged.
    Committed,
    /// It certainly had no effect.
    Aborted,
    /// Nobody knows; if somebody saw something of it, it was committed.
    Unknown,
}

/// What a transaction did to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// Put an element at the end of a list.
    Append(i64),
    /// Saw these elements: [`Transactions::elements`].
    List(Seen),
    /// Set a register.
    Write(i64),
    /// Saw this value of a register; [`crate::check::history::NIL`] for the initial one.
    Read(i64),
}

/// What was seen of a list: the beginning of one that is kept once for all who saw so much or less of it ([`Transactions::see`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    list: u32,
    len: u32,
}

/// One action of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action {
    /// On which key: a place in [`Transactions::keys`].
    pub key: u32,
    /// What.
    pub what: What,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// Whose.
    pub process: u64,
    /// Where it stands in the recorded history (a line), from 1.
    pub place: usize,
    /// Where its invocation stands in the order of all invocations and returns.
    pub invoked: u64,
    /// Where its return does, if it was acknowledged; or [`crate::check::history::PENDING`].
    pub returned: u64,
    /// What became of it.
    pub completion: Completion,
    /// What it did, in order. Reads of transactions that were not acknowledged say nothing and are left out.
    pub actions: Vec<Action>,
}

/// A history.
#[derive(Clone, Debug, Default)]
pub struct Transactions {
    /// All of it.
    pub transactions: Vec<Transaction>,
    /// The keys by name.
    pub keys: Vec<String>,
    /// What values mean.
    pub texts: Texts,
    /// What was seen of lists.
    lists: Vec<Vec<i64>>,
    /// By key: the list that most of what is seen is the beginning of.
    trunks: FxHashMap<u32, u32>,
}

impl Transactions {
    /// None yet, on keys of these names.
    pub fn on(keys: Vec<String>) -> Self {
        Transactions { keys, ..Transactions::default() }
    }

    /// Keeps what was seen of a list. Who sees the beginning of what another saw costs no memory.
    pub fn see(&mut self, key: u32, elements: &[i64]) -> Seen {
        let len = elements.len() as u32;
        if let Some(trunk) = self.trunks.get(&key).copied() {
            let known = &mut self.lists[trunk as usize];
            let common = known.len().min(elements.len());
            if known[..common] == elements[..common] {
                known.extend_from_slice(&elements[common..]);
                return Seen { list: trunk, len };
            }
        }
        let list = self.lists.len() as u32;
        self.lists.push(elements.to_vec());
        self.trunks.entry(key).or_insert(list);
        Seen { list, len }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        let of_one =
            |one: &Transaction| size_of::<Transaction>() + one.actions.capacity() * size_of::<Action>();
        let transactions: usize = self.transactions.iter().map(of_one).sum();
        let lists: usize = self.lists.iter().map(|list| 24 + list.capacity() * 8).sum();
        (transactions + lists + self.keys.len() * 64) as u64
    }

    /// What was seen.
    pub fn elements(&self, seen: Seen) -> &[i64] {
        &self.lists[seen.list as usize][..seen.len as usize]
    }
}

/// For each key the values that were written to it, in the order in which the store had them: what a simulation knows and a client does
/// not.
pub type Orders = BTreeMap<u32, Vec<i64>>;

/// Something wrong, with as few transactions as show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What.
    pub kind: Kind,
    /// Who and how.
    pub witness: Witness,
}

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One of each kind that there is, the worst first.
    pub anomalies: Vec<Anomaly>,
    /// Why the check does not know all, if it does not.
    pub unknown: Option<String>,
    /// Whether that is because nobody can know it.
    pub is_ambiguous: bool,
}

impl Report {
    /// Whether the history is of a level where the store's own orders were given; without them [`decide`] has to say.
    pub fn verdict(&self, level: Level) -> Verdict {
        match self.anomalies.iter().find(|anomaly| !level.permits(anomaly.kind)) {
            Some(Anomaly { kind, witness }) => Verdict::Violated(Witness {
                sentence: format!("{}: {}", kind.name(), witness.sentence),
                operations: witness.operations.clone(),
            }),
            None => self.unknown.clone().map_or(Verdict::Holds, Verdict::Unknown),
        }
    }

    /// The kinds that were found.
    pub fn kinds(&self) -> Vec<Kind> {
        self.anomalies.iter().map(|anomaly| anomaly.kind).collect()
    }
}

/// Finds the anomalies that are plain to see. Without `orders` the order of versions is what can be inferred.
pub fn check(history: &Transactions, orders: Option<&Orders>) -> Report {
    plain(history, Writes::of(history), orders).0
}

fn plain(history: &Transactions, writes: Writes, orders: Option<&Orders>) -> (Report, Writes) {
    let mut dependencies = Dependencies::new(history, writes);
    internal::look(&mut dependencies);
    lists::depend(&mut dependencies);
    registers::depend(&mut dependencies, orders);
    dependencies.report()
}
