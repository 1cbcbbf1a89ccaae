//! What a member with transactions does for them, whatever makes its changes safe: a disk or a log with followers. The engine decides,
//! this carries out: answers, timers, series, connections.
//!
//! A commit's values become visible, and its locks are handed on, once they are safe (as in PostgreSQL, which flushes the commit record
//! before a transaction counts as committed). Single operations are transactions of one step. Transactions do not outlive a crash of
//! the member, nor the end of its leadership.

use std::hash::Hash;

use crate::base::ids::{CallId, OpId};
use crate::base::op::{Op, Outcome, Reason, Value};
use crate::base::slab::Key;
use crate::base::time::{ClockTime, Span};
use crate::components::storage::front;
use crate::components::storage::front::{Member, Wake};
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::RowName;
use crate::components::storage::series::StoreSeries;
use crate::components::storage::transactions::{End, Event, Step, Transactions};
use crate::sim::context::Context;

/// The transactions of a member, and when it looks after them. `W` is a member's word for an operation under way.
#[derive(Clone, Debug, Hash)]
pub struct TransactionManager<W> {
    /// What decides.
    pub engine: Transactions<W>,
    /// Operations that wait for a lock.
    waiting: u32,
    /// When we wake up to see who has waited for too long.
    /// By our clock.
    armed: Option<ClockTime>,
}

impl<W: Copy> TransactionManager<W> {
    /// A manager where nobody is.
    pub fn new(plan: &StorePlan) -> Self {
        TransactionManager {
            engine: Transactions::new(plan.isolation, plan.row_waiting, plan.mutant),
            waiting: 0,
            armed: None,
        }
    }
}

/// An operation under way, by which its transaction may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionRequest {
    /// The call.
    pub call: CallId,
    /// What it asks.
    pub op: Op,
    /// What it writes will be known by.
    pub version: OpId,
}

/// A transaction that is being made safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Committing<W> {
    /// Which.
    pub key: Key,
    /// The operation that waits for it.
    pub word: W,
    /// What that is told once it is done.
    pub outcome: Outcome,
    /// How long it has waited for a lock.
    pub locked: Span,
}

/// A member that has transactions.
pub trait Host: Member {
    /// Its word for an operation under way.
    type Word: Copy + Hash + std::fmt::Debug;
    /// Its manager, if programs have transactions on its store.
    fn manager(&mut self) -> &mut Option<Box<TransactionManager<Self::Word>>>;
    /// What stands behind a word.
    fn asked(&self, word: Self::Word, ctx: &Context<Self>) -> Option<TransactionRequest>;
    /// The value of a row that was committed last.
    fn committed(&self, row: RowName, plan: &Self::Plan) -> Value;
    /// Answers an operation, which has waited for a lock for so long.
    fn tell(&mut self, word: Self::Word, outcome: Outcome, locked: Span, ctx: &mut Context<Self>);
    /// Makes safe what a transaction [has written](Transactions::writes), then [`commits`] it.
    fn make_safe(&mut self, committing: Committing<Self::Word>, ctx: &mut Context<Self>);
    /// A transaction that has written nothing is over. It has read all that it has by now.
    fn has_read(&mut self, word: Self::Word, outcome: Outcome, locked: Span, ctx: &mut Context<Self>) {
        self.tell(word, outcome, locked, ctx);
    }
}

fn engine<H: Host>(host: &mut H) -> &mut Transactions<H::Word> {
    &mut host.manager().as_mut().expect("only a member with transactions comes here").engine
}

/// An operation has had its time on a core, and may be done now.
pub fn transact<H: Host>(host: &mut H, word: H::Word, ctx: &mut Context<H>) {
    let Some(TransactionRequest { call, op, .. }) = host.asked(word, ctx) else { return };
    let (name, clock) = (ctx.context(call).transaction, ctx.monotonic());
    let key = engine(host).find(name);
    match (op, key) {
        (Op::Begin, _) => {
            engine(host).begin(name, clock);
            host.tell(word, Outcome::ok(0), Span::ZERO, ctx);
        }
        (Op::Abort, key) => {
            key.into_iter().for_each(|key| engine(host).abort(key));
            host.tell(word, Outcome::ok(0), Span::ZERO, ctx);
        }
        (_, None) if name != 0 => host.tell(word, Outcome::Fail(Reason::Reset), Span::ZERO, ctx),
        (Op::Commit, Some(key)) => commit(host, key, word, Outcome::ok(0), Span::ZERO, ctx),
        (_, Some(key)) => operate(host, key, word, Span::ZERO, ctx),
        (Op::Read { table, key, .. }, None) => {
            let committed = host.committed((table, key), ctx.plan());
            let seen = engine(host).peek((table, key), committed);
            host.tell(word, Outcome::Ok(seen), Span::ZERO, ctx);
        }
        (_, None) => {
            let key = engine(host).single(clock);
            operate(host, key, word, Span::ZERO, ctx);
        }
    }
    settle(host, ctx);
}

/// One operation of a transaction, which has waited for a lock for so long.
fn operate<H: Host>(host: &mut H, key: Key, word: H::Word, locked: Span, ctx: &mut Context<H>) {
    let asked = host.asked(word, ctx).expect("who waits for a lock waits for an answer");
    let mut manager = host.manager().take().expect("it has transactions");
    let committed = |row| host.committed(row, ctx.plan());
    let asks = (word, ctx.now(), ctx.monotonic());
    let step = manager.engine.operate(key, &asked.op, asked.version, asks, &committed);
    let is_single = manager.engine.is_single(key);
    *host.manager() = Some(manager);
    match step {
        Step::Waits => waits(host, 1, ctx),
        Step::Done(outcome) if is_single && outcome.is_ok() => commit(host, key, word, outcome, locked, ctx),
        Step::Done(outcome) => {
            if is_single {
                engine(host).abort(key);
            }
            host.tell(word, outcome, locked, ctx);
        }
    }
}

fn commit<H: Host>(
    host: &mut H,
    key: Key,
    word: H::Word,
    outcome: Outcome,
    locked: Span,
    ctx: &mut Context<H>,
) {
    match engine(host).commit(key) {
        Err(reason) => host.tell(word, Outcome::Fail(reason), locked, ctx),
        Ok(false) => host.has_read(word, outcome, locked, ctx),
        Ok(true) => host.make_safe(Committing { key, word, outcome, locked }, ctx),
    }
}

/// What a transaction has written is safe and about to take effect: old values are kept for those who see them still.
pub fn installs<H: Host>(host: &mut H, key: Key, ctx: &mut Context<H>) {
    for (row, _) in engine(host).writes(key).to_vec() {
        let old = host.committed(row, ctx.plan());
        engine(host).install(key, row, old);
    }
}

/// All that a transaction has written has taken effect.
pub fn commits<H: Host>(host: &mut H, key: Key, ctx: &mut Context<H>) {
    engine(host).finish(key);
    settle(host, ctx);
}

/// What has happened to others meanwhile.
pub fn settle<H: Host>(host: &mut H, ctx: &mut Context<H>) {
    let now = ctx.now();
    while let Some(event) = engine(host).event() {
        match event {
            Event::Granted(key, word, since) => {
                waits(host, -1, ctx);
                operate(host, key, word, now - since, ctx);
            }
            Event::Failed(reason, word, since) => {
                waits(host, -1, ctx);
                host.tell(word, Outcome::Fail(reason), now - since, ctx);
            }
            Event::InVain(word, since) => {
                waits(host, -1, ctx);
                front::count(ctx, StoreSeries::LockTimeouts);
                host.tell(word, Outcome::Fail(Reason::LockTimeout), now - since, ctx);
            }
            Event::Over(end, name) => {
                front::count(ctx, series(end));
                front::release(host, name, ctx);
            }
        }
    }
    let store = H::store(ctx.plan());
    let (lock_wait, idle) = (store.lock_wait, store.idle);
    let manager = host.manager().as_mut().expect("it has transactions");
    let due = manager.engine.due(lock_wait, idle);
    if let Some(due) = due.filter(|due| manager.armed.is_none_or(|armed| *due < armed)) {
        manager.armed = Some(due);
        ctx.wake(due.since(ctx.monotonic()), H::timer(Wake::Expire));
    }
}

/// Somebody may have waited for too long.
pub fn expires<H: Host>(host: &mut H, ctx: &mut Context<H>) {
    let store = H::store(ctx.plan());
    let (clock, lock_wait, idle) = (ctx.monotonic(), store.lock_wait, store.idle);
    let Some(manager) = host.manager() else { return };
    manager.armed = None;
    manager.engine.expire(clock, lock_wait, idle);
    settle(host, ctx);
}

/// The member will keep transactions apart no more: those that have not asked to commit come to nothing, the others end.
pub fn ends_open<H: Host>(host: &mut H, ctx: &mut Context<H>) {
    if host.manager().is_some() {
        engine(host).end_open();
        settle(host, ctx);
    }
}

/// The member can keep transactions apart no more: all are over but those that are being made safe, of which others will know.
pub fn drops_all<H: Host>(host: &mut H, ctx: &mut Context<H>) {
    let Some(manager) = host.manager() else { return };
    let armed = manager.armed;
    let before = std::mem::replace(
        manager,
        Box::new(TransactionManager { armed, ..TransactionManager::new(H::store(ctx.plan())) }),
    );
    let (series, now) = (H::store(ctx.plan()).series(StoreSeries::LockWaits), ctx.now());
    ctx.record().level(series, now, -i64::from(before.waiting));
    for (word, since) in before.engine.waiting_words() {
        let locked = ctx.now() - since;
        host.tell(word, Outcome::Fail(Reason::NoLeader), locked, ctx);
    }
    for (name, ends) in before.engine.names_left() {
        if ends {
            front::count(ctx, StoreSeries::Aborts);
        }
        front::release(host, name, ctx);
    }
}

fn waits<H: Host>(host: &mut H, change: i64, ctx: &mut Context<H>) {
    let waiting = &mut host.manager().as_mut().expect("it has transactions").waiting;
    *waiting = waiting.wrapping_add_signed(change as i32);
    let (series, now) = (H::store(ctx.plan()).series(StoreSeries::LockWaits), ctx.now());
    ctx.record().level(series, now, change);
}

/// Takes back the level that a crash makes untrue.
pub fn fallen<H: Host>(host: &mut H, ctx: &mut Context<H>) {
    if let Some(waiting) = host.manager().as_ref().map(|manager| manager.waiting) {
        waits(host, -i64::from(waiting), ctx);
    }
}

/// Where a transaction's end is counted.
fn series(end: End) -> StoreSeries {
    match end {
        End::Committed => StoreSeries::Commits,
        End::Asked => StoreSeries::Aborts,
        End::Aborted(Reason::Deadlock) => StoreSeries::Deadlocks,
        End::Aborted(Reason::LockTimeout) => StoreSeries::LockTimeouts,
        End::Aborted(_) => StoreSeries::Conflicts,
    }
}
