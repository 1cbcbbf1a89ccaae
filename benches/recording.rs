//! The claim: recording every operation on a store, with every version that a copy takes in, adds less than 30 % to a run; so does judging
//! it. Measured on a store of three copies in raft and in quorums, 2,200 operations a second for 60 s (132,000 operations), each
//! variant in turn and the best of five kept.
//!
//! `cargo bench --bench recording`

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use splitbrain::base::time::Span;
use splitbrain::design::file::{ReadError, Reader};
use splitbrain::experiment::cell::Cell;
use splitbrain::experiment::question::Warmup;
use splitbrain::experiment::{Overrides, load, run};
use splitbrain::record::history::HistoryPlan;

const TEXT: &str = r#"
length = "60s"
zone   = { a = { users = "40%" }, b = { users = "40%" }, c = { users = "20%" } }
link   = { "a b" = { latency = "normal(12ms, sd=1ms)" }, "a c" = { latency = "normal(35ms, sd=2ms)" }, "b c" = { latency = "normal(30ms, sd=2ms)" } }
db.kv  = { at = ["a", "b", "c"], copy = "raft(election=uniform(150ms, 300ms))", start = { balance = "each(100, keys=10k)", likes = "each(0, keys=1k)" } }
policy.client   = { timeout = "250ms" }
workload.money  = { do = "pay(acct=uniform(10k), amt=10)", arrive = "poisson(200/s)", with = "client" }
workload.social = { do = "mix(10%=like(post=zipf(n=1k, s=1)), 90%=feed(post=zipf(n=1k, s=1)))", arrive = "poisson(2000/s)", with = "client" }
fault.split     = { at = "20s", for = "20s", do = "cut(a, from=[b, c])" }
variant.raft    = {}
variant.q22     = { db.kv.copy = "quorum(r=2, w=2)" }
always.kept     = "lost(pay) == 0"
always.one_truth     = "linearizable(kv)"
always.heals    = "diverged(kv, before=split.end, at=after(split, 10s)) >= 0"
[on.kv]
pay  = "update kv.balance[acct] -= amt when >= amt else fail declined"
like = "update kv.likes[post] += 1"
feed = "read kv.likes[post] at nearest"
"#;

struct Text;

impl Reader for Text {
    fn read(&self, _: &str) -> Result<Vec<u8>, ReadError> {
        Ok(TEXT.as_bytes().to_vec())
    }
}

fn seconds(cell: &Cell) -> f64 {
    let begun = Instant::now();
    let never = AtomicBool::new(false);
    let trial = run::run(cell, Warmup::Span(Span::ZERO), 1, false, &never).expect("nobody cancels it");
    assert_eq!(trial.broken, None);
    begun.elapsed().as_secs_f64()
}

fn main() {
    let load = || load(&Text, "recording.toml", &Overrides::default()).unwrap_or_else(|_| panic!("it loads"));
    let (mut bare, mut recorded, judged) = (load(), load(), load());
    for cell in bare.cells.iter_mut().chain(&mut recorded.cells) {
        (cell.asked, cell.record.history) = (Vec::new(), HistoryPlan::default());
    }
    for cell in &mut recorded.cells {
        cell.record.history.all = true;
    }
    println!(
        "{:>8} {:>12} {:>22} {:>22}",
        "variant", "bare, ms", "everything recorded", "recorded and judged"
    );
    for (index, cell) in bare.cells.iter().enumerate() {
        let mut best = [f64::INFINITY; 3];
        for _ in 0..5 {
            for (best, cell) in best.iter_mut().zip([cell, &recorded.cells[index], &judged.cells[index]]) {
                *best = best.min(seconds(cell));
            }
        }
        let [bare, recorded, judged] = best;
        let more = |time: f64| format!("{:.0} ms, +{:.0} %", time * 1e3, (time / bare - 1.0) * 100.0);
        println!("{:>8} {:>12.0} {:>22} {:>22}", cell.variant, bare * 1e3, more(recorded), more(judged));
    }
}
