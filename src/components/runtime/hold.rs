//! A lock that a coroutine wants or has, as its server knows it.

use crate::base::ids::{PartId, Pid};
use crate::base::rng::mix;
use crate::base::slab::Beside;
use crate::base::time::{ClockTime, Span};
use crate::program::interpret::ids::CoroutineId;

/// A lock that a coroutine wants or has.
#[derive(Clone, Debug, Hash)]
pub(super) struct Hold {
    pub(super) coroutine: CoroutineId,
    pub(super) lock: PartId,
    pub(super) key: i64,
    /// What the part knows us by.
    pub(super) owner: u64,
    /// Its fencing token, once it is held.
    pub(super) token: u64,
    pub(super) stage: Stage,
    /// By our clock: when it was first asked for.
    pub(super) began: ClockTime,
    /// By our clock: when the members were asked this time.
    pub(super) asked: ClockTime,
    /// Members that have said yes and no this time, of how many.
    pub(super) votes: (u32, u32),
    pub(super) of: u32,
    /// Where the lock was asked for, or is held.
    pub(super) at: Option<Pid>,
    /// Who has said nothing when we last stood in line there: he may keep us waiting, or not be there.
    pub(super) silent: Option<Pid>,
    /// Members that we have stood in line at and left, a bit each: what we asked them may be under way still.
    pub(super) left: u64,
    pub(super) failures: u32,
    pub(super) backoff: Span,
    /// Identifies it, and counts how often it was renewed.
    pub(super) substream: u64,
    pub(super) renewals: u32,
}

/// What identifies what a hold asks of a member, together with how often it was refused or has renewed.
pub(super) mod question {
    pub const ACQUIRE: u64 = 0;
    pub const RELEASE: u64 = 1;
    pub const RENEW: u64 = 2;
    pub const ALL: u64 = 4;
}

impl Hold {
    /// What identifies a question to a member.
    pub(super) fn question(&self, question: u64, to: Pid) -> u64 {
        let times = if question == question::RENEW { self.renewals } else { self.failures };
        mix(mix(self.substream, u64::from(times) * question::ALL + question), u64::from(to.member))
    }
}

/// How far a hold is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Members have been asked.
    Asking,
    /// It is waited until they are asked again.
    Waiting,
    /// It is held, as far as we know.
    Held,
}

/// The holds of a server.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Holds(pub(super) Beside<Hold>);
