//! Common random numbers: what customers bring does not depend on the design that they meet.

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::{Cell, Results};

use crate::support::{experiment, run};

const SHOP: &str = r#"
length = "60s"
runs   = 3
net         = { latency = "lognormal(p50=0.3ms, p99=1ms)" }
server.app  = { count = 3, cores = 4 }
cache.pages = { ttl = "1s", entries = 50, fill = "build(item=key)" }
db.shop     = { read = "0ms", start = { items = "each(1, keys=1000)" } }
workload.open = { do = "page(item=zipf(n=1000, s=1.1))", arrive = "poisson(200/s)", to = "59s" }
measures = ["count(open)", "mean(open, cause=cpu)", "max(seen)", "jain(seen)", "p99(open)"]
[on.app]
page  = "tally seen[item]; cpu exp(2ms); get pages[item]"
build = "wait exp(5ms); n = read shop.items[item]; return n"
"#;

fn results(text: &str) -> Results {
    run(&experiment("tests/shop.toml", text, &Overrides::default()), 2)
}

fn same(a: &Cell, b: &Cell, measure: &str) -> bool {
    a.measures[measure] == b.measures[measure]
}

#[test]
fn variants_meet_the_same_arrivals_keys_and_demands() {
    let variants = "variant.a = {}\nvariant.b = { cache.pages.guard = \"mutex(ttl=2s, wait=fixed(5ms), recheck=true)\", \
                    server.app.count = 5, net.latency = \"20ms\" }\nvariant.c = { fault.flush.at = \"20s\" }\n\
                    fault.flush = { at = \"30s\", do = \"flush(pages)\" }\n[on.app]";
    let results = results(&SHOP.replace("[on.app]", variants));
    let [a, b, c] = &results.cells[..] else { panic!("three variants") };
    for other in [b, c] {
        for measure in ["count(open)", "max(seen)", "jain(seen)"] {
            assert!(same(a, other, measure), "{measure} of {}", other.variant);
        }
        // demands to the nanosecond; the rebuilds, which differ, take no cpu
        assert!(same(a, other, "mean(open, cause=cpu)"), "{}", other.variant);
        assert!(!same(a, other, "p99(open)"), "they are not the same design");
    }
}

#[test]
fn a_part_that_nobody_reaches_changes_no_number() {
    let more = "server.idle = { count = 7, cores = 2 }\ndb.archive = { read = \"exp(1s)\" }\ncache.cold = { entries = 9, fill = \"old(item=key)\" }\n\
                [on.idle]\nold = \"cpu exp(1ms); return item\"\n[on.app]";
    let (plain, with_more) = (results(SHOP), results(&SHOP.replace("[on.app]", more)));
    assert_eq!(plain.fingerprint, with_more.fingerprint, "not one event is different");
    assert_eq!(plain.cells, with_more.cells);
    assert!(with_more.defaults.len() > plain.defaults.len(), "it was checked all the same");
}

/// Two callers with separate parts, in open loop, over a network that loses packets: a store with a leader, its elections, caches, locks.
const APART: &str = r#"
length = "40s"
warmup = "0s"
runs   = 2
net          = { latency = "lognormal(p50=0.4ms, p99=5ms)", loss = "0.2%" }
lb.edge      = { to = "app", pick = "random" }
server.app   = { count = 3, cores = 2 }
cache.pages  = { count = 2, entries = 60, ttl = "500ms", jitter = "20%", serve = "exp(0.1ms)", guard = "mutex(ttl=1s, wait=fixed(exp(5ms)))", fill = "build(item=key)" }
db.rows      = { copies = 3, copy = "raft", read = "exp(0.2ms)", write = "exp(0.3ms)", disk = "exp(1ms)", timeout = "1s" }
lock.seat    = { in = "rows", kind = "lease", ttl = "1s", patience = "2s" }
policy.again = { timeout = "200ms", retry = "expo(base=5ms, max=50ms, times=4, jitter=full)" }
workload.ours = { do = "shop(item=zipf(n=200, s=1))", arrive = "poisson(60/s)", to = "35s", with = "again" }
measures = ["count(ours)", "mean(ours)", "p50(ours)", "p99.9(ours)", "max(ours)", "mean(ours, cause=network)", "mean(ours, cause=lock)", "mean(ours, cause=replication)", "pages.hits", "rows.syncs"]
[on.app]
shop  = "cpu exp(1ms); get pages[item]; hold seat[item mod 3] { update rows.items[item] += 1 }"
build = "wait exp(2ms); n = read rows.items[item]; return n"
"#;

#[test]
fn an_unrelated_active_workload_moves_no_latency_by_a_nanosecond() {
    let theirs = "server.aa = { count = 2, cores = 2 }\ndb.bb = { copies = 3, copy = \"raft\", disk = \"exp(1ms)\" }\nlock.cc = { in = \"bb\", ttl = \"1s\" }\n\
                  workload.aaa = { do = \"work(item=uniform(9))\", arrive = \"poisson(80/s)\", to = \"35s\", with = \"again\" }\n\
                  fault.aa = { at = \"7s\", for = \"1s\", do = \"crash(leader(bb))\" }\nfault.bb = { at = \"9s\", for = \"9s\", do = \"loss(aa, share=10%)\" }\n\
                  [on.aa]\nwork = \"cpu exp(1ms); hold cc[item] { write bb.rows[item] = 1 }\"\n[on.app]";
    let (alone, together) = (results(APART), results(&APART.replace("[on.app]", theirs)));
    assert_ne!(alone.fingerprint, together.fingerprint, "the others are there");
    assert!(alone.cells[0].measures.len() >= 10);
    for (measure, value) in &alone.cells[0].measures {
        assert_eq!(Some(value), together.cells[0].measures.get(measure), "{measure}");
    }
}
