//! Locks at the leader: it alone puts operations on them in order and says what its clocks show; who waits in line is kept here until
//! it is his turn. The line itself is part of the machine, so it outlives a leader: those who waited ask the next one again, by the
//! same name, and have their places still.

use crate::base::cause::Cause;
use crate::base::ids::OpId;
use crate::base::op::{LockName, Op, Outcome, Reason};
use crate::base::slab::Key;
use crate::components::replication::leader::log::Entry;
use crate::components::replication::leader::member::{Ctx, Member, Role};
use crate::components::replication::leader::messages::Timer;
use crate::components::storage::front::Wake;
use crate::components::storage::lock_table::Clocks;
use crate::components::storage::machine::{EntryContext, Machine};

impl<M: Machine> Member<M> {
    /// An operation on a lock has had its time on a core.
    pub(super) fn orders_lock(&mut self, key: Key, op: Op, attempt: OpId, ctx: Ctx<M>) {
        self.proposed.insert(self.log.last().index + 1, key);
        let substream = self.asks.get(key).map_or(0, |ask| ctx.substream(ask.served().call));
        self.order(op, attempt, substream, ctx);
    }

    fn order(&mut self, op: Op, attempt: OpId, substream: u64, ctx: Ctx<M>) {
        let told = EntryContext::Clocks(Clocks::of(ctx));
        self.propose(Entry { substream, told, ..Entry::of(self.term, op, attempt) }, ctx);
    }

    /// An entry of ours has taken effect: whoever asked for it is told, or waits in line.
    pub(super) fn is_applied(&mut self, key: Key, outcome: Outcome, ctx: Ctx<M>) {
        let Some(served) = self.asks.get(key).map(|ask| *ask.served()) else { return };
        if let (Op::Acquire { owner, .. }, Outcome::Fail(Reason::Wait)) = (served.op, outcome) {
            let now = ctx.now();
            if let Some(ask) = self.asks.get_mut(key) {
                ask.charge(Cause::Replication, now);
            }
            if self.keeps_for_heir() {
                return self.answers(key, Outcome::Fail(Reason::NoLeader), ctx); // it has its place in line there
            }
            if let Some(before) = self.locks.wait(owner, key) {
                self.answers(before, Outcome::Fail(Reason::Wait), ctx);
            }
            return;
        }
        if let (Op::Release { owner, .. }, true) = (served.op, outcome.is_ok())
            && let Some(left) = self.locks.leaves(owner)
        {
            self.answers(left, Outcome::Fail(Reason::NotHeld), ctx);
        }
        self.shown(&served, ctx);
        self.answers(key, outcome, ctx);
    }

    /// After an entry about a lock: those are told whose turn it is, and who have lost their places.
    pub(super) fn hands_locks_on(&mut self, name: Option<LockName>, ctx: Ctx<M>) {
        let leads = self.role == Role::Leader;
        while let Some(granted) = self.machine.locks().and_then(|locks| locks.granted()) {
            if let Some(key) = self.locks.leaves(granted.owner).filter(|_| leads) {
                let now = ctx.now();
                if let Some(ask) = self.asks.get_mut(key) {
                    ask.charge(Cause::Lock, now);
                }
                self.answers(key, Outcome::ok(granted.token as i64), ctx);
            }
        }
        while let Some(owner) = self.machine.locks().and_then(|locks| locks.lapsed()) {
            if let Some(key) = self.locks.leaves(owner).filter(|_| leads) {
                let now = ctx.now();
                if let Some(ask) = self.asks.get_mut(key) {
                    ask.charge(Cause::Lock, now);
                }
                self.answers(key, Outcome::Fail(Reason::NotHeld), ctx);
            }
        }
        if let (Some(name), Some(table)) = (name.filter(|_| leads), self.machine.locks()) {
            self.locks.watch(name, table);
            self.arms_locks(ctx);
        }
    }

    /// We lead from now on.
    pub(super) fn watches_locks(&mut self, ctx: Ctx<M>) {
        if let Some(table) = self.machine.locks() {
            self.locks.watch_all(table);
            self.arms_locks(ctx);
        }
    }

    /// The time of holders may be over whom somebody waits for.
    pub(super) fn expires_locks(&mut self, ctx: Ctx<M>) {
        if self.role != Role::Leader || self.keeps_for_heir() {
            return;
        }
        while let Some((lock, key)) = self.locks.due(Clocks::of(ctx)) {
            self.order(Op::Expire { lock, key }, OpId(0), 0, ctx);
        }
        self.arms_locks(ctx);
    }

    fn arms_locks(&mut self, ctx: Ctx<M>) {
        if let Some(wait) = self.locks.arm(Clocks::of(ctx)) {
            ctx.wake(wait, Timer::Front(Wake::Locks));
        }
    }

    /// We lead no more: those who wait ask whoever does.
    pub(super) fn sends_waiting_away(&mut self, ctx: Ctx<M>) {
        for key in self.locks.sends_away() {
            let now = ctx.now();
            if let Some(ask) = self.asks.get_mut(key) {
                ask.charge(Cause::Lock, now);
            }
            self.answers(key, Outcome::Fail(Reason::NoLeader), ctx);
        }
    }
}
