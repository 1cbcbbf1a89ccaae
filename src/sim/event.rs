//! What the pending-event set holds: 16 bytes, closed kinds.

use crate::base::ids::{CallId, Pid, TierId};

/// The tier number that stands for the kernel itself.
pub const KERNEL: u8 = u8::MAX;

/// What happens. Closed: the whole of what the world can do to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A restarted process begins.
    Start,
    /// A timer that cannot be cancelled; the word is the timer.
    Timer,
    /// A timer that can; the word is its key.
    Alarm,
    /// A request arrives; the word is the call.
    Call,
    /// An answer arrives; the word is the call.
    Reply,
    /// A call has timed out while its caller stood still; the word is the call.
    TimedOut,
    /// A datagram arrives; the word is sender and payload.
    Message,
    /// A datagram arrives; the word is its key in the tier's slab.
    Parcel,
    /// A sync of the disk completed; the word is the sync.
    Synced,
    /// For the kernel: the oldest of a lane of equal timeouts is due; the member is the lane.
    Deadline,
    /// For the kernel: a connection sends again what a cut held up; the word is its key.
    Retransmit,
}

/// A pending event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// By kind.
    pub word: u64,
    /// The member that it happens to.
    pub member: u32,
    /// The incarnation that it is meant for.
    pub incarnation: u16,
    /// The tier of the member; [`KERNEL`] for the kernel.
    pub tier: u8,
    /// What happens.
    pub kind: Kind,
}

const _: () = assert!(size_of::<Event>() == 16);

impl Event {
    /// The process that it happens to.
    pub const fn target(&self) -> Pid {
        Pid { tier: TierId(self.tier), member: self.member }
    }
}

impl CallId {
    /// As the word of an event.
    pub const fn to_word(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }

    /// The inverse of [`CallId::to_word`].
    pub const fn from_word(word: u64) -> CallId {
        CallId { slot: word as u32, generation: (word >> 32) as u32 }
    }
}
