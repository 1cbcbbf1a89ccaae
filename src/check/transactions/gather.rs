//! What transactions did, by value: who wrote what was seen, and how they depend on each other.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::check::Witness;
use crate::check::transactions::graph::{Edge, Graph};
use crate::check::transactions::{Action, Anomaly, Completion, Kind, Report, Seen, Transactions, What, tell};

/// Who wrote a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    /// Which transaction.
    pub by: u32,
    /// Whether it wrote the key again.
    pub replaced: bool,
}

/// All writes by key and value, and which transactions had effects.
pub(super) struct Writes {
    /// Of what one transaction wrote; of others the first.
    by_value: FxHashMap<(u32, i64), Write>,
    /// Of what several transactions wrote: all, in the order of the history.
    shared: FxHashMap<(u32, i64), Vec<Write>>,
    /// By transaction: whether it was committed, as it was told or as somebody saw.
    pub effective: Vec<bool>,
}

impl Writes {
    pub fn of(history: &Transactions) -> Writes {
        let mut by_value: FxHashMap<(u32, i64), Write> = FxHashMap::default();
        let mut shared: FxHashMap<(u32, i64), Vec<Write>> = FxHashMap::default();
        let mut last: FxHashMap<u32, i64> = FxHashMap::default();
        for (by, transaction) in (0u32..).zip(&history.transactions) {
            last.clear();
            for action in &transaction.actions {
                let (What::Append(value) | What::Write(value)) = action.what else { continue };
                let version = (action.key, value);
                let first = *by_value.entry(version).or_insert(Write { by, replaced: false });
                if first.by != by {
                    let all = shared.entry(version).or_insert_with(|| vec![first]);
                    if all.last().is_none_or(|write| write.by != by) {
                        all.push(Write { by, replaced: false });
                    }
                }
                let mut replace = |version: (u32, i64), replaced: bool| {
                    let one = by_value.get_mut(&version).filter(|write| write.by == by);
                    one.into_iter().for_each(|write| write.replaced = replaced);
                    let all = shared.get_mut(&version).into_iter().flatten().filter(|write| write.by == by);
                    all.for_each(|write| write.replaced = replaced);
                };
                if let Some(before) = last.insert(action.key, value) {
                    replace((action.key, before), true);
                    replace(version, false); // the same value may have been written and replaced before
                }
            }
        }
        let effective =
            history.transactions.iter().map(|one| one.completion == Completion::Committed).collect();
        let mut writes = Writes { by_value, shared, effective };
        // Of each list the most that a committed transaction saw.
        let mut lists: FxHashMap<u32, (u32, Seen)> = FxHashMap::default();
        for transaction in history.transactions.iter().filter(|one| one.completion == Completion::Committed) {
            for Action { key, what } in &transaction.actions {
                match *what {
                    What::Read(value) => writes.was_seen(history, *key, value),
                    What::List(seen) => {
                        let (_, most) = lists.entry(seen.list).or_insert((*key, seen));
                        most.len = most.len.max(seen.len);
                    }
                    What::Append(_) | What::Write(_) => {}
                }
            }
        }
        for (key, seen) in lists.into_values() {
            history.elements(seen).iter().for_each(|value| writes.was_seen(history, key, *value));
        }
        writes
    }

    fn was_seen(&mut self, history: &Transactions, key: u32, value: i64) {
        if let Some(write) = self.only(key, value)
            && history.transactions[write.by as usize].completion == Completion::Unknown
        {
            self.effective[write.by as usize] = true;
        }
    }

    /// Who wrote a value, if that is one transaction.
    pub fn only(&self, key: u32, value: i64) -> Option<Write> {
        let write = self.by_value.get(&(key, value)).copied()?;
        (self.shared.is_empty() || !self.shared.contains_key(&(key, value))).then_some(write)
    }

    /// All who wrote a value, in the order of the history.
    pub fn all(&self, key: u32, value: i64) -> &[Write] {
        match self.shared.get(&(key, value)) {
            Some(all) => all,
            None => self.by_value.get(&(key, value)).map_or(&[], std::slice::from_ref),
        }
    }

    /// Whether several transactions wrote one value of a key.
    pub fn are_shared(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Whether a value was written by this transaction and by no other.
    pub fn is_only_of(&self, key: u32, value: i64, by: u32) -> bool {
        self.only(key, value).is_some_and(|write| write.by == by)
    }
}

/// How one transaction depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It wrote over the other's version.
    Ww,
    /// It read the other's version.
    Wr,
    /// The other read a version before it wrote the next.
    Rw,
}

/// What a dependency is about: the key, the version of the earlier one and the version of the later one. A value of a list stands for all
/// up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// Which dependency.
    pub how: How,
    /// Of which key.
    pub key: u32,
    /// What was overwritten, written or read.
    pub before: i64,
    /// What was written or read instead.
    pub after: i64,
}

/// Dependencies and anomalies, while they are gathered.
pub(super) struct Dependencies<'a> {
    pub history: &'a Transactions,
    pub writes: Writes,
    pub graph: Graph,
    found: BTreeMap<Kind, Witness>,
    /// Why not all of it can be known.
    pub unknown: Option<String>,
}

impl<'a> Dependencies<'a> {
    pub fn new(history: &'a Transactions, writes: Writes) -> Self {
        let graph = Graph::new(history.transactions.len());
        Dependencies { history, writes, graph, found: BTreeMap::new(), unknown: None }
    }

    /// Who wrote a value, if that is one transaction and it had an effect.
    pub fn writer(&self, key: u32, value: i64) -> Option<u32> {
        let write = self.writes.only(key, value)?;
        self.writes.effective[write.by as usize].then_some(write.by)
    }

    pub fn depends(&mut self, from: u32, to: u32, how: How, key: u32, before: i64, after: i64) {
        if from != to {
            self.graph.edge(Edge { from, to, why: Why { how, key, before, after } });
        }
    }

    /// One witness of a kind is enough: the first.
    pub fn anomaly(&mut self, kind: Kind, transactions: &[u32], sentence: impl FnOnce() -> String) {
        let history = self.history;
        self.found.entry(kind).or_insert_with(|| Witness {
            sentence: sentence(),
            operations: transactions.iter().map(|one| history.transactions[*one as usize].place).collect(),
        });
    }

    /// A committed transaction saw the version that ends in a value, which it had not written before: whether that may be.
    pub fn saw(&mut self, reader: u32, key: u32, value: i64) {
        let history = self.history;
        let all = self.writes.all(key, value);
        if all.is_empty() {
            return self.anomaly(Kind::Nowhere, &[reader], || tell::nowhere(history, reader, key, value));
        }
        let others = || all.iter().copied().filter(|write| write.by != reader);
        let is_aborted =
            |write: &Write| history.transactions[write.by as usize].completion == Completion::Aborted;
        let Some(first) = others().next() else { return }; // its own alone
        if others().any(|write| !write.replaced && !is_aborted(&write)) {
            return;
        }
        match others().find(|write| !is_aborted(write)) {
            None => {
                let sentence = || tell::aborted(history, reader, first.by, key, value);
                self.anomaly(Kind::G1a, &[reader, first.by], sentence);
            }
            Some(write) => {
                let sentence = || tell::replaced(history, reader, write.by, key, value);
                self.anomaly(Kind::G1b, &[reader, write.by], sentence);
            }
        }
    }

    pub fn report(mut self) -> (Report, Writes) {
        let (cycles, all_searched) = self.graph.cycles();
        for (kind, cycle) in cycles {
            let history = self.history;
            let around: Vec<u32> = cycle.iter().map(|edge| edge.from).collect();
            self.anomaly(kind, &around, || tell::cycle(history, &cycle));
        }
        let is_ambiguous = self.unknown.is_some();
        let unknown = self.unknown.or_else(|| {
            (!all_searched).then(|| {
                "so many transactions depend on each other that not all cycles were looked for".to_owned()
            })
        });
        let anomalies = self.found.into_iter().map(|(kind, witness)| Anomaly { kind, witness }).collect();
        (Report { anomalies, unknown, is_ambiguous }, self.writes)
    }
}
