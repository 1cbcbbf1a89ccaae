//! How far copies are behind: when what they are sent leaves, when they may apply it, and what that costs them.

use crate::base::dist::Dist;
use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset, Setting};

/// What applying costs.
pub const APPLY: Parameter = Parameter {
    name: "apply",
    takes: ParameterType::List(&ParameterType::Distribution),
    default: Preset::Is { text: "0ms", source: "copies apply as fast as they receive" },
    doc: "What it costs a copy to apply an entry, one after the other, as with a single applier (PostgreSQL's startup process, MySQL \
          with one worker): a line, which grows without end where entries come faster. A list has one distribution for each copy: \
          `apply=[0ms, 2ms, 20ms]`.",
};

/// How old what is applied is at least.
pub const LAG: Parameter = Parameter {
    name: "lag",
    takes: ParameterType::List(&ParameterType::Distribution),
    default: Preset::Is { text: "0ms", source: "PostgreSQL, recovery_min_apply_delay; MySQL, SOURCE_DELAY" },
    doc: "How long after it was written an entry is applied by a copy at the earliest, by the wall clocks of who has written it and of the \
          copy; all entries wait at once, in their order, so there is no line. It ends when the copy comes to lead. A list has one distribution \
          for each copy: `lag=[0s, 0s, 1h]`.",
};

/// When entries leave, where what is acknowledged may have left for nowhere.
pub const SEND: Parameter = Parameter {
    name: "send",
    takes: ParameterType::Distribution,
    default: Preset::Is {
        text: "1ms",
        source: "a sender that a commit wakes: Linux, sched_wakeup_granularity_ns; PostgreSQL's walsender, MySQL's dump thread",
    },
    doc: "How long until the sender has its turn once there is something to send; everything there is by then leaves at once, and what \
          has not left dies with its process, acknowledged or not. Redis sends in the same turn of its event loop (about 0.1ms), up to 40ms \
          later with `repl-disable-tcp-nodelay yes`; secondaries that pull (MongoDB, Kafka) wait for data in a long poll; PostgreSQL ships whole \
          files each `archive_timeout` where it does not stream.",
};

/// The same where an acknowledgement waits for copies anyway.
pub const SEND_AT_ONCE: Parameter = Parameter {
    default: Preset::Is {
        text: "0ms",
        source: "etcd sends while it writes its own disk: Ongaro 2014, section 10.2.1",
    },
    ..SEND
};

/// A distribution for each copy, or one for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerCopy(Vec<Option<Dist>>);

impl PerCopy {
    /// From checked parameters.
    pub fn of(parameters: &Parameters, parameter: &str) -> PerCopy {
        let distribution = |setting: &Setting| match setting {
            Setting::Distribution(distribution) => time(distribution.clone()),
            other => panic!("a list of distributions has {other:?}"),
        };
        match parameters.get(parameter) {
            Some(Setting::List(distributions)) => PerCopy(distributions.iter().map(distribution).collect()),
            _ => PerCopy::default(),
        }
    }

    /// The same for all.
    #[cfg(test)]
    pub fn all(distribution: Dist) -> PerCopy {
        PerCopy(vec![Some(distribution)])
    }

    /// One for each.
    #[cfg(test)]
    pub fn each(distributions: Vec<Dist>) -> PerCopy {
        PerCopy(distributions.into_iter().map(time).collect())
    }

    /// How many distributions are given.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A copy's; `None`: no time at all.
    #[inline]
    pub fn at(&self, copy: u32) -> Option<&Dist> {
        let place = if self.0.len() == 1 { 0 } else { copy as usize };
        self.0.get(place).and_then(Option::as_ref)
    }
}

/// A distribution, unless it says that there is no time at all.
pub fn time(distribution: Dist) -> Option<Dist> {
    Some(distribution).filter(|distribution| *distribution != Dist::Constant(0.0))
}
