//! Which locks strands hold, or ask for: a chain from the lock that a strand took last to the one that it took first. It knows
//! neither locks nor keys; the host keeps what it needs under the id.

use std::collections::VecDeque;

use crate::base::slab::{Key, Slab};
use crate::program::interpret::Strand;

/// A hold: one lock from the moment when it is asked for until it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(pub Key);

/// The holds of all strands.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Holds {
    /// By hold: the one that its strand took before it.
    before: Slab<Option<Key>>,
    ended: VecDeque<HoldId>,
}

impl Holds {
    /// A strand asks for a lock.
    pub(super) fn begin(&mut self, strand: &mut Strand) -> HoldId {
        let key = self.before.insert(strand.hold);
        strand.hold = Some(key);
        strand.held += 1;
        HoldId(key)
    }

    /// What a strand asked for last it did not get.
    pub(super) fn refused(&mut self, strand: &mut Strand) {
        self.pop(strand);
    }

    /// A strand gives back all but the first `but` of its locks, the last one first.
    pub(super) fn end(&mut self, strand: &mut Strand, but: u8) {
        while strand.held > but {
            let hold = self.pop(strand);
            self.ended.push_back(hold);
        }
    }

    fn pop(&mut self, strand: &mut Strand) -> HoldId {
        let key = strand.hold.expect("a strand that holds something holds something last");
        strand.hold = self.before.remove(key).expect("a hold ends once");
        strand.held -= 1;
        HoldId(key)
    }

    /// The next hold that has ended.
    pub(super) fn ended(&mut self) -> Option<HoldId> {
        self.ended.pop_front()
    }

    /// The holds of a strand, the last one first.
    pub(super) fn of(&self, strand: &Strand) -> impl Iterator<Item = HoldId> {
        std::iter::successors(strand.hold, |key| self.before.get(*key).copied().flatten()).map(HoldId)
    }

    /// Holds that have not ended.
    pub(super) fn len(&self) -> usize {
        self.before.len()
    }
}
