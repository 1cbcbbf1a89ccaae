//! Linearizability of a register whose written values all differ, by clusters: O(n log n).
//!
//! P. Gibbons and E. Korach, "Testing shared memories" (1997); zones as in W. Golab, X. Li and M. Shah (2011). A value's
//! operations are its write and the reads that saw it; they stand together in any order. A compare-and-set stands right
//! after the operations of the value that it found and begins those of the one that it set, so it joins two clusters
//! into a *block*. Within a block the order of clusters is given. Of two blocks, A must come before B if an operation of A
//! returned before one of B was invoked: if A's least return f lies before B's greatest invocation s. So a history is linearizable just
//! if each block is in order and no two blocks must both come before each other: if in a cycle of blocks A has the least
//! f, then A and the one before it already are such a pair.

use rustc_hash::FxHashMap;

use crate::check::history::{Call, Operation, Texts};
use crate::check::relations::told;
use crate::check::{Verdict, Witness};

/// A value's operations: when the last of them was invoked and the first returned, and which these are.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// The operation that set the value; `None`: the initial one.
    origin: Option<usize>,
    /// The value that its compare-and-set found.
    found: Option<i64>,
    /// The value that was set by finding this one.
    next: Option<usize>,
    least_return: (u64, usize),
    greatest_invocation: (u64, usize),
}

/// Clusters that must stand together, from the first to the last.
#[derive(Clone, Copy, Debug)]
struct Block {
    f: (u64, usize),
    s: (u64, usize),
}

/// The clusters of a history, while they are gathered.
struct Clusters<'a> {
    operations: &'a [Operation],
    texts: &'a Texts,
    clusters: Vec<Cluster>,
    /// The cluster of each value that was set.
    numbers: FxHashMap<i64, usize>,
}

/// Why gathering ends early: the check is not for this history, or it has decided.
type Ended = Option<Verdict>;

const EMPTY: Cluster = Cluster {
    origin: None,
    found: None,
    next: None,
    least_return: (u64::MAX, usize::MAX),
    greatest_invocation: (0, usize::MAX),
};

/// Judges the operations of one register. `None`: it has operations that this check does not know, or sets a value twice.
pub fn check(operations: &[Operation], initial: i64, texts: &Texts) -> Option<Verdict> {
    let numbers = FxHashMap::from_iter([(initial, 0)]);
    let mut clusters = Clusters { operations, texts, clusters: vec![EMPTY], numbers };
    match clusters.gather() {
        Err(ended) => ended,
        Ok(()) => Some(blocks(operations, texts, &clusters.clusters)),
    }
}

impl Clusters<'_> {
    fn gather(&mut self) -> Result<(), Ended> {
        self.writes()?;
        self.reads()?;
        self.chains()
    }

    /// A cluster for each value that was set.
    fn writes(&mut self) -> Result<(), Ended> {
        // What was observed decides which pending operations have happened.
        let mut observed: FxHashMap<i64, ()> = FxHashMap::default();
        let any_is_pending = self.operations.iter().any(Operation::is_pending);
        let writes = self.operations.iter().filter(|one| matches!(one.call, Call::Write(_) | Call::Cas(..)));
        let writes = writes.count();
        self.clusters.reserve_exact(writes);
        self.numbers.reserve(writes);
        for operation in self.operations {
            match operation.call {
                Call::Read(value) | Call::Cas(value, _) if any_is_pending && !operation.is_pending() => {
                    observed.insert(value, ());
                }
                Call::Read(_) | Call::Write(_) | Call::Cas(..) => {}
                _ => return Err(None),
            }
        }
        let mut waiting: FxHashMap<i64, usize> = FxHashMap::default();
        for (place, operation) in self.operations.iter().enumerate() {
            let (Call::Write(value) | Call::Cas(_, value)) = operation.call else { continue };
            if !operation.is_pending() || observed.contains_key(&value) {
                self.write(place, value)?;
            } else if waiting.insert(value, place).is_some() {
                return Err(None);
            }
        }
        // A pending compare-and-set that happened has itself observed what it found.
        let mut found: Vec<i64> = self.clusters.iter().filter_map(|cluster| cluster.found).collect();
        while let Some(value) = found.pop() {
            if let Some(place) = waiting.remove(&value) {
                self.write(place, value)?;
                found.extend(self.clusters.last().and_then(|cluster| cluster.found));
            }
        }
        Ok(())
    }

    fn write(&mut self, place: usize, value: i64) -> Result<(), Ended> {
        let operation = &self.operations[place];
        self.clusters.push(Cluster {
            origin: Some(place),
            found: if let Call::Cas(from, _) = operation.call { Some(from) } else { None },
            least_return: (operation.returned, place),
            greatest_invocation: (operation.invoked, place),
            ..EMPTY
        });
        match self.numbers.insert(value, self.clusters.len() - 1) {
            None => Ok(()),
            Some(_) => Err(None),
        }
    }

    /// Each read joins the cluster of the value that it saw.
    fn reads(&mut self) -> Result<(), Ended> {
        for (place, operation) in self.operations.iter().enumerate() {
            let Call::Read(value) = operation.call else { continue };
            if operation.is_pending() {
                continue;
            }
            let Some(number) = self.numbers.get(&value) else {
                return Err(Some(self.alone(place, "saw a value that nobody wrote")));
            };
            let cluster = &mut self.clusters[*number];
            cluster.least_return = cluster.least_return.min((operation.returned, place));
            cluster.greatest_invocation = cluster.greatest_invocation.max((operation.invoked, place));
            let future = |origin: &usize| self.operations[*origin].invoked > operation.returned;
            if let Some(origin) = cluster.origin.filter(future) {
                return Err(Some(self.clash(place, origin, ("saw a value before it was written:", ""))));
            }
        }
        Ok(())
    }

    /// Each compare-and-set follows the cluster of the value that it found.
    fn chains(&mut self) -> Result<(), Ended> {
        for number in 1..self.clusters.len() {
            let Some(from) = self.clusters[number].found else { continue };
            let origin = self.origin(number);
            let Some(parent) = self.numbers.get(&from).copied() else {
                return Err(Some(self.alone(origin, "found a value that nobody wrote")));
            };
            if let Some(other) = self.clusters[parent].next.replace(number) {
                let what = ("and", " found the same value and each set another");
                return Err(Some(self.clash(origin, self.origin(other), what)));
            }
        }
        Ok(())
    }

    fn origin(&self, number: usize) -> usize {
        self.clusters[number].origin.expect("only the initial cluster has none")
    }

    fn alone(&self, place: usize, what: &str) -> Verdict {
        let operation = &self.operations[place];
        let sentence = format!("{} {what}", told(operation, self.texts));
        Verdict::Violated(Witness { sentence, operations: vec![operation.place] })
    }

    fn clash(&self, a: usize, b: usize, what: (&str, &str)) -> Verdict {
        clash(self.operations, self.texts, a, b, what)
    }
}

/// Joins clusters into blocks, each in order, and looks for two that must both come before each other.
fn blocks(operations: &[Operation], texts: &Texts, clusters: &[Cluster]) -> Verdict {
    let mut blocks: Vec<Block> = Vec::new();
    let mut seen = 0;
    for first in clusters.iter().filter(|cluster| cluster.found.is_none()) {
        let mut block = Block { f: first.least_return, s: first.greatest_invocation };
        let (mut cluster, mut of_initial) = (first, first.origin.is_none());
        seen += 1;
        while let Some(next) = cluster.next {
            cluster = &clusters[next];
            seen += 1;
            // All that came before was invoked by now?
            if cluster.least_return.0 < block.s.0 {
                let what = ("returned before something that must come before it was invoked:", "");
                return clash(operations, texts, cluster.least_return.1, block.s.1, what);
            }
            block.f = block.f.min(cluster.least_return);
            block.s = block.s.max(cluster.greatest_invocation);
        }
        if of_initial {
            // Nothing may come before the block of the initial value: as if it had been set before all.
            of_initial = block.s.1 != usize::MAX;
            block.f = (0, block.f.1);
        }
        if first.origin.is_some() || of_initial {
            blocks.push(block);
        }
    }
    if seen < clusters.len() {
        let stuck =
            clusters.iter().find(|cluster| cluster.found.is_some()).and_then(|cluster| cluster.origin);
        let place = stuck.expect("a cluster that is in no block found a value");
        let sentence = format!("{} is part of a cycle of values", told(&operations[place], texts));
        return Verdict::Violated(Witness { sentence, operations: vec![operations[place].place] });
    }
    // Forward zones, f before s, must not overlap; no backward zone, s before f, may lie within one.
    let mut forward: Vec<Block> = blocks.iter().filter(|block| block.f.0 < block.s.0).copied().collect();
    forward.sort_unstable_by_key(|block| block.f);
    for pair in forward.windows(2) {
        if pair[1].f.0 < pair[0].s.0 {
            let what = ("and", " contradict each other: neither of their values can have been there first");
            let verdict = clash(operations, texts, pair[0].s.1, pair[1].s.1, what);
            return with(verdict, operations, &[pair[0].f.1, pair[1].f.1]);
        }
    }
    for block in blocks.iter().filter(|block| block.f.0 >= block.s.0) {
        let before = forward.partition_point(|zone| zone.f.0 <= block.s.0);
        if let Some(zone) = before.checked_sub(1).map(|place| &forward[place])
            && block.f.0 < zone.s.0
        {
            let what = ("saw a value that had been overwritten by", "");
            return with(clash(operations, texts, zone.s.1, block.f.1, what), operations, &[zone.f.1]);
        }
    }
    Verdict::Holds
}

/// The witness with more operations that it takes to see the clash.
fn with(verdict: Verdict, operations: &[Operation], more: &[usize]) -> Verdict {
    let Verdict::Violated(mut witness) = verdict else { return verdict };
    for place in more.iter().filter_map(|place| operations.get(*place)).map(|operation| operation.place) {
        if !witness.operations.contains(&place) {
            witness.operations.push(place);
        }
    }
    Verdict::Violated(witness)
}

fn clash(operations: &[Operation], texts: &Texts, a: usize, b: usize, what: (&str, &str)) -> Verdict {
    let (a, b) = (operations.get(a), operations.get(b));
    let (Some(a), Some(b)) = (a, b) else {
        let sentence = "an old value was seen after a newer one".to_owned();
        let operations = a.or(b).map(|operation| operation.place).into_iter().collect();
        return Verdict::Violated(Witness { sentence, operations });
    };
    let sentence = format!("{} {} {}{}", told(a, texts), what.0, told(b, texts), what.1);
    Verdict::Violated(Witness { sentence, operations: vec![a.place, b.place] })
}
