//! Cache-aside by hand: programs that say themselves what a cache shall keep, under every guard.

use std::collections::BTreeMap;

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{experiment, run};

fn results(text: &str) -> Results {
    run(&experiment("tests/aside.toml", text, &Overrides::default()), 1)
}

fn of(results: &Results, variant: &str) -> BTreeMap<String, f64> {
    let cell = results.cells.iter().find(|cell| cell.variant == variant).expect("the variant");
    let defined = |(name, estimate): (&String, &splitbrain::experiment::results::Estimate)| {
        Some((name.clone(), estimate.mean?))
    };
    cell.measures.iter().filter_map(defined).collect()
}

/// Ten keys, each asked for ninety times: ten misses, and every value is that of its row.
#[test]
fn what_a_program_puts_the_next_get_finds() {
    let results = results(
        r#"
length = "10s"
cache.pages = {}
db.shop     = { start = { items = "each(7, keys=10)" } }
server.app  = {}
workload.w  = { do = "page(item=sequence(10))", arrive = "even(100/s)", to = "9s" }
measures    = ["count(pages.misses)", "count(pages.hits)", "count(pages.fills)", "count(shop.reads)", "max(wrong)"]
[on.app]
page = """
n = get pages[item] else { n = read shop.items[item]; put pages[item] = n + item }
if n != 7 and n != 7 + item { tally wrong }
tally right"""
"#,
    );
    let base = of(&results, "base");
    let count = |series: &str| base[&format!("count({series})")];
    assert_eq!((count("pages.misses"), count("pages.fills"), count("shop.reads")), (10.0, 10.0, 10.0));
    assert_eq!(count("pages.hits"), 890.0);
    assert_eq!(base.get("max(wrong)").copied().unwrap_or(0.0), 0.0);
}

/// A hundred readers at once of a value that takes 100 ms to read: each guard lets one of them read it, and all get it.
#[test]
fn each_guard_protects_a_fill_by_hand() {
    let results = results(
        r#"
length = "10s"
cache.pages = {}
db.shop     = { read = "100ms" }
server.app  = {}
workload.w  = { do = "page(item=1)", arrive = "once(100)" }
measures    = ["count(shop.reads)", "success(page)", "max(page)", "count(pages.locks)"]
variant.none       = {}
variant.mutex      = { cache.pages.guard = "mutex(ttl=3s, wait=fixed(50ms))" }
variant.per_process = { cache.pages.guard = "single_flight" }
variant.per_all    = { cache.pages.guard = "single_flight(per=all)" }
variant.lease      = { cache.pages.guard = "lease" }
[on.app]
page = "n = get pages[item] else { n = read shop.items[item]; put pages[item] = n }; return n"
"#,
    );
    for (variant, reads) in
        [("none", 100.0), ("mutex", 1.0), ("per_process", 1.0), ("per_all", 1.0), ("lease", 1.0)]
    {
        let seen = of(&results, variant);
        assert_eq!(seen["count(shop.reads)"], reads, "{variant}");
        assert_eq!(seen["success(page)"], 1.0, "{variant}");
        assert!((0.1..0.4).contains(&seen["max(page)"]), "{variant}: {}", seen["max(page)"]);
    }
}

/// Whoever was told to fill and does not gives back what the guard gave it: nobody waits for it longer than it lasts.
#[test]
fn a_program_that_does_not_fill_holds_nobody_up() {
    let results = results(
        r#"
length = "60s"
cache.pages = {}
server.app  = {}
workload.w  = { do = "page(item=1)", arrive = "once(20)" }
measures    = ["throughput(page)", "max(page)", "count(pages.locks)", "success(page)"]
variant.mutex       = { cache.pages.guard = "mutex(ttl=1h, wait=fixed(10ms))" }
variant.per_process = { cache.pages.guard = "single_flight" }
[on.app]
page = """
par { get pages[item] else wait 10ms; get pages[item] else wait 20ms }
get pages[item] else wait 5ms
if item == 2 { put pages[item] = 1 }"""
"#,
    );
    for variant in ["mutex", "per_process"] {
        let seen = of(&results, variant);
        assert_eq!(seen["success(page)"], 1.0, "{variant}");
        assert!(
            seen["max(page)"] < 2.0,
            "{variant}: the last of twenty waits for the nineteen before it: {}",
            seen["max(page)"]
        );
    }
}

/// A cache gives out old values for as long as they live, whoever has put them: by a fill or by hand they are as old. A write
/// that is put as well, or whose entry is dropped, is seen at once. (No read is under way while one is written.)
#[test]
fn what_is_put_by_hand_is_as_stale_as_what_is_filled() {
    let results = results(
        r#"
length = "30s"
cache.pages = { ttl = "1s" }
db.shop     = { read = "1ms", write = "1ms" }
server.app  = {}
workload.readers = { do = "page(item=1)", arrive = "even(50/s)" }
workload.writer  = { do = "change(item=1)", arrive = "even(10/s)", from = "10ms" }
measures = ["count(behind) / count(page)"]
variant.filled  = { cache.pages.fill = "build(item=key)", on.app.page = "n = get pages[item]; m = read shop.items[item]; tally behind += m - n" }
variant.by_hand = {}
variant.through = { on.app.change = "n = update shop.items[item] += 1; put pages[item] = n" }
variant.dropped = { on.app.change = "update shop.items[item] += 1; drop pages[item]" }
[on.app]
page   = """
n = get pages[item] else { n = read shop.items[item]; put pages[item] = n }
m = read shop.items[item]
tally behind += m - n"""
build  = "n = read shop.items[item]; return n"
change = "update shop.items[item] += 1"
"#,
    );
    let behind = |variant: &str| of(&results, variant)["count(behind) / count(page)"];
    assert!(
        (4.0..5.0).contains(&behind("filled")),
        "ten writes in the life of a value: {}",
        behind("filled")
    );
    assert!((behind("by_hand") / behind("filled") - 1.0).abs() < 0.02, "{} by hand", behind("by_hand"));
    assert!(
        behind("through") < 0.1 && behind("dropped") < 0.1,
        "{} {}",
        behind("through"),
        behind("dropped")
    );
}

/// Early expiry knows how long a value takes to make: by hand from the miss to the put.
#[test]
fn xfetch_by_hand_rebuilds_before_the_end() {
    let results = results(
        r#"
length = "60s"
cache.pages = { ttl = "2s", guard = "xfetch(beta=1)" }
db.shop     = { read = "100ms" }
server.app  = {}
workload.w  = { do = "page(item=1)", arrive = "poisson(100/s)" }
measures    = ["count(pages.rounds)", "count(pages.expired)", "count(shop.reads)"]
variant.filled  = { cache.pages.fill = "build(item=key)", on.app.page = "n = get pages[item]; return n" }
variant.by_hand = {}
[on.app]
page  = "n = get pages[item] else { n = read shop.items[item]; put pages[item] = n }; return n"
build = "n = read shop.items[item]; return n"
"#,
    );
    let (filled, by_hand) = (of(&results, "filled"), of(&results, "by_hand"));
    let reads = |of: &BTreeMap<String, f64>| of["count(shop.reads)"];
    assert!(reads(&filled) > 30.0, "{}", reads(&filled));
    assert!(
        (reads(&by_hand) / reads(&filled) - 1.0).abs() < 0.25,
        "{} by hand, {} filled",
        reads(&by_hand),
        reads(&filled)
    );
    assert!(by_hand["count(pages.expired)"] <= filled["count(pages.expired)"] + 2.0);
}
