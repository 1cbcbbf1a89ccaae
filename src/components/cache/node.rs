//! One member of a cache, as a process. What its guard makes it answer stands in the table of
//! [`crate::components::guard`].
//!
//! Numbered rules:
//! 1. An operation takes effect when its service ends, in the order in which services end.
//! 2. Lifetimes and locks end by the clock that the design says, leases and the patience with flights by the monotonic one.
//! 3. A crash and a flush lose everything, locks and leases too. Readers that wait for a flight outlive a flush.

use std::convert::Infallible;

use crate::base::cause::{Cause, Causes};
use crate::base::dist::Dist;
use crate::base::ids::CallId;
use crate::base::math;
use crate::base::op::{At, GUARD, Op, Outcome, Reason, Value};
use crate::base::rng::{Bits, mix, name_hash};
use crate::base::time::{ClockTime, Span, Time};
use crate::components::cache::entries::{CacheEntry, Entries};
use crate::components::cache::flights::{Flights, Leases, Waiter};
use crate::components::cache::plan::{CachePlan, CacheSeries};
use crate::components::guard::{Claim, Guard, Per};
use crate::components::mech::cores::{Cores, Submitted};
use crate::components::mech::cores::{number_u32, share_ppm};
use crate::components::mech::station::{Served, Station};
use crate::components::storage::lock_table::{Clocks, LockTable};
use crate::sim::context::Context;
use crate::sim::order::Order;
use crate::sim::payload::Word;
use crate::sim::process::Process;

/// Size of an answer without a value, bytes: a header and a few words.
const ANSWER_BYTES: u32 = 64;
/// Purposes of what it draws for a call: the jitter of a lifetime, early expiry, its own time.
const JITTER: u8 = 0;
const EARLY: u8 = 1;
const SERVE: u8 = 2;

/// What a fault may set.
pub const SETTABLE: &[&str] = &["speed", "cores", "queue", "ttl", "sliding", "serve"];

/// A member.
#[derive(Clone, Debug, Hash)]
pub struct CacheProcess {
    entries: Entries,
    leases: Leases,
    flights: Flights,
    locks: LockTable,
    station: Station,
    lifetime: Option<Span>,
    serve: Serve,
}

/// How long an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Serve {
    /// Always the same.
    Constant(Span),
    /// By the plan's distribution.
    Distribution,
}

/// Why a cache wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A service ends.
    Cores,
    /// A filler is given up.
    Hold,
}

impl Word for Timer {
    fn to_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        if word == 0 { Timer::Cores } else { Timer::Hold }
    }
}

impl Process for CacheProcess {
    type Plan = CachePlan;
    type Message = Infallible;
    type Timer = Timer;
    type Record = ();
    type Snapshot = ();

    fn build(plan: &CachePlan, _member: u32) -> Self {
        let mut cores = Cores::new(plan.cores, plan.discipline, plan.queue);
        cores.set_speed(plan.speed_ppm, Time::ZERO);
        CacheProcess {
            entries: Entries::new(plan.capacity, plan.policy.clone()),
            leases: Leases::default(),
            flights: Flights::default(),
            locks: LockTable::default(),
            station: Station::new(cores),
            lifetime: plan.lifetime,
            serve: Serve::of(&plan.serve),
        }
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        let demand = match self.serve {
            Serve::Constant(Span::ZERO) => {
                // Nothing to wait for: the operation takes effect as it arrives.
                return self.serve(Served { call, op, queued: Span::ZERO, served: Span::ZERO }, ctx);
            }
            Serve::Constant(span) => span,
            Serve::Distribution => ctx.plan().serve.span(&mut ctx.serving(SERVE, ctx.substream(call))),
        };
        if self.station.submit(call, op, demand, ctx.now()) == Submitted::Refused {
            count(ctx, CacheSeries::Rejected);
            ctx.reply(call, Outcome::Fail(Reason::Overloaded), 0, &Causes::NONE, ANSWER_BYTES);
        }
        self.after_cores(ctx);
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        match timer {
            Timer::Cores => {
                while let Some(served) = self.station.complete(ctx.now()) {
                    self.serve(served, ctx);
                }
                self.after_cores(ctx);
            }
            Timer::Hold => self.expire(ctx),
        }
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        match order {
            Order::Flush => {
                self.entries.clear();
                self.leases.clear();
                self.locks.clear();
            }
            Order::ClockSet => {} // whoever asks sees by the clock what has expired
            Order::Set { parameter, value } => self.set(parameter, Some(value), ctx),
            Order::Reset { parameter } => self.set(parameter, None, ctx),
            Order::Drain => {}
        }
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        let (plan, now, (busy, waiting)) = (ctx.plan(), ctx.now(), self.station.told());
        ctx.record().level(plan.series(CacheSeries::Busy), now, -busy);
        ctx.record().level(plan.series(CacheSeries::Queue), now, -waiting);
    }
}

impl Serve {
    fn of(distribution: &Dist) -> Serve {
        match distribution {
            Dist::Constant(ns) => Serve::Constant(Span::from_ns((ns + 0.5) as u64)),
            _ => Serve::Distribution,
        }
    }
}

impl CacheProcess {
    /// Sets a parameter, or gives it back what the design says.
    fn set(&mut self, parameter: &str, value: Option<f64>, ctx: &mut Context<Self>) {
        let (plan, now, cores) = (ctx.plan(), ctx.now(), &mut self.station.cores);
        let span = value.map(|ns| Span::from_ns(ns as u64));
        match parameter {
            "speed" => cores.set_speed(value.map_or(plan.speed_ppm, share_ppm), now),
            "cores" => cores.set_cores(value.map_or(plan.cores, number_u32).max(1), now),
            "queue" => cores.set_queue_max(value.map_or(plan.queue, number_u32)),
            "ttl" | "sliding" if self.lifetime.is_some() => self.lifetime = span.or(plan.lifetime),
            "serve" => self.serve = span.map_or(Serve::of(&plan.serve), Serve::Constant),
            _ => {}
        }
        self.after_cores(ctx);
    }

    /// Sets the next wake and records levels, whenever the cores may have changed.
    fn after_cores(&mut self, ctx: &mut Context<Self>) {
        let now = ctx.now();
        if let Some(at) = self.station.cores.arm() {
            ctx.wake_true(at.since(now), Timer::Cores);
        }
        let (busy, waiting) = self.station.changes();
        let plan = ctx.plan();
        if busy != 0 {
            ctx.record().level(plan.series(CacheSeries::Busy), now, busy);
        }
        if waiting != 0 {
            ctx.record().level(plan.series(CacheSeries::Queue), now, waiting);
        }
    }

    /// The operation takes effect.
    fn serve(&mut self, served: Served, ctx: &mut Context<Self>) {
        let (outcome, note) = match served.op {
            Op::Read { key, .. } => {
                let waiter = Waiter { call: served.call, queued: served.queued, served: served.served };
                match self.read(key, waiter, ctx) {
                    Some(answer) => answer,
                    None => return, // it waits for a flight
                }
            }
            Op::Put { note, key, n, version } => {
                let value = Value { n, version, ..Value::default() };
                (self.put(key, value, note, ctx.substream(served.call), ctx), 0)
            }
            Op::Drop { key } => {
                self.leases.dropped(key);
                let there = self.entries.remove(key);
                (Outcome::ok(i64::from(there)), 0)
            }
            Op::Acquire { .. } | Op::Release { .. } | Op::Renew { .. } | Op::Expire { .. } => {
                (self.lock(&served.op, ctx), 0)
            }
            Op::Run { .. } | Op::Write { .. } | Op::Update { .. } | Op::Cas { .. } | Op::Compute { .. } => {
                (Outcome::Fail(Reason::Error), 0) // no program can say this to a cache
            }
            Op::ReadForUpdate { .. } | Op::Begin | Op::Commit | Op::Abort | Op::Ping { .. } => {
                (Outcome::Fail(Reason::Error), 0)
            } // nor this
        };
        answer(ctx, served, outcome, note);
    }

    /// An operation on a lock. Nobody waits in line here.
    fn lock(&mut self, op: &Op, ctx: &mut Context<Self>) -> Outcome {
        let (outcome, aside) = self.locks.apply(op, Clocks { wall: clock(ctx), monotonic: ctx.monotonic() });
        if aside.expired {
            count(ctx, CacheSeries::Lapsed);
        }
        if let (Op::Release { owner, .. }, Some(of)) = (op, aside.foreign) {
            ctx.record().history.holds.deleted(*owner, of);
            count(ctx, CacheSeries::ForeignReleases);
        }
        match (op, outcome) {
            (Op::Acquire { lock, key, .. }, Outcome::Ok(_)) => {
                count(ctx, CacheSeries::Locks);
                if *lock == GUARD {
                    self.claimed(*key, ctx);
                }
            }
            (Op::Acquire { .. }, _) => count(ctx, CacheSeries::Held),
            _ => {}
        }
        outcome
    }

    /// A reader has got the lock beside an entry; if that has expired it will rebuild it.
    fn claimed(&mut self, key: i64, ctx: &mut Context<Self>) {
        let clock = clock(ctx);
        if let Guard::Stale { .. } = ctx.plan().guard
            && let Some(entry) = self.entries.get_mut(key).filter(|entry| !entry.alive(clock))
        {
            count(ctx, CacheSeries::Renewals);
            if !std::mem::replace(&mut entry.asked, true) {
                count(ctx, CacheSeries::Rounds);
            }
        }
    }

    /// What a reader is told; `None`: it waits for a flight.
    fn read(&mut self, key: i64, waiter: Waiter, ctx: &mut Context<Self>) -> Option<(Outcome, u32)> {
        let (clock, plan) = (clock(ctx), ctx.plan());
        let Some(entry) = self.entries.get_mut(key) else { return self.absent(key, waiter, ctx) };
        if entry.alive(clock) {
            let left = entry.expires.since(clock);
            let renew = match plan.guard {
                Guard::XFetch { beta } => {
                    renews_early(entry, beta, clock, ctx.serving(EARLY, ctx.substream(waiter.call)).open01())
                }
                Guard::RefreshAhead { at, rebuild } => {
                    left <= entry.lifetime.saturating_sub(entry.lifetime.scale(at))
                        && ask(entry, rebuild, clock)
                }
                _ => false,
            };
            if plan.sliding {
                entry.expires = clock + entry.lifetime;
            }
            let (value, first) = (entry.value, renew && !entry.asked);
            entry.asked |= renew;
            self.entries.used(key);
            count(ctx, CacheSeries::Hits);
            if first {
                let (series, now) = (plan.series(CacheSeries::Lead), ctx.now());
                ctx.record().count(series, now, left.as_ns());
            }
            return Some((renewal(value, renew, first, ctx), 0));
        }
        let (found, first) = (!entry.found_expired, !entry.asked);
        entry.found_expired = true;
        if found {
            count(ctx, CacheSeries::Expired);
        }
        if let Guard::Stale { window, rebuild, claim } = plan.guard
            && clock < entry.expires + window
        {
            if let Claim::SetNx { .. } = claim {
                let value = entry.value;
                self.entries.used(key);
                count(ctx, CacheSeries::Stale);
                return Some((Outcome::Renew(value), 0)); // to all: they find out among themselves
            }
            let renew = ask(entry, rebuild, clock);
            entry.asked |= renew;
            let value = entry.value;
            self.entries.used(key);
            count(ctx, CacheSeries::Stale);
            return Some((renewal(value, renew, renew && first, ctx), 0));
        }
        entry.asked = true;
        if first {
            count(ctx, CacheSeries::Rounds);
        }
        self.absent(key, waiter, ctx)
    }

    /// There is no value for a reader.
    fn absent(&mut self, key: i64, waiter: Waiter, ctx: &mut Context<Self>) -> Option<(Outcome, u32)> {
        count(ctx, CacheSeries::Misses);
        match ctx.plan().guard {
            Guard::Lease { ttl, .. } => match self.leases.grant(key, ttl, ctx.monotonic()) {
                Some(token) => {
                    count(ctx, CacheSeries::Granted);
                    Some((Outcome::Fail(Reason::Leased), token))
                }
                None => Some((Outcome::Fail(Reason::Wait), 0)),
            },
            Guard::SingleFlight { per: Per::All, hold } => {
                let token = self.flights.join(key, waiter, ctx.monotonic() + hold)?;
                count(ctx, CacheSeries::Granted);
                ctx.wake(hold, Timer::Hold);
                Some((Outcome::Fail(Reason::Leased), token))
            }
            _ => Some((Outcome::Fail(Reason::Miss), 0)),
        }
    }

    fn put(&mut self, key: i64, value: Value, note: u32, substream: u64, ctx: &mut Context<Self>) -> Outcome {
        let (clock, plan) = (clock(ctx), ctx.plan());
        if matches!(plan.guard, Guard::Lease { .. }) && !self.leases.redeem(key, note) {
            count(ctx, CacheSeries::Refused);
            return Outcome::Fail(Reason::NotHeld);
        }
        let mut entry = CacheEntry::new(key, value);
        if let Some(lifetime) = self.lifetime {
            entry.lifetime = spread(lifetime, plan.jitter, substream, ctx);
            entry.expires = clock + entry.lifetime;
        }
        if matches!(plan.guard, Guard::XFetch { .. }) {
            entry.rebuild_us = note;
        }
        if let Some(size) = &plan.size {
            // A key's size is the customers': the same in every variant, whenever it is put.
            let substream = mix(name_hash("size"), key as u64);
            entry.size_bytes = (size.sample(&mut ctx.draws(substream).of_property()) + 0.5) as u64;
        }
        let fits = self.entries.put(entry, clock);
        match fits {
            Some(evicted) => {
                count(ctx, CacheSeries::Fills);
                if evicted > 0 {
                    let now = ctx.now();
                    ctx.record().count(plan.series(CacheSeries::Evictions), now, u64::from(evicted));
                }
            }
            None => count(ctx, CacheSeries::Refused),
        }
        // Who waits for the flight gets the value, whether or not there is room to keep it.
        while let Some(waiter) = self.flights.land(key) {
            answer(ctx, held(waiter, key), Outcome::Ok(value), 0);
        }
        if fits.is_some() { Outcome::Ok(value) } else { Outcome::Fail(Reason::Refused) }
    }

    /// Fillers that have not put in time are given up; the last in line fills.
    fn expire(&mut self, ctx: &mut Context<Self>) {
        let Guard::SingleFlight { hold, .. } = ctx.plan().guard else { return };
        while let Some((waiter, token)) = self.flights.expire(ctx.monotonic(), hold) {
            count(ctx, CacheSeries::Granted);
            ctx.wake(hold, Timer::Hold);
            answer(ctx, held(waiter, 0), Outcome::Fail(Reason::Leased), token);
        }
    }
}

/// What the clock shows by which entries and locks expire.
fn clock(ctx: &Context<CacheProcess>) -> ClockTime {
    if ctx.plan().expires_by_wall { ctx.wall() } else { ctx.monotonic() }
}

/// One more of a series.
fn count(ctx: &mut Context<CacheProcess>, series: CacheSeries) {
    let (series, now) = (ctx.plan().series(series), ctx.now());
    ctx.record().count(series, now, 1);
}

/// The call of a reader that waited, as it was when it began to.
fn held(waiter: Waiter, key: i64) -> Served {
    let op = Op::Read { table: 0, key, taking: None, at: At::Primary };
    Served { call: waiter.call, op, queued: waiter.queued, served: waiter.served }
}

/// Answers a call. What was neither queue nor service was waiting for somebody else's flight.
fn answer(ctx: &mut Context<CacheProcess>, served: Served, outcome: Outcome, note: u32) {
    let mut causes = Causes::only(Cause::Queue, served.queued);
    causes.add(Cause::Cpu, served.served);
    causes.add(Cause::Lock, (ctx.now() - ctx.arrived(served.call)) - causes.total());
    ctx.reply(served.call, outcome, note, &causes, ANSWER_BYTES);
}

/// The answer with a value, to a reader who is perhaps asked to rebuild it.
fn renewal(value: Value, renew: bool, first: bool, ctx: &mut Context<CacheProcess>) -> Outcome {
    if first {
        count(ctx, CacheSeries::Rounds);
    }
    if !renew {
        return Outcome::Ok(value);
    }
    count(ctx, CacheSeries::Renewals);
    Outcome::Renew(value)
}

/// Whether this reader is the one to be asked: nobody is, or the last one has not put in time.
fn ask(entry: &mut CacheEntry, rebuild: Span, clock: ClockTime) -> bool {
    let ask = entry.asked_until <= clock;
    if ask {
        entry.asked_until = clock + rebuild;
    }
    ask
}

/// XFetch (Vattani, Chierichetti, Lowenstein, VLDB 2015): −β·δ·ln(u) ≥ time left.
/// `luck` is uniform in (0, 1).
fn renews_early(entry: &CacheEntry, beta: f64, clock: ClockTime, luck: f64) -> bool {
    let rebuild_ns = f64::from(entry.rebuild_us) * 1e3;
    let gap_ns = -beta * rebuild_ns * math::ln(luck);
    gap_ns >= entry.expires.since(clock).as_ns() as f64
}

/// A lifetime, spread by `jitter` to either side.
fn spread(lifetime: Span, jitter: f64, substream: u64, ctx: &Context<CacheProcess>) -> Span {
    if jitter == 0.0 {
        return lifetime;
    }
    lifetime.scale(1.0 + jitter * (2.0 * ctx.serving(JITTER, substream).open01() - 1.0))
}
