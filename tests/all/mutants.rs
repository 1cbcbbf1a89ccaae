//! Protocols with one rule broken, in designs: caught where the sound ones hold, and known to tests alone.

use splitbrain::cli::reference::reference;
use splitbrain::components::Kinds;
use splitbrain::components::mech::mutant::Mutant;
use splitbrain::design::file::Reader;
use splitbrain::design::render::render;
use splitbrain::experiment::{Overrides, load};

use crate::support::{Files, experiment, run};

/// What becomes of a property of a design whose store breaks that rule, or none.
fn judged(mutant: &str, store: &str, rest: &str) -> String {
    let broken = if mutant.is_empty() { String::new() } else { format!(r#", mutant = "{mutant}""#) };
    let text = format!(
        r#"
length = "40s"
warmup = "0s"
runs   = 3
net    = {{ latency = "1ms" }}
server.app = {{}}
db.kv  = {{ {store}, read = "0ms", write = "0ms"{broken} }}
policy.p = {{ timeout = "500ms" }}
{rest}
"#
    );
    let overrides = Overrides { kinds: Kinds::with_mutants(), ..Overrides::default() };
    let results = run(&experiment("tests/mutants.toml", &text, &overrides), 1);
    results.cells[0].properties["kept"].outcome.clone()
}

#[test]
fn a_design_of_tests_names_a_mutant_and_the_checkers_catch_it() {
    let crash = r#"
workload.notes = { do = "note(item=sequence(1000000))", arrive = "poisson(200/s)", with = "p" }
fault.crash = { at = "20s", for = "1s", do = "crash(kv[0], mode=machine)" }
always.kept = "lost(note) == 0"
on.app.note = "write kv.notes[item] = 1"
"#;
    let cut = r#"
zone = { a = { users = "50%" }, b = { users = "50%" } }
workload.notes = { do = "note(item=uniform(20))", arrive = "poisson(50/s)", with = "p", to = "20s" }
fault.cut = { at = "5s", for = "5s", do = "cut(a, from=b)" }
always.kept = "diverged(kv, before=20s, at=39s) == 0"
on.app.note = "update kv.notes[item] += 1"
"#;
    let sums = r#"
workload.sums = { do = "twice(item=uniform(2))", arrive = "poisson(100/s)", with = "p" }
always.kept = "snapshot(kv)"
on.app.twice = """
tx kv {
  n = read kv.sums[item]
  wait 20ms
  write kv.sums[item] = n + 1
}"""
"#;
    let table = [
        ("acks_early", r#"disk = "50ms""#, crash),
        ("never_again", r#"at = ["a", "b"], copy = "multi_leader", merge = "counter""#, cut),
        ("lets_last_win", r#"isolation = "snapshot""#, sums),
    ];
    for (mutant, store, rest) in table {
        assert_eq!(judged("", store, rest), "holds", "without {mutant}");
        assert_eq!(judged(mutant, store, rest), "violated", "{mutant}");
    }
}

#[test]
fn only_tests_know_of_mutants() {
    let text = "length = \"1s\"\ndb.kv = { mutant = \"acks_early\" }\n";
    let files = Files([("mutants.toml".to_owned(), text.to_owned())].into());
    let refused = load(&files as &dyn Reader, "mutants.toml", &Overrides::default());
    let Err((sources, problems)) = refused else { panic!("it is no parameter of a db") };
    let shown = render(&sources, &problems, false);
    assert!(shown.contains("mutant"), "{shown}");
    assert!(!reference().contains("mutant"), "no table of parameters shows it");
    assert_eq!(Mutant::ALL.len(), Mutant::WORDS.len());
    assert!(Mutant::ALL.iter().all(|(mutant, word, ..)| Mutant::of(word) == *mutant));
}
