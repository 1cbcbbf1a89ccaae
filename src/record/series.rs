//! Counters and levels over time: exact totals for each window, and a thousand buckets for pictures.

use crate::base::time::{Span, Time};

/// How many buckets a run is cut into.
pub const BUCKETS: usize = 1000;

/// A stretch of a run: from, until (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Its start.
    pub from: Time,
    /// Its end, exclusive.
    pub until: Time,
}

impl Window {
    /// Whether an instant is in it.
    pub fn contains(&self, at: Time) -> bool {
        self.from <= at && at < self.until
    }

    /// Its length.
    pub fn span(&self) -> Span {
        self.until.since(self.from)
    }

    /// What it shares with the time from `from` until `until`.
    fn overlap(&self, from: Time, until: Time) -> Span {
        self.until.min(until).since(self.from.max(from))
    }
}

/// A counter and a level under one name; a part uses it as the one or the other.
#[derive(Clone, Debug)]
pub struct Series {
    /// Events in all.
    pub total: u64,
    /// Events, by window.
    pub in_window: Vec<u64>,
    /// Events, by bucket.
    pub buckets: Vec<u64>,
    /// The level now.
    pub level: i64,
    /// The highest level, by window.
    pub peak: Vec<i64>,
    /// Level × time, by window; level·nanoseconds.
    pub integral: Vec<i128>,
    /// Level × time, by bucket.
    pub bucket_integral: Vec<i128>,
    changed: Time,
    /// Whether it was ever used as a level.
    pub is_level: bool,
}

impl Series {
    pub(super) fn new(windows: usize) -> Self {
        Series {
            total: 0,
            in_window: vec![0; windows],
            buckets: Vec::new(),
            level: 0,
            peak: vec![0; windows],
            integral: vec![0; windows],
            bucket_integral: Vec::new(),
            changed: Time::ZERO,
            is_level: false,
        }
    }

    pub(super) fn count(&mut self, at: Time, n: u64, windows: &[Window], bucket: Span) {
        self.total += n;
        for (count, window) in self.in_window.iter_mut().zip(windows) {
            if window.contains(at) {
                *count += n;
            }
        }
        let index = (at.as_ns() / bucket.as_ns()) as usize;
        if self.buckets.len() <= index {
            self.buckets.resize(index + 1, 0);
        }
        self.buckets[index] += n;
    }

    pub(super) fn change(&mut self, at: Time, change: i64, windows: &[Window], bucket: Span) {
        self.settle(at, windows, bucket);
        self.is_level = true;
        self.level += change;
        for (peak, window) in self.peak.iter_mut().zip(windows) {
            if window.contains(at) {
                *peak = (*peak).max(self.level);
            }
        }
    }

    /// Brings the integrals up to `at`.
    pub(super) fn settle(&mut self, at: Time, windows: &[Window], bucket: Span) {
        if self.level != 0 && at > self.changed {
            for (integral, window) in self.integral.iter_mut().zip(windows) {
                *integral += i128::from(self.level) * i128::from(window.overlap(self.changed, at).as_ns());
            }
            let mut from = self.changed;
            while from < at {
                let index = from.as_ns() / bucket.as_ns();
                let until = Time::from_ns((index + 1) * bucket.as_ns()).min(at);
                if self.bucket_integral.len() <= index as usize {
                    self.bucket_integral.resize(index as usize + 1, 0);
                }
                self.bucket_integral[index as usize] +=
                    i128::from(self.level) * i128::from((until - from).as_ns());
                from = until;
            }
        }
        self.changed = at;
    }
}
