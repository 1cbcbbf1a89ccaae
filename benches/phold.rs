//! The claim: through `Process` and the kernel, with its network, fingerprint and recorder, an event costs little more
//! than in a bare loop over a `BinaryHeap` while few are pending, and a fraction of it when many are.
//!
//! `cargo bench --bench phold` measures both in turn at 1 k, 100 k, 1 M and 10 M pending, in CPU time where the system
//! tells it, and prints the ratio; `cargo bench --bench phold -- 100000` measures one size.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use splitbrain::base::dist::Dist;
use splitbrain::base::ids::{CallId, Pid, ZoneId};
use splitbrain::base::op::Op;
use splitbrain::base::rng::{Bits, Draws, Stream};
use splitbrain::base::time::Time;
use splitbrain::net::Network;
use splitbrain::net::path::Path;
use splitbrain::record::recorder::Recorder;
use splitbrain::sim::context::Context;
use splitbrain::sim::disk::Disk;
use splitbrain::sim::process::Process;
use splitbrain::sim::run::World;

/// A counter that passes the ball on, as in `examples/phold.rs`.
#[derive(Clone, Hash)]
struct Member {
    count: u64,
}

impl Process for Member {
    type Plan = ();
    type Message = ();
    type Timer = ();
    type Record = ();
    type Snapshot = ();

    fn build((): &(), _: u32) -> Self {
        Member { count: 0 }
    }
    fn start(&mut self, _: &Disk<(), ()>, ctx: &mut Context<Self>) {
        self.on_message(ctx.me(), (), ctx);
    }
    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}
    #[inline]
    fn on_message(&mut self, _: Pid, (): (), ctx: &mut Context<Self>) {
        self.count += 1;
        let me = ctx.me();
        let mut draws = Draws::from(u64::from(me.member), self.count);
        let to = draws.below(u64::from(ctx.members())) as u32;
        ctx.send(Pid::new(me.tier, to), (), 0);
    }
    #[inline]
    fn prefetch(&self) -> u64 {
        self.count
    }
}

fn world(pending: u32) -> World {
    let path = Path { latency: Dist::Exponential { mean: 1e9 }, ..Path::default() };
    let mut world = World::new(1, Network::flat(1, path), Recorder::default());
    world.add::<Member>("member", Arc::new(()), pending, &[ZoneId(0)], false);
    world.start();
    world.run(Time::NEVER, u64::from(pending));
    world
}

/// The bare loop: a heap of (time, number, target), counters, and nothing else.
struct Bare {
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    counters: Vec<u64>,
    stream: Stream,
    number: u64,
}

impl Bare {
    fn new(pending: u32) -> Self {
        let mut bare = Bare {
            heap: BinaryHeap::with_capacity(pending as usize + 1),
            counters: vec![0; pending as usize],
            stream: Stream::new(1, 1),
            number: 0,
        };
        (0..pending).for_each(|_| bare.push(0));
        bare.run(u64::from(pending));
        bare
    }

    fn push(&mut self, now: u64) {
        let after = Dist::Exponential { mean: 1e9 }.span(&mut self.stream);
        let to = self.stream.below(self.counters.len() as u64) as u32;
        self.number += 1;
        self.heap.push(Reverse((now + after.as_ns(), self.number, to)));
    }

    fn run(&mut self, events: u64) {
        for _ in 0..events {
            let Reverse((now, _, to)) = self.heap.pop().expect("as many are pushed as leave");
            self.counters[to as usize] += 1;
            self.push(now);
        }
    }
}

/// The process's time on a core so far where the system tells (Linux), else the wall's.
fn clock(begun: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let spent = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    spent.map_or_else(|| begun.elapsed(), Duration::from_nanos)
}

fn main() {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let sizes = asked.map_or(vec![1_000, 100_000, 1_000_000, 10_000_000], |size| vec![size]);
    println!("{:>10} {:>16} {:>16} {:>8}", "pending", "kernel, M/s", "bare heap, M/s", "ratio");
    let begun = Instant::now();
    for pending in sizes {
        let events: u64 = if pending < 10_000_000 { 2_000_000 } else { 4_000_000 };
        let (mut world, mut bare) = (world(pending), Bare::new(pending));
        let (mut kernel_s, mut heap_s) = (Vec::new(), Vec::new());
        let mut done = u64::from(pending);
        for _ in 0..5 {
            let from = clock(begun);
            done += events;
            world.run(Time::NEVER, done);
            let middle = clock(begun);
            bare.run(events / 4);
            kernel_s.push((middle - from).as_secs_f64() / events as f64);
            heap_s.push((clock(begun) - middle).as_secs_f64() / (events / 4) as f64);
        }
        let median = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        let (kernel, heap) = (median(&mut kernel_s), median(&mut heap_s));
        println!("{pending:>10} {:>16.2} {:>16.2} {:>7.1}x", 1e-6 / kernel, 1e-6 / heap, heap / kernel);
    }
}
