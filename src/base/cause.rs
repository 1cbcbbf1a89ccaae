//! Where a request's time went. The causes of a request sum to its latency exactly, in nanoseconds.

use crate::base::time::Span;

/// One reason for which a request waited or worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cause {
    /// Waiting for a thread or a core.
    Queue,
    /// On a core.
    Cpu,
    /// On the way between nodes, retransmissions included.
    Network,
    /// Waiting for somebody else's lock, lease, flight or mutex (polls included).
    Lock,
    /// Waiting for a connection of a pool.
    Pool,
    /// Attempts that failed and the back-off after them.
    Retry,
    /// Waiting for copies to acknowledge.
    Replication,
    /// Waiting for a disk.
    Disk,
    /// `wait` steps, and the reply time of a dependency we do not own.
    Wait,
    /// The last attempt, when it ended in a timeout or a reset.
    Timeout,
}

impl Cause {
    /// Every cause, in the order in which reports show them.
    pub const ALL: [Cause; 10] = [
        Cause::Queue,
        Cause::Cpu,
        Cause::Network,
        Cause::Lock,
        Cause::Pool,
        Cause::Retry,
        Cause::Replication,
        Cause::Disk,
        Cause::Wait,
        Cause::Timeout,
    ];

    /// The word used in TOML, results and plots.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Queue => "queue",
            Cause::Cpu => "cpu",
            Cause::Network => "network",
            Cause::Lock => "lock",
            Cause::Pool => "pool",
            Cause::Retry => "retry",
            Cause::Replication => "replication",
            Cause::Disk => "disk",
            Cause::Wait => "wait",
            Cause::Timeout => "timeout",
        }
    }
}

/// Time by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Causes([Span; Cause::ALL.len()]);

impl Causes {
    /// Nothing yet.
    pub const NONE: Causes = Causes([Span::ZERO; Cause::ALL.len()]);

    /// All of `span` for one cause.
    pub fn only(cause: Cause, span: Span) -> Causes {
        let mut causes = Causes::NONE;
        causes.add(cause, span);
        causes
    }

    /// Adds `span` to `cause`.
    pub fn add(&mut self, cause: Cause, span: Span) {
        self.0[cause as usize] += span;
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Causes) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// Time of one cause.
    pub fn of(&self, cause: Cause) -> Span {
        self.0[cause as usize]
    }

    /// Times in the order of [`Cause::ALL`].
    pub fn spans(&self) -> &[Span; Cause::ALL.len()] {
        &self.0
    }

    /// Time of all causes.
    pub fn total(&self) -> Span {
        self.0.iter().copied().sum()
    }
}
