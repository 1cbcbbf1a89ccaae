//! The one trait that built-in parts and users' own protocols implement.

use std::convert::Infallible;
use std::hash::Hash;

use crate::base::ids::{CallId, Pid, ProbeId, SyncId};
use crate::base::op::{Op, Reply};
use crate::base::time::Time;
use crate::sim::context::Context;

/// A value that fits into the 64-bit word of an event.
pub trait Word: Copy {
    /// To the word.
    fn to_word(self) -> u64;
    /// From the word.
    fn from_word(word: u64) -> Self;
}

/// What protocol messages carry. At most 24 bits travel in the event itself; larger payloads lie in the tier's slab.
pub trait Payload: Clone + Hash + Send + 'static {
    /// How many messages a member has sent, for each purpose that they serve: what is drawn for those of one purpose is not moved by
    /// more or fewer of another. `[u32; N]` with N purposes; it lies beside the member, where it costs no look elsewhere.
    type Sent: AsMut<[u32]> + Clone + Default + Send + 'static;
    /// Which purpose this one serves, from 0.
    fn purpose(&self) -> u8 {
        0
    }
    /// The payload as at most 24 bits, if it fits.
    fn inline(&self) -> Option<u32> {
        None
    }
    /// The network has made a second copy of the datagram, and this is it: what is drawn for it must be its own.
    fn doubled(&mut self) {}
    /// The inverse of [`Payload::inline`].
    fn from_inline(_bits: u32) -> Self {
        unreachable!("only payloads that go inline come back inline")
    }
}

/// What a process's disk holds: the last snapshot and the records synced after it.
#[derive(Clone, Debug, Hash)]
pub struct Disk<R, S> {
    /// The last snapshot, if one was taken.
    pub snapshot: Option<S>,
    /// Records appended after the snapshot, oldest first.
    pub records: Vec<R>,
}

impl<R, S> Default for Disk<R, S> {
    fn default() -> Self {
        Disk { snapshot: None, records: Vec::new() }
    }
}

/// An order from outside the protocol: a fault, or an operator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// Forget what is cached.
    Flush,
    /// The wall clock was set: what is due by it may be so now (Linux: `TFD_TIMER_CANCEL_ON_SET`).
    ClockSet,
    /// Set a parameter (shares and counts as they are, spans in ns).
    Set {
        /// The parameter's name in its kind's table.
        parameter: &'static str,
        /// New value.
        value: f64,
    },
    /// Give a parameter back what the design says.
    Reset {
        /// The parameter's name in its kind's table.
        parameter: &'static str,
    },
    /// A drain of its node has begun, or the last one has ended ([`Context::draining`]).
    Drain,
}

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

impl Word for u64 {
    fn to_word(self) -> u64 {
        self
    }
    fn from_word(word: u64) -> u64 {
        word
    }
}

impl Word for () {
    fn to_word(self) -> u64 {
        0
    }
    fn from_word(_: u64) {}
}

/// Of a protocol without messages: parts that only call and answer.
impl Payload for Infallible {
    type Sent = [u32; 0];
}

/// Of a protocol with one message, which says nothing but that it came.
impl Payload for () {
    type Sent = [u32; 1];
    fn inline(&self) -> Option<u32> {
        Some(0)
    }
    fn from_inline(_: u32) {}
}
