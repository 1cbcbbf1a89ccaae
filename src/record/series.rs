//! Counters and levels over time, by cell of the run.

use std::ops::Range;

use crate::base::ids::{Pid, SeriesId};
use crate::base::series::SeriesKind;
use crate::base::time::{Span, Time};
use crate::record::bins::{CurrentBin, TimeBins, reach, reached};

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
}

/// A series of a part, or what one member of it alone has recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesName {
    /// The part's.
    pub id: SeriesId,
    /// Of this member alone.
    pub member: Option<Pid>,
}

impl From<SeriesId> for SeriesName {
    fn from(id: SeriesId) -> Self {
        SeriesName { id, member: None }
    }
}

/// What is recorded of one series.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What it is.
    pub kind: SeriesKind,
    /// Nobody asks for it: the total and the level are kept, not what they were when.
    pub unasked: bool,
    /// Some members' are asked for one by one as well.
    pub(super) by_member: bool,
    /// Events, or nanoseconds, in all.
    pub total: u64,
    /// The level now.
    pub level: i64,
    /// The lowest level ever; below 0 it is somebody's mistake.
    pub lowest: i64,
    /// The sum of the time that this level was 0, if that is recorded.
    pub(super) vacancy: Option<SeriesId>,
    changed: Time,
    /// Events or nanoseconds, by cell.
    counts: Vec<u64>,
    /// By cell: level × time, level·nanoseconds, and the highest level.
    levels: Vec<(i128, i64)>,
}

impl Recorded {
    pub(super) fn new(kind: SeriesKind) -> Self {
        Recorded {
            kind,
            unasked: false,
            by_member: false,
            total: 0,
            level: 0,
            lowest: 0,
            vacancy: None,
            changed: Time::ZERO,
            counts: Vec::new(),
            levels: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn count(&mut self, n: u64, here: CurrentBin) {
        debug_assert!(self.kind != SeriesKind::Level, "a level changes, it does not count");
        self.total += n;
        if self.unasked {
            return;
        }
        *reach(&mut self.counts, here.cell) += n;
    }

    /// Time that passed from one instant until another, nanosecond by nanosecond where it passed.
    pub(super) fn pass(&mut self, from: Time, until: Time, cells: &TimeBins) {
        debug_assert!(self.kind == SeriesKind::Time, "time is recorded as such");
        self.total += (until - from).as_ns();
        if self.unasked {
            return;
        }
        let mut from = from;
        while from < until {
            let end = cells.end(from).min(until);
            *reach(&mut self.counts, cells.of(from)) += (end - from).as_ns();
            from = end;
        }
    }

    /// Events, or nanoseconds, of some cells.
    pub fn counted(&self, cells: Range<usize>) -> u64 {
        debug_assert!(!self.unasked, "somebody asks");
        match cells.start == 0 && cells.end >= self.counts.len() {
            true => self.total,
            false => reached(&self.counts, cells).iter().sum(),
        }
    }

    /// Level × time over some cells, level·nanoseconds.
    pub fn integral(&self, cells: Range<usize>) -> i128 {
        debug_assert!(!self.unasked, "somebody asks");
        reached(&self.levels, cells).iter().map(|(integral, _)| integral).sum()
    }

    /// The highest level in some cells.
    pub fn peak(&self, cells: Range<usize>) -> i64 {
        debug_assert!(!self.unasked, "somebody asks");
        reached(&self.levels, cells).iter().map(|(_, peak)| *peak).max().unwrap_or(0)
    }

    /// When the level last changed.
    pub(super) fn since(&self) -> Time {
        self.changed
    }

    #[inline]
    pub(super) fn change(&mut self, at: Time, change: i64, here: CurrentBin, cells: &TimeBins) {
        debug_assert!(self.kind == SeriesKind::Level, "what is no level does not change");
        self.settle(at, here, cells);
        self.level += change;
        self.lowest = self.lowest.min(self.level);
        if self.unasked {
            return;
        }
        let (_, peak) = reach(&mut self.levels, here.cell);
        *peak = (*peak).max(self.level);
    }

    /// Brings the integrals up to `at`, which is in the cell `here`, and carries the level into the cells that it lasts into.
    #[inline]
    pub(super) fn settle(&mut self, at: Time, here: CurrentBin, cells: &TimeBins) {
        if self.level != 0 && at > self.changed && !self.unasked {
            if self.changed >= here.from {
                self.last(here.cell, at - self.changed);
            } else {
                self.settle_far(at, cells);
            }
        }
        self.changed = self.changed.max(at);
    }

    #[cold]
    fn settle_far(&mut self, at: Time, cells: &TimeBins) {
        let mut from = self.changed;
        while from < at {
            let until = cells.end(from).min(at);
            self.last(cells.of(from), until - from);
            from = until;
        }
    }

    /// The level lasted for so long within a cell.
    #[inline]
    fn last(&mut self, cell: usize, span: Span) {
        let level = self.level;
        let (integral, peak) = reach(&mut self.levels, cell);
        *integral += i128::from(level) * i128::from(span.as_ns());
        *peak = (*peak).max(level);
    }
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
        let windows = [Window { from: Time::from_ns(11), until: Time::from_ns(20) }];
        let cells = TimeBins::new(Span::from_ns(5), &windows);
        let (mut series, mut here) = (Recorded::new(SeriesKind::Level), CurrentBin::default());
        for (at, change) in [(2, 7), (30, -7)] {
            let at = Time::from_ns(at);
            series.change(at, change, here.at(at, &cells), &cells);
        }
        let window = cells.range(windows[0]);
        assert_eq!((series.peak(window.clone()), series.integral(window)), (7, 63));
        let peaks: Vec<i64> = (0..7).map(|bucket| series.peak(cells.buckets(bucket, 1))).collect();
        assert_eq!(peaks, [7, 7, 7, 7, 7, 7, 0]);
    }
}
