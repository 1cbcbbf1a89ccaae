//! A leader that is drained hands over: how long nobody serves, that nothing is lost, that everything stays linearizable.

use super::*;
use crate::base::rng::{Bits, Stream};
use crate::components::replication::tests::trials;
use crate::components::replication::tests::trials::{ALL, CALM, END, Impairment};

/// A write each 4 ms and a read each 8 ms at the members that are not drained, and a few at the one that is, from 100 ms to 700 ms.
fn traffic() -> Lines {
    let writes = (0..150).map(|n| write(100 + 4 * n, 1 + n as u32 % 2, n as i64 + 1));
    let reads = (0..75).map(|n| read(102 + 8 * n, 1 + n as u32 % 2));
    let at_the_leader = (0..20).map(|n| write(101 + 30 * n, 0, 1_000 + n as i64));
    writes.chain(reads).chain(at_the_leader).collect()
}

/// The traffic with a drain of the leader from 400 ms to 600 ms.
fn drained(plan: LeaderPlan<Tables>) -> (World, Lines) {
    let lines = traffic();
    let mut world = world(1, lines.clone(), plan, 3);
    until(&mut world, 400);
    world.drain(copy(0));
    until(&mut world, 600);
    world.undrain(copy(0));
    until(&mut world, 3_000);
    (world, lines)
}

/// The longest time in which no write of the traffic was acknowledged, ms.
fn silence(world: &World, lines: &Lines) -> u64 {
    let mut acknowledged: Vec<u64> = told(world, lines.len())
        .iter()
        .zip(lines)
        .filter(|(told, (_, _, op))| {
            matches!(op, Op::Write { .. }) && told.is_some_and(|told| told.1.is_ok())
        })
        .map(|(told, _)| told.expect("it is there").0)
        .collect();
    acknowledged.sort_unstable();
    acknowledged.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

/// With 2 ms from copy to copy and 1 ms for a sync a write takes at most 10 ms. The leader asks who is there and has all (4 ms), tells one of
/// them (2 ms), who keeps its vote (1 ms), is elected (5 ms), and commits: all others have to do before is wait 150 ms or a second.
#[test]
fn a_leader_that_is_drained_hands_over_within_a_few_round_trips_and_loses_nothing() {
    let leased = LeaderPlan { lease: Some(Span::from_ms(100)), ..raft() };
    let careful = LeaderPlan { pre_vote: true, ..raft() };
    let never = LeaderPlan { election: Election::Never, ..asynchronous() };
    let plans = [raft(), leased, careful, asynchronous(), never, synchronous(2), synchronous(3)];
    for (number, plan) in plans.into_iter().enumerate() {
        let (world, lines) = drained(plan);
        let told = told(&world, lines.len());
        assert_eq!(leaders(&world), [1], "plan {number}: the next one leads, and goes on leading");
        assert_eq!(total(&world, StoreSeries::Handovers as u16), 1, "plan {number}");
        assert_eq!(total(&world, StoreSeries::Elections as u16), 1, "plan {number}");
        for ((at, to, _), told) in lines.iter().zip(&told) {
            let expected = match to.member == 0 && (398..598).contains(at) {
                true => Err(Reason::Refused),
                false => Ok(()),
            };
            assert_eq!(
                told.expect("answered").1.map(|_| ()),
                expected,
                "plan {number}: sent to {to:?} at {at}"
            );
        }
        let silence = silence(&world, &lines);
        assert!((10..45).contains(&silence), "plan {number}: nobody was served for {silence} ms");
        assert_eq!(verdict(&history(&world, &lines)), Verdict::Holds, "plan {number}");
        let values = values(&world);
        assert!(values.iter().all(|value| *value == values[0]), "plan {number}: {values:?}");
    }
}

#[test]
fn who_is_drained_declines_and_with_all_drained_the_leader_stays() {
    let mut first = world(1, vec![write(700, 2, 7), peek(800, 2)], raft(), 3);
    until(&mut first, 300);
    first.drain(copy(1));
    first.drain(copy(0));
    until(&mut first, 400);
    assert_eq!(leaders(&first), [2], "the next one is drained too");
    until(&mut first, 1_000);
    assert_eq!(told(&first, 2).map_ok(), [Some(Ok(7)), Some(Ok(7))]);

    let mut all = world(1, vec![write(1_200, 2, 7), write(2_500, 2, 8)], raft(), 3);
    until(&mut all, 300);
    (0..3).for_each(|member| all.drain(copy(member)));
    until(&mut all, 2_000);
    assert_eq!(leaders(&all), [0], "nobody takes over who would serve nobody either");
    (0..3).for_each(|member| all.undrain(copy(member)));
    until(&mut all, 3_000);
    let told = told(&all, 2);
    assert_eq!(told[0].map(|told| told.1), Some(Err(Reason::Refused)));
    assert_eq!(told[1].map(|told| told.1), Some(Ok(8)));
}

trait Outcomes {
    fn map_ok(self) -> Vec<Option<Result<i64, Reason>>>;
}

impl Outcomes for Vec<Option<(u64, Result<i64, Reason>)>> {
    fn map_ok(self) -> Vec<Option<Result<i64, Reason>>> {
        self.into_iter().map(|told| told.map(|told| told.1)).collect()
    }
}

/// Whoever is told to go while nobody can be reached goes on once the drain is over; and he who crashes while he is drained hands over when
/// he is back, if he leads still.
#[test]
fn a_handover_that_comes_to_nothing_is_tried_again() {
    let mut world = world(1, vec![write(4_000, 1, 7)], raft(), 3);
    until(&mut world, 300);
    let effects = cut(&mut world, &[0], 3);
    world.drain(copy(0));
    until(&mut world, 350);
    assert_eq!(total(&world, StoreSeries::Handovers as u16), 0, "nobody has answered");
    heal(&mut world, effects);
    until(&mut world, 600);
    assert_eq!((leaders(&world).len(), total(&world, StoreSeries::Handovers as u16)), (1, 1));
    assert_ne!(leaders(&world), [0]);
    until(&mut world, 4_500);
    assert_eq!(told(&world, 1)[0].map(|told| told.1), Some(Ok(7)));

    let mut plan = asynchronous();
    plan.election = Election::Never;
    let mut back = super::world(1, vec![write(1_000, 1, 7)], plan, 3);
    until(&mut back, 300);
    back.crash(copy(0), Crash::Machine);
    back.drain(copy(0));
    until(&mut back, 500);
    back.restart(copy(0));
    until(&mut back, 2_000);
    assert_eq!(leaders(&back), [1]);
    assert_eq!(told(&back, 1)[0].map(|told| told.1), Some(Ok(7)));
}

/// Random drains among troubles of every kind: reads under leases stay linearizable, since a lease is over once anybody was told to stand.
#[test]
fn drains_among_impairments_break_nothing() {
    for seed in 0..100 {
        let copies = 3 + 2 * (seed % 2) as u32;
        let mut draws = Stream::new(seed, 11);
        let lines: Lines = (0..150)
            .map(|line| {
                let (at, to) = (200 + draws.below(CALM - 200), draws.below(u64::from(copies)) as u32);
                if draws.below(2) == 0 { read(at, to) } else { write(at, to, line + 1) }
            })
            .collect();
        let kinds: Vec<Impairment> = ALL.iter().filter(|kind| **kind != Impairment::Clock).copied().collect();
        let plan = LeaderPlan { lease: (seed % 3 == 0).then(|| Span::from_ms(100)), ..raft() };
        let mut world = trials::world::<Member<Tables>>(seed, lines.clone(), plan, copies, trials::rough());
        let mut planned = trials::impairments(seed, copies, &kinds);
        planned.extend(trials::impairments(seed + 1_000, copies, &[Impairment::Drain]));
        trials::sail(&mut world, &planned, copies, &[]);
        until(&mut world, END);
        if let Verdict::Violated(witness) = verdict(&history(&world, &lines)) {
            panic!("seed {seed}: {}", witness.sentence);
        }
        let values = values(&world);
        assert!(values.iter().all(|value| *value == values[0]), "seed {seed}: {values:?}");
        assert_eq!(leaders(&world).len(), 1, "seed {seed}");
    }
}
