//! Copies that all lead: every member accepts writes for itself, acknowledges what its own disk has, and tells the others
//! afterwards. What was written at two of them at once is merged ([`crate::components::quorum::cell`]).
//!
//! [`member`] is the process: its copy, what it does for clients, its disk · `streams` is how its changes reach the others ·
//! `lineage` what is recorded of copies.
//!
//! Numbered rules:
//! 1. Reads and conditions look at the member's own copy alone. A write takes effect there when its service ends, and is acknowledged
//!    when the disk has it; readers see what the disk has.
//! 2. A change is what its writer has made of the row. Its writer numbers it, and has it on disk before anybody is told: so a
//!    number names one change for ever.
//! 3. Once its sender has its turn each member sends its changes to each other one in order, without waiting for an answer, but no further than `WINDOW` beyond
//!    what that one has confirmed. What is not confirmed is sent again, from there on: after 200 ms, then after twice the wait
//!    before, at most `again`; whatever is confirmed begins this anew.
//! 4. A receiver takes the changes of each writer in order – those that come early wait – and confirms what its disk has. Its
//!    applier merges them one after the other, each for the time that `apply` says, and not before it is as old as `lag` says;
//!    readers see them then.
//! 5. Changes that are not confirmed, and how far those of the others go, are on disk: whoever comes back goes on where it
//!    was.
//! 6. Whoever is so far behind that its next change is no longer kept is sent all rows: merging is idempotent.
//!
//! **Convergence.** Once two members can reach each other for good, the next sending comes within `again`. From then on each round trip
//! with a sync in it carries `WINDOW` changes; the last one is merged when the applier is through with what came before. So
//! `again` + the backlog's round trips + its time in the applier bounds the divergence after a fault.

mod lineage;
pub mod member;
mod streams;
#[cfg(test)]
mod tests;

use crate::base::dist::Dist;
use crate::base::time::Span;
use crate::components::quorum::cell::Merge;
use crate::components::store;
use crate::components::store::legs::WarsDelays;
use crate::components::store::pace::PerCopy;
use crate::sim::connections::RETRANSMIT_FIRST;

pub use lineage::survey;

/// The wait before the first sending again: a connection's.
pub const AGAIN_FIRST: Span = RETRANSMIT_FIRST;

/// What all members share.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What all stores have in common.
    pub store: store::Plan,
    /// How concurrent writes are merged.
    pub merge: Merge,
    /// What a member's applier takes for a change.
    pub apply: PerCopy,
    /// How old a change of another member must be before it is applied.
    pub lag: PerCopy,
    /// How long the sender waits for its turn; `None`: it sends at once.
    pub send: Option<Dist>,
    /// The longest wait before what is not confirmed is sent again.
    pub again: Span,
    /// What changes (`write`) and confirmations (`ack`) take on top of the network.
    pub legs: WarsDelays,
    /// A rule to break, for tests.
    pub mutant: Mutant,
}

/// A rule to break, for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mutant {
    /// None: this is the protocol.
    #[default]
    Sound,
    /// What is not confirmed is not sent again.
    NeverAgain,
}
