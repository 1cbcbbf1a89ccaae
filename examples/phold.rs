//! PHOLD through `Process` and the kernel: N pending events; each bumps a counter in its target and sends one to a
//! random target after Exp(1 s). Prints one JSON line.
//!
//! `cargo run --release --example phold -- --pending N --events M`

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use serde::Serialize;
use splitbrain::base::dist::Dist;
use splitbrain::base::ids::{CallId, Pid, ZoneId};
use splitbrain::base::op::Op;
use splitbrain::base::rng::{Bits, Draws};
use splitbrain::base::time::Time;
use splitbrain::net::Network;
use splitbrain::net::path::Path;
use splitbrain::record::recorder::Recorder;
use splitbrain::sim::context::Context;
use splitbrain::sim::disk::Disk;
use splitbrain::sim::process::Process;
use splitbrain::sim::run::World;

#[derive(Parser)]
#[command(about = "PHOLD through Process and the kernel")]
struct Arguments {
    /// Pending events, and members of the tier.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pending: u32,
    /// Events to process, after as many as are pending have warmed the queue up.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Serialize)]
struct Line {
    pending: u32,
    events: u64,
    cpu_s: f64,
    events_per_s: f64,
    peak_mib: f64,
    order_hash: String,
}

/// A counter that passes the ball on.
#[derive(Clone, Hash)]
struct Member {
    count: u64,
}

/// The distribution of the delay is the network's; a first ball starts after one such delay.
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
        self.pass_on(ctx);
    }
    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}
    #[inline]
    fn on_message(&mut self, _: Pid, (): (), ctx: &mut Context<Self>) {
        self.pass_on(ctx);
    }
    #[inline]
    fn prefetch(&self) -> u64 {
        self.count
    }
}

impl Member {
    #[inline]
    fn pass_on(&mut self, ctx: &mut Context<Self>) {
        self.count += 1;
        let me = ctx.me();
        let mut draws = Draws::from(u64::from(me.member), self.count);
        let to = draws.below(u64::from(ctx.members())) as u32;
        ctx.send(Pid::new(me.tier, to), (), 0);
    }
}

fn main() {
    let arguments = Arguments::parse();
    let path = Path { latency: Dist::Exponential { mean: 1e9 }, ..Path::default() };
    let mut world = World::new(arguments.seed, Network::flat(arguments.seed, path), Recorder::default());
    world.add::<Member>("member", Arc::new(()), arguments.pending, &[ZoneId(0)], false);
    world.start();
    let warm = u64::from(arguments.pending);
    world.run(Time::NEVER, warm);
    let (cpu, wall) = (cpu_time(), Instant::now());
    world.run(Time::NEVER, warm + arguments.events);
    let spent = match (cpu, cpu_time()) {
        (Some(before), Some(after)) => (after - before).as_secs_f64(),
        _ => wall.elapsed().as_secs_f64(),
    };
    let line = Line {
        pending: arguments.pending,
        events: arguments.events,
        cpu_s: spent,
        events_per_s: arguments.events as f64 / spent,
        peak_mib: peak_kib().map_or(0.0, |kib| kib as f64 / 1024.0),
        order_hash: format!("{:032x}", world.fingerprint().value()),
    };
    println!("{}", serde_json::to_string(&line).expect("a line of numbers is JSON"));
}

/// The process's time on a core so far, where the system tells (Linux): nanosecond accounting of the scheduler.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The largest resident size so far, where the system tells (Linux).
fn peak_kib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find(|line| line.starts_with("VmHWM"))?.split_whitespace().nth(1)?.parse().ok()
}
