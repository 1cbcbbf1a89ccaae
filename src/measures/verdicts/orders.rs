//! What clients saw, put before the checkers.
//!
//! Where a store has one value at a time, an operation's values are versions: a read saw the version that it was given, an update
//! found its parent's and set its own. No two versions are the same, so the fast checks decide, and two values that happen to be the
//! same number are not taken for each other. Where additions add up there is no one version before an addition: there the
//! numbers are judged, by search.
//!
//! A write of which nobody knows whether it happened is pending. What the simulation knows of it is used in two ways, both of which only
//! spare work: one that no copy ever took in can have been seen by nobody and is left out; of one that was, it is known which version it
//! found. An update whose condition did not hold is an observation where just one version, of all there ever were, fails it.

use crate::base::op::{Op, Outcome, Reason, When};
use crate::base::time::Time;
use crate::check::history::{Call, Operation, PENDING, Texts};
use crate::check::judge::one;
use crate::check::search::Budget;
use crate::check::{Verdict, Witness};
use crate::measures::asked::Whose;
use crate::measures::functions::Undefined;
use crate::measures::verdicts::{Finding, Run, Told, words};
use crate::record::history::{RowName, Step};

/// A version that nobody ever wrote.
const NOWHERE: i64 = i64::MAX;
/// What judging one key may cost, where it takes a search.
const BUDGET: Budget = Budget { nodes: 2_000_000, bytes: 256 << 20 };

/// Whether the operations on each key are linearizable; linearizability is local, so then all of them are. Of violations the one with
/// the fewest operations is told.
pub(super) fn linearizable(whose: &Whose, run: &Run<'_>) -> Finding {
    let by_row = rows(whose, run);
    if by_row.iter().all(Vec::is_empty) {
        return Finding::unknown(format!("nobody used `{}`", whose.name()));
    }
    let mut violated: Option<(Witness, usize)> = None;
    let mut unknown = None;
    for (row, steps) in by_row.iter().enumerate().filter(|(_, steps)| !steps.is_empty()) {
        let name = run.history.rows()[row];
        let seen = Seen::of(name, steps, run);
        let mut texts = Texts::default();
        match one(&seen.operations, seen.initial, &mut texts, BUDGET) {
            Verdict::Holds => {}
            Verdict::Unknown(why) => unknown = unknown.or(Some((name, why))),
            Verdict::Violated(witness) => {
                let fewer = |best: &(Witness, usize)| witness.operations.len() < best.0.operations.len();
                if violated.as_ref().is_none_or(fewer) {
                    let sentence = seen.retell(&witness.sentence, &texts, run);
                    violated = Some((Witness { sentence, ..witness }, row));
                }
            }
        }
    }
    match (violated, unknown) {
        (Some((witness, _)), _) => {
            let steps = witness.operations.iter().map(|place| place - 1).collect();
            Finding::of(0.0, Some(Told { sentence: witness.sentence, steps }))
        }
        (None, Some((name, why))) => Finding {
            value: Err(Undefined(format!("{}: {why}", words::row(name, run.facts)))),
            witness: None,
        },
        (None, None) => Finding::of(1.0, None),
    }
}

/// The places of the operations on each row, in the order in which they were sent.
fn rows(whose: &Whose, run: &Run<'_>) -> Vec<Vec<usize>> {
    let tables = whose.tables();
    let mut by_row = vec![Vec::new(); run.history.rows().len()];
    for (place, step) in run.history.steps().iter().enumerate() {
        let name = run.name(step);
        if tables.contains(&(name.store, name.table)) {
            by_row[step.row.0 as usize].push(place);
        }
    }
    by_row
}

/// The operations on one row as a checker reads them.
struct Seen {
    operations: Vec<Operation>,
    initial: i64,
}

impl Seen {
    fn of(name: RowName, places: &[usize], run: &Run<'_>) -> Seen {
        let steps = run.history.steps();
        let numbers = run.facts.adds_up(name.store);
        let values = if numbers { Vec::new() } else { values(name, places, run) };
        let mut operations = Vec::with_capacity(places.len());
        for place in places {
            let step = &steps[*place];
            let call = if numbers { by_number(step) } else { by_version(step, &values) };
            operations.extend(call.map(|call| operation(*place, step, call)));
        }
        Seen { operations, initial: if numbers { run.facts.initial(name) } else { 0 } }
    }

    /// A checker's sentence with operations told as the run knows them, not by their values and lines.
    fn retell(&self, sentence: &str, texts: &Texts, run: &Run<'_>) -> String {
        let mut retold = sentence.to_owned();
        for operation in &self.operations {
            let (call, line) = (texts.describe(operation.call), operation.place);
            let as_told = format!("`{call}` of process {} (line {line})", operation.process);
            retold = retold.replace(&as_told, &words::told(&run.history.steps()[line - 1], run));
        }
        retold
    }
}

/// An operation with its place in the order of all that was sent and answered: what was sent counts two, and an answer comes after all that
/// had been sent by then.
fn operation(place: usize, step: &Step, call: Call) -> Operation {
    let returned = if step.returned == Time::NEVER { PENDING } else { 2 * u64::from(step.followed) };
    Operation { process: step.session, place: place + 1, invoked: 2 * place as u64 + 1, returned, call }
}

/// What an operation did, in versions.
fn by_version(step: &Step, values: &[(i64, Option<i64>)]) -> Option<Call> {
    let version = |version: crate::base::ids::OpId| version.0 as i64;
    match (step.op, step.outcome) {
        (Op::Read { .. }, Outcome::Ok(value)) => Some(Call::Read(version(value.version))),
        (Op::Write { .. }, Outcome::Ok(_)) => Some(Call::Write(version(step.attempt))),
        (Op::Write { .. }, Outcome::Unknown(_)) => step.found.map(|_| Call::Write(version(step.attempt))),
        (Op::Update { .. } | Op::Cas { .. }, Outcome::Ok(value)) => {
            Some(Call::Cas(version(value.parent), version(step.attempt)))
        }
        (Op::Update { .. } | Op::Cas { .. }, Outcome::Unknown(_)) => {
            step.found.map(|found| Call::Cas(version(found), version(step.attempt)))
        }
        (_, Outcome::Fail(Reason::Condition)) => {
            let (when, bound) = condition(&step.op)?;
            let mut failing = values.iter().filter(|(_, n)| n.is_none_or(|n| !when.holds(n, bound)));
            match (failing.next(), failing.next()) {
                (Some((version, _)), None) => Some(Call::Read(*version)),
                (None, _) => Some(Call::Read(NOWHERE)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn condition(op: &Op) -> Option<(When, i64)> {
    match *op {
        Op::Update { when, bound, .. } => Some((when, bound)),
        Op::Cas { from, .. } => Some((When::Equal, from)),
        _ => None,
    }
}

/// Every version of a row that there ever was, with its number if that is known.
fn values(name: RowName, places: &[usize], run: &Run<'_>) -> Vec<(i64, Option<i64>)> {
    let mut values = vec![(0, Some(run.facts.initial(name)))];
    for step in places.iter().map(|place| &run.history.steps()[*place]) {
        match (step.op, step.outcome) {
            (Op::Read { .. }, _) | (_, Outcome::Fail(_)) => {}
            (_, Outcome::Ok(value)) => values.push((step.attempt.0 as i64, Some(value.n))),
            // Its number is not known: what it was added to may be anything.
            (_, Outcome::Unknown(_)) if step.found.is_some() => values.push((step.attempt.0 as i64, None)),
            _ => {}
        }
    }
    values
}

/// What an operation did, in numbers, where additions add up.
fn by_number(step: &Step) -> Option<Call> {
    match (step.op, step.outcome) {
        (Op::Read { .. }, Outcome::Ok(value)) => Some(Call::Read(value.n)),
        (Op::Write { n, .. }, Outcome::Ok(_) | Outcome::Unknown(_)) => Some(Call::Write(n)),
        (Op::Update { delta, .. }, Outcome::Ok(value)) => Some(Call::Add(delta, Some(value.n))),
        (Op::Update { delta, .. }, Outcome::Unknown(_)) => Some(Call::Add(delta, None)),
        (Op::Cas { from, to, .. }, Outcome::Ok(_) | Outcome::Unknown(_)) => Some(Call::Cas(from, to)),
        _ => None,
    }
}
