//! Every level against its definition, by brute force over random histories.

use super::random::{self, SEED};
use super::{history, oracle};
use crate::base::rng::{Bits, Draws, mix};
use crate::check::Verdict;
use crate::check::history::NIL;
use crate::check::search::Budget;
use crate::check::transactions::{Action, Completion, Level, Transaction, Transactions, What, decide};

const QUICK: Budget = Budget { nodes: 50_000_000, bytes: 64 << 20 };

/// Judges so many random histories at every level; how many of each were not of it.
fn compare(numbers: std::ops::Range<u64>) -> Vec<(Level, u32)> {
    let mut violated: Vec<(Level, u32)> = Level::ALL.iter().map(|(_, level)| (*level, 0)).collect();
    for number in numbers {
        let history = random::history(number);
        let mut held = Vec::new();
        for (level, count) in &mut violated {
            let expected = oracle::holds(&history, *level);
            held.extend(expected.then_some(*level));
            let verdict = decide(&history, *level, QUICK);
            let agrees = match &verdict {
                Verdict::Holds => expected,
                Verdict::Violated(_) => !expected,
                Verdict::Unknown(_) => false,
            };
            assert!(agrees, "history {number} of seed {SEED} at {level:?}: {verdict:?}\n{}", shown(&history));
            *count += u32::from(!expected);
        }
        for (stronger, weaker) in IMPLIED {
            let follows = !held.contains(&stronger) || held.contains(&weaker);
            assert!(follows, "history {number}: {stronger:?} without {weaker:?}\n{}", shown(&history));
        }
    }
    violated
}

/// What follows from what, as docs/levels.md has it.
const IMPLIED: [(Level, Level); 14] = [
    (Level::StrictSerializable, Level::StrongSessionSerializable),
    (Level::StrongSessionSerializable, Level::Serializable),
    (Level::StrongSessionSerializable, Level::StrongSessionSnapshot),
    (Level::Serializable, Level::RepeatableRead),
    (Level::RepeatableRead, Level::Serializable),
    (Level::RepeatableRead, Level::Snapshot),
    (Level::StrongSessionSnapshot, Level::Snapshot),
    (Level::StrongSessionSnapshot, Level::ParallelSnapshot),
    (Level::ParallelSnapshot, Level::Causal),
    (Level::Causal, Level::ReadAtomic),
    (Level::Snapshot, Level::ReadAtomic),
    (Level::ReadAtomic, Level::ItemCut),
    (Level::ReadAtomic, Level::MonotonicAtomicView),
    (Level::MonotonicAtomicView, Level::ReadCommitted),
];

fn shown(history: &Transactions) -> String {
    let mut all = String::new();
    for one in &history.transactions {
        all += &format!(
            "{} p{} {}..{} {:?}:",
            one.place, one.process, one.invoked, one.returned as i64, one.completion
        );
        for action in &one.actions {
            let key = &history.keys[action.key as usize];
            all += &match action.what {
                What::List(seen) => format!(" l {key} {:?},", history.elements(seen)),
                other => format!(" {other:?} {key},"),
            };
        }
        all += "\n";
    }
    all
}

#[test]
fn every_level_is_what_its_definition_says() {
    for (level, violated) in compare(0..400) {
        assert!((20..390).contains(&violated), "{violated} of 400 are not {level:?}");
    }
}

#[test]
#[ignore = "a few minutes: .ci/full runs it"]
fn every_level_is_what_its_definition_says_ten_thousand_times() {
    println!("{:?}", compare(0..10_000));
}

fn levels_of(lines: &[&str]) -> Vec<&'static str> {
    let history = history(lines);
    let holds = |level: Level| decide(&history, level, QUICK) == Verdict::Holds;
    let names = Level::ALL.iter().filter(|(_, level)| holds(*level));
    names.map(|(name, _)| *name).collect()
}

/// What only the search finds is told by the few reads that no order explains together.
#[test]
fn what_the_search_finds_has_a_small_witness() {
    let (mut few, mut others) = (0, 0);
    for number in 0..600 {
        let history = random::history(number);
        for level in [Level::ParallelSnapshot, Level::Snapshot, Level::Serializable] {
            let Verdict::Violated(witness) = decide(&history, level, QUICK) else { continue };
            assert!(!witness.operations.is_empty(), "history {number} at {level:?}: {witness:?}");
            let is_few = witness.sentence.starts_with("no order explains together that");
            few += u32::from(is_few);
            others += u32::from(!is_few);
        }
    }
    assert!(few > 0 && others > 100, "{few} of {}", few + others);
}

/// Where values repeat, an order of all is found without knowing who wrote what was seen; and one read that none explains is found too.
#[test]
fn values_that_several_wrote_are_judged() {
    let mut draws = Draws::new(mix(SEED, 1));
    let mut long = Transactions::on((0..10).map(|key| key.to_string()).collect());
    let mut state = [NIL; 10];
    for number in 0..1_000u64 {
        let mut actions = Vec::new();
        for _ in 0..4 {
            let key = draws.below(10) as u32;
            let here = &mut state[key as usize];
            let what = if draws.below(2) == 0 {
                *here = draws.below(5) as i64;
                What::Write(*here)
            } else {
                What::Read(*here)
            };
            actions.push(Action { key, what });
        }
        let (place, process) = (number as usize + 1, number % 20);
        let (invoked, returned) = (2 * number, 2 * number + 31);
        let completion = Completion::Committed;
        long.transactions.push(Transaction { process, place, invoked, returned, completion, actions });
    }
    for level in [Level::ReadCommitted, Level::Causal, Level::Snapshot, Level::StrictSerializable] {
        assert_eq!(decide(&long, level, QUICK), Verdict::Holds, "{level:?}");
    }
    long.transactions[500].actions.insert(0, Action { key: 0, what: What::Read(NIL) });
    for level in [Level::Causal, Level::StrictSerializable] {
        assert!(matches!(decide(&long, level, QUICK), Verdict::Violated(_)), "{level:?}");
    }
}

/// Nothing is said of what there is no room or no time for, but how far it came.
#[test]
fn what_does_not_fit_the_budget_is_undecided() {
    let lines: Vec<String> =
        (1..200).map(|n| format!("w x {n}, r y {}", if n % 7 == 0 { "-" } else { "1" })).collect();
    let lines: Vec<&str> = ["w y 1"].into_iter().chain(lines.iter().map(String::as_str)).collect();
    let history = history(&lines);
    let judge = |nodes, bytes| match decide(&history, Level::Snapshot, Budget { nodes, bytes }) {
        Verdict::Unknown(why) => why,
        verdict => panic!("{verdict:?}"),
    };
    assert_eq!(judge(1_000_000, 1 << 10), "more than 1 MiB of memory would be needed; `--memory` gives more");
    let why = judge(1, 64 << 20);
    assert!(
        why.contains("orders of two writes follow from what was seen") && why.contains("`--nodes`"),
        "{why}"
    );
    assert_eq!(decide(&history, Level::Snapshot, QUICK), Verdict::Holds);
}

#[test]
fn what_a_level_permits_is_told_from_what_it_does_not() {
    let all: Vec<&str> = Level::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(levels_of(&["w x 1", "r x 1"]), all);
    // Two reads that see two versions.
    let weak = ["read_uncommitted", "read_committed", "monotonic_atomic_view"];
    assert_eq!(levels_of(&["w x 5", "w x 6", "r x 5, r x 6"]), weak);
    // A fractured read.
    assert_eq!(
        levels_of(&["w x 5, w y 1", "w x 6, w y 2", "r x 5, r y 2"]),
        ["read_uncommitted", "read_committed", "item_cut_isolation", "monotonic_atomic_view"]
    );
    let vanishes = ["read_uncommitted", "read_committed", "item_cut_isolation"];
    assert_eq!(levels_of(&["w x 6, w y 2", "r y 2, r x -"]), vanishes);
    // Nobody sees its own writes, or all do.
    assert_eq!(levels_of(&["r x 5, w x 5"]), [""; 0]);
}
