//! `--model auto`: what a history seems to be of, by what its operations are called and what they carry.

use crate::check::kinds::ALL;
use crate::check::kinds::kind::Kind;
use crate::check::read::Malformed;
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;

/// Operations that are looked at.
const LOOKED_AT: usize = 1_000;

/// The kind that a history seems to be of, or the names of its operations if it seems to be of none.
///
/// # Errors
/// The first line that makes no sense.
pub fn guess(attempts: &mut Attempts<'_>) -> Result<Result<&'static Kind, Vec<String>>, Malformed> {
    let ahead = attempts.ahead(LOOKED_AT)?;
    let mut names: Vec<&str> = ahead.iter().map(|attempt| &*attempt.f).collect();
    names.sort_unstable();
    names.dedup();
    let has = |name: &str| names.contains(&name);
    let values = |f: &'static str| {
        let of_f = ahead.iter().filter(move |attempt| &*attempt.f == f);
        of_f.flat_map(|attempt| std::iter::once(&attempt.argument).chain(attempt.result()))
    };
    let sees = |is: fn(&Datum) -> bool| values("read").any(is);
    let actions: Vec<&Datum> = ahead.iter().filter_map(first_actions).flatten().collect();
    let acts = |name: &str| {
        actions.iter().any(|action| matches!(action, Datum::List(parts) if parts.first().and_then(Datum::word) == Some(name)))
    };
    let name = match () {
        () if names.is_empty() => "register",
        () if acts("append") => "list-append",
        () if !actions.is_empty() => "rw-register",
        () if has("acquire") || has("release") || has("lock") || has("unlock") => "mutex",
        () if has("transfer") => "bank",
        () if has("enqueue") || has("dequeue") => "total-queue",
        () if has("generate") => "unique-ids",
        () if has("broadcast") => "broadcast",
        () if has("send") || has("poll") => "kafka",
        () if has("update") || ahead.iter().any(is_our_own) => "store",
        () if has("get") || has("put") || has("append") || has("delete") => "kv",
        () if has("cas") => "cas-register",
        () if has("add") && sees(|value| matches!(value, Datum::List(_) | Datum::Set(_))) => "set",
        () if has("add") || has("inc") || has("increment") || has("dec") || has("decrement") => "counter",
        () if has("write") || has("w") => "register",
        () if has("read") && sees(|value| matches!(value, Datum::Map(_))) => "bank",
        () if has("read") || has("r") => "register",
        () => return Ok(Err(names.iter().map(|name| (*name).to_owned()).collect())),
    };
    let kind = ALL.iter().find(|kind| kind.name == name);
    Ok(kind.ok_or_else(|| names.iter().map(|name| (*name).to_owned()).collect()))
}

/// The actions of a transaction, if it is one: a list of lists that begin with words.
fn first_actions(attempt: &Attempt) -> Option<&[Datum]> {
    if !matches!(&*attempt.f, "" | "txn" | "read" | "write" | "append" | "read-write") {
        return None;
    }
    let value = attempt.result().unwrap_or(&attempt.argument);
    let Datum::List(actions) = value else { return None };
    let is_action = |action: &Datum| {
        let Datum::List(parts) = action else { return false };
        (2..=3).contains(&parts.len())
            && parts[0].word().is_some_and(|f| matches!(f, "r" | "w" | "append" | "read" | "write"))
    };
    (!actions.is_empty() && actions.iter().all(is_action)).then_some(actions)
}

/// Whether `splitbrain run --history` recorded it.
fn is_our_own(attempt: &Attempt) -> bool {
    attempt.end.as_ref().is_some_and(|end| end.own.n.is_some() || end.own.failed.is_some())
}
