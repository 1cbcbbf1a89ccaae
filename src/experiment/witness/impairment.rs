//! What was wrong while a violation came about, and with whom; and who led whom.

use crate::base::ids::{Pid, TierId};
use crate::base::parameter::Setting;
use crate::base::time::{Span, Time};
use crate::experiment::cell::Cell;
use crate::experiment::run::WitnessRun;
use crate::experiment::setup::Setup;
use crate::experiment::witness::matters::Matters;
use crate::faults::action::Action;
use crate::faults::plan::Occurrence;
use crate::sim::cluster::Crash;

/// What was over before the first thing that is shown is shown where it was no farther away than so many times what is shown, or than this.
const NEAR: (f64, Span) = (20.0, Span::from_ms(100));
/// What has been on for longer than so many times what is shown, or than this, is not shown from its beginning.
const LONG: (f64, Span) = (100.0, Span::from_ms(10_000));

/// That is then shown for so much of what is shown.
const SINCE: f64 = 0.05;

/// Something that was wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Impairment {
    /// Since when, or as early as the picture is to begin for it.
    pub from: Time,
    /// Until when; [`Time::NEVER`]: to the end.
    pub until: Time,
    /// What.
    pub what: String,
    /// With which nodes; none: with the network.
    pub whom: Vec<Pid>,
}

/// What was wrong within a stretch of time, or just before it if nothing was within it.
pub(super) fn within(
    cell: &Cell,
    seen: &WitnessRun,
    matters: &Matters,
    (from, until): (Time, Time),
) -> Vec<Impairment> {
    let nodes = concerned(cell, seen, matters);
    let all: Vec<Impairment> =
        seen.plan.iter().filter_map(|planned| impairment(cell, planned, &nodes)).collect();
    let long = |(times, least): (f64, Span)| until.since(from).scale(times).max(least);
    let earliest = Time::from_ns(from.as_ns().saturating_sub(long(LONG).as_ns()));
    let shown = |one: &Impairment| match one.from < earliest {
        false => one.clone(),
        true => {
            let before = from.min(one.until).as_ns().saturating_sub(until.since(from).scale(SINCE).as_ns());
            let what = format!("{} since {:.3} s", one.what, one.from.as_secs_f64());
            Impairment { from: Time::from_ns(before), what, ..one.clone() }
        }
    };
    let mut during: Vec<Impairment> =
        all.iter().filter(|one| one.from < until && one.until > from).map(shown).collect();
    if during.is_empty() {
        let near = |one: &&Impairment| one.until <= from && from.since(one.until) <= long(NEAR);
        during.extend(all.iter().filter(near).max_by_key(|one| (one.until, one.from)).map(shown));
    }
    during
}

/// The nodes that matter: those of calls, of the stores of rows, and of the places of locks.
fn concerned(cell: &Cell, seen: &WitnessRun, matters: &Matters) -> Vec<Pid> {
    let setup = &cell.setup;
    let steps = matters.steps.iter().map(|place| seen.history.steps()[*place].by);
    let holds = matters.holds.iter().map(|hold| seen.history.holds.all()[*hold as usize].by);
    let mut nodes: Vec<Pid> = steps.chain(holds).map(|by| node(setup, by)).collect();
    let tiers = stores(seen, matters).into_iter().chain(lock_places(setup, seen, matters));
    nodes.extend(tiers.flat_map(|tier| members(setup, tier)));
    nodes
}

/// The stores of the rows.
pub(super) fn stores(seen: &WitnessRun, matters: &Matters) -> Vec<TierId> {
    let mut stores: Vec<TierId> =
        matters.rows.iter().map(|row| seen.history.rows()[row.0 as usize].store).collect();
    stores.sort_unstable();
    stores.dedup();
    stores
}

/// Where the locks are kept that matter.
pub(super) fn lock_places(setup: &Setup, seen: &WitnessRun, matters: &Matters) -> Vec<TierId> {
    let place = |hold: &u32| {
        let (lock, _) = seen.history.holds.all()[*hold as usize].lock;
        match setup.design.parameters[lock.index()].get("in") {
            Some(Setting::Part(place)) => Some(setup.design.names[place.index()].tier),
            _ => None,
        }
    };
    let mut places: Vec<TierId> = matters.holds.iter().filter_map(place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The members of a part.
pub(super) fn members(setup: &Setup, tier: TierId) -> impl Iterator<Item = Pid> {
    let count = setup.design.names.get(tier.0 as usize).map_or(0, |part| part.count);
    (0..count).map(move |member| Pid::new(tier, member))
}

/// Where a process is: what runs a store's programs is where its copy is.
pub(super) fn node(setup: &Setup, pid: Pid) -> Pid {
    setup.beside(pid.tier).map_or(pid, |store| Pid::new(store, pid.member))
}

fn impairment(cell: &Cell, planned: &Occurrence, nodes: &[Pid]) -> Option<Impairment> {
    let who = &cell.faults.who;
    let (of, what) = match &planned.action {
        Action::Network { .. } => {
            let what = format!("{}: {}", planned.fault, planned.action.describe(who));
            return Some(Impairment { from: planned.at, until: planned.until, what, whom: Vec::new() });
        }
        Action::Flush(of) => (of, "flushed".to_owned()),
        Action::Crash(of, Crash::Machine) => (of, "down".to_owned()),
        Action::Crash(of, Crash::Process) => (of, "down (its process)".to_owned()),
        Action::Pause(of) => (of, "paused".to_owned()),
        Action::Drain(of) => (of, "drained".to_owned()),
        Action::Clock { of, jump_ns, drift_ppb } => {
            let sign = if *jump_ns < 0 || *drift_ppb < 0 { "−" } else { "+" };
            let what = match drift_ppb.unsigned_abs() {
                0 => format!("clock {sign}{}", Span::from_ns(jump_ns.unsigned_abs())),
                ppb => format!("clock runs {sign}{} %", ppb as f64 / 1e7),
            };
            (of, what)
        }
        Action::Set { of, parameter, value, .. } => (of, format!("{parameter} = {value}")),
    };
    let whom: Vec<Pid> = of.clone().members(who).all().map(|pid| node(&cell.setup, pid)).collect();
    let whom: Vec<Pid> = whom.into_iter().filter(|pid| nodes.contains(pid)).collect();
    let (from, until) = (planned.at, planned.until);
    (!whom.is_empty()).then_some(Impairment { from, until, what, whom })
}

/// When a member led the others within a stretch of time.
pub(super) fn led(seen: &WitnessRun, member: Pid, (from, until): (Time, Time)) -> Vec<(Time, Time)> {
    let mut spans = Vec::new();
    let mut since = None;
    for change in seen.leads.iter().filter(|change| change.by == member) {
        match (change.begins, since) {
            (true, None) => since = Some(change.at),
            (false, Some(begin)) => {
                spans.push((begin, change.at));
                since = None;
            }
            _ => {}
        }
    }
    spans.extend(since.map(|begin| (begin, Time::NEVER)));
    spans.retain(|(begin, end)| *begin < until && *end > from);
    spans
}
