//! What all tiers share: the clock and its pending events, the network, outstanding calls, nodes, streams, records.
//! It knows no process type; [`crate::sim::tier::Tier`] does.

use rustc_hash::FxHashMap;

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, Pid, TierId};
use crate::base::op::{Op, Outcome, Reason, Reply};
use crate::base::rng::{Bits, Draws, Identity, Stream, mix, name_hash};
use crate::base::session::CausalContext;
use crate::base::slab::Slab;
use crate::base::time::{Span, Time};
use crate::engine::Engine;
use crate::net::{Delivery, End, Network, Packet};
use crate::record::recorder::Recorder;
use crate::sim::calls::{Call, Calls};
use crate::sim::connections::{Connections, Segment};
use crate::sim::deadlines::Deadlines;
use crate::sim::event::{Event, KERNEL, Kind};
use crate::sim::fingerprint::{Fingerprint, outcome_word};
use crate::sim::keepalive::{Keepalive, Watched};
use crate::sim::limits::Standing;
use crate::sim::nodes::{TierNodes, stream_name};
use crate::sim::request::Request;

/// An odd number that sets the lives and the purposes of messages apart.
const MESSAGE: u64 = 0xE703_7ED1_A0B4_28DB;

/// The purpose by which a process's own requests are named; streams have those up to 15.
const REQUESTS: u8 = 16;

/// The shared state of a world.
#[derive(Clone)]
pub struct Kernel {
    pub(super) engine: Engine<Event>,
    pub(super) network: Network,
    pub(super) calls: Calls,
    pub(super) deadlines: Deadlines,
    pub(super) connections: Connections,
    /// When calls that are looked after will have been without a sign of life for too long; which those are; whom a sign was asked of.
    pub(super) signs: Deadlines,
    pub(super) watched: FxHashMap<CallId, Watched>,
    pub(super) pinging: FxHashMap<CallId, Keepalive>,
    pub(super) nodes: Vec<TierNodes>,
    /// By tier: the tier on whose nodes it runs, mostly itself.
    pub(super) homes: Vec<u8>,
    /// Whether any node was ever in trouble: until then nobody need look.
    pub(super) impaired: bool,
    /// Whether any clock ever ran at a rate of its own: until then nobody need look.
    pub(super) drifts: bool,
    /// Whether what happens now had reached a process while it stood still: it is not asked again whether it gets through.
    pub(super) resuming: bool,
    /// How many segments were put on their way.
    pub(super) sends: u64,
    /// The last number that was given out to be somebody's alone.
    unique: u64,
    /// By tier: how many turns its processes have taken.
    turns: Vec<u64>,
    pub(super) standing: Standing,
    /// Somebody wants to look at each event, and not only at each block of them.
    pub(super) attentive: bool,
    pub(super) cancellable_timers: Slab<u64>,
    pub(super) cancelled_timers: usize,
    streams: FxHashMap<u64, Stream>,
    seed: u64,
    /// What customers bring, what is drawn for calls, and the legs of messages.
    demand_key: u64,
    service_key: u64,
    hop_key: u64,
    /// Where measures are recorded.
    pub recorder: Recorder,
    /// The fingerprint so far.
    pub fingerprint: Fingerprint,
}

impl Kernel {
    /// An empty world's kernel.
    pub fn new(seed: u64, network: Network, recorder: Recorder) -> Self {
        Kernel {
            engine: Engine::new(),
            network,
            calls: Calls::default(),
            deadlines: Deadlines::default(),
            connections: Connections::default(),
            signs: Deadlines::default(),
            watched: FxHashMap::default(),
            pinging: FxHashMap::default(),
            nodes: Vec::new(),
            homes: Vec::new(),
            impaired: false,
            drifts: false,
            resuming: false,
            sends: 0,
            unique: 0,
            turns: Vec::new(),
            standing: Standing::default(),
            attentive: false,
            cancellable_timers: Slab::default(),
            cancelled_timers: 0,
            streams: FxHashMap::default(),
            seed,
            demand_key: Stream::new(seed, name_hash("demand")).bits(),
            service_key: Stream::new(seed, name_hash("service")).bits(),
            hop_key: Stream::new(seed, name_hash("leg")).bits(),
            recorder,
            fingerprint: Fingerprint::default(),
        }
    }

    /// True time.
    #[inline]
    pub fn now(&self) -> Time {
        self.engine.now()
    }

    /// The key of what customers bring.
    pub fn demand_key(&self) -> u64 {
        self.demand_key
    }

    /// A number that nobody else gets, larger than all before it.
    pub(super) fn unique(&mut self) -> u64 {
        self.unique += 1;
        self.unique
    }

    /// How many turns the processes of a tier have taken before this one.
    pub(super) fn turn(&mut self, tier: TierId) -> u64 {
        let tier = tier.0 as usize;
        if tier >= self.turns.len() {
            self.turns.resize(tier + 1, 0);
        }
        self.turns[tier] += 1;
        self.turns[tier] - 1
    }

    /// The nodes on which a tier runs.
    #[inline]
    pub fn tier_nodes(&self, pid: Pid) -> &TierNodes {
        &self.nodes[self.homes[pid.tier.0 as usize] as usize]
    }

    pub(super) fn tier_nodes_mut(&mut self, pid: Pid) -> &mut TierNodes {
        self.impaired = true;
        &mut self.nodes[self.homes[pid.tier.0 as usize] as usize]
    }

    /// The tiers that run on the nodes of a tier: itself and those beside it.
    pub(super) fn on_nodes_of(&self, tier: TierId) -> Vec<TierId> {
        let home = self.homes[tier.0 as usize];
        (0..self.homes.len())
            .filter(|other| self.homes[*other] == home)
            .map(|tier| TierId(tier as u8))
            .collect()
    }

    /// Processes on one node are one end: they reach each other at once, and troubles name the node.
    #[inline]
    pub(super) fn end(&self, pid: Pid) -> End {
        End { pid: self.home(pid), zone: self.tier_nodes(pid).zone(pid.member) }
    }

    /// The node that a process runs on, by the name that the network knows.
    #[inline]
    pub(super) fn home(&self, pid: Pid) -> Pid {
        Pid::new(TierId(self.homes[pid.tier.0 as usize]), pid.member)
    }

    #[inline]
    fn incarnation(&self, pid: Pid) -> u16 {
        self.tier_nodes(pid).incarnation(pid.member)
    }

    /// The purpose of the time that messages spend on their legs.
    pub(super) fn hop_key(&self) -> u64 {
        self.hop_key
    }

    /// What a process draws for a call.
    #[inline]
    #[cfg_attr(test, track_caller)]
    pub(super) fn service_draws(&self, me: Pid, purpose: u8, substream: u64) -> Draws {
        let part = self.nodes[me.tier.0 as usize].name_hash();
        Identity::of_call(part, substream).again(u32::from(purpose)).draws(self.service_key)
    }

    /// Names the request of that number that a process makes on its own, in this life.
    pub(super) fn request_substream(&self, from: Pid, number: u64) -> u64 {
        let who = stream_name(&self.nodes[from.tier.0 as usize], from, REQUESTS);
        mix(mix(who, u64::from(self.incarnation(from))), number)
    }

    /// The sequential stream of (member, purpose).
    pub fn stream(&mut self, pid: Pid, purpose: u8) -> &mut Stream {
        assert!(purpose < 16, "a part numbers its purposes from 0 to 15");
        #[cfg(test)]
        crate::base::rng::log::note_stream();
        let place = (pid.tier.0 as u64) << 40 | u64::from(pid.member) << 8 | u64::from(purpose);
        let (seed, name) = (self.seed, stream_name(&self.nodes[pid.tier.0 as usize], pid, purpose));
        self.streams.entry(place).or_insert_with(|| Stream::new(seed, mix(name, name_hash("machinery"))))
    }

    /// Schedules an event for a process as it is now.
    #[inline]
    pub(super) fn schedule(&mut self, at: Time, target: Pid, kind: Kind, word: u64) {
        let incarnation = self.incarnation(target);
        self.engine.schedule(at, Event::new(kind, target, incarnation, word));
    }

    pub(super) fn schedule_own(&mut self, at: Time, kind: Kind, member: u32, word: u64) {
        self.engine.schedule(at, Event::new(kind, Pid::new(TierId(KERNEL), member), 0, word));
    }

    // ---- calls

    /// Opens a call and sends its request.
    pub(super) fn call(&mut self, caller: Pid, to: Pid, request: Request, tag: u64) -> CallId {
        let now = self.now();
        let zone = request.from.unwrap_or_else(|| self.tier_nodes(caller).zone(caller.member));
        let id = self.calls.open(Call {
            op: request.op,
            substream: request.substream,
            tag,
            caller,
            caller_incarnation: self.incarnation(caller),
            callee_incarnation: self.incarnation(to),
            callee: to,
            zone,
            context: request.context,
            size_bytes: request.size_bytes,
            number: 0,
            transmissions: 0,
            sent: now,
            arrived: now,
            deadline: None,
            awaited: true,
            handled: true,
            delivered: false,
            answered: false,
            outcome: Outcome::Unknown(Reason::Timeout),
            failed_at: None,
            note: 0,
            causes: Causes::NONE,
        });
        self.count_calls();
        if let Some(span) = request.timeout {
            let span = self.takes(caller, span);
            self.expect_answer(id, span);
        }
        self.transmit(Segment { call: id, answer: false });
        id
    }

    /// Sends the answer to a call. A call that was answered before is not answered again.
    pub(super) fn answer(
        &mut self,
        id: CallId,
        outcome: Outcome,
        note: u32,
        causes: &Causes,
        size_bytes: u32,
    ) {
        let now = self.now();
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.answered {
            return;
        }
        debug_assert_eq!(causes.total(), now - call.arrived, "the causes of an answer sum to its time");
        call.answered = true;
        call.outcome = outcome;
        call.note = note;
        call.causes = *causes;
        call.size_bytes = size_bytes;
        call.transmissions = 0;
        self.transmit(Segment { call: id, answer: true });
    }

    /// The caller lets go of a call. True if it waited.
    pub(super) fn abandon(&mut self, id: CallId) -> bool {
        let deadline = self.calls.get(id).and_then(|call| call.deadline);
        let waited = self.calls.abandon(id);
        if waited && let Some(deadline) = deadline {
            self.deadlines.answered(deadline);
        }
        self.look_no_more(id);
        waited
    }

    /// A request has reached its callee: the operation, if it is to be handled.
    #[inline]
    pub(super) fn request_arrives(&mut self, id: CallId) -> Option<Op> {
        if self.calls.get(id).is_none() || !self.admitted(Segment { call: id, answer: false }) {
            return None;
        }
        let now = self.now();
        let call = self.calls.get_mut(id)?;
        call.arrived = now;
        call.delivered = true;
        Some(call.op)
    }

    /// An answer has reached its caller: its tag and the answer; `Err` is the tag of a caller that had let go, and what it asked.
    #[inline]
    pub(super) fn answer_arrives(&mut self, id: CallId) -> Option<Result<(u64, Reply), (u64, Op)>> {
        if self.calls.get(id).is_none() || !self.admitted(Segment { call: id, answer: true }) {
            return None;
        }
        let now = self.now();
        let call = self.calls.get(id)?;
        let mut causes = call.causes;
        causes.add(Cause::Network, (now - call.sent).saturating_sub(causes.total()));
        let (tag, op) = (call.tag, call.op);
        if op == (Op::Ping { of_call: true }) {
            self.calls.drop_handled(id);
            self.abandon(id);
            self.is_alive(CallId::from_word(tag));
            return None;
        }
        let at = call.failed_at.unwrap_or(call.callee.tier);
        let reply =
            Reply { outcome: call.outcome, note: call.note, at, seen: call.context.session.causal, causes };
        self.calls.drop_handled(id);
        if self.abandon(id) {
            self.fingerprint.more(outcome_word(reply.outcome));
            Some(Ok((tag, reply)))
        } else {
            self.calls.late += 1;
            Some(Err((tag, op)))
        }
    }

    /// The answer that a caller gets when none will come: its tag and the answer, if it still waits.
    pub(super) fn expire(&mut self, id: CallId, reason: Reason) -> Option<(Pid, u64, Reply)> {
        let now = self.now();
        let call = self.calls.get(id)?;
        let cause = if reason == Reason::Refused { Cause::Network } else { Cause::Timeout };
        let causes = Causes::only(cause, now - call.sent);
        let (caller, tag, incarnation) = (call.caller, call.tag, call.caller_incarnation);
        let at = call.callee.tier;
        let reply =
            Reply { outcome: Call::expire(reason), note: 0, at, seen: CausalContext::NOTHING, causes };
        if !self.abandon(id) || incarnation != self.incarnation(caller) {
            return None;
        }
        self.fingerprint.more(outcome_word(reply.outcome));
        Some((caller, tag, reply))
    }

    /// The next call of a class that has timed out by now.
    pub(super) fn next_expired(&mut self, class: u32) -> Option<CallId> {
        self.deadlines.expired(class, self.now())
    }

    /// Schedules the next event of a class.
    pub(super) fn rearm(&mut self, class: u32) {
        if let Some(due) = self.deadlines.rearm(class) {
            self.schedule_own(due, Kind::Deadline, class, 0);
        }
    }

    // ---- datagrams

    /// Names the message of that number, by the sender's own count of messages that serve this purpose in this life.
    #[inline]
    pub(super) fn message_identity(&self, from: Pid, to: Pid, purpose: u8, number: u32) -> Identity {
        let nodes = &self.nodes[from.tier.0 as usize];
        let life = u64::from(self.incarnation(from)) << 8 | u64::from(purpose);
        let who = nodes.hop(nodes).wrapping_add(life.wrapping_mul(MESSAGE));
        Identity::counted(who, number).between(from.member, to.member)
    }

    /// Names the message that serves a purpose of a call.
    pub(super) fn service_identity(&self, from: Pid, to: Pid, purpose: u8, substream: u64) -> Identity {
        let nodes = &self.nodes[from.tier.0 as usize];
        let who = nodes.hop(nodes).wrapping_add(u64::from(purpose).wrapping_mul(MESSAGE));
        Identity::of_call(who, substream).between(from.member, to.member)
    }

    /// Sends a datagram, unless it is lost; `make` gives kind and word for each copy that gets through, and is told which is the last.
    #[inline]
    pub(super) fn datagram(
        &mut self,
        from: Pid,
        to: Pid,
        size_bytes: u32,
        more: Span,
        identity: Identity,
        mut make: impl FnMut(bool) -> (Kind, u64),
    ) {
        let now = self.now();
        // Both ends are of one tier: its nodes are looked up once.
        let home = self.homes[to.tier.0 as usize];
        let nodes = &self.nodes[home as usize];
        let end = |pid: Pid| End { pid: Pid::new(TierId(home), pid.member), zone: nodes.zone(pid.member) };
        let packet = Packet { from: end(from), to: end(to), size_bytes, identity };
        if let Some(at) = self.network.route_plain(packet, now) {
            let incarnation = nodes.incarnation(to.member);
            let (kind, word) = make(true);
            return self.engine.schedule(at + more, Event::new(kind, to, incarnation, word));
        }
        let copies = 1 + u32::from(self.network.duplicates(packet));
        for copy in 1..=copies {
            let packet = Packet { identity: identity.again(copy - 1), ..packet };
            if let Delivery::Arrives(at) = self.network.route(packet, now) {
                let (kind, word) = make(copy == copies);
                let held = self.network.holds_back(packet);
                self.schedule(at + more + held, to, kind, word);
            }
        }
    }

    /// Whether a datagram that arrives now gets through.
    #[inline(always)]
    pub(super) fn admits_datagram(&self, from: Pid, to: Pid) -> bool {
        self.network.unimpaired() || self.resuming || self.impairments_admit(from, to)
    }

    #[inline(never)]
    fn impairments_admit(&self, from: Pid, to: Pid) -> bool {
        self.network.admits(self.end(from), self.end(to))
    }
}
