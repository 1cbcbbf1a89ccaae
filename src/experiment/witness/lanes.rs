//! The lanes of a witness: a program call each, then members of stores.

use std::collections::BTreeSet;

use crate::base::ids::{Pid, TierId};
use crate::base::time::Time;
use crate::experiment::cell::Cell;
use crate::experiment::pictures::Stretch;
use crate::experiment::run::WitnessRun;
use crate::experiment::setup::Setup;
use crate::experiment::witness::impairment::{Impairment, led, lock_places, members, node, stores};
use crate::experiment::witness::matters::Matters;
use crate::experiment::witness::times::when;
use crate::record::history::Step;
use crate::record::holds::Hold;

/// Copies of a store that are all shown; of more those with something in them.
const COPIES_MAX: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// A customer's request, at the process that carried it out.
    Call(u64, Pid),
    /// A member of a store.
    Member(Pid),
}

/// All of them, from top to bottom.
pub(super) struct Lanes<'a> {
    cell: &'a Cell,
    seen: &'a WitnessRun,
    lanes: Vec<Lane>,
}

impl<'a> Lanes<'a> {
    /// Those that a picture needs.
    pub fn of(
        cell: &'a Cell,
        seen: &'a WitnessRun,
        matters: &Matters,
        impairment: &[Impairment],
    ) -> Lanes<'a> {
        let setup = &cell.setup;
        let mut calls: Vec<(Time, Lane)> = Vec::new();
        for step in matters.steps.iter().map(|place| &seen.history.steps()[*place]) {
            calls.push((step.invoked, Lane::Call(step.origin, step.by)));
        }
        for hold in matters.holds.iter().map(|hold| &seen.history.holds.all()[*hold as usize]) {
            calls.push((when(hold).0, Lane::Call(hold.origin, hold.by)));
        }
        calls.sort_by_key(|(at, _)| *at);
        let mut lanes: Vec<Lane> = Vec::new();
        for (_, call) in calls {
            if !lanes.contains(&call) {
                lanes.push(call);
            }
        }
        let struck = |pid: &Pid| impairment.iter().any(|one| one.whom.contains(pid));
        for store in stores(seen, matters) {
            let took = |pid: &Pid| {
                let mut taken = matters.taken.iter().map(|(place, _)| &seen.history.taken()[*place]);
                taken.any(|taken| taken.copy == pid.member && of_store(seen, taken.row, store))
            };
            let all: Vec<Pid> = members(setup, store).collect();
            let few = all.len() <= COPIES_MAX as usize;
            lanes.extend(all.into_iter().filter(|pid| few || took(pid) || struck(pid)).map(Lane::Member));
        }
        let window = matters.stretch(seen).unwrap_or((Time::ZERO, Time::ZERO));
        let begin = impairment.iter().map(|one| one.from).fold(window.0, Time::min);
        for place in lock_places(setup, seen, matters) {
            let changes = |pid: &Pid| {
                let mut changes = seen.leads.iter().filter(|change| change.by == *pid);
                changes.any(|change| begin <= change.at && change.at <= window.1)
            };
            let all: Vec<Pid> =
                members(setup, place).filter(|pid| !lanes.contains(&Lane::Member(*pid))).collect();
            lanes.extend(all.into_iter().filter(|pid| struck(pid) || changes(pid)).map(Lane::Member));
        }
        Lanes { cell, seen, lanes }
    }

    fn find(&self, lane: Lane) -> usize {
        self.lanes.iter().position(|known| *known == lane).unwrap_or(usize::MAX)
    }

    /// That of an operation.
    pub fn of_step(&self, step: &Step) -> usize {
        self.find(Lane::Call(step.origin, step.by))
    }

    /// That of a program call.
    pub fn of_call(&self, origin: u64, by: Pid) -> usize {
        self.find(Lane::Call(origin, by))
    }

    /// That of a copy.
    pub fn of_copy(&self, store: TierId, copy: u32) -> usize {
        self.find(Lane::Member(Pid::new(store, copy)))
    }

    /// What a call is named, and who runs it for whom.
    pub fn call(&self, origin: u64, by: Pid) -> (String, String) {
        let (calls, place) = (self.seen.history.calls(), self.member(node(&self.cell.setup, by)));
        let Some(index) = calls.iter().position(|call| call.origin == origin) else {
            return ("nobody's".to_owned(), place);
        };
        let call = &calls[index];
        let number = calls[..=index].iter().filter(|other| other.probe == call.probe).count();
        let name = format!("{} {number}", self.cell.setup.probe_name(call.probe));
        if call.session == call.origin {
            return (name, place); // a customer of one request
        }
        let mut met = BTreeSet::new();
        let mut sessions = calls.iter().filter(|other| met.insert(other.session));
        let customer = sessions.position(|other| other.session == call.session).unwrap_or(0) + 1;
        (name, format!("{place}, customer {customer}"))
    }

    /// `kv[0] in a`; the zone where there are several.
    fn member(&self, pid: Pid) -> String {
        let setup = &self.cell.setup;
        let Some(part) = setup.design.names.get(pid.tier.0 as usize) else { return "a client".to_owned() };
        let name = self.cell.faults.who.name(pid);
        let zones = &setup.design.known.zones;
        let zone = part.zones.get(pid.member as usize % part.zones.len().max(1));
        match zone.and_then(|zone| zones.get(zone.0 as usize)) {
            Some(zone) if zones.len() > 1 => format!("{name} in {zone}"),
            _ => name,
        }
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        let name = |lane: &Lane| match lane {
            Lane::Member(pid) => self.member(*pid),
            Lane::Call(origin, by) => {
                let (name, of) = self.call(*origin, *by);
                format!("{name}\n{of}")
            }
        };
        self.lanes.iter().map(name).collect()
    }

    /// What was wrong with whom, and who led, on their lanes; and what was wrong with the network.
    pub fn impairments(
        &self,
        impairment: &[Impairment],
        (from, until): (Time, Time),
    ) -> (Vec<Stretch>, Vec<(String, f64, f64)>) {
        let seconds = |at: Time| at.clamp(from, until).as_secs_f64();
        let mut stretches = Vec::new();
        for (lane, kind) in self.lanes.iter().enumerate() {
            let pid = match kind {
                Lane::Member(pid) => *pid,
                Lane::Call(_, by) => node(&self.cell.setup, *by),
            };
            for one in impairment.iter().filter(|one| one.whom.contains(&pid)) {
                let text = one.what.clone();
                let (from, to) = (seconds(one.from), seconds(one.until));
                stretches.push(Stretch { lane, text, from, to, bad: true });
            }
            if let Lane::Member(_) = kind {
                for (begin, end) in led(self.seen, pid, (from, until)) {
                    let (from, to) = (seconds(begin), seconds(end));
                    stretches.push(Stretch { lane, text: "leads".to_owned(), from, to, bad: false });
                }
            }
        }
        let network = impairment.iter().filter(|one| one.whom.is_empty());
        let faults = network.map(|one| (one.what.clone(), seconds(one.from), seconds(one.until))).collect();
        (stretches, faults)
    }
}

fn of_store(seen: &WitnessRun, row: crate::record::history::RowId, store: TierId) -> bool {
    seen.history.rows()[row.0 as usize].store == store
}

/// `seat[1]`.
pub(super) fn lock(hold: &Hold, setup: &Setup) -> String {
    let (part, key) = hold.lock;
    format!("{}[{key}]", setup.design.names[part.index()].name)
}
