//! Witnesses as sentences.

use crate::check::graph;
use crate::check::history::NIL;
use crate::check::transactions::form::INITIAL;
use crate::check::transactions::graph::{Edge, How};
use crate::check::transactions::history::{Transactions, What};
use crate::check::transactions::levels::{Axiom, Level};
use crate::check::transactions::weak::{Because, Broken, Step};

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

/// A transaction saw its own write before it was made.
pub(super) fn too_early(history: &Transactions, reader: u32, of: u32, value: i64) -> String {
    format!("{} saw {}, which it wrote only later", who(history, reader), version(history, of, value))
}

/// A transaction saw a version of a key and then another, which this one wrote.
pub(super) fn not_again(
    history: &Transactions,
    reader: u32,
    of: u32,
    (first, then): (i64, i64),
    writer: Option<u32>,
) -> String {
    let by = writer.map_or(String::new(), |writer| format!(" of {}", who(history, writer)));
    let (first, then) = (version(history, of, first), version(history, of, then));
    format!("{} saw {first} and then {then}{by}", who(history, reader))
}

/// A transaction saw a version, that of a writer if it is known.
pub(super) fn saw(
    history: &Transactions,
    reader: u32,
    of: u32,
    value: Option<i64>,
    writer: Option<u32>,
) -> String {
    let by = writer.map_or(String::new(), |writer| format!(" of {}", who(history, writer)));
    format!("{} saw {}{by}", who(history, reader), version(history, of, value.unwrap_or(NIL)))
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

/// One after the other around a cycle.
pub(super) fn cycle(history: &Transactions, cycle: &[Edge]) -> String {
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
    let steps: Vec<String> = cycle.iter().map(step).collect();
    format!("{}: each must come before the next, and the last before the first", steps.join("; "))
}

/// The version of a key that a transaction left.
fn left(history: &Transactions, by: u32, of: u32) -> String {
    let of_key = |what: &What| match *what {
        What::Write(value) | What::Append(value) => Some(value),
        What::Read(_) | What::List(_) => None,
    };
    let actions = history.transactions.get(by as usize).map_or(&[][..], |one| one.actions.as_slice());
    let mut values =
        actions.iter().rev().filter(|action| action.key == of).filter_map(|action| of_key(&action.what));
    version(history, of, values.next().unwrap_or(NIL))
}

fn step(history: &Transactions, edge: &graph::Edge<Because>) -> String {
    let (from, to) = (who(history, edge.from), who(history, edge.to));
    let of = edge.why.key;
    match edge.why.step {
        Step::Ww => format!(
            "{to} wrote {} over {} of {from}",
            left(history, edge.to, of),
            left(history, edge.from, of)
        ),
        Step::Wr => format!("{to} saw {} of {from}", left(history, edge.from, of)),
        Step::Rw => {
            format!("{from} saw {} from before {to} wrote {}", key(history, of), left(history, edge.to, of))
        }
        Step::Session => {
            format!("{to} came after {from} in process {}", history.transactions[edge.from as usize].process)
        }
        Step::Time => format!("{to} began after {from} had returned"),
        Step::Before(reader) => format!(
            "{} saw {} of {to}, with {} of {from} in sight, which was therefore before",
            who(history, reader),
            left(history, edge.to, of),
            left(history, edge.from, of)
        ),
    }
}

fn around(history: &Transactions, cycle: &[graph::Edge<Because>]) -> String {
    let steps: Vec<String> = cycle.iter().map(|edge| step(history, edge)).collect();
    steps.join("; ")
}

/// What a cycle is called at a level.
fn name(axiom: Axiom) -> &'static str {
    match axiom {
        Axiom::Uncommitted => "G0",
        Axiom::Committed => "G1c",
        Axiom::Monotonic => "observed transaction vanishes",
        Axiom::Atomic => "fractured read",
        Axiom::Causal => "causality",
        Axiom::Parallel | Axiom::Snapshot | Axiom::Serial => "cycle",
    }
}

/// Why there is no order, and the places of those who show it.
pub(super) fn broken(history: &Transactions, level: Level, broken: &Broken) -> (String, Vec<usize>) {
    let mut shown: Vec<u32> = Vec::new();
    let mut show = |cycle: &[graph::Edge<Because>]| {
        for edge in cycle {
            shown.push(edge.from);
            if let Step::Before(reader) = edge.why.step {
                shown.push(reader);
            }
        }
    };
    let name = name(level.axiom());
    let last = "each must come before the next, and the last before the first";
    let sentence = match broken {
        Broken::Cycle(cycle) => {
            show(cycle);
            format!("{name}: {}: {last}", around(history, cycle))
        }
        Broken::Hidden { reader, key: of, from, hidden } => {
            shown.extend([*reader, *hidden]);
            let seen = match *from {
                INITIAL => version(history, *of, NIL),
                from => format!("{} of {}", left(history, from, *of), who(history, from)),
            };
            format!(
                "{name}: {} saw {seen}, although {} of {} was in its sight",
                who(history, *reader),
                left(history, *hidden, *of),
                who(history, *hidden)
            )
        }
        Broken::Between(transactions) => {
            shown.extend(transactions);
            let all: Vec<String> = transactions.iter().map(|one| who(history, *one)).collect();
            format!("G0: the appends of {} are not one after the other", all.join(" and those of "))
        }
        Broken::Either { key: of, cycles } => {
            cycles.iter().for_each(|cycle| show(cycle));
            let [one, other] = cycles.each_ref().map(|cycle| around(history, cycle));
            format!(
                "whichever of two writes of {} was first, there is a cycle: either {one}; or {other}",
                key(history, *of)
            )
        }
        Broken::Exhausted { ways, conflicts } => match ways {
            0 => {
                "whichever of those who wrote what was seen are taken, no order explains all reads".to_owned()
            }
            ways => format!(
                "no order explains what was seen: the search is exhausted ({ways} pairs of writes in either order, {conflicts} \
                 conflicts)"
            ),
        },
    };
    let mut places: Vec<usize> =
        shown.iter().filter_map(|one| history.transactions.get(*one as usize)).map(|one| one.place).collect();
    places.sort_unstable();
    places.dedup();
    (sentence, places)
}
