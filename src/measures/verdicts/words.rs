//! Operations in words: `update kv.balance[17] -= 10` of pay (61.204 s to 61.391 s, 100 to 90).

use crate::base::op::{Op, Outcome, When};
use crate::base::time::Time;
use crate::measures::verdicts::{Facts, Run};
use crate::record::history::{RowName, Step};

/// A row: `kv.balance[17]`.
pub fn row(name: RowName, facts: &dyn Facts) -> String {
    format!("{}[{}]", facts.table(name.store, name.table), name.key)
}

/// What an operation asks, as it would be written.
pub fn asks(op: &Op, name: RowName, facts: &dyn Facts) -> String {
    let row = row(name, facts);
    match *op {
        Op::Write { n, .. } => format!("write {row} = {n}"),
        Op::Update { delta, when, bound, .. } => {
            let (sign, by) =
                if delta < 0 { ("-", delta.unsigned_abs()) } else { ("+", delta.unsigned_abs()) };
            let condition = match when {
                When::Always => String::new(),
                when => format!(" when {} {bound}", when.sign()),
            };
            format!("update {row} {sign}= {by}{condition}")
        }
        Op::Cas { from, to, .. } => format!("cas {row} {from} to {to}"),
        _ => format!("read {row}"),
    }
}

/// An instant, to the millisecond.
pub fn instant(at: Time) -> String {
    format!("{:.3} s", at.as_secs_f64())
}

/// An operation with who asked it, when, and what was seen.
pub fn told(step: &Step, run: &Run<'_>) -> String {
    let what = asks(&step.op, run.name(step), run.facts);
    let program = run.facts.program(step.program);
    let by = if program.is_empty() { String::new() } else { format!(" of {program}") };
    let when = if step.returned == Time::NEVER {
        format!("{}, never answered", instant(step.invoked))
    } else {
        format!("{} to {}", instant(step.invoked), instant(step.returned))
    };
    let seen = match (step.op, step.outcome) {
        (Op::Read { .. }, Outcome::Ok(value)) => format!(", saw {}", value.n),
        (Op::Update { delta, .. }, Outcome::Ok(value)) => {
            format!(", {} to {}", value.n.saturating_sub(delta), value.n)
        }
        (_, Outcome::Fail(_)) => ", its condition did not hold".to_owned(),
        _ => String::new(),
    };
    format!("`{what}`{by} ({when}{seen})")
}
