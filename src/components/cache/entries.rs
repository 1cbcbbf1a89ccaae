//! What a cache holds: entries with lifetimes, within a capacity. Time comes in by argument; who rebuilds is not its
//! business.
//!
//! An expired entry is absent for readers but keeps its room until it is evicted, overwritten or dropped: expiry is
//! lazy, as in memcached.

use crate::base::op::Value;
use crate::base::time::{ClockTime, Span};
use crate::components::mech::evict::Policy;
use crate::components::mech::evict::policy::Evict;
use crate::components::mech::keyed::Keyed;

/// How much fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// Everything.
    Unlimited,
    /// So many entries.
    Entries(u64),
    /// So many bytes.
    Bytes(u64),
}

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheEntry {
    /// Its key.
    pub key: i64,
    /// Its value.
    pub value: Value,
    /// How long it lives from its put, or from its last hit in a cache that slides.
    pub lifetime: Span,
    /// From then on it is absent; [`ClockTime::NEVER`] without a lifetime.
    pub expires: ClockTime,
    /// How long it took to rebuild, µs, as told by who put it; 0 when not told.
    pub rebuild_us: u32,
    /// Its size, bytes; 0 where the capacity is not in bytes.
    pub size_bytes: u64,
    /// A reader was sent to rebuild it; until then no other is (guards that ask just one).
    pub asked_until: ClockTime,
    /// Whether any reader was sent to rebuild it since it was put.
    pub asked: bool,
    /// Whether a reader has found it expired.
    pub found_expired: bool,
}

impl CacheEntry {
    /// An entry that nobody has asked for yet.
    pub fn new(key: i64, value: Value) -> Self {
        CacheEntry {
            key,
            value,
            lifetime: Span::MAX,
            expires: ClockTime::NEVER,
            rebuild_us: 0,
            size_bytes: 0,
            asked_until: ClockTime::ZERO,
            asked: false,
            found_expired: false,
        }
    }

    /// Whether it is alive.
    #[inline]
    pub fn alive(&self, clock: ClockTime) -> bool {
        clock < self.expires
    }
}

/// Entries within a capacity.
#[derive(Clone, Debug, Hash)]
pub struct Entries {
    capacity: Capacity,
    policy: Policy,
    index: Keyed<i64, u32>,
    slots: Vec<CacheEntry>,
    free: Vec<u32>,
    used_bytes: u64,
}

impl Entries {
    /// None yet.
    pub fn new(capacity: Capacity, policy: Policy) -> Self {
        Entries {
            capacity,
            policy,
            index: Keyed::default(),
            slots: Vec::new(),
            free: Vec::new(),
            used_bytes: 0,
        }
    }

    /// The entry of a key, alive or not; it is not counted as used.
    pub fn get_mut(&mut self, key: i64) -> Option<&mut CacheEntry> {
        let slot = *self.index.get(&key)?;
        Some(&mut self.slots[slot as usize])
    }

    /// Tells the policy that a key was asked for and was there.
    pub fn used(&mut self, key: i64) {
        if self.bounded()
            && let Some(slot) = self.index.get(&key)
        {
            self.policy.hit(*slot);
        }
    }

    /// Puts an entry in place of what the key has; how many others had to leave. `None`: it is larger than the cache,
    /// and nothing has changed but that the key's old value is gone.
    ///
    /// Overwriting a live entry is a use of it; overwriting an expired one, or one that must grow beyond the room that
    /// is left, makes a new entry.
    pub fn put(&mut self, entry: CacheEntry, clock: ClockTime) -> Option<u32> {
        if let Capacity::Bytes(bytes) = self.capacity
            && entry.size_bytes > bytes
        {
            self.remove(entry.key);
            return None;
        }
        if let Some(slot) = self.index.get(&entry.key).copied() {
            let old = self.slots[slot as usize];
            let grows = entry.size_bytes.saturating_sub(old.size_bytes);
            if old.alive(clock) && !self.too_full(grows, 0) {
                self.used_bytes = self.used_bytes - old.size_bytes + entry.size_bytes;
                self.slots[slot as usize] = entry;
                self.used(entry.key);
                return Some(0);
            }
            self.remove(entry.key);
        }
        let evicted = self.make_room(entry.size_bytes);
        self.insert(entry);
        Some(evicted)
    }

    /// Takes a key out. True if it was there, alive or not.
    pub fn remove(&mut self, key: i64) -> bool {
        let Some(slot) = self.index.remove(&key) else { return false };
        if self.bounded() {
            self.policy.remove(slot);
        }
        self.release(slot);
        true
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        while let Some(victim) = self.policy.victim() {
            self.index.remove(&self.slots[victim as usize].key);
            self.release(victim);
        }
        self.index.clear();
        self.slots.clear();
        self.free.clear();
        self.used_bytes = 0;
    }

    /// How many entries there are, expired ones included.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn bounded(&self) -> bool {
        self.capacity != Capacity::Unlimited
    }

    /// Whether `more` bytes and `coming` more entries would not fit.
    fn too_full(&self, more: u64, coming: u64) -> bool {
        match self.capacity {
            Capacity::Unlimited => false,
            Capacity::Entries(most) => self.index.len() as u64 + coming > most,
            Capacity::Bytes(most) => self.used_bytes + more > most,
        }
    }

    /// Evicts in a loop, as one large entry may take the room of many small ones.
    fn make_room(&mut self, size_bytes: u64) -> u32 {
        let mut evicted = 0;
        while self.too_full(size_bytes, 1) {
            let Some(victim) = self.policy.victim() else { break };
            self.index.remove(&self.slots[victim as usize].key);
            self.release(victim);
            evicted += 1;
        }
        evicted
    }

    fn insert(&mut self, entry: CacheEntry) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 entries")
            }
        };
        self.index.insert(entry.key, slot);
        self.used_bytes += entry.size_bytes;
        if self.bounded() {
            self.policy.insert(slot);
        }
    }

    fn release(&mut self, slot: u32) {
        self.used_bytes -= self.slots[slot as usize].size_bytes;
        self.free.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: i64, size_bytes: u64) -> CacheEntry {
        CacheEntry { size_bytes, ..CacheEntry::new(key, Value::default()) }
    }

    fn lru(capacity: Capacity) -> Entries {
        Entries::new(capacity, Policy::of("lru").expect("a policy"))
    }

    #[test]
    fn bytes_evict_in_a_loop_and_refuse_what_is_larger_than_the_cache() {
        let mut entries = lru(Capacity::Bytes(10));
        for key in 0..5 {
            assert_eq!(entries.put(entry(key, 2), ClockTime::ZERO), Some(0));
        }
        entries.used(0);
        assert_eq!(entries.put(entry(9, 7), ClockTime::ZERO), Some(4), "1, 2, 3 and 4 leave");
        assert!(entries.get_mut(0).is_some() && entries.get_mut(9).is_some());
        assert_eq!(entries.put(entry(9, 11), ClockTime::ZERO), None);
        assert!(entries.get_mut(9).is_none(), "the old value is gone");
        assert_eq!(entries.used_bytes, 2);
    }

    #[test]
    fn an_entry_that_grows_makes_others_leave_and_not_itself() {
        for word in Policy::WORDS {
            let mut entries = Entries::new(Capacity::Bytes(10), Policy::of(word).expect("a policy"));
            for key in 0..5 {
                entries.put(entry(key, 2), ClockTime::ZERO);
            }
            assert_eq!(entries.put(entry(0, 9), ClockTime::ZERO), Some(4), "{word}");
            assert_eq!((entries.len(), entries.used_bytes), (1, 9));
            assert!(entries.get_mut(0).is_some(), "{word}");
        }
    }

    #[test]
    fn expired_entries_keep_their_room_until_they_are_evicted() {
        let mut entries = lru(Capacity::Entries(2));
        let soon = ClockTime::from_ns(10);
        entries.put(CacheEntry { expires: soon, ..entry(1, 0) }, ClockTime::ZERO);
        entries.put(entry(2, 0), ClockTime::ZERO);
        assert!(!entries.get_mut(1).expect("there").alive(soon));
        assert_eq!(entries.put(entry(3, 0), soon), Some(1));
        assert!(entries.get_mut(1).is_none());
    }

    #[test]
    fn a_cleared_cache_is_as_new() {
        let mut entries = lru(Capacity::Entries(2));
        for round in 0..3 {
            for key in 0..4 {
                entries.put(entry(key, 0), ClockTime::ZERO);
            }
            assert_eq!(entries.len(), 2, "round {round}");
            entries.clear();
            assert!(entries.is_empty());
        }
    }
}
