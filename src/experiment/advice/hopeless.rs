//! Calls that are given up before the fastest answer that there can be.

use crate::base::ids::{PartId, PolicyId};
use crate::base::parameter::{Parameters, Setting};
use crate::base::problem::{Place, Problem};
use crate::base::time::Span;
use crate::design::codes;
use crate::design::resolve::Design;
use crate::design::tree::Table;
use crate::experiment::advice::unused::Used;
use crate::experiment::advice::warning::{named, warning};
use crate::experiment::cell::Cell;
use crate::program::compile::scope::PartRole;

/// Finds them: of dependencies, through load balancers too, and of stores and caches by their own timeouts.
pub(super) fn calls(tree: &Table, cell: &Cell, found: &mut Vec<Problem>) {
    let design = &cell.setup.design;
    let used = Used::of(cell);
    let mut asked: Vec<(PartId, PolicyId)> = Vec::new();
    for workload in &cell.setup.workloads {
        let calls = workload.plan.calls.iter().filter(|call| call.program.is_none());
        asked.extend(calls.map(|call| (call.to, workload.plan.policy)));
    }
    for program in used.programs.iter().map(|id| &design.programs.0[id.index()]) {
        let sites = program.calls.iter().filter(|site| site.program.is_none());
        asked.extend(sites.map(|site| (site.to, site.policy)));
    }
    for (part, policy) in asked {
        let Some((external, least)) = behind(design, part) else { continue };
        let name = &design.known.policies[policy.0 as usize];
        let place = written(tree, "policy", name, design.policies[policy.0 as usize].place("timeout"));
        let timeout = design.policies[policy.0 as usize].span("timeout");
        let who = format!("the policy '{name}' gives '{external}' up after {timeout}");
        found.extend(told(&who, timeout, "an answer takes", least, place));
    }
    for (index, (part, parameters)) in design.names.iter().zip(&design.parameters).enumerate() {
        let id = PartId(index as u16);
        if !cell.setup.reaches(id) || parameters.get("timeout").is_none() {
            continue;
        }
        let (place, timeout) =
            (written(tree, part.kind, &part.name, parameters.place("timeout")), parameters.span("timeout"));
        let who = format!("'{}' is given up after {timeout}", part.name);
        let takes: Vec<(&str, Span)> = match part.role {
            PartRole::Balances => {
                behind(design, id).map(|(_, least)| ("what is behind it takes", least)).into_iter().collect()
            }
            _ => {
                let of_kind = design.kind(id).takes.iter();
                of_kind.map(|(parameter, what)| (*what, least(parameters, parameter))).collect()
            }
        };
        found.extend(
            takes.into_iter().filter_map(|(what, least)| told(&who, timeout, what, least, place.clone())),
        );
    }
}

fn told(who: &str, timeout: Span, what: &str, least: Span, place: Option<Place>) -> Option<Problem> {
    let place = place.filter(|_| timeout <= least)?;
    let message = format!("{who}, and {what} {least} at least: none comes in time");
    Some(warning(codes::HOPELESS, &place, message, "make the `timeout` longer than what it waits for"))
}

/// Where a parameter was given, or else the entry to which it belongs.
fn written(tree: &Table, kind: &str, name: &str, place: Option<&Place>) -> Option<Place> {
    let entry =
        || named(tree, kind).iter().find(|entry| entry.key == name).map(|entry| entry.key_place.clone());
    place.cloned().or_else(entry)
}

/// The dependency that calls of a part come to, and its fastest answer.
fn behind(design: &Design, part: PartId) -> Option<(&str, Span)> {
    let mut part = part;
    for _ in 0..design.names.len() {
        match design.behind.get(&part) {
            Some(next) => part = *next,
            None => break,
        }
    }
    let (name, parameters) = (&design.names[part.index()], &design.parameters[part.index()]);
    let (parameter, _) = design.kind(part).takes.first().filter(|_| name.role == PartRole::Replies)?;
    Some((name.name.as_str(), least(parameters, parameter)))
}

/// The least time of a distribution, at the part's speed.
fn least(parameters: &Parameters, parameter: &str) -> Span {
    let speed = match parameters.get("speed") {
        Some(Setting::Number(speed)) => *speed,
        _ => 1.0,
    };
    Span::from_ns((parameters.distribution(parameter).least() / speed) as u64)
}
