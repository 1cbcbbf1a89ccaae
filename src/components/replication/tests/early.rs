//! The mutant of every store: it acknowledges what its disk does not have yet. Each is shown the crashes in which the sound one
//! loses nothing.

use super::trials::{self, ALL, END, Impairment, ms};
use crate::base::ids::{OpId, SeriesId, TierId};
use crate::base::op::Op;
use crate::base::time::Span;
use crate::components::mech::cores::Discipline;
use crate::components::mech::mutant::Mutant;
use crate::components::replication::leader::plan::{Ack, Election, LeaderPlan, Rule};
use crate::components::replication::multi_leader::plan::MultiLeaderPlan;
use crate::components::replication::quorum::plan::QuorumPlan;
use crate::components::replication::single::StoreProcess;
use crate::components::replication::{leader, multi_leader, quorum};
use crate::components::script::until;
use crate::components::storage::cell::Merge;
use crate::components::storage::legs::WarsDelays;
use crate::components::storage::pace::PerCopy;
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::{Initial, Tables};
use crate::components::storage::transactions::Isolation;
use crate::sim::process::Process;
use crate::sim::run::World;

/// Seeds of each; a mutant must be caught in one of so many.
const SEEDS: u64 = 30;
const MUTANT_SEEDS: u64 = 200;
/// What goes wrong where nobody takes over: nothing that would make a single log two.
const CRASHES: &[Impairment] =
    &[Impairment::Machine, Impairment::Process, Impairment::Everybody, Impairment::Pause, Impairment::Disk];

fn store(early: bool) -> StorePlan {
    StorePlan {
        read: ms(0.0),
        write: ms(0.0),
        disk: ms(50.0),
        cores: u32::MAX,
        queue: u32::MAX,
        discipline: Discipline::Fifo,
        speed_ppm: 1_000_000,
        pool: None,
        start: vec![Initial { n: 0, keys: 10_000 }],
        transactional: false,
        isolation: Isolation::ReadCommitted,
        lock_wait: Span::from_secs(50),
        row_waiting: crate::components::storage::transactions::waiting::Waiting::AT_ONCE,
        idle: Span::from_secs(3600),
        session: None,
        first_series: SeriesId(0),
        mutant: if early { Mutant::AcksEarly } else { Mutant::Sound },
    }
}

fn led(rule: Rule, election: Election, early: bool) -> LeaderPlan<Tables> {
    LeaderPlan {
        machine: vec![Initial { n: 0, keys: 10_000 }],
        store: store(early),
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

/// The first acknowledged write of a row of its own that no copy has.
fn lost<P: Process>(
    plan: P::Plan,
    copies: u32,
    kinds: &[Impairment],
    seed: u64,
    value: impl Fn(&World, i64) -> i64,
) -> Option<String> {
    let change = |key| Op::Write { table: 0, key, n: 1, parent: OpId(0) };
    let lines = trials::rows_of_their_own(seed, copies, 300, change);
    let mut world = trials::world::<P>(seed, lines.clone(), plan, copies, trials::rough());
    trials::sail(&mut world, &trials::impairments(seed, copies, kinds), copies, &[]);
    until(&mut world, END);
    trials::miscounted(&world, &lines, &[0], |_, key| value(&world, key))
}

fn most<P: Process>(world: &World, of: impl Fn(&P) -> i64) -> i64 {
    world.members::<P>(TierId(1)).expect("typed").into_iter().map(of).max().expect("somebody")
}

fn in_leader(world: &World, key: i64) -> i64 {
    let start = store(false).start;
    most(world, |member: &leader::member::Member<Tables>| member.machine().value(&start, (0, key)).n)
}

/// Sound, none of the seeds loses; acknowledging early, some do.
fn witness_run(name: &str, lost: impl Fn(bool, u64) -> Option<String>) {
    for seed in 0..SEEDS {
        assert_eq!(lost(false, seed), None, "{name}, seed {seed}");
    }
    let witness = (0..MUTANT_SEEDS).find_map(|seed| lost(true, seed));
    assert!(witness.is_some(), "{name}: acknowledging early was not caught in {MUTANT_SEEDS} seeds");
}

#[test]
fn every_store_that_acknowledges_before_its_disk_has_synced_is_caught() {
    witness_run("one copy", |early, seed| {
        let value =
            |world: &World, key| most(world, |node: &StoreProcess| node.value(&store(false), (0, key)).n);
        lost::<StoreProcess>(store(early), 1, CRASHES, seed, value)
    });
    let after = || Election::After(Span::from_ms(200));
    let drawn = || Election::Drawn(crate::base::dist::Dist::Uniform { low: 150e6, high: 300e6, step: None });
    witness_run("async", |early, seed| {
        let plan = led(Rule::Leader, Election::Never, early);
        lost::<leader::member::Member<Tables>>(plan, 3, CRASHES, seed, in_leader)
    });
    witness_run("sync", |early, seed| {
        let plan = led(Rule::Copies(2), after(), early);
        lost::<leader::member::Member<Tables>>(plan, 3, ALL, seed, in_leader)
    });
    witness_run("raft", |early, seed| {
        let plan = led(Rule::Majority, drawn(), early);
        lost::<leader::member::Member<Tables>>(plan, 3, ALL, seed, in_leader)
    });
    witness_run("quorum", |early, seed| {
        let plan = QuorumPlan {
            store: store(early),
            copies: 3,
            r: 2,
            w: 2,
            enough: false,
            merge: Merge::LastWrite,
            repair: true,
            hints: Some(Span::from_ms(300)),
            patience: Span::from_ms(500),
            legs: WarsDelays::default(),
        };
        let of = plan.clone();
        let value = move |world: &World, key| {
            most(world, |member: &quorum::member::Member| member.value(&of, (0, key)).n)
        };
        lost::<quorum::member::Member>(plan, 3, ALL, seed, value)
    });
    witness_run("multi_leader", |early, seed| {
        let plan = MultiLeaderPlan {
            store: store(early),
            merge: Merge::Counter,
            apply: PerCopy::default(),
            lag: PerCopy::default(),
            send: None,
            again: Span::from_secs(1),
            legs: WarsDelays::default(),
        };
        let of = plan.clone();
        let value = move |world: &World, key| {
            most(world, |member: &multi_leader::member::Member| member.value(&of, (0, key)).n)
        };
        lost::<multi_leader::member::Member>(plan, 3, ALL, seed, value)
    });
}
