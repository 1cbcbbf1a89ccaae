//! Pending events in a binary heap: short, plainly right, and slow with many pending. It is the oracle of the
//! ladder's tests and the peer of its benchmark.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::base::time::Time;
use crate::engine::pending::{PendingEvents, Scheduled};

/// Pending events ordered by (time, number of scheduling).
#[derive(Clone, Debug)]
pub struct Heap<E> {
    heap: BinaryHeap<Reverse<Numbered<E>>>,
    pushed: u64,
}

/// An entry with its number, which settles ties. Ordered by time and number alone.
#[derive(Clone, Copy, Debug)]
struct Numbered<E> {
    number: u64,
    entry: Scheduled<E>,
}

impl<E> Numbered<E> {
    fn rank(&self) -> (Time, u64) {
        (self.entry.at, self.number)
    }
}

impl<E> Ord for Numbered<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl<E> PartialOrd for Numbered<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Numbered<E> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<E> Eq for Numbered<E> {}

impl<E> Default for Heap<E> {
    fn default() -> Self {
        Heap { heap: BinaryHeap::new(), pushed: 0 }
    }
}

impl<E: Copy> PendingEvents<E> for Heap<E> {
    fn push(&mut self, entry: Scheduled<E>) {
        self.heap.push(Reverse(Numbered { number: self.pushed, entry }));
        self.pushed += 1;
    }

    fn pop_before(&mut self, horizon: Time, _touch: impl FnMut(&[Scheduled<E>])) -> Option<Scheduled<E>> {
        if self.peek()? >= horizon {
            return None;
        }
        self.heap.pop().map(|Reverse(numbered)| numbered.entry)
    }

    fn peek(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(numbered)| numbered.entry.at)
    }

    fn len(&self) -> usize {
        self.heap.len()
    }

    fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        self.heap.retain(|Reverse(numbered)| keep(&numbered.entry.event));
    }

    fn take(&mut self, mut takes: impl FnMut(&Scheduled<E>) -> bool) -> Vec<Scheduled<E>> {
        let all = std::mem::take(&mut self.heap).into_vec();
        let (mut taken, left): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|Reverse(numbered)| takes(&numbered.entry));
        self.heap = left.into();
        taken.sort_by_key(|Reverse(numbered)| numbered.rank());
        taken.into_iter().map(|Reverse(numbered)| numbered.entry).collect()
    }
}
