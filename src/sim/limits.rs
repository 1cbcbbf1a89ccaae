//! What a world may take before it is stopped: by then it has run away, and would take all memory or never end. The numbers are
//! whoever's makes the world; a world that stays within them does not notice them.

use crate::base::ids::TierId;
use crate::base::time::Time;

/// How much there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls in flight; coroutines of programs; requests of one workload that have not ended: each.
    pub in_flight: u64,
    /// Events at one instant, give or take the 65,536 between two looks at the clock.
    pub at_instant: u64,
}

impl Limits {
    /// None.
    pub const NONE: Limits = Limits { in_flight: u64::MAX, at_instant: u64::MAX };
}

/// What there was too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// Calls that have not been answered, or whose answers are under way.
    Calls,
    /// Programs at work, and their branches.
    Coroutines,
    /// Requests of one workload that have not ended.
    Requests,
    /// Events at one instant: time does not go on.
    Events,
}

/// A limit that was exceeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What of.
    pub what: Exceeded,
    /// How much there may be.
    pub limit: u64,
    /// When.
    pub at: Time,
    /// Where: the tier that has most of it, or all those that take part.
    pub tiers: Vec<TierId>,
}

/// How a world stands against its limits.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) limits: Limits,
    pub(super) coroutines: u64,
    /// The instant when it was last looked.
    pub(super) instant: Time,
    /// Events before that.
    pub(super) before: u64,
    /// An instant has too many events: it is looked at each whose it is.
    pub(super) stuck: bool,
    /// How many of them it was looked at.
    pub(super) watched: u32,
    /// Who takes part in them, a bit for each tier.
    pub(super) busy: [u64; 4],
    pub(super) excess: Option<Excess>,
}

impl Default for Standing {
    fn default() -> Self {
        Standing {
            limits: Limits::NONE,
            coroutines: 0,
            instant: Time::ZERO,
            before: 0,
            stuck: false,
            watched: 0,
            busy: [0; 4],
            excess: None,
        }
    }
}
