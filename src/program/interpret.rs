//! Runs compiled programs: `resume` takes a strand to its next effect. Frames and strands live in slabs of the
//! host's member, `Clone + Hash`, no floats, no allocation in steady state.
//!
//! A *frame* is one activation of a program; a *strand* is one line of execution within it (the frame's first, and
//! one per branch of `par` and `race`).
//!
//! 1. A branch starts with a copy of its parent's registers; at the join the registers that it assigned are copied
//!    back: of every branch in text order (`par`, failed ones included), or of the winner (`race`).
//! 2. `par` waits for all its branches, then fails with the first failure in text order. `race` goes on at the first
//!    success and abandons the rest; when all fail, it fails with the first failure in text order.
//! 3. Each strand adds up its time by cause. At a join the parent adds the causes of the branch that ended last
//!    (`par`, or a race that nobody won) or of the winner, so that they sum to the time that has passed.
//! 4. A value that was read carries its version. What is computed from names has the newest version among them (the
//!    largest [`OpId`]). A returned value has that version, or, where none of its names has one, the newest version that
//!    the frame has seen: `read kv.likes[post]` alone returns 0 with the version it read. A written value's parent
//!    ([`Frames::parent_of_write`]) is the newest version among its names only: a blind write has none.
//! 5. A step's draws are named by (the frame's stem, the program's site and the step's number, the repetitions around
//!    it): nothing else that runs can move them.

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{OpId, ProgramId};
use crate::base::op::{Args, Reason, Value};
use crate::base::slab::{Key, Slab};
use crate::base::time::Span;
use crate::program::instr::{
    Effect, Ending, Input, Instr, LOOPS_MAX, Programs, REGISTERS_MAX, ROUNDS_MAX, Register,
};

mod machine;

use machine::{Frame, State, Stop, Strand, advance};

/// A strand of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrandId(pub Key);

/// The frames and strands of one host.
#[derive(Clone, Debug, Default, Hash)]
pub struct Frames {
    frames: Slab<Frame>,
    strands: Slab<Strand>,
    /// Strands that were waiting when they were let go of.
    abandoned: Vec<StrandId>,
    /// Scratch space of expressions: empty between resumes.
    stack: Vec<i64>,
}

impl Frames {
    /// A new activation of `program`; `stem` is what its draws are derived from, `host` is the host's own word for
    /// it (its index of the call, say). Resume the strand with `Input::Go` to start it.
    pub fn begin(
        &mut self,
        programs: &Programs,
        program: ProgramId,
        args: Args,
        stem: u64,
        host: u64,
    ) -> StrandId {
        let taken = programs.0[program.index()].parameters.len();
        let mut registers = [0; REGISTERS_MAX];
        registers[..taken].copy_from_slice(&args[..taken]);
        let nobody = Key { slot: u32::MAX, generation: u32::MAX };
        let frame = self.frames.insert(Frame { program, root: nobody, stem, host, fuel: ROUNDS_MAX });
        let root = self.strands.insert(Strand {
            frame,
            parent: None,
            next: None,
            first: None,
            state: State::Fresh,
            at: 0,
            floor: 0,
            assigned: 0,
            registers,
            versions: [OpId(0); REGISTERS_MAX],
            seen: OpId(0),
            rounds: [0; LOOPS_MAX],
            limits: [0; LOOPS_MAX],
            words: [0; LOOPS_MAX],
            causes: Causes::NONE,
        });
        self.frames.get_mut(frame).expect("just inserted").root = root;
        StrandId(root)
    }

    /// Runs `strand` until it needs its host or ends. A strand that is gone, has ended or waits for its branches
    /// answers [`Effect::Parked`].
    pub fn resume(&mut self, programs: &Programs, strand: StrandId, input: Input) -> Effect {
        let Some(line) = self.strands.get_mut(strand.0) else { return Effect::Parked };
        let frame = self.frames.get(line.frame).expect("a strand has its frame");
        let program = &programs.0[frame.program.index()];
        let failure = match line.state {
            State::Fresh => None,
            State::Joined { failure: Some(reason), .. } => Some(reason),
            State::Joined { then, .. } => {
                line.at = then;
                None
            }
            State::Waiting => match input {
                Input::Failed(reason) => Some(reason),
                Input::Go => {
                    line.deliver(program, None);
                    None
                }
                Input::Value(value) => {
                    line.deliver(program, Some(value));
                    None
                }
            },
            State::Forked { .. } | State::Ended(_) => return Effect::Parked,
        };
        match failure {
            Some(reason) if !line.rescued(program) => self.end(strand.0, Err(reason)),
            _ => self.run(programs, strand.0),
        }
    }

    /// Runs a strand from where it stands.
    fn run(&mut self, programs: &Programs, key: Key) -> Effect {
        loop {
            let strand = self.strands.get_mut(key).expect("a strand that runs");
            let frame = self.frames.get_mut(strand.frame).expect("a strand has its frame");
            let program = &programs.0[frame.program.index()];
            match advance(program, frame, strand, &mut self.stack) {
                Stop::Effect(effect) => {
                    strand.state = State::Waiting;
                    return effect;
                }
                Stop::Fork { count: 0, .. } => strand.at += 1, // no branches: on to the end of the block
                Stop::Fork { race, count, each } => return self.fork(programs, key, race, count, each),
                Stop::Ended(result) => return self.end(key, result),
            }
        }
    }

    fn fork(
        &mut self,
        programs: &Programs,
        key: Key,
        race: bool,
        count: u32,
        each: Option<(Option<Register>, u8)>,
    ) -> Effect {
        let parent = self.strands.get_mut(key).expect("a strand that runs");
        let fork = parent.at;
        let then = if each.is_some() { fork + 1 } else { fork + 1 + count as u16 };
        parent.state = State::Forked { race, then, running: count };
        let mut branch = Strand {
            parent: Some(key),
            state: State::Fresh,
            assigned: 0,
            causes: Causes::NONE,
            ..parent.clone()
        };
        let program = self.frames.get(branch.frame).expect("a strand has its frame").program;
        let code = &programs.0[program.index()].code;
        let mut before: Option<Key> = None;
        for number in 0..count {
            branch.at = match each {
                Some(_) => fork + 2,
                None => match code[(fork + 1) as usize + number as usize] {
                    Instr::Jump(start) => start,
                    _ => unreachable!("the starts of branches follow their fork"),
                },
            };
            branch.floor = branch.at;
            if let Some((index, depth)) = each {
                branch.enter(depth, i64::from(number), index);
            }
            let inserted = self.strands.insert(branch.clone());
            let link = match before {
                Some(before) => &mut self.strands.get_mut(before).expect("just inserted").next,
                None => &mut self.strands.get_mut(key).expect("a strand that runs").first,
            };
            *link = Some(inserted);
            before = Some(inserted);
        }
        let first = self.strands.get(key).and_then(|parent| parent.first).expect("a fork has branches");
        Effect::Fork { first: StrandId(first), count }
    }

    /// A strand has come to its end.
    fn end(&mut self, key: Key, result: Result<(Value, u32), Reason>) -> Effect {
        let strand = self.strands.get_mut(key).expect("a strand that runs");
        strand.state = State::Ended(result.err());
        let Some(parent) = strand.parent else {
            return Effect::Done(match result {
                Ok((value, size_bytes)) => Ending::Returned { value, size_bytes },
                Err(reason) => Ending::Failed(reason),
            });
        };
        let above = self.strands.get_mut(parent).expect("a branch has its parent");
        let State::Forked { race, running, .. } = &mut above.state else {
            unreachable!("a parent waits for its branches")
        };
        *running -= 1;
        let (race, running) = (*race, *running);
        if race && result.is_ok() {
            self.join(parent, key, true)
        } else if running == 0 {
            self.join(parent, key, false)
        } else {
            Effect::Parked
        }
    }

    /// The branches of `parent` are over: `last` has won, or was the last to end.
    fn join(&mut self, parent: Key, last: Key, won: bool) -> Effect {
        let mut above = self.strands.get(parent).expect("a branch has its parent").clone();
        let State::Forked { race, then, .. } = above.state else {
            unreachable!("a parent waits for its branches")
        };
        let first = above.first.take();
        let mut failure = None;
        let mut next = first;
        while let Some(key) = next {
            let branch = self.strands.get(key).expect("branches stay until the join");
            next = branch.next;
            if let State::Ended(Some(reason)) = branch.state {
                failure = failure.or(Some(reason));
            }
            if !race || (won && key == last) {
                above.adopt(branch);
            }
        }
        above.causes.merge(&self.strands.get(last).expect("branches stay until the join").causes);
        above.state = State::Joined { then, failure: failure.filter(|_| !won) };
        *self.strands.get_mut(parent).expect("a branch has its parent") = above;
        self.abandoned.clear();
        self.release(first);
        Effect::Joined { parent: StrandId(parent) }
    }

    /// Frees branches and theirs, oldest first; those that waited for the host are noted. (No deeper than blocks
    /// are nested in the text.)
    fn release(&mut self, first: Option<Key>) {
        let mut next = first;
        while let Some(key) = next {
            let strand = self.strands.remove(key).expect("a listed branch is there");
            if strand.state == State::Waiting {
                self.abandoned.push(StrandId(key));
            }
            self.release(strand.first);
            next = strand.next;
        }
    }

    /// The branch after `strand` in the text of its `par` or `race`: how a host walks the branches of an
    /// [`Effect::Fork`]. Ask before resuming `strand`, which may end the whole block; resuming a strand that was
    /// abandoned meanwhile is harmless and answers [`Effect::Parked`].
    pub fn next_branch(&self, strand: StrandId) -> Option<StrandId> {
        self.strands.get(strand.0).and_then(|strand| strand.next).map(StrandId)
    }

    /// The host's word for the frame of `strand`; `None` once it was abandoned or finished.
    pub fn host(&self, strand: StrandId) -> Option<u64> {
        self.frame(strand).map(|frame| frame.host)
    }

    /// The program that `strand` runs.
    pub fn program(&self, strand: StrandId) -> Option<ProgramId> {
        self.frame(strand).map(|frame| frame.program)
    }

    fn frame(&self, strand: StrandId) -> Option<&Frame> {
        self.strands.get(strand.0).and_then(|strand| self.frames.get(strand.frame))
    }

    /// While `strand` waits in an [`Effect::Write`]: the version that the value was computed from; 0 for a blind
    /// write.
    pub fn parent_of_write(&self, programs: &Programs, strand: StrandId) -> OpId {
        let (Some(line), Some(frame)) = (self.strands.get(strand.0), self.frame(strand)) else {
            return OpId(0);
        };
        match programs.0[frame.program.index()].code.get(line.at as usize) {
            Some(Instr::Write { from, .. }) => line.newest(*from),
            _ => OpId(0),
        }
    }

    /// Adds `span` to one cause of `strand`.
    pub fn spend(&mut self, strand: StrandId, cause: Cause, span: Span) {
        if let Some(strand) = self.strands.get_mut(strand.0) {
            strand.causes.add(cause, span);
        }
    }

    /// Adds time by cause to `strand`.
    pub fn spend_all(&mut self, strand: StrandId, causes: &Causes) {
        if let Some(strand) = self.strands.get_mut(strand.0) {
            strand.causes.merge(causes);
        }
    }

    /// Time by cause of `strand` so far; nothing once it is gone.
    pub fn causes(&self, strand: StrandId) -> Causes {
        self.strands.get(strand.0).map_or(Causes::NONE, |strand| strand.causes)
    }

    /// Strands abandoned by the last `Joined` or `finish`, oldest first; the call empties the list.
    pub fn abandoned(&mut self) -> Vec<StrandId> {
        std::mem::take(&mut self.abandoned)
    }

    /// Frees the frame of `strand` and all its strands (after `Done`, or to cancel it half-way: the strands that
    /// were still waiting are then listed by [`Frames::abandoned`]).
    pub fn finish(&mut self, strand: StrandId) {
        self.abandoned.clear();
        let Some(frame) = self.strands.get(strand.0).map(|strand| strand.frame) else { return };
        let frame = self.frames.remove(frame).expect("a strand has its frame");
        self.release(Some(frame.root));
    }

    /// Activations in being.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Strand {
    /// Takes over what `branch` assigned and saw.
    fn adopt(&mut self, branch: &Strand) {
        for place in 0..REGISTERS_MAX {
            if branch.assigned >> place & 1 == 1 {
                self.registers[place] = branch.registers[place];
                self.versions[place] = branch.versions[place];
            }
        }
        self.assigned |= branch.assigned;
        self.seen = self.seen.max(branch.seen);
    }
}

#[cfg(test)]
mod tests;
