//! What a program is compiled to, and the effects that running it asks for.
//! (Owner: the program work. `Program`, `Effect` and the tables of sites are the contract with the hosts.)

use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::{Args, Reason, Value, When};
use crate::program::interpret::StrandId;

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
    /// Laws named by `Cpu`, `Wait` and `taking`.
    pub laws: Vec<Dist>,
    /// Where its `call` steps go.
    pub calls: Vec<CallSite>,
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

/// One instruction. (Free to change inside `program`.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instr {
    /// Placeholder until the program work lands.
    Nothing,
}

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
    /// `par` or `race` began: resume each of the `count` strands from `first` (see [`crate::program::interpret`]) with `Input::Go`, in order.
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
