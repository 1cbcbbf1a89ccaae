//! A generational slab: stable small indices, O(1) insert and remove, no allocation while it does not grow.
//! A key of a removed entry never finds the entry that took its place. [`Beside`] is for what others keep about its entries.

/// Key of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Place.
    pub slot: u32,
    /// Which use of that place.
    pub generation: u32,
}

impl Key {
    /// Both halves in one word, for an event.
    pub const fn to_word(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }

    /// The inverse of [`Key::to_word`].
    pub const fn from_word(word: u64) -> Key {
        Key { slot: word as u32, generation: (word >> 32) as u32 }
    }
}

#[derive(Clone, Debug, Hash)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

/// A slab of `T`.
#[derive(Clone, Debug, Hash)]
pub struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts `value` in and says where.
    ///
    /// # Panics
    /// At 2^32 entries.
    pub fn insert(&mut self, value: T) -> Key {
        if let Some(slot) = self.free.pop() {
            let entry = &mut self.entries[slot as usize];
            entry.value = Some(value);
            return Key { slot, generation: entry.generation };
        }
        let slot = u32::try_from(self.entries.len()).expect("a slab holds fewer than 2^32 entries");
        self.entries.push(Entry { generation: 0, value: Some(value) });
        Key { slot, generation: 0 }
    }

    /// The entry of `key`, if it is still there.
    pub fn get(&self, key: Key) -> Option<&T> {
        let entry = self.entries.get(key.slot as usize)?;
        if entry.generation == key.generation { entry.value.as_ref() } else { None }
    }

    /// The entry of `key`, if it is still there.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let entry = self.entries.get_mut(key.slot as usize)?;
        if entry.generation == key.generation { entry.value.as_mut() } else { None }
    }

    /// Takes the entry of `key` out, if it is still there.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get_mut(key.slot as usize)?;
        if entry.generation != key.generation {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(key.slot);
        Some(value)
    }

    /// Lets go of the entry of `key`, if it is still there, where it lies: cheaper than [`Slab::remove`] for a large one.
    pub fn free(&mut self, key: Key) -> bool {
        let Some(entry) = self.entries.get_mut(key.slot as usize) else { return false };
        if entry.generation != key.generation || entry.value.is_none() {
            return false;
        }
        entry.value = None;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(key.slot);
        true
    }

    /// Entries in use.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// All entries in order of place.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.entries.iter().enumerate().filter_map(|(slot, entry)| {
            let value = entry.value.as_ref()?;
            Some((Key { slot: slot as u32, generation: entry.generation }, value))
        })
    }
}

/// What somebody keeps beside the entries of a slab that is not his own, by their keys: no more than one entry of each place.
#[derive(Clone, Debug, Hash)]
pub struct Beside<T> {
    entries: Vec<Option<(u32, T)>>,
    len: usize,
}

impl<T> Default for Beside<T> {
    fn default() -> Self {
        Beside { entries: Vec::new(), len: 0 }
    }
}

impl<T> Beside<T> {
    /// Keeps `value` for `key`, in place of what was kept for that place.
    pub fn insert(&mut self, key: Key, value: T) {
        let place = key.slot as usize;
        if place >= self.entries.len() {
            self.entries.resize_with(place + 1, || None);
        }
        self.len += usize::from(self.entries[place].is_none());
        self.entries[place] = Some((key.generation, value));
    }

    /// What is kept for `key`.
    pub fn get(&self, key: Key) -> Option<&T> {
        let entry = self.entries.get(key.slot as usize)?.as_ref();
        entry.filter(|(generation, _)| *generation == key.generation).map(|(_, value)| value)
    }

    /// What is kept for `key`.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let entry = self.entries.get_mut(key.slot as usize)?.as_mut();
        entry.filter(|(generation, _)| *generation == key.generation).map(|(_, value)| value)
    }

    /// Lets go of what is kept for `key`, if anything is.
    pub fn free(&mut self, key: Key) -> bool {
        let there = self.get(key).is_some();
        if there {
            self.entries[key.slot as usize] = None;
            self.len -= 1;
        }
        there
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All that is kept, in order of place.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().flatten().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_never_finds_a_new_entry() {
        let mut slab = Slab::default();
        let first = slab.insert("a");
        assert_eq!(slab.remove(first), Some("a"));
        let second = slab.insert("b");
        assert_eq!(first.slot, second.slot);
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&"b")));
        assert_eq!(slab.remove(first), None);
        assert!(!slab.free(first) && slab.free(second) && !slab.free(second));
        assert_eq!(slab.get(second), None);
        assert_eq!(Key::from_word(second.to_word()), second);
    }

    #[test]
    fn what_is_kept_beside_an_entry_is_of_that_entry_alone() {
        let mut slab = Slab::default();
        let (first, other) = (slab.insert("a"), slab.insert("b"));
        let mut beside = Beside::default();
        beside.insert(other, 2);
        beside.insert(first, 1);
        assert_eq!(beside.iter().copied().collect::<Vec<_>>(), [1, 2]);
        slab.free(first);
        let second = slab.insert("c");
        assert_eq!((beside.get(first), beside.get(second)), (Some(&1), None));
        assert_eq!(beside.get_mut(other), Some(&mut 2));
        beside.insert(second, 3);
        assert_eq!((beside.get(first), beside.get(second)), (None, Some(&3)));
        assert!(!beside.free(first) && beside.free(second) && !beside.is_empty());
        assert!(beside.free(other) && !beside.free(other) && beside.is_empty());
    }
}
