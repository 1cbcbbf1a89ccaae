//! Guards against the stampede: one parameter of a cache, obeyed by two halves. The node (`cache`) says who shall
//! rebuild and who shall wait; its clients (`reader`) obey. This file holds what both must agree on.
//!
//! | guard | the node, when it has no live value | the client |
//! |---|---|---|
//! | `none` | `Fail(Miss)` | rebuilds, puts |
//! | `mutex` | `Fail(Miss)` | `Acquire` with a token of its own; the winner rebuilds, puts, `Release`s; the others wait and read again |
//! | `single_flight(per=process)` | `Fail(Miss)` | one request per key and process reads and rebuilds; the others of that process share its result |
//! | `single_flight(per=all)` | the first `Fail(Leased)`, note = token; later ones get no answer yet | the leased one rebuilds and puts; the answer of the others comes with the put |
//! | `lease` | the first `Fail(Leased)`, note = token; later ones `Fail(Wait)` | the leased one rebuilds and puts with its token; the others wait and read again |
//! | `xfetch` | `Fail(Miss)`; a live value by chance `Renew` | rebuilds, puts with note = rebuild time in µs, rounded up |
//! | `stale` | expired, but not longer than `for`: one `Renew`, others `Ok` with the old value | answers with the old value and rebuilds in the background |
//! | `stale(claim=set_nx)` | expired, but not longer than `for`: `Renew` to all | `Acquire`s with a token of its own for `rebuild`, and answers with the old value whatever comes of it; the winner rebuilds in the background, puts, `Release`s |
//! | `refresh_ahead` | alive, but older than `at`: one `Renew`, others `Ok` | answers with the value and rebuilds in the background |
//!
//! Beyond what a guard covers (no value at all, stale for too long) the node answers `Fail(Miss)`.

use crate::base::dist::Dist;
use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::rng::Bits;
use crate::base::time::Span;

/// A guard, resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Guard {
    /// Everybody who misses rebuilds.
    None,
    /// A lock beside the value: `SET key token EX ttl NX`, released by compare-and-delete.
    Mutex {
        /// After this the lock is free again, whatever its holder does.
        ttl: Span,
        /// How long the others wait before they read again.
        wait: Wait,
        /// Whether the winner reads again before it rebuilds.
        recheck: bool,
    },
    /// Requests for a key share the one that is under way.
    SingleFlight {
        /// Among whom.
        per: Per,
        /// With `per=all`: the filler is given up after this, and the last one in line fills.
        hold: Span,
    },
    /// Leases as of memcached at Facebook (Nishtala et al., NSDI 2013, section 3.2.1).
    Lease {
        /// At most one token per unfilled key in this time.
        ttl: Span,
        /// How long the others wait before they read again.
        wait: Wait,
    },
    /// Probabilistic early expiry (Vattani et al., VLDB 2015): rebuild when −β·δ·ln(u) ≥ time left.
    XFetch {
        /// Above 1 rebuilds earlier, below 1 later.
        beta: f64,
    },
    /// The old value while one rebuilds.
    Stale {
        /// For this long after expiry.
        window: Span,
        /// When the one who was asked to rebuild has not put by then, another is asked.
        rebuild: Span,
        /// Who finds out which reader rebuilds.
        claim: Claim,
    },
    /// Rebuilt before it expires.
    RefreshAhead {
        /// From this share of its lifetime on.
        at: f64,
        /// When the one who was asked to rebuild has not put by then, another is asked.
        rebuild: Span,
    },
}

/// How it is found out which reader rebuilds an expired value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// The cache asks one, in the operation that finds the value.
    Get,
    /// Readers, who are told that the value is old, ask for a lock in another round trip.
    SetNx {
        /// Whether the winner reads again before it rebuilds.
        recheck: bool,
    },
}

/// Among whom flights are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// The requests of one process.
    Process,
    /// All requests at the cache.
    All,
}

/// How long to wait before the next look.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// By this distribution each time.
    Fixed(Dist),
    /// `base` doubled with each try, at most `max`; with jitter uniform between nothing and that.
    Expo {
        /// The first wait.
        base: Span,
        /// The longest.
        max: Span,
        /// Whether it is drawn between 0 and its full length.
        jitter: bool,
    },
}

impl Wait {
    /// The wait after `tries` looks in vain (0: after the first).
    pub fn pause(&self, tries: u32, bits: &mut impl Bits) -> Span {
        match self {
            Wait::Fixed(distribution) => distribution.span(bits),
            Wait::Expo { base, max, jitter } => {
                let full = (*base * 1u64.checked_shl(tries).unwrap_or(u64::MAX)).min(*max);
                if *jitter { full.scale(bits.open01()) } else { full }
            }
        }
    }

    fn of(parameters: &Parameters) -> Wait {
        match parameters.form("wait") {
            ("expo", expo) => Wait::Expo {
                base: expo.span("base"),
                max: expo.span("max"),
                jitter: expo.word("jitter") == "full",
            },
            (_, fixed) => Wait::Fixed(fixed.distribution("every")),
        }
    }
}

impl Guard {
    /// From the checked parameter `guard`.
    pub fn of(parameters: &Parameters) -> Guard {
        let (name, guard) = parameters.form("guard");
        match name {
            "mutex" => Guard::Mutex {
                ttl: guard.span("ttl"),
                wait: Wait::of(guard),
                recheck: guard.switch("recheck"),
            },
            "single_flight" => Guard::SingleFlight {
                per: if guard.word("per") == "all" { Per::All } else { Per::Process },
                hold: guard.span("hold"),
            },
            "lease" => Guard::Lease { ttl: guard.span("ttl"), wait: Wait::Fixed(guard.distribution("wait")) },
            "xfetch" => Guard::XFetch { beta: guard.number("beta") },
            "stale" => Guard::Stale {
                window: guard.span("for"),
                rebuild: guard.span("rebuild"),
                claim: match guard.word("claim") {
                    "set_nx" => Claim::SetNx { recheck: guard.switch("recheck") },
                    _ => Claim::Get,
                },
            },
            "refresh_ahead" => Guard::RefreshAhead { at: guard.number("at"), rebuild: guard.span("rebuild") },
            _ => Guard::None,
        }
    }

    /// Whether it acts on the lifetime of entries, so that a cache without one cannot have it.
    pub fn needs_lifetime(&self) -> bool {
        matches!(self, Guard::XFetch { .. } | Guard::Stale { .. } | Guard::RefreshAhead { .. })
    }
}

const SPAN: ParameterType = ParameterType::Span { min: Span::from_ns(1), max: Span::MAX };

const REBUILD: Parameter = Parameter {
    name: "rebuild",
    takes: SPAN,
    default: Preset::Is { text: "10s", source: "a lease of memcached at Facebook (NSDI 2013, 3.2.1)" },
    doc: "When the one who was asked to rebuild has not put a value by then, another is asked.",
};

const WAITS: &[Constructor] = &[
    Constructor {
        name: "fixed",
        parameters: &[Parameter {
            name: "every",
            takes: ParameterType::Distribution,
            default: Preset::Required,
            doc: "The wait before each further look.",
        }],
        doc: "The same wait, or the same distribution, each time.",
    },
    Constructor {
        name: "expo",
        parameters: &[
            Parameter { name: "base", takes: SPAN, default: Preset::Required, doc: "The first wait." },
            Parameter {
                name: "max",
                takes: SPAN,
                default: Preset::Is { text: "1s", source: "a reader is waiting" },
                doc: "The longest wait.",
            },
            Parameter {
                name: "jitter",
                takes: ParameterType::Word(&["none", "full"]),
                default: Preset::Is { text: "full", source: "AWS Architecture Blog 2015" },
                doc: "`full` draws each wait between 0 and its length.",
            },
        ],
        doc: "Doubled with each look.",
    },
];

const RECHECK: Parameter = Parameter {
    name: "recheck",
    takes: ParameterType::Switch,
    default: Preset::Is { text: "true", source: "without it a late locker rebuilds once more" },
    doc: "Whether whoever gets the lock reads again before it rebuilds.",
};

const MUTEX: &[Parameter] = &[
    Parameter {
        name: "ttl",
        takes: SPAN,
        default: Preset::Required,
        doc: "After this the lock is free again, whatever its holder does. Longer than a rebuild.",
    },
    Parameter {
        name: "wait",
        takes: ParameterType::Constructor(WAITS),
        default: Preset::Is { text: "fixed(50ms)", source: "the usual advice for this pattern" },
        doc: "How long those who do not get the lock wait before they read again.",
    },
    RECHECK,
];

const SINGLE_FLIGHT: &[Parameter] = &[
    Parameter {
        name: "per",
        takes: ParameterType::Word(&["process", "all"]),
        default: Preset::Is { text: "process", source: "Go's singleflight lives in one process" },
        doc: "Whether flights are shared within each process or among all at the cache.",
    },
    Parameter {
        name: "hold",
        takes: SPAN,
        default: Preset::Is { text: "10s", source: "a lease of memcached at Facebook (NSDI 2013, 3.2.1)" },
        doc: "With `per=all`: a filler that has not put a value by then is given up, and the last in line fills.",
    },
];

const LEASE: &[Parameter] = &[
    Parameter {
        name: "ttl",
        takes: SPAN,
        default: Preset::Is { text: "10s", source: "memcached at Facebook (NSDI 2013, 3.2.1)" },
        doc: "At most one token per unfilled key in this time.",
    },
    Parameter {
        name: "wait",
        takes: ParameterType::Distribution,
        default: Preset::Is { text: "50ms", source: "'a short time' in NSDI 2013; as the mutex's here" },
        doc: "How long those without the token wait before they read again.",
    },
];

/// The forms of the parameter `guard`.
pub const GUARDS: &[Constructor] = &[
    Constructor { name: "none", parameters: &[], doc: "Everybody who misses rebuilds." },
    Constructor {
        name: "mutex",
        parameters: MUTEX,
        doc: "A lock in the cache; the winner rebuilds, the others poll.",
    },
    Constructor {
        name: "single_flight",
        parameters: SINGLE_FLIGHT,
        doc: "Requests for a key wait for the rebuild that is under way.",
    },
    Constructor {
        name: "lease",
        parameters: LEASE,
        doc: "The cache gives one client a token to fill; the others wait.",
    },
    Constructor {
        name: "xfetch",
        parameters: &[Parameter {
            name: "beta",
            takes: ParameterType::Factor { min: 1e-3, max: 1e3 },
            default: Preset::Is { text: "1", source: "Vattani et al., VLDB 2015: the optimum" },
            doc: "Above 1 rebuilds earlier, below 1 later.",
        }],
        doc: "Each reader may rebuild early, by chance, more likely the nearer the expiry.",
    },
    Constructor {
        name: "stale",
        parameters: &[
            Parameter {
                name: "for",
                takes: SPAN,
                default: Preset::Required,
                doc: "How long after its expiry a value is still served.",
            },
            REBUILD,
            Parameter {
                name: "claim",
                takes: ParameterType::Word(&["get", "set_nx"]),
                default: Preset::Is {
                    text: "get",
                    source: "the cache decides: nginx 1.22 (`proxy_cache_use_stale updating`), Varnish 7.1 (grace)",
                },
                doc: "Who finds out which reader rebuilds: the cache, in the operation that finds the value (`get`); or the readers, as \
                      clients of a plain store of keys must, who learn that the value is old and, before they answer with it, ask in another round trip for a \
                      lock, `SET lock token EX rebuild NX` (`set_nx`). Whoever gets it rebuilds in the background, puts, and gives the lock \
                      back if it is still its own; whoever does not, or hears nothing, answers with the old value. If the winner dies, the lock ends after `rebuild`.",
            },
            RECHECK,
        ],
        doc: "The old value is served while one reader rebuilds it (stale-while-revalidate).",
    },
    Constructor {
        name: "refresh_ahead",
        parameters: &[
            Parameter {
                name: "at",
                takes: ParameterType::Share { min: 0.0, max: 1.0 },
                default: Preset::Is {
                    text: "80%",
                    source: "early enough for a rebuild of a fifth of the TTL",
                },
                doc: "The share of its lifetime from which on a value is rebuilt.",
            },
            REBUILD,
        ],
        doc: "One reader is asked to rebuild before the value expires.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Draws;

    #[test]
    fn waits_double_up_to_their_bound() {
        let wait = Wait::Expo { base: Span::from_ms(10), max: Span::from_ms(100), jitter: false };
        let mut draws = Draws::new(1);
        let waits: Vec<Span> = [0, 1, 2, 3, 4, 63, 64, 200].map(|tries| wait.pause(tries, &mut draws)).into();
        let ms = |ms: [u64; 8]| ms.map(Span::from_ms).to_vec();
        assert_eq!(waits, ms([10, 20, 40, 80, 100, 100, 100, 100]));
    }

    #[test]
    fn full_jitter_stays_within_its_bound() {
        let wait = Wait::Expo { base: Span::from_ms(10), max: Span::from_ms(40), jitter: true };
        let mut draws = Draws::new(2);
        let mean = (0..1000).map(|_| wait.pause(9, &mut draws).as_secs_f64()).sum::<f64>() / 1000.0;
        assert!((0.018..0.022).contains(&mean), "{mean}");
    }
}
