//! Whether anybody is there still: what connections do about a callee that says nothing. In life a silent machine is known by two signs only: no
//! connection to it comes about, or it does not answer when it is asked for a sign of life on one that did (gRPC's keepalive while a call is under
//! way, the heartbeats of drivers). A process that stands still fails the second, not the first: its machine accepts for it.

use crate::base::cause::Causes;
use crate::base::ids::{CallId, Pid};
use crate::base::op::{Op, Outcome};
use crate::base::rng::mix;
use crate::base::time::Span;
use crate::sim::clock::rescaled;
use crate::sim::event::Kind;
use crate::sim::keepalive::{Keepalive, Watched};
use crate::sim::kernel::Kernel;
use crate::sim::request::{CallContext, Request};

/// The word of a kernel's event for deadlines of signs of life; that of timeouts is 0.
pub(super) const SIGNS: u64 = 1;
/// Size of the question and of its answer, bytes: a frame of HTTP/2 is 17, with headers of TCP and IP.
const PING_BYTES: u32 = 64;

/// What becomes of a call whose callee has been silent.
pub(super) enum Silence {
    /// It has been asked for a sign of life.
    Asked,
    /// No connection came about: the call has certainly not begun.
    Unreachable,
}

impl Kernel {
    /// From now on the connection of a call is looked after.
    pub(super) fn keep_alive(&mut self, id: CallId, how: Keepalive) {
        let Some(call) = self.calls.get(id).filter(|call| call.awaited) else { return };
        let connects = self.tier_nodes(call.caller).independent;
        self.look_again(id, how, connects);
    }

    fn look_again(&mut self, id: CallId, how: Keepalive, connects: bool) {
        let Some(caller) = self.calls.get(id).map(|call| call.caller) else { return };
        let after = self.takes(caller, if connects { how.connect } else { how.after });
        self.looks_after(after, id, how, connects);
    }

    /// Looks after a span of true time.
    fn looks_after(&mut self, after: Span, id: CallId, how: Keepalive, connects: bool) {
        let (deadline, due) = self.signs.add(after, id, self.now());
        if let Some(due) = due {
            self.schedule_own(due, Kind::Deadline, deadline.class, SIGNS);
        }
        self.watched.insert(id, Watched { how, deadline, connects });
    }

    /// What is left of a node's waits for signs of life is counted at another rate.
    pub(super) fn move_signs(&mut self, of: Pid, before: u64, after: u64) {
        let (now, home) = (self.now(), self.home(of));
        let due = |(id, watched): (&CallId, &Watched)| {
            let caller = self.calls.get(*id)?.caller;
            let (due, number) = self.signs.due(watched.deadline)?;
            (self.home(caller) == home && due > now).then_some((due, number, *id, *watched))
        };
        let mut moved: Vec<_> = self.watched.iter().filter_map(due).collect();
        moved.sort_by_key(|(due, number, id, _)| (*due, *number, *id));
        for (due, _, id, Watched { how, deadline, connects }) in moved {
            self.signs.answered(deadline);
            self.looks_after(rescaled(due - now, before, after), id, how, connects);
        }
    }

    /// A call has ended.
    #[inline]
    pub(super) fn look_no_more(&mut self, id: CallId) {
        if self.watched.is_empty() && self.pinging.is_empty() {
            return;
        }
        if let Some(watched) = self.watched.remove(&id) {
            self.signs.answered(watched.deadline);
        }
        self.pinging.remove(&id);
    }

    /// The next call of a class whose callee has been silent for too long, and what was done about it.
    pub(super) fn next_silent(&mut self, class: u32) -> Option<(CallId, Silence)> {
        let id = self.signs.expired(class, self.now())?;
        let Some(Watched { how, connects, .. }) = self.watched.remove(&id) else {
            return Some((id, Silence::Asked));
        };
        let stands_still = self.calls.get(id).is_some_and(|call| self.is_paused(call.caller));
        if stands_still {
            self.look_again(id, how, connects); // it asks nobody now
            return Some((id, Silence::Asked));
        }
        if connects && self.has_no_connection(id) {
            self.withdraw(id);
            return Some((id, Silence::Unreachable));
        }
        match connects {
            true => self.look_again(id, how, false),
            false => self.ping(id, how),
        }
        Some((id, Silence::Asked))
    }

    /// Schedules the next event of a class of signs.
    pub(super) fn rearm_signs(&mut self, class: u32) {
        if let Some(due) = self.signs.rearm(class) {
            self.schedule_own(due, Kind::Deadline, class, SIGNS);
        }
    }

    fn ping(&mut self, id: CallId, how: Keepalive) {
        let Some(call) = self.calls.get(id).filter(|call| call.awaited) else { return };
        let (caller, callee) = (call.caller, call.callee);
        let substream = mix(call.substream, (self.now() - call.sent).as_ns());
        let request = Request {
            op: Op::Ping { of_call: true },
            substream,
            size_bytes: PING_BYTES,
            timeout: Some(how.patience),
            from: Some(call.zone),
            context: CallContext::default(),
        };
        self.pinging.insert(id, how);
        self.call(caller, callee, request, id.to_word());
    }

    /// Answers a question of that kind; false for any other request.
    #[inline]
    pub(super) fn answers_ping(&mut self, id: CallId, op: Op) -> bool {
        let pings = matches!(op, Op::Ping { .. });
        if pings {
            self.answer(id, Outcome::ok(0), 0, &Causes::NONE, PING_BYTES);
        }
        pings
    }

    /// The call for which a connection has asked.
    pub(super) fn pinged_for(&self, id: CallId) -> Option<CallId> {
        let call = self.calls.get(id)?;
        matches!(call.op, Op::Ping { of_call: true }).then(|| CallId::from_word(call.tag))
    }

    /// A sign of life has come, if only that nobody new is let in: who had been at work there when his process ended has been told already.
    pub(super) fn is_alive(&mut self, id: CallId) {
        if let Some(how) = self.pinging.remove(&id)
            && self.calls.awaited(id)
        {
            self.look_again(id, how, false);
        }
    }
}
