//! How a copy tells the record what it holds. It knows no protocol: each has one spot where a write takes effect.

use crate::base::ids::OpId;
use crate::base::op::Value;
use crate::components::storage::rows;
use crate::record::history::{NO_COPY, Place, RowId, RowName, Taken};
use crate::sim::context::Context;
use crate::sim::process::Process;

/// Whether it is recorded what copies hold of a table.
#[inline]
pub fn is_recorded<P: Process>(table: u16, ctx: &mut Context<P>) -> bool {
    let store = ctx.me().tier;
    let history = &ctx.record().history;
    history.wants(store, table) || history.holds.is_wanted()
}

/// Our copy holds a value of a row from now on. `over` is what it held before, or what came too late and was dropped; `also` is what
/// went into the value besides its parent.
pub fn took<P: Process>(row: rows::RowName, value: Value, over: OpId, also: OpId, ctx: &mut Context<P>) {
    let copy = ctx.me().member;
    taken(row, copy, value, over, also, ctx);
}

/// A value has come about that no copy holds yet: `also` went into it besides its parent.
pub fn made<P: Process>(row: rows::RowName, value: Value, also: OpId, ctx: &mut Context<P>) {
    taken(row, NO_COPY, value, OpId(0), also, ctx);
}

/// The store has a version of a row in this place among all; without one after all that it has had so far.
pub fn placed<P: Process>(row: rows::RowName, version: OpId, place: Option<Place>, ctx: &mut Context<P>) {
    let store = ctx.me().tier;
    ctx.record().history.placed(store, row.0, version, place);
}

fn taken<P: Process>(
    (table, key): rows::RowName,
    copy: u32,
    value: Value,
    over: OpId,
    also: OpId,
    ctx: &mut Context<P>,
) {
    let (at, store) = (ctx.now(), ctx.me().tier);
    let history = &mut ctx.record().history;
    history.holds.takes_effect(value.version, at);
    if !history.wants(store, table) {
        return;
    }
    let taken = Taken { at, row: RowId(0), copy, value, over, also };
    ctx.record().history.took(RowName { store, table, key }, taken);
}
