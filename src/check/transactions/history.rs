//! Histories of transactions: what each did to which keys, and what it saw.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::check::history::Texts;

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
    pub(super) list: u32,
    pub(super) len: u32,
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
    pub(super) lists: Vec<Vec<i64>>,
    /// By key: the list that most of what is seen is the beginning of.
    pub(super) trunks: FxHashMap<u32, u32>,
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
