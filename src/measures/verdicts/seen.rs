//! Operations as checkers read them.
//!
//! Where a store has one value of a row at a time, an operation's values are versions: a read saw the version that it was given, an
//! update found its parent's and set its own. No two versions are the same, so the fast checks decide, and two values that
//! happen to be the same number are not taken for each other. Where additions add up there is no one version before an addition:
//! there the numbers are judged.
//!
//! A write of which nobody knows whether it happened is pending. What the simulation knows of it only spares work: one that no copy ever
//! took in can have been seen by nobody and is left out; of one that was, it is known which version it found.

use crate::base::ids::OpId;
use crate::base::op::{Op, Outcome, Reason, When};
use crate::base::time::Time;
use crate::check::history::{Call, Operation, PENDING, Texts};
use crate::check::observed::observed;
use crate::measures::asked::Whose;
use crate::measures::verdicts::{Merging, Run, words};
use crate::record::history::{RowName, Step};

/// The places of the operations on each row, in the order in which they were sent.
pub(super) fn rows(whose: &Whose, run: &Run<'_>) -> Vec<Vec<usize>> {
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

/// The operations on one row, in order, and its value before them.
pub(super) fn operations(name: RowName, places: &[usize], run: &Run<'_>) -> (Vec<Operation>, i64) {
    let steps = run.history.steps();
    let numbers = run.facts.merging(name.store) == Merging::Adds;
    let met_another = |place: &usize| steps[*place].outcome == Outcome::Fail(Reason::Condition);
    let asks_which = !numbers && places.iter().any(met_another);
    let values = if asks_which { values(name, places, run) } else { Vec::new() };
    let mut operations = Vec::with_capacity(places.len());
    for place in places {
        let step = &steps[*place];
        let call = if numbers { by_number(step) } else { by_version(step, &values) };
        operations.extend(call.map(|call| operation(*place, step, call)));
    }
    (operations, if numbers { run.facts.initial(name) } else { 0 })
}

/// An operation with its place in the order of all that was sent and answered: what was sent counts two, and an answer comes after all that
/// had been sent by then.
fn operation(place: usize, step: &Step, call: Call) -> Operation {
    let returned = if step.returned == Time::NEVER { PENDING } else { 2 * u64::from(step.followed) };
    Operation { process: step.session, place: place + 1, invoked: 2 * place as u64 + 1, returned, call }
}

/// A version as a value.
pub(super) fn version(version: OpId) -> i64 {
    version.0 as i64
}

/// What an operation did, in versions. An update whose condition did not hold is an observation where the versions that there ever were
/// tell which one it met.
fn by_version(step: &Step, values: &[(i64, Option<i64>)]) -> Option<Call> {
    let own = version(step.attempt);
    match (step.op, step.outcome) {
        (Op::Read { .. }, Outcome::Ok(value)) => Some(Call::Read(version(value.version))),
        (Op::Write { .. }, Outcome::Ok(_)) => Some(Call::Write(own)),
        (Op::Write { .. }, Outcome::Unknown(_)) => step.found.map(|_| Call::Write(own)),
        (Op::Update { .. } | Op::Cas { .. }, Outcome::Ok(value)) => Some(made_of(value.parent, own)),
        (Op::Update { .. } | Op::Cas { .. }, Outcome::Unknown(_)) => {
            step.found.map(|found| made_of(found, own))
        }
        (Op::Update { when, bound, .. }, Outcome::Fail(Reason::Condition)) => observed(when, bound, values),
        (Op::Cas { from, .. }, Outcome::Fail(Reason::Condition)) => observed(When::Equal, from, values),
        _ => None,
    }
}

/// A change of what it found; of itself if its transaction had written the row outright before: then it is as good as a write.
fn made_of(found: OpId, own: i64) -> Call {
    if version(found) == own { Call::Write(own) } else { Call::Cas(version(found), own) }
}

/// Every version of a row that there ever was, with its number if that is known.
fn values(name: RowName, places: &[usize], run: &Run<'_>) -> Vec<(i64, Option<i64>)> {
    let mut values = vec![(0, Some(run.facts.initial(name)))];
    for step in places.iter().map(|place| &run.history.steps()[*place]) {
        let number = match (step.op, step.outcome) {
            (Op::Read { .. }, _) | (_, Outcome::Fail(_)) => continue,
            (_, Outcome::Ok(value)) => Some(value.n),
            (_, Outcome::Unknown(_)) if step.found.is_none() => continue,
            (Op::Write { n, .. }, _) => Some(n),
            // What it was added to may be anything.
            _ => None,
        };
        values.push((version(step.attempt), number));
    }
    values
}

/// What an operation did, in numbers.
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

/// A checker's sentence with these operations told as the run knows them, not by their values and lines.
pub(super) fn retold<'o>(
    sentence: &str,
    operations: impl Iterator<Item = &'o Operation>,
    texts: &Texts,
    run: &Run<'_>,
) -> String {
    let mut retold = sentence.to_owned();
    for operation in operations {
        let (call, line) = (texts.describe(operation.call), operation.place);
        let as_told = format!("`{call}` of process {} (line {line})", operation.process);
        if retold.contains(&as_told) {
            retold = retold.replace(&as_told, &words::told(&run.history.steps()[line - 1], run));
        }
    }
    retold
}
