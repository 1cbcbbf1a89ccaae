//! The world and its main loop: take the next event, dispatch it, until the horizon.

use std::sync::Arc;

use crate::base::ids::{CallId, Pid, ProbeId, TierId, ZoneId};
use crate::base::op::Reason;
use crate::base::time::Time;
use crate::net::Network;
use crate::record::recorder::Recorder;
use crate::sim::alive::{SIGNS, Silence};
use crate::sim::clock::{Clock, ClockImpairmentId};
use crate::sim::event::{Event, KERNEL, Kind};
use crate::sim::fingerprint::Fingerprint;
use crate::sim::kernel::Kernel;
use crate::sim::limits::{Excess, Limits};
use crate::sim::nodes::{Crash, Node, TierNodes};
use crate::sim::order::Order;
use crate::sim::process::Process;
use crate::sim::tier::{AnyTier, Tier};

/// The most tiers of a world: an event has one byte for them, and one value is the kernel's.
pub const TIERS_MAX: usize = 255;

const _: () = assert!(KERNEL as usize >= TIERS_MAX, "the kernel's events are no tier's");

/// A whole simulated system. A clone continues to the same fingerprint.
pub struct World {
    kernel: Kernel,
    tiers: Vec<Box<dyn AnyTier>>,
}

/// Why [`World::run`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing is left to happen before the horizon.
    Horizon,
    /// A watched counter has changed.
    Changed,
    /// The run has processed as many events as it may.
    Events,
    /// There is too much of something, [`World::excess`]: the run has run away.
    Excess,
}

impl World {
    /// The main loop: everything that happens before `horizon`, or until a watched counter changes, or `events_max`
    /// events have been processed in all.
    pub fn run(&mut self, horizon: Time, events_max: u64) -> Stop {
        let World { kernel, tiers } = self;
        if kernel.excess().is_some() {
            return Stop::Excess;
        }
        while kernel.fingerprint.events() < events_max {
            let Some(event) = kernel.engine.pop_before(horizon, |upcoming| {
                for run in upcoming.chunk_by(|a, b| a.event.tier() == b.event.tier()) {
                    if let Some(tier) = tiers.get(run[0].event.tier() as usize) {
                        tier.prefetch(run);
                    }
                }
            }) else {
                return Stop::Horizon;
            };
            kernel.mark(event);
            match event.tier() {
                KERNEL => housekeep(event, kernel, tiers),
                tier => tiers[tier as usize].dispatch(event, kernel),
            }
            if kernel.recorder.changed() {
                return if kernel.excess().is_some() { Stop::Excess } else { Stop::Changed };
            }
        }
        Stop::Events
    }

    /// An empty world.
    pub fn new(seed: u64, network: Network, recorder: Recorder) -> Self {
        World { kernel: Kernel::new(seed, network, recorder), tiers: Vec::new() }
    }

    /// How much there may be at once; nothing is limited without it.
    pub fn limit(&mut self, limits: Limits) {
        self.kernel.limit(limits);
    }

    /// The limit that the run has exceeded: nothing can be concluded from it.
    pub fn excess(&self) -> Option<&Excess> {
        self.kernel.excess()
    }

    /// Adds a tier of `count` like processes that stand in `zones` in turn. The requests of `independent` ones are
    /// different customers', with a connection each.
    ///
    /// # Panics
    /// Beyond [`TIERS_MAX`] tiers; the loader has checked.
    pub fn add<P: Process>(
        &mut self,
        name: &str,
        plan: Arc<P::Plan>,
        count: u32,
        zones: &[ZoneId],
        independent: bool,
    ) -> TierId {
        let id = TierId(self.tiers.len() as u8);
        self.add_tier::<P>(TierNodes::new(name, count, zones, independent), plan, id)
    }

    /// Adds a tier whose members run on the nodes of another's, one each: they crash, stand still and are cut off
    /// together, show one clock, and reach each other at once.
    ///
    /// # Panics
    /// Beyond [`TIERS_MAX`] tiers; the loader has checked.
    pub fn add_beside<P: Process>(&mut self, name: &str, plan: Arc<P::Plan>, beside: TierId) -> TierId {
        let home = TierId(self.kernel.homes[beside.0 as usize]);
        let nodes = self.kernel.nodes[home.0 as usize].renamed(name);
        self.add_tier::<P>(nodes, plan, home)
    }

    fn add_tier<P: Process>(&mut self, nodes: TierNodes, plan: Arc<P::Plan>, home: TierId) -> TierId {
        assert!(self.tiers.len() < TIERS_MAX, "at most {TIERS_MAX} tiers");
        let id = TierId(self.tiers.len() as u8);
        self.tiers.push(Box::new(Tier::<P>::new(id, plan, nodes.count)));
        self.kernel.nodes.push(nodes);
        self.kernel.homes.push(home.0);
        id
    }

    /// Starts every process, tier by tier. Call once, before the first [`World::run`].
    pub fn start(&mut self) {
        for (tier, nodes) in self.tiers.iter_mut().zip(0..) {
            for member in 0..self.kernel.nodes[nodes].count {
                tier.start(member, &mut self.kernel);
            }
        }
    }

    /// The clock.
    pub fn now(&self) -> Time {
        self.kernel.now()
    }

    /// What has been recorded so far.
    pub fn recorder(&self) -> &Recorder {
        &self.kernel.recorder
    }

    /// What has been recorded so far.
    pub fn recorder_mut(&mut self) -> &mut Recorder {
        &mut self.kernel.recorder
    }

    /// The fingerprint of everything so far.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.kernel.fingerprint
    }

    /// Keeps every state of one block of the fingerprint.
    pub fn watch_block(&mut self, block: u64) {
        self.kernel.fingerprint.watch(block);
        self.kernel.attentive = true;
    }

    /// Ends the run: what is under way stays open, and what must hold in every run is checked.
    ///
    /// # Errors
    /// As [`Recorder::close`] has them.
    pub fn close(&mut self, end: Time, names: &dyn Fn(ProbeId) -> String) -> Result<(), String> {
        let mut open = Vec::new();
        self.tiers
            .iter()
            .for_each(|tier| tier.under_way(&mut |probe, intended| open.push((probe, intended))));
        self.kernel.recorder.close(end, &open, names)
    }

    /// Ends the world: what it recorded.
    pub fn into_recorder(self) -> (Recorder, Fingerprint) {
        (self.kernel.recorder, self.kernel.fingerprint)
    }

    /// The network, for faults.
    pub fn network(&mut self) -> &mut Network {
        &mut self.kernel.network
    }

    /// How many members a tier has.
    pub fn count(&self, tier: TierId) -> u32 {
        self.kernel.nodes[tier.0 as usize].count
    }

    /// The members of a tier, when its type is known: for tests.
    pub fn members<P: Process>(&self, tier: TierId) -> Option<Vec<&P>> {
        self.tiers[tier.0 as usize].as_any().downcast_ref::<Tier<P>>().map(Tier::members)
    }

    /// Pending events, and calls in being: for tests of leaks.
    pub fn population(&self) -> (usize, usize) {
        (self.kernel.engine.len(), self.kernel.calls.len())
    }

    /// Cancelled timers that still lie in the queue: for tests of leaks.
    pub fn dead(&self) -> usize {
        self.kernel.cancelled_timers
    }

    /// A node crashes: memory and unsynced records of its processes are lost; timers die; what they sent still arrives.
    pub fn crash(&mut self, pid: Pid, how: Crash) {
        let Some(waiting) = self.kernel.crash(pid, how) else { return };
        for event in waiting {
            self.tiers[event.tier() as usize].dispatch(event, &mut self.kernel);
        }
        for tier in self.kernel.on_nodes_of(pid.tier) {
            self.tiers[tier.0 as usize].crash(pid.member, &mut self.kernel);
        }
    }

    /// The processes of a crashed node start again, with what their disks kept.
    pub fn restart(&mut self, pid: Pid) {
        if self.node_mut(pid).down.take().is_some() {
            for tier in self.kernel.on_nodes_of(pid.tier) {
                self.tiers[tier.0 as usize].start(pid.member, &mut self.kernel);
            }
        }
    }

    fn node_mut(&mut self, pid: Pid) -> &mut Node {
        self.kernel.tier_nodes_mut(pid).node_mut(pid.member)
    }

    /// A node stands still: what happens to its processes waits. Pauses nest.
    pub fn pause(&mut self, pid: Pid) {
        let node = self.node_mut(pid);
        if node.down.is_none() {
            node.pauses += 1;
        }
    }

    /// One pause ends; after the last, what had waited happens, in order.
    pub fn resume(&mut self, pid: Pid) {
        let node = self.node_mut(pid);
        node.pauses = node.pauses.saturating_sub(1);
        if node.pauses > 0 {
            return;
        }
        let waiting = std::mem::take(&mut node.deferred);
        self.kernel.resuming = true;
        for event in waiting {
            self.tiers[event.tier() as usize].dispatch(event, &mut self.kernel);
        }
        self.kernel.resuming = false;
    }

    /// A node's processes take no new requests and finish those that they have. Drains nest.
    pub fn drain(&mut self, pid: Pid) {
        let node = self.node_mut(pid);
        node.drains += 1;
        if node.drains == 1 {
            self.tell_of_drain(pid);
        }
    }

    /// What stands still will see it when it goes on.
    fn tell_of_drain(&mut self, pid: Pid) {
        let node = self.node_mut(pid);
        if node.down.is_none() && node.pauses == 0 {
            for tier in self.kernel.on_nodes_of(pid.tier) {
                self.tiers[tier.0 as usize].order(pid.member, Order::Drain, &mut self.kernel);
            }
        }
    }

    /// One drain ends.
    pub fn undrain(&mut self, pid: Pid) {
        let node = self.node_mut(pid);
        node.drains = node.drains.saturating_sub(1);
        if node.drains == 0 {
            self.tell_of_drain(pid);
        }
    }

    /// A node's wall clock jumps by `jump_ns`, and both its clocks run `drift_ppb` parts per billion too fast from now on.
    pub fn skew(&mut self, pid: Pid, jump_ns: i64, drift_ppb: i64) -> ClockImpairmentId {
        self.sets_clock(pid, |clock, now| clock.impairment(now, jump_ns, drift_ppb))
    }

    /// One trouble of a node's clock ends.
    pub fn clear(&mut self, pid: Pid, id: ClockImpairmentId) {
        self.sets_clock(pid, |clock, now| clock.lift(now, id));
    }

    /// Changes a node's clock; its processes hear of it if the wall clock has jumped.
    fn sets_clock<R>(&mut self, pid: Pid, change: impl FnOnce(&mut Clock, Time) -> R) -> R {
        let before = self.kernel.wall(pid);
        let changed = self.kernel.change_clock(pid, change);
        if self.kernel.wall(pid) != before && self.is_up(pid) && !self.kernel.is_paused(pid) {
            for tier in self.kernel.on_nodes_of(pid.tier) {
                self.tiers[tier.0 as usize].order(pid.member, Order::ClockSet, &mut self.kernel);
            }
        }
        changed
    }

    /// Whether a process is up and believes that it leads its tier.
    pub fn is_leader(&self, pid: Pid) -> bool {
        self.is_up(pid) && self.tiers[pid.tier.0 as usize].is_leader(pid.member)
    }

    /// Whether there is such a process, and its node is up.
    pub fn is_up(&self, pid: Pid) -> bool {
        let nodes = self.kernel.tier_nodes(pid);
        pid.member < self.count(pid.tier) && nodes.node(pid.member).is_none_or(|node| node.down.is_none())
    }

    /// The node that a process runs on, by the name that the network knows.
    pub fn home(&self, pid: Pid) -> Pid {
        self.kernel.home(pid)
    }

    /// Gives an order to a process that is up.
    pub fn order(&mut self, pid: Pid, order: Order) {
        if self.kernel.tier_nodes(pid).node(pid.member).is_none_or(|node| node.down.is_none()) {
            self.tiers[pid.tier.0 as usize].order(pid.member, order, &mut self.kernel);
        }
    }

    /// Everything that happens before `at`, to which the clock moves: what is done next to the world, a fault, is done then.
    pub fn until(&mut self, at: Time) -> Stop {
        let stop = self.run(at, u64::MAX);
        if stop == Stop::Horizon {
            self.advance(at);
        }
        stop
    }

    /// Moves the clock to `at`, before which everything has happened: for a fault that begins then.
    pub fn advance(&mut self, at: Time) {
        self.kernel.engine.advance(at);
    }
}

/// The kernel's own events: timeouts that are due, connections that try again.
fn housekeep(event: Event, kernel: &mut Kernel, tiers: &mut [Box<dyn AnyTier>]) {
    match event.kind() {
        Kind::Deadline if event.word == SIGNS => {
            while let Some((call, silence)) = kernel.next_silent(event.member()) {
                if let Silence::Unreachable = silence {
                    expire(call, Reason::Refused, kernel, tiers);
                }
            }
            kernel.rearm_signs(event.member());
        }
        Kind::Deadline => {
            while let Some(call) = kernel.next_expired(event.member()) {
                if !kernel.defer_timeout(call) {
                    expire(call, Reason::Timeout, kernel, tiers);
                }
            }
            kernel.rearm(event.member());
        }
        Kind::Retransmit => {
            for call in kernel.retransmit(event.word) {
                expire(call, Reason::Reset, kernel, tiers);
                kernel.calls.drop_handled(call);
            }
        }
        other => unreachable!("{other:?} goes to a tier"),
    }
}

/// Tells a caller that no answer will come.
fn expire(call: CallId, reason: Reason, kernel: &mut Kernel, tiers: &mut [Box<dyn AnyTier>]) {
    let pinged = kernel.pinged_for(call);
    let given_up = kernel.expire(call, reason);
    if let Some(pinged) = pinged {
        return expire(pinged, Reason::Reset, kernel, tiers); // no sign of life: the connection is broken
    }
    if let Some((caller, tag, reply)) = given_up {
        tiers[caller.tier.0 as usize].expire(caller.member, call, tag, reply, kernel);
    }
}

impl Clone for World {
    fn clone(&self) -> Self {
        World {
            kernel: self.kernel.clone(),
            tiers: self.tiers.iter().map(|tier| tier.boxed_clone()).collect(),
        }
    }
}
