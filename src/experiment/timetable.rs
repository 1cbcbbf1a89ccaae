//! The faults of an experiment: read once, carried out in each run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::ids::SeriesId;
use crate::base::parameter::Setting;
use crate::base::problem::Problems;
use crate::base::rng::name_hash;
use crate::base::rng::{Bits, Stream};
use crate::base::time::{Span, Time};
use crate::design::file::Data;
use crate::design::parameters::check;
use crate::design::parameters::checker::Checker;
use crate::design::resolve::Design;
use crate::faults::plan::{self, FaultEntry, Occurrence};
use crate::faults::schedule::Schedule;
use crate::faults::target::{Led, Settable, Who, WhoPart};
use crate::faults::trigger::{Trigger, When};
use crate::faults::{TIMETABLE, resolve};
use crate::program::compile::scope::PartRole;

/// The faults of a cell.
pub struct Timetable {
    /// In order of name.
    entries: Arc<[FaultEntry]>,
    /// Names, for describing what happens.
    pub who: Who,
}

/// Reads the faults of a design. `None` when something is wrong with one.
pub fn timetable(design: &Design, data: Data<'_>, problems: &mut Problems) -> Option<Timetable> {
    let who = who(design);
    let before = problems.0.len();
    let (mut entries, mut places) = (Vec::new(), Vec::new());
    for entry in design.entries.named("fault") {
        let Some(table) = entry.node.table() else { continue };
        let path = format!("fault.{}", entry.key);
        let mut defaults = BTreeMap::new();
        let mut checker = Checker { known: &design.known, data, defaults: &mut defaults, problems };
        let found = checker.problems.0.len();
        let parameters = check(&path, table, &entry.key_place, &[TIMETABLE], &mut checker);
        if problems.0.len() == found
            && let Some(entry) = resolve(&entry.key, &parameters, &who, problems)
        {
            places.push(parameters.place("at").cloned());
            entries.push(entry);
        }
    }
    if problems.0.len() == before {
        plan::check(&entries, &places, problems);
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    (problems.0.len() == before).then(|| Timetable { entries: entries.into(), who })
}

fn who(design: &Design) -> Who {
    let part = |(index, name): (usize, &crate::components::part::PartName)| {
        let kind = design.kinds.iter().find(|kind| kind.name == name.kind);
        let parameters = || kind.into_iter().flat_map(|kind| kind.common.iter().chain(kind.parameters));
        let settable = design.parts[index].settable().iter().filter_map(|wanted| {
            let parameter = parameters().find(|parameter| parameter.name == *wanted)?;
            let design = match design.parameters[index].get(parameter.name) {
                Some(Setting::Count(count)) => Some(*count as f64),
                Some(Setting::Number(number)) => Some(*number),
                Some(Setting::Span(span)) => Some(span.as_ns() as f64),
                _ => None,
            };
            Some(Settable { parameter: parameter.name, takes: parameter.takes, design })
        });
        WhoPart {
            name: name.name.clone(),
            kind: name.kind,
            caches: name.role == PartRole::Caches,
            tier: name.tier,
            count: name.count,
            zones: name.zones.clone(),
            settable: settable.collect(),
            led: design.parts[index].led().and_then(|led| {
                let series = |series: &str| design.series(&format!("{}.{series}", name.name));
                Some(Led { leaders: series(led.leaders)?, standing: series(led.standing)? })
            }),
        }
    };
    Who { parts: design.names.iter().enumerate().map(part).collect(), zones: design.known.zones.clone() }
}

impl Timetable {
    /// The faults of which it is known that they never happen in a run of that length, by name, and why.
    pub fn never(&self, length: Span) -> impl Iterator<Item = (&str, &'static str)> {
        let late = move |distribution: &Dist| distribution.least() >= length.as_ns() as f64;
        self.entries.iter().filter_map(move |entry| {
            let why = match (&entry.at, &entry.every) {
                _ if entry.chance <= 0.0 => "has no chance to happen",
                (Some(When::Distribution(at)), _) if late(at) => "begins when the run is over",
                (None, Some(every)) if late(every) => "begins when the run is over",
                _ => return None,
            };
            Some((entry.name.as_str(), why))
        })
    }

    /// The faults of a run.
    pub fn schedule(&self, seed: u64, length: Span) -> Schedule {
        let key = Stream::new(seed, name_hash("faults")).bits();
        Schedule::new(self.entries.clone(), Time::ZERO + length, key)
    }

    /// What is known of a run before it: roles are open, and times of moments that only the run tells are left out.
    pub fn fixed_schedule(&self, seed: u64, length: Span) -> Schedule {
        let mut schedule = self.schedule(seed, length);
        while schedule.next().is_some() {
            schedule.step(None);
        }
        schedule
    }

    /// The same as a plan.
    pub fn known_before(&self, seed: u64, length: Span) -> Vec<Occurrence> {
        self.fixed_schedule(seed, length).plan_so_far()
    }

    /// Whether the times of all faults are known before the run.
    pub fn is_fixed(&self) -> bool {
        self.entries.iter().all(|entry| self.is_known_before(&entry.name))
    }

    /// Whether the times of a fault are known before the run: those of elections, and of what waits for them, are not.
    pub fn is_known_before(&self, fault: &str) -> bool {
        let mut name = fault;
        for _ in 0..=self.entries.len() {
            let Some(entry) = self.entries.iter().find(|entry| entry.name == name) else { return true };
            match &entry.at {
                Some(When::During(Trigger::Election { .. })) => return false,
                Some(at) => match at.fault() {
                    Some(other) => name = other,
                    None => return true,
                },
                None => return true,
            }
        }
        true // a cycle, which loading refuses
    }

    /// The levels to be watched for [`Schedule::notice`].
    pub fn watched(&self) -> Vec<SeriesId> {
        Schedule::watched(&self.entries)
    }

    /// The faults whose times or victims only a run tells, a line each.
    pub fn open(&self) -> Vec<String> {
        let open = |entry: &&FaultEntry| !self.is_known_before(&entry.name);
        let line = |entry: &FaultEntry| {
            let when = entry.at.as_ref().map_or_else(String::new, When::describe);
            format!("{when} {}: {}", entry.name, entry.action.describe(&self.who))
        };
        self.entries.iter().filter(open).map(line).collect()
    }

    /// Whether a run tells more than is known before it.
    pub fn is_open(&self) -> bool {
        self.entries.iter().any(|entry| entry.action.has_roles() || !self.is_known_before(&entry.name))
    }
}

/// When each time of a plan was on, by the name of its fault.
pub fn times(plan: &[Occurrence]) -> Vec<(String, Time, Time)> {
    plan.iter().map(|planned| (planned.fault.clone(), planned.at, planned.until)).collect()
}
