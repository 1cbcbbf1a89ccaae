//! The one trait that built-in parts and users' own protocols implement.

use std::hash::Hash;

use crate::base::ids::{CallId, Pid, ProbeId, SyncId};
use crate::base::op::{Op, Reply};
use crate::base::time::Time;
use crate::sim::context::Context;
use crate::sim::disk::Disk;
use crate::sim::order::Order;
use crate::sim::payload::{Payload, Word};

/// A process: state plus what it does when something happens to it. No floats in it, so that it is `Hash`.
pub trait Process: Clone + Hash + Send + 'static {
    /// What all members share and nobody changes: resolved parameters, programs, who is who.
    type Plan: Send + Sync + 'static;
    /// The protocol's own messages.
    type Message: Payload;
    /// Timers.
    type Timer: Word;
    /// What it appends to its disk.
    type Record: Clone + Hash + Send + 'static;
    /// What it snapshots to its disk.
    type Snapshot: Clone + Hash + Send + 'static;

    /// A fresh member: what it is at time zero and, but for its disk, after each crash.
    fn build(plan: &Self::Plan, member: u32) -> Self;

    /// At time zero and after each restart.
    fn start(&mut self, _disk: &Disk<Self::Record, Self::Snapshot>, _ctx: &mut Context<Self>) {}

    /// A client's operation arrived. Answer it, now or later, by [`Context::reply`].
    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>);

    /// The answer to a call of ours (exactly one per call, a timeout included); `tag` is what we gave with the call.
    fn on_reply(&mut self, _call: CallId, _tag: u64, _reply: Reply, _ctx: &mut Context<Self>) {}

    /// An answer arrived for a call that had timed out or that we had let go; `op` is what was asked. Only for counting.
    fn on_late(&mut self, _call: CallId, _tag: u64, _op: Op, _ctx: &mut Context<Self>) {}

    /// Any word of the state: reading it loads the member into the processor's cache ahead of its event.
    #[inline]
    fn prefetch(&self) -> u64 {
        0
    }

    /// A message of the protocol arrived.
    fn on_message(&mut self, _from: Pid, _message: Self::Message, _ctx: &mut Context<Self>) {}

    /// A timer went off.
    fn on_timer(&mut self, _timer: Self::Timer, _ctx: &mut Context<Self>) {}

    /// A sync of our disk completed.
    fn on_synced(&mut self, _sync: SyncId, _ctx: &mut Context<Self>) {}

    /// We crash: a last moment to take back what we have recorded (levels). Nothing else done here has any effect.
    fn on_crash(&mut self, _ctx: &mut Context<Self>) {}

    /// Whether it believes that it leads its tier: for faults that strike whoever leads. It may be wrong.
    fn is_leader(&self) -> bool {
        false
    }

    /// An order from outside.
    fn on_order(&mut self, _order: Order, _ctx: &mut Context<Self>) {}

    /// Tells of each request that it has recorded as started and not as ended: where, and its intended start.
    fn under_way(&self, _plan: &Self::Plan, _tell: &mut dyn FnMut(ProbeId, Time)) {}
}
