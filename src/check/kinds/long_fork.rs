//! Long forks (`jepsen.tests.long-fork`): transactions write one key each, once, or read a group of keys. Two reads of a group where each lacks a write
//! that the other saw have seen writes in two orders, which snapshot isolation rules out and parallel snapshot isolation does not.
//!
//! Of reads of the same keys, sorted by how many writes they saw, each must have seen all that the one before it did: then they all form
//! a chain, and otherwise the two are a fork.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::check::Verdict;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, asks_nothing, each, everything, promised, violated,
};
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};

pub(super) const LONG_FORK: Kind = Kind {
    name: "long-fork",
    about: "writes of one key each and reads of groups of keys, none of which see writes in two orders",
    operations: &["txn", "read", "write"],
    judge,
};

/// The keys that reads saw written, and their lines.
type Reads = Vec<(BTreeSet<Datum>, usize)>;

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    let mut writes: FxHashMap<Datum, Vec<(Datum, usize)>> = FxHashMap::default();
    let mut groups: BTreeMap<BTreeSet<Datum>, Reads> = BTreeMap::new();
    let mut seen: Vec<(Datum, Datum, usize)> = Vec::new();
    let count = each(attempts, asked, everything, &mut |attempt| {
        let actions = actions(attempt)?;
        if let [(f, key, value)] = &actions[..]
            && matches!(*f, "w" | "write")
        {
            if attempt.kind() != read::Kind::Fail {
                writes.entry((*key).clone()).or_default().push(((*value).clone(), attempt.line));
            }
            return Ok(());
        }
        if actions.iter().any(|(f, ..)| !matches!(*f, "r" | "read")) {
            let why = "a transaction here is one write, or reads alone";
            return Err(Malformed::line(attempt.line, why));
        }
        if attempt.kind() == read::Kind::Ok {
            let keys = actions.iter().map(|(_, key, _)| (*key).clone()).collect();
            let written = actions.iter().filter(|(.., value)| **value != Datum::Nil);
            seen.extend(
                written.clone().map(|(_, key, value)| ((*key).clone(), (*value).clone(), attempt.line)),
            );
            let written = written.map(|(_, key, _)| (*key).clone()).collect();
            groups.entry(keys).or_default().push((written, attempt.line));
        }
        Ok(())
    })?;
    Ok(Judged::new(check(&writes, &seen, &mut groups), count, promised("free of long forks")))
}

/// Names, keys and values.
fn actions<'a>(attempt: &'a Attempt) -> Result<Vec<(&'a str, &'a Datum, &'a Datum)>, Malformed> {
    let value = attempt.result().unwrap_or(&attempt.argument);
    let wrong =
        || Malformed::line(attempt.line, "a transaction is a list of actions: [[:r 1 nil]], [[:w 1 2]]");
    let of = |action: &'a Datum| {
        let Datum::List(parts) = action else { return Err(wrong()) };
        match &parts[..] {
            [f, key, value] => Ok((f.word().ok_or_else(wrong)?, key, value)),
            [f, key] => Ok((f.word().ok_or_else(wrong)?, key, &Datum::Nil)),
            _ => Err(wrong()),
        }
    };
    value.elements().ok_or_else(wrong)?.iter().map(of).collect()
}

fn check(
    writes: &FxHashMap<Datum, Vec<(Datum, usize)>>,
    seen: &[(Datum, Datum, usize)],
    groups: &mut BTreeMap<BTreeSet<Datum>, Reads>,
) -> Verdict {
    for (key, value, line) in seen {
        let of_key = writes.get(key).map_or(&[][..], Vec::as_slice);
        if !of_key.iter().any(|(written, _)| written == value) {
            return violated(format!("line {line} saw {value} in {key}, which nobody wrote"), vec![*line]);
        }
    }
    let twice = writes.iter().filter(|(_, of_key)| of_key.len() > 1).min_by_key(|(_, of_key)| of_key[1].1);
    if let Some((key, of_key)) = twice {
        let why = "each key is to be written once, so that it is known what a read has seen";
        return Verdict::Unknown(format!(
            "{key} was written by lines {} and {}: {why}",
            of_key[0].1, of_key[1].1
        ));
    }
    for reads in groups.values_mut() {
        reads.sort_by_key(|(written, line)| (written.len(), *line));
        for pair in reads.windows(2) {
            let lacking = pair[0].0.difference(&pair[1].0).next();
            let more = pair[1].0.difference(&pair[0].0).next();
            if let (Some(one), Some(other)) = (lacking, more) {
                let sentence = format!(
                    "line {} saw the write of {one} and not that of {other}, and line {} the other way round",
                    pair[0].1, pair[1].1
                );
                return violated(sentence, vec![pair[0].1, pair[1].1]);
            }
        }
    }
    Verdict::Holds
}
