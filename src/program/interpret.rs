//! Runs compiled programs: `resume` takes a strand to its next effect. Frames and strands live in slabs of the
//! host's member, `Clone + Hash`, no floats, no allocation in steady state.
//! (Owner: the program work. The signatures are the contract.)
//!
//! A *frame* is one activation of a program; a *strand* is one line of execution within it (the frame's first, and
//! one per branch of `par` and `race`). A branch starts with a copy of its parent's registers; at the join the
//! registers that it assigned are copied back in text order. Each strand adds up its time by cause; at a join the
//! parent takes over the causes of the branch that ended last (`par`) or first succeeded (`race`).

use crate::base::cause::{Cause, Causes};
use crate::base::ids::ProgramId;
use crate::base::op::Args;
use crate::base::slab::{Key, Slab};
use crate::base::time::Span;
use crate::program::instr::{Effect, Input, Programs};

/// A strand of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrandId(pub Key);

/// The frames and strands of one host.
#[derive(Clone, Debug, Default, Hash)]
pub struct Frames {
    placeholder: Slab<u8>,
}

impl Frames {
    /// A new activation of `program`; `stem` is what its draws are derived from, `host` is the host's own word for
    /// it (its index of the call, say). Resume the strand with `Input::Go` to start it.
    pub fn begin(
        &mut self,
        _programs: &Programs,
        _program: ProgramId,
        _args: Args,
        _stem: u64,
        _host: u64,
    ) -> StrandId {
        todo!("program work")
    }

    /// Runs `strand` until it needs its host or ends.
    pub fn resume(&mut self, _programs: &Programs, _strand: StrandId, _input: Input) -> Effect {
        todo!("program work")
    }

    /// The branch after `strand` in the text of its `par` or `race`: how a host walks the branches of an
    /// [`Effect::Fork`]. Ask before resuming `strand`, which may end the whole block; resuming a strand that was
    /// abandoned meanwhile is harmless and answers [`Effect::Parked`].
    pub fn next_branch(&self, _strand: StrandId) -> Option<StrandId> {
        todo!("program work")
    }

    /// The host's word for the frame of `strand`; `None` once it was abandoned or finished.
    pub fn host(&self, _strand: StrandId) -> Option<u64> {
        todo!("program work")
    }

    /// The program that `strand` runs.
    pub fn program(&self, _strand: StrandId) -> Option<ProgramId> {
        todo!("program work")
    }

    /// Adds `span` to one cause of `strand`.
    pub fn spend(&mut self, _strand: StrandId, _cause: Cause, _span: Span) {
        todo!("program work")
    }

    /// Adds time by cause to `strand`.
    pub fn spend_all(&mut self, _strand: StrandId, _causes: &Causes) {
        todo!("program work")
    }

    /// Time by cause of `strand` so far.
    pub fn causes(&self, _strand: StrandId) -> Causes {
        todo!("program work")
    }

    /// Strands abandoned by the last `Joined` or `finish`, oldest first; the call empties the list.
    pub fn abandoned(&mut self) -> Vec<StrandId> {
        todo!("program work")
    }

    /// Frees the frame of `strand` and all its strands (after `Done`, or to cancel it half-way: the strands that
    /// were still waiting are then listed by [`Frames::abandoned`]).
    pub fn finish(&mut self, _strand: StrandId) {
        todo!("program work")
    }

    /// Activations in being.
    pub fn len(&self) -> usize {
        todo!("program work")
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
