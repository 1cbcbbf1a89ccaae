//! What a cache's guard has given to a program that makes the value itself.

use std::collections::BTreeMap;

use crate::base::ids::PartId;
use crate::base::time::ClockTime;

/// What a program that was told of a miss holds: by the word of its activation, the cache and the entry.
pub(super) type Rights = BTreeMap<(u64, PartId, i64), Right>;

/// What the guard has given it.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Right {
    /// The lock's token.
    pub(super) lock: Option<u64>,
    /// The lease.
    pub(super) note: u32,
    /// Whether others of this process wait for the value.
    pub(super) leads: bool,
    /// By our clock: when it was told.
    pub(super) began: ClockTime,
    /// What identifies its release.
    pub(super) substream: u64,
}
