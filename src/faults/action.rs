//! What a fault does: all that can be done to a world, as data.

use crate::base::dist::Dist;
use crate::base::rng::Bits;
use crate::base::time::Span;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;
use crate::sim::cluster::{Cluster, Crash, Effect};

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
