//! What replication replicates: a deterministic state machine. The same log gives the same states, wherever it is
//! applied.

use std::hash::Hash;

use crate::base::ids::OpId;
use crate::base::op::{Op, Outcome, Value};
use crate::components::storage::lock_table::{Aside, Clocks, LockTable};

/// What goes with an operation of the log that its words do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EntryContext {
    /// Nothing.
    #[default]
    Nothing,
    /// What the clocks of whoever put it in order showed: locks end by them. Without an operation it is a new leader's first, and leases
    /// begin anew.
    Clocks(Clocks),
    /// The fencing token of whoever asks.
    Token(u64),
}

/// A deterministic state machine.
pub trait Machine: Clone + Hash + Send + 'static {
    /// What all copies know from the start and nobody changes.
    type Plan: Send + Sync + 'static;

    /// What it is before the first entry.
    fn new(plan: &Self::Plan) -> Self;

    /// Applies an operation of the log; `attempt` is the identity of what it writes.
    fn apply(&mut self, plan: &Self::Plan, op: &Op, attempt: OpId, told: EntryContext) -> (Outcome, Aside);

    /// What an operation that changes nothing sees. `Fail(Error)` for one that would change something.
    fn look(&self, plan: &Self::Plan, op: &Op) -> Outcome;

    /// Whether an operation changes nothing: it needs no place in the log.
    fn is_read(op: &Op) -> bool;

    /// The row that an operation is about, by table and key, and its value now; `None` where the machine has no rows. What versions
    /// come from is recorded by it.
    fn row(&self, _plan: &Self::Plan, _op: &Op) -> Option<((u16, i64), Value)> {
        None
    }

    /// The same without its condition, for an operation that commutes with all of its kind: what can be done late and elsewhere.
    fn unconditional(op: &Op) -> Option<Op>;

    /// The locks in it, where it has any.
    fn locks(&mut self) -> Option<&mut LockTable> {
        None
    }

    /// Its size on the wire and on disk, bytes.
    fn size_bytes(&self) -> u64;
}
