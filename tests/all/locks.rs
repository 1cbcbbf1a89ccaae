//! `hold` from the program to the store: who has a lock, for how long, who waits, what a fence refuses, what is forgotten.

use proptest::prelude::*;
use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{bytes, experiment, run};

fn results(text: &str) -> Results {
    run(&experiment("tests/locks.toml", text, &Overrides::default()), 1)
}

fn measure(results: &Results, name: &str) -> f64 {
    let measures = &results.cells[0].measures;
    let known = measures.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", measures.keys()));
    known.mean.unwrap_or_else(|| panic!("{name} is undefined: {:?}", known.note))
}

fn outcome(results: &Results, property: &str) -> String {
    results.cells[0].properties[property].outcome.to_string()
}

/// Client 1 gets a token and stands still for longer than the ttl; client 2 gets the next one and writes; client 1 wakes up and writes (M.
/// Kleppmann 2016).
fn late_writer(fence: &str) -> Results {
    results(&format!(
        r#"
length = "10s"
net    = {{ latency = "1ms" }}
server = {{ one = {{ threads = "unlimited" }}, two = {{ threads = "unlimited" }} }}
db.kv   = {{ read = "0ms", write = "0ms" }}
db.shop = {{ read = "0ms", write = "0ms" }}
lock.seat = {{ in = "kv", ttl = "2s", fence = "{fence}" }}
workload.first  = {{ do = "one.early()", arrive = "once(1)" }}
workload.second = {{ do = "two.late()", arrive = "once(1)", from = "1s" }}
workload.last   = {{ do = "two.look()", arrive = "once(1)", from = "8s" }}
fault.pause = {{ at = "50ms", for = "5s", do = "pause(one[0])" }}
measures = ["success(first)", "success(second)", "max(second)", "shop.fenced", "late_effects(seat)", "overlaps(seat)", "overlap(seat)", "count(seen)"]
always = {{ exclusive = "exclusive(seat)", fresh = "fresh_tokens(seat)" }}
[on.one]
early = "hold seat[1] {{ wait 100ms; write shop.file[1] = 33 }}"
[on.two]
late = "hold seat[1] {{ write shop.file[1] = 34 }}"
look = "n = read shop.file[1]; tally seen += n"
"#
    ))
}

#[test]
fn a_late_write_is_refused_by_the_fence_and_by_nothing_else() {
    for (fence, seen, refused) in [("none", 33.0, 0.0), ("write", 34.0, 1.0), ("read_write", 34.0, 1.0)] {
        let results = late_writer(fence);
        assert_eq!(measure(&results, "count(seen)"), seen, "{fence}");
        assert_eq!(measure(&results, "shop.fenced"), refused, "{fence}");
        assert_eq!(measure(&results, "success(first)"), 1.0 - refused, "{fence}");
        assert_eq!(measure(&results, "late_effects(seat)"), 1.0 - refused, "{fence}");
        // Asked for at 1.001 s, it is free 2 s after it was set at 2 ms; then an answer, the write and its round trip, and the way home.
        assert!(
            (measure(&results, "max(second)") - 1.006).abs() < 1e-6,
            "{}",
            measure(&results, "max(second)")
        );
        assert_eq!(
            (outcome(&results, "exclusive"), outcome(&results, "fresh")),
            ("violated".into(), "holds".into())
        );
    }
}

/// A's time is over, B has the lock, and A gives back what it believes to hold: with `DEL` that is B's lock, and C has it while B is at work (row
/// K5).
#[test]
fn del_deletes_the_lock_of_the_next_holder_and_compare_and_delete_does_not() {
    for (release, foreign, overlaps, chain) in [("compare", 0.0, 1.0, 0.0), ("del", 1.0, 2.0, 1.0)] {
        let results = results(&format!(
            r#"
length = "10s"
net    = {{ latency = "1ms" }}
server.app = {{ threads = "unlimited" }}
db.kv     = {{ read = "0ms", write = "0ms" }}
lock.seat = {{ in = "kv", ttl = "2s", release = "{release}" }}
workload.a = {{ do = "work(ms=3000)", arrive = "once(1)" }}
workload.b = {{ do = "work(ms=1500)", arrive = "once(1)", from = "500ms" }}
workload.c = {{ do = "work(ms=100)", arrive = "once(1)", from = "2500ms" }}
measures = ["kv.foreign_releases", "kv.lapsed", "overlaps(seat)", "foreign_chain(seat)", "max(c, cause=lock)"]
[on.app]
work = "hold seat[1] {{ wait 1ms * ms }}"
"#
        ));
        assert_eq!(measure(&results, "kv.foreign_releases"), foreign, "{release}");
        assert_eq!(measure(&results, "kv.lapsed"), 1.0, "{release}: A's");
        assert_eq!(measure(&results, "overlaps(seat)"), overlaps, "{release}");
        assert_eq!(measure(&results, "foreign_chain(seat)"), chain, "{release}");
        // C asks at 2.501 s; A is done at 3.003 s and B at 3.503 s or so.
        let waited = measure(&results, "max(c, cause=lock)");
        assert!((waited - if release == "del" { 0.504 } else { 1.004 }).abs() < 0.002, "{release}: {waited}");
    }
}

/// A worker that reads, waits and writes under a lock of each kind: nothing is lost while nothing goes wrong, and who waits in line is served in
/// order.
#[test]
fn every_kind_of_lock_keeps_workers_apart() {
    for (place, lock) in [
        ("db.place = { read = \"100us\", write = \"100us\", disk = \"1ms\" }", "in = \"place\""),
        (
            "db.place = { read = \"100us\", write = \"100us\" }",
            "in = \"place\", wait = \"fixed(5ms, times=1000)\"",
        ),
        ("cache.place = { count = 3 }", "in = \"place\", wait = \"expo(base=1ms, max=20ms, times=1000)\""),
        (
            "cache.place = { count = 5 }",
            "in = \"place\", kind = \"redlock(5)\", wait = \"fixed(uniform(1ms, 20ms), times=1000)\"",
        ),
        ("db.place = { copies = 3, copy = \"async\" }", "in = \"place\""),
        ("db.place = { copies = 3, copy = \"sync(of=3)\" }", "in = \"place\", renew = \"500ms\""),
        (
            "db.place = { copies = 3, copy = \"raft\", disk = \"1ms\" }",
            "in = \"place\", kind = \"lease\", fence = \"read_write\"",
        ),
    ] {
        let text = format!(
            r#"
length = "20s"
net    = {{ latency = "exp(500us)" }}
server.app = {{ count = 3, threads = "unlimited", cores = "unlimited" }}
{place}
db.shop   = {{ read = "0ms", write = "0ms" }}
lock.seat = {{ ttl = "2s", patience = "1m", {lock} }}
workload.workers = {{ do = "work(seat=uniform(2))", arrive = "users(8, think=exp(20ms))", to = "18s" }}
measures = ["lost(shop.stock)", "count(done)", "seat.acquired", "late_effects(seat)", "mean(seat.held)", "seat.waiting", "seat.held", "seat.lost", "success(workers)", "place.locks"]
always = {{ exclusive = "exclusive(seat)", fresh = "fresh_tokens(seat)" }}
[on.app]
work = "hold seat[seat] {{ n = read shop.stock[seat]; wait exp(10ms); write shop.stock[seat] = n + 1 }}; tally done"
"#
        );
        let results = results(&text);
        assert_eq!(measure(&results, "lost(shop.stock)"), 0.0, "{lock}");
        assert_eq!(outcome(&results, "exclusive"), "holds", "{lock}");
        if !lock.contains("redlock") {
            assert_eq!(outcome(&results, "fresh"), "holds", "{lock}");
        }
        assert!(measure(&results, "count(done)") > 500.0, "{lock}: {}", measure(&results, "count(done)"));
        assert_eq!(measure(&results, "count(done)"), measure(&results, "seat.acquired"), "{lock}");
        assert_eq!(
            (measure(&results, "seat.waiting"), measure(&results, "seat.held")),
            (0.0, 0.0),
            "{lock}: all is given back"
        );
        assert_eq!(
            (measure(&results, "success(workers)"), measure(&results, "seat.lost")),
            (1.0, 0.0),
            "{lock}"
        );
        assert_eq!(bytes(&results), bytes(&self::results(&text)), "{lock}: not the same twice");
    }
}

/// Members that are slower than the next time one asks: what they still say to the last time is no vote in the next.
#[test]
fn a_majority_is_of_the_answers_to_one_question() {
    let results = results(
        r#"
length = "60s"
runs   = 4
net    = { latency = "exp(30ms)" }
server.app = { count = 3, threads = "unlimited", cores = "unlimited" }
cache.redis = { count = 3, timeout = "1s" }
lock.seat = { in = "redis", kind = "redlock(3)", ttl = "10s", wait = "fixed(uniform(1ms, 10ms), times=1000)", timeout = "1s", patience = "1m" }
policy.patient = { timeout = "1h" }
workload.workers = { do = "work()", arrive = "users(6, think=exp(20ms))", with = "patient" }
measures = ["seat.acquired"]
always.exclusive = "exclusive(seat)"
[on.app]
work = "hold seat[1] { wait exp(20ms) }"
"#,
    );
    assert_eq!(outcome(&results, "exclusive"), "holds");
    assert!(measure(&results, "seat.acquired") > 50.0, "{}", measure(&results, "seat.acquired"));
}

/// Whoever waits in line keeps his place when the leader falls; who was told nothing asks again and hears.
#[test]
fn a_line_outlives_leaders_and_crashes() {
    // A hold lasts 28 ms or so. Who could not give the lock back when the only member fell, 2 s each time, is waited for: after the restart
    // his lease has its whole ttl of 5 s once more (etcd). So five times 7 s of 50 s may be lost.
    let held = "{ read = \"0ms\", write = \"0ms\", disk = \"1ms\", timeout = \"500ms\" }";
    let replicated = "{ copies = 3, copy = \"raft\", disk = \"1ms\", timeout = \"500ms\" }";
    for (place, fault, least) in [
        (replicated, "crash(leader(place))", 1_500.0),
        (replicated, "isolate(leader(place))", 1_500.0), // nobody's late request stands in line: it was half of that when some did
        (held, "crash(place[0])", 535.0),
    ] {
        let results = results(&format!(
            r#"
length = "60s"
net    = {{ latency = "exp(500us)" }}
server.app = {{ count = 3, threads = "unlimited", cores = "unlimited" }}
db.place  = {place}
db.shop   = {{ read = "0ms", write = "0ms" }}
lock.seat = {{ in = "place", kind = "lease", ttl = "5s", patience = "1m", timeout = "200ms" }}
policy.patient = {{ timeout = "1h" }}
workload.workers = {{ do = "work()", arrive = "users(8, think=exp(20ms))", to = "50s", with = "patient" }}
fault.trouble = {{ at = "3s", every = "10s", for = "2s", do = "{fault}" }}
measures = ["lost(shop.stock)", "count(done)", "seat.given_up", "seat.waiting", "seat.held"]
always = {{ exclusive = "exclusive(seat)", fresh = "fresh_tokens(seat)" }}
[on.app]
work = "hold seat[1] {{ n = read shop.stock[1]; wait exp(20ms); write shop.stock[1] = n + 1 }}; tally done"
"#
        ));
        assert_eq!(
            (outcome(&results, "exclusive"), outcome(&results, "fresh")),
            ("holds".into(), "holds".into()),
            "{fault}"
        );
        assert_eq!(
            (measure(&results, "lost(shop.stock)"), measure(&results, "seat.given_up")),
            (0.0, 0.0),
            "{fault}"
        );
        assert_eq!(
            (measure(&results, "seat.waiting"), measure(&results, "seat.held")),
            (0.0, 0.0),
            "{fault}"
        );
        assert!(measure(&results, "count(done)") > least, "{fault}: {}", measure(&results, "count(done)"));
    }
}

/// Whatever ends a hold gives it back; only a crash does not, and then the ttl does.
#[test]
fn a_hold_is_given_back_on_every_way_out() {
    let results = results(
        r#"
length = "30s"
net    = { latency = "1ms" }
server = { app = { threads = "unlimited" }, other = { threads = "unlimited" } }
db.kv     = { read = "0ms", write = "0ms" }
lock.seat = { in = "kv", ttl = "3s", patience = "1m" }
workload.failing = { do = "failing()", arrive = "even(10/s)", to = "2s" }
workload.racing  = { do = "racing()", arrive = "even(10/s)", to = "2s" }
workload.nested  = { do = "nested()", arrive = "even(10/s)", to = "2s" }
workload.stuck   = { do = "stuck()", arrive = "once(1)", from = "10s" }
workload.follower = { do = "next()", arrive = "once(1)", from = "11s" }
workload.hasty   = { do = "next()", arrive = "once(1)", from = "11500ms" }
fault.client = { at = "10500ms", for = "5s", do = "crash(other[0])" }
measures = ["seat.held", "seat.waiting", "kv.lapsed", "max(next, cause=lock)", "success(next)", "success(racing)", "success(nested)", "errors(failing)", "overlaps(seat)"]
[on.other]
stuck = "hold seat[1] { wait 10s }"
[on.app]
failing = "hold seat[1] { wait 1ms; fail odd }"
racing = "race { hold seat[1] { wait 1s }; { hold seat[2] { wait 5ms } } }"
nested = "hold seat[1] { hold seat[3] { wait 1ms } else tally odd; par { wait 1ms; { hold seat[4] { wait 2ms } } } }"
next = "hold seat[1] { wait 1ms }"
"#,
    );
    assert_eq!((measure(&results, "seat.held"), measure(&results, "seat.waiting")), (0.0, 0.0));
    assert_eq!(measure(&results, "kv.lapsed"), 1.0, "that of the one who crashed");
    // Set at 10.002 s, over at 13.002 s.
    assert!(
        (measure(&results, "max(next, cause=lock)") - 2.002).abs() < 0.005,
        "{}",
        measure(&results, "max(next, cause=lock)")
    );
    for success in ["success(next)", "success(racing)", "success(nested)", "errors(failing)"] {
        assert_eq!(measure(&results, success), 1.0, "{success}");
    }
    assert_eq!(measure(&results, "overlaps(seat)"), 0.0);
}

/// One member that never fails and whose clock runs true, and holders who are done in time, counted from the SET at the store.
fn one_member(ttl_ms: u64, hold_ms: u64, latency_us: u64, jitter_us: u64, seed: u64, more: &str) -> Results {
    let overrides = Overrides { seed: Some(seed), ..Overrides::default() };
    let text = format!(
        r#"
length = "20s"
net    = {{ latency = "uniform({latency_us}us, {}us)" }}
server.app  = {{ count = 3, threads = "unlimited", cores = "unlimited" }}
cache.redis = {{ serve = "0ms" }}
lock.seat   = {{ in = "redis", ttl = "{ttl_ms}ms", wait = "fixed(uniform(1ms, 30ms), times=1000)", patience = "1m" }}
workload.workers = {{ do = "work(ms={hold_ms})", arrive = "users(6, think=exp(20ms))" }}
measures = ["seat.acquired"]
always.exclusive = "exclusive(seat)"
{more}
[on.app]
work = "hold seat[1] {{ wait 1ms * ms }}"
"#,
        latency_us + jitter_us
    );
    run(&experiment("tests/locks.toml", &text, &overrides), 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the holder knows is that he asked after his last message left: the answer and the hold must both fit into the ttl.
    #[test]
    fn set_nx_on_one_true_member_is_never_held_twice(
        ttl_ms in 20u64..2000, share in 0.0f64..1.0, latency_us in 1u64..5000, jitter_us in 1u64..5000, seed in 1u64..1000,
    ) {
        let spare_ms = (latency_us + jitter_us) / 1000 + 1;
        let hold_ms = (share * ttl_ms.saturating_sub(spare_ms + 1) as f64) as u64;
        prop_assume!(hold_ms + spare_ms < ttl_ms);
        let results = one_member(ttl_ms, hold_ms, latency_us, jitter_us, seed, "");
        prop_assert!(measure(&results, "seat.acquired") > 5.0);
        prop_assert_eq!(outcome(&results, "exclusive"), "holds");
    }
}

/// Each of its assumptions, when dropped alone, has a counterexample.
#[test]
fn set_nx_needs_each_of_its_assumptions() {
    for (what, ttl_ms, hold_ms, jitter_us, more) in [
        (
            "the member does not fail",
            1000,
            200,
            1000,
            "fault.f = { at = \"1s\", every = \"500ms\", for = \"1ms\", do = \"crash(redis[0])\" }",
        ),
        (
            "it does not forget",
            1000,
            200,
            1000,
            "fault.f = { at = \"1s\", every = \"500ms\", do = \"flush(redis)\" }",
        ),
        (
            "its clock runs true",
            1000,
            950,
            1000,
            "fault.f = { at = \"1s\", for = \"1h\", do = \"drift(redis[0], by=10%)\" }",
        ),
        (
            "its clock does not jump",
            1000,
            200,
            1000,
            "fault.f = { at = \"1s\", every = \"700ms\", for = \"10ms\", do = \"skew(redis[0], by=5s)\" }",
        ),
        ("nobody outlives the ttl", 200, 210, 1000, ""),
        (
            "nobody stands still",
            1000,
            200,
            1000,
            "fault.f = { at = \"1s\", every = \"2s\", for = \"1500ms\", do = \"pause(app[0])\" }",
        ),
        ("the answer's way counts too", 200, 190, 30_000, ""),
    ] {
        let results = one_member(ttl_ms, hold_ms, 1000, jitter_us, 1, more);
        assert_eq!(outcome(&results, "exclusive"), "violated", "without this: {what}");
    }
}

/// Polls of 10 ms for a lock that somebody holds for 20 s: after a thousand retries they end, without a limit only the patience ends them.
#[test]
fn polls_without_a_limit_end_with_the_patience() {
    for (times, patience, success) in
        [("1000", "1h", 0.0), ("5000", "1h", 1.0), ("unlimited", "1h", 1.0), ("unlimited", "15s", 0.0)]
    {
        let results = results(&format!(
            r#"
length = "40s"
net    = {{ latency = "1ms" }}
server.app  = {{ threads = "unlimited" }}
cache.redis = {{}}
lock.seat   = {{ in = "redis", ttl = "1m", wait = "fixed(10ms, times={times})", patience = "{patience}" }}
policy.patient = {{ timeout = "1h" }}
workload.first  = {{ do = "long()", arrive = "once(1)", with = "patient" }}
workload.second = {{ do = "short()", arrive = "once(1)", from = "100ms", with = "patient" }}
measures = ["success(second)", "max(second)", "overlapping(seat)"]
[on.app]
long  = "hold seat[1] {{ wait 20s }}"
short = "hold seat[1] {{ wait 1ms }}"
"#
        ));
        assert_eq!(measure(&results, "success(second)"), success, "{times} {patience}");
        assert_eq!(measure(&results, "overlapping(seat)"), 0.0);
        if success == 1.0 {
            let longest = measure(&results, "max(second)");
            assert!((19.9..19.93).contains(&longest), "{longest}");
        }
    }
}

/// Somebody stands still for longer than his ttl and holds the lock all the while, as he believes; two others have it one after the other
/// meanwhile. Two holds begin within another, and all three overlap.
#[test]
fn a_pause_beyond_the_ttl_overlaps_with_all_who_come_meanwhile() {
    let results = results(
        r#"
length = "20s"
net    = { latency = "1ms" }
server = { one = { threads = "unlimited" }, two = { threads = "unlimited" } }
db.kv   = { read = "0ms", write = "0ms" }
lock.seat = { in = "kv", ttl = "2s" }
workload.first = { do = "one.early()", arrive = "once(1)" }
workload.next  = { do = "two.late()", arrive = "once(2)", from = "1s" }
workload.last  = { do = "two.late()", arrive = "once(1)", from = "15s" }
fault.pause = { at = "50ms", for = "8s", do = "pause(one[0])" }
measures = ["overlaps(seat)", "overlapping(seat)", "seat.acquired"]
[on.one]
early = "hold seat[1] { wait 100ms }"
[on.two]
late = "hold seat[1] { wait 500ms }"
"#,
    );
    assert_eq!((measure(&results, "seat.acquired"), measure(&results, "overlaps(seat)")), (4.0, 2.0));
    assert_eq!(measure(&results, "overlapping(seat)"), 0.75);
}
