//! What shows a violation, as a space-time diagram: the first failing run is made once more with everything recorded, and of it stands there
//! what matters to the violation and nothing else.
//!
//! A lane is a program call, with its operations and the locks that it held, or a member of a store, with the versions that it took in,
//! when it led the others, and what was wrong with it. An arrow goes from a write to each copy that took it in; where one is missing,
//! that copy never had it, or not while the picture lasts.

mod impairment;
mod lanes;
mod matters;
mod times;

use std::collections::BTreeSet;

use crate::base::op::{Op, Outcome};
use crate::base::time::{Span, Time};
use crate::experiment::Experiment;
use crate::experiment::cell::Cell;
use crate::experiment::outcome::CellTrials;
use crate::experiment::pictures::{Arrow, Axis, Bar, Plot, PlotKind, SpaceTime};
use crate::experiment::run::{WitnessRun, witness_run};
use crate::experiment::trial::Trial;
use crate::experiment::witness::lanes::Lanes;
use crate::experiment::witness::matters::{Matters, wrote};
use crate::measures::verdicts::{Facts, words};
use crate::record::history::Step;

/// Diagrams of one experiment at most, each of a run made again.
const DIAGRAMS_MAX: usize = 12;
/// What is shown before the first thing and after the last one, of the time between them.
const MARGIN: f64 = 0.02;

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
            let seen = witness_run(trials.cell, experiment.question.warmup, trial.seed, index);
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
fn diagram(cell: &Cell, property: &str, seed: u64, seen: &WitnessRun) -> Option<Plot> {
    let matters = Matters::of(seen);
    let (from, until) = matters.stretch(seen)?;
    let impairment = impairment::within(cell, seen, &matters, (from, until));
    let from = impairment.iter().map(|one| one.from).fold(from, Time::min);
    let lanes = Lanes::of(cell, seen, &matters, &impairment);
    let mut scene =
        Scene { cell, seen, matters: &matters, lanes: &lanes, bars: Vec::new(), arrows: Vec::new() };
    scene.operations();
    scene.holds(until);
    scene.versions();
    let (bars, arrows) = (scene.bars, scene.arrows);
    let (stretches, faults) = lanes.impairments(&impairment, (from, until));
    let setup = &cell.setup;
    let holds = seen.told.holds.iter().map(|hold| &seen.history.holds.all()[*hold as usize]);
    let mut locks: Vec<String> = holds.map(|hold| lanes::lock(hold, setup)).collect();
    locks.sort_unstable();
    locks.dedup();
    let of: Vec<String> = match locks.is_empty() {
        false => locks,
        true => {
            matters.rows.iter().map(|row| words::row(seen.history.rows()[row.0 as usize], setup)).collect()
        }
    };
    let margin = until.since(from).scale(MARGIN).max(Span::from_ns(1_000));
    let begin = Time::from_ns(from.as_ns().saturating_sub(margin.as_ns()));
    Some(Plot {
        name: format!("witness_{}_{property}", cell.variant),
        title: format!("{} violates {property}: {} in seed {seed}", cell.variant, of.join(", ")),
        note: String::new(),
        x: Axis { label: "time".to_owned(), unit: "s".to_owned(), log: false },
        y: Axis::default(),
        kind: PlotKind::SpaceTime(SpaceTime {
            note: seen.told.sentence.clone(),
            stretch: (begin.as_secs_f64(), (until + margin).as_secs_f64()),
            lanes: lanes.names(),
            bars,
            arrows,
            faults,
            stretches,
        }),
    })
}

/// A picture on its way.
struct Scene<'a> {
    cell: &'a Cell,
    seen: &'a WitnessRun,
    matters: &'a Matters,
    lanes: &'a Lanes<'a>,
    bars: Vec<Bar>,
    arrows: Vec<Arrow>,
}

impl Scene<'_> {
    fn step(&self, place: usize) -> &Step {
        &self.seen.history.steps()[place]
    }

    fn operations(&mut self) {
        for place in &self.matters.steps {
            let step = self.step(*place);
            let bar = Bar {
                lane: self.lanes.of_step(step),
                text: self.did(step),
                from: step.invoked.as_secs_f64(),
                to: (step.returned != Time::NEVER).then(|| step.returned.as_secs_f64()),
                marked: self.seen.told.steps.contains(place),
            };
            self.bars.push(bar);
        }
    }

    /// Who waited for locks and held them.
    fn holds(&mut self, until: Time) {
        for place in &self.matters.holds {
            let hold = &self.seen.history.holds.all()[*place as usize];
            let marked = self.seen.told.holds.contains(place);
            let lane = self.lanes.of_call(hold.origin, hold.by);
            let lock = lanes::lock(hold, &self.cell.setup);
            let mut bar = |text: String, from: Time, to: Time| {
                let to = (to != Time::NEVER).then(|| to.as_secs_f64());
                self.bars.push(Bar { lane, text, from: from.as_secs_f64(), to, marked });
            };
            if hold.granted == Time::NEVER {
                bar(format!("waits for {lock}"), hold.asked, hold.ended.min(until));
                continue;
            }
            let token = if hold.token == 0 { String::new() } else { format!(", token {}", hold.token) };
            bar(format!("holds {lock}{token}"), hold.granted, hold.ended);
        }
    }

    /// What copies took in, with an arrow from each write that is shown.
    fn versions(&mut self) {
        for (place, marked) in &self.matters.taken {
            let taken = &self.seen.history.taken()[*place];
            let store = self.seen.history.rows()[taken.row.0 as usize].store;
            let has = format!("has {}", self.value(taken.value.version.0, taken.value.n));
            let lost = self.seen.told.steps.first().filter(|_| *marked).map(|place| self.step(*place));
            let text = match lost {
                Some(step) => format!("{has}, {} is gone", self.value(step.attempt.0, made(step))),
                None => has,
            };
            let at = taken.at.as_secs_f64();
            let lane = self.lanes.of_copy(store, taken.copy);
            let row = self.row_words(taken.row);
            let text = format!("{text}{row}");
            let step = self.matters.steps.iter().position(|step| wrote(self.step(*step), taken));
            self.arrows.extend(step.filter(|_| !marked).map(|from| Arrow { from, to: self.bars.len() }));
            self.bars.push(Bar { lane, text, from: at, to: Some(at), marked: *marked });
        }
    }

    /// Which row, where several are shown.
    fn row_words(&self, row: crate::record::history::RowId) -> String {
        if self.matters.rows.len() < 2 {
            return String::new();
        }
        let name = words::row(self.seen.history.rows()[row.0 as usize], &self.cell.setup);
        format!(" in {}", name.split_once('.').map_or(name.as_str(), |(_, rest)| rest))
    }

    /// A value, and who wrote it where two of the versions that are shown are of that value.
    fn value(&self, version: u64, n: i64) -> String {
        if !self.matters.is_ambiguous(self.seen, version, n) {
            return n.to_string();
        }
        if version == 0 {
            return format!("{n} (of the start)");
        }
        let steps = self.seen.history.steps();
        let writer = steps.iter().find(|step| step.attempt.0 == version && step.writes());
        writer.map_or(n.to_string(), |step| format!("{n} of {}", self.lanes.call(step.origin, step.by).0))
    }

    /// What an operation did, in a few words.
    fn did(&self, step: &Step) -> String {
        let setup = &self.cell.setup;
        let what = match (step.op, step.outcome) {
            (Op::Read { .. } | Op::ReadForUpdate { .. }, Outcome::Ok(value)) => {
                format!("read {}", self.value(value.version.0, value.n))
            }
            (Op::Read { .. } | Op::ReadForUpdate { .. }, _) => "read".to_owned(),
            (Op::Write { n, .. }, _) => format!("write {n}"),
            (Op::Update { delta, .. }, Outcome::Ok(value)) => format!("{delta:+} gives {}", value.n),
            (Op::Update { delta, .. }, _) => format!("{delta:+}"),
            (Op::Cas { from, to, .. }, _) => format!("{from} to {to}"),
            _ => String::new(),
        };
        let how = match step.outcome {
            Outcome::Ok(_) | Outcome::Renew(_) => String::new(),
            Outcome::Fail(reason) => format!(", refused: {}", setup.reason_name(reason)),
            Outcome::Unknown(_) => ", no answer".to_owned(),
        };
        let program = setup.program(step.program);
        let by = match self.seen.history.call_of(step) {
            Some(call) if setup.probe_name(call.probe) != program => format!("{program}: "),
            _ => String::new(),
        };
        format!("{by}{what}{}{how}", self.row_words(step.row))
    }
}

/// The number that a write made.
fn made(step: &Step) -> i64 {
    match (step.op, step.outcome) {
        (_, Outcome::Ok(value)) => value.n,
        (Op::Write { n, .. }, _) => n,
        (Op::Cas { to, .. }, _) => to,
        _ => 0,
    }
}
