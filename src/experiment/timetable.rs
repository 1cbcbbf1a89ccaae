//! The faults of an experiment: read from its entries, and made into a plan from the seed before each run.

use std::collections::BTreeMap;

use crate::base::knob::{Knob, Setting};
use crate::base::problem::Problems;
use crate::base::rng::{mix, name_hash};
use crate::base::time::{Span, Time};
use crate::components::{COMMON, KINDS};
use crate::design::file::Data;
use crate::design::knobs::{Checker, check};
use crate::design::resolve::Design;
use crate::faults::active::Active;
use crate::faults::plan::{Edge, Entry, Planned, agenda, expand};
use crate::faults::target::{Settable, Who, WhoPart};
use crate::faults::{TIMETABLE, resolve};
use crate::sim::run::World;

/// The faults of a cell.
#[derive(Clone, Debug, Default)]
pub struct Timetable {
    entries: Vec<Entry>,
    who: Who,
}

/// What one fault does at an instant.
#[derive(Clone, Debug)]
pub struct Action {
    edge: Edge,
    index: usize,
    planned: Planned,
}

/// The plan of one run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What happens, in order of time.
    pub actions: Vec<(Time, Action)>,
    /// When each fault is active: name, from, until.
    pub active: Vec<(String, Time, Time)>,
    /// The plan as sentences.
    pub described: Vec<String>,
}

/// Reads the faults of a design.
pub fn timetable(design: &Design, data: Data<'_>, problems: &mut Problems) -> Option<Timetable> {
    let before = problems.0.len();
    let who = who(design);
    let mut entries = Vec::new();
    for entry in design.entries.named("fault") {
        let path = format!("fault.{}", entry.key);
        let mut defaults = BTreeMap::new();
        let Some(table) = entry.node.table() else { continue }; // the loader has said so
        let mut checker = Checker { known: &design.known, data, defaults: &mut defaults, problems };
        let found = checker.problems.0.len();
        let knobs = check(&path, table, &entry.key_place, &[TIMETABLE], &mut checker);
        if problems.0.len() == found {
            entries.extend(resolve(&entry.key, &knobs, &who, problems));
        }
    }
    (problems.0.len() == before).then_some(Timetable { entries, who })
}

/// Who there is, as far as faults care.
fn who(design: &Design) -> Who {
    let parts =
        design.names.iter().zip(&design.parts).zip(&design.knobs).map(|((name, part), knobs)| WhoPart {
            name: name.name.clone(),
            kind: name.kind,
            tier: name.tier,
            count: name.count,
            zones: name.zones.clone(),
            settable: part
                .settable()
                .iter()
                .filter_map(|settable| knob(name.kind, settable))
                .map(|knob| Settable {
                    knob: knob.name,
                    takes: knob.takes,
                    design: number(knobs.get(knob.name)),
                })
                .collect(),
        });
    Who { parts: parts.collect(), zones: design.known.zones.clone() }
}

fn knob(kind: &str, name: &str) -> Option<&'static Knob> {
    let kind = KINDS.iter().find(|known| known.name == kind)?;
    COMMON.iter().chain(kind.knobs).find(|knob| knob.name == name)
}

/// A setting that is one number.
fn number(setting: Option<&Setting>) -> Option<f64> {
    match setting? {
        Setting::Count(count) => Some(*count as f64),
        Setting::Number(number) => Some(*number),
        Setting::Span(span) => Some(span.as_ns() as f64),
        _ => None,
    }
}

impl Timetable {
    /// The plan for a seed.
    pub fn plan(&self, seed: u64, length: Span) -> Plan {
        let horizon = Time::ZERO + length;
        let plan = expand(&self.entries, horizon, mix(seed, name_hash("faults")));
        let active =
            plan.iter().map(|planned| (planned.fault.clone(), planned.at, planned.until.min(horizon)));
        let actions = agenda(&plan, horizon).into_iter();
        let actions =
            actions.map(|(at, edge, index)| (at, Action { edge, index, planned: plan[index].clone() }));
        Plan {
            actions: actions.collect(),
            active: active.collect(),
            described: plan.iter().map(|planned| planned.describe(&self.who)).collect(),
        }
    }
}

impl Action {
    /// Does it.
    pub fn carry_out(self, world: &mut World, active: &mut Active) {
        match self.edge {
            Edge::Begin => active.begin(self.index, &self.planned, world),
            Edge::End => active.end(self.index, &self.planned, world),
        }
    }
}
