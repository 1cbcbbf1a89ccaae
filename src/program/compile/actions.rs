//! Steps to instructions.

use std::ops::Range;

use crate::base::op::When;
use crate::program::compile::Compiler;
use crate::program::instr::{BRANCHES_MAX, CallSite, Instr, ROUNDS_MAX, Register};
use crate::program::syntax::{Action, BinaryOp, Copy, Expr, Place, Spanned, Steps, Target};

impl Compiler<'_> {
    /// Code of one step.
    pub fn action(&mut self, action: &Action, at: &Range<usize>) {
        match action {
            Action::Cpu { law, times } => {
                self.repeated(times.as_ref());
                let law = self.law(law);
                self.emit(Instr::Cpu { law, site: self.site() });
            }
            Action::Wait { law, times } => {
                self.repeated(times.as_ref());
                let law = self.law(law);
                self.emit(Instr::Wait { law, site: self.site() });
            }
            Action::Assign { to, value } => {
                let from = self.value(value);
                let to = self.assign(to);
                self.emit(Instr::Store { to, from });
            }
            Action::Call { to, target, with, from, size } => {
                self.call(to.as_ref(), target, (with.as_ref(), from.as_ref(), size.as_ref()));
            }
            Action::Send { target } => self.missing(&target.name.at, "`send` needs a queue", "queues"),
            Action::Hold { place, body } => {
                self.missing(&place.part.at, "`hold` needs a lock", "locks");
                self.steps(body);
            }
            Action::Tx { db, body, .. } => {
                self.missing(&db.at, "`tx` needs a db with transactions", "transactions");
                self.steps(body);
            }
            Action::Get { .. }
            | Action::Put { .. }
            | Action::Drop { .. }
            | Action::Read { .. }
            | Action::Write { .. }
            | Action::Update { .. } => self.data(action),
            Action::Tally { name, key, by } => {
                self.value_or(key.as_ref(), 0);
                self.value_or(by.as_ref(), 1);
                let tally = self.scope.tally(&name.value);
                self.emit(Instr::Tally { tally });
            }
            Action::Fail { name } => {
                let reason = self.scope.failure(&name.value);
                self.emit(Instr::Fail(reason));
            }
            Action::Return { value, size } => self.give_back(value.as_ref(), size.as_ref(), at),
            Action::Each { at_once, times, index, body } => {
                self.each(*at_once, times, index.as_ref(), body, at)
            }
            Action::Par { branches } => self.fork(false, branches, at),
            Action::Race { branches } => self.fork(true, branches, at),
            Action::If { condition, then, otherwise } => {
                self.value(condition);
                let unless = self.hole();
                self.steps(then);
                let Some(otherwise) = otherwise else {
                    return self.fill(unless, Instr::JumpIfZero);
                };
                let past = self.hole();
                self.fill(unless, Instr::JumpIfZero);
                self.steps(otherwise);
                self.fill(past, Instr::Jump);
            }
            Action::Block { body } => self.steps(body),
        }
    }

    /// `get`, `put`, `drop`, `read`, `write`, `update`
    fn data(&mut self, action: &Action) {
        match action {
            Action::Get { to, place } => {
                let cache = self.cached(place, "get");
                let to = to.as_ref().map(|to| self.assign(to));
                self.emit(Instr::Get { cache, to, site: self.site() });
            }
            Action::Put { place } => {
                let cache = self.cached(place, "put");
                self.emit(Instr::Put { cache, site: self.site() });
            }
            Action::Drop { place } => {
                let cache = self.cached(place, "drop");
                self.emit(Instr::Drop { cache });
            }
            Action::Read { to, place, copy, locking, taking } => {
                self.one_copy(place, copy.as_ref());
                if let Some(at) = locking {
                    self.missing(at, "`for update` needs a db with transactions", "transactions");
                }
                let (db, table) = self.stored(place, "read");
                let law = taking.as_ref().map(|taking| self.law(taking));
                let to = to.as_ref().map(|to| self.assign(to));
                self.emit(Instr::Read { db, table, law, to, site: self.site() });
            }
            Action::Write { place, value } => {
                let (db, table) = self.stored(place, "write");
                let from = self.value(value);
                self.emit(Instr::Write { db, table, from, site: self.site() });
            }
            Action::Update { to, place, less, by, when } => {
                let (db, table) = self.stored(place, "update");
                self.value(by);
                if *less {
                    self.emit(Instr::Negate);
                }
                self.value_or(when.as_ref().map(|(_, bound)| bound), 0);
                let when = when.as_ref().map_or(When::Always, |(comparison, _)| condition(*comparison));
                let to = to.as_ref().map(|to| self.assign(to));
                self.emit(Instr::Update { db, table, when, to, site: self.site() });
            }
            _ => unreachable!("the caller sorts steps"),
        }
    }

    /// A step whose kind of part is not built yet.
    fn missing(&mut self, at: &Range<usize>, message: &str, kinds: &str) {
        self.wrong(at, message, format!("this version of splitbrain has no {kinds} yet"));
    }

    /// A db has one copy, so there is none to choose.
    fn one_copy(&mut self, place: &Place, copy: Option<&Spanned<Copy>>) {
        if let Some(copy) = copy.filter(|copy| copy.value != Copy::Primary) {
            let message =
                format!("`at {}` needs a db with copies; `{}` has one copy", copy.value, place.part.value);
            self.wrong(&copy.at, message, "leave it out, or write `at primary`");
        }
    }

    /// The register that a step assigns.
    fn assign(&mut self, name: &Spanned<String>) -> Register {
        if self.counting.contains(&name.value) {
            let message = format!("`{}` counts the repetitions and cannot be assigned", name.value);
            self.wrong(&name.at, message, "choose another name");
        }
        self.assigned.insert(name.value.clone());
        self.register(&name.value)
    }

    fn value_or(&mut self, expr: Option<&Spanned<Expr>>, otherwise: i64) {
        match expr {
            Some(expr) => {
                self.value(expr);
            }
            None => self.emit(Instr::Push(otherwise)),
        }
    }

    /// The `* EXPR` of `cpu` and `wait`.
    fn repeated(&mut self, times: Option<&Spanned<Expr>>) {
        self.value_or(times, 1);
    }

    fn call(
        &mut self,
        to: Option<&Spanned<String>>,
        target: &Target,
        (with, from, size): (Option<&Spanned<String>>, Option<&Spanned<String>>, Option<&Spanned<Expr>>),
    ) {
        let policy = with.map_or(Some(self.scope.default_policy()), |with| self.scope.policy(&with.value));
        if let (None, Some(with)) = (policy, with) {
            self.unknown("policy", with, &self.scope.policy_names());
        }
        let zone = from.and_then(|from| self.scope.zone(&from.value));
        if let (None, Some(from)) = (zone, from) {
            self.unknown("zone", from, &self.scope.zone_names());
        }
        let policy = policy.unwrap_or(self.scope.default_policy());
        let how = CallSite {
            to: self.program.part,
            program: None,
            policy,
            from: zone,
            size_bytes: self.size(size),
        };
        let (call, args) = self.target(target, how);
        let to = to.map(|to| self.assign(to));
        self.emit(Instr::Call { call, args, to, site: self.site() });
    }

    fn give_back(&mut self, value: Option<&Spanned<Expr>>, size: Option<&Spanned<Expr>>, at: &Range<usize>) {
        if self.branches > 0 {
            let help = "set a name in the branch and return it after the block";
            self.wrong(at, "`return` cannot stand in a branch of par or race", help);
        }
        let from = match value {
            Some(value) => self.value(value),
            None => {
                self.emit(Instr::Push(0));
                0
            }
        };
        let size_bytes = self.size(size);
        self.emit(Instr::Return { size_bytes, from });
    }

    fn each(
        &mut self,
        at_once: bool,
        times: &Spanned<Expr>,
        index: Option<&Spanned<String>>,
        body: &Steps,
        at: &Range<usize>,
    ) {
        self.times(times, if at_once { BRANCHES_MAX } else { ROUNDS_MAX });
        let depth = self.loops as u8;
        let register = index.map(|index| self.register(&index.value));
        if at_once {
            self.emit(Instr::ForkEach { index: register, depth });
            let past = self.hole();
            self.branches += 1;
            self.looping(at, index, |inner| inner.steps(body));
            self.branches -= 1;
            self.emit(Instr::End);
            return self.fill(past, Instr::Jump);
        }
        let begin = self.hole();
        let first = self.here();
        self.looping(at, index, |inner| inner.steps(body));
        self.emit(Instr::Again { depth, index: register, body: first });
        self.fill(begin, |after| Instr::Loop { depth, index: register, after });
    }

    fn fork(&mut self, race: bool, branches: &Steps, at: &Range<usize>) {
        if race && branches.0.is_empty() {
            self.wrong(at, "a race needs somebody to win it", "each step in `race { … }` is a branch");
        }
        self.emit(Instr::Fork { race, count: branches.0.len() as u16 });
        let starts: Vec<usize> = branches.0.iter().map(|_| self.hole()).collect();
        let past = self.hole();
        self.branches += 1;
        for (start, branch) in starts.into_iter().zip(&branches.0) {
            self.fill(start, Instr::Jump);
            self.step(branch);
            self.emit(Instr::End);
        }
        self.branches -= 1;
        self.fill(past, Instr::Jump);
    }
}

/// The left side of a `when` is the current value.
const fn condition(comparison: BinaryOp) -> When {
    match comparison {
        BinaryOp::AtLeast => When::AtLeast,
        BinaryOp::Above => When::Above,
        BinaryOp::AtMost => When::AtMost,
        BinaryOp::Below => When::Below,
        BinaryOp::Differs => When::Differs,
        _ => When::Equal,
    }
}
