//! Saturation and search against every order of the operations, and histories to accept and to reject.

use proptest::prelude::*;

use super::check;
use crate::check::Verdict;
use crate::check::history::{Call, NIL, Operation, PENDING, Texts};
use crate::check::model::step;
use crate::check::relations::{Access, Orders, written};
use crate::check::samples::{happened, histories, in_turn, orders, precedes, some_order, witness};
use crate::check::search::Budget;

use Call::{Add, Cas, Read, Write};

fn judge(accesses: &[Access], orders: Option<&Orders>) -> Verdict {
    check(accesses, 0, &mut Texts::default(), orders, Budget::default())
}

fn holds(operations: &[(u64, i64, Call)]) -> bool {
    judge(&in_turn(operations), None) == Verdict::Holds
}

#[test]
fn a_read_may_be_late_but_sessions_may_not_cross() {
    assert!(holds(&[(0, 1, Write(1)), (1, 1, Read(0))]), "real time does not count");
    // Dekker: each writes its own and then sees nothing of the other's.
    let crossed = in_turn(&[(0, 1, Write(1)), (0, 2, Read(0)), (1, 2, Write(2)), (1, 1, Read(0))]);
    let found = witness(&judge(&crossed, None), &crossed);
    assert_eq!(
        found.sentence,
        "no one order has it that `write 1` of process 0 (line 1) came before `read 0` of process 0 (line 2) and `read 0` \
         of process 0 (line 2) saw what `write 2` of process 1 (line 3) replaced and `write 2` of process 1 (line 3) \
         came before `read 0` of process 1 (line 4) and `read 0` of process 1 (line 4) saw what `write 1` of process 0 \
         (line 1) replaced"
    );
    assert_eq!(found.operations, [1, 2, 3, 4]);
}

#[test]
fn readers_agree_on_the_order_of_writes() {
    let reads = |first, second| [(2, 1, Read(1)), (2, 1, Read(2)), (3, 1, Read(first)), (3, 1, Read(second))];
    let history =
        |first, second| [[(0, 1, Write(1)), (1, 1, Write(2))].as_slice(), &reads(first, second)].concat();
    assert!(holds(&history(1, 2)) && holds(&history(0, 2)));
    let crossed = in_turn(&history(2, 1));
    assert_eq!(witness(&judge(&crossed, None), &crossed).operations, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn the_order_of_the_store_decides_where_it_is_known() {
    let accesses = in_turn(&[(0, 1, Write(1)), (1, 1, Write(2)), (2, 1, Read(2)), (2, 1, Read(1))]);
    assert_eq!(judge(&accesses, Some(&Orders::from([(1, vec![2, 1])]))), Verdict::Holds);
    let verdict = judge(&accesses, Some(&Orders::from([(1, vec![1, 2])])));
    assert_eq!(
        witness(&verdict, &accesses).sentence,
        "no one order has it that `read 2` of process 2 (line 3) saw `write 2` of process 1 (line 2) and `read 2` of process \
         2 (line 3) came before `read 1` of process 2 (line 4) and `read 1` of process 2 (line 4) saw what `write 2` of \
         process 1 (line 2) replaced"
    );
    assert_eq!(judge(&accesses, None), Verdict::Holds, "one of the orders will do");
}

#[test]
fn a_violation_among_many_operations_is_told_by_the_few_that_clash() {
    let mut operations: Vec<(u64, i64, Call)> = Vec::new();
    for n in 0..60 {
        operations.extend([(n as u64 % 3, n % 4, Write(100 + n)), (n as u64 % 5, n % 4, Read(100 + n))]);
    }
    operations.extend([(7, 9, Write(1)), (8, 9, Write(2)), (5, 9, Read(1)), (5, 9, Read(2))]);
    operations.extend([(6, 9, Read(2)), (6, 9, Read(1))]);
    let accesses = in_turn(&operations);
    assert_eq!(witness(&judge(&accesses, None), &accesses).operations, [121, 122, 123, 124, 125, 126]);
}

#[test]
fn counters_and_repeated_values_are_searched() {
    assert!(holds(&[(0, 1, Add(1, None)), (1, 1, Add(1, Some(1))), (2, 1, Read(2))]));
    let lost = in_turn(&[(0, 1, Add(1, None)), (0, 1, Add(1, None)), (0, 1, Read(1))]);
    assert_eq!(witness(&judge(&lost, None), &lost).operations, [1, 2, 3]);
    assert!(holds(
        &[(0, 1, Write(1)), (0, 1, Write(1)), (1, 1, Read(1)), (1, 1, Read(0)), (0, 1, Write(0))]
            .map(|(session, key, call)| (session, key, call))[..3]
    ));
    let back =
        in_turn(&[(0, 1, Write(1)), (0, 1, Write(0)), (1, 1, Read(1)), (1, 1, Read(0)), (1, 1, Read(1))]);
    assert_eq!(witness(&judge(&back, None), &back).operations, [1, 2, 3, 4, 5]);
}

#[test]
fn a_search_that_takes_too_long_says_so() {
    // 0 is left once more than it can be found.
    let more = [(98, 1, Cas(0, 1)), (99, 1, Cas(0, 1))];
    let operations: Vec<(u64, i64, Call)> =
        (0..30).map(|n| (n, 1, Cas(n as i64 % 5, (n as i64 + 1) % 5))).chain(more).collect();
    let budget = Budget { nodes: 1_000, ..Budget::default() };
    let verdict = check(&in_turn(&operations), 0, &mut Texts::default(), None, budget);
    assert_eq!(verdict, Verdict::Unknown("1000 configurations were not enough (`--nodes`)".to_owned()));
    let memory = Budget { bytes: 1_000, ..Budget::default() };
    let verdict = check(&in_turn(&operations), NIL, &mut Texts::default(), None, memory);
    assert!(!matches!(verdict, Verdict::Holds));
}

/// Every order of the operations that each session agrees with, pending ones in it or not.
fn oracle(accesses: &[Access], stored: Option<&Orders>) -> bool {
    let all = match stored {
        // An order of the store has what happened in it.
        Some(_) => happened(accesses),
        None => accesses.to_vec(),
    };
    let pending: Vec<usize> = (0..all.len()).filter(|n| all[*n].operation.is_pending()).collect();
    (0..1u32 << pending.len()).any(|left_out| {
        let is_out = |number: usize| {
            pending.iter().position(|other| *other == number).is_some_and(|bit| left_out >> bit & 1 == 1)
        };
        let some: Vec<Access> =
            (0..all.len()).filter(|number| !is_out(*number)).map(|number| all[number]).collect();
        some_order(some.len(), &mut |order| explains(&some, order, stored))
    })
}

fn explains(all: &[Access], order: &[usize], stored: Option<&Orders>) -> bool {
    let mut state = [0i64; 2];
    let mut done: Vec<usize> = Vec::new();
    for number in order {
        let Access { key, operation, .. } = all[*number];
        let late = |other: usize| !done.contains(&other) && precedes(&all[other], &all[*number]);
        if (0..all.len()).any(late) {
            return false;
        }
        // What was pending and read nothing was told nothing.
        let told = !(operation.is_pending() && matches!(operation.call, Read(_)));
        match step(state[key as usize], operation.call, &mut Texts::default()) {
            Some(new) => state[key as usize] = new,
            None if told => return false,
            None => {}
        }
        let place = |value: Option<i64>| {
            stored.and_then(|stored| stored[&key].iter().position(|other| Some(*other) == value))
        };
        let value = written(operation.call);
        let later = |other: &usize| {
            let other = &all[*other];
            let (first, second) = (place(value), place(written(other.operation.call)));
            other.key == key && first.is_some() && second > first
        };
        if value.is_some() && done.iter().any(later) {
            return false;
        }
        done.push(*number);
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn both_steps_agree_with_every_order(
        accesses in histories(8),
        swaps in prop::collection::vec((0usize..9, 0usize..9), 0..3),
        given in 0u8..3,
    ) {
        let mut stored = orders(&accesses, &swaps);
        if given == 2 {
            // Known in part.
            stored.values_mut().for_each(|values| values.truncate(2));
        }
        let stored = (given > 0).then_some(&stored);
        let verdict = judge(&accesses, stored);
        let expected = oracle(&accesses, stored);
        prop_assert_eq!(verdict == Verdict::Holds, expected, "{:?}", verdict);
        if !expected {
            witness(&verdict, &accesses);
        }
    }

    #[test]
    fn the_search_agrees_where_values_repeat(accesses in histories(8)) {
        let few = |value: i64| value % 3;
        let repeat = |access: &Access| {
            let call = match access.operation.call {
                Read(value) => Read(few(value)),
                Write(value) => Write(few(value)),
                Cas(from, to) => Cas(few(from), few(to)),
                other => other,
            };
            Access { operation: Operation { call, ..access.operation }, ..*access }
        };
        let accesses: Vec<Access> = accesses.iter().map(repeat).collect();
        let verdict = judge(&accesses, None);
        prop_assert_eq!(verdict == Verdict::Holds, oracle(&accesses, None), "{:?}", verdict);
    }
}

#[test]
fn histories_of_the_proptests_are_of_both_kinds_and_some_are_pending() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let all: Vec<Vec<Access>> =
        (0..1000).map(|_| histories(8).new_tree(&mut runner).unwrap().current()).collect();
    let good = all.iter().filter(|accesses| judge(accesses, None) == Verdict::Holds).count();
    assert!((200..800).contains(&good), "{good} of 1000 are sequentially consistent");
    let is_pending = |access: &Access| access.operation.returned == PENDING;
    assert!(all.iter().filter(|accesses| accesses.iter().any(is_pending)).count() > 200);
}
