//! How requests and answers get from one process to another: over connections that keep order and send again.

use crate::base::ids::CallId;
use crate::base::rng::Identity;
use crate::base::slab::Key;
use crate::base::time::Time;
use crate::net::{End, Fate, Packet};
use crate::sim::connections::{Parcel, Way};
use crate::sim::event::{Event, Kind};
use crate::sim::kernel::Kernel;

/// A parcel's way from end to end.
#[derive(Clone, Copy)]
struct Leg {
    /// The connection that it rides: one for each pair of processes, those on one node included.
    way: Way,
    from: End,
    to: End,
    size_bytes: u32,
    /// What its draws are named by.
    identity: Identity,
    /// Which incarnation of the receiver it is for.
    incarnation: u16,
}

/// Sets the names of answers apart from those of requests: a member may call another of its own part.
const ANSWER: u64 = 0x8EBC_6AF0_9C88_C6E3;

impl Kernel {
    fn leg(&self, parcel: Parcel) -> Leg {
        let call = self.calls.get(parcel.call).expect("a parcel belongs to an open call");
        let lane = if self.tier_nodes(call.caller).independent { parcel.call.slot + 1 } else { 0 };
        let caller = End { pid: self.home(call.caller), zone: call.zone };
        let (callee, size_bytes) = (self.end(call.callee), call.size_bytes);
        let [asks, answers] = [call.caller, call.callee].map(|pid| &self.nodes[pid.tier.0 as usize]);
        let named = |who: u64| Identity::of_call(who, call.stem).again(call.transmissions);
        if parcel.answer {
            let way = Way { from: call.callee, to: call.caller, lane };
            let identity = named(answers.hop(asks).wrapping_add(ANSWER));
            Leg { way, from: callee, to: caller, size_bytes, identity, incarnation: call.caller_incarnation }
        } else {
            let way = Way { from: call.caller, to: call.callee, lane };
            let identity = named(asks.hop(answers));
            Leg { way, from: caller, to: callee, size_bytes, identity, incarnation: call.callee_incarnation }
        }
    }

    /// Puts a parcel on its way, behind what its connection still has to send again.
    pub(super) fn transmit(&mut self, parcel: Parcel) {
        self.sends += 1;
        let (leg, number) = (self.leg(parcel), self.sends);
        self.calls.get_mut(parcel.call).expect("a parcel belongs to an open call").number = number;
        if self.connections.is_stalled(leg.way, number) {
            return self.stall(leg.way, parcel);
        }
        match self.route(parcel, &leg) {
            Fate::Arrives(at) => self.deliver(parcel, &leg, at),
            Fate::Lost | Fate::Cut => self.stall(leg.way, parcel),
        }
    }

    fn number(&self, parcel: Parcel) -> u64 {
        self.calls.get(parcel.call).expect("a parcel belongs to an open call").number
    }

    /// One transmission, whose draws are its own.
    fn route(&mut self, parcel: Parcel, leg: &Leg) -> Fate {
        if let Some(call) = self.calls.get_mut(parcel.call) {
            call.transmissions = call.transmissions.wrapping_add(1);
        }
        let Leg { from, to, size_bytes, identity, .. } = *leg;
        self.network.route(Packet { from, to, size_bytes, identity }, self.now())
    }

    /// A parcel arrives at `at`, or when the one before it does.
    fn deliver(&mut self, parcel: Parcel, leg: &Leg, at: Time) {
        let Leg { way, from, to, .. } = *leg;
        let at = if way.lane != 0 || from.pid == to.pid {
            at // nothing was sent this way that it could overtake
        } else if self.network.keeps_order(from.zone, to.zone) {
            self.connections.find(way).map_or(at, |connection| at.max(connection.last_arrival))
        } else {
            let (_, connection) = self.connections.open(way);
            connection.last_arrival = connection.last_arrival.max(at);
            connection.last_arrival
        };
        let kind = if parcel.answer { Kind::Reply } else { Kind::Call };
        self.engine.schedule(at, Event::new(kind, way.to, leg.incarnation, parcel.call.to_word()));
    }

    fn stall(&mut self, way: Way, parcel: Parcel) {
        let (now, number) = (self.now(), self.number(parcel));
        if let Some((wait, key)) = self.connections.stall(way, parcel, number, now) {
            self.schedule_own(now + wait, Kind::Retransmit, 0, key.to_word());
        }
    }

    /// A connection tries again. Answers with the calls that broke, if it gave up.
    pub(super) fn retransmit(&mut self, word: u64) -> Vec<CallId> {
        let key = Key::from_word(word);
        let Some(connection) = self.connections.get_mut(key) else { return Vec::new() };
        let (since, way, first) =
            (connection.stalled_since, connection.way(), connection.stalled.front().copied());
        let Some(first) = first else { return Vec::new() };
        let leg = Leg { way, ..self.leg(first) }; // whose sender may be gone
        if let Fate::Arrives(at) = self.route(first, &leg) {
            let mut stalled = self.connections.go_on(key);
            stalled.pop_front();
            self.deliver(first, &leg, at);
            stalled.into_iter().for_each(|parcel| self.transmit(parcel));
            return Vec::new();
        }
        let (from, to) = (leg.from, leg.to);
        if self.now() - since >= self.network.path(from.zone, to.zone).break_after {
            return self.connections.close(key).into_iter().map(|parcel| parcel.call).collect();
        }
        let wait = self.connections.get_mut(key).expect("still there").back_off();
        self.schedule_own(self.now() + wait, Kind::Retransmit, 0, word);
        Vec::new()
    }

    /// Whether a call that opens a connection of its own has none: its request waits on the way, or has reached a machine that is down.
    pub(super) fn has_no_connection(&mut self, id: CallId) -> bool {
        let Some(call) = self.calls.get(id).filter(|call| !call.delivered && !call.answered) else {
            return false;
        };
        let way = Way { from: call.caller, to: call.callee, lane: id.slot + 1 };
        !call.handled || self.connections.find(way).is_some_and(|connection| !connection.stalled.is_empty())
    }

    /// The request of such a call never leaves.
    pub(super) fn withdraw(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let way = Way { from: call.caller, to: call.callee, lane: id.slot + 1 };
        for parcel in self.connections.close_way(way) {
            self.calls.drop_handled(parcel.call);
        }
    }

    /// Whether a parcel that reaches its end may be delivered; if not, its connection will send it again.
    pub(super) fn admitted(&mut self, parcel: Parcel) -> bool {
        if self.resuming || self.network.untroubled() && self.connections.none_is_stalled() {
            return true;
        }
        let Leg { way, from, to, .. } = self.leg(parcel);
        if self.network.admits(from, to) && !self.connections.is_stalled(way, self.number(parcel)) {
            return true;
        }
        self.stall(way, parcel);
        false
    }

    /// The same for the event of its arrival.
    pub(super) fn admits_parcel(&mut self, event: Event) -> bool {
        let parcel = Parcel { call: CallId::from_word(event.word), answer: event.kind() == Kind::Reply };
        self.calls.get(parcel.call).is_none() || self.admitted(parcel)
    }
}
