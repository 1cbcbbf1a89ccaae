//! The clients' half of a lock: who wants it asks for it, waits, renews it and gives it back.
//!
//! Numbered rules:
//! 1. Each `hold` has an owner number of its own. In line it keeps it however often it asks; who was refused too. Who may
//!    have got it without knowing, since an answer or a majority was missing, gives that back and asks again with a new one.
//! 2. A majority is asked all at once. It is held if a majority has said yes and, by our clock, some of the ttl is left: the ttl less what asking
//!    took, less 1 % of it and 2 ms for clocks that drift ("Distributed locks with Redis", redis.io). Otherwise it is given back everywhere.
//! 3. Whoever waits longer than the patience gives up: `hold` fails with `held`.
//! 4. A hold that ends is given back without waiting for an answer, wherever it stood in line as well: what was asked of a member that said nothing
//!    may come late, and would stand in line for nobody until its lease is over. A crash gives nothing back.
//! 5. A watchdog renews on time. It does not stop the program when it comes too late: that is counted (`lost`).

use crate::base::cause::Cause;
use crate::base::ids::{PartId, Pid};
use crate::base::op::{At, Failure, Fence, How, Op, Outcome, Reason, Reply, Value};
use crate::base::rng::{Bits, mix};
use crate::base::session::Session;
use crate::base::slab::Key;
use crate::base::time::Span;
use crate::components::lock_client::{Fencing, LockClient, LockSeries};
use crate::components::runtime::hold::{Hold, Stage, question};
use crate::components::runtime::host::{Ctx, Server};
use crate::components::runtime::pending_call::{
    BACK_OFF, Job, Later, NO_PENDING_CALL, PICK, PendingCall, request,
};
use crate::program::interpret::ids::CoroutineId;
use crate::program::interpret::ids::HoldId;
use crate::record::holds::LockRequest;
use crate::sim::request::CallContext;

/// What a majority's clocks may differ by, besides a hundredth of the ttl (redis.io).
const DRIFT: Span = Span::from_ms(2);

/// What it takes before somebody who stands in line asks again where nobody could tell him how he stands.
const AGAIN: Span = Span::from_ms(100);

impl Server {
    /// A coroutine wants a lock.
    pub(super) fn acquire(
        &mut self,
        coroutine: CoroutineId,
        lock: PartId,
        key: i64,
        id: HoldId,
        draw: u64,
        ctx: Ctx,
    ) {
        let now = ctx.now();
        let hold = Hold {
            coroutine,
            lock,
            key,
            owner: ctx.unique(),
            token: 0,
            stage: Stage::Asking,
            began: ctx.monotonic(),
            asked: ctx.monotonic(),
            votes: (0, 0),
            of: 1,
            at: None,
            silent: None,
            left: 0,
            failures: 0,
            backoff: Span::ZERO,
            substream: draw,
            renewals: 0,
        };
        let client = ctx.plan().directory.lock(lock).clone();
        ctx.record().level(client.series(LockSeries::Waiting), now, 1);
        let Session { trace: origin, .. } = *self.session(coroutine).expect("a coroutine works for somebody");
        let asked = LockRequest { lock, key, by: ctx.me(), origin, around: self.around(coroutine, id) };
        ctx.record().history.holds.asked(hold.owner, now, asked);
        if let (How::Lease, Some(renew)) = (client.how, client.renew) {
            self.renews_after(id, renew, ctx);
        }
        self.holds.0.insert(id.0, hold);
        let pending = self.pending(coroutine, Job::Lock { hold: id }, draw, ctx);
        self.ask_for_lock(pending, id, &client, ctx);
    }

    /// The hold around one of a coroutine, by its owner.
    fn around(&self, coroutine: CoroutineId, id: HoldId) -> Option<u64> {
        let mut around = self.frames.holds(coroutine).filter(|hold| *hold != id);
        around.find_map(|hold| self.holds.0.get(hold.0)).map(|hold| hold.owner)
    }

    /// Asks for it, for the first time or again.
    fn ask_for_lock(&mut self, pending: Key, id: HoldId, client: &LockClient, ctx: Ctx) {
        let members = self.members(client, id, ctx);
        let (clock, now) = (ctx.monotonic(), ctx.now());
        let Some(hold) = self.holds.0.get_mut(id.0) else { return };
        (hold.stage, hold.asked, hold.votes, hold.of) = (Stage::Asking, clock, (0, 0), members.len() as u32);
        hold.at = members.first().copied();
        let left = (hold.began + client.patience).since(clock);
        let timeout = client.timeout.min(left);
        let Hold { key, owner, .. } = *hold;
        let stems: Vec<u64> = members.iter().map(|to| hold.question(question::ACQUIRE, *to)).collect();
        let op = Op::Acquire { lock: client.number(), how: client.how, key, owner, ttl: client.ttl };
        for (member, substream) in members.into_iter().zip(stems) {
            ctx.record().count(client.series(LockSeries::Tries), now, 1);
            self.ask(pending, member, op, substream, Some(timeout.max(Span::from_ns(1))), ctx);
        }
    }

    /// Whom to ask for a lock: the member that has its key, whoever leads, or all.
    fn members(&mut self, client: &LockClient, id: HoldId, ctx: Ctx) -> Vec<Pid> {
        let Some((key, silent)) = self.holds.0.get(id.0).map(|hold| (hold.key, hold.silent)) else {
            return Vec::new();
        };
        let directory = &ctx.plan().directory;
        if client.majority {
            let target = directory.target(client.place);
            return (0..target.count).map(|member| Pid::new(target.tier, member)).collect();
        }
        if client.in_cache {
            return vec![directory.owner(client.place, key)];
        }
        let target = directory.target(client.place);
        if ctx.plan().beside == Some(client.place) {
            return vec![Pid::new(target.tier, ctx.me().member)];
        }
        let (zone, clock) = (ctx.zone(), ctx.monotonic());
        let avoided = |member: Pid| self.avoided.names(member, clock) || silent == Some(member);
        let substream =
            self.holds.0.get(id.0).map_or(0, |hold| mix(hold.substream, u64::from(hold.failures)));
        let draw = |n| ctx.serving(PICK, substream).below(n);
        vec![directory.copy(client.place, zone, At::Primary, None, avoided, draw)]
    }

    /// A member has answered, or has not.
    pub(super) fn lock_answered(&mut self, pending: Key, id: HoldId, reply: &Reply, ctx: Ctx) {
        let now = ctx.now();
        let Some(hold) = self.holds.0.get_mut(id.0) else {
            self.pending_calls.free(pending); // it ended meanwhile, and was given back
            return;
        };
        if hold.stage != Stage::Asking {
            return; // a majority had decided
        }
        let client = ctx.plan().directory.lock(hold.lock).clone();
        match reply.outcome {
            Outcome::Ok(value) => {
                hold.token = value.n as u64;
                hold.votes.0 += 1;
            }
            _ => hold.votes.1 += 1,
        }
        let (votes, of, asked) = (hold.votes, hold.of, hold.asked);
        let at = hold.at.filter(|_| !client.majority);
        let in_line = client.how != How::Try && reply.outcome == Outcome::Unknown(Reason::Timeout);
        hold.silent = at.filter(|_| in_line); // another is asked next time, and he is not taken for dead
        hold.left |= hold.silent.and_then(|silent| 1u64.checked_shl(silent.member)).unwrap_or(0);
        if !in_line {
            self.avoid(at, client.place, reply.outcome, ctx);
        }
        if votes.0 > of / 2 {
            let took = ctx.monotonic().since(asked);
            let spare = Span::from_ns(client.ttl.as_ns() / 100) + DRIFT;
            if !client.majority || took + spare < client.ttl {
                return self.lock_taken(pending, id, &client, ctx);
            }
        } else if votes.1 <= of - (of / 2 + 1) {
            return; // others may still say yes
        }
        self.charge(pending, Cause::Lock, now);
        self.asks_later(pending, id, &client, reply.outcome, ctx);
    }

    /// It is ours.
    fn lock_taken(&mut self, pending: Key, id: HoldId, client: &LockClient, ctx: Ctx) {
        let now = ctx.now();
        self.charge(pending, Cause::Lock, now);
        let Some(hold) = self.holds.0.get_mut(id.0) else { return };
        hold.stage = Stage::Held;
        let (owner, token) = (hold.owner, hold.token);
        ctx.record().history.holds.granted(owner, now, token);
        ctx.record().level(client.series(LockSeries::Waiting), now, -1);
        ctx.record().level(client.series(LockSeries::Held), now, 1);
        ctx.record().count(client.series(LockSeries::Acquired), now, 1);
        if let (Some(renew), false) = (client.renew, client.how == How::Lease) {
            self.renews_after(id, renew, ctx);
        }
        self.call_done(pending, Value::default());
    }

    /// It was not to be had this time.
    fn asks_later(&mut self, pending: Key, id: HoldId, client: &LockClient, outcome: Outcome, ctx: Ctx) {
        let (clock, now) = (ctx.monotonic(), ctx.now());
        if client.how == How::Try && (client.majority || outcome.is_unknown()) {
            self.gives_back(id, client, ctx);
            let owner = ctx.unique();
            if let Some(hold) = self.holds.0.get_mut(id.0) {
                ctx.record().history.holds.renamed(hold.owner, owner);
                hold.owner = owner;
            }
        }
        let elsewhere = !client.in_cache && ctx.plan().beside != Some(client.place);
        let members = ctx.plan().directory.target(client.place).count;
        let Some(hold) = self.holds.0.get_mut(id.0) else { return };
        hold.failures = hold.failures.saturating_add(1);
        let wait = match client.how {
            // Nobody was there; another member is.
            _ if outcome == Outcome::Fail(Reason::Refused) && elsewhere && hold.failures < members => {
                Some(Span::ZERO)
            }
            How::Try => {
                let mut draws = ctx.serving(BACK_OFF, mix(hold.substream, u64::from(hold.failures)));
                client.wait.wait(hold.failures, hold.backoff, &mut draws)
            }
            // Who stands in line asks again, to hear how he stands if the answer was lost.
            How::Line | How::Lease if outcome == Outcome::Unknown(Reason::Timeout) => Some(Span::ZERO),
            How::Line | How::Lease => Some(AGAIN),
        };
        match wait.filter(|wait| clock + *wait < hold.began + client.patience) {
            Some(wait) => {
                (hold.stage, hold.backoff) = (Stage::Waiting, wait);
                let timer = self.later.insert(Later::Lock { pending, hold: id });
                ctx.wake(wait, timer.to_word());
            }
            None => {
                if client.how != How::Try {
                    self.gives_back(id, client, ctx); // it leaves the line
                }
                if let Some(hold) = self.holds.0.get(id.0) {
                    ctx.record().history.holds.ended(hold.owner, now);
                }
                self.holds.0.free(id.0);
                ctx.record().level(client.series(LockSeries::Waiting), now, -1);
                ctx.record().count(client.series(LockSeries::GivenUp), now, 1);
                let at = Some(ctx.plan().directory.target(client.me).tier);
                self.call_failed(pending, Failure { reason: Reason::Held, at });
            }
        }
    }

    /// The wait before it is asked for again is over.
    pub(super) fn lock_again(&mut self, pending: Key, id: HoldId, ctx: Ctx) {
        let Some(hold) = self.holds.0.get(id.0) else {
            self.pending_calls.free(pending);
            return;
        };
        let client = ctx.plan().directory.lock(hold.lock).clone();
        self.charge(pending, Cause::Lock, ctx.now());
        // A pending call of its own for each time: what members still answer to the last one is no vote in this one.
        let Some(again) = self.pending_calls.remove(pending) else { return };
        let pending = self.pending_calls.insert(again);
        self.ask_for_lock(pending, id, &client, ctx);
    }

    /// Holds that have ended are given back.
    pub(super) fn release_ended(&mut self, ctx: Ctx) {
        while let Some(id) = self.frames.ended() {
            let Some(hold) = self.holds.0.get(id.0) else { continue };
            let (held, owner) = (hold.stage == Stage::Held, hold.owner);
            let now = ctx.now();
            let client = ctx.plan().directory.lock(hold.lock).clone();
            let series = if held { LockSeries::Held } else { LockSeries::Waiting };
            ctx.record().level(client.series(series), now, -1);
            ctx.record().history.holds.ended(owner, now);
            if hold.stage != Stage::Waiting || client.how != How::Try {
                self.gives_back(id, &client, ctx);
            }
            self.holds.0.free(id.0);
        }
    }

    /// Gives back what may be ours, without waiting for an answer.
    fn gives_back(&mut self, id: HoldId, client: &LockClient, ctx: Ctx) {
        self.reaches(id, client, ctx);
        let Some(hold) = self.holds.0.get(id.0).cloned() else { return };
        let Hold { key, owner, at, stage, .. } = hold;
        let compares = client.compares || stage != Stage::Held;
        let release = |compares| Op::Release { lock: client.number(), compares, key, owner };
        let (op, timeout) = (release(compares), Some(client.timeout));
        let members = if client.majority { self.members(client, id, ctx) } else { at.into_iter().collect() };
        if !client.in_cache {
            // A request that comes late would stand in line for nobody; what follows it on the same connection takes it out.
            let tier = ctx.plan().directory.target(client.place).tier;
            let left = (0..u64::BITS).filter(|member| hold.left >> member & 1 == 1);
            let left = left.map(|member| Pid::new(tier, member)).filter(|member| at != Some(*member));
            let all = members.into_iter().map(|member| (member, op));
            for (member, op) in all.chain(left.map(|member| (member, release(true)))) {
                let substream = hold.question(question::RELEASE, member);
                self.gives_to(client.place, (op, substream), member, ctx);
            }
            return;
        }
        for member in members {
            let substream = hold.question(question::RELEASE, member);
            ctx.call(member, request(op, substream, timeout, CallContext::default()), NO_PENDING_CALL);
        }
    }

    /// Whoever was asked for a lock and does not answer any more is not asked to renew it, nor given it back, if there is another.
    fn reaches(&mut self, id: HoldId, client: &LockClient, ctx: Ctx) {
        let at = self.holds.0.get(id.0).and_then(|hold| hold.at);
        if client.majority || at.is_none_or(|at| !self.avoided.names(at, ctx.monotonic())) {
            return;
        }
        let another = self.members(client, id, ctx).first().copied();
        if let Some(hold) = self.holds.0.get_mut(id.0) {
            hold.at = another;
        }
    }

    /// Gives a lock back to a store. Nobody waits for it, but it is said again elsewhere if whoever was asked does not answer: to give back twice
    /// is to give back once.
    fn gives_to(&mut self, place: PartId, (op, substream): (Op, u64), member: Pid, ctx: Ctx) {
        let job = Job::GiveBack { place, op, asked: member };
        let key =
            self.pending_calls.insert(PendingCall::new(None, Session::NOBODY, job, substream, ctx.now()));
        let timeout = ctx.plan().directory.store(place).timeout;
        let call = self.ask(key, member, op, substream, Some(timeout), ctx);
        if let Some(alive) = ctx.plan().directory.alive(place) {
            ctx.keep_alive(call, alive);
        }
    }

    /// Whoever was told that a lock is given back has answered, or has not.
    pub(super) fn given_back(&mut self, key: Key, job: (PartId, Op, Pid), outcome: Outcome, ctx: Ctx) {
        let (place, op, asked) = job;
        self.avoid(Some(asked), place, outcome, ctx);
        let Some(mut pending) = self.pending_calls.remove(key) else { return };
        let directory = &ctx.plan().directory;
        // That nothing came in time is no reason to leave it at that: somebody may wait for the rest of its lease.
        let late = outcome == Outcome::Unknown(Reason::Timeout);
        let outcome = if late { Outcome::Unknown(Reason::Reset) } else { outcome };
        if directory.asks_another(place, &mut pending.tried, asked, outcome, true) {
            let (zone, clock, tried) = (ctx.zone(), ctx.monotonic(), pending.tried);
            let avoided = |member: Pid| self.avoided.names(member, clock) || tried.has(member);
            let substream = tried.identity(pending.substream);
            let draw = |n| ctx.serving(PICK, substream).below(n);
            let to = directory.copy(place, zone, At::Primary, None, avoided, draw);
            let timeout = directory.store(place).timeout;
            pending.job = Job::GiveBack { place, op, asked: to };
            let key = self.pending_calls.insert(pending);
            let (call, alive) =
                (self.ask(key, to, op, substream, Some(timeout), ctx), directory.alive(place));
            alive.into_iter().for_each(|alive| ctx.keep_alive(call, alive));
        }
    }

    fn renews_after(&mut self, id: HoldId, renew: Span, ctx: Ctx) {
        let timer = self.later.insert(Later::Renew { hold: id });
        ctx.wake(renew, timer.to_word());
    }

    /// It is time to renew a hold, if it has not ended.
    pub(super) fn renew(&mut self, id: HoldId, ctx: Ctx) {
        let Some(lock) = self.holds.0.get(id.0).map(|hold| hold.lock) else { return };
        let client = ctx.plan().directory.lock(lock).clone();
        self.reaches(id, &client, ctx);
        let Some(hold) = self.holds.0.get_mut(id.0) else { return };
        hold.renewals += 1;
        let hold = hold.clone();
        let Hold { coroutine, key, owner, at, .. } = hold;
        let Some(renew) = client.renew else { return };
        let members = if client.majority { self.members(&client, id, ctx) } else { at.into_iter().collect() };
        let Some(on_behalf) = self.session(coroutine).copied() else { return };
        let op = Op::Renew { lock: client.number(), key, owner, ttl: client.ttl };
        let asked = members.first().copied().filter(|_| !client.majority);
        let job = Job::Renewal { hold: id, asked, of: members.len() as u32, told: 0, lost: 0 };
        let since = ctx.now();
        let pending = PendingCall::new(None, on_behalf, job, hold.substream, since);
        let pending = self.pending_calls.insert(pending);
        for member in members {
            let substream = hold.question(question::RENEW, member);
            self.ask(pending, member, op, substream, Some(client.timeout), ctx);
        }
        self.renews_after(id, renew, ctx);
    }

    /// A member has renewed it, or says that it is not ours.
    pub(super) fn renewed(&mut self, pending: Key, outcome: Outcome, ctx: Ctx) {
        let Some(PendingCall { job: Job::Renewal { hold, asked, of, told, lost }, .. }) =
            self.pending_calls.get_mut(pending)
        else {
            return;
        };
        let (id, asked) = (*hold, *asked);
        *told += 1;
        *lost += u32::from(outcome == Outcome::Fail(Reason::NotHeld));
        let (is_last, is_lost) = (*told == *of, *lost > *of / 2);
        if let Some(lock) = self.holds.0.get(id.0).map(|hold| hold.lock) {
            let place = ctx.plan().directory.lock(lock).place;
            self.avoid(asked, place, outcome, ctx); // who was asked, whom the hold may have left since
        }
        if is_last {
            self.pending_calls.free(pending);
            let Some(hold) = self.holds.0.get(id.0).filter(|_| is_lost) else { return };
            let (client, now) = (ctx.plan().directory.lock(hold.lock), ctx.now());
            // Who stands in line under a lease has lost his place with it, and stands at the end when he asks again.
            if hold.stage == Stage::Held || client.how == How::Lease {
                ctx.record().count(client.series(LockSeries::Lost), now, 1);
            }
        }
    }

    /// What goes with a coroutine's steps on a db: the token of the innermost fenced lock that it holds.
    pub(super) fn fence(&self, coroutine: CoroutineId, ctx: Ctx) -> Fence {
        if self.holds.0.is_empty() {
            return Fence::default();
        }
        let directory = &ctx.plan().directory;
        let mut held = self.frames.holds(coroutine).filter_map(|hold| self.holds.0.get(hold.0));
        let fence = held.find_map(|hold| match directory.lock(hold.lock).fencing {
            Fencing::None => None,
            Fencing::Write => Some(Fence::new(hold.token, false)),
            Fencing::ReadWrite => Some(Fence::new(hold.token, true)),
        });
        fence.unwrap_or_default()
    }

    /// The hold in which a coroutine is, by its owner; 0: none.
    pub(super) fn held_by(&self, coroutine: CoroutineId) -> u64 {
        if self.holds.0.is_empty() {
            return 0;
        }
        let mut held = self.frames.holds(coroutine).filter_map(|hold| self.holds.0.get(hold.0));
        held.next().map_or(0, |hold| hold.owner)
    }

    /// Takes back the levels that a crash makes untrue.
    pub(super) fn drops_holds(&mut self, ctx: Ctx) {
        let now = ctx.now();
        for hold in self.holds.0.iter() {
            let client = ctx.plan().directory.lock(hold.lock);
            let series = if hold.stage == Stage::Held { LockSeries::Held } else { LockSeries::Waiting };
            ctx.record().level(client.series(series), now, -1);
            ctx.record().history.holds.ended(hold.owner, now);
        }
    }
}
