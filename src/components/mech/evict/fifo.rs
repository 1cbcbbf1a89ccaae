//! FIFO: the oldest entry leaves; hits change nothing.

use crate::components::mech::evict::links::{Ends, Links, NONE};
use crate::components::mech::evict::policy::Evict;

/// First in, first out.
#[derive(Clone, Debug, Default, Hash)]
pub struct Fifo {
    links: Links,
    /// Newest at the head.
    queue: Ends,
}

impl Evict for Fifo {
    fn insert(&mut self, slot: u32) {
        self.links.push_head(&mut self.queue, slot);
    }

    fn hit(&mut self, _slot: u32) {}

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
