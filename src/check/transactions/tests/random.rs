//! Small random histories of stores of several kinds, most of them bad ones: what a transaction sees is made of the transactions that are
//! visible to it, in the order of their commits.

use crate::base::rng::{Bits, Draws, mix};
use crate::check::history::{NIL, PENDING};
use crate::check::transactions::{Action, Completion, Transaction, Transactions, What};

/// Names all random histories of the tests.
pub const SEED: u64 = 15_2026;

/// Whose writes a transaction sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// All, and it happens at one instant.
    Serial,
    /// Those that were committed when it began; a conflict aborts it.
    Snapshot,
    /// The same without conflicts.
    Stale,
    /// Those that are committed now.
    Committed,
    /// Those that its replica has.
    Replica,
    /// Some, each as a whole.
    Some,
    /// All, committed or not.
    Dirty,
}

const SIGHTS: [Sight; 7] = [
    Sight::Serial,
    Sight::Snapshot,
    Sight::Stale,
    Sight::Committed,
    Sight::Replica,
    Sight::Some,
    Sight::Dirty,
];

/// What a transaction of the store wrote, as far as it has come.
struct Written {
    writes: Vec<(u32, i64)>,
    /// When it was committed, or will be as far as others know.
    committed: Option<usize>,
    sees: Vec<usize>,
}

/// A client: its process, its replica, and what it is at.
struct Client {
    process: u64,
    replica: Vec<usize>,
    current: Option<usize>,
    left: u64,
}

struct Store {
    draws: Draws,
    sight: Sight,
    lists: bool,
    keys: u64,
    repeats: bool,
    history: Transactions,
    written: Vec<Written>,
    commits: usize,
    fresh: i64,
}

/// The `number`-th history.
pub fn history(number: u64) -> Transactions {
    let mut draws = Draws::new(mix(SEED, number));
    let sight = SIGHTS[draws.below(SIGHTS.len() as u64) as usize];
    let (lists, keys) = (draws.below(2) == 0, 1 + draws.below(3));
    let repeats = !lists && draws.below(3) == 0;
    let clients = 2 + draws.below(3);
    let most = if draws.below(4) == 0 { 12 } else { 7 };
    let mut store = Store {
        draws,
        sight,
        lists,
        keys,
        repeats,
        history: Transactions {
            keys: (0..keys).map(|key| format!("k{key}")).collect(),
            ..Transactions::default()
        },
        written: Vec::new(),
        commits: 0,
        fresh: 0,
    };
    let client = |process| Client { process, replica: Vec::new(), current: None, left: 0 };
    let mut all: Vec<Client> = (0..clients).map(client).collect();
    let mut time = 0;
    while store.written.len() < most || all.iter().any(|client| client.current.is_some()) {
        let who = store.draws.below(clients) as usize;
        time += 1;
        if all[who].current.is_some() || store.written.len() < most {
            store.step(&mut all[who], time);
        }
    }
    store.spoil();
    store.history
}

impl Store {
    fn step(&mut self, client: &mut Client, time: u64) {
        let Some(number) = client.current else { return self.begin(client, time) };
        if self.sight == Sight::Serial {
            while client.left > 0 {
                self.act(number, client);
            }
        }
        if client.left > 0 {
            return self.act(number, client);
        }
        client.current = None;
        self.end(number, client, time);
    }

    fn begin(&mut self, client: &mut Client, time: u64) {
        let number = self.written.len();
        (client.current, client.left) = (Some(number), 1 + self.draws.below(4));
        let committed: Vec<usize> =
            (0..number).filter(|one| self.written[*one].committed.is_some()).collect();
        let sees = match self.sight {
            Sight::Replica => {
                // What arrives brings along whatever it depends on.
                for one in &committed {
                    if self.draws.below(3) == 0 {
                        let with: Vec<usize> =
                            self.written[*one].sees.iter().copied().chain([*one]).collect();
                        client.replica.extend(with);
                    }
                }
                client.replica.clone()
            }
            Sight::Some => committed.into_iter().filter(|_| self.draws.below(2) == 0).collect(),
            _ => committed,
        };
        self.written.push(Written { writes: Vec::new(), committed: None, sees });
        let (process, place) = (client.process, number + 1);
        self.history.transactions.push(Transaction {
            process,
            place,
            invoked: time,
            returned: PENDING,
            completion: Completion::Unknown,
            actions: Vec::new(),
        });
    }

    /// One action.
    fn act(&mut self, number: usize, client: &mut Client) {
        client.left -= 1;
        let key = self.draws.below(self.keys) as u32;
        let what = if self.draws.below(2) == 0 {
            self.fresh += 1;
            let value = if self.repeats { 1 + self.draws.below(3) as i64 } else { self.fresh };
            self.written[number].writes.push((key, value));
            if self.lists { What::Append(value) } else { What::Write(value) }
        } else {
            let mut seen = self.seen(number, key);
            if self.lists {
                What::List(self.history.see(key, &seen))
            } else {
                What::Read(seen.pop().unwrap_or(NIL))
            }
        };
        self.history.transactions[number].actions.push(Action { key, what });
    }

    /// All values of a key that a transaction sees, the newest last.
    fn seen(&self, number: usize, key: u32) -> Vec<i64> {
        let now = |one: &usize| match self.sight {
            Sight::Committed | Sight::Serial => self.written[*one].committed.is_some(),
            Sight::Dirty => true,
            _ => self.written[number].sees.contains(one),
        };
        let mut visible: Vec<usize> =
            (0..self.written.len()).filter(|one| *one != number).filter(now).collect();
        visible.sort_by_key(|one| (self.written[*one].committed.unwrap_or(usize::MAX), *one));
        let all = visible.into_iter().chain([number]).flat_map(|one| &self.written[one].writes);
        all.filter(|(of, _)| *of == key).map(|(_, value)| *value).collect()
    }

    fn end(&mut self, number: usize, client: &mut Client, time: u64) {
        let sees = &self.written[number].sees;
        let keys = |one: usize| self.written[one].writes.iter().map(|(key, _)| *key);
        let conflicts = self.sight == Sight::Snapshot
            && (0..self.written.len()).any(|one| {
                let unseen = self.written[one].committed.is_some() && !sees.contains(&one) && one != number;
                unseen && keys(one).any(|key| keys(number).any(|own| own == key))
            });
        let completion = match self.draws.below(12) {
            _ if conflicts => Completion::Aborted,
            0 => Completion::Aborted,
            1 if self
                .history
                .transactions
                .iter()
                .filter(|one| one.completion == Completion::Unknown)
                .count()
                < 6 =>
            {
                Completion::Unknown
            }
            _ => Completion::Committed,
        };
        if completion == Completion::Committed
            || (completion == Completion::Unknown && self.draws.below(2) == 0)
        {
            self.written[number].committed = Some(self.commits);
            self.commits += 1;
            client.replica.push(number);
        }
        let transaction = &mut self.history.transactions[number];
        transaction.completion = completion;
        if completion == Completion::Committed {
            transaction.returned = time;
        } else {
            transaction.actions.retain(|action| matches!(action.what, What::Append(_) | What::Write(_)));
        }
        if completion == Completion::Unknown {
            client.process += 100; // somebody else's from now on
        }
    }

    /// Changes what a transaction saw, sometimes.
    fn spoil(&mut self) {
        if self.draws.below(3) > 0 {
            return;
        }
        let count = self.history.transactions.len() as u64;
        let number = self.draws.below(count) as usize;
        let writes: Vec<(u32, i64)> = self.written.iter().flat_map(|one| one.writes.clone()).collect();
        for at in 0..self.history.transactions[number].actions.len() {
            let action = self.history.transactions[number].actions[at];
            let values: Vec<i64> =
                writes.iter().filter(|(key, _)| *key == action.key).map(|(_, value)| *value).collect();
            let what = match action.what {
                What::Read(_) if self.draws.below(2) == 0 => {
                    let other = self.draws.below(values.len() as u64 + 1) as usize;
                    What::Read(values.get(other).copied().unwrap_or(NIL))
                }
                What::List(seen) if self.draws.below(2) == 0 => {
                    let mut elements = self.history.elements(seen).to_vec();
                    elements.truncate(self.draws.below(elements.len() as u64 + 1) as usize);
                    if !values.is_empty() && self.draws.below(3) == 0 {
                        elements.push(values[self.draws.below(values.len() as u64) as usize]);
                    }
                    What::List(self.history.see(action.key, &elements))
                }
                other => other,
            };
            self.history.transactions[number].actions[at].what = what;
        }
    }
}
