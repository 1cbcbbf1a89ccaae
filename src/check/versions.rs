//! What became of writes in a replicated store: which of them what the copies hold was made of, which are lost, which
//! were never acknowledged and are there all the same. It is white-box, told by who knows what the copies hold, and knows
//! neither how copies talk to each other nor what the values are.
//!
//! [`Dag`] is where versions come from · [`Write`] what clients asked for · [`Install`] what a copy came to hold, and when
//! · [`convergence`] asks whether, and since when, copies agree.

pub mod convergence;
#[cfg(test)]
mod tests;

#[cfg(feature = "internals")]
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::check::history::PENDING;

/// A version of a value: the number of the attempt that wrote it, or for a merge of several any other number. No two
/// keys share one. [`INITIAL`] is every key's.
pub type Version = u64;

/// The version of a value that nobody wrote.
pub const INITIAL: Version = 0;

/// Where versions come from: for each, the versions that it was derived from or replaced.
#[derive(Clone, Debug, Default)]
pub struct Dag {
    nodes: Vec<Node>,
    /// Second and later parents: the parent and the place of the next one.
    further: Vec<(u32, u32)>,
    numbers: FxHashMap<Version, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    version: Version,
    parent: u32,
    further: u32,
}

/// No node, no place.
const NONE: u32 = u32::MAX;

impl Dag {
    /// Nothing yet, with room for so many versions.
    pub fn with_room(versions: usize) -> Dag {
        let mut dag = Dag { nodes: Vec::with_capacity(versions), ..Dag::default() };
        dag.numbers.reserve(versions);
        dag
    }

    /// Says that a version was derived from others, or took their place. Said twice, both hold; [`INITIAL`] and the
    /// version itself say nothing.
    pub fn add(&mut self, version: Version, parents: &[Version]) {
        let child = self.number(version) as usize;
        for parent in parents.iter().filter(|parent| ![version, INITIAL].contains(parent)) {
            let parent = self.number(*parent);
            if self.parents(child as u32).any(|known| known == parent) {
                continue;
            }
            if self.nodes[child].parent == NONE {
                self.nodes[child].parent = parent;
            } else {
                self.further.push((parent, self.nodes[child].further));
                self.nodes[child].further = self.further.len() as u32 - 1;
            }
        }
    }

    /// Whether `old` is `new` or one of its ancestors. For many questions about one store ask [`survivors`].
    #[cfg(test)]
    pub fn is_in(&self, old: Version, new: Version) -> bool {
        let Some(old) = self.numbers.get(&old) else { return false };
        let mut seen = vec![false; self.nodes.len()];
        self.mark(&[new], &mut seen);
        seen[*old as usize]
    }

    fn number(&mut self, version: Version) -> u32 {
        let next = self.nodes.len() as u32;
        let number = *self.numbers.entry(version).or_insert(next);
        if number == next {
            self.nodes.push(Node { version, parent: NONE, further: NONE });
        }
        number
    }

    fn parents(&self, node: u32) -> impl Iterator<Item = u32> {
        let Node { parent, mut further, .. } = self.nodes[node as usize];
        let rest = std::iter::from_fn(move || {
            let (parent, next) = *self.further.get(further as usize)?;
            further = next;
            Some(parent)
        });
        Some(parent).filter(|parent| *parent != NONE).into_iter().chain(rest)
    }

    /// Marks these versions and all that they were made of, but does not go on from what is marked.
    fn mark(&self, heads: &[Version], seen: &mut [bool]) {
        let mut stack: Vec<u32> = heads.iter().filter_map(|head| self.numbers.get(head).copied()).collect();
        while let Some(node) = stack.pop() {
            if !std::mem::replace(&mut seen[node as usize], true) {
                stack.extend(self.parents(node));
            }
        }
    }
}

/// An operation of a client that wrote a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// What it wrote.
    pub version: Version,
    /// Where.
    pub key: i64,
    /// Whether the new value does not depend on the old one, so that it may take any other's place.
    pub blind: bool,
    /// Where it stands in the history.
    pub place: usize,
    /// When the client asked. All instants are of one clock, true time.
    pub invoked: u64,
    /// When the store first had it, [`PENDING`] if it never did.
    pub accepted: u64,
    /// When the client was told that it succeeded, or [`PENDING`].
    pub returned: u64,
}

impl Write {
    /// Whether the client was told that it succeeded.
    pub fn is_acknowledged(&self) -> bool {
        self.returned != PENDING
    }
}

/// A copy came to hold a version, in stable storage or not: the caller decides what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Install {
    /// When.
    pub at: u64,
    /// Which copy, from 0.
    pub copy: u8,
    /// Where.
    pub key: i64,
    /// What it holds now; [`INITIAL`] after losing all.
    pub version: Version,
    /// Beside what it held, as a sibling, and not in its place.
    pub beside: bool,
}

/// A version that a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Where.
    pub key: i64,
    /// Which copy, from 0.
    pub copy: u8,
    /// What.
    pub version: Version,
}

/// What copies hold at an instant, after what happened just then, by key and copy. Installs are in the order of time.
/// A copy that never held anything of a key is not mentioned.
#[cfg(feature = "internals")]
pub fn held(installs: &[Install], at: u64) -> Vec<Held> {
    let until = installs.partition_point(|install| install.at <= at);
    let mut held: BTreeMap<(i64, u8), Vec<Version>> = BTreeMap::new();
    for install in &installs[..until] {
        let versions = held.entry((install.key, install.copy)).or_default();
        if !install.beside {
            versions.clear();
        }
        if !versions.contains(&install.version) {
            versions.push(install.version);
        }
    }
    let of = |((key, copy), mut versions): ((i64, u8), Vec<Version>)| {
        versions.sort_unstable();
        versions.into_iter().map(move |version| Held { key, copy, version })
    };
    held.into_iter().flat_map(of).collect()
}

/// For each write, whether what some copy holds was made of it.
pub fn survivors(dag: &Dag, writes: &[Write], held: &[Held]) -> Vec<bool> {
    let mut seen = vec![false; dag.nodes.len()];
    let heads: Vec<Version> = held.iter().map(|held| held.version).collect();
    dag.mark(&heads, &mut seen);
    let holds: rustc_hash::FxHashSet<Version> = heads.into_iter().collect();
    let survives = |write: &Write| match dag.numbers.get(&write.version) {
        Some(number) => seen[*number as usize],
        None => holds.contains(&write.version),
    };
    writes.iter().map(survives).collect()
}

/// The acknowledged writes that are lost, by their place in `writes`: what the copies hold was not made of them, and no
/// blind write can have taken their place.
///
/// A blind write can have done so in two cases. It survives, and it was not yet over when the lost one was asked for: then some order
/// of the two explains the value. Or it was acknowledged and asked for after the other was: then at most this
/// one is lost, for the other was overwritten by then. So of blind writes one after the other that went down
/// together the last is lost.
///
/// Ask when the copies agree: while one of them still holds a write it is not lost yet.
pub fn lost(dag: &Dag, writes: &[Write], held: &[Held]) -> Vec<usize> {
    let survives = survivors(dag, writes, held);
    // By key, of blind writes: the latest end of one that survives, the latest beginning of one acknowledged.
    let mut latest: FxHashMap<i64, (u64, u64)> = FxHashMap::default();
    for (write, survives) in writes.iter().zip(&survives).filter(|(write, _)| write.blind) {
        let (end, begin) = latest.entry(write.key).or_default();
        if *survives {
            // One that timed out ended for the store when the store had it.
            *end = (*end).max(if write.is_acknowledged() { write.returned } else { write.accepted });
        }
        if write.is_acknowledged() {
            *begin = (*begin).max(write.invoked);
        }
    }
    let is_lost = |place: &usize| {
        let write = &writes[*place];
        let (end, begin) = latest.get(&write.key).copied().unwrap_or_default();
        write.is_acknowledged() && !survives[*place] && end <= write.invoked && begin <= write.returned
    };
    (0..writes.len()).filter(is_lost).collect()
}
