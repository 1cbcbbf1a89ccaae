//! What travels in the words of events: timers, and messages of protocols.

use std::convert::Infallible;
use std::hash::Hash;

use crate::base::ids::CallId;

/// A value that fits into the 64-bit word of an event.
pub trait Word: Copy {
    /// To the word.
    fn to_word(self) -> u64;
    /// From the word.
    fn from_word(word: u64) -> Self;
}

/// What protocol messages carry. At most 24 bits travel in the event itself; larger payloads lie in the tier's slab.
pub trait Payload: Clone + Hash + Send + 'static {
    /// How many messages a member has sent, for each purpose that they serve: what is drawn for those of one purpose is not moved by
    /// more or fewer of another. `[u32; N]` with N purposes; it lies beside the member, where it costs no look elsewhere.
    type Sent: AsMut<[u32]> + Clone + Default + Send + 'static;
    /// Which purpose this one serves, from 0.
    fn purpose(&self) -> u8 {
        0
    }
    /// The payload as at most 24 bits, if it fits.
    fn inline(&self) -> Option<u32> {
        None
    }
    /// The network has made a second copy of the datagram, and this is it: what is drawn for it must be its own.
    fn doubled(&mut self) {}
    /// The inverse of [`Payload::inline`].
    fn from_inline(_bits: u32) -> Self {
        unreachable!("only payloads that go inline come back inline")
    }
}

impl Word for u64 {
    fn to_word(self) -> u64 {
        self
    }
    fn from_word(word: u64) -> u64 {
        word
    }
}

impl Word for CallId {
    fn to_word(self) -> u64 {
        CallId::to_word(self)
    }
    fn from_word(word: u64) -> CallId {
        CallId::from_word(word)
    }
}

impl Word for () {
    fn to_word(self) -> u64 {
        0
    }
    fn from_word(_: u64) {}
}

/// Of a protocol without messages: parts that only call and answer.
impl Payload for Infallible {
    type Sent = [u32; 0];
}

/// Of a protocol with one message, which says nothing but that it came.
impl Payload for () {
    type Sent = [u32; 1];
    fn inline(&self) -> Option<u32> {
        Some(0)
    }
    fn from_inline(_: u32) {}
}
