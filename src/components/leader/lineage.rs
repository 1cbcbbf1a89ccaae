//! What is recorded of a copy: which version it holds of which row, and what that was derived from or replaced. It changes nothing.

use rustc_hash::FxHashMap;

use crate::base::ids::OpId;
use crate::base::op::{At, Op, Outcome, Value};
use crate::components::leader::Plan;
use crate::components::leader::member::{Ctx, Member, Role};
use crate::components::locks::desk;
use crate::components::machine::{Machine, Told};
use crate::components::store::lineage;
use crate::record::survey::Holdings;

impl<M: Machine> Member<M> {
    /// Applies an operation of the log.
    pub(super) fn apply_op(&mut self, op: &Op, attempt: OpId, told: Told, ctx: Ctx<M>) -> Outcome {
        let plan = &ctx.plan().machine;
        let before = self.machine.row(plan, op).filter(|(row, _)| lineage::is_recorded(row.0, ctx));
        let (outcome, aside) = self.machine.apply(plan, op, attempt, told);
        if let Some((row, before)) = before
            && let Some((_, value)) = self.machine.row(plan, op).filter(|(_, value)| *value != before)
        {
            lineage::took(row, value, before.version, OpId(0), ctx);
        }
        if self.role == Role::Leader && told != Told::Nothing {
            desk::count::<Self>(op, outcome, aside, ctx);
        }
        outcome
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
pub fn survey<M: Machine>(plan: &Plan<M>, members: &[Member<M>], rows: &[(u16, i64)]) -> Holdings {
    let latest = members.iter().map(|member| member.term).max();
    let leads = |member: &&Member<M>| member.role == Role::Leader && Some(member.term) == latest;
    let most = members.iter().max_by_key(|member| (member.log.last().term, member.log.last().index));
    let mut settled = vec![Vec::new(); rows.len()];
    if let Some(member) = members.iter().find(leads).or(most) {
        let mut machine = member.machine.clone();
        let value = |row: &(u16, i64), machine: &M| machine.row(&plan.machine, &reading(*row));
        let holds = |row| value(row, &machine).map_or(OpId(0), |(_, value)| value.version);
        settled = rows.iter().map(|row| vec![holds(row)]).collect();
        let places: FxHashMap<(u16, i64), usize> = rows.iter().copied().zip(0..).collect();
        for index in member.applied + 1..=member.log.last().index {
            let Some(entry) = member.log.get(index) else { continue };
            for (op, attempt) in entry.changes() {
                let (outcome, _) = machine.apply(&plan.machine, &op, attempt, entry.told);
                let written = outcome.is_ok();
                if let Some(place) = op.row().filter(|_| written).and_then(|row| places.get(&row)) {
                    settled[*place].push(attempt);
                }
            }
        }
    }
    let held = |member: &Member<M>| {
        let value = |row: &(u16, i64)| member.machine.row(&plan.machine, &reading(*row));
        rows.iter().map(|row| value(row).map_or(Value::default(), |(_, value)| value)).collect()
    };
    Holdings { copies: members.iter().map(held).collect(), settled }
}

fn reading((table, key): (u16, i64)) -> Op {
    Op::Read { table, key, taking: None, at: At::Primary }
}
