//! What all members share.

use crate::base::dist::Dist;
use crate::base::time::Span;
use crate::components::storage::legs::WarsDelays;
use crate::components::storage::machine::Machine;
use crate::components::storage::pace::PerCopy;
use crate::components::storage::plan::StorePlan;

/// When an entry is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// When the leader's disk has it.
    Leader,
    /// When so many copies have it, the leader's included.
    Copies(u8),
    /// When a majority has it.
    Majority,
}

impl Rule {
    /// How many copies must have an entry.
    pub fn copies(self, of: u32) -> u32 {
        match self {
            Rule::Leader => 1,
            Rule::Copies(copies) => u32::from(copies),
            Rule::Majority => of / 2 + 1,
        }
    }

    /// How many votes make a leader.
    pub fn votes(self, of: u32) -> u32 {
        match self {
            Rule::Copies(copies) => (of / 2 + 1).max((of + 1).saturating_sub(u32::from(copies))),
            Rule::Leader | Rule::Majority => of / 2 + 1,
        }
    }
}

/// What a copy has done when it acknowledges an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// Received it.
    Receive,
    /// Made it safe.
    Flush,
    /// Applied it.
    Apply,
}

/// When a member that hears of no leader stands for election.
#[derive(Clone, Debug)]
pub enum Election {
    /// Never.
    Never,
    /// After a time drawn anew each time.
    Drawn(Dist),
    /// After this time and a tenth of a second for each member that comes before it, counted from the last leader on: so
    /// that two do not stand at once. Whoever was not elected stands again after a tenth of the time (0.1 s at least) to twice
    /// that and a tenth of a second for each member, by lot.
    After(Span),
}

/// What all members share.
#[derive(Clone, Debug)]
pub struct LeaderPlan<M: Machine> {
    /// What all stores have in common.
    pub store: StorePlan,
    /// What the machine knows from the start.
    pub machine: M::Plan,
    /// When an entry is committed.
    pub rule: Rule,
    /// What an acknowledgement says.
    pub ack: Ack,
    /// When a member stands for election.
    pub election: Election,
    /// How often a leader with nothing to say tells that it is there.
    pub heartbeat: Span,
    /// Whether a member asks first whether it would be elected.
    pub pre_vote: bool,
    /// How long a majority's answers keep others from being elected; `None`: reads ask each time.
    pub lease: Option<Span>,
    /// What a follower takes to apply an entry.
    pub apply: PerCopy,
    /// How old an entry must be before a follower applies it.
    pub lag: PerCopy,
    /// How long the sender waits for its turn; `None`: it sends at once.
    pub send: Option<Dist>,
    /// Whether member 0 leads from the start; otherwise the first leader is elected.
    pub begins_led: bool,
    /// Whether what a lost suffix of the log has added is added again by the new leader.
    pub merges: bool,
    /// What the messages with entries and their acknowledgements take on top of the network.
    pub legs: WarsDelays,
    /// How long a member keeps an operation for which it knows no leader.
    pub patience: Span,
    /// How long a member waits for what a leader that is no more was asked for, once there is another.
    pub linger: Span,
    /// Whether each member decides alone that it leads now (`by = each`), which elects two.
    pub decides_alone: bool,
}
