//! The history of a run put before those who judge it: when copies are looked at while the run goes on, and what is asked at its
//! end.

use crate::base::ids::TierId;
use crate::base::time::Time;
use crate::experiment::cell::Cell;
use crate::measures::asked::{Instant, Query, QueryKind};
use crate::measures::verdicts::{Finding, Run, answer};
use crate::record::survey::Survey;
use crate::sim::run::World;

/// What is looked at in one run, and what was seen.
#[derive(Debug, Default)]
pub struct Snapshots {
    moments: Vec<(Instant, Time)>,
    /// When to look at which stores, in order; what is to be looked at when the run ends comes last.
    due: Vec<(Time, TierId)>,
    next: usize,
    surveys: Vec<Survey>,
}

impl Snapshots {
    /// For a run with these faults: name, beginning and end.
    pub fn new(cell: &Cell, faults: &[(String, Time, Time)]) -> Snapshots {
        let end = Time::ZERO + cell.length;
        let asked = &cell.asked;
        let moments = asked.iter().flat_map(|asked| [&asked.before, &asked.at]).chain([&Instant::End]);
        let mut known: Vec<(Instant, Time)> = Vec::new();
        for moment in moments {
            if known.iter().all(|(known, _)| known != moment) {
                known.extend(time_of(moment, faults, end).map(|at| (moment.clone(), at)));
            }
        }
        let at = |moment: &Instant| known.iter().find(|(known, _)| known == moment).map(|(_, at)| *at);
        let mut due = Vec::new();
        for asked in asked {
            let at = match asked.what {
                QueryKind::Diverged => at(&asked.at),
                QueryKind::Lost | QueryKind::Unacked => Some(end),
                _ => None,
            };
            due.extend(asked.whose.tables().into_iter().filter_map(|(store, _)| Some((at?, store))));
        }
        due.sort_unstable();
        due.dedup();
        Snapshots { moments: known, due, next: 0, surveys: Vec::new() }
    }

    /// When to look next.
    pub fn next(&self) -> Option<Time> {
        self.due.get(self.next).map(|(at, _)| *at)
    }

    /// Looks at what is due next, in a world in which everything before has happened.
    pub fn look(&mut self, cell: &Cell, world: &World) {
        if let Some((at, store)) = self.due.get(self.next).copied() {
            self.next += 1;
            self.surveys.extend(cell.setup.survey(store, at, world));
        }
    }

    /// Looks at all that is left: the run has ended.
    pub fn look_last(&mut self, cell: &Cell, world: &World) {
        while self.next < self.due.len() {
            self.look(cell, world);
        }
    }

    /// The answers to all that a cell asks of its history, with the faults that there were.
    pub fn answers(
        &self,
        cell: &Cell,
        faults: &[(String, Time, Time)],
        world: &World,
    ) -> Vec<(Query, Finding)> {
        let end = Time::ZERO + cell.length;
        let known = cell.windows.iter().cloned().zip(world.recorder().windows().iter().copied());
        let windows: Vec<_> = known.collect();
        let over = faults.iter().all(|(_, _, until)| *until < end);
        let run = Run {
            history: &world.recorder().history,
            surveys: &self.surveys,
            moments: &self.moments,
            windows: &windows,
            calm: faults.iter().map(|(_, _, until)| *until).max().filter(|_| over),
            facts: &cell.setup,
            end: world.now(),
        };
        cell.asked.iter().map(|asked| (asked.clone(), answer(asked, &run))).collect()
    }
}

/// When a moment is; `None` if it never comes.
fn time_of(moment: &Instant, faults: &[(String, Time, Time)], end: Time) -> Option<Time> {
    let ends = |name: &str| of(name, faults).map(|(_, until)| until).max().filter(|until| *until <= end);
    let at = match moment {
        Instant::Begins(name) => of(name, faults).map(|(from, _)| from).min()?,
        Instant::Ends(name) => ends(name)?,
        Instant::After(name, span) => ends(name)? + *span,
        Instant::At(span) => Time::ZERO + *span,
        Instant::End => end,
    };
    Some(at).filter(|at| *at <= end)
}

/// From when until when a fault is on, each time.
fn of<'a>(name: &'a str, faults: &'a [(String, Time, Time)]) -> impl Iterator<Item = (Time, Time)> + 'a {
    faults.iter().filter(move |(fault, _, _)| fault == name).map(|(_, from, until)| (*from, *until))
}
