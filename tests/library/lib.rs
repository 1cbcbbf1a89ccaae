//! A ticket machine: whoever calls gets the next number. It keeps its count on its disk, or forgets to.

pub mod memory;

use std::sync::Arc;

use splitbrain::prelude::*;

/// The part.
#[derive(Clone, Hash)]
pub struct Machine {
    last: i64,
    /// Who waits for the sync of his number.
    waits: Vec<(CallId, i64)>,
}

/// What the machine is like.
#[derive(Clone, Copy)]
pub struct Plan {
    /// It waits for its disk before it answers.
    pub syncs: bool,
}

impl Process for Machine {
    type Plan = Plan;
    type Message = ();
    type Timer = u64;
    type Record = i64;
    type Snapshot = ();

    fn build(_: &Plan, _: u32) -> Self {
        Machine { last: 0, waits: Vec::new() }
    }

    fn start(&mut self, disk: &Disk<i64, ()>, _: &mut Context<Self>) {
        self.last = disk.records.last().copied().unwrap_or(0);
    }

    fn on_call(&mut self, call: CallId, _: Op, ctx: &mut Context<Self>) {
        self.last += 1;
        if ctx.plan().syncs {
            ctx.append(self.last);
            ctx.sync(Span::from_ms(1));
            self.waits.push((call, self.last));
        } else {
            ctx.answer(call, Outcome::ok(self.last));
        }
    }

    fn on_synced(&mut self, _: SyncId, ctx: &mut Context<Self>) {
        for (call, number) in std::mem::take(&mut self.waits) {
            ctx.answer(call, Outcome::ok(number));
        }
    }
}

/// What a caller saw: nothing is asked but the next number.
pub type Seen = Observation<(), i64>;

/// Takes a number every 10 ms.
#[derive(Clone, Hash)]
pub struct Caller {
    /// Invoked, answered, the number.
    calls: Vec<(u64, Option<(u64, i64)>)>,
}

impl Process for Caller {
    type Plan = TierId;
    type Message = ();
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(_: &TierId, _: u32) -> Self {
        Caller { calls: Vec::new() }
    }

    fn start(&mut self, _: &Disk<(), ()>, ctx: &mut Context<Self>) {
        ctx.wake(Span::from_ms(10), 0);
    }

    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}

    fn on_timer(&mut self, _: u64, ctx: &mut Context<Self>) {
        let number = self.calls.len() as u64;
        self.calls.push((ctx.now().as_ns(), None));
        let request = Request { timeout: Some(Span::from_ms(50)), ..ctx.request(number, Op::read(0)) };
        ctx.call(Pid::new(*ctx.plan(), 0), request, number);
        if number < 100 {
            ctx.wake(Span::from_ms(10), 0);
        }
    }

    fn on_reply(&mut self, _: CallId, tag: u64, reply: Reply, ctx: &mut Context<Self>) {
        if let Some(value) = reply.outcome.value() {
            self.calls[tag as usize].1 = Some((ctx.now().as_ns(), value.n));
        }
    }
}

/// The object: each number once, in turn.
pub struct Tickets;

impl SequentialSpec for Tickets {
    type State = i64;
    type Op = ();
    type Ret = i64;

    fn init(&self) -> i64 {
        0
    }

    /// All are alike.
    fn kind(&self, (): &()) -> Option<u64> {
        Some(0)
    }

    fn step(&self, last: &i64, (): &(), ret: Option<&i64>) -> States<i64> {
        match ret {
            Some(number) if *number != last + 1 => States::new(),
            _ => States::from([last + 1]),
        }
    }
}

/// Two callers for two seconds; the machine crashes after half of one, and `fault` is active from the beginning.
pub fn history(seed: u64, plan: Plan, fault: Option<Effect>) -> Vec<Seen> {
    let path = Path { latency: Dist::Exponential { mean: 1e6 }, ..Path::default() };
    let mut world = World::new(seed, Network::flat(seed, path), Recorder::default());
    let machine = world.add::<Machine>("machine", Arc::new(plan), 1, &[ZoneId(0)], false);
    let callers = world.add::<Caller>("caller", Arc::new(machine), 2, &[ZoneId(0)], false);
    if let Some(fault) = fault {
        world.network().add(fault);
    }
    world.start();
    world.until(Time::from_ms(500));
    world.crash(Pid::new(machine, 0), Crash::Process);
    world.until(Time::from_ms(600));
    world.restart(Pid::new(machine, 0));
    world.until(Time::from_secs(2));
    let seen = |(invoked, answer): &(u64, Option<(u64, i64)>)| match answer {
        Some((returned, number)) => Observation::ok((), *number, *invoked, *returned),
        None => Observation::pending((), *invoked),
    };
    let callers = world.members::<Caller>(callers).expect("they are callers");
    callers.iter().flat_map(|caller| caller.calls.iter().map(seen)).collect()
}
