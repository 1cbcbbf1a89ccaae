//! Configurations that a search has met, as 128 bits each, and the memory that they really take.
//!
//! Of n of them two are confused with a probability below n² / 2^129: 2^-70 for as many as fit into a gibibyte.

use rustc_hash::FxHashSet;

/// A table doubles when it is full, and holds its old self meanwhile. Of so many tables one does so at a time.
const TABLES: usize = 256;
/// A place of a table: 16 bytes, and one that says whether it is taken.
const PLACE_BYTES: u64 = 17;

/// What was met.
#[derive(Debug)]
pub(super) struct Remembered {
    tables: Vec<FxHashSet<u128>>,
    places: u64,
}

impl Default for Remembered {
    fn default() -> Self {
        Remembered { tables: vec![FxHashSet::default(); TABLES], places: 0 }
    }
}

impl Remembered {
    /// Whether it is met for the first time.
    pub fn is_new(&mut self, configuration: u128) -> bool {
        let table = &mut self.tables[(configuration >> 120) as usize];
        let before = places(table);
        let is_new = table.insert(configuration);
        self.places += places(table) - before;
        is_new
    }

    /// The memory of all tables, bytes.
    pub fn bytes(&self) -> u64 {
        self.places * PLACE_BYTES
    }
}

/// The places of a table: a power of two, seven eighths of which can be taken.
fn places(table: &FxHashSet<u128>) -> u64 {
    match table.capacity() {
        0 => 0,
        few @ 1..=3 => few as u64 + 1,
        many => (many as u64 * 8 / 7).next_power_of_two(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::mix;

    #[test]
    fn what_was_met_is_known_and_its_memory_is_what_it_takes() {
        let mut remembered = Remembered::default();
        let wide = |n: u64| u128::from(mix(1, n)) << 64 | u128::from(mix(2, n));
        assert!((0..200_000).all(|n| remembered.is_new(wide(n))));
        assert!((0..200_000).all(|n| !remembered.is_new(wide(n))));
        let bytes = remembered.bytes();
        assert!((200_000 * 17..200_000 * 17 * 3).contains(&bytes), "{bytes}");
    }
}
