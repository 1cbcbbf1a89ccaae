//! Two clocks per node. By the monotonic one, which has a rate alone, a node times whatever it times; by the wall clock, which may be set
//! wrong besides, it stamps. Customers, networks, disks and cores take true time.

use std::sync::atomic::AtomicBool;

use splitbrain::experiment::results::Results;
use splitbrain::experiment::trial::Trial;
use splitbrain::experiment::{Overrides, execute};

use crate::support::{experiment, run};

fn trials(text: &str) -> Vec<Trial> {
    let overrides = Overrides { runs: Some(2), ..Overrides::default() };
    let experiment = experiment("tests/clocks.toml", text, &overrides);
    let outcome = execute(&experiment, 1, &|_| {}, &AtomicBool::new(false)).expect("it ends");
    outcome.cells.into_iter().flat_map(|cell| cell.trials).collect()
}

/// A text in which «200ms» is what a node times: as it stands, or halved.
fn timed(text: &str, halved: bool) -> String {
    let mut parts = text.split(['«', '»']);
    let mut timed = parts.next().expect("a beginning").to_owned();
    while let Some(span) = parts.next() {
        let ms: u64 = span.strip_suffix("ms").and_then(|ms| ms.parse().ok()).expect("whole milliseconds");
        assert!(ms.is_multiple_of(2), "{span} can be halved");
        timed += &format!("{}ms{}", if halved { ms / 2 } else { ms }, parts.next().expect("what follows"));
    }
    timed
}

/// All clocks at rate 2 from the start, or in other words every duration that nodes time halved: the same run, event by event.
fn twice_as_fast_is_half_as_long(name: &str, nodes: &[&str], text: &str) {
    let drift =
        |node: &&str| format!("fault.clock_{node} = {{ at = \"0s\", do = \"drift({node}, by=100%)\" }}\n");
    let drifts: String = nodes.iter().map(drift).collect();
    let fast = trials(&format!("{drifts}{}", timed(text, false)));
    let halved = trials(&timed(text, true));
    let unlike = trials(&timed(text, false));
    assert_eq!((fast.len(), halved.len()), (2, 2));
    for ((fast, halved), unlike) in fast.iter().zip(&halved).zip(&unlike) {
        assert!(fast.events > 2_000, "{name}: {} events", fast.events);
        assert_eq!(fast.events, halved.events, "{name}");
        assert_eq!(fast.fingerprint, halved.fingerprint, "{name}");
        assert_eq!(format!("{:?}", fast.seen), format!("{:?}", halved.seen), "{name}: the same verdicts");
        assert_eq!(format!("{:?}", fast.values), format!("{:?}", halved.values), "{name}: the same figures");
        assert_ne!(fast.fingerprint, unlike.fingerprint, "{name}: clocks matter at all");
    }
}

const THREE_ZONES: &str = r#"
length = "20s"
warmup = "0s"
zone = { a = {}, b = {}, c = {} }
net  = { latency = "1ms" }
link = { "a b" = { latency = "1ms" }, "a c" = { latency = "30ms" }, "b c" = { latency = "5ms" } }
policy.p = { timeout = "5s" }
policy.inner = { timeout = "«800ms»", retry = "fixed(«50ms», times=3)" }
server.web = { at = ["a", "b"], cores = 2 }
server.app = { at = "a", cores = 2 }
workload.users = { do = "web.page(key=uniform(20))", arrive = "poisson(40/s)", with = "p" }
workload.loop  = { do = "web.page(key=uniform(20))", arrive = "users(4, think=exp(200ms))", with = "p" }
fault.split = { at = "6s", for = "2s", do = "cut(kv[0], from=[kv[1], kv[2]])" }
fault.fall  = { at = "12s", for = "3s", do = "crash(kv[0])" }
fault.still = { at = "16s", for = "700ms", do = "pause(app)" }
always.true_rows = "linearizable(kv.rows)"
always.mine      = "read_your_writes(kv)"
measures = ["success(page)", "p99(page)", "mean(page)", "outage(page)"]
[on.web]
page = "wait «20ms»; call app.work(key=key) with inner"
[on.app]
work = "cpu exp(3ms); write kv.rows[key] = 1; x = read kv.rows[key]; wait «6ms»"
"#;

#[test]
fn raft_with_leases_at_twice_the_rate_is_raft_in_half_the_time() {
    let kv = r#"db.kv = { at = ["a", "b", "c"], copy = "raft(election=«400ms», heartbeat=«60ms», lease=«200ms»)", timeout = "«600ms»", avoid = "«300ms»", connect = "«400ms»", keepalive = "«600ms»", keepalive_timeout = "«800ms»", pool = "pool(4, per=process, timeout=«100ms»)" }"#;
    twice_as_fast_is_half_as_long("raft", &["kv", "web", "app"], &format!("{kv}{THREE_ZONES}"));
}

#[test]
fn copies_without_elections_at_twice_the_rate_are_such_in_half_the_time() {
    for copy in [
        "async(heartbeat=«60ms», send=«2ms»)",
        "sync(of=2, heartbeat=«60ms», send=«2ms»)",
        "quorum(r=2, w=2, hints=«1000ms», patience=«300ms»)",
    ] {
        let kv = format!(
            r#"db.kv = {{ at = ["a", "b", "c"], copy = "{copy}", timeout = "«600ms»", avoid = "«300ms»", connect = "«400ms»", keepalive = "«600ms»", keepalive_timeout = "«800ms»" }}"#
        );
        twice_as_fast_is_half_as_long(copy, &["kv", "web", "app"], &format!("{kv}{THREE_ZONES}"));
    }
}

#[test]
fn caches_at_twice_the_rate_live_half_as_long() {
    for guard in [
        "none",
        "mutex(ttl=«100ms», wait=fixed(«20ms»))",
        "lease(ttl=«100ms», wait=«20ms»)",
        "single_flight(per=all, hold=«60ms»)",
        "stale(for=«400ms», rebuild=«100ms»)",
        "xfetch(beta=1)",
    ] {
        for clock in ["wall", "monotonic"] {
            let text = format!(
                r#"
length = "10s"
warmup = "0s"
net = {{ latency = "1ms" }}
policy.p = {{ timeout = "5s" }}
server.web = {{ count = 2, threads = "unlimited" }}
db.kv = {{ read = "exp(20ms)", timeout = "«2000ms»" }}
cache.pages = {{ ttl = "«400ms»", clock = "{clock}", guard = "{guard}", timeout = "«200ms»", fill = "build(key=key)" }}
workload.users = {{ do = "page(key=uniform(5))", arrive = "poisson(100/s)", with = "p" }}
fault.gone = {{ at = "4s", for = "1s", do = "pause(pages)" }}
measures = ["pages.hits", "pages.misses", "kv.reads", "p99(page)"]
[on.web]
page = "get pages[key]"
build = "x = read kv.rows[key]; return x"
"#
            );
            twice_as_fast_is_half_as_long(guard, &["web", "kv", "pages"], &text);
        }
    }
}

/// What waits for a lock, by who has the row or the key.
fn contended(lock: &str, more: &str) -> String {
    format!(
        r#"
length = "20s"
warmup = "0s"
net = {{ latency = "1ms" }}
policy.p = {{ timeout = "20s" }}
server.app = {{ count = 3, threads = "unlimited" }}
db.kv = {{ read = "1ms", write = "1ms", timeout = "«1000ms»" }}
cache.spots = {{ count = 5 }}
lock.seat = {{ {lock} }}
workload.users = {{ do = "take(key=uniform(3))", arrive = "poisson(12/s)", with = "p" }}
fault.still = {{ at = "5s", every = "3s", for = "800ms", do = "pause(app[0])" }}
measures = ["seat.acquired", "seat.lost", "seat.given_up", "overlaps(seat)", "p99(take)"]
always.exclusive = "exclusive(seat)"
{more}
[on.app]
take = "hold seat[key] {{ wait «60ms»; write kv.rows[key] = 1 }}"
"#
    )
}

#[test]
fn locks_at_twice_the_rate_are_held_half_as_long() {
    let times = r#"ttl = "«600ms»", renew = "«200ms»", patience = "«3000ms»", timeout = "«300ms»""#;
    for kind in [
        r#"in = "kv", kind = "lease""#,
        r#"in = "kv", kind = "set_nx""#,
        r#"in = "spots", kind = "set_nx", wait = "fixed(«30ms», times=100)""#,
        r#"in = "spots", kind = "redlock(5)", wait = "fixed(«30ms», times=100)""#,
    ] {
        twice_as_fast_is_half_as_long(
            kind,
            &["app", "kv", "spots"],
            &contended(&format!("{kind}, {times}"), ""),
        );
    }
}

#[test]
fn transactions_at_twice_the_rate_wait_half_as_long() {
    let text = r#"
length = "20s"
warmup = "0s"
net = { latency = "1ms" }
policy.p = { timeout = "20s" }
policy.again = { timeout = "«900ms»", retry = "fixed(«40ms», times=4)" }
server.app = { count = 2, threads = "unlimited" }
db.kv = { read = "1ms", write = "1ms", isolation = "snapshot", lock_wait = "«200ms»", idle = "«700ms»", timeout = "«1000ms»", pool = "pool(3, per=process, timeout=«150ms»)", start = { rows = "each(5, keys=4)" } }
workload.users = { do = "move(a=uniform(4), b=uniform(4))", arrive = "poisson(15/s)", with = "p" }
fault.still = { at = "4s", every = "3s", for = "900ms", do = "pause(app[0])" }
measures = ["kv.commits", "kv.aborts", "kv.lock_timeouts", "kv.deadlocks", "p99(move)"]
[on.app]
move = "tx kv with again { update kv.rows[a] -= 1; wait «50ms»; update kv.rows[b] += 1 }"
"#;
    twice_as_fast_is_half_as_long("transactions", &["app", "kv"], text);
}

fn results(text: &str) -> Results {
    run(&experiment("tests/clocks.toml", text, &Overrides::default()), 1)
}

fn measure(results: &Results, name: &str) -> f64 {
    results.cells[0].measures[name].mean.unwrap_or_else(|| panic!("{name} is undefined"))
}

/// The holder works for 2 s under a ttl of 1 h; somebody sets the clocks of whoever keeps the lock an hour and a half ahead.
fn set_ahead(lock: &str, fault: &str) -> (f64, String) {
    let results = results(&format!(
        r#"
length = "20s"
warmup = "0s"
net = {{ latency = "1ms" }}
policy.p = {{ timeout = "20s" }}
server.app = {{ threads = "unlimited" }}
server.web = {{ threads = "unlimited" }}
db.kv = {{ read = "0ms", write = "0ms" }}
cache.spots = {{ count = 5 }}
lock.seat = {{ {lock}, ttl = "1h", patience = "15s" }}
workload.first  = {{ do = "first()", arrive = "once(1)", with = "p" }}
workload.second = {{ do = "second()", arrive = "once(1)", from = "500ms", with = "p" }}
fault.clock = {{ at = "1s", for = "4s", do = "{fault}" }}
measures = ["overlaps(seat)"]
always.exclusive = "exclusive(seat)"
[on.app]
first = "hold seat[1] {{ wait 2s }}"
[on.web]
second = "hold seat[1] {{ wait 2s }}"
"#
    ));
    (measure(&results, "overlaps(seat)"), results.cells[0].properties["exclusive"].outcome.to_string())
}

#[test]
fn a_step_of_the_wall_clock_ends_keys_that_were_set_and_no_lease() {
    let poll = r#"wait = "fixed(100ms, times=1000)""#;
    let redis = format!(r#"in = "spots", kind = "set_nx", {poll}"#);
    let redlock = format!(r#"in = "spots", kind = "redlock(5)", {poll}"#);
    let broken = (1.0, "violated".to_owned());
    let sound = (0.0, "holds".to_owned());
    assert_eq!(set_ahead(&redis, "skew(spots, by=90m)"), broken);
    assert_eq!(
        set_ahead(r#"in = "kv", kind = "set_nx""#, "skew(kv, by=90m)"),
        broken,
        "the line moves up at once"
    );
    assert_eq!(set_ahead(&redlock, "skew([spots[0], spots[1], spots[2]], by=90m)"), broken, "a majority");
    assert_eq!(set_ahead(&redlock, "skew([spots[0], spots[1]], by=90m)"), sound, "a minority");
    assert_eq!(set_ahead(r#"in = "kv", kind = "lease""#, "skew(kv, by=90m)"), sound);
    for lock in [redis.as_str(), redlock.as_str(), r#"in = "kv", kind = "lease""#] {
        assert_eq!(
            set_ahead(lock, "skew([app, web], by=90m)"),
            sound,
            "whoever holds it does not stamp: {lock}"
        );
        assert_eq!(set_ahead(lock, "skew([app, web, kv, spots], by=-90m)"), sound, "later is safe: {lock}");
    }
}

/// 0 hits where the entry has expired when it is read again after 2 s.
fn hits_after_two_seconds(clock: &str, fault: &str) -> f64 {
    let results = results(&format!(
        r#"
length = "10s"
warmup = "0s"
net = {{ latency = "1ms" }}
server.web = {{}}
db.kv = {{ read = "1ms" }}
cache.pages = {{ ttl = "3s", clock = "{clock}", fill = "build(key=key)" }}
workload.first = {{ do = "page(key=1)", arrive = "once(1)", from = "100ms" }}
workload.again = {{ do = "page(key=1)", arrive = "once(1)", from = "2100ms" }}
fault.clock = {{ at = "1s", do = "{fault}" }}
measures = ["pages.hits"]
[on.web]
page = "get pages[key]"
build = "x = read kv.rows[key]; return x"
"#
    ));
    measure(&results, "pages.hits")
}

#[test]
fn entries_expire_by_the_clock_of_their_product() {
    for (clock, fault, hits) in [
        ("wall", "skew(pages, by=0s)", 1.0),
        ("wall", "skew(pages, by=2s)", 0.0),
        ("wall", "skew(web, by=2s)", 1.0),
        ("monotonic", "skew(pages, by=2s)", 1.0),
        ("wall", "drift(pages, by=100%)", 0.0),
        ("monotonic", "drift(pages, by=100%)", 0.0),
        ("monotonic", "drift(pages, by=50%)", 1.0),
    ] {
        assert_eq!(hits_after_two_seconds(clock, fault), hits, "{clock}, {fault}");
    }
}

/// How long a `wait 4s` takes, of which a fault changes the clock after 1 s, for 1 s.
fn waited(fault: &str) -> f64 {
    let results = results(&format!(
        r#"
length = "20s"
warmup = "0s"
net = {{ latency = "0ms" }}
server.web = {{}}
workload.first = {{ do = "nap()", arrive = "once(1)" }}
fault.clock = {{ at = "1s", for = "1s", do = "{fault}" }}
measures = ["max(nap)"]
[on.web]
nap = "wait 4s"
"#
    ));
    measure(&results, "max(nap)")
}

#[test]
fn a_drift_reaches_what_is_being_waited_for() {
    assert_eq!(waited("skew(web, by=1h)"), 4.0);
    assert_eq!(waited("drift(web, by=100%)"), 3.0, "2 s of the wait in its second second");
    assert_eq!(waited("drift(web, by=-50%)"), 4.5);
}

/// How long a call with a timeout of 4 s takes that nobody answers, of which a fault changes the caller's clock after 1 s, for 1 s.
fn timed_out(fault: &str) -> f64 {
    let results = results(&format!(
        r#"
length = "30s"
warmup = "0s"
net = {{ latency = "0ms" }}
server = {{ web = {{}}, app = {{}}, other = {{}} }}
policy.four = {{ timeout = "4s" }}
policy.two = {{ timeout = "2s" }}
workload.first = {{ do = "web.ask()", arrive = "once(1)" }}
workload.again = {{ do = "other.poke()", arrive = "even(10/s)", to = "10s" }}
fault.gone  = {{ at = "0s", do = "pause(app)" }}
fault.clock = {{ at = "1s", for = "1s", do = "{fault}" }}
measures = ["max(ask, outcome=any)", "max(poke, outcome=any)"]
[on.web]
ask = "call app.nothing() with four"
[on.other]
poke = "call app.nothing() with two"
[on.app]
nothing = "return 1"
"#
    ));
    assert_eq!(measure(&results, "max(poke, outcome=any)"), 2.0, "others' timeouts are theirs");
    measure(&results, "max(ask, outcome=any)")
}

#[test]
fn a_drift_reaches_timeouts_that_run() {
    assert_eq!(timed_out("skew(web, by=1h)"), 4.0);
    assert_eq!(timed_out("drift(web, by=100%)"), 3.0);
    assert_eq!(timed_out("drift(web, by=-50%)"), 4.5);
}

/// A session writes 1 through one member and then 2 through another, and reads: how many of its turns are right.
fn last_writes(copy: &str, fault: &str) -> f64 {
    let results = results(&format!(
        r#"
length = "30s"
warmup = "0s"
net = {{ latency = "1ms" }}
zone = {{ a = {{}}, b = {{}}, c = {{}} }}
db.kv = {{ at = ["a", "b", "c"], copy = "{copy}", merge = "last_write", read = "0ms", write = "0ms" }}
server.app = {{ at = "a", cores = "unlimited", threads = "unlimited" }}
workload.turns = {{ do = "turn(k=sequence(1000))", arrive = "even(10/s)", from = "1s", to = "25s" }}
fault.clock = {{ at = "0s", do = "{fault}" }}
measures = ["count(good)", "count(turn)"]
[on.kv]
save = "write kv.x[k] = v"
see = "n = read kv.x[k]; return n"
[on.app]
turn = """
call kv.save(k=k, v=1) from a
wait 200ms
call kv.save(k=k, v=2) from b
wait 200ms
n = call kv.see(k=k) from c
if n == 2 {{ tally good }}"""
"#
    ));
    measure(&results, "count(good)") / measure(&results, "count(turn)")
}

#[test]
fn last_write_wins_by_the_wall_clock() {
    for copy in ["quorum(r=2, w=2)", "multi_leader"] {
        for (fault, good) in [
            ("skew(kv[0], by=100ms)", 1.0),
            ("skew(kv[0], by=500ms)", 0.0),
            ("skew(kv[1], by=-500ms)", 0.0),
            ("skew(kv[1], by=500ms)", 1.0),
            ("skew(kv, by=500ms)", 1.0),
            ("drift(kv, by=100%)", 1.0),
            ("drift(kv[0], by=100%)", 0.0),
        ] {
            assert_eq!(last_writes(copy, fault), good, "{copy}, {fault}");
        }
    }
}
