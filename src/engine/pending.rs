//! What a pending-event set holds, and what it must do.

use crate::base::time::Time;

/// A pending event and when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scheduled<E> {
    /// When it is due.
    pub at: Time,
    /// What happens then.
    pub event: E,
}

/// A set of pending events that gives them out by rules 1 and 2 of the [engine](self).
pub trait PendingEvents<E: Copy> {
    /// Adds an event. It is not due before any event that was given out already.
    fn push(&mut self, entry: Scheduled<E>);

    /// Takes the next event out if it is due strictly before `horizon`. `prefetch` may be shown entries that are due
    /// soon, in any order and grouping and some of them never: a hint for fetching what they need, not a promise.
    fn pop_before(&mut self, horizon: Time, prefetch: impl FnMut(&[Scheduled<E>])) -> Option<Scheduled<E>>;

    /// When the next event is due.
    fn peek(&self) -> Option<Time>;

    /// How many events are pending.
    fn len(&self) -> usize;

    /// Drops the events for which `keep` is false; the others keep their order. `keep` is asked once for each event,
    /// in any order.
    fn retain(&mut self, keep: impl FnMut(&E) -> bool);

    /// Takes the entries out for which `takes` is true, in the order in which they would have left; the others keep theirs. `takes` is
    /// asked once for each, in any order.
    fn take(&mut self, takes: impl FnMut(&Scheduled<E>) -> bool) -> Vec<Scheduled<E>>;
}
