//! Carries out what programs ask for: threads, cores, waits; calls go through `pending`.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, PartId, ProbeId, ProgramId};
use crate::base::op::{Failure, Op, Outcome, Reason, Reply};
use crate::base::session::Session;
use crate::base::slab::{Key, Slab};
use crate::base::time::Time;
use crate::components::directory::{Avoided, Leading};
use crate::components::mech::cores::share_ppm;
use crate::components::mech::cores::{Cores, Submitted};
use crate::components::runtime::hold::Holds;
use crate::components::runtime::pending_call::{Later, PendingCall};
use crate::components::runtime::plan::{RuntimePlan, ServerSeries};
use crate::components::runtime::pool::Connections;
use crate::components::runtime::right::Rights;
use crate::components::runtime::transaction::Transactions;
use crate::program::instr::{Effect, Ending, Input};
use crate::program::interpret::Frames;
use crate::program::interpret::ids::CoroutineId;
use crate::record::ended::{Ended, Finished};
use crate::sim::context::Context;
use crate::sim::order::Order;
use crate::sim::process::Process;

/// The timer that wakes the cores; all others are keys of [`Later`].
const CORES: u64 = u64::MAX;

/// One app server.
#[derive(Clone, Debug, Hash)]
pub struct Server {
    pub(super) frames: Frames,
    /// How many coroutines it was last said to have.
    counted: usize,
    cores: Cores,
    /// Busy cores as last recorded.
    busy: u32,
    /// Jobs that wait for a core, as last recorded.
    runnable: u32,
    threads_busy: u32,
    waiting: VecDeque<CallId>,
    activations: Slab<Activation>,
    pub(super) pending_calls: Slab<PendingCall>,
    pub(super) later: Slab<Later>,
    pub(super) pools: BTreeMap<PartId, Connections>,
    /// Rebuilds that others of this process wait for: the pending calls that do.
    pub(super) flights: BTreeMap<(PartId, i64), Vec<Key>>,
    /// What programs hold that were told to fill a cache.
    pub(super) rights: Rights,
    /// Coroutines that can go on now.
    pub(super) ready: VecDeque<(CoroutineId, Input)>,
    pub(super) transactions: Transactions,
    pub(super) holds: Holds,
    pub(super) avoided: Avoided,
    pub(super) leading: Leading,
}

/// What a frame runs for.
#[derive(Clone, Debug, Hash)]
enum Activation {
    /// A request; `queued` has been charged.
    Request { call: CallId, program: ProgramId, arrived: Time, on_behalf: Session },
    /// A rebuild of a cache's entry, for a pending call.
    Rebuild { pending: Key, program: ProgramId, began: Time, on_behalf: Session },
}

pub(super) type Ctx<'a, 'b> = &'a mut Context<'b, Server>;

impl Process for Server {
    type Plan = RuntimePlan;
    type Message = Infallible;
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(plan: &RuntimePlan, _: u32) -> Self {
        let mut cores = Cores::new(plan.cores, plan.discipline, u32::MAX);
        cores.set_speed(plan.speed_ppm, Time::ZERO);
        Server {
            frames: Frames::default(),
            counted: 0,
            cores,
            busy: 0,
            runnable: 0,
            threads_busy: 0,
            waiting: VecDeque::new(),
            activations: Slab::default(),
            pending_calls: Slab::default(),
            later: Slab::default(),
            pools: BTreeMap::new(),
            flights: BTreeMap::new(),
            rights: Rights::new(),
            ready: VecDeque::new(),
            transactions: Transactions::default(),
            holds: Holds::default(),
            avoided: Avoided::default(),
            leading: Leading::default(),
        }
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        if self.threads_busy < plan.threads {
            self.begin(call, op, ctx);
            self.resume(ctx);
        } else if (self.waiting.len() as u64) < plan.queue {
            self.waiting.push_back(call);
            level(ServerSeries::Queued, 1, ctx);
        } else {
            count(ServerSeries::Refused, ctx);
            ctx.reply(call, Outcome::Fail(Reason::Overloaded), 0, &Causes::NONE, 0);
        }
    }

    fn on_reply(&mut self, call: CallId, tag: u64, reply: Reply, ctx: &mut Context<Self>) {
        let now = ctx.now();
        ctx.record().history.returned(call, now, reply.outcome);
        self.pending_answered(Key::from_word(tag), reply, ctx);
        self.resume(ctx);
    }

    fn on_late(&mut self, _: CallId, _: u64, op: Op, ctx: &mut Context<Self>) {
        let Op::Run { program, .. } = op else { return };
        // A dependency outside runs none of our programs.
        if let Some(probe) = ctx.plan().probes.get(program.index()).copied().flatten() {
            let now = ctx.now();
            ctx.record().late(probe, now);
        }
    }

    fn on_timer(&mut self, timer: u64, ctx: &mut Context<Self>) {
        if timer == CORES {
            self.cores_done(ctx);
        } else {
            match self.later.remove(Key::from_word(timer)) {
                Some(Later::Wait { coroutine, since }) => {
                    self.frames.spend(coroutine, Cause::Wait, ctx.now() - since);
                    self.ready.push_back((coroutine, Input::Go));
                }
                Some(Later::Again { pending }) => self.call_again(pending, ctx),
                Some(Later::PoolTimeout { pending }) => self.pool_timeout(pending, ctx),
                Some(Later::Transaction { coroutine, since }) => {
                    self.transaction_again(coroutine, since, ctx)
                }
                Some(Later::Lock { pending, hold }) => self.lock_again(pending, hold, ctx),
                Some(Later::Renew { hold }) => self.renew(hold, ctx),
                Some(Later::Reconnect { part, member }) => self.reconnect(part, member, ctx),
                None => {}
            }
        }
        self.resume(ctx);
    }

    /// What was under way is over, and nobody knows how far it came.
    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        level(ServerSeries::Busy, -i64::from(self.busy), ctx);
        level(ServerSeries::Threads, -i64::from(self.threads_busy), ctx);
        level(ServerSeries::Queued, -(self.waiting.len() as i64), ctx);
        level(ServerSeries::Runnable, -i64::from(self.runnable), ctx);
        self.pools_fall(ctx);
        self.drops_holds(ctx);
        ctx.count_coroutines(std::mem::take(&mut self.counted), 0);
        let ended = ctx.now();
        for (_, activation) in self.activations.iter() {
            let (Activation::Request { program, arrived: intended, .. }
            | Activation::Rebuild { program, began: intended, .. }) = activation;
            if let Some(probe) = ctx.plan().probes[program.index()] {
                let causes = Causes::only(Cause::Timeout, ended - *intended);
                let request =
                    Finished { intended: *intended, ended, how: Ended::Unknown, attempts: 1, causes };
                let at = ctx.me().tier;
                ctx.record().failed(probe, *intended, ended, Reason::Reset, at);
                ctx.record().finished(probe, request);
            }
        }
    }

    fn under_way(&self, plan: &RuntimePlan, tell: &mut dyn FnMut(ProbeId, Time)) {
        for (_, activation) in self.activations.iter() {
            let (Activation::Request { program, arrived: intended, .. }
            | Activation::Rebuild { program, began: intended, .. }) = activation;
            if let Some(probe) = plan.probes[program.index()] {
                tell(probe, *intended);
            }
        }
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        let speed_ppm = match order {
            Order::Set { parameter: "speed", value } => share_ppm(value),
            Order::Reset { parameter: "speed" } => ctx.plan().speed_ppm,
            _ => return,
        };
        self.cores.set_speed(speed_ppm, ctx.now());
        self.arm(ctx);
    }
}

impl Server {
    /// A request gets a thread.
    fn begin(&mut self, call: CallId, op: Op, ctx: Ctx) {
        let Op::Run { program, args } = op else {
            let held = Causes::only(Cause::Queue, ctx.now() - ctx.arrived(call));
            return ctx.reply(call, Outcome::Fail(Reason::Error), 0, &held, 0);
        };
        let plan = ctx.plan();
        let (now, arrived, substream) = (ctx.now(), ctx.arrived(call), ctx.substream(call));
        self.threads_busy += 1;
        level(ServerSeries::Threads, 1, ctx);
        if let Some(probe) = plan.probes[program.index()] {
            ctx.record().started(probe, arrived, now);
        }
        let on_behalf = ctx.context(call).session;
        let activation = Activation::Request { call, program, arrived, on_behalf };
        let host = self.activations.insert(activation).to_word();
        let coroutine = self.frames.begin(&plan.programs, program, args, substream, host);
        self.frames.spend(coroutine, Cause::Queue, now - arrived);
        self.ready.push_back((coroutine, Input::Go));
    }

    /// Begins a rebuild for a pending call, in the thread of the request that needs it (or in the background).
    pub(super) fn rebuild(
        &mut self,
        pending: Key,
        program: ProgramId,
        args: [i64; 3],
        substream: u64,
        ctx: Ctx,
    ) {
        let plan = ctx.plan();
        let began = ctx.now();
        count(ServerSeries::Rebuilds, ctx);
        if let Some(probe) = plan.probes[program.index()] {
            ctx.record().started(probe, began, began);
        }
        let on_behalf = self.on_behalf(pending);
        let activation = Activation::Rebuild { pending, program, began, on_behalf };
        let host = self.activations.insert(activation).to_word();
        let coroutine = self.frames.begin(&plan.programs, program, args, substream, host);
        self.ready.push_back((coroutine, Input::Go));
    }

    /// The customer that a coroutine works for.
    pub(super) fn session(&mut self, coroutine: CoroutineId) -> Option<&mut Session> {
        let activation = self.frames.host(coroutine)?;
        match self.activations.get_mut(Key::from_word(activation))? {
            Activation::Request { on_behalf, .. } | Activation::Rebuild { on_behalf, .. } => Some(on_behalf),
        }
    }

    /// Runs every coroutine that can go on, until none can.
    fn resume(&mut self, ctx: Ctx) {
        let plan = ctx.plan();
        while let Some((coroutine, input)) = self.ready.pop_front() {
            if self.frames.host(coroutine).is_none() {
                continue; // abandoned meanwhile
            }
            let effect = self.frames.resume(&plan.programs, coroutine, input);
            let forked = matches!(effect, Effect::Forked);
            self.perform(coroutine, effect, ctx);
            self.cut_off(ctx);
            self.release_ended(ctx);
            if forked && !self.count(ctx) {
                return; // one event alone can make millions of branches
            }
        }
        self.count(ctx);
    }

    /// Says how many coroutines there are; false if there are too many in the world.
    fn count(&mut self, ctx: Ctx) -> bool {
        let now = self.frames.coroutines();
        ctx.count_coroutines(std::mem::replace(&mut self.counted, now), now)
    }

    fn perform(&mut self, coroutine: CoroutineId, effect: Effect, ctx: Ctx) {
        let now = ctx.now();
        match effect {
            Effect::Cpu { distribution, times, draw } => {
                let demand = self.demand(coroutine, distribution, times, draw, ctx);
                self.compute(coroutine, demand, draw, ctx);
            }
            Effect::Wait { distribution, times, draw } => {
                let span = self.demand(coroutine, distribution, times, draw, ctx);
                let timer = self.later.insert(Later::Wait { coroutine, since: now });
                ctx.wake(span, timer.to_word());
            }
            Effect::Tally { tally, key, by } => {
                ctx.record().tally(tally, key, now, by);
                self.ready.push_back((coroutine, Input::Go));
            }
            Effect::Forked => {
                while let Some(child) = self.frames.spawned() {
                    self.ready.push_back((child, Input::Go));
                }
            }
            Effect::Parked => {}
            Effect::Joined { parent, failed } => {
                while self.frames.abandoned().is_some() {} // what they wait for comes to nobody
                self.ready.push_back((parent, failed.map_or(Input::Go, Input::Failed)));
            }
            Effect::Done(ending) => self.done(coroutine, ending, ctx),
            Effect::Acquire { lock, key, hold, draw } => self.acquire(coroutine, lock, key, hold, draw, ctx),
            Effect::Begin { .. } | Effect::Commit { .. } | Effect::Abort { .. } => {
                self.transact(coroutine, effect, ctx);
            }
            pending => self.send(coroutine, pending, ctx),
        }
    }

    /// A draw of a distribution of the coroutine's program, `times` times.
    pub(super) fn demand(
        &self,
        coroutine: CoroutineId,
        distribution: u16,
        times: i64,
        draw: u64,
        ctx: Ctx,
    ) -> crate::base::time::Span {
        let program = self.frames.program(coroutine).expect("it runs");
        let distribution = &ctx.plan().programs.0[program.index()].distributions[distribution as usize];
        let mut draws = ctx.draws(draw);
        distribution.span(&mut draws) * times as u64
    }

    fn compute(&mut self, coroutine: CoroutineId, demand: crate::base::time::Span, draw: u64, ctx: Ctx) {
        if let Some(store) = ctx.plan().beside {
            return self.compute_at_store(coroutine, store, demand, draw, ctx);
        }
        let now = ctx.now();
        match self.cores.submit(coroutine.0.to_word(), demand, now) {
            Submitted::Refused => self.ready.push_back((coroutine, Input::Failed(Reason::Overloaded.into()))),
            Submitted::Started | Submitted::Queued => {}
        }
        self.busy_changed(ctx);
        self.arm(ctx);
    }

    /// Keeps the levels of busy cores and of what waits for one.
    fn busy_changed(&mut self, ctx: Ctx) {
        let change = i64::from(self.cores.busy()) - i64::from(self.busy);
        if change != 0 {
            self.busy = self.cores.busy();
            level(ServerSeries::Busy, change, ctx);
        }
        let change = i64::from(self.cores.waiting()) - i64::from(self.runnable);
        if change != 0 {
            self.runnable = self.cores.waiting();
            level(ServerSeries::Runnable, change, ctx);
        }
    }

    fn arm(&mut self, ctx: Ctx) {
        if let Some(at) = self.cores.arm() {
            ctx.wake_true(at - ctx.now(), CORES);
        }
    }

    fn cores_done(&mut self, ctx: Ctx) {
        while let Some(done) = self.cores.complete(ctx.now()) {
            let coroutine = CoroutineId(Key::from_word(done.job));
            self.frames.spend(coroutine, Cause::Queue, done.queued);
            self.frames.spend(coroutine, Cause::Cpu, done.served);
            self.ready.push_back((coroutine, Input::Go));
        }
        self.busy_changed(ctx);
        self.arm(ctx);
    }

    /// A frame has ended.
    fn done(&mut self, coroutine: CoroutineId, ending: Ending, ctx: Ctx) {
        let host = Key::from_word(self.frames.host(coroutine).expect("it ran"));
        let causes = self.frames.causes(coroutine);
        self.frames.finish(coroutine);
        while self.frames.abandoned().is_some() {}
        let now = ctx.now();
        let activation = self.activations.remove(host).expect("a frame runs for something");
        let (program, intended, on_behalf) = match activation {
            Activation::Request { program, arrived, on_behalf, .. } => (program, arrived, on_behalf),
            Activation::Rebuild { program, began, on_behalf, .. } => (program, began, on_behalf),
        };
        self.abandons(host.to_word(), on_behalf, ctx);
        if let Some(probe) = ctx.plan().probes[program.index()] {
            let how = match ending {
                Ending::Returned { .. } => Ended::Ok,
                Ending::Failed(Failure { reason, at }) => {
                    let at = at.unwrap_or(ctx.me().tier);
                    ctx.record().failed(probe, intended, now, reason, at);
                    if ctx.plan().answers.has(reason) { Ended::Answered } else { Ended::Failed }
                }
            };
            ctx.record().finished(probe, Finished { intended, ended: now, how, attempts: 1, causes });
        }
        match activation {
            Activation::Request { call, on_behalf, .. } => {
                let (outcome, size_bytes) = outcome(ending);
                ctx.shows(call, on_behalf.causal);
                if let Ending::Failed(Failure { at: Some(at), .. }) = ending {
                    ctx.failed_at(call, at);
                }
                ctx.reply(call, outcome, 0, &causes, size_bytes);
                count(ServerSeries::Served, ctx);
                self.thread_free(ctx);
            }
            Activation::Rebuild { pending, on_behalf, .. } => {
                self.learn(pending, on_behalf.causal);
                self.rebuilt(pending, ending, &causes, ctx);
            }
        }
    }

    /// A thread is free: the next request that waits gets it.
    fn thread_free(&mut self, ctx: Ctx) {
        self.threads_busy -= 1;
        level(ServerSeries::Threads, -1, ctx);
        if let Some(call) = self.waiting.pop_front() {
            level(ServerSeries::Queued, -1, ctx);
            let op = ctx.op(call);
            self.begin(call, op, ctx);
        }
    }
}

/// Changes a level, where it is kept.
fn level(series: ServerSeries, change: i64, ctx: Ctx) {
    if let Some(series) = ctx.plan().series(series) {
        let now = ctx.now();
        ctx.record().level(series, now, change);
    }
}

/// One more, where it is counted.
fn count(series: ServerSeries, ctx: Ctx) {
    if let Some(series) = ctx.plan().series(series) {
        let now = ctx.now();
        ctx.record().count(series, now, 1);
    }
}

/// How a frame's ending looks to its caller: what a failed program has done before is done, so a failure whose effect
/// nobody knows stays unknown.
fn outcome(ending: Ending) -> (Outcome, u32) {
    match ending {
        Ending::Returned { value, size_bytes } => (Outcome::Ok(value), size_bytes),
        Ending::Failed(Failure { reason: reason @ (Reason::Timeout | Reason::Reset), .. }) => {
            (Outcome::Unknown(reason), 0)
        }
        Ending::Failed(Failure { reason, .. }) => (Outcome::Fail(reason), 0),
    }
}
