//! The faults of an experiment: made into a plan from the seed before the run.

use crate::base::problem::Problems;
use crate::base::time::{Span, Time};
use crate::design::resolve::Design;
use crate::sim::run::World;

/// The faults of a cell.
pub struct Timetable;

/// What one fault does at an instant.
pub struct Action;

/// The plan of one run.
pub struct Plan {
    /// What happens, in order of time.
    pub actions: Vec<(Time, Action)>,
    /// When each fault is active.
    pub active: Vec<(String, Time, Time)>,
}

/// Reads the faults of a design.
pub fn timetable(_design: &Design, _problems: &mut Problems) -> Option<Timetable> {
    Some(Timetable)
}

impl Timetable {
    /// The plan for a seed.
    pub fn plan(&self, _seed: u64, _length: Span) -> Plan {
        Plan { actions: Vec::new(), active: Vec::new() }
    }
}

impl Action {
    /// Does it.
    pub fn carry_out(self, _world: &mut World, _lifted: &mut Vec<crate::net::EffectId>) {}
}
