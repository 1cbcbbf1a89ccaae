//! Several leaders line by line: what each rule of the module says; then under random faults.

use super::member::Member;
use crate::base::ids::{OpId, Pid, SeriesId, TierId, ZoneId};
use crate::base::op::{At, Op, Outcome, Reason, When};
use crate::base::time::Span;
use crate::components::mech::cores::Discipline;
use crate::components::mech::mutant::Mutant;
use crate::components::replication::multi_leader::plan::*;
use crate::components::replication::tests::trials;
use crate::components::replication::tests::trials::{ALL, CALM, END, copy, ms, write};
use crate::components::script::{Lines, answers, total, until};
use crate::components::storage::cell::Cell;
use crate::components::storage::cell::Merge;
use crate::components::storage::legs::WarsDelays;
use crate::components::storage::pace::PerCopy;
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::Initial;
use crate::components::storage::series::StoreSeries;
use crate::net::effect::{Effect, NodeSet};
use crate::net::path::Path;
use crate::sim::nodes::Crash;
use crate::sim::run::World;

fn plan(merge: Merge) -> MultiLeaderPlan {
    MultiLeaderPlan {
        store: StorePlan {
            read: ms(0.0),
            write: ms(0.0),
            disk: ms(1.0),
            cores: u32::MAX,
            queue: u32::MAX,
            discipline: Discipline::Fifo,
            speed_ppm: 1_000_000,
            pool: None,
            start: vec![Initial { n: 0, keys: 10_000 }],
            session: None,
            transactional: false,
            isolation: crate::components::storage::transactions::Isolation::ReadCommitted,
            lock_wait: Span::from_secs(50),
            row_waiting: crate::components::storage::transactions::waiting::Waiting::AT_ONCE,
            idle: Span::from_secs(3600),
            first_series: SeriesId(0),
            mutant: Mutant::Sound,
        },
        merge,
        apply: PerCopy::default(),
        lag: PerCopy::default(),
        send: None,
        again: Span::from_secs(1),
        legs: WarsDelays::default(),
    }
}

/// Three copies, 2 ms apart.
fn world(lines: Lines, plan: MultiLeaderPlan) -> World {
    trials::world::<Member>(1, lines, plan, 3, Path { latency: ms(2.0), ..Path::default() })
}

fn read(ms: u64, to: u32) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Read { table: 0, key: 1, taking: None, at: At::Primary })
}

fn add(ms: u64, to: u32, key: i64, delta: i64) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Update { table: 0, when: When::Always, key, delta, bound: 0 })
}

fn take(ms: u64, to: u32, delta: i64) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Update { table: 0, when: When::AtLeast, key: 1, delta: -delta, bound: delta })
}

/// When and what, by line.
fn told(world: &World, lines: usize) -> Vec<Option<(u64, Result<i64, Reason>)>> {
    let number = |outcome: Outcome| match outcome {
        Outcome::Ok(value) | Outcome::Renew(value) => Ok(value.n),
        Outcome::Fail(reason) | Outcome::Unknown(reason) => Err(reason),
    };
    let all = answers(world, lines).into_iter();
    all.map(|answer| answer.map(|answer| (answer.at_ms, number(answer.outcome)))).collect()
}

fn members(world: &World) -> Vec<&Member> {
    world.members::<Member>(TierId(1)).expect("typed")
}

fn values(world: &World, merge: Merge, key: i64) -> Vec<i64> {
    members(world).iter().map(|member| member.value(&plan(merge), (0, key)).n).collect()
}

fn cut(world: &mut World, alone: u8) -> [crate::net::EffectId; 2] {
    let one = || NodeSet::zones(&[ZoneId(alone + 1)]);
    let all = || NodeSet::zones(&[ZoneId(1), ZoneId(2), ZoneId(3)]);
    let out = world.network().add(Effect::Cut { from: one(), to: all() });
    [out, world.network().add(Effect::Cut { from: all(), to: one() })]
}

#[test]
fn every_member_acknowledges_what_its_own_disk_has_and_tells_the_others() {
    // 2 ms there, a sync of 1 ms, 2 ms back; the others have it 2 ms and a sync later
    let script = vec![write(100, 0, 1, 7), write(100, 1, 2, 8), read(200, 2)];
    let mut world = world(script, plan(Merge::LastWrite));
    until(&mut world, 105);
    assert_eq!(values(&world, Merge::LastWrite, 1), [7, 0, 0]);
    until(&mut world, 109);
    assert_eq!(values(&world, Merge::LastWrite, 1), [7, 7, 7]);
    assert_eq!(values(&world, Merge::LastWrite, 2), [8, 8, 8]);
    until(&mut world, 1_000);
    assert_eq!(told(&world, 3), [Some((105, Ok(7))), Some((105, Ok(8))), Some((204, Ok(7)))]);
    assert_eq!(total(&world, StoreSeries::Resent as u16), 0);
    assert_eq!(world.population().0, 0, "nothing goes on for ever");
}

#[test]
fn conditions_look_at_the_copy_that_is_asked() {
    let mut world = world(vec![add(100, 0, 1, 5), take(200, 0, 5), take(200, 1, 5)], plan(Merge::Counter));
    until(&mut world, 1_000);
    assert_eq!(told(&world, 3)[1..], [Some((205, Ok(0))), Some((205, Ok(0)))]);
    assert_eq!(values(&world, Merge::Counter, 1), [-5; 3], "both had enough");
}

#[test]
fn what_was_written_on_both_sides_of_a_cut_is_merged_afterwards() {
    for (merge, expected) in [(Merge::LastWrite, 2), (Merge::Siblings, 2), (Merge::Counter, 1 + 2 + 3)] {
        let change =
            |ms, to, n| if merge == Merge::Counter { add(ms, to, 1, n) } else { write(ms, to, 1, n) };
        let script = vec![change(600, 0, 1), change(800, 1, 2), change(700, 2, 3)];
        let mut world = world(script, plan(merge));
        until(&mut world, 500);
        let effects = cut(&mut world, 0);
        until(&mut world, 5_000);
        assert!(told(&world, 3).iter().flatten().all(|(_, told)| told.is_ok()), "everybody serves");
        let apart = values(&world, merge, 1);
        assert_ne!(apart[0], apart[1]);
        effects.into_iter().for_each(|effect| world.network().lift(effect));
        until(&mut world, 6_010);
        let together = values(&world, merge, 1);
        assert!(together.iter().all(|value| *value == together[0]), "{merge:?}: {together:?}");
        if merge != Merge::Siblings {
            assert_eq!(together[0], expected, "{merge:?}");
        } else {
            let Some(Cell::Siblings { alive, .. }) = members(&world)[2].rows.get(&(0, 1)) else { panic!() };
            let mut kept: Vec<i64> = alive.iter().map(|(_, value)| value.n).collect();
            kept.sort_unstable();
            assert_eq!(kept, [1, 2, 3], "all stay");
        }
        assert!(total(&world, StoreSeries::Resent as u16) > 0);
    }
}

/// Rule 1: the mutant acknowledges at once and forgets.
#[test]
fn a_crash_keeps_what_was_acknowledged() {
    for mutant in [Mutant::Sound, Mutant::AcksEarly] {
        let mut plan = plan(Merge::Counter);
        plan.store.disk = ms(20.0);
        plan.store.mutant = mutant;
        let mut world = world(vec![add(100, 0, 1, 1), add(130, 0, 1, 2)], plan);
        until(&mut world, 135);
        world.crash(copy(0), Crash::Machine);
        until(&mut world, 200);
        world.restart(copy(0));
        until(&mut world, 3_000);
        let acknowledged: i64 =
            told(&world, 2).iter().flatten().filter_map(|(_, told)| told.ok()).max().unwrap_or(0);
        let kept = values(&world, Merge::Counter, 1);
        assert_eq!(kept == [acknowledged; 3], mutant == Mutant::Sound, "{acknowledged} became {kept:?}");
    }
}

#[test]
fn an_applier_that_takes_its_time_lags_and_loses_nothing() {
    let slow = MultiLeaderPlan { apply: PerCopy::all(ms(20.0)), ..plan(Merge::Counter) };
    let script: Lines = (0..50).map(|n| add(100 + n, 0, 1, 1)).collect();
    let mut world = world(script, slow);
    until(&mut world, 405);
    // the first change is safe at the others at 106 ms
    assert_eq!(values(&world, Merge::Counter, 1), [50, 14, 14]);
    until(&mut world, 1_200);
    assert_eq!(values(&world, Merge::Counter, 1), [50; 3]);
}

/// Rule 6.
#[test]
fn whoever_missed_more_than_the_others_keep_gets_all_rows() {
    let script: Lines = (0..70_000).map(|n| add(600 + n / 40, 0, (n % 50) as i64, 1)).collect();
    let mut world = world(script, plan(Merge::Counter));
    until(&mut world, 500);
    let effects = cut(&mut world, 2);
    until(&mut world, 3_000);
    assert_eq!(values(&world, Merge::Counter, 7), [1400, 1400, 0]);
    effects.into_iter().for_each(|effect| world.network().lift(effect));
    until(&mut world, 4_100);
    assert_eq!(values(&world, Merge::Counter, 7), [1400; 3]);
    assert!(total(&world, StoreSeries::Snapshots as u16) >= 1);
    world.crash(copy(2), Crash::Machine);
    world.restart(copy(2));
    until(&mut world, 8_000);
    assert_eq!(values(&world, Merge::Counter, 7), [1400; 3], "and it is on disk");
}

fn broken(mutant: Mutant, mut plan: MultiLeaderPlan) -> MultiLeaderPlan {
    plan.store.mutant = mutant;
    plan
}

/// Rule 3: the mutant sends once.
#[test]
fn what_was_not_confirmed_is_sent_again() {
    for mutant in [Mutant::Sound, Mutant::NeverAgain] {
        let mut world =
            world(vec![add(600, 0, 1, 1), add(3_000, 0, 1, 1)], broken(mutant, plan(Merge::Counter)));
        until(&mut world, 500);
        let effects = cut(&mut world, 0);
        until(&mut world, 2_000);
        effects.into_iter().for_each(|effect| world.network().lift(effect));
        until(&mut world, 6_000);
        assert_eq!(values(&world, Merge::Counter, 1) == [2; 3], mutant == Mutant::Sound, "{mutant:?}");
    }
}

/// Copies converge so long after it is calm, ms: the next sending, and again for each datagram that is lost on the rough path;
/// then the backlog is a window, a round trip with two syncs of which one may be a slow one.
const CONVERGES: u64 = 3 * 1_000 + 2 * trials::LATENCY_MAX + trials::SLOW_DISK + 100;

/// The first row that is not what its changes make it, and when the copies had converged.
fn trial(seed: u64, plan: MultiLeaderPlan) -> (Option<String>, Option<u64>, u64) {
    let merge = plan.merge;
    let change = |key| match merge {
        Merge::Counter => {
            Op::Update { table: 0, when: When::Always, key: 5_000 + key % 7, delta: 1, bound: 0 }
        }
        _ => Op::Write { table: 0, key: 5_000 + key % 7, n: key, parent: OpId(0) },
    };
    let shared = trials::rows_of_their_own(seed, 3, 150, change);
    let own = |key| Op::Write { table: 0, key, n: 1, parent: OpId(0) };
    let mut lines = trials::rows_of_their_own(seed + 1_000, 3, 100, own);
    trials::probes(&mut lines, &[0, 1, 2]);
    let rows = lines.clone();
    lines.extend(shared);
    let mut world = trials::world::<Member>(seed, lines.clone(), plan.clone(), 3, trials::rough());
    trials::sail(&mut world, &trials::impairments(seed, 3, ALL), 3, &[]);
    let rows_before: Vec<i64> = (0..100).chain(5_000..5_007).collect();
    let same = |world: &World| {
        let cells = |key: i64| members(world).into_iter().map(move |member| member.rows.get(&(0, key)));
        rows_before.iter().all(|key| cells(*key).all(|cell| cell == members(world)[0].rows.get(&(0, *key))))
    };
    let mut at = CALM;
    while !same(&world) && at < END {
        at += 20;
        until(&mut world, at);
    }
    let converged = same(&world).then_some(at - CALM);
    until(&mut world, END);
    let value = |member: u32, key| members(&world)[member as usize].value(&plan, (0, key)).n;
    let mut wrong = trials::miscounted(&world, &rows, &[0, 1, 2], value);
    let told = answers(&world, lines.len());
    let shared = || lines.iter().zip(&told).skip(rows.len());
    for key in 5_000..5_007 {
        let of_row = || {
            shared().filter(move |((_, _, op), _)| {
                matches!(op, Op::Update { key: k, .. } | Op::Write { key: k, .. } if *k == key)
            })
        };
        let acknowledged = of_row().filter(|(_, answer)| trials::is_ok(answer));
        match members(&world)[0].rows.get(&(0, key)) {
            Some(cell @ Cell::Counter(_)) => {
                let n = cell.value((0, key), Default::default()).n;
                let least = acknowledged.count() as i64;
                let most = of_row().filter(|(_, answer)| !trials::failed(answer)).count() as i64;
                if !(least..=most).contains(&n) {
                    wrong = Some(format!("row {key} is {n}, of {least} to {most} additions"));
                }
            }
            Some(Cell::Siblings { alive, .. }) => {
                for ((at, _, op), _) in acknowledged {
                    let Op::Write { n, .. } = op else { panic!() };
                    if !alive.iter().any(|(_, value)| value.n == *n) {
                        wrong = Some(format!("the write of {n} to row {key} at {at} ms is gone"));
                    }
                }
            }
            _ => {}
        }
    }
    (wrong, converged, trials::recovery(&world, &rows))
}

#[test]
fn several_leaders_converge_after_random_faults_and_lose_nothing_that_merges() {
    for merge in [Merge::LastWrite, Merge::Siblings, Merge::Counter] {
        let (mut convergence, mut recovery) = (0, 0);
        for seed in 0..200 {
            let (wrong, converged, recovered) = trial(seed, plan(merge));
            assert_eq!(wrong, None, "{merge:?}, seed {seed}");
            let converged = converged.unwrap_or(u64::MAX);
            assert!(converged <= CONVERGES, "{merge:?}, seed {seed}: converged after {converged} ms");
            (convergence, recovery) = (convergence.max(converged), recovery.max(recovered));
        }
        println!(
            "multi_leader, {merge:?}: converged after {convergence} ms at worst of {CONVERGES}, served again after {recovery}"
        );
    }
}

#[test]
fn mutants_of_several_leaders_are_caught() {
    let diverged = |seed: &u64| trial(*seed, broken(Mutant::NeverAgain, plan(Merge::Counter))).1.is_none();
    assert!((0..20).any(|seed| diverged(&seed)), "sending once was not caught");
    let mut early = plan(Merge::Counter);
    early.store.mutant = Mutant::AcksEarly;
    assert!((0..40).any(|seed| trial(seed, early.clone()).0.is_some()), "acknowledging early was not caught");
}

/// What has not left when its writer crashes for good nobody else ever hears of.
#[test]
fn what_has_not_left_stays_with_its_writer() {
    for (send, there) in [(None, 40), (Some(ms(20.0)), 0)] {
        let script: Lines = (0..40).map(|n| add(100 + n / 4, 0, 1, 1)).collect();
        let mut world = world(script, MultiLeaderPlan { send, ..plan(Merge::Counter) });
        until(&mut world, 115);
        world.crash(copy(0), Crash::Machine);
        until(&mut world, 3_000);
        assert_eq!(values(&world, Merge::Counter, 1)[1..], [there; 2]);
    }
}

#[test]
fn changes_sit_a_lag_out_at_once() {
    let lag = PerCopy::each(vec![ms(0.0), ms(0.0), ms(200.0)]);
    let script: Lines = (0..50).map(|n| add(100 + n, 0, 1, 1)).collect();
    let mut world = world(script, MultiLeaderPlan { lag, ..plan(Merge::Counter) });
    until(&mut world, 300);
    assert_eq!(values(&world, Merge::Counter, 1), [50, 50, 0], "the first was written at 102 ms");
    until(&mut world, 360);
    assert_eq!(values(&world, Merge::Counter, 1), [50; 3]);
}
