//! Linearizability by a frontier: all configurations that the operations so far allow, carried from one return to the next.
//!
//! G. Lowe's just-in-time linearization ("Testing for linearizability", 2017): an operation is taken when it returns, or when another that
//! returns needs it. So only what is open at a moment tells two configurations apart, and memory is that of one moment; where nothing is
//! open (a *quiescent cut*) there is nothing left but the values. What keeps the configurations few:
//!
//! * What never changes anything is taken as soon as it is possible, and for good.
//! * Of open operations that do the same, the one that returns first is taken: another in its place can take its part for ever after.
//! * A write that another write follows at once might as well not be there. So when a write takes effect, all open writes *may count as
//!   taken* just before it, and a write is taken before it returns only if the next operation sees its value.
//! * A configuration is left out if another has the same value, has done what this one has, and has not used up more
//!   (`rows`).
//! * A configuration is left out if it has lost a value that somebody will see and nobody who begins in time writes (`ahead`).
//!
//! Exponential in the worst case, hence the budget. The frontier is held narrow first: one that comes through proves an order. If it does
//! not and something was left out, it is taken up again, wider, from where that was. Additions, which would be taken in every subset, are taken by
//! their sums (`sums`).

mod ahead;
mod between;
mod rows;
mod sums;
#[cfg(test)]
mod tests;
mod widths;

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::check::history::{Call, Operation, Texts};
use crate::check::model::step;
use crate::check::relations::{seen, told, written};
use crate::check::search::Budget;
use crate::check::{Verdict, Witness};
pub(super) use sums::{adds_up, impossible};

use ahead::Ahead;
use between::Between;
use rows::{Masks, Row, Rows, has, put};
use widths::{Saved, Widths};

/// A configuration along a frontier costs as much as so many in a search in depth.
const ROW_NODES: u64 = 8;
/// How unlikely it is that something pending happened at all, as [`log`] has it.
const UNLIKELY: i64 = 3 * 64;
/// Operations of a witness at most.
const NAMED_MAX: usize = 9;

struct Frontier<'a> {
    operations: &'a [Operation],
    /// Invocations and returns in their order: of which operation, and whether it is its return.
    events: Vec<(u32, bool)>,
    /// By operation: its place among those that are open at a time, and a number that operations have in common which do the same.
    slots: Vec<u32>,
    calls: Vec<u32>,
    slot_words: usize,
    /// What is open: by what it does, and what returns first first.
    open: Vec<u32>,
    masks: Masks,
    rows: Rows,
    /// All operations are additions and reads.
    counts: bool,
    /// The sign that all additions have; 0: both.
    sign: i8,
    /// Of a counter that only goes one way: the most that pending additions can have added before an event, and what those that have
    /// returned have.
    ceilings: Vec<i128>,
    /// Who will see what, where values tell it.
    ahead: Option<Ahead>,
    /// Of those that a configuration which was left out had made impossible, the one that returns last.
    doomed: Option<u32>,
    event: usize,
    over: i128,
    nodes: u64,
    /// Something was left out since it was last known that nothing was.
    left_out: bool,
}

/// Judges the operations of one object. They may come in any order.
pub fn search(operations: &[Operation], initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
    let matters = |operation: &&Operation| !(operation.is_pending() && never_changes(operation.call));
    let mut sorted: Vec<Operation> = operations.iter().filter(matters).copied().collect();
    sorted.sort_by_key(|operation| operation.invoked);
    Frontier::new(&sorted, initial).run(texts, budget)
}

/// Whether a call leaves every state as it is.
pub(super) fn never_changes(call: Call) -> bool {
    match call {
        Call::Read(_) | Call::Differs(_) | Call::Add(0, _) => true,
        Call::Cas(from, to) => from == to,
        _ => false,
    }
}

/// Whether a call is possible in any state and sees nothing, so that it may stand just before any write.
fn is_blind(call: Call) -> bool {
    matches!(call, Call::Write(_) | Call::Append(_))
}

/// The sign of all additions, or 0.
fn sign(operations: &[Operation]) -> i8 {
    let amount = |operation: &Operation| match operation.call {
        Call::Add(by, _) => by.signum() as i8,
        _ => 0,
    };
    let mut signs = operations.iter().map(amount).filter(|sign| *sign != 0);
    let first = signs.next().unwrap_or(1);
    if signs.all(|sign| sign == first) { first } else { 0 }
}

fn not_enough(budget: Budget) -> Verdict {
    let mib = budget.bytes >> 20;
    Verdict::Unknown(format!("{mib} MiB of memory were not enough (`--memory`)"))
}

/// The logarithm of an integer to base 2, in sixty-fourths.
fn log(of: u64) -> i64 {
    let whole = of.max(1).ilog2();
    let fraction = if whole < 6 { of.max(1) << (6 - whole) } else { of >> (whole - 6) };
    64 * i64::from(whole) + fraction as i64 - 64
}

impl<'a> Frontier<'a> {
    fn new(operations: &'a [Operation], initial: i64) -> Self {
        let mut order: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * operations.len());
        for (operation, number) in operations.iter().zip(0..) {
            order.push((operation.invoked, false, number));
            if !operation.is_pending() {
                order.push((operation.returned, true, number));
            }
        }
        order.sort_unstable();
        let (mut slots, mut free, mut count) = (vec![0; operations.len()], Vec::new(), 0);
        for (_, is_return, number) in &order {
            let slot = &mut slots[*number as usize];
            if *is_return {
                free.push(*slot);
            } else {
                *slot = free.pop().unwrap_or_else(|| {
                    count += 1;
                    count - 1
                });
            }
        }
        let mut numbers: FxHashMap<Call, u32> = FxHashMap::default();
        let number = |operation: &Operation| {
            let next = numbers.len() as u32;
            *numbers.entry(operation.call).or_insert(next)
        };
        let slot_words = (count as usize).div_ceil(64);
        let mut rows = Rows::new(slot_words);
        let mut first = vec![0; 1 + 2 * slot_words];
        first[0] = initial as u64;
        rows.push(&first);
        Frontier {
            operations,
            events: order.into_iter().map(|(_, is_return, number)| (number, is_return)).collect(),
            slots,
            calls: operations.iter().map(number).collect(),
            slot_words,
            open: Vec::new(),
            masks: Masks::new(slot_words),
            rows,
            counts: operations.iter().all(|one| matches!(one.call, Call::Read(_) | Call::Add(..))),
            sign: sign(operations),
            ceilings: Vec::new(),
            ahead: Ahead::of(operations),
            doomed: None,
            event: 0,
            over: i128::from(initial),
            nodes: 0,
            left_out: false,
        }
    }

    fn run(mut self, texts: &mut Texts, budget: Budget) -> Verdict {
        let mut widths = Widths::new(self.slot_words, budget);
        self.set_ceilings(self.over);
        let texts_before = texts.bytes();
        let mut event = 0;
        while let Some((number, is_return)) = self.events.get(event).copied() {
            if !is_return {
                self.invoked(number, texts);
                event += 1;
                continue;
            }
            self.event = event;
            let before = std::mem::replace(&mut self.rows, Rows::new(self.slot_words));
            let was_whole = !self.left_out;
            self.returned(number, &before, widths.width(event), texts);
            if self.nodes > budget.nodes {
                let nodes = budget.nodes;
                return Verdict::Unknown(format!("{nodes} configurations were not enough (`--nodes`)"));
            }
            if texts.bytes() - texts_before > budget.bytes {
                return not_enough(budget);
            }
            if self.rows.len() == 0 && was_whole && !self.left_out {
                return Verdict::Violated(self.witness(number, &before, texts));
            }
            if self.left_out && (was_whole || widths.is_time_to_save(event)) {
                let (open, masks) = (self.open.clone(), self.masks.clone());
                let over = self.over;
                widths.save(Saved { event, open, masks, rows: before, over, is_whole: was_whole });
            }
            if self.rows.len() == 0 {
                let Some(Saved { event: at, open, masks, rows, over, is_whole }) = widths.again(event) else {
                    return not_enough(budget);
                };
                (self.open, self.masks, self.rows, self.over) = (open, masks, rows, over);
                (event, self.left_out) = (at, !is_whole);
                continue;
            }
            self.close(number);
            self.over += self.amount(number);
            event += 1;
        }
        Verdict::Holds
    }

    fn call(&self, number: u32) -> Call {
        self.operations[number as usize].call
    }

    fn invoked(&mut self, number: u32, texts: &mut Texts) {
        let (slot, call) = (self.slots[number as usize], self.call(number));
        let is_pending = self.operations[number as usize].is_pending();
        let order =
            |number: u32| (self.calls[number as usize], self.operations[number as usize].returned, number);
        let place = self.open.partition_point(|other| order(*other) < order(number));
        self.open.insert(place, number);
        let mask = match call {
            _ if is_pending => &mut self.masks.pending,
            call if never_changes(call) => &mut self.masks.looks,
            call if is_blind(call) => &mut self.masks.blind,
            _ => &mut self.masks.exact,
        };
        put(mask, slot, true);
        if never_changes(call) {
            for row in self.rows.iter_mut() {
                let state = *row.state as i64;
                put(row.taken, slot, step(state, call, texts).is_some());
            }
        }
    }

    fn close(&mut self, number: u32) {
        self.open.retain(|other| *other != number);
        self.masks.clear(self.slots[number as usize]);
    }

    /// What the configurations come to when an operation returns.
    fn returned(&mut self, number: u32, before: &Rows, width: usize, texts: &mut Texts) {
        let slot = self.slots[number as usize];
        if self.counts {
            self.masks.likelier = self.likelier(number);
        }
        let mut between = Between::new(number, slot, self.slot_words, width, before.len());
        for row in before.iter() {
            let (taken, free) = row[1..].split_at(self.slot_words);
            if has(taken, slot) {
                self.keep(row, slot);
                continue;
            }
            if has(free, slot) && !self.is_lost_with(number, row) {
                self.keep(row, slot);
            }
            between.add(row, false, &self.masks);
        }
        let mut place = 0;
        while place < between.queue.len() {
            if self.counts {
                self.sums(place, &mut between, texts);
            } else {
                self.steps(place, &mut between, texts);
            }
            place += 1;
            if self.rows.len() > between.most {
                self.prune(width);
            }
            if between.queue.len() > between.most {
                self.left_out = true;
                break;
            }
        }
        self.nodes += ROW_NODES * between.queue.len() as u64;
        self.prune(width);
    }

    /// Keeps what is worth most.
    fn prune(&mut self, width: usize) {
        let mut rows = std::mem::replace(&mut self.rows, Rows::new(self.slot_words));
        let class = |row: &[u64]| if self.counts { self.of_pending(row) as i64 } else { row[0] as i64 };
        self.left_out |= rows.prune(&self.masks, width, &class);
        self.rows = rows;
    }

    /// How much likelier it is that something open is taken than that it is not, if it happens at any time between its ends: the
    /// logarithm of the time that has gone over the time that is left.
    fn likelier(&self, returning: u32) -> Vec<(u32, i64)> {
        let now = self.operations[returning as usize].returned;
        let of = |number: &u32| {
            let operation = self.operations[*number as usize];
            let more = match operation.is_pending() {
                true => -UNLIKELY,
                false => log(now - operation.invoked) - log(operation.returned - now),
            };
            (self.slots[*number as usize], more)
        };
        self.open.iter().filter(|other| **other != returning).map(of).collect()
    }

    /// A configuration in which what returned is taken.
    fn keep(&mut self, row: &[u64], slot: u32) {
        self.rows.push(row);
        let row = self.rows.iter_mut().last().expect("it was just pushed");
        put(row.taken, slot, false);
        put(row.free, slot, false);
    }

    /// All that can be taken next in a configuration.
    fn steps(&mut self, place: usize, between: &mut Between, texts: &mut Texts) {
        let row = between.queue.get(place).to_vec();
        let (taken, free) = row[1..].split_at(self.slot_words);
        let is_unseen = between.is_unseen[place];
        let state = row[0] as i64;
        let mut tried = (u32::MAX, false, false);
        for at in 0..self.open.len() {
            let number = self.open[at];
            let (slot, call) = (self.slots[number as usize], self.call(number));
            if has(taken, slot) || never_changes(call) {
                continue;
            }
            // Of those that do the same the first; but to be free is another thing, unless a write makes all of them so.
            let is_free = has(free, slot) || matches!(call, Call::Write(_));
            if tried.0 != self.calls[number as usize] {
                tried = (self.calls[number as usize], false, false);
            }
            let same = if is_free { &mut tried.1 } else { &mut tried.2 };
            if std::mem::replace(same, true) {
                continue;
            }
            self.nodes += 1;
            let is_write = matches!(call, Call::Write(_));
            if is_unseen && is_write {
                continue;
            }
            let Some(new) = step(state, call, texts) else { continue };
            // A write may as well not be there, and what is pending need not, unless somebody sees what comes of it.
            let is_for_others =
                number != between.number && (is_write || self.operations[number as usize].is_pending());
            if is_for_others && !self.is_seen_next(new, number, taken, texts) {
                continue;
            }
            let mut row = row.clone();
            let seen = self.take(&mut row, number, new, texts);
            if new != state && self.is_lost(state, &row, number, between.number) {
                continue;
            }
            if has(&row[1..], between.slot) {
                self.keep(&row, between.slot);
            } else {
                between.add(&row, is_for_others && !seen, &self.masks);
            }
        }
    }

    /// Whether the value that an operation leaves behind is lost if it returns and counts as overwritten.
    fn is_lost_with(&mut self, number: u32, row: &[u64]) -> bool {
        match written(self.call(number)) {
            Some(value) if value != row[0] as i64 => self.is_lost(value, row, number, number),
            _ => false,
        }
    }

    /// Whether somebody who is not taken will see a value, which is not there any more, and nobody but `by` can write it in time; what
    /// `returning` does is as good as over.
    fn is_lost(&mut self, value: i64, row: &[u64], by: u32, returning: u32) -> bool {
        let Some(ahead) = &self.ahead else { return false };
        let taken = &row[1..=self.slot_words];
        let now = self.operations[returning as usize].returned;
        let mut open = self.open.iter().copied();
        let is_open = |other: u32| !has(taken, self.slots[other as usize]);
        if open.clone().any(|other| other != by && written(self.call(other)) == Some(value) && is_open(other))
        {
            return false;
        }
        let until = ahead.next_producer(value, now);
        let waits = open.find(|other| {
            let operation = &self.operations[*other as usize];
            seen(operation.call) == Some(value) && operation.returned < until && is_open(*other)
        });
        let Some(consumer) = waits.or_else(|| ahead.consumer(value, now, until)) else { return false };
        let returned = |number: u32| self.operations[number as usize].returned;
        if self.doomed.is_none_or(|other| returned(other) < returned(consumer)) {
            self.doomed = Some(consumer);
        }
        true
    }

    /// Whether something that is open may come right after an operation and see the value that it leaves.
    fn is_seen_next(&self, value: i64, by: u32, taken: &[u64], texts: &mut Texts) -> bool {
        self.open.iter().any(|other| {
            let call = self.call(*other);
            *other != by
                && !has(taken, self.slots[*other as usize])
                && match call {
                    Call::Write(_) => false,
                    Call::Append(_) | Call::Add(_, None) => true,
                    _ => step(value, call, texts).is_some(),
                }
        })
    }

    /// Takes an operation, and then what only looks. Whether there was any of this.
    fn take(&self, row: &mut [u64], number: u32, new: i64, texts: &mut Texts) -> bool {
        let Row { state, taken, free } = Row::of(row, self.slot_words);
        *state = new as u64;
        let slot = self.slots[number as usize];
        put(taken, slot, true);
        put(free, slot, false);
        if matches!(self.call(number), Call::Write(_)) {
            for (word, blind) in self.masks.blind.iter().enumerate() {
                free[word] |= blind & !taken[word];
            }
        }
        let mut seen = false;
        if self.masks.looks.iter().all(|word| *word == 0) {
            return seen;
        }
        for other in &self.open {
            let (slot, call) = (self.slots[*other as usize], self.call(*other));
            if never_changes(call) && !has(taken, slot) && step(new, call, texts).is_some() {
                put(taken, slot, true);
                seen = true;
            }
        }
        seen
    }

    /// Why an operation cannot have returned what it did; `before` are the configurations before it returned.
    fn witness(&self, number: u32, before: &Rows, texts: &Texts) -> Witness {
        let returning = &self.operations[number as usize];
        let doomed = self.doomed.map(|doomed| &self.operations[doomed as usize]);
        let doomed = doomed.filter(|doomed| doomed.returned > returning.returned);
        let operation = doomed.unwrap_or(returning);
        let values: BTreeSet<i64> = before.iter().map(|row| row[0] as i64).collect();
        let shown: Vec<String> = values.iter().take(4).map(|value| texts.show(*value)).collect();
        let more = if values.len() > shown.len() { " or another" } else { "" };
        let before = match doomed {
            Some(_) => told(returning, texts),
            None => "it".to_owned(),
        };
        let sentence = format!(
            "no order explains {}: before {before} returned the value was {}{more}, and nothing that was under way leads on from there",
            told(operation, texts),
            shown.join(" or "),
        );
        let others =
            self.open.iter().filter(|other| self.operations[**other as usize].place != operation.place);
        let mut places: Vec<usize> =
            others.map(|other| self.operations[*other as usize].place).take(NAMED_MAX - 1).collect();
        places.insert(0, operation.place);
        Witness { sentence, operations: places }
    }
}
