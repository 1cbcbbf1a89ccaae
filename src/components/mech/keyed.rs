//! A map from keys to small values, for look-up: it can be gone through in order of key alone, so no other order can leak out of it. Unlike the
//! standard map it is `Hash`: the sum of its entries' hashes, which no order changes.

use std::hash::{BuildHasher, Hash, Hasher};

use rustc_hash::{FxBuildHasher, FxHashMap};

/// A map by key.
#[derive(Clone, Debug)]
pub struct Keyed<K, V>(FxHashMap<K, V>);

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Self {
        Keyed(FxHashMap::default())
    }
}

impl<K: Hash + Eq, V> Keyed<K, V> {
    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// The value of a key, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    /// Sets the value of a key; the one before, if there was one.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all keys out.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<K: Hash + Ord, V> Keyed<K, V> {
    /// All entries in order of key: for copying, not for looking up.
    pub fn in_order(&self) -> Vec<(&K, &V)> {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
        entries
    }
}

impl<K: Hash + Eq, V: Hash> Hash for Keyed<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let sum = self.0.iter().fold(0u64, |sum, entry| sum.wrapping_add(FxBuildHasher.hash_one(entry)));
        (self.0.len(), sum).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_insertion_does_not_change_the_hash() {
        let hash = |keys: &[i64]| {
            let mut keyed = Keyed::default();
            for key in keys {
                keyed.insert(*key, key * 3);
            }
            FxBuildHasher.hash_one(&keyed)
        };
        assert_eq!(hash(&[1, 2, 3, 500]), hash(&[500, 3, 1, 2]));
        assert_ne!(hash(&[1, 2, 3]), hash(&[1, 2, 4]));
    }

    #[test]
    fn entries_come_in_order_of_key() {
        let mut keyed = Keyed::default();
        [5, 1, 9, 3].into_iter().for_each(|key| _ = keyed.insert(key, key * 2));
        assert_eq!(keyed.in_order(), [(&1, &2), (&3, &6), (&5, &10), (&9, &18)]);
    }
}
