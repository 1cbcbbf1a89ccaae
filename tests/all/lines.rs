//! The line for a `lease` lock. A place in it lives as long as its lease: whoever stands still or is cut off for longer has lost it, and
//! stands at the end when he comes back (etcd deletes the key with its lease).

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{experiment, run};

/// The first holds from 1 s on for `holds` s; the second and the third want it from 2 s and 4 s on, for 3 s each, under a ttl of 5 s.
fn three(length: &str, etcd: &str, holds: u32, faults: &str) -> Results {
    let text = format!(
        r#"
length = "{length}"
warmup = "0s"
zone.a = {{ users = "100%" }}
net = {{ latency = "1ms" }}
server = {{ one = {{}}, two = {{}}, three = {{}} }}
db.etcd = {{ {etcd}, read = "0ms", write = "0ms", timeout = "2s" }}
lock.seat = {{ in = "etcd", kind = "lease", ttl = "5s", patience = "1h" }}
policy.p = {{ timeout = "1h" }}
workload.first  = {{ do = "one.first()", arrive = "once(1)", from = "1s", with = "p" }}
workload.second = {{ do = "two.second()", arrive = "once(1)", from = "2s", with = "p" }}
workload.third  = {{ do = "three.third()", arrive = "once(1)", from = "4s", with = "p" }}
{faults}
measures = ["max(second)", "max(third)", "seat.lost", "seat.acquired", "etcd.lapsed"]
always.exclusive = "exclusive(seat)"
[on.one]
first = "hold seat[1] {{ wait {holds}s }}"
[on.two]
second = "hold seat[1] {{ wait 3s }}"
[on.three]
third = "hold seat[1] {{ wait 3s }}"
"#
    );
    run(&experiment("tests/lines.toml", &text, &Overrides::default()), 1)
}

/// The first holds until 21 s, and something happens to the second.
fn line(what: &str, at: &str, lasts: f64) -> Results {
    let fault = format!(r#"fault.trouble = {{ at = "{at}", for = "{lasts}s", do = "{what}" }}"#);
    three("90s", r#"at = "a""#, 20, &fault)
}

fn measure(results: &Results, name: &str) -> f64 {
    results.cells[0].measures[name].mean.unwrap_or_else(|| panic!("{name} is undefined"))
}

/// When the second and the third are done, s.
fn done(results: &Results) -> (f64, f64) {
    (2.0 + measure(results, "max(second)"), 4.0 + measure(results, "max(third)"))
}

fn excludes(results: &Results) -> bool {
    results.cells[0].properties["exclusive"].outcome == "holds"
}

fn about(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.2
}

const PAUSE: &str = "pause(two)";
const CUT: &str = "cut(two, from=etcd)";
const CRASH: &str = "crash(two)";

#[test]
fn a_place_in_line_is_gone_with_its_lease() {
    for what in [PAUSE, CUT] {
        for ttls in [0.5, 1.0, 1.5, 2.0, 2.5] {
            let results = line(what, "5500ms", 5.0 * ttls);
            let (second, third) = done(&results);
            let keeps = ttls < 1.0;
            let right = if keeps { (24.0, 27.0) } else { (27.0, 24.0) };
            assert!(about(second, right.0) && about(third, right.1), "{what}, {ttls} ttl: {second}, {third}");
            assert!(excludes(&results), "{what}, {ttls} ttl");
            assert_eq!(measure(&results, "seat.acquired"), 3.0, "{what}, {ttls} ttl");
            if what == PAUSE {
                assert_eq!(
                    measure(&results, "seat.lost"),
                    f64::from(u8::from(!keeps)),
                    "{ttls} ttl: its place"
                );
            }
        }
    }
}

/// It comes back when the third has had the lock, at 30.5 s or, if its connection sends again only then, some seconds later.
#[test]
fn who_comes_back_after_all_others_finds_it_free() {
    for (what, latest) in [(PAUSE, 33.6), (CUT, 46.0)] {
        let results = line(what, "5500ms", 25.0);
        let (second, third) = done(&results);
        assert!(about(third, 24.0) && (33.4..latest).contains(&second), "{what}: {second}, {third}");
        assert!(excludes(&results), "{what}");
    }
    let results = line(CRASH, "5500ms", 12.0);
    assert!(about(4.0 + measure(&results, "max(third)"), 24.0), "who crashed in line is passed over");
}

/// It is the second's turn at 21 s, while it stands still or is cut off. Its lease, renewed between 17.8 s and 19.5 s, is over between
/// 22.8 s and 24.5 s: then it is the third's turn.
#[test]
fn whose_turn_it_is_holds_no_longer_than_its_lease() {
    for what in [PAUSE, CUT] {
        let results = line(what, "19500ms", 2.5);
        let (second, third) = done(&results);
        // A connection that was cut sends again 3 s after the first loss.
        assert!((25.0..26.5).contains(&second) && about(third, second + 3.0), "{what}: {second}, {third}");
        assert!(excludes(&results), "{what}");
        for ttls in [1.0, 1.5, 2.0, 3.0, 5.0] {
            let results = line(what, "19500ms", 5.0 * ttls);
            let (second, third) = done(&results);
            assert!((25.8..27.6).contains(&third), "{what}, {ttls} ttl: {third}");
            assert!(
                second >= third + 2.9 && second >= 19.5 + 5.0 * ttls + 2.9,
                "{what}, {ttls} ttl: {second}"
            );
            assert!(excludes(&results), "{what}, {ttls} ttl: it never believed to hold it");
        }
    }
}

/// It holds from 21 s to 24 s. Who stands still while he holds does not know that his time is over: no lease can help there.
#[test]
fn who_stands_still_while_he_holds_believes_to_hold_it() {
    for what in [PAUSE, CUT] {
        let results = line(what, "21500ms", 2.5);
        let (_, third) = done(&results);
        // A connection that was cut at 21.5 s gives the lock back when it sends again, at 25 s at the latest.
        assert!(excludes(&results) && third < 28.1, "{what}: {third}");
    }
    for ttls in [1.0, 1.5, 2.0, 3.0, 5.0] {
        let results = line(PAUSE, "21500ms", 5.0 * ttls);
        let (second, third) = done(&results);
        // Its last renewal left between 19.8 s and 21.5 s.
        assert!((27.8..29.6).contains(&third), "{ttls} ttl: {third}");
        assert!(about(second, 21.5 + 5.0 * ttls), "{ttls} ttl: {second}");
        assert_eq!(excludes(&results), 21.5 + 5.0 * ttls < third - 3.0, "{ttls} ttl");
        assert_eq!(measure(&results, "etcd.lapsed"), 1.0, "{ttls} ttl");
    }
}

/// The first dies at 39 s, the leader of three a second later. Leases begin anew with the next leader (etcd's lessor), so the first one's is over 5 s
/// after the election, and the third has the lock when the second gives it back: nobody takes a member for dead who only keeps him in line,
/// nor one who was not asked.
#[test]
fn a_line_outlives_its_leader_and_leases_begin_anew() {
    for what in ["crash(leader(etcd))", "pause(leader(etcd))"] {
        for avoid in ["100ms", "5s", "60s"] {
            let faults = format!(
                r#"
fault.dead = {{ at = "39s", for = "1h", do = "crash(one)" }}
fault.trouble = {{ at = "40s", for = "30s", do = "{what}" }}"#
            );
            let etcd = format!(r#"at = ["a", "a", "a"], copy = "raft", avoid = "{avoid}""#);
            let results = three("120s", &etcd, 80, &faults);
            let (second, third) = done(&results);
            assert!((48.0..48.5).contains(&second), "{what}, {avoid}: {second}");
            assert!((3.0..3.05).contains(&(third - second)), "{what}, {avoid}: {second}, {third}");
            assert!(excludes(&results), "{what}, {avoid}");
            assert_eq!(measure(&results, "seat.lost"), 0.0, "{what}, {avoid}");
        }
    }
}
