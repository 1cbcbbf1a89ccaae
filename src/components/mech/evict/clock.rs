//! CLOCK, or second chance (Corbató 1968): entries stand in a circle in order of insertion. A hit sets an entry's
//! reference bit. To evict, the hand goes round: it clears set bits as it passes and takes the first entry whose bit is
//! clear. A new entry stands just behind the hand, where the victim stood, so that the hand reaches it last; its bit
//! is clear.

use crate::components::mech::evict::links::{Ends, Links, NONE};
use crate::components::mech::evict::policy::Evict;

/// Second chance.
#[derive(Clone, Debug, Hash)]
pub struct Clock {
    links: Links,
    /// The cycle, opened somewhere.
    cycle: Ends,
    referenced: Vec<bool>,
    /// The entry that the hand looks at next.
    hand: u32,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { links: Links::default(), cycle: Ends::default(), referenced: Vec::new(), hand: NONE }
    }
}

impl Clock {
    fn next(&self, slot: u32) -> u32 {
        match self.links.after(slot) {
            NONE => self.cycle.head,
            after => after,
        }
    }
}

impl Evict for Clock {
    fn insert(&mut self, slot: u32) {
        if self.referenced.len() <= slot as usize {
            self.referenced.resize(slot as usize + 1, false);
        }
        self.referenced[slot as usize] = false;
        self.links.insert_before(&mut self.cycle, self.hand, slot);
        if self.hand == NONE {
            self.hand = slot;
        }
    }

    fn hit(&mut self, slot: u32) {
        self.referenced[slot as usize] = true;
    }

    fn remove(&mut self, slot: u32) {
        if self.hand == slot {
            let next = self.next(slot);
            self.hand = if next == slot { NONE } else { next };
        }
        self.links.unlink(&mut self.cycle, slot);
    }

    fn victim(&mut self) -> Option<u32> {
        if self.hand == NONE {
            return None;
        }
        while self.referenced[self.hand as usize] {
            self.referenced[self.hand as usize] = false;
            self.hand = self.next(self.hand);
        }
        let victim = self.hand;
        self.remove(victim);
        Some(victim)
    }
}
