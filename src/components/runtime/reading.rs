//! Where a `get` or a `put` of a program is.

use crate::base::ids::PartId;
use crate::base::op::Value;
use crate::base::time::ClockTime;

/// What identifies the questions of one `get`, together with the looks that ended in waiting before it.
pub(super) mod question {
    pub const LOOK: u64 = 0;
    pub const LOCK: u64 = 1;
    pub const LOOK_AGAIN: u64 = 2;
    pub const PUT: u64 = 3;
    pub const RELEASE: u64 = 4;
    pub const FILL: u64 = 5;
    pub const ALL: u64 = 8;
}

/// Where a `get` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Asked the cache.
    Look,
    /// Asked for the lock.
    Lock,
    /// Has the lock and looks again.
    LookAgain,
    /// Waits before it looks again.
    Asleep,
    /// Waits for another request of this process.
    Follow,
    /// Rebuilds.
    Rebuild,
    /// Has asked the cache to keep the result.
    Put,
}

/// A `get` (or a `put`, which begins with the rebuild).
#[derive(Clone, Debug, Hash)]
pub(super) struct Reading {
    pub(super) cache: PartId,
    pub(super) entry: i64,
    pub(super) phase: Phase,
    /// Looks that ended in waiting.
    pub(super) tries: u32,
    /// The lock that we hold.
    pub(super) lock: Option<u64>,
    /// What the cache said beside its answer: the lease.
    pub(super) note: u32,
    /// Whether others of this process wait for us.
    pub(super) leads: bool,
    /// Whether the cache is there to keep the result.
    pub(super) keeps: bool,
    /// By our clock: when its rebuild began.
    pub(super) began: ClockTime,
    /// Whether `value` is an old one, to be answered whoever rebuilds.
    pub(super) serves_stale: bool,
    pub(super) value: Value,
    /// Whether a program has given the value.
    pub(super) given: bool,
}

impl Reading {
    pub(super) fn get(cache: PartId, entry: i64) -> Reading {
        Reading {
            cache,
            entry,
            phase: Phase::Look,
            tries: 0,
            lock: None,
            note: 0,
            leads: false,
            keeps: true,
            began: ClockTime::ZERO,
            serves_stale: false,
            value: Value::default(),
            given: false,
        }
    }

    pub(super) fn put(cache: PartId, entry: i64) -> Reading {
        Reading { phase: Phase::Rebuild, ..Reading::get(cache, entry) }
    }

    pub(super) fn put_value(cache: PartId, entry: i64, value: Value) -> Reading {
        Reading { phase: Phase::Put, value, given: true, ..Reading::get(cache, entry) }
    }

    /// Whether it puts what a program has given, for which nobody waits as a value.
    pub(super) fn puts_value(&self) -> bool {
        self.given
    }
}
