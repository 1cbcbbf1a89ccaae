//! The log: entries by index from 1, of which a prefix may have become part of a snapshot.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::ids::OpId;
use crate::base::op::Op;
use crate::base::time::ClockTime;
use crate::components::storage::machine::EntryContext;

/// An entry of one change on the wire or on disk, bytes.
pub const ENTRY_BYTES: u32 = 128;

/// A place in a log: an index and the term of the entry there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Index.
    pub index: u64,
    /// Term.
    pub term: u64,
}

impl Place {
    /// Whether a log that ends here is at least as up to date as one that ends there (section 3.6.1).
    pub fn at_least(self, other: Place) -> bool {
        (self.term, self.index) >= (other.term, other.index)
    }
}

/// Which term each entry of a history is of: the places at which terms begin, from the first on, and so also of entries that a
/// log has forgotten. Two histories that have the same term at an index have the same entries up to there (section 3.5, the
/// Log Matching Property): so a place names an entry, whoever keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms(Vec<Place>);

impl Terms {
    /// The term of the entry at an index up to which the history goes.
    pub fn at(&self, index: u64) -> u64 {
        let later = self.0.partition_point(|begin| begin.index <= index);
        later.checked_sub(1).map_or(0, |era| self.0[era].term)
    }

    /// The history up to an index alone.
    pub fn up_to(&self, index: u64) -> Terms {
        Terms(self.0.iter().take_while(|begin| begin.index <= index).copied().collect())
    }

    /// The last index up to which two histories are one, of which this one ends at `ours` and the other at `theirs`.
    pub fn common(&self, ours: u64, other: &Terms, theirs: u64) -> u64 {
        let same = self.0.iter().zip(&other.0).take_while(|(a, b)| a == b).count();
        let ends = |terms: &Terms, last: u64| terms.0.get(same).map_or(last, |next| next.index - 1);
        ends(self, ours).min(ends(other, theirs))
    }

    fn push(&mut self, place: Place) {
        if self.0.last().is_none_or(|begin| begin.term != place.term) {
            self.0.push(place);
        }
    }

    fn truncate(&mut self, index: u64) {
        while self.0.last().is_some_and(|begin| begin.index > index) {
            self.0.pop();
        }
    }
}

/// A change, and the identity of what it writes.
pub type Change = (Op, OpId);

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The term of the leader that made it.
    pub term: u64,
    /// What to apply; `None`: nothing, a new leader's first entry.
    pub op: Option<Op>,
    /// The identity of what it writes.
    pub attempt: OpId,
    /// Identifies the call that it serves; 0: none.
    pub substream: u64,
    /// What goes with it.
    pub told: EntryContext,
    /// What else takes effect with it: the other writes of a transaction.
    pub also: Option<Arc<[Change]>>,
    /// The place of the entry in a history that was lost, of which this one is to add what it added.
    pub origin: Option<Place>,
    /// When it was written, by the wall clock of the leader that made it.
    pub at: ClockTime,
}

impl Entry {
    /// An entry that applies nothing: a new leader's first.
    pub fn empty(term: u64) -> Self {
        let (op, told, also, origin, at) = (None, EntryContext::Nothing, None, None, ClockTime::ZERO);
        Entry { term, op, attempt: OpId(0), substream: 0, told, also, origin, at }
    }

    /// One change.
    pub fn of(term: u64, op: Op, attempt: OpId) -> Self {
        Entry { op: Some(op), attempt, ..Entry::empty(term) }
    }

    /// All that it changes.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        let also = self.also.iter().flat_map(|also| also.iter().copied());
        self.op.map(|op| (op, self.attempt)).into_iter().chain(also)
    }

    /// On the wire or on disk.
    pub fn size_bytes(&self) -> u32 {
        let rows = 1 + self.also.as_ref().map_or(0, |also| also.len());
        ENTRY_BYTES.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX))
    }
}

/// A log.
#[derive(Clone, Debug, Default, Hash)]
pub struct Log {
    /// The last place that is no longer here.
    base: Place,
    entries: VecDeque<Entry>,
    terms: Terms,
}

impl Log {
    /// A log that goes on from a snapshot, whose history has these terms.
    pub fn after(base: Place, terms: Terms) -> Self {
        Log { base, entries: VecDeque::new(), terms }
    }

    /// The terms of its whole history.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether this place is in its history, here or no longer.
    pub fn contains(&self, place: Place) -> bool {
        place.index <= self.last().index && self.terms.at(place.index) == place.term
    }

    /// The last place that is no longer here.
    pub fn base(&self) -> Place {
        self.base
    }

    /// Its last place.
    pub fn last(&self) -> Place {
        let index = self.base.index + self.entries.len() as u64;
        Place { index, term: self.entries.back().map_or(self.base.term, |entry| entry.term) }
    }

    /// The term at an index, if it is known.
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.base.index { Some(self.base.term) } else { self.get(index).map(|entry| entry.term) }
    }

    /// The entry at an index.
    pub fn get(&self, index: u64) -> Option<&Entry> {
        self.entries.get(index.checked_sub(self.base.index + 1)? as usize)
    }

    /// One entry more.
    pub fn push(&mut self, entry: Entry) {
        self.terms.push(Place { index: self.last().index + 1, term: entry.term });
        self.entries.push_back(entry);
    }

    /// Drops everything after an index.
    pub fn truncate(&mut self, index: u64) {
        self.terms.truncate(index.max(self.base.index));
        self.entries.truncate(index.saturating_sub(self.base.index) as usize);
    }

    /// At most so many entries after an index.
    pub fn from(&self, index: u64, most: usize) -> Vec<Entry> {
        let skip = index.saturating_sub(self.base.index) as usize;
        self.entries.iter().skip(skip).take(most).cloned().collect()
    }

    /// Forgets entries up to an index.
    pub fn forget(&mut self, index: u64) {
        let Some(term) = self.term(index) else { return };
        self.entries.drain(..(index - self.base.index) as usize);
        self.base = Place { index, term };
    }

    /// How many entries are here.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_stay_when_a_prefix_is_forgotten() {
        let mut log = Log::default();
        [1, 1, 2, 3].map(Entry::empty).into_iter().for_each(|entry| log.push(entry));
        log.forget(2);
        assert_eq!(
            (log.base(), log.last(), log.len()),
            (Place { index: 2, term: 1 }, Place { index: 4, term: 3 }, 2)
        );
        assert_eq!([1, 2, 3, 4, 5].map(|index| log.term(index)), [None, Some(1), Some(2), Some(3), None]);
        log.truncate(3);
        assert_eq!((log.last(), log.from(2, 9).len()), (Place { index: 3, term: 2 }, 1));
        log.forget(9);
        assert_eq!(log.base().index, 2, "nobody forgets what is not there");
    }

    #[test]
    fn a_history_knows_the_terms_of_what_its_log_has_forgotten() {
        let log = |terms: &[u64]| {
            let mut log = Log::default();
            terms.iter().for_each(|term| log.push(Entry::empty(*term)));
            log
        };
        let mut ours = log(&[1, 1, 1, 2, 2, 4]);
        ours.forget(5);
        let place = |index, term| Place { index, term };
        assert!(
            [place(0, 0), place(2, 1), place(4, 2), place(6, 4)].iter().all(|place| ours.contains(*place))
        );
        assert!([place(4, 1), place(6, 2), place(7, 4)].iter().all(|place| !ours.contains(*place)));
        for (theirs, common) in [
            (&[1, 1, 1, 2, 3, 3, 3][..], 4),
            (&[1, 1], 2),
            (&[1, 1, 1, 1, 3], 3),
            (&[2], 0),
            (&[], 0),
            (&[1, 1, 1, 2, 2, 4], 6),
            (&[1, 1, 1, 2, 2, 4, 4], 6),
        ] {
            let theirs = log(theirs);
            let (a, b) = (ours.last().index, theirs.last().index);
            assert_eq!(ours.terms().common(a, theirs.terms(), b), common, "{theirs:?}");
            assert_eq!(theirs.terms().common(b, ours.terms(), a), common, "{theirs:?}");
        }
        ours.truncate(5);
        ours.push(Entry::empty(5));
        assert!(ours.contains(place(6, 5)) && ours.contains(place(5, 2)));
        assert_eq!(ours.terms().up_to(4).at(9), 2);
    }

    #[test]
    fn a_later_term_beats_a_longer_log() {
        let place = |term, index| Place { index, term };
        assert!(place(3, 1).at_least(place(2, 9)) && !place(2, 9).at_least(place(3, 1)));
        assert!(place(2, 5).at_least(place(2, 5)) && !place(2, 4).at_least(place(2, 5)));
    }
}
