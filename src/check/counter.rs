//! Counters: linearizability of additions of one amount in O(n log n), bounds on what any counter may show, and how much of
//! what was acknowledged a last value lacks.
//!
//! Say all additions are of 1. In any order of the operations the j-th addition stands in *slot* j, a read of v between the slots v
//! and v + 1, and an addition that saw v is in slot v. So of slot j it is known when it begins at the latest, for every read of j or more returned
//! after it, and when it ends at the earliest, for every read of less was invoked before it; both grow with j. An addition can be in
//! the slots that overlap with its own interval, which are some in a row. And if additions can be dealt to slots like
//! that, their instants can be put in order: two that are the wrong way round are exchanged.
//!
//! So the history is linearizable just if the additions that returned have slots of their own, and if each slot up to the highest
//! value seen has an addition of its own, pending ones included: then there is a deal that does both (N. Mendelsohn and A.
//! Dulmage, 1958). Each is a question of jobs with release times and deadlines, where to take the earliest deadline first is right.
//!
//! Additions of several amounts make it a question of sums, NP-complete; only the bounds are checked then.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::check::history::{Call, Operation, PENDING, Texts};
use crate::check::relations::{Access, told};
use crate::check::shrink::smallest;
use crate::check::{Verdict, Witness};

/// A witness names so many operations at most.
const NAMED_MAX: usize = 8;
/// While a witness is made small the histories that are tried have so many operations together at most.
const EFFORT: usize = 400_000;

/// Judges the operations of one counter. `None`: it has operations that this check does not know, or additions of several
/// amounts of which the bounds say nothing.
pub fn check(operations: &[Operation], initial: i64, texts: &Texts) -> Option<Verdict> {
    let known = |operation: &Operation| matches!(operation.call, Call::Read(_) | Call::Add(..));
    if !operations.iter().all(known) {
        return None;
    }
    let bounded = bounded(operations, initial, texts);
    if bounded != Verdict::Holds {
        return Some(bounded);
    }
    let amounts = |operation: &Operation| match operation.call {
        Call::Add(by, _) if by != 0 => Some(by),
        _ => None,
    };
    let by = operations.iter().find_map(amounts).unwrap_or(1);
    if operations.iter().filter_map(amounts).any(|other| other != by) {
        return None;
    }
    match dealt(operations, initial, by) {
        Ok(()) => Some(Verdict::Holds),
        Err(clash) => Some(Verdict::Violated(witness(operations, initial, by, clash, texts))),
    }
}

/// Whether each read lies between what was certainly and what was possibly added by then: additions that had returned
/// before it was invoked count, those that were invoked before it returned may. Every linearizable counter
/// keeps these bounds, whatever the amounts; O(n log n).
pub fn bounded(operations: &[Operation], initial: i64, texts: &Texts) -> Verdict {
    let mut begun = Sums::default();
    let mut over = Sums::default();
    for operation in operations {
        if let Call::Add(by, _) = operation.call {
            begun.add(operation.invoked, by);
            over.add(operation.returned, by);
        }
    }
    let (begun, over) = (begun.sorted(), over.sorted());
    for operation in operations.iter().filter(|operation| !operation.is_pending()) {
        let (saw, own) = match operation.call {
            Call::Read(saw) => (saw, 0),
            Call::Add(by, Some(saw)) => (saw, by),
            _ => continue,
        };
        // What an addition saw includes itself, so it certainly counts.
        let (up, down) = (i128::from(own.max(0)), i128::from(own.min(0)));
        let (may_up, may_down) = begun.before(operation.returned);
        let (must_up, must_down) = over.before(operation.invoked);
        let least = i128::from(initial) + must_up + up + may_down;
        let most = i128::from(initial) + may_up + must_down + down;
        if i128::from(saw) < least || i128::from(saw) > most {
            return Verdict::Violated(out_of_bounds(operations, operation, (least, most), texts));
        }
    }
    Verdict::Holds
}

/// Amounts by instant; sums of those before one, positive and negative apart.
#[derive(Default)]
struct Sums(Vec<(u64, i128, i128)>);

impl Sums {
    fn add(&mut self, at: u64, by: i64) {
        self.0.push((at, i128::from(by.max(0)), i128::from(by.min(0))));
    }

    fn sorted(mut self) -> Self {
        self.0.sort_unstable_by_key(|sum| sum.0);
        let mut sum = (0, 0);
        for (_, up, down) in &mut self.0 {
            sum = (sum.0 + *up, sum.1 + *down);
            (*up, *down) = sum;
        }
        self
    }

    fn before(&self, at: u64) -> (i128, i128) {
        let until = self.0.partition_point(|sum| sum.0 < at);
        until.checked_sub(1).map_or((0, 0), |last| (self.0[last].1, self.0[last].2))
    }
}

fn out_of_bounds(
    operations: &[Operation],
    read: &Operation,
    (least, most): (i128, i128),
    texts: &Texts,
) -> Witness {
    let sentence = format!(
        "{} is impossible: by the additions that had returned before and those that had been invoked by then it is {}",
        told(read, texts),
        if least == most { format!("{least}") } else { format!("{least} to {most}") },
    );
    let counts = |other: &&Operation| {
        matches!(other.call, Call::Add(..)) && other.place != read.place && other.invoked < read.returned
    };
    let mut places: Vec<usize> =
        operations.iter().filter(counts).map(|other| other.place).take(NAMED_MAX - 1).collect();
    places.insert(0, read.place);
    Witness { sentence, operations: places }
}

/// Two operations that cannot be, if it comes down to two.
type Clash = Option<(usize, usize)>;

/// The ends of a slot, with the operations that set them: it begins before the one and ends after the other.
#[derive(Clone, Copy)]
struct Slot {
    ends_after: (u64, usize),
    begins_before: (u64, usize),
}

const FREE: Slot = Slot { ends_after: (0, usize::MAX), begins_before: (PENDING, usize::MAX) };

/// An addition: the first and the last slot that it can be in, and whether it returned.
type Job = (usize, usize, bool);

/// Deals additions of one amount to slots.
fn dealt(operations: &[Operation], initial: i64, by: i64) -> Result<(), Clash> {
    // A value in additions; the bounds have seen to it that it is no fewer than none and no more than there are.
    let count = |value: i64, place: usize| {
        let (sum, by) = (i128::from(value) - i128::from(initial), i128::from(by));
        let whole = Some(sum / by).filter(|count| count * by == sum);
        whole.and_then(|count| usize::try_from(count).ok()).ok_or(Some((place, place)))
    };
    let mut slots: Vec<Slot> = vec![FREE];
    let mut fixed: Vec<Option<usize>> = vec![None; operations.len()];
    let mut holders: Vec<usize> = Vec::new();
    for (place, operation) in operations.iter().enumerate().filter(|(_, operation)| !operation.is_pending()) {
        let (value, own) = match operation.call {
            Call::Read(value) | Call::Add(0, Some(value)) => (count(value, place)?, false),
            Call::Add(_, Some(value)) => (count(value, place)?, true),
            _ => continue,
        };
        // Slot v + 1 and all later ones end after the read of v was invoked; slot v and all earlier ones begin before it returned.
        if slots.len() < value + 2 {
            slots.resize(value + 2, FREE);
            holders.resize(value + 2, usize::MAX);
        }
        let later = &mut slots[if own { value } else { value + 1 }].ends_after;
        *later = (*later).max((operation.invoked, place));
        let earlier = &mut slots[value].begins_before;
        *earlier = (*earlier).min((operation.returned, place));
        if own {
            fixed[place] = Some(value);
            let holder = std::mem::replace(&mut holders[value], place);
            if holder != usize::MAX {
                return Err(Some((holder, place)));
            }
        }
    }
    for slot in 1..slots.len() {
        slots[slot].ends_after = slots[slot].ends_after.max(slots[slot - 1].ends_after);
    }
    for slot in (1..slots.len()).rev() {
        slots[slot - 1].begins_before = slots[slot - 1].begins_before.min(slots[slot].begins_before);
    }
    // Slots from 1 on; the last one stands for all above, of which there are as many as need be.
    if let Some(empty) = slots[1..].iter().find(|slot| slot.ends_after.0 >= slot.begins_before.0) {
        return Err(Some((empty.begins_before.1, empty.ends_after.1)));
    }
    let jobs = jobs(operations, &slots, &fixed);
    // The last slot is only there if something was seen.
    let highest = slots.len().saturating_sub(2);
    if all_in_time(&jobs) && all_filled(&jobs, highest) { Ok(()) } else { Err(None) }
}

/// The slots that each addition can be in.
fn jobs(operations: &[Operation], slots: &[Slot], fixed: &[Option<usize>]) -> Vec<Job> {
    let above = slots.len() - 1;
    let mut jobs: Vec<Job> = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        let Call::Add(by, _) = operation.call else { continue };
        if by == 0 {
            continue;
        }
        jobs.push(match fixed[place] {
            Some(slot) => (slot, slot, true),
            None => {
                let first = slots[1..].partition_point(|slot| slot.begins_before.0 <= operation.invoked) + 1;
                let last = slots[1..].partition_point(|slot| slot.ends_after.0 < operation.returned);
                // Above all that was seen there is room for any number.
                let last = if last >= above { usize::MAX } else { last };
                (first, last, !operation.is_pending())
            }
        });
    }
    jobs.sort_unstable();
    jobs
}

/// Whether every addition that returned gets a slot of its own.
fn all_in_time(jobs: &[Job]) -> bool {
    let mut returned = jobs.iter().filter(|job| job.2).peekable();
    let mut waiting: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    let mut slot = 0;
    loop {
        slot += 1;
        if waiting.is_empty() {
            let Some(next) = returned.peek() else { return true };
            slot = slot.max(next.0);
        }
        while let Some(job) = returned.next_if(|job| job.0 <= slot) {
            waiting.push(Reverse(job.1));
        }
        if waiting.pop().is_some_and(|Reverse(last)| last < slot) {
            return false;
        }
    }
}

/// Whether each slot up to the highest gets an addition of its own.
fn all_filled(jobs: &[Job], highest: usize) -> bool {
    let mut jobs = jobs.iter().peekable();
    let mut waiting: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    (1..=highest).all(|slot| {
        while let Some(job) = jobs.next_if(|job| job.0 <= slot) {
            waiting.push(Reverse(job.1));
        }
        while waiting.peek().is_some_and(|Reverse(last)| *last < slot) {
            waiting.pop();
        }
        waiting.pop().is_some()
    })
}

fn witness(operations: &[Operation], initial: i64, by: i64, clash: Clash, texts: &Texts) -> Witness {
    let told = |place: usize| told(&operations[place], texts);
    let Some((a, b)) = clash else { return together(operations, initial, by, texts) };
    let sentence = match (operations[a].call, operations[b].call) {
        _ if a == b => format!("{} is impossible: all additions are of {by}", told(a)),
        (Call::Add(_, first), Call::Add(_, second)) if first == second => {
            format!("{} and {} cannot both have led to one value", told(a), told(b))
        }
        _ => format!("{} saw an addition that {} did not, which was invoked later", told(a), told(b)),
    };
    let mut places = vec![operations[a].place, operations[b].place];
    places.dedup();
    Witness { sentence, operations: places }
}

/// The reads that no deal of the additions explains, as few as show it.
fn together(operations: &[Operation], initial: i64, by: i64, texts: &Texts) -> Witness {
    let access = |operation: &Operation| Access { key: 0, session: operation.process, operation: *operation };
    let all: Vec<Access> = operations.iter().map(access).collect();
    let few = smallest(&all, EFFORT, &mut |fewer| {
        let operations: Vec<Operation> = fewer.iter().map(|access| access.operation).collect();
        dealt(&operations, initial, by).is_err()
    });
    let reads =
        few.iter().filter(|access| matches!(access.operation.call, Call::Read(_) | Call::Add(_, Some(_))));
    let reads: Vec<&Operation> = reads.map(|access| &access.operation).take(NAMED_MAX).collect();
    let told: Vec<String> = reads.iter().map(|operation| told(operation, texts)).collect();
    let sentence = format!("no order of the additions explains {}", told.join(" and "));
    Witness { sentence, operations: reads.iter().map(|operation| operation.place).collect() }
}
