//! What programs count by key: `tally paid[acct] += amt`.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::record::cells::{Here, reach, reached};

/// A tally.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Sum over all keys.
    pub total: i64,
    /// The largest sum that any key ever had, at least 0.
    pub max: i64,
    place: FxHashMap<i64, u32>, // looked up only: order is that of `sums`
    sums: Vec<i64>,
    /// Sum over all keys, by cell.
    cells: Vec<i64>,
}

impl Tally {
    /// Adds `by` to `key`. Sums saturate.
    pub(super) fn add(&mut self, key: i64, by: i64, here: Here) {
        self.total = self.total.saturating_add(by);
        let cell = reach(&mut self.cells, here.cell);
        *cell = cell.saturating_add(by);
        let sums = &mut self.sums;
        let place = *self.place.entry(key).or_insert_with(|| {
            sums.push(0);
            sums.len() as u32 - 1
        });
        let sum = &mut sums[place as usize];
        *sum = sum.saturating_add(by);
        self.max = self.max.max(*sum);
    }

    /// The sum of each key, in the order in which keys were first counted.
    pub fn sums(&self) -> &[i64] {
        &self.sums
    }

    /// Sum over all keys, of some cells.
    pub fn counted(&self, cells: Range<usize>) -> i64 {
        reached(&self.cells, cells).iter().fold(0i64, |sum, by| sum.saturating_add(*by))
    }
}
