//! What a member of a store does for those who wait for a lock: it keeps their calls until it is their turn, and wakes up when the time of
//! a holder is over whom somebody waits for. An operation costs O(1), however long the line is, but for two searches in trees: for who
//! waits, by number, mostly at either end, and for locks that are waited for.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::op::{LockName, Op, Outcome, Reason};
use crate::base::time::{Span, Time};
use crate::components::keyed::Keyed;
use crate::components::locks::table::{Aside, LockTable};
use crate::components::store::Series;
use crate::components::store::front::{self, Member};
use crate::sim::context::Context;

/// Calls that wait; `W` is a member's word for one.
#[derive(Clone, Debug, Hash)]
pub struct Desk<W> {
    /// By owner: their numbers grow, so that who came together stands together.
    waiting: BTreeMap<u64, W>,
    /// By the member's clock: when to look after which lock, once for each: whoever comes too early looks again later.
    due: BTreeSet<(Time, LockName)>,
    watched: Keyed<LockName, Time>,
    /// In true time: when a timer goes off.
    armed: Option<Time>,
}

impl<W> Default for Desk<W> {
    fn default() -> Self {
        Desk { waiting: BTreeMap::new(), due: BTreeSet::new(), watched: Keyed::default(), armed: None }
    }
}

impl<W: Copy> Desk<W> {
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
            Some(at) if *at <= until => return,
            Some(at) => _ = self.due.remove(&(std::mem::replace(at, until), name)),
            None => _ = self.watched.insert(name, until),
        }
        self.due.insert((until, name));
    }

    /// Looks after all locks that somebody waits for.
    pub fn watch_all(&mut self, table: &LockTable) {
        self.due.clear();
        self.watched.clear();
        table.wanted().for_each(|name| self.watch(name, table));
    }

    /// The next lock whose holder's time may be over.
    pub fn due(&mut self, clock: Time) -> Option<LockName> {
        let (at, name) = self.due.first().copied().filter(|(at, _)| *at <= clock)?;
        self.due.remove(&(at, name));
        self.watched.remove(&name);
        Some(name)
    }

    /// Everybody who waits, in order of owner, who will not be served here.
    pub fn sends_away(&mut self) -> Vec<W> {
        self.due.clear();
        self.watched.clear();
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// How long until a timer is to go off that is not set yet.
    pub fn arm(&mut self, clock: Time, now: Time) -> Option<Span> {
        let (at, _) = self.due.first()?;
        let wait = at.since(clock);
        if self.armed.is_some_and(|armed| armed <= now + wait && armed > now) {
            return None;
        }
        self.armed = Some(now + wait);
        Some(wait)
    }
}

/// Counts what an operation has done.
pub fn count<M: Member>(op: &Op, outcome: Outcome, aside: Aside, ctx: &mut Context<M>) {
    if aside.expired {
        front::count(ctx, Series::Lapsed);
    }
    if let (Op::Release { owner, .. }, Some(of)) = (op, aside.foreign) {
        ctx.record().history.holds.deleted(*owner, of);
        front::count(ctx, Series::ForeignReleases);
    }
    match (op, outcome) {
        (Op::Acquire { .. }, Outcome::Ok(_)) => front::count(ctx, Series::Locks),
        (Op::Acquire { .. }, Outcome::Fail(Reason::Held)) => front::count(ctx, Series::Held),
        (_, Outcome::Fail(Reason::Fenced)) => front::count(ctx, Series::Fenced),
        _ => {}
    }
}
