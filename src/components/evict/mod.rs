//! Eviction: which entry leaves when a cache is full. One file per policy, and one line each in [`Policy`].
//! A policy knows slots (small numbers that the cache gives to its entries), never keys, values or lifetimes.

pub mod clock;
pub mod fifo;
pub mod lfu;
pub mod links;
pub mod lru;
pub mod sieve;
#[cfg(test)]
mod tests;

use crate::components::evict::clock::Clock;
use crate::components::evict::fifo::Fifo;
use crate::components::evict::lfu::Lfu;
use crate::components::evict::lru::Lru;
use crate::components::evict::sieve::Sieve;

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

macro_rules! policies {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// The policies that ship.
        #[derive(Clone, Debug, Hash)]
        pub enum Policy {
            $($(#[$doc])* $name($name),)*
        }

        impl Policy {
            /// The words of the parameter `evict`.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// From a word of [`Policy::WORDS`].
            pub fn of(word: &str) -> Option<Policy> {
                match word {
                    $($word => Some(Policy::$name($name::default())),)*
                    _ => None,
                }
            }
        }

        impl Evict for Policy {
            #[inline]
            fn insert(&mut self, slot: u32) {
                match self { $(Policy::$name(policy) => policy.insert(slot)),* }
            }
            #[inline]
            fn hit(&mut self, slot: u32) {
                match self { $(Policy::$name(policy) => policy.hit(slot)),* }
            }
            fn remove(&mut self, slot: u32) {
                match self { $(Policy::$name(policy) => policy.remove(slot)),* }
            }
            fn victim(&mut self) -> Option<u32> {
                match self { $(Policy::$name(policy) => policy.victim()),* }
            }
        }
    };
}

policies! {
    /// Least recently used.
    Lru = "lru",
    /// Oldest.
    Fifo = "fifo",
    /// Second chance.
    Clock = "clock",
    /// Least frequently used.
    Lfu = "lfu",
    /// Lazy promotion, quick demotion.
    Sieve = "sieve",
}
