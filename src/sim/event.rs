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
    /// A timer of the node's clock that cannot be cancelled; the word is the timer.
    Timer,
    /// A timer that can; the word is its key.
    CancellableTimer,
    /// A request arrives; the word is the call.
    Call,
    /// An answer arrives; the word is the call.
    Reply,
    /// A call has timed out while its caller stood still; the word is the call.
    TimedOut,
    /// A datagram arrives; the word is sender and payload.
    Message,
    /// A datagram arrives; the word is its key in the tier's slab.
    LargeMessage,
    /// A sync of the disk completed; the word is the sync.
    Synced,
    /// For the kernel: the oldest of a class of equal timeouts is due; the member is the class.
    Deadline,
    /// For the kernel: a connection sends again what a cut held up; the word is its key.
    Retransmit,
    /// Something has taken its true time; the word is the timer.
    Elapsed,
}

impl Kind {
    /// In the order of their numbers.
    const ALL: [Kind; 12] = [
        Kind::Start,
        Kind::Timer,
        Kind::CancellableTimer,
        Kind::Call,
        Kind::Reply,
        Kind::TimedOut,
        Kind::Message,
        Kind::LargeMessage,
        Kind::Synced,
        Kind::Deadline,
        Kind::Retransmit,
        Kind::Elapsed,
    ];
}

/// A pending event: what happens (its kind, and a word whose meaning depends on it), to whom, and for which incarnation
/// of it. Two words, which travel in registers; as five fields they would be stored one by one and loaded as a whole, on
/// which a processor waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// By kind.
    pub word: u64,
    /// Member, incarnation, tier, kind: 32, 16, 8 and 8 bits from the lowest.
    rest: u64,
}

const _: () = assert!(size_of::<Event>() == 16);

impl Event {
    /// Something that happens to `target`, or to the kernel if its tier is [`KERNEL`].
    #[inline]
    pub const fn new(kind: Kind, target: Pid, incarnation: u16, word: u64) -> Self {
        let place = (target.tier.0 as u64) << 48 | target.member as u64;
        Event { word, rest: (kind as u64) << 56 | (incarnation as u64) << 32 | place }
    }

    /// The member that it happens to.
    #[inline]
    pub const fn member(&self) -> u32 {
        self.rest as u32
    }

    /// The incarnation that it is meant for.
    #[inline]
    pub const fn incarnation(&self) -> u16 {
        (self.rest >> 32) as u16
    }

    /// The tier of the member; [`KERNEL`] for the kernel.
    #[inline]
    pub const fn tier(&self) -> u8 {
        (self.rest >> 48) as u8
    }

    /// What happens, as bits: its word, its kind above it.
    #[inline]
    pub const fn what(&self) -> u64 {
        self.word ^ (self.rest & 0xFF << 56)
    }

    /// What happens.
    #[inline]
    pub const fn kind(&self) -> Kind {
        Kind::ALL[(self.rest >> 56) as usize]
    }

    /// The process that it happens to.
    #[inline]
    pub const fn target(&self) -> Pid {
        Pid { tier: TierId(self.tier()), member: self.member() }
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?}({:#x}) at {:?}, incarnation {}",
            self.kind(),
            self.word,
            self.target(),
            self.incarnation()
        )
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

/// Sender and at most 24 bits of payload in one word.
pub(super) const fn pack(from: Pid, bits: u32) -> u64 {
    (bits as u64) << 40 | (from.tier.0 as u64) << 32 | from.member as u64
}

/// The inverse of [`pack`].
pub(super) const fn unpack(word: u64) -> (Pid, u32) {
    (Pid { tier: TierId((word >> 32) as u8), member: word as u32 }, (word >> 40) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_what_it_was_made_of() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            for (tier, member, incarnation) in [(0, 0, 0), (KERNEL, u32::MAX, u16::MAX), (3, 5, 7)] {
                let target = Pid::new(TierId(tier), member);
                let event = Event::new(kind, target, incarnation, 0x0123_4567_89AB_CDEF);
                let kept = (event.kind(), event.target(), event.tier(), event.member(), event.incarnation());
                assert_eq!(kept, (kind, target, tier, member, incarnation));
            }
        }
    }

    #[test]
    fn sender_and_payload_fit_one_word() {
        let from = Pid::new(TierId(254), u32::MAX);
        assert_eq!(unpack(pack(from, 0xFF_FFFF)), (from, 0xFF_FFFF));
    }
}
