//! Copies without a leader: whoever is asked coordinates, asks all copies in parallel and goes on when enough have
//! answered (DeCandia et al., "Dynamo", SOSP 2007). With R + W > N every read meets every acknowledged write – which
//! is not linearizability.
//!
//! [`cell`] is what a copy holds of a row and how cells are merged · [`member`] is the process and its copy ·
//! `coordinator` is what it does for clients · `lineage` what is recorded of copies.

pub mod cell;
mod coordinator;
mod lineage;
pub mod member;
#[cfg(test)]
mod tests;

use crate::base::dist::Dist;
use crate::base::time::Span;
use crate::components::quorum::cell::Merge;
use crate::components::store;

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
    /// How cells are merged.
    pub merge: Merge,
    /// Whether a coordinator brings up to date the copies that answered a read with old values.
    pub repair: bool,
    /// How often a coordinator sends again what copies have not confirmed; `None`: never.
    pub hints: Option<Span>,
    /// How long a coordinator waits for copies.
    pub patience: Span,
    /// What messages take on top of the network, by kind.
    pub legs: Legs,
    /// A rule to break, for tests.
    pub twin: Twin,
}

/// A law for each kind of message between copies; `None`: nothing on top of the network.
#[derive(Clone, Debug, Default)]
pub struct Legs {
    /// A write, to a copy.
    pub write: Option<Dist>,
    /// Its acknowledgement.
    pub ack: Option<Dist>,
    /// A read, to a copy.
    pub read: Option<Dist>,
    /// Its answer.
    pub reply: Option<Dist>,
}

/// A rule that a broken twin breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Twin {
    /// None: this is the protocol.
    #[default]
    Sound,
    /// A copy acknowledges before its disk has synced.
    AcksBeforeSync,
}
