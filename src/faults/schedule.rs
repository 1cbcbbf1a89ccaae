//! Carries a timetable out: knows what is due next, follows the moments that faults wait for, and writes down what happened
//! as a plan in which nothing is left open.
//!
//! At one instant ends come before beginnings, and both in the order of the faults' names, clocks first; a fault that waits for another
//! comes after it. Clocks that are wrong from the start of a run on are so when its processes begin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::ids::SeriesId;
use crate::base::time::Time;
use crate::faults::action::Action;
use crate::faults::active::Active;
use crate::faults::plan::{FaultEntry, Occurrence, TIMES_MAX};
use crate::faults::trigger::{Trigger, When};
use crate::sim::cluster::Cluster;

/// Begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    End,
    Begin,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Time,
    edge: Edge,
    rank: Rank,
    /// Which fault, in the order of their names.
    fault: usize,
    what: What,
}

/// What comes first of what is due at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Clock,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A time of the plan.
    Occurrence(usize),
    /// Another time of the fault, if the moment of that number is still on.
    Another(u64),
}

/// Where a fault stands.
#[derive(Clone, Debug, Default)]
struct State {
    /// Times so far, those that did not happen included; one more than there may be when there would be more.
    times: u64,
    /// How many of its times are on.
    on: usize,
    /// Whether the moment that it waits for is on.
    moment: bool,
    /// How many such moments there were.
    moments: u64,
    /// Its times that end with the moment.
    open: Vec<usize>,
}

/// The faults of one run.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    entries: Arc<[FaultEntry]>,
    /// The run's key for draws.
    key: u64,
    horizon: Time,
    planned: Vec<Occurrence>,
    /// By time of the plan: which fault.
    owners: Vec<usize>,
    states: Vec<State>,
    due: BTreeSet<Due>,
    /// What has begun and ended, in order: when, and the time of the plan.
    done: Vec<(Time, Edge, usize)>,
    active: Active,
}

impl Schedule {
    /// The faults of `entries`, which are in order of name, until `horizon`.
    pub fn new(entries: Arc<[FaultEntry]>, horizon: Time, key: u64) -> Schedule {
        let states = vec![State::default(); entries.len()];
        let mut schedule = Schedule { entries: entries.clone(), key, horizon, states, ..Schedule::default() };
        for (fault, entry) in entries.iter().enumerate() {
            let (times, count) = entry.times(horizon, key);
            schedule.states[fault].times = count;
            for planned in times {
                let at = planned.at;
                let index = schedule.plan(fault, planned);
                schedule.push(at, Edge::Begin, fault, What::Occurrence(index));
            }
        }
        schedule
    }

    /// A plan as it is, for doing again what happened in a run.
    pub fn of_plan(plan: Vec<Occurrence>, horizon: Time) -> Schedule {
        let mut names: Vec<String> = plan.iter().map(|planned| planned.fault.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let states = vec![State::default(); names.len()];
        let mut schedule = Schedule { horizon, states, ..Schedule::default() };
        for planned in plan {
            let fault = names.binary_search(&planned.fault).expect("every name is there");
            let at = planned.at;
            let index = schedule.plan(fault, planned);
            schedule.push(at, Edge::Begin, fault, What::Occurrence(index));
        }
        schedule
    }

    /// When something is due next.
    pub fn next(&self) -> Option<Time> {
        self.due.first().map(|due| due.at)
    }

    /// Carries out what is to be wrong with clocks when processes begin.
    pub fn set_clocks(&mut self, cluster: &mut dyn Cluster) {
        let begins = |due: &Due| due.at == Time::ZERO && due.edge == Edge::Begin && due.rank == Rank::Clock;
        while self.due.first().is_some_and(begins) {
            self.step(Some(&mut *cluster));
        }
    }

    /// What has happened and what is known to be going to, in order of beginning.
    pub fn plan_so_far(&self) -> Vec<Occurrence> {
        let mut order: Vec<usize> = (0..self.planned.len()).collect();
        order.sort_by_key(|index| (self.planned[*index].at, self.owners[*index], *index));
        order.into_iter().map(|index| self.planned[index].clone()).collect()
    }

    /// What has begun (true) and ended, in order, but for the first `passed`: when, and what.
    pub fn done_since(&self, passed: usize) -> impl Iterator<Item = (Time, bool, &Occurrence)> {
        let done = self.done.get(passed..).unwrap_or_default();
        done.iter().map(|(at, edge, index)| (*at, *edge == Edge::Begin, &self.planned[*index]))
    }

    /// The name of a fault that would happen more often than a plan may hold, if there is one.
    pub fn overdone(&self) -> Option<&str> {
        let fault = self.states.iter().position(|state| state.times > TIMES_MAX as u64)?;
        self.entries.get(fault).map(|entry| entry.name.as_str())
    }

    /// The levels whose changes tell moments: whoever runs the world calls [`Schedule::notice`] after each.
    pub fn watched(entries: &[FaultEntry]) -> Vec<SeriesId> {
        let led = entries.iter().filter_map(|entry| match &entry.at {
            Some(When::During(Trigger::Election { led, .. })) => Some(led),
            _ => None,
        });
        led.flat_map(|led| [led.leaders, led.standing]).collect()
    }

    /// Looks whether moments have begun or ended. What follows from it is due now.
    pub fn notice(&mut self, now: Time, cluster: &dyn Cluster) {
        let entries = self.entries.clone();
        for (fault, entry) in entries.iter().enumerate() {
            let Some(When::During(moment @ Trigger::Election { .. })) = &entry.at else { continue };
            match (self.states[fault].moment, moment.is_on(cluster)) {
                (false, true) => self.moment_begins(fault, now),
                (true, false) => self.moment_ends(fault, now),
                _ => {}
            }
        }
    }

    /// Carries out what is due next. Without a cluster it only finds out what follows from what: roles stay open.
    pub fn step(&mut self, mut cluster: Option<&mut dyn Cluster>) {
        let Some(Due { at, edge, fault, what, .. }) = self.due.pop_first() else { return };
        match (what, edge) {
            (What::Occurrence(index), Edge::Begin) => self.begins(index, cluster),
            (What::Occurrence(index), Edge::End) => self.ends(index, at, cluster.take()),
            (What::Another(moment), _) => self.another(fault, moment, at, cluster),
        }
    }

    /// Of two schedules that were stepped to their ends: before when both do the same. `None`: they never differ.
    pub fn divergence_point(&self, other: &Schedule) -> Option<Time> {
        let same = |a: &(Time, Edge, usize), b: &(Time, Edge, usize)| {
            let (mine, theirs) = (&self.planned[a.2], &other.planned[b.2]);
            (a.0, a.1) == (b.0, b.1) && mine.fault == theirs.fault && mine.action == theirs.action
        };
        let alike = self.done.iter().zip(&other.done).take_while(|(a, b)| same(a, b)).count();
        let next = [self, other].into_iter().filter_map(|schedule| schedule.done.get(alike));
        next.map(|(at, _, _)| *at).min()
    }

    /// Takes over where another stands that has done in a world everything before `at`, which is just what this one would have done.
    pub fn catch_up(&mut self, led: &Schedule, at: Time) {
        while self.next().is_some_and(|due| due < at) {
            self.step(None);
        }
        let mut mine = BTreeMap::new(); // by time of their plan: the same of ours
        for ((_, _, theirs), (_, _, ours)) in led.done.iter().zip(&self.done) {
            mine.insert(*theirs, *ours);
            self.planned[*ours].action = led.planned[*theirs].action.clone();
        }
        self.active = led.active.renumbered(|theirs| mine[&theirs]);
    }

    fn plan(&mut self, fault: usize, planned: Occurrence) -> usize {
        self.planned.push(planned);
        self.owners.push(fault);
        self.planned.len() - 1
    }

    fn push(&mut self, at: Time, edge: Edge, fault: usize, what: What) {
        let of_clock = |index: usize| matches!(self.planned[index].action, Action::Clock { .. });
        let rank = match what {
            What::Occurrence(index) if of_clock(index) => Rank::Clock,
            _ => Rank::Other,
        };
        if at < self.horizon {
            self.due.insert(Due { at, edge, rank, fault, what });
        }
    }

    fn begins(&mut self, index: usize, cluster: Option<&mut dyn Cluster>) {
        let fault = self.owners[index];
        if let Some(cluster) = cluster {
            self.planned[index].action = self.planned[index].action.resolve(cluster);
            self.active.begin(index, &self.planned[index], cluster);
        }
        let Occurrence { at, until, .. } = self.planned[index];
        self.done.push((at, Edge::Begin, index));
        self.states[fault].on += 1;
        if self.states[fault].on == 1 && until > at {
            self.each_that_waits_for(fault, |schedule, other| schedule.moment_begins(other, at));
        }
        self.push(until, Edge::End, fault, What::Occurrence(index));
    }

    fn ends(&mut self, index: usize, at: Time, cluster: Option<&mut dyn Cluster>) {
        let fault = self.owners[index];
        if let Some(cluster) = cluster {
            self.active.end(index, &self.planned[index], cluster);
        }
        self.done.push((at, Edge::End, index));
        self.states[fault].on -= 1;
        if self.states[fault].on == 0 {
            self.each_that_waits_for(fault, |schedule, other| schedule.moment_ends(other, at));
        }
        let entries = self.entries.clone();
        let name = &self.planned[index].fault;
        let later = entries.iter().enumerate().filter_map(|(other, entry)| match &entry.at {
            Some(When::After(awaited, span)) if awaited == name => Some((other, at + *span)),
            _ => None,
        });
        for (other, at) in later.collect::<Vec<_>>() {
            let moment = self.states[other].moments;
            self.push(at, Edge::Begin, other, What::Another(moment));
        }
    }

    /// The faults that happen during another.
    fn each_that_waits_for(&mut self, fault: usize, tell: impl Fn(&mut Schedule, usize)) {
        let entries = self.entries.clone();
        let Some(awaited) = entries.get(fault) else { return };
        for (other, entry) in entries.iter().enumerate() {
            if matches!(&entry.at, Some(When::During(Trigger::Fault(name))) if *name == awaited.name) {
                tell(self, other);
            }
        }
    }

    fn moment_begins(&mut self, fault: usize, now: Time) {
        let state = &mut self.states[fault];
        if !std::mem::replace(&mut state.moment, true) {
            state.moments += 1;
            let moment = state.moments;
            self.push(now, Edge::Begin, fault, What::Another(moment));
        }
    }

    fn moment_ends(&mut self, fault: usize, now: Time) {
        self.states[fault].moment = false;
        for index in std::mem::take(&mut self.states[fault].open) {
            self.planned[index].until = now;
            self.push(now, Edge::End, fault, What::Occurrence(index));
        }
    }

    /// One more time of a fault that waits for a moment.
    fn another(&mut self, fault: usize, moment: u64, at: Time, cluster: Option<&mut dyn Cluster>) {
        let entries = self.entries.clone();
        let (entry, state) = (&entries[fault], &mut self.states[fault]);
        let with_moment = matches!(entry.at, Some(When::During(_)));
        if with_moment && !(state.moment && state.moments == moment) || state.times > TIMES_MAX as u64 {
            return;
        }
        let number = state.times;
        state.times += 1;
        if state.times > TIMES_MAX as u64 {
            return;
        }
        if let Some(span) = entry.after(number, self.key) {
            self.push(at + span, Edge::Begin, fault, What::Another(moment));
        }
        let Some(planned) = entry.time(at, number, self.key) else { return };
        let index = self.plan(fault, planned);
        if with_moment && entry.lasts.is_none() && !entry.momentary {
            self.states[fault].open.push(index);
        }
        self.begins(index, cluster);
    }
}
