//! A bank: `transfer`s between accounts, and `read`s of all of them, as a map of balances or as a vector of them.

use std::collections::BTreeMap;

use crate::check::kinds::kind::{Asked, Judged, Kind, Refused, each, knows, promised, unknown};
use crate::check::read::Malformed;
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::transactions::bank::{Balances, check};

pub(super) const BANK: Kind = Kind {
    name: "bank",
    about: "transfers between accounts, and reads of all balances, whose sum stays",
    operations: &["transfer", "read"],
    judge,
};

/// A read, a node of its map with so many accounts at most, and the name of each.
const READ_BYTES: u64 = 48;
const NODE_BYTES: u64 = 384;
const NODE_ACCOUNTS: u64 = 11;
const NAME_BYTES: u64 = 16;

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    let instead = "a bank is judged by its balances: they add up to what there was, and none is negative";
    knows("bank", "isolation", asked.isolation.is_some(), instead)?;
    knows("bank", "consistency", asked.consistency.is_some(), instead)?;
    let total = match &asked.initial {
        None => None,
        Some(Datum::Number(total)) => Some(i128::from(*total)),
        Some(_) => {
            let why = "`--initial` of a bank is the sum of all balances";
            return Err(Refused::Asked(why.to_owned(), "a whole number".to_owned()));
        }
    };
    let mut reads = Vec::new();
    let count = each(attempts, asked, bytes, &mut |attempt| {
        match &*attempt.f {
            "transfer" => {}
            "read" => reads.extend(balances(attempt)?),
            _ => return Err(unknown(kind, attempt)),
        }
        Ok(())
    })?;
    // In the order in which they began, for the first one may say what the sum is.
    reads.sort_by_key(|(began, _)| *began);
    let reads: Vec<Balances> = reads.into_iter().map(|(_, read)| read).collect();
    Ok(Judged::new(check(&reads, total), count, promised("balanced")))
}

/// What is kept of an operation: of a read balances by name, of a transfer nothing.
fn bytes(attempt: &Attempt) -> u64 {
    let accounts = match attempt.result() {
        Some(_) if &*attempt.f != "read" => return 0,
        Some(Datum::Map(entries)) => entries.len() as u64,
        Some(seen) => seen.elements().map_or(0, |balances| balances.len() as u64),
        None => return 0,
    };
    READ_BYTES + accounts.div_ceil(NODE_ACCOUNTS) * NODE_BYTES + accounts * NAME_BYTES
}

/// What a read saw, with when it began; `None` if it saw nothing.
fn balances(attempt: &Attempt) -> Result<Option<(u64, Balances)>, Malformed> {
    let place = attempt.line;
    let whole = |balance: &Datum| match balance {
        Datum::Number(balance) => Ok(*balance),
        _ => Err(Malformed::line(place, "a balance is a whole number")),
    };
    let accounts: BTreeMap<String, i64> = match attempt.result() {
        None | Some(Datum::Nil) => return Ok(None),
        Some(Datum::Map(entries)) => {
            let entry = |(account, balance): &(Datum, Datum)| Ok((account.name(), whole(balance)?));
            entries.iter().map(entry).collect::<Result<_, _>>()?
        }
        Some(Datum::List(balances)) => {
            let entry = |(account, balance): (usize, &Datum)| Ok((account.to_string(), whole(balance)?));
            balances.iter().enumerate().map(entry).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(Malformed::line(place, "a read of a bank sees a map or a vector of balances")),
    };
    Ok(Some((attempt.began, Balances { place, accounts })))
}
