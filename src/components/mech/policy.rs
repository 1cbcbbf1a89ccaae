//! What a caller does about trouble: how long it waits, whether and when it tries again.

use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::op::Reason;
use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::rng::Bits;
use crate::base::time::Span;

const TIMES: Parameter = Parameter {
    name: "times",
    takes: ParameterType::Count { min: 0, max: u64::MAX },
    default: Preset::Is { text: "2", source: "AWS SDKs: three attempts in standard mode" },
    doc: "How many retries at most, after the first attempt; `unlimited` goes on until there is no time left. More than 1,000 need a \
          wait of at least 1 µs on average.",
};

/// So many retries may follow each other at once: an hour of them is nothing to a run. More need a wait.
const TIMES_AT_ONCE_MAX: u64 = 1_000;
/// What more have to wait for on average: an hour of such polls is within the events of a run.
const WAIT_MIN: Span = Span::from_ns(1_000);

/// The ways to try again.
pub const RETRIES: &[Constructor] = &[
    Constructor { name: "none", parameters: &[], doc: "One attempt." },
    Constructor {
        name: "fixed",
        parameters: &[
            Parameter {
                name: "wait",
                takes: ParameterType::Distribution,
                default: Preset::Required,
                doc: "The wait before each retry.",
            },
            TIMES,
        ],
        doc: "The same wait before each retry.",
    },
    Constructor {
        name: "expo",
        parameters: &[
            Parameter {
                name: "base",
                takes: ParameterType::Span { min: Span::ZERO, max: Span::MAX },
                default: Preset::Is {
                    text: "50ms",
                    source: "Google Cloud clients start between 10 ms and 1 s",
                },
                doc: "The wait before the first retry; each later one is twice the one before.",
            },
            Parameter {
                name: "max",
                takes: ParameterType::Span { min: Span::ZERO, max: Span::MAX },
                default: Preset::Is { text: "20s", source: "AWS SDKs: longest back-off" },
                doc: "The longest wait.",
            },
            TIMES,
            Parameter {
                name: "jitter",
                takes: ParameterType::Word(&["none", "full", "equal", "decorrelated"]),
                default: Preset::Is { text: "full", source: "AWS Architecture Blog 2015" },
                doc: "none: the wait itself; full: uniform up to it; equal: half of it and uniform up to the rest; decorrelated: uniform from base to three times the last wait.",
            },
        ],
        doc: "Exponential back-off (Brooker, AWS Architecture Blog 2015).",
    },
];

/// Parameters of `policy.x`.
pub const POLICY: &[Parameter] = &[
    Parameter {
        name: "timeout",
        takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
        default: Preset::Is { text: "30s", source: "a common default of HTTP clients" },
        doc: "How long one attempt may take; then the caller gets Unknown(timeout).",
    },
    Parameter {
        name: "retry",
        takes: ParameterType::Constructor(RETRIES),
        default: Preset::Is { text: "none", source: "no retries unless asked for" },
        doc: "Whether and when to try again after a failure or a timeout.",
    },
    Parameter {
        name: "retry_on",
        takes: ParameterType::List(&ParameterType::Text),
        default: Preset::Is { text: "[]", source: "what a program says by `fail` is an answer" },
        doc: "Failures that are tried again besides those that may pass by themselves (no answer, no place, no connection, no leader, an error, a \
              transaction that was aborted): names of `fail` steps, or `condition`, `miss`, `held`, `fenced`.",
    },
];

/// Failures that [`Policy::retry_on`] can name besides those of `fail` steps.
pub const REASONS: [(&str, Reason); 4] = [
    ("condition", Reason::Condition),
    ("miss", Reason::Miss),
    ("held", Reason::Held),
    ("fenced", Reason::Fenced),
];

/// A wait that is randomised, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// The wait itself.
    None,
    /// Uniform up to it.
    Full,
    /// Half of it, and uniform up to the rest.
    Equal,
    /// Uniform from the base to three times the last wait.
    Decorrelated,
}

/// When to try again.
#[derive(Clone, Debug, PartialEq)]
pub enum Retry {
    /// Never.
    None,
    /// After a draw of a distribution.
    Fixed {
        /// The distribution, nanoseconds.
        wait: Dist,
        /// Retries at most.
        times: u32,
    },
    /// After waits that double.
    Expo {
        /// First wait.
        base: Span,
        /// Longest wait.
        max: Span,
        /// Retries at most.
        times: u32,
        /// How waits are randomised.
        jitter: Jitter,
    },
}

/// The names of `fail` steps that a design declares as answers that may be expected (`answers = ["sold_out"]`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(pub Arc<[bool]>);

impl Answers {
    /// Whether such a failure is an answer.
    #[inline]
    pub fn has(&self, reason: Reason) -> bool {
        matches!(reason, Reason::Named(number) if self.0.get(usize::from(number)) == Some(&true))
    }
}

/// A resolved policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// How long one attempt may take.
    pub timeout: Span,
    /// What happens after a failure.
    pub retry: Retry,
    /// After which failures too, besides those that may pass by themselves.
    pub retry_on: Vec<Reason>,
}

impl Policy {
    /// From checked parameters; `failures` are the names of `fail` steps, by number.
    pub fn resolve(parameters: &Parameters, failures: &[String]) -> Policy {
        let named = |name: &str| {
            let ours = REASONS.iter().filter(move |(known, _)| *known == name).map(|(_, reason)| *reason);
            let theirs = (0u16..).zip(failures).filter(move |(_, known)| *known == name);
            ours.chain(theirs.map(|(number, _)| Reason::Named(number))).collect::<Vec<_>>()
        };
        let retry_on = match parameters.get("retry_on") {
            Some(Setting::List(names)) => {
                let name = |setting: &Setting| {
                    if let Setting::Text(name, _) = setting { named(name) } else { Vec::new() }
                };
                names.iter().flat_map(name).collect()
            }
            _ => Vec::new(),
        };
        Policy {
            timeout: parameters.span("timeout"),
            retry: Retry::resolve(parameters.form("retry")),
            retry_on,
        }
    }

    /// Whether it tries again after such a failure, as long as it has retries left.
    pub fn retries(&self, reason: Reason) -> bool {
        reason.may_pass() || self.retry_on.contains(&reason)
    }
}

impl Retry {
    /// Why retries of a form of [`RETRIES`] might fill a run without time going on: then it is to be refused, by what it is.
    pub fn runs_away((name, parameters): (&str, &Parameters)) -> Option<String> {
        let span = |parameter| {
            if let Some(Setting::Span(span)) = parameters.get(parameter) { *span } else { WAIT_MIN }
        };
        let (least, wait) = match (name, parameters.get("wait")) {
            ("fixed", Some(Setting::Distribution(distribution))) => {
                (distribution.mean().map_or(WAIT_MIN, |mean| Span::from_ns(mean as u64)), "wait")
            }
            ("expo", _) => (span("base").min(span("max")), "base"),
            _ => return None,
        };
        let Some(Setting::Count(times)) = parameters.get("times") else { return None };
        if *times <= TIMES_AT_ONCE_MAX || least >= WAIT_MIN {
            return None;
        }
        let times = if *times == u64::MAX { "without limit".to_owned() } else { format!("{times} times") };
        Some(format!("tries again {times} with a {wait} of {least}"))
    }

    /// From a checked form of [`RETRIES`].
    pub fn resolve((name, parameters): (&str, &Parameters)) -> Retry {
        match name {
            "fixed" => Retry::Fixed { wait: parameters.distribution("wait"), times: times(parameters) },
            "expo" => Retry::Expo {
                base: parameters.span("base"),
                max: parameters.span("max"),
                times: times(parameters),
                jitter: match parameters.word("jitter") {
                    "none" => Jitter::None,
                    "equal" => Jitter::Equal,
                    "decorrelated" => Jitter::Decorrelated,
                    _ => Jitter::Full,
                },
            },
            _ => Retry::None,
        }
    }

    /// The wait after failure number `failures` (from 1); `previous` is the wait before that. `None`: give up.
    pub fn wait(&self, failures: u32, previous: Span, bits: &mut impl Bits) -> Option<Span> {
        match self {
            Retry::None => None,
            Retry::Fixed { wait, times } => (failures <= *times).then(|| wait.span(bits)),
            Retry::Expo { base, max, times, jitter } => {
                if failures > *times {
                    return None;
                }
                let doubled = base.as_ns().saturating_mul(1u64.checked_shl(failures - 1).unwrap_or(u64::MAX));
                let full = Span::from_ns(doubled).min(*max);
                Some(match jitter {
                    Jitter::None => full,
                    Jitter::Full => full.scale(bits.open01()),
                    Jitter::Equal => {
                        let half = Span::from_ns(full.as_ns() / 2);
                        half + (full - half).scale(bits.open01())
                    }
                    Jitter::Decorrelated => {
                        let top = (previous.max(*base) * 3).max(*base);
                        (*base + (top - *base).scale(bits.open01())).min(*max)
                    }
                })
            }
        }
    }
}

/// The checked parameter; beyond what can be counted there is no limit.
fn times(parameters: &Parameters) -> u32 {
    u32::try_from(parameters.count("times")).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Draws;

    #[test]
    fn waits_double_up_to_the_longest_and_then_end() {
        let retry =
            Retry::Expo { base: Span::from_ms(50), max: Span::from_ms(150), times: 3, jitter: Jitter::None };
        let mut bits = Draws::new(1);
        let waits: Vec<_> = (1..=4).map(|failures| retry.wait(failures, Span::ZERO, &mut bits)).collect();
        assert_eq!(
            waits,
            [Some(Span::from_ms(50)), Some(Span::from_ms(100)), Some(Span::from_ms(150)), None]
        );
    }

    #[test]
    fn without_a_limit_it_never_gives_up() {
        let mut bits = Draws::new(1);
        let fixed = Retry::Fixed { wait: Dist::Constant(5e6), times: u32::MAX };
        let (base, max) = (Span::from_ms(1), Span::from_ms(9));
        let expo = Retry::Expo { base, max, times: u32::MAX, jitter: Jitter::None };
        for failures in [1, 1_001, 100_000, u32::MAX] {
            assert_eq!(fixed.wait(failures, Span::ZERO, &mut bits), Some(Span::from_ms(5)));
            assert!(expo.wait(failures, Span::ZERO, &mut bits).is_some());
        }
        assert_eq!(expo.wait(u32::MAX, Span::ZERO, &mut bits), Some(max));
    }

    #[test]
    fn jitter_stays_within_its_bounds() {
        let mut bits = Draws::new(1);
        for (jitter, low, high) in
            [(Jitter::Full, 0, 100), (Jitter::Equal, 50, 100), (Jitter::Decorrelated, 50, 300)]
        {
            let retry = Retry::Expo { base: Span::from_ms(50), max: Span::from_ms(300), times: 9, jitter };
            for _ in 0..1000 {
                let wait = retry.wait(2, Span::from_ms(100), &mut bits).unwrap_or(Span::ZERO);
                assert!(wait >= Span::from_ms(low) && wait <= Span::from_ms(high), "{jitter:?}: {wait}");
            }
        }
    }
}
