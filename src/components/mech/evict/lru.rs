//! LRU: the entry that was not asked for for longest leaves.

use crate::components::mech::evict::links::{Ends, Links, NONE};
use crate::components::mech::evict::policy::Evict;

/// Least recently used.
#[derive(Clone, Debug, Default, Hash)]
pub struct Lru {
    links: Links,
    /// Most recently used at the head.
    queue: Ends,
}

impl Evict for Lru {
    fn insert(&mut self, slot: u32) {
        self.links.push_head(&mut self.queue, slot);
    }

    fn hit(&mut self, slot: u32) {
        if self.queue.head != slot {
            self.links.unlink(&mut self.queue, slot);
            self.links.push_head(&mut self.queue, slot);
        }
    }

    fn remove(&mut self, slot: u32) {
        self.links.unlink(&mut self.queue, slot);
    }

    fn victim(&mut self) -> Option<u32> {
        let victim = self.queue.tail;
        (victim != NONE).then(|| {
            self.links.unlink(&mut self.queue, victim);
            victim
        })
    }
}
