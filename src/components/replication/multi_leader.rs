//! Copies that all lead: every member accepts writes for itself, acknowledges what its own disk has, and tells the others
//! afterwards. What was written at two of them at once is merged ([`crate::components::storage::cell`]).
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
pub mod messages;
pub mod plan;
mod streams;
#[cfg(test)]
mod tests;

pub use lineage::survey;
