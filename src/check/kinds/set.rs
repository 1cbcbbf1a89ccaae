//! A set that elements are added to (`add`) and that is read as a whole (`read`).

use crate::check::history::Texts;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, argument, each, knows, promised, unknown, value,
};
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};
use crate::check::transactions::set::{Addition, Sight, check};

pub(super) const SET: Kind = Kind {
    name: "set",
    about: "elements that are added once, and reads of all",
    operations: &["add", "read"],
    judge,
};

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    knows("set", "isolation", asked.isolation.is_some(), "a set is judged for linearizability")?;
    let other = asked.consistency.as_deref().is_some_and(|asked| asked != "linearizable");
    knows("set", "consistency", other, "a set is judged for linearizability")?;
    knows("set", "initial", asked.initial.is_some(), "a set begins empty")?;
    let (mut additions, mut sights, mut texts) = (Vec::new(), Vec::new(), Texts::default());
    let count = each(attempts, asked, bytes, &mut |attempt| {
        let (place, invoked, returned) = (attempt.line, attempt.began, attempt.returned());
        match &*attempt.f {
            "add" if attempt.kind() == read::Kind::Fail => {}
            "add" => additions.push(Addition {
                element: value(&mut texts, &attempt.argument),
                place,
                invoked,
                returned,
            }),
            "read" => {
                let elements = match attempt.result() {
                    None => return Ok(()),
                    Some(Datum::Nil) => &[],
                    Some(seen) => seen
                        .elements()
                        .ok_or_else(|| Malformed::line(place, "a read of a set sees a list"))?,
                };
                let elements = elements.iter().map(|element| value(&mut texts, element)).collect();
                sights.push(Sight { elements, place, invoked, returned });
            }
            _ => return Err(unknown(kind, attempt)),
        }
        Ok(())
    })?;
    Ok(Judged::new(check(&additions, &sights, &texts), count, promised("linearizable")))
}

/// What is kept of an operation: elements as numbers, and each text once.
fn bytes(attempt: &Attempt) -> u64 {
    let seen = attempt.result().and_then(Datum::elements).map_or(0, <[Datum]>::len);
    argument(attempt) + size_of::<i64>() as u64 * seen as u64
}
