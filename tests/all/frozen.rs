//! What users have written down somewhere: words of the TOML, options of the command line, columns and keys of results. Names in the code may
//! change; these may only become more. What keys a random stream or a fingerprint is held by the golden results.
//! `UPDATE=1 cargo test --test all frozen` writes the list anew; a line that goes breaks somebody's files.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::support::Folder;

/// A run with a part, a fault, a sweep, a property, a theory and a plot, so that every table and key of results is there.
const ONE_OF_EACH: &str = r#"
length = "4s"
warmup = "1s"
runs = 2
measures = ["mean(page)", "app.served"]
net = { latency = "1ms" }
server.app = { cores = 1 }
workload.people = { do = "page()", arrive = "even(20/s)" }
fault.slow = { at = "2s", for = "1s", do = "pause(app)" }
sweep = { server.app.cores = [1, 2] }
variant.a = {}
variant.b = { net.latency = "2ms" }
slo.fast = "p99(page) < 10s"
theory.rate = { of = "mean(page)", is = "500ms", within = "20%", source = "nobody" }
[on.app]
page = "cpu exp(1ms)"
"#;

fn said(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_splitbrain")).args(words).output().expect("it runs");
    String::from_utf8(output.stdout).expect("text")
}

/// The names of properties and of words that a schema lists, wherever they stand.
fn of_schema(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(table) => {
            if let Some(Value::Object(properties)) = table.get("properties") {
                found.extend(properties.keys().map(|name| format!("toml {name}")));
            }
            if let Some(Value::Array(words)) = table.get("enum") {
                found.extend(words.iter().filter_map(Value::as_str).map(|word| format!("toml \"{word}\"")));
            }
            table.values().for_each(|inner| of_schema(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| of_schema(inner, found)),
        _ => {}
    }
}

/// Keys of results by path; what stands for a name of the file is `*`.
fn of_results(results: &Value, path: &str, found: &mut BTreeSet<String>) {
    const BY_NAME: [&str; 9] = [
        ".measures",
        ".properties",
        ".parts",
        ".point",
        ".utilisation",
        ".waiting",
        ".defaults",
        ".causes",
        ".failures",
    ];
    match results {
        Value::Object(table) => {
            for (key, inner) in table {
                let key = if BY_NAME.iter().any(|named| path.ends_with(named)) { "*" } else { key };
                found.insert(format!("results {path}.{key}"));
                of_results(inner, &format!("{path}.{key}"), found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| of_results(inner, path, found)),
        _ => {}
    }
}

/// The options in a help text.
fn of_help(command: &str, found: &mut BTreeSet<String>) {
    let help = said(&[command, "--help"]);
    let options = help.split_whitespace().filter(|word| word.starts_with("--"));
    let name = |word: &str| {
        let end = word[2..].find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        word[..end.map_or(word.len(), |end| end + 2)].to_owned()
    };
    found.extend(
        options.map(name).filter(|option| option.len() > 2).map(|option| format!("cli {command} {option}")),
    );
}

/// What the tables of the reference name in their first two columns: measures, steps, distributions, faults, series, codes, and the names of
/// arguments.
fn of_reference(found: &mut BTreeSet<String>) {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/language.md"));
    for row in text.expect("the reference").lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = row.split_once('`').map_or(row, |(name, _)| name);
        let called = name.split('(').next().unwrap_or(name);
        found.insert(format!("reference {called}"));
        let second = row.split(" | ").nth(1).unwrap_or_default();
        for code in [name].into_iter().chain(second.split('`').skip(1).step_by(2)) {
            let before_equals = code.match_indices('=').map(|(at, _)| &code[..at]);
            let argument = |text: &str| {
                text.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("").to_owned()
            };
            let alone = code.chars().all(|c| c.is_ascii_lowercase() || c == '_').then(|| code.to_owned());
            let arguments = before_equals.map(argument).chain(alone).filter(|name| !name.is_empty());
            found.extend(arguments.map(|name| format!("reference {called}: {name}")));
        }
    }
}

#[test]
fn words_that_users_have_written_down_stay() {
    let mut found = BTreeSet::new();
    of_schema(&serde_json::from_str(&said(&["schema"])).expect("JSON"), &mut found);
    for command in ["list", "new", "validate", "explain", "run", "history", "schema", "completions"] {
        of_help(command, &mut found);
    }
    of_reference(&mut found);
    let folder = Folder::with("one.toml", ONE_OF_EACH);
    folder.run(&["run", "one.toml", "--quiet", "--out", "out"]);
    let results = std::fs::read_to_string(folder.path("out/results.json")).expect("results.json");
    of_results(&serde_json::from_str(&results).expect("JSON"), "", &mut found);
    let runs = std::fs::read_to_string(folder.path("out/runs.csv")).expect("runs.csv");
    found.insert(format!("runs.csv {}", runs.lines().next().unwrap_or_default()));

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/words.txt");
    let text: String = found.iter().map(|line| format!("{line}\n")).collect();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &text).expect("writable");
    }
    let known = std::fs::read_to_string(file).unwrap_or_default();
    let gone: Vec<&str> = known.lines().filter(|line| !found.contains(*line)).collect();
    assert!(gone.is_empty(), "files and scripts that use these no longer work: {gone:#?}");
    assert!(known == text, "there is more than tests/golden/words.txt says: write it anew");
}
