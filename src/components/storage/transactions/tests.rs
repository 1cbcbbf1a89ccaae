//! Random workloads at each level, judged by the checker of transactions; and what happens line by line.

mod deadlocks;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::waiting::Deadlock;
use super::*;
use crate::base::op::At;
use crate::base::rng::{Bits, Draws};
use crate::base::time::{ClockTime, Span, Time};
use crate::check::history::{NIL, PENDING};
use crate::check::transactions::levels::Kind;
use crate::check::transactions::{
    Action, Completion, Level, Orders, Transaction as Judged, Transactions as History, What, check,
};
use crate::components::mech::mutant::Mutant;

const KEYS: i64 = 3;
/// Longer than any workload lasts: what ends a wait is a deadlock or a hand-over.
const LOCK_WAIT: Span = Span::from_secs(3_600);
const IDLE: Span = Span::from_secs(36_000);
/// How far time goes at once at most.
const STEP: Span = Span::from_ms(40);

fn read(key: i64) -> Op {
    Op::Read { table: 0, key, taking: None, at: At::Primary }
}

fn lock(key: i64) -> Op {
    Op::ReadForUpdate { table: 0, key, taking: None }
}

fn write(key: i64, n: i64) -> Op {
    Op::Write { table: 0, key, n, parent: OpId(0) }
}

fn add(key: i64, delta: i64) -> Op {
    Op::Update { table: 0, when: crate::base::op::When::AtLeast, key, delta, bound: -delta }
}

/// A member with transactions: rows, a disk whose syncs take as long as it pleases, and what happened.
struct World {
    transactions: Transactions<usize>,
    rows: BTreeMap<i64, Value>,
    committing: VecDeque<Key>,
    orders: Orders,
    ends: Vec<End>,
    now: ClockTime,
}

impl World {
    fn new(isolation: Isolation, mutant: Mutant) -> Self {
        Self::with(isolation, Waiting::AT_ONCE, mutant)
    }

    fn with(isolation: Isolation, rules: Waiting, mutant: Mutant) -> Self {
        World {
            transactions: Transactions::new(isolation, rules, mutant),
            rows: BTreeMap::new(),
            committing: VecDeque::new(),
            orders: Orders::new(),
            ends: Vec::new(),
            now: ClockTime::ZERO,
        }
    }

    fn operate(&mut self, key: Key, op: &Op, word: usize) -> Step {
        let rows = &self.rows;
        let committed = |row: RowName| rows.get(&row.1).copied().unwrap_or_default();
        self.transactions.operate(
            key,
            op,
            OpId(1),
            (word, Time::from_ns(self.now.as_ns()), self.now),
            &committed,
        )
    }

    /// True if it is under way or done.
    fn commit(&mut self, key: Key) -> Result<(), Reason> {
        if self.transactions.commit(key)? {
            self.committing.push_back(key);
        }
        Ok(())
    }

    /// The disk is done with the oldest commit.
    fn sync(&mut self) -> Option<Key> {
        let key = self.committing.pop_front()?;
        for (row, value) in self.transactions.writes(key).to_vec() {
            let old = self.rows.get(&row.1).copied().unwrap_or_default();
            self.transactions.install(key, row, old);
            self.rows.insert(row.1, value);
            self.orders.entry(row.1 as u32).or_default().push(value.n);
        }
        self.transactions.finish(key);
        Some(key)
    }

    /// What happened to others, but for how transactions ended.
    fn events(&mut self) -> Vec<Event<usize>> {
        let mut events = Vec::new();
        while let Some(event) = self.transactions.event() {
            match event {
                Event::Over(end, _) => self.ends.push(end),
                other => events.push(other),
            }
        }
        events
    }
}

/// A client with one transaction after the other.
struct Client {
    /// Its transactions to come, the next one last, each with its operations, the next one last; a single operation has no `tx`.
    todo: Vec<(bool, Vec<Op>)>,
    /// The transaction under way, and its place in the history.
    current: Option<(Key, usize)>,
    /// The operation that waits for a lock.
    waits: Option<Op>,
    last_read: i64,
}

/// Everything at once.
struct Workload {
    world: World,
    clients: Vec<Client>,
    history: History,
    names: u64,
    /// The longest that a cycle lasted.
    longest: Span,
}

impl Workload {
    fn new(isolation: Isolation, mutant: Mutant, seed: u64) -> Self {
        Self::with(isolation, Waiting::AT_ONCE, mutant, seed)
    }

    fn with(isolation: Isolation, rules: Waiting, mutant: Mutant, seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let mut fresh = 0;
        let clients = (0..2 + draws.below(4)).map(|_| {
            let todo = (0..3).map(|_| {
                let single = draws.below(8) == 0;
                let many = if single { 1 } else { 1 + draws.below(4) };
                let ops = (0..many).map(|_| {
                    fresh += 1;
                    let key = draws.below(KEYS as u64) as i64;
                    match draws.below(16) {
                        0..8 => read(key),
                        8..14 => write(key, fresh),
                        14 => Op::Cas { table: 0, key, from: -1, to: fresh },
                        _ => {
                            if single {
                                read(key)
                            } else {
                                lock(key)
                            }
                        }
                    }
                });
                (!single, ops.collect())
            });
            Client { todo: todo.collect(), current: None, waits: None, last_read: 0 }
        });
        let clients = clients.collect();
        let keys = (0..KEYS).map(|key| format!("k{key}")).collect();
        let history = History::on(keys);
        let world = World::with(isolation, rules, mutant);
        Workload { world, clients, history, names: 0, longest: Span::ZERO }
    }

    /// Lets somebody do something until everybody is done.
    fn run(&mut self, seed: u64) {
        let mut draws = Draws::new(seed ^ 0x5eed);
        for _ in 0..100_000 {
            let active = |client: &Client| {
                client.waits.is_none() && (client.current.is_some() || !client.todo.is_empty())
            };
            let able: Vec<usize> =
                (0..self.clients.len()).filter(|one| active(&self.clients[*one])).collect();
            if (able.is_empty() || draws.below(4) == 0) && self.world.sync().is_some() {
                self.settle();
                continue;
            }
            if let Some(who) = able.get(draws.below(able.len().max(1) as u64) as usize).copied() {
                self.world.now = self.world.now + Span::from_ms(draws.below(40));
                self.expire();
                // Whoever was to do something may have been aborted meanwhile; it goes on with its next transaction.
                if active(&self.clients[who]) {
                    self.resume(who, draws.below(10) == 0);
                    self.settle();
                }
            } else if let Some(due) = self.world.transactions.due(LOCK_WAIT, IDLE) {
                self.world.now = due;
                self.expire();
            } else {
                break;
            }
        }
        assert!(
            self.clients.iter().all(|client| client.todo.is_empty() && client.waits.is_none()),
            "all is done"
        );
        assert!(self.world.transactions.is_empty(), "nothing is left: {:?}", self.world.transactions);
    }

    /// Time has gone on.
    fn expire(&mut self) {
        self.world.transactions.expire(self.world.now, LOCK_WAIT, IDLE);
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            let events = self.world.events();
            if events.is_empty() {
                return;
            }
            for event in events {
                match event {
                    Event::Granted(_, who, _) => {
                        let op = self.clients[who].waits.take().expect("it waited");
                        self.operate(who, op);
                    }
                    Event::Failed(reason, who, since) => {
                        if reason == Reason::Deadlock {
                            self.longest = self.longest.max(Time::from_ns(self.world.now.as_ns()) - since);
                        }
                        self.clients[who].waits = None;
                        self.over(who, Completion::Aborted);
                    }
                    Event::InVain(who, _) => {
                        self.clients[who].waits = None;
                        let (key, _) = self.clients[who].current.expect("it waited");
                        self.world.transactions.abort(key); // a client that is told so gives up
                        self.over(who, Completion::Aborted);
                    }
                    Event::Over(..) => unreachable!("it has been kept"),
                }
            }
        }
    }

    /// A client begins, does the next operation, or commits or gives up.
    fn resume(&mut self, who: usize, gives_up: bool) {
        let Some((key, _)) = self.clients[who].current else {
            let is_tx = self.clients[who].todo.last().expect("it is able").0;
            self.names += 1;
            let key = match is_tx {
                true => self.world.transactions.begin(self.names, self.world.now),
                false => self.world.transactions.single(self.world.now),
            };
            let place = self.history.transactions.len() + 1;
            self.history.transactions.push(Judged {
                process: who as u64,
                place,
                invoked: 2 * place as u64,
                returned: PENDING,
                completion: Completion::Aborted,
                actions: Vec::new(),
            });
            self.clients[who].current = Some((key, place - 1));
            if !is_tx {
                self.resume(who, false);
            }
            return;
        };
        match self.clients[who].todo.last_mut().expect("it is under way").1.pop() {
            Some(Op::Cas { table, key, to, .. }) => {
                let from = self.clients[who].last_read;
                self.operate(who, Op::Cas { table, key, from, to });
            }
            Some(op) => self.operate(who, op),
            None if gives_up => {
                self.world.transactions.abort(key);
                self.over(who, Completion::Aborted);
            }
            None => {
                let committed = self.world.commit(key).is_ok();
                self.over(who, if committed { Completion::Committed } else { Completion::Aborted });
            }
        }
    }

    fn over(&mut self, who: usize, completion: Completion) {
        let (_, place) = self.clients[who].current.take().expect("it was under way");
        self.history.transactions[place].completion = completion;
        self.clients[who].todo.pop();
    }

    fn operate(&mut self, who: usize, op: Op) {
        let (key, place) = self.clients[who].current.expect("it is under way");
        let is_single = self.world.transactions.is_single(key);
        let outcome = match self.world.operate(key, &op, who) {
            Step::Done(outcome) => outcome,
            Step::Waits => return self.clients[who].waits = Some(op),
        };
        let actions = &mut self.history.transactions[place].actions;
        match (outcome, op) {
            (Outcome::Ok(value), Op::Read { key, .. } | Op::ReadForUpdate { key, .. }) => {
                self.clients[who].last_read = value.n;
                let seen = if value.n == 0 { NIL } else { value.n };
                actions.push(Action { key: key as u32, what: What::Read(seen) });
            }
            (Outcome::Ok(_), Op::Cas { key, from, to, .. }) => {
                let seen = if from == 0 { NIL } else { from };
                actions.push(Action { key: key as u32, what: What::Read(seen) });
                actions.push(Action { key: key as u32, what: What::Write(to) });
            }
            (Outcome::Ok(_), Op::Write { key, n, .. }) => {
                actions.push(Action { key: key as u32, what: What::Write(n) });
            }
            (Outcome::Fail(reason), _) if is_abort(reason) => return self.over(who, Completion::Aborted),
            (Outcome::Fail(Reason::Condition), _) => {}
            other => panic!("{other:?}"),
        }
        if is_single {
            let committed = self.world.commit(key).is_ok();
            self.over(who, if committed { Completion::Committed } else { Completion::Aborted });
        }
    }
}

/// The kinds of anomalies that so many workloads show at a level, and how transactions ended.
fn kinds(isolation: Isolation, rules: Waiting, level: Level, seeds: u64) -> (BTreeSet<Kind>, Vec<End>) {
    let (mut found, mut ends) = (BTreeSet::new(), Vec::new());
    for seed in 0..seeds {
        let mut workload = Workload::with(isolation, rules, Mutant::Sound, seed);
        workload.run(seed);
        let bound = match rules.deadlock {
            Deadlock::AtOnce(_) => Span::ZERO,
            Deadlock::After(wait) => wait,
        };
        // A victim that is found at once may have waited before the cycle closed: then it is not the cycle that lasted.
        if bound > Span::ZERO {
            assert!(workload.longest <= bound + STEP, "seed {seed}: a cycle lasted {}", workload.longest);
        }
        let report = check(&workload.history, Some(&workload.world.orders));
        for anomaly in report.anomalies {
            let (kind, witness) = (anomaly.kind, anomaly.witness);
            assert!(
                level.permits(kind),
                "seed {seed}: {kind:?} at {level:?}: {witness:?} {:#?}",
                workload.history
            );
            found.insert(kind);
        }
        ends.append(&mut workload.world.ends);
    }
    (found, ends)
}

#[test]
fn each_level_shows_what_it_permits_and_nothing_else() {
    let anomalies =
        [Kind::G0, Kind::G1a, Kind::G1b, Kind::G1c, Kind::LostUpdate, Kind::GSingle, Kind::G2Item];
    let levels = [Level::ReadUncommitted, Level::ReadCommitted, Level::Snapshot, Level::Serializable];
    for ((_, isolation), level) in Isolation::ALL.into_iter().zip(levels) {
        let (found, ends) = kinds(isolation, Waiting::AT_ONCE, level, 1_000);
        for kind in anomalies {
            assert_eq!(found.contains(&kind), level.permits(kind), "{kind:?} at {level:?}: {found:?}");
        }
        let many = |end: End| ends.iter().filter(|other| **other == end).count();
        let (committed, conflicts) = (many(End::Committed), many(End::Aborted(Reason::Conflict)));
        let deadlocks = many(End::Aborted(Reason::Deadlock));
        println!(
            "{level:?}: {committed} committed, {conflicts} conflicts, {deadlocks} deadlocks of {}",
            ends.len()
        );
        assert!(
            committed > ends.len() / 2 && deadlocks > 10,
            "{committed} and {deadlocks} of {}",
            ends.len()
        );
        assert_eq!(conflicts > 0, isolation >= Isolation::Snapshot);
    }
}

/// Whoever breaks one of the rules shows what that rule is for.
#[test]
fn each_broken_rule_shows_the_anomaly_that_it_forbids() {
    for (isolation, mutant, level, kind) in [
        (Isolation::Snapshot, Mutant::GivesLocksBack, Level::Snapshot, Kind::LostUpdate),
        (Isolation::Snapshot, Mutant::LetsLastWin, Level::Snapshot, Kind::LostUpdate),
        (Isolation::Serializable, Mutant::IgnoresFlags, Level::Serializable, Kind::G2Item),
    ] {
        let shows = |seed: u64| {
            let mut workload = Workload::new(isolation, mutant, seed);
            workload.run(seed);
            check(&workload.history, Some(&workload.world.orders)).kinds().contains(&kind)
        };
        assert!(!level.permits(kind) && (0..1000).any(shows), "{kind:?} is not shown by {mutant:?}");
    }
}

/// Where rows are locked until the end, changes that know nothing of each other add up at every level.
#[test]
fn changes_of_one_row_add_up_as_long_as_its_lock_is_held() {
    let sum = |mutant: Mutant| {
        let mut world = World::new(Isolation::ReadCommitted, mutant);
        let keys = [1, 2].map(|name| world.transactions.begin(name, ClockTime::ZERO));
        world.operate(keys[0], &add(1, 1), 0);
        let second = world.operate(keys[1], &add(1, 1), 1);
        world.commit(keys[0]).expect("nothing is against it");
        world.sync();
        if second == Step::Waits {
            world.operate(keys[1], &add(1, 1), 1);
        }
        world.commit(keys[1]).expect("nothing is against it");
        world.sync();
        value(&world, 1)
    };
    assert_eq!((sum(Mutant::Sound), sum(Mutant::GivesLocksBack)), (2, 1));
}

/// A row of one member, what was said to it, and what came of it.
fn value(world: &World, key: i64) -> i64 {
    world.rows.get(&key).map_or(0, |value| value.n)
}

fn done(step: Step) -> i64 {
    let Step::Done(Outcome::Ok(value)) = step else { panic!("{step:?}") };
    value.n
}

#[test]
fn locks_are_handed_on_in_the_order_in_which_they_were_asked_for() {
    let mut world = World::new(Isolation::ReadCommitted, Mutant::Sound);
    let keys: Vec<Key> = (1..=4).map(|name| world.transactions.begin(name, ClockTime::ZERO)).collect();
    assert_eq!(done(world.operate(keys[0], &write(1, 10), 0)), 10);
    for (who, key) in keys.iter().enumerate().skip(1) {
        assert_eq!(world.operate(*key, &add(1, 1), who), Step::Waits);
    }
    world.transactions.abort(keys[2]);
    assert_eq!(world.events(), [Event::Failed(Reason::Reset, 2, Time::ZERO)]);
    world.commit(keys[0]).expect("nothing is against it");
    assert_eq!(world.events(), [], "the lock is held until all is safe");
    world.sync();
    assert_eq!(world.events(), [Event::Granted(keys[1], 1, Time::ZERO)]);
    assert_eq!(done(world.operate(keys[1], &add(1, 1), 1)), 11);
    world.commit(keys[1]).expect("nothing is against it");
    world.sync();
    assert_eq!(world.events(), [Event::Granted(keys[3], 3, Time::ZERO)]);
    assert_eq!(done(world.operate(keys[3], &add(1, 1), 3)), 12);
    assert_eq!(value(&world, 1), 11, "not committed yet");
}

#[test]
fn a_snapshot_is_of_the_instant_when_it_began_and_the_first_committer_wins() {
    let mut world = World::new(Isolation::Snapshot, Mutant::Sound);
    let [old, new] = [1, 2].map(|name| world.transactions.begin(name, ClockTime::ZERO));
    for (n, key) in [(5, 1), (6, 2)] {
        done(world.operate(new, &write(key, n), 1));
    }
    world.commit(new).expect("nothing is against it");
    assert_eq!(done(world.operate(old, &read(1), 0)), 0);
    world.sync();
    assert_eq!(done(world.operate(old, &read(2), 0)), 0);
    let late = world.transactions.begin(3, ClockTime::ZERO);
    assert_eq!(done(world.operate(late, &read(2), 2)), 6);
    assert_eq!(world.operate(old, &add(2, -1), 0), Step::Done(Outcome::Fail(Reason::Condition)), "it sees 0");
    assert_eq!(world.operate(old, &lock(2), 0), Step::Done(Outcome::Fail(Reason::Conflict)));
    assert_eq!(done(world.operate(late, &add(2, -1), 2)), 5);
    world.commit(late).expect("nothing is against it");
    world.sync();
    world.events();
    assert_eq!(world.ends, [End::Committed, End::Aborted(Reason::Conflict), End::Committed]);
    assert!(world.transactions.is_empty());
}

/// Everything about a line costs the same however long it is.
#[test]
fn a_hundred_thousand_who_want_one_row_are_served_one_by_one() {
    let mut world = World::new(Isolation::Serializable, Mutant::Sound);
    let many = 100_000;
    let keys: Vec<Key> = (1..=many).map(|_| world.transactions.single(ClockTime::ZERO)).collect();
    for (who, key) in keys.iter().enumerate().skip(1) {
        if who == 1 {
            done(world.operate(keys[0], &write(1, 0), 0));
        }
        assert_eq!(world.operate(*key, &add(1, 1), who), Step::Waits);
    }
    for (who, key) in keys.iter().enumerate() {
        world.commit(*key).expect("nothing is against it");
        world.sync();
        if who + 1 < keys.len() {
            assert_eq!(world.events(), [Event::Granted(keys[who + 1], who + 1, Time::ZERO)]);
            done(world.operate(keys[who + 1], &add(1, 1), who + 1));
        }
    }
    assert_eq!(value(&world, 1), many as i64 - 1);
    assert!(world.transactions.is_empty());
}
