//! Whether copies agree, and since when.
//!
//! On a key copies have *diverged* with regard to the writes accepted before an instant, if what one copy holds was made of
//! such a write and what another holds was not. A write that no copy has is not diverged but lost.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Dag, Held, INITIAL, Install, Version, Write};

/// The copies that have a write, a bit each.
type Copies = u64;

/// Copies at most.
pub const COPIES_MAX: u8 = 64;

/// What copies hold of the keys of which not all of them hold the same. On the others they agree, whatever came from what.
pub fn differing(mut held: Vec<Held>, copies: u8) -> Vec<Held> {
    held.sort_unstable();
    let mut differing = Vec::new();
    for of_key in held.chunk_by(|a, b| a.key == b.key) {
        let of_copies = || of_key.chunk_by(|a, b| a.copy == b.copy);
        let versions = |of_copy: &[Held]| of_copy.iter().map(|held| held.version).collect::<Vec<_>>();
        let first = of_copies().next().map(versions);
        let alike = of_copies().filter(|of_copy| Some(versions(of_copy)) == first).count();
        if alike < usize::from(copies) {
            differing.extend_from_slice(of_key);
        }
    }
    differing
}

/// The keys on which copies have diverged with regard to writes accepted before an instant, in order. `copies` of them
/// exist; one that holds nothing of a key holds its initial value.
///
/// # Panics
/// If there are more than [`COPIES_MAX`] copies, or one that is mentioned is not among them.
pub fn diverged(dag: &Dag, writes: &[Write], copies: u8, held: &[Held], before: u64) -> Vec<i64> {
    let mut held = held.to_vec();
    held.sort_unstable();
    let mut spread = Spread::new(dag, writes, copies, before);
    let mut keys = Vec::new();
    for of_key in held.chunk_by(|a, b| a.key == b.key) {
        for of_copy in of_key.chunk_by(|a, b| a.copy == b.copy) {
            let heads: Vec<Version> = of_copy.iter().map(|held| held.version).collect();
            spread.mark(of_copy[0].copy, &heads);
        }
        if spread.partial > 0 {
            keys.push(of_key[0].key);
        }
        // The next key begins with nothing; what was marked belongs to this one alone.
        spread.partial = 0;
    }
    keys
}

/// The instant, not before `from`, from which on no key is diverged with regard to writes accepted before an instant;
/// `None` if one still is after the last install. Installs are in the order of time.
///
/// # Panics
/// As [`diverged`].
pub fn converged(
    dag: &Dag,
    writes: &[Write],
    copies: u8,
    installs: &[Install],
    before: u64,
    from: u64,
) -> Option<u64> {
    let mut by_key = installs.to_vec();
    by_key.sort_by_key(|install| install.key); // stable: in the order of time within a key
    let mut spread = Spread::new(dag, writes, copies, before);
    let mut latest = from;
    for of_key in by_key.chunk_by(|a, b| a.key == b.key) {
        latest = latest.max(spread.since(of_key, from)?);
    }
    Some(latest)
}

/// Which copies have which versions.
struct Spread<'a> {
    dag: &'a Dag,
    /// By node: whether it is a write that counts.
    counts: Vec<bool>,
    /// By node: who has it.
    has: Vec<Copies>,
    all: Copies,
    /// Nodes that count and that some copies have and others have not.
    partial: usize,
}

impl<'a> Spread<'a> {
    fn new(dag: &'a Dag, writes: &[Write], copies: u8, before: u64) -> Self {
        assert!(copies <= COPIES_MAX, "{copies} copies are more than {COPIES_MAX}");
        let accepted: FxHashSet<Version> =
            writes.iter().filter(|write| write.accepted < before).map(|write| write.version).collect();
        let counts = dag.nodes.iter().map(|node| accepted.contains(&node.version)).collect();
        let all = Copies::MAX.checked_shr(64 - u32::from(copies)).unwrap_or(0);
        Spread { dag, counts, has: vec![0; dag.nodes.len()], all, partial: 0 }
    }

    fn set(&mut self, node: u32, has: Copies) {
        let old = std::mem::replace(&mut self.has[node as usize], has);
        if self.counts[node as usize] {
            let partial = |has: Copies| usize::from(has != 0 && has != self.all);
            self.partial = self.partial + partial(has) - partial(old);
        }
    }

    /// The copy has these versions and all that they were made of. Gives which of them, or of their ancestors, it had already,
    /// as far as that had to be looked at.
    fn mark(&mut self, copy: u8, heads: &[Version]) -> FxHashSet<Version> {
        let bit = 1 << copy;
        assert!(self.all & bit != 0, "copy {copy} is not among them");
        let mut had = FxHashSet::default();
        let mut stack = self.nodes(heads);
        while let Some(node) = stack.pop() {
            let has = self.has[node as usize];
            if has & bit != 0 {
                had.insert(self.dag.nodes[node as usize].version);
                continue;
            }
            self.set(node, has | bit);
            stack.extend(self.dag.parents(node));
        }
        had
    }

    /// The copy has nothing of these versions any more, nor of what they were made of.
    fn clear(&mut self, copy: u8, heads: &[Version]) {
        let bit = 1 << copy;
        let mut stack = self.nodes(heads);
        while let Some(node) = stack.pop() {
            let has = self.has[node as usize];
            if has & bit != 0 {
                self.set(node, has & !bit);
                stack.extend(self.dag.parents(node));
            }
        }
    }

    fn nodes(&self, heads: &[Version]) -> Vec<u32> {
        heads.iter().filter_map(|head| self.dag.numbers.get(head).copied()).collect()
    }

    /// Since when, but not before `from`, a key is not diverged.
    fn since(&mut self, installs: &[Install], from: u64) -> Option<u64> {
        let mut heads: FxHashMap<u8, Vec<Version>> = FxHashMap::default();
        let (mut since, mut diverged) = (from, false);
        for instant in installs.chunk_by(|a, b| a.at == b.at) {
            for install in instant {
                self.install(heads.entry(install.copy).or_default(), install);
            }
            if diverged && self.partial == 0 {
                since = since.max(instant[0].at);
            }
            diverged = self.partial > 0;
        }
        self.partial = 0;
        (!diverged).then_some(since)
    }

    fn install(&mut self, heads: &mut Vec<Version>, install: &Install) {
        let Install { copy, version, beside, .. } = *install;
        if heads.as_slice() == [version] {
            return;
        }
        let had = self.mark(copy, &[version]);
        if beside {
            heads.push(version);
            return;
        }
        let old = std::mem::replace(heads, vec![version]);
        // A version that was made of all that was held takes nothing away; every other has lost something.
        if !old.iter().all(|old| *old == INITIAL || *old == version || had.contains(old)) {
            let mut both = old;
            both.push(version);
            self.clear(copy, &both);
            self.mark(copy, &[version]);
        }
    }
}
