//! The 128-bit fingerprint of a run: a multiply-fold for each event, xxh3-128 over the state every 2^16 events.
//! Block hashes let `--verify` find the block in which two runs part; a rerun that keeps one block's states names
//! the event.

use crate::base::op::{Outcome, Reason};
use crate::base::rng::mix;
use crate::base::time::Time;

/// Events per block.
pub const BLOCK: u64 = 1 << 16;

/// The state after one event, kept while a block is being watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// When.
    pub at: Time,
    /// Of which kind, at which node: as text.
    pub event: String,
    /// The state after it.
    pub state: [u64; 2],
}

/// The running fingerprint.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    state: [u64; 2],
    events: u64,
    blocks: Vec<u128>,
    watched: Option<u64>,
    seen: Vec<Witnessed>,
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint {
            state: [0x2D35_8DCC_AA6C_78A5, 0x8BB8_4B93_962E_ACC9],
            events: 0,
            blocks: Vec::new(),
            watched: None,
            seen: Vec::new(),
        }
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    wide as u64 ^ (wide >> 64) as u64
}

impl Fingerprint {
    /// Keeps every state of block `block` from now on.
    pub fn watch(&mut self, block: u64) {
        self.watched = Some(block);
    }

    /// Folds one event in. `what` is kind, word and outcome; `node` the hash of the node's name. Whether a block has ended with it.
    #[inline]
    pub fn event(&mut self, at: Time, what: u64, node: u64) -> bool {
        self.state[0] = fold(self.state[0] ^ at.as_ns(), node ^ 0xA076_1D64_78BD_642F);
        self.state[1] = fold(self.state[1] ^ what, self.state[0] ^ 0xE703_7ED1_A0B4_28DB);
        self.events += 1;
        self.events.is_multiple_of(BLOCK)
    }

    /// Keeps the hash of the block that has just ended.
    pub fn end_block(&mut self) {
        self.blocks.push(self.hash());
    }

    /// Whether the event that was just folded in lies in the watched block.
    pub fn watching(&self) -> bool {
        self.watched == Some((self.events - 1) / BLOCK)
    }

    /// Keeps the state after the event that was just folded in.
    pub fn witness(&mut self, at: Time, event: String) {
        self.seen.push(Witnessed { at, event, state: self.state });
    }

    /// Folds in more of the event that was just folded in (an outcome).
    #[inline]
    pub fn more(&mut self, what: u64) {
        self.state[1] = fold(self.state[1] ^ what, 0x8EBC_6AF0_9C88_C6E3);
    }

    fn hash(&self) -> u128 {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.state[0].to_le_bytes());
        bytes[8..16].copy_from_slice(&self.state[1].to_le_bytes());
        bytes[16..].copy_from_slice(&self.events.to_le_bytes());
        xxhash_rust::xxh3::xxh3_128(&bytes)
    }

    /// The fingerprint of everything so far.
    pub fn value(&self) -> u128 {
        self.hash()
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The hash after each whole block.
    pub fn blocks(&self) -> &[u128] {
        &self.blocks
    }

    /// The states of the watched block.
    pub fn seen(&self) -> &[Witnessed] {
        &self.seen
    }
}

/// The first block in which two runs part, if they do.
pub fn first_difference(a: &Fingerprint, b: &Fingerprint) -> Option<u64> {
    if a.value() == b.value() {
        return None;
    }
    let block = a.blocks.iter().zip(&b.blocks).position(|(a, b)| a != b);
    Some(block.unwrap_or_else(|| a.blocks.len().min(b.blocks.len())) as u64)
}

/// An outcome as a word of the fingerprint.
pub(super) fn outcome_word(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Ok(value) => mix(1, value.n as u64 ^ value.version.0.rotate_left(32)),
        Outcome::Renew(value) => mix(2, value.n as u64 ^ value.version.0.rotate_left(32)),
        Outcome::Fail(why) => mix(3, reason_number(why)),
        Outcome::Unknown(why) => mix(4, reason_number(why)),
    }
}

fn reason_number(reason: Reason) -> u64 {
    match reason {
        Reason::Timeout => 1,
        Reason::Reset => 2,
        Reason::Refused => 3,
        Reason::Overloaded => 4,
        Reason::Miss => 5,
        Reason::Leased => 6,
        Reason::Wait => 7,
        Reason::Held => 8,
        Reason::NotHeld => 9,
        Reason::Condition => 10,
        Reason::Arithmetic => 11,
        Reason::Error => 12,
        Reason::NoLeader => 13,
        Reason::Conflict => 14,
        Reason::Deadlock => 15,
        Reason::LockTimeout => 16,
        Reason::Fenced => 17,
        Reason::NoReplica => 18,
        Reason::Pool => 19,
        Reason::Named(n) => 0x100 + u64::from(n),
    }
}
