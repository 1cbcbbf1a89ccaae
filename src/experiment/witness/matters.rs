//! What of a run matters to a violation: the operations and holds of locks that the sentence names, whoever wrote what they saw, what they did
//! while they held a lock, where copies took it in, and where they lost it.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::OpId;
use crate::base::op::{Op, Outcome};
use crate::base::time::Time;
use crate::experiment::run::WitnessRun;
use crate::experiment::witness::times::{end, when};
use crate::record::history::{NO_COPY, RowId, Step, Taken};
use crate::record::holds::Hold;

/// Operations beside those that are named, at most.
const OTHERS_MAX: usize = 6;

/// What is shown.
#[derive(Debug, Default)]
pub(super) struct Matters {
    /// The rows, in order.
    pub rows: Vec<RowId>,
    /// Operations by place, in order.
    pub steps: Vec<usize>,
    /// Holds of locks by place, in order.
    pub holds: Vec<u32>,
    /// What copies took in, by place, and whether the lost write was gone there.
    pub taken: Vec<(usize, bool)>,
}

impl Matters {
    /// Finds it.
    pub fn of(seen: &WitnessRun) -> Matters {
        let (told, all) = (&seen.told, seen.history.steps());
        let mut steps: BTreeSet<usize> = told.steps.iter().copied().collect();
        steps.extend(within(all, seen).into_iter().take(OTHERS_MAX));
        let mut rows: Vec<RowId> = steps.iter().map(|place| all[*place].row).collect();
        rows.sort_unstable();
        rows.dedup();
        let mut matters = Matters { rows, ..Matters::default() };
        let lost = match told.steps[..] {
            [one] if told.holds.is_empty() && all[one].writes() => lost(&all[one], seen),
            _ => None,
        };
        // Of a lost write and of locks it does not matter where the values came from.
        let mut others = match lost.is_some() || !told.holds.is_empty() {
            true => Vec::new(),
            false => writers(&steps, all, &matters.rows),
        };
        if let Some(taken) = lost.map(|place| &seen.history.taken()[place]) {
            // Who wrote an older value that is there again has nothing to do with it.
            let since = told.steps.first().map_or(Time::ZERO, |place| all[*place].invoked);
            others.extend(all.iter().position(|step| wrote(step, taken) && end(step) >= since));
        }
        let also: Vec<usize> =
            steps.iter().chain(&others).filter_map(|place| before(&all[*place], all, *place)).collect();
        others.extend(also);
        if steps.len() + others.len() < 2 {
            others.extend(beside(&steps, all, &matters.rows));
        }
        others.retain(|place| !steps.contains(place));
        steps.extend(others.into_iter().take(OTHERS_MAX));
        matters.steps = steps.into_iter().collect();
        matters.holds = holds(&matters, seen);
        matters.taken = matters.takes(seen, lost);
        matters
    }

    /// From the first thing to the last one; `None` if there is nothing.
    pub fn stretch(&self, seen: &WitnessRun) -> Option<(Time, Time)> {
        let steps = self.steps.iter().map(|place| &seen.history.steps()[*place]);
        let all = seen.history.holds.all();
        let holds = self.holds.iter().map(|hold| &all[*hold as usize]);
        let taken = self.taken.iter().map(|(place, _)| seen.history.taken()[*place].at);
        let spans = steps.map(|step| (step.invoked, end(step))).chain(holds.map(when));
        let spans: Vec<(Time, Time)> = spans.chain(taken.map(|at| (at, at))).collect();
        let first = spans.iter().map(|(begin, _)| *begin).min()?;
        Some((first, spans.iter().map(|(_, end)| *end).max()?))
    }

    /// The versions that operations which are shown wrote or saw.
    fn versions(&self, all: &[Step]) -> BTreeSet<OpId> {
        let of = |place: &usize| {
            let step = &all[*place];
            let own = (step.writes() && !matches!(step.outcome, Outcome::Fail(_))).then_some(step.attempt);
            let saw = step.outcome.value().filter(|_| !step.writes()).map(|value| value.version);
            own.into_iter().chain(saw)
        };
        let none = OpId(0);
        self.steps.iter().flat_map(of).filter(|version| *version != none).collect()
    }

    /// The first time that each copy took each of the versions in, and where it was lost. Copies that start again take all that they have once
    /// more: that says nothing.
    fn takes(&self, seen: &WitnessRun, lost: Option<usize>) -> Vec<(usize, bool)> {
        let versions = self.versions(seen.history.steps());
        let written: BTreeSet<OpId> =
            self.steps.iter().map(|place| seen.history.steps()[*place].attempt).collect();
        let mut met = BTreeSet::new();
        let mut taken = Vec::new();
        let (first, last) = self.ends(seen);
        for (place, one) in seen.history.taken().iter().enumerate() {
            let version = one.value.version;
            let is_ours = self.rows.contains(&one.row) && one.copy != NO_COPY;
            let matters = versions.contains(&version) && version != one.over;
            // What was seen may have been there for long.
            let is_near = written.contains(&version) || (first <= one.at && one.at <= last);
            if lost == Some(place) {
                taken.push((place, true));
            } else if is_ours && matters && is_near && met.insert((one.row, one.copy, version)) {
                taken.push((place, false));
            }
        }
        taken
    }

    fn ends(&self, seen: &WitnessRun) -> (Time, Time) {
        let steps = || self.steps.iter().map(|place| &seen.history.steps()[*place]);
        let first = steps().map(|step| step.invoked).min().unwrap_or(Time::ZERO);
        (first, steps().map(end).max().unwrap_or(Time::ZERO))
    }

    /// Whether another version that is shown is of the same value.
    pub fn is_ambiguous(&self, seen: &WitnessRun, version: u64, n: i64) -> bool {
        let steps = self.steps.iter().map(|place| &seen.history.steps()[*place]);
        let of_step = steps.filter_map(|step| match (step.op, step.outcome) {
            (_, Outcome::Fail(_)) => None,
            (_, Outcome::Ok(value)) if step.writes() => Some((step.attempt.0, value.n)),
            (_, Outcome::Ok(value)) => Some((value.version.0, value.n)),
            (Op::Write { n, .. }, _) => Some((step.attempt.0, n)),
            _ => None,
        });
        let taken = self.taken.iter().map(|(place, _)| seen.history.taken()[*place].value);
        let mut all = of_step.chain(taken.map(|value| (value.version.0, value.n)));
        all.any(|(other, value)| value == n && other != version)
    }
}

/// Whether a version was written by an operation.
pub(super) fn wrote(step: &Step, taken: &Taken) -> bool {
    step.writes() && step.attempt != OpId(0) && [taken.value.version, taken.also].contains(&step.attempt)
}

/// What was done for the requests that held the locks of a witness, while they held them.
fn within(steps: &[Step], seen: &WitnessRun) -> Vec<usize> {
    let all = seen.history.holds.all();
    let named: Vec<&Hold> = seen.told.holds.iter().map(|hold| &all[*hold as usize]).collect();
    let of_hold = |step: &Step| {
        let its = |hold: &&Hold| {
            let (begin, end) = when(hold);
            hold.origin == step.origin && begin <= step.invoked && step.invoked <= end
        };
        named.iter().any(its)
    };
    (0..steps.len()).filter(|place| of_hold(&steps[*place])).collect()
}

/// Who wrote what these operations saw.
fn writers(steps: &BTreeSet<usize>, all: &[Step], rows: &[RowId]) -> Vec<usize> {
    let saw = |place: &usize| {
        let step = &all[*place];
        let value = step.outcome.value()?;
        let version = if step.writes() { value.parent } else { value.version };
        (version != OpId(0)).then_some(version)
    };
    let seen: BTreeSet<OpId> = steps.iter().filter_map(saw).collect();
    let is_one = |step: &Step| step.writes() && rows.contains(&step.row) && seen.contains(&step.attempt);
    (0..all.len()).filter(|place| is_one(&all[*place])).collect()
}

/// What the request of a write had read of its row just before: what it was computed from.
fn before(step: &Step, all: &[Step], place: usize) -> Option<usize> {
    if step.origin == 0 || !matches!(step.op, Op::Write { .. }) {
        return None;
    }
    let is_it = |other: &Step| {
        let reads = matches!(other.op, Op::Read { .. } | Op::ReadForUpdate { .. });
        reads && other.origin == step.origin && other.row == step.row && other.returned <= step.invoked
    };
    (0..place).rev().find(|place| is_it(&all[*place]))
}

/// The operation on the row that comes next, where there is but one to be shown.
fn beside(steps: &BTreeSet<usize>, all: &[Step], rows: &[RowId]) -> Option<usize> {
    let last = *steps.last()?;
    (last + 1..all.len()).find(|place| rows.contains(&all[*place].row))
}

/// The holds that are named, those around them, and those within which the operations that are shown were made.
fn holds(matters: &Matters, seen: &WitnessRun) -> Vec<u32> {
    let all = seen.history.holds.all();
    let mut holds: BTreeSet<u32> = seen.told.holds.iter().copied().collect();
    let around: Vec<u32> = holds.iter().filter_map(|hold| all[*hold as usize].around).collect();
    holds.extend(around);
    if seen.told.holds.is_empty() {
        let steps: Vec<&Step> = matters.steps.iter().map(|place| &seen.history.steps()[*place]).collect();
        let made_within = |hold: &Hold| {
            let (begin, end) = when(hold);
            let its = |step: &&Step| {
                step.origin != 0 && step.origin == hold.origin && begin <= step.invoked && step.invoked <= end
            };
            hold.granted < Time::NEVER && steps.iter().any(its)
        };
        holds.extend((0u32..).zip(all).filter(|(_, hold)| made_within(hold)).map(|(place, _)| place));
    }
    holds.into_iter().collect()
}

/// Where a copy that had a write, or something made of it, has something else for good: a place among what copies took in. Of several
/// copies the first.
fn lost(write: &Step, seen: &WitnessRun) -> Option<usize> {
    let (steps, taken) = (seen.history.steps(), seen.history.taken());
    let of_row: Vec<usize> = (0..taken.len()).filter(|place| taken[*place].row == write.row).collect();
    let by_attempt: BTreeMap<OpId, usize> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.row == write.row && step.writes())
        .map(|(place, step)| (step.attempt, place))
        .collect();
    let mut with = BTreeSet::from([write.attempt]);
    for one in of_row.iter().map(|place| &taken[*place]) {
        let writer = by_attempt.get(&one.value.version).copied();
        let reads = writer.and_then(|place| before(&steps[place], steps, place));
        let read = reads.and_then(|place| steps[place].outcome.value()).map(|value| value.version);
        let is_blind =
            writer.is_some_and(|place| matches!(steps[place].op, Op::Write { .. })) && read.is_none();
        // A later write that depends on nothing replaces it rightly.
        let later = is_blind && writer.is_some_and(|place| steps[place].invoked >= end(write));
        let from = [Some(one.value.parent), Some(one.also), read];
        if later || from.into_iter().flatten().any(|version| with.contains(&version)) {
            with.insert(one.value.version);
        }
    }
    let has = |place: &usize| with.contains(&taken[*place].value.version);
    let copies: BTreeSet<u32> =
        of_row.iter().filter(|place| has(place)).map(|place| taken[*place].copy).collect();
    let gone = |copy: u32| {
        let own: Vec<usize> = of_row.iter().copied().filter(|place| taken[*place].copy == copy).collect();
        let after = &own[own.iter().rposition(has)? + 1..];
        let at = taken[*after.first()?].at;
        // What it has once it has started again, not all that it goes through.
        after.iter().take_while(|place| taken[**place].at == at).last().copied()
    };
    copies.into_iter().filter(|copy| *copy != NO_COPY).filter_map(gone).min_by_key(|place| taken[*place].at)
}
