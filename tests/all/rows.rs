//! Published rows that need recorded traces, or that are exact integers. The traces are not part of the project: without
//! them a test says so and ends.

use std::collections::BTreeMap;
use std::path::Path;

use splitbrain::experiment::results::Results;
use splitbrain::experiment::{Overrides, load};

use crate::support::{Files, experiment, run};

/// A recorded trace, if it is there.
fn trace(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/traces").join(name);
    let found = std::fs::read(&path).ok();
    if found.is_none() {
        println!("skipped: there is no {}", path.display());
    }
    found
}

fn run_with(text: &str, data: (&str, String)) -> Results {
    let files = [("tests/row.toml".to_owned(), text.to_owned()), (format!("tests/{}", data.0), data.1)];
    let files = Files(BTreeMap::from(files));
    let experiment =
        load(&files, "tests/row.toml", &Overrides::default()).unwrap_or_else(|(sources, problems)| {
            panic!("{}", splitbrain::design::render::render(&sources, &problems, false))
        });
    run(&experiment, 1)
}

fn measure(results: &Results, name: &str) -> f64 {
    let measures = &results.cells[0].measures;
    let known = measures.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", measures.keys()));
    known.mean.unwrap_or_else(|| panic!("{name} is undefined: {:?}", known.note))
}

fn is_near(results: &Results, name: &str, reference: f64, within: f64) {
    let value = measure(results, name);
    assert!((value - reference).abs() <= within, "{name}: {value}, not {reference}");
}

const CODE: &str = r#"
length   = "trace"
net      = { latency = "0ms" }
policy.patient = { timeout = "1h" }
workload.jobs = { do = "job(tokens=column(GeneratedTokens))", arrive = "trace(code.csv, column=TIMESTAMP)", with = "patient" }
measures = ["count(jobs)", "mean(jobs, cause=queue)", "p50(jobs, cause=queue)", "p99(jobs, cause=queue)", "max(jobs, cause=queue)", "waited(jobs, cause=queue)"]
"#;

/// Row D1: one server with a constant service of 250 ms under the arrivals of Azure's `code` trace.
#[test]
fn row_d1_real_arrivals_at_one_server() {
    let Some(data) = trace("azure_llm_code.csv") else { return };
    let text = format!(
        "{CODE}server.desk = {{ cores = 1, threads = \"unlimited\", queue = \"unlimited\" }}\n[on.desk]\njob = \"x = tokens; cpu 250ms\"\n"
    );
    let results = run_with(&text, ("code.csv", String::from_utf8(data).expect("text")));
    assert_eq!(measure(&results, "count(jobs)"), 8819.0);
    is_near(&results, "mean(jobs, cause=queue)", 39.776327, 1e-4);
    is_near(&results, "p50(jobs, cause=queue)", 29.640096, 1e-4);
    is_near(&results, "p99(jobs, cause=queue)", 135.935431, 1e-4);
    is_near(&results, "max(jobs, cause=queue)", 147.835033, 1e-4);
    is_near(&results, "waited(jobs, cause=queue)", 8776.0 / 8819.0, 1e-9);
}

/// Row D1 at double speed and with a shorter service: the reference is Lindley's recursion over the same instants.
#[test]
fn row_d1_at_another_speed_is_what_lindley_says() {
    let Some(data) = trace("azure_llm_code.csv") else { return };
    let data = String::from_utf8(data).expect("text");
    let text = CODE.replace("column=TIMESTAMP)", "column=TIMESTAMP, speed=2x)");
    assert_ne!(text, CODE);
    let text = format!(
        "{text}server.desk = {{ cores = 1, threads = \"unlimited\", queue = \"unlimited\" }}\n[on.desk]\njob = \"x = tokens; cpu 110ms\"\n"
    );
    let waits = lindley(&data, 2, 110_000_000);
    let mean = waits.iter().sum::<u64>() as f64 / waits.len() as f64 / 1e9;
    let waited = waits.iter().filter(|wait| **wait > 0).count() as f64 / waits.len() as f64;
    let largest = *waits.iter().max().expect("some") as f64 / 1e9;
    let results = run_with(&text, ("code.csv", data));
    is_near(&results, "mean(jobs, cause=queue)", mean, 1e-6);
    is_near(&results, "max(jobs, cause=queue)", largest, 1e-6);
    is_near(&results, "waited(jobs, cause=queue)", waited, 1e-3);
}

/// The waits of a queue with one server and a constant service, ns: max(0, wait + service - gap), customer by customer.
fn lindley(data: &str, speed: u64, service: u64) -> Vec<u64> {
    let instant = |line: &str| -> u64 {
        let (_, clock) = line.split(',').next().expect("a column").split_once(' ').expect("a date");
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let seconds = clock.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().expect("a number"));
        seconds * 1_000_000_000 + format!("{fraction:0<9}")[..9].parse::<u64>().expect("a fraction")
    };
    let instants: Vec<u64> = data.lines().skip(1).filter(|line| !line.is_empty()).map(instant).collect();
    let mut waits = vec![0u64];
    for pair in instants.windows(2) {
        let gap = (pair[1] - pair[0]) / speed;
        waits.push((waits.last().expect("some") + service).saturating_sub(gap));
    }
    waits
}

/// Row D1b: eight servers with one line, 20 ms for each token.
#[test]
fn row_d1b_real_sizes_at_eight_servers() {
    let Some(data) = trace("azure_llm_code.csv") else { return };
    let text = format!(
        "{CODE}server.desk = {{ cores = 8, threads = \"unlimited\", queue = \"unlimited\" }}\n[on.desk]\njob = \"cpu 20ms * tokens\"\n"
    );
    let results = run_with(&text, ("code.csv", String::from_utf8(data).expect("text")));
    is_near(&results, "mean(jobs, cause=queue)", 1.013375, 1e-4);
    is_near(&results, "p99(jobs, cause=queue)", 13.068552, 1e-4);
    is_near(&results, "max(jobs, cause=queue)", 15.705151, 1e-4);
    is_near(&results, "waited(jobs, cause=queue)", 3929.0 / 8819.0, 1e-9);
}

/// Row C8: hits of a real web trace, to the last request.
#[test]
fn row_c8_a_real_web_trace() {
    let Some(data) = trace("web07.trace.xz") else { return };
    let mut words = Vec::new();
    lzma_rs::xz_decompress(&mut &data[..], &mut words).expect("it is xz");
    let keys = words.chunks_exact(4).map(|word| i32::from_be_bytes(word.try_into().expect("four")));
    let keys: Vec<String> = keys.map(|key| key.to_string()).collect();
    let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
    assert_eq!((keys.len(), distinct.len()), (76_118, 20_484));
    let text = keys.join("\n");
    let rows = [
        ("lru", [23_706, 31_895, 39_314, 44_559]),
        ("fifo", [22_188, 29_688, 37_333, 42_741]),
        ("clock", [24_259, 32_380, 39_837, 44_952]),
    ];
    for (evict, hits) in rows {
        for (entries, hits) in [75, 300, 1200, 3000].into_iter().zip(hits) {
            let design = format!(
                r#"
length = "80000s"
net    = {{ latency = "0ms" }}
server.app  = {{ cores = "unlimited" }}
cache.pages = {{ entries = {entries}, evict = "{evict}", fill = "build(item=key)" }}
workload.readers = {{ do = "page(item=trace(web07.txt, format=text))", arrive = "even(1/s)", to = "76118s" }}
measures = ["pages.hits", "pages.misses"]
[on.app]
page  = "get pages[item]"
build = "return item"
"#
            );
            let results = run_with(&design, ("web07.txt", text.clone()));
            assert_eq!(measure(&results, "pages.hits"), f64::from(hits), "{evict}, {entries} entries");
            assert_eq!(measure(&results, "pages.hits") + measure(&results, "pages.misses"), 76_118.0);
        }
    }
}

/// Row C10: LRU on a loop of 1011 keys, 500 times over: one entry too few is all or nothing.
#[test]
fn row_c10_the_cliff_of_a_loop() {
    for (entries, hits) in [(1000, 0.0), (1011, 504_489.0)] {
        let design = format!(
            r#"
length = "510000s"
net    = {{ latency = "0ms" }}
server.app  = {{ cores = "unlimited" }}
cache.pages = {{ entries = {entries}, evict = "lru", fill = "build(item=key)" }}
workload.readers = {{ do = "page(item=sequence(1011))", arrive = "even(1/s)", to = "505500s" }}
measures = ["pages.hits"]
[on.app]
page  = "get pages[item]"
build = "return item"
"#
        );
        let results = run(&experiment("tests/row.toml", &design, &Overrides::default()), 1);
        assert_eq!(measure(&results, "pages.hits"), hits, "{entries} entries");
    }
}
