//! The frontier against every order of the operations and against the search, and histories to accept and to reject.

use proptest::prelude::*;

use super::search as frontier;
use crate::base::rng::{Bits, Stream};
use crate::check::Verdict;
use crate::check::history::{Call, Operation, PENDING, Texts};
use crate::check::judge::one;
use crate::check::samples::{is_linearizable, overlapping};
use crate::check::search::{Budget, search};

use Call::{Add, Append, Cas, Differs, Read, Write};

fn op(process: u64, invoked: u64, returned: u64, call: Call) -> Operation {
    Operation { process, place: invoked as usize, invoked, returned, call }
}

fn holds(operations: &[Operation]) -> bool {
    match frontier(operations, 0, &mut Texts::default(), Budget::default()) {
        Verdict::Holds => true,
        Verdict::Violated(_) => false,
        Verdict::Unknown(why) => panic!("{why}"),
    }
}

fn register() -> impl Strategy<Value = Call> {
    (0u8..8, 0i64..3, 0i64..3).prop_map(|(what, a, b)| match what {
        0..=2 => Read(a),
        3..=4 => Write(a),
        5..=6 => Cas(a, b),
        _ => Differs(a),
    })
}

fn counter() -> impl Strategy<Value = Call> {
    (0u8..8, -3i64..6).prop_map(|(what, n)| match what {
        0..=3 => Add(n, None),
        4 => Add(n, Some(n)),
        _ => Read(n),
    })
}

fn rising() -> impl Strategy<Value = Call> {
    (0u8..8, 0i64..6).prop_map(|(what, n)| match what {
        0..=3 => Add(n, None),
        4 => Add(n, Some(n + 1)),
        _ => Read(n),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn it_agrees_with_every_order(
        operations in prop_oneof![
            overlapping(register(), 7), overlapping(counter(), 7), overlapping(rising(), 7)
        ],
    ) {
        prop_assert_eq!(holds(&operations), is_linearizable(&operations, 0));
    }

    #[test]
    fn it_agrees_with_the_search(
        operations in prop_oneof![
            overlapping(register(), 16), overlapping(counter(), 14), overlapping(rising(), 14)
        ],
    ) {
        let slow = search(&operations, 0, &mut Texts::default(), Budget::default());
        prop_assert_eq!(holds(&operations), slow == Verdict::Holds, "{:?}", slow);
    }
}

fn texts() -> impl Strategy<Value = (u8, usize)> {
    (0u8..6, 0usize..4)
}

/// Puts, appends and reads of texts, as values of `texts`.
fn appended(all: &[Operation], texts: &mut Texts, pieces: &[(u8, usize)]) -> Vec<Operation> {
    let words = ["", "a", "b", "ab", "ba", "aa"];
    let call = |texts: &mut Texts, (what, word): (u8, usize)| match what {
        0 | 1 => Read(texts.value(words[word + 2])),
        2 => Write(texts.value(words[word])),
        _ => Append(texts.value(words[1 + word % 2])),
    };
    all.iter().zip(pieces).map(|(one, piece)| Operation { call: call(texts, *piece), ..*one }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]
    #[test]
    fn texts_are_appended_to_as_the_search_has_it(
        operations in overlapping(Just(Read(0)), 12), pieces in prop::collection::vec(texts(), 12),
    ) {
        let mut texts = Texts::default();
        let operations = appended(&operations, &mut texts, &pieces);
        let initial = texts.value("");
        let slow = search(&operations, initial, &mut texts, Budget::default());
        let fast = frontier(&operations, initial, &mut texts, Budget::default());
        prop_assert_eq!(fast == Verdict::Holds, slow == Verdict::Holds, "{:?} {:?}", fast, slow);
    }
}

/// Clients that use an object as fast as they can; each operation happens somewhere between its ends. `next` tells what an operation
/// does in a state, and the state after it. Of `pending` more nobody knows whether they happened.
fn hot(
    (operations, clients, pending): (u64, u64, u64),
    next: &mut dyn FnMut(i64, u64) -> (Call, i64),
) -> Vec<Operation> {
    let mut stream = Stream::new(1, clients);
    let mut free = vec![0u64; clients as usize];
    let mut spans: Vec<(u64, u64, u64, u64)> = Vec::new();
    for number in 0..operations {
        let client = number % clients;
        let invoked = free[client as usize] + 1 + stream.below(100);
        let point = invoked + 1 + stream.below(1_000);
        let returned = point + 1 + stream.below(1_000);
        free[client as usize] = returned;
        spans.push((point, invoked, returned, client));
    }
    for number in 0..pending {
        let invoked = stream.below(1_000);
        spans.push((invoked + 1 + stream.below(10_000), invoked, PENDING, clients + number));
    }
    spans.sort_unstable();
    let mut state = 0;
    let spread = |at: u64, number: usize| at * 1_000_000 + number as u64;
    let mut history = Vec::new();
    for (number, (_, invoked, returned, process)) in spans.into_iter().enumerate() {
        let (call, new) = next(state, stream.below(1 << 30));
        // What is pending was told nothing, so it adds.
        if returned == PENDING && !matches!(call, Add(_, None)) {
            continue;
        }
        state = new;
        let returned = if returned == PENDING { PENDING } else { spread(returned, number) + 500_000 };
        history.push(Operation {
            process,
            place: number + 1,
            invoked: spread(invoked, number),
            returned,
            call,
        });
    }
    history
}

/// Reads, writes and cas of few values.
fn few_values(state: i64, draw: u64) -> (Call, i64) {
    let (value, to) = ((draw / 16 % 5) as i64, (draw / 128 % 5) as i64);
    match draw % 10 {
        0..=2 if value == state => (Cas(value, to), to),
        0..=5 => (Write(value), value),
        _ => (Read(state), state),
    }
}

fn amounts(state: i64, draw: u64) -> (Call, i64) {
    let by = 1 + (draw / 16 % 30) as i64;
    if draw.is_multiple_of(2) { (Add(by, None), state + by) } else { (Read(state), state) }
}

#[test]
fn many_clients_that_repeat_values_are_decided() {
    for (clients, operations) in [(20, 2_000), (50, 1_000)] {
        let mut history = hot((operations, clients, 0), &mut few_values);
        assert!(holds(&history), "{clients}");
        // 5 is written long before it is seen, and everybody writes something else in between.
        let first = history.iter().map(|one| one.invoked).min().unwrap_or(0);
        let last = history.iter().map(|one| one.returned).max().unwrap_or(0);
        for one in &mut history {
            (one.invoked, one.returned) = (one.invoked + 10 - first, one.returned + 10 - first);
        }
        history.push(op(90, 1, 2, Write(5)));
        history.push(op(91, last + 20, last + 21, Read(5)));
        assert!(!holds(&history), "{clients}");
    }
}

/// Reads and writes of thirty values.
fn thirty_values(state: i64, draw: u64) -> (Call, i64) {
    let value = (draw / 16 % 30) as i64;
    if draw.is_multiple_of(2) { (Write(value), value) } else { (Read(state), state) }
}

#[test]
fn a_register_of_fifty_clients_and_thirty_values_is_decided() {
    assert!(holds(&hot((10_000, 50, 0), &mut thirty_values)));
}

#[test]
fn what_will_be_seen_is_not_overwritten() {
    // 1 is seen after 2 may have been written: 2 comes later, or before it.
    let ends = |two: u64| [op(1, 1, 2, Write(1)), op(2, 3, two, Write(2)), op(1, 5, 6, Read(1))];
    assert!(holds(&ends(4)) == is_linearizable(&ends(4), 0) && !holds(&ends(4)));
    assert!(holds(&ends(7)));
    // 2 returns when 1 is still to be seen by who has not begun: it is that one who is told.
    let Verdict::Violated(witness) = frontier(&ends(4), 0, &mut Texts::default(), Budget::default()) else {
        panic!("nobody writes 1 again");
    };
    assert_eq!(
        witness.sentence,
        "no order explains `read 1` of process 1 (line 5): before `write 2` of process 2 (line 3) returned the value was 1, and nothing that \
         was under way leads on from there"
    );
}

#[test]
fn pending_additions_of_many_amounts_are_decided() {
    let history = hot((1_000, 10, 0), &mut amounts);
    assert!(holds(&history));
    // Thirty that are pending: any sum of them can be there at the end, but for what is too much.
    let mut all: Vec<Operation> = (0..30).map(|n| op(n, n, PENDING, Add(2 * n as i64 + 2, None))).collect();
    for (n, value) in (0..).zip([0, 60, 200, 500, 800]) {
        all.push(op(100, 1_000 + 2 * n, 1_001 + 2 * n, Read(value)));
    }
    let judged = |all: &[Operation]| one(all, 0, &mut Texts::default(), Budget::default());
    assert_eq!(judged(&all), Verdict::Holds);
    all.push(op(100, 9_000, 9_001, Read(801)));
    let Verdict::Violated(witness) = judged(&all) else { panic!("all of them are even") };
    assert_eq!(
        witness.sentence,
        "`read 801` of process 100 (line 9000) is impossible: with what had certainly been added the value is 0, and no sum of \
         the other additions makes up for 801"
    );
}
