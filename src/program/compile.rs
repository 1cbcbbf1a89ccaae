//! From the text of a program to flat code. (Owner: the program work.)

use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::Reason;
use crate::program::instr::Program;

/// What a name in a program can mean; the design answers (it knows the parts, `program` does not).
pub trait Scope {
    /// The part named `name`, if there is one and it is of a kind that `wanted` step kinds take.
    fn part(&self, name: &str) -> Option<(PartId, PartRole)>;
    /// All part names, for "did you mean".
    fn part_names(&self) -> Vec<String>;
    /// The program `name` of `part` and its parameters (`None` for the part: the one part that has it; `Err` lists all that do).
    fn program(
        &self,
        part: Option<PartId>,
        name: &str,
    ) -> Result<(PartId, ProgramId, Vec<String>), Vec<String>>;
    /// The table `name` of db `part`, added when it is new.
    fn table(&mut self, part: PartId, name: &str) -> u16;
    /// The policy of that name.
    fn policy(&self, name: &str) -> Option<PolicyId>;
    /// The policy that holds where none is named.
    fn default_policy(&self) -> PolicyId;
    /// The zone of that name.
    fn zone(&self, name: &str) -> Option<ZoneId>;
    /// The tally of that name (design-wide), added when it is new.
    fn tally(&mut self, name: &str) -> TallyId;
    /// The reason for `fail name`, added when it is new.
    fn failure(&mut self, name: &str) -> Reason;
}

/// What steps a part takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartRole {
    /// Takes `call part.program(args)`.
    Runs,
    /// Takes `call part` (a dependency that we do not own).
    Replies,
    /// Takes `get`, `put`, `drop`.
    Caches,
    /// Takes `read`, `write`, `update`.
    Stores,
    /// A load balancer in front of a part that `Runs`.
    Balances,
}

/// Placeholder until the program work lands.
pub type Compiled = Program;
