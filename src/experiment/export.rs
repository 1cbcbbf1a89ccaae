//! The history of a run as others read it: an event for each beginning and end of an operation on a store, as it happens. How
//! events are written down is another matter.
//!
//! Values are versions where a store has one value of a row at a time: 0 is the row's first, a read gives the version that it saw, an
//! update the one that it found and the one that it set. So no two values are the same, and any checker of registers can judge
//! them. Where additions add up values are numbers, less the row's number at the start. The numbers as clients saw them stand beside
//! (`n`).

use rustc_hash::FxHashMap;

use crate::base::ids::OpId;
use crate::base::op::{Op, Outcome, Reason, When};
use crate::experiment::setup::Setup;
use crate::measures::verdicts::{Facts, Merging};
use crate::record::history::{HistoryEvent, RowName, Step};

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An operation begins.
    Invoke,
    /// It succeeded.
    Ok,
    /// It certainly had no effect.
    Fail,
    /// Nobody knows.
    Info,
}

impl Kind {
    /// The word of Jepsen's histories.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Invoke => "invoke",
            Kind::Ok => "ok",
            Kind::Fail => "fail",
            Kind::Info => "info",
        }
    }
}

/// The value of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// None.
    Nothing,
    /// One.
    One(i64),
    /// What was found and what was set, or what was added and what came of it.
    Two(i64, i64),
}

/// An operation begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who: does one thing at a time.
    pub process: u64,
    /// Begins or ends, and how.
    pub kind: Kind,
    /// `read`, `write`, `update`, `add`.
    pub f: &'static str,
    /// The row, `kv.balance[17]`.
    pub key: String,
    /// The value.
    pub value: Said,
    /// The number as the client saw it.
    pub n: Option<i64>,
    /// The condition that did not hold, on numbers, and the row's number at the start.
    pub failed: Option<(When, i64, i64)>,
    /// When, nanoseconds.
    pub time_ns: u64,
    /// The program.
    pub program: String,
}

/// Makes events of what a run tells.
pub struct Teller<'a> {
    setup: &'a Setup,
    /// Processes that do nothing, by session and branch.
    idle: FxHashMap<(u64, u32), u64>,
    /// Who does what is under way.
    busy: FxHashMap<OpId, u64>,
    processes: u64,
}

impl<'a> Teller<'a> {
    /// Of a run that has not begun.
    pub fn new(setup: &'a Setup) -> Self {
        Teller { setup, idle: FxHashMap::default(), busy: FxHashMap::default(), processes: 0 }
    }

    /// The next thing that happens. Whoever does two things at once, or of whom something is still unknown, is told as two.
    pub fn tell(&mut self, moment: &HistoryEvent) -> Event {
        let (step, name) = (&moment.step, moment.row);
        let adds = self.setup.merging(name.store) == Merging::Adds;
        let start = self.setup.initial(name);
        let who = (step.session, step.branch);
        let (kind, process) = if moment.ends {
            let process = self.busy.remove(&step.attempt).unwrap_or(self.processes);
            let kind = match step.outcome {
                Outcome::Ok(_) | Outcome::Renew(_) => Kind::Ok,
                Outcome::Fail(_) => Kind::Fail,
                Outcome::Unknown(_) => Kind::Info,
            };
            if kind != Kind::Info {
                self.idle.insert(who, process);
            }
            (kind, process)
        } else {
            let process = self.idle.remove(&who).unwrap_or(self.processes);
            self.processes += u64::from(process == self.processes);
            self.busy.insert(step.attempt, process);
            (Kind::Invoke, process)
        };
        let value = if adds { by_number(step, kind, start) } else { by_version(step, kind) };
        Event {
            process,
            kind,
            f: word(&step.op, adds),
            key: self.row(name),
            value,
            n: step.outcome.value().map(|value| value.n).or(asked(step)),
            failed: failed(step, kind).map(|(when, bound)| (when, bound, start)),
            time_ns: moment.at.as_ns(),
            program: self.setup.program(step.program),
        }
    }

    fn row(&self, name: RowName) -> String {
        format!("{}[{}]", self.setup.table(name.store, name.table), name.key)
    }
}

fn word(op: &Op, adds: bool) -> &'static str {
    match op {
        Op::Write { .. } => "write",
        Op::Update { .. } if adds => "add",
        Op::Update { .. } | Op::Cas { .. } => "update",
        _ => "read",
    }
}

fn by_version(step: &Step, kind: Kind) -> Said {
    let own = step.attempt.0 as i64;
    match (step.op, kind, step.outcome) {
        (Op::Read { .. }, Kind::Ok, Outcome::Ok(value)) => Said::One(value.version.0 as i64),
        (Op::Write { .. }, Kind::Info, _) => step.found.map_or(Said::Nothing, |_| Said::One(own)),
        (Op::Write { .. }, _, _) => Said::One(own),
        (Op::Update { .. } | Op::Cas { .. }, Kind::Ok, Outcome::Ok(value)) => {
            Said::Two(value.parent.0 as i64, own)
        }
        (Op::Update { .. } | Op::Cas { .. }, Kind::Info, _) => {
            step.found.map_or(Said::Nothing, |found| Said::Two(found.0 as i64, own))
        }
        _ => Said::Nothing,
    }
}

fn by_number(step: &Step, kind: Kind, start: i64) -> Said {
    match (step.op, kind, step.outcome) {
        (Op::Read { .. }, Kind::Ok, Outcome::Ok(value)) => Said::One(value.n.wrapping_sub(start)),
        (Op::Write { n, .. }, _, _) => Said::One(n.wrapping_sub(start)),
        (Op::Update { delta, .. }, Kind::Ok, Outcome::Ok(value)) => {
            Said::Two(delta, value.n.wrapping_sub(start))
        }
        (Op::Update { delta, .. }, _, _) => Said::One(delta),
        _ => Said::Nothing,
    }
}

/// The number that an operation asks to be written.
fn asked(step: &Step) -> Option<i64> {
    if let Op::Write { n, .. } = step.op { Some(n) } else { None }
}

fn failed(step: &Step, kind: Kind) -> Option<(When, i64)> {
    match (step.op, step.outcome) {
        (Op::Update { when, bound, .. }, Outcome::Fail(Reason::Condition)) if kind == Kind::Fail => {
            Some((when, bound))
        }
        (Op::Cas { from, .. }, Outcome::Fail(Reason::Condition)) if kind == Kind::Fail => {
            Some((When::Equal, from))
        }
        _ => None,
    }
}
