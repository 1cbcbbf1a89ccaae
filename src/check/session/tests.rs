//! The guarantees against their definitions over every order of the writes, and histories to accept and to reject.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Guarantee, check, check_one};
use crate::check::history::{Call, Texts};
use crate::check::relations::{Access, Orders, seen, written};
use crate::check::samples::{
    comes_from_somewhere, happened, histories, in_turn, orders, precedes, some_order, witness, writer,
};
use crate::check::search::Budget;
use crate::check::{Verdict, causal, session};

use Call::{Read, Write};
use Guarantee::{MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads};

fn judge(accesses: &[Access], orders: Option<&Orders>, guarantees: &[Guarantee]) -> Verdict {
    session::check(accesses, 0, &Texts::default(), orders, guarantees)
}

/// Judged with the order in which the list has the writes.
fn told(operations: &[(u64, i64, Call)], guarantee: Guarantee) -> String {
    let accesses = in_turn(operations);
    witness(&judge(&accesses, Some(&orders(&accesses, &[])), &[guarantee]), &accesses).sentence
}

fn holds(operations: &[(u64, i64, Call)], guarantee: Guarantee) -> bool {
    let accesses = in_turn(operations);
    judge(&accesses, Some(&orders(&accesses, &[])), &[guarantee]) == Verdict::Holds
}

#[test]
fn a_session_sees_what_it_has_written() {
    assert!(
        holds(&[(0, 1, Write(1)), (1, 1, Write(2)), (0, 1, Read(2))], ReadYourWrites),
        "or what came later"
    );
    assert!(holds(&[(0, 1, Write(1)), (1, 1, Read(0))], ReadYourWrites), "another session need not");
    assert_eq!(
        told(&[(1, 1, Write(1)), (0, 1, Write(2)), (0, 1, Read(1))], ReadYourWrites),
        "no order of the writes has it that `read 1` of process 0 (line 3) was sent after `write 2` of process 0 \
         (line 2) and saw `write 1` of process 1 (line 1) and the store had `write 1` of process 1 (line 1) before \
         `write 2` of process 0 (line 2)"
    );
    assert_eq!(
        told(&[(0, 1, Write(1)), (0, 1, Read(0))], ReadYourWrites),
        "`read 0` of process 0 (line 2) saw the initial value after `write 1` of process 0 (line 1)"
    );
}

#[test]
fn a_session_never_sees_something_older_than_before() {
    let seen =
        |first, second| [(0, 1, Write(1)), (0, 1, Write(2)), (1, 1, Read(first)), (1, 1, Read(second))];
    assert!(holds(&seen(1, 2), MonotonicReads) && holds(&seen(0, 0), MonotonicReads));
    assert_eq!(
        told(&seen(2, 1), MonotonicReads),
        "no order of the writes has it that the store had `write 1` of process 0 (line 1) before `write 2` of process \
         0 (line 2) and `read 1` of process 1 (line 4) saw `write 1` of process 0 (line 1) where its session had seen \
         `write 2` of process 0 (line 2)"
    );
    assert!(!holds(&seen(2, 0), MonotonicReads));
}

#[test]
fn a_session_s_writes_take_effect_in_its_order() {
    let accesses = in_turn(&[(0, 1, Write(1)), (0, 1, Write(2))]);
    let stored = |values: [i64; 2]| Orders::from([(1, values.to_vec())]);
    assert_eq!(judge(&accesses, Some(&stored([1, 2])), &[MonotonicWrites]), Verdict::Holds);
    let verdict = judge(&accesses, Some(&stored([2, 1])), &[MonotonicWrites]);
    assert_eq!(witness(&verdict, &accesses).operations, [1, 2]);
    // Over two keys: the store would have to have each of them first.
    let two = in_turn(&[(0, 1, Write(1)), (0, 2, Write(2)), (1, 2, Write(3)), (1, 1, Write(4))]);
    let crossed = Orders::from([(1, vec![4, 1]), (2, vec![2, 3])]);
    assert_eq!(witness(&judge(&two, Some(&crossed), &[MonotonicWrites]), &two).operations, [1, 2, 3, 4]);
}

#[test]
fn a_write_takes_effect_after_what_its_session_has_seen() {
    let accesses = in_turn(&[(0, 1, Write(1)), (1, 1, Read(1)), (1, 1, Write(2))]);
    let stored = |values: [i64; 2]| Orders::from([(1, values.to_vec())]);
    assert_eq!(judge(&accesses, Some(&stored([1, 2])), &[WritesFollowReads]), Verdict::Holds);
    let verdict = judge(&accesses, Some(&stored([2, 1])), &[WritesFollowReads]);
    assert_eq!(
        witness(&verdict, &accesses).sentence,
        "no order of the writes has it that `read 1` of process 1 (line 2) saw `write 1` of process 0 (line 1) and \
         `write 2` of process 1 (line 3) was sent later and the store had `write 2` of process 1 (line 3) before \
         `write 1` of process 0 (line 1)"
    );
}

#[test]
fn without_the_order_of_the_store_two_sessions_convict_each_other() {
    let operations = [
        (0, 1, Write(1)),
        (1, 1, Write(2)),
        (2, 1, Read(1)),
        (2, 1, Read(2)),
        (3, 1, Read(2)),
        (3, 1, Read(1)),
    ];
    let accesses = in_turn(&operations);
    let verdict = judge(&accesses, None, &[MonotonicReads]);
    assert_eq!(witness(&verdict, &accesses).operations, [1, 2, 4, 6]);
    assert_eq!(judge(&accesses[..5], None, &[MonotonicReads]), Verdict::Holds);
    assert_eq!(judge(&accesses, None, &[ReadYourWrites, MonotonicWrites, WritesFollowReads]), Verdict::Holds);
}

#[test]
fn a_second_write_with_a_smaller_timestamp_breaks_monotonic_writes_alone() {
    // The second write's coordinator has a clock that is behind: the store keeps the first, and shows it.
    let accesses = in_turn(&[(0, 1, Write(1)), (0, 1, Write(2)), (0, 1, Read(1))]);
    let by_timestamp = Orders::from([(1, vec![2, 1])]);
    let one = |guarantee| check_one(&accesses, 0, &Texts::default(), Some(&by_timestamp), guarantee);
    assert_eq!(
        witness(&one(MonotonicWrites), &accesses).sentence,
        "no order of the writes has it that `write 1` of process 0 (line 1) was sent before `write 2` of process 0 (line 2) \
         and the store had `write 2` of process 0 (line 2) before `write 1` of process 0 (line 1)"
    );
    for kept in [ReadYourWrites, MonotonicReads, WritesFollowReads] {
        assert_eq!(one(kept), Verdict::Holds, "{kept:?}: of that order nothing older was shown");
    }
    // A lagging copy, and a store that has them in the order in which they were sent.
    let as_sent = Orders::from([(1, vec![1, 2])]);
    let one = |guarantee| check_one(&accesses, 0, &Texts::default(), Some(&as_sent), guarantee);
    assert!(matches!(one(ReadYourWrites), Verdict::Violated(_)));
    assert_eq!(one(MonotonicWrites), Verdict::Holds);
}

#[test]
fn which_of_two_is_broken_is_not_known_without_the_order_of_the_store() {
    let accesses = in_turn(&[(0, 1, Write(1)), (0, 1, Write(2)), (0, 1, Read(1))]);
    let one = |guarantee| check_one(&accesses, 0, &Texts::default(), None, guarantee);
    for (asked, other) in [(ReadYourWrites, "monotonic writes"), (MonotonicWrites, "read your writes")] {
        let Verdict::Unknown(why) = one(asked) else { panic!("{asked:?}") };
        assert!(why.starts_with(&format!("it or {other} is broken")), "{why}");
        assert!(why.contains("`write 2` of process 0 (line 2)"), "{why}");
    }
    assert_eq!((one(MonotonicReads), one(WritesFollowReads)), (Verdict::Holds, Verdict::Holds));
    assert!(matches!(judge(&accesses, None, &Guarantee::EVERY), Verdict::Violated(_)));
}

#[test]
fn an_update_that_is_stamped_before_what_it_found_breaks_one_promise_and_not_all() {
    let accesses = in_turn(&[(0, 1, Write(1)), (1, 1, Call::Cas(1, 2))]);
    let by_timestamp = Orders::from([(1, vec![2, 1])]);
    let one = |guarantee| check_one(&accesses, 0, &Texts::default(), Some(&by_timestamp), guarantee);
    assert_eq!(
        witness(&one(WritesFollowReads), &accesses).sentence,
        "no order of the writes has it that `cas 1 to 2` of process 1 (line 2) found `write 1` of process 0 (line 1) and \
         the store had `cas 1 to 2` of process 1 (line 2) before `write 1` of process 0 (line 1)"
    );
    for kept in [ReadYourWrites, MonotonicReads, MonotonicWrites] {
        assert_eq!(one(kept), Verdict::Holds, "{kept:?}");
    }
}

#[test]
fn values_that_repeat_are_not_guessed_at() {
    let accesses = in_turn(&[(0, 1, Write(1)), (1, 1, Write(1)), (0, 1, Read(1))]);
    let Verdict::Unknown(why) = judge(&accesses, None, &Guarantee::EVERY) else { panic!("it was guessed") };
    assert!(why.starts_with("the value 1 was written more than once"), "{why}");
}

/// The definitions, over one order of the writes.
fn keeps(all: &[Access], order: &[usize], stored: Option<&Orders>, guarantees: &[Guarantee]) -> bool {
    let place = |write: usize| order.iter().position(|other| *other == write);
    // A write that has no place yet comes later than those that have.
    let before = |a: usize, b: usize| match (place(a), place(b)) {
        (Some(a), Some(b)) => a <= b,
        (None, Some(_)) => false,
        _ => true,
    };
    let is_write = |number: usize| written(all[number].operation.call).is_some();
    let is_read = |number: usize| seen(all[number].operation.call).is_some();
    let sees = |read: usize, least: usize| writer(all, read).is_some_and(|value| before(least, value));
    let stored_before = |a: usize, b: usize| {
        let of = stored.and_then(|stored| stored.get(&all[a].key));
        let at =
            |number: usize| of?.iter().position(|value| Some(*value) == written(all[number].operation.call));
        all[a].key == all[b].key && is_write(a) && is_write(b) && at(a) < at(b) && at(a).is_some()
    };
    let asks = |guarantee| guarantees.contains(&guarantee);
    let pair = |a: usize, b: usize| {
        let (so, same) = (precedes(&all[a], &all[b]), all[a].key == all[b].key);
        (!stored_before(a, b) || before(a, b))
            && (!(so && same && is_write(a) && is_read(b) && asks(ReadYourWrites)) || sees(b, a))
            && (!(so && same && is_read(a) && is_read(b) && asks(MonotonicReads))
                || writer(all, a).is_none_or(|value| sees(b, value)))
            && (!(so && is_write(a) && is_write(b) && asks(MonotonicWrites)) || before(a, b))
            && (!(so && is_read(a) && is_write(b) && asks(WritesFollowReads))
                || writer(all, a).is_none_or(|value| value != b && before(value, b)))
    };
    // Where the store's order has both, what an update found comes before it just as what its session read before.
    let ordered = |a: usize, b: usize| stored_before(a, b) || stored_before(b, a);
    let made = |b: usize| {
        !is_write(b)
            || writer(all, b).is_none_or(|value| {
                let is_asked = !ordered(value, b) || asks(WritesFollowReads);
                !is_asked || value != b && before(value, b)
            })
    };
    (0..all.len()).all(|b| made(b) && (0..all.len()).all(|a| pair(a, b)))
}

fn oracle(accesses: &[Access], stored: Option<&Orders>, guarantees: &[Guarantee]) -> bool {
    let all = happened(accesses);
    let writes: Vec<usize> =
        (0..all.len()).filter(|number| written(all[*number].operation.call).is_some()).collect();
    comes_from_somewhere(&all)
        && some_order(writes.len(), &mut |order| {
            let order: Vec<usize> = order.iter().map(|place| writes[*place]).collect();
            keeps(&all, &order, stored, guarantees)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn the_edges_agree_with_the_definitions(
        accesses in histories(9),
        swaps in prop::collection::vec((0usize..9, 0usize..9), 0..3),
        given in any::<bool>(),
        asked in 0usize..5,
    ) {
        let stored = orders(&accesses, &swaps);
        let stored = given.then_some(&stored);
        let guarantees = if asked == 4 { Guarantee::EVERY.to_vec() } else { vec![Guarantee::EVERY[asked]] };
        let verdict = check(&accesses, 0, &Texts::default(), stored, &guarantees);
        let expected = oracle(&accesses, stored, &guarantees);
        prop_assert_eq!(verdict == Verdict::Holds, expected, "{:?}", verdict);
        if !expected {
            witness(&verdict, &accesses);
        }
    }
}

/// Histories of stores that converge and whose sessions know causes before effects (causal convergence, CCv of Bouajjani et al. 2017): a
/// session has seen a set of writes and takes in others' sets; a write's stamp is greater than those of all that its session has
/// seen; a read gives the greatest of its key. With the order by stamps.
fn convergent() -> impl Strategy<Value = (Vec<Access>, Orders)> {
    let step = (0u64..3, 0i64..2, any::<bool>(), prop::option::weighted(0.4, 0usize..3));
    prop::collection::vec(step, 1..12).prop_map(|steps| {
        let mut seen: [BTreeSet<(u64, u64, i64, i64)>; 3] = Default::default();
        let mut operations = Vec::new();
        let mut stamps: BTreeMap<i64, BTreeMap<(u64, u64), i64>> = BTreeMap::new();
        for (number, (session, key, writes, from)) in (1i64..).zip(steps) {
            let news = from.map(|from| seen[from].clone()).unwrap_or_default();
            let known = &mut seen[session as usize];
            known.extend(news);
            let latest = |known: &BTreeSet<(u64, u64, i64, i64)>| {
                known.iter().rev().find(|(_, _, other, _)| *other == key).map_or(0, |(.., value)| *value)
            };
            if writes {
                let stamp = known.last().map_or(0, |(stamp, ..)| *stamp) + 1;
                known.insert((stamp, session, key, number));
                stamps.entry(key).or_default().insert((stamp, session), number);
                operations.push((session, key, Write(number)));
            } else {
                operations.push((session, key, Read(latest(known))));
            }
        }
        let orders = stamps.into_iter().map(|(key, values)| (key, values.into_values().collect()));
        (in_turn(&operations), orders.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]
    #[test]
    fn where_causality_fails_on_one_key_the_four_do_not_all_hold(
        accesses in histories(9),
        swaps in prop::collection::vec((0usize..9, 0usize..9), 0..3),
        given in any::<bool>(),
    ) {
        let accesses: Vec<Access> = accesses.into_iter().filter(|access| access.key == 0).collect();
        let stored = orders(&accesses, &swaps);
        let stored = given.then_some(&stored);
        let one = |guarantee| check_one(&accesses, 0, &Texts::default(), stored, guarantee);
        if Guarantee::EVERY.into_iter().all(|guarantee| one(guarantee) == Verdict::Holds) {
            let causal = causal::check(&accesses, 0, &Texts::default(), Budget::default());
            prop_assert_eq!(causal, Verdict::Holds);
        }
    }

    #[test]
    fn what_is_causal_breaks_none(accesses in histories(9)) {
        if causal::check(&accesses, 0, &Texts::default(), Budget::default()) == Verdict::Holds {
            prop_assert_eq!(judge(&accesses, None, &Guarantee::EVERY), Verdict::Holds);
            for guarantee in Guarantee::EVERY {
                let verdict = check_one(&accesses, 0, &Texts::default(), None, guarantee);
                prop_assert_eq!(verdict, Verdict::Holds, "{:?}", guarantee);
            }
        }
    }

    #[test]
    fn of_one_session_that_does_one_thing_at_a_time_on_one_key_they_are_causality(
        steps in prop::collection::vec((any::<bool>(), 0i64..6), 1..8),
    ) {
        let mut operations: Vec<(u64, i64, Call)> = Vec::new();
        for (number, (writes, saw)) in (1i64..).zip(steps) {
            let call = if writes { Write(number) } else { Read(saw) };
            operations.push((0, 1, call));
        }
        let accesses = in_turn(&operations);
        let causal = causal::check(&accesses, 0, &Texts::default(), Budget::default());
        let every = judge(&accesses, None, &Guarantee::EVERY);
        prop_assert_eq!(causal == Verdict::Holds, every == Verdict::Holds, "{:?} {:?}", causal, every);
        let one = |guarantee| check_one(&accesses, 0, &Texts::default(), None, guarantee) == Verdict::Holds;
        prop_assert_eq!(every == Verdict::Holds, Guarantee::EVERY.into_iter().all(one));
    }

    #[test]
    fn what_is_causal_in_the_order_of_the_store_breaks_none((accesses, stored) in convergent()) {
        prop_assert_eq!(causal::check(&accesses, 0, &Texts::default(), Budget::default()), Verdict::Holds);
        for guarantee in Guarantee::EVERY {
            for stored in [Some(&stored), None] {
                prop_assert_eq!(check_one(&accesses, 0, &Texts::default(), stored, guarantee), Verdict::Holds);
            }
        }
    }
}
