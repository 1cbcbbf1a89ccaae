//! The clients' half of a cache's guard: `get` looks, and rebuilds or waits as the guard says (see
//! [`crate::components::guard`] for both halves).
//!
//! A cache that does not answer is no reason to fail: the reader rebuilds and keeps the result to itself. Every
//! answer may be lost: a lock that may or may not have been taken is waited for like one that somebody else holds.
//!
//! Where there is no `fill` the program itself makes the value and says `put c[k] = value` (`cache_aside`).

use crate::base::cause::{Cause, Causes};
use crate::base::ids::PartId;
use crate::base::op::{At, Failure, GUARD, How, Op, Outcome, Reason, Reply, Value};
use crate::base::rng::mix;
use crate::base::session::Session;
use crate::base::slab::Key;
use crate::base::time::Span;
use crate::components::guard::{Claim, Guard, Per};
use crate::components::runtime::host::{Ctx, Server};
use crate::components::runtime::pending_call::{
    GUARD_WAIT, Job, Later, NO_PENDING_CALL, PendingCall, request,
};
use crate::components::runtime::reading::{Phase, Reading, question};
use crate::program::instr::Ending;
use crate::sim::request::CallContext;

impl Server {
    pub(super) fn reading(&mut self, key: Key) -> Option<&mut Reading> {
        match self.pending_calls.get_mut(key) {
            Some(PendingCall { job: Job::Reading(reading), .. }) => Some(reading),
            _ => None,
        }
    }

    pub(super) fn reading_begins(&mut self, key: Key, ctx: Ctx) {
        match self.reading(key).map(|reading| reading.phase) {
            Some(Phase::Rebuild) => self.fill(key, ctx),
            Some(Phase::Put) => self.put_given(key, ctx),
            // It has been told before that the value is missing, and has not put it yet: nobody else will.
            Some(_) if self.has_right(key) => self.cache_failed(key, Reason::Miss, ctx),
            Some(_) => self.look(key, Phase::Look, ctx),
            None => {}
        }
    }

    /// The wait is over: look again.
    pub(super) fn reading_again(&mut self, key: Key, ctx: Ctx) {
        if let Some(reading) = self.reading(key) {
            reading.tries += 1;
            self.look(key, Phase::Look, ctx);
        }
    }

    fn look(&mut self, key: Key, phase: Phase, ctx: Ctx) {
        let Some(reading) = self.reading(key) else { return };
        reading.phase = phase;
        let op = Op::Read { table: 0, key: reading.entry, taking: None, at: At::Primary };
        let question = if phase == Phase::Look { question::LOOK } else { question::LOOK_AGAIN };
        self.ask_node(key, op, question, ctx);
    }

    /// Asks the member of the cache that owns the entry.
    fn ask_node(&mut self, key: Key, op: Op, question: u64, ctx: Ctx) {
        let substream = self.question(key, question);
        let Some(reading) = self.reading(key) else { return };
        let directory = &ctx.plan().directory;
        let to = directory.owner(reading.cache, reading.entry);
        let timeout = directory.cache(reading.cache).timeout;
        self.ask(key, to, op, substream, Some(timeout), ctx);
    }

    /// What identifies a question of a `get`.
    pub(super) fn question(&mut self, key: Key, question: u64) -> u64 {
        let substream = self.substream(key);
        let tries = self.reading(key).map_or(0, |reading| u64::from(reading.tries));
        mix(substream, tries * question::ALL + question)
    }

    pub(super) fn reading_answered(&mut self, key: Key, reply: Reply, ctx: Ctx) {
        self.spend(key, &reply.causes);
        let now = ctx.now();
        let Some(pending) = self.pending_calls.get_mut(key) else { return };
        pending.since = now;
        let Job::Reading(reading) = &mut pending.job else { return };
        match reading.phase {
            Phase::Look => self.looked(key, reply, ctx),
            Phase::Lock => self.asked_for_lock(key, reply, ctx),
            Phase::LookAgain => match reply.outcome {
                Outcome::Ok(value) => self.reading_done(key, value, ctx),
                _ if reading.serves_stale => self.renews(key, ctx),
                Outcome::Renew(value) => self.reading_done(key, value, ctx),
                Outcome::Fail(_) | Outcome::Unknown(_) => self.fill(key, ctx),
            },
            Phase::Put => {
                let value = reading.value;
                self.reading_done(key, value, ctx);
            }
            Phase::Asleep | Phase::Follow | Phase::Rebuild => {}
        }
    }

    fn looked(&mut self, key: Key, reply: Reply, ctx: Ctx) {
        let Some(reading) = self.reading(key) else { return };
        let cache = ctx.plan().directory.cache(reading.cache);
        match reply.outcome {
            Outcome::Ok(value) => self.reading_done(key, value, ctx),
            Outcome::Renew(value) => {
                match cache.guard {
                    // The reader whose draw says so rebuilds before it goes on.
                    Guard::XFetch { .. } => return self.fill(key, ctx),
                    Guard::Stale { rebuild, claim: Claim::SetNx { .. }, .. } => {
                        (reading.serves_stale, reading.value) = (true, value);
                        return self.lock(key, rebuild, ctx);
                    }
                    _ => {}
                }
                let background = Reading { note: reply.note, ..Reading::put(reading.cache, reading.entry) };
                self.rebuild_in_background(key, background, ctx);
                self.reading_done(key, value, ctx);
            }
            Outcome::Fail(Reason::Leased) => {
                reading.note = reply.note;
                self.fill(key, ctx);
            }
            Outcome::Fail(Reason::Wait) => self.sleep(key, ctx),
            Outcome::Fail(Reason::Miss) => self.missed(key, ctx),
            Outcome::Fail(reason) | Outcome::Unknown(reason) if cache.fill.is_none() => {
                self.cache_failed(key, reason, ctx);
            }
            Outcome::Fail(_) | Outcome::Unknown(_) => {
                reading.keeps = false;
                self.fill(key, ctx);
            }
        }
    }

    fn missed(&mut self, key: Key, ctx: Ctx) {
        if self.has_right(key) {
            return self.cache_failed(key, Reason::Miss, ctx); // another branch of its program makes the value
        }
        let Some(reading) = self.reading(key) else { return };
        let flight = (reading.cache, reading.entry);
        match &ctx.plan().directory.cache(reading.cache).guard {
            Guard::Mutex { ttl, .. } => self.lock(key, *ttl, ctx),
            Guard::SingleFlight { per: Per::Process, .. } => {
                let followed = self.flights.contains_key(&flight);
                let Some(reading) = self.reading(key) else { return };
                reading.leads = !followed;
                reading.phase = Phase::Follow;
                if followed {
                    self.flights.entry(flight).or_default().push(key);
                } else {
                    self.flights.insert(flight, Vec::new());
                    self.fill(key, ctx);
                }
            }
            _ => self.fill(key, ctx),
        }
    }

    /// `SET key token EX ttl NX`.
    fn lock(&mut self, key: Key, ttl: Span, ctx: Ctx) {
        let token = ctx.unique();
        let Some(reading) = self.reading(key) else { return };
        reading.phase = Phase::Lock;
        reading.lock = Some(token);
        let op = Op::Acquire { lock: GUARD, how: How::Try, key: reading.entry, owner: token, ttl };
        self.ask_node(key, op, question::LOCK, ctx);
    }

    fn asked_for_lock(&mut self, key: Key, reply: Reply, ctx: Ctx) {
        let Some(reading) = self.reading(key) else { return };
        let guard = &ctx.plan().directory.cache(reading.cache).guard;
        let recheck = matches!(
            guard,
            Guard::Mutex { recheck: true, .. } | Guard::Stale { claim: Claim::SetNx { recheck: true }, .. }
        );
        match reply.outcome {
            Outcome::Ok(_) | Outcome::Renew(_) if recheck => self.look(key, Phase::LookAgain, ctx),
            Outcome::Ok(_) | Outcome::Renew(_) if reading.serves_stale => self.renews(key, ctx),
            Outcome::Ok(_) | Outcome::Renew(_) => self.fill(key, ctx),
            Outcome::Fail(_) | Outcome::Unknown(_) => {
                reading.lock = None;
                if reading.serves_stale {
                    let value = reading.value;
                    return self.reading_done(key, value, ctx);
                }
                self.sleep(key, ctx);
            }
        }
    }

    /// Has the lock beside an old value: answers with that, and rebuilds in the background, which gives the lock back.
    fn renews(&mut self, key: Key, ctx: Ctx) {
        let Some(reading) = self.reading(key) else { return };
        let (value, lock) = (reading.value, reading.lock.take());
        let background = Reading { lock, ..Reading::put(reading.cache, reading.entry) };
        self.rebuild_in_background(key, background, ctx);
        self.reading_done(key, value, ctx);
    }

    /// Waits before it looks again.
    fn sleep(&mut self, key: Key, ctx: Ctx) {
        let plan = ctx.plan();
        let Some(reading) = self.reading(key) else { return };
        reading.phase = Phase::Asleep;
        let (tries, cache) = (reading.tries, reading.cache);
        let mut draws = ctx.serving(GUARD_WAIT, self.question(key, question::LOOK));
        let wait = match &plan.directory.cache(cache).guard {
            Guard::Mutex { wait, .. } | Guard::Lease { wait, .. } => wait.pause(tries, &mut draws),
            _ => Span::ZERO,
        };
        let timer = self.later.insert(Later::Again { pending: key });
        ctx.wake(wait, timer.to_word());
    }

    fn rebuild_in_background(&mut self, asked: Key, reading: Reading, ctx: Ctx) {
        let substream = self.substream(asked);
        let (job, since) = (Job::Reading(reading), ctx.now());
        let on_behalf = self.on_behalf(asked);
        let pending = PendingCall::new(None, on_behalf, job, substream, since);
        let key = self.pending_calls.insert(pending);
        self.fill(key, ctx);
    }

    /// Rebuilds the entry.
    fn fill(&mut self, key: Key, ctx: Ctx) {
        let clock = ctx.monotonic();
        let substream = self.question(key, question::FILL);
        let Some(reading) = self.reading(key) else { return };
        reading.phase = Phase::Rebuild;
        reading.began = clock;
        let entry = reading.entry;
        match ctx.plan().directory.cache(reading.cache).fill {
            Some(filling) => {
                self.rebuild(key, filling.program, filling.args(entry), substream, ctx);
            }
            None => self.yields(key, ctx),
        }
    }

    /// A rebuild has ended.
    pub(super) fn rebuilt(&mut self, key: Key, ending: Ending, causes: &Causes, ctx: Ctx) {
        self.spend(key, causes);
        let (now, clock) = (ctx.now(), ctx.monotonic());
        let Some(pending) = self.pending_calls.get_mut(key) else { return };
        pending.since = now;
        let Job::Reading(reading) = &mut pending.job else { return };
        let value = match ending {
            Ending::Returned { value, .. } => value,
            Ending::Failed(why) => return self.reading_failed(key, why, ctx),
        };
        reading.value = value;
        if !reading.keeps {
            return self.reading_done(key, value, ctx);
        }
        reading.phase = Phase::Put;
        let took = clock.since(reading.began);
        self.ask_to_keep(key, took, ctx);
    }

    /// Asks the cache to keep the value, which took so long to make.
    pub(super) fn ask_to_keep(&mut self, key: Key, took: Span, ctx: Ctx) {
        let Some(reading) = self.reading(key) else { return };
        let guard = &ctx.plan().directory.cache(reading.cache).guard;
        let note = if matches!(guard, Guard::XFetch { .. }) { micros(took) } else { reading.note };
        let op = Op::Put { note, key: reading.entry, n: reading.value.n, version: reading.value.version };
        self.ask_node(key, op, question::PUT, ctx);
    }

    fn reading_done(&mut self, key: Key, value: Value, ctx: Ctx) {
        for follower in self.land(key, ctx) {
            self.charge(follower, Cause::Lock, ctx.now());
            self.call_done(follower, value);
        }
        self.call_done(key, value);
    }

    /// The cache has not got it, or gave no answer.
    pub(super) fn cache_failed(&mut self, key: Key, reason: Reason, ctx: Ctx) {
        let Some(cache) = self.reading(key).map(|reading| reading.cache) else { return };
        self.reading_failed(key, of_cache(cache, reason, ctx), ctx);
    }

    fn reading_failed(&mut self, key: Key, why: Failure, ctx: Ctx) {
        for follower in self.land(key, ctx) {
            self.charge(follower, Cause::Lock, ctx.now());
            self.call_failed(follower, why);
        }
        self.call_failed(key, why);
    }

    /// Gives back what the reader holds: its lock, without waiting for the answer; and those who followed it.
    fn land(&mut self, key: Key, ctx: Ctx) -> Vec<Key> {
        let Some(reading) = self.reading(key) else { return Vec::new() };
        let (cache, entry, leads) = (reading.cache, reading.entry, reading.leads);
        if let Some(token) = reading.lock.take() {
            let (substream, on_behalf) = (self.question(key, question::RELEASE), self.on_behalf(key));
            release((cache, entry), token, substream, on_behalf, ctx);
        }
        if leads { self.flights.remove(&(cache, entry)).unwrap_or_default() } else { Vec::new() }
    }
}

/// A failure at a cache.
pub(super) fn of_cache(cache: PartId, reason: Reason, ctx: Ctx) -> Failure {
    Failure { reason, at: Some(ctx.plan().directory.target(cache).tier) }
}

/// Gives a guard's lock back, without waiting for the answer.
pub(super) fn release(
    (cache, entry): (PartId, i64),
    token: u64,
    substream: u64,
    on_behalf: Session,
    ctx: Ctx,
) {
    let directory = &ctx.plan().directory;
    let (to, timeout) = (directory.owner(cache, entry), directory.cache(cache).timeout);
    let op = Op::Release { lock: GUARD, compares: true, key: entry, owner: token };
    ctx.call(to, request(op, substream, Some(timeout), CallContext::of(on_behalf)), NO_PENDING_CALL);
}

/// Whole microseconds, rounded up: what XFetch keeps beside a value. 71 minutes at most.
fn micros(span: Span) -> u32 {
    u32::try_from(span.as_ns().div_ceil(1000)).unwrap_or(u32::MAX)
}
