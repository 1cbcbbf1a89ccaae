//! One experiment with every kind of part, workload, law and fault, held byte for byte: in debug and release builds,
//! with the processor's FMA hidden, with any number of jobs, with the lines of the file in another order.
//! `UPDATE=1 cargo test --test all golden` writes the golden results anew; say in the commit why they changed.

use splitbrain::experiment::Overrides;

use crate::support::{bytes, experiment, run};

const TEXT: &str = include_str!("../golden/spine.toml");
const GOLDEN: &str = include_str!("../golden/spine.json");

fn results_of(text: &str, jobs: usize) -> String {
    bytes(&run(&experiment("tests/golden/spine.toml", text, &Overrides::default()), jobs))
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
    let results = results_of(TEXT, 1);
    if std::env::var_os("UPDATE").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/spine.json");
        std::fs::write(path, &results).expect("the folder is there");
        return;
    }
    assert_eq!(difference(&results, GOLDEN), None, "other results than tests/golden/spine.json");
}

#[test]
fn golden_results_do_not_depend_on_jobs() {
    for jobs in [2, 3] {
        assert_eq!(difference(&results_of(TEXT, jobs), GOLDEN), None, "{jobs} jobs");
    }
}

#[test]
fn golden_results_do_not_depend_on_the_order_of_lines() {
    let (entries, programs) = TEXT.split_once("[on.app]\n").expect("programs stand last");
    let entries: Vec<&str> = entries.lines().filter(|line| !line.starts_with('#')).collect();
    for turn in [1, entries.len() / 2] {
        let mut turned = entries.clone();
        turned.rotate_left(turn);
        turned.reverse();
        let text = format!("{}\n[on.app]\n{programs}", turned.join("\n"));
        assert_ne!(text, TEXT);
        assert_eq!(difference(&results_of(&text, 2), GOLDEN), None, "turned by {turn}");
    }
    let (product, rest) = programs.split_once('\n').expect("several programs");
    let text = format!("{}\n[on.app]\n{rest}\n{product}\n", entries.join("\n"));
    assert_eq!(difference(&results_of(&text, 2), GOLDEN), None, "programs in another order");
}
