//! Bad designs beside the whole message that each must give, good ones that must give none, hostile ones that must
//! neither panic nor hang. `UPDATE=1 cargo test --test all designs` writes the expected messages anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use splitbrain::base::problem::Problems;
use splitbrain::components::Kinds;
use splitbrain::design::codes::explain;
use splitbrain::design::file::{self, Data, ReadError, Reader};
use splitbrain::design::limits::FILE_BYTES_MAX;
use splitbrain::design::render::{render, render_warnings};
use splitbrain::design::resolve::{Tables, resolve};
use splitbrain::design::source::Sources;

use crate::support::Files;
use splitbrain::experiment::{Overrides, load};

/// Files under a folder.
struct Disk(PathBuf);

impl Reader for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let path = self.0.join(path);
        let metadata = std::fs::metadata(&path).map_err(|_| ReadError::Missing)?;
        if metadata.is_dir() {
            return Err(ReadError::Directory);
        }
        if metadata.len() > FILE_BYTES_MAX {
            return Err(ReadError::TooLarge(metadata.len()));
        }
        std::fs::read(&path).map_err(|error| ReadError::Other(error.to_string()))
    }
}

/// All problems of a file, and the texts they are in.
fn problems_of(reader: &dyn Reader, path: &str) -> (Sources, Problems) {
    match file::load(reader, path) {
        Err(failed) => failed,
        // as `splitbrain validate` does: what has a length is an experiment
        Ok(loaded) if loaded.tree.get("length").is_some() => {
            match load(reader, path, &Overrides::default()) {
                Ok(experiment) => (experiment.sources, Problems::default()),
                Err(failed) => failed,
            }
        }
        Ok(loaded) => {
            let mut problems = Problems::default();
            let design = resolve(
                &loaded.tree,
                &Tables::of(&Kinds::builtin()),
                Data { reader, sources: &loaded.sources },
                &mut problems,
            );
            assert_eq!(design.is_some(), problems.is_empty(), "a design, or problems");
            // A design that is in order may still be part of an experiment that is not: its faults, for one.
            let whole = || load(reader, path, &Overrides::default()).err();
            let asks = |kind: &str| loaded.tree.entry(kind).is_some();
            match whole().filter(|_| problems.is_empty() && asks("workload") && asks("length")) {
                Some(failure) => failure,
                None => (loaded.sources, problems),
            }
        }
    }
}

fn shown(reader: &dyn Reader, path: &str) -> String {
    let (sources, problems) = problems_of(reader, path);
    render(&sources, &problems, false)
}

fn toml_files(folder: &str) -> (Disk, Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"))
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort_unstable();
    (Disk(folder), names)
}

#[test]
fn every_bad_design_gives_its_expected_message() {
    let (disk, names) = toml_files("tests/designs/bad");
    assert!(names.len() >= 40, "{} bad designs", names.len());
    let mut failures = Vec::new();
    for name in names {
        let shown = shown(&disk, &name);
        assert!(!shown.is_empty(), "{name} is not bad at all");
        let expected_path = disk.0.join(&name).with_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected_path, &shown).expect("writable");
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        for (code, _) in shown.split("error[").skip(1).filter_map(|rest| rest.split_once(']')) {
            assert!(explain(code).is_some(), "{code} of {name} is documented");
        }
        if shown != expected {
            failures.push(format!("--- {name}\n{shown}--- expected\n{expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is unwise is carried out: it is told, and nothing else.
#[test]
fn every_unwise_experiment_gives_its_expected_warnings() {
    let (disk, names) = toml_files("tests/designs/unwise");
    let mut warned = std::collections::BTreeSet::new();
    for name in names {
        let experiment = load(&disk, &name, &Overrides::default())
            .unwrap_or_else(|(sources, problems)| panic!("{}", render(&sources, &problems, false)));
        let shown = render_warnings(&experiment.sources, &experiment.warnings, false);
        warned.extend(experiment.warnings.iter().map(|warning| warning.code));
        let expected_path = disk.0.join(&name).with_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected_path, &shown).expect("writable");
        }
        assert_eq!(shown, std::fs::read_to_string(&expected_path).unwrap_or_default(), "{name}");
    }
    let known = splitbrain::design::codes::CODES.iter().filter(|code| code.is_warning());
    let untested: Vec<&str> = known.map(|code| code.code).filter(|code| !warned.contains(code)).collect();
    assert_eq!(untested, Vec::<&str>::new(), "warnings that no experiment shows");
}

#[test]
fn good_designs_give_no_message() {
    let (disk, names) = toml_files("tests/designs/good");
    assert!(!names.is_empty());
    for name in names {
        let shown = shown(&disk, &name);
        assert!(shown.is_empty(), "{name}:\n{shown}");
    }
}

/// A variant that copies in another way leaves over what was said for the way before; what it says itself must apply.
#[test]
fn what_a_variant_leaves_over_is_no_mistake() {
    let base = "length = \"1s\"\ndb.kv = { copies = 3, copy = \"async\", failover = \"after(5s)\", merge = \"counter\" }\n";
    let load = |variant: &str| {
        let text = format!("{base}variant.v = {{ {variant} }}\n");
        let files = Files(BTreeMap::from([("tests/v.toml".to_owned(), text)]));
        splitbrain::experiment::load(&files, "tests/v.toml", &splitbrain::experiment::Overrides::default())
            .map_err(|(_, problems)| problems.0.iter().map(|problem| problem.code).collect::<Vec<_>>())
            .map(|_| ())
    };
    assert_eq!(load("db.kv.copy = \"raft\""), Ok(()));
    assert_eq!(load("db.kv.copy = \"quorum(r=2, w=2)\""), Ok(()));
    assert_eq!(load("db.kv.copy = \"raft\", db.kv.failover = \"after(1s)\""), Err(vec!["SB0123"]));
    assert_eq!(load("db.kv.merge = \"siblings\""), Err(vec!["SB0123"]));
}

#[test]
fn hostile_files_are_refused_with_one_sentence() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("writable");
    // 100 MB without writing them: the reader must look at the length, not at the bytes.
    let huge = std::fs::File::create(folder.path().join("huge.toml")).expect("writable");
    huge.set_len(100_000_000).expect("sparse");
    write("nul.toml", b"title = \"a\0b\"\n");
    write("utf8.toml", b"title = \"caf\xe9\"\n");
    write("utf16.toml", b"\xff\xfet\0i\0t\0l\0e\0");
    write("deep_list.toml", format!("x = {}1{}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes());
    write("deep_key.toml", format!("{} = 1", vec!["a"; 200_000].join(".")).as_bytes());
    write("deep_table.toml", format!("cache = {}1{}", "{ a = ".repeat(40), "}".repeat(40)).as_bytes());
    write("many.toml", (0..100_000).map(|n| format!("k{n}=1\n")).collect::<String>().as_bytes());
    write("long_name.toml", format!("{} = 1", "n".repeat(1_000_000)).as_bytes());
    write(
        "deep_form.toml",
        format!("net.latency = \"{}1ms{}\"", "mix(1%=".repeat(50_000), ")".repeat(50_000)).as_bytes(),
    );
    std::fs::create_dir(folder.path().join("folder.toml")).expect("writable");
    write("uses_folder.toml", b"use = [\"folder.toml\", \"absent.toml\", \"huge.toml\"]\n");
    let disk = Disk(folder.path().to_owned());
    for (name, codes) in [
        ("huge.toml", &["SB0003"][..]),
        ("nul.toml", &["SB0004"]),
        ("utf8.toml", &["SB0005"]),
        ("utf16.toml", &["SB0005"]),
        ("deep_list.toml", &["SB0007"]),
        ("deep_key.toml", &["SB0007"]),
        ("deep_table.toml", &["SB0007"]),
        ("many.toml", &["SB0401"]),
        ("long_name.toml", &["SB0101"]),
        ("deep_form.toml", &["SB0115"]),
        ("folder.toml", &["SB0002"]),
        ("absent.toml", &["SB0001"]),
        ("uses_folder.toml", &["SB0001", "SB0002", "SB0003"]),
    ] {
        let shown = shown(&disk, name);
        for code in codes {
            assert!(shown.contains(&format!("error[{code}]")), "{name}: {code} is missing in\n{shown}");
        }
        assert_eq!(shown.matches("error[").count(), codes.len(), "{name}:\n{shown}");
        assert!(shown.len() < 4_000, "{name} says too much");
    }
}

#[test]
fn the_schema_accepts_what_the_loader_accepts_and_rejects_slips() {
    let schema = splitbrain::cli::schema::schema(&Tables::of(&Kinds::builtin()));
    let validator = jsonschema::draft202012::new(&schema).expect("a valid schema");
    let instance = |text: &str| {
        let value: toml::Value = toml::from_str(text).expect("valid TOML");
        serde_json::to_value(value).expect("JSON can say it")
    };
    let (disk, names) = toml_files("tests/designs/good");
    for name in names {
        let text = std::fs::read_to_string(disk.0.join(&name)).expect("text");
        let errors: Vec<String> = validator
            .iter_errors(&instance(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    for slip in [
        "server.app = { cuont = 2 }",
        "server.app = { count = 0 }",
        "cache.pages = { ttl = 60 }",
        "cache.pages = { evict = \"rlu\" }",
        "cache.pages = { guard = \"mutxe\" }",
        "workload.w = { do = \"page\" }",
        "expect.a.b = \"violatd\"",
        "cahce.pages = {}",
    ] {
        assert!(!validator.is_valid(&instance(slip)), "{slip}");
    }
}

/// Every problem's place lies within its file, and showing it does not panic.
fn holds_up(text: &[u8]) {
    let files = BTreeMap::from([
        ("a.toml".to_owned(), text.to_vec()),
        ("b.toml".to_owned(), b"title = \"b\"".to_vec()),
    ]);
    let (sources, problems) = problems_of(&files, "a.toml");
    for problem in &problems.0 {
        if let Some(place) = &problem.place {
            assert!(place.bytes.start <= place.bytes.end, "{problem:?}");
            assert!(place.bytes.end <= sources.text(place.file).len(), "{problem:?}");
        }
    }
    let shown = render(&sources, &problems, false);
    assert_eq!(shown.is_empty(), problems.is_empty());
}

const SEED_DESIGN: &str = include_str!("../designs/good/flash_sale.toml");

proptest! {
    // A few seconds in a debug build: enough to hold the promise, short enough for every commit.
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        holds_up(&bytes);
    }

    #[test]
    fn random_words_of_the_language_never_panic(words in proptest::collection::vec(prop_oneof![
        Just("cache"), Just("."), Just("pages"), Just(" = "), Just("{"), Just("}"), Just("\n"), Just("\""), Just("guard"), Just("mutex(ttl=3s"),
        Just(")"), Just("["), Just("]"), Just("on.app"), Just("variant.x"), Just("sweep"), Just("8"), Just("20ms"), Just(","), Just("use"), Just("b.toml"),
        Just("server"), Just("\"\"\""), Just("\\"), Just("ü"), Just("expect"), Just("workload.w"), Just("do"), Just("link.\"a b\""), Just("fault"),
    ], 0..60)) {
        holds_up(words.concat().as_bytes());
    }

    #[test]
    fn mutated_designs_never_panic(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0..12usize, prop_oneof![
            Just(""), Just("="), Just("\""), Just("{"), Just("}"), Just("("), Just(")"), Just("ü"), Just("-1"), Just("99999999999999999999"), Just(" "), Just("\n"), Just("%"), Just(".."), Just("\u{0}"),
        ]), 1..6),
    ) {
        let mut text = SEED_DESIGN.as_bytes().to_vec();
        for (at, length, replacement) in cuts {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, replacement.bytes());
        }
        holds_up(&text);
    }
}
