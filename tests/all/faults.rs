//! Faults as a file says them: what each does to a system, whom it strikes, when moments begin and end.

use std::sync::atomic::AtomicBool;

use splitbrain::base::time::{Span, Time};
use splitbrain::experiment::run::run as trial;
use splitbrain::experiment::trial::Trial;
use splitbrain::experiment::{Experiment, Overrides};

use crate::support::{experiment, run};

fn load(text: &str) -> Experiment {
    experiment("tests/faults.toml", text, &Overrides::default())
}

/// Runs it; what did not come as expected ends the test.
fn holds(text: &str) {
    let results = run(&load(text), 2);
    for cell in &results.cells {
        for (name, property) in &cell.properties {
            let witness = &property.witness;
            assert!(property.as_expected, "{}, {name}: {} {witness}", cell.variant, property.outcome);
        }
    }
}

/// One run of the only cell.
fn once(text: &str, seed: u64) -> Trial {
    only(&load(text), seed)
}

fn only(experiment: &Experiment, seed: u64) -> Trial {
    let (cell, warmup) = (&experiment.cells[0], experiment.question.warmup);
    trial(cell, warmup, seed, false, &AtomicBool::new(false)).expect("nobody cancels it")
}

/// What happened, a line each.
fn plan(text: &str, seed: u64) -> Vec<String> {
    let experiment = load(text);
    let trial = only(&experiment, seed);
    trial.plan.iter().map(|planned| planned.describe(&experiment.cells[0].faults.who)).collect()
}

fn seconds(s: f64) -> Time {
    Time::ZERO + Span::from_secs_f64(s)
}

/// A store of three copies in three zones, and a server that writes to it.
fn store(copy: &str, more: &str) -> String {
    format!(
        r#"
length = "60s"
warmup = "0s"
runs   = 4
zone   = {{ a = {{}}, b = {{}}, c = {{}} }}
net    = {{ latency = "1ms" }}
server.app  = {{ cores = "unlimited", threads = "unlimited" }}
db.kv       = {{ at = ["a", "b", "c"], copy = "{copy}", read = "0ms", write = "0ms", disk = "1ms", timeout = "1s" }}
workload.w  = {{ do = "save(item=sequence(1000))", arrive = "poisson(50/s)" }}
{more}
[on.app]
save = "write kv.rows[item] = 1"
"#
    )
}

#[test]
fn a_slow_disk_slows_whoever_waits_for_it() {
    let slow = r#"slo.slow = "p50(save, during=disk) > 50ms"
slo.fast_before = "p99(save, during=0s..19s) < 20ms"
slo.fast_after = "p99(save, during=31s..60s) < 20ms""#;
    let fast = r#"slo.fast = "p99(save, during=disk) < 20ms""#;
    for (copy, disks, expected) in [
        ("async", "kv[0]", slow),
        ("async", "kv[1]", fast),
        ("sync(of=3)", "kv[1]", slow),
        ("sync(of=2)", "kv[1]", fast),
        ("raft", "kv[1..2]", slow),
        ("raft", "kv[1]", fast),
        ("quorum(r=1, w=3)", "kv[1]", slow),
        ("quorum(r=2, w=2)", "kv[1]", fast),
    ] {
        let fault = format!(r#"fault.disk = {{ at = "20s", for = "10s", do = "set({disks}.disk, 50ms)" }}"#);
        holds(&store(copy, &format!("{fault}\n{expected}")));
    }
    let alone = store(
        "none",
        &format!("fault.disk = {{ at = \"20s\", for = \"10s\", do = \"set(kv.disk, 50ms)\" }}\n{slow}"),
    );
    holds(&alone.replace(r#"at = ["a", "b", "c"], "#, ""));
}

#[test]
fn a_slow_member_slows_what_it_serves() {
    for (copy, expected) in
        [("async", "p50(save, during=slow) > 38ms"), ("quorum(r=1, w=3)", "p50(save, during=slow) > 38ms")]
    {
        let text = store(
            copy,
            &format!(
                "fault.slow = {{ at = \"20s\", for = \"10s\", do = \"set(kv[0].speed, 25%)\" }}\nslo.slower = \"{expected}\"\nslo.fast = \"p99(save, during=31s..60s) < 20ms\""
            ),
        );
        holds(&text.replace(r#"write = "0ms""#, r#"write = "10ms""#));
    }
}

const CRASHES: &str = r#"
fault.kill = { at = "10s", every = "15s", for = "5s", do = "crash(leader(kv))" }
sometimes.elected = "count(kv.elections) >= 3"
"#;

#[test]
fn a_fault_of_the_leader_strikes_whoever_leads_then() {
    let text = store("raft", CRASHES);
    holds(&text);
    let lines = plan(&text, 1);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0], "10.000000000 s to 15.000000000 s kill: crash the machine of kv[0]", "it began led");
    assert!(
        lines.iter().all(|line| ["kv[0]", "kv[1]", "kv[2]"].iter().any(|name| line.ends_with(name))),
        "{lines:?}"
    );
    assert_ne!(lines[0].split(": ").last(), lines[1].split(": ").last(), "another one leads now: {lines:?}");
    assert_eq!(lines, plan(&text, 1));
}

#[test]
fn a_moment_is_an_election_from_its_beginning_to_its_end() {
    let more = format!(
        "{CRASHES}{}",
        r#"
fault.meanwhile = { at = "during(election(kv))", do = "delay(app, add=1ms)" }
fault.longer = { at = "during(election(kv))", for = "2s", do = "delay(app, add=1ms)" }
fault.then = { at = "after(meanwhile, 1s)", for = "1s", do = "delay(app, add=1ms)" }
slo.none_served = "success(save, during=meanwhile) < 1%"
"#
    );
    let text = store("raft", &more);
    let of = |trial: &Trial, name: &str| -> Vec<(Time, Time)> {
        trial.faults.iter().filter(|fault| fault.0 == name).map(|fault| (fault.1, fault.2)).collect()
    };
    for seed in 1..=3 {
        let trial = once(&text, seed);
        let (kills, meanwhile) = (of(&trial, "kill"), of(&trial, "meanwhile"));
        assert_eq!(kills.len(), 4);
        for (at, _) in &kills {
            let election = meanwhile.iter().find(|election| election.0 == *at);
            let (from, until) = election.unwrap_or_else(|| panic!("no election at {at}: {meanwhile:?}"));
            let took = *until - *from;
            assert!((Span::from_ms(100)..Span::from_secs(2)).contains(&took), "an election of {took}");
        }
        let (longer, then) = (of(&trial, "longer"), of(&trial, "then"));
        assert_eq!(longer.len(), meanwhile.len());
        assert!(longer.iter().all(|(from, until)| *until - *from == Span::from_secs(2)));
        let expected: Vec<Time> = meanwhile.iter().map(|(_, until)| *until + Span::from_secs(1)).collect();
        assert_eq!(then.iter().map(|(from, _)| *from).collect::<Vec<_>>(), expected);
    }
    // The window of a fault whose times only the run tells: from its first beginning to its last end.
    let one_kill =
        text.replace("every = \"15s\", ", "").replace("count(kv.elections) >= 3", "count(kv.elections) >= 1");
    holds(&one_kill);
}

#[test]
fn an_election_is_seen_though_the_old_leader_still_believes_that_it_leads() {
    let more = r#"
fault.split = { at = "10s", for = "10s", do = "isolate(leader(kv))" }
fault.meanwhile = { at = "during(election(kv))", do = "delay(app, add=1ms)" }
"#;
    let trial = once(&store("raft(pre_vote=true)", more), 1);
    let elections: Vec<_> = trial.faults.iter().filter(|fault| fault.0 == "meanwhile").collect();
    let (from, until) = (elections[0].1, elections[0].2);
    assert!(
        (seconds(10.1)..seconds(10.4)).contains(&from) && (from..seconds(12.0)).contains(&until),
        "{elections:?}"
    );
}

#[test]
fn flapping_cuts_that_overlap_are_one_cut() {
    let flap = |every: &str, lasts: &str, expected: &str| {
        store(
            "quorum(r=2, w=2)",
            &format!(
                "fault.flap = {{ at = \"20s\", every = \"{every}\", for = \"{lasts}\", do = \"isolate(kv[0..1])\" }}\n{expected}"
            ),
        )
    };
    // What falls into a gap gets through, and what is sent again in one; without gaps nothing does.
    let some = "slo.some = \"success(save, during=21s..58s) > 3%\"\nslo.not_all = \"success(save, during=21s..58s) < 90%\"";
    holds(&flap("200ms", "100ms", some));
    let nothing = "slo.nothing = \"success(save, during=21s..58s) < 1%\"";
    holds(&flap("200ms", "200ms", nothing));
    holds(&flap("200ms", "500ms", nothing));
}

#[test]
fn a_cut_in_the_middle_and_a_ring_leave_a_majority_to_serve() {
    let shape = |fault: &str, expected: &str| {
        let text = store(
            "raft",
            &format!("fault.cut = {{ at = \"20s\", for = \"20s\", do = \"{fault}\" }}\n{expected}"),
        );
        holds(&text.replace("at = [\"a\", \"b\", \"c\"]", "copies = 5, at = [\"a\", \"b\", \"c\"]"));
    };
    shape("partition_bridge(kv, over=kv[0])", "slo.serves = \"success(save, during=cut) > 99%\"");
    shape("isolate(kv)", "slo.nothing = \"success(save, during=21s..38s) < 1%\"");
    // Two leaders may depose each other over and over in a ring; it is never stuck for good.
    shape("partition_ring(kv)", "slo.serves = \"success(save, during=cut) > 20%\"");
}

#[test]
fn a_deaf_leader_is_not_a_cut_off_one() {
    // The others do not hear the leader, elect another, and the old one hears of it at once.
    let more = "fault.mute = { at = \"20s\", for = \"20s\", do = \"one_way(kv[0], to=kv[1..2])\" }\nsometimes.two = \"max(kv.leaders) >= 2\"";
    let mute = load(&store("raft", more));
    let outcome = run(&mute, 1);
    assert_eq!(
        outcome.cells[0].properties["two"].outcome, "violated",
        "it steps down before the other one leads"
    );
    holds(&store("raft", &more.replace("one_way(kv[0], to=kv[1..2])", "cut(kv[0], from=kv[1..2])")));
}

#[test]
fn what_members_tell_each_other_may_come_twice_and_in_any_order() {
    for copy in ["raft", "sync(of=3)", "quorum(r=2, w=2)", "async"] {
        let more = r#"fault.twice = { at = "0s", do = "duplicate(kv, share=50%)" }
fault.mixed = { at = "0s", do = "reorder(kv, share=30%, window=30ms)" }
slo.serves = "success(save) > 99%""#;
        holds(&store(copy, more));
    }
}

#[test]
fn a_skewed_clock_makes_a_later_write_the_older_one() {
    // kv[0] is where the server is; `nearest` coordinates. The clock of the second writer's coordinator is slow.
    let text = |fault: &str, expected: &str| {
        format!(
            r#"
length = "60s"
warmup = "0s"
runs   = 1
zone   = {{ a = {{}}, b = {{}} }}
net    = {{ latency = "1ms" }}
server.app  = {{ at = "a", cores = "unlimited", threads = "unlimited" }}
server.far  = {{ at = "b", cores = "unlimited", threads = "unlimited" }}
db.kv       = {{ at = ["a", "b", "a"], copy = "quorum(r=2, w=2)", read = "0ms", write = "0ms" }}
workload.w  = {{ do = "both(item=sequence(100000))", arrive = "poisson(50/s)" }}
{fault}
always.kept = "count(lost) <= 0"
{expected}
[on.app]
both = "call far.save(item=item, n=1); write kv.rows[item] = 2; x = read kv.rows[item]; if x == 2 {{ tally kept }} else {{ tally lost }}"
[on.far]
save = "write kv.rows[item] = n"
"#
        )
    };
    holds(&text("", ""));
    let skewed = r#"expect.base.kept = "violated""#;
    holds(&text(r#"fault.clock = { at = "20s", for = "5s", do = "skew(kv[0], -1s)" }"#, skewed));
    holds(&text(r#"fault.clock = { at = "20s", for = "5s", do = "skew(kv[1], 1s)" }"#, skewed));
    holds(&text(r#"fault.clock = { at = "20s", for = "5s", do = "skew(kv[0], 1s)" }"#, ""));
    // 100 ppm for 5 s are half a millisecond: less than what lies between the two writes.
    holds(&text(r#"fault.clock = { at = "20s", for = "5s", do = "drift(kv[0], -100ppm)" }"#, ""));
    holds(&text(r#"fault.clock = { at = "20s", for = "5s", do = "drift(kv[0], -10000ppm)" }"#, skewed));
}

#[test]
fn a_clock_that_drifts_ages_a_cache_faster() {
    let text = |fault: &str, expected: &str| {
        format!(
            r#"
length = "2000s"
warmup = "0s"
runs   = 2
net    = {{ latency = "0ms" }}
server.app  = {{ cores = "unlimited", threads = "unlimited" }}
cache.pages = {{ ttl = "10s", fill = "page(item=key)" }}
workload.w  = {{ do = "get_page(item=1)", arrive = "even(100/s)" }}
{fault}
slo.rebuilt = "{expected}"
[on.app]
get_page = "get pages[item]"
page = "return item"
"#
        )
    };
    let fills = |fault: &str, fills: f64| {
        holds(&text(fault, &format!("count(pages.fills) > {}", fills - 3.0)));
        holds(&text(fault, &format!("count(pages.fills) < {}", fills + 3.0)));
    };
    fills("", 200.0);
    fills(r#"fault.fast = { at = "0s", do = "drift(pages, 100000ppm)" }"#, 220.0);
    fills(r#"fault.slow = { at = "0s", do = "drift(pages, -10%)" }"#, 180.0);
}

#[test]
fn errors_of_a_dependency_and_drained_servers() {
    let text = r#"
length = "60s"
warmup = "0s"
runs   = 8
net    = { latency = "1ms" }
lb.edge       = { to = "app", pick = "round_robin" }
server.app    = { count = 2, cores = "unlimited", threads = "unlimited" }
external.bank = { reply = "20ms", errors = "1%" }
workload.w    = { do = "pay()", arrive = "poisson(200/s)" }
fault.worse   = { at = "10s", for = "10s", do = "error(bank, 50%)" }
fault.deploy  = { at = "40s", for = "10s", do = "drain(app[0])" }
slo.half      = "success(pay, during=10.1s..19.9s) < 54%"
slo.half_     = "success(pay, during=10.1s..19.9s) > 46%"
slo.one       = "success(pay, during=21s..39s) > 98%"
slo.one_      = "success(pay, during=21s..39s) < 99.9%"
slo.drained   = "success(pay, during=40.1s..49.9s) < 53%"
slo.drained_  = "success(pay, during=40.1s..49.9s) > 46%"
slo.fast_no   = "p1(pay, during=40.1s..49.9s, outcome=failed) < 5ms"
slo.back      = "success(pay, during=51s..60s) > 97%"
always.finished = "max(app.busy) <= 1000"
[on.app]
pay = "call bank"
"#;
    holds(text);
}
