//! What is recorded of cells: which version a copy holds of which row, and what went into it. It changes nothing, and serves
//! every protocol whose copies hold cells.

use crate::base::ids::OpId;
use crate::base::op::Value;
use crate::base::slab::Key;
use crate::components::replication::quorum::coordinator::merge_into;
use crate::components::replication::quorum::member::{Member, merge};
use crate::components::replication::quorum::plan::QuorumPlan;
use crate::components::storage::cell::{Cell, Merge};
use crate::components::storage::lineage;
use crate::components::storage::rows::{Initial, RowName};
use crate::record::history::Place;
use crate::record::survey::Holdings;
use crate::sim::context::Context;
use crate::sim::process::Process;

impl Member {
    /// Our copy takes in what is safe on its disk by now.
    pub(super) fn takes_in(&mut self, row: RowName, cell: &Cell, ctx: &mut Context<Self>) {
        if !lineage::is_recorded(row.0, ctx) {
            return merge(&mut self.rows, row, cell);
        }
        let plan = ctx.plan();
        let before = self.value(plan, row);
        merge(&mut self.rows, row, cell);
        let came = cell.value(row, Initial::value(&plan.store.start, row));
        stamped(row, cell, ctx);
        merged(plan.merge, row, before, came, self.value(plan, row), ctx);
    }

    /// What copies have answered to an operation comes to this.
    pub(super) fn has_merged(&self, key: Key, ctx: &mut Context<Self>) {
        let Some(operation) = self.operations.get(key) else { return };
        if ctx.plan().merge == Merge::LastWrite || !lineage::is_recorded(operation.row.0, ctx) {
            return;
        }
        let cells = operation.got.iter().filter_map(|(_, cell)| cell.as_ref());
        let initial = Initial::value(&ctx.plan().store.start, operation.row);
        if let Some(all) = &operation.cell {
            made_of(operation.row, initial, all, cells, ctx);
        }
    }

    /// A coordinator has made a new cell of what it had and knew, by one attempt.
    pub(super) fn has_made(
        &self,
        row: RowName,
        before: &Cell,
        cell: &Cell,
        seen: Option<&Cell>,
        attempt: OpId,
        ctx: &mut Context<Self>,
    ) {
        let initial = Initial::value(&ctx.plan().store.start, row);
        let ahead = self.log.iter().filter(|commit| commit.row == row).map(|commit| &commit.cell);
        let cells = ahead.chain(self.rows.get(&row)).chain(seen);
        made_of(row, initial, before, cells, ctx);
        made_by(row, initial, before, cell, attempt, ctx);
    }
}

/// A last write has the place that its stamp gives it.
pub fn stamped<P: Process>(row: RowName, cell: &Cell, ctx: &mut Context<P>) {
    if let Cell::Last { stamp, value } = cell {
        let number = u64::from(stamp.member) << 32 | u64::from(stamp.count);
        let place = Place { epoch: stamp.at.as_ns(), number };
        lineage::placed(row, value.version, Some(place), ctx);
    }
}

/// A copy has merged what came into what it held before.
pub fn merged<P: Process>(
    merge: Merge,
    row: RowName,
    before: Value,
    came: Value,
    after: Value,
    ctx: &mut Context<P>,
) {
    match merge {
        Merge::LastWrite if came.version == before.version => {}
        // What the newer stamp wins over is replaced, whichever came first.
        Merge::LastWrite if came.version != after.version => {
            lineage::took(row, after, came.version, OpId(0), ctx);
        }
        Merge::LastWrite => lineage::took(row, after, before.version, OpId(0), ctx),
        // Nothing is replaced by a merge: both sides are in it.
        Merge::Siblings | Merge::Counter => {
            lineage::took(row, Value { parent: before.version, ..after }, OpId(0), came.version, ctx);
        }
    }
}

/// A cell was merged from others.
pub fn made_of<'a, P: Process>(
    row: RowName,
    initial: Value,
    all: &Cell,
    cells: impl Iterator<Item = &'a Cell>,
    ctx: &mut Context<P>,
) {
    let value = Value { parent: OpId(0), ..all.value(row, initial) };
    for cell in cells {
        lineage::made(row, value, cell.value(row, initial).version, ctx);
    }
    if let Cell::Siblings { alive, .. } = all {
        for (_, one) in alive.iter().filter(|_| alive.len() > 1) {
            lineage::made(row, value, one.version, ctx);
        }
    }
}

/// A cell was made of another by one attempt.
pub fn made_by<P: Process>(
    row: RowName,
    initial: Value,
    before: &Cell,
    cell: &Cell,
    attempt: OpId,
    ctx: &mut Context<P>,
) {
    let value = Value { parent: before.value(row, initial).version, ..cell.value(row, initial) };
    lineage::made(row, value, attempt, ctx);
}

/// What members hold of rows.
pub fn survey(plan: &QuorumPlan, members: &[&Member], rows: &[RowName]) -> Holdings {
    settle(plan.merge, &plan.store.start, members.len(), rows, |member, row| members[member].rows.get(row))
}

/// What so many members hold of rows, by their cells. Of last writes it settles on the one with the newest stamp; siblings and
/// additions are all kept.
pub fn settle<'a>(
    merge: Merge,
    start: &[Initial],
    members: usize,
    rows: &[RowName],
    cell: impl Fn(usize, &RowName) -> Option<&'a Cell>,
) -> Holdings {
    let value = |cell: Option<&Cell>, row: &RowName| {
        let initial = Initial::value(start, *row);
        cell.map_or(initial, |cell| cell.value(*row, initial))
    };
    let held = |member| rows.iter().map(|row| value(cell(member, row), row)).collect();
    let copies: Vec<Vec<Value>> = (0..members).map(held).collect();
    let newest = |row: &RowName| {
        let mut all = None;
        (0..members).for_each(|member| merge_into(&mut all, cell(member, row)));
        vec![value(all.as_ref(), row).version]
    };
    let kept = |place: usize| copies.iter().map(|values| values[place].version).collect();
    let settled = match merge {
        Merge::LastWrite => rows.iter().map(newest).collect(),
        Merge::Siblings | Merge::Counter => (0..rows.len()).map(kept).collect(),
    };
    Holdings { copies, settled }
}
