//! How those who want rows that others hold get out of it, as a design says.

use crate::base::time::Span;

/// When cycles are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deadlock {
    /// When they close.
    AtOnce(Victim),
    /// When one of them has waited for so long; it is the victim.
    After(Span),
}

/// Who of a cycle that is found at once is aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Victim {
    /// Who began last.
    Youngest,
    /// Who has written and locked the fewest rows; of equals who closed the cycle.
    Lightest,
}

/// What a wait in vain undoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Undoes {
    /// The whole transaction, at once.
    Transaction,
    /// The operation that waited: the transaction keeps its locks until its client ends it.
    Statement,
}

/// How those who want rows that others hold get out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// When cycles are found.
    pub deadlock: Deadlock,
    /// What a wait in vain undoes.
    pub undoes: Undoes,
}

impl Waiting {
    /// Cycles are found at once, and cost the youngest; a wait in vain undoes the transaction.
    #[cfg(test)]
    pub const AT_ONCE: Waiting =
        Waiting { deadlock: Deadlock::AtOnce(Victim::Youngest), undoes: Undoes::Transaction };
}
