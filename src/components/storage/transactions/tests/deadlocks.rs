//! Cycles of those who wait for each other: when they are found, whom they cost, and that none lasts.

use super::super::waiting::{Deadlock, Undoes, Victim};
use super::*;

/// However cycles are found, none lasts, and the levels keep what they promise.
#[test]
fn each_level_keeps_its_promise_however_deadlocks_are_found() {
    let (youngest, lightest) = (Deadlock::AtOnce(Victim::Youngest), Deadlock::AtOnce(Victim::Lightest));
    let after = [1, 100, 1_000].map(|ms| Deadlock::After(Span::from_ms(ms)));
    for ((_, isolation), (_, level)) in Isolation::ALL.into_iter().zip(Level::ALL) {
        for deadlock in [youngest, lightest].into_iter().chain(after) {
            for undoes in [Undoes::Transaction, Undoes::Statement] {
                let (_, ends) = kinds(isolation, Waiting { deadlock, undoes }, level, 400);
                let many = |end: End| ends.iter().filter(|other| **other == end).count();
                let deadlocks = many(End::Aborted(Reason::Deadlock));
                assert!(deadlocks > 10 && many(End::Committed) > ends.len() / 2, "{deadlock:?}: {deadlocks}");
                assert_eq!(many(End::Aborted(Reason::LockTimeout)), 0, "no cycle is left to a timeout");
            }
        }
    }
}

#[test]
fn a_cycle_is_found_when_it_closes_and_its_youngest_is_aborted() {
    let mut world = World::new(Isolation::ReadCommitted, Mutant::Sound);
    let keys: Vec<Key> = (1..=3).map(|name| world.transactions.begin(name, ClockTime::ZERO)).collect();
    for (who, key) in keys.iter().enumerate() {
        assert_eq!(done(world.operate(*key, &lock(who as i64), who)), 0);
    }
    assert_eq!(world.operate(keys[1], &lock(2), 1), Step::Waits);
    assert_eq!(world.operate(keys[2], &lock(0), 2), Step::Waits);
    assert_eq!(world.operate(keys[0], &lock(1), 0), Step::Waits, "the third is the youngest");
    assert_eq!(
        world.events(),
        [Event::Failed(Reason::Deadlock, 2, Time::ZERO), Event::Granted(keys[1], 1, Time::ZERO)]
    );
    assert_eq!(world.ends, [End::Aborted(Reason::Deadlock)]);
    // Who closes a cycle may itself be the youngest.
    let young = world.transactions.begin(4, ClockTime::ZERO);
    assert_eq!(done(world.operate(young, &lock(7), 3)), 0);
    assert_eq!(done(world.operate(keys[1], &lock(2), 1)), 0);
    assert_eq!(world.operate(keys[1], &lock(7), 1), Step::Waits);
    assert_eq!(world.operate(young, &lock(2), 3), Step::Done(Outcome::Fail(Reason::Deadlock)));
    assert_eq!(world.events(), [Event::Granted(keys[1], 1, Time::ZERO)]);
}

/// Two that have a row each and want the other's: when, and who wants which.
fn crossed(rules: Waiting, wants: [u64; 2]) -> (World, Vec<Key>) {
    let mut world = World::with(Isolation::ReadCommitted, rules, Mutant::Sound);
    let keys: Vec<Key> = (1..=2).map(|name| world.transactions.begin(name, ClockTime::ZERO)).collect();
    for (who, key) in keys.iter().enumerate() {
        assert_eq!(done(world.operate(*key, &lock(who as i64), who)), 0);
    }
    for (who, ms) in wants.into_iter().enumerate() {
        world.now = ClockTime::from_ns(ms * 1_000_000);
        world.transactions.expire(world.now, LOCK_WAIT, IDLE);
        assert_eq!(world.operate(keys[who], &lock(1 - who as i64), who), Step::Waits);
    }
    (world, keys)
}

#[test]
fn a_cycle_that_is_looked_for_after_a_second_lasts_until_somebody_s_second_is_over() {
    let rules = Waiting { deadlock: Deadlock::After(Span::from_secs(1)), undoes: Undoes::Transaction };
    let at = |ms: u64| ClockTime::from_ns(ms * 1_000_000);
    // Whose second runs out first is the victim: the first, if the second wanted its row within that second; else the second, since the
    // first has looked in vain and does not look again.
    for (second, victim, due) in [(400, 0, 1_000), (1_400, 1, 2_400)] {
        let (mut world, keys) = crossed(rules, [0, second]);
        assert_eq!(world.transactions.due(LOCK_WAIT, IDLE), Some(at(due)));
        world.transactions.expire(at(due - 1), LOCK_WAIT, IDLE);
        assert_eq!(world.events(), [], "both wait and hold their rows");
        world.transactions.expire(at(due), LOCK_WAIT, IDLE);
        let since = [0, second].map(|ms| Time::from_ns(ms * 1_000_000));
        let other = 1 - victim;
        assert_eq!(
            world.events(),
            [
                Event::Failed(Reason::Deadlock, victim, since[victim]),
                Event::Granted(keys[other], other, since[other])
            ]
        );
        assert_eq!(world.ends, [End::Aborted(Reason::Deadlock)]);
    }
    // Somebody outside of the cycle who waits for one of it is no victim, and his look ends.
    let (mut world, _) = crossed(rules, [0, 1_400]);
    let third = world.transactions.begin(3, at(0));
    world.now = at(1_401);
    assert_eq!(world.operate(third, &lock(0), 2), Step::Waits);
    world.transactions.expire(at(2_401), LOCK_WAIT, IDLE);
    world.events();
    assert_eq!(world.ends, [End::Aborted(Reason::Deadlock)], "one of the two");
    assert!(world.transactions.find(3).is_some());
}

#[test]
fn who_waits_for_one_of_a_cycle_without_being_in_it_finds_none() {
    let rules = Waiting { deadlock: Deadlock::After(Span::from_secs(1)), undoes: Undoes::Transaction };
    let mut world = World::with(Isolation::ReadCommitted, rules, Mutant::Sound);
    let keys: Vec<Key> = (1..=3).map(|name| world.transactions.begin(name, ClockTime::ZERO)).collect();
    for (who, key) in keys.iter().enumerate() {
        done(world.operate(*key, &lock(who as i64), who));
    }
    // The third waits for the first, and then the first two close a cycle: the third looks first.
    assert_eq!(world.operate(keys[2], &lock(0), 2), Step::Waits);
    world.now = ClockTime::from_ns(500_000_000);
    assert_eq!(world.operate(keys[0], &lock(1), 0), Step::Waits);
    assert_eq!(world.operate(keys[1], &lock(0), 1), Step::Waits);
    world.transactions.expire(ClockTime::from_ns(1_000_000_000), LOCK_WAIT, IDLE);
    assert_eq!((world.events(), world.ends.len()), (vec![], 0));
    world.transactions.expire(ClockTime::from_ns(1_500_000_000), LOCK_WAIT, IDLE);
    world.events();
    assert_eq!(world.ends, [End::Aborted(Reason::Deadlock)]);
}

#[test]
fn the_lightest_of_a_cycle_is_who_has_written_and_locked_the_fewest_rows() {
    let rules = Waiting { deadlock: Deadlock::AtOnce(Victim::Lightest), undoes: Undoes::Transaction };
    for (extra, aborted) in [([0, 0], 1), ([0, 1], 0), ([2, 1], 1)] {
        let mut world = World::with(Isolation::ReadCommitted, rules, Mutant::Sound);
        let keys: Vec<Key> = (1..=2).map(|name| world.transactions.begin(name, ClockTime::ZERO)).collect();
        for (who, key) in keys.iter().enumerate() {
            done(world.operate(*key, &lock(who as i64), who));
            for row in 0..extra[who] {
                done(world.operate(*key, &write(10 * (who as i64 + 1) + row, 1), who));
            }
        }
        assert_eq!(world.operate(keys[0], &lock(1), 0), Step::Waits);
        world.operate(keys[1], &lock(0), 1); // it closes the cycle: of equals it is the victim
        world.events();
        assert_eq!(world.ends, [End::Aborted(Reason::Deadlock)]);
        assert!(world.transactions.find(aborted as u64 + 1).is_none(), "{extra:?}");
    }
}

#[test]
fn a_wait_in_vain_undoes_the_transaction_or_only_the_statement() {
    let lock_wait = Span::from_ms(50);
    for undoes in [Undoes::Transaction, Undoes::Statement] {
        let rules = Waiting { undoes, ..Waiting::AT_ONCE };
        let mut world = World::with(Isolation::ReadCommitted, rules, Mutant::Sound);
        let keys: Vec<Key> = (1..=3).map(|name| world.transactions.begin(name, ClockTime::ZERO)).collect();
        done(world.operate(keys[0], &lock(1), 0));
        done(world.operate(keys[1], &write(2, 7), 1));
        assert_eq!(world.operate(keys[1], &lock(1), 1), Step::Waits);
        world.now = ClockTime::from_ns(50_000_000);
        world.transactions.expire(world.now, lock_wait, IDLE);
        if undoes == Undoes::Transaction {
            assert_eq!(world.events(), [Event::Failed(Reason::LockTimeout, 1, Time::ZERO)]);
            assert_eq!(done(world.operate(keys[2], &lock(2), 2)), 0, "its row is free, and as it was");
            continue;
        }
        assert_eq!(world.events(), [Event::InVain(1, Time::ZERO)]);
        assert_eq!(world.operate(keys[2], &lock(2), 2), Step::Waits, "its row is still its own");
        assert_eq!(done(world.operate(keys[1], &read(2), 1)), 7, "and so is what it wrote");
        world.commit(keys[1]).expect("it may even commit");
        world.sync();
        assert_eq!(world.events(), [Event::Granted(keys[2], 2, Time::from_ns(50_000_000))]);
        assert_eq!(done(world.operate(keys[2], &lock(2), 2)), 7);
    }
}

#[test]
fn nobody_waits_or_rests_for_ever() {
    let (lock_wait, idle) = (Span::from_ms(50), Span::from_ms(80));
    let mut world = World::new(Isolation::ReadCommitted, Mutant::Sound);
    let keys: Vec<Key> = (1..=3).map(|name| world.transactions.begin(name, ClockTime::ZERO)).collect();
    done(world.operate(keys[0], &lock(1), 0));
    world.now = ClockTime::from_ns(10_000_000);
    assert_eq!(world.operate(keys[1], &lock(1), 1), Step::Waits);
    world.now = ClockTime::from_ns(60_000_000);
    done(world.operate(keys[0], &read(2), 0));
    let due = world.transactions.expire(world.now, lock_wait, idle);
    assert_eq!(world.events(), [Event::Failed(Reason::LockTimeout, 1, Time::from_ns(10_000_000))]);
    assert_eq!(due, Some(ClockTime::from_ns(80_000_000)), "the third has said nothing since 0");
    world.now = ClockTime::from_ns(80_000_000);
    assert_eq!(world.transactions.expire(world.now, lock_wait, idle), Some(ClockTime::from_ns(140_000_000)));
    world.events();
    assert_eq!(world.ends, [End::Aborted(Reason::LockTimeout), End::Asked]);
    assert!(world.transactions.find(1).is_some() && world.transactions.find(3).is_none());
}
