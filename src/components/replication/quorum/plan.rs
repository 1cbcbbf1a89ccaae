//! What all members share.

use crate::base::time::Span;
use crate::components::storage::cell::Merge;
use crate::components::storage::legs::WarsDelays;
use crate::components::storage::plan::StorePlan;

/// What all members share.
#[derive(Clone, Debug)]
pub struct QuorumPlan {
    /// What all stores have in common.
    pub store: StorePlan,
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
