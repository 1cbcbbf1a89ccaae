//! Judges a history of many keys: by what is asked of it, and then by the fastest check that knows its operations.

use std::collections::BTreeMap;

use crate::check::history::{Operation, Texts};
use crate::check::nowhere::nowhere;
use crate::check::relations::{Access, accesses, told};
use crate::check::search::{Budget, search};
use crate::check::session::Guarantee;
use crate::check::shrink::smallest;
use crate::check::{Verdict, Witness, causal, counter, frontier, register, sequential, session};

/// What a search may cost while a witness is made small, and how many operations the histories that are tried have together.
const SHRINKING: (Budget, usize) = (Budget { nodes: 2_000, bytes: 1 << 20 }, 20_000);
/// What a search may cost that is only tried.
const QUICK: Budget = Budget { nodes: 100_000, bytes: 32 << 20 };
/// A witness of more operations is not small.
const NAMED_MAX: usize = 8;

/// The operations of each key.
pub type ByKey = BTreeMap<i64, Vec<Operation>>;

/// What is asked of a history, from the strongest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// One order of all operations, each between its invocation and its return.
    Linearizable,
    /// One order of all operations that each process agrees with.
    Sequential,
    /// What an operation may depend on is visible to it, and all agree on one order of the writes: causal convergence.
    Causal,
    /// All four session guarantees.
    Session,
    /// One of them.
    Only(Guarantee),
}

impl Consistency {
    /// All, with their names.
    pub fn all() -> Vec<(&'static str, Consistency)> {
        let mut all = vec![
            ("linearizable", Consistency::Linearizable),
            ("sequential", Consistency::Sequential),
            ("causal", Consistency::Causal),
            ("session", Consistency::Session),
        ];
        all.extend(Guarantee::ALL.map(|(name, guarantee)| (name, Consistency::Only(guarantee))));
        all
    }

    /// Whether it is about values that were written and read, so that nothing else can be judged by it.
    pub fn is_about_values(self) -> bool {
        !matches!(self, Consistency::Linearizable | Consistency::Sequential)
    }

    /// What a history that holds is, and what one that is violated is.
    pub fn told(self) -> (String, String) {
        let is = |what: &str| (what.to_owned(), format!("not {what}"));
        match self {
            Consistency::Linearizable => is("linearizable"),
            Consistency::Sequential => is("sequentially consistent"),
            Consistency::Causal => is("causally consistent"),
            Consistency::Session => {
                ("keeps the session guarantees".to_owned(), "breaks the session guarantees".to_owned())
            }
            Consistency::Only(guarantee) => {
                let named = Guarantee::ALL.iter().find(|(_, other)| *other == guarantee);
                let name = named.map_or("", |(name, _)| name);
                (format!("keeps {name}"), format!("breaks {name}"))
            }
        }
    }
}

/// Judges all operations; each process is a session.
pub fn judge(keys: &ByKey, initial: i64, texts: &mut Texts, asked: Consistency, budget: Budget) -> Verdict {
    match asked {
        Consistency::Linearizable => linearizable(keys, initial, texts, budget),
        Consistency::Sequential => sequential::check(&accesses(keys), initial, texts, None, budget),
        Consistency::Causal => causal::check(&accesses(keys), initial, texts, budget),
        Consistency::Session => session::check(&accesses(keys), initial, texts, None, &Guarantee::EVERY),
        Consistency::Only(guarantee) => session::check_one(&accesses(keys), initial, texts, None, guarantee),
    }
}

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
