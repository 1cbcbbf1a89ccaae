//! Which rows are locked, by whom, and who waits for them.

use std::collections::VecDeque;

use crate::base::slab::Key;
use crate::components::mech::keyed::Keyed;
use crate::components::storage::rows::RowName;

/// Who holds a row, and who waits for it, by the number of their wait: numbers that do not fit any more have left the line.
#[derive(Clone, Debug, Hash)]
pub(super) struct Lock {
    pub(super) holder: Key,
    pub(super) line: VecDeque<(Key, u64)>,
}

/// All locks that are held.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct RowLocks(pub(super) Keyed<RowName, Lock>);

impl RowLocks {
    /// Who holds the lock of a row.
    pub fn holder(&self, row: RowName) -> Option<Key> {
        self.0.get(&row).map(|lock| lock.holder)
    }
}
