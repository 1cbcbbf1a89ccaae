//! Runs compiled programs: `resume` takes a coroutine to its next effect. Frames and coroutines live in slabs of the
//! host's member, `Clone + Hash`, no floats, no allocation in steady state; what coroutines compute with stands beside them.
//!
//! A *frame* is one activation of a program; a *coroutine* is one line of execution within it (the frame's first, and
//! one per branch of `par` and `race`). A branch starts with a copy of its parent's registers; at the join the
//! registers that it assigned are copied back in text order. Each coroutine adds up its time by cause; at a join the
//! parent takes over the causes of the branch that ended last (`par`) or first succeeded (`race`).

use crate::program::interpret::frame::{Coroutine, Frame, ROUNDS_MAX};
use crate::program::interpret::ids::{CoroutineId, HoldId, TxId};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{OpId, PartId, ProgramId};
use crate::base::op::{Args, Failure, Value};
use crate::base::rng::mix;
use crate::base::slab::{Key, Slab};
use crate::base::time::Span;
use crate::program::instr::{Branch, Effect, Ending, Input, Instr, Program, Programs};

pub(super) mod frame;
mod holds;
pub mod ids;
mod locals;
mod machine;
mod transactions;

use holds::Holds;
use locals::AllLocals;
pub use machine::binary;
use machine::{Around, Ended, Stop, is_par_each, run};
use transactions::Transactions;

/// The frames and coroutines of one host.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    frames: Slab<Frame>,
    coroutines: Slab<Coroutine>,
    locals: AllLocals,
    holds: Holds,
    transactions: Transactions,
    spawned: VecDeque<CoroutineId>,
    abandoned: Vec<CoroutineId>,
    stack: Vec<i64>,
}

impl Hash for Frames {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Frames { frames, coroutines, locals, holds, transactions, spawned, abandoned, stack } = self;
        (frames, coroutines, holds, transactions, spawned, abandoned, stack).hash(state);
        coroutines.iter().for_each(|(key, coroutine)| locals.of(key).hash_to(coroutine.depth, state));
    }
}

impl Frames {
    /// A new activation of `program`; `substream` is what its draws are derived from, `host` is the host's own word for
    /// it. Resume the coroutine with `Input::Go` to start it.
    pub fn begin(
        &mut self,
        programs: &Programs,
        program: ProgramId,
        args: Args,
        substream: u64,
        host: u64,
    ) -> CoroutineId {
        let code = &programs.0[program.index()];
        let root = Key { slot: u32::MAX, generation: u32::MAX }; // nobody, until it is there
        let frame = self.frames.insert(Frame {
            program,
            substream,
            host,
            version: OpId(0),
            latest: OpId(0),
            rounds_left: ROUNDS_MAX,
            root,
        });
        let branch = Branch { start: 0, end: code.code.len() as u32 };
        let key = self.coroutines.insert(Coroutine {
            frame,
            parent: None,
            next: None,
            first: None,
            branch,
            pc: 0,
            pending: false,
            ended: None,
            children: 0,
            depth: 0,
            hold: None,
            held: 0,
            transaction: None,
            result: 0,
            causes: Causes::NONE,
        });
        self.frames.get_mut(frame).expect("just made").root = key;
        self.locals.begin(key, &args, code.registers);
        CoroutineId(key)
    }

    /// Runs `coroutine` until it needs its host or ends.
    ///
    /// # Panics
    /// When the coroutine is not there any more: the host forgets abandoned ones.
    pub fn resume(&mut self, programs: &Programs, coroutine: CoroutineId, input: Input) -> Effect {
        let key = coroutine.0;
        let current = self.coroutines.get_mut(key).expect("a coroutine that is resumed is there");
        let frame = self.frames.get_mut(current.frame).expect("a coroutine has a frame");
        let program = &programs.0[frame.program.index()];
        let mut failure = None;
        match input {
            Input::Failed(why) => {
                if matches!(program.code[current.pc as usize], Instr::Acquire { .. }) {
                    self.holds.refused(current);
                }
                self.transactions.given_up(current, self.locals.of_mut(key));
                failure = Some(why);
            }
            Input::Again => self.transactions.again(frame, current, self.locals.of_mut(key)),
            Input::Value(value) => {
                current.result = value.n;
                if value.version != OpId(0) {
                    frame.version = value.version;
                    frame.latest = value.version;
                }
                current.pc += 1;
            }
            Input::Written(version) => {
                if version != OpId(0) {
                    frame.latest = version;
                }
                current.pc += 1;
            }
            Input::Go if current.pending => {
                if matches!(program.code[current.pc as usize], Instr::Commit { .. }) {
                    self.transactions.end(current, self.locals.of_mut(key));
                }
                current.pc += 1;
            }
            Input::Go => {}
        }
        current.pending = false;
        let mut stack = std::mem::take(&mut self.stack);
        stack.clear();
        let mut around = Around { holds: &mut self.holds, transactions: &mut self.transactions };
        let locals = self.locals.of_mut(key);
        let stop = run(program, frame, current, locals, &mut around, failure, &mut stack);
        self.stack = stack;
        match stop {
            Stop::Not => unreachable!("a coroutine runs until it stops"),
            Stop::Effect(effect) => effect,
            Stop::Fork { block, count } => self.fork(program, key, block, count),
            Stop::End(ended) => self.end(program, key, ended),
        }
    }

    fn fork(&mut self, program: &Program, parent: Key, block: u16, count: u32) -> Effect {
        let fork = &program.forks[block as usize];
        let mut template = self.coroutines.get(parent).expect("it runs").clone();
        template.parent = Some(parent);
        (template.next, template.first) = (None, None);
        (template.hold, template.held, template.transaction) = (None, 0, None);
        let mut before: Option<Key> = None;
        template.causes = Causes::NONE;
        template.pending = false;
        for index in 0..count {
            let mut child = template.clone();
            child.branch = fork.branches[if fork.branches.len() > 1 { index as usize } else { 0 }];
            child.pc = child.branch.start;
            let depth = template.depth as usize;
            if is_par_each(fork) {
                child.depth += 1;
            }
            let key = self.coroutines.insert(child);
            let locals = self.locals.branch(key, parent);
            if let Some(counter) = fork.counter {
                locals.rounds[depth + 1] = mix(locals.rounds[depth], u64::from(index) + 1);
                locals.registers_mut()[counter as usize] = i64::from(index);
            }
            let link = match before.replace(key) {
                Some(before) => &mut self.coroutines.get_mut(before).expect("just made").next,
                None => &mut self.coroutines.get_mut(parent).expect("it runs").first,
            };
            *link = Some(key);
            self.spawned.push_back(CoroutineId(key));
        }
        self.coroutines.get_mut(parent).expect("it runs").children = count;
        Effect::Forked
    }

    /// A coroutine has ended.
    fn end(&mut self, program: &Program, key: Key, ended: Ended) -> Effect {
        let coroutine = self.coroutines.get_mut(key).expect("it ran");
        self.holds.end(coroutine, 0);
        let Some(parent) = coroutine.parent else {
            return Effect::Done(match ended {
                Ended::Returned { value, size_bytes } => Ending::Returned { value, size_bytes },
                Ended::Well => {
                    let version = self.frames.get(coroutine.frame).expect("it ran").version;
                    Ending::Returned { value: Value { n: 0, version, parent: version }, size_bytes: 0 }
                }
                Ended::Failed(why) => Ending::Failed(why),
            });
        };
        let result = match ended {
            Ended::Failed(why) => Err(why),
            Ended::Well | Ended::Returned { .. } => Ok(()),
        };
        coroutine.ended = Some(result);
        let causes = coroutine.causes;
        let above = self.coroutines.get_mut(parent).expect("a parent waits for its branches");
        above.children -= 1;
        let fork = match program.code[above.pc as usize] {
            Instr::Fork { block } => &program.forks[block as usize],
            other => unreachable!("{other:?} has no branches"),
        };
        let wins = fork.first_wins && result.is_ok();
        if above.children > 0 && !wins {
            return Effect::Parked;
        }
        above.causes.merge(&causes);
        let failed = self.join(parent, if wins { Some(key) } else { None }, fork.first_wins);
        let above = self.coroutines.get_mut(parent).expect("it goes on");
        above.children = 0;
        above.pending = true;
        if failed.is_none() {
            above.pc = fork.after - 1; // resuming steps over it
        }
        Effect::Joined { parent: CoroutineId(parent), failed }
    }

    /// Takes the branches of `parent` away: what they assigned is copied back, those that still ran are abandoned.
    fn join(&mut self, parent: Key, winner: Option<Key>, first_wins: bool) -> Option<Failure> {
        let first = self.coroutines.get_mut(parent).expect("it waits").first.take();
        let mut failed = None;
        let mut next = first;
        while let Some(key) = next {
            let coroutine = self.coroutines.get(key).expect("branches stay until the join");
            next = coroutine.next;
            match coroutine.ended {
                Some(Ok(())) if !first_wins || winner == Some(key) => self.locals.join(parent, key),
                Some(Err(why)) if failed.is_none() => failed = Some(why),
                _ => {}
            }
        }
        self.release(first, None);
        if winner.is_some() { None } else { failed }
    }

    /// Frees coroutines that are siblings, and all below them; those that had not ended are abandoned, `but` one. It
    /// recurses no deeper than blocks are nested in the text.
    fn release(&mut self, first: Option<Key>, but: Option<Key>) {
        let mut next = first;
        while let Some(key) = next {
            let coroutine = self.coroutines.get_mut(key).expect("a linked coroutine is there");
            self.holds.end(coroutine, 0);
            self.transactions.cut_off(coroutine);
            if coroutine.ended.is_none() && but != Some(key) {
                self.abandoned.push(CoroutineId(key));
            }
            let below = coroutine.first;
            next = coroutine.next;
            self.coroutines.free(key);
            self.release(below, but);
        }
    }

    /// The next coroutine of a fork that is to be resumed with `Input::Go`.
    pub fn spawned(&mut self) -> Option<CoroutineId> {
        loop {
            let next = self.spawned.pop_front()?;
            if self.coroutines.get(next.0).is_some() {
                return Some(next);
            }
        }
    }

    /// The next hold that has ended: its lock is to be given back, without waiting for an answer. To be asked for after each
    /// [`Frames::resume`] and [`Frames::finish`].
    pub fn ended(&mut self) -> Option<HoldId> {
        self.holds.ended()
    }

    /// The locks that are held where `coroutine` is, innermost first: its own and those around its branch.
    pub fn holds(&self, coroutine: CoroutineId) -> impl Iterator<Item = HoldId> {
        let coroutines = std::iter::successors(self.coroutines.get(coroutine.0), |coroutine| {
            self.coroutines.get(coroutine.parent?)
        });
        coroutines.flat_map(|coroutine| self.holds.of(coroutine))
    }

    /// The transaction that `coroutine` is in, and its db.
    pub fn transaction(&self, coroutine: CoroutineId) -> Option<(TxId, PartId)> {
        self.transactions.of(self.coroutines.get(coroutine.0)?)
    }

    /// The next transaction whose coroutine is gone: it is to be aborted, without waiting for an answer. To be asked for after each
    /// [`Frames::resume`] and [`Frames::finish`].
    pub fn cut_off(&mut self) -> Option<TxId> {
        self.transactions.next_cut_off()
    }

    /// Transactions that have not ended.
    #[cfg(test)]
    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// Locks that are held or asked for.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.holds.len()
    }

    fn frame(&self, coroutine: CoroutineId) -> Option<&Frame> {
        self.frames.get(self.coroutines.get(coroutine.0)?.frame)
    }

    /// The host's word for the frame of `coroutine`; `None` once it was abandoned or finished.
    pub fn host(&self, coroutine: CoroutineId) -> Option<u64> {
        self.frame(coroutine).map(|frame| frame.host)
    }

    /// The program that `coroutine` runs.
    pub fn program(&self, coroutine: CoroutineId) -> Option<ProgramId> {
        self.frame(coroutine).map(|frame| frame.program)
    }

    /// What tells the coroutines of a frame apart: 0 is its first.
    pub fn branch(&self, coroutine: CoroutineId) -> u32 {
        let coroutine_of = self.coroutines.get(coroutine.0);
        coroutine_of
            .and_then(|coroutine_of| coroutine_of.parent)
            .map_or(0, |_| coroutine.0.slot.saturating_add(1))
    }

    /// Adds `span` to one cause of `coroutine`.
    pub fn spend(&mut self, coroutine: CoroutineId, cause: Cause, span: Span) {
        if let Some(coroutine) = self.coroutines.get_mut(coroutine.0) {
            coroutine.causes.add(cause, span);
        }
    }

    /// Adds time by cause to `coroutine`.
    pub fn spend_all(&mut self, coroutine: CoroutineId, causes: &Causes) {
        if let Some(coroutine) = self.coroutines.get_mut(coroutine.0) {
            coroutine.causes.merge(causes);
        }
    }

    /// Time by cause of `coroutine` so far.
    pub fn causes(&self, coroutine: CoroutineId) -> Causes {
        self.coroutines.get(coroutine.0).map_or(Causes::NONE, |coroutine| coroutine.causes)
    }

    /// The next coroutine that a join or a `finish` abandoned while it still waited for something.
    pub fn abandoned(&mut self) -> Option<CoroutineId> {
        self.abandoned.pop()
    }

    /// Frees the frame of `coroutine` and all its coroutines (after `Done`, or to cancel it half-way: other coroutines that
    /// were still waiting are then given out by [`Frames::abandoned`]).
    pub fn finish(&mut self, coroutine: CoroutineId) {
        let Some(frame) = self.coroutines.get(coroutine.0).map(|coroutine| coroutine.frame) else { return };
        let Some(frame) = self.frames.remove(frame) else { return };
        self.release(Some(frame.root), Some(coroutine.0));
    }

    /// Coroutines in being: activations and their branches.
    pub fn coroutines(&self) -> usize {
        self.coroutines.len()
    }

    /// Activations in being.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
