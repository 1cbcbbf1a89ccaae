//! Versions of a store: where they come from, which replaced which, and who holds which.
//!
//! Two graphs are told apart. In the one a version comes *from* another: it was derived from it, by an update, by a write whose program
//! had read the row, or by a merge that keeps both. In the other it also *replaced* what its copy held before. What is lost is
//! asked of the first, since what was replaced is gone; whether copies disagree of the second, since a copy that has dropped
//! a version lacks nothing.
//!
//! Where a leader's additions survive a failover, one attempt takes effect twice, in the history that was lost and in the one that
//! took it over. There a version alone does not say what is in it: what a copy holds is named by the version and by what the copy held
//! before it, and so on down to the start, so that the two are two ([`Names`]).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rustc_hash::FxHashMap;

use crate::base::ids::{OpId, TierId};
use crate::base::rng::mix;
use crate::base::time::Time;
use crate::check::history::PENDING;
use crate::check::relations::Orders;
use crate::check::versions::{Dag, Held, INITIAL, Install, Version, Write};
use crate::measures::verdicts::{Merging, Run};
use crate::record::history::{NO_COPY, RowId, Taken};
use crate::record::survey::Survey;

/// Marks names that are none of an attempt.
const MADE: u64 = 1 << 63;

/// Versions of some tables.
pub(super) struct Lineage {
    /// When the first copy had each.
    pub accepted: FxHashMap<Version, u64>,
    /// What copies took in, in the order of time.
    installs: Vec<(RowId, Install)>,
    /// Where versions come from, as often as somebody took them in.
    births: Vec<Birth>,
    names: Names,
    wanted: Vec<bool>,
}

/// A version was taken in.
#[derive(Clone, Copy)]
struct Birth {
    row: RowId,
    version: Version,
    from: [Version; 2],
    /// What it replaced.
    over: Version,
}

/// By row: whether it belongs to one of these tables.
pub(super) fn wanted(tables: &[(TierId, u16)], run: &Run<'_>) -> Vec<bool> {
    run.history.rows().iter().map(|name| tables.contains(&(name.store, name.table))).collect()
}

impl Lineage {
    pub fn of(tables: &[(TierId, u16)], run: &Run<'_>) -> Lineage {
        let wanted = wanted(tables, run);
        let taken = || run.history.taken().iter().filter(|taken| wanted[taken.row.0 as usize]);
        let many = taken().count();
        let mut lineage = Lineage {
            accepted: FxHashMap::default(),
            installs: Vec::with_capacity(many),
            births: Vec::with_capacity(many),
            names: Names::of(tables, run),
            wanted: Vec::new(),
        };
        // A program may name the version of another row as the one that its write was derived from.
        let mut homes: FxHashMap<OpId, RowId> = FxHashMap::default();
        homes.reserve(many / 2);
        lineage.accepted.reserve(many / 2);
        for taken in taken() {
            homes.insert(taken.value.version, taken.row);
            if taken.also != OpId(INITIAL) {
                homes.insert(taken.also, taken.row);
            }
        }
        for taken in taken() {
            let mut taken = *taken;
            for version in [&mut taken.value.parent, &mut taken.also, &mut taken.over] {
                if *version != OpId(INITIAL) && homes.get(version) != Some(&taken.row) {
                    *version = OpId(INITIAL);
                }
            }
            lineage.add(&taken);
        }
        Lineage { wanted, ..lineage }
    }

    fn add(&mut self, taken: &Taken) {
        let (row, (version, from, over)) = (taken.row, self.names.name(taken));
        if taken.copy != NO_COPY {
            let at = taken.at.as_ns();
            let other = Some(taken.value.version.0).filter(|other| *other != version);
            for version in [Some(version), other, Some(taken.also.0)].into_iter().flatten() {
                if version != INITIAL {
                    self.accepted.entry(version).or_insert(at);
                }
            }
            let install =
                Install { at, copy: taken.copy as u8, key: i64::from(row.0), version, beside: false };
            self.installs.push((row, install));
        }
        // The initial version is every row's: it comes from nothing.
        if version != INITIAL {
            self.births.push(Birth { row, version, from, over });
        }
    }

    /// Where versions come from.
    pub fn derived(&self) -> Dag {
        let mut dag = Dag::with_room(self.births.len() / 2);
        self.births.iter().for_each(|birth| dag.add(birth.version, &birth.from));
        dag
    }

    /// Where versions come from, with what they replaced.
    pub fn all(&self) -> Dag {
        let mut dag = Dag::with_room(self.births.len() / 2);
        for Birth { version, from: [one, other], over, .. } in &self.births {
            dag.add(*version, &[*one, *other, *over]);
        }
        dag
    }

    /// Everything that a copy ever took in, as a write: for asking who has it.
    pub fn everything(&self) -> Vec<Write> {
        let write = |(row, install): &(RowId, Install)| {
            let accepted = *self.accepted.get(&install.version)?;
            let (key, version, blind, place, returned) =
                (i64::from(row.0), install.version, false, 0, PENDING);
            Some(Write { version, key, blind, place, invoked: accepted, accepted, returned })
        };
        let mut writes: Vec<Write> = self.installs.iter().filter_map(write).collect();
        writes.sort_unstable_by_key(|write| write.version);
        writes.dedup_by_key(|write| write.version);
        writes
    }

    /// What the copies of a store came to hold, in the order of time.
    pub fn installs(&self, store: TierId, run: &Run<'_>) -> Vec<Install> {
        let of_store = |row: &RowId| run.history.rows()[row.0 as usize].store == store;
        self.installs.iter().filter(|(row, _)| of_store(row)).map(|(_, install)| *install).collect()
    }

    /// Whether a row was asked for.
    fn wants(&self, row: RowId) -> bool {
        self.wanted.get(row.0 as usize).copied().unwrap_or(false)
    }

    /// What copies held when they were looked at.
    pub fn held(&self, survey: &Survey) -> Vec<Held> {
        let mut held = Vec::new();
        for (copy, values) in survey.holdings.copies.iter().enumerate() {
            for (row, value) in survey.rows.iter().zip(values).filter(|(row, _)| self.wants(**row)) {
                let version = self.names.held(*row, copy as u32, value.version, survey.at);
                held.push(Held { key: i64::from(row.0), copy: copy as u8, version });
            }
        }
        held
    }

    /// What all copies come to hold.
    pub fn settled(&self, survey: &Survey) -> Vec<Held> {
        let mut held = Vec::new();
        let rows = survey.rows.iter().zip(&survey.holdings.settled);
        for (row, heads) in rows.filter(|(row, _)| self.wants(**row)) {
            let of = |version: &OpId| Held {
                key: i64::from(row.0),
                copy: 0,
                version: self.names.latest(*row, *version),
            };
            held.extend(heads.iter().map(of));
        }
        held
    }

    /// For each row the versions in the order in which the store had them: each after what it comes from or replaced, and otherwise
    /// by the instant at which the first copy had it. Where copies took each other's place in a cycle, by that alone.
    pub fn orders(&self, run: &Run<'_>) -> Orders {
        let mut by_row: BTreeMap<RowId, Vec<Version>> = BTreeMap::new();
        for taken in run.history.taken().iter().filter(|taken| self.wanted[taken.row.0 as usize]) {
            let versions = by_row.entry(taken.row).or_default();
            if taken.value.version.0 != INITIAL {
                versions.push(taken.value.version.0);
            }
        }
        let mut edges: BTreeMap<RowId, Vec<(Version, Version)>> = BTreeMap::new();
        for Birth { row, version, from, over } in &self.births {
            let older = from.iter().chain([over]).filter(|older| ![INITIAL, *version].contains(older));
            edges.entry(*row).or_default().extend(older.map(|older| (*older, *version)));
        }
        let of = |(row, mut versions): (RowId, Vec<Version>)| {
            versions.sort_unstable();
            versions.dedup();
            let edges = edges.remove(&row).unwrap_or_default();
            (i64::from(row.0), in_order(&versions, edges, &self.accepted))
        };
        by_row.into_iter().map(of).collect()
    }
}

/// Versions in an order that agrees with these edges, as far as they have no cycle.
fn in_order(
    versions: &[Version],
    mut edges: Vec<(Version, Version)>,
    accepted: &FxHashMap<Version, u64>,
) -> Vec<i64> {
    edges.sort_unstable();
    edges.dedup();
    let place: FxHashMap<Version, usize> = versions.iter().copied().zip(0..).collect();
    let since = |version: &Version| accepted.get(version).copied().unwrap_or(u64::MAX);
    let mut waits = vec![0usize; versions.len()];
    let mut next = vec![Vec::new(); versions.len()];
    for (older, newer) in &edges {
        if let (Some(older), Some(newer)) = (place.get(older), place.get(newer)) {
            waits[*newer] += 1;
            next[*older].push(*newer);
        }
    }
    let entry = |index: usize| Reverse((since(&versions[index]), index));
    let mut ready: BinaryHeap<_> =
        (0..versions.len()).filter(|index| waits[*index] == 0).map(entry).collect();
    let mut by_time: Vec<usize> = (0..versions.len()).collect();
    by_time.sort_unstable_by_key(|index| (since(&versions[*index]), *index));
    let (mut by_time, mut done) = (by_time.into_iter(), vec![false; versions.len()]);
    let mut order = Vec::with_capacity(versions.len());
    while order.len() < versions.len() {
        let free = ready.pop().map(|Reverse((_, index))| index);
        let Some(index) = free.or_else(|| by_time.find(|index| !done[*index])) else { break };
        if std::mem::replace(&mut done[index], true) {
            continue;
        }
        order.push(versions[index] as i64);
        for newer in std::mem::take(&mut next[index]) {
            waits[newer] -= 1;
            if waits[newer] == 0 && !done[newer] {
                ready.push(entry(newer));
            }
        }
    }
    order
}

/// From when on a copy held a version of a row, by the store's name for it and by ours.
type Head = (Time, OpId, Version);

/// How what copies hold is named: by its version, or where a version may come about twice, with what is under it.
#[derive(Default)]
struct Names {
    /// By row: whether a version may come about twice.
    twice: Vec<bool>,
    /// By row and copy: what it has held, from when on, by version and by name.
    heads: FxHashMap<(RowId, u32), Vec<Head>>,
    /// By row and version: the last name that it was given.
    latest: FxHashMap<(RowId, OpId), Version>,
}

impl Names {
    fn of(tables: &[(TierId, u16)], run: &Run<'_>) -> Names {
        let adds = |store: TierId| run.facts.merging(store) == Merging::Adds;
        // Copies that merge cells say what else goes into each; a leader's do not.
        let merges = |store: TierId| {
            let of_store = |taken: &&Taken| run.history.rows()[taken.row.0 as usize].store == store;
            run.history.taken().iter().filter(of_store).any(|taken| taken.also != OpId(0))
        };
        let stores: BTreeMap<TierId, bool> =
            tables.iter().map(|(store, _)| (*store, adds(*store) && !merges(*store))).collect();
        let twice =
            |name: &crate::record::history::RowName| stores.get(&name.store).copied().unwrap_or(false);
        Names { twice: run.history.rows().iter().map(twice).collect(), ..Names::default() }
    }

    /// The name of what was taken in, of what it comes from, and of what it replaced.
    fn name(&mut self, taken: &Taken) -> (Version, [Version; 2], Version) {
        let (row, version) = (taken.row, taken.value.version);
        if !self.twice[row.0 as usize] {
            return (version.0, [taken.value.parent.0, taken.also.0], taken.over.0);
        }
        let heads = self.heads.entry((row, taken.copy)).or_default();
        let (_, before, under) = heads.last().copied().unwrap_or((Time::ZERO, OpId(INITIAL), INITIAL));
        let applied = taken.value.parent == before;
        let name = match self.latest.get(&(row, version)) {
            _ if version == OpId(INITIAL) => INITIAL,
            Some(name) if !applied => *name, // the whole of another copy came
            _ => mix(version.0, under) | MADE,
        };
        heads.push((taken.at, version, name));
        if version != OpId(INITIAL) {
            self.latest.insert((row, version), name);
        }
        let over = if taken.over == before { under } else { INITIAL };
        (name, [if applied { under } else { INITIAL }, version.0], over)
    }

    fn held(&self, row: RowId, copy: u32, version: OpId, at: Time) -> Version {
        let heads = self.heads.get(&(row, copy)).map_or(&[][..], Vec::as_slice);
        let last = heads.iter().rev().find(|(since, known, _)| *since <= at && *known == version);
        last.map_or_else(|| self.latest(row, version), |(_, _, name)| *name)
    }

    fn latest(&self, row: RowId, version: OpId) -> Version {
        self.latest.get(&(row, version)).copied().unwrap_or(version.0)
    }
}
