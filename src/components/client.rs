//! Workloads: who calls what, and when. An open loop is one process that stands for many customers; of a closed loop
//! each user is a process. What customers bring is a function of (workload, user, request number) and nothing else.

pub mod plan;
mod requests;

use std::convert::Infallible;

use crate::base::cause::Cause;
use crate::base::ids::{CallId, Pid, ProbeId, ProgramId, ZoneId};
use crate::base::op::{ARGS_MAX, Args, Op, Outcome, Reply};
use crate::base::rng::{Bits, Draws, mix};
use crate::base::session::{CausalContext, Session};
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::components::client::plan::ClientPlan;
use crate::components::client::requests::{Memory, Pending, Requests};
use crate::components::directory::Tried;
use crate::components::mech::arrivals::{Arrivals, residual};
use crate::components::mech::key_distribution::Turn;
use crate::program::compile::MESSAGE_BYTES;
use crate::record::ended::{Ended, Finished};
use crate::sim::context::Context;
use crate::sim::disk::Disk;
use crate::sim::process::Process;
use crate::sim::request::{CallContext, Request};

/// What is drawn, for telling draws apart.
const ARRIVAL: u64 = 1;
const CHOICE: u64 = 2;
const ARGUMENT: u64 = 3;
const DEMAND: u64 = 4;
const THINK: u64 = 5;
/// What names a request, and with it the customer of an open loop.
const CUSTOMER: u64 = 6;
const PLACE: u64 = 7;

/// Purposes of what it draws for a request besides.
const PICK: u8 = 0;
const BACK_OFF: u8 = 1;

/// The timer of the next arrival or think; all others are keys of requests.
const NEXT: u64 = u64::MAX;

/// The callers of a workload: one for an open loop, one for each user of a closed one.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    /// Requests so far.
    number: u64,
    before: Time,
    /// What the user of a closed loop remembers between requests. An open loop's requests are of a customer each, who knows nothing yet.
    memory: Option<Box<Memory>>,
    pending: Requests,
}

impl Process for Client {
    type Plan = ClientPlan;
    type Message = Infallible;
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(plan: &ClientPlan, _: u32) -> Self {
        let pending = Requests::new(plan.arrivals.of_one_customer());
        Client { number: 0, before: Time::ZERO, memory: None, pending }
    }

    fn start(&mut self, _: &Disk<(), ()>, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        self.before = plan.from.max(ctx.now());
        if let Arrivals::Users { think, .. } = &plan.arrivals {
            let first = residual(think, &mut self.draws(THINK, ctx));
            let wait = plan.from.since(ctx.now()) + first;
            ctx.wake_true(wait, NEXT);
        } else {
            self.await_next(ctx);
        }
    }

    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}

    fn on_timer(&mut self, timer: u64, ctx: &mut Context<Self>) {
        if timer != NEXT {
            return self.attempt(Key::from_word(timer), ctx);
        }
        let plan = ctx.plan();
        let now = ctx.now();
        if now >= plan.to {
            return;
        }
        match plan.arrivals {
            Arrivals::Users { .. } => self.begin(now, ctx),
            Arrivals::Serial { .. } => {
                let intended = self.before;
                self.begin(intended, ctx);
            }
            _ => {
                self.begin(now, ctx);
                self.await_next(ctx);
            }
        }
    }

    fn on_reply(&mut self, _: CallId, tag: u64, reply: Reply, ctx: &mut Context<Self>) {
        let key = Key::from_word(tag);
        let reason = match reply.outcome {
            Outcome::Ok(_) | Outcome::Renew(_) => return self.end(key, Ended::Ok, &reply, ctx),
            Outcome::Fail(reason) | Outcome::Unknown(reason) => reason,
        };
        let plan = ctx.plan();
        let how = match reply.outcome {
            Outcome::Unknown(_) => Ended::Unknown,
            _ if plan.answers.has(reason) => Ended::Answered,
            _ => Ended::Failed,
        };
        let Some(pending) = self.pending.get_mut(key) else { return };
        let part = plan.calls[pending.call as usize].to;
        if plan.directory.asks_another(part, &mut pending.tried, pending.asked, reply.outcome, false) {
            pending.learn(&reply, plan, ctx.monotonic());
            pending.retrying += reply.causes.total();
            return self.attempt(key, ctx);
        }
        pending.tried = Tried::default();
        pending.failures = pending.failures.saturating_add(1);
        let (number, failures, backoff) = (pending.number, pending.failures, pending.backoff);
        let policy = &plan.policies[plan.policy.index()];
        let mut draws = ctx.serving(BACK_OFF, self.attempt_substream(number, failures, ctx));
        let wait = policy.retry.wait(failures, backoff, &mut draws).filter(|_| policy.retries(reason));
        let Some(pending) = self.pending.get_mut(key) else { return };
        match wait {
            Some(wait) => {
                pending.learn(&reply, plan, ctx.monotonic());
                pending.backoff = wait;
                pending.retrying += reply.causes.total() + wait;
                ctx.wake(wait, key.to_word());
            }
            None => self.end(key, how, &reply, ctx),
        }
    }

    fn on_late(&mut self, _: CallId, _: u64, _: Op, ctx: &mut Context<Self>) {
        let (now, probe) = (ctx.now(), ctx.plan().probe);
        ctx.record().late(probe, now);
    }

    fn prefetch(&self) -> u64 {
        self.number
    }

    fn under_way(&self, plan: &ClientPlan, tell: &mut dyn FnMut(ProbeId, Time)) {
        self.pending.for_each(|pending| {
            tell(plan.calls[pending.call as usize].probe, pending.intended);
            tell(plan.probe, pending.intended);
        });
    }
}

impl Client {
    /// Draws of one kind for the current request.
    fn draws(&self, what: u64, ctx: &Context<Self>) -> Draws {
        ctx.draws(self.substream(what, self.number, ctx))
    }

    fn substream(&self, what: u64, number: u64, ctx: &Context<Self>) -> u64 {
        let user = mix(ctx.plan().name, u64::from(ctx.me().member));
        mix(mix(user, number), what)
    }

    /// What identifies an attempt of a request.
    fn attempt_substream(&self, number: u64, failures: u32, ctx: &Context<Self>) -> u64 {
        let demand = self.substream(DEMAND, number, ctx);
        if failures == 0 { demand } else { mix(demand, u64::from(failures)) }
    }

    /// The customer of a request: the user of a closed loop, somebody else each time in an open one.
    fn session(&self, number: u64, ctx: &Context<Self>) -> u64 {
        match ctx.plan().arrivals.of_one_customer() {
            true => mix(ctx.plan().name, u64::from(ctx.me().member)),
            false => self.trace(number, ctx),
        }
    }

    /// Where a request comes from.
    fn zone(&self, number: u64, ctx: &Context<Self>) -> ZoneId {
        match &ctx.plan().zones[..] {
            [] => ctx.zone(),
            [(_, zone)] => *zone,
            zones => {
                let share = ctx.draws(self.substream(PLACE, number, ctx)).open01();
                zones.iter().find(|(upto, _)| share < *upto).unwrap_or(&zones[zones.len() - 1]).1
            }
        }
    }

    /// What names a request: the same for all attempts.
    fn trace(&self, number: u64, ctx: &Context<Self>) -> u64 {
        self.substream(CUSTOMER, number, ctx)
    }

    /// Waits for the next arrival of an open loop.
    fn await_next(&mut self, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        let mut draws = self.draws(ARRIVAL, ctx);
        let next = plan.arrivals.next(self.number, plan.from, self.before, &mut draws);
        if let Some(at) = next.filter(|at| *at < plan.to) {
            self.before = at;
            ctx.wake_true(at.since(ctx.now()), NEXT); // a serial tester may be late: then at once
        }
    }

    /// A request that was meant to be sent at `intended`.
    fn begin(&mut self, intended: Time, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        let now = ctx.now();
        let call = if plan.calls.len() == 1 {
            0
        } else {
            let share = self.draws(CHOICE, ctx).open01();
            plan.calls.iter().position(|call| share < call.upto).unwrap_or(plan.calls.len() - 1)
        };
        let intended = match plan.arrivals {
            Arrivals::Serial { from_sent: true, .. } => now,
            _ => intended,
        };
        let number = self.number;
        self.number += 1;
        let turn = ctx.turn();
        ctx.record().started(plan.calls[call].probe, intended, now);
        ctx.record().started(plan.probe, intended, now);
        let pending = Pending {
            number,
            turn,
            call: call as u16,
            failures: 0,
            intended,
            sent: now,
            retrying: Span::ZERO,
            backoff: Span::ZERO,
            zone: self.zone(number, ctx),
            asked: ctx.me(),
            tried: Tried::default(),
            session: self.session(number, ctx),
            memory: self.memory.take(),
        };
        let (session, origin) = (pending.session, self.trace(number, ctx));
        ctx.record().history.asked(plan.calls[call].probe, origin, session, intended);
        let key = self.pending.insert(pending);
        ctx.count_requests(self.pending.len());
        self.attempt(key, ctx);
    }

    /// One attempt of a request.
    fn attempt(&mut self, key: Key, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        let Some(pending) = self.pending.get(key) else { return };
        let call = &plan.calls[pending.call as usize];
        let mut args: Args = [0; ARGS_MAX];
        let argument = self.substream(ARGUMENT, pending.number, ctx);
        for (index, (arg, key_distribution)) in args.iter_mut().zip(&call.args).enumerate() {
            // Another attempt asks for the same.
            let mut draws = ctx.draws(mix(argument, index as u64)).of_property();
            let turn = Turn { of_user: pending.number, of_workload: pending.turn };
            *arg = key_distribution.choose(turn, &mut draws);
        }
        let (clock, memory, tried) = (ctx.monotonic(), pending.memory.as_deref(), pending.tried);
        let substream = tried.identity(self.attempt_substream(pending.number, pending.failures, ctx));
        let avoided = |member: Pid| {
            tried.has(member) || memory.is_some_and(|memory| memory.avoided.names(member, clock))
        };
        let to =
            plan.directory.way_in(call.to, pending.zone, avoided, |n| ctx.serving(PICK, substream).below(n));
        let request = Request {
            op: Op::Run { program: call.program.unwrap_or(ProgramId(u16::MAX)), args },
            substream,
            size_bytes: MESSAGE_BYTES,
            timeout: Some(plan.policies[plan.policy.index()].timeout),
            from: Some(pending.zone),
            context: CallContext::of(Session {
                id: pending.session,
                trace: self.trace(pending.number, ctx),
                causal: memory.map_or(CausalContext::NOTHING, |memory| memory.seen),
            }),
        };
        let id = ctx.call(to, request, key.to_word());
        if let Some(alive) = plan.directory.alive(call.to) {
            ctx.keep_alive(id, alive);
        }
        if let Some(pending) = self.pending.get_mut(key) {
            pending.asked = to;
        }
    }

    /// A request has ended.
    fn end(&mut self, key: Key, how: Ended, reply: &Reply, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        let now = ctx.now();
        let Some(mut pending) = self.pending.remove(key) else { return };
        let mut causes = reply.causes;
        causes.add(Cause::Retry, pending.retrying);
        causes.add(Cause::Queue, pending.sent - pending.intended); // a serial tester sends late
        debug_assert_eq!(
            causes.total(),
            now - pending.intended,
            "the causes of a request sum to its latency"
        );
        let request = Finished {
            intended: pending.intended,
            ended: now,
            how,
            attempts: pending.failures + u32::from(how == Ended::Ok),
            causes,
        };
        let (probe, origin) = (plan.calls[pending.call as usize].probe, self.trace(pending.number, ctx));
        if let Outcome::Fail(reason) | Outcome::Unknown(reason) = reply.outcome {
            for probe in [probe, plan.probe] {
                ctx.record().failed(probe, pending.intended, now, reason, reply.at);
            }
        }
        ctx.record().finished(probe, request);
        ctx.record().finished(plan.probe, request);
        ctx.record().history.answered(probe, origin, now, reply.outcome);
        if plan.arrivals.of_one_customer() {
            pending.learn(reply, plan, ctx.monotonic());
            self.memory = pending.memory;
        }
        match &plan.arrivals {
            Arrivals::Users { think, .. } => {
                let span = think.span(&mut self.draws(THINK, ctx));
                ctx.wake_true(span, NEXT);
            }
            Arrivals::Serial { .. } => self.await_next(ctx),
            _ => {}
        }
    }
}
