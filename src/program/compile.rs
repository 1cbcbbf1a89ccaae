//! From the tree of a program to flat code. All mistakes of a program are told at once.

use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::{ARGS_MAX, Reason, When};
use crate::base::problem::nearest;
use crate::base::quantity::Unit;
use crate::program::instr::{Branch, CallSite, ForkBlock, Handler, Instr, Program};
use crate::program::interpret::{LOOPS_MAX, REGISTERS_MAX};
use crate::program::law::{Files, law_of_spans};
use crate::program::syntax::{
    Arg, ArgKey, BinaryOp, Does, Expr, Place, Spanned, Step, Steps, SyntaxError, UnaryOp,
};

/// Instructions of one program: sixteen thousand bytes of text make fewer.
pub const CODE_MAX: usize = 10_000;
/// Size of a request or an answer that says nothing of its size, bytes: a small JSON document.
pub const MESSAGE_BYTES: u32 = 512;

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
    /// The part behind a load balancer.
    fn behind(&self, _balancer: PartId) -> Option<PartId> {
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
    /// A load balancer in front of a part that `Runs`.
    Balances,
}

/// The parameters of a program: names that it uses before it assigns them, in order of first use.
pub fn parameters(steps: &Steps) -> Vec<String> {
    let mut names = Names { assigned: Vec::new(), parameters: Vec::new() };
    names.steps(steps);
    names.parameters
}

/// Which programs a program calls.
pub fn calls_of(program: &Program) -> Vec<ProgramId> {
    program.calls.iter().filter_map(|site| site.program).collect()
}

/// Walks a program in text order for its names.
struct Names {
    assigned: Vec<String>,
    parameters: Vec<String>,
}

impl Names {
    fn uses(&mut self, expr: &Spanned<Expr>) {
        match &expr.value {
            Expr::Name(name) if !self.assigned.contains(name) && !self.parameters.contains(name) => {
                self.parameters.push(name.clone());
            }
            Expr::Unary(_, of) => self.uses(of),
            Expr::Binary(_, left, right) => {
                self.uses(left);
                self.uses(right);
            }
            _ => {}
        }
    }

    fn assigns(&mut self, name: &Spanned<String>) {
        if !self.assigned.contains(&name.value) && !self.parameters.contains(&name.value) {
            self.assigned.push(name.value.clone());
        }
    }

    fn steps(&mut self, steps: &Steps) {
        for step in steps {
            for expr in operands(&step.does) {
                self.uses(expr);
            }
            if let Some(name) = assigned(&step.does) {
                self.assigns(name);
            }
            for body in bodies(&step.does) {
                self.steps(body);
            }
            if let Some(otherwise) = &step.otherwise {
                self.steps(otherwise);
            }
        }
    }
}

/// The integer expressions of a step itself.
fn operands(does: &Does) -> Vec<&Spanned<Expr>> {
    match does {
        Does::Cpu { times, .. } | Does::Wait { times, .. } => times.iter().collect(),
        Does::Assign { value, .. } => vec![value],
        Does::Call { args, .. } | Does::Send { args, .. } => args.iter().map(|arg| &arg.value).collect(),
        Does::Get { place, .. } | Does::Put { place } | Does::Drop { place } | Does::Read { place, .. } => {
            place.key.iter().collect()
        }
        Does::Write { place, value } => place.key.iter().chain([value]).collect(),
        Does::Update { place, by, when, .. } => {
            place.key.iter().chain([by]).chain(when.iter().map(|(_, bound)| bound)).collect()
        }
        Does::Tally { place, by } => place.key.iter().chain(by).collect(),
        Does::Return { value, .. } => value.iter().collect(),
        Does::Each { count, .. } | Does::ParEach { count, .. } => vec![count],
        Does::If { condition, .. } => vec![condition],
        Does::Hold { place, .. } => place.key.iter().collect(),
        Does::Fail { .. } | Does::Par { .. } | Does::Race { .. } | Does::Tx { .. } | Does::Block { .. } => {
            Vec::new()
        }
    }
}

fn assigned(does: &Does) -> Option<&Spanned<String>> {
    match does {
        Does::Assign { to, .. } => Some(to),
        Does::Call { to, .. } | Does::Get { to, .. } | Does::Read { to, .. } | Does::Update { to, .. } => {
            to.as_ref()
        }
        Does::Each { name, .. } | Does::ParEach { name, .. } => name.as_ref(),
        _ => None,
    }
}

fn bodies(does: &Does) -> Vec<&Steps> {
    match does {
        Does::Each { body, .. } | Does::ParEach { body, .. } | Does::Hold { body, .. } => vec![body],
        Does::Tx { body, .. } | Does::Block { body } => vec![body],
        Does::Par { branches } | Does::Race { branches } => vec![branches],
        Does::If { then, or_else, .. } => vec![then, or_else],
        _ => Vec::new(),
    }
}

/// Compiles a program. `site` is the hash of (part name, program name).
///
/// # Errors
/// All that is wrong with it.
pub fn compile(
    steps: &Steps,
    name: &str,
    part: PartId,
    site: u64,
    scope: &mut dyn Scope,
    files: Files<'_>,
) -> Result<Program, Vec<SyntaxError>> {
    let parameters = parameters(steps);
    let mut compiler = Compiler {
        scope,
        files,
        program: Program {
            name: name.to_owned(),
            part,
            parameters: parameters.clone(),
            site,
            code: Vec::new(),
            laws: Vec::new(),
            calls: Vec::new(),
            forks: Vec::new(),
            handlers: Vec::new(),
        },
        // Arguments arrive in the first registers, whether they are used or not.
        registers: (0..ARGS_MAX).map(|index| parameters.get(index).cloned().unwrap_or_default()).collect(),
        spare: Vec::new(),
        step: 0,
        depth: 0,
        branches: 0,
        errors: Vec::new(),
    };
    if parameters.len() > ARGS_MAX {
        let message = format!(
            "`{name}` has {} parameters, more than {ARGS_MAX}: {}",
            parameters.len(),
            parameters.join(", ")
        );
        let help = "names that are used before they are assigned are parameters".to_owned();
        compiler.errors.push(SyntaxError { at: 0..1, message, help: Some(help) });
    }
    compiler.steps(steps);
    if compiler.program.code.len() > CODE_MAX {
        let message = format!("`{name}` is too long: more than {CODE_MAX} instructions");
        compiler.errors.push(SyntaxError {
            at: 0..1,
            message,
            help: Some("split it into several programs".to_owned()),
        });
    }
    if compiler.errors.is_empty() { Ok(compiler.program) } else { Err(compiler.errors) }
}

struct Compiler<'a> {
    scope: &'a mut dyn Scope,
    files: Files<'a>,
    program: Program,
    /// Names of registers; hidden ones have none.
    registers: Vec<String>,
    /// Hidden registers of loops that have ended, for the next loop.
    spare: Vec<u8>,
    /// The next step's number in the text: the site of its draws.
    step: u16,
    depth: usize,
    /// How many branches are around us.
    branches: usize,
    errors: Vec<SyntaxError>,
}

impl Compiler<'_> {
    fn error(&mut self, at: &std::ops::Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        self.errors.push(SyntaxError { at: at.clone(), message: message.into(), help });
    }

    fn emit(&mut self, instr: Instr) -> usize {
        self.program.code.push(instr);
        self.program.code.len() - 1
    }

    fn here(&self) -> u32 {
        self.program.code.len() as u32
    }

    fn steps(&mut self, steps: &Steps) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        let start = self.here();
        self.does(step);
        let Some(otherwise) = &step.otherwise else { return };
        let end = self.here();
        let over = self.emit(Instr::Jump(0));
        let target = self.here();
        self.program.handlers.push(Handler { start, end, target, depth: self.depth as u8 });
        self.steps(otherwise);
        self.program.code[over] = Instr::Jump(self.here());
    }

    /// The register of a name; a new one when it has none.
    fn register(&mut self, name: &str, at: &std::ops::Range<usize>) -> u8 {
        if !name.is_empty()
            && let Some(known) = self.registers.iter().position(|register| register == name)
        {
            return known as u8;
        }
        if self.registers.len() >= REGISTERS_MAX {
            self.error(at, format!("more than {REGISTERS_MAX} variables"), "split the program");
            return 0;
        }
        self.registers.push(name.to_owned());
        (self.registers.len() - 1) as u8
    }

    /// A register without a name; give it back to `spare` when the loop has ended.
    fn hidden(&mut self, at: &std::ops::Range<usize>) -> u8 {
        self.spare.pop().unwrap_or_else(|| self.register("", at))
    }

    fn site(&mut self) -> u16 {
        self.step += 1;
        self.step
    }

    fn does(&mut self, step: &Step) {
        match &step.does {
            Does::Cpu { law, times } => self.timed(law, times.as_ref(), |law, step| Instr::Cpu { law, step }),
            Does::Wait { law, times } => {
                self.timed(law, times.as_ref(), |law, step| Instr::Wait { law, step })
            }
            Does::Assign { to, value } => {
                self.value(value);
                let register = self.register(&to.value, &to.at);
                self.emit(Instr::Store(register));
            }
            Does::Call { to, path, args, with, from, size } => {
                self.call(step, path, args, with.as_ref(), from.as_ref(), size.as_ref());
                self.take(to.as_ref());
            }
            Does::Get { to, place } => {
                let cache = self.cached(place);
                let step = self.site();
                self.emit(Instr::Get { cache, step });
                self.take(to.as_ref());
            }
            Does::Put { place } => {
                let cache = self.cached(place);
                let step = self.site();
                self.emit(Instr::Put { cache, step });
            }
            Does::Drop { place } => {
                let cache = self.cached(place);
                self.emit(Instr::Drop { cache });
            }
            Does::Read { .. } | Does::Write { .. } | Does::Update { .. } => self.stored(step),
            Does::Tally { place, by } => self.tally(place, by.as_ref()),
            Does::Fail { name } => {
                let reason = self.scope.failure(&name.value);
                self.emit(Instr::Fail(reason));
            }
            Does::Return { value, size } => self.returns(step, value.as_ref(), size.as_ref()),
            Does::Each { count, name, body } => self.each(step, count, name.as_ref(), body),
            Does::Par { branches } => self.fork(step, branches, false),
            Does::Race { branches } => self.fork(step, branches, true),
            Does::ParEach { count, name, body } => self.par_each(step, count, name.as_ref(), body),
            Does::If { condition, then, or_else } => self.branch(condition, then, or_else),
            Does::Block { body } => self.steps(body),
            Does::Send { .. } => self.later(step, "send", "a queue"),
            Does::Hold { .. } => self.later(step, "hold", "a lock"),
            Does::Tx { .. } => self.later(step, "tx", "a db with transactions"),
        }
    }

    fn later(&mut self, step: &Step, word: &str, part: &str) {
        let help = "remove the step: this version of splitbrain has no such part yet";
        self.error(&step.at, format!("`{word}` needs {part}, and there is none"), help);
    }

    fn take(&mut self, to: Option<&Spanned<String>>) {
        if let Some(to) = to {
            let register = self.register(&to.value, &to.at);
            self.emit(Instr::Take(register));
        }
    }

    fn timed(&mut self, law: &Spanned<Expr>, times: Option<&Spanned<Expr>>, make: fn(u16, u16) -> Instr) {
        match times {
            Some(times) => self.value(times),
            None => {
                self.emit(Instr::Push(1));
            }
        }
        let law = self.law(law);
        let step = self.site();
        self.emit(make(law, step));
    }

    fn law(&mut self, law: &Spanned<Expr>) -> u16 {
        match law_of_spans(law, self.files) {
            Ok(law) => self.program.laws.push(law),
            Err(error) => self.errors.push(error),
        }
        self.program.laws.len().saturating_sub(1) as u16
    }

    /// Code that pushes the value of an expression.
    fn value(&mut self, expr: &Spanned<Expr>) {
        match &expr.value {
            Expr::Number(quantity) if quantity.unit == Unit::Count && quantity.exact.is_some() => {
                self.emit(Instr::Push(quantity.exact.unwrap_or(0)));
            }
            Expr::Number(quantity) => {
                let help = "values in programs are whole numbers; laws take units";
                self.error(&expr.at, format!("`{quantity}` is no whole number"), help);
            }
            Expr::Name(name) => {
                let register = self.register(name, &expr.at);
                self.emit(Instr::Load(register));
            }
            Expr::Unary(op, of) => {
                self.value(of);
                self.emit(if *op == UnaryOp::Minus { Instr::Negate } else { Instr::Not });
            }
            Expr::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => self.either(*op, left, right),
            Expr::Binary(op, left, right) => {
                self.value(left);
                self.value(right);
                self.emit(Instr::Binary(*op));
            }
            other => {
                let help = "programs compute with whole numbers and names";
                self.error(&expr.at, format!("`{other}` has no value here"), help);
            }
        }
    }

    /// `and` and `or` look at their right side only when the left one does not settle it, so that
    /// `n != 0 and 10 / n > 2` is safe.
    fn either(&mut self, op: BinaryOp, left: &Spanned<Expr>, right: &Spanned<Expr>) {
        self.value(left);
        if op == BinaryOp::Or {
            self.emit(Instr::Not);
        }
        let settled = self.emit(Instr::JumpIfZero(0));
        self.value(right);
        self.emit(Instr::Not);
        self.emit(Instr::Not);
        let over = self.emit(Instr::Jump(0));
        self.program.code[settled] = Instr::JumpIfZero(self.here());
        self.emit(Instr::Push(i64::from(op == BinaryOp::Or)));
        self.program.code[over] = Instr::Jump(self.here());
    }

    /// The part of that name, if it takes such steps.
    fn part(&mut self, name: &Spanned<String>, wanted: PartRole, what: &str) -> Option<PartId> {
        match self.scope.part(&name.value) {
            Some((part, role)) if role == wanted => Some(part),
            Some(_) => {
                self.error(
                    &name.at,
                    format!("`{}` is not {what}", name.value),
                    format!("this step takes {what}"),
                );
                None
            }
            None => {
                self.unknown_part(name);
                None
            }
        }
    }

    fn unknown_part(&mut self, name: &Spanned<String>) {
        let known = self.scope.part_names();
        let help = match nearest(&name.value, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("parts of this design: {}", known.join(", ")),
        };
        self.error(&name.at, format!("unknown part `{}`", name.value), help);
    }

    fn key(&mut self, place: &Place, example: &str) {
        match &place.key {
            Some(key) => self.value(key),
            None => {
                let at = place.path[0].at.clone();
                self.error(&at, "a key in brackets is missing", format!("write `{example}`"));
            }
        }
    }

    fn cached(&mut self, place: &Place) -> PartId {
        self.key(place, "get pages[item]");
        if let Some(extra) = place.path.get(1) {
            self.error(&extra.at.clone(), "a cache has no tables", "write `get pages[item]`");
        }
        self.part(&place.path[0], PartRole::Caches, "a cache").unwrap_or(PartId(0))
    }

    fn table(&mut self, place: &Place) -> (PartId, u16) {
        let db = self.part(&place.path[0], PartRole::Stores, "a db").unwrap_or(PartId(0));
        match place.path.get(1) {
            Some(table) => (db, self.scope.table(db, &table.value)),
            None => {
                let at = place.path[0].at.clone();
                self.error(&at, "a table is missing", format!("write `{}.table[key]`", place.path[0].value));
                (db, 0)
            }
        }
    }

    fn stored(&mut self, step: &Step) {
        match &step.does {
            Does::Read { to, place, whence, for_update, taking } => {
                self.key(place, "read shop.stock[item]");
                let (db, table) = self.table(place);
                if *for_update {
                    self.error(
                        &step.at,
                        "`for update` needs a db with transactions, and there is none",
                        "leave it out",
                    );
                }
                if let Some(whence) = whence {
                    self.whence(whence);
                }
                let law = taking.as_ref().map(|law| self.law(law));
                let site = self.site();
                self.emit(Instr::Read { db, table, law, step: site });
                self.take(to.as_ref());
            }
            Does::Write { place, value } => {
                self.key(place, "write shop.stock[item] = 1");
                self.value(value);
                let (db, table) = self.table(place);
                let site = self.site();
                self.emit(Instr::Write { db, table, step: site });
            }
            Does::Update { to, place, minus, by, when } => {
                self.key(place, "update shop.stock[item] -= 1");
                self.value(by);
                if *minus {
                    self.emit(Instr::Negate);
                }
                match when {
                    Some((_, bound)) => self.value(bound),
                    None => {
                        self.emit(Instr::Push(0));
                    }
                }
                let when = when.as_ref().map_or(When::Always, |(op, _)| condition(*op));
                let (db, table) = self.table(place);
                let site = self.site();
                self.emit(Instr::Update { db, table, when, step: site });
                self.take(to.as_ref());
            }
            _ => unreachable!("only steps on a db come here"),
        }
    }

    /// Where a read goes: with one copy, everywhere is the same place.
    fn whence(&mut self, whence: &Spanned<Expr>) {
        let words = ["primary", "replica", "nearest", "session", "any"];
        match &whence.value {
            Expr::Name(word) if words.contains(&word.as_str()) => {}
            Expr::Index(of, _) if of.value == Expr::Name("copy".to_owned()) => {}
            other => {
                let help = "write `at primary`, `replica`, `nearest`, `session`, `any` or `copy[0]`";
                self.error(&whence.at, format!("`{other}` is no place to read"), help);
            }
        }
    }

    fn tally(&mut self, place: &Place, by: Option<&Spanned<Expr>>) {
        for (expr, default) in [(place.key.as_ref(), 0), (by, 1)] {
            match expr {
                Some(expr) => self.value(expr),
                None => {
                    self.emit(Instr::Push(default));
                }
            }
        }
        let tally = self.scope.tally(&place.path[0].value);
        self.emit(Instr::Tally { tally });
    }

    fn returns(&mut self, step: &Step, value: Option<&Spanned<Expr>>, size: Option<&Spanned<Expr>>) {
        if self.branches > 0 {
            let help = "assign the value in the branch and return it after the block";
            self.error(&step.at, "`return` cannot stand in a branch of `par` or `race`", help);
        }
        match value {
            Some(value) => self.value(value),
            None => {
                self.emit(Instr::Push(0));
            }
        }
        let size_bytes = self.size(size);
        self.emit(Instr::Return { size_bytes });
    }

    fn size(&mut self, size: Option<&Spanned<Expr>>) -> u32 {
        let Some(size) = size else { return MESSAGE_BYTES };
        match &size.value {
            Expr::Number(quantity)
                if quantity.unit == Unit::Bytes && quantity.value <= f64::from(u32::MAX) =>
            {
                quantity.value as u32
            }
            _ => {
                self.error(&size.at, "this is no size", "write `size 4KiB`, at most 4GB");
                0
            }
        }
    }

    fn each(&mut self, step: &Step, count: &Spanned<Expr>, name: Option<&Spanned<String>>, body: &Steps) {
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
        self.branches += 1;
        inside(self);
        self.branches -= 1;
        self.emit(Instr::EndBranch);
        Branch { start, end: self.here() }
    }

    fn fork(&mut self, step: &Step, steps: &Steps, first_wins: bool) {
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

    fn par_each(&mut self, step: &Step, count: &Spanned<Expr>, name: Option<&Spanned<String>>, body: &Steps) {
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

    fn branch(&mut self, condition: &Spanned<Expr>, then: &Steps, or_else: &Steps) {
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

    fn call(
        &mut self,
        step: &Step,
        path: &[Spanned<String>],
        args: &[Arg],
        with: Option<&Spanned<String>>,
        from: Option<&Spanned<String>>,
        size: Option<&Spanned<Expr>>,
    ) {
        let policy = self.policy(with);
        let zone = from.and_then(|from| self.zone(from));
        let size_bytes = self.size(size);
        let target = target(self.scope, path);
        let site_step = self.site();
        match target {
            Ok(Target { to, program, parameters }) => {
                self.arguments(step, args, &parameters);
                let site = self.program.calls.len() as u16;
                self.program.calls.push(CallSite { to, program, policy, from: zone, size_bytes });
                self.emit(Instr::Call { site, step: site_step });
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn policy(&mut self, with: Option<&Spanned<String>>) -> PolicyId {
        let Some(with) = with else { return self.scope.default_policy() };
        self.scope.policy(&with.value).unwrap_or_else(|| {
            self.error(
                &with.at,
                format!("unknown policy `{}`", with.value),
                "define `policy.NAME = { timeout = \"1s\" }`",
            );
            PolicyId(0)
        })
    }

    fn zone(&mut self, from: &Spanned<String>) -> Option<ZoneId> {
        let zone = self.scope.zone(&from.value);
        if zone.is_none() {
            self.error(&from.at, format!("unknown zone `{}`", from.value), "define `zone.NAME = {}`");
        }
        zone
    }

    /// Code that pushes the arguments in the order of the callee's parameters.
    fn arguments(&mut self, step: &Step, args: &[Arg], parameters: &[String]) {
        match order_arguments(args, parameters, &step.at) {
            Ok(ordered) => {
                for arg in ordered {
                    match arg {
                        Some(arg) => self.value(arg),
                        None => {
                            self.emit(Instr::Push(0));
                        }
                    }
                }
            }
            Err(errors) => self.errors.extend(errors),
        }
    }
}

fn condition(op: BinaryOp) -> When {
    match op {
        BinaryOp::AtLeast => When::AtLeast,
        BinaryOp::Above => When::Above,
        BinaryOp::AtMost => When::AtMost,
        BinaryOp::Below => When::Below,
        BinaryOp::Differs => When::Differs,
        _ => When::Equal,
    }
}

/// Whom a call means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The part called: a load balancer when it is named.
    pub to: PartId,
    /// The program there.
    pub program: Option<ProgramId>,
    /// Its parameters.
    pub parameters: Vec<String>,
}

/// Whom `PART.PROGRAM`, `PROGRAM` or `PART` means.
///
/// # Errors
/// When it means nothing, or two things; both are listed then.
pub fn target(scope: &dyn Scope, path: &[Spanned<String>]) -> Result<Target, SyntaxError> {
    let error = |name: &Spanned<String>, message: String, help: String| {
        Err(SyntaxError { at: name.at.clone(), message, help: Some(help) })
    };
    match path {
        [name] => match (scope.part(&name.value), scope.program(None, &name.value)) {
            (Some((part, PartRole::Replies)), _) => {
                Ok(Target { to: part, program: None, parameters: Vec::new() })
            }
            (_, Ok((part, program, parameters))) => {
                Ok(Target { to: part, program: Some(program), parameters })
            }
            (_, Err(parts)) if parts.len() > 1 => {
                let all: Vec<String> = parts.iter().map(|part| format!("`{part}.{}`", name.value)).collect();
                error(
                    name,
                    format!("`{}` could mean {}", name.value, all.join(" or ")),
                    "name the part".to_owned(),
                )
            }
            (Some(_), _) => {
                let help = format!("write `{}.PROGRAM(…)`", name.value);
                error(name, format!("which program of `{}`?", name.value), help)
            }
            (None, Err(_)) => {
                let known = scope.part_names();
                let near = nearest(&name.value, known.iter().map(String::as_str));
                let help = near.map_or("write `PART.PROGRAM(args)`".to_owned(), |near| {
                    format!("did you mean `{near}`?")
                });
                error(name, format!("no part and no program is called `{}`", name.value), help)
            }
        },
        [part, name] => {
            let Some((id, role)) = scope.part(&part.value) else {
                let known = scope.part_names();
                let near = nearest(&part.value, known.iter().map(String::as_str));
                let help = near
                    .map_or(format!("parts: {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
                return error(part, format!("unknown part `{}`", part.value), help);
            };
            let runs = if role == PartRole::Balances { scope.behind(id) } else { Some(id) };
            match scope.program(runs, &name.value) {
                Ok((_, program, parameters)) => Ok(Target { to: id, program: Some(program), parameters }),
                Err(_) => {
                    let help = format!("define it under `[on.{}]`", part.value);
                    error(name, format!("`{}` has no program `{}`", part.value, name.value), help)
                }
            }
        }
        _ => error(
            &path[0],
            "a call names a part and a program".to_owned(),
            "write `call app.page(item=1)`".to_owned(),
        ),
    }
}

/// Arguments in the order of the parameters, padded to [`ARGS_MAX`].
///
/// # Errors
/// When one is missing, unknown, or given twice.
pub fn order_arguments<'a>(
    args: &'a [Arg],
    parameters: &[String],
    whole: &std::ops::Range<usize>,
) -> Result<Vec<Option<&'a Spanned<Expr>>>, Vec<SyntaxError>> {
    let mut ordered: Vec<Option<&Spanned<Expr>>> = vec![None; ARGS_MAX.max(parameters.len())];
    let mut errors = Vec::new();
    let takes = if parameters.is_empty() {
        "it takes none".to_owned()
    } else {
        format!("it takes {}", parameters.join(", "))
    };
    let mut next = 0;
    for arg in args {
        let index = match &arg.key {
            Some(Spanned { value: ArgKey::Name(name), .. }) => {
                parameters.iter().position(|parameter| parameter == name)
            }
            Some(_) => None,
            None => {
                next += 1;
                Some(next - 1).filter(|index| *index < parameters.len())
            }
        };
        let at = arg.key.as_ref().map_or(&arg.value.at, |key| &key.at);
        match index {
            Some(index) if ordered[index].is_none() => ordered[index] = Some(&arg.value),
            Some(index) => errors.push(SyntaxError {
                at: at.clone(),
                message: format!("`{}` is given twice", parameters[index]),
                help: Some(takes.clone()),
            }),
            None => errors.push(SyntaxError {
                at: at.clone(),
                message: "no such parameter".to_owned(),
                help: Some(takes.clone()),
            }),
        }
    }
    for (parameter, given) in parameters.iter().zip(&ordered) {
        if given.is_none() {
            let message = format!("the argument `{parameter}` is missing");
            errors.push(SyntaxError { at: whole.clone(), message, help: Some(takes.clone()) });
        }
    }
    if errors.is_empty() { Ok(ordered) } else { Err(errors) }
}
