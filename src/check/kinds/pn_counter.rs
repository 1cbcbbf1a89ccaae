//! A counter that goes up and down and may be late: Maelstrom's `pn-counter` and `g-counter`. Each read that is marked `:final?` sees the sum of all
//! additions that were acknowledged, and of any of those of which nobody knows. Other reads may see anything.

use crate::check::Verdict;
use crate::check::frontier::adds_up;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, argument, asks_nothing, each, promised, unknown, violated,
};
use crate::check::read::attempts::Attempts;
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};

pub(super) const PN_COUNTER: Kind = Kind {
    name: "pn-counter",
    about: "a counter that may be late: reads marked `:final?` see the sum of all additions",
    operations: &["add", "read"],
    judge,
};

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    let (mut certain, mut possible, mut reads) = (0i128, Vec::new(), Vec::new());
    let count = each(attempts, asked, argument, &mut |attempt| {
        let whole = |datum: &Datum| match datum {
            Datum::Number(number) => Ok(*number),
            other => Err(Malformed::line(attempt.line, format!("{other} is no whole number"))),
        };
        match (&*attempt.f, attempt.kind()) {
            ("add", read::Kind::Ok) => certain += i128::from(whole(&attempt.argument)?),
            ("add", read::Kind::Fail) => {}
            ("add", _) => possible.push(whole(&attempt.argument)?),
            ("read", read::Kind::Ok) if attempt.end.as_ref().is_some_and(|end| end.own.is_final) => {
                let seen = attempt.result().map_or(Ok(0), &whole)?;
                reads.push((attempt.line, seen));
            }
            ("read", _) => {}
            _ => return Err(unknown(kind, attempt)),
        }
        Ok(())
    })?;
    possible.retain(|by| *by != 0);
    Ok(Judged::new(check(certain, &possible, &reads), count, promised("complete in the end")))
}

fn check(certain: i128, possible: &[i64], reads: &[(usize, i64)]) -> Verdict {
    let mut verdict = Verdict::Holds;
    if reads.is_empty() {
        return Verdict::Unknown(
            "no read is marked `:final? true`, and only such reads are judged".to_owned(),
        );
    }
    for (line, seen) in reads {
        match adds_up(possible, i128::from(*seen) - certain) {
            Some(true) => {}
            None => {
                verdict = Verdict::Unknown(format!("too many additions may make up what line {line} saw"))
            }
            Some(false) => {
                let but = match possible.len() {
                    0 => String::new(),
                    some => format!(", and no sum of the {some} of which nobody knows makes up for the rest"),
                };
                let sentence = format!(
                    "the last read of line {line} saw {seen}: what was acknowledged is {certain}{but}"
                );
                return violated(sentence, vec![*line]);
            }
        }
    }
    verdict
}
