//! What a program is compiled to, and the effects that running it asks for.
//! (Owner: the program work. `Program`, `Effect` and the tables of sites are the contract with the hosts.)

use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::{Args, Reason, Value, When};
use crate::program::interpret::StrandId;
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
    /// Flat code.
    pub code: Vec<Instr>,
    /// What `else` catches, innermost first.
    pub rescues: Vec<Rescue>,
    /// Laws named by `Cpu`, `Wait` and `taking`.
    pub laws: Vec<Dist>,
    /// Where its `call` steps go.
    pub calls: Vec<CallSite>,
}

/// The most names (parameters, assigned names, counters of loops) of a program: a strand carries a register for each.
pub const REGISTERS_MAX: usize = 16;
/// The most loops within each other: a strand carries a counter for each.
pub const LOOPS_MAX: usize = 4;
/// The most repetitions (of `each` and `par each` together) of one activation; beyond, it fails with
/// [`Reason::Arithmetic`]. So every program ends, and no program stops the clock.
pub const ROUNDS_MAX: u32 = 1_000_000;
/// The most branches of one `par each`; beyond, the step fails with [`Reason::Arithmetic`].
pub const BRANCHES_MAX: u32 = 10_000;
/// The most instructions of a program.
pub const CODE_MAX: usize = 16 * 1024;

/// A step with `else`: a failure in its code goes on at `go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rescue {
    /// First instruction of the step.
    pub from: u16,
    /// One past its last.
    pub to: u16,
    /// First instruction of the `else`.
    pub go: u16,
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
    /// Size of the request, bytes. A message weighs nothing unless its step says so.
    pub size_bytes: u32,
}

/// A register: the place of a name.
pub type Register = u8;

/// Which step, and how many loops are around it: what a draw is named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The step's number in the text, from 0.
    pub step: u16,
    /// Loops around it.
    pub depth: u8,
}

/// One instruction. Operands of steps are pushed before them in the order of their comments and popped by them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instr {
    /// Pushes a number.
    Push(i64),
    /// Pushes a register.
    Load(Register),
    /// Pops a number into a register; its version is the newest of the registers in `from` (a bit each).
    Store { to: Register, from: u16 },
    /// -a
    Negate,
    /// 1 for 0, else 0.
    Not,
    /// 0 for 0, else 1.
    Truth,
    /// Pops b and a, pushes a op b.
    Binary(BinaryOp),
    /// The smaller of two.
    Least,
    /// The larger of two.
    Greatest,
    /// Goes to.
    Jump(u16),
    /// Pops; goes to if it was 0.
    JumpIfZero(u16),
    /// Goes to if the top is 0 and keeps it, else pops: `and`.
    KeepIfZero(u16),
    /// Goes to if the top is not 0 and keeps it, else pops: `or`.
    KeepUnlessZero(u16),
    /// times
    Cpu { law: u16, site: Site },
    /// times
    Wait { law: u16, site: Site },
    /// one number per parameter
    Call { call: u16, args: u8, to: Option<Register>, site: Site },
    /// key
    Get { cache: PartId, to: Option<Register>, site: Site },
    /// key
    Put { cache: PartId, site: Site },
    /// key
    Drop { cache: PartId },
    /// key
    Read { db: PartId, table: u16, law: Option<u16>, to: Option<Register>, site: Site },
    /// key, value; its parent is the newest version of the registers in `from`.
    Write { db: PartId, table: u16, from: u16, site: Site },
    /// key, delta, bound
    Update { db: PartId, table: u16, when: When, to: Option<Register>, site: Site },
    /// key, by
    Tally { tally: TallyId },
    /// Fails.
    Fail(Reason),
    /// value; its version is the newest of the registers in `from`.
    Return { size_bytes: u32, from: u16 },
    /// Begins branches: their starts are the `count` jumps that follow; after those the block's end.
    Fork { race: bool, count: u16 },
    /// times: begins as many branches two instructions on; the next instruction leads to the block's end.
    ForkEach { index: Option<Register>, depth: u8 },
    /// The end of a branch.
    End,
    /// times: begins a loop, or goes to `after`.
    Loop { depth: u8, index: Option<Register>, after: u16 },
    /// Once more to `body`, if repetitions are left.
    Again { depth: u8, index: Option<Register>, body: u16 },
}

const _: () = assert!(size_of::<Instr>() <= 16);

/// What a strand needs from its host before it can go on. `site` names the step for draws: mix it with the
/// activation's stem and the iteration (the interpreter has done so: `draw` is the key for [`crate::base::rng::Draws`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// Use a core for a draw of law `law` of this program, times `times`. Answer: `Input::Go`.
    Cpu { law: u16, times: i64, draw: u64 },
    /// Do nothing for a draw of a law, times `times`. Answer: `Input::Go`.
    Wait { law: u16, times: i64, draw: u64 },
    /// Call. `draw` is the callee's stem. Answer: `Input::Value` or `Input::Failed`.
    Call { site: u16, args: Args, draw: u64 },
    /// Get from a cache, under its guard. Answer: `Input::Value` or `Input::Failed`.
    Get { cache: PartId, key: i64, draw: u64 },
    /// Run the cache's fill for the key and put the result. Answer: `Input::Go` or `Input::Failed`.
    Put { cache: PartId, key: i64, draw: u64 },
    /// Remove from a cache. Answer: `Input::Go` or `Input::Failed`.
    Drop { cache: PartId, key: i64 },
    /// Read a db. `law` overrides the db's own read law (`taking`). Answer: `Input::Value` or `Input::Failed`.
    Read { db: PartId, table: u16, key: i64, law: Option<u16>, draw: u64 },
    /// Write a db. Answer: `Input::Value` or `Input::Failed`.
    Write { db: PartId, table: u16, key: i64, n: i64, draw: u64 },
    /// Update a db atomically. Answer: `Input::Value` (the new value) or `Input::Failed`.
    Update { db: PartId, table: u16, key: i64, delta: i64, when: When, bound: i64, draw: u64 },
    /// Count. Answer: `Input::Go` (at once).
    Tally { tally: TallyId, key: i64, by: i64 },
    /// `par` or `race` began: resume each of the `count` strands from `first` with `Input::Go`, in order
    /// ([`crate::program::interpret::Frames::next_branch`] leads from one to the next).
    Fork { first: StrandId, count: u32 },
    /// This strand has ended and waits for its siblings: nothing to do.
    Parked,
    /// The block that this strand belonged to is over: forget what the abandoned strands still wait for
    /// ([`crate::program::interpret::Frames::abandoned`] lists them), then resume `parent` with `Input::Go`.
    Joined { parent: StrandId },
    /// The whole activation has ended (its strand and frame are freed by [`crate::program::interpret::Frames::finish`]).
    Done(Ending),
}

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    /// `return`, or the end of the text (value 0).
    Returned { value: Value, size_bytes: u32 },
    /// `fail`, or a failed step without `else`.
    Failed(Reason),
}

/// What a host resumes a strand with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// Start, or: that is done.
    Go,
    /// The step gave a value.
    Value(Value),
    /// The step failed.
    Failed(Reason),
}

/// Shared by all hosts of a design.
pub type SharedPrograms = Arc<Programs>;
