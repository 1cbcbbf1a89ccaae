//! The kernel's half of crashes and pauses: what may happen to a process now, and what ends when its node goes down.

use std::collections::VecDeque;

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, Pid};
use crate::base::op::{Outcome, Reason};
use crate::sim::event::{Event, KERNEL, Kind};
use crate::sim::kernel::Kernel;
use crate::sim::nodes::Crash;

/// Whether an event may happen to its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may.
    Now,
    /// When the process goes on.
    Later,
    /// It was for one that is gone, or is refused.
    Never,
}

impl Kernel {
    /// Folds the event that is about to happen into the fingerprint.
    #[inline]
    pub(super) fn mark(&mut self, event: Event) {
        let now = self.engine.now();
        let node = if event.tier() == KERNEL {
            u64::from(event.member())
        } else {
            self.nodes[event.tier() as usize].member_hash(event.member())
        };
        let block_ends = self.fingerprint.event(now, event.what(), node);
        if block_ends | self.attentive {
            self.attend(event, block_ends);
        }
    }

    /// What is done after a block of events, and after each event while somebody wants to know.
    #[cold]
    fn attend(&mut self, event: Event, block_ends: bool) {
        if block_ends {
            self.fingerprint.end_block();
        }
        if self.fingerprint.watching() {
            let name = self.nodes.get(event.tier() as usize).map_or("kernel", |tier| tier.name.as_str());
            let text = format!("{:?} at {name}[{}]", event.kind(), event.member());
            self.fingerprint.witness(self.engine.now(), text);
        }
        self.look_at_time(event, block_ends);
    }

    /// Whether a process stands still.
    pub(super) fn is_paused(&self, pid: Pid) -> bool {
        self.tier_nodes(pid).node(pid.member).is_some_and(|node| node.pauses > 0 && node.down.is_none())
    }

    /// A call of a process that stands still has timed out: it learns of it when it goes on.
    pub(super) fn defer_timeout(&mut self, id: CallId) -> bool {
        let Some(call) = self.calls.get(id) else { return false };
        let (caller, incarnation) = (call.caller, call.caller_incarnation);
        if !self.is_paused(caller) {
            return false;
        }
        let event = Event::new(Kind::TimedOut, caller, incarnation, id.to_word());
        self.tier_nodes_mut(caller).node_mut(caller.member).deferred.push_back(event);
        true
    }

    /// Whether an event may happen to its process now.
    pub(super) fn admits(&mut self, event: Event) -> Admission {
        let node = self.tier_nodes_mut(event.target()).node_mut(event.member());
        let (id, calls) = (CallId::from_word(event.word), event.kind() == Kind::Call);
        if node.incarnation == event.incarnation() && node.down.is_none() {
            if node.pauses > 0 {
                node.deferred.push_back(event);
                return Admission::Later;
            }
            if node.drains > 0 && calls && !self.comes_from_inside(id, event) {
                self.refuse(id);
                return Admission::Never;
            }
            return Admission::Now;
        }
        let silent = node.down == Some(Crash::Machine);
        match event.kind() {
            Kind::Call if !silent => self.refuse(id),
            Kind::Call | Kind::Reply => self.calls.drop_handled(id),
            Kind::CancellableTimer => {
                self.take_timer(event.word);
            }
            _ => {}
        }
        Admission::Never
    }

    /// Whether a call comes from a process on the same node: it belongs to what that node has to finish.
    fn comes_from_inside(&self, id: CallId, event: Event) -> bool {
        self.calls.get(id).is_some_and(|call| self.home(call.caller) == self.home(event.target()))
    }

    /// A machine whose process is not there (any more) resets the connection.
    fn refuse(&mut self, id: CallId) {
        let now = self.now();
        let Some(call) = self.calls.get_mut(id) else { return };
        call.arrived = now;
        self.answer(id, Outcome::Fail(Reason::Refused), 0, &Causes::NONE, 0);
    }

    /// A node goes down with all its processes: what they called and what they were asked end here. Answers with what
    /// had waited for it while it stood still, for its tiers to forget; `None` if it was down already.
    pub(super) fn crash(&mut self, pid: Pid, how: Crash) -> Option<VecDeque<Event>> {
        let node = self.tier_nodes_mut(pid).node_mut(pid.member);
        if node.down.is_some() {
            return None;
        }
        node.down = Some(how);
        node.incarnation = node.incarnation.wrapping_add(1);
        node.pauses = 0;
        let deferred = std::mem::take(&mut node.deferred);
        for tier in self.on_nodes_of(pid.tier) {
            let process = Pid::new(tier, pid.member);
            self.end_calls(process, how);
            self.leave_unsent(process, how);
        }
        Some(deferred)
    }

    /// What a machine had not got through to anybody was in its memory. A process leaves that to its machine, which goes
    /// on sending it.
    fn leave_unsent(&mut self, pid: Pid, how: Crash) {
        for key in self.connections.from(pid) {
            match how {
                Crash::Process => self.connections.leave_behind(key),
                Crash::Machine => {
                    for segment in self.connections.close(key) {
                        self.calls.drop_handled(segment.call);
                    }
                }
            }
        }
    }

    /// What a process called and what it was asked ends.
    fn end_calls(&mut self, pid: Pid, how: Crash) {
        for id in self.calls.select(|call| call.caller == pid && call.awaited) {
            self.abandon(id);
        }
        let now = self.now();
        for id in self.calls.select(|call| call.callee == pid && call.handled && !call.answered) {
            if !self.calls.get(id).is_some_and(|call| call.delivered) {
                continue; // the request is still on its way: its arrival decides
            }
            match how {
                Crash::Machine => self.calls.drop_handled(id),
                Crash::Process => {
                    let call = self.calls.get_mut(id).expect("selected");
                    let held = Causes::only(Cause::Timeout, now - call.arrived);
                    self.answer(id, Outcome::Unknown(Reason::Reset), 0, &held, 0);
                }
            }
        }
    }
}
