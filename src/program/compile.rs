//! From the steps of a program to flat code. All mistakes of a program are found in one go.
//!
//! Programs may call each other in any order: ask [`parameters`] of every body first, so that [`Scope::program`]
//! can answer, then [`compile`] each. Whether programs call in a circle is for whoever sees all of them to say;
//! [`calls_of`] and [`caches_of`] tell what one can set off.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::{ARGS_MAX, Reason};
use crate::base::problem::nearest;
use crate::program::instr::{CODE_MAX, Instr, LOOPS_MAX, Program, REGISTERS_MAX, Register, Rescue, Site};
use crate::program::syntax::{ERRORS_MAX, Spanned, Step, Steps, SyntaxError};

mod actions;
mod names;
mod targets;
mod values;

pub use names::parameters;

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

    /// All programs that can be named, for "did you mean"; of one part, or of all.
    fn program_names(&self, _part: Option<PartId>) -> Vec<String> {
        Vec::new()
    }
    /// All policies, for "did you mean".
    fn policy_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// All zones, for "did you mean".
    fn zone_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// The text of a file that a law names.
    fn read_file(&self, path: &str) -> Result<String, String> {
        crate::program::law::no_files(path)
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

/// What compiling gives.
pub type Compiled = Program;

/// Compiles the body of program `name` of `part`. `site` is a hash of (part name, program name). Reports every
/// mistake (the first [`ERRORS_MAX`]), in text order.
pub fn compile(
    body: &Steps,
    name: &str,
    part: PartId,
    site: u64,
    scope: &mut dyn Scope,
) -> Result<Program, Vec<SyntaxError>> {
    let names = names::names_of(body);
    let parameters = names.parameters.iter().map(|name| name.value.clone()).collect();
    let mut compiler = Compiler {
        scope,
        registers: Vec::new(),
        assigned: BTreeSet::new(),
        program: Program {
            name: name.to_owned(),
            part,
            parameters,
            site,
            code: Vec::new(),
            rescues: Vec::new(),
            laws: Vec::new(),
            calls: Vec::new(),
        },
        errors: Vec::new(),
        numbered: 0,
        loops: 0,
        branches: 0,
        counting: Vec::new(),
    };
    compiler.allot(&names);
    compiler.steps(body);
    compiler.emit(Instr::Push(0));
    compiler.emit(Instr::Return { size_bytes: 0, from: 0 });
    compiler.finish()
}

/// The programs that `program` calls, in order and each once.
pub fn calls_of(program: &Program) -> Vec<ProgramId> {
    let called: BTreeSet<ProgramId> = program.calls.iter().filter_map(|call| call.program).collect();
    called.into_iter().collect()
}

/// The caches whose fill `program` can set off (by `get` and `put`), in order and each once.
pub fn caches_of(program: &Program) -> Vec<PartId> {
    let filled = program.code.iter().filter_map(|instr| match instr {
        Instr::Get { cache, .. } | Instr::Put { cache, .. } => Some(*cache),
        _ => None,
    });
    filled.collect::<BTreeSet<PartId>>().into_iter().collect()
}

struct Compiler<'a> {
    scope: &'a mut dyn Scope,
    /// Names by register.
    registers: Vec<String>,
    /// Names that have a value by now, reading the text from its start.
    assigned: BTreeSet<String>,
    program: Program,
    errors: Vec<SyntaxError>,
    /// Steps so far, in text order.
    numbered: usize,
    /// Loops around us.
    loops: usize,
    /// Branches around us.
    branches: usize,
    /// Names that count the loops around us.
    counting: Vec<String>,
}

impl Compiler<'_> {
    /// Gives each name a register, parameters first.
    fn allot(&mut self, names: &names::Names) {
        if let Some(extra) = names.parameters.get(ARGS_MAX) {
            let all: Vec<&str> = names.parameters.iter().map(|name| name.value.as_str()).collect();
            let message =
                format!("a program takes at most {ARGS_MAX} parameters; this one takes {}", all.join(", "));
            self.wrong(&extra.at, message, "a name that is not assigned is a parameter; is one misspelt?");
        }
        for name in names.parameters.iter().chain(&names.assigned) {
            if self.registers.len() == REGISTERS_MAX {
                let message = format!("a program has at most {REGISTERS_MAX} names");
                self.wrong(&name.at, message, "use a name again, or split the program");
                break;
            }
            self.registers.push(name.value.clone());
        }
        self.assigned = names.parameters.iter().map(|name| name.value.clone()).collect();
    }

    /// Notes a mistake.
    fn wrong(&mut self, at: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(SyntaxError { at: at.clone(), message: message.into(), help: Some(help.into()) });
    }

    /// Notes that `name` is no `what`.
    fn unknown(&mut self, what: &str, name: &Spanned<String>, known: &[String]) {
        let near = nearest(&name.value, known.iter().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => format!("this design has no {what}"),
            None => format!("there are {}", known.join(", ")),
        };
        self.wrong(&name.at, format!("unknown {what} `{}`", name.value), help);
    }

    fn emit(&mut self, instr: Instr) {
        self.program.code.push(instr);
    }

    /// Where the next instruction will stand. (Programs that outgrow 16 bits are refused at the end.)
    fn here(&self) -> u16 {
        self.program.code.len() as u16
    }

    /// Leaves room for a jump that is aimed later.
    fn hole(&mut self) -> usize {
        self.emit(Instr::Jump(0));
        self.program.code.len() - 1
    }

    fn fill(&mut self, hole: usize, instr: impl FnOnce(u16) -> Instr) {
        self.program.code[hole] = instr(self.here());
    }

    /// The register of a name that has one.
    fn register(&self, name: &str) -> Register {
        self.registers.iter().position(|known| known == name).unwrap_or(0) as Register
    }

    fn site(&self) -> Site {
        Site { step: self.numbered as u16 - 1, depth: self.loops as u8 }
    }

    fn steps(&mut self, steps: &Steps) {
        for step in &steps.0 {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Spanned<Step>) {
        let from = self.here();
        self.numbered += 1;
        self.action(&step.value.action, &step.at);
        let Some(otherwise) = &step.value.otherwise else { return };
        let to = self.here();
        let past = self.hole();
        self.program.rescues.push(Rescue { from, to, go: self.here() });
        self.steps(otherwise);
        self.fill(past, Instr::Jump);
    }

    /// Runs `inner` inside one more loop.
    fn looping(&mut self, at: &Range<usize>, index: Option<&Spanned<String>>, inner: impl FnOnce(&mut Self)) {
        if self.loops == LOOPS_MAX {
            let message = format!("more than {LOOPS_MAX} loops within each other");
            self.wrong(at, message, "move the inner ones to a program of their own");
        }
        let name = index.map(|index| index.value.clone());
        if let Some(index) = index.filter(|index| self.counting.contains(&index.value)) {
            self.wrong(
                &index.at,
                format!("`{}` already counts a loop around this one", index.value),
                "choose another name",
            );
        }
        self.loops += 1;
        self.counting.extend(name.clone());
        self.assigned.extend(name.clone());
        inner(self);
        self.counting.truncate(self.counting.len() - usize::from(name.is_some()));
        self.loops -= 1;
    }

    fn finish(mut self) -> Result<Program, Vec<SyntaxError>> {
        if self.program.code.len() > CODE_MAX {
            let message = format!("the program `{}` is too long", self.program.name);
            self.wrong(&(0..0), message, "split it into several programs");
        }
        if self.errors.is_empty() {
            return Ok(self.program);
        }
        self.errors.sort_by_key(|error| error.at.start);
        self.errors.truncate(ERRORS_MAX);
        Err(self.errors)
    }
}
