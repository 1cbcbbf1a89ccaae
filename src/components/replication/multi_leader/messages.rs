//! What members tell each other, what their disks keep, and why they wake up.

use std::collections::VecDeque;

use crate::base::time::ClockTime;
use crate::components::mech::keyed::Keyed;
use crate::components::storage::cell::Cell;
use crate::components::storage::front::Wake;
use crate::components::storage::rows::RowName;
use crate::sim::payload::{Payload, Word};

/// Rows of a copy.
pub(super) type Rows = Keyed<RowName, Cell>;
/// What a write has made of a row.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Change {
    /// The row.
    pub row: RowName,
    /// What is to be merged into it.
    pub cell: Cell,
    /// When it was made, by its writer's wall clock.
    pub at: ClockTime,
    /// Identifies the call that it serves; 0: many, or none.
    pub substream: u64,
}

impl Change {
    /// What identifies the work that it makes.
    pub(super) fn identity(&self) -> Option<u64> {
        (self.substream != 0).then_some(self.substream)
    }
}

/// What members tell each other.
#[derive(Clone, Debug, Hash)]
pub enum Message {
    /// The sender's changes after a number.
    Changes {
        /// The number of the last one before them.
        after: u64,
        /// In order.
        changes: Vec<Change>,
    },
    /// The receiver's disk has the changes of the one whom this tells, up to a number.
    Have {
        /// The number.
        up_to: u64,
    },
    /// All rows, in place of changes that are no longer kept.
    Whole {
        /// The sender's changes up to this number are in them.
        up_to: u64,
        /// The rows.
        rows: Vec<Change>,
    },
}

impl Payload for Message {
    type Sent = [u32; 3];

    fn purpose(&self) -> u8 {
        match self {
            Message::Changes { .. } => 0,
            Message::Have { .. } => 1,
            Message::Whole { .. } => 2,
        }
    }
}

/// What a disk keeps in order.
#[derive(Clone, Debug, Hash)]
pub enum Record {
    /// Our next change.
    Ours(Change),
    /// A change of another member; its number, if it is the last of those that came together.
    Theirs(u32, Option<u64>, Change),
}

/// What a snapshot keeps.
#[derive(Clone, Debug, Hash)]
pub struct Kept {
    pub(super) rows: Rows,
    /// Our changes that somebody has not confirmed, and the number of the last one before them.
    pub(super) log: VecDeque<Change>,
    pub(super) base: u64,
    /// Up to which number we have the changes of each other member.
    pub(super) theirs: Vec<u64>,
}

/// Why a member wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// For its front.
    Front(Wake),
    /// The applier is through with a change.
    Applied,
    /// What this member has not confirmed may have to be sent again.
    Again(u32),
    /// A change may be applied.
    Due,
    /// The sender has its turn.
    Send,
}

/// Words of timers beyond those of the front and of other members.
const DUE: u64 = 1 << 40;
const SEND: u64 = 1 << 41;

impl Word for Timer {
    fn to_word(self) -> u64 {
        match self {
            Timer::Front(wake) => wake.to_word(),
            Timer::Applied => 2,
            Timer::Again(member) => 3 + u64::from(member),
            Timer::Due => DUE,
            Timer::Send => SEND,
        }
    }
    fn from_word(word: u64) -> Self {
        match word {
            2 => Timer::Applied,
            DUE => Timer::Due,
            SEND => Timer::Send,
            3.. => Timer::Again((word - 3) as u32),
            front => Timer::Front(Wake::from_word(front)),
        }
    }
}
