//! The log: entries by index from 1, of which a prefix may have become part of a snapshot.

use std::collections::VecDeque;

use crate::base::ids::OpId;
use crate::base::op::Op;

/// An entry on the wire or on disk, bytes.
pub const ENTRY_BYTES: u32 = 128;

/// A place in a log: an index and the term of the entry there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The term of the leader that made it.
    pub term: u64,
    /// What to apply; `None`: nothing, a new leader's first entry.
    pub op: Option<Op>,
    /// The identity of what it writes.
    pub attempt: OpId,
}

/// A log.
#[derive(Clone, Debug, Default, Hash)]
pub struct Log {
    /// The last place that is no longer here.
    base: Place,
    entries: VecDeque<Entry>,
}

impl Log {
    /// A log that goes on from a snapshot.
    pub fn after(base: Place) -> Self {
        Log { base, entries: VecDeque::new() }
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
        self.entries.push_back(entry);
    }

    /// Drops everything after an index.
    pub fn truncate(&mut self, index: u64) {
        self.entries.truncate(index.saturating_sub(self.base.index) as usize);
    }

    /// At most so many entries after an index.
    pub fn from(&self, index: u64, most: usize) -> Vec<Entry> {
        let skip = index.saturating_sub(self.base.index) as usize;
        self.entries.iter().skip(skip).take(most).copied().collect()
    }

    /// Forgets entries up to an index.
    pub fn forget(&mut self, index: u64) {
        let Some(term) = self.term(index) else { return };
        self.entries.drain(..(index - self.base.index) as usize);
        self.base = Place { index, term };
    }

    /// How many entries are here.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(term: u64) -> Entry {
        Entry { term, op: None, attempt: OpId(0) }
    }

    #[test]
    fn indices_stay_when_a_prefix_is_forgotten() {
        let mut log = Log::default();
        [1, 1, 2, 3].map(entry).into_iter().for_each(|entry| log.push(entry));
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
    fn a_later_term_beats_a_longer_log() {
        let place = |term, index| Place { index, term };
        assert!(place(3, 1).at_least(place(2, 9)) && !place(2, 9).at_least(place(3, 1)));
        assert!(place(2, 5).at_least(place(2, 5)) && !place(2, 4).at_least(place(2, 5)));
    }
}
