//! Eviction: which entry leaves when a cache is full. One file per policy, and one line each in [`Policy`].
//! A policy knows slots (small numbers that the cache gives to its entries), never keys, values or lifetimes.

pub mod clock;
pub mod fifo;
pub mod lfu;
pub mod links;
pub mod lru;
pub mod policy;
pub mod sieve;
#[cfg(test)]
mod tests;

use crate::components::mech::evict::clock::Clock;
use crate::components::mech::evict::fifo::Fifo;
use crate::components::mech::evict::lfu::Lfu;
use crate::components::mech::evict::lru::Lru;
use crate::components::mech::evict::policy::Evict;
use crate::components::mech::evict::sieve::Sieve;

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
