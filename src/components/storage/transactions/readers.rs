//! Who has read which rows.

use std::collections::VecDeque;

use crate::base::slab::Key;
use crate::components::mech::keyed::Keyed;
use crate::components::storage::rows::RowName;

/// Who has read which rows, and who has committed and is kept for those who were there.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Readers {
    pub(super) rows: Keyed<RowName, Vec<Key>>,
    pub(super) kept: VecDeque<(u64, Key)>,
}

impl Readers {
    /// A transaction has committed, as the so-and-so-manieth.
    pub fn keep(&mut self, at: u64, key: Key) {
        self.kept.push_back((at, key));
    }

    /// The next that nobody who is here was there with.
    pub fn leaves(&mut self, oldest: u64) -> Option<Key> {
        let (at, key) = self.kept.front().copied()?;
        (at <= oldest).then(|| self.kept.pop_front()).map(|_| key)
    }
}
