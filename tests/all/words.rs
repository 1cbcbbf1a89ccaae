//! The code speaks the field's words: a reader who knows operating systems, queueing theory and Raft's thesis finds no private word for a thing
//! that has a name. Declared identifiers are looked at, not prose.

use std::path::{Path, PathBuf};

/// Words that were private ones for things with a name, and the name.
const PRIVATE: &[(&str, &str)] = &[
    ("alarm", "cancellable timer"),
    ("bury", "purge"),
    ("chooser", "key distribution"),
    ("circle", "cycle"),
    ("desk", "station, waiters or transaction manager"),
    ("errand", "pending call"),
    ("fate", "delivery or completion"),
    ("foreseen", "fixed schedule"),
    ("knob", "parameter"),
    ("law", "distribution"),
    ("ledger", "merge log"),
    ("loyal", "vote suppressed"),
    ("parcel", "segment"),
    ("reckon", "evaluate"),
    ("stem", "substream"),
    ("strand", "coroutine"),
    ("trouble", "impairment"),
    ("twin", "mutant"),
    ("untroubled", "unimpaired"),
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        match path.extension() {
            None => sources(&path, into),
            Some(ending) if ending == "rs" => into.push(path),
            Some(_) => {}
        }
    }
}

/// What a file declares: types, traits, functions, modules, constants, fields and variants.
fn declared(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let words: Vec<&str> = line
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            if ["struct", "enum", "trait", "fn", "mod", "const", "static", "type"].contains(&pair[0]) {
                names.push(pair[1].to_owned());
            }
        }
        // a field `name: Type,` or a variant on a line of its own
        let line = line.trim();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("pub(super) ").unwrap_or(line);
        let name: String = line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let rest = &line[name.len()..];
        let declares = rest.starts_with(": ") && line.ends_with(',') || rest == "," || rest.ends_with(" {");
        let keyword = ["fn", "impl", "if", "match", "for", "while", "loop", "else", "let", "async"]
            .contains(&name.as_str());
        if !name.is_empty() && declares && !keyword {
            names.push(name);
        }
    }
    names
}

/// The words of an identifier, in lower case and singular.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        if c == '_' || c.is_ascii_uppercase() && !before.is_ascii_uppercase() {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().expect("there is one").push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.iter().map(|word| word.strip_suffix('s').unwrap_or(word).to_owned()).collect()
}

fn private(name: &str) -> Option<(&'static str, &'static str)> {
    let words = words(name);
    PRIVATE.iter().find(|(old, _)| words.iter().any(|word| word == old)).copied()
}

#[test]
fn what_is_declared_has_the_words_of_the_field() {
    assert_eq!(words("StrandIds"), ["", "strand", "id"]);
    assert_eq!(private("KnobsOf").map(|(old, _)| old), Some("knob"));
    assert_eq!(private("dead_alarms").map(|(old, _)| old), Some("alarm"));
    assert_eq!(private("system_design"), None, "a part of a word is none");
    assert_eq!(declared("pub(super) errand: u8,\n// fn desk\nfn go(x: u8) {"), ["errand", "go"]);
    let mut files = Vec::new();
    for folder in ["src", "examples", "benches"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    assert!(files.len() > 200);
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable");
        for name in declared(&text) {
            if let Some((old, new)) = private(&name) {
                found.push(format!("{}: `{name}`: {old} is {new}", file.display()));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    assert!(found.is_empty(), "{found:#?}");
}
