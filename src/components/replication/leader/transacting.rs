//! Transactions at the leader: it alone keeps them apart, and a commit is one entry of the log with all that was written.
//!
//! A leader begins none before it knows all that is committed, and (under `raft`) before a majority has said that it leads still; the same
//! is asked again when one that has written nothing commits. One that was deposed knows nothing of its transactions any more: those
//! whose commit was in its log may yet be committed by others.

use crate::base::cause::Cause;
use crate::base::op::{At, Op, Outcome, Reason, Value};
use crate::base::slab::Key;
use crate::base::time::Span;
use crate::components::replication::leader::log::Entry;
use crate::components::replication::leader::member::{Ctx, Member};
use crate::components::replication::leader::plan::LeaderPlan;
use crate::components::storage::machine::Machine;
use crate::components::storage::rows::RowName;
use crate::components::storage::transactions::host;
use crate::components::storage::transactions::host::{
    Committing, Host, TransactionManager, TransactionRequest,
};
use crate::sim::context::Context;

impl<M: Machine> Host for Member<M> {
    type Word = Key;

    fn manager(&mut self) -> &mut Option<Box<TransactionManager<Key>>> {
        &mut self.transacting
    }

    fn asked(&self, ask: Key, _: &Context<Self>) -> Option<TransactionRequest> {
        self.asks.get(ask).map(|ask| TransactionRequest {
            call: ask.served().call,
            op: ask.served().op,
            version: ask.attempt(),
        })
    }

    fn committed(&self, (table, key): RowName, plan: &LeaderPlan<M>) -> Value {
        let read = Op::Read { table, key, taking: None, at: At::Primary };
        self.machine.row(&plan.machine, &read).map_or(Value::default(), |(_, value)| value)
    }

    fn tell(&mut self, ask: Key, outcome: Outcome, locked: Span, ctx: &mut Context<Self>) {
        self.waited(ask, locked);
        if let Some(served) = self.asks.get(ask).map(|ask| *ask.served()).filter(|_| outcome.is_ok()) {
            self.shown(&served, ctx);
        }
        self.answers(ask, outcome, ctx);
    }

    fn make_safe(&mut self, committing: Committing<Key>, ctx: &mut Context<Self>) {
        let manager = self.transacting.as_ref().expect("it has transactions");
        let write = |((table, key), value): &(RowName, Value)| {
            (Op::Write { table: *table, key: *key, n: value.n, parent: value.parent }, value.version)
        };
        let mut writes = manager.engine.writes(committing.key).iter().map(write);
        let Some((op, attempt)) = writes.next() else { return };
        let also = Some(writes.collect()).filter(|also: &std::sync::Arc<[_]>| !also.is_empty());
        let substream = self.asks.get(committing.word).map_or(0, |ask| ctx.substream(ask.served().call));
        self.committing.insert(self.log.last().index + 1, committing);
        self.propose(Entry { substream, also, ..Entry::of(self.term, op, attempt) }, ctx);
    }

    fn has_read(&mut self, ask: Key, _: Outcome, locked: Span, ctx: &mut Context<Self>) {
        self.waited(ask, locked);
        self.reads_as_leader(ask, ctx);
    }
}

impl<M: Machine> Member<M> {
    /// An operation on a store with transactions has had its time on a core.
    pub(super) fn transacts(&mut self, ask: Key, op: Op, is_single: bool, ctx: Ctx<M>) {
        match op {
            Op::Begin => self.reads_as_leader(ask, ctx),
            Op::Read { .. } if is_single => self.reads_as_leader(ask, ctx),
            _ if self.commits_its_term() => host::transact(self, ask, ctx),
            // What was committed before we led may be missing here still.
            _ => {
                self.reads.push_back((0, u64::MAX, ask));
                self.answer_reads(ctx);
            }
        }
    }

    /// Whoever asked has waited until we knew all that is committed.
    pub(super) fn knows(&mut self, ask: Key, op: Op, ctx: Ctx<M>) {
        if op == Op::Commit {
            return self.answers(ask, Outcome::ok(0), ctx); // of one that has written nothing
        }
        host::transact(self, ask, ctx);
    }

    /// The entry at an index is about to take effect: the transaction of ours that it commits.
    pub(super) fn about_to_commit(&mut self, index: u64, ctx: Ctx<M>) -> Option<Committing<Key>> {
        let committing = self.committing.remove(&index)?;
        host::installs(self, committing.key, ctx);
        Some(committing)
    }

    /// It has taken effect.
    pub(super) fn commits(&mut self, committing: Committing<Key>, ctx: Ctx<M>) {
        host::Host::tell(self, committing.word, committing.outcome, committing.locked, ctx);
        host::commits(self, committing.key, ctx);
    }

    /// We lead no more.
    pub(super) fn drops_transactions(&mut self, ctx: Ctx<M>) {
        for committing in std::mem::take(&mut self.committing).into_values() {
            self.waited(committing.word, committing.locked);
            self.answers(committing.word, Outcome::Unknown(Reason::NoLeader), ctx);
        }
        host::drops_all(self, ctx);
    }

    /// An operation has waited for a lock since it had its time on a core.
    fn waited(&mut self, ask: Key, locked: Span) {
        if let Some(ask) = self.asks.get_mut(ask) {
            ask.spend(Cause::Lock, locked);
        }
    }
}
