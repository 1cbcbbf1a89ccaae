//! The faults of an experiment: read once, made into a plan from the seed before each run.

use std::collections::BTreeMap;

use crate::base::knob::Setting;
use crate::base::problem::Problems;
use crate::base::rng::name_hash;
use crate::base::rng::{Bits, Stream};
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
pub struct Timetable {
    entries: Vec<Entry>,
    /// Names, for describing what happens.
    pub who: Who,
}

/// The plan of one run, and how far it has been carried out. A clone goes with a clone of its world.
#[derive(Clone)]
pub struct Plan {
    planned: Vec<Planned>,
    agenda: Vec<(Time, Edge, usize)>,
    next: usize,
    active: Active,
}

/// Reads the faults of a design. `None` when something is wrong with one.
pub fn timetable(design: &Design, data: Data<'_>, problems: &mut Problems) -> Option<Timetable> {
    let who = who(design);
    let before = problems.0.len();
    let mut entries = Vec::new();
    for entry in design.entries.named("fault") {
        let Some(table) = entry.node.table() else { continue };
        let path = format!("fault.{}", entry.key);
        let mut defaults = BTreeMap::new();
        let mut checker = Checker { known: &design.known, data, defaults: &mut defaults, problems };
        let found = checker.problems.0.len();
        let knobs = check(&path, table, &entry.key_place, &[TIMETABLE], &mut checker);
        if problems.0.len() == found {
            entries.extend(resolve(&entry.key, &knobs, &who, problems));
        }
    }
    (problems.0.len() == before).then_some(Timetable { entries, who })
}

fn who(design: &Design) -> Who {
    let part = |(index, name): (usize, &crate::components::PartName)| {
        let kind = KINDS.iter().find(|kind| kind.name == name.kind);
        let knobs = || COMMON.iter().chain(kind.map_or(&[][..], |kind| kind.knobs));
        let settable = design.parts[index].settable().iter().filter_map(|wanted| {
            let knob = knobs().find(|knob| knob.name == *wanted)?;
            let design = match design.knobs[index].get(knob.name) {
                Some(Setting::Count(count)) => Some(*count as f64),
                Some(Setting::Number(number)) => Some(*number),
                Some(Setting::Span(span)) => Some(span.as_ns() as f64),
                _ => None,
            };
            Some(Settable { knob: knob.name, takes: knob.takes, design })
        });
        WhoPart {
            name: name.name.clone(),
            kind: name.kind,
            tier: name.tier,
            count: name.count,
            zones: name.zones.clone(),
            settable: settable.collect(),
        }
    };
    Who { parts: design.names.iter().enumerate().map(part).collect(), zones: design.known.zones.clone() }
}

impl Timetable {
    /// The plan for a seed: nothing in it is left to chance.
    pub fn plan(&self, seed: u64, length: Span) -> Plan {
        let horizon = Time::ZERO + length;
        let planned = expand(&self.entries, horizon, Stream::new(seed, name_hash("faults")).bits());
        let agenda = agenda(&planned, horizon);
        Plan { planned, agenda, next: 0, active: Active::default() }
    }
}

impl Plan {
    /// When the next fault begins or ends.
    pub fn next(&self) -> Option<Time> {
        self.agenda.get(self.next).map(|(at, _, _)| *at)
    }

    /// Carries out what is next.
    pub fn step(&mut self, world: &mut World) {
        let Some((_, edge, index)) = self.agenda.get(self.next).copied() else { return };
        self.next += 1;
        match edge {
            Edge::Begin => self.active.begin(index, &self.planned[index], world),
            Edge::End => self.active.end(index, &self.planned[index], world),
        }
    }

    /// When each fault is active, by name.
    pub fn times(&self) -> Vec<(String, Time, Time)> {
        self.planned.iter().map(|planned| (planned.fault.clone(), planned.at, planned.until)).collect()
    }
}
