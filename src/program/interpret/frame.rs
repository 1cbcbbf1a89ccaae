//! What a frame and a coroutine are, and how large they may be.

use crate::base::cause::Causes;
use crate::base::ids::{OpId, ProgramId};
use crate::base::op::Failure;
use crate::base::slab::Key;
use crate::program::instr::Branch;
use std::hash::Hash;

/// Registers of a program: variables, parameters and the counters of loops.
pub const REGISTERS_MAX: usize = 24;

/// Loops within loops.
pub const LOOPS_MAX: usize = 7;

/// Locks held within each other, by one line of execution.
pub const HOLDS_MAX: usize = 7;

/// Branches of one `par each`: beyond this the step fails. A fan-out of ten thousand is a mistake or an attack.
pub const BRANCHES_MAX: i64 = 10_000;

/// Repetitions of `each` and `par each`, all together, in one activation: beyond this the step fails. So every program
/// ends, and none can stop the clock of the run by computing.
pub const ROUNDS_MAX: u32 = 1_000_000;

#[derive(Clone, Debug, Hash)]
pub(super) struct Frame {
    pub(super) program: ProgramId,
    pub(super) substream: u64,
    pub(super) host: u64,
    /// The version of the newest value that the frame has read: what it writes and returns is derived from it.
    pub(super) version: OpId,
    /// The version that it has read or written last.
    pub(super) latest: OpId,
    /// Repetitions that it may still make.
    pub(super) rounds_left: u32,
    /// Its first coroutine; the others hang below it.
    pub(super) root: Key,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Coroutine {
    pub(super) frame: Key,
    pub(super) parent: Option<Key>,
    /// The branch after it in its block.
    pub(super) next: Option<Key>,
    /// The first of its own branches.
    pub(super) first: Option<Key>,
    /// Its branch: the code that it may run.
    pub(super) branch: Branch,
    pub(super) pc: u32,
    /// Whether it waits for the answer to the effect at `pc`.
    pub(super) pending: bool,
    pub(super) ended: Option<Result<(), Failure>>,
    /// Children that have not ended.
    pub(super) children: u32,
    pub(super) depth: u8,
    /// The lock that it took last, of those that it holds or asks for, and how many there are.
    pub(super) hold: Option<Key>,
    pub(super) held: u8,
    /// The transaction that it is in.
    pub(super) transaction: Option<Key>,
    pub(super) result: i64,
    pub(super) causes: Causes,
}
