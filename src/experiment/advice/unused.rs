//! Parts, programs, policies and zones that no cell uses.

use std::collections::BTreeSet;

use crate::base::ids::{PartId, PolicyId, ProgramId};
use crate::base::problem::{FileId, Problems};
use crate::design::codes;
use crate::design::names::DEFAULT_POLICY;
use crate::design::tree::{Entry, Table};
use crate::experiment::advice::warning::named;
use crate::experiment::cell::Cell;
use crate::program::compile::calls_of;
use crate::program::instr::{Instr, Program};

/// The file that was asked for: what others, joined to it, leave unused is no mistake of this one.
const ASKED_FOR: FileId = FileId(0);

/// Warns of parts, programs and policies that no cell uses.
pub(super) fn entries(tree: &Table, cells: &[Cell], problems: &mut Problems) {
    let Some(first) = cells.first() else { return };
    let (mut parts, mut programs, mut policies) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for cell in cells {
        let used = Used::of(cell);
        let design = &cell.setup.design;
        let part = |id: &PartId| design.names[id.index()].name.clone();
        parts.extend(
            (0..design.names.len() as u16)
                .map(PartId)
                .filter(|id| cell.setup.reaches(*id))
                .map(|id| part(&id)),
        );
        programs.extend(used.programs.iter().map(|id| {
            let program = &design.programs.0[id.index()];
            (part(&program.part), program.name.clone())
        }));
        policies.extend(used.policies.iter().map(|id| design.known.policies[id.0 as usize].clone()));
    }
    let mine = |entry: &&Entry| entry.key_place.file == ASKED_FOR;
    for kind in first.setup.design.kinds.iter() {
        for entry in named(tree, kind.name).iter().filter(mine).filter(|entry| !parts.contains(&entry.key)) {
            let message = format!("no workload reaches the {} '{}'", kind.name, entry.key);
            let help = "leave it out, or name it where it should be used";
            problems.warn(codes::UNUSED, entry.key_place.clone(), message).help(help);
        }
    }
    for section in named(tree, "on").iter().filter(|section| parts.contains(&section.key)) {
        let of = section.node.table().map_or(&[][..], |table| table.entries());
        for entry in of.iter().filter(mine) {
            if !programs.contains(&(section.key.clone(), entry.key.clone())) {
                let message = format!("nothing calls the program '{}' of '{}'", entry.key, section.key);
                let help = "leave it out, or call it from a workload or a program";
                problems.warn(codes::UNUSED, entry.key_place.clone(), message).help(help);
            }
        }
    }
    zones(tree, cells, problems);
    for entry in named(tree, "policy").iter().filter(mine) {
        if entry.key != DEFAULT_POLICY && !policies.contains(&entry.key) {
            let message = format!("nobody names the policy '{}'", entry.key);
            let help = format!("write `with = \"{0}\"` in a workload, `with {0}` behind a step", entry.key);
            problems.warn(codes::UNUSED, entry.key_place.clone(), message).help(help);
        }
    }
}

/// Warns of zones in which nobody stands and from which nobody calls.
fn zones(tree: &Table, cells: &[Cell], problems: &mut Problems) {
    let mut taken = BTreeSet::new();
    for cell in cells {
        let design = &cell.setup.design;
        let parts = design.names.iter().flat_map(|part| part.zones.iter().copied());
        let workloads = cell.setup.workloads.iter().flat_map(|workload| workload.zones.iter().copied());
        let calls = cell
            .setup
            .workloads
            .iter()
            .flat_map(|workload| workload.plan.zones.iter().map(|(_, zone)| *zone));
        let sites =
            design.programs.0.iter().flat_map(|program| program.calls.iter().filter_map(|site| site.from));
        let all = parts.chain(workloads).chain(calls).chain(sites);
        taken.extend(all.map(|zone| design.known.zones[zone.0 as usize].clone()));
    }
    for entry in named(tree, "zone").iter().filter(|entry| entry.key_place.file == ASKED_FOR) {
        if !taken.contains(&entry.key) {
            let message = format!("nobody stands in the zone '{}', and nobody calls from there", entry.key);
            let help = format!(
                "write `at = \"{0}\"` in a part, `zone = \"{0}\"` in a workload, or leave it out",
                entry.key
            );
            problems.warn(codes::UNUSED, entry.key_place.clone(), message).help(help);
        }
    }
}

/// What the workloads of a cell use.
#[derive(Default)]
pub(super) struct Used {
    pub(super) programs: BTreeSet<ProgramId>,
    pub(super) policies: BTreeSet<PolicyId>,
}

impl Used {
    pub(super) fn of(cell: &Cell) -> Used {
        let design = &cell.setup.design;
        let mut used = Used::default();
        let mut todo: Vec<ProgramId> = Vec::new();
        for workload in &cell.setup.workloads {
            used.policies.insert(workload.plan.policy);
            todo.extend(workload.plan.calls.iter().filter_map(|call| call.program));
        }
        while let Some(id) = todo.pop() {
            if !used.programs.insert(id) {
                continue;
            }
            let program: &Program = &design.programs.0[id.index()];
            todo.extend(calls_of(program));
            used.policies.extend(program.calls.iter().map(|site| site.policy));
            for instr in &program.code {
                match instr {
                    Instr::Get { cache, .. } | Instr::Put { cache, .. } => {
                        todo.extend(design.fills.get(cache).map(|fill| fill.program));
                    }
                    Instr::Begin { policy, .. } => {
                        used.policies.insert(*policy);
                    }
                    _ => {}
                }
            }
        }
        used
    }
}
