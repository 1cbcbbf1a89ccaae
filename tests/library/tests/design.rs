//! A part of one's own in a design: parameters, workloads, faults, measures, histories and checkers are as of any other.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use own_parts::memory::Memory;
use splitbrain::experiments::{Overrides, Results, execute, load, render};
use splitbrain::parts::Kinds;

const DESIGN: &str = r#"
length = "20s"
warmup = "0s"
runs = 3
net = { latency = "1ms" }
server.app = {}
memory.kv = { serve = "2ms" }
workload.people = { do = "mix(50%=keep(item=uniform(5)), 50%=look(item=uniform(5)))", arrive = "poisson(50/s)" }
measures = ["kv.served", "p50(look)", "success(look)"]
always.linearizable = "linearizable(kv.rows)"
variant.calm = {}
variant.crash = { fault.crash = { at = "10s", for = "100ms", do = "crash(kv)" } }
[on.app]
keep = "write kv.rows[item] = 1"
look = "read kv.rows[item]"
"#;

fn loaded(text: &str, kinds: Kinds) -> Result<Results, String> {
    let files = BTreeMap::from([("own.toml".to_owned(), text.as_bytes().to_vec())]);
    let overrides = Overrides { kinds, ..Overrides::default() };
    let experiment = load(&files, "own.toml", &overrides)
        .map_err(|(sources, problems)| render(&sources, &problems, false))?;
    Ok(execute(&experiment, 1, &|_| {}, &AtomicBool::new(false)).expect("nobody stops it").results)
}

#[test]
fn a_store_of_ones_own_is_measured_and_judged() {
    let results = loaded(DESIGN, Kinds::builtin().with::<Memory>()).unwrap_or_else(|why| panic!("{why}"));
    let cell = |variant: &str| results.cells.iter().find(|cell| cell.variant == variant).expect("there");
    let measure = |variant: &str, name: &str| cell(variant).measures[name].mean.expect("measured");
    assert!((900.0..1_100.0).contains(&measure("calm", "kv.served")), "50 operations a second for 20 s");
    assert!((0.005..0.007).contains(&measure("calm", "p50(look)")), "four hops of 1 ms and 2 ms of service");
    let judged = |variant: &str| cell(variant).properties["linearizable"].outcome.clone();
    assert_eq!(judged("calm"), "holds");
    assert_eq!(judged("crash"), "violated", "a crash loses what was acknowledged");
}

#[test]
fn a_design_that_names_it_needs_the_registry() {
    let why = loaded(DESIGN, Kinds::builtin()).expect_err("nobody knows it");
    assert!(why.contains("unknown kind of entry 'memory'"), "{why}");
    let why = loaded(&DESIGN.replace("serve =", "sevre ="), Kinds::builtin().with::<Memory>());
    assert!(why.expect_err("a slip").contains("did you mean `serve`?"), "its parameters are checked");
}
