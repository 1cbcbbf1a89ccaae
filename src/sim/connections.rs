//! Connections between members: they keep order, and send again what was lost or cut off. The first retransmission
//! comes after 200 ms, each later one after twice the wait of the one before, at most 120 s (Linux: TCP_RTO_MIN and
//! TCP_RTO_MAX; RFC 6298 for the doubling).

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::base::ids::{CallId, Pid};
use crate::base::slab::{Key, Slab};
use crate::base::time::{Span, Time};

/// Wait before the first retransmission.
pub const RETRANSMIT_FIRST: Span = Span::from_ms(200);
/// The longest wait between retransmissions.
pub const RETRANSMIT_MAX: Span = Span::from_secs(120);

/// One direction of a connection; `lane` tells the connections of a workload's customers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Way {
    /// Sender.
    pub from: Pid,
    /// Receiver.
    pub to: Pid,
    /// 0, or one more than the slot of the call.
    pub lane: u32,
}

/// What is sent over a connection: a request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parcel {
    /// Which call.
    pub call: CallId,
    /// Whether it is the answer.
    pub answer: bool,
}

/// The state of one direction.
#[derive(Clone, Debug)]
pub struct Connection {
    way: Way,
    /// When the last parcel arrives: none may arrive before it.
    pub last_arrival: Time,
    /// What waits for a retransmission, in order.
    pub stalled: VecDeque<Parcel>,
    /// Since when something waits.
    pub stalled_since: Time,
    /// The wait before the next retransmission.
    pub backoff: Span,
}

/// All connections that have something to remember.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    slab: Slab<Connection>,
    index: FxHashMap<Way, Key>,
}

impl Connections {
    /// The connection for a way, if it remembers anything.
    pub fn find(&mut self, way: Way) -> Option<&mut Connection> {
        self.slab.get_mut(*self.index.get(&way)?)
    }

    /// The connection for a way.
    pub fn open(&mut self, way: Way) -> (Key, &mut Connection) {
        let slab = &mut self.slab;
        let key = *self.index.entry(way).or_insert_with(|| {
            slab.insert(Connection {
                way,
                last_arrival: Time::ZERO,
                stalled: VecDeque::new(),
                stalled_since: Time::ZERO,
                backoff: RETRANSMIT_FIRST,
            })
        });
        (key, self.slab.get_mut(key).expect("the index names connections that are there"))
    }

    /// The connection of a retransmission event.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        self.slab.get_mut(key)
    }

    /// The connections of a sender, in order of place.
    pub fn from(&self, sender: Pid) -> Vec<Key> {
        let of_sender = self.slab.iter().filter(|(_, connection)| connection.way.from == sender);
        of_sender.map(|(key, _)| key).collect()
    }

    /// Forgets the connection and answers with what it still held.
    pub fn close(&mut self, key: Key) -> VecDeque<Parcel> {
        let Some(connection) = self.slab.remove(key) else { return VecDeque::new() };
        self.index.remove(&connection.way);
        connection.stalled
    }

    /// Whether anything is held up on the way.
    pub fn is_stalled(&self, way: Way) -> bool {
        !self.index.is_empty()
            && self.index.get(&way).and_then(|key| self.slab.get(*key)).is_some_and(|c| !c.stalled.is_empty())
    }
}

impl Connection {
    /// Who sends to whom.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Holds a parcel up. The answer is the wait until a retransmission has to be scheduled, if none is.
    pub fn stall(&mut self, parcel: Parcel, now: Time) -> Option<Span> {
        let first = self.stalled.is_empty();
        self.stalled.push_back(parcel);
        if !first {
            return None;
        }
        self.stalled_since = now;
        self.backoff = RETRANSMIT_FIRST;
        Some(self.backoff)
    }

    /// The wait before the retransmission after this one.
    pub fn back_off(&mut self) -> Span {
        self.backoff = (self.backoff * 2).min(RETRANSMIT_MAX);
        self.backoff
    }
}

/// The wait that `losses` losses in a row cost: the sum of that many back-offs.
pub fn retransmission_wait(losses: u32) -> Span {
    let mut wait = Span::ZERO;
    let mut backoff = RETRANSMIT_FIRST;
    for _ in 0..losses {
        wait += backoff;
        backoff = (backoff * 2).min(RETRANSMIT_MAX);
    }
    wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_retransmission_waits_twice_as_long() {
        assert_eq!(retransmission_wait(0), Span::ZERO);
        assert_eq!(retransmission_wait(1), Span::from_ms(200));
        assert_eq!(retransmission_wait(3), Span::from_ms(1400));
    }
}
