//! The patterns against the definition of causal consistency, and histories to accept and to reject.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::check;
use crate::check::Verdict;
use crate::check::history::{Call, Texts};
use crate::check::relations::{Access, seen, written};
use crate::check::samples::{
    comes_from_somewhere, happened, histories, in_turn, precedes, some_order, witness, writer,
};
use crate::check::search::Budget;

use Call::{Cas, Read, Write};

fn judge(accesses: &[Access]) -> Verdict {
    check(accesses, 0, &Texts::default(), Budget::default())
}

fn holds(operations: &[(u64, i64, Call)]) -> bool {
    judge(&in_turn(operations)) == Verdict::Holds
}

fn told(operations: &[(u64, i64, Call)]) -> (String, Vec<usize>) {
    let accesses = in_turn(operations);
    let witness = witness(&judge(&accesses), &accesses);
    (witness.sentence, witness.operations)
}

#[test]
fn two_agree_about_writes_that_know_nothing_of_each_other_and_of_each_other() {
    let reads = [(2, 1, Read(1)), (2, 1, Read(2)), (3, 1, Read(2)), (3, 1, Read(1))];
    let apart = [[(0, 1, Write(1)), (1, 1, Write(2))].as_slice(), &reads].concat();
    let (sentence, operations) = told(&apart);
    assert_eq!(
        sentence,
        "no one order of the writes has it that `read 2` of process 2 (line 4) saw `write 2` of process 1 (line 2) though it \
         knew of `write 1` of process 0 (line 1), `read 1` of process 3 (line 6) saw `write 1` of process 0 (line 1) though \
         it knew of `write 2` of process 1 (line 2)"
    );
    assert_eq!(operations, [1, 2, 4, 6]);
    assert!(holds(&apart[..5]), "one of them has yet to hear of it");
    let again = [(0, 1, Write(1)), (1, 1, Write(2)), (2, 1, Read(1)), (2, 1, Read(2)), (2, 1, Read(1))];
    assert!(holds(&again[..4]) && !holds(&again), "monotonic reads");
    let together = [[(0, 1, Write(1)), (1, 1, Read(1)), (1, 1, Write(2))].as_slice(), &reads].concat();
    let (sentence, operations) = told(&together);
    assert_eq!(
        sentence,
        "`read 1` of process 3 (line 7) saw what `write 2` of process 1 (line 3) had replaced: `read 1` of process 1 \
         (line 2) saw `write 1` of process 0 (line 1), `read 1` of process 1 (line 2) came before `write 2` of process \
         1 (line 3), and `read 2` of process 3 (line 6) saw `write 2` of process 1 (line 3), `read 2` of process 3 \
         (line 6) came before `read 1` of process 3 (line 7)"
    );
    assert_eq!(operations, [1, 2, 3, 6, 7]);
}

#[test]
fn an_answer_is_not_seen_without_its_question() {
    let seen = |question| {
        [(0, 1, Write(1)), (1, 1, Read(1)), (1, 2, Write(2)), (2, 2, Read(2)), (2, 1, Read(question))]
    };
    assert!(holds(&seen(1)));
    let (sentence, operations) = told(&seen(0));
    assert!(
        sentence.starts_with("`read 0` of process 2 (line 5) saw the initial value after `write 1`"),
        "{sentence}"
    );
    assert_eq!(operations, [1, 2, 3, 4, 5]);
}

#[test]
fn nothing_comes_from_nowhere_or_before_itself() {
    assert_eq!(told(&[(0, 1, Read(7))]).0, "`read 7` of process 0 (line 1) saw a value that nobody wrote");
    let (sentence, operations) =
        told(&[(0, 1, Read(2)), (0, 2, Write(1)), (1, 2, Read(1)), (1, 1, Write(2))]);
    assert!(sentence.starts_with("operations come before themselves: "), "{sentence}");
    assert_eq!(operations, [1, 2, 3, 4]);
    assert_eq!(told(&[(0, 1, Cas(1, 1))]).0, "`cas 1 to 1` of process 0 (line 1) saw its own value");
}

#[test]
fn clocks_that_do_not_fit_leave_it_undecided() {
    let accesses = in_turn(&[(0, 1, Write(1)), (1, 1, Read(1))]);
    let verdict = check(&accesses, 0, &Texts::default(), Budget { bytes: 15, ..Budget::default() });
    assert!(matches!(verdict, Verdict::Unknown(why) if why.contains("`--memory`")));
}

/// CCv by its definition: there is a partial order of the operations that contains those of the sessions and from writes to
/// their reads, and an order of all writes that contains it, in which each read sees the last of those that come before it.
fn oracle(accesses: &[Access]) -> bool {
    let all = happened(accesses);
    if !comes_from_somewhere(&all) {
        return false;
    }
    let count = all.len();
    let mut before: BTreeSet<(usize, usize)> = BTreeSet::new();
    for b in 0..count {
        before.extend((0..count).filter(|a| precedes(&all[*a], &all[b])).map(|a| (a, b)));
        before.extend(writer(&all, b).map(|a| (a, b)));
    }
    for middle in 0..count {
        for a in 0..count {
            for b in 0..count {
                if before.contains(&(a, middle)) && before.contains(&(middle, b)) {
                    before.insert((a, b));
                }
            }
        }
    }
    let is_write = |number: &usize| written(all[*number].operation.call).is_some();
    let writes: Vec<usize> = (0..count).filter(is_write).collect();
    let explained = |order: &[usize], read: usize| {
        let is_visible = |write: &&usize| {
            before.contains(&(**write, read)) && **write != read && all[**write].key == all[read].key
        };
        order.iter().rev().find(is_visible).copied() == writer(&all, read)
    };
    let reads: Vec<usize> = (0..count).filter(|number| seen(all[*number].operation.call).is_some()).collect();
    (0..count).all(|number| !before.contains(&(number, number)))
        && some_order(writes.len(), &mut |order| {
            let order: Vec<usize> = order.iter().map(|place| writes[*place]).collect();
            let agrees = |(place, write): (usize, &usize)| {
                order[place..].iter().all(|later| !before.contains(&(*later, *write)))
            };
            order.iter().enumerate().all(agrees)
                && (order.len() < writes.len() || reads.iter().all(|read| explained(&order, *read)))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn the_patterns_agree_with_the_definition(accesses in histories(10)) {
        let verdict = judge(&accesses);
        let expected = oracle(&accesses);
        prop_assert_eq!(verdict == Verdict::Holds, expected, "{:?}", verdict);
        if !expected {
            witness(&verdict, &accesses);
        }
    }
}
