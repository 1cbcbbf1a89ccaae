//! Blocks to code: loops, branches, conditions, holds.

use crate::base::ids::PartId;
use crate::program::compile::compiler::Compiler;
use crate::program::compile::scope::PartRole;
use crate::program::instr::{Branch, ForkBlock, Instr};
use crate::program::interpret::frame::{HOLDS_MAX, LOOPS_MAX};
use crate::program::syntax::{Expr, Place, Spanned, Step, Steps};

impl Compiler<'_> {
    pub(super) fn each(
        &mut self,
        step: &Step,
        count: &Spanned<Expr>,
        name: Option<&Spanned<String>>,
        body: &Steps,
    ) {
        self.value(count);
        let limit = self.hidden(&step.at);
        let counter = self.hidden(&step.at);
        self.emit(Instr::Store(limit));
        self.emit(Instr::Push(0));
        self.emit(Instr::Store(counter));
        let back = self.here();
        let round = self.emit(Instr::Round { counter, limit, exit: 0 });
        if let Some(name) = name {
            let named = self.register(&name.value, &name.at);
            self.emit(Instr::Load(counter));
            self.emit(Instr::Store(named));
        }
        self.deeper(step, |compiler| compiler.steps(body));
        self.emit(Instr::Next { counter, back });
        self.program.code[round] = Instr::Round { counter, limit, exit: self.here() };
        self.spare.extend([limit, counter]);
    }

    fn deeper(&mut self, step: &Step, inside: impl FnOnce(&mut Self)) {
        self.depth += 1;
        if self.depth > LOOPS_MAX {
            self.error(
                &step.at,
                format!("more than {LOOPS_MAX} loops within each other"),
                "split the program",
            );
        }
        inside(self);
        self.depth -= 1;
    }

    /// One branch, from its steps.
    fn one_branch(&mut self, inside: impl FnOnce(&mut Self)) -> Branch {
        let start = self.here();
        let held = std::mem::take(&mut self.held); // what is held around a branch is its parent's
        self.branches += 1;
        inside(self);
        self.branches -= 1;
        self.held = held;
        self.emit(Instr::EndBranch);
        Branch { start, end: self.here() }
    }

    pub(super) fn fork(&mut self, step: &Step, steps: &Steps, first_wins: bool) {
        self.no_branches_within(step);
        if steps.is_empty() {
            self.error(&step.at, "this block has no branches", "each step in it is a branch");
        }
        let block = self.program.forks.len() as u16;
        self.program.forks.push(ForkBlock { first_wins, branches: Vec::new(), counter: None, after: 0 });
        self.emit(Instr::Fork { block });
        let branches = steps.iter().map(|step| self.one_branch(|compiler| compiler.step(step))).collect();
        let after = self.here();
        self.program.forks[block as usize] = ForkBlock { first_wins, branches, counter: None, after };
    }

    pub(super) fn par_each(
        &mut self,
        step: &Step,
        count: &Spanned<Expr>,
        name: Option<&Spanned<String>>,
        body: &Steps,
    ) {
        self.no_branches_within(step);
        self.value(count);
        let counter = Some(match name {
            Some(name) => self.register(&name.value, &name.at),
            None => self.hidden(&step.at),
        });
        let block = self.program.forks.len() as u16;
        self.program.forks.push(ForkBlock { first_wins: false, branches: Vec::new(), counter, after: 0 });
        self.emit(Instr::Fork { block });
        let mut branch = Branch { start: 0, end: 0 };
        self.deeper(step, |compiler| branch = compiler.one_branch(|compiler| compiler.steps(body)));
        let after = self.here();
        self.program.forks[block as usize] =
            ForkBlock { first_wins: false, branches: vec![branch], counter, after };
        if name.is_none() {
            self.spare.extend(counter);
        }
    }

    pub(super) fn hold(&mut self, step: &Step, place: &Place, body: &Steps) {
        self.key(place, "hold stock[item] { … }");
        if let Some(extra) = place.path.get(1) {
            self.error(&extra.at.clone(), "a lock has no tables", "write `hold stock[item] { … }`");
        }
        let lock = self.part(&place.path[0], PartRole::Locks, "a lock");
        let site = self.site();
        self.emit(Instr::Acquire { lock: lock.unwrap_or(PartId(0)), step: site });
        self.held += 1;
        if self.held > HOLDS_MAX {
            let message = format!("more than {HOLDS_MAX} locks held within each other");
            self.error(&step.at, message, "split the program");
        }
        self.steps(body);
        self.held -= 1;
        self.emit(Instr::Release);
    }

    pub(super) fn branch(&mut self, condition: &Spanned<Expr>, then: &Steps, or_else: &Steps) {
        self.value(condition);
        let skip = self.emit(Instr::JumpIfZero(0));
        self.steps(then);
        if or_else.is_empty() {
            self.program.code[skip] = Instr::JumpIfZero(self.here());
            return;
        }
        let over = self.emit(Instr::Jump(0));
        self.program.code[skip] = Instr::JumpIfZero(self.here());
        self.steps(or_else);
        self.program.code[over] = Instr::Jump(self.here());
    }
}
