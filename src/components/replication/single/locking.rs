//! Locks on an unreplicated store: changed as rows are, on the newest state; nobody is told of what a crash could take back.

use crate::base::op::{Op, Outcome, Reason};
use crate::base::time::{Span, Time};
use crate::components::mech::station::Served;
use crate::components::replication::single::{Record, Safe, StoreProcess};
use crate::components::storage::front::Wake;
use crate::components::storage::lock_table::Clocks;
use crate::components::storage::lock_waiters;
use crate::sim::context::Context;

impl StoreProcess {
    /// An operation on a lock takes effect.
    pub(super) fn serves_lock(&mut self, served: Served, ctx: &mut Context<Self>) {
        let outcome = self.changes_lock(&served.op, ctx);
        match (served.op, outcome) {
            (Op::Acquire { owner, .. }, Outcome::Fail(Reason::Wait)) => {
                if let Some(before) = self.waiting.wait(owner, (served, ctx.now())) {
                    self.tells(before, outcome, ctx);
                }
                self.arms_locks(ctx);
                return; // its turn will come
            }
            (Op::Release { owner, .. }, Outcome::Ok(_)) => {
                if let Some(left) = self.waiting.leaves(owner) {
                    self.tells(left, Outcome::Fail(Reason::NotHeld), ctx);
                }
            }
            _ => {}
        }
        self.tells((served, ctx.now()), outcome, ctx);
        self.hands_locks_on(ctx);
    }

    fn changes_lock(&mut self, op: &Op, ctx: &mut Context<Self>) -> Outcome {
        let clocks = Clocks::of(ctx);
        let (outcome, aside) = self.locks.apply(op, clocks);
        self.append(Record::Lock(*op, clocks), ctx);
        lock_waiters::count::<Self>(op, outcome, aside, ctx);
        if let Some(name) = op.lock() {
            self.waiting.watch(name, &self.locks);
        }
        outcome
    }

    /// Those whose turn it is are told, once that is safe, and those who have lost their places.
    fn hands_locks_on(&mut self, ctx: &mut Context<Self>) {
        while let Some(granted) = self.locks.granted() {
            self.waiting.watch(granted.name, &self.locks);
            if let Some(waited) = self.waiting.leaves(granted.owner) {
                self.tells(waited, Outcome::ok(granted.token as i64), ctx);
            }
        }
        while let Some(owner) = self.locks.lapsed() {
            if let Some(waited) = self.waiting.leaves(owner) {
                self.tells(waited, Outcome::Fail(Reason::NotHeld), ctx);
            }
        }
        self.arms_locks(ctx);
    }

    /// Tells whoever has waited since then.
    fn tells(&mut self, (served, since): (Served, Time), outcome: Outcome, ctx: &mut Context<Self>) {
        let locked: Span = ctx.now() - since;
        self.answer_once_safe(served, outcome, Safe { locked, ..Safe::default() }, ctx);
    }

    /// The time of holders may be over whom somebody waits for.
    pub(super) fn expires_locks(&mut self, ctx: &mut Context<Self>) {
        while let Some((lock, key)) = self.waiting.due(Clocks::of(ctx)) {
            self.changes_lock(&Op::Expire { lock, key }, ctx);
        }
        self.hands_locks_on(ctx);
    }

    pub(super) fn arms_locks(&mut self, ctx: &mut Context<Self>) {
        if let Some(wait) = self.waiting.arm(Clocks::of(ctx)) {
            ctx.wake(wait, Wake::Locks);
        }
    }
}
