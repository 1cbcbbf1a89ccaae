//! Linearizability by search: looks for an order of the operations that the object may have gone through, each between
//! its invocation and its return.
//!
//! J. Wing and C. Gong, "Testing and verifying concurrent objects" (1993), in the form of G. Lowe, "Testing for
//! linearizability" (2017): operations are taken out of a linked list of invocations and returns, and a pair of (taken
//! operations, state) that was met before is not explored again. Exponential in the number of concurrent operations in
//! the worst case, hence the [`Budget`]; what it cannot decide quickly is for [`frontier`](super::frontier).
//!
//! Ours differs in two things. An operation that is possible now and would never change anything is taken at once and for
//! good: any order that takes it later is as good with it moved here, so nothing else need be tried in its place. (A write
//! of the value that is there is none of these: later it may have something to change.) And an operation that is pending is
//! taken only where it changes something, and need not be taken at all.

use crate::base::rng::mix;
use crate::check::history::{Operation, Texts};
use crate::check::model::{only_looks, step};
use crate::check::relations::told;
use crate::check::remembered::Remembered;
use crate::check::{Verdict, Witness};

/// How much a search may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Configurations looked at.
    pub nodes: u64,
    /// Memory for those remembered, bytes.
    pub bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { nodes: 50_000_000, bytes: 1 << 30 }
    }
}

/// No place in the list.
const NONE: u32 = u32::MAX;

/// An invocation or a return, in a linked list by order.
#[derive(Clone, Copy)]
struct Event {
    operation: u32,
    is_return: bool,
    before: u32,
    after: u32,
}

/// An operation that was taken, and how to put it back.
struct Taken {
    operation: u32,
    state: i64,
    /// Nothing else need be tried in its place.
    for_good: bool,
}

struct Search<'a> {
    operations: &'a [Operation],
    events: Vec<Event>,
    /// By operation: its invocation and its return.
    places: Vec<(u32, u32)>,
    head: u32,
    /// The operations that are taken, in 128 bits.
    taken: u128,
    met: Remembered,
}

/// Judges the operations of one object. They may come in any order.
pub fn search(operations: &[Operation], initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
    let mut sorted = operations.to_vec();
    sorted.sort_by_key(|operation| operation.invoked);
    Search::new(&sorted).run(initial, texts, budget)
}

/// A number in 128 bits.
fn wide(what: u64, number: u64) -> u128 {
    u128::from(mix(2 * what, number)) | u128::from(mix(2 * what + 1, number)) << 64
}

impl<'a> Search<'a> {
    fn new(operations: &'a [Operation]) -> Self {
        let mut order: Vec<(u64, u32, bool)> = Vec::with_capacity(2 * operations.len());
        for (operation, number) in operations.iter().zip(0..) {
            order.push((operation.invoked, number, false));
            if !operation.is_pending() {
                order.push((operation.returned, number, true));
            }
        }
        order.sort_unstable();
        let mut places = vec![(NONE, NONE); operations.len()];
        let mut events = Vec::with_capacity(order.len());
        let last = order.len() as u32;
        for ((_, operation, is_return), place) in order.into_iter().zip(0u32..) {
            let of = &mut places[operation as usize];
            if is_return {
                of.1 = place;
            } else {
                of.0 = place;
            }
            let after = if place + 1 == last { NONE } else { place + 1 };
            events.push(Event { operation, is_return, before: place.wrapping_sub(1), after });
        }
        let head = if events.is_empty() { NONE } else { 0 };
        Search { operations, events, places, head, taken: 0, met: Remembered::default() }
    }

    fn run(mut self, initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
        let mut state = initial;
        let mut stack: Vec<Taken> = Vec::new();
        let mut at = self.head;
        let mut nodes = 0u64;
        let texts_before = texts.bytes();
        // The deepest point: how many were taken, in which state, and whose return was in the way.
        let mut deepest = (0, state, NONE);
        loop {
            let Some(event) = self.events.get(at as usize).copied() else { return Verdict::Holds };
            let operation = self.operations[event.operation as usize];
            if !event.is_return {
                nodes += 1;
                let next = step(state, operation.call, texts);
                if let Some(next) = next.filter(|next| !operation.is_pending() || *next != state) {
                    self.take(event.operation);
                    let for_good = next == state && only_looks(operation.call);
                    if for_good || self.is_new(next) {
                        stack.push(Taken { operation: event.operation, state, for_good });
                        state = next;
                        at = self.head;
                        continue;
                    }
                    self.put_back(event.operation);
                }
                if nodes >= budget.nodes {
                    return Verdict::Unknown(format!("{nodes} configurations were not enough (`--nodes`)"));
                }
                if self.met.bytes() + (texts.bytes() - texts_before) > budget.bytes {
                    let mib = budget.bytes >> 20;
                    return Verdict::Unknown(format!("{mib} MiB of memory were not enough (`--memory`)"));
                }
                at = event.after;
                continue;
            }
            if deepest.2 == NONE || stack.len() > deepest.0 {
                deepest = (stack.len(), state, event.operation);
            }
            // Nothing before this return can be taken: go back to where something else could have been.
            loop {
                let Some(last) = stack.pop() else { return Verdict::Violated(self.witness(deepest, texts)) };
                state = last.state;
                self.put_back(last.operation);
                if !last.for_good {
                    at = self.events[self.places[last.operation as usize].0 as usize].after;
                    break;
                }
            }
        }
    }

    fn link(&mut self, before: u32, after: u32) {
        match self.events.get_mut(before as usize) {
            Some(event) => event.after = after,
            None => self.head = after,
        }
        if let Some(event) = self.events.get_mut(after as usize) {
            event.before = before;
        }
    }

    fn unlink(&mut self, place: u32) {
        if let Some(Event { before, after, .. }) = self.events.get(place as usize).copied() {
            self.link(before, after);
        }
    }

    fn relink(&mut self, place: u32) {
        if let Some(Event { before, after, .. }) = self.events.get(place as usize).copied() {
            self.link(before, place);
            if let Some(event) = self.events.get_mut(after as usize) {
                event.before = place;
            }
        }
    }

    fn take(&mut self, operation: u32) {
        let (call, back) = self.places[operation as usize];
        self.unlink(call);
        self.unlink(back);
        self.taken ^= wide(0, u64::from(operation));
    }

    fn put_back(&mut self, operation: u32) {
        let (call, back) = self.places[operation as usize];
        self.relink(back);
        self.relink(call);
        self.taken ^= wide(0, u64::from(operation));
    }

    /// Whether this configuration is met for the first time.
    fn is_new(&mut self, state: i64) -> bool {
        self.met.is_new(self.taken ^ wide(1, state as u64))
    }

    fn witness(&self, (_, state, blocked): (usize, i64, u32), texts: &Texts) -> Witness {
        let operation = &self.operations[blocked as usize];
        let concurrent = self.operations.iter().filter(|other| {
            other.place != operation.place
                && other.invoked < operation.returned
                && other.returned > operation.invoked
        });
        let mut places: Vec<usize> = concurrent.map(|other| other.place).take(8).collect();
        places.insert(0, operation.place);
        let sentence = format!(
            "no order explains {}: where the longest order ends, the value is {}",
            told(operation, texts),
            texts.show(state),
        );
        Witness { sentence, operations: places }
    }
}
