//! How far the transactions of a server's programs are, as their client knows.

use std::collections::BTreeMap;

use crate::base::ids::{PartId, PolicyId};
use crate::base::slab::Key;
use crate::base::time::{ClockTime, Span};
use crate::program::interpret::ids::TxId;

/// The transactions of a server.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Transactions {
    pub(super) open: BTreeMap<TxId, Open>,
    /// Which pending calls belong to which transaction.
    pub(super) pending_calls: BTreeMap<Key, TxId>,
}

/// How far a transaction is, as its client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// It has been asked to begin.
    Beginning,
    /// The same, and nobody waits for it any more.
    Unwanted,
    /// It is under way.
    Active,
    /// It has been asked to commit.
    Committing,
    /// The store knows nothing of it: it has aborted it, or it has not begun.
    Over,
    /// A commit was sent and not answered.
    Unknown,
}

/// A transaction.
#[derive(Clone, Debug, Hash)]
pub(super) struct Open {
    pub(super) db: PartId,
    pub(super) policy: PolicyId,
    /// What the store knows this attempt by.
    pub(super) name: u64,
    /// What identifies it.
    pub(super) substream: u64,
    /// By our clock.
    pub(super) began: ClockTime,
    /// Whether it has a connection of the pool.
    pub(super) connected: bool,
    pub(super) stage: Stage,
    /// Failed attempts so far.
    pub(super) failures: u32,
    /// The last wait before a retry.
    pub(super) backoff: Span,
}

impl Transactions {
    /// What the store knows the transaction of a pending call by; 0: it belongs to none.
    pub fn name(&self, pending: Key) -> u64 {
        self.pending_calls.get(&pending).and_then(|tx| self.open.get(tx)).map_or(0, |open| open.name)
    }

    /// A pending call ends.
    pub fn forget(&mut self, pending: Key) -> Option<TxId> {
        self.pending_calls.remove(&pending)
    }
}
