//! Copies with a leader, line by line. `campaign` has them under random faults, `clocks` under clocks that are wrong, `merging` what
//! becomes of additions.

mod campaign;
mod clocks;
mod handover;
mod merging;
mod showing;

use std::sync::Arc;

use super::member::Member;
use crate::base::dist::Dist;
use crate::base::ids::{OpId, Pid, SeriesId, TierId, ZoneId};
use crate::base::op::{At, Op, Outcome, Reason};
use crate::base::series::kinds;
use crate::base::time::Span;
use crate::base::time::Time;
use crate::check::Verdict;
use crate::check::history::{Call, Operation, PENDING, Texts};
use crate::check::judge::one;
use crate::check::search::Budget;
use crate::components::mech::cores::Discipline;
use crate::components::mech::mutant::Mutant;
use crate::components::replication::leader::plan::*;
use crate::components::script::{Lines, PART, Script, answers, total, until};
use crate::components::storage::legs::WarsDelays;
use crate::components::storage::pace::PerCopy;
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::{Initial, Tables};
use crate::components::storage::series::StoreSeries;
use crate::net::effect::{Effect, NodeSet};
use crate::net::path::Path;
use crate::net::{EffectId, Network};
use crate::record::recorder::{RecordPlan, Recorder};
use crate::sim::nodes::Crash;
use crate::sim::run::World;

fn ms(ms: f64) -> Dist {
    Dist::Constant(ms * 1e6)
}

fn plan(rule: Rule, election: Election) -> LeaderPlan<Tables> {
    let start = vec![Initial { n: 0, keys: 1000 }];
    LeaderPlan {
        machine: start.clone(),
        store: StorePlan {
            read: ms(0.0),
            write: ms(0.0),
            disk: ms(1.0),
            cores: u32::MAX,
            queue: u32::MAX,
            discipline: Discipline::Fifo,
            speed_ppm: 1_000_000,
            pool: None,
            start,
            transactional: false,
            isolation: crate::components::storage::transactions::Isolation::ReadCommitted,
            lock_wait: Span::from_secs(50),
            row_waiting: crate::components::storage::transactions::waiting::Waiting::AT_ONCE,
            idle: Span::from_secs(3600),
            session: None,
            first_series: SeriesId(0),
            mutant: Mutant::Sound,
        },
        rule,
        ack: Ack::Flush,
        election,
        heartbeat: Span::from_ms(50),
        pre_vote: false,
        lease: None,
        apply: PerCopy::default(),
        lag: PerCopy::default(),
        send: None,
        begins_led: true,
        merges: false,
        legs: WarsDelays::default(),
        patience: Span::from_ms(500),
        linger: Span::from_ms(500),
        decides_alone: false,
    }
}

pub(super) fn raft() -> LeaderPlan<Tables> {
    plan(Rule::Majority, Election::Drawn(Dist::Uniform { low: 150e6, high: 300e6, step: None }))
}

pub(super) fn asynchronous() -> LeaderPlan<Tables> {
    plan(Rule::Leader, Election::After(Span::from_ms(1_000)))
}

fn synchronous(of: u8) -> LeaderPlan<Tables> {
    plan(Rule::Copies(of), Election::After(Span::from_ms(1_000)))
}

/// A script in a zone of its own, and copies in a zone each, 2 ms apart.
pub(super) fn world(seed: u64, script: Lines, plan: LeaderPlan<Tables>, copies: u32) -> World {
    let near = Path { latency: ms(0.0), ..Path::default() };
    let far = Path { latency: ms(2.0), ..Path::default() };
    let all: Vec<ZoneId> = (0..=copies as u8).map(ZoneId).collect();
    let pairs = all.iter().flat_map(|a| all.iter().map(move |b| (*a, *b)));
    let links: Vec<_> = pairs.map(|(a, b)| (a, b, if a == b { near.clone() } else { far.clone() })).collect();
    let names = all.iter().map(|zone| format!("z{}", zone.0)).collect();
    let record =
        RecordPlan { length: Span::from_secs(60), series: kinds(StoreSeries::ALL), ..RecordPlan::default() };
    let mut world = World::new(seed, Network::new(seed, names, near, &links), Recorder::new(&record));
    world.add::<Script>("script", Arc::new(script), 1, &all[..1], true);
    world.add::<Member<Tables>>("kv", Arc::new(plan), copies, &all[1..], false);
    world.start();
    world
}

pub(super) fn copy(member: u32) -> Pid {
    Pid::new(PART.tier, member)
}

fn read(ms: u64, to: u32) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Read { table: 0, key: 1, taking: None, at: At::Primary })
}

pub(super) fn peek(ms: u64, to: u32) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Read { table: 0, key: 1, taking: None, at: At::Copy(to as u8) })
}

pub(super) fn write(ms: u64, to: u32, n: i64) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Write { table: 0, key: 1, n, parent: OpId(0) })
}

/// When and what, by line.
pub(super) fn told(world: &World, lines: usize) -> Vec<Option<(u64, Result<i64, Reason>)>> {
    let number = |outcome: Outcome| match outcome {
        Outcome::Ok(value) | Outcome::Renew(value) => Ok(value.n),
        Outcome::Fail(reason) | Outcome::Unknown(reason) => Err(reason),
    };
    let all = answers(world, lines).into_iter();
    all.map(|answer| answer.map(|answer| (answer.at_ms, number(answer.outcome)))).collect()
}

/// Cuts some copies off from the others and from everybody else.
pub(super) fn cut(world: &mut World, alone: &[u8], copies: u8) -> [EffectId; 2] {
    let zones = |members: &mut dyn Iterator<Item = u8>| {
        NodeSet::zones(&members.map(|member| ZoneId(member + 1)).collect::<Vec<_>>())
    };
    let a = || zones(&mut alone.iter().copied());
    let b = || zones(&mut (0..copies).filter(|member| !alone.contains(member)));
    let out = world.network().add(Effect::Cut { from: a(), to: b() });
    [out, world.network().add(Effect::Cut { from: b(), to: a() })]
}

pub(super) fn heal(world: &mut World, effects: [EffectId; 2]) {
    effects.into_iter().for_each(|effect| world.network().lift(effect));
}

fn leaders(world: &World) -> Vec<u32> {
    let members = world.members::<Member<Tables>>(TierId(1)).expect("typed").into_iter().zip(0..);
    members.filter(|(member, _)| member.leads().is_some()).map(|(_, number)| number).collect()
}

fn values(world: &World) -> Vec<i64> {
    let start = [Initial { n: 0, keys: 1000 }];
    let members = world.members::<Member<Tables>>(TierId(1)).expect("typed").into_iter();
    members.map(|member| member.machine().value(&start, (0, 1)).n).collect()
}

#[test]
fn a_write_costs_what_its_rule_says() {
    // 2 ms there, 2 ms back; a sync of 1 ms at the leader, and under two of the rules 2 + 1 + 2 ms more for a copy's word.
    for (plan, at) in [(asynchronous(), 105), (synchronous(3), 110), (raft(), 109)] {
        let mut world = world(1, vec![write(100, 0, 7), read(200, 0)], plan.clone(), 3);
        until(&mut world, 300);
        let read_at = if plan.rule == Rule::Majority { 208 } else { 204 };
        assert_eq!(told(&world, 2), [Some((at, Ok(7))), Some((read_at, Ok(7)))], "{:?}", plan.rule);
        assert_eq!(values(&world), [7, 7, 7], "{:?}", plan.rule);
    }
}

#[test]
fn whoever_does_not_lead_sends_on_to_whoever_does() {
    let mut world = world(1, vec![write(100, 2, 7), read(200, 1), peek(200, 2)], raft(), 3);
    until(&mut world, 300);
    assert_eq!(told(&world, 3), [Some((113, Ok(7))), Some((212, Ok(7))), Some((204, Ok(7)))]);
}

#[test]
fn a_cut_off_leader_of_raft_serves_nobody_and_comes_back_as_a_follower() {
    let script = vec![write(100, 0, 1), write(600, 0, 2), read(600, 0), write(1000, 1, 3), read(2000, 0)];
    let mut world = world(1, script, raft(), 3);
    until(&mut world, 500);
    let effects = cut(&mut world, &[0], 3);
    until(&mut world, 1500);
    assert_eq!(leaders(&world).len(), 2, "the old one has not heard of the new one");
    heal(&mut world, effects);
    until(&mut world, 3000);
    let told = told(&world, 5);
    assert_eq!(told[0], Some((109, Ok(1))));
    assert_eq!(told[1].map(|told| told.1), Some(Err(Reason::NoLeader)), "unknown, once it was deposed");
    assert_eq!(told[2].map(|told| told.1), Some(Err(Reason::NoLeader)));
    assert_eq!(told[3].map(|told| told.1), Some(Ok(3)));
    assert_eq!(told[4].map(|told| told.1), Some(Ok(3)));
    assert_eq!((leaders(&world).len(), values(&world)), (1, vec![3, 3, 3]));
    assert_eq!(
        (total(&world, StoreSeries::Elections as u16), total(&world, StoreSeries::Truncated as u16)),
        (1, 1)
    );
}

#[test]
fn an_asynchronous_leader_that_was_cut_off_loses_what_it_acknowledged() {
    let script = vec![write(100, 0, 1), write(600, 0, 2), write(2500, 1, 3), peek(4500, 0)];
    let mut world = world(1, script, asynchronous(), 3);
    until(&mut world, 500);
    let effects = cut(&mut world, &[0], 3);
    until(&mut world, 3000);
    heal(&mut world, effects);
    until(&mut world, 5000);
    let told = told(&world, 4);
    assert_eq!(told[1], Some((605, Ok(2))), "acknowledged, and lost");
    assert_eq!(told[3].map(|told| told.1), Some(Ok(3)));
    assert_eq!(values(&world), [3, 3, 3]);
    assert_eq!(total(&world, StoreSeries::Snapshots as u16), 1, "it had applied what the others never had");
}

#[test]
fn a_synchronous_leader_acknowledges_nothing_that_a_copy_lacks() {
    let script = vec![write(600, 0, 2), read(700, 0), write(2500, 1, 3), read(4500, 0)];
    let mut world = world(1, script, synchronous(3), 3);
    until(&mut world, 500);
    let effects = cut(&mut world, &[0], 3);
    until(&mut world, 4000);
    assert_eq!(told(&world, 2), [None, Some((704, Ok(0)))], "what is not acknowledged is seen by nobody");
    heal(&mut world, effects);
    until(&mut world, 5000);
    let values = values(&world);
    assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
    assert_eq!(told(&world, 4)[3].map(|told| told.1), Some(Ok(values[0])));
}

#[test]
fn what_a_majority_has_on_disk_survives_a_crash_of_all() {
    let mut world = world(1, vec![write(100, 0, 7), read(3000, 1)], raft(), 3);
    until(&mut world, 200);
    (0..3).for_each(|member| world.crash(copy(member), Crash::Machine));
    until(&mut world, 300);
    (0..3).for_each(|member| world.restart(copy(member)));
    until(&mut world, 4000);
    assert_eq!(told(&world, 2)[1].map(|told| told.1), Some(Ok(7)));
}

#[test]
fn a_follower_that_missed_more_than_the_log_keeps_gets_a_copy() {
    let script = (0..30_000).map(|n| write(1_000 + n / 4, 0, n as i64 + 1)).collect();
    let mut world = world(1, script, raft(), 3);
    until(&mut world, 500);
    let effects = cut(&mut world, &[2], 3);
    until(&mut world, 12_000);
    assert_eq!(values(&world), [30_000, 30_000, 0]);
    heal(&mut world, effects);
    until(&mut world, 15_000);
    assert_eq!(values(&world), [30_000; 3]);
    assert!(total(&world, StoreSeries::Snapshots as u16) >= 1);
    world.crash(copy(2), Crash::Machine);
    world.restart(copy(2));
    until(&mut world, 20_000);
    assert_eq!(values(&world), [30_000; 3]);
}

#[test]
fn an_applier_that_takes_its_time_lags() {
    let mut slow = asynchronous();
    slow.apply = PerCopy::all(ms(20.0));
    let script =
        (0..10).map(|n| write(100 + n, 0, n as i64 + 1)).chain([peek(200, 1), peek(600, 1)]).collect();
    let mut world = world(1, script, slow, 3);
    until(&mut world, 700);
    let seen: Vec<_> = told(&world, 12)[10..].iter().map(|told| told.unwrap().1.unwrap()).collect();
    assert_eq!(seen, [4, 10], "an entry each 20 ms");
}

/// What clients saw, as operations on a register whose values are versions.
fn history(world: &World, lines: &Lines) -> Vec<Operation> {
    let operation = |((line, (ms, _, op)), answer): ((usize, &(u64, Pid, Op)), Option<_>)| {
        let answer: Option<crate::components::script::Answer> = answer;
        let invoked = 2 * (Time::ZERO + Span::from_ms(*ms)).as_ns();
        let (returned, seen) = match &answer {
            Some(answer) if answer.outcome.is_ok() => (2 * answer.at.as_ns() + 1, answer.outcome.value()),
            Some(answer) if matches!(answer.outcome, Outcome::Fail(_)) => return None,
            _ => (PENDING, None),
        };
        let call = match (op, seen) {
            (Op::Read { .. }, Some(value)) => Call::Read(value.n),
            (Op::Read { .. }, None) => return None,
            (Op::Write { n, .. }, _) => Call::Write(*n),
            (Op::Cas { from, to, .. }, _) => Call::Cas(*from, *to),
            other => panic!("{other:?}"),
        };
        Some(Operation { process: line as u64, place: line, invoked, returned, call })
    };
    let answers = answers(world, lines.len());
    lines.iter().enumerate().zip(answers).filter_map(operation).collect()
}

fn verdict(history: &[Operation]) -> Verdict {
    one(history, 0, &mut Texts::default(), Budget::default())
}

fn broken(mutant: Mutant, mut plan: LeaderPlan<Tables>) -> LeaderPlan<Tables> {
    plan.store.mutant = mutant;
    plan
}

/// Raft whose members stand for election in turn, so that a test can tell who leads.
fn in_turn(mutant: Mutant) -> LeaderPlan<Tables> {
    broken(mutant, LeaderPlan { election: Election::After(Span::from_ms(1_000)), ..raft() })
}

/// Member 2 votes for 1, which leads in term 2 and commits; then 2 crashes and is cut off from 1 together with 0.
fn two_in_a_term(mutant: Mutant) -> Verdict {
    let mut script = vec![write(100, 0, 1), write(2000, 1, 2), read(3000, 2)];
    script.extend((0..12).map(|n| read(4500 + 50 * n, 1 + n as u32 % 2)));
    let mut world = world(1, script.clone(), in_turn(mutant), 3);
    until(&mut world, 500);
    let first = cut(&mut world, &[0], 3);
    until(&mut world, 2100);
    assert_eq!(leaders(&world), [0, 1]);
    world.crash(copy(2), Crash::Machine);
    let second = cut(&mut world, &[1], 3);
    heal(&mut world, first);
    until(&mut world, 2200);
    world.restart(copy(2));
    until(&mut world, 4000);
    heal(&mut world, second);
    until(&mut world, 8000);
    verdict(&history(&world, &script))
}

#[test]
fn a_vote_that_is_forgotten_makes_two_leaders_of_one_term() {
    assert_eq!(two_in_a_term(Mutant::Sound), Verdict::Holds);
    assert!(matches!(two_in_a_term(Mutant::ForgetsVote), Verdict::Violated(_)));
}

/// Figure 8 of Ongaro and Ousterhout (2014), with 0 and 1 as its S1 and S2, and 2 as its S5: an entry of term 1 reaches a majority
/// only in a later term, and is overwritten by one of term 2.
fn figure_8(mutant: Mutant) -> Verdict {
    let other_row = (1_900, copy(2), Op::Write { table: 0, key: 2, n: 9, parent: OpId(0) });
    let mut script = vec![write(600, 0, 7), read(2_500, 1)];
    script.extend((0..20).map(|n| read(4_000 + 250 * n, 2)));
    let mut lines = script.clone();
    lines.push(other_row);
    let mut world = world(1, lines, in_turn(mutant), 5);
    until(&mut world, 500);
    let halves = cut(&mut world, &[0, 1], 5);
    until(&mut world, 700);
    world.crash(copy(0), Crash::Machine);
    until(&mut world, 1_850);
    assert_eq!(leaders(&world), [2], "of term 2");
    let alone = cut(&mut world, &[2], 5);
    until(&mut world, 2_000);
    world.crash(copy(2), Crash::Machine);
    heal(&mut world, halves);
    until(&mut world, 2_050);
    world.restart(copy(0));
    until(&mut world, 2_600);
    if mutant == Mutant::CountsOldTerms {
        assert_eq!(leaders(&world), [1], "of a later term; the entry of term 1 is at a majority now");
    }
    heal(&mut world, alone);
    let halves = cut(&mut world, &[0, 1], 5);
    let zone = |member: u8| NodeSet::zones(&[ZoneId(member + 1)]);
    let apart =
        [(3, 4), (4, 3)].map(|(a, b)| world.network().add(Effect::Cut { from: zone(a), to: zone(b) }));
    world.restart(copy(2));
    until(&mut world, 6_000);
    heal(&mut world, halves);
    heal(&mut world, apart);
    until(&mut world, 12_000);
    verdict(&history(&world, &script))
}

#[test]
fn an_entry_of_an_older_term_that_is_counted_is_lost() {
    assert_eq!(figure_8(Mutant::Sound), Verdict::Holds);
    assert!(matches!(figure_8(Mutant::CountsOldTerms), Verdict::Violated(_)));
}

#[test]
fn a_leader_that_stays_and_one_that_nobody_elected_are_seen() {
    // The leader cut off: afterwards it hears of another.
    for mutant in [Mutant::Sound, Mutant::KeepsOldLeader] {
        let script = vec![write(600, 0, 2), write(2500, 1, 3)];
        let mut world = world(1, script, broken(mutant, asynchronous()), 3);
        until(&mut world, 500);
        let effects = cut(&mut world, &[0], 3);
        until(&mut world, 3000);
        heal(&mut world, effects);
        until(&mut world, 6000);
        let (values, sound) = (values(&world), mutant == Mutant::Sound);
        assert_eq!(leaders(&world).len(), if sound { 1 } else { 2 }, "{mutant:?}");
        assert_eq!(values.iter().all(|value| *value == values[0]), sound, "{mutant:?}: {values:?}");
    }
    // A follower cut off: nobody else agrees that it should lead.
    for decides_alone in [false, true] {
        let script = vec![write(2500, 0, 3), write(2500, 2, 2)];
        let mut world = world(1, script, LeaderPlan { decides_alone, ..asynchronous() }, 3);
        until(&mut world, 500);
        cut(&mut world, &[2], 3);
        until(&mut world, 3500);
        let acknowledged = told(&world, 2).iter().filter(|told| matches!(told, Some((_, Ok(_))))).count();
        let leads = (leaders(&world).len(), acknowledged);
        assert_eq!(leads, if decides_alone { (2, 2) } else { (1, 1) });
    }
}

#[test]
fn a_lease_spares_the_round() {
    let leased = LeaderPlan { lease: Some(Span::from_ms(100)), ..raft() };
    let mut world = world(1, vec![write(100, 0, 7), read(200, 0)], leased, 3);
    until(&mut world, 300);
    assert_eq!(told(&world, 2)[1], Some((204, Ok(7))), "a round trip to the leader and no more");
}

#[test]
fn with_pre_votes_a_member_that_was_cut_off_deposes_nobody() {
    for (pre_vote, elections) in [(false, 1), (true, 0)] {
        let mut world = world(1, vec![], LeaderPlan { pre_vote, ..raft() }, 3);
        until(&mut world, 500);
        let effects = cut(&mut world, &[2], 3);
        until(&mut world, 2_000);
        heal(&mut world, effects);
        until(&mut world, 4_000);
        let seen = total(&world, StoreSeries::Elections as u16);
        assert!(if pre_vote { seen == elections } else { seen >= elections }, "pre_vote {pre_vote}: {seen}");
    }
}
