//! A few experiments that have between them every kind of part, workload, distribution, fault and guard, every way to copy, and every family of
//! checkers, held byte for byte: in debug and release builds, with the processor's FMA hidden, with any number of jobs, with the lines of a
//! file in another order. `UPDATE=1 cargo test --test all golden` writes the golden results anew; say in the commit why they changed.

use splitbrain::base::parameter::{Constructor, Parameter, ParameterType};
use splitbrain::components::KINDS;
use splitbrain::components::mech::arrivals;
use splitbrain::components::part::COMMON;
use splitbrain::experiment::Overrides;
use splitbrain::faults;
use splitbrain::program::distribution;

use crate::support::{bytes, experiment, run};

/// An experiment, and what it has given so far.
struct Golden {
    toml: &'static str,
    results: &'static str,
    text: &'static str,
    golden: &'static str,
}

macro_rules! golden {
    ($name:literal, $toml:literal) => {
        Golden {
            toml: $toml,
            results: concat!("tests/golden/", $name, ".json"),
            text: include_str!(concat!("../../", $toml)),
            golden: include_str!(concat!("../golden/", $name, ".json")),
        }
    };
}

const ALL: &[Golden] = &[
    golden!("spine", "tests/golden/spine.toml"),
    golden!("copies", "tests/golden/copies.toml"),
    golden!("transactions", "tests/golden/transactions.toml"),
    golden!("faults", "tests/golden/faults.toml"),
    golden!("whatever_draws", "tests/designs/good/whatever_draws.toml"),
];

fn results_of(golden: &Golden, text: &str, jobs: usize) -> String {
    bytes(&run(&experiment(golden.toml, text, &Overrides::default()), jobs))
}

/// The first line in which two texts differ.
fn difference(a: &str, b: &str) -> Option<String> {
    let lines = a.lines().zip(b.lines()).enumerate();
    let first =
        lines.filter(|(_, (a, b))| a != b).map(|(index, (a, b))| format!("line {}: {a} | {b}", index + 1));
    first.into_iter().next().or_else(|| (a != b).then(|| "one is longer".to_owned()))
}

#[test]
fn golden_results_are_the_same_byte_for_byte() {
    for golden in ALL {
        let results = results_of(golden, golden.text, 1);
        if std::env::var_os("UPDATE").is_some() {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(golden.results);
            std::fs::write(path, &results).expect("the folder is there");
        } else {
            assert_eq!(difference(&results, golden.golden), None, "other results than {}", golden.results);
        }
    }
}

#[test]
fn golden_results_do_not_depend_on_jobs() {
    for golden in ALL {
        for jobs in [2, 3] {
            let results = results_of(golden, golden.text, jobs);
            assert_eq!(difference(&results, golden.golden), None, "{}, {jobs} jobs", golden.toml);
        }
    }
}

#[test]
fn golden_results_do_not_depend_on_the_order_of_lines() {
    let spine = &ALL[0];
    let (entries, programs) = spine.text.split_once("[on.app]\n").expect("programs stand last");
    let entries: Vec<&str> = entries.lines().filter(|line| !line.starts_with('#')).collect();
    for turn in [1, entries.len() / 2] {
        let mut turned = entries.clone();
        turned.rotate_left(turn);
        turned.reverse();
        let text = format!("{}\n[on.app]\n{programs}", turned.join("\n"));
        assert_ne!(text, spine.text);
        assert_eq!(difference(&results_of(spine, &text, 2), spine.golden), None, "turned by {turn}");
    }
    let (product, rest) = programs.split_once('\n').expect("several programs");
    let text = format!("{}\n[on.app]\n{rest}\n{product}\n", entries.join("\n"));
    assert_eq!(difference(&results_of(spine, &text, 2), spine.golden), None, "programs in another order");
}

/// Everything that a parameter can be, in its forms' own parameters too.
fn words(parameters: &[Parameter], found: &mut Vec<&'static str>) {
    fn of(takes: &ParameterType, found: &mut Vec<&'static str>) {
        let forms = |forms: &[Constructor], found: &mut Vec<&'static str>| {
            for form in forms {
                found.push(form.name);
                words(form.parameters, found);
            }
        };
        match takes {
            ParameterType::Word(of) => found.extend(*of),
            ParameterType::Constructor(of) | ParameterType::DistributionOr(of) => forms(of, found),
            ParameterType::List(each) | ParameterType::Table(each) => of(each, found),
            _ => {}
        }
    }
    parameters.iter().for_each(|parameter| of(&parameter.takes, found));
}

/// Whether a word stands somewhere by itself.
fn has(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// What is in no golden experiment could change unseen.
#[test]
fn every_kind_fault_guard_arrival_and_law_is_in_a_golden_experiment() {
    assert!(has("guard = \"lease(ttl=1s)\"", "lease") && !has("release = 1", "lease"));
    let mut wanted: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    KINDS.iter().for_each(|kind| words(kind.parameters, &mut wanted));
    words(COMMON, &mut wanted);
    words(splitbrain::components::mech::policy::POLICY, &mut wanted);
    wanted.extend(faults::ALL.iter().map(|fault| fault.form.name));
    faults::ALL.iter().for_each(|fault| words(fault.form.parameters, &mut wanted));
    wanted.extend(distribution::DISTRIBUTIONS.iter().map(|(name, _)| *name));
    wanted.extend(arrivals::DISTRIBUTIONS);
    let lines = ALL.iter().flat_map(|golden| golden.text.lines()).filter(|line| !line.starts_with('#'));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let missing: Vec<&str> = wanted.into_iter().filter(|word| !has(&text, word)).collect();
    assert!(missing.is_empty(), "in no golden experiment: {missing:?}");
}
