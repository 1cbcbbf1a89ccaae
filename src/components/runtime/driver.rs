//! What a client of a store with several members does about those that do not answer, as drivers do: it asks another at once what certainly has not
//! begun, and what only reads; it leaves those alone that did not answer, until one answers when it is asked whether it is there. What may have
//! happened it never asks for twice: whoever waits is told that nobody knows. Connections are looked after by the kernel
//! ([`Keepalive`](crate::sim::keepalive::Keepalive)).

use crate::base::ids::{PartId, Pid};
use crate::base::op::{At, Op, Outcome, Reason, Reply};
use crate::base::rng::mix;
use crate::base::session::Session;
use crate::base::slab::Key;
use crate::base::time::{ClockTime, Span};
use crate::components::runtime::host::{Ctx, Server};
use crate::components::runtime::pending_call::{Job, Later, PendingCall};

impl Server {
    /// A member that did not answer is not asked until it does when it is asked whether it is there.
    pub(super) fn avoid(&mut self, asked: Option<Pid>, part: PartId, outcome: Outcome, ctx: Ctx) {
        if let Some(asked) = asked.filter(|_| outcome.is_no_answer())
            && let Some((member, span)) = ctx.plan().directory.avoids(part, asked)
            && self.avoided.add(member, ClockTime::NEVER)
        {
            self.reconnects_after(part, member, span, ctx);
        }
    }

    fn reconnects_after(&mut self, part: PartId, member: Pid, span: Span, ctx: Ctx) {
        let timer = self.later.insert(Later::Reconnect { part, member });
        ctx.wake(span, timer.to_word());
    }

    /// A member that is avoided may be there again.
    pub(super) fn reconnect(&mut self, part: PartId, member: Pid, ctx: Ctx) {
        let pending = PendingCall::new(None, Session::NOBODY, Job::Reconnect { part, member }, 0, ctx.now());
        let (key, connect) =
            (self.pending_calls.insert(pending), ctx.plan().directory.store(part).alive.connect);
        let substream = mix(u64::from(member.member), ctx.now().as_ns()); // it serves nobody's request
        self.ask(key, member, Op::Ping { of_call: false }, substream, Some(connect), ctx);
    }

    /// A step on a store that has certainly not begun there, or only reads, goes to another member at once, if there is one.
    pub(super) fn asks_elsewhere(&mut self, key: Key, reply: &Reply, ctx: Ctx) -> bool {
        let Some(pending) = self.pending_calls.get_mut(key) else { return false };
        let Job::Data { part, op, asked: Some(asked), .. } = pending.job else { return false };
        let reads = matches!(op, Op::Read { .. }) && self.transactions.name(key) == 0;
        let fixed = matches!(op, Op::Read { at: At::Copy(_), .. });
        let directory = &ctx.plan().directory;
        let may = !fixed && directory.asks_another(part, &mut pending.tried, asked, reply.outcome, reads);
        if may {
            pending.since = ctx.now();
            self.avoid(Some(asked), part, reply.outcome, ctx);
            self.spend(key, &reply.causes);
            self.ask_store(key, ctx);
        }
        may
    }

    /// A member that was to be read as a replica leads: another one is asked, unless so many have said so that there is none.
    pub(super) fn asks_replica(&mut self, key: Key, reply: &Reply, ctx: Ctx) -> bool {
        let Some(pending) = self.pending_calls.get_mut(key) else { return false };
        let Job::Data { part, asked: Some(leader), .. } = pending.job else { return false };
        let others = ctx.plan().directory.target(part).count;
        if reply.outcome != Outcome::Fail(Reason::NoReplica) || pending.failures + 1 >= others {
            return false;
        }
        pending.failures += 1;
        self.leading.learn(part, leader.member);
        self.spend(key, &reply.causes);
        self.ask_store(key, ctx);
        true
    }

    /// Whoever was asked whether it is there has answered, or has not.
    pub(super) fn reconnected(&mut self, key: Key, to: (PartId, Pid), outcome: Outcome, ctx: Ctx) {
        let (part, member) = to;
        self.pending_calls.free(key);
        match ctx.plan().directory.avoids(part, member) {
            Some((_, span)) if !outcome.is_ok() => self.reconnects_after(part, member, span, ctx),
            _ => self.avoided.forgive(member),
        }
    }
}
