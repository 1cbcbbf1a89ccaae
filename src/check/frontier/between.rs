//! What a frontier goes through between two returns.

use rustc_hash::{FxHashMap, FxHashSet};

use super::rows::{COMPARED_MAX, Masks, Rows, fingerprint};

/// For each configuration that may be kept so many are looked at.
pub(super) const BETWEEN: usize = 16;

/// The configurations between two returns.
pub(super) struct Between {
    /// What returns.
    pub number: u32,
    pub slot: u32,
    pub queue: Rows,
    /// By configuration: whether it ends with something that is there for others alone and that nobody has seen yet, so that no write may
    /// follow.
    pub is_unseen: Vec<bool>,
    met: FxHashSet<u128>,
    /// Configurations that agree in what must agree.
    alike: FxHashMap<u64, Vec<u32>>,
    /// So many may be looked at, and so many ways from one of them to a value.
    pub most: usize,
    pub most_sets: usize,
}

impl Between {
    pub fn new(number: u32, slot: u32, slot_words: usize, width: usize, before: usize) -> Between {
        let most = width.saturating_mul(BETWEEN);
        Between {
            number,
            slot,
            queue: Rows::new(slot_words),
            is_unseen: Vec::new(),
            met: FxHashSet::default(),
            alike: FxHashMap::default(),
            most,
            most_sets: most / before.max(1),
        }
    }

    /// Adds a configuration unless another is at least as good.
    pub fn add(&mut self, row: &[u64], is_unseen: bool, masks: &Masks) {
        if !self.met.insert(fingerprint(row, u64::from(is_unseen))) {
            return;
        }
        let alike = self.alike.entry(masks.alike(row)).or_default();
        let better = |other: &u32| {
            let place = *other as usize;
            (is_unseen || !self.is_unseen[place]) && masks.is_as_good(self.queue.get(place), row)
        };
        if !alike.iter().take(COMPARED_MAX).any(better) {
            alike.push(self.queue.len() as u32);
            self.queue.push(row);
            self.is_unseen.push(is_unseen);
        }
    }
}
