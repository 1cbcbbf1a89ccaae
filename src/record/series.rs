//! Counters and levels over time: exact totals for each window, and a thousand buckets for pictures.

use crate::base::time::{Span, Time};

/// A run is cut into at most this many buckets; see [`bucket_width`].
pub const BUCKETS: usize = 1000;

/// Width of the buckets of a run: 1, 2 or 5 times a power of ten nanoseconds, so that axes are round and a second
/// is a whole number of buckets (or a bucket a whole number of seconds, nearly always).
pub fn bucket_width(length: Span) -> Span {
    let least = length.as_ns().div_ceil(BUCKETS as u64).max(1);
    let mut power = 1u64;
    loop {
        for step in [1, 2, 5] {
            let width = power.saturating_mul(step);
            if width >= least {
                return Span::from_ns(width);
            }
        }
        power = power.saturating_mul(10);
    }
}

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
    /// The highest level, by bucket; as long as `bucket_integral`.
    pub bucket_peak: Vec<i64>,
    /// The lowest level ever; below 0 it is somebody's mistake.
    pub lowest: i64,
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
            bucket_peak: Vec::new(),
            lowest: 0,
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

    /// When the level last changed.
    pub(super) fn since(&self) -> Time {
        self.changed
    }

    pub(super) fn change(&mut self, at: Time, change: i64, windows: &[Window], bucket: Span) {
        self.settle(at, windows, bucket);
        self.is_level = true;
        self.level += change;
        self.lowest = self.lowest.min(self.level);
        for (peak, window) in self.peak.iter_mut().zip(windows) {
            if window.contains(at) {
                *peak = (*peak).max(self.level);
            }
        }
        let index = (at.as_ns() / bucket.as_ns()) as usize;
        self.reach(index);
        self.bucket_peak[index] = self.bucket_peak[index].max(self.level);
    }

    /// Brings the integrals up to `at`, and carries the level into the windows and buckets that it lasts into.
    pub(super) fn settle(&mut self, at: Time, windows: &[Window], bucket: Span) {
        if self.level != 0 && at > self.changed {
            for (index, window) in windows.iter().enumerate() {
                let overlap = window.overlap(self.changed, at).as_ns();
                self.integral[index] += i128::from(self.level) * i128::from(overlap);
                if overlap > 0 {
                    self.peak[index] = self.peak[index].max(self.level);
                }
            }
            let mut from = self.changed;
            while from < at {
                let index = from.as_ns() / bucket.as_ns();
                let until = Time::from_ns((index + 1).saturating_mul(bucket.as_ns())).min(at);
                let index = index as usize;
                self.reach(index);
                self.bucket_integral[index] += i128::from(self.level) * i128::from((until - from).as_ns());
                self.bucket_peak[index] = self.bucket_peak[index].max(self.level);
                from = until;
            }
        }
        self.changed = self.changed.max(at);
    }

    fn reach(&mut self, bucket: usize) {
        if self.bucket_integral.len() <= bucket {
            self.bucket_integral.resize(bucket + 1, 0);
            self.bucket_peak.resize(bucket + 1, 0);
        }
    }

    /// Makes a window of `wide` buckets from each of `starts` on.
    pub(super) fn slice(&mut self, starts: &[usize], wide: usize) {
        self.in_window = starts.iter().map(|first| part(&self.buckets, *first, wide).iter().sum()).collect();
        let integrals = &self.bucket_integral;
        self.integral = starts.iter().map(|first| part(integrals, *first, wide).iter().sum()).collect();
        let peak = |first: &usize| part(&self.bucket_peak, *first, wide).iter().copied().max().unwrap_or(0);
        self.peak = starts.iter().map(peak).collect();
    }

    /// Lets window 0 begin at a bucket.
    pub(super) fn cut(&mut self, first: usize) {
        if !self.integral.is_empty() {
            self.in_window[0] = self.buckets.iter().skip(first).sum();
            self.integral[0] = self.bucket_integral.iter().skip(first).sum();
            self.peak[0] = self.bucket_peak.iter().skip(first).copied().max().unwrap_or(0);
        }
    }
}

/// The `wide` buckets from `first` on, or as many of them as there are.
pub(super) fn part<T>(buckets: &[T], first: usize, wide: usize) -> &[T] {
    let until = (first + wide).min(buckets.len());
    buckets.get(first..until).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_round() {
        for (length_s, width_ms) in [(60, 100), (300, 500), (600, 1000), (7, 10), (7200, 10_000)] {
            assert_eq!(bucket_width(Span::from_secs(length_s)), Span::from_ms(width_ms));
        }
    }

    #[test]
    fn a_level_that_lasts_into_a_window_is_its_peak() {
        let windows = [Window { from: Time::from_ns(10), until: Time::from_ns(20) }];
        let mut series = Series::new(1);
        series.change(Time::from_ns(2), 7, &windows, Span::from_ns(5));
        series.change(Time::from_ns(30), -7, &windows, Span::from_ns(5));
        assert_eq!((series.peak[0], series.integral[0]), (7, 70));
        assert_eq!(series.bucket_peak, [7, 7, 7, 7, 7, 7, 0]);
    }
}
