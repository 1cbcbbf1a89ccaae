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

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::base::rng::mix;
use crate::check::history::{Call, Operation, Texts};
use crate::check::model::{only_looks, step};
use crate::check::relations::told;
use crate::check::remembered::Remembered;
use crate::check::spec::{Observation, SequentialSpec, States};
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
struct Taken<S> {
    operation: u32,
    state: S,
    /// Other states that it may have led to.
    others: States<S>,
    /// Nothing else need be tried in its place.
    for_good: bool,
}

/// What a search may look at: an operation, when it began and when it ended.
pub(super) trait Timed<S: SequentialSpec> {
    /// What was asked.
    fn op(&self) -> &S::Op;
    /// What was answered.
    fn ret(&self) -> Option<&S::Ret>;
    /// When it began.
    fn invoked(&self) -> u64;
    /// When it ended, if it did.
    fn returned(&self) -> Option<u64>;
}

impl<S: SequentialSpec> Timed<S> for &Observation<S::Op, S::Ret> {
    fn op(&self) -> &S::Op {
        &self.op
    }

    fn ret(&self) -> Option<&S::Ret> {
        self.ret.as_ref()
    }

    fn invoked(&self) -> u64 {
        self.invoked
    }

    fn returned(&self) -> Option<u64> {
        self.returned
    }
}

/// What came of a search. Operations are told by their places.
pub(super) enum Searched<S> {
    /// There is an order.
    Holds,
    /// There is none: whose return was in the way where the longest order ends, what was at the same time (eight at most), and the state there.
    Violated { blocked: usize, concurrent: Vec<usize>, state: S },
    /// The budget was not enough.
    Unknown(String),
}

/// The search for an order of some operations.
pub(super) struct Search<'a, S: SequentialSpec, T: Timed<S>> {
    spec: &'a S,
    operations: &'a [T],
    events: Vec<Event>,
    /// By operation: its invocation and its return.
    places: Vec<(u32, u32)>,
    head: u32,
    /// By operation that nobody has answered: the one of its kind before it, which is taken first; [`NONE`] for the first.
    first: Vec<u32>,
    is_taken: Vec<bool>,
    /// The operations that are taken, in 128 bits.
    taken: u128,
    met: Remembered,
}

/// A number in 128 bits.
fn wide(what: u64, number: u64) -> u128 {
    u128::from(mix(2 * what, number)) | u128::from(mix(2 * what + 1, number)) << 64
}

/// By operation that nobody has answered: the one of its kind that began before it.
fn before_of_its_kind<S: SequentialSpec, T: Timed<S>>(spec: &S, operations: &[T]) -> Vec<u32> {
    let mut pending: Vec<(u64, u32)> = operations
        .iter()
        .zip(0..)
        .filter(|(operation, _)| operation.returned().is_none())
        .map(|(operation, number)| (operation.invoked(), number))
        .collect();
    pending.sort_unstable();
    let (mut first, mut last) = (vec![NONE; operations.len()], BTreeMap::new());
    for (_, number) in pending {
        if let Some(kind) = spec.kind(operations[number as usize].op()) {
            first[number as usize] = last.insert(kind, number).unwrap_or(NONE);
        }
    }
    first
}

impl<'a, S: SequentialSpec, T: Timed<S>> Search<'a, S, T> {
    /// Of operations in any order.
    pub fn new(spec: &'a S, operations: &'a [T]) -> Self {
        let mut order: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * operations.len());
        for (operation, number) in operations.iter().zip(0..) {
            order.push((operation.invoked(), false, number));
            if let Some(returned) = operation.returned() {
                order.push((returned, true, number));
            }
        }
        // At one instant what begins comes before what ends: they may have been at the same time.
        order.sort_unstable();
        let mut places = vec![(NONE, NONE); operations.len()];
        let mut events = Vec::with_capacity(order.len());
        let last = order.len() as u32;
        for ((_, is_return, operation), place) in order.into_iter().zip(0u32..) {
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
        let (first, is_taken) = (before_of_its_kind(spec, operations), vec![false; operations.len()]);
        let met = Remembered::default();
        Search { spec, operations, events, places, head, first, is_taken, taken: 0, met }
    }

    /// Looks for an order.
    pub fn run(mut self, budget: Budget) -> Searched<S::State> {
        let mut state = self.spec.init();
        let mut stack: Vec<Taken<S::State>> = Vec::new();
        let mut at = self.head;
        let mut nodes = 0u64;
        // The deepest point: how many were taken, in which state, and whose return was in the way.
        let mut deepest = (0, state.clone(), NONE);
        loop {
            let Some(event) = self.events.get(at as usize).copied() else { return Searched::Holds };
            if !event.is_return {
                nodes += 1;
                if let Some(taken) = self.try_to_take(event.operation, &mut state) {
                    stack.push(taken);
                    at = self.head;
                    continue;
                }
                if nodes >= budget.nodes {
                    return Searched::Unknown(format!("{nodes} configurations were not enough (`--nodes`)"));
                }
                if self.met.bytes() + self.spec.bytes() > budget.bytes {
                    let mib = budget.bytes >> 20;
                    return Searched::Unknown(format!("{mib} MiB of memory were not enough (`--memory`)"));
                }
                at = event.after;
                continue;
            }
            if deepest.2 == NONE || stack.len() > deepest.0 {
                deepest = (stack.len(), state.clone(), event.operation);
            }
            // Nothing before this return can be taken: go back to where something else could have been.
            match self.go_back(&mut stack, &mut state) {
                Some(next) => at = next,
                None => return self.violated(deepest.1, deepest.2 as usize),
            }
        }
    }

    /// Takes an operation where it leads to a configuration that is new.
    fn try_to_take(&mut self, number: u32, state: &mut S::State) -> Option<Taken<S::State>> {
        let operation = &self.operations[number as usize];
        let first = self.first[number as usize];
        if first != NONE && !self.is_taken[first as usize] {
            return None;
        }
        let mut next = self.spec.step(state, operation.op(), operation.ret());
        if operation.returned().is_none() {
            next.retain(|next| next != state);
        }
        if next.is_empty() {
            return None;
        }
        self.take(number);
        let for_good = next.len() == 1 && next[0] == *state && self.spec.only_looks(operation.op());
        while let Some(one) = next.pop() {
            if for_good || self.is_new(&one) {
                let state = std::mem::replace(state, one);
                return Some(Taken { operation: number, state, others: next, for_good });
            }
        }
        self.put_back(number);
        None
    }

    /// Back to the last place where something else can be tried: another state, or what comes after. `None`: everything was.
    fn go_back(&mut self, stack: &mut Vec<Taken<S::State>>, state: &mut S::State) -> Option<u32> {
        loop {
            let last = stack.last_mut()?;
            while let Some(one) = last.others.pop() {
                if self.met.is_new(self.taken ^ self.spec.digest(&one)) {
                    *state = one;
                    return Some(self.head);
                }
            }
            let last = stack.pop()?;
            *state = last.state;
            self.put_back(last.operation);
            if !last.for_good {
                return Some(self.events[self.places[last.operation as usize].0 as usize].after);
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
        self.is_taken[operation as usize] = true;
        self.taken ^= wide(0, u64::from(operation));
    }

    fn put_back(&mut self, operation: u32) {
        let (call, back) = self.places[operation as usize];
        self.relink(back);
        self.relink(call);
        self.is_taken[operation as usize] = false;
        self.taken ^= wide(0, u64::from(operation));
    }

    /// Whether this configuration is met for the first time.
    fn is_new(&mut self, state: &S::State) -> bool {
        self.met.is_new(self.taken ^ self.spec.digest(state))
    }

    fn violated(&self, state: S::State, blocked: usize) -> Searched<S::State> {
        let one = &self.operations[blocked];
        let until = |operation: &T| operation.returned().unwrap_or(u64::MAX);
        let concurrent = self.operations.iter().enumerate().filter(|(place, other)| {
            *place != blocked && other.invoked() < until(one) && until(other) > one.invoked()
        });
        let concurrent = concurrent.map(|(place, _)| place).take(8).collect();
        Searched::Violated { blocked, concurrent, state }
    }
}

/// The built-in objects: values are numbers, and texts are known by number.
struct Builtin<'a> {
    initial: i64,
    texts: RefCell<&'a mut Texts>,
    texts_before: u64,
}

impl SequentialSpec for Builtin<'_> {
    type State = i64;
    type Op = Call;
    type Ret = ();

    fn init(&self) -> i64 {
        self.initial
    }

    /// What an operation was told is part of it; one that is pending was told nothing.
    fn step(&self, state: &i64, call: &Call, _: Option<&()>) -> States<i64> {
        step(*state, *call, &mut self.texts.borrow_mut()).into_iter().collect()
    }

    fn only_looks(&self, call: &Call) -> bool {
        only_looks(*call)
    }

    fn digest(&self, state: &i64) -> u128 {
        wide(1, *state as u64)
    }

    fn bytes(&self) -> u64 {
        self.texts.borrow().bytes() - self.texts_before
    }
}

impl Timed<Builtin<'_>> for Operation {
    fn op(&self) -> &Call {
        &self.call
    }

    fn ret(&self) -> Option<&()> {
        None
    }

    fn invoked(&self) -> u64 {
        self.invoked
    }

    fn returned(&self) -> Option<u64> {
        (!self.is_pending()).then_some(self.returned)
    }
}

/// Judges the operations of one object. They may come in any order.
pub fn search(operations: &[Operation], initial: i64, texts: &mut Texts, budget: Budget) -> Verdict {
    let mut sorted = operations.to_vec();
    sorted.sort_by_key(|operation| operation.invoked);
    let texts_before = texts.bytes();
    let spec = Builtin { initial, texts: RefCell::new(&mut *texts), texts_before };
    match Search::new(&spec, &sorted).run(budget) {
        Searched::Holds => Verdict::Holds,
        Searched::Unknown(why) => Verdict::Unknown(why),
        Searched::Violated { blocked, concurrent, state } => {
            let places = [blocked].into_iter().chain(concurrent);
            let sentence = format!(
                "no order explains {}: where the longest order ends, the value is {}",
                told(&sorted[blocked], texts),
                texts.show(state),
            );
            Verdict::Violated(Witness {
                sentence,
                operations: places.map(|place| sorted[place].place).collect(),
            })
        }
    }
}
