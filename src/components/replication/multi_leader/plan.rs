//! What all members share.

use crate::base::dist::Dist;
use crate::base::time::Span;
use crate::components::storage::cell::Merge;
use crate::components::storage::legs::WarsDelays;
use crate::components::storage::pace::PerCopy;
use crate::components::storage::plan::StorePlan;
use crate::sim::connections::RETRANSMIT_FIRST;

/// The wait before the first sending again: a connection's.
pub const AGAIN_FIRST: Span = RETRANSMIT_FIRST;

/// What all members share.
#[derive(Clone, Debug)]
pub struct MultiLeaderPlan {
    /// What all stores have in common.
    pub store: StorePlan,
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
}
