//! Names that would hide each other: two things of one name where only one of them could be asked for. Refused, and not
//! resolved by an order that nobody knows.

use std::collections::BTreeMap;

use crate::base::problem::{Place, Problems};
use crate::design::codes;
use crate::design::tree::{Node, Table};
use crate::experiment::setup::Setup;

/// Says which names of a design clash.
pub fn check(tree: &Table, setup: &Setup, problems: &mut Problems) {
    let design = &setup.design;
    let mut measured: BTreeMap<&str, String> = BTreeMap::new();
    for part in &design.names {
        measured.insert(&part.name, format!("the {} `{}`", part.kind, part.name));
    }
    for program in &design.programs.0 {
        let of = &design.names[program.part.index()].name;
        let what = format!("the program `{}` of `{of}`", program.name);
        if let Some(other) = hides(&measured, &program.name).filter(|_| by_itself(setup, &program.name)) {
            let place = place(tree, "on", &program.name);
            clash(problems, place, &format!("{what} has the name of {other}"));
        }
        measured.insert(&program.name, what);
    }
    for workload in &setup.workloads {
        let Some(other) =
            measured.get(workload.name.as_str()).filter(|_| !is_its_program(setup, &workload.name))
        else {
            continue;
        };
        let message = format!("the workload `{}` has the name of {other}", workload.name);
        clash(problems, place(tree, "workload", &workload.name), &message);
    }
    for workload in &setup.workloads {
        measured.insert(&workload.name, format!("the workload `{}`", workload.name));
    }
    for tally in &design.naming.tallies {
        if let Some(other) = measured.get(tally.as_str()) {
            clash(problems, tallied(tree, tally), &format!("the tally `{tally}` has the name of {other}"));
        }
    }
    for zone in &design.known.zones {
        if design.part(zone).is_some() {
            let message =
                format!("`{zone}` is a zone and a part: a fault could not say which of them it strikes");
            clash(problems, place(tree, "zone", zone), &message);
        }
    }
}

fn clash(problems: &mut Problems, place: Option<Place>, message: &str) {
    let problem = match place {
        Some(place) => problems.at(codes::SAME_NAME, place, message),
        None => problems.overall(codes::SAME_NAME, message),
    };
    problem.help("one of them could not be asked for: call it something else");
}

/// A program hides only parts that are called by their name alone.
fn hides<'m>(measured: &'m BTreeMap<&str, String>, program: &str) -> Option<&'m String> {
    let called = ["the external ", "the lb ", "the db "];
    measured.get(program).filter(|what| called.iter().any(|kind| what.starts_with(kind)))
}

/// Whether a program can be asked for by its name alone: there is one of that name.
fn by_itself(setup: &Setup, name: &str) -> bool {
    setup.design.programs.0.iter().filter(|program| program.name == name).count() == 1
}

/// Whether a workload does nothing but the program of its name, and is the only one who does: then both mean the same.
fn is_its_program(setup: &Setup, name: &str) -> bool {
    let programs = &setup.design.programs.0;
    let does = |call: &crate::components::client::plan::CallPlan| {
        call.program.is_some_and(|program| programs[program.index()].name == name)
    };
    setup.workloads.iter().all(|workload| match workload.name == name {
        true => workload.plan.calls.iter().all(does),
        false => !workload.plan.calls.iter().any(does),
    })
}

/// The key of an entry `kind.name`, or of `[on.part] name`.
fn place(tree: &Table, kind: &str, name: &str) -> Option<Place> {
    let section = tree.get(kind).and_then(Node::table)?;
    if kind != "on" {
        return section.entry(name).map(|entry| entry.key_place.clone());
    }
    let mut programs = section.entries().iter().filter_map(|part| part.node.table());
    programs.find_map(|part| part.entry(name)).map(|entry| entry.key_place.clone())
}

/// Where a tally is named for the first time.
fn tallied(tree: &Table, tally: &str) -> Option<Place> {
    let parts = tree.get("on").and_then(Node::table).map_or(&[][..], Table::entries);
    let programs = parts.iter().filter_map(|part| part.node.table()).flat_map(Table::entries);
    for text in programs.filter_map(|program| program.node.text()) {
        for (at, _) in text.as_str().match_indices("tally ") {
            let behind = &text.as_str()[at + "tally ".len()..];
            let start = at + "tally ".len() + (behind.len() - behind.trim_start().len());
            let name = &text.as_str()[start..];
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
            if &name[..end] == tally {
                return Some(text.place(start..start + end));
            }
        }
    }
    None
}
