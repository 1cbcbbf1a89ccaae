//! A queue without an order: `enqueue`, `dequeue`, `drain`. What is taken out was put in before, and is taken out once (`jepsen.checker/queue` with
//! Knossos' unordered queue). Every enqueue counts from its invocation on, unless it failed; dequeues count when they succeed.

use rustc_hash::FxHashMap;

use crate::check::Verdict;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, asks_nothing, each, everything, promised, unknown, violated,
};
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};

pub(super) const QUEUE: Kind = Kind {
    name: "queue",
    about: "a queue in any order: what comes out went in before, and comes out once",
    operations: &["enqueue", "dequeue", "drain"],
    judge,
};

/// What a dequeue, or a drain, took out.
pub(super) fn taken_out(attempt: &Attempt) -> Result<&[Datum], Malformed> {
    match (&*attempt.f, attempt.result()) {
        (_, None | Some(Datum::Nil)) => Ok(&[]),
        ("drain", Some(all)) => all
            .elements()
            .ok_or_else(|| Malformed::line(attempt.line, "a drain gives the list of what it took out")),
        (_, Some(one)) => Ok(std::slice::from_ref(one)),
    }
}

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    let mut events: Vec<(u64, bool, Datum, usize)> = Vec::new();
    let count = each(attempts, asked, everything, &mut |attempt| {
        match &*attempt.f {
            "enqueue" if attempt.kind() == read::Kind::Fail => {}
            "enqueue" => events.push((attempt.began, true, attempt.argument.clone(), attempt.line)),
            "dequeue" | "drain" => {
                let order = attempt.returned();
                let out = taken_out(attempt)?.iter();
                events.extend(out.map(|value| (order, false, value.clone(), attempt.line)));
            }
            _ => return Err(unknown(kind, attempt)),
        }
        Ok(())
    })?;
    events.sort_by_key(|event| event.0);
    Ok(Judged::new(check(&events), count, promised("a queue")))
}

fn check(events: &[(u64, bool, Datum, usize)]) -> Verdict {
    let mut inside: FxHashMap<&Datum, (u64, usize)> = FxHashMap::default();
    for (_, is_in, value, line) in events {
        let (left, last) = inside.entry(value).or_insert((0, 0));
        match (*is_in, *left) {
            (true, _) => (*left, *last) = (*left + 1, *line),
            (false, 0) if *last == 0 => {
                let what = "which nobody had put in";
                return violated(format!("line {line} took out {value}, {what}"), vec![*line]);
            }
            (false, 0) => {
                let what = format!("which was taken out before by line {last}, or not put in again");
                return violated(format!("line {line} took out {value}, {what}"), vec![*last, *line]);
            }
            (false, _) => (*left, *last) = (*left - 1, *line),
        }
    }
    Verdict::Holds
}
