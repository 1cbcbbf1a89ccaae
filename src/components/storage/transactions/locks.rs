//! Locks of rows: one holder each, and a line of those who want it next. Everything costs O(1), however long the line is.

use std::collections::VecDeque;

use crate::base::slab::Key;
use crate::base::time::{ClockTime, Time};
use crate::components::storage::rows::RowName;
use crate::components::storage::transactions::row_locks::Lock;
use crate::components::storage::transactions::{Event, Transactions, Wait};

impl<W: Copy> Transactions<W> {
    /// Takes the lock of a row, or gets in line for it. True if it is taken.
    pub(super) fn lock(&mut self, key: Key, row: RowName, (word, now, shows): (W, Time, ClockTime)) -> bool {
        let transaction = self.all.get_mut(key).expect("it is active");
        let Some(lock) = self.locks.0.get_mut(&row) else {
            self.locks.0.insert(row, Lock { holder: key, line: VecDeque::new() });
            transaction.locks.push(row);
            return true;
        };
        self.tickets += 1;
        lock.line.push_back((key, self.tickets));
        transaction.waits = Some(Wait { row, ticket: self.tickets, since: now, word });
        self.waiting.push_back((shows, key, self.tickets));
        false
    }

    /// Gives a lock back before the transaction is over.
    pub(super) fn unlock_one(&mut self, key: Key, row: RowName) {
        self.all.get_mut(key).expect("it is active").locks.retain(|held| *held != row);
        self.hand_over(row);
    }

    /// The holder is done with a row: the next in line has it now.
    pub(super) fn hand_over(&mut self, row: RowName) {
        let Some(lock) = self.locks.0.get_mut(&row) else { return };
        while let Some((key, ticket)) = lock.line.pop_front() {
            let Some(next) = self.all.get_mut(key) else { continue };
            let Some(wait) = next.waits.filter(|wait| wait.ticket == ticket) else { continue };
            next.waits = None;
            next.locks.push(row);
            lock.holder = key;
            self.events.push_back(Event::Granted(key, wait.word, wait.since));
            return;
        }
        self.locks.0.remove(&row);
    }
}
