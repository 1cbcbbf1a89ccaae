//! Parts beside exact references, customer by customer and request by request: Lindley's and Kiefer and Wolfowitz' recursions for queues,
//! a list or two for caches. Always on small traces made here; on recorded ones where they are
//! (`TRACES=folder cargo test --test all -- --ignored rows`), against figures that others have published of them.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use splitbrain::experiment::results::Results;
use splitbrain::experiment::{Overrides, load};

use crate::support::{Files, run};

/// A recorded trace from the folder that TRACES names.
fn trace(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("TRACES").expect("TRACES names the folder with the trace");
    let path = Path::new(&folder).join(name);
    std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
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

/// Arrivals in bursts with sizes from 1 to 400, in the form of the recorded trace.
fn bursts() -> String {
    let (mut state, mut at_us) = (7u64, 0u64);
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut text = "TIMESTAMP,ContextTokens,GeneratedTokens\n".to_owned();
    for number in 0..2_000u64 {
        at_us += if number / 100 % 2 == 0 { draw(300_000) } else { draw(1_500_000) };
        let (seconds, micros) = (at_us / 1_000_000, at_us % 1_000_000);
        let (hours, minutes) = (seconds / 3600 + 18, seconds / 60 % 60);
        text += &format!(
            "2023-11-16 {hours:02}:{minutes:02}:{:02}.{micros:06},0,{}\n",
            seconds % 60,
            1 + draw(400)
        );
    }
    text
}

fn sizes(data: &str) -> Vec<u64> {
    let size = |line: &str| line.rsplit(',').next().and_then(|size| size.parse().ok()).expect("a size");
    data.lines().skip(1).filter(|line| !line.is_empty()).map(size).collect()
}

/// Mean, largest and share of those above 0, in seconds.
fn told(waits: &[u64]) -> (f64, f64, f64) {
    let n = waits.len() as f64;
    let (sum, most) = (waits.iter().sum::<u64>(), waits.iter().max().expect("some"));
    (sum as f64 / n / 1e9, *most as f64 / 1e9, waits.iter().filter(|wait| **wait > 0).count() as f64 / n)
}

#[test]
fn one_server_under_a_trace_is_what_lindley_says() {
    for (speed, service_ms) in [(1, 350), (2, 110)] {
        let text = CODE.replace("column=TIMESTAMP)", &format!("column=TIMESTAMP, speed={speed}x)"));
        let text = format!(
            "{text}server.desk = {{ cores = 1, threads = \"unlimited\", queue = \"unlimited\" }}\n[on.desk]\njob = \"x = tokens; cpu {service_ms}ms\"\n"
        );
        let (mean, most, waited) = told(&lindley(&bursts(), speed, service_ms * 1_000_000));
        let results = run_with(&text, ("code.csv", bursts()));
        assert_eq!(measure(&results, "count(jobs)"), 2_000.0);
        is_near(&results, "mean(jobs, cause=queue)", mean, 1e-9);
        is_near(&results, "max(jobs, cause=queue)", most, 1e-9);
        is_near(&results, "waited(jobs, cause=queue)", waited, 1e-9);
        assert!(waited > 0.1 && mean > 0.05, "a queue that is worth the look: {waited}, {mean}");
    }
}

/// Kiefer and Wolfowitz (1955): each job goes to the server that is free first.
#[test]
fn several_servers_under_a_trace_are_what_kiefer_and_wolfowitz_say() {
    let data = bursts();
    for (cores, token_ms) in [(3usize, 5u64), (8, 14)] {
        let mut free = vec![0u64; cores];
        let waits: Vec<u64> = instants(&data)
            .into_iter()
            .zip(sizes(&data))
            .map(|(at, tokens)| {
                let first = free.iter_mut().min().expect("one server");
                let begins = at.max(*first);
                *first = begins + tokens * token_ms * 1_000_000;
                begins - at
            })
            .collect();
        let (mean, most, waited) = told(&waits);
        let text = format!(
            "{CODE}server.desk = {{ cores = {cores}, threads = \"unlimited\", queue = \"unlimited\" }}\n[on.desk]\njob = \"cpu {token_ms}ms * tokens\"\n"
        );
        let results = run_with(&text, ("code.csv", data.clone()));
        is_near(&results, "mean(jobs, cause=queue)", mean, 1e-9);
        is_near(&results, "max(jobs, cause=queue)", most, 1e-9);
        is_near(&results, "waited(jobs, cause=queue)", waited, 1e-9);
        assert!(waited > 0.05, "a queue that is worth the look: {waited}");
    }
}

/// Azure's LLM inference trace `code` of November 2023 (AzurePublicDataset): one server with a constant service of 250 ms.
#[test]
#[ignore = "needs azure_llm_code.csv in TRACES"]
fn row_d1_real_arrivals_at_one_server() {
    let data = trace("azure_llm_code.csv");
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

/// The same at double speed and with a shorter service: the reference is Lindley's recursion over the same instants.
#[test]
#[ignore = "needs azure_llm_code.csv in TRACES"]
fn row_d1_at_another_speed_is_what_lindley_says() {
    let data = trace("azure_llm_code.csv");
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

/// When the jobs of a trace come, ns.
fn instants(data: &str) -> Vec<u64> {
    let instant = |line: &str| -> u64 {
        let (_, clock) = line.split(',').next().expect("a column").split_once(' ').expect("a date");
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let seconds = clock.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().expect("a number"));
        seconds * 1_000_000_000 + format!("{fraction:0<9}")[..9].parse::<u64>().expect("a fraction")
    };
    data.lines().skip(1).filter(|line| !line.is_empty()).map(instant).collect()
}

/// The waits of a queue with one server and a constant service, ns: max(0, wait + service - gap), customer by customer.
fn lindley(data: &str, speed: u64, service: u64) -> Vec<u64> {
    let mut waits = vec![0u64];
    for pair in instants(data).windows(2) {
        let gap = (pair[1] - pair[0]) / speed;
        waits.push((waits.last().expect("some") + service).saturating_sub(gap));
    }
    waits
}

/// The same trace at eight servers with one line, 20 ms for each token.
#[test]
#[ignore = "needs azure_llm_code.csv in TRACES"]
fn row_d1b_real_sizes_at_eight_servers() {
    let data = trace("azure_llm_code.csv");
    let text = format!(
        "{CODE}server.desk = {{ cores = 8, threads = \"unlimited\", queue = \"unlimited\" }}\n[on.desk]\njob = \"cpu 20ms * tokens\"\n"
    );
    let results = run_with(&text, ("code.csv", String::from_utf8(data).expect("text")));
    is_near(&results, "mean(jobs, cause=queue)", 1.013375, 1e-4);
    is_near(&results, "p99(jobs, cause=queue)", 13.068552, 1e-4);
    is_near(&results, "max(jobs, cause=queue)", 15.705151, 1e-4);
    is_near(&results, "waited(jobs, cause=queue)", 3929.0 / 8819.0, 1e-9);
}

/// Requests with favourites that change, in which 300 keys are seen.
fn favourites() -> Vec<i64> {
    let mut state = 11u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..6_000u64).map(|n| (if draw(3) > 0 { draw(25) + n / 600 * 20 } else { draw(300) }) as i64).collect()
}

/// Hits of the three simplest rules, written from their definitions: a list in order of use or of arrival; a hand that spares once who was
/// used since it came by.
fn hits(evict: &str, entries: usize, trace: &[i64]) -> f64 {
    let (mut list, mut hits): (VecDeque<(i64, bool)>, u32) = (VecDeque::new(), 0);
    for key in trace {
        match list.iter().position(|(there, _)| there == key) {
            Some(at) => {
                hits += 1;
                list[at].1 = true;
                if evict == "lru" {
                    let used = list.remove(at).expect("it is there");
                    list.push_back(used);
                }
            }
            None => {
                while list.len() == entries {
                    let (first, used) = list.pop_front().expect("it is full");
                    if evict == "clock" && used {
                        list.push_back((first, false));
                    }
                }
                list.push_back((*key, false));
            }
        }
    }
    f64::from(hits)
}

/// A cache that is asked for one key after the other.
fn asked(evict: &str, entries: usize, keys: &str, requests: usize, data: (&str, String)) -> Results {
    let design = format!(
        r#"
length = "{}s"
net    = {{ latency = "0ms" }}
server.app  = {{ cores = "unlimited" }}
cache.pages = {{ entries = {entries}, evict = "{evict}", fill = "build(item=key)" }}
workload.readers = {{ do = "page(item={keys})", arrive = "even(1/s)", to = "{requests}s" }}
measures = ["pages.hits", "pages.misses"]
[on.app]
page  = "get pages[item]"
build = "return item"
"#,
        requests + 1000
    );
    let results = run_with(&design, data);
    assert_eq!(measure(&results, "pages.hits") + measure(&results, "pages.misses"), requests as f64);
    results
}

#[test]
fn caches_under_a_trace_hit_what_their_rules_say() {
    let trace = favourites();
    let text: String = trace.iter().map(|key| format!("{key}\n")).collect();
    for evict in ["lru", "fifo", "clock"] {
        for entries in [10, 60, 200] {
            let data = ("keys.txt", text.clone());
            let results = asked(evict, entries, "trace(keys.txt, format=text)", trace.len(), data);
            let expected = hits(evict, entries, &trace);
            assert_eq!(measure(&results, "pages.hits"), expected, "{evict}, {entries} entries");
        }
    }
}

/// Hits of the web trace `web07` of cache2k's benchmarks, to the last request.
#[test]
#[ignore = "needs web07.trace.xz in TRACES"]
fn row_c8_a_real_web_trace() {
    let data = trace("web07.trace.xz");
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
            let data = ("web07.txt", text.clone());
            let results = asked(evict, entries, "trace(web07.txt, format=text)", 76_118, data);
            assert_eq!(measure(&results, "pages.hits"), f64::from(hits), "{evict}, {entries} entries");
        }
    }
}

/// LRU on a loop of 1011 keys, 500 times over: one entry too few is all or nothing.
#[test]
fn row_c10_the_cliff_of_a_loop() {
    for (entries, hits) in [(1000, 0.0), (1011, 504_489.0)] {
        let results = asked("lru", entries, "sequence(1011)", 505_500, ("none.txt", String::new()));
        assert_eq!(measure(&results, "pages.hits"), hits, "{entries} entries");
    }
}
