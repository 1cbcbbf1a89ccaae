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
