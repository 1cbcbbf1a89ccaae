//! What a member of a store does for those who wait for a lock: it keeps their calls until it is their turn, and wakes up when the time of
//! a holder is over whom somebody waits for. An operation costs O(1), however long the line is, but for two searches in trees: for who
//! waits, by number, mostly at either end, and for locks that are waited for.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::op::{LockName, Op, Outcome, Reason};
use crate::base::time::{ClockTime, Span};
use crate::components::mech::keyed::Keyed;
use crate::components::storage::front;
use crate::components::storage::front::Member;
use crate::components::storage::lock_table::{Aside, By, Clocks, LockTable};
use crate::components::storage::series::StoreSeries;
use crate::sim::context::Context;

/// Calls that wait; `W` is a member's word for one.
#[derive(Clone, Debug, Hash)]
pub struct LockWaiters<W> {
    /// By owner: their numbers grow, so that who came together stands together.
    waiting: BTreeMap<u64, W>,
    /// By which of the member's clocks and when to look after which lock, once for each: whoever comes too early looks again later.
    due: BTreeSet<(By, ClockTime, LockName)>,
    watched: Keyed<LockName, (By, ClockTime)>,
    /// By the member's monotonic clock: when a timer goes off.
    armed: Option<ClockTime>,
}

impl<W> Default for LockWaiters<W> {
    fn default() -> Self {
        LockWaiters { waiting: BTreeMap::new(), due: BTreeSet::new(), watched: Keyed::default(), armed: None }
    }
}

impl<W: Copy> LockWaiters<W> {
    /// An owner waits in line; his call from before, if he has asked before.
    pub fn wait(&mut self, owner: u64, word: W) -> Option<W> {
        self.waiting.insert(owner, word)
    }

    /// An owner has his turn, or has left: his call.
    pub fn leaves(&mut self, owner: u64) -> Option<W> {
        self.waiting.remove(&owner)
    }

    /// Looks after a lock when the time of its holder is over, if somebody waits for it.
    pub fn watch(&mut self, name: LockName, table: &LockTable) {
        let Some(until) = table.wanted_until(name) else { return };
        match self.watched.get_mut(&name) {
            Some(at) if at.0 == until.0 && at.1 <= until.1 => return,
            Some(at) => {
                let (by, before) = std::mem::replace(at, until);
                self.due.remove(&(by, before, name));
            }
            None => _ = self.watched.insert(name, until),
        }
        self.due.insert((until.0, until.1, name));
    }

    /// Looks after all locks that somebody waits for.
    pub fn watch_all(&mut self, table: &LockTable) {
        self.due.clear();
        self.watched.clear();
        table.wanted().for_each(|name| self.watch(name, table));
    }

    /// The next lock whose holder's time may be over.
    pub fn due(&mut self, clocks: Clocks) -> Option<LockName> {
        let over = self.firsts().find(|(by, at, _)| *at <= clocks.by(*by))?;
        self.due.remove(&over);
        self.watched.remove(&over.2);
        Some(over.2)
    }

    /// The first by each clock.
    fn firsts(&self) -> impl Iterator<Item = (By, ClockTime, LockName)> {
        let by = |by| {
            self.due.range((by, ClockTime::ZERO, LockName::default())..).next().filter(move |due| due.0 == by)
        };
        [By::Monotonic, By::Wall].into_iter().filter_map(by).copied()
    }

    /// Everybody who waits, in order of owner, who will not be served here.
    pub fn sends_away(&mut self) -> Vec<W> {
        self.due.clear();
        self.watched.clear();
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// How long until a timer is to go off that is not set yet.
    pub fn arm(&mut self, clocks: Clocks) -> Option<Span> {
        let wait = self.firsts().map(|(by, at, _)| at.since(clocks.by(by))).min()?;
        let clock = clocks.monotonic;
        if self.armed.is_some_and(|armed| armed <= clock + wait && armed > clock) {
            return None;
        }
        self.armed = Some(clock + wait);
        Some(wait)
    }
}

/// Counts what an operation has done.
pub fn count<M: Member>(op: &Op, outcome: Outcome, aside: Aside, ctx: &mut Context<M>) {
    if aside.expired {
        front::count(ctx, StoreSeries::Lapsed);
    }
    if let (Op::Release { owner, .. }, Some(of)) = (op, aside.foreign) {
        ctx.record().history.holds.deleted(*owner, of);
        front::count(ctx, StoreSeries::ForeignReleases);
    }
    match (op, outcome) {
        (Op::Acquire { .. }, Outcome::Ok(_)) => front::count(ctx, StoreSeries::Locks),
        (Op::Acquire { .. }, Outcome::Fail(Reason::Held)) => front::count(ctx, StoreSeries::Held),
        (_, Outcome::Fail(Reason::Fenced)) => front::count(ctx, StoreSeries::Fenced),
        _ => {}
    }
}
