//! From a timetable to a plan: what happens when, in one run. Made from the seed before the run; nothing in it is left
//! to chance, so it can be printed, replayed and shrunk.

use crate::base::dist::Dist;
use crate::base::rng::{Bits, Draws, mix, name_hash};
use crate::base::time::{Span, Time};
use crate::faults::target::{Target, Who};
use crate::sim::cluster::{Crash, Effect, NodeSet};

/// The most times that one fault happens in a run: more would not fit a printed plan, and an `every` of 0 would never
/// end.
pub const TIMES_MAX: usize = 100_000;

/// What a fault does: all that can be done to a world.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// What is cached is forgotten.
    Flush(Target),
    /// Processes crash, and start again at the end.
    Crash(Target, Crash),
    /// Processes stand still.
    Pause(Target),
    /// A knob has another value.
    Set {
        /// Whose.
        of: Target,
        /// Which.
        knob: &'static str,
        /// Its value meanwhile.
        value: f64,
        /// Its value in the design, where that is one number.
        design: Option<f64>,
    },
    /// The network has troubles.
    Network {
        /// At one end, and in which way.
        of: Target,
        /// At the other end; `None`: everybody.
        with: Option<Target>,
        /// What trouble.
        trouble: Trouble,
    },
}

/// A trouble of the network, both ways.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// Nothing gets through.
    Cut,
    /// This share of packets is lost.
    Loss(f64),
    /// Packets take longer by this law.
    Delay(Dist),
}

/// A fault of the timetable.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// When it first happens; `None`: after the first `every`.
    pub at: Option<Dist>,
    /// After how long it happens again.
    pub every: Option<Dist>,
    /// How long it lasts; `None`: to the end of the run, or for a moment.
    pub lasts: Option<Dist>,
    /// The chance of each time.
    pub chance: f64,
    /// Whether it is over the moment it happens.
    pub momentary: bool,
    /// What it does.
    pub action: Action,
}

/// One time that a fault happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The fault's name.
    pub fault: String,
    /// When it begins.
    pub at: Time,
    /// When it ends; [`Time::NEVER`]: with the run. A momentary fault ends as it begins.
    pub until: Time,
    /// What it does, with its chances drawn.
    pub action: Action,
}

/// Begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// It ends.
    End,
    /// It begins.
    Begin,
}

/// All that happens before `horizon`, in order of beginning. `key` is the run's; each fault's draws depend on it and
/// on the fault's name alone, so that another fault more or less moves nothing.
pub fn expand(timetable: &[Entry], horizon: Time, key: u64) -> Vec<Planned> {
    let mut plan: Vec<Planned> = timetable.iter().flat_map(|entry| times(entry, horizon, key)).collect();
    plan.sort_by(|a, b| (a.at, &a.fault).cmp(&(b.at, &b.fault)));
    plan
}

fn times(entry: &Entry, horizon: Time, key: u64) -> Vec<Planned> {
    let mut times = Vec::new();
    let fault = mix(mix(key, name_hash("fault")), name_hash(&entry.name));
    let mut next: Option<Time> = None;
    for number in 0..TIMES_MAX as u64 {
        // Each time has draws of its own: whether it happens does not move the next.
        let mut draws = Draws::new(mix(fault, number));
        let gap = |law: &Option<Dist>, draws: &mut Draws| law.as_ref().map(|law| law.span(draws));
        let (first, again) = (gap(&entry.at, &mut draws), gap(&entry.every, &mut draws));
        let at = match next {
            None => Time::ZERO + first.or(again).unwrap_or(Span::ZERO),
            Some(at) => at,
        };
        if at >= horizon {
            break;
        }
        let happens = draws.open01() < entry.chance;
        let lasts = gap(&entry.lasts, &mut draws);
        let until = match lasts {
            _ if entry.momentary => at,
            Some(span) => at + span,
            None => Time::NEVER,
        };
        if happens {
            let action = entry.action.draw(&mut draws);
            times.push(Planned { fault: entry.name.clone(), at, until, action });
        }
        // The gap to the next time is a draw of the next time, so that the first `every` is not used twice.
        let following = gap(&entry.every, &mut Draws::new(mix(mix(fault, number), 1)));
        match following {
            Some(span) => next = Some(at + span),
            None => break,
        }
    }
    times
}

/// When the faults of a plan begin and end, in order: instant, edge, index in the plan. Ends after the horizon are left
/// out.
pub fn agenda(plan: &[Planned], horizon: Time) -> Vec<(Time, Edge, usize)> {
    let mut agenda = Vec::new();
    for (index, planned) in plan.iter().enumerate() {
        agenda.push((planned.at, Edge::Begin, index));
        if planned.until > planned.at && planned.until < horizon {
            agenda.push((planned.until, Edge::End, index));
        }
    }
    agenda.sort_unstable();
    agenda
}

impl Action {
    /// The same with its chances drawn.
    pub fn draw(&self, bits: &mut impl Bits) -> Action {
        let mut drawn = self.clone();
        match &mut drawn {
            Action::Flush(target)
            | Action::Crash(target, _)
            | Action::Pause(target)
            | Action::Set { of: target, .. } => *target = target.draw(bits),
            Action::Network { of, with, .. } => {
                *of = of.draw(bits);
                *with = with.as_ref().map(|with| with.draw(bits));
            }
        }
        drawn
    }

    /// What it is to the network; empty for faults of processes.
    pub fn effects(&self) -> Vec<Effect> {
        let Action::Network { of, with, trouble } = self else { return Vec::new() };
        let others = with.as_ref().map_or_else(|| vec![NodeSet::everyone()], Target::sets);
        let mut effects = Vec::new();
        for a in of.sets() {
            for b in &others {
                for (from, to) in [(a.clone(), b.clone()), (b.clone(), a.clone())] {
                    effects.push(match trouble {
                        Trouble::Cut => Effect::Cut { from, to },
                        Trouble::Loss(share) => Effect::Loss { from, to, share: *share },
                        Trouble::Delay(add) => Effect::Delay { from, to, add: add.clone() },
                    });
                }
            }
        }
        effects
    }

    /// As a plan shows it.
    pub fn describe(&self, who: &Who) -> String {
        match self {
            Action::Flush(target) => format!("flush {}", target.describe(who)),
            Action::Crash(target, Crash::Machine) => format!("crash the machine of {}", target.describe(who)),
            Action::Crash(target, Crash::Process) => format!("crash the process {}", target.describe(who)),
            Action::Pause(target) => format!("pause {}", target.describe(who)),
            Action::Set { of, knob, value, .. } => format!("set {knob} of {} to {value}", of.describe(who)),
            Action::Network { of, with, trouble } => {
                let others = with.as_ref().map_or_else(|| "everybody".to_string(), |with| with.describe(who));
                let what = match trouble {
                    Trouble::Cut => "cut".to_string(),
                    Trouble::Loss(share) => format!("lose {share} of packets"),
                    Trouble::Delay(Dist::Constant(ns)) => format!("delay by {}", Span::from_ns(*ns as u64)),
                    Trouble::Delay(_) => "delay".to_string(),
                };
                format!("{what} between {} and {others}", of.describe(who))
            }
        }
    }
}

impl Planned {
    /// One line: `60.000000000 s to 103.000000000 s split: cut between a and b, c`.
    pub fn describe(&self, who: &Who) -> String {
        let (fault, what) = (&self.fault, self.action.describe(who));
        match self.until {
            Time::NEVER => format!("{} to the end {fault}: {what}", self.at),
            until if until == self.at => format!("{} {fault}: {what}", self.at),
            until => format!("{} to {until} {fault}: {what}", self.at),
        }
    }
}
