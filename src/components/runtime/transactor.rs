//! The clients' half of `tx`: it begins at a store, keeps one connection until it is over, and is run again as the policy says.
//!
//! Numbered rules:
//! 1. An attempt that came to nothing is run again if the policy has a retry left and trying again may help ([`Policy::retries`](crate::components::mech::policy::Policy::retries)); so after
//!    a conflict, a deadlock or a wait that was too long, and after a store that did not answer.
//! 2. But not once a commit has been sent that nobody answered: it may have happened. Then the failure is unknown.
//! 3. An attempt that takes longer than the policy's timeout comes to nothing at its next step on the store.
//! 4. Whoever gives up tells the store, and does not wait for an answer.

use crate::base::cause::Cause;
use crate::base::ids::Pid;
use crate::base::op::{At, Failure, Op, Outcome, Reason, Reply};
use crate::base::rng::{Bits, mix};
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::components::runtime::host::{Ctx, Server};
use crate::components::runtime::pending_call::{
    BACK_OFF, Job, Later, NO_PENDING_CALL, PICK, PendingCall, request,
};
use crate::components::runtime::transaction::{Open, Stage, Transactions};
use crate::components::storage::transactions::is_over;
use crate::program::instr::{Effect, Input};
use crate::program::interpret::ids::CoroutineId;
use crate::program::interpret::ids::TxId;
use crate::sim::request::CallContext;

/// Sets the draws for an abort apart from those for the beginning.
const ABORT: u64 = 0x6162_6f72;

impl Server {
    /// A transaction begins, or begins again; or it commits.
    pub(super) fn transact(&mut self, coroutine: CoroutineId, effect: Effect, ctx: Ctx) {
        let (tx, op, draw) = match effect {
            Effect::Begin { db, policy, tx, draw } => {
                let name = ctx.unique();
                let (began, connected, stage) = (ctx.monotonic(), false, Stage::Beginning);
                let (failures, backoff) = (0, Span::ZERO);
                let open = self.transactions.open.entry(tx);
                let substream = draw;
                let open = open.or_insert(Open {
                    db,
                    policy,
                    name,
                    substream,
                    began,
                    connected,
                    stage,
                    failures,
                    backoff,
                });
                (open.name, open.substream, open.began, open.stage) = (name, substream, began, stage);
                (tx, Op::Begin, draw)
            }
            Effect::Commit { tx, draw } => (tx, Op::Commit, draw),
            Effect::Abort { tx, failure } => return self.comes_to_nothing(coroutine, tx, failure, ctx),
            other => unreachable!("{other:?} is no end of a transaction"),
        };
        let part = self.transactions.open.get(&tx).expect("it has begun").db;
        let key = self.pending(coroutine, Job::Data { part, op, pooled: false, asked: None }, draw, ctx);
        self.transactions.pending_calls.insert(key, tx);
        self.set_out(key, ctx);
    }

    /// A step on a db belongs to the transaction around it.
    pub(super) fn join_transaction(&mut self, coroutine: CoroutineId, pending: Key) {
        let Some((tx, db)) = self.frames.transaction(coroutine) else { return };
        if matches!(self.pending_calls.get(pending), Some(PendingCall { job: Job::Data { part, .. }, .. }) if *part == db)
        {
            self.transactions.pending_calls.insert(pending, tx);
        }
    }

    /// Whether a step has its connection already, being part of a transaction; if that takes too long it ends here.
    pub(super) fn goes_within(&mut self, pending: Key, op: Op, ctx: Ctx) -> bool {
        if op == Op::Begin {
            return false;
        }
        let Transactions { open, pending_calls } = &mut self.transactions;
        let Some(open) = pending_calls.get(&pending).and_then(|tx| open.get_mut(tx)) else { return false };
        if ctx.monotonic().since(open.began) > ctx.plan().policies[open.policy.index()].timeout {
            let at = Some(ctx.plan().directory.target(open.db).tier);
            self.call_failed(pending, Failure { reason: Reason::Timeout, at });
            return true;
        }
        if op == Op::Commit {
            open.stage = Stage::Committing;
        }
        self.ask_store(pending, ctx);
        true
    }

    /// The store has answered a step of a transaction.
    pub(super) fn transaction_answered(&mut self, pending: Key, tx: TxId, reply: &Reply, ctx: Ctx) {
        let Some(PendingCall { job: Job::Data { op, pooled, .. }, .. }) = self.pending_calls.get(pending)
        else {
            return;
        };
        let (op, pooled) = (*op, *pooled);
        self.spend(pending, &reply.causes);
        let Some(open) = self.transactions.open.get_mut(&tx) else {
            return self.call_failed(pending, Reason::Reset.into()); // it was cut off, and so is who waited for this
        };
        open.connected |= pooled;
        let unwanted = open.stage == Stage::Unwanted;
        let keeps = ctx.plan().directory.store(open.db).keeps_tx;
        let goes_on = |reason| keeps && reason == Reason::LockTimeout;
        open.stage = match (op, reply.outcome) {
            (Op::Commit, Outcome::Unknown(_)) => Stage::Unknown,
            (Op::Begin | Op::Commit, Outcome::Fail(_)) => Stage::Over,
            (_, Outcome::Fail(reason)) if is_over(reason) && !goes_on(reason) => Stage::Over,
            _ => Stage::Active, // after a beginning of which nobody knows perhaps not: it will be told to abort
        };
        if op == Op::Commit && !matches!(reply.outcome, Outcome::Fail(_)) {
            let (name, now) = (open.name, ctx.now());
            ctx.record().history.transaction_ended(name, now, reply.outcome);
        }
        if unwanted || (op == Op::Commit && reply.outcome.is_ok()) {
            self.close(tx, unwanted, ctx);
            self.transactions.open.remove(&tx);
        }
        match reply.outcome {
            Outcome::Ok(value) | Outcome::Renew(value) => self.call_done(pending, value),
            Outcome::Fail(reason) | Outcome::Unknown(reason) => {
                self.call_failed(pending, Failure { reason, at: Some(reply.at) });
            }
        }
    }

    /// An attempt has come to nothing: it is aborted, and run again if the policy says so.
    fn comes_to_nothing(&mut self, coroutine: CoroutineId, tx: TxId, failure: Failure, ctx: Ctx) {
        let reason = failure.reason;
        self.close(tx, true, ctx);
        let Some(open) = self.transactions.open.get_mut(&tx) else { return };
        if open.stage != Stage::Unknown {
            let (name, now) = (open.name, ctx.now());
            ctx.record().history.transaction_ended(name, now, Outcome::Fail(reason));
        }
        open.failures = open.failures.saturating_add(1);
        let policy = &ctx.plan().policies[open.policy.index()];
        let may = open.stage != Stage::Unknown && policy.retries(reason);
        let mut draws = ctx.serving(BACK_OFF, open.substream);
        let wait = policy.retry.wait(open.failures, open.backoff, &mut draws).filter(|_| may);
        let Some(wait) = wait else {
            self.transactions.open.remove(&tx);
            return self.ready.push_back((coroutine, Input::Failed(failure)));
        };
        open.backoff = wait;
        let timer = self.later.insert(Later::Transaction { coroutine, since: ctx.now() });
        ctx.wake(wait, timer.to_word());
    }

    /// The wait before another attempt is over.
    pub(super) fn transaction_again(&mut self, coroutine: CoroutineId, since: Time, ctx: Ctx) {
        self.frames.spend(coroutine, Cause::Retry, ctx.now() - since);
        self.ready.push_back((coroutine, Input::Again));
    }

    /// Transactions whose coroutines are gone are aborted, those included that are still on their way to begin.
    pub(super) fn cut_off(&mut self, ctx: Ctx) {
        while let Some(tx) = self.frames.cut_off() {
            match self.transactions.open.get_mut(&tx) {
                Some(open) if open.stage == Stage::Beginning => open.stage = Stage::Unwanted,
                Some(open) => {
                    let (name, now, outcome) = (open.name, ctx.now(), Outcome::Fail(Reason::Timeout));
                    if open.stage != Stage::Committing {
                        ctx.record().history.transaction_ended(name, now, outcome);
                    }
                    self.close(tx, true, ctx);
                    self.transactions.open.remove(&tx);
                }
                None => {}
            }
        }
    }

    /// The connection goes back to the pool; before that the store is told to abort, if it `aborts` and the store may know of it.
    fn close(&mut self, tx: TxId, aborts: bool, ctx: Ctx) {
        let Some(open) = self.transactions.open.get_mut(&tx) else { return };
        let (db, name, tells) = (open.db, open.name, aborts && open.stage == Stage::Active);
        let substream = mix(open.substream, ABORT);
        if tells {
            open.stage = Stage::Over;
        }
        let connected = std::mem::take(&mut open.connected);
        if tells {
            let directory = &ctx.plan().directory;
            let (zone, clock, timeout) = (ctx.zone(), ctx.monotonic(), directory.store(db).timeout);
            let avoided = |member: Pid| self.avoided.names(member, clock);
            let draw = |n| ctx.serving(PICK, substream).below(n);
            let to = directory.copy(db, zone, At::Primary, None, avoided, draw);
            let context = CallContext { transaction: name, ..CallContext::default() };
            ctx.call(to, request(Op::Abort, substream, Some(timeout), context), NO_PENDING_CALL);
        }
        if connected {
            self.leave_pool(db, ctx);
        }
    }
}
