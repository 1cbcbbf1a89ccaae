//! Transactions: what their steps come to once it is known how they end, and what of it is anybody else's business.
//!
//! What a transaction does to a row several times is one change for all others: its last write, made of what the first one found.
//! And what it sees of its own writes before it commits, it sees of itself and not of the store.

use crate::base::ids::OpId;
use crate::base::op::{Op, Outcome, Reason, Value};
use crate::base::time::Time;
use crate::record::history::{History, RowId};

impl History {
    /// The store has carried out a step of a transaction.
    pub(super) fn carried_out(
        &mut self,
        transaction: u64,
        place: u32,
        now: Time,
        outcome: Outcome,
        value: Value,
    ) {
        let step = self.steps[place as usize];
        let is_own = !step.writes() && self.write_of(transaction, value.version).is_some();
        self.transactions.carried_out(transaction, place, value);
        if step.writes() {
            self.unknown.insert(step.attempt, place); // until it is known how the transaction ends
        } else if is_own {
            self.gave_up(place, now); // it says nothing of the store
        } else {
            self.close(place, now, outcome);
        }
    }

    /// A transaction has ended. What it wrote was done just if it has committed; of several writes of a row only the last.
    pub fn transaction_ended(&mut self, transaction: u64, now: Time, outcome: Outcome) {
        let steps = self.transactions.ended(transaction, now, outcome).to_vec();
        let mut written: Vec<RowId> = Vec::new();
        for (place, value) in steps.into_iter().rev() {
            let step = &self.steps[place as usize];
            if !step.writes() || step.returned != Time::NEVER || matches!(outcome, Outcome::Unknown(_)) {
                continue;
            }
            let (row, attempt) = (step.row, step.attempt);
            self.unknown.remove(&attempt);
            let replaced = written.contains(&row);
            written.push(row);
            let its = match outcome {
                Outcome::Fail(reason) => Outcome::Fail(reason),
                _ if replaced => Outcome::Fail(Reason::Conflict),
                _ => Outcome::Ok(Value { parent: self.made_of(transaction, value), ..value }),
            };
            self.close(place, now, its);
        }
        if self.streams {
            self.transactions.forget(transaction);
        }
    }

    /// What a transaction's value is made of, for others: of what the first of its writes of the row found. Of itself, if one of those before
    /// it was outright: then it depends on nothing.
    pub(super) fn made_of(&self, transaction: u64, value: Value) -> OpId {
        let mut parent = value.parent;
        while let Some((op, before)) = self.write_of(transaction, parent).filter(|_| parent != value.version)
        {
            if let Op::Write { .. } = op {
                return value.version;
            }
            parent = before.parent;
        }
        parent
    }

    /// What a version that took effect was made of, as its store says, and as others see it.
    pub(super) fn found_by(&self, transaction: u64, version: OpId, parent: OpId) -> OpId {
        self.write_of(transaction, version).map_or(parent, |(_, value)| self.made_of(transaction, value))
    }

    /// A transaction's own write of a version: what it did, and what came of it.
    fn write_of(&self, transaction: u64, version: OpId) -> Option<(Op, Value)> {
        let steps = self.transactions.steps(transaction).iter();
        let of = |(place, value): &(u32, Value)| (&self.steps[*place as usize], *value);
        let is = |(step, _): &(&super::Step, Value)| step.attempt == version && step.writes();
        steps.map(of).find(is).map(|(step, value)| (step.op, value))
    }
}
