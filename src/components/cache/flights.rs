//! Who fills what the cache lacks: leases and flights. Both give one reader a token; a lease sends the others away, a
//! flight keeps them.
//!
//! Of a lease (memcached at Facebook, NSDI 2013): its token is current until a value is put, the key is dropped, or
//! another token is given. A new token is given no sooner than `ttl` after the last one, unless a value was put in
//! between. So there is at most one token per unfilled key in each `ttl`, dropped keys included.
//!
//! Of a flight: any put ends it and answers those who wait, in order. A filler that has not put in time is given up, and
//! the last in line becomes the next filler: of all who wait it is the likeliest to be there still. (The first in line
//! would be the worst choice. Readers lose patience in that order, and once it has lost it the flight is handed from
//! one absent reader to the next, each for the full time, while the line grows behind them.)

use std::collections::VecDeque;

use crate::base::ids::CallId;
use crate::base::slab::{Key, Slab};
use crate::base::time::{ClockTime, Span};
use crate::components::mech::keyed::Keyed;

/// Leases by key. Tokens count up from 1.
#[derive(Clone, Debug, Default, Hash)]
pub struct Leases {
    leases: Keyed<i64, Lease>,
    last_token: u32,
}

#[derive(Clone, Copy, Debug, Hash)]
struct Lease {
    token: u32,
    until: ClockTime,
    /// Its key was dropped: nothing may be put with it.
    dropped: bool,
}

impl Leases {
    /// A token to fill `key`, unless one is out.
    pub fn grant(&mut self, key: i64, ttl: Span, clock: ClockTime) -> Option<u32> {
        if self.leases.get(&key).is_some_and(|lease| clock < lease.until) {
            return None;
        }
        let token = next_token(&mut self.last_token);
        self.leases.insert(key, Lease { token, until: clock + ttl, dropped: false });
        Some(token)
    }

    /// Whether a put with `token` may go ahead; then the lease is over. Token 0 is a plain write, which always may.
    pub fn redeem(&mut self, key: i64, token: u32) -> bool {
        let current = self.leases.get(&key).is_some_and(|lease| lease.token == token && !lease.dropped);
        if current || token == 0 {
            self.leases.remove(&key);
        }
        current || token == 0
    }

    /// The key was dropped: what is being built for it is out of date.
    pub fn dropped(&mut self, key: i64) {
        if let Some(lease) = self.leases.get_mut(&key) {
            lease.dropped = true;
        }
    }

    /// Forgets all leases; tokens that are out are worth nothing.
    pub fn clear(&mut self) {
        self.leases.clear();
    }
}

/// 0 means "no token".
fn next_token(last: &mut u32) -> u32 {
    *last = last.checked_add(1).unwrap_or(1);
    *last
}

/// A reader that waits for a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Waiter {
    /// Its call.
    pub call: CallId,
    /// Time for which it had waited for a core.
    pub queued: Span,
    /// Time for which it had been on a core.
    pub served: Span,
}

/// Flights by key, with those who wait for them in line.
#[derive(Clone, Debug, Default, Hash)]
pub struct Flights {
    flights: Keyed<i64, Flight>,
    waiting: Slab<InLine>,
    /// When fillers are given up, the first first: all have the same time to fill.
    deadlines: VecDeque<(ClockTime, i64, u32)>,
    last_token: u32,
}

#[derive(Clone, Copy, Debug, Hash)]
struct InLine {
    waiter: Waiter,
    before: Option<Key>,
    after: Option<Key>,
}

#[derive(Clone, Copy, Debug, Hash)]
struct Flight {
    token: u32,
    line: Option<(Key, Key)>,
}

impl Flights {
    /// Makes the reader the filler of `key` until `until`, and says its token; if there is a filler, the reader gets
    /// in line.
    pub fn join(&mut self, key: i64, waiter: Waiter, until: ClockTime) -> Option<u32> {
        let Some(flight) = self.flights.get_mut(&key) else {
            return Some(self.begin(key, None, until));
        };
        let before = flight.line.map(|(_, last)| last);
        let place = self.waiting.insert(InLine { waiter, before, after: None });
        if let Some(last) = before {
            self.waiting.get_mut(last).expect("the last in line").after = Some(place);
        }
        flight.line = Some((flight.line.map_or(place, |(first, _)| first), place));
        None
    }

    /// A value for `key` has come: the first in line, until there is none, and then the flight is over.
    pub fn land(&mut self, key: i64) -> Option<Waiter> {
        let waiter = self.next_in_line(key);
        if waiter.is_none() {
            self.flights.remove(&key);
        }
        waiter
    }

    /// A filler that is given up by `clock`: the last in line with the token to fill next, if anybody waits.
    pub fn expire(&mut self, clock: ClockTime, hold: Span) -> Option<(Waiter, u32)> {
        while let Some((at, key, token)) = self.deadlines.front().copied().filter(|first| first.0 <= clock) {
            debug_assert!(at <= clock);
            self.deadlines.pop_front();
            if self.flights.get(&key).is_none_or(|flight| flight.token != token) {
                continue; // it has landed
            }
            if let Some(waiter) = self.last_in_line(key) {
                let line = self.flights.get(&key).and_then(|flight| flight.line);
                return Some((waiter, self.begin(key, line, clock + hold)));
            }
            self.flights.remove(&key);
        }
        None
    }

    fn begin(&mut self, key: i64, line: Option<(Key, Key)>, until: ClockTime) -> u32 {
        let token = next_token(&mut self.last_token);
        self.flights.insert(key, Flight { token, line });
        self.deadlines.push_back((until, key, token));
        token
    }

    fn next_in_line(&mut self, key: i64) -> Option<Waiter> {
        let flight = self.flights.get_mut(&key)?;
        let (first, last) = flight.line?;
        let InLine { waiter, after, .. } = self.waiting.remove(first).expect("the first in line");
        flight.line = after.map(|next| (next, last));
        if let Some(next) = after {
            self.waiting.get_mut(next).expect("the new first in line").before = None;
        }
        Some(waiter)
    }

    fn last_in_line(&mut self, key: i64) -> Option<Waiter> {
        let flight = self.flights.get_mut(&key)?;
        let (first, last) = flight.line?;
        let InLine { waiter, before, .. } = self.waiting.remove(last).expect("the last in line");
        flight.line = before.map(|before| (first, before));
        if let Some(before) = before {
            self.waiting.get_mut(before).expect("the new last in line").after = None;
        }
        Some(waiter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> ClockTime {
        ClockTime::ZERO + Span::from_secs(s)
    }

    fn waiter(slot: u32) -> Waiter {
        Waiter { call: CallId { slot, generation: 0 }, queued: Span::ZERO, served: Span::ZERO }
    }

    #[test]
    fn one_token_per_unfilled_key_and_ttl() {
        let mut leases = Leases::default();
        let ttl = Span::from_secs(10);
        let tokens: Vec<u64> = (0..100).filter(|s| leases.grant(1, ttl, at(*s)).is_some()).collect();
        assert_eq!(tokens, (0..10).map(|i| i * 10).collect::<Vec<_>>());
        assert!(leases.grant(2, ttl, at(5)).is_some(), "another key");
    }

    #[test]
    fn a_lease_that_is_old_or_whose_key_was_dropped_is_refused() {
        let mut leases = Leases::default();
        let ttl = Span::from_secs(10);
        let first = leases.grant(1, ttl, at(0)).expect("the first");
        let second = leases.grant(1, ttl, at(10)).expect("a new one");
        assert!(!leases.redeem(1, first));
        assert!(leases.redeem(1, second));
        let third = leases.grant(1, ttl, at(11)).expect("filled in between");
        leases.dropped(1);
        assert!(!leases.redeem(1, third));
        assert_eq!(leases.grant(1, ttl, at(12)), None, "a drop does not make tokens come faster");
        assert!(leases.redeem(1, 0), "a plain write");
        assert!(!leases.redeem(1, third));
    }

    #[test]
    fn a_flight_answers_all_in_line_in_order() {
        let mut flights = Flights::default();
        assert_eq!(flights.join(1, waiter(0), at(10)), Some(1));
        for slot in 1..=3 {
            assert_eq!(flights.join(1, waiter(slot), at(10)), None);
        }
        let landed: Vec<u32> =
            std::iter::from_fn(|| flights.land(1)).map(|waiter| waiter.call.slot).collect();
        assert_eq!(landed, vec![1, 2, 3]);
        assert_eq!(flights.join(1, waiter(4), at(20)), Some(2), "the next flight");
        assert_eq!(flights.expire(at(10), Span::from_secs(10)), None, "the first has landed in time");
    }

    #[test]
    fn a_filler_that_is_given_up_is_followed_by_the_last_in_line() {
        let mut flights = Flights::default();
        let hold = Span::from_secs(10);
        flights.join(1, waiter(0), at(10));
        flights.join(1, waiter(1), at(11));
        flights.join(1, waiter(2), at(12));
        assert_eq!(flights.expire(at(9), hold), None);
        assert_eq!(flights.expire(at(10), hold), Some((waiter(2), 2)));
        assert_eq!(flights.expire(at(10), hold), None);
        assert_eq!(flights.join(1, waiter(5), at(12)), None);
        assert_eq!(flights.expire(at(20), hold), Some((waiter(5), 3)));
        assert_eq!(flights.expire(at(30), hold), Some((waiter(1), 4)));
        assert_eq!(flights.expire(at(40), hold), None);
        assert_eq!(flights.join(1, waiter(3), at(50)), Some(5), "nobody was left");
        assert!(flights.waiting.len() == 0);
    }
}
