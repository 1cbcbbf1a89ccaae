//! Timeouts of calls. Equal timeouts are a queue of deadlines in order, with one kernel event for its head: a call
//! that is answered in time costs no event and leaves no corpse behind. Dead entries never outnumber live ones by
//! more than [`SLACK`].

use std::collections::VecDeque;

use crate::base::ids::CallId;
use crate::base::time::{Span, Time};

/// Dead entries that a lane may keep beyond its live ones.
pub const SLACK: usize = 64;

/// Timeouts of one length.
#[derive(Clone, Debug)]
struct Lane {
    span: Span,
    queue: VecDeque<(Time, CallId)>,
    dead: usize,
    armed: bool,
}

/// All timeouts.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    lanes: Vec<Lane>,
}

impl Deadlines {
    /// The lane for timeouts of `span`; made when it is new. Designs have few different timeouts.
    pub fn lane(&mut self, span: Span) -> u32 {
        let known = self.lanes.iter().position(|lane| lane.span == span);
        known.unwrap_or_else(|| {
            self.lanes.push(Lane { span, queue: VecDeque::new(), dead: 0, armed: false });
            self.lanes.len() - 1
        }) as u32
    }

    /// Adds `call`. When the lane had no event pending, the answer is the instant for which to schedule one.
    pub fn add(&mut self, lane: u32, call: CallId, now: Time) -> Option<Time> {
        let lane = &mut self.lanes[lane as usize];
        let due = now + lane.span;
        lane.queue.push_back((due, call));
        if lane.armed {
            return None;
        }
        lane.armed = true;
        Some(due)
    }

    /// A call of the lane was answered or let go. `live` tells which calls still wait.
    pub fn answered(&mut self, lane: u32, live: impl Fn(CallId) -> bool) {
        let lane = &mut self.lanes[lane as usize];
        lane.dead += 1;
        if lane.dead > lane.queue.len() / 2 + SLACK {
            lane.queue.retain(|(_, call)| live(*call));
            lane.dead = 0;
        }
    }

    /// The next call of the lane that is due at `now`, if it is still alive.
    pub fn expired(&mut self, lane: u32, now: Time, live: impl Fn(CallId) -> bool) -> Option<CallId> {
        let lane = &mut self.lanes[lane as usize];
        while let Some(&(due, call)) = lane.queue.front() {
            if !live(call) {
                lane.queue.pop_front();
                lane.dead = lane.dead.saturating_sub(1);
            } else if due <= now {
                lane.queue.pop_front();
                return Some(call);
            } else {
                break;
            }
        }
        None
    }

    /// After the lane's event: the instant for which to schedule its next one.
    pub fn rearm(&mut self, lane: u32) -> Option<Time> {
        let lane = &mut self.lanes[lane as usize];
        let next = lane.queue.front().map(|(due, _)| *due);
        lane.armed = next.is_some();
        next
    }

    /// Dead entries, and all entries.
    pub fn population(&self) -> (usize, usize) {
        (self.lanes.iter().map(|lane| lane.dead).sum(), self.lanes.iter().map(|lane| lane.queue.len()).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(slot: u32) -> CallId {
        CallId { slot, generation: 0 }
    }

    #[test]
    fn answered_calls_never_pile_up() {
        let mut deadlines = Deadlines::default();
        let lane = deadlines.lane(Span::from_secs(30));
        for slot in 0..100_000 {
            deadlines.add(lane, call(slot), Time::from_ns(u64::from(slot)));
            deadlines.answered(lane, |other| other.slot > slot);
            let (dead, all) = deadlines.population();
            assert!(dead <= all - dead + 2 * SLACK, "{dead} dead of {all}");
        }
    }

    #[test]
    fn equal_timeouts_expire_in_order_with_one_event() {
        let mut deadlines = Deadlines::default();
        let lane = deadlines.lane(Span::from_ns(10));
        assert_eq!(deadlines.add(lane, call(1), Time::ZERO), Some(Time::from_ns(10)));
        assert_eq!(deadlines.add(lane, call(2), Time::from_ns(3)), None);
        let everybody = |_| true;
        assert_eq!(deadlines.expired(lane, Time::from_ns(10), everybody), Some(call(1)));
        assert_eq!(deadlines.expired(lane, Time::from_ns(10), everybody), None);
        assert_eq!(deadlines.rearm(lane), Some(Time::from_ns(13)));
    }
}
