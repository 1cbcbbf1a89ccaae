//! The coordinating half of a member: what it does for a client, from the first question to the last repair.

use crate::base::cause::{Cause, Causes};
use crate::base::ids::Pid;
use crate::base::op::{At, Op, Outcome, Reason, Value, When};
use crate::base::rng::{Bits, mix};
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::components::mech::station::Served;
use crate::components::replication::quorum::member::{Commit, HEADER_BYTES, LOT, Member, Message, Timer};
use crate::components::replication::quorum::plan::QuorumPlan;
use crate::components::storage::cell::{Cell, Merge, Stamp};
use crate::components::storage::rows::{Initial, RowName, apply};
use crate::components::storage::series::StoreSeries;
use crate::components::storage::{front, lineage};
use crate::record::history::attempt;
use crate::sim::context::Context;

/// The operation of a write that no operation waits for: a repair.
pub(super) const NOBODY: u64 = u64::MAX;
/// Sets what is repaired for an operation apart from what it writes.
const REPAIR: u64 = 0x7265_7061;
/// Marks the number of a hint.
const HINT: u64 = 1 << 63;

/// What a coordinator does for a client.
#[derive(Clone, Debug, Hash)]
pub(super) struct Operation {
    served: Served,
    /// Identifies the client's call, which may have its answer before all is done for it.
    substream: u64,
    pub row: RowName,
    phase: Phase,
    /// Whether the client has its answer; what follows is repair.
    answered: bool,
    /// When it began.
    began: Time,
    /// Whom it asks, a bit each.
    asked: u16,
    /// The answers to reads, by member.
    pub got: Vec<(u32, Option<Cell>)>,
    /// What all that was read comes to; then what is written.
    pub cell: Option<Cell>,
    /// What a successful write is answered with.
    written: Value,
    /// The copies that have the write safe, a bit each.
    safe: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// So many answers are needed.
    Read(u8),
    /// Our own disk first.
    Own,
    /// So many acknowledgements are needed.
    Write,
}

impl Member {
    pub(super) fn coordinate(&mut self, served: Served, ctx: &mut Context<Self>) {
        let Some(row) = served.op.row() else {
            return front::answer(self, served, Outcome::Fail(Reason::Error), &Causes::NONE, ctx);
        };
        let plan = ctx.plan();
        let reads = match served.op {
            // What was there does not matter to a blind write, nor to an addition without a condition.
            Op::Write { .. } => plan.merge != Merge::LastWrite,
            Op::Update { when: When::Always, .. } => plan.merge != Merge::Counter,
            _ => true,
        };
        let here = here(&served.op);
        let needed = match at_session(&served.op) {
            true => plan.r.max(plan.copies - plan.w + 1),
            false if here => 1,
            false => plan.r,
        };
        let substream = ctx.substream(served.call);
        let operation = Operation {
            served,
            substream,
            row,
            phase: Phase::Read(needed),
            answered: false,
            began: ctx.now(),
            asked: if here { 1 << ctx.me().member } else { whom(needed, 0, mix(substream, 0), ctx) },
            got: Vec::new(),
            cell: Cell::empty(plan.merge),
            written: Value::default(),
            safe: 0,
        };
        let key = self.operations.insert(operation);
        if self.patience.is_empty() {
            ctx.wake(plan.patience, Timer::Patience);
        }
        self.patience.push_back((ctx.monotonic() + plan.patience, key));
        if !reads {
            return self.change(key, ctx);
        }
        let (op, asked) = (self.name(key), self.operations.get(key).expect("just begun").asked);
        self.tell_each(asked, &Message::Get { op, substream, row }, HEADER_BYTES, ctx);
    }

    /// The name of an operation, for this life.
    fn name(&self, key: Key) -> u64 {
        key.to_word() ^ self.life
    }

    /// The operation of a name; there is none for a name of an earlier life.
    fn named(&self, op: u64) -> Key {
        Key::from_word(op ^ self.life)
    }

    /// A copy has answered a read.
    pub(super) fn got(&mut self, op: u64, from: Pid, cell: Option<Cell>, ctx: &mut Context<Self>) {
        let key = self.named(op);
        let Some(operation) = self.operations.get_mut(key) else { return };
        if operation.got.iter().any(|(member, _)| *member == from.member) {
            return; // a datagram that came twice
        }
        operation.got.push((from.member, cell));
        match operation.phase {
            Phase::Read(needed) if !operation.answered && operation.got.len() == needed as usize => {
                let mut seen = Cell::empty(ctx.plan().merge);
                operation.got.iter().for_each(|(_, cell)| merge_into(&mut seen, cell.as_ref()));
                operation.cell = seen;
                let op = operation.served.op;
                self.has_merged(key, ctx);
                match op {
                    Op::Read { at: At::Session, .. } => self.show_safely(key, ctx),
                    Op::Read { .. } => {
                        let seen = self.seen(key, ctx.plan());
                        self.answer(key, Outcome::Ok(seen), ctx);
                    }
                    _ => self.change(key, ctx),
                }
            }
            _ => {}
        }
        self.settle(key, ctx);
    }

    /// Shows what a session has read once W copies have it.
    fn show_safely(&mut self, key: Key, ctx: &mut Context<Self>) {
        let written = self.seen(key, ctx.plan());
        let operation = self.operations.get_mut(key).expect("it is under way");
        let have = operation.got.iter().filter(|(_, cell)| *cell == operation.cell);
        let safe = have.fold(0u16, |safe, (member, _)| safe | 1 << member);
        let missing = operation.cell.clone().filter(|_| safe.count_ones() < u32::from(ctx.plan().w));
        let Some(cell) = missing else { return self.answer(key, Outcome::Ok(written), ctx) };
        (operation.phase, operation.written, operation.safe) = (Phase::Write, written, safe);
        operation.asked = everybody(ctx);
        let (row, size, missing) = (operation.row, cell.size_bytes(), operation.asked & !safe);
        let substream = operation.substream;
        let op = self.name(key);
        (0..missing.count_ones()).for_each(|_| front::count(ctx, StoreSeries::Repairs));
        self.tell_each(missing, &Message::Put { op, substream, row, cell }, size, ctx);
    }

    /// The value that an operation has read.
    fn seen(&self, key: Key, plan: &QuorumPlan) -> Value {
        let operation = self.operations.get(key).expect("it is under way");
        let row = operation.row;
        let initial = Initial::value(&plan.store.start, row);
        operation.cell.as_ref().map_or(initial, |cell| cell.value(row, initial))
    }

    /// The operation has read what it needs: it writes.
    fn change(&mut self, key: Key, ctx: &mut Context<Self>) {
        let (plan, me) = (ctx.plan(), ctx.me().member as u8);
        let current = self.seen(key, plan);
        let operation = self.operations.get(key).expect("it is under way");
        let (outcome, written) = apply(&operation.served.op, current, attempt(operation.served.call));
        let (row, Some(value)) = (operation.row, written) else { return self.answer(key, outcome, ctx) };
        let cell = match plan.merge {
            Merge::LastWrite => {
                self.writes += 1;
                let stamp = Stamp { at: ctx.wall(), member: me, count: self.writes };
                Cell::Last { stamp, value }
            }
            Merge::Siblings | Merge::Counter => {
                // On top of all that this member has ever named, safe or on its way to the disk.
                let mut cell = self.rows.get(&row).cloned().or(Cell::empty(plan.merge)).expect("it has one");
                let ahead = self.log.iter().filter(|commit| commit.row == row);
                ahead.for_each(|commit| _ = cell.merge(&commit.cell));
                operation.cell.iter().for_each(|seen| _ = cell.merge(seen));
                let before = lineage::is_recorded(row.0, ctx).then(|| cell.clone());
                match plan.merge {
                    Merge::Counter => cell.add(me, value.n.saturating_sub(current.n)),
                    _ => cell.write(me, value),
                }
                if let Some(before) = before {
                    self.has_made(row, &before, &cell, operation.cell.as_ref(), value.version, ctx);
                }
                cell
            }
        };
        let op = self.name(key);
        let initial = Initial::value(&plan.store.start, row);
        let operation = self.operations.get_mut(key).expect("it is under way");
        operation.written = if plan.merge == Merge::Counter { cell.value(row, initial) } else { value };
        operation.cell = Some(cell.clone());
        let substream = operation.substream;
        if plan.merge == Merge::LastWrite {
            operation.phase = Phase::Write;
            operation.asked = whom(plan.w, 0, mix(substream, 1), ctx);
            let (asked, size) = (operation.asked, cell.size_bytes());
            self.tell_each(asked, &Message::Put { op, substream, row, cell }, size, ctx);
        } else {
            operation.phase = Phase::Own;
            operation.asked = whom(plan.w, 1 << me, mix(substream, 1), ctx);
            self.keep(Commit { from: ctx.me(), op, substream, row, cell }, ctx);
        }
    }

    /// A copy has a write safe.
    pub(super) fn done(&mut self, op: u64, from: Pid, ctx: &mut Context<Self>) {
        if op & HINT != 0 {
            return self.hints.retain(|_, (number, _)| *number != op);
        }
        let key = self.named(op);
        let Some(operation) = self.operations.get_mut(key) else { return };
        operation.safe |= 1 << from.member;
        if operation.phase == Phase::Own {
            operation.phase = Phase::Write;
            let (row, cell) = (operation.row, operation.cell.clone().expect("it is being written"));
            let (size, others) = (cell.size_bytes(), operation.asked & !(1 << ctx.me().member));
            let substream = operation.substream;
            self.tell_each(others, &Message::Put { op, substream, row, cell }, size, ctx);
        }
        let operation = self.operations.get(key).expect("just seen");
        if !operation.answered && operation.safe.count_ones() >= u32::from(ctx.plan().w) {
            let written = operation.written;
            self.answer(key, Outcome::Ok(written), ctx);
        }
        self.settle(key, ctx);
    }

    fn answer(&mut self, key: Key, outcome: Outcome, ctx: &mut Context<Self>) {
        let operation = self.operations.get_mut(key).expect("it is under way");
        operation.answered = true;
        let (served, spent) = (operation.served, ctx.now() - operation.began);
        front::answer(self, served, outcome, &Causes::only(Cause::Replication, spent), ctx);
        let operation = self.operations.get(key).expect("it is under way");
        let failed = !outcome.is_ok() && matches!(operation.phase, Phase::Read(_));
        if failed && !matches!(operation.served.op, Op::Read { .. }) {
            self.operations.remove(key); // its condition did not hold: nothing is written
        }
    }

    /// Ends an operation that all who were asked have answered.
    fn settle(&mut self, key: Key, ctx: &mut Context<Self>) {
        let Some(operation) = self.operations.get(key).filter(|operation| operation.answered) else { return };
        let asked = operation.asked;
        let (reads, finished) = match operation.phase {
            Phase::Read(_) => (true, operation.got.len() >= asked.count_ones() as usize),
            Phase::Own => (false, false),
            Phase::Write => (false, operation.safe & asked == asked),
        };
        if finished {
            let operation = self.operations.remove(key).expect("just seen");
            if reads {
                self.repair(&operation, ctx);
            }
        }
    }

    /// Patience with the first operations ends. The next timer is for the first one that is still under way.
    pub(super) fn patience_ends(&mut self, ctx: &mut Context<Self>) {
        while let Some((due, key)) = self.patience.front().copied() {
            let left = due.since(ctx.monotonic());
            if left > Span::ZERO && self.operations.get(key).is_some() {
                return ctx.wake(left, Timer::Patience);
            }
            self.patience.pop_front();
            self.expire(key, ctx);
        }
    }

    /// Patience with an operation ends: those who have not answered are taken for gone.
    pub(super) fn expire(&mut self, key: Key, ctx: &mut Context<Self>) {
        let Some(operation) = self.operations.get(key) else { return };
        let writes = !matches!(operation.phase, Phase::Read(_)) && !at_session(&operation.served.op);
        if !operation.answered {
            let outcome = match writes {
                false => Outcome::Fail(Reason::Timeout),
                true => Outcome::Unknown(Reason::Timeout),
            };
            self.answer(key, outcome, ctx);
        }
        let Some(operation) = self.operations.remove(key) else { return };
        match writes {
            false => self.repair(&operation, ctx),
            true => self.hint(&operation, ctx),
        }
    }

    /// Brings up to date whoever has answered with less than what all answers come to.
    fn repair(&mut self, operation: &Operation, ctx: &mut Context<Self>) {
        if !ctx.plan().repair
            || !matches!(operation.served.op, Op::Read { at: At::Primary | At::Session, .. })
        {
            return;
        }
        let mut newest = Cell::empty(ctx.plan().merge);
        operation.got.iter().for_each(|(_, cell)| merge_into(&mut newest, cell.as_ref()));
        let Some(newest) = newest.filter(|newest| Some(newest) != Cell::empty(ctx.plan().merge).as_ref())
        else {
            return;
        };
        for (member, cell) in &operation.got {
            if cell.as_ref() != Some(&newest) {
                front::count(ctx, StoreSeries::Repairs);
                let (row, cell) = (operation.row, newest.clone());
                let put = Message::Put { op: NOBODY, substream: mix(operation.substream, REPAIR), row, cell };
                self.tell(Pid::new(ctx.me().tier, *member), put, newest.size_bytes(), ctx);
            }
        }
    }

    /// Keeps a write for the copies that have not confirmed it.
    fn hint(&mut self, operation: &Operation, ctx: &mut Context<Self>) {
        let Some(every) = ctx.plan().hints else { return };
        let Some(cell) = &operation.cell else { return };
        let missing = operation.asked & !operation.safe;
        for member in (0..ctx.members()).filter(|member| missing & 1 << member != 0) {
            self.hinted += 1;
            let number = HINT | self.hinted;
            let hint = self.hints.entry((member, operation.row)).or_insert((number, cell.clone()));
            hint.0 = number;
            hint.1.merge(cell);
        }
        if !self.hints.is_empty() && !std::mem::replace(&mut self.hinting, true) {
            ctx.wake(every, Timer::Hints);
        }
    }

    pub(super) fn send_hints(&mut self, ctx: &mut Context<Self>) {
        self.hinting = !self.hints.is_empty();
        let Some(every) = ctx.plan().hints.filter(|_| self.hinting) else { return };
        self.hint_rounds += 1;
        for ((member, row), (op, cell)) in self.hints.clone() {
            front::count(ctx, StoreSeries::Hints);
            let (size, substream) = (cell.size_bytes(), mix(op, self.hint_rounds));
            self.tell(Pid::new(ctx.me().tier, member), Message::Put { op, substream, row, cell }, size, ctx);
        }
        ctx.wake(every, Timer::Hints);
    }
}

/// Whether our own copy is all that is asked.
fn here(op: &Op) -> bool {
    matches!(op, Op::Read { at, .. } if !matches!(at, At::Primary | At::Session))
}

fn at_session(op: &Op) -> bool {
    matches!(op, Op::Read { at: At::Session, .. })
}

pub(super) fn merge_into(seen: &mut Option<Cell>, cell: Option<&Cell>) {
    match (seen, cell) {
        (Some(seen), Some(cell)) => _ = seen.merge(cell),
        (seen @ None, Some(cell)) => *seen = Some(cell.clone()),
        (_, None) => {}
    }
}

/// All copies, a bit each.
fn everybody(ctx: &Context<Member>) -> u16 {
    (1 << ctx.members()) - 1
}

/// Whom an operation asks that needs so many, `surely` among them: everybody, or no more than that, by lot.
fn whom(needed: u8, surely: u16, substream: u64, ctx: &Context<Member>) -> u16 {
    let mut chosen = if ctx.plan().enough { surely } else { everybody(ctx) };
    let mut lots = ctx.serving(LOT, substream);
    while chosen.count_ones() < u32::from(needed) {
        chosen |= 1 << lots.below(u64::from(ctx.members()));
    }
    chosen
}
