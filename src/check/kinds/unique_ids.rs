//! A generator of identifiers (`generate`): no two are the same (`jepsen.checker/unique-ids`, Maelstrom's `unique-ids`).

use rustc_hash::FxHashMap;

use crate::check::Verdict;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, asks_nothing, each, everything, promised, unknown, violated,
};
use crate::check::read::attempts::Attempts;
use crate::check::read::datum::Datum;

pub(super) const UNIQUE_IDS: Kind = Kind {
    name: "unique-ids",
    about: "identifiers, no two of them the same",
    operations: &["generate"],
    judge,
};

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    let (mut lines, mut verdict) = (FxHashMap::<Datum, usize>::default(), Verdict::Holds);
    let count = each(attempts, asked, everything, &mut |attempt| {
        if &*attempt.f != "generate" {
            return Err(unknown(kind, attempt));
        }
        if let Some(id) = attempt.result()
            && let Some(other) = lines.insert(id.clone(), attempt.line)
            && verdict == Verdict::Holds
        {
            let sentence = format!("lines {other} and {} were both given {id}", attempt.line);
            verdict = violated(sentence, vec![other, attempt.line]);
        }
        Ok(())
    })?;
    Ok(Judged::new(verdict, count, promised("unique")))
}
