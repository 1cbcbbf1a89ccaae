//! What a run takes, computed before it starts: requests and memory, against the named limits and against what the
//! machine has. It knows nothing of the machine: whoever asks says what there is.

use crate::base::parameter::Setting;
use crate::base::problem::Problems;
use crate::design::codes;
use crate::design::limits::{MEMORY_BYTES_MAX, REQUESTS_MAX};
use crate::experiment::cell::Cell;
use crate::experiment::workload::expected_requests;
use crate::program::compile::scope::PartRole;
use crate::program::instr::Program;
use crate::record::probe::SAMPLES_MAX;
use crate::record::sample::SAMPLE_BYTES;

/// What a member of a part takes with its events and its calls, bytes: measured, 980 for a server.
const MEMBER_BYTES: f64 = 1100.0;
/// What a user takes, bytes: measured, 90 while it thinks and 1,000 while it waits; most think.
const USER_BYTES: f64 = 250.0;

/// What each that is in flight takes, bytes: measured, 1,400 for a request that waits for a core and 600 for a branch that does.
const IN_FLIGHT_BYTES: f64 = 1500.0;

/// What a request leaves in a history that is asked, bytes: two operations, and three copies that take in a version.
const HISTORY_BYTES: f64 = 600.0;

/// What runs that are one at first may take together, bytes: they are under way at once.
const FAMILY_BYTES_MAX: f64 = 1e9;
/// How many of them there are at most: where one parts, the others wait.
const FAMILY_MAX: usize = 8;

/// What the runs of one cell take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Requests of one run, about.
    pub requests: f64,
    /// Memory while a run lasts, bytes, about.
    pub running: f64,
    /// Memory if the run gets out of hand, bytes, about: as much is in flight as may be.
    pub most: f64,
    /// Memory that its first run leaves behind for the pictures, bytes at most.
    pub kept: f64,
}

/// Reckons it.
pub fn budget(cell: &Cell) -> Budget {
    let workloads = cell.setup.workloads.iter();
    let requests: f64 =
        workloads.clone().map(|workload| expected_requests(&workload.plan, cell.length)).sum();
    let users: f64 = workloads.map(|workload| f64::from(workload.plan.arrivals.members())).sum();
    let members: f64 = cell.setup.design.names.iter().map(|part| f64::from(part.count)).sum();
    let samples = requests.min(SAMPLES_MAX as f64);
    let kept = cell.record.probes.iter().filter(|probe| probe.samples).map(|probe| {
        // vectors grow by doubling
        2.0 * samples * (SAMPLE_BYTES + 8 * probe.causes.len()) as f64
    });
    let kept = kept.sum();
    let history = if cell.asked.is_empty() { 0.0 } else { requests * HISTORY_BYTES };
    let running = users * USER_BYTES + members * MEMBER_BYTES + kept + history;
    let in_flight = in_flight(cell, requests).min(cell.setup.limits.in_flight as f64);
    Budget { requests, running, most: running + in_flight * IN_FLIGHT_BYTES, kept }
}

/// How many may be in flight at once: as many as servers take in, where they all have a bound and none branches without one.
fn in_flight(cell: &Cell, requests: f64) -> f64 {
    let design = &cell.setup.design;
    let servers = design.names.iter().zip(&design.parameters).filter(|(part, _)| part.role == PartRole::Runs);
    let taken_in = servers.map(|(part, parameters)| {
        let bound = |parameter: &str| match parameters.get(parameter) {
            Some(Setting::Count(u64::MAX)) => f64::INFINITY,
            Some(Setting::Count(bound)) => *bound as f64,
            _ => 0.0,
        };
        f64::from(part.count) * (bound("threads") + bound("queue"))
    });
    let taken_in: f64 = taken_in.sum();
    let branches = |program: &Program| program.forks.iter().any(|fork| fork.counter.is_some());
    if taken_in.is_infinite() || design.programs.0.iter().any(branches) {
        return f64::INFINITY;
    }
    taken_in.min(requests)
}

/// Refuses what no machine of today should be asked for.
pub fn check(cell: &Cell, problems: &mut Problems) {
    let Budget { requests, running, .. } = budget(cell);
    if requests > REQUESTS_MAX as f64 {
        let message =
            format!("about {requests:.1e} requests in one run: at most {:.0e}", REQUESTS_MAX as f64);
        problems.overall(codes::LIMIT, message).help("make the run shorter or the rates lower");
    }
    if running > MEMORY_BYTES_MAX as f64 {
        let message = format!(
            "one run would take about {:.1} GB of memory: at most {:.0} GB",
            running / 1e9,
            MEMORY_BYTES_MAX as f64 / 1e9
        );
        problems.overall(codes::LIMIT, message).help("fewer members or users, or a shorter run");
    }
}

/// How many runs like a cell's may be one at first.
pub fn family_max(cell: &Cell) -> usize {
    ((FAMILY_BYTES_MAX / budget(cell).running) as usize).clamp(1, FAMILY_MAX)
}
