//! SIEVE (Zhang et al., NSDI 2024): a FIFO queue in which a hand moves from the tail to the head. It clears the visited
//! bits that it passes and evicts the first entry without one; survivors keep their place, and the hand stays where it
//! is for the next time. New entries go to the head.

use crate::components::mech::evict::links::{Ends, Links, NONE};
use crate::components::mech::evict::policy::Evict;

/// Lazy promotion, quick demotion.
#[derive(Clone, Debug, Hash)]
pub struct Sieve {
    links: Links,
    /// Newest at the head.
    queue: Ends,
    visited: Vec<bool>,
    /// The entry that the hand looks at next; [`NONE`]: it begins at the tail.
    hand: u32,
}

impl Default for Sieve {
    fn default() -> Self {
        Sieve { links: Links::default(), queue: Ends::default(), visited: Vec::new(), hand: NONE }
    }
}

impl Evict for Sieve {
    fn insert(&mut self, slot: u32) {
        if self.visited.len() <= slot as usize {
            self.visited.resize(slot as usize + 1, false);
        }
        self.visited[slot as usize] = false;
        self.links.push_head(&mut self.queue, slot);
    }

    fn hit(&mut self, slot: u32) {
        self.visited[slot as usize] = true;
    }

    fn remove(&mut self, slot: u32) {
        if self.hand == slot {
            self.hand = self.links.before(slot);
        }
        self.links.unlink(&mut self.queue, slot);
    }

    fn victim(&mut self) -> Option<u32> {
        let start = |hand: u32, queue: Ends| if hand == NONE { queue.tail } else { hand };
        let mut hand = start(self.hand, self.queue);
        if hand == NONE {
            return None;
        }
        while self.visited[hand as usize] {
            self.visited[hand as usize] = false;
            hand = start(self.links.before(hand), self.queue);
        }
        self.hand = hand;
        self.remove(hand);
        Some(hand)
    }
}
