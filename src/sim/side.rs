//! What a tier keeps beside its members: large messages under way, and disks.

use crate::base::ids::Pid;
use crate::base::slab::Slab;
use crate::sim::disk::Drive;

/// What a tier keeps beside its members.
#[derive(Clone)]
pub(super) struct Side<M, R, S> {
    /// Payloads that do not fit into an event, with their senders.
    pub(super) large_messages: Slab<(Pid, M)>,
    /// Disks; empty until a member uses one.
    pub(super) drives: Vec<Drive<R, S>>,
}

impl<M, R, S> Default for Side<M, R, S> {
    fn default() -> Self {
        Side { large_messages: Slab::default(), drives: Vec::new() }
    }
}
