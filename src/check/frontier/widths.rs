//! How wide a frontier is held, and where it is taken up again if it ends after something was left out.
//!
//! First a little before the end and a little wider, since what was needed is mostly not long gone; then from further back and wider
//! still; and at last from where nothing had been left out.

use super::between::BETWEEN;
use super::rows::{Masks, Rows};
use crate::check::search::Budget;

/// The first width, how much wider each next one is, and from how many events further back it begins.
const FIRST: usize = 16;
const WIDER: usize = 4;
const BACK: usize = 64;
/// A place to begin from is kept every so many events.
const SAVED_EVERY: usize = 64;
/// What a fingerprint of a row and its place among those like it take.
const MET_BYTES: u64 = 64;

/// Where the frontier was before something returned.
pub(super) struct Saved {
    pub event: usize,
    pub open: Vec<u32>,
    pub masks: Masks,
    pub rows: Rows,
    pub over: i128,
    /// Nothing had been left out by then.
    pub is_whole: bool,
}

pub(super) struct Widths {
    widest: usize,
    /// How often it was taken up again because of an end hereabouts, and where the last one was.
    tries: u32,
    end: usize,
    /// From the one where nothing had been left out on.
    saved: Vec<Saved>,
}

impl Widths {
    pub fn new(slot_words: usize, budget: Budget) -> Widths {
        let row_bytes = 8 * (1 + 2 * slot_words as u64);
        // Rows before and after a return, those between with room to grow, and their fingerprints.
        let of_one = 3 * row_bytes + BETWEEN as u64 * (4 * row_bytes + MET_BYTES);
        let widest = usize::try_from(budget.bytes / of_one).unwrap_or(usize::MAX).max(1);
        Widths { widest, tries: 0, end: 0, saved: Vec::new() }
    }

    fn distance(&self) -> usize {
        BACK.saturating_mul(WIDER.saturating_pow(self.tries))
    }

    fn full_width(&self) -> usize {
        FIRST.saturating_mul(WIDER.saturating_pow(self.tries))
    }

    /// How many configurations may be kept at an event.
    pub fn width(&mut self, event: usize) -> usize {
        if self.tries > 0 && event > self.end.saturating_add(self.distance()) {
            self.tries = 0;
        }
        self.full_width().min(self.widest)
    }

    pub fn is_time_to_save(&self, event: usize) -> bool {
        self.saved.last().is_none_or(|last| event >= last.event + SAVED_EVERY)
    }

    pub fn save(&mut self, saved: Saved) {
        if saved.is_whole {
            self.saved.clear();
        }
        self.saved.push(saved);
    }

    /// Where to go on after an end, wider. `None`: it was as wide as it can be from where nothing had been left out.
    pub fn again(&mut self, event: usize) -> Option<Saved> {
        let was_all = self.saved.len() == 1 && self.full_width() >= self.widest;
        if was_all {
            return None;
        }
        self.end = self.end.max(event);
        self.tries += 1;
        let from = event.saturating_sub(self.distance());
        while self.saved.len() > 1 && self.saved.last().is_some_and(|saved| saved.event > from) {
            self.saved.pop();
        }
        self.saved.pop()
    }
}
