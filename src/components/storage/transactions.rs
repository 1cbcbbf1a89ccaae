//! Transactions on the rows of one member: what each sees, whom it waits for, whether it may commit. It knows no time but for how long
//! somebody waits, no disk, no client and no copies; who asks stands behind a word `W` that is given back.
//!
//! Numbered rules:
//! 1. What a transaction writes is its own until it commits; then all of it is there at once. Who writes a row holds its lock until the end,
//!    and so does who reads it `for update`; others who want the lock wait in line.
//! 2. `read_uncommitted` reads see what is being written. `read_committed` reads see what was committed last.
//! 3. `snapshot` reads see what was committed when the transaction began, whatever comes later (multi-version; H. Berenson et al., "A
//!    critique of ANSI SQL isolation levels", 1995). Who comes to write a row, or to read it `for update`, that somebody else has
//!    changed since then is aborted: the first committer wins.
//! 4. `serializable` is `snapshot` and aborts whoever may be the middle of a dangerous structure: it read what somebody
//!    overwrote and somebody read what it overwrites (M. Cahill, U. Röhm, A. Fekete, "Serializable isolation for snapshot databases",
//!    SIGMOD 2008; PostgreSQL does so, Ports and Grittner, VLDB 2012). Some are aborted in vain; nobody waits for a reader.
//! 5. A cycle of transactions that wait for each other is found when it closes, or when one of them has waited for so long; one of them
//!    is aborted ([`deadlocks`]).
//! 6. A transaction that is aborted has had no effect. Whoever has it aborted, or who has waited for too long, is told why. A wait that was
//!    too long undoes the transaction, or only the operation that waited.
//!
//! `endings` is how they commit, abort and lapse · [`locks`] has the rows' locks, [`deadlocks`] the cycles · [`versions`] what snapshots still see · [`conflicts`] who read what others overwrote
//! · [`host`] is what a member does with it, [`parameters`] what a design says of it.

pub mod conflicts;
pub mod deadlocks;
mod endings;
pub mod host;
pub mod locks;
pub mod parameters;
mod readers;
mod row_locks;
#[cfg(test)]
mod tests;
pub mod versions;
pub mod waiting;

use std::collections::{BTreeSet, VecDeque};

use crate::base::ids::OpId;
use crate::base::op::{Op, Outcome, Reason, Value};
use crate::base::slab::{Key, Slab};
use crate::base::time::{ClockTime, Time};
use crate::components::mech::keyed::Keyed;
use crate::components::mech::mutant::Mutant;
use crate::components::storage::rows::{RowName, apply};
use crate::components::storage::transactions::readers::Readers;
use crate::components::storage::transactions::row_locks::RowLocks;
use crate::components::storage::transactions::versions::Versions;
use crate::components::storage::transactions::waiting::Waiting;

/// How well transactions are kept apart, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isolation {
    /// Reads see what is being written.
    ReadUncommitted,
    /// Reads see what is committed.
    ReadCommitted,
    /// Reads see one instant; the first committer of a row wins.
    Snapshot,
    /// As if one after the other.
    Serializable,
}

impl Isolation {
    /// All, with their names.
    pub const ALL: [(&str, Isolation); 4] = [
        ("read_uncommitted", Isolation::ReadUncommitted),
        ("read_committed", Isolation::ReadCommitted),
        ("snapshot", Isolation::Snapshot),
        ("serializable", Isolation::Serializable),
    ];

    /// Whether a transaction sees one instant.
    fn is_of_one_instant(self) -> bool {
        self >= Isolation::Snapshot
    }
}

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// It may do more.
    Active,
    /// It will commit unless the member falls.
    Committing,
    /// It has committed, as the so-and-so-manieth; it is kept for those who were there with it.
    Committed(u64),
}

/// A transaction.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Transaction<W> {
    /// Its client's name for it; 0: it is a single operation.
    name: u64,
    /// In which order they began.
    age: u64,
    /// How many had committed when it began.
    pub snapshot: u64,
    pub stage: Stage,
    waits: Option<Wait<W>>,
    locks: Vec<RowName>,
    pub writes: Vec<(RowName, Value)>,
    pub reads: BTreeSet<RowName>,
    /// Somebody who was there with it read what it overwrites.
    pub incoming: bool,
    /// It read what somebody who was there with it overwrites.
    pub outgoing: bool,
    /// When its client was last heard of, and when that was last looked at.
    heard: ClockTime,
    looked: ClockTime,
}

impl<W> Transaction<W> {
    /// Whether it is a single operation and not somebody's `tx`.
    pub fn is_single(&self) -> bool {
        self.name == 0
    }

    /// Its own value of a row.
    pub fn own(&self, row: RowName) -> Option<Value> {
        self.writes.iter().find(|(own, _)| *own == row).map(|(_, value)| *value)
    }
}

/// Who waits for a lock.
#[derive(Clone, Copy, Debug, Hash)]
struct Wait<W> {
    row: RowName,
    /// Which wait this is.
    ticket: u64,
    since: Time,
    word: W,
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is done; after a failure that [`is_abort`] its transaction is over.
    Done(Outcome),
    /// It waits for a lock; an [`Event`] will tell.
    Waits,
}

/// Something that happened because of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event<W> {
    /// Who waited has its lock now and is to be asked for again: the transaction, since when it waited.
    Granted(Key, W, Time),
    /// Who waited will not have its lock, and its transaction is over: why, since when it waited.
    Failed(Reason, W, Time),
    /// Who waited has waited for too long, and its transaction goes on without that operation: since when it waited.
    InVain(W, Time),
    /// The `tx` of that name is over.
    Over(End, u64),
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// It has committed.
    Committed,
    /// Its client wanted it to be aborted, or is gone.
    Asked,
    /// It was aborted by us: [`is_abort`].
    Aborted(Reason),
}

/// Whether a reason says that a transaction was aborted by the store.
pub fn is_abort(reason: Reason) -> bool {
    matches!(reason, Reason::Conflict | Reason::Deadlock | Reason::LockTimeout)
}

/// Whether a failure of one of its steps says that the store knows nothing of a transaction any more.
pub fn is_over(reason: Reason) -> bool {
    is_abort(reason) || matches!(reason, Reason::Reset | Reason::NoLeader)
}

/// All transactions of a member.
#[derive(Clone, Debug, Hash)]
pub struct Transactions<W> {
    isolation: Isolation,
    rules: Waiting,
    mutant: Mutant,
    all: Slab<Transaction<W>>,
    names: Keyed<u64, Key>,
    locks: RowLocks,
    versions: Versions,
    readers: Readers,
    begun: u64,
    tickets: u64,
    /// Who waits for a lock, in the order in which they began to.
    waiting: VecDeque<(ClockTime, Key, u64)>,
    /// The same, of those who have not looked yet whether they are in a cycle.
    looks: VecDeque<(ClockTime, Key, u64)>,
    /// Whose clients are to be looked after next, by when they were last.
    idle: BTreeSet<(ClockTime, Key)>,
    events: VecDeque<Event<W>>,
}

impl<W: Copy> Transactions<W> {
    /// None yet.
    pub fn new(isolation: Isolation, rules: Waiting, mutant: Mutant) -> Self {
        Transactions {
            isolation,
            rules,
            mutant,
            all: Slab::default(),
            names: Keyed::default(),
            locks: RowLocks::default(),
            versions: Versions::default(),
            readers: Readers::default(),
            begun: 0,
            tickets: 0,
            waiting: VecDeque::new(),
            looks: VecDeque::new(),
            idle: BTreeSet::new(),
            events: VecDeque::new(),
        }
    }

    /// The transaction of that name, while it is not over.
    pub fn find(&self, name: u64) -> Option<Key> {
        self.names.get(&name).copied()
    }

    /// Begins a transaction. `name` is not 0 and nobody else's.
    pub fn begin(&mut self, name: u64, clock: ClockTime) -> Key {
        let key = self.enter(name, clock);
        self.names.insert(name, key);
        self.idle.insert((clock, key));
        key
    }

    /// Begins a transaction of a single operation: it is asked for by its key, and committed or ended by whoever asked.
    pub fn single(&mut self, clock: ClockTime) -> Key {
        self.enter(0, clock)
    }

    /// Whether a transaction is of a single operation.
    pub fn is_single(&self, key: Key) -> bool {
        self.all.get(key).is_some_and(Transaction::is_single)
    }

    fn enter(&mut self, name: u64, shows: ClockTime) -> Key {
        self.begun += 1;
        let snapshot = self.versions.clock();
        if self.isolation.is_of_one_instant() && name != 0 {
            self.versions.hold(snapshot);
        }
        self.all.insert(Transaction {
            name,
            age: self.begun,
            snapshot,
            stage: Stage::Active,
            waits: None,
            locks: Vec::new(),
            writes: Vec::new(),
            reads: BTreeSet::new(),
            incoming: false,
            outgoing: false,
            heard: shows,
            looked: shows,
        })
    }

    /// What a single read sees.
    pub fn peek(&self, row: RowName, committed: Value) -> Value {
        if self.isolation == Isolation::ReadUncommitted {
            self.dirty(row).unwrap_or(committed)
        } else {
            committed
        }
    }

    /// What whoever holds the lock of a row has written to it.
    fn dirty(&self, row: RowName) -> Option<Value> {
        self.all.get(self.locks.holder(row)?).and_then(|holder| holder.own(row))
    }

    /// One operation of a transaction that waits for nothing, and when it is asked for, in true time and by our clock; `version` is what it writes will be known by, `committed` the
    /// value of a row that was committed last.
    pub fn operate(
        &mut self,
        key: Key,
        op: &Op,
        version: OpId,
        (word, now, shows): (W, Time, ClockTime),
        committed: &impl Fn(RowName) -> Value,
    ) -> Step {
        let Some(row) = op.row() else { return Step::Done(Outcome::Fail(Reason::Error)) };
        let clock = self.versions.clock();
        let active = self.all.get_mut(key).filter(|one| one.stage == Stage::Active);
        let Some(transaction) = active else { return Step::Done(Outcome::Fail(Reason::Reset)) };
        transaction.heard = shows;
        if transaction.is_single() {
            transaction.snapshot = clock; // it sees what there is when its turn comes
        }
        let (snapshot, is_single) = (transaction.snapshot, transaction.is_single());
        if let Op::Read { .. } = op {
            return Step::Done(self.read(key, row, committed));
        }
        let of_one_instant = self.isolation.is_of_one_instant() && !is_single;
        if of_one_instant && !matches!(op, Op::ReadForUpdate { .. }) {
            // Whether its condition holds is seen as everything else is; only then is it a write.
            let value = self.visible(key, row, committed);
            if let (Outcome::Fail(reason), _) = apply(op, value, version) {
                return Step::Done(match self.read(key, row, committed) {
                    Outcome::Ok(_) => Outcome::Fail(reason),
                    aborted => aborted,
                });
            }
        }
        let held = self.locks.holder(row) == Some(key);
        if !held && !self.lock(key, row, (word, now, shows)) {
            return self.in_line(key, row, shows);
        }
        let first_wins = self.mutant != Mutant::LetsLastWin;
        if of_one_instant && first_wins && self.versions.changed_since(row, snapshot) {
            return Step::Done(self.abort_as(key, Reason::Conflict));
        }
        self.change(key, op, row, version, held, committed)
    }

    /// A change by who holds the lock.
    fn change(
        &mut self,
        key: Key,
        op: &Op,
        row: RowName,
        version: OpId,
        held: bool,
        committed: &impl Fn(RowName) -> Value,
    ) -> Step {
        let transaction = self.all.get(key).expect("it is active");
        let current = transaction.own(row).unwrap_or_else(|| committed(row));
        if let Op::ReadForUpdate { .. } = op {
            let seen = self.read(key, row, committed);
            return Step::Done(if seen.is_ok() { Outcome::Ok(current) } else { seen });
        }
        let (outcome, written) = apply(op, current, version);
        let Some(value) = written else {
            if !held {
                self.unlock_one(key, row); // nothing came of it
            }
            return Step::Done(outcome);
        };
        if self.isolation == Isolation::Serializable {
            let reads = !matches!(op, Op::Write { .. });
            if reads && !self.reads_as_serializable(key, row) || !self.overwrites(key, row) {
                return Step::Done(self.abort_as(key, Reason::Conflict));
            }
        }
        let writes = &mut self.all.get_mut(key).expect("it is active").writes;
        match writes.iter_mut().find(|(own, _)| *own == row) {
            // For others it is one change: what the first found, the last is made of, unless that is outright.
            Some((_, own)) if value.parent == own.version => *own = Value { parent: own.parent, ..value },
            Some((_, own)) => *own = value,
            None => writes.push((row, value)),
        }
        if self.mutant == Mutant::GivesLocksBack {
            self.unlock_one(key, row);
        }
        Step::Done(outcome)
    }

    /// What a transaction sees of a row.
    fn visible(&self, key: Key, row: RowName, committed: &impl Fn(RowName) -> Value) -> Value {
        let transaction = self.all.get(key).expect("it is active");
        if let Some(own) = transaction.own(row) {
            return own;
        }
        match self.isolation {
            Isolation::ReadUncommitted => self.dirty(row).unwrap_or_else(|| committed(row)),
            Isolation::ReadCommitted => committed(row),
            Isolation::Snapshot | Isolation::Serializable => {
                self.versions.at(row, transaction.snapshot).unwrap_or_else(|| committed(row))
            }
        }
    }

    fn read(&mut self, key: Key, row: RowName, committed: &impl Fn(RowName) -> Value) -> Outcome {
        let seen = self.visible(key, row, committed);
        if self.isolation == Isolation::Serializable && !self.reads_as_serializable(key, row) {
            return self.abort_as(key, Reason::Conflict);
        }
        Outcome::Ok(seen)
    }
}
