//! `docs/language.md`: prose from a template, every table from the tables that the loader itself uses.

use crate::base::knob::{Form, Knob, Preset, Takes};
use crate::base::op::REASONS;
use crate::base::series::Series;
use crate::components::{KINDS, Kind, arrivals, chooser, policy};
use crate::design::codes::CODES;
use crate::design::describe::{describe, example};
use crate::design::entries::{ENTRIES, Holds};
use crate::experiment::theory;
use crate::measures::fits::{FITS, Thing};
use crate::program::law::LAWS;
use crate::{faults, measures};

const TEMPLATE: &str = include_str!("reference.md");
/// Where limits are named.
const LIMITS: [&str; 6] = [
    include_str!("../design/limits.rs"),
    include_str!("../base/op.rs"),
    include_str!("../program/interpret.rs"),
    include_str!("../program/syntax/mod.rs"),
    include_str!("../components/quorum/cell.rs"),
    include_str!("../faults/plan.rs"),
];

/// The whole reference.
pub fn reference() -> String {
    let mut text = TEMPLATE.to_owned();
    for (mark, table) in [
        ("{{entries}}", entries()),
        ("{{parts}}", parts()),
        ("{{policy}}", knobs(policy::POLICY)),
        ("{{arrivals}}", pairs(arrivals::FORMS)),
        ("{{choosers}}", pairs(chooser::FORMS)),
        ("{{laws}}", laws()),
        ("{{faults}}", forms(faults::FORMS)),
        ("{{measures}}", all_measures()),
        ("{{fits}}", all_fits()),
        ("{{reasons}}", reasons()),
        ("{{theories}}", theories()),
        ("{{limits}}", limits()),
        ("{{codes}}", codes()),
    ] {
        text = text.replace(mark, table.trim_end());
    }
    text
}

/// A cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn heading(names: &[&str]) -> String {
    row(names) + &row(&vec!["---"; names.len()])
}

/// The default of a knob and where it is from.
fn preset(preset: &Preset) -> String {
    match preset {
        Preset::Required => "must be given".to_owned(),
        Preset::Absent => "none".to_owned(),
        Preset::Is { text, source } => format!("`{text}` – {source}"),
    }
}

/// The range of a knob, where it has one.
fn range(takes: &Takes) -> String {
    match takes {
        Takes::Count { min, max: u64::MAX } => format!(", at least {min}"),
        Takes::Count { min, max } => format!(", {min} to {max}"),
        Takes::Share { min, max } => format!(", {}% to {}%", min * 100.0, max * 100.0),
        Takes::Factor { min, max } => format!(", {min}x to {max}x"),
        _ => String::new(),
    }
}

fn knobs(knobs: &[Knob]) -> String {
    let mut text = heading(&["knob", "takes", "example", "default", "what it is"]);
    for knob in knobs {
        let takes = describe(&knob.takes) + &range(&knob.takes);
        text += &row(&[
            &format!("`{}`", knob.name),
            &takes,
            &format!("`{}`", example(&knob.takes)),
            &preset(&knob.default),
            knob.doc,
        ]);
    }
    for knob in knobs {
        let inner = match &knob.takes {
            Takes::List(inner) | Takes::Table(inner) => inner,
            takes => takes,
        };
        if let Takes::Form(inner) | Takes::LawOr(inner) = inner {
            text += &format!("\n`{}` is one of:\n\n{}", knob.name, forms(inner));
        }
    }
    text
}

fn forms(all: &[Form]) -> String {
    let mut text = heading(&["form", "arguments", "what it is"]);
    for form in all {
        let takes = |knob: &Knob| describe(&knob.takes) + &range(&knob.takes);
        let argument = |knob: &Knob| match knob.default {
            Preset::Required => format!("`{}` ({})", knob.name, takes(knob)),
            Preset::Absent => format!("`{}` ({}, may be left out)", knob.name, takes(knob)),
            Preset::Is { text, .. } => format!("`{}={text}` ({})", knob.name, takes(knob)),
        };
        let arguments: Vec<String> = form.knobs.iter().map(argument).collect();
        text += &row(&[&format!("`{}`", form.name), &arguments.join(", "), form.doc]);
    }
    text
}

fn pairs(all: &[(&str, &str)]) -> String {
    let mut text = heading(&["write", "meaning"]);
    for (example, doc) in all {
        text += &row(&[&format!("`{example}`"), doc]);
    }
    text
}

fn entries() -> String {
    let mut text = heading(&["entry", "what it is"]);
    for entry in ENTRIES.iter().filter(|entry| !matches!(entry.holds, Holds::Later)) {
        let name = if entry.named { format!("`{}.NAME`", entry.name) } else { format!("`{}`", entry.name) };
        text += &row(&[&name, entry.doc]);
    }
    for entry in ENTRIES {
        if let Holds::Knobs(inner) | Holds::ValueOrKnobs(_, inner) = entry.holds {
            text += &format!("\n### `{}`\n\n{}\n\n{}", entry.name, entry.doc, knobs(inner));
        }
    }
    text
}

fn parts() -> String {
    let mut text = String::new();
    for Kind { name, doc, common, knobs: own, series, runs_programs, .. } in KINDS {
        let programs = if *runs_programs { " It runs programs: `[on.NAME]`." } else { "" };
        text += &format!("\n### `{name}`\n\n{doc}{programs}\n\n{}", knobs(&[*common, *own].concat()));
        text += &format!("\nSeries:\n\n{}", heading(&["series", "kind", "unit", "what is recorded"]));
        for Series { name, kind, unit, doc, of_whole } in *series {
            let names =
                if *of_whole { format!("`NAME.{name}`") } else { format!("`NAME.{name}`, `NAME[k].{name}`") };
            text += &row(&[&names, kind.name(), unit, doc]);
        }
    }
    text
}

fn laws() -> String {
    let mut text = heading(&["law", "example"]);
    text += &row(&["a constant", "`5ms`"]);
    for (name, example) in LAWS {
        text += &row(&[&format!("`{name}`"), &format!("`{example}`")]);
    }
    text
}

fn all_measures() -> String {
    let mut text = heading(&["measure", "of", "what it is"]);
    for measure in measures::ALL {
        let of = match measure.of {
            measures::Of::Requests => "requests",
            measures::Of::Anything => &things(measure.name),
            measures::Of::Tally => "a tally",
            measures::Of::Part => "a part",
            measures::Of::Cell => "a key of a db",
            measures::Of::Tables => "a table of a db, or all of them",
            measures::Of::Operations => "a program, or a table of a db",
            measures::Of::Lock => "a lock",
        };
        text += &row(&[&format!("`{}`", measure.name), of, measure.doc]);
    }
    text
}

/// Why requests fail.
fn reasons() -> String {
    let mut text = heading(&["reason", "what it means"]);
    for (name, _, doc) in REASONS {
        text += &row(&[&format!("`{name}`"), doc]);
    }
    text
}

/// What a measure that is of several things is of.
fn things(name: &str) -> String {
    let fit = FITS.iter().find(|fit| fit.name == name);
    let things = fit.into_iter().flat_map(|fit| Thing::ALL.iter().zip(&fit.of));
    things.filter(|(_, of)| of.is_ok()).map(|(thing, _)| thing.name()).collect::<Vec<_>>().join(", ")
}

/// The measures that are of several things, and what each is of each.
fn all_fits() -> String {
    let names: Vec<String> = FITS.iter().map(|fit| format!("`{}`", fit.name)).collect();
    let mut text = heading(&[&["of"][..], &names.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    for (place, thing) in Thing::ALL.iter().enumerate() {
        let cells = FITS.iter().map(|fit| match fit.of[place] {
            Ok(doc) => doc.to_owned(),
            Err(remedy) => format!("refused: {remedy}"),
        });
        let cells: Vec<String> = std::iter::once(thing.name().to_owned()).chain(cells).collect();
        text += &row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    text
}

fn theories() -> String {
    let mut text = heading(&["form", "what it gives", "source"]);
    for form in theory::FORMS {
        text += &row(&[&format!("`{}({})`", form.name, form.args), form.doc, form.source]);
    }
    text
}

/// The named limits, from the files in which they stand: what each is, and why.
fn limits() -> String {
    let mut text = heading(&["limit", "value", "why"]);
    let mut doc = String::new();
    for line in LIMITS.iter().flat_map(|file| file.lines()) {
        if let Some(more) = line.strip_prefix("/// ") {
            doc = if doc.is_empty() { more.to_owned() } else { format!("{doc} {more}") };
        } else if let Some((name, rest)) =
            line.strip_prefix("pub const ").and_then(|line| line.split_once(':'))
        {
            if !name.ends_with("_MAX") {
                continue;
            }
            let value = rest.split_once("= ").map_or("", |(_, value)| value.trim_end_matches(';'));
            let value = if value.starts_with("crate::") {
                crate::net::ZONES_MAX.to_string()
            } else {
                value.to_owned()
            };
            text += &row(&[&format!("`{name}`"), &value, &doc]);
            doc.clear();
        } else {
            doc.clear();
        }
    }
    text
}

fn codes() -> String {
    let mut text = heading(&["code", "", "problem", "what to do"]);
    for code in CODES {
        let severity = if code.is_warning() { "warning" } else { "error" };
        text += &row(&[&format!("`{}`", code.code), severity, code.title, code.text]);
    }
    text
}
