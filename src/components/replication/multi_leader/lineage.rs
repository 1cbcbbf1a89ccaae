//! What is recorded of copies: which version each holds of which row, and what went into it. It changes nothing.

use crate::base::ids::OpId;
use crate::components::replication::multi_leader::member::{Ctx, Member, merge};
use crate::components::replication::multi_leader::messages::Change;
use crate::components::replication::multi_leader::plan::MultiLeaderPlan;
use crate::components::replication::quorum::lineage::{made_by, made_of, merged, settle, stamped};
use crate::components::storage::cell::{Cell, Merge};
use crate::components::storage::lineage;
use crate::components::storage::rows::{Initial, RowName};
use crate::components::storage::series::StoreSeries;
use crate::record::survey::Holdings;

impl Member {
    /// A change takes effect on our copy.
    pub(super) fn takes_in(&mut self, change: &Change, ctx: Ctx) {
        let row = change.row;
        if !lineage::is_recorded(row.0, ctx) {
            return merge(&mut self.rows, change);
        }
        let plan = ctx.plan();
        let before = self.value(plan, row);
        merge(&mut self.rows, change);
        let came = change.cell.value(row, Initial::value(&plan.store.start, row));
        stamped(row, &change.cell, ctx);
        merged(plan.merge, row, before, came, self.value(plan, row), ctx);
    }

    /// A change of ours gets the next number.
    pub(super) fn has_numbered(&self, ctx: Ctx) {
        let (me, members, now) = (ctx.me(), ctx.members(), ctx.now());
        let number = self.base + self.log.len() as u64 + 1;
        let replicas = &mut ctx.record().replicas;
        let behind = replicas.made((me.tier, me.member), (0, me.member), number, members, now);
        let series = ctx.plan().store.series(StoreSeries::Behind);
        ctx.record().level(series, now, behind);
    }

    /// Our copy has the changes of a member up to a number.
    pub(super) fn tells_progress(&self, from: u32, number: u64, ctx: Ctx) {
        let (me, now, plan) = (ctx.me(), ctx.now(), &ctx.plan().store);
        if from == me.member {
            return;
        }
        let progress = ctx.record().replicas.applied((me.tier, from), me.member, number, now);
        ctx.record().level(plan.series(StoreSeries::Behind), now, progress.behind);
        ctx.record().count(plan.series(StoreSeries::Applied), now, progress.applied);
        ctx.record().count(plan.series(StoreSeries::Lagged), now, progress.lagged.as_ns());
    }

    /// A change of ours was made of what we knew, by one attempt.
    pub(super) fn has_made(&self, change: &Change, known: Option<&Cell>, attempt: OpId, ctx: Ctx) {
        let row = change.row;
        if ctx.plan().merge == Merge::LastWrite || !lineage::is_recorded(row.0, ctx) {
            return;
        }
        let initial = Initial::value(&ctx.plan().store.start, row);
        if let Some(known) = known {
            made_by(row, initial, known, &change.cell, attempt, ctx);
        }
        made_of(row, initial, &change.cell, std::iter::empty(), ctx);
    }

    /// What is ahead of our disk has been built on what came from another member too.
    pub(super) fn has_merged_ahead(&self, row: RowName, before: &Cell, came: &Cell, ahead: &Cell, ctx: Ctx) {
        if ctx.plan().merge != Merge::LastWrite && lineage::is_recorded(row.0, ctx) {
            let initial = Initial::value(&ctx.plan().store.start, row);
            made_of(row, initial, ahead, [before, came].into_iter(), ctx);
        }
    }
}

/// What members hold of rows.
pub fn survey(plan: &MultiLeaderPlan, members: &[&Member], rows: &[RowName]) -> Holdings {
    settle(plan.merge, &plan.store.start, members.len(), rows, |member, row| members[member].rows.get(row))
}
