//! What every member of a store does before an operation takes effect and after: connections, cores, answers. What
//! happens between belongs to the protocol ([`Member::serve`]).

use std::collections::{BTreeSet, VecDeque};

use crate::base::cause::{Cause, Causes};
use crate::base::dist::Dist;
use crate::base::ids::CallId;
use crate::base::op::{Op, Outcome, Reason};
use crate::base::rng::mix;
use crate::base::time::{ClockTime, Span, Time};
use crate::components::mech::cores::{Cores, Submitted};
use crate::components::mech::cores::{number_u32, share_ppm};
use crate::components::mech::station::{Served, Station, Worked};
use crate::components::storage::plan::StorePlan;
use crate::components::storage::series::StoreSeries;
use crate::components::storage::transactions::is_over;
use crate::sim::context::Context;
use crate::sim::order::Order;
use crate::sim::process::Process;

/// Size of an answer, bytes: a row and its header.
pub const ANSWER_BYTES: u32 = 256;
/// Purposes of the draws for the disk's times, for clients' operations and for those of other copies. Protocols number theirs from 1
/// to 12.
const DISK: u8 = 0;
const SERVE: u8 = 13;
const HELP: u8 = 14;

/// Records of a short log: whoever starts reads them all, and some crash thousands of times in a run.
const LOG_SHORT: usize = 1 << 12;

/// What a fault may set.
pub const SETTABLE: &[&str] = &["speed", "cores", "queue", "read", "write", "disk"];

/// Whether a log on disk is so long that a snapshot shall take its place: no more often than after twice as many records as there
/// are rows, so that it costs a constant per write.
pub fn is_long(records: usize, rows: usize) -> bool {
    records >= LOG_SHORT && records >= 2 * rows
}

/// Why the front wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A service ends.
    Cores,
    /// An operation has waited for a connection for too long.
    Pool,
    /// A transaction may have waited for too long.
    Expire,
    /// The time of a lock's holder may be over.
    Locks,
}

/// A process that has a front.
pub trait Member: Process {
    /// Whether whoever is asked only coordinates: the rows are read and written by [`help`], here and elsewhere.
    const COORDINATES: bool = false;
    /// Whether an operation may be sent on to another member, which then takes it in.
    const SENDS_ON: bool = false;
    /// Its front.
    fn front(&mut self) -> &mut Front;
    /// What all stores have in common.
    fn store(plan: &Self::Plan) -> &StorePlan;
    /// How many members must be up for an operation of any kind to succeed.
    fn needs(_plan: &Self::Plan, _members: u32) -> u32 {
        1
    }
    /// A timer of the front as one of its own.
    fn timer(wake: Wake) -> Self::Timer;
    /// An operation has had its time on a core. Answer it by [`answer`], now or later.
    fn serve(&mut self, served: Served, ctx: &mut Context<Self>);
    /// A job for another copy has had its time on a core; `word` is what [`help`] was given, `work` where the time went.
    fn helped(&mut self, _word: u64, _work: &Causes, _ctx: &mut Context<Self>) {}
    /// A transaction may have waited for too long.
    fn expire(&mut self, _ctx: &mut Context<Self>) {}
    /// The time of a lock's holder may be over.
    fn look_after_locks(&mut self, _ctx: &mut Context<Self>) {}
}

/// The front's state.
#[derive(Clone, Debug, Hash)]
pub struct Front {
    station: Station<Job>,
    connected: u32,
    line: VecDeque<(CallId, Op, ClockTime)>,
    /// Transactions that have a connection.
    within: BTreeSet<u64>,
    set: Overrides,
}

/// What the cores work on.
#[derive(Clone, Copy, Debug, Hash)]
enum Job {
    /// A client's operation.
    Client(CallId, Op),
    /// Something for another copy.
    Help(u64),
    /// A step of a program that runs beside us.
    Compute(CallId),
}

/// Times that a fault has set.
#[derive(Clone, Copy, Debug, Default, Hash)]
struct Overrides {
    read: Option<Span>,
    write: Option<Span>,
    disk: Option<Span>,
}

impl Front {
    /// A front where nobody is.
    pub fn new(plan: &StorePlan) -> Self {
        let mut cores = Cores::new(plan.cores, plan.discipline, plan.queue);
        cores.set_speed(plan.speed_ppm, Time::ZERO);
        let (line, within) = (VecDeque::new(), BTreeSet::new());
        Front { station: Station::new(cores), connected: 0, line, within, set: Overrides::default() }
    }
}

/// A client's operation: it takes a connection or waits for one, then gets in line for a core. A transaction takes one when it begins and
/// keeps it.
pub fn arrive<M: Member>(member: &mut M, call: CallId, op: Op, ctx: &mut Context<M>) {
    if ctx.context(call).transaction != 0 && op != Op::Begin {
        admit(member, call, op, true, ctx);
        return after_cores(member, ctx);
    }
    let pool = M::store(ctx.plan()).pool;
    let front = member.front();
    if let Op::Compute { demand } = op {
        if front.station.take(Job::Compute(call), demand, ctx.now()) == Submitted::Refused {
            reject(call, Reason::Overloaded, ctx);
        }
        return after_cores(member, ctx);
    }
    match pool {
        Some(pool) if front.connected >= pool.connections => {
            if front.line.len() >= pool.queue as usize {
                return reject(call, Reason::Pool, ctx);
            }
            front.line.push_back((call, op, ctx.monotonic() + pool.timeout));
            lined::<M>(1, ctx);
            ctx.wake(pool.timeout, M::timer(Wake::Pool));
        }
        pool => {
            if pool.is_some() {
                connect(member, 1, ctx);
            }
            if !admit(member, call, op, true, ctx) {
                disconnect(member, ctx);
            }
        }
    }
    after_cores(member, ctx);
}

/// A timer of the front.
pub fn woken<M: Member>(member: &mut M, wake: Wake, ctx: &mut Context<M>) {
    match wake {
        Wake::Cores => {
            while let Some(Worked { job, queued, served }) = member.front().station.finish(ctx.now()) {
                let mut work = Causes::only(Cause::Queue, queued);
                work.add(Cause::Cpu, served);
                match job {
                    Job::Client(call, op) => member.serve(Served { call, op, queued, served }, ctx),
                    Job::Help(word) => member.helped(word, &work, ctx),
                    Job::Compute(call) => ctx.reply(call, Outcome::ok(0), 0, &work, 0),
                }
            }
            after_cores(member, ctx);
        }
        Wake::Pool => {
            let line = &mut member.front().line;
            while line.front().is_some_and(|first| first.2 <= ctx.monotonic()) {
                let (call, ..) = line.pop_front().expect("it is there");
                lined::<M>(-1, ctx);
                reject(call, Reason::Pool, ctx);
            }
        }
        Wake::Expire => member.expire(ctx),
        Wake::Locks => member.look_after_locks(ctx),
    }
}

/// Sets a parameter, or gives it back what the design says.
pub fn ordered<M: Member>(member: &mut M, order: Order, ctx: &mut Context<M>) {
    let (parameter, value) = match order {
        Order::Flush | Order::Drain => return,
        Order::ClockSet => return member.look_after_locks(ctx),
        Order::Set { parameter, value } => (parameter, Some(value)),
        Order::Reset { parameter } => (parameter, None),
    };
    let (plan, now, front) = (M::store(ctx.plan()), ctx.now(), member.front());
    let (cores, set) = (&mut front.station.cores, &mut front.set);
    let span = value.map(|ns| Span::from_ns(ns as u64));
    match parameter {
        "speed" => cores.set_speed(value.map_or(plan.speed_ppm, share_ppm), now),
        "cores" => cores.set_cores(value.map_or(plan.cores, number_u32).max(1), now),
        "queue" => cores.set_queue_max(value.map_or(plan.queue, number_u32)),
        "read" => set.read = span,
        "write" => set.write = span,
        "disk" => set.disk = span,
        _ => {}
    }
    after_cores(member, ctx);
}

/// A member has started.
pub fn risen<M: Member>(ctx: &mut Context<M>) {
    let (up, now) = (M::store(ctx.plan()).series(StoreSeries::Up), ctx.now());
    ctx.record().level(up, now, 1);
}

/// Takes back the levels that a crash makes untrue.
pub fn fallen<M: Member>(member: &mut M, ctx: &mut Context<M>) {
    let (up, now) = (M::store(ctx.plan()).series(StoreSeries::Up), ctx.now());
    ctx.record().level(up, now, -1);
    if ctx.record().series(up).level + 1 == i64::from(M::needs(ctx.plan(), ctx.members())) {
        count(ctx, StoreSeries::Outages);
    }
    let (plan, now, front) = (M::store(ctx.plan()), ctx.now(), member.front());
    let ((busy, waiting), connected) = (front.station.told(), i64::from(front.connected));
    let waits = front.line.len() as i64;
    ctx.record().level(plan.series(StoreSeries::Busy), now, -busy);
    ctx.record().level(plan.series(StoreSeries::Queue), now, -waiting);
    ctx.record().level(plan.series(StoreSeries::Connected), now, -connected);
    ctx.record().level(plan.series(StoreSeries::PoolWaits), now, -waits);
}

/// What the disk takes for a batch: drawn for the first thing in it that serves a call, by whose substream it is named.
pub fn disk_time<M: Member>(member: &mut M, first: Option<u64>, ctx: &mut Context<M>) -> Span {
    match (member.front().set.disk, &M::store(ctx.plan()).disk) {
        (Some(set), _) => set,
        (None, Dist::Constant(ns)) => Span::from_ns((ns + 0.5) as u64),
        (None, distribution) => drawn(distribution, DISK, first, ctx),
    }
}

/// A draw of a member for what was asked by the call of that substream; more than one copy may do it, and one again after a crash. What
/// serves no call comes from the member's stream.
pub fn drawn<M: Process>(
    distribution: &Dist,
    purpose: u8,
    substream: Option<u64>,
    ctx: &mut Context<M>,
) -> Span {
    let Some(substream) = substream else { return distribution.span(ctx.stream(purpose)) };
    let copy = u64::from(ctx.me().member) << 16 | u64::from(ctx.incarnation());
    distribution.span(&mut ctx.serving(purpose, mix(substream, copy)))
}

/// Answers a call and gives its connection to the next in line, unless it is part of a transaction. `spent` is what it took since its service ended; what
/// was neither that nor queue nor core was waiting for the connection.
pub fn answer<M: Member>(
    member: &mut M,
    served: Served,
    outcome: Outcome,
    spent: &Causes,
    ctx: &mut Context<M>,
) {
    let elapsed = ctx.now() - ctx.arrived(served.call);
    let mut causes = Causes::only(Cause::Queue, served.queued);
    causes.add(Cause::Cpu, served.served);
    causes.merge(spent);
    causes.add(Cause::Pool, elapsed - causes.total());
    let name = ctx.context(served.call).transaction;
    ctx.reply(served.call, outcome, 0, &causes, ANSWER_BYTES);
    match name {
        0 => disconnect(member, ctx),
        name if ends_transaction(&served.op, outcome) => release(member, name, ctx),
        _ => {}
    }
}

/// Whether a transaction is over by an answer to one of its operations.
fn ends_transaction(op: &Op, outcome: Outcome) -> bool {
    match (op, outcome) {
        (Op::Commit | Op::Abort, _) => true,
        (Op::Begin, outcome) => !outcome.is_ok(),
        (_, Outcome::Fail(reason)) => is_over(reason),
        _ => false,
    }
}

/// A transaction is over: its connection goes to the next in line, if it has one here.
pub fn release<M: Member>(member: &mut M, transaction: u64, ctx: &mut Context<M>) {
    if member.front().within.remove(&transaction) {
        disconnect(member, ctx);
    }
}

/// Sets the next wake and records levels, whenever the cores may have changed.
pub fn after_cores<M: Member>(member: &mut M, ctx: &mut Context<M>) {
    let (now, plan, station) = (ctx.now(), M::store(ctx.plan()), &mut member.front().station);
    let (next, (busy, waiting)) = (station.cores.arm(), station.changes());
    if let Some(at) = next {
        ctx.wake_true(at.since(now), M::timer(Wake::Cores));
    }
    if busy != 0 {
        ctx.record().level(plan.series(StoreSeries::Busy), now, busy);
    }
    if waiting != 0 {
        ctx.record().level(plan.series(StoreSeries::Queue), now, waiting);
    }
}

/// One more of a series.
pub fn count<M: Member>(ctx: &mut Context<M>, series: StoreSeries) {
    let (series, now) = (M::store(ctx.plan()).series(series), ctx.now());
    ctx.record().count(series, now, 1);
}

/// An operation that has a connection gets in line for a core. False if it was turned away. What takes no time on a core that is free
/// is served `at_once`, if that may be.
fn admit<M: Member>(member: &mut M, call: CallId, op: Op, at_once: bool, ctx: &mut Context<M>) -> bool {
    let (plan, front) = (M::store(ctx.plan()), member.front());
    let (distribution, set) = match op {
        Op::Read { .. } | Op::ReadForUpdate { .. } => (&plan.read, front.set.read),
        _ => (&plan.write, front.set.write),
    };
    let taking = match op {
        Op::Read { taking, .. } | Op::ReadForUpdate { taking, .. } => taking,
        _ => None,
    };
    let takes_none = M::COORDINATES || matches!(op, Op::Begin | Op::Commit | Op::Abort);
    let demand = match takes_none {
        true => Span::ZERO,
        false => {
            taking.or(set).unwrap_or_else(|| distribution.span(&mut ctx.serving(SERVE, ctx.substream(call))))
        }
    };
    let at_once = at_once && demand == Span::ZERO && front.station.cores.has_free();
    if !at_once && front.station.take(Job::Client(call, op), demand, ctx.now()) == Submitted::Refused {
        reject(call, Reason::Overloaded, ctx);
        return false;
    }
    if op == Op::Begin && plan.pool.is_some() {
        front.within.insert(ctx.context(call).transaction);
    }
    if !M::SENDS_ON {
        taken_in(op, ctx);
    }
    if at_once {
        member.serve(Served { call, op, queued: Span::ZERO, served: Span::ZERO }, ctx);
    }
    true
}

/// A job for another copy gets in line for a core: reading a row or writing one. Its demand is drawn from `substream`. False if
/// it was turned away.
pub fn help<M: Member>(
    member: &mut M,
    writes: bool,
    substream: u64,
    word: u64,
    ctx: &mut Context<M>,
) -> bool {
    let (plan, front) = (M::store(ctx.plan()), member.front());
    let (distribution, set) =
        if writes { (&plan.write, front.set.write) } else { (&plan.read, front.set.read) };
    let demand = set.unwrap_or_else(|| distribution.span(&mut ctx.serving(HELP, substream)));
    if front.station.take(Job::Help(word), demand, ctx.now()) == Submitted::Refused {
        return false;
    }
    after_cores(member, ctx);
    true
}

/// An operation on a row is done here, or begun.
pub fn taken_in<M: Member>(op: Op, ctx: &mut Context<M>) {
    let series = match op {
        Op::Read { .. } | Op::ReadForUpdate { .. } => StoreSeries::Reads,
        Op::Write { .. } => StoreSeries::Writes,
        Op::Update { .. } | Op::Cas { .. } => StoreSeries::Updates,
        _ => return,
    };
    count(ctx, series);
}

fn connect<M: Member>(member: &mut M, change: i64, ctx: &mut Context<M>) {
    let front = member.front();
    front.connected = front.connected.wrapping_add_signed(change as i32);
    let (series, now) = (M::store(ctx.plan()).series(StoreSeries::Connected), ctx.now());
    ctx.record().level(series, now, change);
}

/// More or fewer operations wait for a connection.
fn lined<M: Member>(change: i64, ctx: &mut Context<M>) {
    let (series, now) = (M::store(ctx.plan()).series(StoreSeries::PoolWaits), ctx.now());
    ctx.record().level(series, now, change);
}

/// A connection becomes free: the next in line takes it, if there is one and the cores take it in.
fn disconnect<M: Member>(member: &mut M, ctx: &mut Context<M>) {
    if M::store(ctx.plan()).pool.is_none() {
        return;
    }
    while let Some((call, op, _)) = member.front().line.pop_front() {
        lined::<M>(-1, ctx);
        if admit(member, call, op, false, ctx) {
            return;
        }
    }
    connect(member, -1, ctx);
}

/// Turns an operation away, after whatever it waited for a connection.
fn reject<M: Member>(call: CallId, reason: Reason, ctx: &mut Context<M>) {
    count(ctx, StoreSeries::Rejected);
    let causes = Causes::only(Cause::Pool, ctx.now() - ctx.arrived(call));
    ctx.reply(call, Outcome::Fail(reason), 0, &causes, ANSWER_BYTES);
}
