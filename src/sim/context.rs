//! What a process may do: its window on the kernel. (Owner: the kernel work; the signatures are the contract.)

use std::marker::PhantomData;

use crate::base::cause::Causes;
use crate::base::ids::{CallId, Pid, SyncId, TimerId, ZoneId};
use crate::base::op::{Op, Outcome};
use crate::base::rng::{Draws, Stream};
use crate::base::time::{Span, Time};
use crate::record::recorder::Recorder;
use crate::sim::process::Process;

/// An operation to be called.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What is asked.
    pub op: Op,
    /// What the callee's draws are derived from.
    pub stem: u64,
    /// Size on the wire, bytes.
    pub size_bytes: u32,
    /// After this the caller gets `Unknown(Timeout)`. `None`: never.
    pub timeout: Option<Span>,
    /// As if called from this zone.
    pub from: Option<ZoneId>,
}

/// A process's window on the world.
pub struct Context<'a, P: Process> {
    placeholder: PhantomData<&'a mut P>,
}

#[allow(unused_variables, clippy::unused_self)]
impl<P: Process> Context<'_, P> {
    /// The process itself.
    pub fn me(&self) -> Pid {
        todo!()
    }
    /// What all members of the tier share.
    pub fn plan(&self) -> std::sync::Arc<P::Plan> {
        todo!()
    }
    /// The node's clock, which may be skewed or drift.
    pub fn clock(&self) -> Time {
        todo!()
    }
    /// True time: for records and measures, never for a protocol's decisions.
    pub fn now(&self) -> Time {
        todo!()
    }
    /// The sequential ChaCha8 stream of (part, member, purpose): what machinery draws. `purpose` < 16, the part's own numbering.
    pub fn stream(&mut self, purpose: u8) -> &mut Stream {
        todo!()
    }
    /// The key of what customers bring (arrivals, thinks, keys, demands); `mix` it with names and counters for [`Draws`].
    pub fn demand_key(&self) -> u64 {
        todo!()
    }
    /// Draws named by `stem` under the demand key.
    pub fn draws(&self, stem: u64) -> Draws {
        todo!()
    }

    /// Calls `to`; the answer comes to `on_reply` with `tag`, exactly once.
    pub fn call(&mut self, to: Pid, request: Request, tag: u64) -> CallId {
        todo!()
    }
    /// Lets go of a call of ours: no answer will come; a late one is counted. True if it was outstanding.
    pub fn abandon(&mut self, call: CallId) -> bool {
        todo!()
    }
    /// Who made a call to us.
    pub fn caller(&self, call: CallId) -> Pid {
        todo!()
    }
    /// What the draws of a call to us are derived from.
    pub fn stem(&self, call: CallId) -> u64 {
        todo!()
    }
    /// Whether the caller still waits. (A callee does not know this in life: only for a `deadline`.)
    pub fn awaited(&self, call: CallId) -> bool {
        todo!()
    }
    /// When a call to us arrived here.
    pub fn arrived(&self, call: CallId) -> Time {
        todo!()
    }
    /// Answers a call to us. `causes` must sum to `now - arrived` exactly. `note`: see [`crate::base::op::Reply`].
    pub fn reply(&mut self, call: CallId, outcome: Outcome, note: u32, causes: &Causes, size_bytes: u32) {
        todo!()
    }

    /// Sends a datagram of the protocol to a member of our own tier.
    pub fn send(&mut self, to: Pid, message: P::Message, size_bytes: u32) {
        todo!()
    }

    /// Wakes us after `after`; can be cancelled.
    pub fn set_timer(&mut self, after: Span, timer: P::Timer) -> TimerId {
        todo!()
    }
    /// Cancels a timer; true if it had not gone off.
    pub fn cancel_timer(&mut self, timer: TimerId) -> bool {
        todo!()
    }
    /// Wakes us after `after`; cannot be cancelled and costs nothing beyond its event.
    pub fn wake(&mut self, after: Span, timer: P::Timer) {
        todo!()
    }

    /// Appends to our disk's log (volatile until synced).
    pub fn append(&mut self, record: P::Record) {
        todo!()
    }
    /// Makes everything appended so far safe; takes `cost` of the disk's time, after what is queued there. `on_synced` follows.
    pub fn sync(&mut self, cost: Span) -> SyncId {
        todo!()
    }
    /// Replaces the synced log by a snapshot, at the next completed sync.
    pub fn snapshot(&mut self, snapshot: P::Snapshot) {
        todo!()
    }

    /// Where measures are recorded.
    pub fn record(&mut self) -> &mut Recorder {
        todo!()
    }
}
