//! What programs count by key: `tally paid[acct] += amt`.

use rustc_hash::FxHashMap;

/// A tally.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Sum over all keys.
    pub total: i64,
    /// Sum over all keys, by window.
    pub in_window: Vec<i64>,
    /// Sum over all keys, by bucket of time.
    pub buckets: Vec<i64>,
    /// The largest sum that any key ever had, at least 0.
    pub max: i64,
    place: FxHashMap<i64, u32>, // looked up only: order is that of `sums`
    sums: Vec<i64>,
}

impl Tally {
    pub(super) fn new(windows: usize) -> Tally {
        Tally { in_window: vec![0; windows], ..Tally::default() }
    }

    /// Adds `by` to `key`. Sums saturate.
    pub(super) fn add(&mut self, key: i64, by: i64, bucket: usize, inside: impl Iterator<Item = usize>) {
        self.total = self.total.saturating_add(by);
        for window in inside {
            self.in_window[window] = self.in_window[window].saturating_add(by);
        }
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] = self.buckets[bucket].saturating_add(by);
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

    /// Lets window 0 begin at a bucket.
    pub(super) fn cut(&mut self, first: usize) {
        if let Some(sum) = self.in_window.first_mut() {
            *sum = self.buckets.iter().skip(first).fold(0, |sum, by| sum.saturating_add(*by));
        }
    }
}
