//! What a measure may ask of the history of a run: verdicts over what clients saw, and what became of their writes.

use crate::base::ids::{PartId, ProbeId, TierId};
use crate::base::time::Span;
use crate::check::session::Guarantee;
use crate::check::transactions::Level;
use crate::measures::Dimension;
use crate::measures::expression::During;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QueryKind {
    /// Whether there is one order of all operations that explains what was seen and respects time.
    Linearizable,
    /// Whether there is one order that explains what was seen and in which each session did its own in its order.
    Sequential,
    /// Whether whatever an operation may depend on was visible to it.
    Causal,
    /// Whether transactions were kept apart.
    Isolated(Level),
    /// Whether sessions were promised something.
    Keeps(Guarantee),
    /// How long ago what reads missed had been acknowledged.
    Staleness(Stat),
    /// How many acknowledged versions reads missed.
    KStale(Stat),
    /// The share of reads that missed a write acknowledged so long before: at least, and less than.
    Stale(Span, Span),
    /// How many acknowledged writes are lost.
    Lost,
    /// How many writes that nobody was told of are in effect.
    Unacked,
    /// On how many keys copies have diverged.
    Diverged,
    /// How long copies took to agree after the last fault.
    Converged,
    /// What is asked of locks.
    Locks(Locks),
}

/// What is asked of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// Whether it never had two holders at once.
    Exclusive,
    /// Whether its tokens went up.
    FreshTokens,
    /// How many holds began while another lasted.
    Overlaps,
    /// The share of holds that shared time with another one.
    Overlapping,
    /// For how long keys had several holders.
    Overlap,
    /// How many changes took effect when their maker's lock was somebody else's.
    LateEffects,
    /// The share of holds that a later one overtook.
    Overtaken,
    /// The most times that one who asked was overtaken.
    Bypassed,
    /// The longest chain of deletions of others' locks.
    ForeignChain,
    /// How many cycles of programs waited for each other.
    Deadlocks,
}

/// What is told of many values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stat {
    /// Their mean.
    Mean,
    /// The largest.
    Max,
    /// A percentile, by nearest rank.
    Percentile(f64),
}

impl QueryKind {
    /// Whether the answer is yes or no.
    pub fn is_condition(self) -> bool {
        matches!(
            self,
            QueryKind::Linearizable
                | QueryKind::Sequential
                | QueryKind::Causal
                | QueryKind::Isolated(_)
                | QueryKind::Keeps(_)
                | QueryKind::Locks(Locks::Exclusive | Locks::FreshTokens)
        )
    }

    /// The unit of the answer.
    pub fn dimension(self) -> Dimension {
        match self {
            QueryKind::Converged | QueryKind::Staleness(_) | QueryKind::Locks(Locks::Overlap) => {
                Dimension::Seconds
            }
            _ => Dimension::One,
        }
    }

    /// Which operations of clients must be recorded to answer it, and whether what copies take in must be.
    pub fn needs(self) -> (Operations, bool) {
        match self {
            QueryKind::Linearizable | QueryKind::Causal | QueryKind::Keeps(_) => (Operations::All, false),
            QueryKind::Sequential | QueryKind::Staleness(_) | QueryKind::KStale(_) | QueryKind::Stale(..) => {
                (Operations::All, true)
            }
            QueryKind::Isolated(_) => (Operations::All, true),
            QueryKind::Lost | QueryKind::Unacked => (Operations::Writes, true),
            QueryKind::Diverged | QueryKind::Converged => (Operations::None, true),
            QueryKind::Locks(_) => (Operations::None, false),
        }
    }
}

/// Which operations of clients on a table are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operations {
    /// None.
    None,
    /// Those that write; and reads too of a table that is written outright, since such a write comes after what its maker had read.
    Writes,
    /// All.
    All,
}

/// Of whom it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// What a program asks of any store.
    Program {
        /// The program.
        probe: ProbeId,
        /// Its name.
        name: String,
        /// The tables that it reads or writes.
        tables: Vec<(TierId, u16)>,
    },
    /// A table, whoever asks.
    Table {
        /// The store.
        store: TierId,
        /// The table.
        table: u16,
        /// Both names.
        name: String,
    },
    /// All tables of a store.
    Store {
        /// The store.
        store: TierId,
        /// Its name.
        name: String,
        /// Its tables.
        tables: Vec<u16>,
    },
    /// A lock.
    Lock {
        /// The part.
        part: PartId,
        /// Its name.
        name: String,
    },
}

impl Whose {
    /// The tables that it is about.
    pub fn tables(&self) -> Vec<(TierId, u16)> {
        match self {
            Whose::Program { tables, .. } => tables.clone(),
            Whose::Table { store, table, .. } => vec![(*store, *table)],
            Whose::Store { store, tables, .. } => tables.iter().map(|table| (*store, *table)).collect(),
            Whose::Lock { .. } => Vec::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Whose::Program { name, .. }
            | Whose::Table { name, .. }
            | Whose::Store { name, .. }
            | Whose::Lock { name, .. } => name,
        }
    }
}

/// An instant of a run as an expression names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instant {
    /// A fault begins for the first time.
    Begins(String),
    /// A fault has ended for the last time.
    Ends(String),
    /// So long after a fault has ended for the last time.
    After(String, Span),
    /// So long after the start of the run.
    At(Span),
    /// The run ends.
    End,
}

impl Instant {
    /// The fault that it hangs on.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Instant::Begins(fault) | Instant::Ends(fault) | Instant::After(fault, _) => Some(fault),
            Instant::At(_) | Instant::End => None,
        }
    }
}

/// A question to the history of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What.
    pub what: QueryKind,
    /// Of whom.
    pub whose: Whose,
    /// Writes that were accepted later do not count.
    pub before: Instant,
    /// The instant of which it is asked.
    pub at: Instant,
    /// Operations that began at other times do not count.
    pub during: During,
}
