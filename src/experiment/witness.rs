//! What shows a violation, as a space-time diagram: the first failing run is made once more with everything recorded, and around the
//! operations of the witness stands what else happened to their row.
//!
//! A lane is a process: one that asks, with its operations, and a copy, with the versions that it took in. An arrow goes from a write to
//! each copy that took it in; where one is missing, that copy never had it, or not while the picture lasts.

use std::collections::BTreeSet;

use crate::base::ids::{OpId, Pid};
use crate::base::op::{Op, Outcome};
use crate::base::time::{Span, Time};
use crate::check::nearest;
use crate::experiment::Experiment;
use crate::experiment::load::Cell;
use crate::experiment::outcome::CellTrials;
use crate::experiment::pictures::{Arrow, Axis, Bar, Plot, PlotKind, SpaceTime};
use crate::experiment::setup::Setup;
use crate::experiment::trial::{Caught, Trial, caught};
use crate::measures::verdicts::{Facts, words};
use crate::record::history::{NO_COPY, RowId, Step, Taken};
use crate::record::holds::Hold;

/// Diagrams of one experiment at most, each of a run made again.
const DIAGRAMS_MAX: usize = 12;
/// Operations of a diagram at most: with more the picture is of the row's whole life, and what clashes is a corner of it.
const OPERATIONS_MAX: usize = 6;
/// Holds of locks that are shown with operations, at most.
const HOLDS_MAX: usize = 6;
/// What is shown before the first operation and after the last one, of the time between them.
const MARGIN: f64 = 0.05;
/// What is shown after that, for texts run to the right.
const ROOM: f64 = 0.1;
/// A fault is shown that is no farther away than so many times the stretch without it.
const FAULT_NEAR: f64 = 20.0;

/// A diagram for each variant and violated property whose witness names operations, at the first sweep point that shows it.
pub fn diagrams(experiment: &Experiment, cells: &[CellTrials<'_>]) -> Vec<Plot> {
    let mut shown: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut plots = Vec::new();
    for trials in cells {
        for (index, judged) in trials.cell.judged.iter().enumerate() {
            let name = (trials.cell.variant.as_str(), judged.property.name.as_str());
            let asks = judged.condition.as_ref().is_some_and(|named| named.expression.is_of_history());
            let violates =
                |trial: &&Trial| trial.seen[index].as_ref().is_some_and(|seen| seen.holds == Some(false));
            let failing = trials.trials.iter().find(violates).filter(|_| asks && !shown.contains(&name));
            let Some(trial) = failing else { continue };
            let seen = caught(trials.cell, experiment.question.warmup, trial.seed, index);
            let plot = seen.and_then(|seen| diagram(trials.cell, &judged.property.name, trial.seed, &seen));
            if let Some(plot) = plot {
                shown.insert(name);
                plots.push(plot);
            }
            if plots.len() == DIAGRAMS_MAX {
                return plots;
            }
        }
    }
    plots
}

/// The diagram of one violation.
fn diagram(cell: &Cell, property: &str, seed: u64, seen: &Caught) -> Option<Plot> {
    let (steps, setup) = (seen.history.steps(), &cell.setup);
    let places = match seen.told.steps.first() {
        Some(named) => around(steps, steps.get(*named)?.row, &seen.told.steps),
        None => within(steps, seen),
    };
    let row = places.first().map(|place| steps[*place].row);
    let (from, until) = stretch(&places, seen)?;
    let mut lanes = Lanes { setup, nodes: Vec::new() };
    places.iter().for_each(|place| lanes.add(steps[*place].by));
    seen.told.holds.iter().for_each(|hold| lanes.add(seen.history.holds.all()[*hold as usize].by));
    let name = row.map(|row| seen.history.rows()[row.0 as usize]);
    if let Some(name) = name {
        let copies = setup.design.names[name.store.0 as usize].count;
        (0..copies).for_each(|member| lanes.add(Pid::new(name.store, member)));
    }
    let bar = |place: &usize| Bar {
        lane: lanes.of(steps[*place].by),
        text: did(&steps[*place], setup),
        from: steps[*place].invoked.as_secs_f64(),
        to: (steps[*place].returned != Time::NEVER).then(|| steps[*place].returned.as_secs_f64()),
        marked: seen.told.steps.contains(place),
    };
    let mut bars: Vec<Bar> = places.iter().map(bar).collect();
    bars.extend(held(seen, &lanes, from, until));
    let mut arrows = Vec::new();
    let is_shown = |taken: &&Taken| row.is_some_and(|row| is_shown(taken, row, from, until));
    for taken in seen.history.taken().iter().filter(is_shown) {
        let store = name.expect("it is of a row").store;
        let (lane, at) = (lanes.of(Pid::new(store, taken.copy)), taken.at.as_secs_f64());
        let text = format!("has {}", taken.value.n);
        bars.push(Bar { lane, text, from: at, to: Some(at), marked: false });
        let step = places.iter().map(|place| &steps[*place]).find(|step| wrote(step, taken));
        arrows.extend(
            step.map(|step| Arrow { from: (lanes.of(step.by), step.invoked.as_secs_f64()), to: (lane, at) }),
        );
    }
    let faults = seen.faults.iter().filter(|(_, begin, end)| *begin < until && *end > from);
    let faults =
        faults.map(|(name, begin, end)| (name.clone(), begin.as_secs_f64(), end.as_secs_f64())).collect();
    let note = seen.told.sentence.clone();
    let stretch = (from.as_secs_f64(), until.as_secs_f64());
    let of = match (seen.told.holds.first(), name) {
        (Some(hold), _) => lock(&seen.history.holds.all()[*hold as usize], setup),
        (None, name) => words::row(name?, setup),
    };
    Some(Plot {
        name: format!("witness_{}_{property}", cell.variant),
        title: format!("{property}, {}, seed {seed}: {of}", cell.variant),
        x: Axis { label: "time".to_owned(), unit: "s".to_owned(), log: false },
        y: Axis::default(),
        kind: PlotKind::SpaceTime(SpaceTime { note, stretch, lanes: lanes.names(), bars, arrows, faults }),
    })
}

/// From before the first thing that is shown to after the last one.
fn stretch(places: &[usize], seen: &Caught) -> Option<(Time, Time)> {
    let steps = places.iter().map(|place| &seen.history.steps()[*place]);
    let holds = seen.told.holds.iter().map(|hold| &seen.history.holds.all()[*hold as usize]);
    let spans: Vec<(Time, Time)> =
        steps.map(|step| (step.invoked, end(step))).chain(holds.map(when)).collect();
    let first = spans.iter().map(|(begin, _)| *begin).min()?;
    let last = spans.iter().map(|(_, end)| *end).max()?;
    let margin = last.since(first).scale(MARGIN).max(Span::from_ms(1));
    let (from, until) = (Time::from_ns(first.as_ns().saturating_sub(margin.as_ns())), last + margin);
    let (from, until) = with_fault(from, until, &seen.faults);
    Some((from, until + until.since(from).scale(ROOM)))
}

/// When a hold lasted, or was asked for if it never did.
fn when(hold: &Hold) -> (Time, Time) {
    let begin = if hold.granted == Time::NEVER { hold.asked } else { hold.granted };
    (begin, if hold.ended == Time::NEVER { begin } else { hold.ended })
}

/// What was done for the requests that held the locks of a witness.
fn within(steps: &[Step], seen: &Caught) -> Vec<usize> {
    let all = seen.history.holds.all();
    let named: Vec<&Hold> = seen.told.holds.iter().map(|hold| &all[*hold as usize]).collect();
    let of_hold = |step: &Step| {
        let its = |hold: &&&Hold| {
            let (begin, end) = when(hold);
            hold.origin == step.origin && begin <= step.invoked && step.invoked <= end
        };
        named.iter().any(|hold| its(&hold))
    };
    (0..steps.len()).filter(|place| of_hold(&steps[*place])).take(OPERATIONS_MAX).collect()
}

/// Who waited for locks and held them, of the processes that are shown: those that a witness names, and the others that were there.
fn held(seen: &Caught, lanes: &Lanes<'_>, from: Time, until: Time) -> Vec<Bar> {
    let all = seen.history.holds.all();
    let named = |place: u32| seen.told.holds.contains(&place);
    let around = |place: u32| seen.told.holds.iter().any(|hold| all[*hold as usize].around == Some(place));
    let mut bars = Vec::new();
    for (place, hold) in (0u32..).zip(all) {
        let lane = lanes.of(hold.by);
        let (begin, end) = when(hold);
        let is_there = lane != usize::MAX && begin <= until && end >= from;
        let alone = seen.told.holds.is_empty() && hold.granted < Time::NEVER;
        if !is_there || !(named(place) || around(place) || alone && bars.len() < HOLDS_MAX) {
            continue;
        }
        let lock = lock(hold, lanes.setup);
        let marked = named(place);
        let mut bar = |text: String, begin: Time, end: Time| {
            let (begin, end) = (begin.max(from), end.min(until));
            if end >= begin {
                let (from, to) = (begin.as_secs_f64(), Some(end.as_secs_f64()));
                bars.push(Bar { lane, text, from, to, marked });
            }
        };
        let waited = hold.granted.min(hold.ended);
        if marked && waited.min(until).since(hold.asked.max(from)) > until.since(from).scale(MARGIN) {
            bar(format!("waits for {lock}"), hold.asked, waited);
        }
        if hold.granted < Time::NEVER {
            let token = if hold.token == 0 { String::new() } else { format!(", token {}", hold.token) };
            bar(format!("holds {lock}{token}"), hold.granted, hold.ended);
        }
    }
    bars
}

/// `seat[1]`.
fn lock(hold: &Hold, setup: &Setup) -> String {
    let (part, key) = hold.lock;
    format!("{}[{key}]", setup.design.names[part.index()].name)
}

/// The stretch, and up to the fault after it, or back to the one before it, if none is in it and one is not far.
fn with_fault(from: Time, until: Time, faults: &[(String, Time, Time)]) -> (Time, Time) {
    let far = until.since(from).scale(FAULT_NEAR);
    let near = |apart: Span| apart <= far;
    if faults.iter().any(|(_, begin, end)| *begin < until && *end > from) {
        return (from, until);
    }
    let after = faults.iter().map(|(_, begin, _)| *begin).filter(|begin| *begin >= until).min();
    if let Some(after) = after.filter(|after| near(after.since(until))) {
        return (from, after + after.since(from).scale(MARGIN));
    }
    let before = faults.iter().map(|(_, _, end)| *end).filter(|end| *end <= from).max();
    match before.filter(|before| near(from.since(*before))) {
        Some(before) => {
            let margin = until.since(before).scale(MARGIN);
            (Time::from_ns(before.as_ns().saturating_sub(margin.as_ns())), until)
        }
        None => (from, until),
    }
}

fn end(step: &Step) -> Time {
    if step.returned == Time::NEVER { step.invoked } else { step.returned }
}

/// The operations of a witness, and of the others on their row those nearest to them in time.
fn around(steps: &[Step], row: RowId, named: &[usize]) -> Vec<usize> {
    let of_row: Vec<usize> = (0..steps.len()).filter(|place| steps[*place].row == row).collect();
    let span = |place: &usize| {
        let step = &steps[*place];
        (step.invoked.as_ns(), end(step).as_ns(), named.contains(place))
    };
    let spans: Vec<(u64, u64, bool)> = of_row.iter().map(span).collect();
    nearest(&spans, OPERATIONS_MAX).into_iter().map(|index| of_row[index]).collect()
}

/// Whether a version is one that a copy took in anew within a stretch of time.
fn is_shown(taken: &Taken, row: RowId, from: Time, until: Time) -> bool {
    let anew = taken.value.version != taken.over && taken.copy != NO_COPY;
    taken.row == row && anew && from <= taken.at && taken.at <= until
}

/// Whether a version was written by an operation.
fn wrote(step: &Step, taken: &Taken) -> bool {
    step.writes() && step.attempt != OpId(0) && [taken.value.version, taken.also].contains(&step.attempt)
}

/// What an operation did, in a few words.
fn did(step: &Step, setup: &Setup) -> String {
    let what = match (step.op, step.outcome) {
        (Op::Read { .. }, Outcome::Ok(value)) => format!("read {}", value.n),
        (Op::Read { .. }, _) => "read".to_owned(),
        (Op::Write { n, .. }, _) => format!("write {n}"),
        (Op::Update { delta, .. }, Outcome::Ok(value)) => format!("{delta:+} gives {}", value.n),
        (Op::Update { delta, .. }, _) => format!("{delta:+}"),
        (Op::Cas { from, to, .. }, _) => format!("{from} to {to}"),
        _ => String::new(),
    };
    let how = match step.outcome {
        Outcome::Ok(_) | Outcome::Renew(_) => "",
        Outcome::Fail(_) => ", refused",
        Outcome::Unknown(_) => ", unknown",
    };
    format!("{}: {what}{how}", setup.program(step.program))
}

/// Processes by place, each with a name: what runs a store's programs shares the lane of its copy.
struct Lanes<'a> {
    setup: &'a Setup,
    nodes: Vec<Pid>,
}

impl Lanes<'_> {
    fn node(&self, pid: Pid) -> Pid {
        self.setup.beside(pid.tier).map_or(pid, |store| Pid::new(store, pid.member))
    }

    fn add(&mut self, pid: Pid) {
        let node = self.node(pid);
        if !self.nodes.contains(&node) {
            self.nodes.push(node);
            self.nodes.sort_unstable();
        }
    }

    fn of(&self, pid: Pid) -> usize {
        let node = self.node(pid);
        self.nodes.iter().position(|known| *known == node).unwrap_or(usize::MAX)
    }

    fn names(&self) -> Vec<String> {
        let name = |pid: &Pid| match self.setup.design.names.get(pid.tier.0 as usize) {
            Some(part) => {
                let zone = part.zones[pid.member as usize % part.zones.len()];
                let zone = self.setup.design.known.zones.get(zone.0 as usize).map_or("", String::as_str);
                format!("{}[{}] in {zone}", part.name, pid.member)
            }
            None => "a client".to_owned(),
        };
        self.nodes.iter().map(name).collect()
    }
}
