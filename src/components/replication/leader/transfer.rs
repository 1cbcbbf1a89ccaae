//! How far a leader is that hands over.

use crate::base::time::ClockTime;

/// What a leader does in its term to hand over.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Transfer {
    /// The handover under way.
    pub(super) handover: Option<Handover>,
    /// Whether anybody was ever told to stand: he may be elected while we know nothing of it.
    pub has_told: bool,
    /// Who has declined, or was told in vain; a bit each.
    pub(super) declined: u64,
    /// When the next handover may begin.
    pub(super) again_at: ClockTime,
}

/// A handover under way.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Handover {
    /// Whoever takes over must have answered a message of this round.
    pub(super) round: u64,
    /// Who was told to stand for election.
    pub(super) told: Option<u32>,
    /// When it is given up.
    pub(super) until: ClockTime,
}
