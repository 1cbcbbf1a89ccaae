//! Locks as a state machine: who holds which, until when, and who waits in line. It is part of what a store replicates
//! ([`crate::components::storage::rows::Tables`]) or of what a cache has in memory. It sees no clock: whoever puts an operation in order
//! says what its own clocks show.
//!
//! Numbered rules:
//! 1. A lock has one holder, until he gives it back or the clock reaches the end of his time. A lock whose time is over is free,
//!    whatever its holder believes.
//! 2. Whoever gets a lock gets a fencing token with it, larger than all that were given out before by this table.
//! 3. Who waits in line is served in the order of coming. A place in line under a lease is gone with its lease, as etcd deletes the key:
//!    it cannot be renewed, and whoever asks again stands at the end. A lease goes on when its owner's turn comes; `SET` begins anew.
//! 4. A holder gives back what is his own (compare-and-delete), unless he says not to compare: then the lock is deleted whoever has it.
//! 5. Leases end by the monotonic clock, which others do not share: whoever begins to put operations in order gives every lease its
//!    whole time once more (etcd, `lessor.Promote`). Keys that were set end by the wall clock, for which a time is the same everywhere
//!    (Redis, `EXPIRE`).
//!
//! `SET key owner EX ttl NX` is Redis' ("Distributed locks with Redis", redis.io); a line of waiters whose places are leases is
//! how etcd and ZooKeeper make locks; tokens are M. Kleppmann's ("How to do distributed locking", 2016).

use std::collections::{BTreeMap, VecDeque};

use crate::base::op::{How, LockName, Op, Outcome, Reason};
use crate::base::time::{ClockTime, Span};
use crate::components::mech::keyed::Keyed;
use crate::sim::context::Context;
use crate::sim::process::Process;

/// What the clocks of a node show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Clocks {
    /// Its monotonic clock.
    pub monotonic: ClockTime,
    /// Its wall clock.
    pub wall: ClockTime,
}

/// By which clock a lock ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// A lease.
    Monotonic,
    /// A key that was set.
    Wall,
}

impl Clocks {
    /// Those of the node on which a process runs.
    pub fn of<P: Process>(ctx: &Context<P>) -> Clocks {
        Clocks { monotonic: ctx.monotonic(), wall: ctx.wall() }
    }

    /// What one of them shows.
    pub fn by(self, by: By) -> ClockTime {
        match by {
            By::Monotonic => self.monotonic,
            By::Wall => self.wall,
        }
    }
}

impl From<How> for By {
    fn from(how: How) -> By {
        if how == How::Lease { By::Monotonic } else { By::Wall }
    }
}

/// A lock that somebody holds.
#[derive(Clone, Debug, Hash)]
struct Lock {
    owner: u64,
    token: u64,
    by: By,
    ttl: Span,
    until: ClockTime,
    /// Who wants it next, and his place; some have left.
    line: VecDeque<(u64, u64)>,
}

/// Somebody in line.
#[derive(Clone, Copy, Debug, Hash)]
struct Waiting {
    ttl: Span,
    by: By,
    /// Until when he has his place.
    until: ClockTime,
    place: u64,
}

/// Somebody who waited has the lock now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Granted {
    /// Which.
    pub name: LockName,
    /// Who.
    pub owner: u64,
    /// His fencing token.
    pub token: u64,
}

/// What else an operation has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// It has found that somebody's time was over.
    pub expired: bool,
    /// It has deleted the lock of somebody else: whose.
    pub foreign: Option<u64>,
}

/// Locks that are held, and who waits for them.
#[derive(Clone, Debug, Default, Hash)]
pub struct LockTable {
    held: Keyed<LockName, Lock>,
    /// By owner: their numbers grow, so that who came together stands together.
    waiting: BTreeMap<u64, Waiting>,
    /// The last token that was given out, and the last place in line.
    token: u64,
    place: u64,
    granted: VecDeque<Granted>,
    lapsed: VecDeque<u64>,
}

impl LockTable {
    /// Does an operation when the clocks show this.
    pub fn apply(&mut self, op: &Op, clocks: Clocks) -> (Outcome, Aside) {
        let Some(name) = op.lock() else { return (Outcome::Fail(Reason::Error), Aside::default()) };
        self.lapses(op, clocks);
        let expired = self.held.get(&name).is_some_and(|lock| lock.until <= clocks.by(lock.by));
        if expired {
            self.hand_on(name, clocks);
        }
        let mut foreign = None;
        let outcome = match *op {
            Op::Acquire { how, owner, ttl, .. } => self.acquire(name, how, owner, ttl, clocks),
            Op::Release { compares, owner, .. } => match self.held.get(&name).map(|lock| lock.owner) {
                Some(holder) if holder == owner || !compares && !self.waits(owner) => {
                    foreign = Some(holder).filter(|holder| *holder != owner);
                    self.hand_on(name, clocks);
                    Outcome::ok(1)
                }
                _ if self.waiting.remove(&owner).is_some() => Outcome::ok(0),
                _ => Outcome::Fail(Reason::NotHeld),
            },
            Op::Renew { owner, ttl, .. } => self.renew(name, owner, ttl, clocks),
            _ => Outcome::ok(0),
        };
        (outcome, Aside { expired, foreign })
    }

    /// Whoever asks for something has lost his place in line if his lease was over before.
    fn lapses(&mut self, op: &Op, clocks: Clocks) {
        let (Op::Acquire { owner, .. } | Op::Release { owner, .. } | Op::Renew { owner, .. }) = *op else {
            return;
        };
        if self.waiting.get(&owner).is_some_and(|waiting| waiting.until <= clocks.by(waiting.by)) {
            self.waiting.remove(&owner);
            if !matches!(op, Op::Acquire { .. }) {
                self.lapsed.push_back(owner); // who acquires is told by what comes of that
            }
        }
    }

    fn acquire(&mut self, name: LockName, how: How, owner: u64, ttl: Span, clocks: Clocks) -> Outcome {
        let by = By::from(how);
        let until = clocks.by(by) + ttl;
        let Some(lock) = self.held.get_mut(&name) else {
            let token = self.next_token();
            self.held.insert(name, Lock { owner, token, by, ttl, until, line: VecDeque::new() });
            return Outcome::ok(token as i64);
        };
        let until = match how {
            How::Try => return Outcome::Fail(Reason::Held), // NX: not even its holder sets it again
            How::Line => ClockTime::NEVER,
            How::Lease => until,
        };
        if lock.owner == owner {
            return Outcome::ok(lock.token as i64); // asked for again, since the first answer was lost
        }
        match self.waiting.get_mut(&owner) {
            Some(waiting) => waiting.until = waiting.until.max(until),
            None => {
                self.place += 1;
                self.waiting.insert(owner, Waiting { ttl, by, until, place: self.place });
                lock.line.push_back((owner, self.place));
            }
        }
        Outcome::Fail(Reason::Wait)
    }

    fn renew(&mut self, name: LockName, owner: u64, ttl: Span, clocks: Clocks) -> Outcome {
        if let Some(lock) = self.held.get_mut(&name).filter(|lock| lock.owner == owner) {
            lock.until = clocks.by(lock.by) + ttl;
        } else if let Some(waiting) = self.waiting.get_mut(&owner) {
            waiting.until = waiting.until.max(clocks.by(waiting.by) + ttl);
        } else {
            return Outcome::Fail(Reason::NotHeld);
        }
        Outcome::ok(1)
    }

    /// The holder has it no more: the next in line has it, if there is one.
    fn hand_on(&mut self, name: LockName, clocks: Clocks) {
        let Some(lock) = self.held.get_mut(&name) else { return };
        while let Some((owner, place)) = lock.line.pop_front() {
            if self.waiting.get(&owner).is_none_or(|waiting| waiting.place != place) {
                continue; // he has left, and perhaps come again
            }
            let Some(Waiting { ttl, by, until, .. }) = self.waiting.remove(&owner) else { continue };
            if until <= clocks.by(by) {
                self.lapsed.push_back(owner);
                continue;
            }
            self.token += 1;
            let until = if by == By::Monotonic { until } else { clocks.by(by) + ttl };
            (lock.owner, lock.token, lock.by, lock.ttl, lock.until) = (owner, self.token, by, ttl, until);
            self.granted.push_back(Granted { name, owner, token: self.token });
            return;
        }
        self.held.remove(&name);
    }

    /// Somebody else puts operations in order from now on, whose monotonic clock shows something else: every lease has its whole time
    /// once more.
    pub fn begins_anew(&mut self, clocks: Clocks) {
        for name in self.held.in_order().into_iter().map(|(name, _)| *name).collect::<Vec<_>>() {
            if let Some(lock) = self.held.get_mut(&name).filter(|lock| lock.by == By::Monotonic) {
                lock.until = clocks.monotonic + lock.ttl;
            }
        }
        for waiting in self.waiting.values_mut().filter(|waiting| waiting.by == By::Monotonic) {
            waiting.until = clocks.monotonic + waiting.ttl;
        }
    }

    fn next_token(&mut self) -> u64 {
        self.token += 1;
        self.token
    }

    fn waits(&self, owner: u64) -> bool {
        self.waiting.contains_key(&owner)
    }

    /// The next of those who waited and have their lock now.
    pub fn granted(&mut self) -> Option<Granted> {
        self.granted.pop_front()
    }

    /// The next of those who have lost their place in line.
    pub fn lapsed(&mut self) -> Option<u64> {
        self.lapsed.pop_front()
    }

    /// When the time of a lock's holder is over, and by which clock, if somebody waits for it.
    pub fn wanted_until(&self, name: LockName) -> Option<(By, ClockTime)> {
        self.held.get(&name).filter(|lock| !lock.line.is_empty()).map(|lock| (lock.by, lock.until))
    }

    /// All locks that somebody waits for, in order of name.
    pub fn wanted(&self) -> impl Iterator<Item = LockName> {
        let wanted = self.held.in_order().into_iter().filter(|(_, lock)| !lock.line.is_empty());
        wanted.map(|(name, _)| *name)
    }

    /// How many locks are held and how many wait for one.
    pub fn len(&self) -> usize {
        self.held.len() + self.waiting.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Forgets all, but gives no token out twice.
    pub fn clear(&mut self) {
        *self = LockTable { token: self.token, ..LockTable::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Span = Span::from_secs(3);

    fn at(seconds: u64) -> Clocks {
        let reading = ClockTime::ZERO + Span::from_secs(seconds);
        Clocks { monotonic: reading, wall: reading }
    }

    fn acquire(how: How, owner: u64) -> Op {
        Op::Acquire { lock: 0, how, key: 1, owner, ttl: TTL }
    }

    fn release(owner: u64, compares: bool) -> Op {
        Op::Release { lock: 0, compares, key: 1, owner }
    }

    fn said(table: &mut LockTable, op: Op, seconds: u64) -> Result<i64, Reason> {
        match table.apply(&op, at(seconds)).0 {
            Outcome::Ok(value) => Ok(value.n),
            Outcome::Fail(reason) => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_lock_has_one_holder_until_it_expires() {
        let mut table = LockTable::default();
        assert_eq!(said(&mut table, acquire(How::Try, 7), 0), Ok(1));
        assert_eq!(said(&mut table, acquire(How::Try, 7), 1), Err(Reason::Held), "NX");
        assert_eq!(said(&mut table, acquire(How::Try, 8), 2), Err(Reason::Held));
        let other = Op::Acquire { lock: 0, how: How::Try, key: 2, owner: 8, ttl: TTL };
        assert_eq!(said(&mut table, other, 2), Ok(2), "another key");
        assert_eq!(said(&mut table, acquire(How::Try, 8), 3), Ok(3), "expired");
        assert_eq!(said(&mut table, release(7, true), 3), Err(Reason::NotHeld), "compare-and-delete");
        assert_eq!(said(&mut table, Op::Renew { lock: 0, key: 1, owner: 8, ttl: TTL }, 5), Ok(1));
        assert_eq!(said(&mut table, acquire(How::Try, 9), 7), Err(Reason::Held), "renewed");
        assert_eq!(
            table.apply(&release(9, false), at(7)),
            (Outcome::ok(1), Aside { expired: false, foreign: Some(8) })
        );
        assert_eq!(said(&mut table, acquire(How::Try, 9), 7), Ok(4), "deleted by somebody else");
        assert_eq!(
            said(&mut table, Op::Renew { lock: 0, key: 1, owner: 8, ttl: TTL }, 7),
            Err(Reason::NotHeld)
        );
        assert_eq!(
            table.apply(&release(9, true), at(10)),
            (Outcome::Fail(Reason::NotHeld), Aside { expired: true, foreign: None })
        );
        assert_eq!(table.len(), 1, "the other key's");
    }

    #[test]
    fn a_line_is_served_in_order_and_passes_over_who_has_left() {
        let mut table = LockTable::default();
        assert_eq!(said(&mut table, acquire(How::Line, 1), 0), Ok(1));
        for owner in 2..6 {
            assert_eq!(said(&mut table, acquire(How::Line, owner), 1), Err(Reason::Wait));
        }
        assert_eq!(said(&mut table, acquire(How::Line, 3), 1), Err(Reason::Wait), "once is enough");
        assert_eq!(said(&mut table, acquire(How::Line, 1), 1), Ok(1), "its holder asks again");
        assert_eq!(said(&mut table, release(2, true), 1), Ok(0), "it leaves the line");
        assert_eq!(said(&mut table, release(1, true), 2), Ok(1));
        let next = |table: &mut LockTable| table.granted().map(|granted| (granted.owner, granted.token));
        assert_eq!((next(&mut table), next(&mut table)), (Some((3, 2)), None));
        assert_eq!(table.wanted_until((0, 1)), Some((By::Wall, at(5).wall)));
        assert_eq!(said(&mut table, Op::Expire { lock: 0, key: 1 }, 4), Ok(0));
        assert_eq!(next(&mut table), None, "not yet");
        assert_eq!(said(&mut table, Op::Expire { lock: 0, key: 1 }, 5), Ok(0));
        assert_eq!(next(&mut table), Some((4, 3)));
        assert_eq!(said(&mut table, release(3, false), 5), Ok(1), "a plain DEL deletes the lock of the next");
        assert_eq!(next(&mut table), Some((5, 4)));
    }

    #[test]
    fn who_waits_under_a_lease_and_does_not_renew_it_is_passed_over() {
        let mut table = LockTable::default();
        assert_eq!(said(&mut table, acquire(How::Lease, 1), 0), Ok(1));
        assert_eq!(said(&mut table, acquire(How::Lease, 2), 0), Err(Reason::Wait));
        assert_eq!(said(&mut table, acquire(How::Lease, 3), 0), Err(Reason::Wait));
        for owner in [1, 3] {
            assert_eq!(said(&mut table, Op::Renew { lock: 0, key: 1, owner, ttl: TTL }, 2), Ok(1));
        }
        assert_eq!(said(&mut table, release(1, true), 4), Ok(1));
        assert_eq!(table.granted().map(|granted| granted.owner), Some(3));
        assert_eq!(said(&mut table, release(3, true), 4), Ok(1));
        assert_eq!((table.is_empty(), table.len()), (true, 0));
    }

    #[test]
    fn a_place_in_line_cannot_be_renewed_once_its_lease_is_over() {
        let renew = |owner| Op::Renew { lock: 0, key: 1, owner, ttl: TTL };
        for late in [renew(2), acquire(How::Lease, 2), release(2, true)] {
            let mut table = LockTable::default();
            assert_eq!(said(&mut table, acquire(How::Lease, 1), 0), Ok(1));
            for owner in [2, 3] {
                assert_eq!(said(&mut table, acquire(How::Lease, owner), 0), Err(Reason::Wait));
            }
            for owner in [1, 3] {
                assert_eq!(said(&mut table, renew(owner), 2), Ok(1));
            }
            let told = said(&mut table, late, 3);
            let asks_again = matches!(late, Op::Acquire { .. });
            assert_eq!(told, Err(if asks_again { Reason::Wait } else { Reason::NotHeld }), "{late:?}");
            assert_eq!(table.lapsed(), (!asks_again).then_some(2), "his call is answered: {late:?}");
            assert_eq!(said(&mut table, release(1, true), 4), Ok(1));
            assert_eq!(table.granted().map(|granted| granted.owner), Some(3), "{late:?}");
            assert_eq!(said(&mut table, release(3, true), 4), Ok(1));
            assert_eq!(table.granted().map(|granted| granted.owner), asks_again.then_some(2), "the last");
        }
    }

    #[test]
    fn whose_turn_it_is_under_a_lease_has_what_is_left_of_it() {
        for (how, until) in [(How::Lease, 3), (How::Line, 5)] {
            let mut table = LockTable::default();
            assert_eq!(said(&mut table, acquire(how, 1), 0), Ok(1));
            for owner in [2, 3] {
                assert_eq!(said(&mut table, acquire(how, owner), 0), Err(Reason::Wait));
            }
            assert_eq!(said(&mut table, release(1, true), 2), Ok(1));
            assert_eq!(table.granted().map(|granted| granted.owner), Some(2));
            let by = By::from(how);
            assert_eq!(table.wanted_until((0, 1)), Some((by, at(until).by(by))), "{how:?}");
        }
    }

    #[test]
    fn leases_begin_anew_and_keys_that_were_set_do_not() {
        for (how, lives) in [(How::Lease, true), (How::Line, false)] {
            let mut table = LockTable::default();
            assert_eq!(said(&mut table, acquire(how, 1), 0), Ok(1));
            assert_eq!(said(&mut table, acquire(how, 2), 0), Err(Reason::Wait));
            table.begins_anew(at(100));
            assert_eq!(said(&mut table, Op::Expire { lock: 0, key: 1 }, 102), Ok(0));
            assert_eq!(table.granted().is_none(), lives, "{how:?}");
            assert_eq!(said(&mut table, Op::Expire { lock: 0, key: 1 }, 103), Ok(0));
        }
    }

    #[test]
    fn each_lock_ends_by_its_own_clock() {
        for (how, by_wall) in [(How::Try, true), (How::Lease, false)] {
            for (wall, monotonic) in [(9, 1), (1, 9)] {
                let mut table = LockTable::default();
                assert_eq!(said(&mut table, acquire(how, 1), 0), Ok(1));
                let clocks = Clocks { monotonic: at(monotonic).monotonic, wall: at(wall).wall };
                let (_, aside) = table.apply(&Op::Expire { lock: 0, key: 1 }, clocks);
                assert_eq!(aside.expired, by_wall == (wall > monotonic), "{how:?}");
            }
        }
    }
}
