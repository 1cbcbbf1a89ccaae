//! A set that is read at the end (`jepsen.checker/set`): the last read has every element whose `add` had been acknowledged when it began, and
//! none that nobody tried to add. What earlier reads saw does not matter.

use std::collections::BTreeMap;

use crate::check::Verdict;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, argument, asks_nothing, each, promised, unknown, violated,
};
use crate::check::read::attempts::Attempts;
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};

pub(super) const SET_FINAL: Kind = Kind {
    name: "set-final",
    about: "a set that is read at the end: it has what was acknowledged, and nothing else",
    operations: &["add", "read"],
    judge,
};

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    // By element: when it was acknowledged, if it was, and the line.
    let mut added: BTreeMap<Datum, (Option<u64>, usize)> = BTreeMap::new();
    let mut last: Option<(u64, u64, Vec<Datum>, usize)> = None;
    let count = each(attempts, asked, argument, &mut |attempt| {
        match &*attempt.f {
            "add" if attempt.kind() == read::Kind::Fail => {}
            "add" => {
                let ok = (attempt.kind() == read::Kind::Ok).then(|| attempt.returned());
                let entry = added.entry(attempt.argument.clone()).or_insert((None, attempt.line));
                entry.0 = entry.0.into_iter().chain(ok).min();
            }
            "read" => {
                let Some(seen) = attempt.result() else { return Ok(()) };
                let wrong = || Malformed::line(attempt.line, "a read of a set sees a list");
                let elements = if *seen == Datum::Nil { &[] } else { seen.elements().ok_or_else(wrong)? };
                if last.as_ref().is_none_or(|last| last.0 < attempt.returned()) {
                    last = Some((attempt.returned(), attempt.began, elements.to_vec(), attempt.line));
                }
            }
            _ => return Err(unknown(kind, attempt)),
        }
        Ok(())
    })?;
    let verdict = match last {
        None => Verdict::Unknown("the set was never read".to_owned()),
        Some((_, began, seen, line)) => check(&added, began, seen, line),
    };
    Ok(Judged::new(verdict, count, promised("complete")))
}

fn check(
    added: &BTreeMap<Datum, (Option<u64>, usize)>,
    began: u64,
    mut seen: Vec<Datum>,
    line: usize,
) -> Verdict {
    seen.sort_unstable();
    if let Some(element) = seen.iter().find(|element| !added.contains_key(element)) {
        let sentence = format!("the last read (line {line}) saw {element}, which nobody added");
        return violated(sentence, vec![line]);
    }
    let is_lost = |(element, (ok, _)): &(&Datum, &(Option<u64>, usize))| {
        ok.is_some_and(|ok| ok < began) && seen.binary_search(element).is_err()
    };
    let lost = added.iter().filter(is_lost).count();
    match added.iter().find(is_lost) {
        None => Verdict::Holds,
        Some((element, (_, add))) => {
            let more = if lost > 1 { format!(" ({lost} are lost in all)") } else { String::new() };
            let sentence =
                format!("the last read (line {line}) lacks {element}, which line {add} had added{more}");
            violated(sentence, vec![*add, line])
        }
    }
}
