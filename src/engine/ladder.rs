//! Pending events in a ladder queue: constant time per event, in streams instead of random accesses.
//!
//! After W. T. Tang, R. S. M. Goh and I. L.-J. Thng, "Ladder queue: an O(1) priority queue structure for large-scale
//! discrete event simulation" (2005). Entries far in the future lie unsorted in the *top*. When their time comes they
//! are scattered over the buckets of a *rung*, equal spans of time; a bucket with many entries is scattered over a finer
//! rung of its own, one with few is sorted into the *bottom*, from which events leave. So an entry is moved about three
//! times, always to the end of a list, and never compared with more than its neighbours.
//!
//! Ours differs from the paper in this:
//! - Entries of one instant always travel in one list in the order of scheduling and the sort is stable, so ties leave
//!   in that order and no number is stored.
//! - Bucket widths are powers of two: a bucket is found by a shift.
//! - With few entries pending there is only the bottom. A ladder would build its rungs anew at every other event.
//! - A bottom that grows too long, because events are scheduled closer than a bucket's width, becomes a rung.
//!
//! Invariants, with `end`s exclusive: the bottom holds what is due before `bottom_end`; then come the rungs, finest
//! (last) first, each up to its own `end`; then the top.

use crate::base::time::Time;
use crate::engine::chunks::{Chunks, List};
use crate::engine::pending::{PendingEvents, Scheduled};
use crate::engine::sorted::Sorted;

/// Up to so many entries one sorted array is faster than any ladder.
const FEW: usize = 48;
/// So few entries in all the ladder brings back into one array. Below [`FEW`], lest a queue of about that size
/// change its shape again and again.
const FEW_AGAIN: usize = 24;
/// Entries that a new rung's bucket holds on average.
const PER_BUCKET: usize = 32;
/// The same with many entries pending: a refill shows as many to `prefetch`, and the more there are, the more misses overlap.
const PER_BUCKET_OF_MANY: usize = 64;
/// So many are many: those who get them do not fit into the nearest caches.
const MANY: usize = 4096;
/// Most buckets of a rung: the last lines of so many lists stay in the first-level cache, their pages in the TLB.
const BUCKETS_MAX: usize = 512;

/// A ladder queue.
#[derive(Clone, Debug)]
pub struct Ladder<E> {
    bottom: Sorted<E>,
    /// What is due before this is in the bottom. `u64::MAX`: everything is.
    bottom_end: u64,
    /// A bottom longer than this becomes a rung.
    bottom_max: usize,
    /// Coarsest first.
    rungs: Vec<Rung>,
    top: List,
    /// Nothing is due later: the latest key pushed since the top was lowered last.
    latest: u64,
    chunks: Chunks<E>,
    len: usize,
    /// Bucket arrays of former rungs.
    spare: Vec<Vec<List>>,
}

/// Equal spans of time, each with a list of entries.
#[derive(Clone, Debug)]
struct Rung {
    /// Where its first bucket begins. What is due earlier (but not in the bottom) is also in the first bucket.
    start: u64,
    /// What is due from here on is not in this rung.
    end: u64,
    /// Binary logarithm of a bucket's width.
    shift: u32,
    /// Buckets before this one are empty and stay so.
    next: usize,
    buckets: Vec<List>,
}

impl Rung {
    #[inline]
    fn place(&self, key: u64) -> usize {
        (key.saturating_sub(self.start) >> self.shift) as usize
    }

    /// Where a bucket begins: nothing in it is due earlier, but for the first.
    fn bucket_start(&self, bucket: usize) -> u64 {
        end_of(self.start, bucket, self.shift)
    }

    /// Where a bucket ends.
    fn bucket_end(&self, bucket: usize) -> u64 {
        end_of(self.start, bucket + 1, self.shift).min(self.end)
    }
}

/// `start` and so many buckets.
fn end_of(start: u64, buckets: usize, shift: u32) -> u64 {
    let end = start as u128 + ((buckets as u128) << shift);
    u64::try_from(end).unwrap_or(u64::MAX)
}

/// What places an entry. [`Time::NEVER`] shares its place with the instant before it, so that an exclusive end fits
/// into 64 bits; the sort in the bottom knows the difference.
#[inline]
fn key(at: Time) -> u64 {
    at.as_ns().min(u64::MAX - 1)
}

impl<E: Copy> Default for Ladder<E> {
    fn default() -> Self {
        Ladder {
            bottom: Sorted::new(),
            bottom_end: u64::MAX,
            bottom_max: FEW,
            rungs: Vec::new(),
            top: List::EMPTY,
            latest: 0,
            chunks: Chunks::new(),
            len: 0,
            spare: Vec::new(),
        }
    }
}

impl<E: Copy> PendingEvents<E> for Ladder<E> {
    // In parts and always inline, with the rarer ways in functions of their own: see `Chunks::push`.
    #[inline(always)]
    fn push(&mut self, Scheduled { at, event }: Scheduled<E>) {
        self.len += 1;
        let key = key(at);
        if key < self.bottom_end {
            return self.push_near(at, event);
        }
        self.latest = self.latest.max(key);
        // Most entries go to the top or to the coarsest rung.
        let mut list = &mut self.top;
        for rung in &mut self.rungs {
            if key >= rung.end {
                break;
            }
            let place = rung.place(key);
            list = &mut rung.buckets[place];
        }
        self.chunks.push(list, at, event);
    }

    #[inline]
    fn pop_before(&mut self, horizon: Time, prefetch: impl FnMut(&[Scheduled<E>])) -> Option<Scheduled<E>> {
        if self.bottom.is_empty() && !self.refill(prefetch) {
            return None;
        }
        let entry = self.bottom.pop_before(horizon)?;
        self.len -= 1;
        Some(entry)
    }

    fn peek(&self) -> Option<Time> {
        if let Some(first) = self.bottom.first() {
            return Some(first.at);
        }
        let buckets = self.rungs.iter().rev().flat_map(|rung| &rung.buckets[rung.next..]);
        let mut lists = buckets.chain([&self.top]);
        let next = lists.find(|list| !list.is_empty())?;
        Some(self.chunks.bounds(next).0)
    }

    fn len(&self) -> usize {
        self.len
    }

    fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        self.keep(|entry| keep(&entry.event));
    }

    fn take(&mut self, mut takes: impl FnMut(&Scheduled<E>) -> bool) -> Vec<Scheduled<E>> {
        let mut taken = Vec::new();
        self.keep(|entry| {
            let takes = takes(entry);
            taken.extend(takes.then_some(*entry));
            !takes
        });
        taken.sort_by_key(|entry| entry.at); // stable, and those of one instant lie in one list in their order
        taken
    }
}

impl<E: Copy> Ladder<E> {
    fn keep(&mut self, mut keep: impl FnMut(&Scheduled<E>) -> bool) {
        self.bottom.retain(&mut keep);
        self.len = self.bottom.len();
        let buckets = self.rungs.iter_mut().flat_map(|rung| &mut rung.buckets[rung.next..]);
        for list in buckets.chain([&mut self.top]) {
            self.chunks.retain(list, &mut keep);
            self.len += list.len();
        }
    }

    /// Adds an event that is due before the bottom ends.
    #[inline(never)]
    fn push_near(&mut self, at: Time, event: E) {
        self.bottom.insert(Scheduled { at, event });
        if self.bottom.len() > self.bottom_max {
            self.shorten_bottom();
        }
    }

    /// Fills the empty bottom with the next entries and shows them to `prefetch`. False if none are pending.
    #[cold]
    #[inline(never)]
    fn refill(&mut self, mut prefetch: impl FnMut(&[Scheduled<E>])) -> bool {
        if self.len <= FEW_AGAIN {
            self.gather_all();
        } else {
            while self.bottom.is_empty() {
                if self.rungs.is_empty() {
                    self.lower_top(&mut prefetch);
                } else {
                    self.lower_bucket(&mut prefetch);
                }
            }
        }
        self.len > 0
    }

    /// The few entries that are left go to the bottom, whatever their time.
    fn gather_all(&mut self) {
        let Ladder { bottom, chunks, rungs, top, spare, .. } = self;
        bottom.refill(|entries| {
            while let Some(mut rung) = rungs.pop() {
                for list in &mut rung.buckets[rung.next..] {
                    chunks.drain_to(list, entries);
                }
                spare.push(rung.buckets);
            }
            chunks.drain_to(top, entries);
        });
        self.bottom_end = u64::MAX;
        self.bottom_max = FEW;
    }

    /// Entries that a new rung's bucket is to hold. Twice as many get a rung of their own, and a bottom that has grown to six times as many
    /// becomes one.
    fn per_bucket(&self) -> usize {
        if self.len > MANY { PER_BUCKET_OF_MANY } else { PER_BUCKET }
    }

    /// The ladder is used up: the top becomes its coarsest rung, or the bottom if it is short.
    fn lower_top(&mut self, prefetch: &mut impl FnMut(&[Scheduled<E>])) {
        let mut list = std::mem::replace(&mut self.top, List::EMPTY);
        let (first, last) = (self.bottom_end, std::mem::take(&mut self.latest));
        if list.len() <= 2 * self.per_bucket() {
            self.lower_to_bottom(&mut list, last + 1, prefetch);
        } else if let Some(instant) = self.chunks.one_instant(&list) {
            self.lower_to_bottom(&mut list, key(instant) + 1, prefetch);
        } else {
            self.spawn(&mut list, first, last, u64::MAX);
        }
    }

    /// The next bucket of the finest rung becomes the bottom, or a finer rung if it is long.
    fn lower_bucket(&mut self, prefetch: &mut impl FnMut(&[Scheduled<E>])) {
        let refine_above = 2 * self.per_bucket();
        let rung = self.rungs.last_mut().expect("there are rungs");
        let Some(ahead) = rung.buckets[rung.next..].iter().position(|list| !list.is_empty()) else {
            self.spare.extend(self.rungs.pop().map(|rung| rung.buckets));
            return;
        };
        rung.next += ahead;
        let (start, end) = (rung.bucket_start(rung.next), rung.bucket_end(rung.next));
        let mut list = std::mem::replace(&mut rung.buckets[rung.next], List::EMPTY);
        if list.len() <= refine_above || rung.shift == 0 {
            rung.next += 1;
            if let Some(list) = rung.buckets.get(rung.next) {
                self.chunks.fetch_first(list);
            }
            self.lower_to_bottom(&mut list, end, prefetch);
            return;
        }
        // In both other cases what is scheduled later for the rest of this bucket's time comes into the bucket again.
        if let Some(instant) = self.chunks.one_instant(&list) {
            self.lower_to_bottom(&mut list, key(instant) + 1, prefetch);
        } else {
            self.spawn(&mut list, start, end - 1, end);
        }
    }

    /// The entries of `list` become the bottom, which ends at `end`. They are shown to `prefetch` before they are sorted, so
    /// that the misses overlap with the sort too.
    fn lower_to_bottom(&mut self, list: &mut List, end: u64, prefetch: &mut impl FnMut(&[Scheduled<E>])) {
        // Nothing outside the bottom is due before it ends, nor in this list from the new end on.
        self.bottom.refill_between(self.bottom_end, end, |entries| {
            self.chunks.drain_to(list, entries);
            prefetch(entries);
        });
        self.bottom_end = end;
        self.bottom_max = (2 * self.bottom.len()).max(6 * self.per_bucket());
    }

    /// Scatters `list`, whose keys run from `first` to `last`, over a new finest rung that reaches at most to `end`.
    fn spawn(&mut self, list: &mut List, first: u64, last: u64, end: u64) {
        let mut rung = self.new_rung(list.len(), first, last);
        rung.end = end_of(first, rung.buckets.len(), rung.shift).min(end);
        let mut buckets = std::mem::take(&mut rung.buckets);
        self.chunks.scatter(list, &mut buckets, |at| rung.place(key(at)));
        rung.buckets = buckets;
        self.rungs.push(rung);
    }

    /// An empty rung for so many entries from `first` to `last`.
    fn new_rung(&mut self, entries: usize, first: u64, last: u64) -> Rung {
        let wanted = (entries / self.per_bucket()).next_power_of_two().clamp(2, BUCKETS_MAX);
        let range = last - first;
        // The least width at which the wanted buckets cover the range, and then only as many as the range needs.
        let shift = (u64::BITS - range.leading_zeros()).saturating_sub(wanted.trailing_zeros());
        let count = (range >> shift) as usize + 1;
        let mut buckets = self.spare.pop().unwrap_or_default();
        buckets.clear();
        buckets.resize(count, List::EMPTY);
        Rung { start: first, end: last, shift, next: 0, buckets }
    }

    /// The bottom has grown too long: it becomes a rung, or the top if it was all there is.
    #[cold]
    #[inline(never)]
    fn shorten_bottom(&mut self) {
        let Some((first, last)) = self.bottom.bounds() else { return };
        let (first, last) = (key(first), key(last));
        if self.bottom_end == u64::MAX && self.rungs.is_empty() {
            for entry in self.bottom.as_slice() {
                self.chunks.push(&mut self.top, entry.at, entry.event);
            }
            (self.bottom_end, self.latest) = (first, last);
        } else if first == last {
            // One instant: entries are only ever appended, and no rung could part them.
            self.bottom_max *= 2;
            return;
        } else {
            let mut rung = self.new_rung(self.bottom.len(), first, self.bottom_end - 1);
            rung.end = self.bottom_end;
            for entry in self.bottom.as_slice() {
                let place = rung.place(key(entry.at));
                self.chunks.push(&mut rung.buckets[place], entry.at, entry.event);
            }
            self.rungs.push(rung);
            self.bottom_end = first;
        }
        self.bottom.refill(|_| {});
    }
}
