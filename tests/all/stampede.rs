//! What a mutex in a cache does when life interferes: its holder crashes, it expires under its holder, an answer is
//! lost, or its winner does not look again.

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{experiment, run};

/// One page, asked for ten times a second; it lives four seconds and takes half a second to build.
fn results(guard: &str, more: &str) -> Results {
    let text = format!(
        r#"
length = "60s"
net    = {{ latency = "1ms" }}
server.app  = {{ cores = "unlimited", threads = "unlimited" }}
cache.pages = {{ ttl = "4s", timeout = "1s", guard = "{guard}", fill = "build(item=key)" }}
db.shop     = {{ read = "500ms", start = {{ items = "each(1, keys=10)" }} }}
workload.readers = {{ do = "page(item=1)", arrive = "even(10/s)" }}
measures = ["app.rebuilds", "pages.rounds", "success(readers)", "shop.reads", "count(readers)", "mean(readers)", "waited(readers, cause=lock)"]
always.no_second = "shop.reads <= 1"
{more}
[on.app]
page  = "get pages[item]"
build = "n = read shop.items[item]; return n"
"#
    );
    run(&experiment("tests/stampede.toml", &text, &Overrides::default()), 1)
}

fn measure(results: &Results, name: &str) -> f64 {
    results.cells[0].measures[name].mean.expect("it is defined")
}

/// When the second rebuild began, s: the instant at which `no_second` was broken.
fn second_rebuild(results: &Results) -> f64 {
    let witness = &results.cells[0].properties["no_second"].witness;
    let words: Vec<&str> = witness.split_whitespace().collect();
    words[1].parse().unwrap_or_else(|_| panic!("no instant in `{witness}`"))
}

/// The rebuilder takes the lock just after the first request of time 0 and crashes at 0.2 s. Its lock stays until its
/// time to live has passed, then the next one rebuilds, and life goes on.
#[test]
fn a_crashed_rebuilder_delays_the_next_rebuild_by_the_remaining_ttl_and_not_for_ever() {
    for ttl_s in [2.0, 10.0] {
        let guard = format!("mutex(ttl={ttl_s}s, wait=fixed(50ms), recheck=true)");
        let crash = "fault.crash = { at = \"0.2s\", for = \"0.1s\", do = \"crash(app[0])\" }";
        let results = results(&guard, crash);
        let second = second_rebuild(&results);
        // the request takes 1 ms, the first look 2 ms, the SET arrives 1 ms later; a poller notices within 50 ms and three round trips
        let late = second - (0.004 + ttl_s);
        assert!((0.0..0.06).contains(&late), "it begins at {second} s");
        let rebuilds = measure(&results, "app.rebuilds");
        assert!(rebuilds >= (60.0 - ttl_s) / 4.6 - 1.0, "{rebuilds} rebuilds: it goes on");
    }
}

/// A lock of 300 ms for a rebuild of 500 ms: somebody else takes it meanwhile. The first holder's compare-and-delete
/// comes after that and must not free what is the second's.
#[test]
fn an_expired_mutex_is_not_released_by_its_old_holder() {
    let short = results("mutex(ttl=300ms, wait=fixed(20ms), recheck=true)", "");
    let second = second_rebuild(&short);
    assert!((0.3..0.35).contains(&second), "the second begins at {second} s, 300 ms after the first");
    // one more when it expires, 200 ms before the first has ended: never a third. The empty cache is a round as well.
    let rounds = measure(&short, "pages.rounds") + 1.0;
    assert_eq!(measure(&short, "app.rebuilds"), 2.0 * rounds);
}

/// With a time to live beyond the rebuild, looking again is what makes it exactly one.
#[test]
fn without_a_second_look_a_late_winner_rebuilds_again() {
    // One server would never show it: on its one connection the late reader's SET comes before the release.
    let busy = "variant.v = { workload.readers.arrive = \"poisson(2000/s)\", net.latency = \"exp(1ms)\", \
                server.app.count = 4 }";
    let rounds = |recheck: bool| {
        let results = results(&format!("mutex(ttl=10s, wait=fixed(50ms), recheck={recheck})"), busy);
        measure(&results, "app.rebuilds") - measure(&results, "pages.rounds")
    };
    assert_eq!(rounds(true), 1.0, "one for each round, and one for the empty cache");
    let blind = rounds(false);
    assert!(blind > 1.0, "{blind}");
}

/// The cache is cut off just when it answers the SET, long enough for the connection to break: the lock is set and
/// nobody knows. Its holder waits like anybody else, and after the time to live somebody rebuilds.
#[test]
fn a_lost_answer_to_set_costs_the_time_to_live_and_no_more() {
    let lost = "fault.lost = { at = \"4.5ms\", for = \"1s\", do = \"cut(pages, from=app)\" }\n\
                variant.v = { net.break_after = \"150ms\" }\nalways.no_fill = \"pages.fills <= 0\"";
    let results = results("mutex(ttl=3s, wait=fixed(50ms), recheck=true)", lost);
    let witness = &results.cells[0].properties["no_fill"].witness;
    let first: f64 = witness.split_whitespace().nth(1).expect("an instant").parse().expect("a number");
    // set at 4 ms, found free within a poll after 3.004 s, filled half a second later
    assert!((3.5..3.6).contains(&first), "the first fill comes at {first} s");
    assert_eq!(measure(&results, "success(readers)"), 1.0, "nobody fails: a cache that is away is no error");
}

/// What readers of one miss wait for in all, round trips included. The network takes 1 ms each way and nothing else but
/// the rebuild takes time, so every wait can be computed by hand.
#[test]
fn a_reader_waits_half_the_rebuild_half_a_poll_and_its_round_trips() {
    // ms from the first miss until the value is there: the answer; SET NX and the second look; the store; the fill
    let (plain, locked) = (1.0 + 502.0 + 1.0, 1.0 + 2.0 + 2.0 + 502.0 + 1.0);
    // ms between two looks: the wait, and the round trips of GET and SET NX, or of GET alone
    for (guard, filled, between) in [
        ("mutex(ttl=10s, wait=fixed(50ms), recheck=true)", locked, Some(54.0)),
        ("lease(ttl=10s, wait=50ms)", plain, Some(52.0)),
        ("single_flight(per=all)", plain, None),
    ] {
        // 2,000 readers of an empty cache, half a millisecond apart
        let more = "variant.v = { workload.readers = { arrive = \"even(2000/s)\", to = \"1s\" } }";
        let results = results(guard, more);
        let (readers, of) = (2000.0, |name: &str| measure(&results, name));
        assert_eq!((of("app.rebuilds"), of("count(readers)")), (1.0, readers), "{guard}: one rebuild");
        let waiters = readers * of("waited(readers, cause=lock)");
        assert!((waiters - filled / 0.5).abs() <= 2.0, "{guard}: {waiters} waiters");
        // A hit takes 4 ms, the rebuilder as much and the rebuild.
        let all = readers * of("mean(readers)") * 1e3 - readers * 4.0 - filled;
        let wait = |left: f64| between.map_or(left, |between| (left / between).ceil() * between);
        let exact = (1..(filled / 0.5) as u32).map(|n| wait(filled - 0.5 * f64::from(n))).sum::<f64>();
        assert!((all / exact - 1.0).abs() < 0.002, "{guard}: {all} ms in all, not {exact}");
        let (mean, half) = (all / waiters, (filled + between.unwrap_or(0.0)) / 2.0);
        assert!((mean / half - 1.0).abs() < 0.01, "{guard}: {mean} ms on average, not about {half}");
    }
}

/// One page that is built once, then read a thousand times a second, and that has expired 4 s after it was put at 505 ms.
fn two_steps(guard: &str, more: &str) -> Results {
    let text = format!(
        r#"
length = "30s"
net    = {{ latency = "1ms" }}
server.app  = {{ cores = "unlimited", threads = "unlimited" }}
cache.pages = {{ ttl = "4s", timeout = "1s", guard = "stale({guard})", fill = "build(item=key)" }}
db.shop     = {{ read = "500ms", start = {{ items = "each(1, keys=10)" }} }}
workload.first   = {{ do = "page(item=1)", arrive = "once(1)" }}
workload.readers = {{ do = "page(item=1)", arrive = "even(1000/s)", from = "1s" }}
measures = ["app.rebuilds", "pages.rounds", "pages.renewals", "pages.stale", "pages.locks", "pages.held", "pages.misses", "success(readers)", "shop.reads", "max(readers)", "p50(readers)"]
always.no_second = "shop.reads <= 2"
{more}
[on.app]
page  = "get pages[item]"
build = "n = read shop.items[item]; return n"
"#
    );
    run(&experiment("tests/two-steps.toml", &text, &Overrides::default()), 1)
}

/// The value has expired for everybody who reads it until the winner's put: they all ask for the lock, one gets it, all are served the old
/// value meanwhile. A hit takes 4 ms, an old value the second round trip as well, the winner a third.
#[test]
fn between_two_round_trips_several_see_that_a_value_is_old_and_one_rebuilds_it() {
    for (recheck, longest) in [(true, 0.008), (false, 0.006)] {
        let results = two_steps(&format!("for=10s, claim=set_nx, recheck={recheck}"), "");
        let of = |name: &str| measure(&results, name);
        // From 4.505 s on it is old; every 4 s and a rebuild. Seen to be old: 4 s + (1 + 2 + 2 or 0 + 502 + 1) ms later again.
        let (rounds, rebuild) = (of("pages.rounds"), if recheck { 506.0 } else { 504.0 });
        assert!((5.0..=6.0).contains(&rounds), "{rounds}");
        assert_eq!((of("app.rebuilds"), of("pages.renewals")), (1.0 + rounds, rounds), "one each time");
        assert_eq!((of("pages.locks"), of("pages.misses")), (rounds, 1.0));
        let asked = of("pages.locks") + of("pages.held");
        assert!(
            of("pages.held") > 100.0 * rounds && asked <= of("pages.stale"),
            "{asked} of {}",
            of("pages.stale")
        );
        // Whole rebuilds, and perhaps one that the end cuts off; a reader comes every millisecond.
        let (least, most) = ((rounds - 1.0) * (rebuild - 2.0), rounds * (rebuild + 4.0));
        assert!((least..=most).contains(&of("pages.stale")), "{} old values", of("pages.stale"));
        assert!((of("max(readers)") - longest).abs() < 1e-9, "{}", of("max(readers)"));
        assert!((of("p50(readers)") - 0.004).abs() < 1e-4, "{}", of("p50(readers)"));
    }
    // One operation of the cache decides: nobody pays for a second round trip.
    let at_once = two_steps("for=10s", "");
    assert!((measure(&at_once, "max(readers)") - 0.004).abs() < 1e-9);
    assert_eq!(measure(&at_once, "app.rebuilds"), 1.0 + measure(&at_once, "pages.rounds"));
}

/// The winner's process crashes while it rebuilds. Its lock ends after `rebuild`, and until then the old value is served; where that is
/// longer than the value may be served, everybody goes to the origin when it may not.
#[test]
fn a_winner_that_dies_costs_the_lock_s_time_to_live_or_what_may_be_served_stale() {
    let crash = "fault.crash = { at = \"4.7s\", for = \"0.1s\", do = \"crash(app[0])\" }";
    // Old at 4.504 s, asked for within a millisecond and a round trip; free 2 s later, asked for, looked at again, read.
    let third = second_rebuild(&two_steps("for=10s, rebuild=2s, claim=set_nx", crash));
    assert!((6.505..6.515).contains(&third), "the third read of the origin at {third} s");
    let herd = two_steps("for=3s, rebuild=20s, claim=set_nx", crash);
    let third = second_rebuild(&herd);
    assert!((7.504..7.510).contains(&third), "the herd at {third} s");
    assert!(measure(&herd, "pages.misses") > 400.0, "a thousand a second, for half a second");
}

/// A reader that learnt that the value is old just before the put asks for the lock just after it was given back. Looking again spares a rebuild.
#[test]
fn without_a_second_look_who_claims_late_rebuilds_again() {
    let busy = "variant.v = { workload.readers.arrive = \"poisson(500/s)\", net.latency = \"exp(5ms)\", \
                server.app.count = 4 }";
    let extra = |recheck: bool| {
        let results = two_steps(&format!("for=10s, claim=set_nx, recheck={recheck}"), busy);
        let of = |name: &str| measure(&results, name);
        (
            of("app.rebuilds") - of("pages.renewals") - of("pages.misses"),
            of("pages.locks") - of("pages.renewals"),
        )
    };
    let (spared, late) = extra(true);
    assert!(spared == 0.0 && late > 0.0, "{spared} rebuilds too many, {late} late winners");
    let (blind, late) = extra(false);
    assert!(blind == late && late > 0.0, "{blind} rebuilds too many, {late} late winners");
}
