//! The language that clients and parts speak: operations, outcomes, values. Closed, so that protocols,
//! checkers and exploration can list every case.

use crate::base::cause::Causes;
use crate::base::ids::{OpId, ProgramId, TierId};
use crate::base::session::CausalContext;
use crate::base::time::Span;

/// The most arguments a program takes.
pub const ARGS_MAX: usize = 3;

/// The arguments of a program: at most [`ARGS_MAX`] integers.
pub type Args = [i64; ARGS_MAX];

/// When an [`Op::Update`] applies: the current value is on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// Without condition.
    Always,
    /// Current value ≥ bound.
    AtLeast,
    /// Current value > bound.
    Above,
    /// Current value ≤ bound.
    AtMost,
    /// Current value < bound.
    Below,
    /// Current value = bound.
    Equal,
    /// Current value ≠ bound.
    Differs,
}

impl When {
    /// All that are conditions, with their signs.
    const SIGNS: [(&str, When); 6] = [
        (">=", When::AtLeast),
        (">", When::Above),
        ("<=", When::AtMost),
        ("<", When::Below),
        ("==", When::Equal),
        ("!=", When::Differs),
    ];

    /// Its sign; nothing for no condition.
    pub fn sign(self) -> &'static str {
        Self::SIGNS.iter().find(|(_, when)| *when == self).map_or("", |(sign, _)| sign)
    }

    /// The condition of a sign.
    pub fn of_sign(sign: &str) -> Option<When> {
        Self::SIGNS.iter().find(|(known, _)| *known == sign).map(|(_, when)| *when)
    }

    /// Whether `current` meets the condition against `bound`.
    pub fn holds(self, current: i64, bound: i64) -> bool {
        match self {
            When::Always => true,
            When::AtLeast => current >= bound,
            When::Above => current > bound,
            When::AtMost => current <= bound,
            When::Below => current < bound,
            When::Equal => current == bound,
            When::Differs => current != bound,
        }
    }
}

/// Which copy a read wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum At {
    /// As strong as the store offers: the leader, a quorum.
    #[default]
    Primary,
    /// A copy that does not lead.
    Replica,
    /// The nearest copy.
    Nearest,
    /// The nearest copy that has seen what this session has seen.
    Session,
    /// Any copy, evenly.
    Any,
    /// This copy, from 0.
    Copy(u8),
}

/// What is done about a lock that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Nothing: the answer is `held`, at once (`SET key owner EX ttl NX`).
    Try,
    /// Whoever asks waits in line, however long, and is answered when it is his turn.
    Line,
    /// The same, and who waits has his place for the time of a lease, like who holds.
    Lease,
}

/// In the place of a lock part: the guard of a cache.
pub const GUARD: u16 = u16::MAX;

/// A lock at its part: lock part and key.
pub type LockName = (u16, i64);

/// One operation on a part. Keys are `(table, key)`; caches have one table, 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Run a program of the part.
    Run {
        /// Which.
        program: ProgramId,
        /// Its arguments; those that it does not take are 0.
        args: Args,
    },
    /// Read the value of a key.
    Read {
        /// Table.
        table: u16,
        /// Key.
        key: i64,
        /// How long it takes at the part, where the caller says so (`taking`).
        taking: Option<Span>,
        /// Which copy is asked.
        at: At,
    },
    /// Read the value of a key within a transaction and keep others from changing it until that is over.
    ReadForUpdate {
        /// Table.
        table: u16,
        /// Key.
        key: i64,
        /// How long it takes at the part, where the caller says so (`taking`).
        taking: Option<Span>,
    },
    /// Begin a transaction: the call says which ([`crate::sim::request::Request`]).
    Begin,
    /// Commit it.
    Commit,
    /// Abort it.
    Abort,
    /// Write a value, whatever is there.
    Write {
        /// Table.
        table: u16,
        /// Key.
        key: i64,
        /// New value.
        n: i64,
        /// The version that the new value was derived from.
        parent: OpId,
    },
    /// Change a value atomically, if its current value meets a condition.
    Update {
        /// Table.
        table: u16,
        /// Condition, on the current value.
        when: When,
        /// Key.
        key: i64,
        /// Added to the value.
        delta: i64,
        /// Right side of the condition.
        bound: i64,
    },
    /// Compare and set.
    Cas {
        /// Table.
        table: u16,
        /// Key.
        key: i64,
        /// Expected value.
        from: i64,
        /// New value.
        to: i64,
    },
    /// Put into a cache.
    Put {
        /// What the guard writes beside the value: the lease token, or (xfetch) the rebuild time in µs, rounded up.
        note: u32,
        /// Key.
        key: i64,
        /// Value.
        n: i64,
        /// Version of the value in the store that it was built from.
        version: OpId,
    },
    /// Remove from a cache.
    Drop {
        /// Key.
        key: i64,
    },
    /// Take a lock.
    Acquire {
        /// Which lock part's; [`GUARD`]: a cache's guard's.
        lock: u16,
        /// What is done if somebody else holds it.
        how: How,
        /// Key.
        key: i64,
        /// Who wants it: a number that nobody else uses.
        owner: u64,
        /// For how long, counted at the part from the moment when it is set.
        ttl: Span,
    },
    /// Give a lock back, or leave the line for it.
    Release {
        /// Which lock part's.
        lock: u16,
        /// Whether it is left alone unless `owner` holds it (compare-and-delete); otherwise it is deleted, whoever does (`DEL`).
        compares: bool,
        /// Key.
        key: i64,
        /// Who gives it back.
        owner: u64,
    },
    /// Hold a lock, or a place in the line for it, for longer.
    Renew {
        /// Which lock part's.
        lock: u16,
        /// Key.
        key: i64,
        /// Who holds it.
        owner: u64,
        /// For how long from now on.
        ttl: Span,
    },
    /// A member says to itself: whoever holds this lock has had his time, if he has.
    Expire {
        /// Which lock part's.
        lock: u16,
        /// Key.
        key: i64,
    },
    /// Are you there? Answered by the process itself, in no time.
    Ping {
        /// Whether a connection asks it on behalf of a call, or a process on its own.
        of_call: bool,
    },
    /// Use a core of a store's member for so long: a `cpu` step of a program that runs beside it.
    Compute {
        /// At full speed.
        demand: Span,
    },
}

const _: () = assert!(size_of::<Op>() <= 32);

impl Op {
    /// Reads a key of table 0.
    pub const fn read(key: i64) -> Op {
        Op::Read { table: 0, key, taking: None, at: At::Primary }
    }

    /// Writes a value to a key of table 0.
    pub const fn write(key: i64, n: i64) -> Op {
        Op::Write { table: 0, key, n, parent: OpId(0) }
    }

    /// The row of a store that it is about: table and key.
    #[inline]
    pub fn row(&self) -> Option<(u16, i64)> {
        match *self {
            Op::Read { table, key, .. }
            | Op::ReadForUpdate { table, key, .. }
            | Op::Write { table, key, .. }
            | Op::Update { table, key, .. }
            | Op::Cas { table, key, .. } => Some((table, key)),
            _ => None,
        }
    }

    /// The lock that it is about.
    #[inline]
    pub fn lock(&self) -> Option<LockName> {
        match *self {
            Op::Acquire { lock, key, .. }
            | Op::Release { lock, key, .. }
            | Op::Renew { lock, key, .. }
            | Op::Expire { lock, key } => Some((lock, key)),
            _ => None,
        }
    }
}

/// What goes with the operations of whoever holds a lock: its fencing token, if rows are to check it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fence(u64);

impl Fence {
    /// A token, which is not 0, and whether reads register it as well as writes.
    pub fn new(token: u64, reads: bool) -> Fence {
        Fence(token << 1 | u64::from(reads))
    }

    /// The token that a row is to register for an operation, if any.
    pub fn token(self, is_read: bool) -> Option<u64> {
        (self.0 != 0 && (!is_read || self.0 & 1 == 1)).then_some(self.0 >> 1)
    }
}

/// A value and where it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Value {
    /// The number itself.
    pub n: i64,
    /// The attempt that wrote it.
    pub version: OpId,
    /// The version that it was derived from.
    pub parent: OpId,
}

/// Why an operation did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No reply in time.
    Timeout,
    /// The connection broke.
    Reset,
    /// Nobody listens there, or no connection came about in time.
    Refused,
    /// No place in a queue.
    Overloaded,
    /// No connection of a pool: no place in its line, or none in time.
    Pool,
    /// A cache has no value for the key.
    Miss,
    /// A cache has no value, and the caller is the one who shall fill it (the reply's `note` is its token).
    Leased,
    /// A cache has no value and somebody else fills it: come back later.
    Wait,
    /// Somebody else holds it.
    Held,
    /// The caller does not hold it (any more).
    NotHeld,
    /// The condition did not hold.
    Condition,
    /// Arithmetic overflow or division by zero in a program.
    Arithmetic,
    /// The member that was asked does not lead (any more), and knows nobody who does.
    NoLeader,
    /// The member that was asked leads, and one that does not was wanted.
    NoReplica,
    /// The dependency answered with an error.
    Error,
    /// A `fail NAME` step; the number is the name's index in the design's list of failures.
    Named(u16),
    /// A transaction was aborted because of what others have written or read meanwhile.
    Conflict,
    /// A transaction was aborted because it and others waited for each other.
    Deadlock,
    /// A transaction was aborted because it had waited too long for somebody else's lock.
    LockTimeout,
    /// The fencing token is older than one that the row has seen.
    Fenced,
}

impl Reason {
    /// Whether trying again may help: the way there or the place, not the request itself, was the trouble.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Reason::Timeout
                | Reason::Reset
                | Reason::Refused
                | Reason::Overloaded
                | Reason::Pool
                | Reason::NoLeader
                | Reason::NoReplica
                | Reason::Error
                | Reason::Conflict
                | Reason::Deadlock
                | Reason::LockTimeout
        )
    }
}

/// Every reason that a request may end for, besides the names of `fail` steps: its name, itself, and a sentence.
pub const REASONS: [(&str, Reason, &str); 19] = [
    ("timeout", Reason::Timeout, "No answer in time. Nobody knows whether it had an effect."),
    ("reset", Reason::Reset, "The connection broke, or the transaction was forgotten; nobody knows."),
    (
        "unreachable",
        Reason::Refused,
        "Nobody listens there: the member is down, or has no room for what is put.",
    ),
    (
        "overloaded",
        Reason::Overloaded,
        "No place in a queue, or more calls than an external service lets through.",
    ),
    ("pool", Reason::Pool, "No connection of a pool: no place in its line, or none in time."),
    ("error", Reason::Error, "The dependency answered with an error."),
    ("no_leader", Reason::NoLeader, "The member that was asked does not lead, and knows nobody who does."),
    ("no_replica", Reason::NoReplica, "The member that was asked leads, and one that does not was wanted."),
    ("condition", Reason::Condition, "The condition of an update did not hold."),
    ("miss", Reason::Miss, "A cache has no value for the key, and no `fill`."),
    ("held", Reason::Held, "Somebody else holds the lock, and patience is at its end."),
    ("not_held", Reason::NotHeld, "The lock that was to be given back or renewed is not held."),
    ("fenced", Reason::Fenced, "A row has seen a newer fencing token."),
    (
        "conflict",
        Reason::Conflict,
        "A transaction was aborted because of what others have written or read meanwhile.",
    ),
    ("deadlock", Reason::Deadlock, "A transaction was aborted because it and others waited for each other."),
    (
        "lock_timeout",
        Reason::LockTimeout,
        "A transaction was aborted because it had waited too long for a lock.",
    ),
    ("arithmetic", Reason::Arithmetic, "Overflow, division by zero, or a loop without end in a program."),
    ("leased", Reason::Leased, "A cache has no value, and the caller is to fill it."),
    ("wait", Reason::Wait, "A cache has no value, and somebody else fills it."),
];

/// Why something failed, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// The tier where it did: of whoever said no, or was asked and gave no answer. `None`: where it is told.
    pub at: Option<TierId>,
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Failure {
        Failure { reason, at: None }
    }
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It succeeded.
    Ok(Value),
    /// It succeeded, and the caller is asked to rebuild the value in the background or in advance.
    Renew(Value),
    /// It certainly had no effect.
    Fail(Reason),
    /// It may have had an effect, now or later.
    Unknown(Reason),
}

impl Outcome {
    /// `Ok` with a plain number.
    pub fn ok(n: i64) -> Outcome {
        Outcome::Ok(Value { n, ..Value::default() })
    }

    /// Whether it succeeded.
    pub fn is_ok(self) -> bool {
        matches!(self, Outcome::Ok(_) | Outcome::Renew(_))
    }

    /// Whether nobody knows.
    pub fn is_unknown(self) -> bool {
        matches!(self, Outcome::Unknown(_))
    }

    /// Whether it says that nobody was there to answer, or that whoever answered could not reach those it needs.
    pub fn is_no_answer(self) -> bool {
        matches!(
            self,
            Outcome::Unknown(Reason::Timeout | Reason::Reset)
                | Outcome::Fail(Reason::Refused | Reason::Timeout)
        )
    }

    /// The value, when it succeeded.
    pub fn value(self) -> Option<Value> {
        match self {
            Outcome::Ok(value) | Outcome::Renew(value) => Some(value),
            Outcome::Fail(_) | Outcome::Unknown(_) => None,
        }
    }
}

/// What comes back from a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    /// What became of it.
    pub outcome: Outcome,
    /// What a cache's guard says beside the outcome: the lease token.
    pub note: u32,
    /// Where it failed, if it did: the callee's tier, or one that this has asked.
    pub at: TierId,
    /// What the customer has seen by now: what went along with the request, and what this answer shows.
    pub seen: CausalContext,
    /// Where the time between sending the call and receiving this reply went; sums to it exactly.
    pub causes: Causes,
}
