//! Quorums under random faults of every kind: what R + W > N keeps, and by which merge.

use super::*;
use crate::base::ids::OpId;
use crate::components::replication::tests::trials;
use crate::components::replication::tests::trials::{ALL, CALM, END, Impairment};
use crate::components::storage::cell::Cell;

/// Rows that are written more than once begin here; there are [`SHARED`].
const FIRST: i64 = 5_000;
const SHARED: i64 = 7;

fn write_of(key: i64, n: i64) -> Op {
    Op::Write { table: 0, key, n, parent: OpId(0) }
}

/// What all copies together hold of a row.
fn together(world: &World, merge: Merge, key: i64) -> Option<Cell> {
    let mut all = Cell::empty(merge);
    for member in world.members::<Member>(TierId(1)).expect("typed") {
        match (&mut all, member.rows.get(&(0, key))) {
            (Some(all), Some(cell)) => _ = all.merge(cell),
            (all, Some(cell)) => *all = Some(cell.clone()),
            (_, None) => {}
        }
    }
    all
}

/// A write of a shared row: when, at which copy, what, and when it was acknowledged.
type Written = (u64, u32, i64, Option<u64>);

fn written(lines: &Lines, told: &[Option<Answer>], key: i64) -> Vec<Written> {
    let write = |((at, to, op), answer): (&(u64, Pid, Op), &Option<Answer>)| match op {
        Op::Write { key: of, n, .. } if *of == key => {
            let acknowledged = answer.as_ref().filter(|answer| answer.outcome.is_ok());
            Some((*at, to.member, *n, acknowledged.map(|answer| answer.at_ms)))
        }
        _ => None,
    };
    lines.iter().zip(told).filter_map(write).collect()
}

/// Whether nothing is left of a write although none came after it: of siblings all stay; of last writes one stays, which must not have
/// been acknowledged before the other was asked for.
fn is_gone(write: Written, left: &Cell, all: &[Written]) -> bool {
    let (at, _, n, _) = write;
    match left {
        Cell::Siblings { alive, .. } => !alive.iter().any(|(_, value)| value.n == n),
        left => {
            let winner = left.value((0, 0), Default::default()).n;
            let won = all.iter().find(|write| write.2 == winner).and_then(|write| write.3);
            winner != n && won.is_some_and(|won| won < at)
        }
    }
}

/// An acknowledged write of which nothing is left although none came after it, and how long probes were not served.
fn lost(seed: u64, merge: Merge, kinds: &[Impairment]) -> (Option<String>, u64) {
    let mut lines = trials::rows_of_their_own(seed + 1_000, 3, 100, |key| write_of(key, 1));
    trials::probes(&mut lines, &[0, 1, 2]);
    let own = lines.clone();
    lines.extend(trials::rows_of_their_own(seed, 3, 150, |line| write_of(FIRST + line % SHARED, line)));
    let mut plan = QuorumPlan { repair: true, hints: Some(Span::from_ms(300)), ..plan(2, 2, merge) };
    plan.store.disk = ms(1.0);
    plan.store.start = vec![Initial { n: 0, keys: 10_000 }];
    let mut world = trials::world::<Member>(seed, lines.clone(), plan, 3, trials::rough());
    trials::sail(&mut world, &trials::impairments(seed, 3, kinds), 3, &[]);
    until(&mut world, END);
    let value =
        |_, key| together(&world, merge, key).map_or(0, |cell| cell.value((0, key), Default::default()).n);
    let mut lost = trials::miscounted(&world, &own, &[0], value);
    let told = answers(&world, lines.len());
    for key in FIRST..FIRST + SHARED {
        let all = written(&lines, &told, key);
        let Some(left) = together(&world, merge, key) else { continue };
        for write in all.iter().filter(|write| write.3.is_some() && is_gone(**write, &left, &all)) {
            let (at, to, n, acknowledged) = write;
            lost = Some(format!(
                "{n}, written to row {key} at copy {to} at {at} ms and acknowledged at {acknowledged:?}, gave way to {left:?}"
            ));
        }
    }
    (lost, trials::recovery(&world, &lines))
}

#[test]
fn overlapping_quorums_with_siblings_never_lose_an_acknowledged_write() {
    let mut worst = 0;
    for seed in 0..200 {
        let (lost, recovery) = lost(seed, Merge::Siblings, ALL);
        assert_eq!(lost, None, "seed {seed}");
        worst = worst.max(recovery);
    }
    println!("quorum: served again after {worst} ms at worst, from {CALM} ms on");
    assert_eq!(worst, 0, "whoever can be reached serves at once");
}

#[test]
fn by_last_write_they_lose_some_as_soon_as_clocks_are_wrong() {
    let right: Vec<Impairment> = ALL.iter().copied().filter(|kind| *kind != Impairment::Clock).collect();
    let mut witness = None;
    for seed in 0..200 {
        assert_eq!(lost(seed, Merge::LastWrite, &right).0, None, "seed {seed}, with clocks that are right");
        witness = witness.or(lost(seed, Merge::LastWrite, ALL).0);
    }
    println!("last_write: {witness:?}");
    assert!(witness.is_some(), "in 200 seeds with clocks up to 2 s wrong nothing was lost");
}
