//! Doubly linked lists over slots, in two vectors: no allocation but for growth, no pointers.

/// No slot.
pub const NONE: u32 = u32::MAX;

/// One list: its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    /// First, or [`NONE`].
    pub head: u32,
    /// Last, or [`NONE`].
    pub tail: u32,
}

impl Default for Ends {
    fn default() -> Self {
        Ends { head: NONE, tail: NONE }
    }
}

#[derive(Clone, Copy, Debug, Hash)]
struct Link {
    before: u32,
    after: u32,
}

/// The links of all slots; a slot is in at most one list.
#[derive(Clone, Debug, Default, Hash)]
pub struct Links(Vec<Link>);

impl Links {
    fn link(&mut self, slot: u32) -> &mut Link {
        if self.0.len() <= slot as usize {
            self.0.resize(slot as usize + 1, Link { before: NONE, after: NONE });
        }
        &mut self.0[slot as usize]
    }

    /// The slot nearer to the head, or [`NONE`].
    pub fn before(&self, slot: u32) -> u32 {
        self.0[slot as usize].before
    }

    /// The slot nearer to the tail, or [`NONE`].
    pub fn after(&self, slot: u32) -> u32 {
        self.0[slot as usize].after
    }

    /// Puts a slot that is in no list before the head.
    pub fn push_head(&mut self, ends: &mut Ends, slot: u32) {
        *self.link(slot) = Link { before: NONE, after: ends.head };
        match ends.head {
            NONE => ends.tail = slot,
            head => self.link(head).before = slot,
        }
        ends.head = slot;
    }

    /// Puts a slot that is in no list before `place`, which is in this one; at the tail for [`NONE`].
    pub fn insert_before(&mut self, ends: &mut Ends, place: u32, slot: u32) {
        let before = if place == NONE { ends.tail } else { self.before(place) };
        *self.link(slot) = Link { before, after: place };
        match before {
            NONE => ends.head = slot,
            before => self.link(before).after = slot,
        }
        match place {
            NONE => ends.tail = slot,
            place => self.link(place).before = slot,
        }
    }

    /// Takes a slot out of the list that it is in.
    pub fn unlink(&mut self, ends: &mut Ends, slot: u32) {
        let Link { before, after } = *self.link(slot);
        match before {
            NONE => ends.head = after,
            before => self.link(before).after = after,
        }
        match after {
            NONE => ends.tail = before,
            after => self.link(after).before = before,
        }
    }
}
