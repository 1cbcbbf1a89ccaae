//! What saturates: the part, and the resource of it, for which requests wait most.
//!
//! How long they wait there follows from Little's law: those that wait, on average over time, are the time that is spent waiting in each
//! second. What part of a program's time of a cause is spent at a part is taken to be the part's share of all that wait for that cause at
//! parts that the program reaches.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{PartId, ProbeId};
use crate::experiment::cell::Cell;
use crate::experiment::meters::{Load, Resource};
use crate::experiment::outcome::CellTrials;
use crate::experiment::results::{Bottleneck, Part};
use crate::experiment::setup::Setup;
use crate::experiment::topology::{Caller, arrows};
use crate::experiment::trial::Trial;

/// Of what is used less than this, nobody says that it saturates.
const USED_MIN: f64 = 0.7;
/// Waiting for something of which it is not known how much of it is in use saturates where it is this share of the mean.
const UNKNOWN_SHARE_MIN: f64 = 1.0 / 3.0;
/// What is waited for less than this share of the mean is no bottleneck.
const SHARE_MIN: f64 = 0.2;
/// What is used as much as this is one even if that time shows nowhere: those that waited have given up.
const USED_UP: f64 = 0.95;
/// Provided that as many wait for it, on average over time.
const WAITING_MIN: f64 = 0.5;
/// What is used as much as this makes what comes before it wait, even if that is used still more.
const BEHIND: f64 = 0.9;

/// How busy each part of a cell was, on average over its runs.
pub fn parts(cell: &CellTrials<'_>) -> BTreeMap<String, Part> {
    let names = &cell.cell.setup.design.names;
    let mut parts = BTreeMap::new();
    for (meter, load) in cell.cell.meters.iter().zip(loads(cell)) {
        let mut part = Part {
            kind: names[meter.part.index()].kind.to_owned(),
            throughput: load.throughput,
            refusals: load.refusals,
            ..Part::default()
        };
        for (resource, (used, waiting)) in meter.resources.iter().zip(&load.resources) {
            if let Some(used) = used {
                part.utilisation.insert(resource.name.to_owned(), *used);
            }
            if resource.units.is_some() || *waiting > 0.0 {
                part.waiting.insert(resource.name.to_owned(), *waiting);
            }
        }
        parts.insert(names[meter.part.index()].name.clone(), part);
    }
    parts
}

/// By meter, the mean over runs.
fn loads(cell: &CellTrials<'_>) -> Vec<Load> {
    let of = |of: &dyn Fn(&Trial) -> Option<f64>| {
        let values: Vec<f64> = cell.trials.iter().filter_map(of).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let meters = cell.cell.meters.iter().enumerate();
    let load = meters.map(|(place, meter)| Load {
        resources: (0..meter.resources.len())
            .map(|one| {
                let used = of(&|trial| trial.loads.get(place)?.resources.get(one)?.0);
                let waiting = of(&|trial| Some(trial.loads.get(place)?.resources.get(one)?.1));
                (used, waiting.unwrap_or(0.0))
            })
            .collect(),
        throughput: of(&|trial| Some(trial.loads.get(place)?.throughput)).unwrap_or(0.0),
        refusals: of(&|trial| Some(trial.loads.get(place)?.refusals)).unwrap_or(0.0),
    });
    load.collect()
}

/// Something that is waited for.
struct Waited<'a> {
    part: PartId,
    resource: &'a Resource,
    used: Option<f64>,
    waiting: f64,
    refusals: f64,
}

/// What saturates in a cell, if anything does.
pub fn bottleneck(cell: &CellTrials<'_>) -> Option<Bottleneck> {
    let loads = loads(cell);
    let all: Vec<Waited<'_>> = cell
        .cell
        .meters
        .iter()
        .zip(&loads)
        .flat_map(|(meter, load)| {
            let resources = meter.resources.iter().zip(&load.resources);
            resources.map(|(resource, (used, waiting))| Waited {
                part: meter.part,
                resource,
                used: *used,
                waiting: *waiting,
                refusals: load.refusals,
            })
        })
        .collect();
    let programs = programs(cell);
    let told = all.iter().filter_map(|waited| {
        let spent = spent(waited, &all, &programs);
        let share = spent.as_ref().map_or(0.0, |spent| spent.share_of_mean);
        let saturates = match waited.used {
            Some(used) => {
                used >= USED_MIN && share >= SHARE_MIN
                    || used >= USED_UP && (waited.waiting >= WAITING_MIN || waited.refusals > 0.0)
            }
            None => share >= UNKNOWN_SHARE_MIN,
        };
        saturates.then_some((waited, spent))
    });
    let (waited, spent) = told.max_by(|(a, _), (b, _)| a.waiting.total_cmp(&b.waiting))?;
    let cause = behind(waited, &all).unwrap_or(waited);
    let names = &cell.cell.setup.design.names;
    let name = |part: PartId| names[part.index()].name.clone();
    Some(Bottleneck {
        part: name(cause.part),
        resource: cause.resource.name.to_owned(),
        units: cause.resource.units,
        utilisation: cause.used,
        cause: waited.resource.cause.name().to_owned(),
        waits_at: name(waited.part),
        waits_for: waited.resource.name.to_owned(),
        waiting: waited.waiting,
        refusals: cause.refusals,
        program: spent.as_ref().map(|spent| spent.program.clone()),
        mean_s: spent.as_ref().map(|spent| spent.mean_s),
        share_of_mean: spent.as_ref().map(|spent| spent.share_of_mean),
        share_of_slowest: spent.as_ref().and_then(|spent| spent.share_of_slowest),
    })
}

/// That because of which connections or threads are short: the cores of the store, or whatever the requests in these threads wait for.
fn behind<'a>(waited: &Waited<'_>, all: &'a [Waited<'a>]) -> Option<&'a Waited<'a>> {
    let may = |other: &&Waited<'_>| match waited.resource.name {
        "connections" | "rows" => other.part == waited.part && other.resource.name == "cores",
        "threads" => other.resource.name != "threads",
        _ => false,
    };
    let used = waited.used.unwrap_or(0.0);
    let scarce = |other: f64| other >= BEHIND || other >= USED_MIN && other >= used;
    all.iter()
        .filter(may)
        .filter(|other| other.used.is_some_and(scarce))
        .max_by(|a, b| a.used.unwrap_or(0.0).total_cmp(&b.used.unwrap_or(0.0)))
}

/// Where the time of the requests of a program that a workload calls went.
struct Program {
    name: String,
    requests: u64,
    causes: [f64; Cause::ALL.len()],
    slowest: [f64; Cause::ALL.len()],
    reaches: BTreeSet<PartId>,
}

fn programs(cell: &CellTrials<'_>) -> Vec<Program> {
    let first = cell.trials.first();
    let probes = first.map_or(&[][..], |trial| &trial.causes).iter().map(|(probe, ..)| *probe);
    let sum = |of: &dyn Fn(&Trial) -> Option<Causes>| {
        let mut sums = [0.0; Cause::ALL.len()];
        for causes in cell.trials.iter().filter_map(of) {
            sums.iter_mut().zip(causes.spans()).for_each(|(sum, span)| *sum += span.as_secs_f64());
        }
        sums
    };
    let program = |(place, probe): (usize, ProbeId)| Program {
        name: cell.cell.setup.probe_name(probe),
        requests: cell.trials.iter().map(|trial| trial.causes[place].1).sum(),
        causes: sum(&|trial| Some(trial.causes.get(place)?.2)),
        slowest: sum(&|trial| trial.slowest.get(place).copied()),
        reaches: reaches(cell.cell, probe),
    };
    probes.enumerate().map(program).collect()
}

/// The parts that the requests of a probe can come to.
fn reaches(cell: &Cell, probe: ProbeId) -> BTreeSet<PartId> {
    let Setup { design, workloads, .. } = &cell.setup;
    let of_part = probe.index().checked_sub(design.programs.0.len()).map(|part| PartId(part as u16));
    let first = design.programs.0.get(probe.index()).map(|program| program.part).or(of_part);
    let arrows = arrows(design, workloads);
    let mut reached = BTreeSet::new();
    let mut todo: Vec<PartId> = first.into_iter().collect();
    while let Some(part) = todo.pop() {
        if reached.insert(part) {
            todo.extend(arrows.iter().filter(|arrow| arrow.from == Caller::Part(part)).map(|arrow| arrow.to));
            todo.extend(design.fills.get(&part).map(|fill| fill.part));
        }
    }
    reached
}

/// How much of the time of the program that suffers most.
struct Spent {
    program: String,
    mean_s: f64,
    share_of_mean: f64,
    share_of_slowest: Option<f64>,
}

fn spent(waited: &Waited<'_>, all: &[Waited<'_>], programs: &[Program]) -> Option<Spent> {
    let cause = waited.resource.cause;
    let place = cause as usize;
    let suffering = programs.iter().filter(|program| program.reaches.contains(&waited.part));
    let program = suffering.max_by(|a, b| a.causes[place].total_cmp(&b.causes[place]))?;
    let same = all
        .iter()
        .filter(|other| other.resource.cause == cause && program.reaches.contains(&other.part))
        .map(|other| other.waiting)
        .sum::<f64>();
    let total: f64 = program.causes.iter().sum();
    if same <= 0.0 || total <= 0.0 || program.requests == 0 {
        return None;
    }
    let here = waited.waiting / same;
    let slowest: f64 = program.slowest.iter().sum();
    Some(Spent {
        program: program.name.clone(),
        mean_s: total / program.requests as f64,
        share_of_mean: program.causes[place] / total * here,
        share_of_slowest: (slowest > 0.0).then(|| program.slowest[place] / slowest * here),
    })
}
