//! An operation of a client, while a member has it.

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, OpId};
use crate::base::time::{Span, Time};
use crate::components::mech::station::Served;

/// An operation of a client, under way.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct ClientRequest {
    pub(super) served: Served,
    /// The identity of what it writes.
    pub(super) attempt: OpId,
    /// How often it was passed on.
    pub(super) forwards: u32,
    /// Where the time since its service went, up to `since`.
    pub(super) spent: Causes,
    pub(super) since: Time,
    /// Whom it was sent on to, while that one has not answered.
    pub(super) sent: Option<(u32, CallId)>,
}

impl ClientRequest {
    /// The time since the last charge had this cause.
    pub(super) fn charge(&mut self, cause: Cause, now: Time) {
        self.spent.add(cause, now - self.since);
        self.since = now;
    }

    /// So much of the time since then had this one.
    pub(super) fn spend(&mut self, cause: Cause, span: Span) {
        self.charge(cause, self.since + span);
    }

    /// The operation.
    pub(super) fn served(&self) -> &Served {
        &self.served
    }

    /// The identity of what it writes.
    pub(super) fn attempt(&self) -> OpId {
        self.attempt
    }
}
