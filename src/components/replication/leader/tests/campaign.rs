//! Copies with a leader under random faults of every kind, judged by what clients saw; then in calm weather with the least
//! that must suffice.

use super::*;
use crate::base::rng::{Bits, Stream};
use crate::components::mech::mutant::Mutant;
use crate::components::replication::tests::trials;
use crate::components::replication::tests::trials::{ALL, CALM, END, Impairment, LASTS_MAX};

/// Operations on one row.
const LINES: usize = 150;
/// Rounds of an election, of which each leaves a leader with a chance of nine in ten at least.
const ROUNDS: u64 = 5;
/// The most that members wait before they stand for election, ms: raft's here, and those with a failover after 200 ms.
const ELECTION_MAX: u64 = 300;
const FAILOVER_MAX: u64 = 500;
/// What waits in a connection goes on at most so much later than what held it up ends, ms: the next retransmission
/// comes after as long as all waits before together, and 200 ms more.
const RETRANSMISSION: u64 = LASTS_MAX + 200;
/// Everybody serves again so long after it is calm, ms: see the module's document.
const fn serves_again(election_max: u64) -> u64 {
    RETRANSMISSION + ROUNDS * (election_max + 4 * trials::LATENCY_MAX + 2) + trials::SLOW_DISK
}

/// Writes, reads and compare-and-sets of one row at random members.
fn one_row(seed: u64, copies: u32) -> Lines {
    let mut draws = Stream::new(seed, 8);
    let line = |line: usize| {
        let (at, to) = (200 + draws.below(CALM - 200), draws.below(u64::from(copies)) as u32);
        match draws.below(8) {
            0..3 => read(at, to),
            3 => {
                let (from, to_value) = (1 + draws.below(line as u64 + 1) as i64, line as i64 + 1);
                (at, copy(to), Op::Cas { table: 0, key: 1, from, to: to_value })
            }
            _ => write(at, to, line as i64 + 1),
        }
    };
    (0..LINES).map(line).collect()
}

/// What became of a run.
struct Seen {
    history: Vec<Operation>,
    recovery: u64,
    leaders: usize,
    values: Vec<i64>,
}

/// A run through troubles of these kinds; afterwards a minority stays away.
fn run(seed: u64, plan: LeaderPlan<Tables>, copies: u32, kinds: &[Impairment]) -> Seen {
    let mut draws = Stream::new(seed, 9);
    let (first, minority) = (draws.below(u64::from(copies)) as u32, (copies - 1) / 2);
    let (away, there): (Vec<u32>, Vec<u32>) =
        (0..copies).partition(|member| (member + copies - first) % copies < minority);
    let rows = one_row(seed, copies);
    let mut lines = rows.clone();
    trials::probes(&mut lines, &there);
    // Probes are of other rows.
    lines[LINES..].iter_mut().for_each(|(_, _, op)| {
        if let Op::Write { key, .. } = op {
            *key += 2;
        }
    });
    let mut world = trials::world::<Member<Tables>>(seed, lines.clone(), plan, copies, trials::rough());
    trials::sail(&mut world, &trials::impairments(seed, copies, kinds), copies, &away);
    until(&mut world, END);
    let leads = leaders(&world).into_iter().filter(|leader| there.contains(leader)).count();
    let all = values(&world);
    Seen {
        history: history(&world, &rows),
        recovery: trials::recovery(&world, &lines),
        leaders: leads,
        values: there.iter().map(|member| all[*member as usize]).collect(),
    }
}

/// Runs so many seeds of a store that must be linearizable and live.
fn is_sound(name: &str, seeds: u64, kinds: &[Impairment], plan: impl Fn(u64) -> LeaderPlan<Tables>) {
    let (mut worst, mut swapped, mut answered) = (0, 0, 0);
    for seed in 0..seeds {
        let seen = run(seed, plan(seed), 3 + 2 * (seed % 2) as u32, kinds);
        if let Verdict::Violated(witness) = verdict(&seen.history) {
            panic!("{name}, seed {seed}: {}", witness.sentence);
        }
        assert!(
            seen.recovery <= serves_again(ELECTION_MAX),
            "{name}, seed {seed}: served again after {} ms",
            seen.recovery
        );
        assert_eq!(seen.leaders, 1, "{name}, seed {seed}");
        assert!(
            seen.values.iter().all(|value| *value == seen.values[0]),
            "{name}, {seed}: {:?}",
            seen.values
        );
        let done = seen.history.iter().filter(|operation| !operation.is_pending());
        answered += done.clone().count();
        swapped += done.filter(|operation| matches!(operation.call, Call::Cas(..))).count();
        worst = worst.max(seen.recovery);
    }
    println!("{name}: served again after {worst} ms at worst, of {}", serves_again(ELECTION_MAX));
    let mean = answered as u64 / seeds;
    assert!(mean > 40 && swapped > 0, "{mean} operations answered in a run, {swapped} swaps in all");
}

/// How many of so many seeds show a violation.
fn violations(seeds: u64, kinds: &[Impairment], plan: &LeaderPlan<Tables>) -> u64 {
    let violated =
        |seed: &u64| matches!(verdict(&run(*seed, plan.clone(), 3, kinds).history), Verdict::Violated(_));
    (0..seeds).filter(violated).count() as u64
}

#[test]
fn raft_is_linearizable_under_random_faults_and_serves_again_afterwards() {
    is_sound("raft", 200, ALL, |seed| LeaderPlan { pre_vote: seed % 4 < 2, ..raft() });
}

/// Leases hold while clocks run at rates that differ by a tenth at most, and however wrong they are.
#[test]
fn raft_with_leases_is_linearizable_whatever_clocks_show() {
    let leased = |lease| LeaderPlan { lease: Some(Span::from_ms(lease)), ..raft() };
    is_sound("raft with leases", 200, ALL, |_| leased(100));
    let cuts = [Impairment::Cut, Impairment::OneWay, Impairment::Between];
    assert!(violations(100, &cuts, &leased(2_000)) > 0, "a lease longer than an election takes lies");
}

#[test]
fn mutants_of_raft_are_caught() {
    let slow_disk = |mut plan: LeaderPlan<Tables>| {
        plan.store.disk = ms(100.0);
        plan
    };
    assert_eq!(violations(40, ALL, &slow_disk(raft())), 0, "a slow disk alone breaks nothing");
    let reads_when_deposed = broken(Mutant::ReadsWhenDeposed, raft());
    let decides_alone = LeaderPlan { decides_alone: true, ..raft() };
    for plan in [reads_when_deposed, decides_alone] {
        let caught = violations(40, ALL, &slow_disk(plan.clone()));
        assert!(caught > 0, "{plan:?} was not caught in 40 seeds");
    }
}

/// The first acknowledged write of a row of its own that some copy lacks at the end, and when clients were served again.
fn lost(seed: u64, plan: LeaderPlan<Tables>) -> (Option<String>, u64, u64) {
    let mut lines =
        trials::rows_of_their_own(seed, 3, 200, |key| Op::Write { table: 0, key, n: 1, parent: OpId(0) });
    let rows = lines.len() as i64;
    trials::probes(&mut lines, &[0, 1, 2]);
    let mut world = trials::world::<Member<Tables>>(seed, lines.clone(), plan, 3, trials::rough());
    trials::sail(&mut world, &trials::impairments(seed, 3, ALL), 3, &[]);
    let count = |world: &World, member: u32, key| {
        let start = [Initial { n: 0, keys: 10_000 }];
        let members = world.members::<Member<Tables>>(TierId(1)).expect("typed");
        members[member as usize].machine().value(&start, (0, key)).n
    };
    let converged = |world: &World| {
        (0..rows).all(|key| (1..3).all(|member| count(world, member, key) == count(world, 0, key)))
    };
    let mut at = CALM;
    while !converged(&world) {
        at += 20;
        assert!(at < END, "seed {seed}: no convergence");
        until(&mut world, at);
    }
    until(&mut world, END);
    let lost = trials::miscounted(&world, &lines, &[0, 1, 2], |member, key| count(&world, member, key));
    (lost, trials::recovery(&world, &lines), at - CALM)
}

/// With a failover after 200 ms; the last of three stands 200 ms later.
fn soon(plan: LeaderPlan<Tables>) -> LeaderPlan<Tables> {
    LeaderPlan { election: Election::After(Span::from_ms(200)), ..plan }
}

#[test]
fn synchronous_copies_never_lose_what_they_acknowledged_and_asynchronous_ones_converge() {
    let mut receive = LeaderPlan { ack: Ack::Receive, ..synchronous(2) };
    receive.store.disk = ms(50.0);
    let apply = LeaderPlan { ack: Ack::Apply, apply: PerCopy::all(ms(2.0)), ..synchronous(2) };
    let plans = [
        ("sync of 2", synchronous(2), false),
        ("sync of 3", synchronous(3), false),
        ("sync, ack = apply", apply, false),
        ("sync, ack = receive", receive, true),
        ("async", asynchronous(), true),
    ];
    for (name, plan, loses) in plans {
        let (mut losing, mut recovery, mut convergence) = (0, 0, 0);
        // What may be lost is lost rarely: as many seeds as it takes to see it.
        for seed in 0..if loses { 4_000 } else { 200 } {
            if seed >= 200 && losing > 0 {
                break;
            }
            let (lost, recovered, converged) = lost(seed, soon(plan.clone()));
            assert!(loses || lost.is_none(), "{name}, seed {seed}: {lost:?}");
            assert!(
                recovered <= serves_again(FAILOVER_MAX),
                "{name}, seed {seed}: served again after {recovered} ms"
            );
            assert!(
                converged <= serves_again(FAILOVER_MAX),
                "{name}, seed {seed}: converged after {converged} ms"
            );
            losing += u64::from(lost.is_some());
            (recovery, convergence) = (recovery.max(recovered), convergence.max(converged));
        }
        println!(
            "{name}: {losing} seeds lose, served again after {recovery} ms and converged after {convergence} at worst"
        );
        assert_eq!(losing > 0, loses, "{name}: {losing} seeds lose an acknowledged write");
    }
}
