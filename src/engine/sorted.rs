//! The bottom of the ladder: the next few entries in an array sorted by time, those of one instant in the order in which
//! they came.

use crate::base::time::Time;
use crate::engine::pending::Scheduled;

/// Given-out entries that may lie before the pending ones until they are shifted away.
const ROOM: usize = 64;

/// Bits of a word of the sort that hold an entry's place.
const PLACE_BITS: u32 = 8;

/// A sorted array that gives out entries from its front.
#[derive(Clone, Debug)]
pub(super) struct Sorted<E> {
    /// Sorted from `head` on; what lies before is free room.
    entries: Vec<Scheduled<E>>,
    head: usize,
    /// Scratch of the sort.
    keys: Vec<u64>,
    unsorted: Vec<Scheduled<E>>,
}

impl<E: Copy> Sorted<E> {
    pub(super) const fn new() -> Self {
        Sorted { entries: Vec::new(), head: 0, keys: Vec::new(), unsorted: Vec::new() }
    }

    pub(super) fn as_slice(&self) -> &[Scheduled<E>] {
        &self.entries[self.head..]
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.head
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Scheduled<E>> {
        self.entries.get(self.head)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head == self.entries.len()
    }

    /// Takes the first entry out if it is due before `horizon`.
    #[inline]
    pub(super) fn pop_before(&mut self, horizon: Time) -> Option<Scheduled<E>> {
        let first = self.entries.get(self.head)?;
        if first.at >= horizon {
            return None;
        }
        self.head += 1;
        Some(*first)
    }

    /// Puts an entry behind all that are due at its instant or before.
    #[inline]
    pub(super) fn insert(&mut self, entry: Scheduled<E>) {
        let pending = &self.entries[self.head..];
        // Many new entries are the last, and a search would go on to the end to find that out.
        let is_last = pending.last().is_none_or(|last| last.at <= entry.at);
        let before =
            if is_last { pending.len() } else { pending.partition_point(|other| other.at <= entry.at) };
        let mut place = self.head + before;
        if self.head > 0 && place - self.head < self.entries.len() - place {
            self.entries.copy_within(self.head..place, self.head - 1);
            self.head -= 1;
            self.entries[place - 1] = entry;
            return;
        }
        if self.head >= ROOM {
            self.entries.drain(..self.head);
            place -= self.head;
            self.head = 0;
        }
        self.entries.insert(place, entry);
    }

    /// Forgets everything and lets `fill` append other entries, which are sorted by time; stable, so that ties stay in
    /// their order.
    pub(super) fn refill(&mut self, fill: impl FnOnce(&mut Vec<Scheduled<E>>)) {
        self.entries.clear();
        self.head = 0;
        fill(&mut self.entries);
        let Some(earliest) = self.entries.iter().map(|entry| entry.at).min() else { return };
        let latest = self.entries.iter().map(|entry| entry.at).max().unwrap_or(earliest);
        if earliest == latest {
            return;
        }
        self.sort(earliest, latest);
    }

    /// The same, for entries of which it is known that none is due before `earliest` nor after `latest`: so nobody need look.
    pub(super) fn refill_between(
        &mut self,
        earliest: u64,
        latest: u64,
        fill: impl FnOnce(&mut Vec<Scheduled<E>>),
    ) {
        self.entries.clear();
        self.head = 0;
        fill(&mut self.entries);
        self.sort(Time::from_ns(earliest), Time::from_ns(latest));
    }

    fn sort(&mut self, earliest: Time, latest: Time) {
        let words_are_too_short = latest.since(earliest).as_ns() >> (u64::BITS - PLACE_BITS) > 0;
        if words_are_too_short || self.entries.len() > 1 << PLACE_BITS {
            self.entries.sort_by_key(|entry| entry.at);
        } else {
            self.sort_words(earliest);
        }
    }

    /// Time since `earliest` and place share a word: sorting words and then moving the entries once takes two thirds of
    /// the time of sorting entries. The places make all words different, so that no stable sort is needed.
    fn sort_words(&mut self, earliest: Time) {
        let word =
            |(entry, place): (&Scheduled<E>, u64)| entry.at.since(earliest).as_ns() << PLACE_BITS | place;
        self.keys.clear();
        self.keys.extend(self.entries.iter().zip(0..).map(word));
        self.keys.sort_unstable();
        std::mem::swap(&mut self.entries, &mut self.unsorted);
        self.entries.clear();
        let places = self.keys.iter().map(|key| (key & ((1 << PLACE_BITS) - 1)) as usize);
        self.entries.extend(places.map(|place| self.unsorted[place]));
    }

    /// The first and the last instant, if there is any entry.
    pub(super) fn bounds(&self) -> Option<(Time, Time)> {
        Some((self.first()?.at, self.entries.last()?.at))
    }

    /// Keeps the entries for which `keep` is true.
    pub(super) fn retain(&mut self, keep: &mut impl FnMut(&Scheduled<E>) -> bool) {
        self.entries.drain(..self.head);
        self.head = 0;
        self.entries.retain(keep);
    }
}
