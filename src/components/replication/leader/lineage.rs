//! What is recorded of a copy: which version it holds of which row, and what that was derived from or replaced. It changes nothing.

use rustc_hash::FxHashMap;

use crate::base::ids::OpId;
use crate::base::op::{At, Op, Outcome, Value};
use crate::components::replication::leader::log::{Entry, Place};
use crate::components::replication::leader::member::{Ctx, Member, Role};
use crate::components::replication::leader::plan::{Election, LeaderPlan, Rule};
use crate::components::storage::lock_waiters;
use crate::components::storage::machine::{EntryContext, Machine};
use crate::components::storage::series::StoreSeries;
use crate::components::storage::{front, lineage};
use crate::record::history;
use crate::record::survey::Holdings;
use crate::sim::context::Context;

impl<M: Machine> Member<M> {
    /// Applies an operation of the log.
    pub(super) fn apply_op(&mut self, op: &Op, attempt: OpId, entry: &Entry, ctx: Ctx<M>) -> Outcome {
        let told = entry.told;
        let plan = &ctx.plan().machine;
        let before = self.machine.row(plan, op).filter(|(row, _)| lineage::is_recorded(row.0, ctx));
        let (outcome, aside) = self.machine.apply(plan, op, attempt, told);
        if let Some((row, before)) = before
            && let Some((_, value)) = self.machine.row(plan, op).filter(|(_, value)| *value != before)
        {
            let place = history::Place { epoch: entry.term, number: self.last_applied };
            lineage::placed(row, value.version, Some(place), ctx);
            lineage::took(row, value, before.version, OpId(0), ctx);
        }
        if self.role == Role::Leader && told != EntryContext::Nothing {
            lock_waiters::count::<Self>(op, outcome, aside, ctx);
        }
        outcome
    }

    /// A new entry of ours is about to be the last of our log.
    pub(super) fn has_made(&self, entry: &Entry, ctx: Ctx<M>) {
        let (me, members, now) = (ctx.me(), ctx.members(), ctx.now());
        let place = (self.log.last().index + 1, entry.term);
        let replicas = &mut ctx.record().replicas;
        let behind = replicas.made((me.tier, 0), (entry.term, me.member), place.0, members, now);
        if Self::may_lose(ctx) {
            for (_, version) in entry.changes() {
                ctx.record().replicas.opens(me.tier, place, version);
            }
        }
        let series = ctx.plan().store.series(StoreSeries::Behind);
        ctx.record().level(series, now, behind);
    }

    /// Whether a failover may lose what readers have seen.
    fn may_lose(ctx: &Context<Self>) -> bool {
        let plan = ctx.plan();
        plan.rule != Rule::Majority && !matches!(plan.election, Election::Never)
    }

    /// Somebody has been answered.
    pub(super) fn has_shown(&self, op: &Op, outcome: Outcome, ctx: Ctx<M>) {
        if let (Op::Read { .. } | Op::ReadForUpdate { .. }, Outcome::Ok(value)) = (op, outcome)
            && Self::may_lose(ctx)
            && value.version != OpId(0)
        {
            let store = ctx.me().tier;
            if ctx.record().replicas.shown(store, value.version) {
                front::count(ctx, StoreSeries::DirtyReads);
            }
        }
    }

    /// We lead, and others have what is ours: what others had besides is lost, and whoever has read it has read what never was.
    pub(super) fn counts_lost_reads(&self, ctx: Ctx<M>) {
        if Self::may_lose(ctx) {
            let (store, now) = (ctx.me().tier, ctx.now());
            let has = |index, term| self.log.contains(Place { index, term });
            let reads = ctx.record().replicas.settles(store, self.majority_durable_index, has);
            let series = ctx.plan().store.series(StoreSeries::DirtyReads);
            ctx.record().count(series, now, reads);
        }
    }

    /// Another copy has taken the place of ours, which is told if it took the place of anything: after a crash it does not.
    pub(super) fn holds_another(&mut self, old: Option<&M>, ctx: Ctx<M>) {
        let plan = &ctx.plan().machine;
        let store = ctx.me().tier;
        for name in ctx.record().history.rows_of(store) {
            let read = reading((name.table, name.key));
            let before = old.and_then(|old| old.row(plan, &read)).map(|(_, value)| value);
            if let Some((row, value)) = self.machine.row(plan, &read)
                && before != Some(value)
            {
                lineage::took(row, value, before.unwrap_or_default().version, OpId(0), ctx);
            }
        }
    }
}

/// What members hold of rows. It settles on the copy of whoever leads in the latest term, or has the most up-to-date log, and on what
/// stands in that log besides.
pub fn survey<M: Machine>(plan: &LeaderPlan<M>, members: &[&Member<M>], rows: &[(u16, i64)]) -> Holdings {
    let latest = members.iter().map(|member| member.term).max();
    let leads = |member: &&&Member<M>| member.role == Role::Leader && Some(member.term) == latest;
    let most = members.iter().max_by_key(|member| (member.log.last().term, member.log.last().index));
    let mut majority_durable_index = vec![Vec::new(); rows.len()];
    if let Some(member) = members.iter().find(leads).or(most) {
        let mut machine = member.machine.clone();
        let value = |row: &(u16, i64), machine: &M| machine.row(&plan.machine, &reading(*row));
        let holds = |row| value(row, &machine).map_or(OpId(0), |(_, value)| value.version);
        majority_durable_index = rows.iter().map(|row| vec![holds(row)]).collect();
        let places: FxHashMap<(u16, i64), usize> = rows.iter().copied().zip(0..).collect();
        for index in member.last_applied + 1..=member.log.last().index {
            let Some(entry) = member.log.get(index) else { continue };
            for (op, attempt) in entry.changes() {
                let (outcome, _) = machine.apply(&plan.machine, &op, attempt, entry.told);
                let written = outcome.is_ok();
                if let Some(place) = op.row().filter(|_| written).and_then(|row| places.get(&row)) {
                    majority_durable_index[*place].push(attempt);
                }
            }
        }
    }
    let held = |member: &&Member<M>| {
        let value = |row: &(u16, i64)| member.machine.row(&plan.machine, &reading(*row));
        rows.iter().map(|row| value(row).map_or(Value::default(), |(_, value)| value)).collect()
    };
    Holdings { copies: members.iter().map(held).collect(), settled: majority_durable_index }
}

fn reading((table, key): (u16, i64)) -> Op {
    Op::Read { table, key, taking: None, at: At::Primary }
}
