//! All orders: of versions, of transactions, of their beginnings and commits.

use std::collections::{BTreeMap, BTreeSet};

use super::{Oracle, Relation, Sight, bit, closed};
use crate::check::history::NIL;

impl Oracle<'_> {
    /// Whether some order of the versions of each key from this one on leaves no cycle with at most one read of what was overwritten.
    pub(super) fn versions(
        &self,
        order: &Relation,
        sources: &[Option<usize>],
        all: &mut Vec<Vec<usize>>,
    ) -> bool {
        let order = closed(order.clone());
        if order.iter().enumerate().any(|(one, after)| after & bit(one) != 0) {
            return false;
        }
        if !(0u32..)
            .zip(all.iter())
            .all(|(key, versions)| self.nothing_hidden(&order, sources, key, versions))
        {
            return false;
        }
        let key = all.len() as u32;
        if key as usize == self.history.keys.len() {
            return true;
        }
        let writers: Vec<usize> = self.all.iter().copied().filter(|one| self.wrote(*one, key)).collect();
        self.next_version(&order, sources, &writers, &mut Vec::new(), all)
    }

    fn next_version(
        &self,
        order: &Relation,
        sources: &[Option<usize>],
        writers: &[usize],
        versions: &mut Vec<usize>,
        all: &mut Vec<Vec<usize>>,
    ) -> bool {
        if versions.len() == writers.len() {
            all.push(versions.clone());
            let fits = self.versions(order, sources, all);
            all.pop();
            return fits;
        }
        let left: Vec<usize> = writers.iter().copied().filter(|one| !versions.contains(one)).collect();
        left.into_iter().any(|one| {
            let mut with = order.clone();
            versions.last().into_iter().for_each(|last| with[*last] |= bit(one));
            let with = closed(with);
            let cycle = with.iter().enumerate().any(|(one, after)| after & bit(one) != 0);
            versions.push(one);
            let fits = !cycle
                && self.nothing_hidden(&with, sources, all.len() as u32, versions)
                && self.next_version(&with, sources, writers, versions, all);
            versions.pop();
            fits
        })
    }

    /// Whether nobody saw a version of a key with a later one in sight.
    fn nothing_hidden(
        &self,
        order: &Relation,
        sources: &[Option<usize>],
        key: u32,
        versions: &[usize],
    ) -> bool {
        self.sights.iter().zip(sources).filter(|(sight, _)| sight.key == key).all(|(sight, source)| {
            let later = match source {
                None => versions,
                Some(source) => match versions.iter().position(|one| one == source) {
                    Some(at) => &versions[at + 1..],
                    None => &[],
                },
            };
            later.iter().all(|one| *one == sight.reader || order[*one] & bit(sight.reader) == 0)
        })
    }

    /// What is in a key.
    fn state(&self, state: &BTreeMap<u32, Vec<i64>>, sight: &Sight) -> bool {
        let versions = state.get(&sight.key).map_or(&[][..], Vec::as_slice);
        if self.lists {
            versions == sight.list.as_slice()
        } else {
            versions.last().copied().unwrap_or(NIL) == sight.value
        }
    }

    fn can_begin(&self, state: &BTreeMap<u32, Vec<i64>>, one: usize) -> bool {
        self.sights.iter().filter(|sight| sight.reader == one).all(|sight| self.state(state, sight))
    }

    fn commit(&self, state: &BTreeMap<u32, Vec<i64>>, one: usize) -> BTreeMap<u32, Vec<i64>> {
        let mut state = state.clone();
        for (key, value) in self.writes(one) {
            let versions = state.entry(key).or_default();
            if !self.lists {
                versions.clear();
            }
            versions.push(value);
        }
        state
    }

    /// Whether all can come one after the other, each after those before it.
    pub(super) fn serial(&self, before: &Relation) -> bool {
        let mut met = BTreeSet::new();
        let mut open = vec![(0u32, BTreeMap::new())];
        while let Some((done, state)) = open.pop() {
            let left: Vec<usize> = self.all.iter().copied().filter(|one| done & bit(*one) == 0).collect();
            if left.is_empty() {
                return true;
            }
            for one in &left {
                if left.iter().any(|other| before[*other] & bit(*one) != 0) || !self.can_begin(&state, *one) {
                    continue;
                }
                let next = (done | bit(*one), self.commit(&state, *one));
                if met.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        false
    }

    /// Whether all can have begun with what was committed then, and committed with nobody having written the same meanwhile.
    pub(super) fn snapshots(&self, before: &Relation) -> bool {
        let mut met = BTreeSet::new();
        let mut open = vec![(0u32, 0u32, BTreeMap::new())];
        while let Some((done, begun, state)) = open.pop() {
            let waiting = |one: &usize| (done | begun) & bit(*one) == 0;
            if self.all.iter().all(|one| done & bit(*one) != 0) {
                return true;
            }
            let mut next = Vec::new();
            for one in &self.all {
                let after_all = || {
                    self.all.iter().all(|other| before[*other] & bit(*one) == 0 || done & bit(*other) != 0)
                };
                if waiting(one) && after_all() && self.can_begin(&state, *one) {
                    match self.writes(*one).next() {
                        // Who writes nothing can be over at once.
                        None => next.push((done | bit(*one), begun, state.clone())),
                        Some(_) => next.push((done, begun | bit(*one), state.clone())),
                    }
                }
                let mut others = self.all.iter().filter(|other| *other != one && begun & bit(**other) != 0);
                let conflicts = |other: &usize| self.writes(*other).any(|(key, _)| self.wrote(*one, key));
                if begun & bit(*one) != 0 && !others.any(conflicts) {
                    next.push((done | bit(*one), begun & !bit(*one), self.commit(&state, *one)));
                }
            }
            for next in next {
                if met.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        false
    }
}
