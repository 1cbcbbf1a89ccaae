//! A quorum store line by line: order statistics, repair, hints, crashes, and what each way to merge loses. `campaign` has it under
//! random faults.

mod campaign;

use std::sync::Arc;

use super::member::Member;
use crate::base::dist::Dist;
use crate::base::ids::{Pid, SeriesId, TierId, ZoneId};
use crate::base::op::{At, Op, Outcome, When};
use crate::base::series::kinds;
use crate::base::time::Span;
use crate::components::mech::cores::Discipline;
use crate::components::mech::mutant::Mutant;
use crate::components::replication::quorum::plan::*;
use crate::components::script::{Answer, Lines, PART, Script, answers, total, until};
use crate::components::storage::cell::Merge;
use crate::components::storage::legs::WarsDelays;
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::Initial;
use crate::components::storage::series::StoreSeries;
use crate::net::Network;
use crate::net::effect::{Effect, NodeSet};
use crate::net::path::Path;
use crate::record::recorder::{RecordPlan, Recorder};
use crate::sim::nodes::Crash;
use crate::sim::run::World;

fn ms(ms: f64) -> Dist {
    Dist::Constant(ms * 1e6)
}

fn plan(r: u8, w: u8, merge: Merge) -> QuorumPlan {
    QuorumPlan {
        store: StorePlan {
            read: ms(0.0),
            write: ms(0.0),
            disk: ms(0.0),
            cores: u32::MAX,
            queue: u32::MAX,
            discipline: Discipline::Fifo,
            speed_ppm: 1_000_000,
            pool: None,
            start: vec![Initial { n: 100, keys: 1000 }],
            transactional: false,
            isolation: crate::components::storage::transactions::Isolation::ReadCommitted,
            lock_wait: Span::from_secs(50),
            row_waiting: crate::components::storage::transactions::waiting::Waiting::AT_ONCE,
            idle: Span::from_secs(3600),
            session: None,
            first_series: SeriesId(0),
            mutant: Mutant::Sound,
        },
        copies: 3,
        r,
        w,
        enough: false,
        merge,
        repair: false,
        hints: None,
        patience: Span::from_ms(500),
        legs: WarsDelays::default(),
    }
}

/// A script, and three copies in a zone each, with a path of 1 ms between zones. The script stands in the first.
fn world(script: Lines, plan: QuorumPlan) -> World {
    let near = Path { latency: ms(0.0), ..Path::default() };
    let far = Path { latency: ms(1.0), ..Path::default() };
    let zones: Vec<ZoneId> = (0..3).map(ZoneId).collect();
    let links: Vec<_> = zones
        .iter()
        .flat_map(|a| zones.iter().map(move |b| (*a, *b)))
        .map(|(a, b)| (a, b, if a == b { near.clone() } else { far.clone() }))
        .collect();
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    let record =
        RecordPlan { length: Span::from_secs(60), series: kinds(StoreSeries::ALL), ..RecordPlan::default() };
    let mut world = World::new(1, Network::new(1, names, near, &links), Recorder::new(&record));
    world.add::<Script>("script", Arc::new(script), 1, &zones[..1], true);
    world.add::<Member>("kv", Arc::new(plan), 3, &zones, false);
    world.start();
    world
}

fn copy(member: u32) -> Pid {
    Pid::new(PART.tier, member)
}

fn read(ms: u64, at: u32) -> (u64, Pid, Op) {
    (ms, copy(at), Op::Read { table: 0, key: 1, taking: None, at: At::Primary })
}

fn peek(ms: u64, at: u32) -> (u64, Pid, Op) {
    (ms, copy(at), Op::Read { table: 0, key: 1, taking: None, at: At::Copy(at as u8) })
}

fn write(ms: u64, at: u32, n: i64) -> (u64, Pid, Op) {
    (ms, copy(at), Op::Write { table: 0, key: 1, n, parent: crate::base::ids::OpId(0) })
}

fn add(ms: u64, at: u32, delta: i64) -> (u64, Pid, Op) {
    (ms, copy(at), Op::Update { table: 0, when: When::Always, key: 1, delta, bound: 0 })
}

fn take(ms: u64, at: u32, delta: i64) -> (u64, Pid, Op) {
    (ms, copy(at), Op::Update { table: 0, when: When::AtLeast, key: 1, delta: -delta, bound: delta })
}

fn numbers(world: &World, lines: usize) -> Vec<Option<(u64, Option<i64>)>> {
    let number = |answer: Answer| (answer.at_ms, answer.outcome.value().map(|value| value.n));
    answers(world, lines).into_iter().map(|answer| answer.map(number)).collect()
}

fn told(world: &World, line: usize, lines: usize) -> Outcome {
    answers(world, lines)[line].clone().expect("answered").outcome
}

fn cut(world: &mut World, alone: u8) -> [crate::net::EffectId; 2] {
    let others: Vec<ZoneId> = (0..3).filter(|zone| *zone != alone).map(ZoneId).collect();
    let (a, b) = (|| NodeSet::zones(&[ZoneId(alone)]), || NodeSet::zones(&others));
    let out = world.network().add(Effect::Cut { from: a(), to: b() });
    [out, world.network().add(Effect::Cut { from: b(), to: a() })]
}

#[test]
fn the_answer_comes_with_the_rth_copy() {
    // our own copy at once, the others a round trip of 2 ms away
    for (r, at) in [(1, 0), (2, 2), (3, 2)] {
        let mut world = world(vec![read(0, 0)], plan(r, 1, Merge::LastWrite));
        until(&mut world, 100);
        assert_eq!(numbers(&world, 1), vec![Some((at, Some(100)))], "R = {r}");
    }
}

/// Rule 1 against its closed form: with exponential answers the R-th of three takes 1/3 + 1/2 + 1 means.
#[test]
fn reads_in_parallel_take_the_order_statistic_of_their_copies() {
    let mean_ms = 10.0;
    let lines: Lines = (0..20_000).map(|place| read(place * 5, 0)).collect();
    let count = lines.len();
    for (r, expected) in [(1, 1.0 / 3.0), (2, 1.0 / 3.0 + 0.5), (3, 1.0 / 3.0 + 0.5 + 1.0)] {
        let legs =
            WarsDelays { reply: Some(Dist::Exponential { mean: mean_ms * 1e6 }), ..WarsDelays::default() };
        let far = QuorumPlan { legs, patience: Span::from_secs(60), ..plan(r, 1, Merge::LastWrite) };
        let record = RecordPlan {
            length: Span::from_secs(200),
            series: kinds(StoreSeries::ALL),
            ..RecordPlan::default()
        };
        let flat = Network::flat(1, Path { latency: ms(0.0), ..Path::default() });
        let mut world = World::new(1, flat, Recorder::new(&record));
        world.add::<Script>("script", Arc::new(lines.clone()), 1, &[ZoneId(0)], true);
        world.add::<Member>("kv", Arc::new(far), 3, &[ZoneId(0)], false);
        world.start();
        until(&mut world, 200_000);
        let script = &world.members::<Script>(TierId(0)).expect("typed")[0];
        let total: Span = script.answers.iter().map(|answer| answer.causes.total()).sum();
        let mean = total.as_secs_f64() * 1e3 / count as f64 / mean_ms;
        // the standard error of the mean of 20,000 is below 0.9 % of it
        assert!((mean / expected - 1.0).abs() < 0.03, "R = {r}: {mean} means, not {expected}");
    }
}

/// Non-expanding quorums against their closed form: a read misses each of the last k writes with p = C(N − W, R) / C(N, R).
#[test]
fn copies_that_are_not_asked_are_as_stale_as_the_lots_say() {
    let writes = 20_000;
    let lines: Lines =
        (0..writes).flat_map(|n| [write(4 * n, 0, n as i64 + 1), read(4 * n + 2, 0)]).collect();
    for (w, p) in [(1, 2.0 / 3.0), (2, 1.0 / 3.0)] {
        let asked = QuorumPlan { enough: true, ..plan(1, w, Merge::LastWrite) };
        let record = RecordPlan {
            length: Span::from_secs(100),
            series: kinds(StoreSeries::ALL),
            ..RecordPlan::default()
        };
        let flat = Network::flat(1, Path { latency: ms(0.0), ..Path::default() });
        let mut world = World::new(1, flat, Recorder::new(&record));
        world.add::<Script>("script", Arc::new(lines.clone()), 1, &[ZoneId(0)], true);
        world.add::<Member>("kv", Arc::new(asked), 3, &[ZoneId(0)], false);
        world.start();
        until(&mut world, 100_000);
        let script = &world.members::<Script>(TierId(0)).expect("typed")[0];
        let reads = script.answers.iter().filter(|answer| answer.line % 2 == 1);
        let behind: Vec<i64> = reads
            .map(|answer| answer.line as i64 / 2 + 1 - answer.outcome.value().expect("a value").n)
            .collect();
        assert_eq!(behind.len() as u64, writes);
        for (k, power) in [(1, p), (2, p * p), (3, p * p * p)] {
            let within = behind.iter().filter(|behind| **behind < k).count() as f64 / writes as f64;
            // the standard error is below 0.36 %
            assert!(
                (within - (1.0 - power)).abs() < 0.011,
                "W = {w}, k = {k}: {within}, not {}",
                1.0 - power
            );
        }
    }
}

#[test]
fn a_write_is_acknowledged_at_the_wth_copy_and_read_back() {
    let mut world = world(vec![write(0, 0, 7), read(10, 1), read(20, 2)], plan(2, 2, Merge::LastWrite));
    until(&mut world, 100);
    assert_eq!(numbers(&world, 3), vec![Some((2, Some(7))), Some((14, Some(7))), Some((24, Some(7)))]);
}

#[test]
fn without_a_quorum_reads_fail_and_nobody_knows_of_writes() {
    let mut world = world(vec![write(10, 0, 7), read(10, 0), read(10, 1)], plan(2, 2, Merge::LastWrite));
    until(&mut world, 5);
    cut(&mut world, 0);
    until(&mut world, 5_000);
    assert_eq!(told(&world, 0, 3), Outcome::Unknown(crate::base::op::Reason::Timeout));
    assert_eq!(told(&world, 1, 3), Outcome::Fail(crate::base::op::Reason::Timeout));
}

#[test]
fn a_read_repairs_the_copies_that_answered_with_old_values() {
    for repair in [false, true] {
        let script = vec![write(10, 1, 7), read(100, 1), peek(200, 2)];
        let mut world = world(script, QuorumPlan { repair, ..plan(2, 2, Merge::LastWrite) });
        until(&mut world, 5);
        let cuts = cut(&mut world, 2);
        until(&mut world, 50);
        cuts.into_iter().for_each(|cut| world.network().lift(cut));
        until(&mut world, 2_000);
        let seen = told(&world, 2, 3).value().expect("a value").n;
        assert_eq!(seen, if repair { 7 } else { 100 });
        assert_eq!(world.recorder().series(SeriesId(StoreSeries::Repairs as u16)).total, u64::from(repair));
    }
}

#[test]
fn hints_reach_a_copy_that_was_away_and_then_stop() {
    let script = vec![write(10, 1, 7), peek(5_000, 2)];
    let mut world =
        world(script, QuorumPlan { hints: Some(Span::from_ms(700)), ..plan(1, 2, Merge::LastWrite) });
    until(&mut world, 5);
    let cuts = cut(&mut world, 2);
    until(&mut world, 2_000);
    cuts.into_iter().for_each(|cut| world.network().lift(cut));
    until(&mut world, 20_000);
    assert_eq!(told(&world, 1, 2).value().expect("a value").n, 7);
    // patience ends at 511 ms; hints at 1211, 1911 (cut), 2611 ms
    assert_eq!(world.recorder().series(SeriesId(StoreSeries::Hints as u16)).total, 3);
    assert_eq!(world.population().0, 0, "nothing goes on for ever");
}

#[test]
fn a_hint_does_not_count_as_an_acknowledgement() {
    let script = vec![write(10, 0, 7)];
    let mut world =
        world(script, QuorumPlan { hints: Some(Span::from_ms(50)), ..plan(1, 2, Merge::LastWrite) });
    until(&mut world, 5);
    let cuts = cut(&mut world, 0);
    until(&mut world, 550);
    cuts.into_iter().for_each(|cut| world.network().lift(cut));
    until(&mut world, 5_000);
    assert_eq!(told(&world, 0, 1), Outcome::Unknown(crate::base::op::Reason::Timeout));
}

/// What was acknowledged by W copies survives the crash of all, but for the mutant that does not wait for its disk.
#[test]
fn the_mutant_that_acknowledges_before_its_disk_loses_what_it_acknowledged() {
    for mutant in [Mutant::Sound, Mutant::AcksEarly] {
        let mut plan = plan(3, 3, Merge::LastWrite);
        plan.store.mutant = mutant;
        plan.store.disk = ms(20.0);
        let mut world = world(vec![write(0, 0, 7), write(30, 0, 8), read(200, 0)], plan);
        until(&mut world, 35);
        for member in 0..3 {
            world.crash(copy(member), Crash::Machine);
        }
        until(&mut world, 100);
        (0..3).for_each(|member| world.restart(copy(member)));
        until(&mut world, 1_000);
        let lines = answers(&world, 3);
        let acknowledged = if lines[1].as_ref().is_some_and(|answer| answer.outcome.is_ok()) { 8 } else { 7 };
        let read = lines[2].as_ref().expect("answered").outcome.value().expect("a value").n;
        assert_eq!(read != acknowledged, mutant == Mutant::AcksEarly, "{acknowledged} became {read}");
    }
}

/// R + W > N, and yet two buyers get the last one: a condition over a quorum is no compare-and-set.
#[test]
fn two_coordinators_can_both_pay_with_the_same_money() {
    let mut world = world(vec![take(0, 1, 100), take(0, 2, 100), read(50, 0)], plan(2, 2, Merge::LastWrite));
    until(&mut world, 1_000);
    assert!(told(&world, 0, 3).is_ok() && told(&world, 1, 3).is_ok());
    assert_eq!(told(&world, 2, 3).value().expect("a value").n, 0);
}

#[test]
fn a_counter_loses_no_addition_on_either_side_of_a_cut() {
    let script: Lines = (0..50)
        .flat_map(|place| [add(10 + place, 0, 1), add(10 + place, 1, 1)])
        .chain([read(9_000, 2)])
        .collect();
    let hints = Some(Span::from_ms(300));
    let mut world = world(script, QuorumPlan { hints, ..plan(1, 1, Merge::Counter) });
    until(&mut world, 5);
    let cuts = cut(&mut world, 0);
    until(&mut world, 2_000);
    cuts.into_iter().for_each(|cut| world.network().lift(cut));
    until(&mut world, 10_000);
    assert_eq!(told(&world, 100, 101).value().expect("a value").n, 200);
}

/// The clock of one coordinator is a minute slow: what it writes later counts as older. Siblings keep both.
#[test]
fn a_slow_clock_loses_acknowledged_writes_by_last_write_and_not_by_siblings() {
    for (merge, kept) in [(Merge::LastWrite, 7), (Merge::Siblings, 8)] {
        let script = vec![write(61_000, 0, 7), read(61_100, 1), read(61_300, 1)];
        let mut world = world(script, plan(2, 2, merge));
        world.skew(copy(1), -60_000_000_000, 0);
        until(&mut world, 61_150);
        let parent = told(&world, 1, 3).value().expect("a value").version;
        let later = Op::Write { table: 0, key: 1, n: 8, parent };
        // the second writer has read the first one's value
        let mut world = self::world(
            vec![write(61_000, 0, 7), read(61_100, 1), read(61_300, 1), (61_200, copy(1), later)],
            plan(2, 2, merge),
        );
        world.skew(copy(1), -60_000_000_000, 0);
        until(&mut world, 62_000);
        assert!(told(&world, 3, 4).is_ok(), "the later write was acknowledged");
        assert_eq!(told(&world, 2, 4).value().expect("a value").n, kept, "{merge:?}");
    }
}

fn at_session(ms: u64, at: u32) -> (u64, Pid, Op) {
    (ms, copy(at), Op::Read { table: 0, key: 1, taking: None, at: At::Session })
}

#[test]
fn a_session_meets_what_was_acknowledged_even_where_r_and_w_do_not_overlap() {
    let script = vec![write(10, 0, 7), peek(100, 2), read(100, 2), at_session(100, 2)];
    let mut world = world(script, plan(1, 2, Merge::LastWrite));
    let effects = cut(&mut world, 2);
    until(&mut world, 50);
    effects.into_iter().for_each(|effect| world.network().lift(effect));
    until(&mut world, 300);
    let seen = [Some((12, Some(7))), Some((102, Some(100))), Some((102, Some(100))), Some((104, Some(7)))];
    assert_eq!(numbers(&world, 4), seen);
}

/// A write that only its cut-off coordinator has: who has been shown it is shown it again, wherever it asks.
#[test]
fn what_a_session_was_shown_stays_seen() {
    let script = vec![write(10, 0, 7), at_session(100, 0), at_session(200, 2), peek(300, 2)];
    let mut world = world(script, plan(2, 2, Merge::LastWrite));
    let effects = cut(&mut world, 0);
    until(&mut world, 50);
    effects.into_iter().for_each(|effect| world.network().lift(effect));
    until(&mut world, 1_000);
    let told = numbers(&world, 4);
    assert_eq!(told[1], Some((104, Some(7))), "a round trip to read, another to make it safe");
    assert_eq!([told[2], told[3]], [Some((204, Some(7))), Some((302, Some(7)))]);
    assert_eq!(total(&world, StoreSeries::Repairs as u16), 2);
}
