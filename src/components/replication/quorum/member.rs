//! A member: it holds a copy, and coordinates what clients ask it.
//!
//! Numbered rules:
//! 1. A coordinator asks all N copies at once, its own among them, and goes on at the R-th answer or the W-th
//!    acknowledgement. The others' answers still count, for repair. (Or it asks no more than R or W, by lot: `ask=enough`.)
//! 2. A copy acknowledges a write when its disk has it, and shows readers nothing that its disk does not have.
//! 3. Update and compare-and-set read first and write then: between the two anybody may write.
//! 4. Siblings and counters name each write by its coordinator's own count, so the coordinator's disk has it before
//!    anybody else does; otherwise a crash could use a name twice. Operations under way are forgotten by a crash: their names are
//!    of one life, so that late answers are none to what is asked later.
//! 5. A copy that has not acknowledged by the end of the coordinator's patience gets the write again later, as a hint.
//!    Hints never count towards W.
//! 6. A read `at session` meets every acknowledged write, so its customer's too: it asks at least N − W + 1 copies. And what it shows stays
//!    seen: a value that fewer than W of them have is made safe in W copies before it is shown (Attiya, Bar-Noy, Dolev 1995).

use std::collections::{BTreeMap, VecDeque};

use crate::base::cause::Causes;
use crate::base::ids::{CallId, Pid, SyncId};
use crate::base::op::{Op, Value};
use crate::base::rng::{Bits, mix};
use crate::base::slab::{Key, Slab};
use crate::base::time::ClockTime;
use crate::components::mech::keyed::Keyed;
use crate::components::mech::mutant::Mutant;
use crate::components::mech::station::Served;
use crate::components::replication::quorum::coordinator::{NOBODY, Operation};
use crate::components::replication::quorum::plan::QuorumPlan;
use crate::components::storage::cell::Cell;
use crate::components::storage::front;
use crate::components::storage::front::{Front, Wake};
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::{Initial, RowName};
use crate::components::storage::series::StoreSeries;
use crate::sim::context::Context;
use crate::sim::disk::Disk;
use crate::sim::order::Order;
use crate::sim::payload::{Payload, Word};
use crate::sim::process::Process;

/// Size of a message without a row, bytes.
pub(super) const HEADER_BYTES: u32 = 128;
/// Purpose of the stream of lives.
const LIFE: u8 = 5;
/// Purpose of the draws of lots.
pub(super) const LOT: u8 = 6;

/// Rows of a copy.
type Rows = Keyed<RowName, Cell>;

/// What members tell each other. `op` is the coordinator's name for what it is about; `substream` identifies what all of it is done for.
#[derive(Clone, Debug, Hash)]
pub enum Message {
    /// What do you have of this row?
    Get {
        /// The operation.
        op: u64,
        /// What it is for.
        substream: u64,
        /// The row.
        row: RowName,
    },
    /// This.
    Got {
        /// The operation.
        op: u64,
        /// What it is for.
        substream: u64,
        /// What the copy has; none if nobody has written the row.
        cell: Option<Cell>,
    },
    /// Merge this into your row.
    Put {
        /// The operation.
        op: u64,
        /// What it is for.
        substream: u64,
        /// The row.
        row: RowName,
        /// What to merge.
        cell: Cell,
    },
    /// It is safe here.
    Done {
        /// The operation.
        op: u64,
        /// What it is for.
        substream: u64,
    },
}

impl Payload for Message {
    type Sent = [u32; 4];

    fn purpose(&self) -> u8 {
        match self {
            Message::Get { .. } => 0,
            Message::Got { .. } => 1,
            Message::Put { .. } => 2,
            Message::Done { .. } => 3,
        }
    }

    fn doubled(&mut self) {
        let (Message::Get { substream, .. }
        | Message::Got { substream, .. }
        | Message::Put { substream, .. }
        | Message::Done { substream, .. }) = self;
        *substream = mix(*substream, DOUBLED);
    }
}

/// Sets what is drawn for a second copy of a datagram apart from what is for the first.
const DOUBLED: u64 = 0x646f_7562;

impl Message {
    /// What it is for.
    fn substream(&self) -> u64 {
        let (Message::Get { substream, .. }
        | Message::Got { substream, .. }
        | Message::Put { substream, .. }
        | Message::Done { substream, .. }) = self;
        *substream
    }
}

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

/// Something to make safe: for whom, under which name.
#[derive(Clone, Debug, Hash)]
pub(super) struct Commit {
    pub from: Pid,
    pub op: u64,
    pub substream: u64,
    pub row: RowName,
    pub cell: Cell,
}

/// A member.
#[derive(Clone, Debug, Hash)]
pub struct Member {
    front: Front,
    /// What our disk has.
    pub(super) rows: Rows,
    pub(super) log: VecDeque<Commit>,
    syncing: usize,
    logged: usize,
    /// What others have asked and our cores work on.
    jobs: Slab<(Pid, Message)>,
    pub(super) operations: Slab<Operation>,
    /// Operations in the order in which patience with them ends. A timer runs for the first one.
    pub(super) patience: VecDeque<(ClockTime, Key)>,
    /// What copies have not confirmed: a number, and what to send.
    pub(super) hints: BTreeMap<(u32, RowName), (u64, Cell)>,
    pub(super) hinted: u64,
    pub(super) hinting: bool,
    /// How often they were sent.
    pub(super) hint_rounds: u64,
    pub(super) writes: u32,
    /// Sets what we name in this life apart from what we named before a crash: answers to that may still come.
    pub(super) life: u64,
}

impl Process for Member {
    type Plan = QuorumPlan;
    type Message = Message;
    type Timer = Timer;
    type Record = (RowName, Cell);
    type Snapshot = Rows;

    fn build(plan: &QuorumPlan, _member: u32) -> Self {
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
            hint_rounds: 0,
            writes: 0,
            life: 0,
        }
    }

    fn start(&mut self, disk: &Disk<(RowName, Cell), Rows>, ctx: &mut Context<Self>) {
        front::risen(ctx);
        self.life = ctx.stream(LIFE).bits() >> 1;
        self.hinted = self.life >> 1;
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
            Message::Got { op, cell, .. } => self.got(op, from, cell, ctx),
            Message::Done { op, .. } => self.done(op, from, ctx),
            Message::Get { substream, .. } | Message::Put { substream, .. } => {
                let writes = matches!(message, Message::Put { .. });
                let substream = mix(mix(substream, u64::from(writes)), u64::from(ctx.me().member));
                let job = self.jobs.insert((from, message));
                if !front::help(self, writes, substream, job.to_word(), ctx) {
                    self.jobs.remove(job);
                    front::count(ctx, StoreSeries::Dropped);
                }
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        match timer {
            Timer::Front(wake) => front::woken(self, wake, ctx),
            Timer::Patience => self.patience_ends(ctx),
            Timer::Hints => self.send_hints(ctx),
        }
    }

    fn on_synced(&mut self, _sync: SyncId, ctx: &mut Context<Self>) {
        front::count(ctx, StoreSeries::Syncs);
        for _ in 0..std::mem::take(&mut self.syncing) {
            let commit = self.log.pop_front().expect("what is being synced");
            self.takes_in(commit.row, &commit.cell, ctx);
            if ctx.plan().store.mutant != Mutant::AcksEarly {
                self.confirm(commit.from, commit.op, commit.substream, ctx);
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

    fn store(plan: &QuorumPlan) -> &StorePlan {
        &plan.store
    }

    fn needs(plan: &QuorumPlan, _: u32) -> u32 {
        u32::from(plan.r.max(plan.w))
    }

    fn timer(wake: Wake) -> Timer {
        Timer::Front(wake)
    }

    fn serve(&mut self, served: Served, ctx: &mut Context<Self>) {
        self.coordinate(served, ctx);
    }

    fn helped(&mut self, word: u64, _work: &Causes, ctx: &mut Context<Self>) {
        match self.jobs.remove(Key::from_word(word)) {
            Some((from, Message::Get { op, substream, row })) => {
                let cell = self.rows.get(&row).cloned();
                let size = cell.as_ref().map_or(HEADER_BYTES, Cell::size_bytes);
                self.tell(from, Message::Got { op, substream, cell }, size, ctx);
            }
            Some((from, Message::Put { op, substream, row, cell })) => {
                self.keep(Commit { from, op, substream, row, cell }, ctx);
            }
            _ => {}
        }
    }
}

impl Member {
    /// The value that this copy's disk has of a row.
    pub fn value(&self, plan: &QuorumPlan, row: RowName) -> Value {
        value(&self.rows, &plan.store.start, row)
    }

    /// Sends a message to these copies, perhaps our own among them.
    pub(super) fn tell_each(
        &mut self,
        members: u16,
        message: &Message,
        size_bytes: u32,
        ctx: &mut Context<Self>,
    ) {
        for member in (0..ctx.members()).filter(|member| members & 1 << member != 0) {
            self.tell(Pid::new(ctx.me().tier, member), message.clone(), size_bytes, ctx);
        }
    }

    /// Sends a message to a copy; our own takes it in at once, unless the leg takes time.
    pub(super) fn tell(&mut self, to: Pid, message: Message, size_bytes: u32, ctx: &mut Context<Self>) {
        let legs = &ctx.plan().legs;
        let leg = match message {
            Message::Get { .. } => &legs.read,
            Message::Got { .. } => &legs.reply,
            Message::Put { .. } => &legs.write,
            Message::Done { .. } => &legs.ack,
        };
        if to == ctx.me() && leg.is_none() {
            return self.on_message(to, message, ctx);
        }
        ctx.send_for(message.substream(), leg.as_ref(), to, message, size_bytes);
    }

    pub(super) fn keep(&mut self, commit: Commit, ctx: &mut Context<Self>) {
        ctx.append((commit.row, commit.cell.clone()));
        self.logged += 1;
        if ctx.plan().store.mutant == Mutant::AcksEarly {
            self.confirm(commit.from, commit.op, commit.substream, ctx);
        }
        self.log.push_back(commit);
        if self.syncing == 0 {
            self.sync(ctx);
        }
    }

    fn confirm(&mut self, from: Pid, op: u64, substream: u64, ctx: &mut Context<Self>) {
        if op != NOBODY {
            self.tell(from, Message::Done { op, substream }, HEADER_BYTES, ctx);
        }
    }

    /// Begins to make safe what has gathered, if anything has.
    fn sync(&mut self, ctx: &mut Context<Self>) {
        self.syncing = self.log.len();
        if self.syncing == 0 {
            return;
        }
        if front::is_long(self.logged, self.rows.len()) {
            let mut snapshot = self.rows.clone();
            self.log.iter().for_each(|commit| merge(&mut snapshot, commit.row, &commit.cell));
            ctx.snapshot(snapshot);
            self.logged = 0;
        }
        let first = self.log.front().map(|commit| commit.substream);
        let cost = front::disk_time(self, first, ctx);
        ctx.sync(cost);
    }
}

fn value(rows: &Rows, start: &[Initial], row: RowName) -> Value {
    let initial = Initial::value(start, row);
    rows.get(&row).map_or(initial, |cell| cell.value(row, initial))
}

pub(super) fn merge(rows: &mut Rows, row: RowName, cell: &Cell) {
    match rows.get_mut(&row) {
        Some(known) => _ = known.merge(cell),
        None => _ = rows.insert(row, cell.clone()),
    }
}
