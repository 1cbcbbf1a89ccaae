//! What an eviction policy is to a cache.

/// What a policy does. Every verb takes constant time (amortised, for the hands of CLOCK and SIEVE).
pub trait Evict {
    /// A new entry has got `slot`.
    fn insert(&mut self, slot: u32);
    /// The entry in `slot` was asked for, and was there.
    fn hit(&mut self, slot: u32);
    /// The entry in `slot` leaves for another reason: it was dropped.
    fn remove(&mut self, slot: u32);
    /// The entry that leaves; it is forgotten. `None` when there is none.
    fn victim(&mut self) -> Option<u32>;
}
