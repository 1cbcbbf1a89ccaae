//! A small witness where the search was exhausted: of all reads the few that no order explains together.

use crate::check::search::Budget;
use crate::check::transactions::decide::{Looked, look};
use crate::check::transactions::history::{Transaction, Transactions, What};
use crate::check::transactions::levels::Level;
use crate::check::transactions::tell;
use crate::check::transactions::writes::Writes;
use crate::check::{Verdict, Witness};

/// Transactions and actions of all histories that are tried, at most.
const EFFORT: u64 = 2_000_000;
/// What one of them may cost.
const EACH: Budget = Budget { nodes: 200_000, bytes: 64 << 20 };
/// A witness of more reads is not small.
const READS_MAX: usize = 12;

/// A read: of which transaction, and which of its actions.
type Read = (usize, usize);

/// The few reads of a violated history that are violated alone, in a sentence; `None` if they are many.
pub(super) fn witness(history: &Transactions, level: Level) -> Option<Witness> {
    let all = history.transactions.iter().enumerate();
    let reads_of = |(number, one): (usize, &Transaction)| {
        let is_read = |what: &What| matches!(what, What::Read(_) | What::List(_));
        let reads = one.actions.iter().enumerate().filter(|(_, action)| is_read(&action.what));
        reads.map(|(at, _)| (number, at)).collect::<Vec<Read>>()
    };
    let mut reads: Vec<Read> = all.flat_map(reads_of).collect();
    let size: usize = history.transactions.iter().map(|one| 1 + one.actions.len()).sum();
    let (mut effort, mut shown) = (EFFORT, None);
    let mut chunk = reads.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        while at < reads.len() {
            effort = effort.checked_sub(size as u64)?;
            let end = reads.len().min(at + chunk);
            let fewer: Vec<Read> = reads[..at].iter().chain(&reads[end..]).copied().collect();
            match look(&with(history, &fewer), level, EACH) {
                Looked::Decided(Verdict::Violated(witness)) => (reads, shown) = (fewer, Some(witness)),
                Looked::Nothing(_) => (reads, shown) = (fewer, None),
                Looked::Decided(_) => at = end,
            }
        }
        chunk /= 2;
    }
    // With fewer reads it may be plain to see.
    shown.or_else(|| (reads.len() <= READS_MAX).then(|| together(history, &reads)))
}

/// The history with these reads alone.
fn with(history: &Transactions, reads: &[Read]) -> Transactions {
    let mut fewer = history.clone();
    for (number, one) in fewer.transactions.iter_mut().enumerate() {
        let mut at = 0;
        one.actions.retain(|action| {
            at += 1;
            let is_read = matches!(action.what, What::Read(_) | What::List(_));
            !is_read || reads.binary_search(&(number, at - 1)).is_ok()
        });
    }
    fewer
}

fn together(history: &Transactions, reads: &[Read]) -> Witness {
    let writes = Writes::of(history);
    let (mut told, mut operations) = (Vec::new(), Vec::new());
    for (number, at) in reads {
        let action = history.transactions[*number].actions[*at];
        let value = match action.what {
            What::List(seen) => history.elements(seen).last().copied(),
            What::Read(value) => Some(value),
            What::Write(_) | What::Append(_) => None,
        };
        let writer = value.and_then(|value| writes.only(action.key, value)).map(|write| write.by);
        operations.extend(
            writer.into_iter().chain([*number as u32]).map(|one| history.transactions[one as usize].place),
        );
        told.push(tell::saw(history, *number as u32, action.key, value, writer));
    }
    operations.sort_unstable();
    operations.dedup();
    Witness { sentence: format!("no order explains together that {}", told.join(", that ")), operations }
}
