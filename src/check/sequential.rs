//! Sequential consistency: one order of all operations, in which each session does its own in its order, explains what all of them
//! saw (L. Lamport, "How to make a multiprocessor computer that correctly executes multiprocess programs", 1979). Real
//! time between sessions does not count, and keys cannot be judged one by one.
//!
//! Where the order is known in which the store had the versions, it is a question of cycles, O(n). Without, it is
//! NP-complete (Gibbons and Korach 1997), so there are steps (after R. Zennou, A. Bouajjani, C. Enea and M. Erradi, "Gradual
//! consistency checking", CAV 2019). What is linearizable is sequentially consistent, and that is often quickly known. What
//! must come before what in *any* such order is gathered as long as it grows (`saturate`), which finds most violations.
//! If it leaves something open, the writes are tried in the order in which they were invoked or returned, which stores mostly have them in.
//! The rest is a search (`placement`) with a budget.

mod placement;
mod saturate;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::check::causal::places;
use crate::check::graph::{Edge, Graph};
use crate::check::history::Texts;
use crate::check::judge::is_clearly_linearizable;
use crate::check::relations::{Access, Orders, ReadsFrom, Relations, told, written};
use crate::check::search::Budget;
use crate::check::shrink::smallest;
use crate::check::{Verdict, Witness};
use saturate::{Saturated, Why, saturate};

/// What the search may cost while a violation is made small: it is repeated for each operation left out.
const SHRINKING: Budget = Budget { nodes: 20_000, bytes: 64 << 20 };
/// The histories that are tried meanwhile have so many operations together at most.
const EFFORT: usize = 400_000;
/// A witness names so many operations at most.
const NAMED_MAX: usize = 12;

/// Judges whether a history is sequentially consistent. With `orders` of the writes of each key: with these. Values that
/// repeat are left to the search.
pub fn check(
    accesses: &[Access],
    initial: i64,
    texts: &mut Texts,
    orders: Option<&Orders>,
    budget: Budget,
) -> Verdict {
    let found = decide(accesses, initial, texts, orders, budget);
    let (Verdict::Violated(witness), false) = (&found.verdict, found.is_explicit) else {
        return found.verdict;
    };
    let mut again = |fewer: &[Access]| {
        matches!(decide(fewer, initial, texts, orders, SHRINKING).verdict, Verdict::Violated(_))
    };
    let few = smallest(accesses, EFFORT, &mut again);
    if few.len() == accesses.len() && few.len() > NAMED_MAX {
        return Verdict::Violated(witness.clone());
    }
    let found = decide(&few, initial, texts, orders, SHRINKING);
    if found.is_explicit { found.verdict } else { Verdict::Violated(together(&few, texts)) }
}

/// A verdict, and whether its witness explains itself.
struct Found {
    verdict: Verdict,
    is_explicit: bool,
}

fn decide(
    accesses: &[Access],
    initial: i64,
    texts: &mut Texts,
    orders: Option<&Orders>,
    budget: Budget,
) -> Found {
    let explicit = |verdict| Found { verdict, is_explicit: true };
    let searched = |verdict| Found { verdict, is_explicit: false };
    let relations = match (Relations::of(accesses, initial, texts), orders) {
        (Ok(relations), _) => relations,
        (Err(Verdict::Unknown(_)), None) => {
            if is_clearly_linearizable(accesses, initial, texts) {
                return explicit(Verdict::Holds);
            }
            let unread = Relations::unread(accesses);
            return searched(placement::search(&unread, &unread.session_pairs(), initial, texts, budget));
        }
        (Err(verdict), _) => return explicit(verdict),
    };
    let ordered = orders.map(|orders| relations.in_order(orders)).unwrap_or_default();
    if orders.is_some_and(|orders| orders_all(&relations, orders)) {
        return explicit(match ordered_by(&relations, &ordered).order() {
            Ok(_) => Verdict::Holds,
            Err(cycle) => Verdict::Violated(witness(&relations, texts, &cycle)),
        });
    }
    if orders.is_none() && is_clearly_linearizable(accesses, initial, texts) {
        return explicit(Verdict::Holds);
    }
    match saturate(&relations, ordered, budget) {
        Saturated::Ordered => explicit(Verdict::Holds),
        Saturated::Partly(pairs) if is_guessed(&relations, &pairs) => explicit(Verdict::Holds),
        Saturated::Cycle(cycle) => Found {
            is_explicit: cycle.iter().all(|edge| edge.why != Why::Follows),
            verdict: Verdict::Violated(witness(&relations, texts, &cycle)),
        },
        Saturated::Partly(pairs) => searched(placement::search(&relations, &pairs, initial, texts, budget)),
    }
}

/// Whether every write is in the order of its key.
fn orders_all(relations: &Relations, orders: &Orders) -> bool {
    let writes = relations.accesses.iter().filter(|access| written(access.operation.call).is_some());
    let mut counts = BTreeMap::<i64, usize>::new();
    writes.for_each(|access| *counts.entry(access.key).or_default() += 1);
    let pairs = relations.in_order(orders);
    let mut ordered = BTreeMap::<i64, usize>::new();
    for (_, after) in pairs {
        *ordered.entry(relations.accesses[after as usize].key).or_default() += 1;
    }
    // One more write than pairs; a single one needs no order.
    counts.iter().all(|(key, count)| ordered.get(key).copied().unwrap_or(0) + 1 == *count)
}

/// Whether it explains all to have the writes of each key in the order of their invocations, or of their returns, as far as
/// what must come before what leaves a choice.
fn is_guessed(relations: &Relations, pairs: &[(u32, u32)]) -> bool {
    let invoked = |access: &Access| access.operation.invoked;
    let returned = |access: &Access| access.operation.returned;
    [invoked, returned].iter().any(|instant| {
        let order = earliest_first(relations, pairs, instant);
        let mut last: BTreeMap<i64, u32> = BTreeMap::new();
        let mut writes = Vec::new();
        for number in order.into_iter().filter(|number| written(relations.call(*number)).is_some()) {
            let before = last.insert(relations.accesses[number as usize].key, number);
            writes.extend(before.map(|before| (before, number)));
        }
        ordered_by(relations, &writes).has_order()
    })
}

/// The operations in an order that agrees with pairs of them, the earliest of those that may come next first.
fn earliest_first(relations: &Relations, pairs: &[(u32, u32)], instant: &dyn Fn(&Access) -> u64) -> Vec<u32> {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut missing = vec![0u32; relations.accesses.len()];
    pairs.iter().for_each(|(_, after)| missing[*after as usize] += 1);
    let entry = |number: u32| Reverse((instant(&relations.accesses[number as usize]), number));
    let ready = (0..missing.len() as u32).filter(|number| missing[*number as usize] == 0);
    let mut ready: BinaryHeap<Reverse<(u64, u32)>> = ready.map(entry).collect();
    let mut order = Vec::with_capacity(missing.len());
    while let Some(Reverse((_, number))) = ready.pop() {
        order.push(number);
        let first = sorted.partition_point(|pair| pair.0 < number);
        for (_, after) in sorted[first..].iter().take_while(|pair| pair.0 == number) {
            missing[*after as usize] -= 1;
            if missing[*after as usize] == 0 {
                ready.push(entry(*after));
            }
        }
    }
    order
}

/// What comes before what where the order of the writes of each key is known, as pairs one after the other.
fn ordered_by(relations: &Relations, ordered: &[(u32, u32)]) -> Graph<Why> {
    let mut graph = Graph::new(relations.accesses.len());
    for (before, after) in relations.session_pairs() {
        graph.edge(before, after, Why::Session);
    }
    let mut next = vec![None; relations.accesses.len()];
    let mut is_first = vec![true; relations.accesses.len()];
    for (before, after) in ordered {
        graph.edge(*before, *after, Why::Order);
        next[*before as usize] = Some(*after);
        is_first[*after as usize] = false;
    }
    let firsts = (0u32..)
        .zip(&relations.accesses)
        .filter(|(number, access)| is_first[*number as usize] && written(access.operation.call).is_some());
    let firsts: BTreeMap<i64, u32> = firsts.map(|(number, access)| (access.key, number)).collect();
    for (read, (origin, access)) in (0u32..).zip(relations.origins.iter().zip(&relations.accesses)) {
        let replaced = match origin {
            ReadsFrom::None => None,
            ReadsFrom::Initial => firsts.get(&access.key).copied(),
            ReadsFrom::Write(write) => {
                graph.edge(*write, read, Why::Saw);
                next[*write as usize]
            }
        };
        if let Some(write) = replaced.filter(|write| *write != read) {
            graph.edge(read, write, Why::Replaced);
        }
    }
    graph
}

fn witness(relations: &Relations, texts: &Texts, cycle: &[Edge<Why>]) -> Witness {
    let step = |edge: &Edge<Why>| {
        let (from, to) = (relations.told(edge.from, texts), relations.told(edge.to, texts));
        match edge.why {
            Why::Session => format!("{from} came before {to}"),
            Why::Saw => format!("{to} saw {from}"),
            Why::Order => format!("the store had {from} before {to}"),
            Why::Replaced => format!("{from} saw what {to} replaced"),
            Why::Follows => format!("{from} must come before {to}"),
        }
    };
    let steps: Vec<String> = cycle.iter().map(step).collect();
    let sentence = format!("no one order has it that {}", steps.join(" and "));
    let operations: Vec<u32> = cycle.iter().map(|edge| edge.from).collect();
    Witness { sentence, operations: places(relations, &operations) }
}

/// A few operations that no order explains, process by process.
fn together(few: &[Access], texts: &Texts) -> Witness {
    let mut few = few.to_vec();
    few.sort_by_key(|access| (access.operation.process, access.operation.invoked));
    let mut told_all: Vec<String> =
        few.iter().take(NAMED_MAX).map(|access| told(&access.operation, texts)).collect();
    if few.len() > NAMED_MAX {
        told_all.push(format!("{} more", few.len() - NAMED_MAX));
    }
    let sentence = format!("no one order explains these together: {}", told_all.join(", "));
    let mut operations: Vec<usize> = few.iter().map(|access| access.operation.place).collect();
    operations.sort_unstable();
    Witness { sentence, operations }
}
