//! The deal against every order of the operations, and histories to accept and to reject.

use proptest::prelude::*;

use super::{bounded, check};
use crate::check::Verdict;
use crate::check::history::{Call, Operation, PENDING, Texts};
use crate::check::samples::{is_linearizable, overlapping};

use Call::{Add, Read};

fn op(process: u64, invoked: u64, returned: u64, call: Call) -> Operation {
    Operation { process, place: invoked as usize, invoked, returned, call }
}

fn judge(operations: &[Operation]) -> Verdict {
    check(operations, 0, &Texts::default()).expect("one amount")
}

fn told(operations: &[Operation]) -> String {
    let Verdict::Violated(witness) = judge(operations) else { panic!("{operations:?}") };
    witness.sentence
}

#[test]
fn a_read_lies_between_what_was_and_what_may_have_been_added() {
    let adds = [op(0, 0, 10, Add(1, None)), op(1, 1, PENDING, Add(1, None))];
    for (value, holds) in [(0, false), (1, true), (2, true), (3, false)] {
        let read = op(2, 20, 30, Read(value));
        assert_eq!(judge(&[adds[0], adds[1], read]) == Verdict::Holds, holds, "{value}");
    }
    assert_eq!(
        told(&[adds[0], adds[1], op(2, 20, 30, Read(3))]),
        "`read 3` of process 2 (line 20) is impossible: by the additions that had returned before and those that had \
         been invoked by then it is 1 to 2"
    );
}

#[test]
fn what_was_seen_is_not_unseen() {
    let add = op(0, 0, 100, Add(1, None));
    assert_eq!(judge(&[add, op(1, 1, 2, Read(0)), op(2, 3, 4, Read(1))]), Verdict::Holds);
    assert_eq!(
        told(&[add, op(1, 1, 2, Read(1)), op(2, 3, 4, Read(0))]),
        "`read 1` of process 1 (line 1) saw an addition that `read 0` of process 2 (line 3) did not, which was invoked \
         later"
    );
}

#[test]
fn each_addition_leads_to_a_value_of_its_own() {
    let first = op(0, 0, 10, Add(2, Some(2)));
    assert_eq!(judge(&[first, op(1, 1, 9, Add(2, Some(4)))]), Verdict::Holds);
    assert_eq!(
        told(&[first, op(1, 1, 9, Add(2, Some(2)))]),
        "`add 2 giving 2` of process 0 (line 0) and `add 2 giving 2` of process 1 (line 1) cannot both have led to one \
         value"
    );
    assert_eq!(
        told(&[first, op(1, 1, 9, Add(2, None)), op(2, 20, 21, Read(4)), op(3, 5, 30, Read(3))]),
        "`read 3` of process 3 (line 5) is impossible: all additions are of 2"
    );
}

#[test]
fn an_addition_that_a_read_needed_cannot_be_taken_back() {
    // Only the pending one can have been there at 3, and then there are two at 7.
    let adds = [op(0, 0, PENDING, Add(1, None)), op(1, 5, 6, Add(1, None))];
    let history = |second| [adds[0], adds[1], op(2, 2, 3, Read(1)), op(3, 7, 8, Read(second))];
    assert_eq!(judge(&history(2)), Verdict::Holds);
    assert_eq!(
        told(&history(1)),
        "no order of the additions explains `read 1` of process 2 (line 2) and `read 1` of process 3 (line 7)"
    );
}

#[test]
fn several_amounts_are_left_to_others_unless_the_bounds_tell() {
    let adds = [op(0, 0, 10, Add(1, None)), op(1, 1, 11, Add(2, None))];
    assert_eq!(check(&[adds[0], adds[1], op(2, 20, 30, Read(3))], 0, &Texts::default()), None);
    assert!(matches!(
        check(&[adds[0], adds[1], op(2, 20, 30, Read(2))], 0, &Texts::default()),
        Some(Verdict::Violated(_))
    ));
    assert_eq!(check(&[op(0, 0, 10, Call::Write(1))], 0, &Texts::default()), None);
}

#[test]
fn many_operations_are_judged_in_a_moment() {
    let operations: Vec<Operation> = (0..200_000u64)
        .map(|n| {
            let call = if n % 2 == 0 { Add(1, None) } else { Read(n as i64 / 2 + 1) };
            op(n % 50, 2 * n, 2 * n + 1, call)
        })
        .collect();
    assert_eq!(judge(&operations), Verdict::Holds);
    assert!(
        matches!(bounded(&operations[2..], 0, &Texts::default()), Verdict::Violated(_)),
        "one is missing"
    );
}

/// Additions of one amount, some of which were told the new value, and reads.
fn calls(by: i64) -> impl Strategy<Value = Call> {
    (0u8..6, 0i64..5).prop_map(move |(what, value)| match what {
        0..=1 => Add(by, None),
        2 => Add(by, Some(by * (value + 1))),
        3 => Add(0, None),
        _ => Read(by * value),
    })
}

fn agrees(operations: &[Operation]) -> Result<(), TestCaseError> {
    let verdict = check(operations, 0, &Texts::default());
    let expected = is_linearizable(operations, 0);
    if let Some(verdict) = verdict {
        prop_assert_eq!(verdict == Verdict::Holds, expected, "{:?}", verdict);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn the_deal_agrees_with_every_order(
        operations in prop_oneof![overlapping(calls(1), 8), overlapping(calls(-3), 8)],
    ) {
        prop_assert!(check(&operations, 0, &Texts::default()).is_some());
        agrees(&operations)?;
    }

    #[test]
    fn the_bounds_reject_nothing_that_is_linearizable(
        operations in overlapping((0u8..5, -3i64..4).prop_map(|(what, n)| match what {
            0..=2 => Add(n, None),
            3 => Add(n, Some(n)),
            _ => Read(n),
        }), 7),
    ) {
        agrees(&operations)?;
    }
}

#[test]
fn histories_of_the_proptest_are_of_both_kinds() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let all = (0..1000).map(|_| overlapping(calls(1), 6).new_tree(&mut runner).unwrap().current());
    let good = all.filter(|operations| judge(operations) == Verdict::Holds).count();
    assert!((150..850).contains(&good), "{good} of 1000 are linearizable");
}
