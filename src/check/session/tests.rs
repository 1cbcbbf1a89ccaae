//! The guarantees against their definitions over every order of the writes, and histories to accept and to reject.

use proptest::prelude::*;

use super::{Guarantee, check};
use crate::check::history::{Call, Texts};
use crate::check::relations::{Access, Orders, seen, written};
use crate::check::samples::{
    comes_from_somewhere, happened, histories, in_turn, orders, precedes, some_order, witness, writer,
};
use crate::check::{Verdict, session};

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
        "no order of the writes has it that process 0 wrote 2 (line 2) and then read 1 (line 1) (line 3) and the \
         store had 1 (line 1) before 2 (line 2)"
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
        "no order of the writes has it that the store had 1 (line 1) before 2 (line 2) and process 1 saw 2 (line 2) \
         and then 1 (line 1) (line 4)"
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
        "no order of the writes has it that process 1 saw 1 (line 1) (line 2) and then wrote 2 (line 3) and the store \
         had 2 (line 3) before 1 (line 1)"
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
    let made = |b: usize| !is_write(b) || writer(all, b).is_none_or(|value| value != b && before(value, b));
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
