//! What a fault does and when, in one run. A plan names instants and members, so it can be printed, replayed and shrunk.

use crate::base::dist::Dist;
use crate::base::rng::{Bits, Draws, mix, name_hash};
use crate::base::time::{Span, Time};
use crate::faults::moments::When;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;
use crate::sim::cluster::{Cluster, Crash, Effect};

/// The most times that one fault happens in a run, which is refused beyond: more would not fit a printed plan, and an
/// `every` of 0 would never end.
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
    /// Processes take no new requests.
    Drain(Target),
    /// Clocks are wrong.
    Clock {
        /// Whose.
        of: Target,
        /// By how much they jump, nanoseconds.
        jump_ns: i64,
        /// By how much they run too fast, parts per billion.
        drift_ppb: i64,
    },
    /// A parameter has another value.
    Set {
        /// Whose.
        of: Target,
        /// Which.
        parameter: &'static str,
        /// Its value meanwhile.
        value: f64,
        /// Its value in the design, where that is one number.
        design: Option<f64>,
    },
    /// The network has troubles.
    Network {
        /// Between whom.
        ways: Ways,
        /// What trouble.
        impairment: Impairment,
    },
}

/// A trouble of the network.
#[derive(Clone, Debug, PartialEq)]
pub enum Impairment {
    /// Nothing gets through.
    Cut,
    /// This share of packets is lost.
    Loss(f64),
    /// Packets take longer by this distribution.
    Delay(Dist),
    /// This share of datagrams arrives twice.
    Duplicate(f64),
    /// This share of datagrams is held back for up to this time.
    Reorder(f64, Span),
}

/// A fault of the timetable.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultEntry {
    /// Its name.
    pub name: String,
    /// When it first happens; `None`: after the first `every`.
    pub at: Option<When>,
    /// After how long it happens again.
    pub every: Option<Dist>,
    /// How long it lasts; `None`: to the end of the run, of the moment that it began with, or for a moment.
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
pub struct Occurrence {
    /// The fault's name.
    pub fault: String,
    /// When it begins.
    pub at: Time,
    /// When it ends; [`Time::NEVER`]: with the run. A momentary fault ends as it begins.
    pub until: Time,
    /// What it does, with its chances drawn; once it has begun, with its roles looked up.
    pub action: Action,
}

impl FaultEntry {
    /// The times that are known before the run, those of a distribution, and how many there would be. `key` is the run's; each fault's draws depend on it and
    /// on the fault's name alone, so that another fault more or less moves nothing.
    pub fn times(&self, horizon: Time, key: u64) -> (Vec<Occurrence>, u64) {
        let at = match &self.at {
            None => None,
            Some(When::Distribution(distribution)) => Some(distribution),
            Some(_) => return (Vec::new(), 0),
        };
        let mut draws = self.draws(key, 0);
        let gap = |distribution: Option<&Dist>, draws: &mut Draws| {
            distribution.map(|distribution| distribution.span(draws))
        };
        let (first, again) = (gap(at, &mut draws), gap(self.every.as_ref(), &mut draws));
        let mut next = Some(Time::ZERO + first.or(again).unwrap_or(Span::ZERO));
        let mut times = Vec::new();
        for number in 0..TIMES_MAX as u64 {
            let Some(at) = next.filter(|at| *at < horizon) else { return (times, number) };
            times.extend(self.time(at, number, key));
            next = self.after(number, key).map(|span| at + span);
        }
        let more = next.is_some_and(|at| at < horizon);
        (times, TIMES_MAX as u64 + u64::from(more))
    }

    /// Each time has draws of its own: whether it happens does not move the next.
    fn draws(&self, key: u64, number: u64) -> Draws {
        let fault = mix(mix(key, name_hash("fault")), name_hash(&self.name));
        Draws::new(mix(fault, number)).of_property()
    }

    /// The time of that number, if it happens.
    pub fn time(&self, at: Time, number: u64, key: u64) -> Option<Occurrence> {
        let mut draws = self.draws(key, number);
        if let Some(When::Distribution(distribution)) = &self.at {
            distribution.span(&mut draws); // drawn whether it is used or not, as are the others
        }
        self.every.as_ref().map(|distribution| distribution.span(&mut draws));
        let happens = draws.open01() < self.chance;
        let until = match self.lasts.as_ref().map(|distribution| distribution.span(&mut draws)) {
            _ if self.momentary => at,
            Some(span) => at + span,
            None => Time::NEVER,
        };
        let action = self.action.draw(&mut draws);
        happens.then(|| Occurrence { fault: self.name.clone(), at, until, action })
    }

    /// From the time of that number to the next one: a draw of its own, so that the first `every` is not used twice.
    pub fn after(&self, number: u64, key: u64) -> Option<Span> {
        let fault = mix(mix(key, name_hash("fault")), name_hash(&self.name));
        self.every
            .as_ref()
            .map(|distribution| distribution.span(&mut Draws::new(mix(mix(fault, number), 1)).of_property()))
    }
}

impl Action {
    /// Whom it is about.
    fn targets(&mut self) -> Vec<&mut Target> {
        match self {
            Action::Flush(of)
            | Action::Crash(of, _)
            | Action::Pause(of)
            | Action::Drain(of)
            | Action::Clock { of, .. }
            | Action::Set { of, .. } => vec![of],
            Action::Network { ways, .. } => ways.targets(),
        }
    }

    /// The same with its chances drawn.
    pub fn draw(&self, bits: &mut impl Bits) -> Action {
        let mut drawn = self.clone();
        drawn.targets().into_iter().for_each(|target| *target = target.draw(bits));
        drawn
    }

    /// The same with its roles looked up.
    pub fn resolve(&self, cluster: &dyn Cluster) -> Action {
        let mut resolved = self.clone();
        resolved.targets().into_iter().for_each(|target| *target = target.resolve(cluster));
        resolved
    }

    /// Whether it is about somebody who is known only when it begins.
    pub fn has_roles(&self) -> bool {
        self.clone().targets().iter().any(|target| target.picks.iter().any(|pick| pick.role.is_some()))
    }

    /// What it is to the network; empty for faults of processes.
    pub fn effects(&self) -> Vec<Effect> {
        let Action::Network { ways, impairment } = self else { return Vec::new() };
        let effect = |(from, to)| match impairment {
            Impairment::Cut => Effect::Cut { from, to },
            Impairment::Loss(share) => Effect::Loss { from, to, share: *share },
            Impairment::Delay(add) => Effect::Delay { from, to, add: add.clone() },
            Impairment::Duplicate(share) => Effect::Duplicate { from, to, share: *share },
            Impairment::Reorder(share, window) => {
                Effect::Reorder { from, to, share: *share, window: *window }
            }
        };
        ways.pairs().into_iter().map(effect).collect()
    }

    /// As a plan shows it.
    pub fn describe(&self, who: &Who) -> String {
        match self {
            Action::Flush(of) => format!("flush {}", of.describe(who)),
            Action::Crash(of, Crash::Machine) => format!("crash the machine of {}", of.describe(who)),
            Action::Crash(of, Crash::Process) => format!("crash the process {}", of.describe(who)),
            Action::Pause(of) => format!("pause {}", of.describe(who)),
            Action::Drain(of) => format!("drain {}", of.describe(who)),
            Action::Clock { of, jump_ns, drift_ppb } => {
                let (of, sign) = (of.describe(who), if *jump_ns < 0 || *drift_ppb < 0 { "-" } else { "+" });
                match drift_ppb.unsigned_abs() {
                    0 => format!("set the clock of {of} {sign}{}", Span::from_ns(jump_ns.unsigned_abs())),
                    ppb => format!("let the clock of {of} drift {sign}{} ppm", ppb as f64 / 1e3),
                }
            }
            Action::Set { of, parameter, value, .. } => {
                format!("set {parameter} of {} to {value}", of.describe(who))
            }
            Action::Network { ways, impairment } => {
                let what = match impairment {
                    Impairment::Cut => "cut".to_string(),
                    Impairment::Loss(share) => format!("lose {}% of packets", share * 100.0),
                    Impairment::Delay(Dist::Constant(ns)) => {
                        format!("delay by {}", Span::from_ns(*ns as u64))
                    }
                    Impairment::Delay(_) => "delay".to_string(),
                    Impairment::Duplicate(share) => format!("duplicate {}% of datagrams", share * 100.0),
                    Impairment::Reorder(share, window) => {
                        format!("hold {}% of datagrams back for up to {window}", share * 100.0)
                    }
                };
                format!("{what} {}", ways.describe(who))
            }
        }
    }
}

impl Occurrence {
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
