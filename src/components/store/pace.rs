//! How far copies are behind: when what they are sent leaves, when they may apply it, and what that costs them.

use crate::base::dist::Dist;
use crate::base::knob::{Knob, Knobs, Preset, Setting, Takes};

/// What applying costs.
pub const APPLY: Knob = Knob {
    name: "apply",
    takes: Takes::List(&Takes::Law),
    default: Preset::Is { text: "0ms", source: "copies apply as fast as they receive" },
    doc: "What it costs a copy to apply an entry, one after the other, as with a single applier (PostgreSQL's startup process, MySQL \
          with one worker): a line, which grows without end where entries come faster. A list has one law for each copy: \
          `apply=[0ms, 2ms, 20ms]`.",
};

/// How old what is applied is at least.
pub const LAG: Knob = Knob {
    name: "lag",
    takes: Takes::List(&Takes::Law),
    default: Preset::Is { text: "0ms", source: "PostgreSQL, recovery_min_apply_delay; MySQL, SOURCE_DELAY" },
    doc: "How long after it was written an entry is applied by a copy at the earliest, by the wall clocks of who has written it and of the \
          copy; all entries wait at once, in their order, so there is no line. It ends when the copy comes to lead. A list has one law \
          for each copy: `lag=[0s, 0s, 1h]`.",
};

/// When entries leave, where what is acknowledged may have left for nowhere.
pub const SEND: Knob = Knob {
    name: "send",
    takes: Takes::Law,
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
pub const SEND_AT_ONCE: Knob = Knob {
    default: Preset::Is {
        text: "0ms",
        source: "etcd sends while it writes its own disk: Ongaro 2014, section 10.2.1",
    },
    ..SEND
};

/// A law for each copy, or one for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerCopy(Vec<Option<Dist>>);

impl PerCopy {
    /// From checked knobs.
    pub fn of(knobs: &Knobs, knob: &str) -> PerCopy {
        let law = |setting: &Setting| match setting {
            Setting::Law(law) => time(law.clone()),
            other => panic!("a list of laws has {other:?}"),
        };
        match knobs.get(knob) {
            Some(Setting::List(laws)) => PerCopy(laws.iter().map(law).collect()),
            _ => PerCopy::default(),
        }
    }

    /// The same for all.
    pub fn all(law: Dist) -> PerCopy {
        PerCopy(vec![Some(law)])
    }

    /// One for each.
    pub fn each(laws: Vec<Dist>) -> PerCopy {
        PerCopy(laws.into_iter().map(time).collect())
    }

    /// How many laws are given.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy's; `None`: no time at all.
    #[inline]
    pub fn at(&self, copy: u32) -> Option<&Dist> {
        let place = if self.0.len() == 1 { 0 } else { copy as usize };
        self.0.get(place).and_then(Option::as_ref)
    }
}

/// A law, unless it says that there is no time at all.
pub fn time(law: Dist) -> Option<Dist> {
    Some(law).filter(|law| *law != Dist::Constant(0.0))
}
