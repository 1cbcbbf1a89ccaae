//! What a coroutine waits for, for whom, and what wakes it.

use crate::base::ids::{PartId, Pid, ProgramId};
use crate::base::op::{Args, Op};
use crate::base::rng::mix;
use crate::base::session::Session;
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::components::directory::Tried;
use crate::components::runtime::reading::Reading;
use crate::program::compile::MESSAGE_BYTES;
use crate::program::interpret::ids::CoroutineId;
use crate::program::interpret::ids::HoldId;
use crate::sim::request::{CallContext, Request};

/// What a timer is for.
#[derive(Clone, Debug, Hash)]
pub(super) enum Later {
    /// A `wait` step ends.
    Wait { coroutine: CoroutineId, since: Time },
    /// A pending call tries again.
    Again { pending: Key },
    /// A pending call has waited long enough for a connection.
    PoolTimeout { pending: Key },
    /// A transaction is run again.
    Transaction { coroutine: CoroutineId, since: Time },
    /// A lock is asked for again.
    Lock { pending: Key, hold: HoldId },
    /// A lock is renewed.
    Renew { hold: HoldId },
    /// A member of a store that did not answer is asked whether it is there.
    Reconnect { part: PartId, member: Pid },
}

/// Purposes of what a server draws for its pending calls.
pub(super) const PICK: u8 = 0;
pub(super) const BACK_OFF: u8 = 1;
pub(super) const GUARD_WAIT: u8 = 2;

/// The tag of calls whose answers nobody waits for.
pub(super) const NO_PENDING_CALL: u64 = u64::MAX;

/// Something a coroutine waits for; a background rebuild waits for nobody.
#[derive(Clone, Debug, Hash)]
pub(super) struct PendingCall {
    pub coroutine: Option<CoroutineId>,
    /// For whom, as it was when this began: what holds once there is no coroutine to ask.
    pub on_behalf: Session,
    pub job: Job,
    /// Identifies it: what it asks for is derived from this.
    pub substream: u64,
    /// Members of a store that have been asked in this attempt.
    pub tried: Tried,
    /// Failed attempts so far.
    pub failures: u32,
    /// The last wait before a retry.
    pub backoff: Span,
    /// Up to when the coroutine's time has been charged.
    pub since: Time,
}

impl PendingCall {
    /// What identifies the attempt of a call after so many that have failed.
    pub(super) fn attempt(&self) -> u64 {
        let substream =
            if self.failures == 0 { self.substream } else { mix(self.substream, u64::from(self.failures)) };
        self.tried.identity(substream)
    }
}

/// What a pending call is about.
#[derive(Clone, Debug, Hash)]
pub(super) enum Job {
    /// A `call` step; `asked` is the member of a store that runs the program.
    Call { program: ProgramId, site: u16, args: Args, asked: Option<Pid> },
    /// A step on a db, or a `drop`.
    Data { part: PartId, op: Op, pooled: bool, asked: Option<Pid> },
    /// A `get` or a `put`.
    Reading(Reading),
    /// A lock that is wanted.
    Lock { hold: HoldId },
    /// One that is renewed, by this member or by so many, of whom so many have answered and so many say that it is not ours.
    Renewal { hold: HoldId, asked: Option<Pid>, of: u32, told: u32, lost: u32 },
    /// A lock that is given back to a store.
    GiveBack { place: PartId, op: Op, asked: Pid },
    /// A member of a store that did not answer is asked whether it is there again.
    Reconnect { part: PartId, member: Pid },
}

impl PendingCall {
    /// One that begins.
    pub(super) fn new(
        coroutine: Option<CoroutineId>,
        on_behalf: Session,
        job: Job,
        substream: u64,
        since: Time,
    ) -> PendingCall {
        let (tried, failures, backoff) = (Tried::default(), 0, Span::ZERO);
        PendingCall { coroutine, on_behalf, job, substream, tried, failures, backoff, since }
    }
}

/// A message of a server's to another part, from where it stands.
pub(super) fn request(op: Op, substream: u64, timeout: Option<Span>, context: CallContext) -> Request {
    Request { op, substream, size_bytes: MESSAGE_BYTES, timeout, from: None, context }
}
