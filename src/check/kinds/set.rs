//! A set that elements are added to (`add`) and that is read as a whole (`read`).

use crate::check::history::Texts;
use crate::check::kinds::{Asked, Judged, Kind, Refused, knows, promised, value};
use crate::check::read::attempts::Attempts;
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};
use crate::check::transactions::set::{Addition, Sight, check};

pub(super) const SET: Kind = Kind {
    name: "set",
    about: "elements that are added once, and reads of all",
    operations: &["add", "read"],
    judge,
};

fn judge(_: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    knows("set", "isolation", asked.isolation.is_some(), "a set is judged for linearizability")?;
    let other = asked.consistency.as_deref().is_some_and(|asked| asked != "linearizable");
    knows("set", "consistency", other, "a set is judged for linearizability")?;
    knows("set", "initial", asked.initial.is_some(), "a set begins empty")?;
    let (mut additions, mut sights, mut texts, mut count) = (Vec::new(), Vec::new(), Texts::default(), 0);
    while let Some(attempt) = attempts.next() {
        let attempt = attempt?;
        if attempt.is_alone && attempt.kind() == read::Kind::Info {
            attempts.pass();
            continue;
        }
        count += 1;
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
                    None => continue,
                    Some(Datum::Nil) => &[],
                    Some(seen) => seen
                        .elements()
                        .ok_or_else(|| Malformed::line(place, "a read of a set sees a list"))?,
                };
                let elements = elements.iter().map(|element| value(&mut texts, element)).collect();
                sights.push(Sight { elements, place, invoked, returned });
            }
            f => return Err(Malformed::line(place, format!("a set has no operation `{f}`")).into()),
        }
    }
    Ok(Judged::new(check(&additions, &sights, &texts), count, promised("linearizable")))
}
