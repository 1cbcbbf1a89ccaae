//! What names in a program mean, and what steps a part takes.

use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::Reason;

/// What a name in a program can mean; the design answers (it knows the parts, `program` does not).
pub trait Scope {
    /// The part named `name` and what steps it takes, if there is one.
    fn part(&self, name: &str) -> Option<(PartId, PartRole)>;
    /// All part names, for "did you mean".
    fn part_names(&self) -> Vec<String>;
    /// The program `name` of `part` and its parameters (`None` for the part: the one part that has it; `Err` lists
    /// all that do).
    fn program(
        &self,
        part: Option<PartId>,
        name: &str,
    ) -> Result<(PartId, ProgramId, Vec<String>), Vec<String>>;
    /// The names of all programs, or of those of `part`, for "did you mean".
    fn program_names(&self, part: Option<PartId>) -> Vec<String>;
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
    /// Whether `db` takes transactions; otherwise why it does not, and what would help.
    fn transacts(&self, _db: PartId) -> Result<(), (String, String)> {
        Ok(())
    }
    /// Whether a store cannot `update`, since it keeps siblings and nobody knows which of them to change.
    fn keeps_siblings(&self, _db: PartId) -> bool {
        false
    }
    /// Whether a cache has a program that makes its values.
    fn is_filled(&self, _cache: PartId) -> bool {
        true
    }
    /// The part that the calls of a load balancer come to in the end, perhaps through others, and what steps it takes.
    fn behind(&self, _balancer: PartId) -> Option<(PartId, PartRole)> {
        None
    }
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
    /// Takes `hold`.
    Locks,
    /// A load balancer in front of a part that `Runs`.
    Balances,
}
