//! A member: it holds a copy, and coordinates what clients ask it.
//!
//! Numbered rules:
//! 1. A coordinator asks all N copies at once, its own among them, and goes on at the R-th answer or the W-th
//!    acknowledgement. The others' answers still count, for repair.
//! 2. A copy acknowledges a write when its disk has it, and shows readers nothing that its disk does not have.
//! 3. Update and compare-and-set read first and write then: between the two anybody may write.
//! 4. Siblings and counters name each write by its coordinator's own count, so the coordinator's disk has it before
//!    anybody else does; otherwise a crash could use a name twice.
//! 5. A copy that has not acknowledged by the end of the coordinator's patience gets the write again later, as a hint.
//!    Hints never count towards W.

use std::collections::{BTreeMap, VecDeque};

use crate::base::cause::{Cause, Causes};
use crate::base::dist::Dist;
use crate::base::ids::{CallId, Pid, SyncId};
use crate::base::op::{At, Op, Outcome, Reason, Value};
use crate::base::rng::mix;
use crate::base::slab::{Key, Slab};
use crate::base::time::{Span, Time};
use crate::components::desk::Served;
use crate::components::keyed::Keyed;
use crate::components::quorum::cell::{Cell, Merge, Stamp};
use crate::components::quorum::{Plan, Twin};
use crate::components::store::front::{self, Front, Wake};
use crate::components::store::rows::{Initial, RowName, apply, attempt, row_of};
use crate::components::store::{self, Series};
use crate::sim::context::Context;
use crate::sim::process::{Disk, Order, Payload, Process, Word};

/// Size of a message without a row, bytes.
const HEADER_BYTES: u32 = 128;
/// Purposes of the streams for the legs.
const WRITE: u8 = 1;
const ACK: u8 = 2;
const READ: u8 = 3;
const REPLY: u8 = 4;
/// The operation of a write that no operation waits for: a repair.
const NOBODY: u64 = u64::MAX;
/// Marks the number of a hint.
const HINT: u64 = 1 << 63;
/// A snapshot takes the log's place once the log has this many records, and twice as many as there are rows.
const LOG_MAX: usize = 1 << 16;

/// Rows of a copy.
type Rows = Keyed<RowName, Cell>;

/// What members tell each other. `op` is the coordinator's name for what it is about.
#[derive(Clone, Debug, Hash)]
pub enum Message {
    /// What do you have of this row?
    Get {
        /// The operation.
        op: u64,
        /// The row.
        row: RowName,
    },
    /// This.
    Got {
        /// The operation.
        op: u64,
        /// What the copy has; none if nobody has written the row.
        cell: Option<Cell>,
    },
    /// Merge this into your row.
    Put {
        /// The operation.
        op: u64,
        /// The row.
        row: RowName,
        /// What to merge.
        cell: Cell,
    },
    /// It is safe here.
    Done {
        /// The operation.
        op: u64,
    },
}

impl Payload for Message {}

/// Why a member wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// For its front.
    Front(Wake),
    /// The patience of the oldest operations may be over.
    Patience,
    /// Time to send hints.
    Hints,
}

impl Word for Timer {
    fn to_word(self) -> u64 {
        match self {
            Timer::Front(wake) => wake.to_word(),
            Timer::Patience => 2,
            Timer::Hints => 3,
        }
    }
    fn from_word(word: u64) -> Self {
        match word {
            2 => Timer::Patience,
            3 => Timer::Hints,
            front => Timer::Front(Wake::from_word(front)),
        }
    }
}

/// What a coordinator does for a client.
#[derive(Clone, Debug, Hash)]
struct Operation {
    served: Served,
    row: RowName,
    phase: Phase,
    /// Whether the client has its answer; what follows is repair.
    answered: bool,
    /// When it began.
    began: Time,
    /// The answers to reads, by member.
    got: Vec<(u32, Option<Cell>)>,
    /// What all that was read comes to; then what is written.
    cell: Option<Cell>,
    /// What a successful write is answered with.
    written: Value,
    /// The copies that have the write safe, a bit each.
    safe: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// So many answers are needed.
    Read(u8),
    /// Our own disk first.
    Own,
    /// So many acknowledgements are needed.
    Write,
}

/// Something to make safe: for whom, under which name.
#[derive(Clone, Debug, Hash)]
struct Commit {
    from: Pid,
    op: u64,
    row: RowName,
    cell: Cell,
}

/// A member.
#[derive(Clone, Debug, Hash)]
pub struct Member {
    front: Front,
    /// What our disk has.
    rows: Rows,
    log: VecDeque<Commit>,
    syncing: usize,
    logged: usize,
    /// What others have asked and our cores work on.
    jobs: Slab<(Pid, Message)>,
    operations: Slab<Operation>,
    /// Operations in the order in which patience with them ends.
    patience: VecDeque<(Time, Key)>,
    /// What copies have not confirmed: a number, and what to send.
    hints: BTreeMap<(u32, RowName), (u64, Cell)>,
    hinted: u64,
    hinting: bool,
    writes: u32,
}

impl Process for Member {
    type Plan = Plan;
    type Message = Message;
    type Timer = Timer;
    type Record = (RowName, Cell);
    type Snapshot = Rows;

    fn build(plan: &Plan, _member: u32) -> Self {
        Member {
            front: Front::new(&plan.store),
            rows: Rows::default(),
            log: VecDeque::new(),
            syncing: 0,
            logged: 0,
            jobs: Slab::default(),
            operations: Slab::default(),
            patience: VecDeque::new(),
            hints: BTreeMap::new(),
            hinted: 0,
            hinting: false,
            writes: 0,
        }
    }

    fn start(&mut self, disk: &Disk<(RowName, Cell), Rows>, _ctx: &mut Context<Self>) {
        self.rows = disk.snapshot.clone().unwrap_or_default();
        for (row, cell) in &disk.records {
            merge(&mut self.rows, *row, cell);
        }
        self.logged = disk.records.len();
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        front::arrive(self, call, op, ctx);
    }

    fn on_message(&mut self, from: Pid, message: Message, ctx: &mut Context<Self>) {
        match message {
            Message::Got { op, cell } => self.got(op, from, cell, ctx),
            Message::Done { op } => self.done(op, from, ctx),
            Message::Get { op, .. } | Message::Put { op, .. } => {
                let writes = matches!(message, Message::Put { .. });
                let stem = mix(mix(op, u64::from(from.member)), u64::from(ctx.me().member));
                let job = self.jobs.insert((from, message));
                if !front::help(self, writes, stem, job.to_word(), ctx) {
                    self.jobs.remove(job);
                }
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        match timer {
            Timer::Front(wake) => front::woken(self, wake, ctx),
            Timer::Patience => {
                while self.patience.front().is_some_and(|(due, _)| *due <= ctx.now()) {
                    let (_, key) = self.patience.pop_front().expect("it is there");
                    self.give_up(key, ctx);
                }
            }
            Timer::Hints => self.send_hints(ctx),
        }
    }

    fn on_synced(&mut self, _sync: SyncId, ctx: &mut Context<Self>) {
        front::count(ctx, Series::Syncs);
        for _ in 0..std::mem::take(&mut self.syncing) {
            let commit = self.log.pop_front().expect("what is being synced");
            merge(&mut self.rows, commit.row, &commit.cell);
            if ctx.plan().twin != Twin::AcksBeforeSync {
                self.confirm(commit.from, commit.op, ctx);
            }
        }
        self.sync(ctx);
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        front::ordered(self, order, ctx);
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        front::fallen(self, ctx);
    }
}

impl front::Member for Member {
    const COORDINATES: bool = true;

    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn store(plan: &Plan) -> &store::Plan {
        &plan.store
    }

    fn timer(wake: Wake) -> Timer {
        Timer::Front(wake)
    }

    fn serve(&mut self, served: Served, ctx: &mut Context<Self>) {
        self.coordinate(served, ctx);
    }

    fn helped(&mut self, word: u64, ctx: &mut Context<Self>) {
        match self.jobs.remove(Key::from_word(word)) {
            Some((from, Message::Get { op, row })) => {
                let cell = self.rows.get(&row).cloned();
                let size = cell.as_ref().map_or(HEADER_BYTES, Cell::size_bytes);
                send(from, Message::Got { op, cell }, size, REPLY, ctx);
            }
            Some((from, Message::Put { op, row, cell })) => self.keep(Commit { from, op, row, cell }, ctx),
            _ => {}
        }
    }
}

// ---- The copy.

impl Member {
    /// The value that this copy's disk has of a row.
    pub fn value(&self, plan: &Plan, row: RowName) -> Value {
        value(&self.rows, &plan.store.start, row)
    }

    fn keep(&mut self, commit: Commit, ctx: &mut Context<Self>) {
        ctx.append((commit.row, commit.cell.clone()));
        self.logged += 1;
        if ctx.plan().twin == Twin::AcksBeforeSync {
            self.confirm(commit.from, commit.op, ctx);
        }
        self.log.push_back(commit);
        if self.syncing == 0 {
            self.sync(ctx);
        }
    }

    fn confirm(&mut self, from: Pid, op: u64, ctx: &mut Context<Self>) {
        if op != NOBODY {
            send(from, Message::Done { op }, HEADER_BYTES, ACK, ctx);
        }
    }

    /// Begins to make safe what has gathered, if anything has.
    fn sync(&mut self, ctx: &mut Context<Self>) {
        self.syncing = self.log.len();
        if self.syncing == 0 {
            return;
        }
        if self.logged >= LOG_MAX && self.logged >= 2 * self.rows.len() {
            let mut snapshot = self.rows.clone();
            self.log.iter().for_each(|commit| merge(&mut snapshot, commit.row, &commit.cell));
            ctx.snapshot(snapshot);
            self.logged = 0;
        }
        let cost = front::disk_time(self, ctx);
        ctx.sync(cost);
    }
}

// ---- The coordinator.

impl Member {
    fn coordinate(&mut self, served: Served, ctx: &mut Context<Self>) {
        let Some(row) = row_of(&served.op) else {
            return front::answer(self, served, Outcome::Fail(Reason::Error), &Causes::NONE, ctx);
        };
        let plan = ctx.plan();
        let (here, reads) = match served.op {
            Op::Read { at, .. } => (at != At::Primary, true),
            // What was there does not matter to a blind write, nor to an addition without a condition.
            Op::Write { .. } => (false, plan.merge != Merge::LastWrite),
            Op::Update { when: crate::base::op::When::Always, .. } => (false, plan.merge != Merge::Counter),
            _ => (false, true),
        };
        let needed = if here { 1 } else { plan.r };
        let operation = Operation {
            served,
            row,
            phase: Phase::Read(needed),
            answered: false,
            began: ctx.now(),
            got: Vec::new(),
            cell: Cell::empty(plan.merge),
            written: Value::default(),
            safe: 0,
        };
        let key = self.operations.insert(operation);
        self.patience.push_back((ctx.now() + plan.patience, key));
        ctx.wake(plan.patience, Timer::Patience);
        if !reads {
            return self.change(key, ctx);
        }
        let op = key.to_word();
        if here {
            send(ctx.me(), Message::Get { op, row }, HEADER_BYTES, READ, ctx);
        } else {
            all(Message::Get { op, row }, HEADER_BYTES, READ, ctx);
        }
    }

    /// A copy has answered a read.
    fn got(&mut self, op: u64, from: Pid, cell: Option<Cell>, ctx: &mut Context<Self>) {
        let key = Key::from_word(op);
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
                match operation.served.op {
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

    /// The value that an operation has read.
    fn seen(&self, key: Key, plan: &Plan) -> Value {
        let operation = self.operations.get(key).expect("it is under way");
        let initial = Initial::value(&plan.store.start, operation.row);
        operation.cell.as_ref().map_or(initial, |cell| cell.value(initial))
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
                let stamp = Stamp { at: ctx.clock(), member: me, count: self.writes };
                Cell::Last { stamp, value }
            }
            Merge::Siblings | Merge::Counter => {
                // On top of all that this member has ever named, safe or on its way to the disk.
                let mut cell = self.rows.get(&row).cloned().or(Cell::empty(plan.merge)).expect("it has one");
                let ahead = self.log.iter().filter(|commit| commit.row == row);
                ahead.for_each(|commit| _ = cell.merge(&commit.cell));
                operation.cell.iter().for_each(|seen| _ = cell.merge(seen));
                match plan.merge {
                    Merge::Counter => cell.add(me, value.n.saturating_sub(current.n)),
                    _ => cell.write(me, value),
                }
                cell
            }
        };
        let initial = Initial::value(&plan.store.start, row);
        let operation = self.operations.get_mut(key).expect("it is under way");
        operation.written = if plan.merge == Merge::Counter { cell.value(initial) } else { value };
        operation.cell = Some(cell.clone());
        let op = key.to_word();
        if plan.merge == Merge::LastWrite {
            operation.phase = Phase::Write;
            let size = cell.size_bytes();
            all(Message::Put { op, row, cell }, size, WRITE, ctx);
        } else {
            operation.phase = Phase::Own;
            self.keep(Commit { from: ctx.me(), op, row, cell }, ctx);
        }
    }

    /// A copy has a write safe.
    fn done(&mut self, op: u64, from: Pid, ctx: &mut Context<Self>) {
        if op & HINT != 0 {
            return self.hints.retain(|_, (number, _)| *number != op);
        }
        let key = Key::from_word(op);
        let Some(operation) = self.operations.get_mut(key) else { return };
        operation.safe |= 1 << from.member;
        if operation.phase == Phase::Own {
            operation.phase = Phase::Write;
            let (row, cell) = (operation.row, operation.cell.clone().expect("it is being written"));
            let size = cell.size_bytes();
            let others = (0..ctx.members()).filter(|member| *member != ctx.me().member);
            for member in others.collect::<Vec<_>>() {
                let to = Pid::new(ctx.me().tier, member);
                send(to, Message::Put { op, row, cell: cell.clone() }, size, WRITE, ctx);
            }
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

    /// Ends an operation that all copies have answered.
    fn settle(&mut self, key: Key, ctx: &mut Context<Self>) {
        let Some(operation) = self.operations.get(key).filter(|operation| operation.answered) else { return };
        let copies = usize::from(ctx.plan().copies);
        let (here, finished) = match operation.phase {
            Phase::Read(needed) => {
                let here = matches!(operation.served.op, Op::Read { at, .. } if at != At::Primary);
                (here, operation.got.len() >= if here { usize::from(needed) } else { copies })
            }
            Phase::Own => (false, false),
            Phase::Write => (true, operation.safe.count_ones() as usize >= copies),
        };
        if finished {
            let operation = self.operations.remove(key).expect("just seen");
            if !here {
                self.repair(&operation, ctx);
            }
        }
    }

    /// Patience with an operation ends: those who have not answered are taken for gone.
    fn give_up(&mut self, key: Key, ctx: &mut Context<Self>) {
        let Some(operation) = self.operations.get(key) else { return };
        let (answered, phase) = (operation.answered, operation.phase);
        if !answered {
            let outcome = match phase {
                Phase::Read(_) => Outcome::Fail(Reason::Timeout),
                Phase::Own | Phase::Write => Outcome::Unknown(Reason::Timeout),
            };
            self.answer(key, outcome, ctx);
        }
        let Some(operation) = self.operations.remove(key) else { return };
        match operation.phase {
            Phase::Read(_) => self.repair(&operation, ctx),
            Phase::Own | Phase::Write => self.hint(&operation, ctx),
        }
    }

    /// Brings up to date whoever has answered with less than what all answers come to.
    fn repair(&mut self, operation: &Operation, ctx: &mut Context<Self>) {
        if !ctx.plan().repair || !matches!(operation.served.op, Op::Read { at: At::Primary, .. }) {
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
                front::count(ctx, Series::Repairs);
                let put = Message::Put { op: NOBODY, row: operation.row, cell: newest.clone() };
                send(Pid::new(ctx.me().tier, *member), put, newest.size_bytes(), WRITE, ctx);
            }
        }
    }

    /// Keeps a write for the copies that have not confirmed it.
    fn hint(&mut self, operation: &Operation, ctx: &mut Context<Self>) {
        let Some(every) = ctx.plan().hints else { return };
        let Some(cell) = &operation.cell else { return };
        for member in (0..ctx.members()).filter(|member| operation.safe & 1 << member == 0) {
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

    fn send_hints(&mut self, ctx: &mut Context<Self>) {
        self.hinting = !self.hints.is_empty();
        let Some(every) = ctx.plan().hints.filter(|_| self.hinting) else { return };
        for ((member, row), (number, cell)) in &self.hints {
            front::count(ctx, Series::Hints);
            let put = Message::Put { op: *number, row: *row, cell: cell.clone() };
            send(Pid::new(ctx.me().tier, *member), put, cell.size_bytes(), WRITE, ctx);
        }
        ctx.wake(every, Timer::Hints);
    }
}

fn value(rows: &Rows, start: &[Initial], row: RowName) -> Value {
    let initial = Initial::value(start, row);
    rows.get(&row).map_or(initial, |cell| cell.value(initial))
}

fn merge(rows: &mut Rows, row: RowName, cell: &Cell) {
    match rows.get_mut(&row) {
        Some(known) => _ = known.merge(cell),
        None => _ = rows.insert(row, cell.clone()),
    }
}

fn merge_into(seen: &mut Option<Cell>, cell: Option<&Cell>) {
    match (seen, cell) {
        (Some(seen), Some(cell)) => _ = seen.merge(cell),
        (seen @ None, Some(cell)) => *seen = Some(cell.clone()),
        (_, None) => {}
    }
}

/// Sends to every copy, our own included.
fn all(message: Message, size_bytes: u32, leg: u8, ctx: &mut Context<Member>) {
    for member in 0..ctx.members() {
        send(Pid::new(ctx.me().tier, member), message.clone(), size_bytes, leg, ctx);
    }
}

fn send(to: Pid, message: Message, size_bytes: u32, leg: u8, ctx: &mut Context<Member>) {
    let legs = &ctx.plan().legs;
    let law: Option<&Dist> = match leg {
        WRITE => legs.write.as_ref(),
        ACK => legs.ack.as_ref(),
        READ => legs.read.as_ref(),
        _ => legs.reply.as_ref(),
    };
    let more = law.map_or(Span::ZERO, |law| law.span(ctx.stream(leg)));
    ctx.send_after(more, to, message, size_bytes);
}
