//! The claim: the ladder queue gives out events several times faster than a binary heap, and the more so the more are
//! pending. PHOLD without a kernel: each of N pending events bumps a counter of its random target and schedules one
//! event at now + Exp(1 s) on another.
//!
//! `cargo bench --bench pending` measures both queues in turn at 1 k, 100 k, 1 M and 10 M pending and prints their ratio,
//! then small pieces by divan. `cargo bench --bench pending -- hold` or `-- pieces` does one of the two.

use std::hint::black_box;
use std::time::Instant;

use divan::Bencher;
use splitbrain::base::dist::Dist;
use splitbrain::base::math;
use splitbrain::base::rng::{Bits, Draws, Stream};
use splitbrain::base::time::{Span, Time};
use splitbrain::engine::Engine;
use splitbrain::engine::heap::Heap;
use splitbrain::engine::ladder::Ladder;
use splitbrain::engine::pending::PendingEvents;

/// The kernel's event: 16 bytes.
#[derive(Clone, Copy)]
struct Event {
    member: u32,
    _rest: u32,
    _word: u64,
}

/// N members with a counter each, N pending events.
struct Hold<Q> {
    engine: Engine<Event, Q>,
    counters: Vec<u64>,
    stream: Stream,
}

impl<Q: PendingEvents<Event>> Hold<Q> {
    fn new(pending: usize, queue: Q) -> Self {
        let mut hold =
            Hold { engine: Engine::over(queue), counters: vec![0; pending], stream: Stream::new(1, 1) };
        for _ in 0..pending {
            hold.schedule_one();
        }
        hold
    }

    fn schedule_one(&mut self) {
        let after = Dist::Exponential { mean: 1e9 }.span(&mut self.stream);
        let member = self.stream.below(self.counters.len() as u64) as u32;
        self.engine.schedule(self.engine.now() + after, Event { member, _rest: 0, _word: 0 });
    }

    fn run(&mut self, events: u64) {
        for _ in 0..events {
            let counters = &self.counters;
            let prefetch = |upcoming: &[splitbrain::engine::pending::Scheduled<Event>]| {
                for entry in upcoming {
                    black_box(counters[entry.event.member as usize]);
                }
            };
            let event =
                self.engine.pop_before(Time::NEVER, prefetch).expect("as many are scheduled as leave");
            self.counters[event.member as usize] += 1;
            self.schedule_one();
        }
    }
}

/// Millions of events per second over one slice; the caller takes the median of slices of both queues in turn.
fn speed<Q: PendingEvents<Event>>(hold: &mut Hold<Q>, events: u64) -> f64 {
    let begun = Instant::now();
    hold.run(events);
    events as f64 / begun.elapsed().as_secs_f64() / 1e6
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

fn compare_holds() {
    println!("{:>10} {:>14} {:>14} {:>8}", "pending", "ladder, M/s", "heap, M/s", "ratio");
    for pending in [1_000, 100_000, 1_000_000, 10_000_000] {
        let mut ladder = Hold::new(pending, Ladder::default());
        // Once around, so that the queue is in its steady state.
        ladder.run(2 * pending as u64);
        let peak = peak_mib();
        let mut heap = Hold::new(pending, Heap::default());
        heap.run(pending.min(2_000_000) as u64);
        let (mut fast, mut slow) = (Vec::new(), Vec::new());
        for _ in 0..7 {
            fast.push(speed(&mut ladder, 3_000_000));
            slow.push(speed(&mut heap, 500_000));
        }
        fast.sort_by(f64::total_cmp);
        slow.sort_by(f64::total_cmp);
        let (fast, slow) = (fast[3], slow[3]);
        println!(
            "{pending:>10} {fast:>14.1} {slow:>14.2} {:>7.1}x   (peak before the heap: {peak:.0} MiB)",
            fast / slow
        );
    }
}

/// One customer and one server: two pending events at most.
#[divan::bench]
fn few_pending(bencher: Bencher) {
    let mut engine: Engine<Event> = Engine::new();
    let mut stream = Stream::new(1, 1);
    let distribution = Dist::Exponential { mean: 1e9 };
    for member in 0..2 {
        engine.schedule(Time::ZERO, Event { member, _rest: 0, _word: 0 });
    }
    bencher.counter(1000u32).bench_local(|| {
        for _ in 0..1000 {
            let event = engine.pop_before(Time::NEVER, |_| ()).expect("two are pending");
            engine.schedule(engine.now() + distribution.span(&mut stream), event);
        }
    });
}

#[divan::bench]
fn exponential_from_chacha8(bencher: Bencher) {
    let mut stream = Stream::new(1, 1);
    let distribution = Dist::Exponential { mean: 1e9 };
    bencher
        .counter(1000u32)
        .bench_local(|| (0..1000).fold(Span::ZERO, |sum, _| sum + distribution.span(&mut stream)));
}

#[divan::bench]
fn bits_from_chacha8(bencher: Bencher) {
    let mut stream = Stream::new(1, 1);
    bencher.counter(1000u32).bench_local(|| (0..1000).fold(0, |sum, _| sum ^ stream.bits()));
}

#[divan::bench]
fn bits_from_draws(bencher: Bencher) {
    let mut draws = Draws::new(7);
    bencher.counter(1000u32).bench_local(|| (0..1000).fold(0, |sum, _| sum ^ draws.bits()));
}

#[divan::bench(args = [true, false])]
fn logarithm(bencher: Bencher, ours: bool) {
    let arguments: Vec<f64> = (1..=1000).map(|i| i as f64 / 1001.0).collect();
    let ln = if ours { math::ln } else { libm::log };
    bencher.counter(1000u32).bench_local(|| arguments.iter().map(|x| ln(*x)).sum::<f64>());
}

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted != "pieces" {
        compare_holds();
    }
    if wanted != "hold" {
        divan::Divan::default().main();
    }
}
