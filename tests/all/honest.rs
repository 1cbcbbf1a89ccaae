//! What measures and objectives say where some requests never end, are refused, or fall into the warm-up.

use std::collections::BTreeMap;

use splitbrain::experiment::results::{Cell, Estimate, Property, Results};
use splitbrain::experiment::{Overrides, load};

use crate::support::{Files, experiment, run};

fn results(text: &str) -> Results {
    run(&experiment("tests/honest.toml", text, &Overrides::default()), 2)
}

fn measure<'a>(cell: &'a Cell, name: &str) -> &'a Estimate {
    cell.measures.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", cell.measures.keys()))
}

fn value(cell: &Cell, name: &str) -> f64 {
    measure(cell, name).mean.unwrap_or_else(|| panic!("{name} is undefined: {:?}", measure(cell, name).note))
}

fn near(cell: &Cell, name: &str, reference: f64, within: f64) {
    let got = value(cell, name);
    assert!((got - reference).abs() <= within * reference, "{name}: {got}, not {reference}");
}

fn property<'a>(cell: &'a Cell, name: &str) -> &'a Property {
    &cell.properties[name]
}

fn outcome<'a>(cell: &'a Cell, name: &str) -> &'a str {
    &property(cell, name).outcome
}

/// 200 users who think for 1 s and wait for 10 s: 200 / 11 s, whatever the window cuts through.
#[test]
fn a_window_that_cuts_through_requests_has_the_rate_and_the_mean_of_the_steady_state() {
    let text = |runs: u32| {
        format!(
            r#"
length   = "60s"
warmup   = "10s"
runs     = {runs}
measures = ["mean(people)", "mean(people, outcome=any)", "inflight(people)", "p50(people)", "p90(people)", "success(people)", "goodput(people)", "throughput(people)"]
net      = {{ latency = "0s" }}
policy.default = {{ timeout = "1h" }}
server.app = {{ cores = "unlimited", threads = "unlimited" }}
workload.people = {{ do = "work()", arrive = "users(200, think=exp(1s))" }}
[on.app]
work = "cpu exp(10s)"
"#
        )
    };
    let many = results(&text(40));
    let cell = &many.cells[0];
    for name in ["goodput(people)", "throughput(people)"] {
        near(cell, name, 200.0 / 11.0, 0.02);
    }
    near(cell, "mean(people)", 10.0, 0.02);
    // of an exponential distribution; what had not ended is not left out
    near(cell, "p50(people)", 10.0 * std::f64::consts::LN_2, 0.03);
    near(cell, "p90(people)", 10.0 * std::f64::consts::LN_10, 0.04);
    assert_eq!(value(cell, "success(people)"), 1.0);
    let open = measure(cell, "success(people)").open.expect("many are open at the end");
    assert!((0.1..0.25).contains(&open), "{open}");

    let one = results(&text(1));
    let of = |name: &str| value(&one.cells[0], name);
    let little = of("mean(people, outcome=any)") * of("throughput(people)") / of("inflight(people)");
    assert!((little - 1.0).abs() < 1e-12, "Little's law: {little}");
    let all_succeed = of("mean(people)") * of("goodput(people)") / of("inflight(people)");
    assert!((all_succeed - 1.0).abs() < 1e-12, "{all_succeed}");
}

/// The only server stands still for the second half, and those who ask it wait for longer than is left, or give up after 5 s.
#[test]
fn requests_that_never_end_count_against_objectives() {
    let results = results(
        r#"
length = "20s"
runs   = 5
measures = ["success(people)", "p99(people)", "goodput(people)", "throughput(people)", "errors(people)", "max(people)", "p50(people)", "p99(people, during=10s..20s)", "inflight(people)", "outage(people)"]
net = { latency = "0.25ms" }
policy.default = { timeout = "30s" }
server.app = { cores = "unlimited", threads = "unlimited" }
workload.people = { do = "hi()", arrive = "even(100/s)" }
fault.stuck = { at = "10s", do = "pause(app)" }
slo.fast   = "p99(people) < 100ms"
slo.up     = "success(people) > 99.9%"
slo.half   = "success(people) > 49%"
slo.half_fail = "errors(people) <= 51%"
slo.longest = "max(people) < 100ms"
variant.t30 = {}
variant.t5  = { policy.default.timeout = "5s" }
[on.app]
hi = "cpu 1ms"
"#,
    );
    let [patient, hasty] = &results.cells[..] else { panic!("two variants") };
    let (patient, hasty) = if patient.variant == "t30" { (patient, hasty) } else { (hasty, patient) };
    let p99 = measure(patient, "p99(people)");
    assert!(p99.at_least && p99.mean.expect("known") >= 9.8, "{p99:?}");
    let largest = measure(patient, "max(people)");
    assert!(largest.at_least && largest.mean.expect("known") >= 9.98, "{largest:?}");
    assert!(measure(patient, "p99(people, during=10s..20s)").at_least, "nothing ended in it");
    for cell in [patient, hasty] {
        for name in ["fast", "longest"] {
            assert_eq!(outcome(cell, name), "violated", "{} of {}", name, cell.variant);
        }
        for name in ["half", "half_fail"] {
            assert_eq!(outcome(cell, name), "holds", "{} of {}", name, cell.variant);
        }
    }
    // 1,000 of 2,000 are open: none of those that ended failed, and all that are left may
    let success = measure(patient, "success(people)");
    assert!((success.open.expect("half") - 0.5).abs() < 0.001, "{success:?}");
    let [low, high] = success.between.expect("it hangs on them");
    assert!((low - 0.5).abs() < 0.001 && high == 1.0, "{success:?}");
    assert_eq!((outcome(patient, "up"), outcome(hasty, "up")), ("unknown", "violated"));
    assert!(property(patient, "up").witness.contains("if requests that are open at the end fail"));
    // 1,000 ended well, 500 gave up, 500 are open
    near(hasty, "success(people)", 2.0 / 3.0, 0.002);
    near(hasty, "errors(people)", 1.0 / 3.0, 0.002);
    for cell in [patient, hasty] {
        near(cell, "goodput(people)", 50.0, 0.01);
        near(cell, "outage(people)", 10.0, 0.01);
    }
    near(patient, "throughput(people)", 50.0, 0.01);
    near(hasty, "throughput(people)", 75.0, 0.01);
}

/// One request in fifty is served, the others are refused at once.
#[test]
fn refusals_are_not_fast_answers() {
    let results = results(
        r#"
length = "100s"
runs   = 5
measures = ["p99(page, outcome=any)", "p99(page, outcome=failed)", "mean(page, outcome=any)", "max(page)"]
net = { latency = "0s" }
server.app = { cores = 1, threads = 1, queue = 0 }
workload.people = { do = "page()", arrive = "even(100/s)" }
slo.p50 = "p50(page) < 1h"
slo.p90 = "p90(page) < 1h"
slo.p99 = "p99(page) < 50ms"
slo.p999 = "p99.9(page) < 1h"
slo.longest = "max(page) < 1h"
slo.first = "p1(page) < 1s"
slo.refused_fast = "p99(page, outcome=failed) < 1ms"
slo.mean = "mean(page, outcome=ok) < 400ms"
[on.app]
page = "cpu 499ms"
"#,
    );
    let cell = &results.cells[0];
    near(cell, "success(page)", 0.02, 0.01);
    near(cell, "goodput(page)", 2.0, 0.01);
    near(cell, "throughput(page)", 100.0, 0.01);
    for name in ["p50", "p90", "p99", "p999", "longest", "mean"] {
        assert_eq!(outcome(cell, name), "violated", "{name}");
    }
    for name in ["first", "refused_fast"] {
        assert_eq!(outcome(cell, name), "holds", "{name}");
    }
    for name in ["p99(page)", "p50(page)", "mean(page)", "max(page)"] {
        near(cell, name, 0.499, 0.01);
        let success = measure(cell, name).success.expect("few succeed");
        assert!((success - 0.02).abs() < 0.001, "{success} stands beside {name}");
    }
    assert_eq!(measure(cell, "p99(page, outcome=any)").success, None, "it is of all");
    assert_eq!(value(cell, "p99(page, outcome=failed)"), 0.0);
    near(cell, "mean(page, outcome=any)", 0.02 * 0.499, 0.02);
}

/// M/M/1/10 at a load of 1.2: those who get in need 6.93 s, whatever the others are told (Gross & Harris, section 2.4).
#[test]
fn the_mean_of_those_who_get_in_is_that_of_the_formula() {
    let results = results(
        r#"
length   = "20000s"
warmup   = "200s"
runs     = 8
measures = ["mean(job, outcome=any)"]
net      = { latency = "0s" }
policy.default = { timeout = "1000s" }
server.desk = { cores = 1, threads = 1, queue = 9 }
workload.jobs = { do = "job()", arrive = "poisson(1.2/s)" }
[on.desk]
job = "cpu exp(1s)"
"#,
    );
    let cell = &results.cells[0];
    let (load, places) = (1.2f64, 10);
    let power = load.powi(places + 1);
    let refused = (1.0 - load) * load.powi(places) / (1.0 - power);
    let inside = load / (1.0 - load) - f64::from(places + 1) * power / (1.0 - power);
    near(cell, "success(job)", 1.0 - refused, 0.01);
    near(cell, "mean(job)", inside / (1.2 * (1.0 - refused)), 0.02);
    near(cell, "mean(job, outcome=any)", inside / 1.2, 0.02);
    assert!((value(cell, "mean(job)") - 6.93).abs() < 0.14);
}

#[test]
fn every_measure_of_a_tally_covers_its_window_and_nothing_else() {
    let results = results(
        r#"
length = "20s"
warmup = "10s"
measures = ["count(work)", "count(done)", "max(done)", "count(done, during=10s..20s)", "max(done, during=5s..10s)", "rate(done)", "shop.reads", "count(shop.reads)", "jain(turn)", "jain(turn, during=0s..20s)", "count(done) - 0 * initial(shop.rows[1])"]
net = { latency = "0s" }
server.app   = {}
db.shop      = { read = "0s", start = { rows = "each(1, keys=1)" } }
workload.one = { do = "work(me=1)", arrive = "even(10/s)", to = "10s" }
workload.two = { do = "work(me=2)", arrive = "even(10/s)", from = "10s" }
always.all_counted = "count(done) <= 200"
sometimes.from_the_start = "count(done) == 200"
slo.in_the_window = "count(done) == 100"
runs = 5
[on.app]
work = "n = read shop.rows[1]; tally done[1]; tally turn[me]"
"#,
    );
    let cell = &results.cells[0];
    for name in [
        "count(work)",
        "count(done)",
        "max(done)",
        "count(done, during=10s..20s)",
        "shop.reads",
        "count(shop.reads)",
    ] {
        assert_eq!(value(cell, name), 100.0, "{name}");
    }
    assert_eq!(value(cell, "max(done, during=5s..10s)"), 50.0);
    assert_eq!(value(cell, "rate(done)"), 10.0);
    assert_eq!((value(cell, "jain(turn)"), value(cell, "jain(turn, during=0ns..20s)")), (1.0, 1.0));
    let with_state = "count(done) - 0 * initial(shop.rows[1])";
    assert_eq!(value(cell, with_state), 200.0, "a store's state has no warm-up");
    for name in ["all_counted", "from_the_start", "in_the_window"] {
        assert_eq!(outcome(cell, name), "holds", "{name}");
    }
}

/// One piece in stock, sold once during the warm-up and once after it.
#[test]
fn a_piece_sold_in_the_warmup_is_sold() {
    let results = results(
        r#"
length = "20s"
warmup = "10s"
measures = ["count(order)", "count(order) - initial(shop.stock[1])"]
net = { latency = "0s" }
server.app   = {}
db.shop      = { start = { stock = "each(1, keys=1)" } }
workload.early = { do = "buy()", arrive = "once(1)", from = "5s" }
workload.late  = { do = "buy()", arrive = "once(1)", from = "15s" }
always.no_oversell = "count(order) <= initial(shop.stock[1])"
expect.base.no_oversell = "violated"
[on.app]
buy = "n = read shop.stock[1]; tally order[1]"
"#,
    );
    let cell = &results.cells[0];
    assert_eq!(value(cell, "count(order)"), 1.0);
    assert_eq!(value(cell, "count(order) - initial(shop.stock[1])"), 1.0);
    assert_eq!(outcome(cell, "no_oversell"), "violated");
}

/// A hundred requests in 19.8 s, each served for 40 ms, and one that the server needs 10 s for.
#[test]
fn a_run_of_a_trace_ends_with_its_last_request_and_rates_are_of_its_arrivals() {
    let text = |length: &str, work: &str| {
        format!(
            r#"
length = "{length}"
measures = ["util(app)", "inflight(work)", "count(work)", "max(work)"]
net = {{ latency = "0s" }}
policy.default = {{ timeout = "1000s" }}
server.app = {{ cores = 1 }}
workload.jobs = {{ do = "work()", arrive = "trace(at.csv, column=at)" }}
always.served = "count(work) <= 100"
[on.app]
work = "{work}"
"#
        )
    };
    let rows: Vec<String> = (0..100).map(|n| format!("{:.1}", f64::from(n) * 0.2)).collect();
    let data = format!("at\n{}\n", rows.join("\n"));
    let of = |length: &str, work: &str| {
        let files = Files(BTreeMap::from([
            ("tests/trace.toml".to_owned(), text(length, work)),
            ("tests/at.csv".to_owned(), data.clone()),
        ]));
        let loaded = load(&files, "tests/trace.toml", &Overrides::default());
        run(&loaded.unwrap_or_else(|(_, problems)| panic!("{problems:?}")), 1)
    };
    let quick = &of("trace", "cpu 40ms").cells[0];
    assert_eq!(value(quick, "count(work)"), 100.0);
    near(quick, "throughput(work)", 5.0, 0.01);
    near(quick, "util(app)", 0.2, 0.01);
    near(quick, "inflight(work)", 0.2, 0.01);
    // one server that needs 25 s for what arrives in 19.8 s: all are waited for
    let slow = &of("trace", "cpu 250ms").cells[0];
    assert_eq!((value(slow, "count(work)"), value(slow, "success(work)")), (100.0, 1.0));
    near(slow, "throughput(work)", 4.0, 0.01);
    near(slow, "util(app)", 1.0, 0.001);
    near(slow, "max(work)", 25.0 - 19.8, 0.001);
    // and with less patience not: the 20th second plus 2 s
    let hasty = &of("trace(patience=2s)", "cpu 250ms").cells[0];
    assert_eq!(value(hasty, "count(work)"), 87.0);
    assert!(measure(hasty, "success(work)").open.is_some_and(|open| (open - 0.13).abs() < 1e-9));
}

#[test]
fn what_an_objective_on_a_mean_is_of_must_be_said() {
    let text = r#"
length = "10s"
server.app = {}
workload.people = { do = "hi()", arrive = "even(10/s)" }
slo.vague = "mean(hi) < 1s"
[on.app]
hi = "cpu 1ms"
"#;
    let files = Files(BTreeMap::from([("tests/vague.toml".to_owned(), text.to_owned())]));
    let (_, problems) = load(&files, "tests/vague.toml", &Overrides::default()).err().expect("it is refused");
    let problem = &problems.0[0];
    assert!(problem.message.contains("says of which requests"), "{problem:?}");
    let said = text.replace("mean(hi)", "mean(hi, outcome=ok)");
    let files = Files(BTreeMap::from([("tests/vague.toml".to_owned(), said)]));
    assert!(load(&files, "tests/vague.toml", &Overrides::default()).is_ok());
}
