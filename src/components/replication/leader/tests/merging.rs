//! `merge = "counter"`: what a deposed leader's lost entries added is added once more, and once only.

use super::*;
use crate::base::op::When;
use crate::components::replication::tests::trials;

/// Asynchronous, with a short failover and nothing lost.
fn merging(failover_ms: u64) -> LeaderPlan<Tables> {
    LeaderPlan { merges: true, ..plan(Rule::Leader, Election::After(Span::from_ms(failover_ms))) }
}

fn add(ms: u64, to: u32, key: i64, delta: i64) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Update { table: 0, when: When::Always, key, delta, bound: 0 })
}

fn take(ms: u64, to: u32, delta: i64) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Update { table: 0, when: When::AtLeast, key: 1, delta: -delta, bound: delta })
}

/// Additions of 1 to row 1 at both sides of a cut of member 0, the leader, from 500 to 3000 ms.
fn both_sides() -> Lines {
    let at = |to: u32| (0..40).map(move |n| add(600 + 50 * n, to, 1, 1));
    at(0).chain(at(1)).collect()
}

fn acknowledged(world: &World, lines: usize) -> i64 {
    told(world, lines).iter().flatten().filter(|(_, told)| told.is_ok()).count() as i64
}

#[test]
fn no_acknowledged_addition_is_lost_with_a_deposed_leader() {
    for merges in [false, true] {
        let mut world = world(1, both_sides(), LeaderPlan { merges, ..merging(300) }, 3);
        until(&mut world, 500);
        let effects = cut(&mut world, &[0], 3);
        until(&mut world, 3_000);
        let acknowledged = acknowledged(&world, 80);
        assert!(acknowledged > 70, "both sides serve: {acknowledged}");
        heal(&mut world, effects);
        until(&mut world, 3_500);
        let lost = if merges { 0 } else { 40 };
        assert_eq!(values(&world), [acknowledged - lost; 3]);
        assert_eq!(
            total(&world, StoreSeries::Merged as u16),
            if merges { 3 * 40 } else { 0 },
            "at three copies"
        );
    }
}

/// Both sides find enough in the account; their sum is below the floor that each of them kept.
#[test]
fn floors_are_not_merged() {
    let script = vec![add(100, 0, 1, 100), take(600, 0, 80), take(700, 0, 80), take(1_500, 1, 80)];
    let mut world = world(1, script, merging(300), 3);
    until(&mut world, 500);
    let effects = cut(&mut world, &[0], 3);
    until(&mut world, 3_000);
    heal(&mut world, effects);
    until(&mut world, 3_500);
    let told = told(&world, 4);
    assert_eq!(told[1].map(|told| told.1), Some(Ok(20)));
    assert_eq!(
        told[2].map(|told| told.1),
        Some(Err(Reason::Condition)),
        "what had no effect adds nothing later"
    );
    assert_eq!(told[3].map(|told| told.1), Some(Ok(20)));
    assert_eq!(values(&world), [-60; 3]);
}

/// Whoever crashes, whenever, and whoever leads next: each addition counts once.
#[test]
fn an_addition_is_merged_once_through_crashes_and_another_failover() {
    let mut merged = Vec::new();
    for victim in 0..3 {
        for after in (0..70).step_by(3) {
            let mut world = world(1, both_sides(), merging(300), 3);
            until(&mut world, 500);
            let effects = cut(&mut world, &[0], 3);
            until(&mut world, 3_000);
            let acknowledged = acknowledged(&world, 80);
            heal(&mut world, effects);
            until(&mut world, 3_000 + after);
            if victim < 2 {
                // The old leader, or the new one, is back again soon.
                world.crash(copy(victim), Crash::Machine);
                until(&mut world, 3_100 + after);
                world.restart(copy(victim));
            } else {
                // The new one is away for so long that there is a third.
                let effects = cut(&mut world, &[1], 3);
                until(&mut world, 5_000);
                assert_eq!(leaders(&world).len(), 2, "the second has not heard of it");
                heal(&mut world, effects);
            }
            until(&mut world, 8_000);
            assert_eq!(values(&world), [acknowledged; 3], "victim {victim}, {after} ms after the heal");
            merged.push(total(&world, StoreSeries::Merged as u16));
        }
    }
    assert!(merged.iter().any(|merged| *merged > 3 * 40), "some were lost and merged twice: {merged:?}");
}

#[test]
fn a_cut_that_outlasts_the_log_loses_nothing_either() {
    let script: Lines = (0..30_000).map(|n| add(1_000 + n / 4, 0, 1, 1)).collect();
    let mut world = world(1, script, merging(300), 3);
    until(&mut world, 500);
    let effects = cut(&mut world, &[0], 3);
    until(&mut world, 10_000);
    heal(&mut world, effects);
    until(&mut world, 12_000);
    assert_eq!(values(&world), [30_000; 3]);
    world.crash(copy(1), Crash::Machine);
    world.restart(copy(1));
    until(&mut world, 14_000);
    assert_eq!(values(&world), [30_000; 3], "and it is on disk");
}

#[test]
fn additions_count_once_under_random_faults_and_copies_converge() {
    let (mut merged, mut lost_without, mut worst) = (0, 0, 0);
    for seed in 0..200 {
        for merges in [true, false] {
            let increment = |key| Op::Update { table: 0, when: When::Always, key, delta: 1, bound: 0 };
            let mut lines = trials::rows_of_their_own(seed, 3, 200, increment);
            trials::probes(&mut lines, &[0, 1, 2]);
            lines.iter_mut().zip(0..).for_each(|((_, _, op), key)| *op = increment(key));
            let plan = LeaderPlan { merges, ..merging(200) };
            let mut world = trials::world::<Member<Tables>>(seed, lines.clone(), plan, 3, trials::rough());
            trials::sail(&mut world, &trials::impairments(seed, 3, trials::ALL), 3, &[]);
            until(&mut world, trials::END);
            let start = [Initial { n: 0, keys: 1000 }];
            let members = world.members::<Member<Tables>>(TierId(1)).expect("typed");
            let count = |member: u32, key| members[member as usize].machine().value(&start, (0, key)).n;
            let miscounted = trials::miscounted(&world, &lines, &[0, 1, 2], count);
            if merges {
                assert_eq!(miscounted, None, "seed {seed}");
                merged += total(&world, StoreSeries::Merged as u16);
                worst = worst.max(trials::recovery(&world, &lines));
            } else {
                lost_without += u64::from(miscounted.is_some());
            }
        }
    }
    println!("async with counters: {merged} merged, served again after {worst} ms at worst");
    assert!(merged > 100, "{merged} additions were merged in all");
    assert!(lost_without > 50, "without merging {lost_without} of 200 seeds lose some");
}
