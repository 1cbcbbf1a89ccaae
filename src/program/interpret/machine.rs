//! One coroutine at work: from instruction to instruction until it needs its host, begins branches or ends.

use crate::base::ids::{OpId, PartId};
use crate::base::op::{ARGS_MAX, Failure, Reason, Value, When};
use crate::base::rng::mix;
use crate::program::instr::{Effect, ForkBlock, Instr, Program};
use crate::program::interpret::frame::{BRANCHES_MAX, Coroutine, Frame};
use crate::program::interpret::holds::Holds;
use crate::program::interpret::locals::Locals;
use crate::program::interpret::transactions::Transactions;
use crate::program::syntax::BinaryOp;

pub(super) fn is_par_each(fork: &ForkBlock) -> bool {
    fork.counter.is_some()
}

/// How a coroutine ended.
pub(super) enum Ended {
    Well,
    Returned { value: Value, size_bytes: u32 },
    Failed(Failure),
}

/// Why a coroutine stopped running.
pub(super) enum Stop {
    /// It goes on.
    Not,
    Effect(Effect),
    Fork {
        block: u16,
        count: u32,
    },
    End(Ended),
}

/// The blocks around coroutines that end on every way out.
pub(super) struct Around<'a> {
    pub holds: &'a mut Holds,
    pub transactions: &'a mut Transactions,
}

/// Runs a coroutine from where it is.
pub(super) fn run(
    program: &Program,
    frame: &mut Frame,
    coroutine: &mut Coroutine,
    locals: &mut Locals,
    around: &mut Around<'_>,
    failure: Option<Failure>,
    stack: &mut Vec<i64>,
) -> Stop {
    let mut failure = failure;
    loop {
        if let Some(why) = failure.take() {
            let instr = program.code[coroutine.pc as usize];
            let Some(handler) = program.handlers.iter().find(|handler| {
                (handler.start..handler.end).contains(&coroutine.pc)
                    && handler.start >= coroutine.branch.start
                    && handler.end <= coroutine.branch.end
                    && around.transactions.lets(coroutine, instr, why.reason, (handler.start, handler.end))
            }) else {
                let Some(abort) = around.transactions.fails(coroutine, around.holds, why) else {
                    return Stop::End(Ended::Failed(why));
                };
                coroutine.pending = true;
                return Stop::Effect(abort);
            };
            coroutine.pc = handler.target;
            coroutine.depth = handler.depth;
            around.holds.end(coroutine, handler.held);
            stack.clear();
        }
        let Some(instr) = program.code.get(coroutine.pc as usize) else { return Stop::End(Ended::Well) };
        match compute(*instr, coroutine, locals, stack, frame) {
            Ok(Computed::Next) => coroutine.pc += 1,
            Ok(Computed::Jumped) => {}
            Err(reason) => failure = Some(reason.into()),
            Ok(Computed::NotMine) => match act(program, *instr, frame, coroutine, locals, around, stack) {
                Ok(Stop::Not) => {}
                Ok(stop) => {
                    coroutine.pending = matches!(stop, Stop::Effect(_));
                    return stop;
                }
                Err(reason) => failure = Some(reason.into()),
            },
        }
    }
}

enum Computed {
    Next,
    Jumped,
    NotMine,
}

fn pop(stack: &mut Vec<i64>) -> i64 {
    stack.pop().expect("the compiler balances the stack")
}

/// Instructions that only compute.
fn compute(
    instr: Instr,
    coroutine: &mut Coroutine,
    locals: &mut Locals,
    stack: &mut Vec<i64>,
    frame: &mut Frame,
) -> Result<Computed, Reason> {
    match instr {
        Instr::Push(n) => stack.push(n),
        Instr::Load(register) => stack.push(locals.registers()[register as usize]),
        Instr::Store(register) => locals.store(register, pop(stack)),
        Instr::Take(register) => locals.store(register, coroutine.result),
        Instr::PushVersion => stack.push(frame.latest.0 as i64),
        Instr::Negate => {
            let n = pop(stack).checked_neg().ok_or(Reason::Arithmetic)?;
            stack.push(n);
        }
        Instr::Not => {
            let n = pop(stack);
            stack.push(i64::from(n == 0));
        }
        Instr::Binary(op) => {
            let (right, left) = (pop(stack), pop(stack));
            stack.push(binary(op, left, right).ok_or(Reason::Arithmetic)?);
        }
        Instr::Jump(to) => {
            coroutine.pc = to;
            return Ok(Computed::Jumped);
        }
        Instr::JumpIfZero(to) => {
            if pop(stack) == 0 {
                coroutine.pc = to;
                return Ok(Computed::Jumped);
            }
        }
        Instr::Round { counter, limit, exit } => {
            let registers = locals.registers();
            let round = registers[counter as usize];
            let depth = coroutine.depth as usize;
            if round >= registers[limit as usize] {
                coroutine.pc = exit;
                return Ok(Computed::Jumped);
            }
            frame.rounds_left = frame.rounds_left.checked_sub(1).ok_or(Reason::Arithmetic)?;
            locals.rounds[depth + 1] = mix(locals.rounds[depth], round as u64 + 1);
            coroutine.depth += 1;
        }
        Instr::Next { counter, back } => {
            locals.registers_mut()[counter as usize] += 1;
            coroutine.depth -= 1;
            coroutine.pc = back;
            return Ok(Computed::Jumped);
        }
        _ => return Ok(Computed::NotMine),
    }
    Ok(Computed::Next)
}

/// Arithmetic on 64-bit integers; `None` on overflow and division by zero.
pub fn binary(op: BinaryOp, left: i64, right: i64) -> Option<i64> {
    Some(match op {
        BinaryOp::Or => i64::from(left != 0 || right != 0),
        BinaryOp::And => i64::from(left != 0 && right != 0),
        BinaryOp::Equal => i64::from(left == right),
        BinaryOp::Differs => i64::from(left != right),
        BinaryOp::Below => i64::from(left < right),
        BinaryOp::AtMost => i64::from(left <= right),
        BinaryOp::Above => i64::from(left > right),
        BinaryOp::AtLeast => i64::from(left >= right),
        BinaryOp::Add => left.checked_add(right)?,
        BinaryOp::Subtract => left.checked_sub(right)?,
        BinaryOp::Multiply => left.checked_mul(right)?,
        BinaryOp::Divide => left.checked_div(right)?,
        BinaryOp::Remainder => left.checked_rem(right)?,
    })
}

/// Instructions that need the host, or end the coroutine.
fn act(
    program: &Program,
    instr: Instr,
    frame: &mut Frame,
    coroutine: &mut Coroutine,
    locals: &Locals,
    around: &mut Around<'_>,
    stack: &mut Vec<i64>,
) -> Result<Stop, Reason> {
    let round = locals.rounds[coroutine.depth as usize];
    let draw = |step: u16| mix(mix(frame.substream, mix(program.site, u64::from(step))), round);
    let effect = match instr {
        Instr::Cpu { distribution, step } => {
            Effect::Cpu { distribution, times: factor(stack)?, draw: draw(step) }
        }
        Instr::Wait { distribution, step } => {
            Effect::Wait { distribution, times: factor(stack)?, draw: draw(step) }
        }
        Instr::Call { site, step } => {
            let mut args = [0; ARGS_MAX];
            for arg in args.iter_mut().rev() {
                *arg = pop(stack);
            }
            Effect::Call { site, args, draw: draw(step) }
        }
        Instr::Get { cache, step } => Effect::Get { cache, key: pop(stack), draw: draw(step) },
        Instr::Put { cache, step } => Effect::Put { cache, key: pop(stack), draw: draw(step) },
        Instr::PutValue { cache, step } => put_value(cache, stack, draw(step)),
        Instr::Drop { cache, step } => Effect::Drop { cache, key: pop(stack), draw: draw(step) },
        Instr::Read { db, table, distribution, at, for_update, step } => {
            Effect::Read { db, table, key: pop(stack), distribution, at, for_update, draw: draw(step) }
        }
        Instr::Write { db, table, step } => {
            let (n, key) = (pop(stack), pop(stack));
            Effect::Write { db, table, key, n, parent: frame.version, draw: draw(step) }
        }
        Instr::Update { db, table, when, step } => update((db, table), when, stack, draw(step)),
        Instr::Acquire { lock, step } => {
            let (key, hold) = (pop(stack), around.holds.begin(coroutine));
            Effect::Acquire { lock, key, hold, draw: draw(step) }
        }
        Instr::Release => {
            around.holds.end(coroutine, coroutine.held - 1);
            coroutine.pc += 1;
            return Ok(Stop::Not);
        }
        Instr::Begin { db, policy, end, step } => {
            let tx = around.transactions.begin(frame, coroutine, locals, db, end);
            Effect::Begin { db, policy, tx, draw: draw(step) }
        }
        Instr::Commit { step } => {
            let (tx, _) = around.transactions.of(coroutine).expect("what commits has begun");
            Effect::Commit { tx, draw: draw(step) }
        }
        Instr::Tally { tally } => {
            let (by, key) = (pop(stack), pop(stack));
            Effect::Tally { tally, key, by }
        }
        Instr::Fork { block } => return fork(&program.forks[block as usize], block, frame, coroutine, stack),
        Instr::EndBranch => return Ok(Stop::End(Ended::Well)),
        Instr::Fail(reason) => return Err(reason),
        Instr::Return { size_bytes } => {
            let value = Value { n: pop(stack), version: frame.version, parent: frame.version };
            return Ok(Stop::End(Ended::Returned { value, size_bytes }));
        }
        other => unreachable!("{other:?} only computes"),
    };
    Ok(Stop::Effect(effect))
}

fn update((db, table): (PartId, u16), when: When, stack: &mut Vec<i64>, draw: u64) -> Effect {
    let (bound, delta, key) = (pop(stack), pop(stack), pop(stack));
    Effect::Update { db, table, key, delta, when, bound, draw }
}

fn put_value(cache: PartId, stack: &mut Vec<i64>, draw: u64) -> Effect {
    let (version, n, key) = (OpId(pop(stack) as u64), pop(stack), pop(stack));
    Effect::PutValue { cache, key, n, version, draw }
}

fn factor(stack: &mut Vec<i64>) -> Result<i64, Reason> {
    let times = pop(stack);
    if times < 0 { Err(Reason::Arithmetic) } else { Ok(times) }
}

fn fork(
    fork: &ForkBlock,
    block: u16,
    frame: &mut Frame,
    coroutine: &mut Coroutine,
    stack: &mut Vec<i64>,
) -> Result<Stop, Reason> {
    let count = if is_par_each(fork) { pop(stack).max(0) } else { fork.branches.len() as i64 };
    if count > BRANCHES_MAX {
        return Err(Reason::Arithmetic);
    }
    if count == 0 {
        coroutine.pc = fork.after;
        return Ok(Stop::Not);
    }
    if is_par_each(fork) {
        frame.rounds_left = frame.rounds_left.checked_sub(count as u32).ok_or(Reason::Arithmetic)?;
    }
    Ok(Stop::Fork { block, count: count as u32 })
}
