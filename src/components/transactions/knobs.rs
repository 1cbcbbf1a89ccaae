//! What a design says of a store's transactions.

use crate::base::knob::{Knob, Knobs, Preset, Takes};
use crate::base::time::Span;
use crate::components::transactions::Isolation;

/// How well they are kept apart.
pub const ISOLATION: Knob = Knob {
    name: "isolation",
    takes: Takes::Word(&["read_uncommitted", "read_committed", "snapshot", "serializable"]),
    default: Preset::Is { text: "read_committed", source: "PostgreSQL, Oracle and SQL Server" },
    doc: "How well transactions are kept apart: reads see what is being written; what is committed; what was committed when the \
          transaction began, and the first committer of a row wins; or it is as if they came one after the other.",
};

/// How long they wait for a lock.
pub const LOCK_WAIT: Knob = Knob {
    name: "lock_wait",
    takes: Takes::Span { min: Span::from_ns(1), max: Span::MAX },
    default: Preset::Is { text: "50s", source: "MySQL: innodb_lock_wait_timeout" },
    doc: "How long an operation waits for the lock of a row before its transaction is aborted.",
};

/// How long a client may say nothing.
pub const IDLE: Knob = Knob {
    name: "idle",
    takes: Takes::Span { min: Span::from_ns(1), max: Span::MAX },
    default: Preset::Is { text: "8h", source: "MySQL: wait_timeout" },
    doc: "How long a client may say nothing within a transaction before that is aborted: what a crashed client's locks cost.",
};

/// The checked knob.
pub fn isolation(knobs: &Knobs) -> Isolation {
    let word = knobs.word("isolation");
    Isolation::ALL
        .iter()
        .find(|(name, _)| *name == word)
        .map_or(Isolation::ReadCommitted, |(_, level)| *level)
}
