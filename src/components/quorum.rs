//! Copies without a leader: whoever is asked coordinates, asks all copies in parallel and goes on when enough have
//! answered (DeCandia et al., "Dynamo", SOSP 2007). With R + W > N every read meets every acknowledged write – which
//! is not linearizability.
//!
//! **Liveness.** R or W copies that are up and can be reached serve at once: nobody remembers who was away. An operation that has too
//! few answers is given up after the coordinator's patience, and its customer told that nobody knows.
//!
//! [`cell`] is what a copy holds of a row and how cells are merged · [`member`] is the process and its copy ·
//! `coordinator` is what it does for clients · `lineage` what is recorded of copies.

pub mod cell;
mod coordinator;
pub mod lineage;
pub mod member;
#[cfg(test)]
mod tests;

use crate::base::time::Span;
use crate::components::quorum::cell::Merge;
use crate::components::store;
use crate::components::store::legs::WarsDelays;

pub use lineage::survey;

/// What all members share.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What all stores have in common.
    pub store: store::Plan,
    /// How many copies, N.
    pub copies: u8,
    /// How many must answer a read, R.
    pub r: u8,
    /// How many must have a write safe, W.
    pub w: u8,
    /// Whether no more copies are asked than are needed.
    pub enough: bool,
    /// How cells are merged.
    pub merge: Merge,
    /// Whether a coordinator brings up to date the copies that answered a read with old values.
    pub repair: bool,
    /// How often a coordinator sends again what copies have not confirmed; `None`: never.
    pub hints: Option<Span>,
    /// How long a coordinator waits for copies.
    pub patience: Span,
    /// What messages take on top of the network, by kind.
    pub legs: WarsDelays,
}
