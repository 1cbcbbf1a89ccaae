//! How transactions end: they commit, come to nothing, or are given up on.

use crate::base::op::{Outcome, Reason, Value};
use crate::base::slab::Key;
use crate::base::time::{ClockTime, Span, Time};
use crate::components::mech::mutant::Mutant;
use crate::components::storage::rows::RowName;
use crate::components::storage::transactions::{End, Event, Isolation, Stage, Transactions};

impl<W: Copy> Transactions<W> {
    /// Commits. `Ok(false)`: it has written nothing and is over. `Ok(true)`: what it has [written](Self::writes) is to be made safe, and then it
    /// is [installed](Self::install) and [finished](Self::finish).
    ///
    /// # Errors
    /// Why it is aborted instead.
    pub fn commit(&mut self, key: Key) -> Result<bool, Reason> {
        let active = self.all.get_mut(key).filter(|one| one.stage == Stage::Active);
        let transaction = active.ok_or(Reason::Reset)?;
        if transaction.incoming && transaction.outgoing && self.mutant != Mutant::IgnoresFlags {
            self.abort_as(key, Reason::Conflict);
            return Err(Reason::Conflict);
        }
        transaction.stage = Stage::Committing;
        if transaction.writes.is_empty() {
            self.finish(key);
            return Ok(false);
        }
        Ok(true)
    }

    /// What a transaction has written.
    pub fn writes(&self, key: Key) -> &[(RowName, Value)] {
        self.all.get(key).map_or(&[], |transaction| &transaction.writes)
    }

    /// A row is about to get a transaction's value in place of `old`.
    pub fn install(&mut self, key: Key, row: RowName, old: Value) {
        self.versions.supersede(row, old, key);
    }

    /// A transaction that commits has committed: all that it has written is there.
    pub fn finish(&mut self, key: Key) {
        let Some(transaction) = self.all.get_mut(key) else { return };
        let at = self.versions.tick();
        transaction.stage = Stage::Committed(at);
        self.leave(key, End::Committed);
        if self.isolation == Isolation::Serializable {
            self.readers.keep(at, key);
        } else {
            self.all.remove(key);
        }
        self.forget();
    }

    /// Aborts a transaction at its client's wish, or because a single operation came to nothing. One that commits already goes on.
    pub fn abort(&mut self, key: Key) {
        if self.all.get(key).is_some_and(|transaction| transaction.stage == Stage::Active) {
            self.over(key, End::Asked);
        }
    }

    /// Those that have not asked to commit come to nothing, but for single operations, which wait for no more than these.
    pub fn end_open(&mut self) {
        let open = self.all.iter().filter(|(_, one)| !one.is_single() && one.stage == Stage::Active);
        for key in open.map(|(key, _)| key).collect::<Vec<_>>() {
            self.over(key, End::Asked);
        }
    }

    pub(super) fn abort_as(&mut self, key: Key, reason: Reason) -> Outcome {
        self.over(key, End::Aborted(reason));
        Outcome::Fail(reason)
    }

    /// A transaction has come to nothing. If it waits, whoever asks for it is told.
    pub(super) fn over(&mut self, key: Key, end: End) {
        if let Some(wait) = self.all.get_mut(key).and_then(|transaction| transaction.waits.take()) {
            let reason = if let End::Aborted(reason) = end { reason } else { Reason::Reset };
            self.events.push_back(Event::Failed(reason, wait.word, wait.since));
        }
        self.leave(key, end);
        self.drop_reads(key);
        self.all.remove(key);
        self.forget();
    }

    /// A transaction holds nothing any more.
    fn leave(&mut self, key: Key, end: End) {
        let Some(transaction) = self.all.get_mut(key) else { return };
        let locks = std::mem::take(&mut transaction.locks);
        if !transaction.is_single() {
            self.names.remove(&transaction.name);
            self.idle.remove(&(transaction.looked, key));
            self.events.push_back(Event::Over(end, transaction.name));
            if self.isolation.is_of_one_instant() {
                self.versions.abandon(transaction.snapshot);
            }
        }
        locks.into_iter().for_each(|row| self.hand_over(row));
    }

    /// Forgets what nobody who is here was there with.
    fn forget(&mut self) {
        let oldest = self.versions.forget();
        while let Some(key) = self.readers.leaves(oldest) {
            self.drop_reads(key);
            self.all.remove(key);
        }
    }

    /// Who waits for a lock, and since when.
    pub fn waiting_words(&self) -> impl Iterator<Item = (W, Time)> {
        let waits = self.all.iter().filter_map(|(_, transaction)| transaction.waits);
        waits.map(|wait| (wait.word, wait.since))
    }

    /// The names of those that are not over, and whether they will certainly have had no effect if this is all.
    pub fn names_left(&self) -> impl Iterator<Item = (u64, bool)> {
        let left = self.all.iter().map(|(_, transaction)| transaction);
        let left = left.filter(|one| !one.is_single() && !matches!(one.stage, Stage::Committed(_)));
        left.map(|one| (one.name, one.stage == Stage::Active))
    }

    /// The next thing that happened to somebody else.
    pub fn event(&mut self) -> Option<Event<W>> {
        self.events.pop_front()
    }

    /// How many transactions there are, those included that are kept for others.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.all.len() == 0
    }

    /// Aborts who is found in a cycle now, who has waited for `lock_wait` and whose client has not been heard of for `idle`. When to come
    /// again, if anybody may be due.
    pub fn expire(&mut self, clock: ClockTime, lock_wait: Span, idle: Span) -> Option<ClockTime> {
        self.look_for_cycles(clock); // first: a cycle says more than that a wait was long
        while let Some((since, key, ticket)) = self.waiting.front().copied() {
            let waits = self.all.get(key).and_then(|one| one.waits).is_some_and(|wait| wait.ticket == ticket);
            if waits && since + lock_wait > clock {
                break;
            }
            self.waiting.pop_front();
            if waits {
                self.waited_in_vain(key, clock);
            }
        }
        while let Some((looked, key)) =
            self.idle.first().copied().filter(|(looked, _)| *looked + idle <= clock)
        {
            self.idle.remove(&(looked, key));
            let Some(transaction) = self.all.get_mut(key) else { continue };
            let rests = transaction.stage == Stage::Active && transaction.waits.is_none();
            if rests && transaction.heard + idle <= clock {
                self.over(key, End::Asked);
            } else {
                transaction.looked = if rests { transaction.heard } else { clock };
                self.idle.insert((transaction.looked, key));
            }
        }
        self.due(lock_wait, idle)
    }

    /// When to [expire](Self::expire) next, if anybody may be due.
    pub fn due(&self, lock_wait: Span, idle: Span) -> Option<ClockTime> {
        let lock = self.waiting.front().map(|(since, ..)| *since + lock_wait);
        let client = self.idle.first().map(|(looked, _)| *looked + idle);
        lock.into_iter().chain(client).chain(self.next_look()).min()
    }
}
