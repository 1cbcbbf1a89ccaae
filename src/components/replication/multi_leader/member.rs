//! A member: its copy, what it does for clients, its disk.

use std::collections::{BTreeMap, VecDeque};

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, Pid, SyncId};
use crate::base::op::{Op, Outcome, Reason, Value};
use crate::base::time::{ClockTime, Time};
use crate::components::mech::keyed::Keyed;
use crate::components::mech::mutant::Mutant;
use crate::components::mech::station::Served;
use crate::components::replication::multi_leader::messages::{Change, Kept, Message, Record, Rows, Timer};
use crate::components::replication::multi_leader::plan::MultiLeaderPlan;
use crate::components::replication::multi_leader::streams::{Peer, Stream};
use crate::components::storage::cell::{Cell, Merge, Stamp};
use crate::components::storage::front;
use crate::components::storage::front::{Front, Wake};
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::{Initial, RowName, apply};
use crate::components::storage::series::StoreSeries;
use crate::record::history::attempt;
use crate::sim::context::Context;
use crate::sim::disk::Disk;
use crate::sim::order::Order;
use crate::sim::process::Process;

/// Purpose of the draws of the applier's times.
const APPLY: u8 = 1;
/// Purposes of those of lags and of the sender's turns.
const LAG: u8 = 4;
pub(super) const TURN: u8 = 5;

/// The context of a member.
pub(super) type Ctx<'a, 'b> = &'a mut Context<'b, Member>;

/// A change of another member: whose, and its number, if it is the last of those that came together.
pub(super) type Came = (u32, Option<u64>, Change);

/// Something to make safe.
#[derive(Clone, Debug, Hash)]
enum Commit {
    /// A client's operation, with its answer and what it changes; no client waits for an answer that was given already.
    Ours { served: Option<Served>, outcome: Outcome, change: Option<Change>, at: Time },
    /// A change of another member.
    Theirs(u32, Option<u64>, Change),
}

/// A member.
#[derive(Clone, Debug, Hash)]
pub struct Member {
    front: Front,
    /// What readers see.
    pub(super) rows: Rows,
    /// Rows with changes of ours that the disk does not have yet: what they come to, and how many.
    ahead: Keyed<RowName, (Cell, u32)>,
    pending: VecDeque<Commit>,
    syncing: usize,
    logged: usize,
    writes: u32,
    /// Changes of others that are safe and not merged yet.
    pub(super) applier: VecDeque<Came>,
    applying: bool,
    /// From when on the first of them may be merged, by our wall clock, once that is drawn.
    due: Option<ClockTime>,
    /// Which of our changes may leave, up to where, and whether the sender waits for its turn.
    pub(super) released: u64,
    pub(super) sending: bool,
    /// Our changes, from the one after `base` on, and up to which number they are safe.
    pub(super) log: VecDeque<Change>,
    pub(super) base: u64,
    pub(super) safe: u64,
    /// What we have sent to each other member.
    pub(super) peers: Vec<Peer>,
    /// What has come from each.
    pub(super) streams: Vec<Stream>,
}

impl Process for Member {
    type Plan = MultiLeaderPlan;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Snapshot = Kept;

    fn build(plan: &MultiLeaderPlan, _member: u32) -> Self {
        Member {
            front: Front::new(&plan.store),
            rows: Rows::default(),
            ahead: Keyed::default(),
            pending: VecDeque::new(),
            syncing: 0,
            logged: 0,
            writes: 0,
            applier: VecDeque::new(),
            applying: false,
            due: None,
            released: 0,
            sending: false,
            log: VecDeque::new(),
            base: 0,
            safe: 0,
            peers: Vec::new(),
            streams: Vec::new(),
        }
    }

    fn start(&mut self, disk: &Disk<Record, Kept>, ctx: &mut Context<Self>) {
        front::risen(ctx);
        self.streams = vec![Stream::default(); ctx.members() as usize];
        if let Some(kept) = &disk.snapshot {
            (self.rows, self.log, self.base) = (kept.rows.clone(), kept.log.clone(), kept.base);
            self.streams.iter_mut().zip(&kept.theirs).for_each(|(stream, up_to)| stream.is_at(*up_to));
        }
        for record in &disk.records {
            let (Record::Ours(change) | Record::Theirs(.., change)) = record;
            merge(&mut self.rows, change);
            match record {
                Record::Ours(change) => self.log.push_back(change.clone()),
                Record::Theirs(from, Some(number), _) => self.streams[*from as usize].is_at(*number),
                Record::Theirs(_, None, _) => {}
            }
        }
        self.logged = disk.records.len();
        self.safe = self.base + self.log.len() as u64;
        self.released = self.base;
        self.peers = vec![Peer::at(self.base); self.streams.len()];
        for from in 0..self.streams.len() {
            self.tells_progress(from as u32, self.streams[from].safe(), ctx);
        }
        self.ship(ctx);
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        front::arrive(self, call, op, ctx);
    }

    fn on_message(&mut self, from: Pid, message: Message, ctx: &mut Context<Self>) {
        match message {
            Message::Changes { after, changes } => self.came(from.member, after, changes, ctx),
            Message::Have { up_to } => self.confirmed(from.member, up_to, ctx),
            Message::Whole { up_to, rows } => self.whole_came(from.member, up_to, rows, ctx),
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        match timer {
            Timer::Front(wake) => front::woken(self, wake, ctx),
            Timer::Again(member) => self.may_send_again(member, ctx),
            Timer::Applied => {
                self.applying = false;
                self.applies_one(ctx);
                self.applies(ctx);
            }
            Timer::Due => {
                self.applying = false;
                self.applies(ctx);
            }
            Timer::Send => self.sends(ctx),
        }
    }

    fn on_synced(&mut self, _sync: SyncId, ctx: &mut Context<Self>) {
        front::count(ctx, StoreSeries::Syncs);
        for _ in 0..std::mem::take(&mut self.syncing) {
            match self.pending.pop_front().expect("what is being synced") {
                Commit::Ours { served, outcome, change, at } => {
                    if let Some(change) = change {
                        self.is_safe(&change, ctx);
                    }
                    if let Some(served) = served {
                        let disk = Causes::only(Cause::Disk, ctx.now() - at);
                        front::answer(self, served, outcome, &disk, ctx);
                    }
                }
                Commit::Theirs(from, number, change) => {
                    self.applier.push_back((from, number, change));
                    if let Some(number) = number {
                        self.streams[from as usize].is_safe(number);
                    }
                }
            }
        }
        self.confirm(ctx);
        self.ship(ctx);
        self.applies(ctx);
        self.sync(ctx);
        front::after_cores(self, ctx);
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        front::ordered(self, order, ctx);
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        front::fallen(self, ctx);
    }
}

impl front::Member for Member {
    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn store(plan: &MultiLeaderPlan) -> &StorePlan {
        &plan.store
    }

    fn timer(wake: Wake) -> Timer {
        Timer::Front(wake)
    }

    fn serve(&mut self, served: Served, ctx: &mut Context<Self>) {
        let Some(row) = served.op.row() else {
            return front::answer(self, served, Outcome::Fail(Reason::Error), &Causes::NONE, ctx);
        };
        if let Op::Read { .. } = served.op {
            let seen = self.value(ctx.plan(), row);
            return front::answer(self, served, Outcome::Ok(seen), &Causes::NONE, ctx);
        }
        let (outcome, change) = self.writes(&served, row, ctx);
        let ahead = self.ahead.get(&row).is_some();
        if change.is_none() && !ahead {
            return front::answer(self, served, outcome, &Causes::NONE, ctx);
        }
        let early = ctx.plan().store.mutant == Mutant::AcksEarly;
        if early {
            front::answer(self, served, outcome, &Causes::NONE, ctx);
        }
        if let Some(change) = &change {
            ctx.append(Record::Ours(change.clone()));
            self.logged += 1;
        }
        let served = Some(served).filter(|_| !early);
        self.pending.push_back(Commit::Ours { served, outcome, change, at: ctx.now() });
        self.sync(ctx);
    }
}

impl Member {
    /// What readers see of a row.
    pub fn value(&self, plan: &MultiLeaderPlan, row: RowName) -> Value {
        let initial = Initial::value(&plan.store.start, row);
        self.rows.get(&row).map_or(initial, |cell| cell.value(row, initial))
    }

    /// An operation takes effect on this copy: its answer, and what it changes.
    fn writes(&mut self, served: &Served, row: RowName, ctx: Ctx) -> (Outcome, Option<Change>) {
        let (plan, me) = (ctx.plan(), ctx.me().member as u8);
        let initial = Initial::value(&plan.store.start, row);
        let ahead = self.ahead.get(&row);
        let known = ahead.map(|(cell, _)| cell).or(self.rows.get(&row)).cloned().or(Cell::empty(plan.merge));
        let current = known.as_ref().map_or(initial, |cell| cell.value(row, initial));
        let (outcome, written) = apply(&served.op, current, attempt(served.call));
        let Some(value) = written else { return (outcome, None) };
        let mut cell = match plan.merge {
            Merge::LastWrite => {
                self.writes += 1;
                Cell::Last { stamp: Stamp { at: ctx.wall(), member: me, count: self.writes }, value }
            }
            Merge::Siblings | Merge::Counter => known.clone().expect("these begin empty"),
        };
        match plan.merge {
            Merge::LastWrite => {}
            Merge::Siblings => cell.write(me, value),
            Merge::Counter => cell.add(me, value.n.saturating_sub(current.n)),
        }
        let outcome = match plan.merge {
            Merge::Counter => Outcome::Ok(cell.value(row, initial)),
            _ => outcome,
        };
        let pending = ahead.map_or(1, |(_, pending)| pending + 1);
        let change = Change { row, cell, at: ctx.wall(), substream: ctx.substream(served.call) };
        self.has_numbered(ctx);
        self.has_made(&change, known.as_ref(), value.version, ctx);
        let mut together = known.unwrap_or_else(|| change.cell.clone());
        together.merge(&change.cell);
        self.ahead.insert(row, (together, pending));
        self.log.push_back(change.clone());
        (outcome, Some(change))
    }

    /// Our disk has a change of ours: readers see it.
    fn is_safe(&mut self, change: &Change, ctx: Ctx) {
        self.safe += 1;
        self.takes_in(change, ctx);
        let (_, pending) = self.ahead.get_mut(&change.row).expect("it was ahead");
        *pending -= 1;
        if *pending == 0 {
            self.ahead.remove(&change.row);
        }
    }

    /// A change of another member is to be made safe.
    pub(super) fn keeps(&mut self, from: u32, number: Option<u64>, change: Change, ctx: Ctx) {
        ctx.append(Record::Theirs(from, number, change.clone()));
        self.logged += 1;
        self.pending.push_back(Commit::Theirs(from, number, change));
    }

    /// Sets the applier to work.
    fn applies(&mut self, ctx: Ctx) {
        let (plan, me) = (ctx.plan(), ctx.me().member);
        while let Some((_, _, change)) = self.applier.front().filter(|_| !self.applying) {
            if let Some(distribution) = plan.lag.at(me) {
                let at = change.at;
                let substream = change.identity();
                let due = self.due.unwrap_or_else(|| at + front::drawn(distribution, LAG, substream, ctx));
                self.due = Some(due);
                if due > ctx.wall() {
                    self.applying = true;
                    return ctx.wake(due.since(ctx.wall()), Timer::Due);
                }
            }
            match plan.apply.at(me) {
                None => self.applies_one(ctx),
                Some(distribution) => {
                    self.applying = true;
                    let substream = self.applier.front().and_then(|(_, _, change)| change.identity());
                    let span = front::drawn(distribution, APPLY, substream, ctx);
                    ctx.wake_true(span, Timer::Applied);
                }
            }
        }
    }

    /// A change of another member takes effect on this copy. What is ahead of the disk is built on it too.
    fn applies_one(&mut self, ctx: Ctx) {
        let Some((from, number, change)) = self.applier.pop_front() else { return };
        self.due = None;
        self.takes_in(&change, ctx);
        if let Some(number) = number {
            self.tells_progress(from, number, ctx);
        }
        if let Some((ahead, _)) = self.ahead.get_mut(&change.row) {
            let before = ahead.clone();
            ahead.merge(&change.cell);
            let ahead = ahead.clone();
            self.has_merged_ahead(change.row, &before, &change.cell, &ahead, ctx);
        }
    }

    /// Begins to make safe what has gathered, unless a sync is under way.
    pub(super) fn sync(&mut self, ctx: Ctx) {
        if self.syncing > 0 || self.pending.is_empty() {
            return;
        }
        self.syncing = self.pending.len();
        if front::is_long(self.logged, self.rows.len()) {
            ctx.snapshot(self.kept());
            self.logged = 0;
        }
        let first = match self.pending.front() {
            Some(Commit::Ours { change, .. }) => change.as_ref().and_then(Change::identity),
            Some(Commit::Theirs(.., change)) => change.identity(),
            None => None,
        };
        let cost = front::disk_time(self, first, ctx);
        ctx.sync(cost);
    }

    /// All that is on disk or on its way there.
    fn kept(&self) -> Kept {
        let mut rows = self.rows.clone();
        let mut theirs: Vec<u64> = self.streams.iter().map(Stream::safe).collect();
        self.applier.iter().for_each(|(_, _, change)| merge(&mut rows, change));
        for commit in &self.pending {
            match commit {
                Commit::Ours { change, .. } => change.iter().for_each(|change| merge(&mut rows, change)),
                Commit::Theirs(from, number, change) => {
                    merge(&mut rows, change);
                    theirs[*from as usize] = number.unwrap_or(theirs[*from as usize]);
                }
            }
        }
        Kept { rows, log: self.log.clone(), base: self.base, theirs }
    }
}

/// Takes a change into rows.
pub(super) fn merge(rows: &mut Rows, change: &Change) {
    match rows.get_mut(&change.row) {
        Some(known) => _ = known.merge(&change.cell),
        None => _ = rows.insert(change.row, change.cell.clone()),
    }
}

/// Changes that came before those before them, by the number of the last one before them.
pub(super) type Early = BTreeMap<u64, Vec<Change>>;
