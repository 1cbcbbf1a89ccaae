//! What saturates has a name: the part, what of it is short, and how much of the time is spent waiting for it.

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::{Bottleneck, Results};

use crate::support::{experiment, run};

fn results(text: &str) -> Results {
    run(&experiment("tests/bottleneck.toml", text, &Overrides::default()), 1)
}

fn named(text: &str) -> Bottleneck {
    let results = results(text);
    let cell = &results.cells[0];
    cell.bottleneck.clone().unwrap_or_else(|| panic!("nothing saturates: {:#?}", cell.parts))
}

/// A chain of servers in front of a store, with so many cores for the second.
fn chain(auth: &str, rate: u32) -> String {
    format!(
        "length = \"40s\"\nwarmup = \"4s\"\nruns = 1\nserver.api = {{ cores = 8 }}\nserver.auth = {{ {auth} }}\n\
         server.search = {{ cores = 8 }}\ndb.shop = {{ read = \"2ms\", start = {{ items = \"each(10, keys=1000)\" }} }}\n\
         workload.users = {{ do = \"page(item=uniform(1000))\", arrive = \"poisson({rate}/s)\" }}\n\
         [on.api]\npage = \"cpu 1ms; call auth.check(); call search.find(item=item)\"\n\
         [on.auth]\ncheck = \"cpu exp(5ms)\"\n[on.search]\nfind = \"cpu 4ms; read shop.items[item]\"\n"
    )
}

/// A server in front of a store with a pool of connections.
fn pool(db: &str, rate: u32) -> String {
    format!(
        "length = \"40s\"\nwarmup = \"4s\"\nruns = 1\nserver.app = {{ cores = 8 }}\n\
         db.shop = {{ {db}, start = {{ items = \"each(10, keys=1000)\" }} }}\n\
         workload.users = {{ do = \"page(item=uniform(1000))\", arrive = \"poisson({rate}/s)\" }}\n\
         [on.app]\npage = \"cpu 1ms; read shop.items[item]\"\n"
    )
}

#[test]
fn in_a_chain_it_is_the_server_whose_core_is_busy() {
    let seen = named(&chain("cores = 1, threads = \"unlimited\"", 180));
    assert_eq!((seen.part.as_str(), seen.resource.as_str(), seen.cause.as_str()), ("auth", "cores", "queue"));
    assert_eq!(seen.program.as_deref(), Some("page"));
    // M/M/1 at 90 %: 45 ms of waiting; beside it 1 + 5 + 4 + 2 ms of work and four round trips
    let (used, share) = (seen.utilisation.expect("known"), seen.share_of_mean.expect("known"));
    assert!((used - 0.9).abs() < 0.03, "{used}");
    assert!(share > 0.6 && share < 0.9, "{share}");
    assert!(seen.share_of_slowest.expect("known") > share, "{seen:?}");
    // Little's law: they wait for as long as the program's time says that its requests did
    let waits = seen.waiting / 180.0;
    let told = share * seen.mean_s.expect("known");
    assert!((waits - told).abs() < 0.03 * told, "{waits} and {told}");
}

#[test]
fn where_threads_are_short_because_of_somebody_else_he_is_named() {
    let text =
        chain("cores = 1, threads = \"unlimited\"", 300).replace("cores = 8 }", "cores = 8, threads = 50 }");
    let seen = named(&text);
    assert_eq!((seen.part.as_str(), seen.resource.as_str()), ("auth", "cores"), "{seen:?}");
    assert!(seen.utilisation.expect("known") > 0.97);
}

#[test]
fn nothing_is_said_where_nothing_saturates() {
    let results = results(&chain("cores = 8", 180));
    assert_eq!(results.cells[0].bottleneck, None);
    let parts = &results.cells[0].parts;
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["api", "auth", "search", "shop"]);
    assert!((parts["auth"].utilisation["cores"] - 180.0 * 0.005 / 8.0).abs() < 0.01);
    assert!((parts["shop"].throughput - 180.0).abs() < 8.0);
}

#[test]
fn a_pool_that_is_too_small_is_named_and_so_are_the_cores_behind_one() {
    for per in ["process", "all"] {
        let seen =
            named(&pool(&format!("cores = 16, read = \"exp(20ms)\", pool = \"pool(n=5, per={per})\""), 220));
        let which = (seen.part.as_str(), seen.resource.as_str(), seen.cause.as_str());
        assert_eq!(which, ("shop", "connections", "pool"), "{per}");
        assert!((seen.utilisation.expect("known") - 0.9).abs() < 0.05, "{seen:?}");
    }
    let seen = named(&pool("cores = 1, read = \"exp(4ms)\", pool = \"pool(n=5)\"", 230));
    assert_eq!((seen.part.as_str(), seen.resource.as_str()), ("shop", "cores"), "{seen:?}");
}

#[test]
fn a_lock_that_everybody_wants_is_named() {
    let seen = named(
        "length = \"60s\"\nwarmup = \"5s\"\nruns = 1\nserver.app = { cores = \"unlimited\", threads = \"unlimited\" }\n\
         db.kv = { read = \"0ms\", write = \"0ms\" }\nlock.seat = { in = \"kv\", ttl = \"10m\", patience = \"1h\" }\n\
         policy.patient = { timeout = \"1h\" }\n\
         workload.clients = { do = \"work()\", arrive = \"users(n=20, think=exp(1s))\", with = \"patient\" }\n\
         [on.app]\nwork = \"hold seat[1] { wait exp(50ms) }\"\n",
    );
    let which = (seen.part.as_str(), seen.resource.as_str(), seen.cause.as_str());
    assert_eq!(which, ("seat", "lock", "lock"));
    assert!(
        seen.utilisation.expect("one key") > 0.75 && seen.share_of_mean.expect("known") > 0.6,
        "{seen:?}"
    );
}

#[test]
fn an_overload_that_is_turned_away_is_named_though_nobody_waits_long() {
    let seen = named(&chain("cores = 1, threads = 1, queue = 4", 600));
    assert_eq!((seen.part.as_str(), seen.resource.as_str()), ("auth", "cores"), "{seen:?}");
    assert!(seen.refusals > 100.0);
}
