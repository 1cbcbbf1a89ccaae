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
    match file.file_stem().and_then(|substream| substream.to_str()).expect("it has a name") {
        "register" => "cas-register",
        other => other,
    }
}

#[test]
fn good_histories_are_accepted_and_their_bad_counterparts_rejected() {
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
    let output = judge(&["--model", "mutex", "--nodes", "1"], &[here("tests/histories/bad/mutex.log")]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    let kv = here("tests/histories/bad/kv.jsonl");
    let output = judge(&["--model", "kv", "--nodes", "1"], std::slice::from_ref(&kv));
    assert_eq!(
        output.status.code(),
        Some(1),
        "it takes no search to see that nobody wrote it: {}",
        stdout(&output)
    );
    let output = judge(&["--model", "mutex"], &[kv]);
    assert_eq!(output.status.code(), Some(2), "a mutex has no values: {}", stdout(&output));
    let output = judge(&["--model", "kv"], &[here("tests/histories/none"), here("README.md"), here("src")]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("tests/histories/none") && told.contains("src is a directory"), "{told}");
}

/// Jepsen's 102 logs of etcd with their outcomes (`etcd/EXPECTED.tsv`), and histories of a compare-and-set register, in a folder that HISTORIES
/// names: `HISTORIES=folder cargo test --test all -- --ignored recorded_histories`.
#[test]
#[ignore = "needs recorded histories in HISTORIES"]
fn recorded_histories_are_judged_as_expected() {
    let data = PathBuf::from(std::env::var_os("HISTORIES").expect("HISTORIES names the folder"));
    let expected = std::fs::read_to_string(data.join("etcd/EXPECTED.tsv")).expect("the outcomes");
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

fn record(arguments: &[&str], file: &Path, out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
    command.args(["run", "--quiet", "--out"]).args([out, file]).args(arguments).output().expect("it runs")
}

#[test]
fn a_part_of_a_run_is_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, out) = (folder.path().join("recorded.toml"), folder.path().join("out"));
    let kv = r#"db.kv = { at = "b", start = { balance = "each(60, keys=20)" } }"#;
    std::fs::write(&file, RECORDED.replace("policy.client", &format!("{kv}\npolicy.client")))
        .expect("written");
    let recorded = |arguments: &[&str]| {
        let output = record(arguments, &file, &out);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(out.join("history.jsonl")).expect("it was written");
        let (faults, rest): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.contains("\"process\":\"nemesis\""));
        let told = |what: &str, at_s: u64| {
            let (name, time) = (format!("\"f\":\"{what}-split\""), format!("\"time\":{at_s}000000000}}"));
            move |line: &str| line.contains(&name) && line.contains(&time)
        };
        assert!(told("start", 4)(faults[0]) && told("stop", 8)(faults[1]) && faults.len() == 2, "{faults:?}");
        rest.into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let whole = recorded(&["--history", "--history-plain"]);
    let balance = recorded(&["--history", "--history-plain", "--history-table", "kv.balance"]);
    let seen = recorded(&["--history", "--history-plain", "--history-table", "kv.seen"]);
    assert_eq!(whole.len(), balance.len() + seen.len());
    assert!(balance.iter().all(|line| line.contains("\"key\":\"kv.balance[")));
    let row = recorded(&["--history", "--history-plain", "--history-table", "kv.balance[7]"]);
    assert!(!row.is_empty() && row.iter().all(|line| line.contains("\"kv.balance[7]\"")));
    let output = judge(&["--model", "store"], std::slice::from_ref(&out));
    assert_eq!(output.status.code(), Some(0), "each row can be judged for itself: {}", stdout(&output));
    let pay =
        recorded(&["--history", "--history-plain", "--history-program", "pay", "--history-window", "4s..6s"]);
    assert!(pay.len() > 10 && pay.iter().skip(1).all(|line| line.contains("\"program\":\"pay\"")));
    let output = judge(&["--model", "store"], std::slice::from_ref(&out));
    assert_eq!(output.status.code(), Some(3), "who wrote what is read may be missing: {}", stdout(&output));
    assert!(stdout(&output).contains("part of a history (program pay"), "{}", stdout(&output));
    for (wrong, help) in [
        (["--history", "--history-table", "kv.balances"], "did you mean `kv.balance`"),
        (["--history", "--history-program", "paying"], "help:"),
        (["--history", "--history-window", "6s..4s"], "20s..40s"),
    ] {
        let output = record(&wrong, &file, &out);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(help), "{told}");
    }
}

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
        let run = record(&["--history"], &file, &out);
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
        let output = judge(&["--model", "store"], &[out.join("history.jsonl.gz")]);
        assert_eq!(output.status.code(), Some(status), "{kv}: {outcome}: {}", stdout(&output));
        let told = stdout(&output).split(" operations").next().map(str::to_owned);
        // The same in EDN, not compressed, as a folder.
        let edn = folder.path().join("edn");
        record(&["--history", "--history-format", "edn", "--history-plain"], &file, &edn);
        assert!(edn.join("history.edn").is_file());
        let output = judge(&["--model", "store"], std::slice::from_ref(&edn));
        assert_eq!(output.status.code(), Some(status), "{kv}: {outcome}: {}", stdout(&output));
        let count = |told: &str| told.rsplit('(').next().map(str::to_owned);
        let told_of_edn = stdout(&output).split(" operations").next().map(str::to_owned);
        assert_eq!(told_of_edn.as_deref().and_then(count), told.as_deref().and_then(count));
        verdicts.push(outcome);
    }
    assert_eq!(verdicts, ["holds", "holds", "violated", "violated"]);
}

/// Writes a history and judges it.
fn judged(name: &str, text: impl AsRef<[u8]>, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(name);
    std::fs::write(&file, text).expect("written");
    let output = judge(arguments, &[file]);
    (output.status.code(), stdout(&output) + &String::from_utf8_lossy(&output.stderr))
}

const IMPOSSIBLE: &str = "{:process \"b\", :type :invoke, :f :read, :value nil}\n{:process \"b\", :type :ok, :f :read, :value 7}\n";

#[test]
fn nothing_of_a_history_vanishes() {
    let register = ["--model", "register"];
    for process in ["\"client-a\"", ":a", "1.5", "0"] {
        let (status, told) = judged("a.edn", IMPOSSIBLE.replace("\"b\"", process), &register);
        assert_eq!(status, Some(1), "{process}: {told}");
        assert!(told.contains("(1 operations)"), "{told}");
    }
    let (status, told) = judged("a.edn", format!("\u{feff}{IMPOSSIBLE}"), &register);
    assert_eq!(status, Some(1), "a mark: {told}");
    for (text, place) in [
        (format!("[{IMPOSSIBLE}]\n[{IMPOSSIBLE}]"), ":4:"),
        (format!("[{IMPOSSIBLE}]\nthis is {{ not edn ]"), ":4:"),
        (format!("[{IMPOSSIBLE})"), ":3:"),
        ("Dear reader,\nthis is no history at all.".to_owned(), ":1:"),
        ("INFO  jepsen.util - 0 :invoke :read nil\nINFO  jepsen.util - 0 :ok :read 7\n".to_owned(), ":1:"),
        (IMPOSSIBLE.replace(":ok, :f :read", ":ok, :f :write"), ":2:"),
    ] {
        let (status, told) = judged("a.txt", &text, &register);
        assert_eq!(status, Some(2), "{text}: {told}");
        assert!(told.contains(place) && told.contains("\nhelp: "), "{told}");
    }
}

#[test]
fn no_operation_is_no_verdict_unless_that_is_said() {
    for (text, status) in [("", 3), (" \n", 3), ("; nothing\n", 3), ("[]", 0), ("[ ]\n", 0), ("()", 0)] {
        let (seen, told) = judged("a.edn", text, &["--model", "register"]);
        assert_eq!(seen, Some(status), "{text:?}: {told}");
        let (seen, told) = judged("a.edn", text, &["--model", "register", "--allow-empty"]);
        assert_eq!(seen, Some(0), "{text:?}: {told}");
    }
    let chatter = "INFO  jepsen.core - Hello\n";
    assert_eq!(judged("a.log", chatter, &["--model", "register"]).0, Some(3));
    let nemesis = "{:process :nemesis :type :info :f :kill}\n";
    let (status, told) = judged("a.edn", nemesis, &["--model", "register"]);
    assert_eq!(
        (status, told.contains("(0 operations; passed: 1 of the nemesis)")),
        (Some(0), true),
        "{told}"
    );
}

#[test]
fn several_files_are_judged_line_by_line_and_summed_up() {
    let files = [here("tests/histories/good/register.edn"), here("tests/histories/bad/register.edn")];
    let output = judge(&["--model", "cas-register"], &files);
    assert_eq!(output.status.code(), Some(1));
    let told = stdout(&output);
    assert_eq!(told.lines().count(), 3, "{told}");
    assert!(told.ends_with("\n2 files: 1 linearizable, 1 not linearizable\n"), "{told}");
    let output = judge(&[], &[files[1].clone(), here("tests/histories/none")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).ends_with("2 files: 1 not linearizable, 1 not read\n"), "{}", stdout(&output));
    assert!(stdout(&output).contains("; taken for register)"), "{}", stdout(&output));
}

#[test]
fn histories_come_compressed_in_folders_and_by_standard_input() {
    use std::io::Write;
    let folder = tempfile::tempdir().expect("a folder");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(IMPOSSIBLE.as_bytes()).expect("into memory");
    std::fs::write(folder.path().join("history.edn.gz"), packed.finish().expect("into memory"))
        .expect("written");
    let output = judge(&["--model", "register"], &[folder.path().to_owned()]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let zstd =
        ruzstd::encoding::compress_to_vec(IMPOSSIBLE.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    assert_eq!(judged("a.zst", zstd, &["--model", "register"]).0, Some(1));
    // A store of Jepsen's that has its block file alone.
    let store = tempfile::tempdir().expect("a folder");
    std::fs::write(store.path().join("test.jepsen"), "JEPSEN").expect("written");
    let output = judge(&["--model", "register"], &[store.path().to_owned()]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("jepsen.store/write-history!"), "{told}");
    // And named itself, with a name that a shell would take apart.
    let blocks = store.path().join("a $\"b\".jepsen");
    std::fs::write(&blocks, "JEPSEN\0\0\0\u{1}").expect("written");
    let output = judge(&[], &[blocks]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains(r#"(jepsen.store/load-jepsen-file \"/"#), "{told}");
    assert!(told.contains(r#"a \$\\\"b\\\".jepsen\"))""#), "{told}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_splitbrain"))
        .args(["history", "--model", "register", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("a pipe").write_all(IMPOSSIBLE.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), stdout(&output).starts_with("-: not linearizable")), (Some(1), true));
}

#[test]
fn a_small_file_that_becomes_large_ends_in_an_error() {
    use std::io::Write;
    // Three gigabytes of blanks, in pieces.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b' '; 64 << 20];
    packed.write_all(&blanks).expect("into memory");
    let packed = packed.finish().expect("into memory");
    let (status, told) = judged("a.gz", packed.repeat(48), &["--model", "register"]);
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("at most 2048 MiB"), "{told}");
}

#[test]
fn a_witness_is_also_a_sequence_diagram_and_a_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let nemesis = "{:process :nemesis :type :info :f :kill}\n";
    let text = format!("{nemesis}{IMPOSSIBLE}");
    for (name, what) in [
        ("w.svg", "\nkill\n"),
        ("w.mmd", "sequenceDiagram\n  participant P0 as process b\n"),
        ("w.itf.json", "\"vars\": ["),
    ] {
        let path = folder.path().join(name);
        let (status, told) = judged("a.edn", &text, &["--diagram", path.to_str().expect("text")]);
        assert_eq!(status, Some(1), "{told}");
        let written = std::fs::read_to_string(&path).expect("it was written");
        assert!(written.contains(what) && written.contains("read 7"), "{written}");
    }
    // Of several objects too.
    let path = folder.path().join("skew.mmd");
    let output =
        judge(&["--diagram", path.to_str().expect("text")], &[here("tests/histories/bad/list-append.edn")]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let written = std::fs::read_to_string(&path).expect("it was written");
    assert!(written.contains("txn [[:append :x 1] [:r :y []]] (!)"), "{written}");
}
