//! How old what reads saw was: in versions and in time, given the order in which the store had the versions.
//!
//! Of a read that saw version v, those versions count that come after v in that order and whose write had returned before
//! the read was invoked: k is how many they are, and Δ how long ago the first of them had returned (as in W. Golab, X. Li and M. Shah,
//! "Analyzing consistency properties for fun and profit", 2011, seen by who knows the order). A read is stale if there is one.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::check::history::Call;
use crate::check::relations::{Access, Orders, written};

/// How old what a read saw was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Which read: its place in the list.
    pub read: usize,
    /// Newer versions that were acknowledged when it was invoked.
    pub versions: u64,
    /// How long the first of them had been, in the unit of the instants; 0 if there is none.
    pub age: u64,
}

impl Lag {
    /// Whether there was anything newer.
    pub fn is_stale(&self) -> bool {
        self.versions > 0
    }
}

/// How old what each read saw was, in the order of the list; O(n log n). Reads of versions that are in no order are
/// left out: nobody can tell what is newer. The initial value is older than all.
pub fn lags(accesses: &[Access], initial: i64, orders: &Orders) -> Vec<Lag> {
    let mut keys: BTreeMap<i64, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (number, access) in accesses.iter().enumerate().filter(|(_, access)| !access.operation.is_pending()) {
        let (reads, writes) = keys.entry(access.key).or_default();
        match access.operation.call {
            Call::Read(_) => reads.push(number),
            call => writes.extend(written(call).map(|_| number)),
        }
    }
    let mut lags = Vec::new();
    for (key, (reads, writes)) in keys {
        let order = orders.get(&key).map_or(&[][..], Vec::as_slice);
        of_key(accesses, initial, order, &reads, &writes, &mut lags);
    }
    lags.sort_unstable_by_key(|lag| lag.read);
    lags
}

fn of_key(
    accesses: &[Access],
    initial: i64,
    order: &[i64],
    reads: &[usize],
    writes: &[usize],
    lags: &mut Vec<Lag>,
) {
    // Places from 1; 0 is the initial value's.
    let mut places: FxHashMap<i64, usize> = FxHashMap::from_iter([(initial, 0)]);
    places.extend(order.iter().enumerate().map(|(place, value)| (*value, place + 1)));
    let place_of = |call: Call| match call {
        Call::Read(value) => places.get(&value).copied(),
        call => written(call).and_then(|value| places.get(&value).copied()),
    };
    // By place: when the first write of it or of a later version returned.
    let mut first = vec![u64::MAX; order.len() + 2];
    let mut returns: Vec<(u64, usize)> = Vec::new();
    for number in writes {
        let operation = &accesses[*number].operation;
        if let Some(place) = place_of(operation.call) {
            first[place] = first[place].min(operation.returned);
            returns.push((operation.returned, place));
        }
    }
    for place in (0..=order.len()).rev() {
        first[place] = first[place].min(first[place + 1]);
    }
    returns.sort_unstable();
    let mut sorted = reads.to_vec();
    sorted.sort_unstable_by_key(|number| accesses[*number].operation.invoked);
    let mut counts = Counts(vec![0; order.len() + 2]);
    let mut returned = returns.iter().peekable();
    let mut all = 0;
    for number in sorted {
        let operation = &accesses[number].operation;
        while let Some((_, place)) = returned.next_if(|(at, _)| *at < operation.invoked) {
            counts.add(*place);
            all += 1;
        }
        let Some(place) = place_of(operation.call) else { continue };
        let versions = all - counts.up_to(place);
        let age = if versions > 0 { operation.invoked - first[place + 1] } else { 0 };
        lags.push(Lag { read: number, versions, age });
    }
}

/// How many of some places lie at or below one (P. Fenwick's tree, 1994).
struct Counts(Vec<u64>);

impl Counts {
    fn add(&mut self, place: usize) {
        let mut at = place + 1;
        while let Some(count) = self.0.get_mut(at) {
            *count += 1;
            at += at & at.wrapping_neg();
        }
    }

    fn up_to(&self, place: usize) -> u64 {
        let (mut at, mut sum) = (place + 1, 0);
        while at > 0 {
            sum += self.0[at];
            at &= at - 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::history::Operation;
    use crate::check::samples::{histories, in_turn, orders};
    use Call::{Read, Write};

    fn lag(accesses: &[Access], orders: &Orders) -> Vec<(u64, u64)> {
        lags(accesses, 0, orders).iter().map(|lag| (lag.versions, lag.age)).collect()
    }

    #[test]
    fn a_read_lags_by_what_had_been_acknowledged_before_it() {
        // Each operation takes 5 and begins 10 after the last one.
        let calls = [Write(1), Write(2), Read(2), Read(1), Write(3), Read(0), Read(3)];
        let accesses = in_turn(&calls.map(|call| (0, 1, call)));
        let orders = orders(&accesses, &[]);
        assert_eq!(lag(&accesses, &orders), [(0, 0), (1, 30 - 15), (3, 50 - 5), (0, 0)]);
    }

    #[test]
    fn what_is_not_acknowledged_yet_makes_nothing_stale() {
        let operation = |invoked, returned, call| {
            let operation = Operation { process: invoked, place: 1, invoked, returned, call };
            Access { key: 1, session: invoked, operation }
        };
        let accesses = [operation(0, 20, Write(1)), operation(5, 10, Read(0)), operation(30, 31, Read(0))];
        assert_eq!(lag(&accesses, &Orders::from([(1, vec![1])])), [(0, 0), (1, 10)]);
        let lost = [accesses[0], operation(40, 41, Read(7))];
        assert_eq!(lag(&lost, &Orders::from([(1, vec![1])])), [], "nobody knows where 7 stands");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]
        #[test]
        fn the_counts_agree_with_counting(
            accesses in histories(14),
            swaps in prop::collection::vec((0usize..9, 0usize..9), 0..3),
        ) {
            let orders = orders(&accesses, &swaps);
            let mut expected = Vec::new();
            for (read, access) in accesses.iter().enumerate() {
                let Read(saw) = access.operation.call else { continue };
                let place = |value: i64| orders[&access.key].iter().position(|other| *other == value);
                if access.operation.is_pending() || saw != 0 && place(saw).is_none() {
                    continue;
                }
                let newer = accesses.iter().filter(|other| {
                    other.key == access.key
                        && other.operation.returned < access.operation.invoked
                        && written(other.operation.call).is_some_and(|value| saw == 0 || place(value) > place(saw))
                });
                let returns: Vec<u64> = newer.map(|other| other.operation.returned).collect();
                let age = returns.iter().min().map_or(0, |first| access.operation.invoked - first);
                expected.push(Lag { read, versions: returns.len() as u64, age });
            }
            prop_assert_eq!(lags(&accesses, 0, &orders), expected);
        }
    }
}
