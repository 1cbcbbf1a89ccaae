//! Histories of many keys as the weaker models read them: in which order each session did what, and which write each read
//! saw. Real time between sessions does not matter here.
//!
//! Within a session an operation comes before another if it returned before the other was invoked. So what a session did
//! at the same time has no order, and nothing comes after what is pending: it may happen at any time later.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::history::{ByKey, Call, Operation, Texts};
use crate::check::{Verdict, Witness};

/// An operation with the key that it is about and the session that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// Which object.
    pub key: i64,
    /// Whose.
    pub session: u64,
    /// What.
    pub operation: Operation,
}

/// For each key the values written to it, in the order in which the store had them, without the initial one. A value
/// that is not mentioned may stand anywhere.
pub type Orders = BTreeMap<i64, Vec<i64>>;

/// The operations of all keys; each process is a session of its own.
pub fn accesses(keys: &ByKey) -> Vec<Access> {
    let of = |(key, operations): (&i64, &Vec<Operation>)| {
        let key = *key;
        operations.clone().into_iter().map(move |operation| Access {
            key,
            session: operation.process,
            operation,
        })
    };
    keys.iter().flat_map(of).collect()
}

/// What a read saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadsFrom {
    /// It is no read.
    None,
    /// The value before the first operation.
    Initial,
    /// What this operation wrote.
    Write(u32),
}

/// The operations that happened, numbered session by session and in the order of their invocations.
pub(super) struct Relations {
    pub accesses: Vec<Access>,
    /// What each of them saw.
    pub origins: Vec<ReadsFrom>,
    /// Sessions as lines of operations one after the other: the line of each operation and its place there, from 1. Who does several
    /// things at the same time has several lines; what is pending has one for itself.
    pub lines: Vec<(u32, u32)>,
    /// How many lines there are.
    pub count: usize,
    /// Pairs of operations of one session, the first before the second, from which the whole order follows together
    /// with the lines.
    pub session: Vec<(u32, u32)>,
}

/// The value that a call saw and the one that it wrote.
pub(super) fn seen(call: Call) -> Option<i64> {
    match call {
        Call::Read(value) | Call::Cas(value, _) => Some(value),
        _ => None,
    }
}

/// The value that a call wrote.
pub fn written(call: Call) -> Option<i64> {
    match call {
        Call::Write(value) | Call::Cas(_, value) => Some(value),
        _ => None,
    }
}

impl Relations {
    /// Finds out what each read saw. A verdict instead, if that cannot be known or the history is none at all.
    pub fn of(accesses: &[Access], initial: i64, texts: &Texts) -> Result<Relations, Verdict> {
        if let Some(other) = accesses
            .iter()
            .find(|access| !matches!(access.operation.call, Call::Read(_) | Call::Write(_) | Call::Cas(..)))
        {
            let what = told(&other.operation, texts);
            return Err(Verdict::Unknown(format!("{what} is none of a register: reads, writes, cas")));
        }
        let mut accesses = happened(accesses);
        accesses.sort_by_key(|access| (access.session, access.operation.invoked));
        if let Some(operation) = from_nowhere(&accesses, initial) {
            return Err(nowhere(operation, texts));
        }
        let writers = writers(&accesses, initial, texts)?;
        let mut origins = Vec::with_capacity(accesses.len());
        for Access { key, operation, .. } in &accesses {
            origins.push(match seen(operation.call) {
                None => ReadsFrom::None,
                Some(value) => match writers.get(&(*key, value)) {
                    Some(writer) => ReadsFrom::Write(*writer),
                    None if value == initial => ReadsFrom::Initial,
                    None => return Err(nowhere(operation, texts)),
                },
            });
        }
        let mut relations = Relations { accesses, origins, lines: Vec::new(), count: 0, session: Vec::new() };
        relations.draw_lines();
        Ok(relations)
    }

    /// The operations and their sessions alone, where it cannot be known what reads saw. What is pending may happen or not.
    pub fn unread(accesses: &[Access]) -> Relations {
        let says_something = |access: &&Access| {
            !access.operation.is_pending() || !matches!(access.operation.call, Call::Read(_))
        };
        let mut accesses: Vec<Access> = accesses.iter().filter(says_something).copied().collect();
        accesses.sort_by_key(|access| (access.session, access.operation.invoked));
        let origins = vec![ReadsFrom::None; accesses.len()];
        let mut relations = Relations { accesses, origins, lines: Vec::new(), count: 0, session: Vec::new() };
        relations.draw_lines();
        relations
    }

    /// Puts the operations on lines.
    fn draw_lines(&mut self) {
        let mut lines: Vec<(u32, u32)> = Vec::with_capacity(self.accesses.len());
        // Of each line of the session at hand: its number and the places of its operations, the last one first to be looked at.
        let mut open: Vec<(u32, Vec<u32>)> = Vec::new();
        let mut session = None;
        for (place, access) in (0u32..).zip(&self.accesses) {
            if session.replace(access.session) != Some(access.session) {
                open.clear();
            }
            let Operation { invoked, .. } = access.operation;
            let returned = |place: u32| self.accesses[place as usize].operation.returned;
            let ended = |on: &[u32]| on.partition_point(|place| returned(*place) < invoked);
            let free = open.iter().position(|(_, on)| ended(on) == on.len());
            for (number, (_, on)) in open.iter().enumerate() {
                if let Some(last) = ended(on).checked_sub(1).map(|last| on[last])
                    && (Some(number) != free || access.operation.is_pending())
                {
                    self.session.push((last, place));
                }
            }
            if access.operation.is_pending() || free.is_none() {
                self.count += 1;
            }
            let line = match free.filter(|_| !access.operation.is_pending()) {
                Some(free) => &mut open[free],
                None => {
                    let line = (self.count as u32 - 1, Vec::new());
                    if access.operation.is_pending() {
                        // Nothing comes after it.
                        lines.push((line.0, 1));
                        continue;
                    }
                    open.push(line);
                    open.last_mut().expect("it was just pushed")
                }
            };
            line.1.push(place);
            lines.push((line.0, line.1.len() as u32));
        }
        self.lines = lines;
    }

    /// Pairs of operations of one session, the first before the second, from which its whole order follows.
    pub fn session_pairs(&self) -> Vec<(u32, u32)> {
        let mut last = vec![None; self.count];
        let mut pairs = self.session.clone();
        for (number, (line, _)) in (0u32..).zip(&self.lines) {
            pairs.extend(last[*line as usize].replace(number).map(|before| (before, number)));
        }
        pairs
    }

    /// What an operation did.
    pub fn call(&self, number: u32) -> Call {
        self.accesses[number as usize].operation.call
    }

    /// Pairs of writes that the store had one after the other; writes that are not in its orders are in none.
    pub fn in_order(&self, orders: &Orders) -> Vec<(u32, u32)> {
        let mut writers: FxHashMap<(i64, i64), u32> = FxHashMap::default();
        for (number, access) in (0u32..).zip(&self.accesses) {
            if let Some(value) = written(access.operation.call) {
                writers.insert((access.key, value), number);
            }
        }
        let mut pairs = Vec::new();
        for (key, values) in orders {
            let mut known = values.iter().filter_map(|value| writers.get(&(*key, *value)));
            let mut before = known.next();
            for after in known {
                pairs.extend(before.replace(after).map(|before| (*before, *after)));
            }
        }
        pairs
    }

    /// `read 3` of process 2 (line 7).
    pub fn told(&self, number: u32, texts: &Texts) -> String {
        told(&self.accesses[number as usize].operation, texts)
    }

    /// Where an operation stands in the history.
    pub fn place(&self, number: u32) -> usize {
        self.accesses[number as usize].operation.place
    }
}

/// What certainly happened: what returned, and what was seen by what happened.
fn happened(accesses: &[Access]) -> Vec<Access> {
    let (mut all, pending): (Vec<Access>, Vec<Access>) =
        accesses.iter().partition(|access| !access.operation.is_pending());
    let saw = |access: &Access| seen(access.operation.call).map(|value| (access.key, value));
    let mut waiting: FxHashMap<(i64, i64), Vec<Access>> = FxHashMap::default();
    for access in pending {
        if let Some(value) = written(access.operation.call) {
            waiting.entry((access.key, value)).or_default().push(access);
        }
    }
    if waiting.is_empty() {
        return all;
    }
    let mut values: Vec<(i64, i64)> = all.iter().filter_map(saw).collect();
    while let Some(value) = values.pop() {
        for access in waiting.remove(&value).into_iter().flatten() {
            values.extend(saw(&access));
            all.push(access);
        }
    }
    all
}

/// An operation that saw what nobody wrote, whether or not it can be told who wrote what.
fn from_nowhere(accesses: &[Access], initial: i64) -> Option<&Operation> {
    let wrote = |access: &Access| written(access.operation.call).map(|value| (access.key, value));
    let all: FxHashSet<(i64, i64)> = accesses.iter().filter_map(wrote).collect();
    let is_from_nowhere = |access: &&Access| {
        seen(access.operation.call)
            .is_some_and(|value| value != initial && !all.contains(&(access.key, value)))
    };
    // What is pending may have seen nothing at all.
    let mut returned = accesses.iter().filter(|access| !access.operation.is_pending());
    returned.find(is_from_nowhere).map(|access| &access.operation)
}

fn nowhere(operation: &Operation, texts: &Texts) -> Verdict {
    let sentence = format!("{} saw a value that nobody wrote", told(operation, texts));
    Verdict::Violated(Witness { sentence, operations: vec![operation.place] })
}

/// Who wrote each value that was seen.
fn writers(accesses: &[Access], initial: i64, texts: &Texts) -> Result<FxHashMap<(i64, i64), u32>, Verdict> {
    let saw = |access: &Access| seen(access.operation.call).map(|value| (access.key, value));
    let was_seen: FxHashSet<(i64, i64)> = accesses.iter().filter_map(saw).collect();
    let mut writers: FxHashMap<(i64, i64), u32> = FxHashMap::default();
    for (number, access) in (0u32..).zip(accesses) {
        let Some(value) = written(access.operation.call) else { continue };
        if !was_seen.contains(&(access.key, value)) {
            continue;
        }
        if value == initial || writers.insert((access.key, value), number).is_some() {
            let value = texts.show(value);
            return Err(Verdict::Unknown(format!(
                "the value {value} was written more than once, so nobody can tell which of the writes was seen \
                 (line {})",
                access.operation.place
            )));
        }
    }
    Ok(writers)
}

/// An operation in words, as witnesses say it.
pub(super) fn told(operation: &Operation, texts: &Texts) -> String {
    format!(
        "`{}` of process {} (line {})",
        texts.describe(operation.call),
        texts.process(operation.process),
        operation.place
    )
}
