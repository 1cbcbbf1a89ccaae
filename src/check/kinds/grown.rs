//! Sets that only grow and need not be up to date: Maelstrom's `g-set` (`add`) and `broadcast` (`broadcast`), judged as `jepsen.checker/set-full`
//! does where it does not ask for linearizability.
//!
//! An element is *known* once its addition was acknowledged or a read that saw it is over. It is *lost* if it is known, and the read that was
//! invoked last of those that say something of it, seen or not, did not see it and was invoked after that. An element that is late is
//! not lost. No read sees an element twice, or one that nobody added.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::Verdict;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, asks_nothing, each, everything, promised, unknown, violated,
};
use crate::check::read::attempts::Attempts;
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};

pub(super) const G_SET: Kind = Kind {
    name: "g-set",
    about: "a set that only grows and may be late: what is known is not lost",
    operations: &["add", "read"],
    judge,
};
pub(super) const BROADCAST: Kind = Kind {
    name: "broadcast",
    about: "messages that all are told of in the end: what is known is not lost",
    operations: &["broadcast", "read"],
    judge,
};

struct Added {
    line: usize,
    invoked: u64,
    known: u64,
}

struct Sight {
    began: u64,
    returned: u64,
    line: usize,
    seen: FxHashSet<Datum>,
}

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    let mut added: BTreeMap<Datum, Added> = BTreeMap::new();
    let mut sights: Vec<Sight> = Vec::new();
    let mut twice = None;
    let count = each(attempts, asked, everything, &mut |attempt| {
        let (line, began) = (attempt.line, attempt.began);
        match &*attempt.f {
            "topology" => {}
            "read" => {
                let Some(seen) = attempt.result() else { return Ok(()) };
                let wrong = || Malformed::line(line, format!("a read of a {} sees a list", kind.name));
                let all = if *seen == Datum::Nil { &[] } else { seen.elements().ok_or_else(wrong)? };
                let mut seen = FxHashSet::default();
                for element in all {
                    if !seen.insert(element.clone()) && twice.is_none() {
                        twice = Some((line, element.clone()));
                    }
                }
                sights.push(Sight { began, returned: attempt.returned(), line, seen });
            }
            f if f == kind.operations[0] => {
                let returned = if attempt.kind() == read::Kind::Ok { attempt.returned() } else { u64::MAX };
                // What failed may be seen nevertheless: who was told so does not know what others were told.
                let one = added.entry(attempt.argument.clone()).or_insert(Added {
                    line,
                    invoked: began,
                    known: returned,
                });
                one.known = one.known.min(returned);
                one.invoked = one.invoked.min(began);
            }
            _ => return Err(unknown(kind, attempt)),
        }
        Ok(())
    })?;
    let verdict = match twice {
        Some((line, element)) => violated(format!("the read of line {line} saw {element} twice"), vec![line]),
        None => check(added, &mut sights),
    };
    Ok(Judged::new(verdict, count, promised("complete in the end")))
}

fn check(mut added: BTreeMap<Datum, Added>, sights: &mut [Sight]) -> Verdict {
    sights.sort_by_key(|sight| sight.began);
    let mut last_seen: FxHashMap<&Datum, usize> = FxHashMap::default();
    for (place, sight) in sights.iter().enumerate() {
        for element in &sight.seen {
            last_seen.insert(element, place);
            match added.get_mut(element) {
                Some(one) if one.invoked < sight.returned => one.known = one.known.min(sight.returned),
                _ => {
                    let sentence = format!(
                        "the read of line {} saw {element}, which nobody had begun to add",
                        sight.line
                    );
                    return violated(sentence, vec![sight.line]);
                }
            }
        }
    }
    let Some(last) = sights.last() else { return Verdict::Unknown("nobody read".to_owned()) };
    let is_last = |element: &Datum| last_seen.get(element).is_some_and(|place| place + 1 == sights.len());
    let lost: Vec<(&Datum, &Added)> =
        added.iter().filter(|(element, one)| !is_last(element) && one.known < last.began).collect();
    if let Some((element, one)) = lost.first() {
        let more = if lost.len() > 1 { format!(" ({} are lost in all)", lost.len()) } else { String::new() };
        let sentence = format!(
            "the read of line {}, the last one, lacks {element} of line {}, which was known by then{more}",
            last.line, one.line
        );
        return violated(sentence, vec![one.line, last.line]);
    }
    match added.keys().any(is_last) {
        true => Verdict::Holds,
        false => Verdict::Unknown("no element was seen by the last read".to_owned()),
    }
}
