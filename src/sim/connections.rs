//! Connections between members: they keep order, and send again what was lost or cut off, one after the other. The first retransmission
//! comes after 200 ms, each later one after twice the wait of the one before, at most 120 s (Linux: TCP_RTO_MIN and
//! TCP_RTO_MAX; RFC 6298 for the doubling).

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::base::ids::{CallId, Pid};
use crate::base::slab::{Key, Slab};
use crate::base::time::{Span, Time};

/// Wait before the first retransmission.
pub const RETRANSMIT_FIRST: Span = Span::from_ms(200);
/// The number of a connection whose sender is gone.
const LEFT_BEHIND: u32 = u32::MAX;
/// The longest wait between retransmissions.
pub const RETRANSMIT_MAX: Span = Span::from_secs(120);

/// One direction of a connection; `connection_number` tells the connections of a workload's customers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Direction {
    /// Sender.
    pub from: Pid,
    /// Receiver.
    pub to: Pid,
    /// 0, or one more than the slot of the call; the largest number where the sender is gone.
    pub connection_number: u32,
}

/// What is sent over a connection: a request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Which call.
    pub call: CallId,
    /// Whether it is the answer.
    pub answer: bool,
}

/// The state of one direction.
#[derive(Clone, Debug)]
pub struct Connection {
    direction: Direction,
    /// When the last segment arrives: none may arrive before it.
    pub last_arrival: Time,
    /// What waits for a retransmission, in order.
    pub stalled: VecDeque<Segment>,
    /// The number of the first that waits: what has a lower one is on its way before it.
    first: u64,
    /// Since when something waits.
    pub stalled_since: Time,
    /// The wait before the next retransmission.
    pub backoff: Span,
}

/// All connections that have something to remember.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    slab: Slab<Connection>,
    index: FxHashMap<Direction, Key>,
    /// Connections that hold something up.
    stalled: u32,
}

impl Connections {
    /// Whether nothing is held up anywhere: mostly so, and then nobody need look for his connection.
    #[inline]
    pub fn none_is_stalled(&self) -> bool {
        self.stalled == 0
    }

    /// Holds the segment of that number up. The answer is the wait until a retransmission has to be scheduled, and of which
    /// connection, if none is.
    pub fn stall(
        &mut self,
        direction: Direction,
        segment: Segment,
        number: u64,
        now: Time,
    ) -> Option<(Span, Key)> {
        let (key, connection) = self.open(direction);
        let wait = connection.stall(segment, number, now)?;
        self.stalled += 1;
        Some((wait, key))
    }

    /// The connection for a way, if it remembers anything.
    pub fn find(&mut self, direction: Direction) -> Option<&mut Connection> {
        self.slab.get_mut(*self.index.get(&direction)?)
    }

    /// The connection for a way.
    pub fn open(&mut self, direction: Direction) -> (Key, &mut Connection) {
        let slab = &mut self.slab;
        let key = *self.index.entry(direction).or_insert_with(|| {
            slab.insert(Connection {
                direction,
                last_arrival: Time::ZERO,
                stalled: VecDeque::new(),
                first: 0,
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
        let of_sender = self.slab.iter().filter(|(_, connection)| connection.direction.from == sender);
        of_sender.map(|(key, _)| key).collect()
    }

    /// The sender of a connection is gone, and its machine goes on sending what the connection holds; who comes in its
    /// place opens another.
    pub fn leave_behind(&mut self, key: Key) {
        if let Some(connection) = self.slab.get_mut(key) {
            self.index.remove(&connection.direction);
            connection.direction.connection_number = LEFT_BEHIND;
        }
    }

    /// What a connection held goes on its way. One that stood for a single call is forgotten.
    pub fn resume(&mut self, key: Key) -> VecDeque<Segment> {
        match self.slab.get_mut(key) {
            Some(connection) if connection.direction.connection_number == 0 => {
                self.stalled -= u32::from(!connection.stalled.is_empty());
                std::mem::take(&mut connection.stalled)
            }
            _ => self.close(key),
        }
    }

    /// Forgets the connection and answers with what it still held.
    pub fn close(&mut self, key: Key) -> VecDeque<Segment> {
        let Some(connection) = self.slab.remove(key) else { return VecDeque::new() };
        self.index.remove(&connection.direction);
        self.stalled -= u32::from(!connection.stalled.is_empty());
        connection.stalled
    }

    /// The same for a way.
    pub fn close_direction(&mut self, direction: Direction) -> VecDeque<Segment> {
        self.index.get(&direction).copied().map(|key| self.close(key)).unwrap_or_default()
    }

    /// Whether anything is held up on the way, ahead of the segment of that number.
    pub fn is_stalled(&self, direction: Direction, number: u64) -> bool {
        let behind = |connection: &Connection| !connection.stalled.is_empty() && connection.first < number;
        self.stalled > 0 && self.index.get(&direction).and_then(|key| self.slab.get(*key)).is_some_and(behind)
    }
}

impl Connection {
    /// Who sends to whom.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    fn stall(&mut self, segment: Segment, number: u64, now: Time) -> Option<Span> {
        let first = self.stalled.is_empty();
        self.stalled.push_back(segment);
        if !first {
            return None;
        }
        self.first = number;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::TierId;

    #[test]
    fn each_retransmission_waits_twice_as_long() {
        let direction =
            Direction { from: Pid::new(TierId(0), 0), to: Pid::new(TierId(0), 1), connection_number: 0 };
        let mut connections = Connections::default();
        let segment = Segment { call: CallId { slot: 0, generation: 0 }, answer: false };
        let (wait, key) = connections.stall(direction, segment, 7, Time::ZERO).expect("it is the first");
        assert_eq!(wait, Span::from_ms(200));
        assert_eq!(connections.stall(direction, segment, 9, Time::ZERO), None, "one wait for all");
        let connection = connections.get_mut(key).expect("it holds two");
        assert_eq!([(); 3].map(|()| connection.back_off()), [400, 800, 1600].map(Span::from_ms));
        (0..10).for_each(|_| _ = connection.back_off());
        assert_eq!(connection.back_off(), RETRANSMIT_MAX);
        assert!(
            connections.is_stalled(direction, 8) && !connections.is_stalled(direction, 6),
            "6 is on its way before 7"
        );
        assert_eq!(connections.resume(key).len(), 2);
        assert!(!connections.is_stalled(direction, 8));
    }
}
