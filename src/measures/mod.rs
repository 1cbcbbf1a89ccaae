//! What is measured from a run: expressions over counters, levels, tallies and request samples.
//!
//! [`ALL`] lists the measures, in the order in which users see them · [`expression`] compiles an expression once and
//! evaluates it for each run.
//!
//! A percentile pN of n samples is the ⌈N·n/100⌉-th smallest (nearest rank), exact up to 4 M samples and from a
//! histogram of four digits beyond. Where requests were under way at an edge of its stretch it is the product-limit estimate
//! ([`percentile`]). [`evaluation`] is a run as measures see it, [`functions`] what they reckon.

pub mod asked;
mod compile;
pub mod evaluation;
pub mod expression;
pub mod fits;
pub mod functions;
pub mod percentile;
#[cfg(test)]
mod tests;
pub mod verdicts;

use crate::base::time::Span;
use crate::check::session::Guarantee;
use crate::check::transactions::Level;
use crate::measures::asked::{Locks, QueryKind, Stat};
use crate::measures::functions::Function;

/// Unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Seconds.
    Seconds,
    /// Per second.
    PerSecond,
    /// A plain number, a share, a count.
    One,
    /// Dollars.
    Dollars,
}

impl Dimension {
    /// As in results: `s`, `1/s`, `1`, `$`.
    pub const fn unit(self) -> &'static str {
        match self {
            Dimension::Seconds => "s",
            Dimension::PerSecond => "1/s",
            Dimension::One => "1",
            Dimension::Dollars => "$",
        }
    }
}

/// What a measure takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// The requests of a program or a workload.
    Requests,
    /// Requests, a series or a tally, as far as [`fits`] says.
    Anything,
    /// A tally.
    Tally,
    /// A part.
    Part,
    /// A key of a table of a db.
    Cell,
    /// A table of a db, or all of them.
    Tables,
    /// What a program does to stores, or a table, whoever does it.
    Operations,
    /// A lock.
    Lock,
}

/// What the value of a measure comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A function of what was recorded; that of `pN` is of the number that stands for N.
    Record(Function),
    /// A question to the history of the run.
    History(QueryKind),
}

/// One measure.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub of: Domain,
    /// What its value comes from.
    pub from: Source,
    /// One sentence.
    pub doc: &'static str,
}

/// Every measure. `pN` stands for any percentile.
pub const ALL: &[Measure] = &[
    Measure {
        name: "pN",
        of: Domain::Requests,
        from: Source::Record(Function::Percentile(0.0)),
        doc: "N-th percentile of the latency of successes, or of their time of one cause (`cause=queue`), s. Where requests were under way at an \
              edge of the stretch: the product-limit estimate, or a lower bound (≥).",
    },
    Measure {
        name: "mean",
        of: Domain::Anything,
        from: Source::Record(Function::Mean),
        doc: "Requests in flight × time over how many succeeded, s: the mean latency of successes, and Little's law. Of one cause the mean time of \
              those that ended; of a level its average over time.",
    },
    Measure {
        name: "max",
        of: Domain::Anything,
        from: Source::Record(Function::Max),
        doc: "Longest latency of a success, s; highest level; largest sum of any key of a tally, counted from the start of the stretch.",
    },
    Measure {
        name: "rate",
        of: Domain::Anything,
        from: Source::Record(Function::Rate),
        doc: "How many per second; of requests how many ended, whatever became of them.",
    },
    Measure {
        name: "peak",
        of: Domain::Anything,
        from: Source::Record(Function::Peak),
        doc: "Highest rate over any second (over a thousandth of a long run); of requests by when they ended. Levels have `max`.",
    },
    Measure {
        name: "count",
        of: Domain::Anything,
        from: Source::Record(Function::Count),
        doc: "How many; of requests how many ended, of a tally the sum of what was counted; a level as it is. A name alone is its count.",
    },
    Measure {
        name: "errors",
        of: Domain::Requests,
        from: Source::Record(Function::Errors),
        doc: "Share of requests that failed, of those sent in the stretch that ended; an answer that is declared as expected is no failure. \
              `reason=timeout`, `part=shop`: the share that ended for that reason, at that part.",
    },
    Measure {
        name: "success",
        of: Domain::Requests,
        from: Source::Record(Function::Success),
        doc: "Share of requests that succeeded, or got another answer that is declared as expected, of those sent in the stretch that ended. Those \
              that were open when the run did are a third share beside it.",
    },
    Measure {
        name: "goodput",
        of: Domain::Requests,
        from: Source::Record(Function::Goodput),
        doc: "Requests that ended well, 1/s. What failed is part of the throughput alone.",
    },
    Measure {
        name: "throughput",
        of: Domain::Requests,
        from: Source::Record(Function::Throughput),
        doc: "Requests that ended, whatever became of them, 1/s.",
    },
    Measure {
        name: "late",
        of: Domain::Requests,
        from: Source::Record(Function::Late),
        doc: "Answers that came after their callers had let go.",
    },
    Measure {
        name: "waited",
        of: Domain::Requests,
        from: Source::Record(Function::Waited),
        doc: "Share of successes that spent any time on one cause (`cause=queue`).",
    },
    Measure {
        name: "inflight",
        of: Domain::Requests,
        from: Source::Record(Function::InFlight),
        doc: "Requests under way, on average over time.",
    },
    Measure {
        name: "outage",
        of: Domain::Requests,
        from: Source::Record(Function::Outage),
        doc: "The longest time without a success, the ends of its stretch of the run included, s.",
    },
    Measure {
        name: "util",
        of: Domain::Part,
        from: Source::Record(Function::Util),
        doc: "Share of its cores that are busy, on average over time; `util(NAME[k])` of one member.",
    },
    Measure {
        name: "jain",
        of: Domain::Tally,
        from: Source::Record(Function::Jain),
        doc: "Jain's fairness over the keys of a tally that were counted in the stretch: 1 when all are equal, 1/n when one of n has everything.",
    },
    Measure {
        name: "linearizable",
        of: Domain::Tables,
        from: Source::History(QueryKind::Linearizable),
        doc: "Whether some order of all operations on each key explains what they saw and respects time (a condition).",
    },
    Measure {
        name: "sequential",
        of: Domain::Tables,
        from: Source::History(QueryKind::Sequential),
        doc: "Whether one order of all operations explains what they saw in which each session did its own in its order (a condition).",
    },
    Measure {
        name: "causal",
        of: Domain::Tables,
        from: Source::History(QueryKind::Causal),
        doc: "Whether whatever an operation may depend on was visible to it (a condition).",
    },
    Measure {
        name: "serializable",
        of: Domain::Tables,
        from: Source::History(QueryKind::Isolated(Level::Serializable)),
        doc: "Whether the transactions can have happened one after the other (a condition). So with the weaker `snapshot`, \
              `read_committed` and `read_uncommitted`: whether they show no anomaly that such an isolation forbids.",
    },
    Measure {
        name: "snapshot",
        of: Domain::Tables,
        from: Source::History(QueryKind::Isolated(Level::Snapshot)),
        doc: "Whether each transaction saw one instant, and of two that wrote a row at once one failed (a condition).",
    },
    Measure {
        name: "read_committed",
        of: Domain::Tables,
        from: Source::History(QueryKind::Isolated(Level::ReadCommitted)),
        doc: "Whether no transaction saw what was not, or not yet, committed (a condition).",
    },
    Measure {
        name: "read_uncommitted",
        of: Domain::Tables,
        from: Source::History(QueryKind::Isolated(Level::ReadUncommitted)),
        doc: "Whether no transaction wrote over what was not committed yet (a condition).",
    },
    Measure {
        name: "read_your_writes",
        of: Domain::Tables,
        from: Source::History(QueryKind::Keeps(Guarantee::ReadYourWrites)),
        doc: "Whether each read saw what its session had written to the key, or something later in the store's order (a condition; Terry et al. \
              1994, as the three after it).",
    },
    Measure {
        name: "monotonic_reads",
        of: Domain::Tables,
        from: Source::History(QueryKind::Keeps(Guarantee::MonotonicReads)),
        doc: "Whether no session saw something older, in the store's order, than what it had seen of the key before (a condition).",
    },
    Measure {
        name: "monotonic_writes",
        of: Domain::Tables,
        from: Source::History(QueryKind::Keeps(Guarantee::MonotonicWrites)),
        doc: "Whether the store has the writes of each session in the order in which it sent them (a condition).",
    },
    Measure {
        name: "writes_follow_reads",
        of: Domain::Tables,
        from: Source::History(QueryKind::Keeps(Guarantee::WritesFollowReads)),
        doc: "Whether the store has each write after what its session had seen when it sent it (a condition).",
    },
    Measure {
        name: "staleness",
        of: Domain::Operations,
        from: Source::History(QueryKind::Staleness(Stat::Mean)),
        doc: "How long before a read the first version that it missed had been acknowledged, 0 for none: the mean over reads, s. \
              `p99(staleness(feed))` and `max(…)` are figures of the same.",
    },
    Measure {
        name: "k_stale",
        of: Domain::Operations,
        from: Source::History(QueryKind::KStale(Stat::Max)),
        doc: "How many acknowledged versions a read missed: the most of any read. `p99(k_stale(feed))` and `mean(…)` are figures of the \
              same.",
    },
    Measure {
        name: "stale",
        of: Domain::Operations,
        from: Source::History(QueryKind::Stale(Span::ZERO, Span::MAX)),
        doc: "Share of reads that missed a write acknowledged so long before, of those before which there was one: \
              `stale(feed, age=10ms..20ms)`.",
    },
    Measure {
        name: "lost",
        of: Domain::Operations,
        from: Source::History(QueryKind::Lost),
        doc: "Acknowledged writes that what the copies settle on was not made of, and that no later blind write replaced. Of a program: \
              those of calls that succeeded.",
    },
    Measure {
        name: "unacked",
        of: Domain::Operations,
        from: Source::History(QueryKind::Unacked),
        doc: "Writes of which nobody was told that they succeeded and that are in effect all the same.",
    },
    Measure {
        name: "diverged",
        of: Domain::Tables,
        from: Source::History(QueryKind::Diverged),
        doc: "Keys on which one copy holds a write, accepted `before` an instant, that another lacks `at` an instant; both are the end \
              of the run unless given: `before=split.end, at=after(split, 30s)`.",
    },
    Measure {
        name: "converged",
        of: Domain::Tables,
        from: Source::History(QueryKind::Converged),
        doc: "How long after the last fault's end copies came to agree on all that was accepted before it, s.",
    },
    Measure {
        name: "exclusive",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::Exclusive)),
        doc: "Whether no two programs certainly held one key of the lock at once: from when they knew that they had it to when they began \
              to give it back (a condition).",
    },
    Measure {
        name: "fresh_tokens",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::FreshTokens)),
        doc: "Whether each hold that was asked for after another one was granted has a larger fencing token (a condition).",
    },
    Measure {
        name: "overlaps",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::Overlaps)),
        doc: "Holds that began while another one of the same key lasted. See `overlapping` for both sides of it.",
    },
    Measure {
        name: "overlapping",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::Overlapping)),
        doc: "Share of the holds that shared some time with another one of the same key, whichever of the two began first: a hold lasts \
              from when its program knew that it had the lock to when it began to give it back. Undefined where nobody got it.",
    },
    Measure {
        name: "overlap",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::Overlap)),
        doc: "For how long keys had more than one holder, summed up, s.",
    },
    Measure {
        name: "late_effects",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::LateEffects)),
        doc: "Changes of stores, sent within `hold`, that took effect after somebody else had got the lock.",
    },
    Measure {
        name: "overtaken",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::Overtaken)),
        doc: "Share of those who asked for it that somebody who asked later overtook: 0 where it is handed on in order.",
    },
    Measure {
        name: "bypassed",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::Bypassed)),
        doc: "How many who asked later got it before one who asked, or instead: the most. What has no bound starves somebody.",
    },
    Measure {
        name: "foreign_chain",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::ForeignChain)),
        doc: "The longest chain of holds in which each one's release deleted the lock of the next (`release = \"del\"`): how many.",
    },
    Measure {
        name: "circles",
        of: Domain::Lock,
        from: Source::History(QueryKind::Locks(Locks::Deadlocks)),
        doc: "How many times programs came to wait for each other by asking for it: deadlocks.",
    },
    Measure {
        name: "initial",
        of: Domain::Cell,
        from: Source::Record(Function::Initial),
        doc: "The value of a key at the start, `initial(shop.stock[1])`.",
    },
];
