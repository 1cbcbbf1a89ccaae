//! Who calls whom: the arrows of a design, from its workloads, programs, load balancers and fills.

use std::collections::BTreeSet;

use crate::base::ids::{PartId, ProgramId};
use crate::base::parameter::Setting;
use crate::design::resolve::Design;
use crate::experiment::pictures::{Graph, GraphNode};
use crate::experiment::workload::Workload;
use crate::program::compile::scope::PartRole;
use crate::program::instr::Instr;

/// One end of an arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// A workload, by its place in order of name.
    Workload(usize),
    /// A part.
    Part(PartId),
}

/// An arrow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// Who calls.
    pub from: Caller,
    /// Who is called.
    pub to: PartId,
    /// What for: the program, `get`, `read`, …; empty for a load balancer.
    pub what: String,
}

/// All arrows, in order. A call to a part behind a load balancer goes through it.
pub fn arrows(design: &Design, workloads: &[Workload]) -> BTreeSet<Arrow> {
    let mut arrows = BTreeSet::new();
    let balancer_of = |part: PartId| {
        design.behind.iter().find(|(_, behind)| **behind == part).map_or(part, |(balancer, _)| *balancer)
    };
    let program = |id: ProgramId| design.programs.0[id.index()].name.clone();
    for (index, workload) in workloads.iter().enumerate() {
        for call in &workload.plan.calls {
            let what = call.program.map_or(String::new(), program);
            arrows.insert(Arrow { from: Caller::Workload(index), to: balancer_of(call.to), what });
        }
    }
    for of in &design.programs.0 {
        let from = Caller::Part(of.part);
        for site in &of.calls {
            let what = site.program.map_or(String::new(), program);
            arrows.insert(Arrow { from, to: balancer_of(site.to), what });
        }
        // What a program of a store does there it does within the part.
        for (to, what) in of.code.iter().filter_map(used).filter(|(to, _)| *to != of.part) {
            arrows.insert(Arrow { from, to, what: what.to_owned() });
        }
    }
    for (lock, parameters) in (0u16..).zip(&design.parameters) {
        if let (PartRole::Locks, Some(Setting::Part(place))) =
            (design.names[lock as usize].role, parameters.get("in"))
        {
            arrows.insert(Arrow { from: Caller::Part(PartId(lock)), to: *place, what: String::new() });
        }
    }
    for (balancer, behind) in &design.behind {
        arrows.insert(Arrow { from: Caller::Part(*balancer), to: *behind, what: String::new() });
    }
    arrows
}

fn used(instr: &Instr) -> Option<(PartId, &'static str)> {
    match instr {
        Instr::Get { cache, .. } => Some((*cache, "get")),
        Instr::Put { cache, .. } | Instr::PutValue { cache, .. } => Some((*cache, "put")),
        Instr::Drop { cache, .. } => Some((*cache, "drop")),
        Instr::Read { db, .. } => Some((*db, "read")),
        Instr::Write { db, .. } => Some((*db, "write")),
        Instr::Update { db, .. } => Some((*db, "update")),
        Instr::Acquire { lock, .. } => Some((*lock, "hold")),
        Instr::Begin { db, .. } => Some((*db, "tx")),
        _ => None,
    }
}

/// The parts that calls of workloads lead to, directly or not.
pub fn reached(design: &Design, workloads: &[Workload]) -> BTreeSet<PartId> {
    let arrows = arrows(design, workloads);
    let mut reached = BTreeSet::new();
    let mut todo: Vec<PartId> = arrows
        .iter()
        .filter(|arrow| matches!(arrow.from, Caller::Workload(_)))
        .map(|arrow| arrow.to)
        .collect();
    while let Some(part) = todo.pop() {
        if !reached.insert(part) {
            continue;
        }
        todo.extend(arrows.iter().filter(|arrow| arrow.from == Caller::Part(part)).map(|arrow| arrow.to));
        todo.extend(design.fills.get(&part).map(|fill| fill.part));
    }
    reached
}

/// The design as a picture: workloads first, then parts in order of name.
pub fn graph(design: &Design, workloads: &[Workload]) -> Graph {
    let zone = |zones: &[crate::base::ids::ZoneId]| {
        let mut names: Vec<&str> =
            zones.iter().map(|zone| design.known.zones[zone.index()].as_str()).collect();
        names.dedup();
        if design.known.zones.len() > 1 { names.join(", ") } else { String::new() }
    };
    let mut nodes: Vec<GraphNode> = workloads
        .iter()
        .map(|workload| GraphNode {
            name: workload.name.clone(),
            kind: "workload".to_owned(),
            zone: zone(&workload.zones),
            count: workload.plan.arrivals.members(),
            note: arrivals(design, &workload.name),
        })
        .collect();
    let first_part = nodes.len();
    nodes.extend(design.names.iter().zip(&design.parameters).map(|(part, parameters)| {
        let cores = match parameters.get("cores") {
            Some(Setting::Count(1)) => "1 core".to_owned(),
            Some(Setting::Count(cores)) if *cores < u64::from(u32::MAX) => format!("{cores} cores"),
            _ => String::new(),
        };
        GraphNode {
            name: part.name.clone(),
            kind: part.kind.to_owned(),
            zone: zone(&part.zones),
            count: part.count,
            note: cores,
        }
    }));
    let place = |part: PartId| first_part + part.index();
    let mut edges: Vec<(usize, usize, String)> = Vec::new();
    for arrow in arrows(design, workloads) {
        let from = match arrow.from {
            Caller::Workload(index) => index,
            Caller::Part(part) => place(part),
        };
        match edges.iter_mut().find(|(a, b, _)| (*a, *b) == (from, place(arrow.to))) {
            Some((_, _, what)) if !arrow.what.is_empty() => *what = format!("{what}, {}", arrow.what),
            Some(_) => {}
            None => edges.push((from, place(arrow.to), arrow.what)),
        }
    }
    Graph { nodes, edges }
}

/// How a workload arrives, as written.
fn arrivals(design: &Design, name: &str) -> String {
    let entry = design.entries.named("workload").iter().find(|entry| entry.key == name);
    let arrive = entry.and_then(|entry| entry.node.table()).and_then(|table| table.get("arrive"));
    arrive.map_or(String::new(), |node| node.text().map_or(String::new(), |text| text.as_str().to_owned()))
}
