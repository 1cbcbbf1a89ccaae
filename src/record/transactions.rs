//! Which steps of a run belong together as transactions, and how each ended.

use rustc_hash::FxHashMap;

use crate::base::op::{Outcome, Reason, Value};
use crate::base::time::Time;

/// A transaction of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// What its client and its store know it by.
    pub name: u64,
    /// Its steps that the store has carried out, in order: places in [`crate::record::history::History::steps`], and what was seen or
    /// written.
    pub steps: Vec<(u32, Value)>,
    /// When its end was known; [`Time::NEVER`]: it has not ended.
    pub ended: Time,
    /// How it ended; unknown while it has not.
    pub outcome: Outcome,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Transactions {
    all: Vec<Transaction>,
    by_name: FxHashMap<u64, u32>,
}

impl Transactions {
    /// The store has carried out a step.
    pub fn carried_out(&mut self, name: u64, step: u32, value: Value) {
        let all = &mut self.all;
        let place = *self.by_name.entry(name).or_insert_with(|| {
            let outcome = Outcome::Unknown(Reason::Timeout);
            all.push(Transaction { name, steps: Vec::new(), ended: Time::NEVER, outcome });
            all.len() as u32 - 1
        });
        all[place as usize].steps.push((step, value));
    }

    /// The steps of a transaction so far.
    pub fn steps(&self, name: u64) -> &[(u32, Value)] {
        self.by_name.get(&name).map_or(&[], |place| &self.all[*place as usize].steps)
    }

    /// A transaction has ended; its steps.
    pub fn ended(&mut self, name: u64, now: Time, outcome: Outcome) -> &[(u32, Value)] {
        let Some(place) = self.by_name.get(&name) else { return &[] };
        let transaction = &mut self.all[*place as usize];
        (transaction.ended, transaction.outcome) = (now, outcome);
        &transaction.steps
    }

    /// Forgets one that has ended, where nothing is kept.
    pub fn forget(&mut self, name: u64) {
        if let Some(place) = self.by_name.remove(&name) {
            self.all[place as usize].steps = Vec::new();
        }
    }

    /// All, in the order in which they did something first.
    pub fn all(&self) -> &[Transaction] {
        &self.all
    }
}
