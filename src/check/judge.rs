//! Judges whether a history of many keys is linearizable: by the fastest check that knows its operations.

use crate::check::history::{ByKey, Operation, Texts};
use crate::check::nowhere::nowhere;
use crate::check::relations::{Access, told};
use crate::check::search::{Budget, search};
use crate::check::shrink::smallest;
use crate::check::{Verdict, Witness, counter, frontier, register};

/// What a search may cost while a witness is made small, and how many operations the histories that are tried have together.
const SHRINKING: (Budget, usize) = (Budget { nodes: 2_000, bytes: 1 << 20 }, 20_000);
/// What a search may cost that is only tried.
const QUICK: Budget = Budget { nodes: 100_000, bytes: 32 << 20 };
/// A witness of more operations is not small.
const NAMED_MAX: usize = 8;

/// Whether every key's operations are linearizable; linearizability is local, so then all of them are (Herlihy and
/// Wing 1990). A violation of one key decides, whatever is unknown of others.
pub fn linearizable(keys: &ByKey, initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
    let mut unknown = None;
    for operations in keys.values() {
        match one(operations, initial, texts, budget) {
            Verdict::Holds => {}
            Verdict::Unknown(why) => unknown = Some(why),
            violated => return violated,
        }
    }
    unknown.map_or(Verdict::Holds, Verdict::Unknown)
}

/// Whether the operations of one object are linearizable.
pub fn one(operations: &[Operation], initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
    if let Some(verdict) = fast(operations, initial, texts) {
        return verdict;
    }
    if let Some(witness) = nowhere(operations, initial, texts) {
        return Verdict::Violated(witness);
    }
    if let Some(witness) = frontier::impossible(operations, initial, texts) {
        return Verdict::Violated(witness);
    }
    match searched(operations, initial, texts, budget) {
        Verdict::Violated(witness) => Verdict::Violated(small(operations, initial, texts, witness)),
        verdict => verdict,
    }
}

/// In depth first, which is quickest where it soon comes through; then along a frontier; and if that is too wide, in depth again.
fn searched(operations: &[Operation], initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
    let quick = Budget { nodes: QUICK.nodes.min(budget.nodes), bytes: QUICK.bytes.min(budget.bytes) };
    let mut verdict = search(operations, initial, texts, quick);
    if matches!(verdict, Verdict::Unknown(_)) && quick != budget {
        verdict = frontier::search(operations, initial, texts, budget);
    }
    if matches!(verdict, Verdict::Unknown(_)) && quick != budget {
        verdict = search(operations, initial, texts, budget);
    }
    verdict
}

fn fast(operations: &[Operation], initial: i64, texts: &Texts) -> Option<Verdict> {
    register::check(operations, initial, texts).or_else(|| counter::check(operations, initial, texts))
}

/// Whether it turns out quickly that every key's operations are linearizable: then they are everything weaker as well.
pub(super) fn is_clearly_linearizable(accesses: &[Access], initial: i64, texts: &mut Texts) -> bool {
    let mut keys = ByKey::new();
    for access in accesses {
        keys.entry(access.key).or_default().push(access.operation);
    }
    keys.values().all(|operations| {
        let verdict = fast(operations, initial, texts);
        verdict.unwrap_or_else(|| search(operations, initial, texts, QUICK)) == Verdict::Holds
    })
}

/// The few operations of a violated history that no order explains; what the search said if they are many.
fn small(operations: &[Operation], initial: i64, texts: &mut Texts, found: Witness) -> Witness {
    let (budget, effort) = SHRINKING;
    let access = |operation: &Operation| Access { key: 0, session: operation.process, operation: *operation };
    // What was invoked after the first that is impossible has returned has no part in it.
    let stuck = operations.iter().find(|operation| Some(&operation.place) == found.operations.first());
    let until = stuck.map_or(u64::MAX, |stuck| stuck.returned);
    let all: Vec<Access> =
        operations.iter().filter(|operation| operation.invoked < until).map(access).collect();
    let of = |few: &[Access]| few.iter().map(|access| access.operation).collect::<Vec<Operation>>();
    let few = of(&smallest(&all, effort, &mut |fewer| {
        matches!(frontier::search(&of(fewer), initial, texts, budget), Verdict::Violated(_))
    }));
    if few.len() > NAMED_MAX {
        return found;
    }
    let Verdict::Violated(again) = frontier::search(&few, initial, texts, budget) else { return found };
    let (stuck, others): (Vec<Operation>, Vec<Operation>) =
        few.iter().partition(|operation| Some(&operation.place) == again.operations.first());
    let named = |operations: &[Operation]| {
        operations.iter().map(|operation| told(operation, texts)).collect::<Vec<_>>().join(" and ")
    };
    let sentence = match others.len() {
        0 => again.sentence,
        _ => format!("no order explains {} together with {}", named(&stuck), named(&others)),
    };
    let mut places: Vec<usize> = few.iter().map(|operation| operation.place).collect();
    places.sort_unstable();
    Witness { sentence, operations: places }
}
