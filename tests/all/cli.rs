//! The command line as scripts and CI see it: exit statuses, what is written where, and what is left alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use splitbrain::report::json::without_timing;

use crate::support::Folder;

/// A small experiment that takes milliseconds.
const SMALL: &str = r#"
length = "2s"
net    = { latency = "1ms" }
server.app = { cores = 2 }
workload.users = { do = "page()", arrive = "poisson(120/s)", to = "0.9s" }
measures = ["p99(page)"]
slo.fast = "p99(page) < 1s"
variant.a = {}
variant.b = { server.app.cores = 1 }
[on.app]
page = "cpu exp(5ms)"
"#;

#[test]
fn the_exit_status_says_how_it_ended() {
    let folder = Folder::with("small.toml", SMALL);
    assert_eq!(folder.run(&["run", "small.toml", "--quiet", "--runs", "3"]).0, 0, "as expected");
    folder.write("wrong.toml", &SMALL.replace("< 1s", "< 1ms"));
    assert_eq!(folder.run(&["run", "wrong.toml", "--quiet", "--runs", "3"]).0, 1, "an objective was missed");
    folder.write("close.toml", &SMALL.replace("< 1s", "< 26ms").replace("variant.b", "#variant.b"));
    let (status, out, _) = folder.run(&["run", "close.toml", "--runs", "2"]);
    assert_eq!(status, 3, "two runs cannot tell\n{out}");
    folder.write("bad.toml", "length = 5\nserver.app = { coers = 2 }\n");
    let (status, out, err) = folder.run(&["run", "bad.toml"]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.contains("bad.toml:2") && err.contains("did you mean `cores`?"), "{err}");
    assert_eq!(folder.run(&["run", "missing.toml"]).0, 2);
    assert_eq!(folder.run(&["run"]).0, 2, "clap's own");
}

#[test]
fn warnings_are_told_and_change_the_status_only_where_they_are_denied() {
    let unwise = format!("cache.pages = {{}}\n{SMALL}spare = \"cpu 1ms\"\n");
    let folder = Folder::with("unwise.toml", &unwise);
    folder.write("small.toml", SMALL);
    for command in [&["validate"][..], &["explain"], &["run", "--quiet", "--runs", "2"]] {
        let words = [command, &["unwise.toml"]].concat();
        let (status, _, err) = folder.run(&words);
        assert_eq!(status, 0, "{command:?}: {err}");
        assert_eq!(err.matches("warning[SB0601]").count(), 2, "{command:?}: {err}");
        assert!(
            err.contains("unwise.toml:1:7") && err.contains("no workload reaches the cache 'pages'"),
            "{err}"
        );
        assert!(
            err.contains("nothing calls the program 'spare' of 'app'") && err.contains("help: "),
            "{err}"
        );
        let (status, out, err) = folder.run(&[&words[..], &["--deny-warnings"]].concat());
        assert_eq!((status, out.as_str()), (2, ""), "{command:?}: {err}");
        assert!(err.contains("2 warnings, and --deny-warnings"), "{err}");
        let (status, _, err) = folder.run(&[command, &["small.toml", "--deny-warnings"]].concat());
        assert_eq!((status, err.as_str()), (0, ""), "{command:?}: nothing to warn of");
    }
    let results: serde_json::Value = serde_json::from_str(&folder.results("out/unwise")).expect("JSON");
    let first = &results["warnings"][0];
    assert_eq!((first["code"].as_str(), first["place"].as_str()), (Some("SB0601"), Some("unwise.toml:1:7")));
    assert!(first["message"].is_string() && first["help"].is_string());
    assert_eq!(results["warnings"].as_array().map(Vec::len), Some(2));
    let small: serde_json::Value = serde_json::from_str(&folder.results("out/small")).expect("JSON");
    assert_eq!(small["warnings"], serde_json::json!([]));
    let (status, out, _) = folder.run(&["explain", "SB0601"]);
    assert!(status == 0 && out.starts_with("SB0601 (a warning): "), "{out}");
    folder.write("bad.toml", &unwise.replace("cores = 2", "coers = 2"));
    let (status, _, err) = folder.run(&["validate", "bad.toml"]);
    assert!(status == 2 && !err.contains("warning"), "what is wrong hides what is unwise: {err}");
}

#[test]
fn a_run_writes_all_its_files_and_the_same_bytes_for_any_number_of_jobs() {
    let folder = Folder::with("small.toml", SMALL);
    let run = |out: &str, more: &[&str]| {
        let words = [&["run", "small.toml", "--quiet", "--runs", "4", "--out", out], more].concat();
        assert_eq!(folder.run(&words).0, 0);
        folder.results(out)
    };
    let one = run("one", &["--jobs", "1"]);
    assert_eq!(one, run("two", &["--jobs", "2"]));
    assert_eq!(one, run("verified", &["--verify"]));
    assert_ne!(one, run("other", &["--seed", "9"]));
    for file in ["results.json", "runs.csv", "report.html", "plots/latency.svg", "plots/latency.png"] {
        assert!(folder.path("one").join(file).is_file(), "{file}");
    }
    let same = |file: &str| {
        let read = |out: &str| std::fs::read(folder.path(out).join(file)).expect("it is there");
        read("one") == read("two")
    };
    assert!(same("runs.csv") && same("plots/latency.svg"));
    let lines = std::fs::read_to_string(folder.path("one/runs.csv")).expect("text").lines().count();
    assert_eq!(lines, 1 + 2 * 4, "a heading, and a row for each run");
}

#[test]
fn json_on_stdout_is_the_file() {
    let folder = Folder::with("small.toml", SMALL);
    let (status, out, _) = folder.run(&["run", "small.toml", "--format", "json", "--runs", "2"]);
    assert_eq!((status, without_timing(&out)), (0, folder.results("out/small")));
}

#[test]
fn flags_change_one_thing_each() {
    let folder = Folder::with("small.toml", SMALL);
    let words =
        ["run", "small.toml", "--format", "json", "--variant", "b", "--runs", "2", "--set", "length=1s"];
    let (status, out, _) = folder.run(&words);
    assert_eq!(status, 0);
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["cells"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["cells"][0]["variant"], "b");
    assert_eq!(json["summary"]["trials"], 2);
    let (status, _, err) = folder.run(&["run", "small.toml", "--variant", "c"]);
    assert!(status == 2 && err.contains("variant"), "{err}");
    let (status, _, err) = folder.run(&["run", "small.toml", "--set", "server.app.coers=2"]);
    assert!(status == 2 && err.contains("coers"), "{err}");
}

#[test]
fn an_old_result_is_replaced_and_nothing_else_is() {
    let folder = Folder::with("small.toml", SMALL);
    assert_eq!(folder.run(&["run", "small.toml", "--quiet", "--runs", "2"]).0, 0);
    let [one, two] = ["1", "2"].map(|runs| {
        assert_eq!(folder.run(&["run", "small.toml", "--quiet", "--runs", "2", "--seed", runs]).0, 0);
        folder.results("out/small")
    });
    assert_ne!(one, two, "the new folder took the old one's place");
    std::fs::create_dir(folder.path("mine")).expect("a folder");
    folder.write("mine/diary.txt", "dear diary");
    let (status, _, err) = folder.run(&["run", "small.toml", "--out", "mine"]);
    assert!(status == 2 && err.contains("--out"), "{err}");
    assert_eq!(std::fs::read_to_string(folder.path("mine/diary.txt")).expect("still there"), "dear diary");
}

#[test]
fn new_copies_an_experiment_and_overwrites_nothing() {
    let folder = Folder::with("note.txt", "");
    assert_eq!(folder.run(&["new", "mine.toml", "--from", "queueing"]).0, 0);
    assert_eq!(folder.run(&["validate", "mine.toml"]), (0, String::new(), String::new()));
    let (status, _, err) = folder.run(&["new", "mine.toml", "--from", "xfetch"]);
    assert!(status == 2 && err.contains("mine.toml"), "{err}");
    assert_eq!(folder.run(&["new", "x.toml", "--from", "nothing"]).0, 2);
}

#[test]
fn every_shipped_file_is_valid_and_fits_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::with("note.txt", "");
    let (status, schema, _) = folder.run(&["schema"]);
    assert_eq!(status, 0);
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let mut seen = 0;
    for kind in ["experiments", "models", "tests/designs/good"] {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join(kind))
            .expect("there")
            .map(|entry| entry.expect("readable").path())
            .collect();
        paths.sort();
        for path in
            paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        {
            let name = path.to_str().expect("plain");
            if kind == "experiments" {
                assert_eq!(folder.run(&["validate", name]), (0, String::new(), String::new()), "{name}");
            }
            let text = std::fs::read_to_string(&path).expect("text");
            let value: serde_json::Value = toml::from_str(&text).expect("TOML");
            let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} files");
    let wrong: serde_json::Value = toml::from_str("server.app = { coers = 2 }").expect("TOML");
    assert!(schema.iter_errors(&wrong).next().is_some(), "a schema that takes everything is none");
}

#[test]
fn the_faults_of_a_seed_are_explained_before_a_run_or_by_it() {
    let folder = Folder::with("note.txt", "");
    let faults = r#"
length = "60s"
db.kv  = { copies = 3, copy = "raft" }
server.app = {}
workload.w = { do = "save()", arrive = "poisson(10/s)" }
fault.split = { at = "20s", for = "5s", do = "partition_bridge(kv)" }
fault.kill  = { at = "after(split, 5s)", for = "5s", do = "crash(leader(kv))" }
fault.slow  = { at = "during(election(kv))", do = "delay(kv, add=50ms)" }
[on.app]
save = "write kv.rows[1] = 1"
"#;
    folder.write("faults.toml", faults);
    let known = "faults of seed 7
  20.000000000 s to 25.000000000 s split: cut between kv[0] and kv[2], with kv[1] between them
  30.000000000 s to 35.000000000 s kill: crash the machine of leader(kv)
";
    let shown = folder.run(&["explain", "faults.toml", "--seed", "7"]).1;
    assert!(shown.contains("faults of seed 7, as its run tells\n  20.000000000 s to 25"), "{shown}");
    assert!(shown.contains("kill: crash the machine of kv["), "{shown}");
    assert!(shown.contains(" slow: delay by 50.0 ms between kv[0], kv[1], kv[2] and everybody"), "{shown}");
    let shown = folder.run(&["explain", "faults.toml"]).1;
    assert!(shown.contains(&known.replace("seed 7", "seed 1")), "{shown}");
    assert!(shown.contains("  during each election of kv slow: delay by 50.0 ms"), "{shown}");
    assert!(shown.contains("only the run tells: --seed 1"), "{shown}");
}

#[test]
fn lists_completions_and_codes_are_printed() {
    let folder = Folder::with("note.txt", "");
    assert!(folder.run(&["list"]).1.contains("cache-stampede"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (status, out, _) = folder.run(&["completions", shell]);
        assert!(status == 0 && out.contains("splitbrain"), "{shell}");
    }
    assert!(folder.run(&["explain", "SB0102"]).1.starts_with("SB0102"));
    assert_eq!(folder.run(&["explain", "SB9999"]).0, 2);
    assert!(folder.run(&["explain", "queueing", "--topology", "dot"]).1.starts_with("digraph"));
}

#[test]
fn hostile_input_ends_at_once_with_a_reason() {
    let folder = Folder::with("deep.toml", &format!("a = {}{}\n", "[".repeat(100_000), "]".repeat(100_000)));
    std::fs::create_dir(folder.path("folder.toml")).expect("a folder");
    std::fs::write(folder.path("bytes.toml"), b"title = \"\xff\xfe\"\n\0").expect("written");
    let huge = std::fs::File::create(folder.path("huge.toml")).expect("a file");
    huge.set_len(100_000_000).expect("a sparse file");
    folder.write("many.toml", &SMALL.replace("cores = 2", "count = 99999999999"));
    folder.write("long.toml", &SMALL.replace("2s", "900000d").replace("120/s", "9999999/s"));
    let numbers = |text: &dyn Fn(u32) -> String| (1..=1000).map(text).collect::<Vec<_>>().join(", ");
    let grid = format!(
        "sweep = {{ server.app.cores = [{}], workload.users.arrive = [{}] }}\n{SMALL}",
        numbers(&|n| n.to_string()),
        numbers(&|n| format!("\"poisson({n}/s)\""))
    );
    folder.write("grid.toml", &grid);
    folder.write("crowd.toml", &SMALL.replace("poisson(120/s)", "users(99999999999, think=1s)"));
    folder.write("alone.toml", "[on.app]\npage = \"cpu 1ms\"\nlength = \"2s\"\n");
    for name in [
        "deep.toml",
        "folder.toml",
        "bytes.toml",
        "huge.toml",
        "many.toml",
        "long.toml",
        "grid.toml",
        "crowd.toml",
        "alone.toml",
    ] {
        let (status, out, err) = folder.run(&["run", name]);
        assert_eq!((status, out.as_str()), (2, ""), "{name}: {err}");
        assert!(err.starts_with("error"), "{name}: {err}");
        assert!(!err.contains("panicked"), "{name}: {err}");
    }
}

#[cfg(unix)]
#[test]
fn what_has_no_end_is_not_read_to_its_end() {
    let folder = Folder::with("note.txt", "");
    let (status, _, err) = folder.run(&["validate", "/dev/zero"]);
    assert!(status == 2 && err.contains("at most"), "{err}");
    // what comes through a pipe can be read only once
    let mut child = folder
        .command(&["validate", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, SMALL.as_bytes()).expect("it reads");
    drop(stdin);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn set_reaches_the_question_and_nothing_is_ignored() {
    let folder = Folder::with("small.toml", SMALL);
    let run = |set: &str| folder.run(&["run", "small.toml", "--runs", "3", "--quiet", "--set", set]);
    assert_eq!(run("slo.fast=p99(page) < 1s").0, 0);
    assert_eq!(run("slo.fast=p99(page) < 1ms").0, 1, "another objective");
    for (set, word) in [
        ("slo.fast=p99(pge) < 1s", "did you mean `page`?"),
        ("slo.fats=p99(page) < 1s", "did you mean `slo.fast`?"),
        ("variant.c.server.app.cores=1", "names nothing"),
        ("server.app.coers=1", "did you mean `cores`?"),
        ("server.app.cores", "PATH=VALUE"),
        ("=", "PATH=VALUE"),
        ("server.app.cores=", "an empty text"),
        ("on.app.page=cpu", "expected a value"),
        ("workload.users.do=pge()", "did you mean `page`?"),
        ("length=[[[[[[", "found the end"),
        ("length=soon", "`length` is a span"),
        ("warmup=5s", "leaves nothing"),
    ] {
        let (status, out, err) = run(set);
        assert!((status, out.as_str()) == (2, "") && err.contains(word), "{set}: {err}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_run() {
    let folder = Folder::with("small.toml", SMALL);
    // a run of many minutes: it would be noticed
    let long = ["run", "small.toml", "--runs", "100000", "--set", "length=900s", "--out"];
    for out in ["small.toml", "small.toml/x", "small.toml/x/y", "."] {
        let (status, _, err) = folder.run(&[&long[..], &[out]].concat());
        assert!(status == 2 && err.contains("--out"), "{out}: {err}");
    }
    // what is not there is made
    assert_eq!(folder.run(&["run", "small.toml", "--quiet", "--runs", "2", "--out", "a/b/c"]).0, 0);
    assert!(folder.path("a/b/c/results.json").is_file());
}

#[test]
fn more_memory_than_there_is_is_told_before_the_run() {
    // the samples of eight runs at once, each of more requests than are kept, and of hundreds of cells
    let cells = (1..=900).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let text = format!("sweep = {{ server.app.cores = [{cells}] }}\n{SMALL}");
    let folder = Folder::with("wide.toml", &text.replace("120/s", "9000000/s"));
    let (status, _, err) = folder.run(&["run", "wide.toml", "--jobs", "8"]);
    // where the system does not tell what is free there is nothing to compare with
    if std::path::Path::new("/proc/meminfo").exists() {
        assert!(status == 2 && err.contains("GB of memory") && err.contains("help:"), "{err}");
    }
}

#[test]
fn a_verified_run_says_so() {
    let folder = Folder::with("small.toml", SMALL);
    let (status, _, err) = folder.run(&["run", "small.toml", "--verify", "--runs", "2"]);
    assert!(status == 0 && err.contains("verified: 2 cells"), "{err}");
    assert_eq!(folder.run(&["run", "small.toml", "--verify", "--runs", "2", "--quiet"]).2, "");
}

#[test]
fn one_run_alone_decides_no_objective() {
    let folder = Folder::with("small.toml", SMALL);
    let (status, out, _) = folder.run(&["run", "small.toml", "--runs", "1"]);
    assert!(status == 3 && out.contains("one run has no interval"), "{out}");
    // without a word about runs there are enough
    assert_eq!(folder.run(&["run", "small.toml", "--quiet"]).0, 0);
    let json: serde_json::Value = serde_json::from_str(&folder.results("out/small")).expect("JSON");
    assert_eq!((&json["defaults"]["runs"], &json["defaults"]["seed"]), (&"5".into(), &"1".into()));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Folder::with("note.txt", "");
    for words in [&["schema"][..], &["explain", "cache-stampede"][..]] {
        let mut child =
            folder.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        assert!(!String::from_utf8_lossy(&ended.stderr).contains("panicked"), "{words:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_the_old_result_whole() {
    let many = ["run", "small.toml", "--quiet", "--runs", "100000", "--set", "length=20s"];
    // hours: it must not go on to its end
    let for_ever = ["--set", "length=10000000s", "--set", "workload.users.to=10000000s"];
    let long = [&["run", "small.toml", "--quiet", "--runs", "1"], &for_ever[..]].concat();
    interrupted(&many);
    interrupted(&long);
}

#[cfg(unix)]
fn interrupted(words: &[&str]) {
    let folder = Folder::with("small.toml", SMALL);
    assert_eq!(folder.run(&["run", "small.toml", "--quiet", "--runs", "2"]).0, 0);
    let before = folder.results("out/small");
    let child = folder.command(words).stderr(Stdio::piped()).spawn().expect("it runs");
    std::thread::sleep(std::time::Duration::from_millis(700));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("it is there");
    assert!(kill.success());
    let ended = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted after") && said.contains("untouched"), "{said}");
    assert_eq!(folder.results("out/small"), before);
    let left: Vec<_> = std::fs::read_dir(folder.path("out")).expect("there").collect();
    assert_eq!(left.len(), 1, "nothing half-written is left behind");
}

#[test]
fn what_is_measured_from_when_to_when_is_explained() {
    let text = r#"
length = "trace(patience=2m)"
warmup = "1s"
server.app = {}
db.shop = { start = { stock = "each(1, keys=1)" } }
workload.jobs = { do = "buy()", arrive = "trace(at.csv, column=at)" }
measures = ["count(order)", "count(order) - initial(shop.stock[1])"]
always.one = "count(order) <= initial(shop.stock[1])"
[on.app]
buy = "n = read shop.stock[1]; tally order[1]"
"#;
    let folder = Folder::with("traced.toml", text);
    folder.write("at.csv", "at\n0\n0.5\n7.5\n");
    let (status, out, err) = folder.run(&["explain", "traced.toml"]);
    assert_eq!(status, 0, "{err}");
    for line in [
        "measured from 1.00 s to the end of the last request; the last one arrives at 7.50 s, and is waited for no longer than 120 s",
        "  per time (rate, goodput, throughput, inflight, util, peak): up to 7.50 s",
        "  count(order) - initial(shop.stock[1]): counts from 0 s, compared with the state of a store",
        "  count(order) <= initial(shop.stock[1]): counts from 0 s, watched from the start",
    ] {
        assert!(out.lines().any(|told| told == line), "{line}\n{out}");
    }
    assert!(!out.contains("count(order): counts"), "it is of the window alone");
}
