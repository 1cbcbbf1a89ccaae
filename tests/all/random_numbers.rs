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
