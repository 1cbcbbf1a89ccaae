//! Worlds in mid-run: a clone goes on as its original does, with every kind of process in it; two runs that part are
//! told apart by the first event that differs.

use splitbrain::base::time::{Span, Time};
use splitbrain::experiment::cell::{Cell, Experiment};
use splitbrain::experiment::run::{parted, verify};
use splitbrain::experiment::{Overrides, question::Warmup};
use splitbrain::faults::schedule::Schedule;
use splitbrain::sim::run::{Stop, World};

use crate::support::experiment;

/// Every part with one copy, every workload and fault.
const SPINE: &str = include_str!("../golden/spine.toml");

/// Stores with several copies, by every way to agree; a cache in front of them.
const STORES: &str = r#"
length = "6s"
zone   = { a = {}, b = {}, c = {} }
link   = { "a b" = { latency = "normal(12ms, sd=1ms)" }, "b c" = { latency = "exp(5ms)", loss = "1%" } }
server.app  = { at = ["a", "b"], count = 2, cores = 4 }
cache.pages = { entries = 50, ttl = "200ms", jitter = "30%", fill = "build(item=key)" }
db.kv       = { at = ["a", "b", "c"], copy = "async(apply=exp(2ms))", disk = "1ms", start = { stock = "each(100, keys=50)" } }
workload.buyers = { do = "buy(item=uniform(50))", arrive = "poisson(60/s)" }
workload.people = { do = "page(item=zipf(n=50, s=1))", arrive = "users(20, think=exp(300ms))" }
fault.down  = { at = "2500ms", for = "800ms", do = "crash(kv[0])" }
fault.split = { at = "4s", for = "500ms", do = "cut(a, from=[b, c])" }
variant.async         = { db.kv.failover = "after(500ms)" }
variant.sync          = { db.kv.copy = "sync(of=2, ack=flush)" }
variant.raft          = { db.kv.copy = "raft(pre_vote=true)" }
variant.quorum        = { db.kv.copy = "quorum(r=2, w=2)" }
variant.lease         = { cache.pages.guard = "lease(ttl=2s, wait=20ms)" }
variant.refresh_ahead = { cache.pages.guard = "refresh_ahead(at=80%)" }
variant.per_process   = { cache.pages.guard = "single_flight(per=process)" }
[on.app]
page  = "get pages[item]"
build = "n = read kv.stock[item]; cpu exp(1ms); return n"
buy   = "update kv.stock[item] -= 1 when >= 1 else fail sold_out; drop pages[item]; write kv.sold[item] = 1"
"#;

fn loaded(text: &str) -> Experiment {
    experiment("tests/golden/spine.toml", text, &Overrides::default())
}

/// Goes on to an instant, faults included.
fn go(world: &mut World, plan: &mut Schedule, until: Time) {
    let run = |world: &mut World, horizon: Time| {
        while world.run(horizon, u64::MAX) == Stop::Changed {
            world.recorder_mut().take_changed();
        }
    };
    while let Some(at) = plan.next().filter(|at| *at < until) {
        run(world, at);
        world.advance(at);
        plan.step(Some(world));
    }
    run(world, until);
}

/// The fingerprint of a run that was cloned at some instants on its way, and of the clones.
fn fingerprints(cell: &Cell, at: &[Span]) -> Vec<u128> {
    let end = Time::ZERO + cell.length;
    let mut plan = cell.faults.schedule(7, cell.length);
    let mut world = cell.setup.world(7, &cell.record);
    world.start();
    let mut clones = Vec::new();
    for at in at {
        go(&mut world, &mut plan, Time::ZERO + *at);
        clones.push((world.clone(), plan.clone()));
    }
    let mut found = Vec::new();
    for (mut world, mut plan) in [(world, plan)].into_iter().chain(clones) {
        go(&mut world, &mut plan, end);
        found.push(world.fingerprint().value());
    }
    found
}

#[test]
fn a_clone_of_any_world_goes_on_to_the_same_fingerprint() {
    for (text, at) in [(SPINE, [6500, 9001, 15_500]), (STORES, [1003, 2700, 4100])] {
        let experiment = loaded(text);
        assert!(experiment.cells.len() >= 5);
        for cell in &experiment.cells {
            let found = fingerprints(cell, &at.map(Span::from_ms));
            assert!(found.iter().all(|fingerprint| *fingerprint == found[0]), "{}: {found:x?}", cell.variant);
        }
    }
}

#[test]
fn two_runs_that_part_are_told_apart_by_their_first_event() {
    // the same but for what happens to `app` at 3 s
    let planted = r#"
length = "6s"
net    = { latency = "1ms" }
server.app = { cores = 1 }
workload.users = { do = "page()", arrive = "even(5000/s)" }
fault.slow = { at = "3s", for = "1ms", do = "set(app.speed, 100%)" }
variant.a = {}
variant.b = { fault.slow.do = "set(app.speed, 99%)" }
[on.app]
page = "cpu 100us"
"#;
    let experiment = loaded(planted);
    let [a, b] = &experiment.cells[..] else { panic!("two variants") };
    let none = Warmup::Span(Span::ZERO);
    assert_eq!(verify(a, none, 1), Ok(()));
    assert_eq!(parted([b, b], none, 1), Ok(()));
    let said = parted([a, b], none, 1).expect_err("they part");
    assert!(said.contains("at 3.00") && said.contains("app[0]"), "{said}");
    // 5000 requests a second with four events each, and a bit: the 60,000th event or so, in the first block
    let number: u64 = said
        .split("at event ")
        .nth(1)
        .and_then(|rest| rest.split(',').next())
        .map_or(0, |n| n.parse().expect("a number"));
    assert!((45_000..90_000).contains(&number), "{said}");
}
