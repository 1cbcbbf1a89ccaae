//! One strand at work: from instruction to instruction until it needs its host, begins branches or ends.

use crate::base::cause::Causes;
use crate::base::ids::OpId;
use crate::base::op::{ARGS_MAX, Reason, Value};
use crate::base::rng::mix;
use crate::base::slab::Key;
use crate::program::instr::{Effect, Instr, LOOPS_MAX, Program, REGISTERS_MAX, Register, Site};
use crate::program::syntax::BinaryOp;

/// What a strand is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Not resumed yet.
    Fresh,
    /// Waits for its host.
    Waiting,
    /// Waits for its branches.
    Forked {
        /// Goes on at the first success.
        race: bool,
        /// Where it goes on.
        then: u16,
        /// Branches that have not ended.
        running: u32,
    },
    /// Its branches are over; `Some` is why they failed.
    Joined {
        /// Where it goes on.
        then: u16,
        /// The failure of the block.
        failure: Option<Reason>,
    },
    /// A branch that has ended.
    Ended(Option<Reason>),
}

/// One line of execution.
#[derive(Clone, Debug, Hash)]
pub struct Strand {
    /// Its activation.
    pub frame: Key,
    /// The strand that it branched off.
    pub parent: Option<Key>,
    /// The branch after it in the text.
    pub next: Option<Key>,
    /// Its own first branch.
    pub first: Option<Key>,
    /// What it is about.
    pub state: State,
    /// Next instruction, or the one that it waits in.
    pub at: u16,
    /// Where its branch begins: no `else` from before that is its own.
    pub floor: u16,
    /// Registers that it has assigned, a bit each.
    pub assigned: u16,
    /// Values of names.
    pub registers: [i64; REGISTERS_MAX],
    /// Newest version that each value was computed from.
    pub versions: [OpId; REGISTERS_MAX],
    /// Newest version that it has seen at all.
    pub seen: OpId,
    /// Number of the repetition of each loop around it.
    pub rounds: [i64; LOOPS_MAX],
    /// Repetitions of each loop.
    pub limits: [i64; LOOPS_MAX],
    /// What the draws of each repetition are named by.
    pub words: [u64; LOOPS_MAX],
    /// Where its time went.
    pub causes: Causes,
}

/// One activation of a program.
#[derive(Clone, Debug, Hash)]
pub struct Frame {
    /// Which program.
    pub program: crate::base::ids::ProgramId,
    /// Its first strand.
    pub root: Key,
    /// What its draws are derived from.
    pub stem: u64,
    /// The host's word for it.
    pub host: u64,
    /// Repetitions that it may still make.
    pub fuel: u32,
}

/// Why a strand stopped.
pub enum Stop {
    /// It needs its host.
    Effect(Effect),
    /// It begins branches, which start at the jumps after `at` (`par`, `race`) or all at one place (`par each`).
    Fork {
        /// Goes on at the first success.
        race: bool,
        /// How many.
        count: u32,
        /// `par each`: the register that counts the branches, and its depth.
        each: Option<(Option<Register>, u8)>,
    },
    /// It has ended: with a value, or failed.
    Ended(Result<(Value, u32), Reason>),
}

/// What one instruction led to.
enum Step {
    On,
    Stop(Stop),
}

impl Strand {
    /// The register `to` gets a value.
    fn store(&mut self, to: Register, n: i64, version: OpId) {
        self.registers[to as usize] = n;
        self.versions[to as usize] = version;
        self.assigned |= 1 << to;
    }

    /// Newest version of the registers in `from`.
    pub fn newest(&self, from: u16) -> OpId {
        let used = self.versions.iter().enumerate().filter(|(place, _)| from >> place & 1 == 1);
        used.map(|(_, version)| *version).max().unwrap_or(OpId(0))
    }

    /// What the loops around a step at `depth` name its draws by; 0 outside of loops.
    pub fn word(&self, depth: u8) -> u64 {
        depth.checked_sub(1).map_or(0, |inner| self.words[inner as usize])
    }

    /// Enters repetition `round` of the loop at `depth`.
    pub fn enter(&mut self, depth: u8, round: i64, index: Option<Register>) {
        self.rounds[depth as usize] = round;
        self.words[depth as usize] = mix(self.word(depth), round as u64 + 1);
        if let Some(index) = index {
            self.registers[index as usize] = round;
            self.versions[index as usize] = OpId(0);
        }
    }

    /// The step that it waited in is done and gave `value`.
    pub fn deliver(&mut self, program: &Program, value: Option<Value>) {
        let to = match program.code[self.at as usize] {
            Instr::Call { to, .. }
            | Instr::Get { to, .. }
            | Instr::Read { to, .. }
            | Instr::Update { to, .. } => to,
            _ => None,
        };
        let given = value.unwrap_or_default();
        self.seen = self.seen.max(given.version);
        if let Some(to) = to {
            self.store(to, given.n, given.version);
        }
        self.at += 1;
    }

    /// A failure at the current instruction: goes to the `else` that catches it, if there is one.
    pub fn rescued(&mut self, program: &Program) -> bool {
        let catches = program
            .rescues
            .iter()
            .find(|rescue| rescue.from >= self.floor && (rescue.from..rescue.to).contains(&self.at));
        if let Some(rescue) = catches {
            self.at = rescue.go;
        }
        catches.is_some()
    }
}

/// Runs `strand` from where it stands. `stack` is scratch space.
pub fn advance(program: &Program, frame: &mut Frame, strand: &mut Strand, stack: &mut Vec<i64>) -> Stop {
    stack.clear();
    loop {
        let mut run = Run { program, frame, strand, stack };
        match run.step() {
            Ok(Step::On) => strand.at += 1,
            Ok(Step::Stop(stop)) => return stop,
            Err(reason) if !strand.rescued(program) => return Stop::Ended(Err(reason)),
            Err(_) => stack.clear(),
        }
    }
}

struct Run<'a> {
    program: &'a Program,
    frame: &'a mut Frame,
    strand: &'a mut Strand,
    stack: &'a mut Vec<i64>,
}

impl Run<'_> {
    fn pop(&mut self) -> i64 {
        self.stack.pop().expect("the compiler pushes what steps pop")
    }

    fn push(&mut self, n: i64) -> Result<Step, Reason> {
        self.stack.push(n);
        Ok(Step::On)
    }

    /// Goes to `target`; the loop adds one.
    fn jump(&mut self, target: u16) -> Result<Step, Reason> {
        self.strand.at = target.wrapping_sub(1);
        Ok(Step::On)
    }

    /// The key of a draw.
    fn draw(&self, site: Site) -> u64 {
        let step = mix(self.program.site, u64::from(site.step));
        mix(mix(self.frame.stem, step), self.strand.word(site.depth))
    }

    fn step(&mut self) -> Result<Step, Reason> {
        match self.program.code[self.strand.at as usize] {
            Instr::Push(n) => self.push(n),
            Instr::Load(register) => self.push(self.strand.registers[register as usize]),
            Instr::Store { to, from } => {
                let (n, version) = (self.pop(), self.strand.newest(from));
                self.strand.store(to, n, version);
                Ok(Step::On)
            }
            Instr::Negate => {
                let n = self.pop().checked_neg().ok_or(Reason::Arithmetic)?;
                self.push(n)
            }
            Instr::Not => {
                let n = self.pop();
                self.push(i64::from(n == 0))
            }
            Instr::Truth => {
                let n = self.pop();
                self.push(i64::from(n != 0))
            }
            Instr::Binary(operator) => {
                let (b, a) = (self.pop(), self.pop());
                self.push(binary(operator, a, b).ok_or(Reason::Arithmetic)?)
            }
            Instr::Least => {
                let n = self.pop().min(self.pop());
                self.push(n)
            }
            Instr::Greatest => {
                let n = self.pop().max(self.pop());
                self.push(n)
            }
            Instr::Jump(target) => self.jump(target),
            Instr::JumpIfZero(target) => {
                if self.pop() == 0 {
                    self.jump(target)
                } else {
                    Ok(Step::On)
                }
            }
            Instr::KeepIfZero(target) => self.keep(|n| n == 0, target),
            Instr::KeepUnlessZero(target) => self.keep(|n| n != 0, target),
            Instr::Loop { depth, index, after } => self.begin_loop(depth, index, after),
            Instr::Again { depth, index, body } => self.once_more(depth, index, body),
            Instr::Fork { race, count } => {
                Ok(Step::Stop(Stop::Fork { race, count: u32::from(count), each: None }))
            }
            Instr::ForkEach { index, depth } => {
                let times = self.pop().max(0);
                let count = u32::try_from(times).ok().filter(|n| *n <= crate::program::instr::BRANCHES_MAX);
                let count = count.ok_or(Reason::Arithmetic)?;
                self.frame.fuel = self.frame.fuel.checked_sub(count).ok_or(Reason::Arithmetic)?;
                Ok(Step::Stop(Stop::Fork { race: false, count, each: Some((index, depth)) }))
            }
            Instr::End => Ok(Step::Stop(Stop::Ended(Ok((Value::default(), 0))))),
            Instr::Fail(reason) => Err(reason),
            Instr::Return { size_bytes, from } => {
                let n = self.pop();
                let used = self.strand.newest(from);
                let version = if used == OpId(0) { self.strand.seen } else { used };
                Ok(Step::Stop(Stop::Ended(Ok((Value { n, version, parent: OpId(0) }, size_bytes)))))
            }
            effect => self.effect(effect),
        }
    }

    fn keep(&mut self, keeps: impl Fn(i64) -> bool, target: u16) -> Result<Step, Reason> {
        let n = self.pop();
        if !keeps(n) {
            return Ok(Step::On);
        }
        self.stack.push(n);
        self.jump(target)
    }

    fn begin_loop(&mut self, depth: u8, index: Option<Register>, after: u16) -> Result<Step, Reason> {
        let times = self.pop();
        if times <= 0 {
            return self.jump(after);
        }
        self.frame.fuel = self.frame.fuel.checked_sub(1).ok_or(Reason::Arithmetic)?;
        self.strand.limits[depth as usize] = times;
        self.strand.enter(depth, 0, index);
        Ok(Step::On)
    }

    fn once_more(&mut self, depth: u8, index: Option<Register>, body: u16) -> Result<Step, Reason> {
        let round = self.strand.rounds[depth as usize] + 1;
        if round >= self.strand.limits[depth as usize] {
            return Ok(Step::On);
        }
        self.frame.fuel = self.frame.fuel.checked_sub(1).ok_or(Reason::Arithmetic)?;
        self.strand.enter(depth, round, index);
        self.jump(body)
    }

    /// A step for the host.
    fn effect(&mut self, instr: Instr) -> Result<Step, Reason> {
        let effect = match instr {
            Instr::Cpu { law, site } | Instr::Wait { law, site } => {
                let times = self.pop();
                match times {
                    ..0 => return Err(Reason::Arithmetic),
                    0 => return Ok(Step::On), // no work at all waits for no core
                    _ if matches!(instr, Instr::Cpu { .. }) => {
                        Effect::Cpu { law, times, draw: self.draw(site) }
                    }
                    _ => Effect::Wait { law, times, draw: self.draw(site) },
                }
            }
            Instr::Call { call, args: count, site, .. } => {
                let mut args = [0; ARGS_MAX];
                for place in (0..count as usize).rev() {
                    args[place] = self.pop();
                }
                Effect::Call { site: call, args, draw: self.draw(site) }
            }
            Instr::Get { cache, site, .. } => Effect::Get { cache, key: self.pop(), draw: self.draw(site) },
            Instr::Put { cache, site } => Effect::Put { cache, key: self.pop(), draw: self.draw(site) },
            Instr::Drop { cache } => Effect::Drop { cache, key: self.pop() },
            Instr::Read { db, table, law, site, .. } => {
                Effect::Read { db, table, key: self.pop(), law, draw: self.draw(site) }
            }
            Instr::Write { db, table, site, .. } => {
                let (n, key) = (self.pop(), self.pop());
                Effect::Write { db, table, key, n, draw: self.draw(site) }
            }
            Instr::Update { db, table, when, site, .. } => {
                let (bound, delta, key) = (self.pop(), self.pop(), self.pop());
                Effect::Update { db, table, key, delta, when, bound, draw: self.draw(site) }
            }
            Instr::Tally { tally } => {
                let (by, key) = (self.pop(), self.pop());
                Effect::Tally { tally, key, by }
            }
            other => unreachable!("{other:?} is no step for a host"),
        };
        Ok(Step::Stop(Stop::Effect(effect)))
    }
}

/// a op b; `None` on overflow and division by zero. `/` rounds towards zero, `mod` has the sign of a.
fn binary(operator: BinaryOp, a: i64, b: i64) -> Option<i64> {
    match operator {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Subtract => a.checked_sub(b),
        BinaryOp::Multiply => a.checked_mul(b),
        BinaryOp::Divide => a.checked_div(b),
        BinaryOp::Remainder => a.checked_rem(b),
        BinaryOp::Equal => Some(i64::from(a == b)),
        BinaryOp::Differs => Some(i64::from(a != b)),
        BinaryOp::Below => Some(i64::from(a < b)),
        BinaryOp::AtMost => Some(i64::from(a <= b)),
        BinaryOp::Above => Some(i64::from(a > b)),
        BinaryOp::AtLeast => Some(i64::from(a >= b)),
        BinaryOp::And => Some(i64::from(a != 0 && b != 0)),
        BinaryOp::Or => Some(i64::from(a != 0 || b != 0)),
    }
}
