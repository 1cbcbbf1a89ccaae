//! Lists of entries in chunks of a kibibyte. Appending writes to the end of one chunk, reading streams through whole
//! chunks, and a chunk that was read goes to a free list: no allocation once the store has grown, and little slack.

use std::hint::black_box;

use crate::base::time::Time;
use crate::engine::Entry;

/// Entries of 24 bytes that fit a kibibyte with the link.
const CHUNK: usize = 42;
/// Entries in two cache lines, which a processor fetches together.
const LINE: usize = 5;
/// The end of a chain.
const NONE: u32 = u32::MAX;

/// The chunks of any number of lists.
#[derive(Clone, Debug)]
pub(super) struct Chunks<E> {
    chunks: Vec<Chunk<E>>,
    free: u32,
}

#[derive(Clone, Copy, Debug)]
struct Chunk<E> {
    entries: [Entry<E>; CHUNK],
    next: u32,
}

/// A list: where its entries begin and end. Meaningless without its store.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    first: u32,
    last: u32,
    /// Entries in the last chunk; an empty list looks as if it were full, so that a push has one case to look for.
    fill: u32,
    len: u32,
}

impl List {
    pub(super) const EMPTY: List = List { first: NONE, last: NONE, fill: CHUNK as u32, len: 0 };

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<E: Copy> Chunks<E> {
    pub(super) const fn new() -> Self {
        Chunks { chunks: Vec::new(), free: NONE }
    }

    /// Appends an entry. It comes in parts and is put together in its place: a function that takes it whole takes it
    /// through memory, where it is stored in parts and loaded as a whole, on which a processor waits.
    #[inline(always)]
    pub(super) fn push(&mut self, list: &mut List, at: Time, event: E) {
        if list.fill as usize == CHUNK {
            self.extend(list, at, event);
        }
        self.chunks[list.last as usize].entries[list.fill as usize] = Entry { at, event };
        list.fill += 1;
        list.len += 1;
    }

    /// Gives a list an empty last chunk. Our chunks hold no uninitialised memory, so a new one is filled with the
    /// entry that comes.
    #[cold]
    #[inline(never)]
    fn extend(&mut self, list: &mut List, at: Time, event: E) {
        let new = self.free;
        let new = if new == NONE {
            self.chunks.push(Chunk { entries: [Entry { at, event }; CHUNK], next: NONE });
            u32::try_from(self.chunks.len() - 1).expect("fewer than 2^32 chunks fit into memory")
        } else {
            self.free = self.chunks[new as usize].next;
            self.chunks[new as usize].next = NONE;
            new
        };
        match list.first {
            NONE => list.first = new,
            _ => self.chunks[list.last as usize].next = new,
        }
        list.last = new;
        list.fill = 0;
    }

    /// The entries of a list, a chunk at a time.
    pub(super) fn slices(&self, list: &List) -> impl Iterator<Item = &[Entry<E>]> {
        let mut chunk = list.first;
        let mut left = list.len as usize;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let here = &self.chunks[chunk as usize];
            let count = left.min(CHUNK);
            chunk = here.next;
            self.fetch(chunk);
            left -= count;
            Some(&here.entries[..count])
        })
    }

    /// Loads the lines of a chunk, so that reading it soon waits for none of them: the misses overlap with each other and
    /// with what is done meanwhile.
    #[inline(always)]
    fn fetch(&self, chunk: u32) {
        if let Some(chunk) = self.chunks.get(chunk as usize) {
            let lines = chunk.entries.iter().step_by(LINE);
            black_box(lines.fold(0, |sum, entry| sum ^ entry.at.as_ns()));
        }
    }

    /// Loads the first chunk of a list that will be read soon.
    #[inline(always)]
    pub(super) fn fetch_first(&self, list: &List) {
        self.fetch(list.first);
    }

    /// Empties `list` onto the end of `into`.
    pub(super) fn drain_to(&mut self, list: &mut List, into: &mut Vec<Entry<E>>) {
        for slice in self.slices(list) {
            into.extend_from_slice(slice);
        }
        self.free_all(list);
    }

    /// Empties `list`, appending each entry to the one of `lists` that `place` names.
    pub(super) fn scatter(&mut self, list: &mut List, lists: &mut [List], place: impl Fn(Time) -> usize) {
        let mut chunk = list.first;
        let mut left = list.len as usize;
        while left > 0 {
            let count = left.min(CHUNK);
            self.fetch(self.chunks[chunk as usize].next);
            for i in 0..count {
                let Entry { at, event } = self.chunks[chunk as usize].entries[i];
                self.push(&mut lists[place(at)], at, event);
            }
            left -= count;
            chunk = self.release(chunk);
        }
        *list = List::EMPTY;
    }

    /// Keeps the entries of `list` for which `keep` is true, in their order.
    pub(super) fn retain(&mut self, list: &mut List, keep: &mut impl FnMut(&E) -> bool) {
        let mut kept = List::EMPTY;
        let mut chunk = list.first;
        let mut left = list.len as usize;
        while left > 0 {
            let count = left.min(CHUNK);
            for i in 0..count {
                let Entry { at, event } = self.chunks[chunk as usize].entries[i];
                if keep(&event) {
                    self.push(&mut kept, at, event);
                }
            }
            left -= count;
            chunk = self.release(chunk);
        }
        *list = kept;
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
        std::mem::replace(&mut self.chunks[chunk as usize].next, std::mem::replace(&mut self.free, chunk))
    }

    /// Puts the whole chain of a list on the free list.
    fn free_all(&mut self, list: &mut List) {
        if list.first != NONE {
            self.chunks[list.last as usize].next = self.free;
            self.free = list.first;
        }
        *list = List::EMPTY;
    }
}
