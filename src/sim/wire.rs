//! How requests and answers get from one process to another: over connections that keep order and send again.

use crate::base::ids::CallId;
use crate::base::slab::Key;
use crate::base::time::Time;
use crate::net::{End, Fate, Packet};
use crate::sim::connections::{Parcel, Way};
use crate::sim::event::{Event, Kind};
use crate::sim::kernel::Kernel;

impl Kernel {
    /// The ends of a parcel's way.
    fn ends(&self, parcel: Parcel) -> (End, End) {
        let call = self.calls.get(parcel.call).expect("a parcel belongs to an open call");
        let (caller, callee) = (End { zone: call.zone, ..self.end(call.caller) }, self.end(call.callee));
        if parcel.answer { (callee, caller) } else { (caller, callee) }
    }

    /// The connection that a parcel rides: one for each pair of processes, those on one node included.
    fn way(&self, parcel: Parcel) -> Way {
        let call = self.calls.get(parcel.call).expect("a parcel belongs to an open call");
        let lane = if self.tier_nodes(call.caller).independent { parcel.call.slot + 1 } else { 0 };
        let (from, to) = if parcel.answer { (call.callee, call.caller) } else { (call.caller, call.callee) };
        Way { from, to, lane }
    }

    /// Puts a parcel on its way, behind what its connection still has to send again.
    pub(super) fn transmit(&mut self, parcel: Parcel) {
        self.sends += 1;
        let (way, number) = (self.way(parcel), self.sends);
        self.calls.get_mut(parcel.call).expect("a parcel belongs to an open call").number = number;
        if self.connections.is_stalled(way, number) {
            return self.stall(way, parcel);
        }
        let ends = self.ends(parcel);
        match self.route(parcel, ends) {
            Fate::Arrives(at) => self.deliver(parcel, way, ends, at),
            Fate::Lost | Fate::Cut => self.stall(way, parcel),
        }
    }

    fn number(&self, parcel: Parcel) -> u64 {
        self.calls.get(parcel.call).expect("a parcel belongs to an open call").number
    }

    fn route(&mut self, parcel: Parcel, (from, to): (End, End)) -> Fate {
        let size_bytes = self.calls.get(parcel.call).expect("a parcel belongs to an open call").size_bytes;
        self.network.route(Packet { from, to, size_bytes }, self.now())
    }

    /// A parcel arrives at `at`, or when the one before it does.
    fn deliver(&mut self, parcel: Parcel, way: Way, (from, to): (End, End), at: Time) {
        let at = if way.lane != 0 || from.pid == to.pid {
            at // nothing was sent this way that it could overtake
        } else if self.network.keeps_order(from.zone, to.zone) {
            self.connections.find(way).map_or(at, |connection| at.max(connection.last_arrival))
        } else {
            let (_, connection) = self.connections.open(way);
            connection.last_arrival = connection.last_arrival.max(at);
            connection.last_arrival
        };
        let call = self.calls.get(parcel.call).expect("a parcel belongs to an open call");
        let (target, kind, incarnation) = if parcel.answer {
            (call.caller, Kind::Reply, call.caller_incarnation)
        } else {
            (call.callee, Kind::Call, call.callee_incarnation)
        };
        self.engine.schedule(at, Event::new(kind, target, incarnation, parcel.call.to_word()));
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
        let ends = self.ends(first);
        if let Fate::Arrives(at) = self.route(first, ends) {
            let mut stalled = self.connections.go_on(key);
            stalled.pop_front();
            self.deliver(first, way, ends, at);
            stalled.into_iter().for_each(|parcel| self.transmit(parcel));
            return Vec::new();
        }
        let (from, to) = ends;
        if self.now() - since >= self.network.path(from.zone, to.zone).break_after {
            return self.connections.close(key).into_iter().map(|parcel| parcel.call).collect();
        }
        let wait = self.connections.get_mut(key).expect("still there").back_off();
        self.schedule_own(self.now() + wait, Kind::Retransmit, 0, word);
        Vec::new()
    }

    /// Whether a parcel that reaches its end may be delivered; if not, its connection will send it again.
    pub(super) fn admitted(&mut self, parcel: Parcel) -> bool {
        if self.resuming || self.network.untroubled() && self.connections.none_is_stalled() {
            return true;
        }
        let (from, to) = self.ends(parcel);
        let way = self.way(parcel);
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
