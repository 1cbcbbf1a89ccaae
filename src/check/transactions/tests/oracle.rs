//! Every level by its definition and by brute force, for histories of a dozen transactions: nothing here is shared with what is tested.
//!
//! Up to causal consistency: the axioms of Biswas and Enea (OOPSLA 2019), for lists with all appends that a read shows as what it saw. Parallel
//! snapshots: all orders of versions, by Cerone and Gotsman's characterisation (PODC 2016). Snapshot isolation: all ways in which transactions
//! can have begun and committed, by the algorithm that defines it (Berenson et al. 1995). Serializability: all orders.

mod orders;

use std::collections::{BTreeMap, BTreeSet};

use crate::check::history::{NIL, PENDING};
use crate::check::transactions::{Completion, Level, Transactions, What};

/// By transaction: a set of others.
type Relation = Vec<u32>;

/// A read of what others wrote: who, when, which key, what it saw before its own.
#[derive(Clone, Debug)]
struct Sight {
    reader: usize,
    key: u32,
    value: i64,
    list: Vec<i64>,
}

struct Oracle<'a> {
    history: &'a Transactions,
    level: Level,
    /// Who counts.
    all: Vec<usize>,
    sights: Vec<Sight>,
    lists: bool,
    sessions: Relation,
    times: Relation,
}

/// Whether a history is of a level.
pub fn holds(history: &Transactions, level: Level) -> bool {
    let of = |completion| {
        (0..history.transactions.len()).filter(move |one| history.transactions[*one].completion == completion)
    };
    let unknown: Vec<usize> = of(Completion::Unknown).collect();
    (0..1u32 << unknown.len()).any(|chosen| {
        let some = unknown.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, one)| *one);
        let mut all: Vec<usize> = of(Completion::Committed).chain(some).collect();
        all.sort_unstable();
        Oracle::new(history, level, all).holds()
    })
}

fn bit(one: usize) -> u32 {
    1 << one
}

fn closed(mut relation: Relation) -> Relation {
    for middle in 0..relation.len() {
        for from in 0..relation.len() {
            if relation[from] & bit(middle) != 0 {
                relation[from] |= relation[middle];
            }
        }
    }
    relation
}

fn has_cycle(relation: &Relation) -> bool {
    closed(relation.clone()).iter().enumerate().any(|(one, reached)| reached & bit(one) != 0)
}

impl<'a> Oracle<'a> {
    fn new(history: &'a Transactions, level: Level, all: Vec<usize>) -> Self {
        let count = history.transactions.len();
        let lists = history.transactions.iter().flat_map(|one| &one.actions);
        let lists = lists.into_iter().any(|action| matches!(action.what, What::Append(_) | What::List(_)));
        let mut oracle = Oracle {
            history,
            level,
            all,
            sights: Vec::new(),
            lists,
            sessions: vec![0; count],
            times: vec![0; count],
        };
        for one in oracle.all.clone() {
            for other in oracle.all.clone() {
                let (before, after) = (&history.transactions[one], &history.transactions[other]);
                if before.returned != PENDING && before.returned < after.invoked {
                    oracle.times[one] |= bit(other);
                    if before.process == after.process {
                        oracle.sessions[one] |= bit(other);
                    }
                }
            }
        }
        oracle
    }

    fn writes(&self, one: usize) -> impl DoubleEndedIterator<Item = (u32, i64)> + '_ {
        self.history.transactions[one].actions.iter().filter_map(|action| match action.what {
            What::Write(value) | What::Append(value) => Some((action.key, value)),
            What::Read(_) | What::List(_) => None,
        })
    }

    fn wrote(&self, one: usize, key: u32) -> bool {
        self.writes(one).any(|(of, _)| of == key)
    }

    fn last(&self, one: usize, key: u32) -> Option<i64> {
        self.writes(one).rev().find(|(of, _)| *of == key).map(|(_, value)| value)
    }

    fn holds(mut self) -> bool {
        if !self.alone() || (self.lists && !self.lists_have_orders()) {
            return false;
        }
        match self.level {
            Level::ReadUncommitted => self.has_all_seen() && !has_cycle(&self.list_orders()),
            Level::ReadCommitted
            | Level::ItemCut
            | Level::MonotonicAtomicView
            | Level::ReadAtomic
            | Level::Causal
            | Level::ParallelSnapshot => {
                let finals = |sight: &Sight| !self.lists || self.ends_well(sight);
                self.sights.iter().all(finals) && self.assign(&mut Vec::new())
            }
            Level::Snapshot => self.snapshots(&vec![0; self.sessions.len()]),
            Level::StrongSessionSnapshot => self.snapshots(&self.sessions.clone()),
            Level::RepeatableRead | Level::Serializable => self.serial(&vec![0; self.sessions.len()]),
            Level::StrongSessionSerializable => self.serial(&self.sessions.clone()),
            Level::StrictSerializable => self.serial(&self.times.clone()),
        }
    }

    /// Whether each transaction sees its own writes, none of its later ones, and nothing that nobody wrote.
    fn alone(&mut self) -> bool {
        let everybody = 0..self.history.transactions.len();
        for reader in self.all.clone() {
            let mut own: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
            let mut first: BTreeMap<u32, Sight> = BTreeMap::new();
            for action in &self.history.transactions[reader].actions {
                let key = action.key;
                let written = own.entry(key).or_default();
                let mut sight = Sight { reader, key, value: NIL, list: Vec::new() };
                match action.what {
                    What::Write(value) | What::Append(value) => {
                        written.push(value);
                        continue;
                    }
                    What::Read(value) if !written.is_empty() => {
                        if written.last() != Some(&value) {
                            return false;
                        }
                        continue;
                    }
                    What::Read(value) => {
                        let mut others = everybody.clone().filter(|other| *other != reader);
                        if value != NIL
                            && !others.any(|other| self.writes(other).any(|write| write == (key, value)))
                        {
                            return false;
                        }
                        sight.value = value;
                    }
                    What::List(seen) => {
                        let elements = self.history.elements(seen);
                        let known = |value: &i64| {
                            written.contains(value)
                                || everybody.clone().any(|other| {
                                    other != reader && self.writes(other).any(|write| write == (key, *value))
                                })
                        };
                        if !elements.iter().all(known) || !written.iter().all(|own| elements.contains(own)) {
                            return false;
                        }
                        match elements.strip_suffix(written.as_slice()) {
                            Some(others) => sight.list = others.to_vec(),
                            None if self.level == Level::ReadUncommitted => continue,
                            None => return false, // a dirty write between its own
                        }
                    }
                }
                if let Some(first) = first.get(&key)
                    && self.repeats()
                    && (first.value, &first.list) != (sight.value, &sight.list)
                {
                    return false;
                }
                // Where reads are repeated, the first says it all.
                if !self.repeats() || !first.contains_key(&key) {
                    first.insert(key, sight.clone());
                    self.sights.push(sight);
                }
            }
        }
        true
    }

    fn repeats(&self) -> bool {
        !matches!(self.level, Level::ReadUncommitted | Level::ReadCommitted | Level::MonotonicAtomicView)
    }

    /// By key: the lists that were seen, with own appends.
    fn lists(&self, key: u32) -> Vec<&[i64]> {
        let actions = self.all.iter().flat_map(|one| &self.history.transactions[*one].actions);
        let of_key = actions.filter(|action| action.key == key);
        let lists = of_key.filter_map(|action| match action.what {
            What::List(seen) => Some(self.history.elements(seen)),
            _ => None,
        });
        lists.collect()
    }

    fn lists_have_orders(&self) -> bool {
        (0..self.history.keys.len() as u32).all(|key| {
            let lists = self.lists(key);
            let distinct = |list: &&[i64]| list.iter().collect::<BTreeSet<_>>().len() == list.len();
            let in_own_order = |list: &&[i64]| {
                self.all.iter().all(|one| {
                    let own: Vec<i64> =
                        self.writes(*one).filter(|(of, _)| *of == key).map(|(_, value)| value).collect();
                    let shown: Vec<i64> = list.iter().copied().filter(|value| own.contains(value)).collect();
                    own.starts_with(&shown)
                })
            };
            let agree =
                |one: &&[i64]| lists.iter().all(|other| other.starts_with(one) || one.starts_with(other));
            lists.iter().all(|list| distinct(list) && in_own_order(list) && agree(list))
        })
    }

    /// Whether whatever was seen of a transaction that is not known to be aborted is of one that counts.
    fn has_all_seen(&self) -> bool {
        let transactions = &self.history.transactions;
        let mut missing = (0..transactions.len())
            .filter(|one| transactions[*one].completion == Completion::Unknown && !self.all.contains(one));
        !missing.any(|one| {
            self.writes(one).any(|(key, value)| self.lists(key).iter().any(|list| list.contains(&value)))
        })
    }

    /// The order of elements as one of transactions: what nobody saw is after what somebody saw.
    fn list_orders(&self) -> Relation {
        let mut order = vec![0; self.sessions.len()];
        if !self.lists {
            return order;
        }
        for key in 0..self.history.keys.len() as u32 {
            let longest = self.lists(key).into_iter().max_by_key(|list| list.len()).unwrap_or(&[]);
            let place = |value: i64| longest.iter().position(|other| *other == value).unwrap_or(usize::MAX);
            for one in &self.all {
                for other in self.all.iter().filter(|other| *other != one) {
                    let before = self.writes(*one).filter(|(of, _)| *of == key).any(|(_, mine)| {
                        self.writes(*other)
                            .filter(|(of, _)| *of == key)
                            .any(|(_, theirs)| place(mine) < place(theirs))
                    });
                    order[*one] |= if before { bit(*other) } else { 0 };
                }
            }
        }
        order
    }

    /// Whether a list ends where its last writer had ended, and has nothing of those who do not count.
    fn ends_well(&self, sight: &Sight) -> bool {
        let by = |value: i64| {
            self.all.iter().copied().find(|one| self.writes(*one).any(|write| write == (sight.key, value)))
        };
        sight.list.iter().all(|value| by(*value).is_some())
            && sight
                .list
                .last()
                .is_none_or(|last| by(*last).and_then(|by| self.last(by, sight.key)) == Some(*last))
    }

    /// Tries all writers of what was seen; `None` for the initial version.
    fn assign(&self, sources: &mut Vec<Option<usize>>) -> bool {
        if !self.fits(sources) {
            return false;
        }
        let Some(sight) = self.sights.get(sources.len()) else { return true };
        let candidates: Vec<Option<usize>> = match (self.lists, sight.value) {
            (true, _) => {
                let last = sight.list.last();
                vec![last.and_then(|last| {
                    self.all.iter().copied().find(|one| self.last(*one, sight.key) == Some(*last))
                })]
            }
            (false, NIL) => vec![None],
            (false, value) => {
                let others = self.all.iter().filter(|other| **other != sight.reader);
                others
                    .filter(|other| self.last(**other, sight.key) == Some(value))
                    .map(|other| Some(*other))
                    .collect()
            }
        };
        candidates.into_iter().any(|candidate| {
            sources.push(candidate);
            let fits = self.assign(sources);
            sources.pop();
            fits
        })
    }

    /// Whom the first reads saw: of lists all who appended.
    fn seen(&self, at: usize, source: Option<usize>) -> u32 {
        if !self.lists {
            return source.map_or(0, bit);
        }
        let sight = &self.sights[at];
        let others = self.all.iter().filter(|other| **other != sight.reader);
        let appended = |other: &&usize| {
            self.writes(**other).any(|(key, value)| key == sight.key && sight.list.contains(&value))
        };
        others.filter(appended).fold(0, |all, other| all | bit(*other))
    }

    /// Whether the axioms hold of the reads whose sources are given.
    fn fits(&self, sources: &[Option<usize>]) -> bool {
        let mut order = self.list_orders();
        let mut visible = vec![0; self.sessions.len()]; // by transaction: who sees it
        for (at, source) in sources.iter().enumerate() {
            let seen = self.seen(at, *source);
            for other in self.all.iter().filter(|other| seen & bit(**other) != 0) {
                order[*other] |= bit(self.sights[at].reader);
                visible[*other] |= bit(self.sights[at].reader);
            }
        }
        if matches!(self.level, Level::Causal | Level::ParallelSnapshot) {
            for one in &self.all {
                order[*one] |= self.sessions[*one];
                visible[*one] |= self.sessions[*one];
            }
        }
        if self.level == Level::ParallelSnapshot {
            return self.versions(&order, sources, &mut Vec::new());
        }
        let causes = closed(visible.clone());
        for (at, (sight, source)) in self.sights.iter().zip(sources).enumerate() {
            let in_sight: u32 = match self.level {
                Level::MonotonicAtomicView => {
                    let earlier = (0..at).filter(|other| self.sights[*other].reader == sight.reader);
                    earlier.fold(0, |all, other| all | self.seen(other, sources[other]))
                }
                Level::ReadAtomic | Level::Causal => {
                    let by = if self.level == Level::Causal { &causes } else { &visible };
                    self.all
                        .iter()
                        .filter(|one| by[**one] & bit(sight.reader) != 0)
                        .fold(0, |all, one| all | bit(*one))
                }
                _ => 0,
            };
            let others = self
                .all
                .iter()
                .copied()
                .filter(|other| in_sight & bit(*other) != 0 && *other != sight.reader);
            for other in others.filter(|other| self.wrote(*other, sight.key)) {
                if self.lists {
                    let mut own = self.writes(other).filter(|(key, _)| *key == sight.key);
                    if !own.all(|(_, value)| sight.list.contains(&value)) {
                        return false;
                    }
                } else if *source != Some(other) {
                    let Some(source) = source else { return false };
                    order[other] |= bit(*source);
                }
            }
        }
        !has_cycle(&order)
    }
}
