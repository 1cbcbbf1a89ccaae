//! Every level against its definition, by brute force over random histories.

use super::random::{self, SEED};
use super::{history, oracle};
use crate::check::Verdict;
use crate::check::search::Budget;
use crate::check::transactions::{Level, Transactions, decide};

const QUICK: Budget = Budget { nodes: 5_000_000, bytes: 64 << 20 };

/// Judges so many random histories at every level; how many of each were not of it.
fn compare(numbers: std::ops::Range<u64>) -> Vec<(Level, u32)> {
    let mut violated: Vec<(Level, u32)> = Level::ALL.iter().map(|(_, level)| (*level, 0)).collect();
    for number in numbers {
        let history = random::history(number);
        for (level, count) in &mut violated {
            let expected = oracle::holds(&history, *level);
            let verdict = decide(&history, *level, QUICK);
            let agrees = match &verdict {
                Verdict::Holds => expected,
                Verdict::Violated(_) => !expected,
                Verdict::Unknown(_) => false,
            };
            assert!(agrees, "history {number} of seed {SEED} at {level:?}: {verdict:?}\n{}", shown(&history));
            *count += u32::from(!expected);
        }
    }
    violated
}

fn shown(history: &Transactions) -> String {
    use crate::check::transactions::What;
    let mut all = String::new();
    for one in &history.transactions {
        all += &format!(
            "{} p{} {}..{} {:?}:",
            one.place, one.process, one.invoked, one.returned as i64, one.fate
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
#[ignore = "a few minutes"]
fn every_level_is_what_its_definition_says_ten_thousand_times() {
    let from = std::env::var("FROM").map_or(0, |from| from.parse().unwrap());
    println!("{:?}", compare(from..10_000));
}

fn levels_of(lines: &[&str]) -> Vec<&'static str> {
    let history = history(lines);
    let holds = |level: Level| decide(&history, level, QUICK) == Verdict::Holds;
    let names = Level::ALL.iter().filter(|(_, level)| holds(*level));
    names.map(|(name, _)| *name).collect()
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
