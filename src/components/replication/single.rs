//! The one member of an unreplicated store, as a process.
//!
//! Numbered rules:
//! 1. An operation takes effect when its service ends, in the order in which services end.
//! 2. A write is appended to the log then, and acknowledged once it is synced. While a sync is under way, further
//!    writes gather and share the next one (group commit).
//! 3. A read sees synced values alone: nobody is told what a crash could take back. Writes, updates and compares work on
//!    the newest value of the log, as if behind a lock of the row; when that is not synced yet, a condition that fails
//!    is told only after it is.
//! 4. Locks are changed as rows are: on the newest state, and told once it is safe (`locking`).
//! 5. Where programs have transactions on it, `transacting` takes the place of rules 1 and 3.
//! 6. A crash keeps what was synced and loses the rest; what was lost had been acknowledged to nobody.

mod locking;
#[cfg(test)]
mod tests;
mod transacting;

use std::collections::VecDeque;
use std::convert::Infallible;

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, OpId, SyncId};
use crate::base::op::{Op, Outcome, Reason, Value};
use crate::base::time::{Span, Time};
use crate::components::mech::keyed::Keyed;
use crate::components::mech::mutant::Mutant;
use crate::components::mech::station::Served;
use crate::components::replication::single::transacting::Committing;
use crate::components::storage::fences::Fences;
use crate::components::storage::front;
use crate::components::storage::front::{Front, Member, Wake};
use crate::components::storage::lineage;
use crate::components::storage::lock_table::{Clocks, LockTable};
use crate::components::storage::lock_waiters::LockWaiters;
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::{Initial, RowName, Rows, apply};
use crate::components::storage::series::StoreSeries;
use crate::components::storage::transactions;
use crate::components::storage::transactions::host;
use crate::record::history::attempt;
use crate::sim::context::Context;
use crate::sim::disk::Disk;
use crate::sim::order::Order;
use crate::sim::payload::Word;
use crate::sim::process::Process;

/// The member.
#[derive(Clone, Debug, Hash)]
pub struct StoreProcess {
    pub(super) rows: Rows,
    /// Values of the log that are not synced yet: the newest of each row, and how many of them there are.
    ahead: Keyed<RowName, (Value, u32)>,
    log: VecDeque<Commit>,
    /// How many commits, from the first, the sync under way covers.
    syncing: usize,
    logged: usize,
    pub(super) fences: Fences,
    pub(super) locks: LockTable,
    /// Those who wait for a lock, and since when.
    pub(super) waiting: LockWaiters<(Served, Time)>,
    /// Where programs have transactions on this store.
    pub(super) transacting: Option<Box<transactions::host::TransactionManager<Served>>>,
    front: Front,
}

/// An operation whose answer waits for the disk; or does not, in a mutant.
#[derive(Clone, Copy, Debug, Hash)]
struct Commit {
    served: Option<Served>,
    /// Identifies the call that it serves.
    substream: u64,
    outcome: Outcome,
    safe: Safe,
    /// When it took effect.
    at: Time,
}

/// What an operation makes safe, and what is told of it besides.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Safe {
    /// A row's value.
    pub row: Option<(RowName, Value)>,
    /// The transaction that it commits.
    pub transaction: Option<Committing>,
    /// How long it has waited for a lock.
    pub locked: Span,
}

/// What its disk keeps, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// A row has this value.
    Row(RowName, Value),
    /// It has seen this token.
    Fence(RowName, u64),
    /// An operation on a lock, when our clocks showed this.
    Lock(Op, Clocks),
    /// We had started again, and leases began anew.
    Leases(Clocks),
}

/// All that it keeps, in the place of a long log.
pub type Kept = (Rows, Fences, LockTable);

impl Word for Wake {
    fn to_word(self) -> u64 {
        match self {
            Wake::Cores => 0,
            Wake::Pool => 1,
            Wake::Expire => 1 << 33,
            Wake::Locks => 1 << 34,
        }
    }
    fn from_word(word: u64) -> Self {
        match word {
            0 => Wake::Cores,
            1 => Wake::Pool,
            word if word == 1 << 34 => Wake::Locks,
            _ => Wake::Expire,
        }
    }
}

impl Process for StoreProcess {
    type Plan = StorePlan;
    type Message = Infallible;
    type Timer = Wake;
    type Record = Record;
    type Snapshot = Kept;

    fn build(plan: &StorePlan, _member: u32) -> Self {
        StoreProcess {
            rows: Rows::default(),
            ahead: Keyed::default(),
            log: VecDeque::new(),
            syncing: 0,
            logged: 0,
            fences: Fences::default(),
            locks: LockTable::default(),
            waiting: LockWaiters::default(),
            transacting: plan.transactional.then(|| Box::new(host::TransactionManager::new(plan))),
            front: Front::new(plan),
        }
    }

    fn start(&mut self, disk: &Disk<Record, Kept>, ctx: &mut Context<Self>) {
        front::risen(ctx);
        (self.rows, self.fences, self.locks) = disk.snapshot.clone().unwrap_or_default();
        for record in &disk.records {
            match *record {
                Record::Row(row, value) => _ = self.rows.insert(row, value),
                Record::Fence(row, token) => _ = self.fences.lets(row, token),
                Record::Lock(op, clocks) => _ = self.locks.apply(&op, clocks),
                Record::Leases(clocks) => self.locks.begins_anew(clocks),
            }
        }
        // Who was told has been, and who was not asks again.
        while self.locks.granted().is_some() || self.locks.lapsed().is_some() {}
        self.logged = disk.records.len();
        if !self.locks.is_empty() {
            let clocks = Clocks::of(ctx);
            self.locks.begins_anew(clocks);
            self.append(Record::Leases(clocks), ctx);
        }
        self.waiting.watch_all(&self.locks);
        self.arms_locks(ctx);
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        front::arrive(self, call, op, ctx);
    }

    fn on_timer(&mut self, wake: Wake, ctx: &mut Context<Self>) {
        front::woken(self, wake, ctx);
    }

    fn on_synced(&mut self, _sync: SyncId, ctx: &mut Context<Self>) {
        front::count(ctx, StoreSeries::Syncs);
        for _ in 0..std::mem::take(&mut self.syncing) {
            let commit = self.log.pop_front().expect("what is being synced");
            if let Some(transaction) = commit.safe.transaction {
                self.takes_effect(transaction, commit.served, commit.at, ctx);
                continue;
            }
            if let Some((row, value)) = commit.safe.row {
                let before = self.rows.insert(row, value).unwrap_or_default();
                lineage::placed(row, value.version, None, ctx);
                lineage::took(row, value, before.version, OpId(0), ctx);
                let (_, pending) = self.ahead.get_mut(&row).expect("it was ahead");
                *pending -= 1;
                if *pending == 0 {
                    self.ahead.remove(&row);
                }
            }
            if let Some(served) = commit.served {
                let mut spent = Causes::only(Cause::Disk, ctx.now() - commit.at);
                spent.add(Cause::Lock, commit.safe.locked);
                front::answer(self, served, commit.outcome, &spent, ctx);
            }
        }
        self.sync(ctx);
        front::after_cores(self, ctx);
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        front::ordered(self, order, ctx);
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        host::fallen(self, ctx);
        front::fallen(self, ctx);
    }
}

impl Member for StoreProcess {
    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn store(plan: &StorePlan) -> &StorePlan {
        plan
    }

    fn timer(wake: Wake) -> Wake {
        wake
    }

    /// The operation takes effect.
    fn serve(&mut self, served: Served, ctx: &mut Context<Self>) {
        if served.op.lock().is_some() {
            return self.serves_lock(served, ctx);
        }
        if self.transacting.is_some() {
            return host::transact(self, served, ctx);
        }
        let Some(row) = served.op.row() else {
            return front::answer(self, served, Outcome::Fail(Reason::Error), &Causes::NONE, ctx);
        };
        let is_read = matches!(served.op, Op::Read { .. });
        let token = ctx.context(served.call).fence.token(is_read);
        if let Some(token) = token {
            if !self.fences.lets(row, token) {
                front::count(ctx, StoreSeries::Fenced);
                return front::answer(self, served, Outcome::Fail(Reason::Fenced), &Causes::NONE, ctx);
            }
            self.append(Record::Fence(row, token), ctx);
        }
        let synced = self.value(ctx.plan(), row);
        if is_read && token.is_none() {
            return front::answer(self, served, Outcome::Ok(synced), &Causes::NONE, ctx);
        }
        let ahead = self.ahead.get(&row).copied();
        let current = ahead.map_or(synced, |(value, _)| value);
        let (outcome, written) = apply(&served.op, current, attempt(served.call));
        if written.is_none() && ahead.is_none() && token.is_none() {
            return front::answer(self, served, outcome, &Causes::NONE, ctx);
        }
        if let Some(value) = written {
            self.ahead.insert(row, (value, ahead.map_or(1, |(_, pending)| pending + 1)));
            self.append(Record::Row(row, value), ctx);
        }
        let row = written.map(|value| (row, value));
        self.answer_once_safe(served, outcome, Safe { row, ..Safe::default() }, ctx);
    }

    fn expire(&mut self, ctx: &mut Context<Self>) {
        host::expires(self, ctx);
    }

    fn look_after_locks(&mut self, ctx: &mut Context<Self>) {
        self.expires_locks(ctx);
    }
}

impl StoreProcess {
    /// The value of a row, as the last synced write left it.
    pub fn value(&self, plan: &StorePlan, row: RowName) -> Value {
        self.rows.get(&row).copied().unwrap_or_else(|| Initial::value(&plan.start, row))
    }

    pub(super) fn append(&mut self, record: Record, ctx: &mut Context<Self>) {
        self.logged += 1;
        ctx.append(record);
    }

    /// Answers once everything that was appended so far is safe.
    pub(super) fn answer_once_safe(
        &mut self,
        served: Served,
        outcome: Outcome,
        safe: Safe,
        ctx: &mut Context<Self>,
    ) {
        let (early, substream) = (ctx.plan().mutant == Mutant::AcksEarly, ctx.substream(served.call));
        if early {
            front::answer(self, served, outcome, &Causes::NONE, ctx);
        }
        let served = Some(served).filter(|_| !early);
        self.log.push_back(Commit { served, substream, outcome, safe, at: ctx.now() });
        if self.syncing == 0 {
            self.sync(ctx);
        }
    }

    /// What is in the log and not in the rows yet.
    fn unsynced(&self) -> impl Iterator<Item = (RowName, Value)> {
        self.log.iter().flat_map(|commit| {
            let both = commit.safe.transaction.zip(self.transacting.as_ref());
            let writes =
                both.map_or(&[][..], |(transaction, station)| station.engine.writes(transaction.key));
            commit.safe.row.into_iter().chain(writes.iter().copied())
        })
    }

    /// Begins to make safe what has gathered, if anything has.
    fn sync(&mut self, ctx: &mut Context<Self>) {
        self.syncing = self.log.len();
        if self.syncing == 0 {
            return;
        }
        if front::is_long(self.logged, self.rows.len() + self.locks.len()) {
            let mut snapshot = self.rows.clone();
            for (row, value) in self.unsynced() {
                snapshot.insert(row, value);
            }
            ctx.snapshot((snapshot, self.fences.clone(), self.locks.clone()));
            self.logged = 0;
        }
        let first = self.log.front().map(|commit| commit.substream);
        let cost = front::disk_time(self, first, ctx);
        ctx.sync(cost);
    }
}
