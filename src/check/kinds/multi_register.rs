//! Several registers that are read and written together, at once (Knossos' `multi-register`): `:txn` with `[[:r 1 nil] [:w 2 3]]`, judged for
//! linearizability of all of them together. A read of nil says nothing, as there.

use rustc_hash::FxHashMap;

use crate::check::history::{NIL, Texts};
use crate::check::kinds::kind::{
    Asked, Judged, Kind, OPERATION_BYTES, Refused, asks_nothing, each, promised, unknown, value,
};
use crate::check::multi::{Action, Together, linearizable};
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};

pub(super) const MULTI_REGISTER: Kind = Kind {
    name: "multi-register",
    about: "registers that are read and written several at once, linearizable together",
    operations: &["txn", "read", "write"],
    judge,
};

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    let (mut texts, mut keys, mut all) = (Texts::default(), FxHashMap::<Datum, u32>::default(), Vec::new());
    let count = each(attempts, asked, bytes, &mut |attempt| {
        if !matches!(&*attempt.f, "txn" | "read" | "write" | "r" | "w") {
            return Err(unknown(kind, attempt));
        }
        let wrong =
            || Malformed::line(attempt.line, "the value is a list of actions: [[:r 1 nil]], [[:w 1 2]]");
        let value_of = attempt.result().unwrap_or(&attempt.argument);
        let mut actions = Vec::new();
        for action in value_of.elements().ok_or_else(wrong)? {
            let parts = action.elements().ok_or_else(wrong)?;
            let [f, key, rest @ ..] = parts else { return Err(wrong()) };
            let next = keys.len() as u32;
            let key = *keys.entry(key.clone()).or_insert(next);
            let value = value(&mut texts, rest.first().unwrap_or(&Datum::Nil));
            match f.word() {
                Some("w" | "write") => actions.push(Action { key, is_write: true, value }),
                // What did not succeed was told nothing.
                Some("r" | "read") if value == NIL || attempt.kind() != read::Kind::Ok => {}
                Some("r" | "read") => actions.push(Action { key, is_write: false, value }),
                _ => return Err(wrong()),
            }
        }
        if attempt.kind() != read::Kind::Fail {
            let (place, invoked, returned) = (attempt.line, attempt.began, attempt.returned());
            all.push(Together { place, invoked, returned, actions });
        }
        Ok(())
    })?;
    let verdict = linearizable(&all, keys.len(), &texts, asked.budget);
    Ok(Judged::new(verdict, count, promised("linearizable")))
}

/// What is kept of an operation: its actions, with keys and values as numbers.
fn bytes(attempt: &Attempt) -> u64 {
    let actions = attempt.argument.elements().map_or(0, <[Datum]>::len);
    OPERATION_BYTES + (size_of::<Action>() * actions) as u64
}
