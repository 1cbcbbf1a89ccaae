//! What programs count by key: `tally paid[acct] += amt`.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::record::bins::{CurrentBin, reach, reached};

/// What one key was given in one cell.
#[derive(Clone, Copy, Debug)]
struct Given {
    cell: u32,
    place: u32,
    /// In all.
    by: i64,
    /// The most that it had of it at any time, at least 0.
    most: i64,
}

/// A key: its sum, and where it stands in the log.
#[derive(Clone, Copy, Debug)]
struct Key {
    sum: i64,
    last: usize,
}

/// A tally.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Somebody asks for sums by key, of stretches of the run.
    pub(super) keyed: bool,
    /// Sum over all keys.
    pub total: i64,
    /// The largest sum that any key ever had, at least 0.
    pub max: i64,
    place: FxHashMap<i64, u32>, // looked up only: order is that of `keys`
    /// In the order in which they were first counted.
    keys: Vec<Key>,
    /// What keys were given, by cell in order of time: of each cell one entry for a key.
    given: Vec<Given>,
    /// Sum over all keys, by cell.
    cells: Vec<i64>,
}

impl Tally {
    /// Adds `by` to `key`. Sums saturate.
    pub(super) fn add(&mut self, key: i64, by: i64, here: CurrentBin) {
        self.total = self.total.saturating_add(by);
        let cell = reach(&mut self.cells, here.cell);
        *cell = cell.saturating_add(by);
        let keys = &mut self.keys;
        let place = *self.place.entry(key).or_insert_with(|| {
            keys.push(Key { sum: 0, last: usize::MAX });
            keys.len() as u32 - 1
        });
        let key = &mut keys[place as usize];
        key.sum = key.sum.saturating_add(by);
        self.max = self.max.max(key.sum);
        if !self.keyed {
            return;
        }
        let cell = here.cell as u32;
        match self.given.get_mut(key.last).filter(|given| given.cell == cell) {
            Some(given) => {
                given.by = given.by.saturating_add(by);
                given.most = given.most.max(given.by);
            }
            None => {
                key.last = self.given.len();
                self.given.push(Given { cell, place, by, most: by.max(0) });
            }
        }
    }

    /// What each key was given in some cells, of those that were given anything, and the most that any had at any time, at least 0:
    /// counted from the first of the cells.
    pub fn by_key(&self, cells: Range<usize>) -> (Vec<i64>, i64) {
        debug_assert!(self.keyed, "somebody asks");
        let first = self.given.partition_point(|given| (given.cell as usize) < cells.start);
        let last = self.given.partition_point(|given| (given.cell as usize) < cells.end);
        let mut sums: Vec<Option<i64>> = vec![None; self.keys.len()];
        let mut most = 0;
        for given in self.given.get(first..last).unwrap_or(&[]) {
            let sum = sums[given.place as usize].get_or_insert(0);
            most = most.max(sum.saturating_add(given.most));
            *sum = sum.saturating_add(given.by);
        }
        (sums.into_iter().flatten().collect(), most)
    }

    /// Sum over all keys, of some cells.
    pub fn counted(&self, cells: Range<usize>) -> i64 {
        match cells.start == 0 && cells.end >= self.cells.len() {
            true => self.total,
            false => reached(&self.cells, cells).iter().fold(0i64, |sum, by| sum.saturating_add(*by)),
        }
    }

    /// The largest sum that any key had in some cells, counted from the first of them, at least 0.
    pub fn largest(&self, cells: Range<usize>) -> i64 {
        match cells.start == 0 && cells.end >= self.cells.len() {
            true => self.max,
            false => self.by_key(cells).1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Time;

    #[test]
    fn what_keys_are_given_is_known_of_any_stretch() {
        let mut tally = Tally { keyed: true, ..Tally::default() };
        // cell, key, by
        let all = [(0, 7, 5), (0, 8, 1), (1, 7, 2), (1, 7, 4), (1, 7, -3), (3, 8, 2), (3, 9, -1), (5, 7, 1)];
        for (cell, key, by) in all {
            let here = CurrentBin { cell, from: Time::ZERO, until: Time::NEVER };
            tally.add(key, by, here);
        }
        for first in 0..7 {
            for last in first..8 {
                let (mut keys, mut most): (Vec<(i64, i64)>, i64) = (Vec::new(), 0);
                for (_, key, by) in all.iter().filter(|(cell, ..)| (first..last).contains(cell)) {
                    let known = keys.iter().position(|(known, _)| known == key);
                    let place = known.unwrap_or_else(|| {
                        keys.push((*key, 0));
                        keys.len() - 1
                    });
                    keys[place].1 += by;
                    most = most.max(keys[place].1);
                }
                keys.sort_unstable();
                let sums: Vec<i64> = keys.iter().map(|(_, sum)| *sum).collect();
                assert_eq!(tally.by_key(first..last), (sums.clone(), most), "{first}..{last}");
                assert_eq!(tally.largest(first..last), most, "{first}..{last}");
                assert_eq!(tally.counted(first..last), sums.iter().sum::<i64>(), "{first}..{last}");
            }
        }
    }
}
