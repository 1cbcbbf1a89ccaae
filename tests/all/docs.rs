//! The generated documents are what the code generates, and their examples work.

use std::collections::BTreeMap;
use std::path::Path;

use splitbrain::cli::files::Embedded;
use splitbrain::cli::reference::reference;
use splitbrain::cli::shipped::experiments;
use splitbrain::components::KINDS;
use splitbrain::design::render::render;
use splitbrain::experiment::load::theories_of;
use splitbrain::experiment::{Overrides, load};

use crate::support::Files;

#[test]
fn the_reference_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md");
    let text = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, text).expect("the folder is there");
        return;
    }
    let written = std::fs::read_to_string(path).expect("it is there");
    assert!(written == text, "docs/language.md is another: splitbrain reference > docs/language.md");
    assert!(!text.contains("{{"), "every mark has its table");
}

#[test]
fn what_is_said_of_histories_is_what_there_is() {
    use splitbrain::check::consistency::Consistency;
    use splitbrain::check::kinds::{ALL, Nil};
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/history.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let says =
        |word: &str| assert!(text.contains(&format!("`{word}`")), "docs/history.md says nothing of `{word}`");
    for kind in ALL {
        assert!(text.contains(&format!("\n| `{}` | ", kind.name)), "the models lack {}", kind.name);
        kind.operations.iter().for_each(|operation| says(operation));
    }
    Nil::ALL.iter().for_each(|(name, _, _)| says(name));
    Consistency::all().iter().for_each(|(name, _)| says(name));
    ["edn", "jsonl", "jepsen-log"].into_iter().for_each(says);
}

#[test]
fn the_examples_of_the_reference_are_valid() {
    let text = reference();
    let blocks: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().expect("it ends")).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let files = Files(BTreeMap::from([("docs/example.toml".to_owned(), block.to_owned())]));
        if let Err((sources, problems)) = load(&files, "docs/example.toml", &Overrides::default()) {
            panic!("{}", render(&sources, &problems, false));
        }
    }
}

#[test]
fn every_parameter_has_a_sentence() {
    for (kind, parameter) in KINDS.iter().flat_map(|kind| {
        kind.parameters.iter().chain(kind.common).map(move |parameter| (kind.name, parameter))
    }) {
        let doc = parameter.doc;
        assert!(doc.len() > 15 && doc.ends_with(['.', ')']), "{kind}.{}: `{doc}`", parameter.name);
    }
}

/// Running everything takes minutes: `.ci/run` compares the numbers. Here: every theory of every shipped experiment has its
/// rows, each agrees, and there are no others.
#[test]
fn every_theory_of_every_shipped_experiment_has_its_rows_in_the_validation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/validation.md")).expect("it is there");
    // What follows is the last campaign, which has a table of its own.
    let (page, _) = page.split_once("<!-- The rest is written by .ci/full. -->").unwrap_or((&page, ""));
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| row ") && !line.starts_with("|---"))
        .collect();
    let mut expected = 0;
    for file in experiments() {
        let path = format!("experiments/{}", file.path);
        let Ok(experiment) = load(&Embedded, &path, &Overrides::default()) else { panic!("{path}") };
        for cell in &experiment.cells {
            for theory in theories_of(&experiment.question, &cell.variant) {
                let point = experiment.points[cell.point].shown.iter();
                let point: Vec<String> = point.map(|(path, value)| format!("{path} = {value}")).collect();
                let start = format!("| {} | {} | {} |", theory.name, cell.variant, point.join(", "));
                let row = rows.iter().find(|row| row.starts_with(&start) && row.contains(&theory.source));
                let row = row.unwrap_or_else(|| {
                    panic!("{path}: no row `{start}`: `splitbrain validation` writes them")
                });
                assert!(row.ends_with("| agrees |"), "{row}");
                expected += 1;
            }
        }
    }
    assert_eq!(rows.len(), expected, "rows of theories that are no more");
}
