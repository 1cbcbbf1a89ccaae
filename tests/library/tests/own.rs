//! A part, what it may do and a fault, all of one's own.

use own_parts::{Plan, Seen, Tickets, history};
use splitbrain::prelude::*;

fn judged(history: &[Seen]) -> Verdict {
    linearizable(&Tickets, history, Budget::default())
}

#[test]
fn a_machine_that_waits_for_its_disk_gives_no_number_twice() {
    for seed in 1..=20 {
        assert_eq!(judged(&history(seed, Plan { syncs: true }, None)), Verdict::Holds, "seed {seed}");
    }
}

#[test]
fn one_that_does_not_begins_anew() {
    let verdict = judged(&history(1, Plan { syncs: false }, None));
    assert!(matches!(verdict, Verdict::Violated(_)), "{verdict:?}");
}

#[test]
fn answers_that_a_rule_drops_are_not_known() {
    let pending = |history: &[Seen]| history.iter().filter(|seen| seen.ret.is_none()).count();
    let without = history(3, Plan { syncs: true }, None);
    // From one second on nobody hears the machine.
    let rule =
        Effect::rule(|packet, now| match packet.from.pid.tier == TierId(0) && now >= Time::from_secs(1) {
            true => Ruling::Drop,
            false => Ruling::Pass,
        });
    let with = history(3, Plan { syncs: true }, Some(rule));
    assert!(pending(&with) > pending(&without), "{} and {}", pending(&with), pending(&without));
    assert_eq!(judged(&with), Verdict::Holds);
}
