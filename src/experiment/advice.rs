//! What is merely unwise about an experiment: warnings. Each is certain, none is a matter of taste, and nothing that is
//! shipped has any.

mod hopeless;
mod samples;
mod unused;
mod warning;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::parameter::Setting;
use crate::base::problem::{Problem, Problems};
use crate::base::time::Time;
use crate::design::codes;
use crate::design::tree::Table;
use crate::experiment::advice::warning::{named, warning};
use crate::experiment::cell::Cell;
use crate::experiment::question::Question;

/// Warns of what is unwise in all cells of an experiment: of what one variant or point alone does, to show it perhaps, nothing is
/// said. `shortened`: the command line says how long a run is.
pub fn advise(tree: &Table, question: &Question, cells: &[Cell], shortened: bool, problems: &mut Problems) {
    unused::entries(tree, cells, problems);
    let mut told: BTreeMap<(&'static str, usize, usize, u16), (usize, Problem)> = BTreeMap::new();
    for cell in cells {
        let mut found = Vec::new();
        hopeless::calls(tree, cell, &mut found);
        if !shortened {
            never_begins(tree, cell, &mut found);
            samples::few(question, cell, &mut found);
        }
        no_spare(cell, &mut found);
        let mut of_this_cell = BTreeSet::new();
        for problem in found {
            let Some(place) = problem.place.as_ref() else { continue };
            let key = (problem.code, place.bytes.start, place.bytes.end, place.file.0);
            if of_this_cell.insert(key) {
                told.entry(key).or_insert((0, problem)).0 += 1;
            }
        }
    }
    for (_, (times, problem)) in told {
        if times == cells.len() {
            let place = problem.place.clone().expect("each has one");
            problems.warn(problem.code, place, problem.message).help = problem.help;
        }
    }
}

/// Faults and workloads that begin when the run is over.
fn never_begins(tree: &Table, cell: &Cell, found: &mut Vec<Problem>) {
    let end = Time::ZERO + cell.length;
    for workload in cell.setup.workloads.iter().filter(|workload| workload.plan.from >= end) {
        let Some(entry) = named(tree, "workload").iter().find(|entry| entry.key == workload.name) else {
            continue;
        };
        let message = format!(
            "the workload '{}' begins at {}, when the run is over",
            workload.name, workload.plan.from
        );
        found.push(warning(
            codes::NEVER_BEGINS,
            &entry.key_place,
            message,
            "let it begin earlier, or make `length` longer",
        ));
    }
    for (fault, why) in cell.faults.never(cell.length) {
        let Some(entry) = named(tree, "fault").iter().find(|entry| entry.key == fault) else { continue };
        let help = "let it begin earlier, or make `length` longer, or leave it out";
        found.push(warning(
            codes::NEVER_BEGINS,
            &entry.key_place,
            format!("the fault '{fault}' {why}"),
            help,
        ));
    }
}

/// Stores that need all of their copies for a majority.
fn no_spare(cell: &Cell, found: &mut Vec<Problem>) {
    let design = &cell.setup.design;
    for (name, parameters) in design.names.iter().zip(&design.parameters) {
        if let (Some(Setting::Constructor("raft", _)), 2, Some(place)) =
            (parameters.get("copy"), name.count, parameters.place("copy"))
        {
            let message =
                format!("a majority of the 2 copies of '{}' is both: it stops if either is lost", name.name);
            found.push(warning(codes::NO_SPARE, place, message, "give it 3 copies, or one"));
        }
    }
}
