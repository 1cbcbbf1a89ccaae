//! What a program is compiled to, and the effects that running it asks for.
//! `Program`, `Effect` and the tables of sites are the contract with the hosts.

use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::ids::OpId;
use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::{Args, At, Failure, Reason, Value, When};
use crate::program::interpret::ids::CoroutineId;
use crate::program::interpret::ids::{HoldId, TxId};
use crate::program::syntax::BinaryOp;

/// All programs of a design.
#[derive(Clone, Debug, Default)]
pub struct Programs(pub Vec<Program>);

/// One program, compiled.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name, `buy`.
    pub name: String,
    /// The part that runs it, `app`.
    pub part: PartId,
    /// Parameters in order of first use; also its first registers.
    pub parameters: Vec<String>,
    /// Hash of (part name, program name): the root of its step sites' draws.
    pub site: u64,
    /// How many registers it has: arguments, variables, the counters of loops.
    pub registers: u8,
    /// Flat code.
    pub code: Vec<Instr>,
    /// Distributions named by `Cpu`, `Wait` and `taking`.
    pub distributions: Vec<Dist>,
    /// Where its `call` steps go.
    pub calls: Vec<CallSite>,
    /// Blocks of `par` and `race`.
    pub forks: Vec<ForkBlock>,
    /// What `else` covers, inner ones first.
    pub handlers: Vec<Handler>,
}

impl Program {
    /// Whether it has transactions on a db.
    pub fn transacts_on(&self, db: PartId) -> bool {
        self.code.iter().any(|instr| matches!(instr, Instr::Begin { db: of, .. } if *of == db))
    }
}

/// A block of `par` or `race`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkBlock {
    /// Whether it goes on at the first success (`race`) or when all have ended (`par`).
    pub first_wins: bool,
    /// Its branches in text order; just one for `par each`.
    pub branches: Vec<Branch>,
    /// For `par each`: the register that counts, when it has a name.
    pub counter: Option<u8>,
    /// Where it goes on.
    pub after: u32,
}

/// A branch: its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Branch {
    /// First instruction.
    pub start: u32,
    /// Just behind its last.
    pub end: u32,
}

/// Where a failure of an instruction in a range goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// First instruction covered.
    pub start: u32,
    /// Just behind the last.
    pub end: u32,
    /// Where it goes on.
    pub target: u32,
    /// How many loops are around it.
    pub depth: u8,
    /// How many locks are held around it, within its branch: those beyond are given back.
    pub held: u8,
}

/// A `call` step: whom, how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// The part called (a load balancer is the way in to its part).
    pub to: PartId,
    /// The program there; `None` for parts without programs (external).
    pub program: Option<ProgramId>,
    /// How the caller deals with trouble.
    pub policy: PolicyId,
    /// Called as if from this zone.
    pub from: Option<ZoneId>,
    /// Size of the request, bytes.
    pub size_bytes: u32,
}

/// One instruction. Those that compute work on a stack of integers, which is empty between steps.
#[allow(missing_docs)] // each field is named in the sentence of its variant
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instr {
    /// Push a constant.
    Push(i64),
    /// Push a register.
    Load(u8),
    /// Pop into a register.
    Store(u8),
    /// Put the value of the last effect into a register.
    Take(u8),
    /// Push the version that the program has seen or written last.
    PushVersion,
    /// −a.
    Negate,
    /// Logical not.
    Not,
    /// Two operands, one result; comparisons give 0 or 1.
    Binary(BinaryOp),
    /// Go on elsewhere.
    Jump(u32),
    /// Pop; go on elsewhere if it is 0.
    JumpIfZero(u32),
    /// Enter a round of a loop, or leave it for `exit` when `counter` has reached `limit`.
    Round { counter: u8, limit: u8, exit: u32 },
    /// Count a round and go back.
    Next { counter: u8, back: u32 },
    /// Pops `times`.
    Cpu { distribution: u16, step: u16 },
    /// Pops `times`.
    Wait { distribution: u16, step: u16 },
    /// Pops the arguments.
    Call { site: u16, step: u16 },
    /// Pops the key.
    Get { cache: PartId, step: u16 },
    /// Pops the key.
    Put { cache: PartId, step: u16 },
    /// Pops version, value and key.
    PutValue { cache: PartId, step: u16 },
    /// Pops the key.
    Drop { cache: PartId, step: u16 },
    /// Pops the key.
    Read { db: PartId, table: u16, distribution: Option<u16>, at: At, for_update: bool, step: u16 },
    /// Pops value and key.
    Write { db: PartId, table: u16, step: u16 },
    /// Pops bound, delta and key.
    Update { db: PartId, table: u16, when: When, step: u16 },
    /// Pops the key.
    Acquire { lock: PartId, step: u16 },
    /// Give the lock back that was taken last.
    Release,
    /// Begin a transaction, which ends at `end` at the latest.
    Begin { db: PartId, policy: PolicyId, end: u32, step: u16 },
    /// Commit it.
    Commit { step: u16 },
    /// Pops amount and key.
    Tally { tally: TallyId },
    /// Begin a block of branches; pops the count for `par each`.
    Fork { block: u16 },
    /// A branch ends well.
    EndBranch,
    /// Fail.
    Fail(Reason),
    /// Pops the value.
    Return { size_bytes: u32 },
}

/// What a coroutine needs from its host before it can go on. `draw` identifies what is asked, for all that is drawn for it: the activation's
/// substream, the step, the iteration, and the attempt of a transaction.
#[allow(missing_docs)] // each field is named in the sentence of its variant
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// Use a core for a draw of distribution `distribution` of this program, times `times`. Answer: `Input::Go`.
    Cpu { distribution: u16, times: i64, draw: u64 },
    /// Do nothing for a draw of a distribution, times `times`. Answer: `Input::Go`.
    Wait { distribution: u16, times: i64, draw: u64 },
    /// Call. `draw` is the callee's substream. Answer: `Input::Value` or `Input::Failed`.
    Call { site: u16, args: Args, draw: u64 },
    /// Get from a cache, under its guard. Answer: `Input::Value` or `Input::Failed`.
    Get { cache: PartId, key: i64, draw: u64 },
    /// Run the cache's fill for the key and put the result. Answer: `Input::Go` or `Input::Failed`.
    Put { cache: PartId, key: i64, draw: u64 },
    /// Put a value into a cache, with its version. Answer: `Input::Go`, whatever the cache says.
    PutValue { cache: PartId, key: i64, n: i64, version: OpId, draw: u64 },
    /// Remove from a cache. Answer: `Input::Go` or `Input::Failed`.
    Drop { cache: PartId, key: i64, draw: u64 },
    /// Read a db. `distribution` overrides the db's own read distribution (`taking`). Answer: `Input::Value` or `Input::Failed`.
    Read { db: PartId, table: u16, key: i64, distribution: Option<u16>, at: At, for_update: bool, draw: u64 },
    /// Write a db. Answer: `Input::Written` or `Input::Failed`.
    Write { db: PartId, table: u16, key: i64, n: i64, parent: OpId, draw: u64 },
    /// Update a db atomically. Answer: `Input::Value` (the new value) or `Input::Failed`.
    Update { db: PartId, table: u16, key: i64, delta: i64, when: When, bound: i64, draw: u64 },
    /// Take a lock. Answer: `Input::Go` once it is held, or `Input::Failed`. Whenever the hold ends, in whatever way, it is given
    /// out by [`crate::program::interpret::Frames::ended`]; after `Input::Failed` it is not.
    Acquire { lock: PartId, key: i64, hold: HoldId, draw: u64 },
    /// Begin a transaction; the coroutine's steps on that db belong to it until it ends. Answer: `Input::Go`, or `Input::Failed` if it has
    /// not begun. However it ends, but for `Input::Go` to a commit and what is said to `Abort`, it is given out by
    /// [`crate::program::interpret::Frames::cut_off`].
    Begin { db: PartId, policy: PolicyId, tx: TxId, draw: u64 },
    /// Commit it. Answer: `Input::Go` once it is committed, or `Input::Failed`.
    Commit { tx: TxId, draw: u64 },
    /// It has come to nothing, for this reason: abort it. Answer: `Input::Again` to run it again, later perhaps, or `Input::Failed`.
    Abort { tx: TxId, failure: Failure },
    /// Count. Answer: `Input::Go` (at once).
    Tally { tally: TallyId, key: i64, by: i64 },
    /// `par` or `race` began: resume each coroutine that [`crate::program::interpret::Frames::spawned`] gives out with
    /// `Input::Go`.
    Forked,
    /// This coroutine has ended and waits for its siblings: nothing to do.
    Parked,
    /// The block that this coroutine belonged to is over: forget what the abandoned coroutines still wait for
    /// ([`crate::program::interpret::Frames::abandoned`] lists them), then resume `parent` with `Input::Go`
    /// (`Input::Failed` when the block failed).
    Joined {
        /// The coroutine that goes on.
        parent: CoroutineId,
        /// Why the block failed, if it did.
        failed: Option<Failure>,
    },
    /// The whole activation has ended (its coroutine and frame are freed by [`crate::program::interpret::Frames::finish`]).
    Done(Ending),
}

/// How an activation ended.
#[allow(missing_docs)] // each field is named in the sentence of its variant
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    /// `return`, or the end of the text (value 0).
    Returned { value: Value, size_bytes: u32 },
    /// `fail`, or a failed step without `else`.
    Failed(Failure),
}

/// What a host resumes a coroutine with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Start, or: that is done.
    Go,
    /// The step gave a value.
    Value(Value),
    /// What was written has this version.
    Written(OpId),
    /// The step failed.
    Failed(Failure),
    /// Run the transaction again that was to be aborted.
    Again,
}

/// Shared by all hosts of a design.
pub type SharedPrograms = Arc<Programs>;
