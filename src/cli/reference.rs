//! `docs/language.md`: prose from a template, every table from the tables that the loader itself uses.

use crate::base::op::REASONS;
use crate::base::parameter::{Constructor, Parameter, ParameterType, Preset};
use crate::base::series::Series;
use crate::components::KINDS;
use crate::components::mech::{arrivals, key_distribution, policy};
use crate::components::part::Kind;
use crate::design::codes::CODES;
use crate::design::describe::{describe, example};
use crate::design::entries::{ENTRIES, Holds};
use crate::experiment::theory;
use crate::measures::fits::{FITS, Thing};
use crate::program::distribution::DISTRIBUTIONS;
use crate::{faults, measures};

const TEMPLATE: &str = include_str!("reference.md");
/// Where limits are named.
const LIMITS: [&str; 6] = [
    include_str!("../design/limits.rs"),
    include_str!("../base/op.rs"),
    include_str!("../program/interpret/frame.rs"),
    include_str!("../program/syntax/limits.rs"),
    include_str!("../components/storage/cell.rs"),
    include_str!("../faults/plan.rs"),
];

/// The whole reference.
pub fn reference() -> String {
    let mut text = TEMPLATE.to_owned();
    for (mark, table) in [
        ("{{entries}}", entries()),
        ("{{parts}}", parts()),
        ("{{policy}}", parameters(policy::POLICY)),
        ("{{arrivals}}", pairs(arrivals::FORMS)),
        ("{{key_distributions}}", pairs(key_distribution::FORMS)),
        ("{{distributions}}", distributions()),
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

/// The default of a parameter and where it is from.
fn preset(preset: &Preset) -> String {
    match preset {
        Preset::Required => "must be given".to_owned(),
        Preset::Absent => "none".to_owned(),
        Preset::Is { text, source } => format!("`{text}` – {source}"),
    }
}

/// The range of a parameter, where it has one.
fn range(takes: &ParameterType) -> String {
    match takes {
        ParameterType::Count { min, max: u64::MAX } => format!(", at least {min}"),
        ParameterType::Count { min, max } => format!(", {min} to {max}"),
        ParameterType::Share { min, max } => format!(", {}% to {}%", min * 100.0, max * 100.0),
        ParameterType::Factor { min, max } => format!(", {min}x to {max}x"),
        _ => String::new(),
    }
}

fn parameters(parameters: &[Parameter]) -> String {
    let mut text = heading(&["parameter", "takes", "example", "default", "what it is"]);
    for parameter in parameters {
        let takes = describe(&parameter.takes) + &range(&parameter.takes);
        text += &row(&[
            &format!("`{}`", parameter.name),
            &takes,
            &format!("`{}`", example(&parameter.takes)),
            &preset(&parameter.default),
            parameter.doc,
        ]);
    }
    for parameter in parameters {
        let inner = match &parameter.takes {
            ParameterType::List(inner) | ParameterType::Table(inner) => inner,
            takes => takes,
        };
        if let ParameterType::Constructor(inner) | ParameterType::DistributionOr(inner) = inner {
            text += &format!("\n`{}` is one of:\n\n{}", parameter.name, forms(inner));
        }
    }
    text
}

fn forms(all: &[Constructor]) -> String {
    let mut text = heading(&["form", "arguments", "what it is"]);
    for form in all {
        let takes = |parameter: &Parameter| describe(&parameter.takes) + &range(&parameter.takes);
        let argument = |parameter: &Parameter| match parameter.default {
            Preset::Required => format!("`{}` ({})", parameter.name, takes(parameter)),
            Preset::Absent => format!("`{}` ({}, may be left out)", parameter.name, takes(parameter)),
            Preset::Is { text, .. } => format!("`{}={text}` ({})", parameter.name, takes(parameter)),
        };
        let arguments: Vec<String> = form.parameters.iter().map(argument).collect();
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
        if let Holds::Parameters(inner) | Holds::ValueOrParameters(_, inner) = entry.holds {
            text += &format!("\n### `{}`\n\n{}\n\n{}", entry.name, entry.doc, parameters(inner));
        }
    }
    text
}

fn parts() -> String {
    let mut text = String::new();
    for Kind { name, doc, common, parameters: own, series, runs_programs, .. } in KINDS {
        let programs = if *runs_programs { " It runs programs: `[on.NAME]`." } else { "" };
        text += &format!("\n### `{name}`\n\n{doc}{programs}\n\n{}", parameters(&[*common, *own].concat()));
        text += &format!("\nSeries:\n\n{}", heading(&["series", "kind", "unit", "what is recorded"]));
        for Series { name, kind, unit, doc, of_whole } in *series {
            let names =
                if *of_whole { format!("`NAME.{name}`") } else { format!("`NAME.{name}`, `NAME[k].{name}`") };
            text += &row(&[&names, kind.name(), unit, doc]);
        }
    }
    text
}

fn distributions() -> String {
    let mut text = heading(&["distribution", "example"]);
    text += &row(&["a constant", "`5ms`"]);
    for (name, example) in DISTRIBUTIONS {
        text += &row(&[&format!("`{name}`"), &format!("`{example}`")]);
    }
    text
}

fn all_measures() -> String {
    let mut text = heading(&["measure", "of", "what it is"]);
    for measure in measures::ALL {
        let of = match measure.of {
            measures::Domain::Requests => "requests",
            measures::Domain::Anything => &things(measure.name),
            measures::Domain::Tally => "a tally",
            measures::Domain::Part => "a part",
            measures::Domain::Cell => "a key of a db",
            measures::Domain::Tables => "a table of a db, or all of them",
            measures::Domain::Operations => "a program, or a table of a db",
            measures::Domain::Lock => "a lock",
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
