//! Objects of one's own: what they may do, one operation after the other, under the search that judges the built-in ones.
//!
//! ```
//! use splitbrain::check::spec::{Observation, SequentialSpec, States, linearizable};
//! use splitbrain::check::{Verdict, search::Budget};
//!
//! /// A stack. `Some` pushes, `None` pops and answers with what was on top.
//! struct Stack;
//!
//! impl SequentialSpec for Stack {
//!     type State = Vec<u8>;
//!     type Op = Option<u8>;
//!     type Ret = Option<u8>;
//!
//!     fn init(&self) -> Vec<u8> {
//!         Vec::new()
//!     }
//!
//!     fn step(&self, stack: &Vec<u8>, op: &Option<u8>, ret: Option<&Option<u8>>) -> States<Vec<u8>> {
//!         let mut stack = stack.clone();
//!         let told = match op {
//!             Some(value) => {
//!                 stack.push(*value);
//!                 None
//!             }
//!             None => stack.pop(),
//!         };
//!         if ret.is_none_or(|ret| *ret == told) { States::from([stack]) } else { States::new() }
//!     }
//! }
//!
//! let push = |value, invoked, returned| Observation::ok(Some(value), None, invoked, returned);
//! let pop = |value, invoked, returned| Observation::ok(None, Some(value), invoked, returned);
//! let concurrent = [push(1, 0, 3), push(2, 1, 4), pop(1, 5, 6), pop(2, 7, 8)];
//! assert_eq!(linearizable(&Stack, &concurrent, Budget::default()), Verdict::Holds);
//! let in_turn = [push(1, 0, 1), push(2, 2, 3), pop(1, 4, 5)];
//! assert!(matches!(linearizable(&Stack, &in_turn, Budget::default()), Verdict::Violated(_)));
//! ```

use std::collections::BTreeMap;
use std::hash::Hash;

use smallvec::SmallVec;
use xxhash_rust::xxh3::Xxh3;

use crate::check::search::{Budget, Search, Searched};
use crate::check::{Verdict, Witness};

/// The states that an object may be in after an operation: none, mostly one, several where it does not say which.
pub type States<S> = SmallVec<[S; 1]>;

/// What an object may do, one operation after the other.
pub trait SequentialSpec {
    /// What it is in between.
    type State: Clone + Eq + Hash;
    /// What is asked of it.
    type Op;
    /// What it answers.
    type Ret;

    /// What it is before the first operation.
    fn init(&self) -> Self::State;

    /// What it may be after an operation that has answered `ret`; `None`: nobody knows what it answered, or whether it happened. No state: it
    /// cannot have happened there.
    fn step(&self, state: &Self::State, op: &Self::Op, ret: Option<&Self::Ret>) -> States<Self::State>;

    /// Operations of different partitions are of objects that have nothing to do with each other, and are judged apart: the keys of a map.
    fn partition(&self, _op: &Self::Op) -> Option<u64> {
        None
    }

    /// Whether the operation leaves *every* state in which it can happen as it is. A search need not try another order of such ones; false is
    /// never wrong.
    fn only_looks(&self, _op: &Self::Op) -> bool {
        false
    }

    /// Operations of one kind do the same in every state, so that of those that nobody has answered any may stand for any other: a search takes
    /// them in the order in which they began. `None`, of no kind, is never wrong.
    fn kind(&self, _op: &Self::Op) -> Option<u64> {
        None
    }

    /// A state in 128 bits, by which the search knows those that it has met.
    fn digest(&self, state: &Self::State) -> u128 {
        let mut hasher = Xxh3::new();
        state.hash(&mut hasher);
        hasher.digest128()
    }

    /// Memory that it has taken itself since the search began, bytes: counts against the budget.
    fn bytes(&self) -> u64 {
        0
    }
}

/// An operation as its client saw it. Instants are in any unit; only their order counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation<Op, Ret> {
    /// What was asked.
    pub op: Op,
    /// What was answered.
    pub ret: Option<Ret>,
    /// When it was asked.
    pub invoked: u64,
    /// When it was answered; `None`: never, and it may happen at any time after it was asked, or not at all.
    pub returned: Option<u64>,
}

impl<Op, Ret> Observation<Op, Ret> {
    /// One that was answered.
    pub fn ok(op: Op, ret: Ret, invoked: u64, returned: u64) -> Self {
        Observation { op, ret: Some(ret), invoked, returned: Some(returned) }
    }

    /// One of which nobody knows what became.
    pub fn pending(op: Op, invoked: u64) -> Self {
        Observation { op, ret: None, invoked, returned: None }
    }
}

/// Whether there is an order of the operations that the object may have gone through, each between its beginning and its end (Herlihy and Wing
/// 1990). A witness names operations by their places in `history`. Each partition has the whole budget.
pub fn linearizable<S: SequentialSpec>(
    spec: &S,
    history: &[Observation<S::Op, S::Ret>],
    budget: Budget,
) -> Verdict {
    let mut parts: BTreeMap<Option<u64>, Vec<usize>> = BTreeMap::new();
    for (place, observation) in history.iter().enumerate() {
        parts.entry(spec.partition(&observation.op)).or_default().push(place);
    }
    let mut unknown = None;
    for places in parts.values() {
        let part: Vec<&Observation<S::Op, S::Ret>> = places.iter().map(|place| &history[*place]).collect();
        match Search::new(spec, &part).run(budget) {
            Searched::Holds => {}
            Searched::Violated { blocked, concurrent, .. } => {
                let operations: Vec<usize> =
                    [blocked].iter().chain(&concurrent).map(|place| places[*place]).collect();
                let sentence = match concurrent.len() {
                    0 => format!("no order explains operation {}", operations[0]),
                    many => format!(
                        "no order explains operation {}, with {many} others at the same time",
                        operations[0]
                    ),
                };
                return Verdict::Violated(Witness { sentence, operations });
            }
            Searched::Unknown(why) => unknown = Some(why),
        }
    }
    unknown.map_or(Verdict::Holds, Verdict::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A coin that may show either side once it was tossed: a specification with several next states.
    struct Coin;

    impl SequentialSpec for Coin {
        type State = Option<bool>;
        type Op = &'static str;
        type Ret = bool;

        fn init(&self) -> Option<bool> {
            None
        }

        fn step(&self, side: &Option<bool>, op: &&str, ret: Option<&bool>) -> States<Option<bool>> {
            match (*op, side) {
                ("toss", _) => [Some(true), Some(false)].into_iter().collect(),
                ("look", Some(side)) if ret.is_none_or(|ret| ret == side) => States::from([Some(*side)]),
                _ => States::new(),
            }
        }
    }

    fn verdict(history: &[Observation<&'static str, bool>]) -> Verdict {
        linearizable(&Coin, history, Budget::default())
    }

    #[test]
    fn an_operation_may_lead_to_several_states() {
        let toss = |at| Observation::ok("toss", false, at, at + 1);
        let look = |side, at| Observation::ok("look", side, at, at + 1);
        assert_eq!(verdict(&[toss(0), look(true, 2), look(true, 4)]), Verdict::Holds);
        assert_eq!(verdict(&[toss(0), look(false, 2), toss(4), look(true, 6)]), Verdict::Holds);
        let Verdict::Violated(witness) = verdict(&[toss(0), look(true, 2), look(false, 4)]) else {
            panic!("a coin that lies there does not turn")
        };
        assert_eq!(witness.operations, [2]);
        assert!(matches!(verdict(&[look(true, 0)]), Verdict::Violated(_)), "it was never tossed");
    }

    #[test]
    fn what_is_pending_may_have_happened_or_not() {
        let look = |side, at| Observation::ok("look", side, at, at + 1);
        let toss = Observation::ok("toss", false, 0, 1);
        let again = Observation::pending("toss", 3);
        assert_eq!(verdict(&[toss.clone(), look(true, 4), again.clone(), look(false, 8)]), Verdict::Holds);
        assert_eq!(verdict(&[toss.clone(), again, look(true, 4)]), Verdict::Holds);
        let late = Observation::pending("toss", 9);
        assert!(matches!(verdict(&[toss, look(true, 4), late, look(false, 6)]), Verdict::Violated(_)));
    }

    /// Whoever takes a ticket gets the next number.
    struct Tickets;

    impl SequentialSpec for Tickets {
        type State = u32;
        type Op = ();
        type Ret = u32;

        fn init(&self) -> u32 {
            0
        }

        fn step(&self, last: &u32, (): &(), ret: Option<&u32>) -> States<u32> {
            if ret.is_none_or(|number| *number == last + 1) {
                States::from([last + 1])
            } else {
                States::new()
            }
        }

        fn kind(&self, (): &()) -> Option<u64> {
            Some(0)
        }
    }

    #[test]
    fn what_is_pending_and_alike_is_taken_in_turn() {
        // Any of forty may have taken the tickets that are missing: as many orders as there are subsets, and all the same.
        let mut history: Vec<Observation<(), u32>> = (0..40).map(|at| Observation::pending((), at)).collect();
        history
            .extend((0..10).map(|n| Observation::ok((), 3 * n + 3, 100 + u64::from(n), 200 + u64::from(n))));
        assert_eq!(
            linearizable(&Tickets, &history, Budget { nodes: 1_000_000, ..Budget::default() }),
            Verdict::Holds
        );
        history.push(Observation::ok((), 52, 300, 301));
        let verdict = linearizable(&Tickets, &history, Budget { nodes: 1_000_000, ..Budget::default() });
        assert!(matches!(verdict, Verdict::Violated(_)), "fifty and one is the last: {verdict:?}");
    }

    /// A map of bits, whose keys are apart.
    struct Bits;

    impl SequentialSpec for Bits {
        type State = bool;
        type Op = (u64, Option<bool>);
        type Ret = bool;

        fn init(&self) -> bool {
            false
        }

        fn step(&self, state: &bool, (_, set): &(u64, Option<bool>), ret: Option<&bool>) -> States<bool> {
            match set {
                Some(value) => States::from([*value]),
                None if ret.is_none_or(|ret| ret == state) => States::from([*state]),
                None => States::new(),
            }
        }

        fn partition(&self, (key, _): &(u64, Option<bool>)) -> Option<u64> {
            Some(*key)
        }
    }

    #[test]
    fn partitions_are_judged_apart_and_a_budget_ends_undecided() {
        let set = |key, at| Observation::ok((key, Some(true)), false, at, at + 50);
        let get = |key, value, at| Observation::ok((key, None), value, at, at + 1);
        let many: Vec<_> =
            (0..40).map(|key| set(key, key)).chain((0..40).map(|key| get(key, true, 200))).collect();
        assert_eq!(linearizable(&Bits, &many, Budget::default()), Verdict::Holds);
        let wrong: Vec<_> = many.iter().cloned().chain([get(7, false, 300)]).collect();
        let Verdict::Violated(witness) = linearizable(&Bits, &wrong, Budget::default()) else {
            panic!("7 was set")
        };
        assert_eq!(witness.operations, [80]);
        // Four at the same time, each of which may be the last, and a reader whom none of these orders explains.
        let set = |value, at| Observation::ok((0, Some(value)), false, at, at + 50);
        let hard = [set(true, 0), set(true, 1), set(true, 2), set(true, 3), get(0, false, 300)];
        assert!(matches!(
            linearizable(&Bits, &hard, Budget { nodes: 6, bytes: 1 << 20 }),
            Verdict::Unknown(_)
        ));
        assert!(matches!(linearizable(&Bits, &hard, Budget::default()), Verdict::Violated(_)));
    }
}
