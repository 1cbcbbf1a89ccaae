//! The additions of a history, which another one may take in.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::OpId;
use crate::base::op::Op;
use crate::components::replication::leader::log::Place;

/// Something that an entry added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Addition {
    /// The place of the entry in its first log.
    pub origin: Place,
    /// The addition, without a condition.
    pub op: Op,
    /// The identity of what it writes.
    pub attempt: OpId,
}

/// The additions of a history, as far as it is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MergeLog {
    /// By index: those that took effect where a majority may not have the log yet.
    pub(super) unsettled: BTreeMap<u64, Addition>,
    /// Up to where a majority has it.
    pub(super) majority_durable_index: u64,
    /// Those that were brought from lost histories.
    pub(super) brought: BTreeSet<Place>,
}

impl MergeLog {
    pub(super) fn note(&mut self, index: u64, addition: Addition) {
        if index > self.majority_durable_index {
            self.unsettled.insert(index, addition);
        }
    }

    /// A majority has the log up to an index.
    pub(super) fn settle(&mut self, index: u64) {
        self.majority_durable_index = self.majority_durable_index.max(index);
        while self.unsettled.first_key_value().is_some_and(|(index, _)| *index <= self.majority_durable_index)
        {
            self.unsettled.pop_first();
        }
    }

    pub(super) fn beyond(&self, index: u64) -> impl Iterator<Item = &Addition> {
        self.unsettled.range(index + 1..).map(|(_, addition)| addition)
    }

    /// How many additions it remembers.
    pub(super) fn len(&self) -> usize {
        self.unsettled.len() + self.brought.len()
    }
}
