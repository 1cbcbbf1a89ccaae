//! Old versions of rows: what transactions of an instant still see. A version that was replaced is kept until everybody who began before
//! that is gone; where nobody needs old versions, none is kept.

use std::collections::{BTreeMap, VecDeque};

use crate::base::op::Value;
use crate::base::slab::Key;
use crate::components::mech::keyed::Keyed;
use crate::components::storage::rows::RowName;

/// A version that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Old {
    /// By the so-and-so-manieth commit: who began with fewer sees it.
    pub until: u64,
    /// By which transaction.
    pub by: Key,
    value: Value,
}

/// All of them.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Versions {
    /// How many have committed.
    clock: u64,
    /// How many transactions began after how many commits.
    held: BTreeMap<u64, u32>,
    old: Keyed<RowName, VecDeque<Old>>,
    /// Rows with old versions, in the order in which those were replaced.
    order: VecDeque<(u64, RowName)>,
}

impl Versions {
    /// How many have committed.
    pub fn clock(&self) -> u64 {
        self.clock
    }

    /// One more has committed.
    pub fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Somebody sees what there is after so many commits.
    pub fn hold(&mut self, snapshot: u64) {
        *self.held.entry(snapshot).or_default() += 1;
    }

    /// One who did so is gone.
    pub fn abandon(&mut self, snapshot: u64) {
        if let Some(count) = self.held.get_mut(&snapshot) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&snapshot);
            }
        }
    }

    /// Forgets what nobody sees any more; says from which commit on there are people.
    pub fn forget(&mut self) -> u64 {
        let oldest = self.held.first_key_value().map_or(self.clock, |(snapshot, _)| *snapshot);
        while self.order.front().is_some_and(|(until, _)| *until <= oldest) {
            let (_, row) = self.order.pop_front().expect("it is there");
            if let Some(old) = self.old.get_mut(&row) {
                old.pop_front();
                if old.is_empty() {
                    self.old.remove(&row);
                }
            }
        }
        oldest
    }

    /// The next commit replaces the value of a row.
    pub fn supersede(&mut self, row: RowName, value: Value, by: Key) {
        if self.held.is_empty() {
            return;
        }
        let until = self.clock + 1;
        let old = Old { until, by, value };
        match self.old.get_mut(&row) {
            Some(versions) => versions.push_back(old),
            None => {
                self.old.insert(row, VecDeque::from([old]));
            }
        }
        self.order.push_back((until, row));
    }

    /// The value of a row after so many commits, if it has been replaced since.
    pub fn at(&self, row: RowName, snapshot: u64) -> Option<Value> {
        self.since(row, snapshot).next().map(|old| old.value)
    }

    /// The versions of a row that were replaced after so many commits, the oldest first.
    pub fn since(&self, row: RowName, snapshot: u64) -> impl Iterator<Item = Old> {
        let old = self.old.get(&row).into_iter().flatten();
        old.filter(move |old| old.until > snapshot).copied()
    }

    /// Whether a row was changed after so many commits.
    pub fn changed_since(&self, row: RowName, snapshot: u64) -> bool {
        self.old.get(&row).and_then(VecDeque::back).is_some_and(|old| old.until > snapshot)
    }
}
