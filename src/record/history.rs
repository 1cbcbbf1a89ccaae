//! What clients asked of stores and what they were told, one row for each attempt; and what each copy took in, one row for
//! each version. It judges nothing: [`crate::measures`] does, with the checkers.
//!
//! A row is opened when an operation is sent and completed when its answer is there. One that is never completed is pending: it
//! may have happened. What a process remembers of its rows is nothing: they are found by the call, so that recording changes no
//! state of the world.

mod reading;
mod within;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::base::ids::{CallId, OpId, Pid, ProbeId, ProgramId, TierId};
use crate::base::op::{Op, Outcome, Reason, Value};
use crate::base::time::Time;
use crate::record::holds::Holds;
use crate::record::transactions::Transactions;

/// Moments that are handed on at once where a history is streamed.
pub const CHUNK: usize = 1 << 14;

/// In the place of a copy: none holds the version yet, and this only says where it comes from.
pub const NO_COPY: u32 = u32::MAX;
/// No row.
const NONE: u32 = u32::MAX;

/// A row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowName {
    /// The store: the tier of its copies.
    pub store: TierId,
    /// The table.
    pub table: u16,
    /// The key.
    pub key: i64,
}

/// A row of a table, numbered in the order in which they were first heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub u32);

/// What of a run is to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryPlan {
    /// Tables whose operations are.
    pub operations: Vec<(TierId, u16)>,
    /// Tables of whose operations those that write are.
    pub writes: Vec<(TierId, u16)>,
    /// Tables of which it is kept what each copy takes in.
    pub versions: Vec<(TierId, u16)>,
    /// Programs whose calls by workloads are.
    pub calls: Vec<ProbeId>,
    /// Who wanted locks and had them.
    pub locks: bool,
    /// Everything, whatever else is said.
    pub all: bool,
    /// Operations are handed on as they happen ([`History::take_moments`]) and not kept.
    pub streams: bool,
}

/// One attempt of an operation on a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// What was asked.
    pub op: Op,
    /// The row that it is about.
    pub row: RowId,
    /// The program that asked.
    pub program: ProgramId,
    /// The process that ran it.
    pub by: Pid,
    /// The customer on whose behalf; 0: nobody's.
    pub session: u64,
    /// Which of the lines that do something for the customer at the same time.
    pub branch: u32,
    /// The customer's request of which it is a step, as [`Call::origin`]; 0: none.
    pub origin: u64,
    /// The transaction that it is part of, as its client calls it; 0: none.
    pub transaction: u64,
    /// The version of what it writes, if it writes.
    pub attempt: OpId,
    /// When it was sent.
    pub invoked: Time,
    /// When its answer was there; [`Time::NEVER`]: it is pending.
    pub returned: Time,
    /// How many operations had been sent by then, this one included.
    pub followed: u32,
    /// What it was told; unknown while it is pending.
    pub outcome: Outcome,
    /// The version that its write was derived from, once some copy has taken it in: what the simulation knows of it even if
    /// nobody was told.
    pub found: Option<OpId>,
}

impl Step {
    /// Whether what it wrote depends on nothing that was there: it is a write, or a change of what its transaction had written outright.
    pub fn is_outright(&self) -> bool {
        let of_itself = |parent: OpId| parent == self.attempt;
        matches!(self.op, Op::Write { .. })
            || self.outcome.value().is_some_and(|value| of_itself(value.parent))
            || self.found.is_some_and(of_itself)
    }

    /// Whether it may change its row.
    pub fn writes(&self) -> bool {
        !matches!(self.op, Op::Read { .. } | Op::ReadForUpdate { .. })
    }
}

/// A customer's request: the program call of which operations are steps, all its attempts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Its number, the same for all attempts.
    pub origin: u64,
    /// The program.
    pub probe: ProbeId,
    /// The customer.
    pub session: u64,
    /// When it was meant to be sent.
    pub invoked: Time,
    /// When it ended; [`Time::NEVER`]: it has not.
    pub returned: Time,
    /// How it ended; unknown while it has not.
    pub outcome: Outcome,
}

/// A copy took a version in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Taken {
    /// When.
    pub at: Time,
    /// Of which row.
    pub row: RowId,
    /// Which copy, or [`NO_COPY`].
    pub copy: u32,
    /// What it holds now: the version, and the one that it was derived from.
    pub value: Value,
    /// What it held before, or what came too late and was dropped in favour of what it holds.
    pub over: OpId,
    /// What else went into it: the other side of a merge, the attempt behind an addition.
    pub also: OpId,
}

/// Where a store has a version among those of its row: the greater is the later one, whenever it came. Of last writes it is their stamp, in
/// a log the term and the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// What the coordinator's clock showed, or the term.
    pub epoch: u64,
    /// What tells two of one epoch apart, or the index.
    pub number: u64,
}

/// An operation begins or ends, where a history is streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HistoryEvent {
    /// The operation, as it is then.
    pub step: Step,
    /// The row.
    pub row: RowName,
    /// When.
    pub at: Time,
    /// Whether it ends.
    pub ends: bool,
}

/// Which tables of which stores.
#[derive(Clone, Debug, Default)]
struct Wanted {
    all: bool,
    tables: Vec<Vec<bool>>,
}

impl Wanted {
    fn new(all: bool, tables: &[(TierId, u16)]) -> Wanted {
        let mut wanted = Wanted { all, tables: Vec::new() };
        for (store, table) in tables {
            let (store, table) = (store.0 as usize, *table as usize);
            if wanted.tables.len() <= store {
                wanted.tables.resize(store + 1, Vec::new());
            }
            if wanted.tables[store].len() <= table {
                wanted.tables[store].resize(table + 1, false);
            }
            wanted.tables[store][table] = true;
        }
        wanted
    }

    #[inline]
    fn has(&self, store: TierId, table: u16) -> bool {
        let tables = self.tables.get(store.0 as usize);
        self.all || tables.and_then(|tables| tables.get(table as usize)).is_some_and(|has| *has)
    }
}

/// What was kept.
#[derive(Clone, Debug, Default)]
pub struct History {
    wants_operations: Wanted,
    wants_writes: Wanted,
    wants_versions: Wanted,
    calls_wanted: Vec<bool>,
    all: bool,
    streams: bool,
    numbers: FxHashMap<RowName, u32>,
    rows: Vec<RowName>,
    steps: Vec<Step>,
    /// By slot of the call: its generation, and its step.
    open: Vec<(u32, u32)>,
    /// Steps of which nobody knows what became of them, by attempt.
    unknown: BTreeMap<OpId, u32>,
    /// Places of `steps` that may be used again, where a history is streamed.
    free: Vec<u32>,
    moments: Vec<HistoryEvent>,
    calls: Vec<Call>,
    by_origin: FxHashMap<u64, u32>,
    transactions: Transactions,
    taken: Vec<Taken>,
    /// Where stores have versions, by version.
    places: FxHashMap<OpId, Place>,
    /// Who wanted locks and had them.
    pub holds: Holds,
}

/// The identity of the attempt that is a call: what it writes has it as its version.
pub const fn attempt(call: CallId) -> OpId {
    OpId((((call.generation as u64) << 32) | call.slot as u64) + 1)
}

/// The slot and generation of the call behind an attempt.
const fn slot(attempt: OpId) -> (usize, u32) {
    let word = attempt.0.wrapping_sub(1);
    (word as u32 as usize, (word >> 32) as u32)
}

/// What an operation is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To which store.
    pub store: TierId,
    /// What is asked.
    pub op: Op,
    /// The program that asks.
    pub program: ProgramId,
    /// The process that runs it.
    pub by: Pid,
    /// The customer.
    pub session: u64,
    /// Which of the customer's lines.
    pub branch: u32,
    /// The customer's request.
    pub origin: u64,
    /// The transaction that it is part of; 0: none.
    pub transaction: u64,
}

impl History {
    /// Keeps what the plan says.
    pub fn new(plan: &HistoryPlan) -> History {
        let mut calls_wanted = Vec::new();
        for probe in &plan.calls {
            if calls_wanted.len() <= probe.index() {
                calls_wanted.resize(probe.index() + 1, false);
            }
            calls_wanted[probe.index()] = true;
        }
        History {
            wants_operations: Wanted::new(plan.all || plan.streams, &plan.operations),
            wants_writes: Wanted::new(false, &plan.writes),
            wants_versions: Wanted::new(plan.all, &plan.versions),
            calls_wanted,
            all: plan.all,
            streams: plan.streams,
            holds: Holds::new(plan.all || plan.locks),
            ..History::default()
        }
    }

    /// Makes room for so many operations and versions in all: growing while they come would copy them again and again.
    pub fn reserve(&mut self, steps: usize, taken: usize) {
        self.steps.reserve(steps.saturating_sub(self.steps.len()));
        self.taken.reserve(taken.saturating_sub(self.taken.len()));
    }

    /// Whether an operation on a store is kept.
    #[inline]
    pub fn wants_operation(&self, store: TierId, op: &Op) -> bool {
        op.row().is_some_and(|(table, _)| match op {
            Op::Read { .. } | Op::ReadForUpdate { .. } => self.wants_operations.has(store, table),
            _ => self.wants_writes_of(store, table),
        })
    }

    /// Whether operations that write a table are kept.
    #[inline]
    fn wants_writes_of(&self, store: TierId, table: u16) -> bool {
        self.wants_operations.has(store, table) || self.wants_writes.has(store, table)
    }

    /// An operation that is wanted is sent by this call.
    pub fn sent(&mut self, call: CallId, now: Time, sent: Sent) {
        let Some((table, key)) = sent.op.row() else { return };
        let name = RowName { store: sent.store, table, key };
        let step = Step {
            op: sent.op,
            row: self.row(name),
            program: sent.program,
            by: sent.by,
            session: sent.session,
            branch: sent.branch,
            origin: sent.origin,
            transaction: sent.transaction,
            attempt: attempt(call),
            invoked: now,
            returned: Time::NEVER,
            followed: u32::MAX,
            outcome: Outcome::Unknown(Reason::Timeout),
            found: None,
        };
        if self.streams {
            self.tell(step, now, false);
        }
        let place = match self.free.pop() {
            Some(place) => {
                self.steps[place as usize] = step;
                place
            }
            None => {
                self.steps.push(step);
                self.steps.len() as u32 - 1
            }
        };
        let slot = call.slot as usize;
        if self.open.len() <= slot {
            self.open.resize(slot + 1, (0, NONE));
        }
        let before = std::mem::replace(&mut self.open[slot], (call.generation, place));
        if before.1 != NONE {
            self.gave_up(before.1, now); // whoever sent it has crashed
        }
    }

    /// The answer to a call has come, or the word that none will.
    #[inline]
    pub fn returned(&mut self, call: CallId, now: Time, outcome: Outcome) {
        if let Some((generation, place)) = self.open.get_mut(call.slot as usize)
            && *generation == call.generation
            && *place != NONE
        {
            let place = std::mem::replace(place, NONE);
            let step = &self.steps[place as usize];
            match (step.transaction, outcome.value()) {
                (0, _) | (_, None) => self.close(place, now, outcome),
                (transaction, Some(value)) => self.carried_out(transaction, place, now, outcome, value),
            }
        }
    }

    fn close(&mut self, place: u32, now: Time, outcome: Outcome) {
        let followed = self.steps.len() as u32;
        let step = &mut self.steps[place as usize];
        step.outcome = outcome;
        if matches!(outcome, Outcome::Unknown(_)) {
            return self.gave_up(place, now);
        }
        (step.returned, step.followed) = (now, followed);
        if self.streams {
            let step = *step;
            self.tell(step, now, true);
            self.free.push(place);
        }
    }

    /// Adds to what is handed on.
    fn tell(&mut self, step: Step, at: Time, ends: bool) {
        let row = self.rows[step.row.0 as usize];
        self.moments.push(HistoryEvent { step, row, at, ends });
    }

    /// Nobody waits for a step any more, and what became of it is unknown.
    fn gave_up(&mut self, place: u32, now: Time) {
        let step = self.steps[place as usize];
        if step.writes() {
            self.unknown.insert(step.attempt, place);
        } else if self.streams {
            self.tell(step, now, true);
            self.free.push(place); // a read of which nothing is known says nothing
        }
    }

    /// Whether anything is kept of a table.
    #[inline]
    pub fn wants(&self, store: TierId, table: u16) -> bool {
        self.wants_writes_of(store, table) || self.wants_versions.has(store, table)
    }

    /// A copy of a store has taken a version in (see [`Taken`]; its `row` is filled in here): where a write takes effect, whoever
    /// is told.
    pub fn took(&mut self, name: RowName, taken: Taken) {
        let (writes, versions) =
            (self.wants_writes_of(name.store, name.table), self.wants_versions.has(name.store, name.table));
        if !writes && !versions {
            return;
        }
        if writes && taken.copy != NO_COPY {
            self.had_effect(taken.value.version, taken.value.parent);
            if taken.also != OpId(0) {
                self.had_effect(taken.also, taken.value.parent);
            }
        }
        if versions {
            let row = self.row(name);
            self.taken.push(Taken { row, ..taken });
        }
    }

    fn had_effect(&mut self, version: OpId, parent: OpId) {
        let (slot, generation) = slot(version);
        let open = self.open.get(slot).filter(|open| open.0 == generation && open.1 != NONE);
        let place = open.map(|open| open.1).or_else(|| self.unknown.get(&version).copied());
        if let Some(place) = place.filter(|place| self.steps[*place as usize].attempt == version) {
            let made_of = self.found_by(self.steps[place as usize].transaction, version, parent);
            self.steps[place as usize].found.get_or_insert(made_of);
        }
    }

    /// A store has a version in this place, or after all that it has had so far. The first word counts.
    pub fn placed(&mut self, store: TierId, table: u16, version: OpId, place: Option<Place>) {
        if self.wants_operations.has(store, table) && !self.streams {
            let last = Place { epoch: 0, number: self.places.len() as u64 };
            self.places.entry(version).or_insert(place.unwrap_or(last));
        }
    }

    /// Whether the calls of a program are kept.
    #[inline]
    pub fn wants_call(&self, probe: ProbeId) -> bool {
        self.all || self.calls_wanted.get(probe.index()).is_some_and(|wanted| *wanted)
    }

    /// A customer's request begins.
    #[inline]
    pub fn asked(&mut self, probe: ProbeId, origin: u64, session: u64, invoked: Time) {
        if self.wants_call(probe) {
            self.by_origin.insert(origin, self.calls.len() as u32);
            let (returned, outcome) = (Time::NEVER, Outcome::Unknown(Reason::Timeout));
            self.calls.push(Call { origin, probe, session, invoked, returned, outcome });
        }
    }

    /// A customer's request has ended.
    #[inline]
    pub fn answered(&mut self, probe: ProbeId, origin: u64, now: Time, outcome: Outcome) {
        if self.wants_call(probe)
            && let Some(place) = self.by_origin.get(&origin)
        {
            let call = &mut self.calls[*place as usize];
            (call.returned, call.outcome) = (now, outcome);
        }
    }

    fn row(&mut self, name: RowName) -> RowId {
        let rows = &mut self.rows;
        RowId(*self.numbers.entry(name).or_insert_with(|| {
            rows.push(name);
            rows.len() as u32 - 1
        }))
    }
}
