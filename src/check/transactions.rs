//! Histories of transactions: which isolation they had, by the anomalies that they show.
//!
//! A. Adya, "Weak consistency: a generalized theory and optimistic implementations for distributed transactions" (1999), as K. Kingsbury and
//! P. Alvaro make it checkable from outside in "Elle: inferring isolation anomalies from experimental observations" (VLDB 2020): writes
//! are told apart by their values, so each read names the transaction that it saw, and the order of a key's versions is read off
//! what was seen. Transactions that depend on each other in a circle cannot have happened one after the other; what the circle is made of says
//! which isolation is broken.
//!
//! [`graph`] finds the smallest circle of each kind · `lists` knows the order of the versions of a list that is appended to, for
//! a longer one shows all that came before · `registers` knows of a register's versions that nothing came before the initial one and that
//! who read a version and then wrote replaced it; or a store's own order is given · [`mod@bank`] and [`mod@set`] judge histories
//! that were made to be judged by a sum or by what is there at the end.
//!
//! Predicates are not looked at, real time is not either: the levels are those of items and without recency.

pub mod bank;
pub mod graph;
mod lists;
mod registers;
pub mod set;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::check::history::Texts;
use crate::check::transactions::graph::{Edge, Graph};
use crate::check::{Verdict, Witness};

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It was acknowledged.
    Committed,
    /// It certainly had no effect.
    Aborted,
    /// Nobody knows; if somebody saw something of it, it was committed.
    Unknown,
}

/// What a transaction did to a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// Put an element at the end of a list.
    Append(i64),
    /// Saw these elements.
    List(Vec<i64>),
    /// Set a register.
    Write(i64),
    /// Saw this value of a register; [`crate::check::history::NIL`] for the initial one.
    Read(i64),
}

/// One action of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// What became of it.
    pub fate: Fate,
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
}

/// For each key the values that were written to it, in the order in which the store had them: what a simulation knows and a client does
/// not.
pub type Orders = BTreeMap<u32, Vec<i64>>;

/// What can be wrong with a history of transactions, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody saw a value that nobody wrote.
    Nowhere,
    /// What was seen of a key fits no order of its versions.
    NoOrder,
    /// A transaction did not see its own write.
    Internal,
    /// A circle of writes over writes (P0).
    G0,
    /// A read of what was never committed.
    G1a,
    /// A read of what its writer replaced before it committed.
    G1b,
    /// A circle of writes and reads.
    G1c,
    /// Two who read one version and both replaced it (P4); some order of the two makes it a [`Kind::GSingle`].
    LostUpdate,
    /// A circle with one read of what another overwrote.
    GSingle,
    /// A circle with several, never two in a row.
    GNonadjacent,
    /// A circle with several, two of them in a row somewhere.
    G2Item,
}

impl Kind {
    /// All, with their names.
    pub const ALL: [(&str, Kind); 11] = [
        ("value from nowhere", Kind::Nowhere),
        ("no order", Kind::NoOrder),
        ("own write not seen", Kind::Internal),
        ("G0", Kind::G0),
        ("G1a", Kind::G1a),
        ("G1b", Kind::G1b),
        ("G1c", Kind::G1c),
        ("lost update", Kind::LostUpdate),
        ("G-single", Kind::GSingle),
        ("G-nonadjacent", Kind::GNonadjacent),
        ("G2-item", Kind::G2Item),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// How well transactions are kept apart, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// PL-1: no dirty writes.
    ReadUncommitted,
    /// PL-2: no dirty reads either.
    ReadCommitted,
    /// Snapshot isolation: who reads sees one instant, and of two who write one item at once one fails.
    Snapshot,
    /// PL-2.99, which is PL-3 where nobody reads by predicates: as if one after the other.
    Serializable,
}

impl Level {
    /// All, with their names.
    pub const ALL: [(&str, Level); 4] = [
        ("read_uncommitted", Level::ReadUncommitted),
        ("read_committed", Level::ReadCommitted),
        ("snapshot", Level::Snapshot),
        ("serializable", Level::Serializable),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Whether a history of this level may show that.
    pub fn permits(self, kind: Kind) -> bool {
        match kind {
            Kind::Nowhere | Kind::NoOrder | Kind::Internal | Kind::G0 => false,
            Kind::G1a | Kind::G1b | Kind::G1c => self < Level::ReadCommitted,
            Kind::LostUpdate | Kind::GSingle | Kind::GNonadjacent => self < Level::Snapshot,
            Kind::G2Item => self < Level::Serializable,
        }
    }
}

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
}

impl Report {
    /// Whether the history is of a level.
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

/// Judges a history. Without `orders` the order of versions is what can be inferred.
pub fn check(history: &Transactions, orders: Option<&Orders>) -> Report {
    let writes = match Writes::of(history) {
        Ok(writes) => writes,
        Err(why) => return Report { unknown: Some(why), ..Report::default() },
    };
    let nodes = history.transactions.len();
    let mut dependencies = Dependencies { history, writes, graph: Graph::new(nodes), found: BTreeMap::new() };
    dependencies.own_writes();
    lists::depend(&mut dependencies);
    registers::depend(&mut dependencies, orders);
    dependencies.report()
}

/// Who wrote a value.
#[derive(Clone, Copy, Debug)]
struct Write {
    /// Which transaction.
    by: u32,
    /// Whether it wrote the key again.
    replaced: bool,
}

/// All writes by key and value, and which transactions had effects.
struct Writes {
    by_value: FxHashMap<(u32, i64), Write>,
    /// By transaction: whether it was committed, as it was told or as somebody saw.
    effective: Vec<bool>,
}

impl Writes {
    fn of(history: &Transactions) -> Result<Writes, String> {
        let mut by_value: FxHashMap<(u32, i64), Write> = FxHashMap::default();
        let mut last: FxHashMap<(u32, u32), i64> = FxHashMap::default();
        for (by, transaction) in (0u32..).zip(&history.transactions) {
            for action in &transaction.actions {
                let (What::Append(value) | What::Write(value)) = action.what else { continue };
                if by_value.insert((action.key, value), Write { by, replaced: false }).is_some() {
                    return Err(format!(
                        "{} of {} was written twice (line {}), so nobody knows which of them was seen",
                        history.texts.show(value),
                        history.keys[action.key as usize],
                        transaction.place
                    ));
                }
                if let Some(before) = last.insert((by, action.key), value) {
                    by_value.get_mut(&(action.key, before)).expect("it was written").replaced = true;
                }
            }
        }
        let effective = history.transactions.iter().map(|one| one.fate == Fate::Committed).collect();
        let mut writes = Writes { by_value, effective };
        for transaction in history.transactions.iter().filter(|one| one.fate == Fate::Committed) {
            for action in &transaction.actions {
                match &action.what {
                    What::List(seen) => {
                        seen.iter().for_each(|value| writes.was_seen(history, action.key, *value))
                    }
                    What::Read(value) => writes.was_seen(history, action.key, *value),
                    What::Append(_) | What::Write(_) => {}
                }
            }
        }
        Ok(writes)
    }

    fn was_seen(&mut self, history: &Transactions, key: u32, value: i64) {
        if let Some(write) = self.by_value.get(&(key, value))
            && history.transactions[write.by as usize].fate == Fate::Unknown
        {
            self.effective[write.by as usize] = true;
        }
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
struct Dependencies<'a> {
    history: &'a Transactions,
    writes: Writes,
    graph: Graph,
    found: BTreeMap<Kind, Witness>,
}

impl Dependencies<'_> {
    fn write(&self, key: u32, value: i64) -> Option<Write> {
        self.writes.by_value.get(&(key, value)).copied()
    }

    /// Who wrote a value, if that had an effect.
    fn writer(&self, key: u32, value: i64) -> Option<u32> {
        self.write(key, value).map(|write| write.by).filter(|by| self.writes.effective[*by as usize])
    }

    fn depends(&mut self, from: u32, to: u32, how: How, key: u32, before: i64, after: i64) {
        if from != to {
            self.graph.edge(Edge { from, to, why: Why { how, key, before, after } });
        }
    }

    /// One witness of a kind is enough: the first.
    fn anomaly(&mut self, kind: Kind, transactions: &[u32], sentence: impl FnOnce() -> String) {
        let history = self.history;
        self.found.entry(kind).or_insert_with(|| Witness {
            sentence: sentence(),
            operations: transactions.iter().map(|one| history.transactions[*one as usize].place).collect(),
        });
    }

    /// Who has written a key sees that from then on, or something newer.
    fn own_writes(&mut self) {
        let history = self.history;
        let mut last: FxHashMap<u32, i64> = FxHashMap::default();
        for (reader, transaction) in (0u32..).zip(&history.transactions) {
            last.clear();
            for action in &transaction.actions {
                match &action.what {
                    What::Append(value) | What::Write(value) => {
                        last.insert(action.key, *value);
                    }
                    What::List(seen) => {
                        if let Some(own) = last.get(&action.key)
                            && !seen.contains(own)
                        {
                            let sentence = || tell::own_write(history, reader, action.key, *own);
                            self.anomaly(Kind::Internal, &[reader], sentence);
                        }
                    }
                    What::Read(seen) => {
                        if let Some(own) = last.get(&action.key)
                            && seen != own
                        {
                            let sentence = || tell::own_write(history, reader, action.key, *own);
                            self.anomaly(Kind::Internal, &[reader], sentence);
                        }
                    }
                }
            }
        }
    }

    /// A committed transaction saw the version that ends in a value: whether that may be.
    fn saw(&mut self, reader: u32, key: u32, value: i64) {
        let history = self.history;
        match self.write(key, value) {
            None => self.anomaly(Kind::Nowhere, &[reader], || tell::nowhere(history, reader, key, value)),
            Some(write) if write.by == reader => {}
            Some(write) if !self.writes.effective[write.by as usize] => {
                let sentence = || tell::aborted(history, reader, write.by, key, value);
                self.anomaly(Kind::G1a, &[reader, write.by], sentence);
            }
            Some(write) if write.replaced => {
                let sentence = || tell::replaced(history, reader, write.by, key, value);
                self.anomaly(Kind::G1b, &[reader, write.by], sentence);
            }
            Some(_) => {}
        }
    }

    fn report(mut self) -> Report {
        let (circles, all_searched) = self.graph.circles();
        for (kind, circle) in circles {
            let history = self.history;
            let around: Vec<u32> = circle.iter().map(|edge| edge.from).collect();
            self.anomaly(kind, &around, || tell::circle(history, &circle));
        }
        let unknown = (!all_searched).then(|| {
            "so many transactions depend on each other that not all circles were looked for".to_owned()
        });
        let anomalies = self.found.into_iter().map(|(kind, witness)| Anomaly { kind, witness }).collect();
        Report { anomalies, unknown }
    }
}
