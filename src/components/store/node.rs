//! The one member of an unreplicated store, as a process.
//!
//! Numbered rules:
//! 1. An operation takes effect when its service ends, in the order in which services end.
//! 2. A write is appended to the log then, and acknowledged once it is synced. While a sync is under way, further
//!    writes gather and share the next one (group commit).
//! 3. A read sees synced values alone: nobody is told what a crash could take back. Writes, updates and compares work on
//!    the newest value of the log, as if behind a lock of the row; when that is not synced yet, a condition that fails
//!    is told only after it is.
//! 4. A crash keeps what was synced and loses the rest; what was lost had been acknowledged to nobody.

use std::collections::VecDeque;

use crate::base::cause::{Cause, Causes};
use crate::base::dist::Dist;
use crate::base::ids::{CallId, SyncId};
use crate::base::op::{Op, Outcome, Reason, Value};
use crate::base::time::{Span, Time};
use crate::components::cores::{Cores, Submitted};
use crate::components::desk::{Desk, Served};
use crate::components::keyed::Keyed;
use crate::components::store::rows::{Initial, RowName, Rows, apply, attempt, row_of};
use crate::components::store::{Plan, Series};
use crate::components::{number_u32, share_ppm};
use crate::sim::context::Context;
use crate::sim::process::{Disk, Order, Process, Word};

/// Size of an answer, bytes: a row and its header.
const ANSWER_BYTES: u32 = 256;
/// Purpose of the stream for the disk's times.
const DISK: u8 = 0;
/// A snapshot takes the log's place once the log has this many records, and twice as many as there are rows: so it
/// costs a constant per write.
const LOG_MAX: usize = 1 << 16;

/// What a fault may set.
pub const SETTABLE: &[&str] = &["speed", "cores", "queue", "read", "write", "disk"];

/// The member.
#[derive(Clone, Debug, Hash)]
pub struct Node {
    rows: Rows,
    /// Values of the log that are not synced yet: the newest of each row, and how many of them there are.
    ahead: Keyed<RowName, (Value, u32)>,
    log: VecDeque<Commit>,
    /// How many commits, from the first, the sync under way covers.
    syncing: usize,
    logged: usize,
    desk: Desk,
    connected: u32,
    line: VecDeque<(CallId, Op, Time)>,
    set: Overrides,
}

/// Times that a fault has set.
#[derive(Clone, Copy, Debug, Default, Hash)]
struct Overrides {
    read: Option<Span>,
    write: Option<Span>,
    disk: Option<Span>,
}

/// An operation whose answer waits for the disk.
#[derive(Clone, Copy, Debug, Hash)]
struct Commit {
    served: Served,
    outcome: Outcome,
    row: Option<(RowName, Value)>,
    /// When it took effect.
    at: Time,
}

/// Why a store wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A service ends.
    Cores,
    /// An operation has waited for a connection for too long.
    Pool,
}

impl Word for Timer {
    fn to_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        if word == 0 { Timer::Cores } else { Timer::Pool }
    }
}

impl Process for Node {
    type Plan = Plan;
    type Message = ();
    type Timer = Timer;
    type Record = (RowName, Value);
    type Snapshot = Rows;

    fn build(plan: &Plan, _member: u32) -> Self {
        let mut cores = Cores::new(plan.cores, plan.discipline, plan.queue);
        cores.set_speed(plan.speed_ppm, Time::ZERO);
        Node {
            rows: Rows::default(),
            ahead: Keyed::default(),
            log: VecDeque::new(),
            syncing: 0,
            logged: 0,
            desk: Desk::new(cores),
            connected: 0,
            line: VecDeque::new(),
            set: Overrides::default(),
        }
    }

    fn start(&mut self, disk: &Disk<(RowName, Value), Rows>, _ctx: &mut Context<Self>) {
        self.rows = disk.snapshot.clone().unwrap_or_default();
        for (row, value) in &disk.records {
            self.rows.insert(*row, *value);
        }
        self.logged = disk.records.len();
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        match plan.pool {
            Some(pool) if self.connected >= pool.connections => {
                if self.line.len() >= pool.queue as usize {
                    return reject(call, ctx);
                }
                self.line.push_back((call, op, ctx.now() + pool.timeout));
                ctx.wake(pool.timeout, Timer::Pool);
            }
            pool => {
                if pool.is_some() {
                    self.connect(1, ctx);
                }
                if !self.admit(call, op, ctx) {
                    self.disconnect(ctx);
                }
            }
        }
        self.after_cores(ctx);
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        match timer {
            Timer::Cores => {
                while let Some(served) = self.desk.complete(ctx.now()) {
                    self.serve(served, ctx);
                }
                self.after_cores(ctx);
            }
            Timer::Pool => {
                while self.line.front().is_some_and(|first| first.2 <= ctx.now()) {
                    let (call, ..) = self.line.pop_front().expect("it is there");
                    reject(call, ctx);
                }
            }
        }
    }

    fn on_synced(&mut self, _sync: SyncId, ctx: &mut Context<Self>) {
        count(ctx, Series::Syncs);
        for _ in 0..std::mem::take(&mut self.syncing) {
            let commit = self.log.pop_front().expect("what is being synced");
            if let Some((row, value)) = commit.row {
                self.rows.insert(row, value);
                let (_, pending) = self.ahead.get_mut(&row).expect("it was ahead");
                *pending -= 1;
                if *pending == 0 {
                    self.ahead.remove(&row);
                }
            }
            self.answer(commit.served, commit.outcome, ctx.now() - commit.at, ctx);
        }
        self.sync(ctx);
        self.after_cores(ctx);
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        match order {
            Order::Flush => {}
            Order::Set { knob, value } => self.set(knob, Some(value), ctx),
            Order::Reset { knob } => self.set(knob, None, ctx),
        }
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        let (plan, now, (busy, waiting)) = (ctx.plan(), ctx.now(), self.desk.told());
        ctx.record().level(plan.series(Series::Busy), now, -busy);
        ctx.record().level(plan.series(Series::Queue), now, -waiting);
        ctx.record().level(plan.series(Series::Connected), now, -i64::from(self.connected));
    }
}

impl Node {
    /// Sets a knob, or gives it back what the design says.
    fn set(&mut self, knob: &str, value: Option<f64>, ctx: &mut Context<Self>) {
        let (plan, now, cores) = (ctx.plan(), ctx.now(), &mut self.desk.cores);
        let span = value.map(|ns| Span::from_ns(ns as u64));
        match knob {
            "speed" => cores.set_speed(value.map_or(plan.speed_ppm, share_ppm), now),
            "cores" => cores.set_cores(value.map_or(plan.cores, number_u32).max(1), now),
            "queue" => cores.set_queue_max(value.map_or(plan.queue, number_u32)),
            "read" => self.set.read = span,
            "write" => self.set.write = span,
            "disk" => self.set.disk = span,
            _ => {}
        }
        self.after_cores(ctx);
    }

    /// The value of a row, as the last synced write left it.
    pub fn value(&self, plan: &Plan, row: RowName) -> Value {
        self.rows.get(&row).copied().unwrap_or_else(|| Initial::value(&plan.start, row))
    }

    /// An operation that has a connection gets in line for a core. False if it was turned away.
    fn admit(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) -> bool {
        let (law, set, series) = match op {
            Op::Read { .. } => (&ctx.plan().read, self.set.read, Series::Reads),
            Op::Write { .. } => (&ctx.plan().write, self.set.write, Series::Writes),
            _ => (&ctx.plan().write, self.set.write, Series::Updates),
        };
        let taking = if let Op::Read { taking, .. } = op { taking } else { None };
        let demand = taking.or(set).unwrap_or_else(|| law.span(&mut ctx.draws(ctx.stem(call))));
        if self.desk.submit(call, op, demand, ctx.now()) == Submitted::Refused {
            reject(call, ctx);
            return false;
        }
        count(ctx, series);
        true
    }

    /// The operation takes effect.
    fn serve(&mut self, served: Served, ctx: &mut Context<Self>) {
        let Some(row) = row_of(&served.op) else {
            return self.answer(served, Outcome::Fail(Reason::Error), Span::ZERO, ctx);
        };
        let synced = self.value(ctx.plan(), row);
        if let Op::Read { .. } = served.op {
            return self.answer(served, Outcome::Ok(synced), Span::ZERO, ctx);
        }
        let ahead = self.ahead.get(&row).copied();
        let current = ahead.map_or(synced, |(value, _)| value);
        let (outcome, written) = apply(&served.op, current, attempt(served.call));
        if written.is_none() && ahead.is_none() {
            return self.answer(served, outcome, Span::ZERO, ctx);
        }
        if let Some(value) = written {
            self.ahead.insert(row, (value, ahead.map_or(1, |(_, pending)| pending + 1)));
            self.logged += 1;
            ctx.append((row, value));
        }
        let row = written.map(|value| (row, value));
        self.log.push_back(Commit { served, outcome, row, at: ctx.now() });
        if self.syncing == 0 {
            self.sync(ctx);
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
            for (row, value) in self.log.iter().filter_map(|commit| commit.row) {
                snapshot.insert(row, value);
            }
            ctx.snapshot(snapshot);
            self.logged = 0;
        }
        let cost = match (self.set.disk, &ctx.plan().disk) {
            (Some(set), _) => set,
            (None, Dist::Constant(ns)) => Span::from_ns((ns + 0.5) as u64),
            (None, law) => law.span(ctx.stream(DISK)),
        };
        ctx.sync(cost);
    }

    /// Answers a call and gives its connection to the next in line. What was neither queue nor core nor disk was waiting
    /// for the connection.
    fn answer(&mut self, served: Served, outcome: Outcome, disk: Span, ctx: &mut Context<Self>) {
        let elapsed = ctx.now() - ctx.arrived(served.call);
        let mut causes = Causes::only(Cause::Queue, served.queued);
        causes.add(Cause::Cpu, served.served);
        causes.add(Cause::Disk, disk);
        causes.add(Cause::Pool, elapsed - causes.total());
        ctx.reply(served.call, outcome, 0, &causes, ANSWER_BYTES);
        self.disconnect(ctx);
    }

    fn connect(&mut self, change: i64, ctx: &mut Context<Self>) {
        self.connected = self.connected.wrapping_add_signed(change as i32);
        let (series, now) = (ctx.plan().series(Series::Connected), ctx.now());
        ctx.record().level(series, now, change);
    }

    /// A connection becomes free: the next in line takes it, if there is one and the cores take it in.
    fn disconnect(&mut self, ctx: &mut Context<Self>) {
        if ctx.plan().pool.is_none() {
            return;
        }
        while let Some((call, op, _)) = self.line.pop_front() {
            if self.admit(call, op, ctx) {
                return;
            }
        }
        self.connect(-1, ctx);
    }

    /// Sets the next wake and records levels, whenever the cores may have changed.
    fn after_cores(&mut self, ctx: &mut Context<Self>) {
        let (now, plan) = (ctx.now(), ctx.plan());
        if let Some(at) = self.desk.cores.arm() {
            ctx.wake(at.since(now), Timer::Cores);
        }
        let (busy, waiting) = self.desk.changes();
        if busy != 0 {
            ctx.record().level(plan.series(Series::Busy), now, busy);
        }
        if waiting != 0 {
            ctx.record().level(plan.series(Series::Queue), now, waiting);
        }
    }
}

/// One more of a series.
fn count(ctx: &mut Context<Node>, series: Series) {
    let (series, now) = (ctx.plan().series(series), ctx.now());
    ctx.record().count(series, now, 1);
}

/// Turns an operation away, after whatever it waited for a connection.
fn reject(call: CallId, ctx: &mut Context<Node>) {
    count(ctx, Series::Rejected);
    let causes = Causes::only(Cause::Pool, ctx.now() - ctx.arrived(call));
    ctx.reply(call, Outcome::Fail(Reason::Overloaded), 0, &causes, ANSWER_BYTES);
}
