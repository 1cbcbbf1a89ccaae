//! A queue that is drained at the end: what went in comes out (`jepsen.checker/total-queue`). What was acknowledged and never came out is lost; what
//! came out and nobody tried to put in is unexpected. What comes out more often than it went in is told and breaks nothing, as there: at least
//! once is what such queues promise. A dequeue of which nobody knows how it ended may have taken out what is missing.

use std::collections::BTreeMap;

use crate::check::Verdict;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, asks_nothing, each, everything, promised, unknown, violated,
};
use crate::check::kinds::queue::taken_out;
use crate::check::read;
use crate::check::read::attempts::Attempts;
use crate::check::read::datum::Datum;

pub(super) const TOTAL_QUEUE: Kind = Kind {
    name: "total-queue",
    about: "a queue that is drained at the end: what went in comes out",
    operations: &["enqueue", "dequeue", "drain"],
    judge,
};

/// What became of an element: how often it was tried to put in, was put in, and came out; and a line of it.
#[derive(Default)]
struct Element {
    tried: usize,
    acknowledged: usize,
    out: usize,
    line: usize,
}

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    let mut elements: BTreeMap<Datum, Element> = BTreeMap::new();
    let mut unknown_ends = 0;
    let count = each(attempts, asked, everything, &mut |attempt| {
        match &*attempt.f {
            "enqueue" => {
                let element = elements.entry(attempt.argument.clone()).or_default();
                element.tried += usize::from(attempt.kind() != read::Kind::Fail);
                element.acknowledged += usize::from(attempt.kind() == read::Kind::Ok);
                element.line = attempt.line;
            }
            "dequeue" | "drain" => {
                unknown_ends += usize::from(attempt.kind() == read::Kind::Info);
                for value in taken_out(attempt)? {
                    let element = elements.entry(value.clone()).or_default();
                    element.out += 1;
                    element.line = attempt.line;
                }
            }
            _ => return Err(unknown(kind, attempt)),
        }
        Ok(())
    })?;
    let mut judged = Judged::new(check(&elements, unknown_ends), count, promised("a total queue"));
    let again: usize =
        elements.values().filter(|one| one.tried > 0).map(|one| one.out.saturating_sub(one.tried)).sum();
    if again > 0 {
        judged.notes.push(format!("{again} came out more often than they went in"));
    }
    Ok(judged)
}

fn check(elements: &BTreeMap<Datum, Element>, unknown_ends: usize) -> Verdict {
    if let Some((value, one)) = elements.iter().find(|(_, one)| one.tried == 0 && one.out > 0) {
        let sentence = format!("line {} took out {value}, which nobody put in", one.line);
        return violated(sentence, vec![one.line]);
    }
    let missing = |one: &Element| one.acknowledged.saturating_sub(one.out);
    let lost: usize = elements.values().map(missing).sum();
    let Some((value, one)) = elements.iter().find(|(_, one)| missing(one) > 0) else { return Verdict::Holds };
    if lost <= unknown_ends {
        return Verdict::Unknown(format!(
            "{lost} did not come out ({value} among them), and of {unknown_ends} dequeues nobody knows what they took out"
        ));
    }
    let more = if lost > 1 { format!(" ({lost} are lost in all)") } else { String::new() };
    violated(format!("{value}, which line {} had put in, never came out{more}", one.line), vec![one.line])
}
