//! Published rows are samples: the same parts give the right answer in other configurations too.

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{experiment, run};

/// Runs a text, and requires that every theory in it agrees.
fn agrees(text: &str) -> Results {
    let results = run(&experiment("tests/elsewhere.toml", text, &Overrides::default()), 2);
    assert!(!results.theory.is_empty());
    for theory in &results.theory {
        assert!(
            theory.agrees,
            "{} of {}: {:?} in {:?}, theory says {}",
            theory.name, theory.variant, theory.simulated, theory.ci99, theory.theory
        );
    }
    results
}

/// Queues with another load, another number of servers, other distributions of service.
#[test]
fn queues_of_other_sizes_and_laws() {
    agrees(
        r#"
length = "1500s"
warmup = "50s"
runs   = 32
net    = { latency = "0s" }
server.desk = { threads = "unlimited", cores = 3 }
workload.jobs = { do = "exponential()", arrive = "poisson(180/s)" }
variant.mm3 = {}
variant.mm1 = { server.desk.cores = 1, workload.jobs.arrive = "poisson(30/s)" }
variant.md1 = { server.desk.cores = 1, workload.jobs = { do = "constant()", arrive = "poisson(70/s)" } }
variant.mg1 = { server.desk.cores = 1, workload.jobs = { do = "gamma()", arrive = "poisson(60/s)" } }
variant.repairman = { server.desk.cores = 1, workload.jobs = { do = "exponential()", arrive = "users(7, think=exp(50ms))" } }
[theory.wait]
of = "mean(exponential, cause=queue)"
is = "mmc(rate=180/s, mean=10ms, servers=3, of=wait)"
within = "2%"
source = "Erlang C at ρ = 0.6"
variant = ["mm3"]
[theory.waits]
of = "waited(exponential, cause=queue)"
is = "mmc(rate=180/s, mean=10ms, servers=3, of=waits)"
within = "1%"
source = "Erlang C at ρ = 0.6"
variant = ["mm3"]
[theory.time]
of = "mean(exponential)"
is = "mm1(rate=30/s, mean=10ms)"
within = "1%"
source = "M/M/1 at ρ = 0.3"
variant = ["mm1"]
[theory.p90]
of = "p90(exponential)"
is = "mm1(rate=30/s, mean=10ms, p=90)"
within = "1%"
source = "M/M/1 at ρ = 0.3"
variant = ["mm1"]
[theory.constant]
of = "mean(constant, cause=queue)"
is = "md1(rate=70/s, mean=10ms)"
within = "2%"
source = "Pollaczek-Khinchine at ρ = 0.7"
variant = ["md1"]
[theory.gamma]
of = "mean(gamma, cause=queue)"
is = "mg1(rate=60/s, mean=10ms, cv=2)"
within = "3%"
source = "Pollaczek-Khinchine, variation 2, at ρ = 0.6"
variant = ["mg1"]
[theory.response]
of = "mean(exponential)"
is = "repairman(n=7, think=50ms, mean=10ms)"
within = "1.5%"
source = "machine repairman, seven machines"
variant = ["repairman"]
[on.desk]
exponential = "cpu exp(10ms)"
constant    = "cpu 10ms"
gamma       = "cpu gamma(mean=10ms, cv=2)"
"#,
    );
}

/// Che's approximation with another skew, other sizes, another number of keys.
#[test]
fn caches_of_other_sizes_and_skews() {
    agrees(
        r#"
length = "300s"
warmup = "60s"
runs   = 9
net    = { latency = "0s" }
server.app  = { threads = "unlimited", cores = "unlimited" }
cache.pages = { entries = 250, fill = "build(item=key)" }
workload.readers = { do = "page(item=zipf(n=5000, s=0.9))", arrive = "poisson(1000/s)" }
measures = ["pages.hits / (pages.hits + pages.misses)"]
variant.some = {}
variant.most = { cache.pages.entries = 2500 }
variant.flat = { workload.readers.do = "page(item=uniform(1000))" }
[theory.some]
of = "pages.hits / (pages.hits + pages.misses)"
is = "che(n=5000, s=0.9, size=250)"
within = "0.5pt"
source = "Che's approximation"
variant = ["some"]
[theory.most]
of = "pages.hits / (pages.hits + pages.misses)"
is = "che(n=5000, s=0.9, size=2500)"
within = "0.5pt"
source = "Che's approximation"
variant = ["most"]
[theory.flat]
of = "pages.hits / (pages.hits + pages.misses)"
is = "250 / 1000"
within = "0.3pt"
source = "all keys are alike"
variant = ["flat"]
[on.app]
page  = "get pages[item]"
build = "return item"
"#,
    );
}

/// Rows S1, S2 and S4 with other rates, rebuilds and lifetimes, and a rebuild that takes a varying time.
#[test]
fn stampedes_of_other_herds() {
    agrees(
        r#"
length = "400s"
warmup = "10s"
runs   = 10
net    = { latency = "0.1ms" }
server.app  = { count = 3, threads = "unlimited", cores = "unlimited" }
cache.pages = { ttl = "2s", timeout = "20s", fill = "build(item=key)" }
db.shop     = { read = "200ms", start = { items = "each(1, keys=10)" } }
workload.readers = { do = "page(item=1)", arrive = "poisson(60/s)" }
variant.herd   = {}
variant.slower = { db.shop.read = "700ms", workload.readers.arrive = "poisson(40/s)" }
variant.flight = { cache.pages.guard = "single_flight(per=all)", db.shop.read = "400ms" }
variant.process = { cache.pages.guard = "single_flight(per=process)" }
[theory.herd]
of = "app.rebuilds / pages.rounds"
is = "stampede(rate=workload.readers.arrive, rebuild=db.shop.read)"
within = "3%"
source = "1 + λδ"
variant = ["herd", "slower"]
[theory.flight]
of = "mean(page, cause=lock) / waited(page, cause=lock)"
is = "db.shop.read / 2"
within = "3%"
source = "half the rebuild"
variant = ["flight"]
[theory.one]
of = "app.rebuilds / pages.rounds"
is = 1
within = "0%"
source = "one flight"
variant = ["flight"]
# each of three processes has a flight of its own: the first reader's, and another's unless none of its readers comes
[theory.three]
of = "app.rebuilds / pages.rounds"
is = "1 + 2 * 0.9816844"
within = "1%"
source = "1 + 2 (1 - e^(-λδ/3)) with λδ/3 = 4"
variant = ["process"]
[on.app]
page  = "get pages[item]"
build = "n = read shop.items[item]; return n"
"#,
    );
}
