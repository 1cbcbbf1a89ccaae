//! The claim: who waits in line for a lock hardly makes an event dearer, and 100,000 who wait run at no less than half the events a second of 100:
//! the same lock, handed on 100,000 times a second for 10 s, each variant in turn and the best of three kept. What is left of the
//! difference is the processor's cache: what one waiter needs (request, calls, program, pending call, hold) nobody has touched since he got in
//! line.
//!
//! `cargo bench --bench waiters`

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use splitbrain::base::time::Span;
use splitbrain::design::file::{ReadError, Reader};
use splitbrain::experiment::cell::Cell;
use splitbrain::experiment::question::Warmup;
use splitbrain::experiment::{Overrides, load, run};

const TEXT: &str = r#"
length = "10s"
net    = { latency = "0ms" }
server.app = { cores = "unlimited", threads = "unlimited" }
db.kv      = { read = "0ms", write = "0ms" }
lock.seat  = { in = "kv", ttl = "1h", patience = "1h", timeout = "1h" }
policy.patient   = { timeout = "1h" }
workload.clients = { do = "work()", arrive = "users(100, think=1us)", with = "patient" }
variant.w100     = {}
variant.w1000    = { workload.clients.arrive = "users(1000, think=1us)" }
variant.w10000   = { workload.clients.arrive = "users(10000, think=1us)" }
variant.w100000  = { workload.clients.arrive = "users(100000, think=1us)" }
[on.app]
work = "hold seat[1] { wait 10us }"
"#;

struct Text;

impl Reader for Text {
    fn read(&self, _: &str) -> Result<Vec<u8>, ReadError> {
        Ok(TEXT.as_bytes().to_vec())
    }
}

/// Events a second.
fn rate(cell: &Cell) -> f64 {
    let begun = Instant::now();
    let never = AtomicBool::new(false);
    let trial = run::run(cell, Warmup::Span(Span::ZERO), 1, false, &never).expect("nobody cancels it");
    assert_eq!(trial.broken, None);
    trial.events as f64 / begun.elapsed().as_secs_f64()
}

fn main() {
    let loaded = load(&Text, "waiters.toml", &Overrides::default()).unwrap_or_else(|_| panic!("it loads"));
    let mut best = vec![0.0f64; loaded.cells.len()];
    for _ in 0..3 {
        for (best, cell) in best.iter_mut().zip(&loaded.cells) {
            *best = best.max(rate(cell));
        }
    }
    let few = loaded.cells.iter().position(|cell| cell.variant == "w100").expect("it is there");
    println!("{:>8} {:>12} {:>10}", "variant", "M events/s", "of 100's");
    for (cell, rate) in loaded.cells.iter().zip(&best) {
        println!("{:>8} {:>12.2} {:>9.0}%", cell.variant, rate / 1e6, rate / best[few] * 100.0);
    }
}
