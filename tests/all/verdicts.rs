//! Verdicts over the history of a run, through whole experiments: what must be accepted beside what must be rejected.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use splitbrain::experiment::pictures::PlotKind;
use splitbrain::experiment::results::{Cell, Property, Results};
use splitbrain::experiment::witness::diagrams;
use splitbrain::experiment::{Overrides, execute};

use crate::support::{experiment, run};

/// People who write rows and read them, at three places; the first zone, where a leader starts, is cut off for a while.
const BASE: &str = r#"
title  = "verdicts"
length = "30s"
runs   = 3
zone   = { a = { users = "40%" }, b = { users = "40%" }, c = { users = "20%" } }
link   = { "a b" = { latency = "10ms" }, "a c" = { latency = "30ms" }, "b c" = { latency = "30ms" } }
policy.client = { timeout = "400ms" }
workload.writers = { do = "keep(key=uniform(40))", arrive = "poisson(40/s)", with = "client", to = "25s" }
workload.scribes = { do = "jot(key=sequence(100k))", arrive = "poisson(20/s)", with = "client", to = "25s" }
workload.readers = { do = "see(key=uniform(40))", arrive = "poisson(80/s)", with = "client", to = "25s" }
workload.payers  = { do = "pay(acct=uniform(40), amt=10)", arrive = "poisson(40/s)", with = "client", to = "25s" }
fault.split = { at = "8s", for = "8s", do = "cut(a, from=[b, c])" }
always.true_rows    = "linearizable(kv.rows)"
always.true_money   = "linearizable(kv.balance)"
always.rows_kept    = "lost(keep) == 0"
always.notes_kept   = "lost(jot) == 0"
always.money_kept   = "lost(pay) == 0"
always.heals        = "diverged(kv, before=split.end, at=after(split, 8s)) == 0"
measures = ["staleness(see)", "p99(staleness(see))", "k_stale(see)", "stale(see, age=1ms..20ms)", "unacked(pay)", "converged(kv)", "outage(pay)", "lost(kv.balance)"]
[on.kv]
jot  = "write kv.notes[key] = 1"
keep = "write kv.rows[key] = 1"
see = "x = read kv.rows[key]"
pay = "update kv.balance[acct] -= amt when >= amt else fail declined"
"#;

fn results(kv: &str) -> Results {
    let text = BASE.replace("policy.client", &format!("{kv}\npolicy.client"));
    run(&experiment("verdicts.toml", &text, &Overrides::default()), 2)
}

fn cell(results: &Results) -> &Cell {
    &results.cells[0]
}

fn outcomes(cell: &Cell) -> BTreeMap<&str, &str> {
    cell.properties.iter().map(|(name, property)| (name.as_str(), property.outcome.as_str())).collect()
}

fn mean(cell: &Cell, measure: &str) -> f64 {
    let known = &cell.measures[measure];
    known.mean.unwrap_or_else(|| panic!("{measure}: {:?}", known.note))
}

/// A violation names its seed and shows itself in one sentence, with rows, programs and instants, not lines of a file.
fn shows(property: &Property, words: &[&str]) {
    assert_eq!(property.outcome, "violated");
    assert!(!property.failing_seeds.is_empty());
    let witness = &property.witness;
    assert!(words.iter().all(|word| witness.contains(word)), "{witness}");
    assert!(!witness.contains("(line") && !witness.contains("of process"), "{witness}");
    assert!(witness.starts_with(&format!("in seed {}, ", property.failing_seeds[0])), "{witness}");
}

#[test]
fn one_copy_keeps_everything_and_is_never_stale() {
    let results = results(r#"db.kv = { at = "b", start = { balance = "each(1000, keys=40)" } }"#);
    let cell = cell(&results);
    assert!(outcomes(cell).values().all(|outcome| *outcome == "holds"), "{:?}", cell.properties);
    for measure in
        ["staleness(see)", "k_stale(see)", "stale(see, age=1ms..20ms)", "converged(kv)", "lost(kv.balance)"]
    {
        assert_eq!(mean(cell, measure), 0.0, "{measure}");
    }
    assert!(mean(cell, "unacked(pay)") > 0.0, "who is cut off is not told what took effect");
    let outage = mean(cell, "outage(pay)");
    assert!(
        (4.9..6.0).contains(&outage),
        "nobody pays in the last five seconds, when the last answers come, and before somebody always can: {outage}"
    );
}

#[test]
fn raft_loses_nothing_and_stays_true_through_a_failover() {
    let results = results(
        r#"db.kv = { at = ["a", "b", "c"], copy = "raft(election=uniform(150ms, 300ms))", start = { balance = "each(100, keys=40)" } }"#,
    );
    let cell = cell(&results);
    assert!(outcomes(cell).values().all(|outcome| *outcome == "holds"), "{:?}", cell.properties);
    assert_eq!(mean(cell, "lost(kv.balance)"), 0.0);
    assert_eq!(mean(cell, "staleness(see)"), 0.0, "reads of the primary");
}

#[test]
fn a_failover_without_agreement_loses_what_was_acknowledged_and_says_what() {
    let results = results(
        r#"db.kv = { at = ["a", "b", "c"], copy = "async", failover = "after(2s)", start = { balance = "each(100, keys=40)" } }"#,
    );
    let cell = cell(&results);
    let outcomes = outcomes(cell);
    assert_eq!(outcomes["heals"], "holds", "{}", cell.properties["heals"].witness);
    shows(
        &cell.properties["money_kept"],
        &["lost(pay) == 0", "`update kv.balance[", "of pay (", "was acknowledged"],
    );
    assert_eq!(outcomes["rows_kept"], "holds", "what was lost has been overwritten since");
    shows(&cell.properties["notes_kept"], &["lost(jot) == 0", "`write kv.notes[", "of jot ("]);
    shows(
        &cell.properties["true_money"],
        &["linearizable(kv.balance)", "found the same value and each set another"],
    );
    shows(&cell.properties["true_rows"], &["kv.rows["]);
    assert!(mean(cell, "lost(kv.balance)") > 10.0);
    assert!(mean(cell, "k_stale(see)") >= 1.0, "the deposed leader goes on answering");
}

#[test]
fn partial_quorums_read_what_is_stale_and_lose_updates() {
    let results = results(
        r#"db.kv = { at = ["a", "b", "c"], copy = "quorum(r=1, w=1, hints=1s)", timeout = "500ms", start = { balance = "each(100, keys=40)" } }"#,
    );
    let cell = cell(&results);
    let outcomes = outcomes(cell);
    assert_eq!(outcomes["heals"], "holds", "{}", cell.properties["heals"].witness);
    shows(&cell.properties["true_rows"], &["`read kv.rows["]);
    shows(&cell.properties["money_kept"], &["lost(pay)"]);
    let (fresh, old) = (mean(cell, "stale(see, age=1ms..20ms)"), mean(cell, "staleness(see)"));
    assert!(fresh > 0.1 && old > 0.0, "{fresh} {old}");
    assert!(mean(cell, "p99(staleness(see))") > old);
    assert!(mean(cell, "converged(kv)") > 0.0);
}

#[test]
fn without_hints_and_repair_copies_stay_apart() {
    let results = results(
        r#"db.kv = { at = ["a", "b", "c"], copy = "quorum(r=1, w=1, hints=0s, repair=false)", timeout = "500ms", start = { balance = "each(100, keys=40)" } }"#,
    );
    let cell = cell(&results);
    shows(&cell.properties["heals"], &["the copies of kv.", "one lacks a write"]);
    assert_eq!(cell.measures["converged(kv)"].mean, None, "they had not agreed");
}

#[test]
fn additions_that_merge_lose_nothing_and_hold_no_floor() {
    for copy in ["multi_leader", "quorum(r=1, w=1, hints=1s)"] {
        let text = BASE
            .replace("keep(key", "like(key")
            .replace("lost(keep)", "lost(like)")
            .replace("write kv.rows[key] = 1", "update kv.rows[key] += 1");
        let text =
            text.replace("keep = ", "like = ").replace("measures = [", "measures = [\"unacked(like)\"] # [");
        let kv = format!(
            r#"db.kv = {{ at = ["a", "b", "c"], copy = "{copy}", merge = "counter", timeout = "500ms", start = {{ balance = "each(100, keys=40)" }} }}"#
        );
        let text = text.replace("policy.client", &format!("{kv}\npolicy.client"));
        let results = run(&experiment("verdicts.toml", &text, &Overrides::default()), 2);
        let cell = &results.cells[0];
        let outcomes = outcomes(cell);
        assert_eq!(
            (outcomes["rows_kept"], outcomes["money_kept"]),
            ("holds", "holds"),
            "{copy}: {:?}",
            cell.properties
        );
        assert_eq!(outcomes["heals"], "holds", "{copy}: {}", cell.properties["heals"].witness);
        shows(&cell.properties["true_money"], &["kv.balance["]);
    }
}

/// A picture shows the sentence of the verdict, the operations that it names, the copies that have what was written, and the fault.
#[test]
fn every_violation_of_a_history_has_its_picture() {
    let kv = r#"db.kv = { at = ["a", "b", "c"], copy = "async", failover = "after(2s)", start = { balance = "each(100, keys=40)" } }"#;
    let text = BASE.replace("policy.client", &format!("{kv}\npolicy.client"));
    let experiment = experiment("verdicts.toml", &text, &Overrides::default());
    let outcome = execute(&experiment, 2, &|_| {}, &AtomicBool::new(false)).expect("it ends");
    let plots = diagrams(&experiment, &outcome.cells);
    let properties = &outcome.results.cells[0].properties;
    let violated = properties.iter().filter(|(_, property)| property.outcome == "violated");
    let mut names: Vec<&str> = violated.map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let mut drawn: Vec<&str> =
        plots.iter().map(|plot| plot.name.rsplit_once("base_").expect("the only variant").1).collect();
    drawn.sort_unstable();
    assert_eq!(drawn, names);
    for plot in &plots {
        let PlotKind::SpaceTime(all) = &plot.kind else { panic!("{plot:?}") };
        let property = plot.name.rsplit_once("base_").expect("seen").1;
        assert!(properties[property].witness.ends_with(&all.note), "{}", all.note);
        assert!(all.bars.iter().any(|bar| bar.marked), "{plot:?}");
        for copy in ["kv[0] in a", "kv[1] in b", "kv[2] in c"] {
            assert!(all.lanes.iter().any(|lane| lane == copy), "{:?}", all.lanes);
        }
        assert!(all.bars.iter().all(|bar| bar.lane < all.lanes.len()), "{plot:?}");
        let texts = all.bars.iter().map(|bar| &bar.text).chain(&all.lanes).chain([&all.note, &plot.title]);
        for text in texts {
            let mut numbers = text.split(|c: char| !c.is_ascii_digit());
            assert!(numbers.all(|number| number.len() < 9), "a version, not a value: {text}");
            assert!(!text.contains("line "), "of no file: {text}");
        }
        for arrow in &all.arrows {
            let (from, to) = (&all.bars[arrow.from], &all.bars[arrow.to]);
            assert!(to.text.starts_with("has ") && to.from >= from.from, "{from:?} {to:?}");
        }
        // A copy has what matters once, however often it starts again.
        let mut has: Vec<(usize, &str)> = all
            .bars
            .iter()
            .filter(|bar| bar.text.starts_with("has "))
            .map(|bar| (bar.lane, &*bar.text))
            .collect();
        let many = has.len();
        has.sort_unstable();
        has.dedup();
        assert_eq!(has.len(), many, "{plot:?}");
    }
    let lost = plots.iter().find(|plot| plot.name.ends_with("money_kept")).expect("it is violated");
    let PlotKind::SpaceTime(all) = &lost.kind else { panic!("{lost:?}") };
    assert!(
        all.faults.iter().any(|(name, ..)| name.starts_with("split: cut between a and b, c")),
        "{:?}",
        all.faults
    );
    assert!(!all.arrows.is_empty());
    let gone = all.bars.iter().find(|bar| bar.text.ends_with(" is gone")).expect("where it was lost");
    assert!(gone.marked && all.lanes[gone.lane] == "kv[0] in a", "{gone:?}");
    let leads =
        |lane: &str| all.stretches.iter().any(|one| one.text == "leads" && all.lanes[one.lane] == lane);
    assert!(leads("kv[0] in a") && (leads("kv[1] in b") || leads("kv[2] in c")), "{:?}", all.stretches);
    assert!(all.lanes[0].starts_with("pay "), "program and request: {:?}", all.lanes);
}
