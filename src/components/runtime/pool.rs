//! The connections that a process keeps to one store.

use std::collections::VecDeque;

use crate::base::slab::Key;

/// The connections to one db.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Connections {
    pub(super) busy: u32,
    pub(super) waiting: VecDeque<Key>,
}
