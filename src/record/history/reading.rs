//! What is read of a history, while it is streamed and once the run is over.

use crate::base::ids::{OpId, TierId};
use crate::base::time::Time;
use crate::record::history::{CHUNK, Call, History, HistoryEvent, NONE, Place, RowName, Step, Taken};
use crate::record::transactions::Transaction;

impl History {
    /// Whether enough has gathered to be handed on.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.moments.len() >= CHUNK
    }

    /// What has happened since this was last asked, in order, where a history is streamed.
    pub fn take_moments(&mut self) -> Vec<HistoryEvent> {
        std::mem::take(&mut self.moments)
    }

    /// Where a history is streamed: what nobody knows anything of when the run ends, in the order in which it was sent.
    pub fn left_open(&self, at: Time) -> Vec<HistoryEvent> {
        let places = self.unknown.values().copied();
        let mut places: Vec<u32> = places.chain(self.open.iter().map(|open| open.1)).collect();
        places.retain(|place| *place != NONE);
        let mut left: Vec<Step> = places.into_iter().map(|place| self.steps[place as usize]).collect();
        left.sort_unstable_by_key(|step| (step.invoked, step.attempt));
        left.into_iter()
            .map(|step| HistoryEvent { step, row: self.rows[step.row.0 as usize], at, ends: true })
            .collect()
    }

    /// The rows of a store that anything is known of.
    pub fn rows_of(&self, store: TierId) -> Vec<RowName> {
        self.rows.iter().filter(|row| row.store == store).copied().collect()
    }

    /// All operations, in the order in which they were sent.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// All requests of customers, in the order in which they began.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The request of a step, if it is kept.
    pub fn call_of(&self, step: &Step) -> Option<&Call> {
        self.by_origin.get(&step.origin).map(|place| &self.calls[*place as usize])
    }

    /// The transactions that steps are part of.
    pub fn transactions(&self) -> &[Transaction] {
        self.transactions.all()
    }

    /// What copies took in, in the order in which they did.
    pub fn taken(&self) -> &[Taken] {
        &self.taken
    }

    /// Where its store has a version, if it does and that is kept.
    pub fn place_of(&self, version: OpId) -> Option<Place> {
        self.places.get(&version).copied()
    }

    /// The rows that anything is known of, by number.
    pub fn rows(&self) -> &[RowName] {
        &self.rows
    }
}
