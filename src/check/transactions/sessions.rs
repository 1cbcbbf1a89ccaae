//! Sessions: what a process did, in order.

use std::collections::BTreeMap;

use crate::check::history::PENDING;
use crate::check::transactions::form::Form;
use crate::check::transactions::history::Transactions;

/// The transactions that had effects, by session. Nothing comes after one that never returned: whoever is called the same then is a
/// session of its own.
pub(super) struct Sessions {
    all: Vec<Vec<u32>>,
    /// By transaction: its session and how many of that were before it.
    places: Vec<(u32, u32)>,
}

impl Sessions {
    pub fn of(form: &Form, history: &Transactions) -> Sessions {
        let mut by_process: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for number in form.numbers() {
            by_process.entry(history.transactions[number as usize].process).or_default().push(number);
        }
        let mut sessions = Sessions { all: Vec::new(), places: vec![(0, 0); form.effective.len()] };
        for mut of_one in by_process.into_values() {
            of_one.sort_by_key(|number| history.transactions[*number as usize].invoked);
            let mut rest = of_one.as_slice();
            while !rest.is_empty() {
                // One that returned only after the next began is none of a sequence either.
                let ends = (1..rest.len()).find(|next| {
                    let before = &history.transactions[rest[next - 1] as usize];
                    before.returned == PENDING
                        || before.returned > history.transactions[rest[*next] as usize].invoked
                });
                let (one, others) = rest.split_at(ends.unwrap_or(rest.len()));
                sessions.add(one);
                rest = others;
            }
        }
        sessions
    }

    fn add(&mut self, one: &[u32]) {
        let session = self.all.len() as u32;
        for (turn, number) in (0u32..).zip(one) {
            self.places[*number as usize] = (session, turn);
        }
        self.all.push(one.to_vec());
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// A transaction's session, and how many of it were before.
    pub fn place(&self, transaction: u32) -> (u32, u32) {
        self.places[transaction as usize]
    }

    pub fn at(&self, session: u32, turn: u32) -> u32 {
        self.all[session as usize][turn as usize]
    }

    /// Each with the next of its session.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.all.iter().flat_map(|one| one.windows(2).map(|pair| (pair[0], pair[1])))
    }
}
