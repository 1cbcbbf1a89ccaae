//! Small histories of several sessions and keys for the tests of the weaker models, and what an oracle needs of them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::check::history::{Call, Operation, PENDING, Texts};
use crate::check::model::step;
use crate::check::relations::{Access, Orders, seen, written};
use crate::check::{Verdict, Witness};

/// An operation of a session on a key; each takes place for itself, in the order of the list.
pub fn in_turn(operations: &[(u64, i64, Call)]) -> Vec<Access> {
    let access = |(number, (session, key, call)): (usize, &(u64, i64, Call))| {
        let (place, invoked) = (number + 1, 10 * number as u64);
        let operation = Operation { process: *session, place, invoked, returned: invoked + 5, call: *call };
        Access { key: *key, session: *session, operation }
    };
    operations.iter().enumerate().map(access).collect()
}

/// Histories in which reads see anything that was ever written, mostly the last, and sometimes what was not; some
/// operations are pending, some overlap with others of their session.
pub fn histories(operations: usize) -> impl Strategy<Value = Vec<Access>> {
    let step = (0u64..3, 0i64..2, 0u8..5, any::<u8>(), 0u8..12, 0u64..8);
    prop::collection::vec(step, operations / 2..=operations).prop_map(|steps| {
        let mut values: [Vec<i64>; 2] = [vec![0], vec![0]];
        let mut accesses = Vec::new();
        for (number, (session, key, what, pick, completion, back)) in steps.into_iter().enumerate() {
            let of_key = &mut values[key as usize];
            let place = if pick >= 180 { of_key.len() - 1 } else { usize::from(pick) % of_key.len() };
            let saw = if pick == 7 { 77 } else { of_key[place] };
            let fresh = number as i64 + 1;
            let call = match what {
                0..=2 => Call::Read(saw),
                3 => Call::Write(fresh),
                _ => Call::Cas(saw, fresh),
            };
            if what > 2 {
                of_key.push(fresh);
            }
            let at = 100 * (number as u64 + 3) + number as u64;
            // Sometimes it begins while earlier ones of its session are still open.
            let invoked = if back >= 6 { at - 100 * (back - 5) } else { at };
            let returned = if completion == 0 { PENDING } else { at + 50 };
            let operation = Operation { process: session, place: number + 1, invoked, returned, call };
            accesses.push(Access { key, session, operation });
        }
        accesses
    })
}

/// Operations of one key that overlap at random, each of a process of its own, some of them pending.
pub fn overlapping(
    call: impl Strategy<Value = Call>,
    operations: usize,
) -> impl Strategy<Value = Vec<Operation>> {
    let one = (call, 0u64..12, 1u64..8, 0u8..8);
    prop::collection::vec(one, 1..=operations).prop_map(|all| {
        let operation =
            |(number, (call, invoked, took, completion)): (u64, (Call, u64, u64, u8))| Operation {
                process: number,
                place: number as usize + 1,
                // No two ends are at one instant.
                invoked: 100 * invoked + 2 * number,
                returned: if completion == 0 { PENDING } else { 100 * (invoked + took) + 2 * number + 1 },
                call: match call {
                    // What is pending was told nothing.
                    Call::Add(by, _) if completion == 0 => Call::Add(by, None),
                    call => call,
                },
            };
        (0u64..).zip(all).map(operation).collect()
    })
}

/// Whether some order of the operations, each between its ends and pending ones in it or not, is what the object may do.
pub fn is_linearizable(operations: &[Operation], initial: i64) -> bool {
    let pending: Vec<usize> = (0..operations.len()).filter(|n| operations[*n].is_pending()).collect();
    (0..1u32 << pending.len()).any(|left_out| {
        let is_out = |number: usize| {
            pending.iter().position(|other| *other == number).is_some_and(|bit| left_out >> bit & 1 == 1)
        };
        let some: Vec<Operation> =
            (0..operations.len()).filter(|number| !is_out(*number)).map(|n| operations[n]).collect();
        let mut texts = Texts::default();
        some_order(some.len(), &mut |order| {
            let mut state = Some(initial);
            for (place, number) in order.iter().enumerate() {
                let operation = some[*number];
                if order[place..].iter().any(|later| some[*later].returned < operation.invoked) {
                    return false;
                }
                // What is pending was told nothing.
                let told = !(operation.is_pending() && matches!(operation.call, Call::Read(_)));
                state = state
                    .and_then(|state| step(state, operation.call, &mut texts).or((!told).then_some(state)));
            }
            state.is_some()
        })
    })
}

/// Orders of the writes of each key: that of the list, with some of them swapped.
pub fn orders(accesses: &[Access], swaps: &[(usize, usize)]) -> Orders {
    let mut orders = Orders::new();
    for access in accesses {
        orders.entry(access.key).or_default().extend(written(access.operation.call));
    }
    for values in orders.values_mut().filter(|values| !values.is_empty()) {
        for (a, b) in swaps {
            let count = values.len();
            values.swap(a % count, b % count);
        }
    }
    orders
}

/// What happened: what returned, and what was pending and seen by what happened.
pub fn happened(accesses: &[Access]) -> Vec<Access> {
    let is_in = |all: &[Access], access: &Access| {
        let value = written(access.operation.call);
        all.iter().any(|other| {
            other.key == access.key
                && value.is_some()
                && seen(other.operation.call) == value
                && other != access
        })
    };
    let (mut all, mut pending): (Vec<Access>, Vec<Access>) =
        accesses.iter().partition(|access| !access.operation.is_pending());
    while let Some(place) = pending.iter().position(|access| is_in(&all, access)) {
        all.push(pending.remove(place));
    }
    all
}

/// Whether an operation comes before another within their session.
pub fn precedes(a: &Access, b: &Access) -> bool {
    a.session == b.session && a.operation.returned < b.operation.invoked
}

/// Who wrote what an operation saw; `None` if nobody did.
pub fn writer(all: &[Access], reader: usize) -> Option<usize> {
    let value = seen(all[reader].operation.call)?;
    all.iter().position(|other| other.key == all[reader].key && written(other.operation.call) == Some(value))
}

/// Whether every value that was seen was written, or is the initial 0.
pub fn comes_from_somewhere(all: &[Access]) -> bool {
    let fine = |reader: usize| {
        seen(all[reader].operation.call).is_none_or(|value| value == 0 || writer(all, reader).is_some())
    };
    (0..all.len()).all(fine)
}

/// Whether some order of the items is fine; each prefix is asked, so that what cannot become fine is left early.
pub fn some_order(count: usize, fine: &mut dyn FnMut(&[usize]) -> bool) -> bool {
    fn go(order: &mut Vec<usize>, count: usize, fine: &mut dyn FnMut(&[usize]) -> bool) -> bool {
        if !fine(order) {
            return false;
        }
        if order.len() == count {
            return true;
        }
        for item in 0..count {
            if !order.contains(&item) {
                order.push(item);
                if go(order, count, fine) {
                    return true;
                }
                order.pop();
            }
        }
        false
    }
    go(&mut Vec::new(), count, fine)
}

/// The witness of a violation; its operations are in the history, and each once.
pub fn witness(verdict: &Verdict, accesses: &[Access]) -> Witness {
    let Verdict::Violated(witness) = verdict else { panic!("{verdict:?} of {accesses:#?}") };
    let places: BTreeSet<usize> = accesses.iter().map(|access| access.operation.place).collect();
    let distinct: BTreeSet<usize> = witness.operations.iter().copied().collect();
    assert!(distinct.is_subset(&places) && !distinct.is_empty(), "{witness:?}");
    assert_eq!(distinct.len(), witness.operations.len(), "{witness:?}");
    witness.clone()
}
