//! A distributed lock, kind `lock`: rows of a store or entries of a cache that say who may, and how whoever wants to waits. A lock is no
//! place of its own: its members are those of the part that holds it. This file has its parameters, [`lock_client`](crate::components::lock_client) what those who want it must know; [`lock_table`](crate::components::storage::lock_table) is
//! the machine that every holder of locks has, [`lock_waiters`](crate::components::storage::lock_waiters) what a member does for those who wait.
//! The clients' half is `runtime/holder`.

use std::sync::Arc;

use crate::base::op::How;
use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::Problems;
use crate::base::time::Span;
use crate::components::directory::Client;
use crate::components::lock_client::{Fencing, LockClient, LockSeries};
use crate::components::mech::policy::{RETRIES, Retry};
use crate::components::nobody::Nobody;
use crate::components::part::{DOES_NOT_FIT, Kind, Names, Part, PartName, Wiring};
use crate::program::compile::scope::PartRole;
use crate::sim::run::World;

/// The kind `lock`.
pub const LOCK: Kind = Kind {
    name: "lock",
    doc: "A distributed lock: who may, for how long, and who waits.",
    common: &[],
    parameters: PARAMETERS,
    series: LockSeries::ALL,
    served: &["acquired"],
    refused: &["given_up"],
    takes: &[],
    role: PartRole::Locks,
    runs_programs: false,
    resolve,
};

const HOW: &[Constructor] = &[
    Constructor {
        name: "set_nx",
        parameters: &[],
        doc: "`SET key owner EX ttl NX` on one member, or on the leader of several: a key that is set if nobody has set it, and expires by \
              the wall clock (redis.io).",
    },
    Constructor {
        name: "redlock",
        parameters: &[Parameter {
            name: "n",
            takes: ParameterType::Count { min: 1, max: 99 },
            default: Preset::Is { text: "5", source: "redis.io: N = 5 masters" },
            doc: "How many members, which know nothing of each other: all of a cache.",
        }],
        doc: "The same on each of n members; whoever has a majority in less than the ttl, by his own clock, holds it (redis.io). It has no fencing tokens.",
    },
    Constructor {
        name: "lease",
        parameters: &[],
        doc: "Who wants it stands in line, in the store, for as long as he renews his lease; so does who holds it (etcd, ZooKeeper). Who comes too \
              late has lost his place, and stands at the end. A lease ends by the monotonic clock of whoever leads the store.",
    },
];

const WAIT: &[Constructor] = &[
    Constructor {
        name: "fifo",
        parameters: &[],
        doc: "In line at the store, which says whose turn it is. First come, first served; whoever dies in line costs one ttl when it is his turn, but not in a `lease`.",
    },
    RETRIES[1],
    RETRIES[2],
];

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "in",
        takes: ParameterType::Part(&["db", "cache"]),
        default: Preset::Required,
        doc: "The db or cache that holds it, in a place of its own beside tables and entries. A db makes it safe as it does rows; a cache forgets it in a crash.",
    },
    Parameter {
        name: "kind",
        takes: ParameterType::Constructor(HOW),
        default: Preset::Is { text: "set_nx", source: "Redis: SET key value EX ttl NX" },
        doc: "What it is made of.",
    },
    Parameter {
        name: "ttl",
        takes: ParameterType::Span { min: Span::from_ns(1), max: Span::from_secs(86_400) },
        default: Preset::Is { text: "30s", source: "Redisson: lockWatchdogTimeout" },
        doc: "How long it is held unless it is given back or renewed, by the clock of the member that holds it (the wall clock, but for a `lease`), from the moment when it is set or renewed.",
    },
    Parameter {
        name: "release",
        takes: ParameterType::Word(&["compare", "del"]),
        default: Preset::Is { text: "compare", source: "redis.io: delete the key only if its value is ours" },
        doc: "How it is given back: `compare` deletes one's own, `del` deletes whoever's it is.",
    },
    Parameter {
        name: "renew",
        takes: ParameterType::Span { min: Span::from_ns(1), max: Span::from_secs(86_400) },
        default: Preset::Absent,
        doc: "How often a watchdog in the holder's process renews it; without it never, but a `lease` three times in a ttl.",
    },
    Parameter {
        name: "fence",
        takes: ParameterType::Word(&["none", "write", "read_write"]),
        default: Preset::Is { text: "none", source: "most locks are used without" },
        doc: "Which steps on a db within `hold` carry the fencing token: a row refuses (`fenced`) whoever comes with an older one than it has seen.",
    },
    Parameter {
        name: "wait",
        takes: ParameterType::Constructor(WAIT),
        default: Preset::Is { text: "fifo", source: "first come, first served" },
        doc: "How one waits for it.",
    },
    Parameter {
        name: "patience",
        takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
        default: Preset::Is {
            text: "30s",
            source: "as long as a pool makes wait: HikariCP, connectionTimeout",
        },
        doc: "How long one waits for it; after that `hold` fails with `held`.",
    },
    Parameter {
        name: "timeout",
        takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
        default: Preset::Is { text: "1s", source: "a small part of the ttl (redis.io)" },
        doc: "How long a member that is asked without standing in line may take to answer; then it counts as not taken, and is given back.",
    },
];

struct Lock(Arc<LockClient>);

impl Part for Lock {
    fn kind(&self) -> &'static str {
        LOCK.name
    }

    fn client(&self) -> Client {
        Client::Lock(self.0.clone())
    }

    fn settable(&self) -> &'static [&'static str] {
        &[]
    }

    fn build(&self, at: &PartName, _wiring: &Wiring, world: &mut World) {
        world.add::<Nobody>(&at.name, Arc::new(()), 0, &at.zones, false);
    }
}

fn resolve(parameters: &Parameters, names: &Names, problems: &mut Problems) -> Option<Box<dyn Part>> {
    let at = &names.parts[parameters.part("in").index()];
    let client = client(parameters, names, at.kind == "cache");
    if let Some((parameter, what, help)) = misfit(parameters, &client, at) {
        let message = format!("'{}' {what}", names.name);
        let problem = match parameters.place(parameter).or(parameters.place("in")) {
            Some(place) => problems.at(DOES_NOT_FIT, place.clone(), message),
            None => problems.overall(DOES_NOT_FIT, message),
        };
        problem.help(help);
        return None;
    }
    Some(Box::new(Lock(Arc::new(client))))
}

fn client(parameters: &Parameters, names: &Names, in_cache: bool) -> LockClient {
    let ((kind, _), (wait, distribution)) = (parameters.form("kind"), parameters.form("wait"));
    let ttl = parameters.span("ttl");
    LockClient {
        me: names.me,
        place: parameters.part("in"),
        in_cache,
        how: match (kind, wait) {
            ("lease", _) => How::Lease,
            (_, "fifo") => How::Line,
            _ => How::Try,
        },
        majority: kind == "redlock",
        ttl,
        compares: parameters.word("release") == "compare",
        renew: match parameters.get("renew") {
            Some(_) => Some(parameters.span("renew")),
            None => (kind == "lease").then(|| Span::from_ns((ttl.as_ns() / 3).max(1))),
        },
        fencing: match parameters.word("fence") {
            "write" => Fencing::Write,
            "read_write" => Fencing::ReadWrite,
            _ => Fencing::None,
        },
        wait: match wait {
            "fifo" => Retry::None,
            _ => Retry::resolve((wait, distribution)),
        },
        patience: parameters.span("patience"),
        timeout: parameters.span("timeout"),
        first_series: names.first_series,
    }
}

/// What does not fit together: the parameter, what is wrong, what helps.
fn misfit(
    parameters: &Parameters,
    client: &LockClient,
    at: &PartName,
) -> Option<(&'static str, String, String)> {
    let ((kind, arguments), (wait, _)) = (parameters.form("kind"), parameters.form("wait"));
    let told = |parameter, what: &str, help: &str| Some((parameter, what.to_owned(), help.to_owned()));
    if client.majority {
        let n = arguments.count("n");
        if !client.in_cache || u64::from(at.count) != n {
            let has = format!("'{}' is a {} of {}", at.name, at.kind, at.count);
            let what = format!("needs {n} members that know nothing of each other, and {has}");
            return Some(("kind", what, format!("put it in a cache with `count = {n}`")));
        }
        if client.fencing != Fencing::None {
            let help = "use `set_nx` or `lease`, or leave the fence out";
            return told("fence", "is a redlock and has no fencing tokens", help);
        }
    }
    if kind == "lease" && (client.in_cache || wait != "fifo") {
        let help = "put it in a db and leave `wait` out";
        return told("kind", "is a lease: a line at a db whose places are kept", help);
    }
    if client.in_cache && wait == "fifo" {
        let help = "write `wait = \"fixed(200ms, times=unlimited)\"`, or put it in a db";
        return told("wait", "is in a cache, which answers at once and keeps nobody in line", help);
    }
    if let Some(what) = Retry::runs_away(parameters.form("wait")) {
        return told("wait", &what, "wait for at least 1us on average, or try at most 1000 times");
    }
    let late = client.renew.filter(|renew| *renew >= client.ttl)?;
    let what = format!("is renewed every {late}, and by then it is over ({})", client.ttl);
    Some(("renew", what, "renew it three times in a ttl".to_owned()))
}

/// Whether a checked lock has fencing tokens that steps carry.
pub fn is_fenced(parameters: &Parameters) -> bool {
    matches!(parameters.get("fence"), Some(Setting::Word("write" | "read_write")))
}
