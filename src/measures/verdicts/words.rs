//! Operations in words: `update kv.balance[17] -= 10` of pay (from 61.204 s to 61.391 s, 100 to 90).

use std::cell::LazyCell;

use rustc_hash::FxHashMap;

use crate::base::ids::OpId;
use crate::base::op::{Op, Outcome, When};
use crate::base::time::Time;
use crate::check::history::Texts;
use crate::measures::verdicts::{Facts, Run};
use crate::record::history::{History, RowName, Step, Taken};

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

/// From when to when, with digits enough to tell how long that is: two of those that differ.
pub fn between(from: Time, until: Time) -> String {
    let apart = until.since(from).as_ns();
    let digits = (3..9).find(|digits| apart >= 10u64.pow(9 - digits) * 10).unwrap_or(9);
    let digits = if apart == 0 { 3 } else { digits };
    let instant = |at: Time| {
        // In whole numbers, rounded half up: a float has no room for a long run's nanoseconds.
        let unit = 10u64.pow(9 - digits);
        let rounded = (at.as_ns() + unit / 2) / unit;
        let second = 10u64.pow(digits);
        format!("{}.{:0width$} s", rounded / second, rounded % second, width = digits as usize)
    };
    match apart {
        0 => format!("at {}", instant(from)),
        _ => format!("from {} to {}", instant(from), instant(until)),
    }
}

/// An operation with who asked it, when, and what was seen.
pub fn told(step: &Step, run: &Run<'_>) -> String {
    let what = asks(&step.op, run.name(step), run.facts);
    let program = run.facts.program(step.program);
    let by = if program.is_empty() { String::new() } else { format!(" of {program}") };
    let when = if step.returned == Time::NEVER {
        format!("{}, never answered", instant(step.invoked))
    } else {
        between(step.invoked, step.returned)
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

/// Has versions told by the numbers that they are, of these operations.
pub fn name_versions(texts: &mut Texts, places: impl Iterator<Item = usize>, history: &History) {
    let taken = LazyCell::new(|| {
        let number = |taken: &Taken| (taken.value.version, taken.value.n);
        history.taken().iter().map(number).collect::<FxHashMap<OpId, i64>>()
    });
    for step in places.map(|place| &history.steps()[place]).filter(|step| step.writes()) {
        let number = match (step.op, step.outcome) {
            (_, Outcome::Ok(value)) => Some(value.n),
            // Others may have seen what was taken back.
            (Op::Write { n, .. }, _) => Some(n),
            (Op::Cas { to, .. }, _) => Some(to),
            // What it was added to, only the copies know.
            _ => taken.get(&step.attempt).copied(),
        };
        if let Some(number) = number {
            texts.name_value(step.attempt.0 as i64, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_told_from_its_end() {
        let ns = |ns: u64| Time::from_ns(ns);
        assert_eq!(between(ns(29_996_400_000), ns(29_997_400_000)), "from 29.9964 s to 29.9974 s");
        assert_eq!(between(ns(4_999_100_000), ns(10_598_000_000)), "from 4.999 s to 10.598 s");
        assert_eq!(between(ns(1_000_000_007), ns(1_000_000_009)), "from 1.000000007 s to 1.000000009 s");
        assert_eq!(between(ns(91_808_000_000), ns(91_808_000_000)), "at 91.808 s");
    }
}
