//! The state of the compiler of one program.

use crate::base::ids::PartId;
use crate::program::compile::scope::Scope;
use crate::program::distribution::Files;
use crate::program::instr::Program;
use crate::program::syntax::SyntaxError;
use std::collections::BTreeSet;

pub(super) struct Compiler<'a> {
    pub(super) scope: &'a mut dyn Scope,
    pub(super) files: Files<'a>,
    pub(super) program: Program,
    /// Names of registers; hidden ones have none.
    pub(super) registers: Vec<String>,
    /// Hidden registers of loops that have ended, for the next loop.
    pub(super) spare: Vec<u8>,
    /// Variables that are put into caches, whose versions are kept beside them.
    pub(super) put: BTreeSet<String>,
    /// The next step's number in the text: the site of its draws.
    pub(super) step: u16,
    pub(super) depth: usize,
    /// How many `hold` blocks are around us, within the innermost branch.
    pub(super) held: usize,
    /// The db of the transaction around us.
    pub(super) within: Option<PartId>,
    /// How many branches are around us.
    pub(super) branches: usize,
    pub(super) errors: Vec<SyntaxError>,
}
