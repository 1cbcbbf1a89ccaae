//! How requests and answers get from one process to another: over connections that keep order and send again.

use crate::base::ids::CallId;
use crate::base::rng::Identity;
use crate::base::slab::Key;
use crate::base::time::Time;
use crate::net::{Delivery, End, Packet};
use crate::sim::connections::{Direction, Segment};
use crate::sim::event::{Event, Kind};
use crate::sim::kernel::Kernel;

/// A segment's way from end to end.
#[derive(Clone, Copy)]
struct Hop {
    /// The connection that it rides: one for each pair of processes, those on one node included.
    direction: Direction,
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
    fn hop(&self, segment: Segment) -> Hop {
        let call = self.calls.get(segment.call).expect("a parcel belongs to an open call");
        let connection_number =
            if self.tier_nodes(call.caller).independent { segment.call.slot + 1 } else { 0 };
        let caller = End { pid: self.home(call.caller), zone: call.zone };
        let (callee, size_bytes) = (self.end(call.callee), call.size_bytes);
        let [asks, answers] = [call.caller, call.callee].map(|pid| &self.nodes[pid.tier.0 as usize]);
        let named = |who: u64| Identity::of_call(who, call.substream).again(call.transmissions);
        if segment.answer {
            let direction = Direction { from: call.callee, to: call.caller, connection_number };
            let identity = named(answers.hop(asks).wrapping_add(ANSWER));
            Hop {
                direction,
                from: callee,
                to: caller,
                size_bytes,
                identity,
                incarnation: call.caller_incarnation,
            }
        } else {
            let direction = Direction { from: call.caller, to: call.callee, connection_number };
            let identity = named(asks.hop(answers));
            Hop {
                direction,
                from: caller,
                to: callee,
                size_bytes,
                identity,
                incarnation: call.callee_incarnation,
            }
        }
    }

    /// Puts a segment on its way, behind what its connection still has to send again.
    pub(super) fn transmit(&mut self, segment: Segment) {
        self.sends += 1;
        let (hop, number) = (self.hop(segment), self.sends);
        self.calls.get_mut(segment.call).expect("a parcel belongs to an open call").number = number;
        if self.connections.is_stalled(hop.direction, number) {
            return self.stall(hop.direction, segment);
        }
        match self.route(segment, &hop) {
            Delivery::Arrives(at) => self.deliver(segment, &hop, at),
            Delivery::Lost | Delivery::Cut => self.stall(hop.direction, segment),
        }
    }

    fn number(&self, segment: Segment) -> u64 {
        self.calls.get(segment.call).expect("a parcel belongs to an open call").number
    }

    /// One transmission, whose draws are its own.
    fn route(&mut self, segment: Segment, hop: &Hop) -> Delivery {
        if let Some(call) = self.calls.get_mut(segment.call) {
            call.transmissions = call.transmissions.wrapping_add(1);
        }
        let Hop { from, to, size_bytes, identity, .. } = *hop;
        self.network.route(Packet { from, to, size_bytes, identity }, self.now())
    }

    /// A segment arrives at `at`, or when the one before it does.
    fn deliver(&mut self, segment: Segment, hop: &Hop, at: Time) {
        let Hop { direction, from, to, .. } = *hop;
        let at = if direction.connection_number != 0 || from.pid == to.pid {
            at // nothing was sent this way that it could overtake
        } else if self.network.keeps_order(from.zone, to.zone) {
            self.connections.find(direction).map_or(at, |connection| at.max(connection.last_arrival))
        } else {
            let (_, connection) = self.connections.open(direction);
            connection.last_arrival = connection.last_arrival.max(at);
            connection.last_arrival
        };
        let kind = if segment.answer { Kind::Reply } else { Kind::Call };
        self.engine.schedule(at, Event::new(kind, direction.to, hop.incarnation, segment.call.to_word()));
    }

    fn stall(&mut self, direction: Direction, segment: Segment) {
        let (now, number) = (self.now(), self.number(segment));
        if let Some((wait, key)) = self.connections.stall(direction, segment, number, now) {
            self.schedule_own(now + wait, Kind::Retransmit, 0, key.to_word());
        }
    }

    /// A connection tries again. Answers with the calls that broke, if it gave up.
    pub(super) fn retransmit(&mut self, word: u64) -> Vec<CallId> {
        let key = Key::from_word(word);
        let Some(connection) = self.connections.get_mut(key) else { return Vec::new() };
        let (since, direction, first) =
            (connection.stalled_since, connection.direction(), connection.stalled.front().copied());
        let Some(first) = first else { return Vec::new() };
        let hop = Hop { direction, ..self.hop(first) }; // whose sender may be gone
        if let Delivery::Arrives(at) = self.route(first, &hop) {
            let mut stalled = self.connections.resume(key);
            stalled.pop_front();
            self.deliver(first, &hop, at);
            stalled.into_iter().for_each(|segment| self.transmit(segment));
            return Vec::new();
        }
        let (from, to) = (hop.from, hop.to);
        if self.now() - since >= self.network.path(from.zone, to.zone).break_after {
            return self.connections.close(key).into_iter().map(|segment| segment.call).collect();
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
        let direction = Direction { from: call.caller, to: call.callee, connection_number: id.slot + 1 };
        !call.handled
            || self.connections.find(direction).is_some_and(|connection| !connection.stalled.is_empty())
    }

    /// The request of such a call never leaves.
    pub(super) fn withdraw(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let direction = Direction { from: call.caller, to: call.callee, connection_number: id.slot + 1 };
        for segment in self.connections.close_direction(direction) {
            self.calls.drop_handled(segment.call);
        }
    }

    /// Whether a segment that reaches its end may be delivered; if not, its connection will send it again.
    pub(super) fn admitted(&mut self, segment: Segment) -> bool {
        if self.resuming || self.network.unimpaired() && self.connections.none_is_stalled() {
            return true;
        }
        let Hop { direction, from, to, .. } = self.hop(segment);
        if self.network.admits(from, to) && !self.connections.is_stalled(direction, self.number(segment)) {
            return true;
        }
        self.stall(direction, segment);
        false
    }

    /// The same for the event of its arrival.
    pub(super) fn admits_segment(&mut self, event: Event) -> bool {
        let segment = Segment { call: CallId::from_word(event.word), answer: event.kind() == Kind::Reply };
        self.calls.get(segment.call).is_none() || self.admitted(segment)
    }
}
