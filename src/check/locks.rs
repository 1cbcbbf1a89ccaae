//! What locks are for, asked of a run: who held them at once, who still did something after others had them, whose tokens went back, who was
//! overtaken, whose lock was deleted by others, who waited for each other.
//!
//! A program *certainly holds* a lock from the moment when it knows that it has it to the moment when it begins to give it back.
//! Everything is O(n log n) in the number of holds.

use std::collections::BTreeMap;

use crate::base::ids::PartId;
use crate::base::time::{Span, Time};
use crate::record::holds::{Hold, Holds, Step};

/// A key of a lock.
type Name = (PartId, i64);

/// The holds of one lock part, by key, each in the order of `by`.
fn sorted<K: Ord>(holds: &Holds, lock: PartId, by: impl Fn(&Hold) -> K) -> BTreeMap<Name, Vec<u32>> {
    let mut names: BTreeMap<Name, Vec<u32>> = BTreeMap::new();
    for (place, hold) in (0u32..).zip(holds.all()) {
        if hold.lock.0 == lock {
            names.entry(hold.lock).or_default().push(place);
        }
    }
    for places in names.values_mut() {
        places.sort_by_key(|place| by(&holds.all()[*place as usize]));
    }
    names
}

/// The same, of those that were granted, in that order.
fn granted(holds: &Holds, lock: PartId) -> impl Iterator<Item = Vec<u32>> {
    let all = holds.all();
    let names = sorted(holds, lock, |hold| hold.granted);
    names.into_values().map(|mut places| {
        places.retain(|place| all[*place as usize].granted < Time::NEVER);
        places
    })
}

/// Two holds of one key, by place.
pub type Two = (u32, u32);

/// Holds that began while another one of the same key lasted: how many, for how long keys had several holders, and the first.
pub fn overlaps(holds: &Holds, lock: PartId, end: Time) -> (u64, Span, Option<Two>) {
    let (mut count, mut time, mut first) = (0, Span::ZERO, None::<(Time, Two)>);
    for places in granted(holds, lock) {
        let mut latest: Option<(Time, u32)> = None;
        for place in places {
            let hold = &holds.all()[place as usize];
            let until = hold.ended.min(end);
            if let Some((before, other)) = latest.filter(|(before, _)| hold.granted < *before) {
                count += 1;
                time += until.min(before) - hold.granted;
                if first.is_none_or(|(at, _)| hold.granted < at) {
                    first = Some((hold.granted, (other, place)));
                }
            }
            if latest.is_none_or(|(before, _)| before < until) {
                latest = Some((until, place));
            }
        }
    }
    (count, time, first.map(|(_, two)| two))
}

/// The share of holds that shared some time with another one of the same key, whichever began first; `None`: nobody got it.
pub fn overlapping(holds: &Holds, lock: PartId, end: Time) -> Option<f64> {
    let all = holds.all();
    let (mut overlapping, mut count) = (0u64, 0u64);
    for places in granted(holds, lock) {
        let mut latest = Time::ZERO;
        for (rank, place) in places.iter().enumerate() {
            let hold = &all[*place as usize];
            let until = hold.ended.min(end);
            let next = places.get(rank + 1).map_or(Time::NEVER, |next| all[*next as usize].granted);
            overlapping += u64::from(hold.granted < latest || next < until);
            latest = latest.max(until);
        }
        count += places.len() as u64;
    }
    (count > 0).then(|| overlapping as f64 / count as f64)
}

/// Changes that took effect when their makers' lock was already somebody else's: how many, and the first, with who had it.
pub fn late_effects(holds: &Holds, lock: PartId) -> (u64, Option<(Time, Two)>) {
    let all = holds.all();
    let mut names: BTreeMap<Name, Vec<u32>> = BTreeMap::new();
    for places in granted(holds, lock) {
        if let Some(first) = places.first() {
            names.insert(all[*first as usize].lock, places);
        }
    }
    let (mut count, mut first) = (0, None);
    for effect in holds.effects() {
        let maker = &all[effect.hold as usize];
        let Some(places) = names.get(&maker.lock).filter(|_| maker.lock.0 == lock) else { continue };
        let until = places.partition_point(|place| all[*place as usize].granted < effect.at);
        let latest = places[..until].last().copied().filter(|latest| *latest != effect.hold);
        if let Some(latest) = latest.filter(|latest| all[*latest as usize].granted > maker.granted) {
            count += 1;
            first = first.or(Some((effect.at, (effect.hold, latest))));
        }
    }
    (count, first)
}

/// Two holds of one key of which the second was asked for when the first had been granted, and has no newer token.
pub fn old_token(holds: &Holds, lock: PartId) -> Option<Two> {
    let all = holds.all();
    let by_asked = sorted(holds, lock, |hold| hold.asked);
    for (places, granted) in by_asked.into_values().zip(granted(holds, lock)) {
        let mut granted = granted.into_iter().peekable();
        let mut newest: Option<u32> = None;
        for place in places {
            let hold = &all[place as usize];
            while let Some(before) = granted.next_if(|before| all[*before as usize].granted < hold.asked) {
                if newest.is_none_or(|newest| all[newest as usize].token < all[before as usize].token) {
                    newest = Some(before);
                }
            }
            let old = newest.filter(|newest| all[*newest as usize].token >= hold.token);
            if let Some(newest) = old.filter(|_| hold.granted < Time::NEVER) {
                return Some((newest, place));
            }
        }
    }
    None
}

/// The share of holds that were granted after one that was asked for later, or never though such a one was; `None`: nobody asked.
pub fn overtaken(holds: &Holds, lock: PartId) -> Option<f64> {
    let all = holds.all();
    let (mut overtaken, mut asked) = (0u64, 0u64);
    for places in sorted(holds, lock, |hold| hold.asked).into_values() {
        let mut soonest = Time::NEVER;
        for place in places.iter().rev() {
            let hold = &all[*place as usize];
            overtaken += u64::from(soonest < hold.granted);
            soonest = soonest.min(hold.granted);
        }
        asked += places.len() as u64;
    }
    (asked > 0).then(|| overtaken as f64 / asked as f64)
}

/// The most times that one who asked was overtaken: how many who asked later got it before, or instead. `None`: nobody asked.
pub fn bypassed(holds: &Holds, lock: PartId) -> Option<u64> {
    let all = holds.all();
    let mut most = None;
    for asked in sorted(holds, lock, |hold| hold.asked).into_values() {
        // Ranks by order of asking, counted in a Fenwick tree as they are granted, the first one first.
        let mut by_granted: Vec<usize> = (0..asked.len()).collect();
        by_granted.sort_by_key(|rank| (all[asked[*rank] as usize].granted, *rank));
        let mut counts = vec![0u64; asked.len() + 1];
        let mut granted = 0u64;
        for rank in by_granted {
            let at = all[asked[rank] as usize].granted;
            let mut before = 0;
            let mut place = rank + 1;
            while place > 0 {
                before += counts[place];
                place &= place - 1;
            }
            most = most.max(Some(granted - before));
            if at < Time::NEVER {
                granted += 1;
                let mut place = rank + 1;
                while place < counts.len() {
                    counts[place] += 1;
                    place += place & place.wrapping_neg();
                }
            }
        }
    }
    most
}

/// The longest chain of holds in which each one's release deleted the lock of the next: how many deletions.
pub fn longest_chain(holds: &Holds, lock: PartId) -> u64 {
    let mut before: BTreeMap<u32, u64> = BTreeMap::new();
    let mut longest = 0;
    for (by, of) in holds.deletions() {
        if holds.all()[*by as usize].lock.0 == lock {
            let chain = before.get(by).copied().unwrap_or(0) + 1;
            before.insert(*of, chain);
            longest = longest.max(chain);
        }
    }
    longest
}

/// Programs that waited for each other: how many such cycles closed when somebody asked for this lock, and the first: each waits for
/// the lock that the next one holds.
pub fn deadlocks(holds: &Holds, lock: PartId) -> (u64, Vec<u32>) {
    let all = holds.all();
    let mut holder: BTreeMap<Name, u32> = BTreeMap::new();
    // What the program waits for that holds this one.
    let mut waits: BTreeMap<u32, u32> = BTreeMap::new();
    let (mut count, mut first) = (0, Vec::new());
    for (place, step) in holds.steps() {
        let hold = &all[*place as usize];
        let around = || std::iter::successors(hold.around, |around| all[*around as usize].around);
        match step {
            Step::Requested => {
                around().for_each(|around| _ = waits.insert(around, *place));
                let mut cycle = vec![*place];
                let mut last = *place;
                let closes = loop {
                    let held = holder.get(&all[last as usize].lock);
                    let Some(next) = held.and_then(|held| waits.get(held)).copied() else { break false };
                    if next == *place {
                        break true;
                    }
                    if cycle.contains(&next) {
                        break false; // another cycle, which was found when it closed
                    }
                    cycle.push(next);
                    last = next;
                };
                if closes && hold.lock.0 == lock {
                    count += 1;
                    if first.is_empty() {
                        first = cycle;
                    }
                }
            }
            Step::Granted => {
                around().for_each(|around| _ = waits.remove(&around));
                holder.insert(hold.lock, *place);
            }
            Step::Ended => {
                around().for_each(|around| _ = waits.remove(&around));
                if holder.get(&hold.lock) == Some(place) {
                    holder.remove(&hold.lock);
                }
            }
        }
    }
    (count, first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{OpId, Pid, TierId};
    use crate::record::holds::LockRequest;

    const LOCK: PartId = PartId(0);

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    fn ask(holds: &mut Holds, owner: u64, key: i64, around: Option<u64>, seconds: u64) {
        let by = Pid::new(TierId(0), owner as u32);
        holds.asked(owner, at(seconds), LockRequest { lock: LOCK, key, by, origin: owner, around });
    }

    /// Holds of one key: owner, asked, granted, ended, token.
    fn holds(rows: &[(u64, u64, u64, u64, u64)]) -> Holds {
        let mut holds = Holds::new(true);
        let mut steps: Vec<(u64, u8, u64, u64)> = Vec::new();
        for (owner, asked, granted, ended, token) in rows {
            steps.extend([(*asked, 0, *owner, 0), (*granted, 1, *owner, *token), (*ended, 2, *owner, 0)]);
        }
        steps.sort_by_key(|(at, ..)| *at);
        for (seconds, step, owner, token) in steps {
            match step {
                0 => ask(&mut holds, owner, 1, None, seconds),
                1 => holds.granted(owner, at(seconds), token),
                _ => holds.ended(owner, at(seconds)),
            }
        }
        holds
    }

    #[test]
    fn holds_one_after_the_other_are_exclusive_and_others_overlap_for_as_long_as_they_do() {
        let good = holds(&[(1, 0, 1, 3, 1), (2, 0, 3, 5, 2), (3, 1, 6, 9, 3)]);
        assert_eq!(overlaps(&good, LOCK, at(20)), (0, Span::ZERO, None));
        let bad = holds(&[(1, 0, 1, 9, 1), (2, 0, 3, 5, 2), (3, 1, 6, 12, 3)]);
        assert_eq!(overlaps(&bad, LOCK, at(20)), (2, Span::from_secs(5), Some((0, 1))));
        assert_eq!(overlaps(&bad, PartId(1), at(20)).0, 0, "another lock");
    }

    #[test]
    fn a_hold_overlaps_whichever_of_the_two_began_first() {
        let share = |rows: &[(u64, u64, u64, u64, u64)]| overlapping(&holds(rows), LOCK, at(20));
        assert_eq!(share(&[]), None, "nobody got it");
        assert_eq!(share(&[(1, 0, 1, 3, 1), (2, 0, 3, 5, 2), (3, 1, 6, 9, 3)]), Some(0.0));
        // One long hold and two within it: `overlaps` counts the two, three of four share time.
        let rows = [(1, 0, 1, 9, 1), (2, 0, 3, 5, 2), (3, 0, 6, 8, 3), (4, 0, 9, 12, 4)];
        assert_eq!(overlaps(&holds(&rows), LOCK, at(20)).0, 2);
        assert_eq!(share(&rows), Some(0.75));
        // One that never ends is held to the end of the run and no longer.
        assert_eq!(share(&[(1, 0, 1, 99, 1), (2, 0, 21, 22, 2)]), Some(0.0));
    }

    #[test]
    fn tokens_go_up_wherever_one_hold_was_asked_for_after_the_other_was_granted() {
        assert_eq!(old_token(&holds(&[(1, 0, 1, 3, 1), (2, 0, 3, 5, 2), (3, 4, 6, 9, 3)]), LOCK), None);
        assert_eq!(old_token(&holds(&[(1, 0, 5, 6, 2), (2, 0, 3, 4, 1)]), LOCK), None);
        assert_eq!(old_token(&holds(&[(1, 0, 1, 3, 5), (2, 2, 3, 5, 5)]), LOCK), Some((0, 1)), "twice");
        assert_eq!(
            old_token(&holds(&[(1, 0, 1, 3, 5), (2, 2, 3, 5, 1)]), LOCK),
            Some((0, 1)),
            "a source that forgot"
        );
    }

    #[test]
    fn who_asked_first_and_was_served_later_was_overtaken() {
        assert_eq!(overtaken(&holds(&[(1, 0, 1, 3, 1), (2, 1, 3, 5, 2), (3, 2, 6, 9, 3)]), LOCK), Some(0.0));
        assert_eq!(
            overtaken(&holds(&[(1, 0, 1, 3, 1), (2, 1, 6, 7, 2), (3, 2, 3, 5, 3)]), LOCK),
            Some(1.0 / 3.0)
        );
        assert_eq!(overtaken(&Holds::new(true), LOCK), None);
        assert_eq!(bypassed(&Holds::new(true), LOCK), None);
        assert_eq!(bypassed(&holds(&[(1, 0, 1, 3, 1), (2, 1, 3, 5, 2), (3, 2, 6, 9, 3)]), LOCK), Some(0));
        let unlucky =
            holds(&[(1, 0, 1, 2, 1), (2, 1, 9, 10, 5), (3, 2, 3, 4, 2), (4, 3, 5, 6, 3), (5, 10, 11, 12, 6)]);
        assert_eq!(bypassed(&unlucky, LOCK), Some(2));
    }

    #[test]
    fn a_change_is_late_once_somebody_else_has_the_lock() {
        let mut holds = holds(&[(1, 0, 1, 9, 1), (2, 0, 5, 8, 2)]);
        for (owner, attempt, seconds) in [(1, 10, 4), (2, 11, 6), (1, 12, 7)] {
            holds.acts(owner, OpId(attempt));
            holds.takes_effect(OpId(attempt), at(seconds));
        }
        assert_eq!(late_effects(&holds, LOCK), (1, Some((at(7), (0, 1)))));
    }

    #[test]
    fn a_chain_of_foreign_releases_is_as_long_as_it_goes_on() {
        let mut holds = holds(&[(1, 0, 1, 3, 1), (2, 1, 3, 5, 2), (3, 2, 6, 9, 3), (4, 2, 10, 11, 4)]);
        assert_eq!(longest_chain(&holds, LOCK), 0);
        [(1, 2), (2, 3), (4, 1)].into_iter().for_each(|(by, of)| holds.deleted(by, of));
        assert_eq!(longest_chain(&holds, LOCK), 2);
    }

    #[test]
    fn philosophers_who_all_take_the_left_fork_first_wait_for_each_other() {
        for (last, cycles) in [((3, 1), 1), ((1, 3), 0)] {
            let mut holds = Holds::new(true);
            let takes = [(1, 2), (2, 3), last];
            for (owner, (left, _)) in (1..).zip(takes) {
                ask(&mut holds, owner, left, None, 0);
                if !(owner == 3 && left == 1) {
                    holds.granted(owner, at(1), owner);
                }
            }
            for (owner, (left, right)) in (1..).zip(takes) {
                if !(owner == 3 && left == 1) {
                    ask(&mut holds, owner + 10, right, Some(owner), 2);
                }
            }
            let (count, cycle) = deadlocks(&holds, LOCK);
            assert_eq!((count, cycle.len()), (cycles, if cycles == 1 { 3 } else { 0 }));
        }
    }
}
