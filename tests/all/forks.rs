//! Cells that differ in their faults alone are one run until the faults part. Each shows what it shows alone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use splitbrain::experiment::cell::{Cell, Experiment};
use splitbrain::experiment::{Overrides, fork, run};

use crate::support::experiment;

/// A store with much that a run remembers: logs, elections, hints, what customers have seen, and looks at copies.
const BASE: &str = r#"
length = "30s"
zone   = { a = { users = "40%" }, b = { users = "40%" }, c = { users = "20%" } }
link   = { "a b" = { latency = "normal(10ms, sd=1ms)" }, "a c" = { latency = "30ms" }, "b c" = { latency = "30ms" } }
policy.client = { timeout = "400ms", retry = "fixed(50ms, times=2)" }
workload.writers = { do = "keep(key=uniform(40))", arrive = "poisson(40/s)", with = "client" }
workload.payers  = { do = "pay(acct=uniform(40), amt=10)", arrive = "poisson(40/s)", with = "client" }
workload.users   = { do = "see(key=uniform(40))", arrive = "users(5, think=exp(100ms))", with = "client" }
fault.split = { at = "8s", for = "8s", do = "cut(a, from=[b, c])" }
fault.again = { at = "after(split, 2s)", for = "1s", do = "loss(a, share=20%)" }
always.money_kept  = "lost(pay) == 0"
always.no_overdraw = "max(paid) <= 1000"
always.true_rows   = "linearizable(kv.rows)"
always.heals       = "diverged(kv, before=split.end, at=after(split, 6s)) == 0"
measures = ["success(pay, during=split)", "p99(see, during=after(split, 3s))", "outage(keep)", "staleness(see)", "converged(kv)"]
[on.kv]
keep = "write kv.rows[key] = 1"
see  = "x = read kv.rows[key] at nearest"
pay  = "update kv.balance[acct] -= amt when >= amt else fail declined; tally paid[acct] += amt"
"#;

const COPIES: [&str; 4] = [
    r#"copy = "async", failover = "after(2s)""#,
    r#"copy = "raft""#,
    r#"copy = "quorum(r=2, w=2, hints=1s)""#,
    r#"copy = "multi_leader", merge = "counter""#,
];

fn loaded(copy: &str, more: &str) -> Experiment {
    let kv = format!(
        r#"db.kv = {{ at = ["a", "b", "c"], {copy}, start = {{ balance = "each(100, keys=40)" }} }}"#
    );
    experiment("tests/forks.toml", &format!("{more}\n{kv}{BASE}"), &Overrides::default())
}

/// All of a family's trials, run together and each alone, and how many events the ones together took.
fn compare(loaded: &Experiment, family: &[usize], seed: u64) {
    let cells: Vec<&Cell> = family.iter().map(|cell| &loaded.cells[*cell]).collect();
    let (never, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let each = || _ = done.fetch_add(1, Ordering::Relaxed);
    let warmup = loaded.question.warmup;
    let together = fork::run(&cells, warmup, seed, false, &each, &never).expect("nobody cancels");
    assert_eq!((together.len(), done.into_inner()), (cells.len(), cells.len() as u64));
    for (cell, forked) in cells.iter().zip(together) {
        let alone = run::run(cell, warmup, seed, false, &never).expect("nobody cancels");
        assert_eq!(format!("{forked:?}"), format!("{alone:?}"), "{} {:?}", cell.variant, cell.point);
        assert!(alone.broken.is_none() && alone.events > 10_000, "{:?}", alone.broken);
    }
}

#[test]
fn forked_runs_show_what_each_shows_alone() {
    // Who crashes is known only when it happens; what is set stays set; some faults begin before those that part.
    let more = r#"
fault.fall  = { at = "3s", every = "4s", for = "1s", do = "crash(leader(kv))", chance = "70%" }
fault.stand = { at = "6s", for = "4s", do = "pause(any(kv, 1))" }
fault.wrong = { at = "4s", for = "20s", do = "skew(kv[0], by=2s)" }
fault.slow  = { at = "5s", for = "12s", do = "set(kv.read, 4ms)" }
sweep = { fault.split.for = ["1s", "4s", "12s"], fault.slow.for = ["6s", "12s"], fault.fall.chance = ["70%", "0%"] }"#;
    for copy in COPIES {
        let has_leader = copy.contains("async") || copy.contains("raft");
        let loaded = match has_leader {
            true => loaded(copy, more),
            false => loaded(copy, &more.replace("leader(kv)", "any(kv, 1)")),
        };
        let prefix_families = fork::prefix_families(&loaded.cells);
        assert_eq!(prefix_families, [(0..8).collect::<Vec<_>>(), (8..12).collect()], "{copy}: at most eight");
        (1..3).for_each(|seed| prefix_families.iter().for_each(|family| compare(&loaded, family, seed)));
    }
}

#[test]
fn variants_are_of_one_family_if_their_faults_alone_differ() {
    let more = r#"
variant.calm   = { fault.split.chance = "0%" }
variant.cut    = {}
variant.late   = { fault.split.at = "20s", fault.split.for = "30s" }
variant.quick  = { db.kv.read = "100us" }
variant.timely = { fault.more = { at = "during(election(kv))", do = "pause(any(kv, 1))" } }"#;
    let loaded = loaded(COPIES[1], more);
    let prefix_families = fork::prefix_families(&loaded.cells);
    assert_eq!(prefix_families, [vec![0, 1, 2], vec![3], vec![4]], "what only a run tells is of no family");
    prefix_families.iter().for_each(|family| compare(&loaded, family, 7));
}

#[test]
fn what_never_parts_is_one_run_to_the_end() {
    let more = "sweep = { fault.split.at = [\"40s\", \"50s\"] }"; // after the run has ended
    let loaded = loaded(COPIES[0], more);
    assert_eq!(fork::prefix_families(&loaded.cells), [[0, 1]]);
    compare(&loaded, &[0, 1], 1);
}
