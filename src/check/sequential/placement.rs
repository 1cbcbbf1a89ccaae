//! A search for one order of the operations of all keys: what may come next is tried, one after the other.
//!
//! What never changes anything and may come next is taken at once and for good: any order that takes it later is as good
//! with it moved here. (A write of the value that is there is none of these: later it may have something to change.) A write
//! does not come next while somebody has yet to see the value that it would replace, if it is known who that is. A pair of
//! (operations taken, values of the keys) that was met before is not explored again; it is remembered as 128 bits, whose
//! chance to confuse two pairs is below 2^-80 for as many as fit into memory.

use std::collections::BTreeMap;

use crate::base::rng::mix;
use crate::check::causal::places;
use crate::check::history::Texts;
use crate::check::model::{only_looks, step};
use crate::check::relations::{ReadsFrom, Relations, written};
use crate::check::remembered::Remembered;
use crate::check::search::Budget;
use crate::check::{Verdict, Witness};

/// A place where several things may come next: how many were taken before it, what may be, and which of it is tried.
struct Choice {
    taken: usize,
    candidates: Vec<u32>,
    next: usize,
}

/// An operation that was taken and how to put it back.
struct Taken {
    operation: u32,
    /// Where it stood among those that may come next.
    place: usize,
    /// How many came to be possible.
    freed: usize,
    old: i64,
    writer: Option<u32>,
}

struct Placement<'a> {
    relations: &'a Relations,
    /// What each operation must come before, from `starts` on.
    later: Vec<u32>,
    starts: Vec<u32>,
    /// How many must still come before each.
    missing: Vec<u32>,
    /// What may come next, as far as order goes.
    ready: Vec<u32>,
    /// By operation: its key, from 0.
    keys: Vec<u32>,
    state: Vec<i64>,
    /// By key: who wrote its value; by write: how many have yet to see it.
    unseen: Vec<u32>,
    writers: Vec<Option<u32>>,
    /// Operations that returned and are not taken.
    left: usize,
    taken: Vec<Taken>,
    hash: u128,
    met: Remembered,
}

/// Looks for an order that agrees with pairs of operations.
pub(super) fn search(
    relations: &Relations,
    pairs: &[(u32, u32)],
    initial: i64,
    texts: &mut Texts,
    budget: Budget,
) -> Verdict {
    Placement::new(relations, pairs, initial).run(texts, budget)
}

impl<'a> Placement<'a> {
    fn new(relations: &'a Relations, pairs: &[(u32, u32)], initial: i64) -> Self {
        let nodes = relations.accesses.len();
        let (mut starts, mut missing) = (vec![0u32; nodes + 1], vec![0u32; nodes]);
        for (before, after) in pairs {
            starts[*before as usize + 1] += 1;
            missing[*after as usize] += 1;
        }
        (0..nodes).for_each(|node| starts[node + 1] += starts[node]);
        let (mut at, mut later) = (starts.clone(), vec![0; pairs.len()]);
        for (before, after) in pairs {
            later[at[*before as usize] as usize] = *after;
            at[*before as usize] += 1;
        }
        let mut numbers: BTreeMap<i64, u32> = BTreeMap::new();
        let mut number = |key: i64| {
            let next = numbers.len() as u32;
            *numbers.entry(key).or_insert(next)
        };
        let keys: Vec<u32> = relations.accesses.iter().map(|access| number(access.key)).collect();
        let mut unseen = vec![0; nodes];
        for origin in &relations.origins {
            if let ReadsFrom::Write(write) = origin {
                unseen[*write as usize] += 1;
            }
        }
        Placement {
            relations,
            later,
            starts,
            ready: (0..nodes as u32).filter(|node| missing[*node as usize] == 0).collect(),
            missing,
            state: vec![initial; numbers.len()],
            writers: vec![None; numbers.len()],
            unseen,
            keys,
            left: relations.accesses.iter().filter(|access| !access.operation.is_pending()).count(),
            taken: Vec::new(),
            hash: 0,
            met: Remembered::default(),
        }
    }

    fn run(mut self, texts: &mut Texts, budget: Budget) -> Verdict {
        let mut choices: Vec<Choice> = Vec::new();
        let mut nodes = 0u64;
        let texts_before = texts.bytes();
        let mut deepest: (usize, Vec<u32>) = (0, Vec::new());
        loop {
            let candidates = self.settle(texts);
            if self.left == 0 {
                return Verdict::Holds;
            }
            if deepest.1.is_empty() || self.taken.len() > deepest.0 {
                deepest = (self.taken.len(), self.ready.clone());
            }
            choices.push(Choice { taken: self.taken.len(), candidates, next: 0 });
            // The next thing that nobody has tried here, or further up.
            loop {
                let Some(choice) = choices.last_mut() else {
                    return Verdict::Violated(self.witness(&deepest.1, texts));
                };
                let (taken, candidate) = (choice.taken, choice.candidates.get(choice.next).copied());
                choice.next += 1;
                while self.taken.len() > taken {
                    self.put_back();
                }
                let Some(operation) = candidate else {
                    choices.pop();
                    continue;
                };
                nodes += 1;
                if nodes > budget.nodes {
                    let nodes = budget.nodes;
                    return Verdict::Unknown(format!("{nodes} configurations were not enough (`--nodes`)"));
                }
                if self.met.bytes() + (texts.bytes() - texts_before) > budget.bytes {
                    let mib = budget.bytes >> 20;
                    return Verdict::Unknown(format!("{mib} MiB of memory were not enough (`--memory`)"));
                }
                let new = self.next(operation, texts).expect("it was possible");
                self.take(operation, new);
                if self.met.is_new(self.hash) {
                    break;
                }
            }
        }
    }

    /// The state of its key after an operation, if it may come next.
    fn next(&self, operation: u32, texts: &mut Texts) -> Option<i64> {
        step(self.state[self.keys[operation as usize] as usize], self.relations.call(operation), texts)
    }

    /// Takes what changes nothing, as long as there is any; gives what else may come next, earlier invocations first.
    fn settle(&mut self, texts: &mut Texts) -> Vec<u32> {
        let mut at = 0;
        let mut candidates = Vec::new();
        while let Some(operation) = self.ready.get(at).copied() {
            at += 1;
            let old = self.state[self.keys[operation as usize] as usize];
            let Some(new) = self.next(operation, texts) else { continue };
            if new == old && only_looks(self.relations.call(operation)) {
                self.take(operation, new);
                (at, candidates) = (0, Vec::new());
            } else if !self.is_awaited(operation) {
                candidates.push(operation);
            }
        }
        let invoked = |operation: &u32| self.relations.accesses[*operation as usize].operation.invoked;
        candidates.sort_unstable_by_key(invoked);
        candidates
    }

    /// Whether somebody has yet to see the value that an operation would replace.
    fn is_awaited(&self, operation: u32) -> bool {
        let Some(writer) = self.writers[self.keys[operation as usize] as usize] else { return false };
        let sees_it = self.relations.origins[operation as usize] == ReadsFrom::Write(writer);
        self.unseen[writer as usize] > u32::from(sees_it)
    }

    fn take(&mut self, operation: u32, new: i64) {
        let place = self.ready.iter().position(|other| *other == operation).expect("it may come next");
        self.ready.swap_remove(place);
        let (from, to) = (self.starts[operation as usize], self.starts[operation as usize + 1]);
        let mut freed = 0;
        for later in &self.later[from as usize..to as usize] {
            let missing = &mut self.missing[*later as usize];
            *missing -= 1;
            if *missing == 0 {
                self.ready.push(*later);
                freed += 1;
            }
        }
        self.left -= usize::from(self.must_happen(operation));
        let old = self.set(operation, new);
        if let ReadsFrom::Write(write) = self.relations.origins[operation as usize] {
            self.unseen[write as usize] -= 1;
        }
        let writer = &mut self.writers[self.keys[operation as usize] as usize];
        let before = *writer;
        if written(self.relations.call(operation)).is_some() {
            *writer = Some(operation);
        }
        self.taken.push(Taken { operation, place, freed, old, writer: before });
    }

    fn must_happen(&self, operation: u32) -> bool {
        !self.relations.accesses[operation as usize].operation.is_pending()
    }

    fn set(&mut self, operation: u32, new: i64) -> i64 {
        let key = self.keys[operation as usize];
        let old = std::mem::replace(&mut self.state[key as usize], new);
        let wide = |low: u64, high: u64| u128::from(low) | u128::from(high) << 64;
        let of_key = |value: i64| {
            let seed = mix(u64::from(key), value as u64);
            wide(mix(1, seed), mix(2, seed))
        };
        let of_operation = wide(mix(3, u64::from(operation)), mix(4, u64::from(operation)));
        self.hash ^= of_key(old) ^ of_key(new) ^ of_operation;
        old
    }

    fn put_back(&mut self) {
        let Taken { operation, place, freed, old, writer } = self.taken.pop().expect("something was taken");
        self.ready.truncate(self.ready.len() - freed);
        self.ready.push(operation);
        let last = self.ready.len() - 1;
        self.ready.swap(place, last);
        let (from, to) = (self.starts[operation as usize], self.starts[operation as usize + 1]);
        for later in &self.later[from as usize..to as usize] {
            self.missing[*later as usize] += 1;
        }
        self.left += usize::from(self.must_happen(operation));
        self.set(operation, old);
        self.writers[self.keys[operation as usize] as usize] = writer;
        if let ReadsFrom::Write(write) = self.relations.origins[operation as usize] {
            self.unseen[write as usize] += 1;
        }
    }

    fn witness(&self, stuck: &[u32], texts: &Texts) -> Witness {
        let told: Vec<String> =
            stuck.iter().take(4).map(|number| self.relations.told(*number, texts)).collect();
        let sentence =
            format!("where the longest order ends, none of these can come next: {}", told.join(", "));
        Witness { sentence, operations: places(self.relations, stuck) }
    }
}
