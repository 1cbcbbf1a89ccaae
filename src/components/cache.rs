//! A cache: real keys, versions and lifetimes, within a capacity, with a guard against stampedes. This file has its
//! parameters; [`node`] is the process, [`entries`] what it holds, [`flights`] who may fill.
//!
//! Its clients are programs: `get` looks here first and on a miss runs `fill` at the caller, or fails: then
//! the program makes the value and puts it. Callers read and write the store behind it themselves (cache-aside).

pub mod entries;
pub mod flights;
pub mod node;
pub mod plan;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::Problems;
use crate::base::time::Span;
use crate::components::cache::entries::Capacity;
use crate::components::cache::node::CacheProcess;
use crate::components::cache::plan::{CachePlan, CacheSeries};
use crate::components::directory::{CacheClient, Client};
use crate::components::guard::{Claim, GUARDS, Guard, Per};
use crate::components::mech::cores::{DISCIPLINE, Discipline};
use crate::components::mech::evict::Policy;
use crate::components::part::{
    COMMON, DOES_NOT_FIT, Kind, Names, Part, PartName, Wiring, count_u32, speed_ppm,
};
use crate::program::compile::scope::PartRole;
use crate::sim::run::World;

/// The kind `cache`.
pub const CACHE: Kind = Kind {
    name: "cache",
    doc: "A keyed cache with lifetimes, a capacity and a guard against stampedes.",
    common: COMMON,
    parameters: PARAMETERS,
    series: CacheSeries::ALL,
    served: &["hits", "stale", "misses", "fills"],
    refused: &["rejected"],
    takes: &[("serve", "an operation takes")],
    role: PartRole::Caches,
    runs_programs: false,
    resolve,
};

const SPAN: ParameterType = ParameterType::Span { min: Span::from_ns(1), max: Span::MAX };

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "entries",
        takes: ParameterType::Count { min: 1, max: u64::MAX },
        default: Preset::Absent,
        doc: "How many entries fit into each member; without it and without `bytes`, everything does.",
    },
    Parameter {
        name: "bytes",
        takes: ParameterType::Bytes { min: 1, max: u64::MAX },
        default: Preset::Absent,
        doc: "How many bytes fit into each member; needs `size`.",
    },
    Parameter {
        name: "size",
        takes: ParameterType::NumberDistribution,
        default: Preset::Absent,
        doc: "Bytes of an entry: a number or a distribution of them; each key has a size of its own, which it keeps.",
    },
    Parameter {
        name: "ttl",
        takes: SPAN,
        default: Preset::Absent,
        doc: "How long an entry lives from its put; without it and without `sliding`, for ever.",
    },
    Parameter {
        name: "sliding",
        takes: SPAN,
        default: Preset::Absent,
        doc: "How long an entry lives from its put or last hit, instead of `ttl`.",
    },
    Parameter {
        name: "jitter",
        takes: ParameterType::Share { min: 0.0, max: 0.99 },
        default: Preset::Is { text: "0%", source: "no jitter unless asked for" },
        doc: "Lifetimes are spread evenly by this share of them to either side.",
    },
    Parameter {
        name: "clock",
        takes: ParameterType::Word(&["wall", "monotonic"]),
        default: Preset::Is {
            text: "wall",
            source: "Redis, which keeps the Unix time at which a key expires (redis.io, EXPIRE); memcached: monotonic",
        },
        doc: "By which of a member's clocks entries and locks expire: `wall` follows whoever sets the clock, `monotonic` does not.",
    },
    Parameter {
        name: "evict",
        takes: ParameterType::Word(Policy::WORDS),
        default: Preset::Is { text: "lru", source: "memcached, and Redis with allkeys-lru" },
        doc: "Which entry leaves when the cache is full.",
    },
    Parameter {
        name: "guard",
        takes: ParameterType::Constructor(GUARDS),
        default: Preset::Is { text: "none", source: "what a plain get-or-fill does" },
        doc: "What is done against stampedes.",
    },
    Parameter {
        name: "fill",
        takes: ParameterType::Call,
        default: Preset::Absent,
        doc: "The program that makes a value on a miss, run at the caller: `build_page(item=key)`.",
    },
    Parameter {
        name: "serve",
        takes: ParameterType::Distribution,
        default: Preset::Is {
            text: "0ms",
            source: "a look-up takes microseconds; the way there takes longer",
        },
        doc: "Time on a core for each operation.",
    },
    Parameter {
        name: "cores",
        takes: ParameterType::Count { min: 1, max: u64::MAX },
        default: Preset::Is { text: "unlimited", source: "a cache's cores are seldom what limits it" },
        doc: "How many operations are served at once.",
    },
    Parameter {
        name: "queue",
        takes: ParameterType::Count { min: 0, max: u64::MAX },
        default: Preset::Is { text: "unlimited", source: "nothing is turned away unless asked for" },
        doc: "How many operations wait for a core; a further one fails with `overloaded`.",
    },
    DISCIPLINE,
    Parameter {
        name: "timeout",
        takes: SPAN,
        default: Preset::Is { text: "1s", source: "as for any other call" },
        doc: "After this a client takes the cache for unreachable and rebuilds for itself. Where it is not given, \
              `single_flight(per=all)` adds its `hold`, for which readers are kept waiting.",
    },
];

struct Cache {
    plan: Arc<CachePlan>,
    client: Arc<CacheClient>,
}

impl Part for Cache {
    fn kind(&self) -> &'static str {
        CACHE.name
    }

    /// Without `fill`: who knows the programs adds it.
    fn client(&self) -> Client {
        Client::Cache(self.client.clone())
    }

    fn settable(&self) -> &'static [&'static str] {
        node::SETTABLE
    }

    fn build(&self, at: &PartName, _wiring: &Wiring, world: &mut World) {
        world.add::<CacheProcess>(&at.name, self.plan.clone(), at.count, &at.zones, false);
    }
}

fn resolve(parameters: &Parameters, names: &Names, problems: &mut Problems) -> Option<Box<dyn Part>> {
    let before = problems.0.len();
    let guard = Guard::of(parameters);
    conflicts(parameters, names, &guard, problems);
    let lifetime = |parameter| match parameters.get(parameter) {
        Some(Setting::Span(span)) => Some(*span),
        _ => None,
    };
    let plan = CachePlan {
        capacity: capacity(parameters),
        size: parameters.get("size").map(|_| parameters.distribution("size")),
        lifetime: lifetime("ttl").or(lifetime("sliding")),
        sliding: parameters.get("sliding").is_some(),
        jitter: parameters.number("jitter"),
        expires_by_wall: parameters.word("clock") == "wall",
        policy: Policy::of(parameters.word("evict"))?,
        guard,
        serve: parameters.distribution("serve"),
        cores: count_u32(parameters, "cores"),
        queue: count_u32(parameters, "queue"),
        discipline: Discipline::of(parameters.word("discipline")),
        speed_ppm: speed_ppm(parameters),
        first_series: names.first_series,
    };
    let client =
        CacheClient { guard: plan.guard.clone(), timeout: patience(parameters, &plan.guard), fill: None };
    let part = Cache { plan: Arc::new(plan), client: Arc::new(client) };
    (problems.0.len() == before).then(|| Box::new(part) as Box<dyn Part>)
}

/// How long clients wait for an answer. A flight keeps its readers for as long as a rebuild takes, so where no timeout
/// is asked for they are given the time of a filler on top of the default.
fn patience(parameters: &Parameters, guard: &Guard) -> Span {
    match guard {
        Guard::SingleFlight { per: Per::All, hold } if parameters.place("timeout").is_none() => {
            parameters.span("timeout") + *hold
        }
        _ => parameters.span("timeout"),
    }
}

fn capacity(parameters: &Parameters) -> Capacity {
    match (parameters.get("entries"), parameters.get("bytes")) {
        (Some(Setting::Count(entries)), _) if *entries != u64::MAX => Capacity::Entries(*entries),
        (None, Some(Setting::Count(bytes))) => Capacity::Bytes(*bytes),
        _ => Capacity::Unlimited,
    }
}

/// What does not fit together.
fn conflicts(parameters: &Parameters, names: &Names, guard: &Guard, problems: &mut Problems) {
    let name = names.name;
    let given = |parameter: &str| parameters.get(parameter).is_some();
    let mut wrong = |code, parameter: &str, message: String, help: &str| {
        let problem = match parameters.place(parameter) {
            Some(place) => problems.at(code, place.clone(), message),
            None => problems.overall(code, message),
        };
        problem.help(help);
    };
    if given("entries") && given("bytes") {
        let message = format!("'{name}' has both `entries` and `bytes`");
        wrong(DOES_NOT_FIT, "bytes", message, "a capacity is counted in one of the two");
    }
    if given("bytes") && !given("size") {
        let message = format!("'{name}' has `bytes` but no `size` of an entry");
        wrong(DOES_NOT_FIT, "bytes", message, "write `size = \"lognormal(mean=2000, cv=1)\"`, in bytes");
    }
    if given("size")
        && let Some(Setting::Count(bytes)) = parameters.get("bytes")
        && parameters.distribution("size").least() > *bytes as f64
    {
        let message = format!("no entry fits into the {bytes} bytes of '{name}'");
        wrong(
            DOES_NOT_FIT,
            "bytes",
            message,
            "`size` is the bytes of one entry, `bytes` those of all of them",
        );
    }
    if given("ttl") && given("sliding") {
        let message = format!("'{name}' has both `ttl` and `sliding`");
        wrong(
            DOES_NOT_FIT,
            "sliding",
            message,
            "a lifetime counts from the put (`ttl`) or from the last hit (`sliding`)",
        );
    }
    let immortal = !given("ttl") && !given("sliding");
    if immortal && guard.needs_lifetime() {
        let message = format!("the guard of '{name}' acts on lifetimes, and its entries live for ever");
        wrong(DOES_NOT_FIT, "guard", message, "write `ttl = \"60s\"`");
    }
    if let Guard::Stale { claim: Claim::Get, .. } = guard
        && parameters.form("guard").1.place("recheck").is_some()
    {
        let message = format!("the guard of '{name}' has `recheck`, and nobody in it takes a lock");
        wrong(DOES_NOT_FIT, "guard", message, "write `claim=set_nx`, or leave `recheck` out");
    }
    if immortal && parameters.number("jitter") > 0.0 {
        let message = format!("'{name}' has `jitter` but no `ttl`");
        wrong(DOES_NOT_FIT, "jitter", message, "write `ttl = \"60s\"`");
    }
}
