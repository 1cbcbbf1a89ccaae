//! What the text of a shipped experiment suggests to change, tried as a reader would: it runs, properties hold as they are expected to, nothing
//! that is asked for is undefined, and theory follows, or parts where the text says so.

use serde_json::Value;

use crate::support::Folder;

/// Runs a copy of a shipped experiment, with a piece of its text changed: its exit status, and its results.
fn tried(name: &str, (from, to): (&str, &str), words: &[&str]) -> (i32, Value) {
    let folder = Folder::with("empty.toml", "");
    assert_eq!(folder.run(&["new", "mine.toml", "--from", name]).0, 0);
    let text = std::fs::read_to_string(folder.path("mine.toml")).expect("it is there");
    assert!(text.contains(from), "{name} has no {from}");
    folder.write("mine.toml", &text.replace(from, to));
    let all = [&["run", "mine.toml", "--quiet", "--format", "json"], words].concat();
    let (status, out, err) = folder.run(&all);
    let results: Value = serde_json::from_str(&out).unwrap_or_else(|why| panic!("{name}: {why} {err}"));
    for cell in results["cells"].as_array().expect("cells") {
        for (property, judged) in cell["properties"].as_object().into_iter().flatten() {
            assert_ne!(judged["as_expected"], false, "{name}, {property}: {judged}");
        }
    }
    for row in results["theory"].as_array().expect("rows") {
        assert!(row["simulated"].is_number(), "{name}: {row}");
    }
    (status, results)
}

/// The mean of a measure in a variant.
fn mean(results: &Value, variant: &str, measure: &str) -> f64 {
    let cells = results["cells"].as_array().expect("cells");
    let cell = cells.iter().find(|cell| cell["variant"] == variant).expect("it is there");
    cell["measures"][measure]["mean"].as_f64().expect("it has one")
}

/// The rows of theory that part.
fn parted(results: &Value) -> Vec<&str> {
    let rows = results["theory"].as_array().expect("rows");
    let parts = |row: &&Value| row["agrees"] == false && row["undecided"] == false;
    rows.iter().filter(parts).filter_map(|row| row["name"].as_str()).collect()
}

#[test]
fn a_rebuild_of_ten_times_as_long_is_another_herd() {
    let change = ("\"3s\", \"500ms\", \"500ms\"", "\"3s\", \"5s\", \"5s\"");
    let words = [
        "--runs",
        "2",
        "--set",
        "length=1m",
        "--variant",
        "none",
        "--variant",
        "lease",
        "--variant",
        "stale",
    ];
    let (status, results) = tried("cache-stampede", change, &words);
    assert!(status == 0 || status == 3, "{status}: {:?}", parted(&results));
}

#[test]
fn twice_as_many_clients_need_more_than_twice_as_many_writes() {
    let (_, few) = tried("backoff", ("once(100)", "once(100)"), &["--runs", "5"]);
    let (status, many) = tried("backoff", ("once(100)", "once(200)"), &["--runs", "5"]);
    for (variant, times) in [("full", 2.4), ("exponential", 3.0)] {
        let more = mean(&many, variant, "kv.updates") / mean(&few, variant, "kv.updates");
        assert!((more - times).abs() < 0.15, "{variant}: {more}");
    }
    assert_eq!((status, parted(&few).len()), (1, 0), "the published figures are of a hundred");
}

#[test]
fn a_hand_over_that_takes_time_is_in_the_formula() {
    let words = ["--runs", "4", "--set", "length=1000s", "--set", "warmup=60s"];
    let change = ("net              = { latency = \"0ms\" }", "net              = { latency = \"1ms\" }");
    let (status, results) = tried("lock-queue", change, &words);
    assert!(status == 0 || status == 3, "{status}: {:?}", parted(&results));
}

#[test]
fn four_copies_and_a_power_cut_are_what_the_text_says() {
    let as_it_is = ("copies = 3", "copies = 3");
    let four = ["db.kv.copies=4", "db.kv.copy.r=3", "db.kv.copy.w=3", "fault.down.every=exp(2372.8s)"];
    let words: Vec<&str> = four.iter().flat_map(|set| ["--set", *set]).collect();
    let words = [&["--runs", "2", "--variant", "n3_90"], &words[..]].concat();
    let (status, results) = tried("availability", as_it_is, &words);
    assert!(status == 0 || status == 3, "{status}: {:?}", parted(&results));
    assert!(mean(&results, "n3_90", "errors(people)") > 0.04, "more than the 2.8 % of three");
    let cut = ["--runs", "2", "--variant", "n3_90", "--set", "fault.down.do=crash(kv, mode=process)"];
    let (status, results) = tried("availability", as_it_is, &cut);
    assert_eq!((status, parted(&results)), (1, vec!["three_of_one_nine"]), "failures that come together");
}

#[test]
fn timeouts_of_a_wider_range_cure_elections() {
    let words =
        ["--runs", "500", "--variant", "benchmark", "--set", "db.kv.copy.election=uniform(150ms, 200ms)"];
    let (status, results) =
        tried("raft-election", ("uniform(150ms, 155ms)", "uniform(150ms, 155ms)"), &words);
    assert_eq!((status, parted(&results)), (1, vec!["benchmark", "benchmark_at_once"]));
    assert!(mean(&results, "benchmark", "kv.leaderless") < 0.17, "half of what it was");
}
