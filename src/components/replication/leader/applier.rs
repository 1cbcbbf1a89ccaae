//! When what may take effect on a copy does. Two things hold it up, for each copy its own: a `lag`, which all entries sit out at once
//! from when they were written (PostgreSQL, recovery_min_apply_delay; MySQL, SOURCE_DELAY), and a cost, which the one applier
//! takes for one entry after the other.
//!
//! A leader's own entries cost what its writes cost and nothing more. Whoever comes to lead ends its lag, as PostgreSQL does at a
//! promotion, and works off its line before it shows anything to readers of the primary.

use crate::base::time::Span;
use crate::components::replication::leader::member::{APPLY, Ctx, LAG, Member, Role};
use crate::components::replication::leader::messages::Timer;
use crate::components::replication::leader::plan::{LeaderPlan, Rule};
use crate::components::storage::front;
use crate::components::storage::machine::Machine;
use crate::components::storage::series::StoreSeries;

impl<M: Machine> Member<M> {
    /// Up to where entries may take effect here: at a leader and under `raft` what is committed, elsewhere what our disk has of
    /// the leader's log, acknowledged or not.
    pub(super) fn appliable(&self, plan: &LeaderPlan<M>) -> u64 {
        match self.role {
            Role::Follower | Role::Candidate { .. } if plan.rule != Rule::Majority => {
                self.durable_index.min(self.fits)
            }
            _ => self.commit_index,
        }
    }

    /// Sets the applier to work, as far as it may go.
    pub(super) fn works_towards(&mut self, goal: u64, ctx: Ctx<M>) {
        self.worked = self.worked.max(self.last_applied);
        let (plan, me) = (ctx.plan(), ctx.me().member);
        if plan.apply.at(me).is_none() && plan.lag.at(me).is_none() {
            self.worked = self.worked.max(goal);
        }
        while self.worked < goal && self.working.is_none() {
            let next = self.worked + 1;
            let leads = self.role == Role::Leader;
            let lag = if leads { Span::ZERO } else { self.lag_left(next, ctx) };
            if lag > Span::ZERO {
                if !std::mem::replace(&mut self.sits, true) {
                    ctx.wake(lag, Timer::Due);
                }
                return;
            }
            match plan.apply.at(me).filter(|_| !leads || next < self.led_from) {
                None => self.worked = next,
                Some(distribution) => {
                    self.working = Some(next);
                    let substream = self.log.get(next).and_then(|entry| self.substream(entry));
                    let span = front::drawn(distribution, APPLY, substream, ctx);
                    ctx.wake_true(span, Timer::Applied);
                }
            }
        }
    }

    /// How long the next entry is not to be applied yet.
    fn lag_left(&mut self, next: u64, ctx: Ctx<M>) -> Span {
        let Some(distribution) = ctx.plan().lag.at(ctx.me().member) else { return Span::ZERO };
        let due = match self.due {
            Some((index, due)) if index == next => due,
            _ => match self.log.get(next) {
                Some(entry) => entry.at + front::drawn(distribution, LAG, self.substream(entry), ctx),
                None => ctx.wall(),
            },
        };
        self.due = Some((next, due));
        due.since(ctx.wall())
    }

    /// The applier is through with the entry that it worked on.
    pub(super) fn applier_done(&mut self, ctx: Ctx<M>) {
        if self.working.take() == Some(self.worked + 1) {
            self.worked = (self.worked + 1).min(self.log.last().index);
        }
        self.apply(ctx);
    }

    /// The lag of the next entry is over, unless our clock was put back.
    pub(super) fn entry_due(&mut self, ctx: Ctx<M>) {
        self.sits = false;
        self.apply(ctx);
    }

    /// Records how far our copy is now.
    pub(super) fn tells_progress(&mut self, ctx: Ctx<M>) {
        let (me, now) = (ctx.me(), ctx.now());
        let progress = ctx.record().replicas.applied((me.tier, 0), me.member, self.last_applied, now);
        let plan = &ctx.plan().store;
        if progress.behind != 0 {
            ctx.record().level(plan.series(StoreSeries::Behind), now, progress.behind);
        }
        if progress.applied != 0 {
            ctx.record().count(plan.series(StoreSeries::Applied), now, progress.applied);
            ctx.record().count(plan.series(StoreSeries::Lagged), now, progress.lagged.as_ns());
        }
    }
}
