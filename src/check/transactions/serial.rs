//! Where several transactions wrote the same values: an order of all of them, each between its invocation and its return, that explains every
//! read. If there is one, the history is of every level, and it need not be known who wrote what was seen. G. Lowe, "Testing for linearizability"
//! (2017), with whole transactions for operations; what was met before is remembered by its fingerprint, which can only make it miss an order.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::rng::mix;
use crate::check::history::NIL;
use crate::check::transactions::history::{Completion, Transactions, What};

/// The steps of the whole budget of which this may take one.
const SHARE: u64 = 4;
/// Bytes of a fingerprint that is remembered, and of a transaction.
const BYTES: u64 = 32;

/// A transaction that was taken, and what it overwrote; which others can be tried in its place.
struct Taken {
    number: usize,
    overwrote: Vec<(u32, Option<i64>)>,
    others: Vec<usize>,
}

struct Search<'a> {
    history: &'a Transactions,
    /// Those that are not known to have been aborted, by invocation.
    all: Vec<usize>,
    taken: Vec<bool>,
    /// All before it are taken or need not be.
    low: usize,
    left: usize,
    state: FxHashMap<u32, i64>,
    print: u64,
    met: FxHashSet<u64>,
    /// How many can be remembered.
    most: usize,
}

/// Whether such an order is found within a share of the steps, and so many bytes.
pub(super) fn explains(history: &Transactions, steps: &mut u64, bytes: u64) -> bool {
    let number = |one: &usize| &history.transactions[*one];
    let mut all: Vec<usize> = (0..history.transactions.len()).collect();
    all.retain(|one| number(one).completion != Completion::Aborted);
    all.sort_by_key(|one| number(one).invoked);
    let left = all.iter().filter(|one| number(one).completion == Completion::Committed).count();
    let taken = vec![false; history.transactions.len()];
    let (state, met) = (FxHashMap::default(), FxHashSet::default());
    let mut share = *steps / SHARE;
    *steps -= share;
    let most = ((bytes / BYTES) as usize).saturating_sub(all.len());
    let found = Search { history, all, taken, low: 0, left, state, print: 0, met, most }.run(&mut share);
    *steps += share;
    found
}

impl Search<'_> {
    fn run(&mut self, steps: &mut u64) -> bool {
        let mut path: Vec<Taken> = Vec::new();
        let mut open = self.possible();
        while self.left > 0 {
            *steps = steps.saturating_sub(1 + open.len() as u64);
            if *steps == 0 || self.met.len() > self.most {
                return false;
            }
            match open.pop() {
                Some(number) => {
                    let Some(overwrote) = self.take(number) else { continue };
                    if self.met.insert(self.print) {
                        path.push(Taken { number, overwrote, others: std::mem::take(&mut open) });
                        open = self.possible();
                    } else {
                        self.give_back(number, overwrote);
                    }
                }
                None => {
                    let Some(last) = path.pop() else { return false };
                    self.give_back(last.number, last.overwrote);
                    open = last.others;
                }
            }
        }
        true
    }

    /// Those that can be next, the one that was over first last: nobody who is left had returned before they began.
    fn possible(&mut self) -> Vec<usize> {
        let one = |number: usize| &self.history.transactions[number];
        let is_over = |number: usize| self.taken[number] && one(number).completion == Completion::Committed;
        while self.all.get(self.low).is_some_and(|number| is_over(*number)) {
            self.low += 1;
        }
        let (mut possible, mut first) = (Vec::new(), u64::MAX);
        for number in self.all[self.low..].iter().copied().filter(|number| !self.taken[*number]) {
            if one(number).invoked > first {
                break;
            }
            first = first.min(one(number).returned);
            possible.push(number);
        }
        let ended = |number: &usize| {
            (one(*number).completion == Completion::Committed, one(*number).returned, one(*number).invoked)
        };
        possible.sort_by_key(|number| {
            let (committed, returned, invoked) = ended(number);
            (committed, std::cmp::Reverse((returned, invoked)))
        });
        possible
    }

    /// Takes a transaction, if it saw what is there; what it overwrote.
    fn take(&mut self, number: usize) -> Option<Vec<(u32, Option<i64>)>> {
        let mut overwrote = Vec::new();
        for action in &self.history.transactions[number].actions {
            let now = self.state.get(&action.key).copied();
            match action.what {
                What::Write(value) => {
                    overwrote.push((action.key, self.state.insert(action.key, value)));
                    self.print ^= fingerprint(action.key, now) ^ fingerprint(action.key, Some(value));
                }
                What::Read(value) if value == now.unwrap_or(NIL) => {}
                // A list is not looked at: its values differ.
                What::Read(_) | What::List(_) | What::Append(_) => {
                    self.restore(overwrote);
                    return None;
                }
            }
        }
        self.mark(number, true);
        Some(overwrote)
    }

    fn give_back(&mut self, number: usize, overwrote: Vec<(u32, Option<i64>)>) {
        self.restore(overwrote);
        self.mark(number, false);
        let place = self.all.partition_point(|other| {
            self.history.transactions[*other].invoked < self.history.transactions[number].invoked
        });
        self.low = self.low.min(place);
    }

    fn mark(&mut self, number: usize, taken: bool) {
        self.taken[number] = taken;
        self.print ^= mix(1, number as u64);
        if self.history.transactions[number].completion == Completion::Committed {
            self.left = if taken { self.left - 1 } else { self.left + 1 };
        }
    }

    fn restore(&mut self, overwrote: Vec<(u32, Option<i64>)>) {
        for (key, value) in overwrote.into_iter().rev() {
            let now = self.state.get(&key).copied();
            self.print ^= fingerprint(key, now) ^ fingerprint(key, value);
            match value {
                Some(value) => self.state.insert(key, value),
                None => self.state.remove(&key),
            };
        }
    }
}

fn fingerprint(key: u32, value: Option<i64>) -> u64 {
    value.map_or(0, |value| mix(mix(2, u64::from(key)), value as u64))
}
