//! Lists of entries in chunks of two kibibytes. Appending writes to the end of one chunk, reading streams through whole
//! chunks, and a chunk that was read goes to a free list: no allocation once the store has grown, and little slack.

use std::hint::black_box;

use crate::base::time::Time;
use crate::engine::pending::Scheduled;

/// Entries of a chunk: of 24 bytes, two kibibytes.
const CHUNK: usize = 84;
/// Places of a chunk: one more, whose time is the number of the chunk after it in its list, or among the free ones. It
/// stands with the entries, which are looked at with it.
const PLACES: usize = CHUNK + 1;
/// Entries in two cache lines, which a processor fetches together.
const LINE: usize = 5;
/// The end of a chain.
const NONE: u32 = u32::MAX;

/// The chunks of any number of lists.
#[derive(Clone, Debug)]
pub(super) struct Chunks<E> {
    /// Chunk after chunk.
    entries: Vec<Scheduled<E>>,
    free: u32,
}

/// A list: where its entries begin and end. Meaningless without its store. A push changes one field of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    first: u32,
    last: u32,
    /// How many chunks it has.
    chunks: u32,
    /// Entries for which its last chunk has room.
    room: u32,
}

impl List {
    pub(super) const EMPTY: List = List { first: NONE, last: NONE, chunks: 0, room: 0 };

    pub(super) fn len(&self) -> usize {
        self.chunks as usize * CHUNK - self.room as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks == 0
    }
}

impl<E: Copy> Chunks<E> {
    pub(super) const fn new() -> Self {
        Chunks { entries: Vec::new(), free: NONE }
    }

    /// Appends an entry. It comes in parts and is put together in its place: a function that takes it whole takes it
    /// through memory, where it is stored in parts and loaded as a whole, on which a processor waits.
    #[inline(always)]
    pub(super) fn push(&mut self, list: &mut List, at: Time, event: E) {
        if list.room == 0 {
            self.extend(list, at, event);
        }
        let end = list.last as usize * PLACES + CHUNK;
        self.entries[end - list.room as usize] = Scheduled { at, event };
        list.room -= 1;
    }

    /// Gives a list an empty last chunk. Our chunks hold no uninitialised memory, so a new one is filled with the
    /// entry that comes.
    #[cold]
    #[inline(never)]
    fn extend(&mut self, list: &mut List, at: Time, event: E) {
        let new = self.free;
        let new = if new == NONE {
            self.entries.resize(self.entries.len() + PLACES, Scheduled { at, event });
            u32::try_from(self.entries.len() / PLACES - 1).expect("fewer than 2^32 chunks fit into memory")
        } else {
            self.free = self.next(new);
            new
        };
        self.set_next(new, NONE);
        match list.first {
            NONE => list.first = new,
            _ => self.set_next(list.last, new),
        }
        list.last = new;
        list.chunks += 1;
        list.room = CHUNK as u32;
    }

    /// The chunk after a chunk.
    #[inline]
    fn next(&self, chunk: u32) -> u32 {
        self.entries[chunk as usize * PLACES + CHUNK].at.as_ns() as u32
    }

    fn set_next(&mut self, chunk: u32, next: u32) {
        self.entries[chunk as usize * PLACES + CHUNK].at = Time::from_ns(u64::from(next));
    }

    /// All entries of a chunk, whether in use or not; none of no chunk.
    #[inline]
    fn chunk(&self, chunk: u32) -> &[Scheduled<E>] {
        let from = chunk as usize * PLACES;
        self.entries.get(from..from + CHUNK).unwrap_or(&[])
    }

    /// The entries of a list, a chunk at a time.
    pub(super) fn slices(&self, list: &List) -> impl Iterator<Item = &[Scheduled<E>]> {
        let mut chunk = list.first;
        let mut left = list.len();
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let count = left.min(CHUNK);
            let here = &self.chunk(chunk)[..count];
            chunk = self.next(chunk);
            self.fetch(chunk);
            left -= count;
            Some(here)
        })
    }

    /// Loads the lines of a chunk, so that reading it soon waits for none of them: the misses overlap with each other and
    /// with what is done meanwhile.
    #[inline(always)]
    fn fetch(&self, chunk: u32) {
        let lines = self.chunk(chunk).iter().step_by(LINE);
        black_box(lines.fold(0, |sum, entry| sum ^ entry.at.as_ns()));
    }

    /// Loads the first chunk of a list that will be read soon.
    #[inline(always)]
    pub(super) fn fetch_first(&self, list: &List) {
        self.fetch(list.first);
    }

    /// Empties `list` onto the end of `into`.
    pub(super) fn drain_to(&mut self, list: &mut List, into: &mut Vec<Scheduled<E>>) {
        for slice in self.slices(list) {
            into.extend_from_slice(slice);
        }
        self.free_all(list);
    }

    /// Empties `list`, appending each entry to the one of `lists` that `place` names.
    pub(super) fn scatter(&mut self, list: &mut List, lists: &mut [List], place: impl Fn(Time) -> usize) {
        let mut chunk = list.first;
        let mut left = list.len();
        while left > 0 {
            let count = left.min(CHUNK);
            self.fetch(self.next(chunk));
            let from = chunk as usize * PLACES;
            for i in from..from + count {
                let Scheduled { at, event } = self.entries[i];
                self.push(&mut lists[place(at)], at, event);
            }
            left -= count;
            chunk = self.release(chunk);
        }
        *list = List::EMPTY;
    }

    /// Keeps the entries of `list` for which `keep` is true, in their order.
    pub(super) fn retain(&mut self, list: &mut List, keep: &mut impl FnMut(&Scheduled<E>) -> bool) {
        let mut kept = List::EMPTY;
        let mut chunk = list.first;
        let mut left = list.len();
        while left > 0 {
            let count = left.min(CHUNK);
            let from = chunk as usize * PLACES;
            for i in from..from + count {
                let entry = self.entries[i];
                if keep(&entry) {
                    self.push(&mut kept, entry.at, entry.event);
                }
            }
            left -= count;
            chunk = self.release(chunk);
        }
        *list = kept;
    }

    /// The instant that all entries of a list share, if they do. Mostly two entries are looked at.
    pub(super) fn one_instant(&self, list: &List) -> Option<Time> {
        let first = self.chunk(list.first).first()?.at;
        let last = self.chunk(list.last)[CHUNK - 1 - list.room as usize].at;
        (first == last && self.bounds(list) == (first, last)).then_some(first)
    }

    /// The earliest and the latest instant in a list that is not empty.
    pub(super) fn bounds(&self, list: &List) -> (Time, Time) {
        let mut bounds = (Time::NEVER, Time::ZERO);
        for entry in self.slices(list).flatten() {
            bounds = (bounds.0.min(entry.at), bounds.1.max(entry.at));
        }
        bounds
    }

    /// Puts a chunk on the free list and says which came after it.
    fn release(&mut self, chunk: u32) -> u32 {
        let next = self.next(chunk);
        self.set_next(chunk, self.free);
        self.free = chunk;
        next
    }

    /// Puts the whole chain of a list on the free list.
    fn free_all(&mut self, list: &mut List) {
        if list.first != NONE {
            self.set_next(list.last, self.free);
            self.free = list.first;
        }
        *list = List::EMPTY;
    }
}
