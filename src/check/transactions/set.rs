//! Histories of a set that elements are added to, each at most once, and that is read as a whole: linearizable, in O(n log n).
//!
//! What reads see only grows, so they stand in the order of their sizes, one within the next. Each read is put at the earliest instant that
//! is after those before it, after its own invocation and after the additions that it saw had been invoked; it must not have returned
//! by then, and no addition that it did not see may have. Earlier is never worse for those that follow, so if this fails, no order
//! explains the history.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::history::{PENDING, Texts};
use crate::check::{Verdict, Witness};

/// An addition that may have had an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Of what.
    pub element: i64,
    /// Where it stands in the recorded history (a line), from 1.
    pub place: usize,
    /// Where its invocation stands in the order of all invocations and returns.
    pub invoked: u64,
    /// Where its return does, or [`PENDING`].
    pub returned: u64,
}

/// A read of all elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// What it saw.
    pub elements: Vec<i64>,
    /// Where it stands in the recorded history (a line), from 1.
    pub place: usize,
    /// Where its invocation stands in the order of all invocations and returns.
    pub invoked: u64,
    /// Where its return does.
    pub returned: u64,
}

fn violated(sentence: String, operations: &[usize]) -> Verdict {
    Verdict::Violated(Witness { sentence, operations: operations.to_vec() })
}

/// Judges additions and reads.
pub fn check(additions: &[Addition], sights: &[Sight], texts: &Texts) -> Verdict {
    let mut by_element: FxHashMap<i64, &Addition> = FxHashMap::default();
    for addition in additions {
        if let Some(other) = by_element.insert(addition.element, addition) {
            let element = texts.show(addition.element);
            let (one, other) = (other.place, addition.place);
            return Verdict::Unknown(format!("{element} was added twice (lines {one} and {other})"));
        }
    }
    let mut sights: Vec<&Sight> = sights.iter().collect();
    sights.sort_by_key(|sight| (sight.elements.len(), sight.invoked));
    // What no read has seen yet, by return: the least of them bounds where a read can stand.
    let mut unseen: Vec<&Addition> = additions.iter().filter(|one| one.returned != PENDING).collect();
    unseen.sort_by_key(|addition| addition.returned);
    let (mut seen, mut first_unseen) = (FxHashSet::default(), 0);
    let (mut instant, mut by) = (0, None);
    let mut before: Option<&Sight> = None;
    for sight in sights {
        let mut fresh = 0;
        for element in &sight.elements {
            let Some(addition) = by_element.get(element) else {
                let sentence = format!(
                    "the read of line {} saw {}, which nobody added",
                    sight.place,
                    texts.show(*element)
                );
                return violated(sentence, &[sight.place]);
            };
            fresh += usize::from(seen.insert(*element));
            if addition.invoked > instant {
                (instant, by) = (addition.invoked, Some(addition.place));
            }
        }
        if seen.len() != sight.elements.len() {
            return lacks(before, sight, fresh);
        }
        if sight.invoked > instant {
            (instant, by) = (sight.invoked, Some(sight.place));
        }
        if instant > sight.returned {
            let other = by.unwrap_or(sight.place);
            let sentence = format!(
                "the read of line {} saw what was only there after line {other}, which came later",
                sight.place
            );
            return violated(sentence, &[sight.place, other]);
        }
        while unseen.get(first_unseen).is_some_and(|one| seen.contains(&one.element)) {
            first_unseen += 1;
        }
        if let Some(missing) = unseen.get(first_unseen).filter(|missing| missing.returned < instant) {
            let element = texts.show(missing.element);
            let sentence = format!(
                "the read of line {} did not see {element}, which line {} had added before",
                sight.place, missing.place
            );
            return violated(sentence, &[sight.place, missing.place]);
        }
        before = Some(sight);
    }
    Verdict::Holds
}

/// A read lacks what one before it saw, or saw an element twice.
fn lacks(before: Option<&Sight>, sight: &Sight, fresh: usize) -> Verdict {
    let mut elements = sight.elements.clone();
    elements.sort_unstable();
    if elements.windows(2).any(|pair| pair[0] == pair[1]) {
        return violated(format!("the read of line {} saw an element twice", sight.place), &[sight.place]);
    }
    let other = before.map_or(sight.place, |before| before.place);
    let sentence = format!(
        "the reads of lines {other} and {} each lack what the other saw ({fresh} of it new)",
        sight.place
    );
    violated(sentence, &[other, sight.place])
}
