//! Which locks coroutines hold, or ask for: a chain from the lock that a coroutine took last to the one that it took first. It knows
//! neither locks nor keys; the host keeps what it needs under the id.

use crate::program::interpret::ids::HoldId;
use std::collections::VecDeque;

use crate::base::slab::{Key, Slab};
use crate::program::interpret::frame::Coroutine;

/// The holds of all coroutines.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Holds {
    /// By hold: the one that its coroutine took before it.
    before: Slab<Option<Key>>,
    ended: VecDeque<HoldId>,
}

impl Holds {
    /// A coroutine asks for a lock.
    pub(super) fn begin(&mut self, coroutine: &mut Coroutine) -> HoldId {
        let key = self.before.insert(coroutine.hold);
        coroutine.hold = Some(key);
        coroutine.held += 1;
        HoldId(key)
    }

    /// What a coroutine asked for last it did not get.
    pub(super) fn refused(&mut self, coroutine: &mut Coroutine) {
        self.pop(coroutine);
    }

    /// A coroutine gives back all but the first `but` of its locks, the last one first.
    pub(super) fn end(&mut self, coroutine: &mut Coroutine, but: u8) {
        while coroutine.held > but {
            let hold = self.pop(coroutine);
            self.ended.push_back(hold);
        }
    }

    fn pop(&mut self, coroutine: &mut Coroutine) -> HoldId {
        let key = coroutine.hold.expect("a coroutine that holds something holds something last");
        coroutine.hold = self.before.remove(key).expect("a hold ends once");
        coroutine.held -= 1;
        HoldId(key)
    }

    /// The next hold that has ended.
    pub(super) fn ended(&mut self) -> Option<HoldId> {
        self.ended.pop_front()
    }

    /// The holds of a coroutine, the last one first.
    pub(super) fn of(&self, coroutine: &Coroutine) -> impl Iterator<Item = HoldId> {
        std::iter::successors(coroutine.hold, |key| self.before.get(*key).copied().flatten()).map(HoldId)
    }

    /// Holds that have not ended.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.before.len()
    }
}
