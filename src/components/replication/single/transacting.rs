//! An unreplicated store with transactions: a commit's values are appended to the log together and synced together.

use crate::base::cause::{Cause, Causes};
use crate::base::ids::OpId;
use crate::base::op::{Outcome, Value};
use crate::base::time::{Span, Time};
use crate::components::mech::station::Served;
use crate::components::replication::single::{Record, Safe, StoreProcess};
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::RowName;
use crate::components::storage::transactions::host;
use crate::components::storage::transactions::host::{Host, TransactionManager, TransactionRequest};
use crate::components::storage::{front, lineage};
use crate::record::history::attempt;
use crate::sim::context::Context;

/// A transaction that is being made safe.
pub(super) type Committing = host::Committing<Served>;

impl Host for StoreProcess {
    type Word = Served;

    fn manager(&mut self) -> &mut Option<Box<TransactionManager<Served>>> {
        &mut self.transacting
    }

    fn asked(&self, served: Served, _: &Context<Self>) -> Option<TransactionRequest> {
        Some(TransactionRequest { call: served.call, op: served.op, version: attempt(served.call) })
    }

    fn committed(&self, row: RowName, plan: &StorePlan) -> Value {
        self.value(plan, row)
    }

    fn tell(&mut self, served: Served, outcome: Outcome, locked: Span, ctx: &mut Context<Self>) {
        front::answer(self, served, outcome, &Causes::only(Cause::Lock, locked), ctx);
    }

    fn make_safe(&mut self, committing: Committing, ctx: &mut Context<Self>) {
        let manager = self.transacting.as_ref().expect("it has transactions");
        for (row, value) in manager.engine.writes(committing.key).to_vec() {
            self.append(Record::Row(row, value), ctx);
        }
        let safe = Safe { transaction: Some(committing), ..Safe::default() };
        self.answer_once_safe(committing.word, committing.outcome, safe, ctx);
    }
}

impl StoreProcess {
    /// What a transaction has written is safe; whoever waits for it, if anybody does, has done so since `at`.
    pub(super) fn takes_effect(
        &mut self,
        committing: Committing,
        served: Option<Served>,
        at: Time,
        ctx: &mut Context<Self>,
    ) {
        let key = committing.key;
        host::installs(self, key, ctx);
        let manager = self.transacting.as_ref().expect("it has transactions");
        for (row, value) in manager.engine.writes(key).to_vec() {
            let before = self.rows.insert(row, value).unwrap_or_default();
            lineage::placed(row, value.version, None, ctx);
            lineage::took(row, value, before.version, OpId(0), ctx);
        }
        if let Some(served) = served {
            let mut spent = Causes::only(Cause::Disk, ctx.now() - at);
            spent.add(Cause::Lock, committing.locked);
            front::answer(self, served, committing.outcome, &spent, ctx);
        }
        host::commits(self, key, ctx);
    }
}
