//! From the tree of a program to flat code. All mistakes of a program are told at once.

use crate::program::compile::compiler::Compiler;
use crate::program::compile::scope::{PartRole, Scope};

use crate::base::ids::{PartId, ProgramId};
use crate::base::op::{ARGS_MAX, At, When};
use crate::base::problem::nearest;
use crate::base::quantity::Unit;
use crate::program::distribution::{Files, distribution_of_spans};
use crate::program::instr::{Handler, Instr, Program};
use crate::program::interpret::frame::REGISTERS_MAX;
use crate::program::syntax::{BinaryOp, Does, Expr, Place, Spanned, Step, Steps, SyntaxError};

/// Instructions of one program: sixteen thousand bytes of text make fewer.
pub const CODE_MAX: usize = 10_000;
/// Size of a request or an answer that says nothing of its size, bytes: a small JSON document.
pub const MESSAGE_BYTES: u32 = 512;

mod blocks;
mod caches;
mod compiler;
mod names;
pub mod scope;
mod target;
mod transactions;
mod values;
mod versions;

pub use names::parameters;
pub use target::{NO_PARAMETER, order_arguments, target};

/// Which programs a program calls.
pub fn calls_of(program: &Program) -> Vec<ProgramId> {
    program.calls.iter().filter_map(|site| site.program).collect()
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
            registers: 0,
            code: Vec::new(),
            distributions: Vec::new(),
            calls: Vec::new(),
            forks: Vec::new(),
            handlers: Vec::new(),
        },
        // Arguments arrive in the first registers, whether they are used or not.
        registers: (0..ARGS_MAX).map(|index| parameters.get(index).cloned().unwrap_or_default()).collect(),
        spare: Vec::new(),
        put: versions::put(steps),
        step: 0,
        depth: 0,
        held: 0,
        within: None,
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
    compiler.program.registers = compiler.registers.len() as u8;
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
        let (depth, held) = (self.depth as u8, self.held as u8);
        self.program.handlers.push(Handler { start, end, target, depth, held });
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
            Does::Cpu { distribution, times } => {
                self.timed(distribution, times.as_ref(), |distribution, step| Instr::Cpu {
                    distribution,
                    step,
                })
            }
            Does::Wait { distribution, times } => {
                self.timed(distribution, times.as_ref(), |distribution, step| Instr::Wait {
                    distribution,
                    step,
                })
            }
            Does::Assign { to, value } => {
                self.value(value);
                let register = self.register(&to.value, &to.at);
                self.emit(Instr::Store(register));
                self.version_assigned(to, value);
            }
            Does::Call { to, path, args, with, from, size } => {
                self.call(step, path, args, with.as_ref(), from.as_ref(), size.as_ref());
                self.take(to.as_ref());
            }
            Does::Get { .. } | Does::Put { .. } | Does::Drop { .. } => self.at_cache(step),
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
            Does::Hold { place, body } => self.hold(step, place, body),
            Does::Tx { db, with, body } => self.transaction(step, db, with.as_ref(), body),
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
            self.version_taken(to);
        }
    }

    fn timed(
        &mut self,
        distribution: &Spanned<Expr>,
        times: Option<&Spanned<Expr>>,
        make: fn(u16, u16) -> Instr,
    ) {
        match times {
            Some(times) => self.value(times),
            None => {
                self.emit(Instr::Push(1));
            }
        }
        let distribution = self.distribution(distribution);
        let step = self.site();
        self.emit(make(distribution, step));
    }

    fn distribution(&mut self, distribution: &Spanned<Expr>) -> u16 {
        match distribution_of_spans(distribution, self.files) {
            Ok(distribution) => self.program.distributions.push(distribution),
            Err(error) => self.errors.push(error),
        }
        self.program.distributions.len().saturating_sub(1) as u16
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
                let at = whence.as_ref().map_or(At::Primary, |whence| self.whence(whence));
                self.read_within(step, place, db, at, *for_update);
                let distribution = taking.as_ref().map(|distribution| self.distribution(distribution));
                let site = self.site();
                self.emit(Instr::Read { db, table, distribution, at, for_update: *for_update, step: site });
                self.take(to.as_ref());
            }
            Does::Write { place, value } => {
                self.key(place, "write shop.stock[item] = 1");
                self.value(value);
                let (db, table) = self.table(place);
                let site = self.site();
                self.emit(Instr::Write { db, table, step: site });
                self.version_written(value);
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
                if self.scope.keeps_siblings(db) {
                    self.error(
                        &step.at,
                        "`update` of a store with `merge = \"siblings\"`: of several values nobody knows which to change",
                        "give the store `merge = \"counter\"`, or `read` and `write` in the program",
                    );
                }
                let site = self.site();
                self.emit(Instr::Update { db, table, when, step: site });
                self.take(to.as_ref());
            }
            _ => unreachable!("only steps on a db come here"),
        }
    }

    /// Which copy a read asks.
    fn whence(&mut self, whence: &Spanned<Expr>) -> At {
        const WORDS: [(&str, At); 5] = [
            ("primary", At::Primary),
            ("replica", At::Replica),
            ("nearest", At::Nearest),
            ("session", At::Session),
            ("any", At::Any),
        ];
        let named = match &whence.value {
            Expr::Name(name) => WORDS.iter().find(|(word, _)| word == name).map(|(_, at)| *at),
            Expr::Index(of, copy) if of.value == Expr::Name("copy".to_owned()) => match &copy.value {
                Expr::Number(number) => number.exact.and_then(|copy| u8::try_from(copy).ok()).map(At::Copy),
                _ => None,
            },
            _ => None,
        };
        if named.is_none() {
            let help = "write `at primary`, `replica`, `nearest`, `session`, `any` or `copy[0]`";
            self.error(&whence.at, format!("`{}` is no place to read", whence.value), help);
        }
        named.unwrap_or_default()
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
        if self.within.is_some() {
            self.commit_before_return(step);
        }
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
