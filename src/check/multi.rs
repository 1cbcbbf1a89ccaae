//! Linearizability of registers that are read and written several at once.
//!
//! Just-in-time linearization (G. Lowe, "Testing for linearizability", 2017) as in [`frontier`](super::frontier), over states of all registers: what
//! is open is taken when it returns or when another that returns needs it, and what changes nothing as soon as it is possible.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::history::{NIL, PENDING, Texts};
use crate::check::search::Budget;
use crate::check::{Verdict, Witness};

/// What is done to one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action {
    /// Which.
    pub key: u32,
    /// Whether it is set; otherwise it was read.
    pub is_write: bool,
    /// To what, or what was seen.
    pub value: i64,
}

/// Actions that take effect at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// Where they stand in the recorded history (a line), from 1.
    pub place: usize,
    /// Where their invocation stands in the order of all invocations and returns.
    pub invoked: u64,
    /// Where their return does, or [`PENDING`].
    pub returned: u64,
    /// What they are, in order.
    pub actions: Vec<Action>,
}

/// Values of all registers, and the open operations that are taken, sorted.
type Configuration = (u32, Vec<u32>);

/// States by number.
#[derive(Default)]
struct States {
    all: Vec<Vec<i64>>,
    numbers: FxHashMap<Vec<i64>, u32>,
}

impl States {
    fn number(&mut self, state: Vec<i64>) -> u32 {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.all.push(state.clone());
        self.numbers.insert(state, number);
        number
    }

    /// The state after actions, if they are possible.
    fn step(&mut self, from: u32, together: &Together) -> Option<u32> {
        let mut state = self.all[from as usize].clone();
        for Action { key, is_write, value } in &together.actions {
            let register = &mut state[*key as usize];
            if *is_write {
                *register = *value;
            } else if register != value {
                return None;
            }
        }
        Some(self.number(state))
    }
}

/// Judges operations on so many registers, all of which are nil at first.
pub fn linearizable(all: &[Together], registers: usize, texts: &Texts, budget: Budget) -> Verdict {
    let mut events: Vec<(u64, u32, bool)> = Vec::new();
    for (together, number) in all.iter().zip(0..) {
        events.push((together.invoked, number, false));
        if together.returned != PENDING {
            events.push((together.returned, number, true));
        }
    }
    events.sort_unstable();
    let mut states = States::default();
    let mut frontier: FxHashSet<Configuration> =
        FxHashSet::from_iter([(states.number(vec![NIL; registers]), Vec::new())]);
    let (mut open, mut nodes) = (Vec::new(), 0u64);
    for (_, number, is_return) in events {
        if !is_return {
            open.push(number);
            continue;
        }
        let mut after: FxHashSet<Configuration> = FxHashSet::default();
        let mut queue: Vec<Configuration> = frontier.iter().cloned().collect();
        queue.sort_unstable();
        let mut met: FxHashSet<Configuration> = frontier.clone();
        while let Some((state, taken)) = queue.pop() {
            if let Ok(place) = taken.binary_search(&number) {
                let mut taken = taken;
                taken.remove(place);
                after.insert((state, taken));
                continue;
            }
            for other in &open {
                nodes += 1;
                let Err(place) = taken.binary_search(other) else { continue };
                let Some(next) = states.step(state, &all[*other as usize]) else { continue };
                // What is pending and changes nothing need not happen.
                if next == state && all[*other as usize].returned == PENDING {
                    continue;
                }
                let mut taken = taken.clone();
                taken.insert(place, *other);
                if met.insert((next, taken.clone())) {
                    queue.push((next, taken));
                }
                // What only looks may as well look at once and for good.
                if all[*other as usize].actions.iter().all(|action| !action.is_write) {
                    break;
                }
            }
            let words = (registers + open.len()) as u64 * 8 + 96;
            if nodes > budget.nodes {
                return Verdict::Unknown(format!("{nodes} configurations were not enough (`--nodes`)"));
            }
            if (met.len() + after.len() + states.all.len() * 2) as u64 * words > budget.bytes {
                let mib = budget.bytes >> 20;
                return Verdict::Unknown(format!("{mib} MiB of memory were not enough (`--memory`)"));
            }
        }
        if after.is_empty() {
            return Verdict::Violated(witness(all, number, &open, &frontier, &states, texts));
        }
        frontier = after;
        open.retain(|other| *other != number);
    }
    Verdict::Holds
}

fn witness(
    all: &[Together],
    number: u32,
    open: &[u32],
    before: &FxHashSet<Configuration>,
    states: &States,
    texts: &Texts,
) -> Witness {
    let stuck = &all[number as usize];
    let could = |state: &Vec<i64>| {
        let seen = stuck.actions.iter().filter(|action| !action.is_write);
        seen.filter(|action| state[action.key as usize] == action.value).count()
    };
    let best = before
        .iter()
        .map(|(state, _)| &states.all[*state as usize])
        .max_by_key(|state| (could(state), *state));
    let saw = stuck.actions.iter().filter(|action| !action.is_write).map(|action| texts.show(action.value));
    let were = best.map(|state| {
        let read = stuck.actions.iter().filter(|action| !action.is_write);
        read.map(|action| texts.show(state[action.key as usize])).collect::<Vec<_>>().join(", ")
    });
    let sentence = format!(
        "no order explains line {}: it saw {}, and at best the values were {} before it returned",
        stuck.place,
        saw.collect::<Vec<_>>().join(", "),
        were.unwrap_or_default()
    );
    let others = open.iter().filter(|other| **other != number).take(8);
    let operations = std::iter::once(&number).chain(others).map(|other| all[*other as usize].place).collect();
    Witness { sentence, operations }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::samples::{overlapping, some_order};

    /// Reads, writes and both, of two registers.
    fn actions() -> impl Strategy<Value = Vec<Action>> {
        let one = (0u32..2, any::<bool>(), 1i64..3);
        let action = one.prop_map(|(key, is_write, value)| Action { key, is_write, value });
        prop::collection::vec(action, 1..3)
    }

    /// Whether some order of all that returned and some that did not is possible.
    fn oracle(all: &[Together]) -> bool {
        let pending: Vec<usize> = (0..all.len()).filter(|number| all[*number].returned == PENDING).collect();
        (0..1u32 << pending.len()).any(|left_out| {
            let is_out = |number: &usize| {
                pending.iter().position(|other| other == number).is_some_and(|bit| left_out >> bit & 1 == 1)
            };
            let some: Vec<usize> = (0..all.len()).filter(|number| !is_out(number)).collect();
            some_order(some.len(), &mut |order| {
                let mut states = States::default();
                let mut state = Some(states.number(vec![NIL; 2]));
                for (place, number) in order.iter().enumerate() {
                    let together = &all[some[*number]];
                    if order[place..].iter().any(|later| all[some[*later]].returned < together.invoked) {
                        return false;
                    }
                    state = state.and_then(|state| states.step(state, together));
                }
                state.is_some()
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]
        #[test]
        fn it_agrees_with_every_order(
            spans in overlapping(Just(crate::check::history::Call::Acquire), 6),
            all in prop::collection::vec(actions(), 6),
        ) {
            let all: Vec<Together> = spans
                .iter()
                .zip(all)
                .map(|(span, mut actions)| {
                    // What is pending was told nothing.
                    actions.retain(|action| span.returned != PENDING || action.is_write);
                    Together { place: span.place, invoked: span.invoked, returned: span.returned, actions }
                })
                .collect();
            let verdict = linearizable(&all, 2, &Texts::default(), Budget::default());
            prop_assert_eq!(verdict == Verdict::Holds, oracle(&all), "{:?}", verdict);
        }
    }
}
