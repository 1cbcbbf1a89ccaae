//! Timeouts of calls, in true time: who waits by a clock that runs fast waits less of it. Equal timeouts are a queue of deadlines in order, with one kernel event for its head: a call
//! that is answered in time costs no event and leaves no corpse behind. Dead entries never outnumber live ones by
//! more than [`SLACK`]. A call knows its place in line, so nobody looks at the calls themselves to tell who is dead.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use rustc_hash::FxHashMap;

use crate::base::ids::CallId;
use crate::base::time::{Span, Time};

/// Dead entries that a class may keep beyond its live ones.
pub const SLACK: usize = 64;

/// Where the deadline of a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// In which class.
    pub class: u32,
    /// The how-manyth it is there: numbers grow along the line, with gaps where the dead were taken out.
    number: NonZeroU64,
}

/// A deadline in line; without its call it is dead.
#[derive(Clone, Copy, Debug)]
struct Entry {
    due: Time,
    number: u64,
    call: Option<CallId>,
}

/// Timeouts of one length.
#[derive(Clone, Debug)]
struct TimeoutClass {
    span: Span,
    queue: VecDeque<Entry>,
    dead: usize,
    armed: bool,
    /// The number of the next deadline: none is used twice, whatever length the class is of.
    next: NonZeroU64,
}

/// All timeouts.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    classes: Vec<TimeoutClass>,
    by_span: FxHashMap<Span, u32>,
    /// Lanes in which nothing stands: the next new length takes one. What is left of a patience may be any length.
    idle: Vec<u32>,
}

impl TimeoutClass {
    /// Where a number stands: as far from the front as numbers say, or nearer, if some were taken out before it.
    fn place(&self, number: u64) -> Option<usize> {
        let front = self.queue.front()?.number;
        let guess = (number.checked_sub(front)? as usize).min(self.queue.len() - 1);
        if self.queue[guess].number == number {
            return Some(guess);
        }
        let before = self.queue.partition_point(|entry| entry.number < number);
        self.queue.get(before).is_some_and(|entry| entry.number == number).then_some(before)
    }

    /// Takes the dead at the front out.
    fn purge(&mut self) {
        while self.queue.front().is_some_and(|entry| entry.call.is_none()) {
            self.queue.pop_front();
            self.dead -= 1;
        }
    }
}

impl Deadlines {
    /// The class for timeouts of `span`.
    fn class(&mut self, span: Span) -> u32 {
        if let Some(class) = self.by_span.get(&span) {
            return *class;
        }
        let class = self.idle.pop().unwrap_or(self.classes.len() as u32);
        match self.classes.get_mut(class as usize) {
            Some(idle) => idle.span = span,
            None => {
                self.classes.push(TimeoutClass {
                    span,
                    queue: VecDeque::new(),
                    dead: 0,
                    armed: false,
                    next: NonZeroU64::MIN,
                });
            }
        }
        self.by_span.insert(span, class);
        class
    }

    /// Adds `call`, which times out after `span`. When its class had no event pending, the second answer is the instant for which
    /// to schedule one.
    pub fn add(&mut self, span: Span, call: CallId, now: Time) -> (Deadline, Option<Time>) {
        let number = self.class(span);
        let class = &mut self.classes[number as usize];
        let due = now + span;
        let deadline = Deadline { class: number, number: class.next };
        class.queue.push_back(Entry { due, number: class.next.get(), call: Some(call) });
        class.next = class.next.saturating_add(1);
        let arms = !std::mem::replace(&mut class.armed, true);
        (deadline, arms.then_some(due))
    }

    /// When a deadline is due, and its place among those of its class, unless it has expired.
    pub fn due(&self, deadline: Deadline) -> Option<(Time, u64)> {
        let class = &self.classes[deadline.class as usize];
        let entry = class.queue.get(class.place(deadline.number.get())?)?;
        entry.call.map(|_| (entry.due, entry.number))
    }

    /// The call of a deadline was answered or let go.
    pub fn answered(&mut self, deadline: Deadline) {
        let class = &mut self.classes[deadline.class as usize];
        let Some(place) = class.place(deadline.number.get()) else { return }; // it has expired
        if class.queue[place].call.take().is_none() {
            return;
        }
        class.dead += 1;
        class.purge();
        if class.dead > class.queue.len() / 2 + SLACK {
            class.queue.retain(|entry| entry.call.is_some());
            class.dead = 0;
        }
    }

    /// The next call of the class that is due at `now`.
    pub fn expired(&mut self, class: u32, now: Time) -> Option<CallId> {
        let class = &mut self.classes[class as usize];
        class.purge();
        let due = class.queue.front().is_some_and(|entry| entry.due <= now);
        if due { class.queue.pop_front().and_then(|entry| entry.call) } else { None }
    }

    /// After the class's event: the instant for which to schedule its next one.
    pub fn rearm(&mut self, number: u32) -> Option<Time> {
        let class = &mut self.classes[number as usize];
        let next = class.queue.front().map(|entry| entry.due);
        class.armed = next.is_some();
        if next.is_none() {
            self.by_span.remove(&class.span);
            self.idle.push(number);
        }
        next
    }

    /// Dead entries, and all entries.
    #[cfg(test)]
    pub fn population(&self) -> (usize, usize) {
        (
            self.classes.iter().map(|class| class.dead).sum(),
            self.classes.iter().map(|class| class.queue.len()).sum(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(slot: u32) -> CallId {
        CallId { slot, generation: 0 }
    }

    #[test]
    fn answered_calls_never_pile_up_whatever_order_they_are_answered_in() {
        let mut deadlines = Deadlines::default();
        let span = Span::from_secs(30);
        let mut open = VecDeque::new();
        for slot in 0..100_000u32 {
            let (deadline, _) = deadlines.add(span, call(slot), Time::from_ns(u64::from(slot)));
            open.push_back(deadline);
            if slot % 1000 != 0 {
                let answered = if slot % 3 == 0 { open.pop_front() } else { open.pop_back() };
                deadlines.answered(answered.expect("one is open"));
            }
            let (dead, all) = deadlines.population();
            assert!(dead <= all - dead + 2 * SLACK, "{dead} dead of {all}");
            assert_eq!(all - dead, open.len());
        }
    }

    #[test]
    fn equal_timeouts_expire_in_order_with_one_event() {
        let mut deadlines = Deadlines::default();
        let span = Span::from_ns(10);
        let (first, armed) = deadlines.add(span, call(1), Time::ZERO);
        assert_eq!(armed, Some(Time::from_ns(10)));
        assert_eq!(deadlines.add(span, call(2), Time::from_ns(2)).1, None);
        let (third, _) = deadlines.add(span, call(3), Time::from_ns(3));
        assert_eq!(deadlines.expired(first.class, Time::from_ns(10)), Some(call(1)));
        assert_eq!(deadlines.expired(first.class, Time::from_ns(10)), None);
        assert_eq!(deadlines.rearm(first.class), Some(Time::from_ns(12)));
        deadlines.answered(first); // it has expired: nothing happens
        deadlines.answered(third);
        deadlines.answered(third);
        assert_eq!(deadlines.population(), (1, 2));
        assert_eq!(deadlines.expired(first.class, Time::from_ns(13)), Some(call(2)));
        assert_eq!(deadlines.expired(first.class, Time::from_ns(13)), None);
    }

    #[test]
    fn a_thousand_lengths_one_after_the_other_need_one_class() {
        let mut deadlines = Deadlines::default();
        let mut before = None;
        for length in 1..1000 {
            let now = Time::from_ns(10_000 * length);
            let (deadline, due) = deadlines.add(Span::from_ns(length), call(1), now);
            assert_eq!((deadline.class, due), (0, Some(now + Span::from_ns(length))));
            if let Some(before) = before.replace(deadline) {
                deadlines.answered(before); // of another length: it expired long ago
            }
            assert_eq!(deadlines.expired(0, now + Span::from_ns(length)), Some(call(1)));
            assert_eq!(deadlines.rearm(0), None);
        }
    }
}
