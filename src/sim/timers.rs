//! The kernel's half of what nodes time: timers, timeouts of calls, and what becomes of both when a clock changes its rate.

use crate::base::ids::{CallId, Pid, TimerId};
use crate::base::slab::Key;
use crate::base::time::{ClockTime, Span, Time};
use crate::sim::clock::{Clock, rescaled};
use crate::sim::event::Kind;
use crate::sim::kernel::Kernel;

/// Cancelled timers that may lie in the queue beyond the live ones.
pub(super) const DEAD_SLACK: usize = 1024;

impl Kernel {
    /// What the monotonic clock of a process's node shows.
    #[inline]
    pub(super) fn monotonic(&self, pid: Pid) -> ClockTime {
        let right = ClockTime::from_ns(self.now().as_ns());
        if !self.drifts { right } else { self.clock(pid).map_or(right, |clock| clock.monotonic(self.now())) }
    }

    /// What the wall clock of a process's node shows.
    #[inline]
    pub(super) fn wall(&self, pid: Pid) -> ClockTime {
        let right = ClockTime::from_ns(self.now().as_ns());
        if !self.impaired { right } else { self.clock(pid).map_or(right, |clock| clock.wall(self.now())) }
    }

    /// How long a span that a process's node times takes in true time.
    #[inline]
    pub(super) fn takes(&self, pid: Pid, span: Span) -> Span {
        if !self.drifts { span } else { self.clock(pid).map_or(span, |clock| clock.takes(span)) }
    }

    fn clock(&self, pid: Pid) -> Option<&Clock> {
        self.tier_nodes(pid).node(pid.member).map(|node| &node.clock)
    }

    /// Changes the clock of a process's node; what the node times follows.
    pub(super) fn change_clock<R>(&mut self, pid: Pid, change: impl FnOnce(&mut Clock, Time) -> R) -> R {
        let now = self.now();
        let clock = &mut self.tier_nodes_mut(pid).node_mut(pid.member).clock;
        let before = clock.rate();
        let changed = change(clock, now);
        let after = clock.rate();
        if before != after {
            self.drifts = true;
            self.move_timers(pid, before, after);
            self.move_deadlines(pid, before, after);
            self.move_signs(pid, before, after);
        }
        changed
    }

    /// What is left of the timers of a node's processes is counted at another rate.
    fn move_timers(&mut self, of: Pid, before: u64, after: u64) {
        let (now, home, homes) = (self.now(), self.home(of), &self.homes);
        let moved = self.engine.take(|entry| {
            let event = &entry.event;
            let timed = matches!(event.kind(), Kind::Timer | Kind::CancellableTimer) && entry.at > now;
            timed && event.member() == home.member && homes[event.tier() as usize] == home.tier.0
        });
        for entry in moved {
            let left = rescaled(entry.at - now, before, after);
            self.engine.schedule(now + left, entry.event);
        }
    }

    /// The same for the timeouts of their calls.
    fn move_deadlines(&mut self, of: Pid, before: u64, after: u64) {
        let (now, home) = (self.now(), self.home(of));
        let calls = self.calls.select(|call| call.awaited && self.home(call.caller) == home);
        let due = |id: &CallId| {
            let deadline = self.calls.get(*id)?.deadline?;
            let (due, number) = self.deadlines.due(deadline).filter(|(due, _)| *due > now)?;
            Some((due, number, *id, deadline))
        };
        let mut moved: Vec<_> = calls.iter().filter_map(due).collect();
        moved.sort_by_key(|(due, number, ..)| (*due, *number));
        for (due, _, id, deadline) in moved {
            self.deadlines.answered(deadline);
            self.expect_answer(id, rescaled(due - now, before, after));
        }
    }

    /// A call times out after a span of true time.
    pub(super) fn expect_answer(&mut self, id: CallId, span: Span) {
        let now = self.now();
        let (deadline, due) = self.deadlines.add(span, id, now);
        if let Some(call) = self.calls.get_mut(id) {
            call.deadline = Some(deadline);
        }
        if let Some(due) = due {
            self.schedule_own(due, Kind::Deadline, deadline.class, 0);
        }
    }

    pub(super) fn set_cancellable_timer(&mut self, target: Pid, after: Span, word: u64) -> TimerId {
        let key = self.cancellable_timers.insert(word);
        let at = self.now() + self.takes(target, after);
        self.schedule(at, target, Kind::CancellableTimer, key.to_word());
        TimerId { slot: key.slot, generation: key.generation }
    }

    pub(super) fn cancel_timer(&mut self, timer: TimerId) -> bool {
        let key = Key { slot: timer.slot, generation: timer.generation };
        if self.cancellable_timers.remove(key).is_none() {
            return false;
        }
        self.cancelled_timers += 1;
        self.purge_cancelled_timers();
        true
    }

    /// Takes the dead out of the queue once they are a third of it: between two looks the living may become fewer
    /// without a word, and the dead must not outnumber them.
    fn purge_cancelled_timers(&mut self) {
        if self.cancelled_timers > self.engine.len() / 3 + DEAD_SLACK {
            let cancellable_timers = &self.cancellable_timers;
            self.engine.retain(|event| {
                event.kind() != Kind::CancellableTimer
                    || cancellable_timers.get(Key::from_word(event.word)).is_some()
            });
            self.cancelled_timers = 0;
        }
    }

    /// The timer behind an event that goes off, unless it was cancelled.
    pub(super) fn take_timer(&mut self, word: u64) -> Option<u64> {
        let timer = self.cancellable_timers.remove(Key::from_word(word));
        if timer.is_none() {
            self.cancelled_timers = self.cancelled_timers.saturating_sub(1);
        }
        self.purge_cancelled_timers();
        timer
    }
}
