//! Holds the architecture by reading its source: who may import whom, what the core may not touch, how
//! long a file and a function may be. Each rule is also shown a text that breaks it.

use std::path::{Path, PathBuf};

/// Each layer and the layers that it may import, from the ground up.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("engine", &["base"]),
    ("net", &["base"]),
    ("record", &["base"]),
    ("program", &["base"]),
    ("sim", &["base", "engine", "net", "record"]),
    ("components", &["base", "net", "program", "record", "sim"]),
    ("faults", &["base", "sim"]),
    ("check", &["base", "record"]),
    ("measures", &["base", "program", "record", "check"]),
    ("design", &["base", "net", "program", "sim", "components", "faults"]),
    (
        "experiment",
        &["base", "net", "program", "record", "sim", "components", "faults", "check", "measures", "design"],
    ),
    ("report", &["experiment"]),
    (
        "cli",
        &[
            "base",
            "check",
            "components",
            "design",
            "experiment",
            "faults",
            "measures",
            "net",
            "program",
            "record",
            "report",
        ],
    ),
];
/// The layers within `components`, and which of them each may import: parts know what they are made of and never each other.
const INSIDE: &[(&str, &[&str])] = &[
    ("mech", &[]),
    ("nobody", &[]),
    ("guard", &["mech"]),
    ("lock_client", &["mech"]),
    ("directory", &["mech", "guard", "lock_client"]),
    ("part", &["mech", "directory"]),
    ("storage", &["mech"]),
    ("replication", &["mech", "storage"]),
    ("runtime", &["mech", "guard", "lock_client", "directory", "part", "storage"]),
    ("client", &["mech", "directory"]),
    ("balancer", &["mech", "directory", "part"]),
    ("cache", &["mech", "guard", "directory", "part", "storage"]),
    ("db", &["mech", "directory", "part", "storage", "replication", "runtime"]),
    ("external", &["mech", "directory", "part"]),
    ("locks", &["mech", "nobody", "lock_client", "directory", "part", "storage"]),
    ("server", &["mech", "directory", "part", "runtime"]),
];
/// Of `experiment`, a report sees results and pictures alone.
const REPORT_SEES: &[&str] = &["crate::experiment::results", "crate::experiment::pictures"];
/// What the same core could not have in a browser, and what no two runs would agree on.
const OUTSIDE: &[&str] = &[
    "std::thread",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::time::Instant",
    "SystemTime",
    "println!",
    "eprintln!",
    "rayon",
    "HashMap<",
    "HashSet<",
    "std::io::std",
];
/// Maps for look-ups alone, whose hashes at least are the same on every machine.
const MAPS: &[&str] = &["FxHashMap<", "FxHashSet<"];
const LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// Left-overs.
const UNFINISHED: &[&str] =
    &["todo!(", "unimplemented!(", "dbg!(", "unsafe {", "#[ignore]", "#[allow(dead_code)]"];

/// A finding: where, and what to do.
fn finding(path: &str, line: usize, what: &str) -> String {
    format!("{path}:{line}: {what}")
}

fn layer_of(path: &str) -> &str {
    let inner = path.trim_start_matches("src/");
    inner.split(['/', '.']).next().unwrap_or("")
}

/// Everything before the tests at the end of a file.
fn tested(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

fn is_test(path: &str) -> bool {
    ["/tests.rs", "/tests/", "/script.rs", "/samples.rs", "/test_kinds.rs"]
        .iter()
        .any(|part| path.contains(part))
}

fn imports(path: &str, text: &str) -> Vec<String> {
    let layer = layer_of(path);
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else { return Vec::new() };
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let other = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
            let known = LAYERS.iter().any(|(name, _)| *name == other);
            // What a test ran may be judged by the checkers, which know nothing of what they judge.
            let judges = other == "check" && is_test(path);
            if known && other != layer && !allowed.contains(&other) && !judges {
                let what =
                    format!("`{layer}` may not import `{other}`: move the code, or what it needs, down");
                found.push(finding(path, number + 1, &what));
            }
            let inner = &line[at..];
            if layer == "report"
                && other == "experiment"
                && !REPORT_SEES.iter().any(|seen| inner.starts_with(seen))
            {
                found.push(finding(
                    path,
                    number + 1,
                    "a report knows results and pictures, not how they came about",
                ));
            }
        }
    }
    found
}

/// The same within `components`.
fn imports_of_parts(path: &str, text: &str) -> Vec<String> {
    let name =
        |rest: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned();
    let Some(part) = path.strip_prefix("src/components/").map(name) else { return Vec::new() };
    let Some((_, allowed)) = INSIDE.iter().find(|(layer, _)| *layer == part) else {
        let listed = part == "mod" || is_test(path);
        return if listed { Vec::new() } else { vec![finding(path, 1, "a layer that the list has not")] };
    };
    let mut found = Vec::new();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    for (number, line) in lines.filter(|_| !is_test(path)) {
        for (at, before) in line.match_indices("crate::components::") {
            let other = name(&line[at + before.len()..]);
            // scripts are for tests, at the end of a file
            if other != part && other != "script" && !allowed.contains(&other.as_str()) {
                let what = format!("`{part}` may not import `{other}`: what both need is a mechanism");
                found.push(finding(path, number + 1, &what));
            }
        }
    }
    found
}

/// The only place of the core where there may be threads, with the feature `cli`.
const THREADS: &str = "src/experiment/parallel.rs";

fn outside(path: &str, text: &str) -> Vec<String> {
    let above = ["report", "cli", "main"].contains(&layer_of(path));
    if above || path == THREADS || is_test(path) {
        return Vec::new();
    }
    let lines = tested(text).lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for (number, line) in lines {
        let line = MAPS.iter().fold(line.to_owned(), |line, map| line.replace(map, ""));
        for word in OUTSIDE.iter().filter(|word| line.contains(**word)) {
            let what =
                format!("`{word}` in the core: no files, threads, clocks, terminals or maps without order");
            found.push(finding(path, number + 1, &what));
        }
    }
    found
}

/// Where true time is what is simulated: what customers do, and how long cores take.
const TRUE_TIME: &[&str] =
    &["mech/arrivals.rs", "client.rs", "client/requests.rs", "mech/cores.rs", "mech/station.rs"];
/// What cores are told.
const CORES: &[&str] = &["station.submit(", "station.take(", ".set_cores("];
/// What a decision by a time looks like.
const DECISIONS: &[&str] = &[
    " < ",
    " > ",
    " <= ",
    " >= ",
    " == ",
    " != ",
    ".min(",
    ".max(",
    ".cmp(",
    "now + ",
    "now() + ",
    ".since(",
    ".filter(",
    ".wake(",
    ".set_timer(",
];

/// `Context::now` is true time and for records; a node decides by its clocks. Cores, other people's services and customers take true
/// time, which `wake_true` is for.
fn true_time(path: &str, text: &str) -> Vec<String> {
    let Some(inner) = path.strip_prefix("src/components/") else { return Vec::new() };
    if is_test(path) || TRUE_TIME.contains(&inner) {
        return Vec::new();
    }
    let physical = |code: &str| code.contains(".wake_true(") || CORES.iter().any(|told| code.contains(told));
    let mut found = Vec::new();
    for (number, line) in tested(text).lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        let decides = DECISIONS.iter().any(|decision| code.contains(decision));
        if words.into_iter().any(|word| word == "now") && decides && !physical(code) {
            let what = "decided by true time: a node has `monotonic()` and `wall()`";
            found.push(finding(path, number + 1, what));
        }
    }
    found
}

fn lengths(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > LINES_MAX {
        found.push(finding(path, lines.len(), &format!("{} lines: cut it in two", lines.len())));
    }
    if !text.starts_with("//!") && !text.starts_with("#!") {
        found.push(finding(path, 1, "say in one sentence what this file is for: `//! …`"));
    }
    let mut begun: Option<(usize, usize)> = None;
    let length = if is_test(path) { 0 } else { tested(text).lines().count() }; // a test may be a long table
    for (number, line) in lines[..length].iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start();
        let is_function =
            ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "const fn ", "pub const fn "]
                .iter()
                .any(|start| words.starts_with(start));
        if is_function && words.ends_with('{') || is_function && !words.ends_with(';') && begun.is_none() {
            begun = Some((number, indent));
        }
        if let Some((from, depth)) = begun
            && indent == depth
            && words.starts_with('}')
        {
            if number - from + 1 > FUNCTION_LINES_MAX {
                let what = format!("a function of {} lines: name its steps", number - from + 1);
                found.push(finding(path, from + 1, &what));
            }
            begun = None;
        }
    }
    found
}

fn unfinished(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
            found.push(finding(path, number + 1, &format!("`{word}` is left over")));
        }
    }
    found
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("it is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Every finding of a rule in `src`.
fn findings(rule: impl Fn(&str, &str) -> Vec<String>) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    sources(&root.join("src"), &mut paths);
    assert!(paths.len() > 100, "the house has more files than {}", paths.len());
    let mut found = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root).expect("below it").to_string_lossy().replace('\\', "/");
        found.extend(rule(&name, &std::fs::read_to_string(&path).expect("text")));
    }
    found.join("\n")
}

#[test]
fn rooms_import_only_what_they_may() {
    assert_eq!(imports("src/engine/x.rs", "use crate::sim::run::World;").len(), 1);
    assert_eq!(imports("src/report/x.rs", "use crate::experiment::load::load;").len(), 1);
    assert_eq!(imports("src/report/x.rs", "use crate::experiment::results::Results;"), Vec::<String>::new());
    assert_eq!(imports("src/components/x/tests.rs", "use crate::check::judge::one;"), Vec::<String>::new());
    assert_eq!(imports("src/components/x.rs", "use crate::check::judge::one;").len(), 1);
    assert_eq!(imports("src/sim/x.rs", "// crate::cli is not imported here"), Vec::<String>::new());
    let found = findings(imports);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn parts_do_not_know_each_other() {
    let imports = |path: &str, line: &str| imports_of_parts(path, line).len();
    assert_eq!(imports("src/components/cache/x.rs", "use crate::components::db::DB;"), 1);
    assert_eq!(imports("src/components/cache.rs", "use crate::components::mech::cores::Cores;"), 0);
    assert_eq!(imports("src/components/mech/x.rs", "use crate::components::storage::front;"), 1);
    assert_eq!(imports("src/components/scaler.rs", ""), 1, "it has a line in the list first");
    let found = findings(imports_of_parts);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn the_core_touches_nothing_of_the_world_outside() {
    assert_eq!(outside("src/sim/x.rs", "let now = std::time::Instant::now();").len(), 1);
    assert_eq!(outside("src/sim/x.rs", "use std::collections::HashMap;\nlet m: HashMap<u8, u8>;").len(), 1);
    assert_eq!(outside("src/cli/x.rs", "std::fs::read(path)"), Vec::<String>::new());
    let found = findings(outside);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn no_part_decides_by_true_time() {
    let decides =
        |line: &str| !true_time("src/components/x.rs", &format!("fn f() {{\n    {line}\n}}")).is_empty();
    assert!(decides("if ctx.now() - open.began > timeout {"));
    assert!(decides("self.due = ctx.now() + patience;"));
    assert!(decides("while self.held.front().is_some_and(|(until, _)| *until <= now) {"));
    assert!(decides("ctx.wake(due.since(now), Timer::Patience);"));
    assert!(decides("let left = (hold.began + client.patience).since(ctx.now());"));
    assert!(!decides("ctx.record().count(series, now, 1); // now < then"));
    assert!(!decides("let causes = Causes::only(Cause::Disk, ctx.now() - at);"));
    assert!(!decides("ctx.wake_true(at.since(ctx.now()), Timer::Cores);"));
    assert!(!decides("if ctx.monotonic() < self.vote_suppressed_until {"));
    let found = findings(true_time);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn files_and_functions_are_short_and_say_what_they_are_for() {
    let long = format!("//! x\nfn f() {{\n{}}}\n", "    g();\n".repeat(FUNCTION_LINES_MAX));
    assert_eq!(lengths("src/sim/x.rs", &long).len(), 1);
    assert_eq!(lengths("src/sim/x.rs", &"\n".repeat(LINES_MAX + 1)).len(), 2);
    assert_eq!(lengths("src/sim/x.rs", "//! x\nfn f() {\n}\n"), Vec::<String>::new());
    let found = findings(lengths);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn nothing_is_left_over() {
    assert_eq!(unfinished("src/sim/x.rs", "fn f() { todo!() }").len(), 1);
    let found = findings(unfinished);
    assert!(found.is_empty(), "\n{found}");
}
