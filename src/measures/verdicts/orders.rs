//! Whether some order explains what clients saw, as the checkers judge it.

use std::collections::BTreeMap;

use crate::base::ids::OpId;
use crate::check::history::{Operation, Texts};
use crate::check::judge::one;
use crate::check::relations::{Access, Orders, written};
use crate::check::search::Budget;
use crate::check::session::{self, Guarantee};
use crate::check::{Verdict, Witness, causal, sequential};
use crate::measures::asked::Whose;
use crate::measures::functions::Undefined;
use crate::measures::verdicts::lineage::Lineage;
use crate::measures::verdicts::seen::{operations, retold, rows};
use crate::measures::verdicts::{Explanation, Finding, Merging, Run, words};
use crate::record::history::Place;

/// What judging one key may cost, where it takes a search.
const BUDGET: Budget = Budget { nodes: 2_000_000, bytes: 256 << 20 };
/// What judging all keys together may.
const BUDGET_OF_ALL: Budget = Budget { nodes: 20_000_000, bytes: 1 << 30 };

/// Whether the operations on each key are linearizable; linearizability is local, so then all of them are. Of violations the one with
/// the fewest operations is told.
pub(super) fn linearizable(whose: &Whose, run: &Run<'_>) -> Finding {
    let by_row = rows(whose, run);
    if by_row.iter().all(Vec::is_empty) {
        return nobody(whose);
    }
    let mut violated: Option<Witness> = None;
    let mut unknown = None;
    for (row, places) in by_row.iter().enumerate().filter(|(_, places)| !places.is_empty()) {
        let name = run.history.rows()[row];
        let (operations, initial) = operations(name, places, run);
        // Where numbers are judged they are told as they are.
        let mut texts = Texts::default();
        if run.facts.merging(name.store) != Merging::Adds {
            texts.name_value(0, run.facts.initial(name));
            words::name_versions(&mut texts, places.iter().copied(), run.history);
        }
        match one(&operations, initial, &mut texts, BUDGET) {
            Verdict::Holds => {}
            Verdict::Unknown(why) => {
                unknown = unknown.or_else(|| Some(format!("{}: {why}", words::row(name, run.facts))));
            }
            Verdict::Violated(witness) => {
                let fewer = |best: &Witness| witness.operations.len() < best.operations.len();
                if violated.as_ref().is_none_or(fewer) {
                    let sentence = retold(&witness.sentence, operations.iter(), &texts, run);
                    violated = Some(Witness { sentence, ..witness });
                }
            }
        }
    }
    match (violated, unknown) {
        (Some(witness), _) => shown(witness),
        (None, Some(why)) => Finding::unknown(why),
        (None, None) => Finding::of(1.0, None),
    }
}

/// Whether all operations are sequentially consistent. The order in which the copies had the versions is tried first: if it explains
/// everything, it does.
pub(super) fn sequential(whose: &Whose, run: &Run<'_>) -> Finding {
    judged(whose, run, |accesses, texts| {
        let orders = Lineage::of(&whose.tables(), run).orders(run);
        match sequential::check(accesses, 0, texts, Some(&orders), BUDGET_OF_ALL) {
            Verdict::Holds => Verdict::Holds,
            _ => sequential::check(accesses, 0, texts, None, BUDGET_OF_ALL),
        }
    })
}

/// Whether all operations are causally consistent.
pub(super) fn causal(whose: &Whose, run: &Run<'_>) -> Finding {
    judged(whose, run, |accesses, texts| causal::check(accesses, 0, texts, BUDGET_OF_ALL))
}

/// Whether a promise to sessions was kept, in the order in which the store itself has the writes.
pub(super) fn keeps(guarantee: Guarantee, whose: &Whose, run: &Run<'_>) -> Finding {
    judged(whose, run, |accesses, texts| {
        let orders = placed(accesses, run);
        session::check_one(accesses, 0, texts, Some(&orders), guarantee)
    })
}

/// The versions that clients wrote, each key's in the order in which its store has them.
fn placed(accesses: &[Access], run: &Run<'_>) -> Orders {
    let mut by_key: BTreeMap<i64, Vec<(Place, i64)>> = BTreeMap::new();
    for access in accesses {
        let Some(version) = written(access.operation.call) else { continue };
        if let Some(place) = run.history.place_of(OpId(version as u64)) {
            by_key.entry(access.key).or_default().push((place, version));
        }
    }
    let in_order = |(key, mut versions): (i64, Vec<(Place, i64)>)| {
        versions.sort_unstable();
        (key, versions.into_iter().map(|(_, version)| version).collect())
    };
    by_key.into_iter().map(in_order).collect()
}

/// Judges the operations on all keys together.
fn judged(whose: &Whose, run: &Run<'_>, judge: impl Fn(&[Access], &mut Texts) -> Verdict) -> Finding {
    for (store, _) in whose.tables() {
        let why = match run.facts.merging(store) {
            Merging::Replaces => continue,
            Merging::Adds => "additions add up: its values are not versions of which one replaces another",
            Merging::Keeps => "concurrent writes all stay: a read may see several values at once",
        };
        return Finding::unknown(format!("in the store of `{}` {why}", whose.name()));
    }
    let mut accesses = Vec::new();
    for (row, places) in rows(whose, run).iter().enumerate().filter(|(_, places)| !places.is_empty()) {
        let (operations, _) = operations(run.history.rows()[row], places, run);
        accesses.extend(operations.into_iter().map(|operation| access(row, operation)));
    }
    if accesses.is_empty() {
        return nobody(whose);
    }
    let mut texts = Texts::default();
    words::name_versions(&mut texts, accesses.iter().map(|access| access.operation.place - 1), run.history);
    match judge(&accesses, &mut texts) {
        Verdict::Holds => Finding::of(1.0, None),
        Verdict::Unknown(why) => Finding::unknown(why),
        Verdict::Violated(witness) => {
            let operations = accesses.iter().map(|access| &access.operation);
            let sentence = retold(&witness.sentence, operations, &texts, run);
            shown(Witness { sentence, ..witness })
        }
    }
}

/// Operations that are nobody's are of a session of their own each.
fn access(row: usize, operation: Operation) -> Access {
    let session = if operation.process == 0 { u64::MAX - operation.place as u64 } else { operation.process };
    Access { key: row as i64, session, operation }
}

fn nobody(whose: &Whose) -> Finding {
    Finding::unknown(format!("nobody used `{}`", whose.name()))
}

fn shown(witness: Witness) -> Finding {
    let steps = witness.operations.iter().map(|place| place - 1).collect();
    Finding {
        value: Ok::<f64, Undefined>(0.0),
        witness: Some(Explanation { sentence: witness.sentence, steps, holds: Vec::new() }),
    }
}
