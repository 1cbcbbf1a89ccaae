//! A store line by line: values, the disk, crashes, connections.

use super::*;
use crate::base::cause::Cause;
use crate::base::dist::Dist;
use crate::base::ids::Pid;
use crate::base::ids::SeriesId;
use crate::base::op::{At, Op, Outcome, Reason, When};
use crate::components::mech::cores::Discipline;
use crate::components::mech::mutant::Mutant;
use crate::components::mech::pool::{Pool, PoolPer};
use crate::components::script::{Lines, PART, answers, level, told, total, until, world};
use crate::components::storage::plan::StorePlan;
use crate::components::storage::series::StoreSeries;
use crate::sim::nodes::Crash;
use crate::sim::run::World;

fn plan() -> StorePlan {
    let ms = |ms: f64| Dist::Constant(ms * 1e6);
    StorePlan {
        read: ms(1.0),
        write: ms(2.0),
        disk: ms(0.0),
        cores: u32::MAX,
        queue: u32::MAX,
        discipline: Discipline::Fifo,
        speed_ppm: 1_000_000,
        pool: None,
        start: vec![Initial { n: 500, keys: 100_000 }],
        transactional: false,
        isolation: crate::components::storage::transactions::Isolation::ReadCommitted,
        lock_wait: Span::from_secs(50),
        row_waiting: crate::components::storage::transactions::waiting::Waiting::AT_ONCE,
        idle: Span::from_secs(3600),
        session: None,
        first_series: SeriesId(0),
        mutant: Mutant::Sound,
    }
}

fn read(ms: u64, key: i64) -> (u64, Pid, Op) {
    (ms, PART, Op::Read { table: 0, key, taking: None, at: At::Primary })
}

fn take(ms: u64, key: i64, delta: i64, at_least: i64) -> (u64, Pid, Op) {
    (ms, PART, Op::Update { table: 0, when: When::AtLeast, key, delta, bound: at_least })
}

fn run(script: Lines, plan: StorePlan) -> World {
    let mut world = world::<StoreProcess>(script, plan, 1, StoreSeries::ALL);
    until(&mut world, 10_000);
    world
}

/// When each answer came and the number in it.
fn numbers(world: &World, lines: usize) -> Vec<(u64, Option<i64>)> {
    told(world, lines).into_iter().map(|(at, outcome)| (at, outcome.value().map(|value| value.n))).collect()
}

#[test]
fn what_was_never_written_is_as_the_design_says() {
    let world = run(vec![read(0, 1), read(0, 100_000), read(0, 100_001)], plan());
    assert_eq!(numbers(&world, 3), vec![(1, Some(500)), (1, Some(500)), (1, Some(0))]);
}

#[test]
fn a_write_costs_time_and_leaves_a_version() {
    let write = Op::Write { table: 0, key: 1, n: 7, parent: crate::base::ids::OpId(0) };
    let world =
        run(vec![(0, PART, write), read(10, 1), take(20, 1, -2, 5), read(30, 1), take(40, 1, -2, 9)], plan());
    let seen = [(2, Some(7)), (11, Some(7)), (22, Some(5)), (31, Some(5)), (42, None)];
    assert_eq!(numbers(&world, 5), seen);
    let value =
        |line: usize| answers(&world, 5)[line].clone().expect("answered").outcome.value().expect("a value");
    assert_eq!(value(1).version, value(0).version);
    assert_eq!(value(2).parent, value(0).version);
    assert_ne!(value(2).version, value(0).version);
    let counts = [StoreSeries::Reads, StoreSeries::Writes, StoreSeries::Updates]
        .map(|series| total(&world, series as u16));
    assert_eq!(counts, [2, 1, 2]);
}

#[test]
fn a_program_may_say_how_long_a_read_takes() {
    let slow = Op::Read { table: 0, key: 1, taking: Some(Span::from_ms(30)), at: At::Primary };
    assert_eq!(numbers(&run(vec![(0, PART, slow)], plan()), 1), vec![(30, Some(500))]);
}

/// The first write is synced alone from 2 to 12 ms; what comes meanwhile shares the next sync, from 12 to 22 ms.
#[test]
fn writes_are_acknowledged_when_safe_and_gather_while_the_disk_is_busy() {
    let disk = StorePlan { disk: Dist::Constant(10e6), ..plan() };
    let script =
        vec![take(0, 1, -1, 0), take(1, 1, -1, 0), take(3, 2, -1, 0), read(5, 1), read(12, 1), read(25, 1)];
    let world = run(script, disk);
    let seen =
        [(12, Some(499)), (22, Some(498)), (22, Some(499)), (6, Some(500)), (13, Some(499)), (26, Some(498))];
    assert_eq!(numbers(&world, 6), seen);
    assert_eq!(total(&world, StoreSeries::Syncs as u16), 2);
    let second = answers(&world, 6)[1].clone().expect("answered");
    assert_eq!(
        (second.causes.of(Cause::Disk), second.causes.total()),
        (Span::from_ms(19), Span::from_ms(21))
    );
}

#[test]
fn a_condition_that_fails_on_an_unsynced_value_waits_for_it() {
    let disk = StorePlan { disk: Dist::Constant(10e6), ..plan() };
    let world = run(vec![take(0, 1, -500, 500), take(1, 1, -1, 1)], disk);
    let told = told(&world, 2);
    assert_eq!(told[0].0, 12);
    assert_eq!(told[1], (22, Outcome::Fail(Reason::Condition)));
}

#[test]
fn a_crash_keeps_what_was_acknowledged_and_loses_the_rest() {
    let disk = StorePlan { disk: Dist::Constant(10e6), ..plan() };
    let mut world = world::<StoreProcess>(
        vec![take(0, 1, -1, 0), take(5, 1, -1, 0), read(40, 1)],
        disk,
        1,
        StoreSeries::ALL,
    );
    until(&mut world, 15);
    world.crash(PART, Crash::Machine);
    until(&mut world, 30);
    world.restart(PART);
    until(&mut world, 100);
    assert_eq!(numbers(&world, 3), vec![(12, Some(499)), (41, Some(499))]);
}

#[test]
fn the_log_gives_way_to_snapshots_and_nothing_is_lost() {
    let writes = 150_000;
    let script: Lines = (0..writes).map(|i| take(i / 100, (i % 10) as i64, 1, 0)).collect();
    let mut world = world::<StoreProcess>(script, plan(), 1, StoreSeries::ALL);
    until(&mut world, 5_000);
    world.crash(PART, Crash::Machine);
    world.restart(PART);
    let node = &world.members::<StoreProcess>(PART.tier).expect("typed")[0];
    for key in 0..10 {
        assert_eq!(node.value(&plan(), (0, key)).n, 500 + (writes / 10) as i64);
    }
}

#[test]
fn operations_wait_for_a_connection_and_not_for_ever() {
    let pool = Pool { connections: 1, per: PoolPer::All, queue: 2, timeout: Span::from_ms(15) };
    let pooled = StorePlan { read: Dist::Constant(10e6), pool: Some(pool), ..plan() };
    let mut world = world::<StoreProcess>(
        vec![read(0, 1), read(1, 1), read(2, 1), read(3, 1), read(50, 1)],
        pooled,
        1,
        StoreSeries::ALL,
    );
    until(&mut world, 5);
    assert_eq!(level(&world, StoreSeries::Connected as u16), 1);
    until(&mut world, 100);
    let full = Outcome::Fail(Reason::Pool);
    let told = told(&world, 5);
    assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), [10, 20, 17, 3, 60]);
    assert_eq!((told[2].1, told[3].1), (full, full));
    let second = answers(&world, 5)[1].clone().expect("answered");
    assert_eq!(
        (second.causes.of(Cause::Pool), second.causes.of(Cause::Cpu)),
        (Span::from_ms(9), Span::from_ms(10))
    );
    assert_eq!(
        [StoreSeries::Rejected, StoreSeries::Reads].map(|series| total(&world, series as u16)),
        [2, 3]
    );
    assert_eq!(level(&world, StoreSeries::Connected as u16), 0);
}

#[test]
fn a_full_queue_turns_operations_away() {
    let small = StorePlan { cores: 1, queue: 1, ..plan() };
    let world = run(vec![read(0, 1), read(0, 1), read(0, 1)], small);
    assert_eq!(numbers(&world, 3), vec![(1, Some(500)), (2, Some(500)), (0, None)]);
}
