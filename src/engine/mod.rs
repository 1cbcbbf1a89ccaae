//! The clock and the pending events. It knows no process, no network and no random number: only that an event is a
//! small `Copy` value and that it is due at an instant.
//!
//! Rules, which everything above relies on:
//! 1. Events leave in order of time.
//! 2. Events of one instant leave in the order in which they were scheduled.
//! 3. An event scheduled *at* [`Engine::now`] leaves after all that were already pending for that instant, before the
//!    clock moves on.
//! 4. The clock moves only by [`Engine::pop_before`], to the instant of the event it gives out, and never back.
//!
//! Who picks the next event is a seam: [`Engine`] is generic over [`PendingEvents`]. [`ladder::Ladder`] picks by time
//! and is the default, `heap::Heap` is its slow counterpart and the oracle of its tests, and an explorer of orders brings
//! a third.

mod chunks;
#[cfg(feature = "internals")]
pub mod heap;
pub mod ladder;
pub mod pending;
mod sorted;

use crate::base::time::Time;
use crate::engine::pending::{PendingEvents, Scheduled};
use ladder::Ladder;

/// The clock and the pending events.
#[derive(Clone, Debug)]
pub struct Engine<E, Q = Ladder<E>> {
    now: Time,
    pending: Q,
    events: std::marker::PhantomData<E>,
}

impl<E: Copy> Engine<E> {
    /// At [`Time::ZERO`] with nothing pending.
    pub fn new() -> Self {
        Engine::over(Ladder::default())
    }
}

impl<E: Copy> Default for Engine<E> {
    fn default() -> Self {
        Engine::new()
    }
}

impl<E: Copy, Q: PendingEvents<E>> Engine<E, Q> {
    /// At [`Time::ZERO`] over the given pending events.
    pub fn over(pending: Q) -> Self {
        Engine { now: Time::ZERO, pending, events: std::marker::PhantomData }
    }

    /// The present instant: that of the event given out last.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Makes `event` due at `at`.
    ///
    /// # Panics
    /// When `at` is in the past: our mistake, never the user's.
    #[inline(always)]
    pub fn schedule(&mut self, at: Time, event: E) {
        assert!(at >= self.now, "an event is due now or later");
        self.pending.push(Scheduled { at, event });
    }

    /// The next event if it is due strictly before `horizon`; the clock moves to it. Otherwise `None`, and the clock
    /// stays. So runs to `a` and then to `b` see `[0, a)` and `[a, b)`, and what is due at [`Time::NEVER`] never is.
    ///
    /// `prefetch` is shown whole groups of events before their turn comes. Loading what each of them will need makes the
    /// cache misses overlap, which is most of the speed with millions of members. It must not decide anything: which
    /// groups it sees is the queue's own affair.
    #[inline]
    pub fn pop_before(&mut self, horizon: Time, prefetch: impl FnMut(&[Scheduled<E>])) -> Option<E> {
        let entry = self.pending.pop_before(horizon, prefetch)?;
        debug_assert!(entry.at >= self.now, "time runs forward");
        self.now = entry.at;
        Some(entry.event)
    }

    /// Moves the clock to `at` without giving an event out: for what happens from outside (a fault) at that instant.
    ///
    /// # Panics
    /// When `at` is in the past or an event is due before it: our mistake, never the user's.
    pub fn advance(&mut self, at: Time) {
        assert!(at >= self.now && self.pending.peek().is_none_or(|due| due >= at), "nothing is skipped");
        self.now = at;
    }

    /// How many events are pending, dead ones included.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Drops the events for which `keep` is false: for whoever cancels events and sees that the dead outnumber the
    /// living. The order of the others does not change.
    pub fn retain(&mut self, keep: impl FnMut(&E) -> bool) {
        self.pending.retain(keep);
    }

    /// Takes the entries out for which `takes` is true, in the order in which they would have left: for whoever makes them due at
    /// another instant. It looks at all.
    pub fn take(&mut self, takes: impl FnMut(&Scheduled<E>) -> bool) -> Vec<Scheduled<E>> {
        self.pending.take(takes)
    }
}

#[cfg(test)]
mod tests;
