//! An operation on its way to be called.

use crate::base::ids::{OpId, ZoneId};
use crate::base::op::{Fence, Op};
use crate::base::session::Session;
use crate::base::time::Span;

/// An operation to be called.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What is asked.
    pub op: Op,
    /// Identifies the call among all of a run, whatever else happens in it: a hash of who asks for what, the how-manieth attempt
    /// included. Its latencies and losses are drawn by it, as is what is done for it. The same call passed on keeps it.
    pub substream: u64,
    /// Size on the wire, bytes.
    pub size_bytes: u32,
    /// After this, by its own clock, the caller gets `Unknown(Timeout)`. `None`: never.
    pub timeout: Option<Span>,
    /// As if called from this zone.
    pub from: Option<ZoneId>,
    /// What goes with it: for whom it is, and as part of what.
    pub context: CallContext,
}

/// What goes with a call besides the operation, as headers and the state of a connection do.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallContext {
    /// The customer on whose behalf.
    pub session: Session,
    /// The transaction that it belongs to, as its caller calls it; 0: none. In life the connection says so.
    pub transaction: u64,
    /// What goes with it where its caller holds a lock.
    pub fence: Fence,
    /// The identity of what it writes, where it passes somebody else's call on; 0: its own.
    pub attempt: OpId,
}

impl CallContext {
    /// Nothing but the customer.
    pub fn of(session: Session) -> Self {
        CallContext { session, ..CallContext::default() }
    }
}
