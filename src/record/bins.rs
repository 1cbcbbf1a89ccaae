//! How a run is cut: at the edges of its buckets and of its windows. What happens within a cell need not be told apart
//! any further, so whatever is recorded is added to one cell, and a bucket or a window is a range of cells.

use std::ops::Range;

use crate::base::time::{Span, Time};
use crate::record::series::Window;

/// The cells of a run.
#[derive(Clone, Debug, Default)]
pub struct TimeBins {
    bucket: Span,
    /// Edges of windows that are no edges of buckets, in order.
    edges: Vec<Time>,
}

impl TimeBins {
    /// Buckets of this width, cut further at the edges of windows.
    pub fn new(bucket: Span, windows: &[Window]) -> Self {
        let inside = |edge: &Time| !edge.as_ns().is_multiple_of(bucket.as_ns());
        let mut edges: Vec<Time> =
            windows.iter().flat_map(|window| [window.from, window.until]).filter(inside).collect();
        edges.sort_unstable();
        edges.dedup();
        TimeBins { bucket, edges }
    }

    /// Width of a bucket.
    pub fn bucket(&self) -> Span {
        self.bucket
    }

    /// The cell of an instant. Of the edge of a window or a bucket it is the first one after it.
    #[inline]
    pub fn of(&self, at: Time) -> usize {
        let bucket = (at.as_ns() / self.bucket.as_ns()) as usize;
        bucket + self.edges.iter().filter(|edge| **edge <= at).count()
    }

    /// Where the cell of an instant ends.
    pub fn end(&self, at: Time) -> Time {
        let bucket = at.as_ns() / self.bucket.as_ns();
        let end = Time::from_ns((bucket + 1).saturating_mul(self.bucket.as_ns()));
        self.edges.iter().find(|edge| **edge > at).map_or(end, |edge| end.min(*edge))
    }

    /// The cells of a window whose edges are edges of cells.
    pub fn range(&self, window: Window) -> Range<usize> {
        self.of(window.from)..self.of(window.until)
    }

    /// The cells of so many buckets from `first` on.
    pub fn buckets(&self, first: usize, many: usize) -> Range<usize> {
        let edge = |bucket: usize| Time::from_ns((bucket as u64).saturating_mul(self.bucket.as_ns()));
        self.of(edge(first))..self.of(edge(first + many))
    }
}

/// A cell while time goes on: where it is in the order of cells, and up to when.
#[derive(Clone, Copy, Debug, Default)]
pub struct CurrentBin {
    /// The cell.
    pub cell: usize,
    /// Where it begins, or an instant in it before which nobody asks.
    pub from: Time,
    /// Where it ends.
    pub until: Time,
}

impl CurrentBin {
    /// The cell of an instant, found without a division while it is the same as before.
    #[inline]
    pub fn at(&mut self, at: Time, cells: &TimeBins) -> CurrentBin {
        if at < self.from || at >= self.until {
            *self = CurrentBin { cell: cells.of(at), from: at, until: cells.end(at) };
        }
        *self
    }
}

/// As many of the cells of a range as were reached.
pub(super) fn reached<T>(values: &[T], range: Range<usize>) -> &[T] {
    values.get(range.start..range.end.min(values.len())).unwrap_or(&[])
}

/// The value of a cell, which is reached by this.
#[inline]
pub(super) fn reach<T: Clone + Default>(values: &mut Vec<T>, cell: usize) -> &mut T {
    if values.len() <= cell {
        values.resize(cell + 1, T::default());
    }
    &mut values[cell]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ns(ns: u64) -> Time {
        Time::from_ns(ns)
    }

    #[test]
    fn windows_and_buckets_are_ranges_of_cells() {
        let window = |from, until| Window { from: ns(from), until: ns(until) };
        let cells = TimeBins::new(Span::from_ns(10), &[window(0, 100), window(13, 25), window(20, 40)]);
        // 0 10 13 20 25 30 40 …
        let of: Vec<usize> =
            [0, 9, 10, 12, 13, 19, 20, 24, 25, 30, 39, 40].map(|at| cells.of(ns(at))).to_vec();
        assert_eq!(of, [0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6]);
        assert_eq!([0, 10, 13, 20, 25].map(|at| cells.end(ns(at)).as_ns()), [10, 13, 20, 25, 30]);
        assert_eq!([cells.range(window(13, 25)), cells.range(window(20, 40))], [2..4, 3..6]);
        assert_eq!([cells.buckets(1, 1), cells.buckets(0, 4)], [1..3, 0..6]);
        assert_eq!(reached(&[1, 2, 3], 1..9), [2, 3]);
        assert_eq!(reached(&[1, 2, 3], 7..9), [0; 0]);
    }

    #[test]
    fn the_cell_of_now_moves_on_with_time() {
        let cells = TimeBins::new(Span::from_ns(10), &[Window { from: ns(13), until: ns(20) }]);
        let mut here = CurrentBin::default();
        for at in [0, 5, 12, 13, 14, 19, 20, 35, 36, 7] {
            assert_eq!(here.at(ns(at), &cells).cell, cells.of(ns(at)), "at {at}");
        }
    }
}
