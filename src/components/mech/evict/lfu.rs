//! LFU in constant time, by a list of frequencies (Shah, Mitra, Matani 2010): each frequency that occurs has a list of
//! its entries, the most recent at the head. The victim is the least recent of the least frequent. An entry is counted
//! from its insertion on; what has left is forgotten.

use crate::components::mech::evict::links::{Ends, Links, NONE};
use crate::components::mech::evict::policy::Evict;

/// Least frequently used.
#[derive(Clone, Debug, Hash, Default)]
pub struct Lfu {
    /// Entries within their frequency.
    entries: Links,
    /// Which frequency (an index into `levels`) each slot is at.
    level_of: Vec<u32>,
    levels: Vec<Level>,
    /// Order of the levels, the least frequency at the head.
    order: Links,
    ends: Ends,
    free: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Hash)]
struct Level {
    frequency: u64,
    entries: Ends,
}

impl Lfu {
    fn new_level(&mut self, frequency: u64) -> u32 {
        let level = Level { frequency, entries: Ends::default() };
        match self.free.pop() {
            Some(place) => {
                self.levels[place as usize] = level;
                place
            }
            None => {
                self.levels.push(level);
                self.levels.len() as u32 - 1
            }
        }
    }

    /// The level with `frequency`, which if it exists is `next`; otherwise it is made before `next`.
    fn level(&mut self, frequency: u64, next: u32) -> u32 {
        if next != NONE && self.levels[next as usize].frequency == frequency {
            return next;
        }
        let level = self.new_level(frequency);
        self.order.insert_before(&mut self.ends, next, level);
        level
    }

    fn enter(&mut self, slot: u32, level: u32) {
        self.entries.push_head(&mut self.levels[level as usize].entries, slot);
        self.level_of[slot as usize] = level;
    }
}

impl Evict for Lfu {
    fn insert(&mut self, slot: u32) {
        if self.level_of.len() <= slot as usize {
            self.level_of.resize(slot as usize + 1, NONE);
        }
        let level = self.level(1, self.ends.head);
        self.enter(slot, level);
    }

    fn hit(&mut self, slot: u32) {
        let now = self.level_of[slot as usize];
        let frequency = self.levels[now as usize].frequency + 1;
        let next = self.level(frequency, self.order.after(now));
        self.remove(slot);
        self.enter(slot, next);
    }

    fn remove(&mut self, slot: u32) {
        let place = self.level_of[slot as usize];
        let level = &mut self.levels[place as usize];
        self.entries.unlink(&mut level.entries, slot);
        if level.entries.head == NONE {
            self.order.unlink(&mut self.ends, place);
            self.free.push(place);
        }
    }

    fn victim(&mut self) -> Option<u32> {
        if self.ends.head == NONE {
            return None;
        }
        let victim = self.levels[self.ends.head as usize].entries.tail;
        self.remove(victim);
        Some(victim)
    }
}
