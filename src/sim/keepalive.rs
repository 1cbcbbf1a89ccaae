//! How long a caller waits for signs of life of whom it has called.

use crate::base::time::Span;
use crate::sim::deadlines::Deadline;

/// How long a caller waits for signs of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keepalive {
    /// For a connection to come about, where a call opens its own.
    pub connect: Span,
    /// After this without an answer it asks whether the callee is there.
    pub after: Span,
    /// After this without an answer to that the connection is given up.
    pub patience: Span,
}

/// A call whose caller looks after its connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    pub(super) how: Keepalive,
    pub(super) deadline: Deadline,
    /// Whether the connection has yet to come about.
    pub(super) connects: bool,
}
