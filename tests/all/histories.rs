//! `splitbrain history` on recorded histories: ours under `tests/histories`, and real ones where they are there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn judge(arguments: &[&str], files: &[PathBuf]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
    command.arg("history").args(arguments).args(files).output().expect("it runs")
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    files
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// By file name: `kv.jsonl` is judged as `kv`.
fn model(file: &Path) -> &str {
    match file.file_stem().and_then(|stem| stem.to_str()).expect("it has a name") {
        "register" => "cas-register",
        other => other,
    }
}

#[test]
fn good_histories_are_accepted_and_their_bad_twins_rejected() {
    for (folder, status, expect) in [("good", 0, "ok"), ("bad", 1, "violation")] {
        let files = files(&here("tests/histories").join(folder));
        assert!(files.len() >= 4, "{files:?}");
        for file in files {
            let one = std::slice::from_ref(&file);
            let output = judge(&["--model", model(&file)], one);
            assert_eq!(output.status.code(), Some(status), "{}", stdout(&output));
            let output = judge(&["--model", model(&file), "--expect", expect], one);
            assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
        }
    }
}

#[test]
fn a_violation_is_told_in_a_sentence_with_its_lines() {
    let output = judge(&["--model", "cas-register"], &[here("tests/histories/bad/register.edn")]);
    let told = stdout(&output);
    assert!(
        told.ends_with(
            "not linearizable (4 operations): `read 1` of process 2 (line 7) saw a value that had been overwritten \
             by `write 2`\n"
        ) || told.contains("(line 9)"),
        "{told}"
    );
}

/// A picture of each violation, and weaker promises, which that history keeps.
#[test]
fn a_violation_is_drawn_and_weaker_promises_can_be_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let several = ["bank", "list-append", "rw-register", "set"];
    for file in files(&here("tests/histories/bad")) {
        if several.contains(&model(&file)) {
            continue; // of several objects at once
        }
        let picture = folder.path().join("witness.svg");
        let written = picture.to_str().expect("text");
        let output = judge(&["--model", model(&file), "--diagram", written], std::slice::from_ref(&file));
        assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
        let svg = std::fs::read_to_string(&picture).expect("it was written");
        assert!(svg.contains("process ") && svg.contains("invocations and returns"), "{file:?}: {svg}");
        assert_eq!(files(folder.path()), [picture]);
    }
    let register = [here("tests/histories/bad/register.edn")];
    for asked in ["sequential", "causal", "session"] {
        let output = judge(&["--model", "cas-register", "--consistency", asked], &register);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    }
    let output =
        judge(&["--model", "mutex", "--consistency", "causal"], &[here("tests/histories/bad/mutex.log")]);
    assert_eq!(output.status.code(), Some(2), "a mutex has no values");
}

#[test]
fn transactions_are_judged_for_the_isolation_that_was_asked_for() {
    let skew = [here("tests/histories/bad/list-append.edn")];
    for (isolation, status, told) in [
        ("read_committed", 0, "read_committed (5 transactions)"),
        ("snapshot", 0, "snapshot (5 transactions)"),
        (
            "serializable",
            1,
            "not serializable (5 transactions): G2-item: the transaction of line 3 saw the initial y",
        ),
    ] {
        let output = judge(&["--model", "list-append", "--isolation", isolation], &skew);
        assert_eq!(output.status.code(), Some(status), "{}", stdout(&output));
        assert!(stdout(&output).contains(told), "{}", stdout(&output));
    }
}

/// Transactions as Jepsen writes them, one after the other and each of a process of its own, judged at a level: the status.
fn isolated(model: &str, isolation: &str, transactions: &[&str]) -> Option<i32> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("history.edn");
    let both = |(process, value): (usize, &&str)| {
        let line = |kind: &str| format!("{{:process {process}, :type {kind}, :f :txn, :value {value}}}\n");
        line(":invoke") + &line(":ok")
    };
    let text: String = transactions.iter().enumerate().map(both).collect();
    std::fs::write(&file, text).expect("a file can be written");
    judge(&["--model", model, "--isolation", isolation], &[file]).status.code()
}

#[test]
fn each_rule_within_a_transaction_belongs_to_its_levels() {
    // Two reads of one key see two values.
    let again = ["[[:w 1 5]]", "[[:w 1 6]]", "[[:r 1 5] [:r 1 6]]"];
    for (level, status) in [
        ("read_committed", 0),
        ("monotonic_atomic_view", 0),
        ("item_cut_isolation", 1),
        ("repeatable_read", 1),
        ("read_atomic", 1),
        ("causal", 1),
        ("parallel_snapshot", 1),
        ("snapshot", 1),
        ("serializable", 1),
        ("strict-serializable", 1),
        ("strict_serializable", 1),
    ] {
        assert_eq!(isolated("rw-register", level, &again), Some(status), "{level}");
    }
    // What it writes only later; not what it wrote.
    for transaction in ["[[:r 1 5] [:w 1 5]]", "[[:w 1 5] [:r 1 nil]]"] {
        for level in ["read_uncommitted", "read_committed", "causal", "serializable"] {
            assert_eq!(isolated("rw-register", level, &[transaction]), Some(1), "{transaction} {level}");
        }
    }
    for transaction in ["[[:r 1 [5]] [:append 1 5]]", "[[:append 1 5] [:r 1 nil]]"] {
        assert_eq!(isolated("list-append", "read_uncommitted", &[transaction]), Some(1), "{transaction}");
    }
}

#[test]
fn what_nobody_reads_later_is_lost_or_torn_all_the_same() {
    let lost = ["[[:append 1 0]]", "[[:r 1 [0]] [:append 1 1]]", "[[:r 1 [0]] [:append 1 2]]"];
    let torn = ["[[:w 1 5] [:w 2 1]]", "[[:w 1 6] [:w 2 2]]", "[[:r 1 5] [:r 2 2]]"];
    for (level, status) in [("read_committed", 0), ("snapshot", 1), ("serializable", 1)] {
        assert_eq!(isolated("list-append", level, &lost), Some(status), "{level}");
        assert_eq!(isolated("rw-register", level, &torn), Some(status), "{level}");
    }
    // Two who each saw one of two writes first.
    let fork = ["[[:w 1 1]]", "[[:w 2 1]]", "[[:r 1 1] [:r 2 nil]]", "[[:r 1 nil] [:r 2 1]]"];
    for (level, status) in [("parallel_snapshot", 0), ("snapshot", 1), ("serializable", 1)] {
        assert_eq!(isolated("rw-register", level, &fork), Some(status), "{level}");
    }
}

#[test]
fn time_counts_where_serializability_is_strict() {
    let stale = ["[[:w 1 1]]", "[[:r 1 nil]]"];
    assert_eq!(isolated("rw-register", "serializable", &stale), Some(0));
    assert_eq!(isolated("rw-register", "strict_serializable", &stale), Some(1));
    assert_eq!(isolated("rw-register", "strong_serializable", &["[[:w 1 1]]", "[[:r 1 1]]"]), Some(0));
}

#[test]
fn what_cannot_be_asked_of_a_model_is_refused() {
    let kv = here("tests/histories/bad/kv.jsonl");
    let lists = here("tests/histories/bad/list-append.edn");
    for (asked, file) in [
        (["--model", "list-append", "--consistency", "linearizable"], &lists),
        (["--model", "kv", "--isolation", "serializable"], &kv),
    ] {
        let output = judge(&asked, std::slice::from_ref(file));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains("help: "), "{told}");
    }
}

#[test]
fn what_is_undecided_or_no_history_has_its_own_status() {
    let kv = here("tests/histories/bad/kv.jsonl");
    let output = judge(&["--model", "kv", "--nodes", "1"], std::slice::from_ref(&kv));
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    let output = judge(&["--model", "mutex"], &[kv]);
    assert_eq!(output.status.code(), Some(2), "a mutex has no values: {}", stdout(&output));
    let output = judge(&["--model", "kv"], &[here("tests/histories/none"), here("README.md"), here("src")]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("tests/histories/none") && told.contains("src is a directory"), "{told}");
}

/// Jepsen's 102 logs of etcd, and histories of a compare-and-set register: none of them is part of the project.
#[test]
fn recorded_histories_are_judged_as_expected() {
    let data = here("../shared/data/histories");
    let Ok(expected) = std::fs::read_to_string(data.join("etcd/EXPECTED.tsv")) else {
        println!("skipped: there is no {}", data.display());
        return;
    };
    let mut seen = 0;
    for line in expected.lines().skip(1) {
        let (name, linearizable) = line.split_once('\t').expect("two columns");
        let output = judge(&["--model", "cas-register"], &[data.join("etcd").join(name)]);
        let status = if linearizable.trim() == "true" { 0 } else { 1 };
        assert_eq!(output.status.code(), Some(status), "{}", stdout(&output));
        seen += 1;
    }
    assert_eq!(seen, 102);
    for (folder, expect) in [("good", "ok"), ("bad", "violation")] {
        let files = files(&data.join("cas-register").join(folder));
        let output = judge(&["--model", "cas-register", "--expect", expect], &files);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    }
}

/// Rows that are written, read and changed under a condition while one of three places is cut off for a while.
const RECORDED: &str = r#"
length = "12s"
zone   = { a = { users = "40%" }, b = { users = "40%" }, c = { users = "20%" } }
link   = { "a b" = { latency = "10ms" }, "a c" = { latency = "30ms" }, "b c" = { latency = "30ms" } }
policy.client = { timeout = "400ms" }
workload.people = { do = "mix(40%=see(key=uniform(20)), 60%=pay(key=uniform(20)))", arrive = "poisson(100/s)", with = "client" }
fault.split = { at = "4s", for = "4s", do = "cut(a, from=[b, c])" }
always.one_truth = "linearizable(kv)"
[on.kv]
see = "x = read kv.balance[key]; read kv.seen[key]; write kv.seen[key] = x"
pay = "update kv.balance[key] -= 10 when >= 10 else fail declined"
"#;

#[test]
fn what_a_run_records_is_judged_as_the_run_judges_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut verdicts = Vec::new();
    for kv in [
        r#"db.kv = { at = "b", start = { balance = "each(60, keys=20)" } }"#,
        r#"db.kv = { at = ["a", "b", "c"], copy = "raft(election=uniform(150ms, 300ms))", start = { balance = "each(60, keys=20)" } }"#,
        r#"db.kv = { at = ["a", "b", "c"], copy = "async", failover = "after(1s)", start = { balance = "each(60, keys=20)" } }"#,
        r#"db.kv = { at = ["a", "b", "c"], copy = "quorum(r=2, w=2)", timeout = "1s", start = { balance = "each(60, keys=20)" } }"#,
    ] {
        let file = folder.path().join("recorded.toml");
        std::fs::write(&file, RECORDED.replace("policy.client", &format!("{kv}\npolicy.client")))
            .expect("written");
        let out = folder.path().join("out");
        let run = Command::new(env!("CARGO_BIN_EXE_splitbrain"))
            .args(["run", "--quiet", "--history", "--out"])
            .args([&out, &file])
            .output()
            .expect("it runs");
        let results = std::fs::read_to_string(out.join("results.json"))
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&run.stderr)));
        let results: serde_json::Value = serde_json::from_str(&results).expect("JSON");
        let outcome =
            results["cells"][0]["properties"]["one_truth"]["outcome"].as_str().expect("a word").to_owned();
        let status = match outcome.as_str() {
            "holds" => 0,
            "violated" => 1,
            _ => 3,
        };
        for name in ["history.jsonl", "history.edn"] {
            let output = judge(&["--model", "store"], &[out.join(name)]);
            assert_eq!(output.status.code(), Some(status), "{kv}: {outcome}, {name}: {}", stdout(&output));
            let operations = stdout(&output).split(" operations").next().map(str::len);
            assert!(operations > Some(0) && stdout(&output).contains("operations"), "{}", stdout(&output));
        }
        verdicts.push(outcome);
    }
    assert_eq!(verdicts, ["holds", "holds", "violated", "violated"]);
}
