//! What is recorded of a copy: which version it holds of which row, and what that was derived from or replaced. It changes nothing.

use crate::base::ids::OpId;
use crate::base::op::{At, Op, Outcome};
use crate::components::leader::member::{Ctx, Member};
use crate::components::machine::Machine;
use crate::components::store::lineage;

impl<M: Machine> Member<M> {
    /// Applies an operation of the log.
    pub(super) fn apply_op(&mut self, op: &Op, attempt: OpId, ctx: Ctx<M>) -> Outcome {
        let plan = &ctx.plan().machine;
        let before = self.machine.row(plan, op).filter(|(row, _)| lineage::is_recorded(row.0, ctx));
        let outcome = self.machine.apply(plan, op, attempt);
        if let Some((row, before)) = before
            && let Some((_, value)) = self.machine.row(plan, op).filter(|(_, value)| *value != before)
        {
            lineage::took(row, value, before.version, OpId(0), ctx);
        }
        outcome
    }

    /// Another copy has taken the place of ours, which is told if it took the place of anything: after a crash it does not.
    pub(super) fn holds_another(&mut self, old: Option<&M>, ctx: Ctx<M>) {
        let plan = &ctx.plan().machine;
        let store = ctx.me().tier;
        for name in ctx.record().history.rows_of(store) {
            let read = Op::Read { table: name.table, key: name.key, taking: None, at: At::Primary };
            let before = old.and_then(|old| old.row(plan, &read)).map(|(_, value)| value);
            if let Some((row, value)) = self.machine.row(plan, &read)
                && before != Some(value)
            {
                lineage::took(row, value, before.unwrap_or_default().version, OpId(0), ctx);
            }
        }
    }
}
