//! Pending calls: what a coroutine has asked another part for. Calls are tried again by their policy; steps on a db wait for a
//! connection of the pool first; `get` is a state machine of its own ([`super::reader`]).

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, PartId, Pid, ProgramId};
use crate::base::op::{At, Failure, Op, Outcome, Reason, Reply, Value};
use crate::base::rng::Bits;
use crate::base::session::{CausalContext, Session};
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::components::directory::Tried;
use crate::components::runtime::host::{Ctx, Server};
use crate::components::runtime::pending_call::{BACK_OFF, Job, Later, PICK, PendingCall, request};
use crate::components::runtime::reading::Reading;
use crate::program::instr::{Effect, Input};
use crate::program::interpret::ids::CoroutineId;
use crate::record::history::{Sent, attempt};
use crate::sim::request::{CallContext, Request};

impl Server {
    /// Sends a coroutine's effect out as a pending call.
    pub(super) fn send(&mut self, coroutine: CoroutineId, effect: Effect, ctx: Ctx) {
        let (job, substream) = match effect {
            Effect::Call { site, args, draw } => {
                let program = self.frames.program(coroutine).expect("it runs");
                (Job::Call { program, site, args, asked: None }, draw)
            }
            Effect::Get { cache, key, draw } => (Job::Reading(Reading::get(cache, key)), draw),
            Effect::Put { cache, key, draw } => (Job::Reading(Reading::put(cache, key)), draw),
            Effect::PutValue { cache, key, n, version, draw } => {
                let value = Value { n, version, ..Value::default() };
                (Job::Reading(Reading::put_value(cache, key, value)), draw)
            }
            Effect::Drop { cache, key, draw } => {
                (Job::Data { part: cache, op: Op::Drop { key }, pooled: false, asked: None }, draw)
            }
            Effect::Read { db, table, key, distribution, at, for_update, draw } => {
                let taking =
                    distribution.map(|distribution| self.demand(coroutine, distribution, 1, draw, ctx));
                (
                    Job::Data {
                        part: db,
                        op: match for_update {
                            true => Op::ReadForUpdate { table, key, taking },
                            false => Op::Read { table, key, taking, at },
                        },
                        pooled: false,
                        asked: None,
                    },
                    draw,
                )
            }
            Effect::Write { db, table, key, n, parent, draw } => (
                Job::Data { part: db, op: Op::Write { table, key, n, parent }, pooled: false, asked: None },
                draw,
            ),
            Effect::Update { db, table, key, delta, when, bound, draw } => (
                Job::Data {
                    part: db,
                    op: Op::Update { table, when, key, delta, bound },
                    pooled: false,
                    asked: None,
                },
                draw,
            ),
            other => unreachable!("{other:?} stays in the house"),
        };
        let key = self.pending(coroutine, job, substream, ctx);
        self.join_transaction(coroutine, key);
        self.set_out(key, ctx);
    }

    /// A pending call sets out, or sets out again.
    pub(super) fn set_out(&mut self, key: Key, ctx: Ctx) {
        let Some(pending) = self.pending_calls.get(key) else { return };
        match &pending.job {
            Job::Call { .. } => self.attempt(key, ctx),
            Job::Data { part, op: Op::Drop { .. }, .. } => {
                let part = *part;
                self.ask_cache(key, part, ctx);
            }
            Job::Data { part, op, .. } => {
                let (part, op) = (*part, *op);
                if !self.goes_within(key, op, ctx) {
                    self.enter_pool(key, part, ctx);
                }
            }
            Job::Reading(_) => self.reading_begins(key, ctx),
            _ => {} // they set out by themselves
        }
    }

    /// One attempt of a call.
    fn attempt(&mut self, key: Key, ctx: Ctx) {
        let plan = ctx.plan();
        let Some(pending) = self.pending_calls.get(key) else { return };
        let Job::Call { program, site, args, .. } = pending.job else { return };
        let (site, substream) = (&plan.programs.0[program.index()].calls[site as usize], pending.attempt());
        let (from, clock, tried) = (site.from.unwrap_or(ctx.zone()), ctx.monotonic(), pending.tried);
        let avoided = |member: Pid| self.avoided.names(member, clock) || tried.has(member);
        let to = plan.directory.way_in(site.to, from, avoided, |n| ctx.serving(PICK, substream).below(n));
        let context = CallContext::of(self.on_behalf(key));
        let request = Request {
            op: Op::Run { program: site.program.unwrap_or(ProgramId(u16::MAX)), args },
            substream,
            size_bytes: site.size_bytes,
            timeout: Some(plan.policies[site.policy.index()].timeout),
            from: site.from,
            context,
        };
        let call = ctx.call(to, request, key.to_word());
        if let Some(alive) = plan.directory.alive(site.to) {
            ctx.keep_alive(call, alive);
        }
        if let Some(PendingCall { job: Job::Call { asked, .. }, .. }) = self.pending_calls.get_mut(key) {
            *asked = Some(to);
        }
    }

    /// A `cpu` step of a program that runs at a store: a core of the member beside us, in line with its operations.
    pub(super) fn compute_at_store(
        &mut self,
        coroutine: CoroutineId,
        store: PartId,
        demand: Span,
        draw: u64,
        ctx: Ctx,
    ) {
        let op = Op::Compute { demand };
        let key =
            self.pending(coroutine, Job::Data { part: store, op, pooled: false, asked: None }, draw, ctx);
        let member = Pid::new(ctx.plan().directory.target(store).tier, ctx.me().member);
        self.ask(key, member, op, draw, None, ctx);
    }

    /// A new pending call of a coroutine.
    pub(super) fn pending(&mut self, coroutine: CoroutineId, job: Job, substream: u64, ctx: Ctx) -> Key {
        let on_behalf = *self.session(coroutine).expect("a coroutine works for somebody");
        let since = ctx.now();
        let pending = PendingCall::new(Some(coroutine), on_behalf, job, substream, since);
        self.pending_calls.insert(pending)
    }

    /// What identifies a pending call.
    pub(super) fn substream(&self, key: Key) -> u64 {
        self.pending_calls.get(key).map_or(0, |pending| pending.substream)
    }

    /// Asks a part for an operation on behalf of a pending call. `substream` identifies the question: a pending call may have several.
    pub(super) fn ask(
        &mut self,
        key: Key,
        to: Pid,
        op: Op,
        substream: u64,
        timeout: Option<Span>,
        ctx: Ctx,
    ) -> CallId {
        let context = CallContext::of(self.on_behalf(key));
        ctx.call(to, request(op, substream, timeout, context), key.to_word())
    }

    /// For whom a pending call is, and what that customer has seen by now.
    pub(super) fn on_behalf(&mut self, key: Key) -> Session {
        let pending = self.pending_calls.get(key).map(|pending| (pending.coroutine, pending.on_behalf));
        let (coroutine, kept) = pending.unwrap_or((None, Session::NOBODY));
        coroutine.and_then(|coroutine| self.session(coroutine).copied()).unwrap_or(kept)
    }

    /// The customer of a pending call sees more by its answer; whatever else is done for it in this process sees as much from now on.
    pub(super) fn learn(&mut self, key: Key, seen: CausalContext) {
        if seen == CausalContext::NOTHING {
            return; // as in every design where nothing is read `at session`
        }
        let Some(pending) = self.pending_calls.get_mut(key) else { return };
        pending.on_behalf.causal.merge(seen);
        if let Some(session) = pending.coroutine.and_then(|coroutine| self.session(coroutine)) {
            session.causal.merge(seen);
        }
    }

    fn ask_cache(&mut self, key: Key, part: PartId, ctx: Ctx) {
        let Some(PendingCall { job: Job::Data { op, .. }, .. }) = self.pending_calls.get(key) else { return };
        let op = *op;
        let Op::Drop { key: entry } = op else { return };
        let directory = &ctx.plan().directory;
        let (to, timeout) = (directory.owner(part, entry), directory.cache(part).timeout);
        self.ask(key, to, op, self.substream(key), Some(timeout), ctx);
    }

    pub(super) fn ask_store(&mut self, key: Key, ctx: Ctx) {
        let Some(PendingCall { job: Job::Data { op, part, .. }, tried, .. }) = self.pending_calls.get(key)
        else {
            return;
        };
        let (op, part, tried) = (*op, *part, *tried);
        let directory = &ctx.plan().directory;
        let at = if let Op::Read { at, .. } = op { at } else { At::Primary };
        let timeout = Some(directory.store(part).timeout);
        let substream = self.substream(key);
        if ctx.plan().beside == Some(part) && matches!(at, At::Primary | At::Nearest | At::Session) {
            let here = Pid::new(directory.target(part).tier, ctx.me().member);
            let context = self.context(key, ctx);
            let call = ctx.call(here, request(op, substream, timeout, context), key.to_word());
            self.record_held(key, call, op, ctx);
            return self.record(key, call, here, op, ctx);
        }
        let (zone, clock) = (ctx.zone(), ctx.monotonic());
        let avoided = |member: Pid| self.avoided.names(member, clock) || tried.has(member);
        let leader = directory.leader(part, &self.leading);
        let substream = tried.identity(substream);
        let to = directory.copy(part, zone, at, leader, avoided, |n| ctx.serving(PICK, substream).below(n));
        let context = self.context(key, ctx);
        let call = ctx.call(to, request(op, substream, timeout, context), key.to_word());
        if let Some(alive) = directory.alive(part) {
            ctx.keep_alive(call, alive);
        }
        self.record_held(key, call, op, ctx);
        self.record(key, call, to, op, ctx);
        if let Some(PendingCall { job: Job::Data { asked, .. }, .. }) = self.pending_calls.get_mut(key) {
            *asked = Some(to);
        }
    }

    /// What goes with an operation on a store: its customer, its transaction, the token of a lock.
    fn context(&mut self, key: Key, ctx: Ctx) -> CallContext {
        let coroutine = self.pending_calls.get(key).and_then(|pending| pending.coroutine);
        CallContext {
            session: self.on_behalf(key),
            transaction: self.transactions.name(key),
            fence: coroutine.map(|coroutine| self.fence(coroutine, ctx)).unwrap_or_default(),
            ..CallContext::default()
        }
    }

    /// Records that a change was made by whoever holds a lock.
    fn record_held(&mut self, key: Key, call: CallId, op: Op, ctx: Ctx) {
        let Some(coroutine) = self.pending_calls.get(key).and_then(|pending| pending.coroutine) else {
            return;
        };
        let changes = !matches!(op, Op::Read { .. } | Op::ReadForUpdate { .. });
        if let holder @ 1.. = self.held_by(coroutine)
            && changes
        {
            ctx.record().history.holds.acts(holder, attempt(call));
        }
    }

    /// Records an operation on a store.
    fn record(&mut self, key: Key, call: CallId, to: Pid, op: Op, ctx: Ctx) {
        if !ctx.record().history.wants_operation(to.tier, &op) {
            return;
        }
        // A step whose coroutine has been abandoned is sent all the same, and may have an effect.
        let coroutine = self.pending_calls.get(key).and_then(|pending| pending.coroutine);
        let program =
            coroutine.and_then(|coroutine| self.frames.program(coroutine)).unwrap_or(ProgramId(u16::MAX));
        let branch = coroutine.map_or(u32::MAX, |coroutine| self.frames.branch(coroutine));
        let Session { id: session, trace: origin, .. } = self.on_behalf(key);
        let (now, by, store, transaction) = (ctx.now(), ctx.me(), to.tier, self.transactions.name(key));
        // That a row is kept as well is no part of what was seen.
        let op = match op {
            Op::ReadForUpdate { table, key, taking } => Op::Read { table, key, taking, at: At::Primary },
            other => other,
        };
        let sent = Sent { store, op, program, by, session, branch, origin, transaction };
        ctx.record().history.sent(call, now, sent);
    }

    /// An answer to a pending call.
    pub(super) fn pending_answered(&mut self, key: Key, reply: Reply, ctx: Ctx) {
        let now = ctx.now();
        self.learn(key, reply.seen);
        if self.asks_elsewhere(key, &reply, ctx) {
            return;
        }
        let transaction = self.transactions.forget(key);
        let Some(pending) = self.pending_calls.get_mut(key) else { return };
        match &pending.job {
            Job::Call { .. } => self.call_answered(key, reply, ctx),
            Job::Data { part, pooled, asked, .. } => {
                let (part, pooled, asked) = (*part, *pooled, *asked);
                pending.since = now;
                self.avoid(asked, part, reply.outcome, ctx);
                if let Some(tx) = transaction {
                    return self.transaction_answered(key, tx, &reply, ctx);
                }
                if self.asks_replica(key, &reply, ctx) {
                    return;
                }
                self.spend(key, &reply.causes);
                match reply.outcome {
                    Outcome::Ok(value) | Outcome::Renew(value) => self.call_done(key, value),
                    Outcome::Fail(reason) | Outcome::Unknown(reason) => {
                        // Nobody knows what became of it, and whoever called this program is to hear that.
                        let lost = reply.outcome == Outcome::Unknown(Reason::NoLeader);
                        let reason = if lost { Reason::Reset } else { reason };
                        self.call_failed(key, Failure { reason, at: Some(reply.at) });
                    }
                }
                if pooled {
                    self.leave_pool(part, ctx);
                }
            }
            Job::Reading(_) => self.reading_answered(key, reply, ctx),
            Job::Lock { hold } => {
                let hold = *hold;
                self.lock_answered(key, hold, &reply, ctx);
            }
            Job::Renewal { .. } => self.renewed(key, reply.outcome, ctx),
            Job::GiveBack { place, op, asked } => {
                let (place, op, asked) = (*place, *op, *asked);
                self.given_back(key, (place, op, asked), reply.outcome, ctx);
            }
            Job::Reconnect { part, member } => {
                let (part, member) = (*part, *member);
                self.reconnected(key, (part, member), reply.outcome, ctx);
            }
        }
    }

    fn call_answered(&mut self, key: Key, reply: Reply, ctx: Ctx) {
        let now = ctx.now();
        let plan = ctx.plan();
        let Some(pending) = self.pending_calls.get_mut(key) else { return };
        let Job::Call { program, site, asked, .. } = pending.job else { return };
        pending.since = now;
        let site = &plan.programs.0[program.index()].calls[site as usize];
        self.avoid(asked, site.to, reply.outcome, ctx);
        let Some(pending) = self.pending_calls.get_mut(key) else { return };
        if let Some(asked) = asked
            && plan.directory.asks_another(site.to, &mut pending.tried, asked, reply.outcome, false)
        {
            self.spend(key, &Causes::only(Cause::Retry, reply.causes.total()));
            return self.attempt(key, ctx);
        }
        pending.tried = Tried::default();
        let reason = match reply.outcome {
            Outcome::Ok(value) | Outcome::Renew(value) => {
                self.spend(key, &reply.causes);
                return self.call_done(key, value);
            }
            Outcome::Fail(reason) | Outcome::Unknown(reason) => reason,
        };
        let policy = &plan.policies[site.policy.index()];
        let retried = policy.retries(reason);
        pending.failures = pending.failures.saturating_add(1);
        let mut draws = ctx.serving(BACK_OFF, pending.attempt());
        let wait = policy.retry.wait(pending.failures, pending.backoff, &mut draws).filter(|_| retried);
        match wait {
            Some(wait) => {
                pending.backoff = wait;
                self.spend(key, &Causes::only(Cause::Retry, reply.causes.total()));
                let timer = self.later.insert(Later::Again { pending: key });
                ctx.wake(wait, timer.to_word());
            }
            None => {
                self.spend(key, &reply.causes);
                self.call_failed(key, Failure { reason, at: Some(reply.at) });
            }
        }
    }

    /// The wait before another try is over.
    pub(super) fn call_again(&mut self, key: Key, ctx: Ctx) {
        let Some(pending) = self.pending_calls.get(key) else { return };
        if let Job::Reading(_) = pending.job {
            self.charge(key, Cause::Lock, ctx.now());
            self.reading_again(key, ctx);
        } else {
            self.charge(key, Cause::Retry, ctx.now());
            self.attempt(key, ctx);
        }
    }

    /// Charges the time since the last charge to one cause.
    pub(super) fn charge(&mut self, key: Key, cause: Cause, now: Time) {
        let Some(pending) = self.pending_calls.get_mut(key) else { return };
        let span = now - pending.since;
        pending.since = now;
        if let Some(coroutine) = pending.coroutine {
            self.frames.spend(coroutine, cause, span);
        }
    }

    /// Charges time by cause.
    pub(super) fn spend(&mut self, key: Key, causes: &Causes) {
        if let Some(coroutine) = self.pending_calls.get(key).and_then(|pending| pending.coroutine) {
            self.frames.spend_all(coroutine, causes);
        }
    }

    pub(super) fn call_done(&mut self, key: Key, value: Value) {
        if let Some(PendingCall { coroutine: Some(coroutine), job, .. }) = self.pending_calls.get(key) {
            let plain = matches!(
                job,
                Job::Lock { .. }
                    | Job::Data { op: Op::Drop { .. } | Op::Compute { .. } | Op::Begin | Op::Commit, .. }
            ) || matches!(job, Job::Reading(reading) if reading.puts_value());
            let input = match job {
                _ if plain => Input::Go,
                Job::Data { op: Op::Write { .. }, .. } => Input::Written(value.version),
                _ => Input::Value(value),
            };
            self.ready.push_back((*coroutine, input));
        }
        self.pending_calls.free(key);
    }

    pub(super) fn call_failed(&mut self, key: Key, why: Failure) {
        self.transactions.forget(key);
        if let Some(PendingCall { coroutine: Some(coroutine), .. }) = self.pending_calls.get(key) {
            self.ready.push_back((*coroutine, Input::Failed(why)));
        }
        self.pending_calls.free(key);
    }
}
