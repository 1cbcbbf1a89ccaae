//! Transactions that wait for each other in a cycle: when that is found out, and who pays for it.
//!
//! * **at once**, as InnoDB does (MySQL Reference Manual 8.0, "Deadlock Detection"): whoever gets in line looks whether that closes a cycle. The
//!   victim is the youngest, which has done the least (R. Agrawal, M. Carey, L. McVoy, "The performance of alternative strategies for
//!   dealing with deadlocks in database management systems", 1987), or as in InnoDB the lightest: who has written and locked the
//!   fewest rows, and of equals who closed the cycle.
//! * **after a wait**, as PostgreSQL does (`deadlock_timeout`; src/backend/storage/lmgr/README, "The Deadlock Detection Algorithm"): whoever
//!   has waited for so long looks, once, and if it is in a cycle it is the victim itself. Until then all of them wait, and hold
//!   their rows.
//!
//! A cycle closes when somebody gets in line, never when a lock is handed on: who gets a lock waits for nothing then. So whoever closed it will
//! look after the closing, and no cycle lasts longer than the wait.

use crate::base::op::Reason;
use crate::base::slab::Key;
use crate::base::time::ClockTime;
use crate::components::storage::rows::RowName;
use crate::components::storage::transactions::waiting::{Deadlock, Undoes, Victim};
use crate::components::storage::transactions::{End, Event, Step, Transaction, Transactions};

impl<W> Transaction<W> {
    /// How much would be undone, in rows (InnoDB: TRX_WEIGHT, its undo records and its locks; here each row counts once).
    fn weight(&self) -> usize {
        self.writes.len() + self.locks.len()
    }
}

impl<W: Copy> Transactions<W> {
    /// Somebody has got in line for a row. If cycles are found at once, this one is if there is one.
    pub(super) fn in_line(&mut self, key: Key, row: RowName, clock: ClockTime) -> Step {
        let victim = match self.rules.deadlock {
            Deadlock::AtOnce(victim) => victim,
            Deadlock::After(_) => {
                self.looks.push_back((clock, key, self.tickets));
                return Step::Waits;
            }
        };
        let weigh = |one: &Transaction<W>| match victim {
            Victim::Youngest => u64::MAX - one.age,
            Victim::Lightest => one.weight() as u64,
        };
        let mut chosen = (self.all.get(key).map_or(0, weigh), key);
        let is_cycle = self.is_in_cycle(key, row, |other, one| {
            if weigh(one) < chosen.0 {
                chosen = (weigh(one), other);
            }
        });
        match chosen {
            _ if !is_cycle => Step::Waits,
            (_, victim) if victim == key => {
                self.all.get_mut(key).expect("it asks").waits = None; // it is told at once
                Step::Done(self.abort_as(key, Reason::Deadlock))
            }
            (_, victim) => {
                self.over(victim, End::Aborted(Reason::Deadlock));
                Step::Waits
            }
        }
    }

    /// Whether somebody who wants a row is in a cycle, in which everybody waits for the holder of what the next one wants; shows the others.
    /// Those before it in line wait for the same holder, so only holders need be followed.
    fn is_in_cycle(&self, key: Key, row: RowName, mut member: impl FnMut(Key, &Transaction<W>)) -> bool {
        let mut wanted = row;
        // The way may lead into a cycle of others, which nobody has looked for yet: then it comes by somebody again (R. Brent, 1980).
        let (mut seen, mut steps, mut until) = (None, 0u32, 1u32);
        loop {
            let Some(holder) = self.locks.holder(wanted) else { return false };
            if holder == key {
                return true;
            }
            if seen == Some(holder) {
                return false;
            }
            steps += 1;
            if steps == until {
                (seen, steps, until) = (Some(holder), 0, until.saturating_mul(2));
            }
            let Some(transaction) = self.all.get(holder) else { return false };
            let Some(wait) = transaction.waits else { return false };
            member(holder, transaction);
            wanted = wait.row;
        }
    }

    /// Aborts who has waited for long enough to look and is in a cycle.
    pub(super) fn look_for_cycles(&mut self, clock: ClockTime) {
        let Deadlock::After(wait) = self.rules.deadlock else { return };
        while let Some((since, key, ticket)) = self.looks.front().copied() {
            let waits = self.all.get(key).and_then(|one| one.waits).filter(|wait| wait.ticket == ticket);
            if waits.is_some() && since + wait > clock {
                break;
            }
            self.looks.pop_front();
            if waits.is_some_and(|waits| self.is_in_cycle(key, waits.row, |_, _| {})) {
                self.over(key, End::Aborted(Reason::Deadlock));
            }
        }
    }

    /// When somebody will have waited for long enough to look.
    pub(super) fn next_look(&self) -> Option<ClockTime> {
        let Deadlock::After(wait) = self.rules.deadlock else { return None };
        self.looks.front().map(|(since, ..)| *since + wait)
    }

    /// Somebody has waited for too long.
    pub(super) fn waited_in_vain(&mut self, key: Key, clock: ClockTime) {
        let Some(transaction) = self.all.get_mut(key) else { return };
        if self.rules.undoes == Undoes::Statement && !transaction.is_single() {
            transaction.heard = clock;
            if let Some(wait) = transaction.waits.take() {
                self.events.push_back(Event::InVain(wait.word, wait.since));
            }
        } else {
            self.over(key, End::Aborted(Reason::LockTimeout));
        }
    }
}
