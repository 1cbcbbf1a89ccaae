//! Witnesses as sentences.

use crate::check::history::NIL;
use crate::check::transactions::graph::Edge;
use crate::check::transactions::{How, Transactions};

fn who(history: &Transactions, transaction: u32) -> String {
    format!("the transaction of line {}", history.transactions[transaction as usize].place)
}

fn key(history: &Transactions, key: u32) -> &str {
    &history.keys[key as usize]
}

/// What was read: `x before 3`, `3 of x`.
fn version(history: &Transactions, of: u32, value: i64) -> String {
    match value {
        NIL => format!("the initial {}", key(history, of)),
        value => format!("{} = {}", key(history, of), history.texts.show(value)),
    }
}

/// A transaction did not see its own write.
pub(super) fn own_write(history: &Transactions, reader: u32, of: u32, value: i64) -> String {
    format!("{} wrote {} and then did not see it", who(history, reader), version(history, of, value))
}

/// Nobody wrote what was seen.
pub(super) fn nowhere(history: &Transactions, reader: u32, of: u32, value: i64) -> String {
    format!("{} saw {}, which nobody wrote", who(history, reader), version(history, of, value))
}

/// What was seen was never committed.
pub(super) fn aborted(history: &Transactions, reader: u32, writer: u32, of: u32, value: i64) -> String {
    let version = version(history, of, value);
    format!("{} saw {version}, which {} wrote and did not commit", who(history, reader), who(history, writer))
}

/// What was seen was not its writer's last word.
pub(super) fn replaced(history: &Transactions, reader: u32, writer: u32, of: u32, value: i64) -> String {
    let version = version(history, of, value);
    format!(
        "{} saw {version}, which {} replaced before it committed",
        who(history, reader),
        who(history, writer)
    )
}

/// What two transactions saw of a key cannot both have been there.
pub(super) fn no_order(history: &Transactions, one: u32, other: u32, of: u32) -> String {
    format!("{} and {} saw {} in two orders", who(history, one), who(history, other), key(history, of))
}

/// Two replaced one version.
pub(super) fn lost_update(history: &Transactions, one: u32, other: u32, of: u32, value: i64) -> String {
    let version = version(history, of, value);
    format!("{} and {} both read {version} and replaced it", who(history, one), who(history, other))
}

/// One after the other around a circle.
pub(super) fn circle(history: &Transactions, circle: &[Edge]) -> String {
    let step = |edge: &Edge| {
        let (from, to) = (who(history, edge.from), who(history, edge.to));
        let why = edge.why;
        let (before, after) = (version(history, why.key, why.before), version(history, why.key, why.after));
        match why.how {
            How::Ww => format!("{to} wrote {after} over {before} of {from}"),
            How::Wr => format!("{to} saw {after} of {from}"),
            How::Rw => format!("{from} saw {before} before {to} wrote {after}"),
        }
    };
    let steps: Vec<String> = circle.iter().map(step).collect();
    format!("{}: each must come before the next, and the last before the first", steps.join("; "))
}
