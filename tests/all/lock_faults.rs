//! Every kind of lock in every place under crashes, cuts and pauses: where its place loses nothing and everybody is done within the ttl, no
//! two hold it; and once all is well again nobody waits for ever.

use proptest::prelude::*;
use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{experiment, run};

/// A lock and its place: whether the place keeps what it has said through crashes of its members, and whether those are among the faults.
const PLACES: [(&str, &str, bool, bool); 9] = [
    ("db.place = { read = \"100us\", write = \"100us\", disk = \"1ms\" }", "in = \"place\"", true, true),
    ("db.place = { disk = \"1ms\" }", "in = \"place\", wait = \"fixed(5ms, times=unlimited)\"", true, true),
    ("db.place = { disk = \"1ms\" }", "in = \"place\", kind = \"lease\"", true, true),
    (
        "db.place = { copies = 3, copy = \"sync(of=3)\", failover = \"after(1s)\" }",
        "in = \"place\"",
        true,
        true,
    ),
    (
        "db.place = { copies = 3, copy = \"raft\", disk = \"1ms\" }",
        "in = \"place\", kind = \"lease\"",
        true,
        true,
    ),
    (
        "db.place = { copies = 3, copy = \"raft\", disk = \"1ms\" }",
        "in = \"place\", renew = \"1s\"",
        true,
        true,
    ),
    ("db.place = { copies = 3, copy = \"async\", failover = \"after(1s)\" }", "in = \"place\"", false, true),
    (
        "cache.place = { count = 1 }",
        "in = \"place\", wait = \"expo(base=1ms, max=20ms, times=unlimited)\"",
        true,
        false,
    ),
    (
        "cache.place = { count = 5 }",
        "in = \"place\", kind = \"redlock(5)\", wait = \"fixed(uniform(1ms, 20ms), times=unlimited)\"",
        true,
        false,
    ),
];

/// Requests a second, for so many seats, each with so long a lease.
const RATE: f64 = 20.0;
const SEATS: f64 = 2.0;
const TTL_S: f64 = 8.0;

/// Workers of some milliseconds with a lock of 8 s, for 20 s of 60, and what goes wrong meanwhile.
fn results(place: usize, faults: &[(u64, u64, u8)], seed: u64) -> Results {
    let (store, lock, _, crashes) = PLACES[place];
    let members = if store.contains("copies = 3") { 3 } else { 1 };
    let fault = |(number, (at, lasts, what)): (usize, &(u64, u64, u8))| {
        let (app, member) = (number % 3, number % members);
        let does = match what {
            0 => format!("crash(app[{app}])"),
            1 => format!("pause(app[{app}])"),
            2 => format!("cut(app[{app}], from=place)"),
            3 => format!("one_way(place, to=app[{app}])"),
            4 if crashes => format!("crash(place[{member}])"),
            5 if crashes => format!("isolate(place[{member}])"),
            _ => format!("pause(place[{member}])"),
        };
        format!("fault.f{number} = {{ at = \"{at}ms\", for = \"{lasts}ms\", do = \"{does}\" }}\n")
    };
    let faults: String = faults.iter().enumerate().map(fault).collect();
    let text = format!(
        r#"
length = "60s"
net    = {{ latency = "exp(500us)" }}
server.app = {{ count = 3, threads = "unlimited", cores = "unlimited" }}
{store}
lock.seat = {{ ttl = "{TTL_S}s", patience = "20s", {lock} }}
policy.patient = {{ timeout = "25s" }}
workload.workers = {{ do = "work(seat=uniform({SEATS}))", arrive = "poisson({RATE}/s)", to = "20s", with = "patient" }}
{faults}
measures = ["place.lapsed", "count(done)", "count(asked)", "seat.waiting", "seat.held", "overlaps(seat)", "seat.acquired"]
always = {{ exclusive = "exclusive(seat)" }}
[on.app]
work = "tally asked; hold seat[seat] {{ wait exp(5ms) }}; tally done"
"#
    );
    let overrides = Overrides { seed: Some(seed), ..Overrides::default() };
    run(&experiment("tests/lock_faults.toml", &text, &overrides), 1)
}

fn measure(results: &Results, name: &str) -> f64 {
    results.cells[0].measures[name].mean.unwrap_or_else(|| panic!("{name} is undefined"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_holds_it_beside_another_and_nobody_waits_for_ever(
        place in 0..PLACES.len(),
        faults in prop::collection::vec((500u64..18_000, 50u64..1_500, 0u8..7), 0..5),
        seed in 1u64..1_000,
    ) {
        let results = results(place, &faults, seed);
        let (done, asked) = (measure(&results, "count(done)"), measure(&results, "count(asked)"));
        if PLACES[place].2 {
            let exclusive = &results.cells[0].properties["exclusive"];
            prop_assert_eq!(exclusive.outcome.to_string(), "holds", "{} {}", PLACES[place].1, exclusive.witness);
        }
        prop_assert_eq!((measure(&results, "seat.waiting"), measure(&results, "seat.held")), (0.0, 0.0));
        // Work is lost with whoever was at it when a fault began, and of each seat while it waits for the lease of one who is gone.
        let lasted_s: f64 = faults.iter().map(|(_, lasts, _)| 1.0 + *lasts as f64 / 1e3).sum();
        let lost = RATE * lasted_s + RATE / SEATS * TTL_S * measure(&results, "place.lapsed");
        prop_assert!(done >= asked - lost, "{done} of {asked}, {lost} may be lost");
        if faults.is_empty() {
            prop_assert_eq!(done, asked);
        }
    }
}
