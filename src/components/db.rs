//! A keyed store, kind `db`: real values and versions, reads and writes that take time on its cores, writes that are
//! synced before they are acknowledged. This file has its parameters, and knows every way in which copies agree
//! ([`copies`](mod@copies)); what members have in common is [`storage`](crate::components::storage), how they agree
//! [`replication`](crate::components::replication).

pub mod copies;
mod fitting;

use std::sync::Arc;

use crate::base::ids::{PartId, SeriesId};
use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::Problems;
use crate::base::time::Span;
use crate::components::db::copies::{
    AVOID, CONNECT, COPIES, COPY, Copies, FAILOVER, KEEPALIVE, KEEPALIVE_TIMEOUT, MERGE, copies,
};
use crate::components::directory::{Client, PoolClient, StoreClient};
use crate::components::mech::cores::{DISCIPLINE, Discipline};
use crate::components::mech::mutant::Mutant;
use crate::components::mech::pool::{POOL, Pool, PoolPer};
use crate::components::part::{COMMON, Kind, Led, Names, Part, PartName, Wiring, count_u32, speed_ppm};
use crate::components::replication::quorum;
use crate::components::replication::quorum::member::Member;
use crate::components::replication::single::StoreProcess;
use crate::components::replication::{leader, multi_leader};
use crate::components::runtime::beside::add_beside;
use crate::components::storage::front;
use crate::components::storage::legs::LEGS;
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::{Initial, RowName, Tables};
use crate::components::storage::series::StoreSeries;
use crate::components::storage::transactions::parameters::{
    DEADLOCK, IDLE, ISOLATION, LOCK_WAIT, LOCK_WAIT_UNDOES, isolation, waiting,
};
use crate::components::storage::transactions::waiting::Undoes;
use crate::program::compile::scope::PartRole;
use crate::record::survey::Holdings;
use crate::sim::keepalive::Keepalive;
use crate::sim::run::World;

/// The kind `db`.
pub const DB: Kind = Kind {
    name: "db",
    doc: "A keyed store with real values and versions.",
    common: COMMON,
    parameters: PARAMETERS,
    series: StoreSeries::ALL,
    served: &["reads", "writes", "updates"],
    refused: &["rejected", "dropped"],
    takes: &[("read", "a read takes"), ("write", "a write takes")],
    role: PartRole::Stores,
    runs_programs: true,
    resolve,
};

const EACH: &[Constructor] = &[Constructor {
    name: "each",
    parameters: &[
        Parameter {
            name: "n",
            takes: ParameterType::Count { min: 0, max: i64::MAX as u64 },
            default: Preset::Required,
            doc: "The value of each key.",
        },
        Parameter {
            name: "keys",
            takes: ParameterType::Count { min: 1, max: i64::MAX as u64 },
            default: Preset::Required,
            doc: "How many keys: 0 or 1 up to that number.",
        },
    ],
    doc: "The same value for each key.",
}];

const PARAMETERS: &[Parameter] = &[
    COPIES,
    COPY,
    FAILOVER,
    MERGE,
    LEGS,
    AVOID,
    CONNECT,
    KEEPALIVE,
    KEEPALIVE_TIMEOUT,
    ISOLATION,
    LOCK_WAIT,
    LOCK_WAIT_UNDOES,
    DEADLOCK,
    IDLE,
    Parameter {
        name: "read",
        takes: ParameterType::Distribution,
        default: Preset::Is { text: "1ms", source: "a read by primary key that is mostly in memory" },
        doc: "Time on a core for a read.",
    },
    Parameter {
        name: "write",
        takes: ParameterType::Distribution,
        default: Preset::Is { text: "2ms", source: "twice a read: row and log" },
        doc: "Time on a core for a write or update.",
    },
    Parameter {
        name: "disk",
        takes: ParameterType::Distribution,
        default: Preset::Is { text: "0ms", source: "`write` is taken to include it" },
        doc: "Time that the disk takes to make a batch of writes safe; they are acknowledged after it.",
    },
    Parameter {
        name: "cores",
        takes: ParameterType::Count { min: 1, max: u64::MAX },
        default: Preset::Is { text: "unlimited", source: "times are taken as measured, waiting included" },
        doc: "How many operations are served at once.",
    },
    Parameter {
        name: "queue",
        takes: ParameterType::Count { min: 0, max: u64::MAX },
        default: Preset::Is { text: "unlimited", source: "nothing is turned away unless asked for" },
        doc: "How many operations wait for a core; a further one fails with `overloaded`.",
    },
    DISCIPLINE,
    POOL,
    Parameter {
        name: "timeout",
        takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
        default: Preset::Is {
            text: "30s",
            source: "as long as a pool makes wait: HikariCP, connectionTimeout",
        },
        doc: "After this a client takes the store for unreachable, and nobody knows what became of its operation.",
    },
    Parameter {
        name: "start",
        takes: ParameterType::Table(&ParameterType::Constructor(EACH)),
        default: Preset::Is { text: "{}", source: "a store is empty unless filled" },
        doc: "Tables and what is in them at the start: `{ stock = \"each(500, keys=100k)\" }`.",
    },
];

/// What only tests may say.
#[cfg(feature = "internals")]
const MUTANT: Parameter = Parameter {
    name: "mutant",
    takes: ParameterType::Word(Mutant::WORDS),
    default: Preset::Absent,
    doc: "A rule of its protocol that it breaks.",
};

#[cfg(feature = "internals")]
const BREAKABLE: &[Parameter] = &{
    let mut parameters = [MUTANT; PARAMETERS.len() + 1];
    let mut index = 0;
    while index < PARAMETERS.len() {
        parameters[index] = PARAMETERS[index];
        index += 1;
    }
    parameters
};

/// The same kind, of which a design may break a rule.
#[cfg(feature = "internals")]
pub const BREAKABLE_DB: Kind = Kind { parameters: BREAKABLE, ..DB };

struct Store {
    me: PartId,
    copies: Copies,
    client: StoreClient,
    /// Programs under way.
    programs: SeriesId,
}

impl Part for Store {
    fn kind(&self) -> &'static str {
        DB.name
    }

    fn client(&self) -> Client {
        Client::Store(self.client)
    }

    fn settable(&self) -> &'static [&'static str] {
        front::SETTABLE
    }

    fn led(&self) -> Option<Led> {
        matches!(self.copies, Copies::Leader(_)).then_some(Led { leaders: "leaders", standing: "standing" })
    }

    fn survey(&self, at: &PartName, rows: &[RowName], world: &World) -> Option<Holdings> {
        Some(match &self.copies {
            Copies::One(plan) => {
                let nodes = world.members::<StoreProcess>(at.tier)?;
                let values = rows.iter().map(|row| nodes[0].value(plan, *row)).collect::<Vec<_>>();
                Holdings::one(values)
            }
            Copies::Quorum(plan) => quorum::survey(plan, &world.members::<Member>(at.tier)?, rows),
            Copies::MultiLeader(plan) => multi_leader::survey(plan, &world.members(at.tier)?, rows),
            Copies::Leader(plan) => leader::survey(plan, &world.members(at.tier)?, rows),
        })
    }

    fn build(&self, at: &PartName, wiring: &Wiring, world: &mut World) {
        let transactional = wiring.programs.0.iter().any(|program| program.transacts_on(self.me));
        match &self.copies {
            Copies::One(plan) => {
                let plan = StorePlan { transactional, ..plan.clone() };
                world.add::<StoreProcess>(&at.name, Arc::new(plan), at.count, &at.zones, false)
            }
            Copies::Quorum(plan) => {
                world.add::<Member>(&at.name, Arc::new(plan.clone()), at.count, &at.zones, false)
            }
            Copies::MultiLeader(plan) => world.add::<multi_leader::member::Member>(
                &at.name,
                Arc::new(plan.clone()),
                at.count,
                &at.zones,
                false,
            ),
            Copies::Leader(plan) => {
                let mut plan = plan.clone();
                plan.store.session = wiring.session(at.tier);
                plan.store.transactional = transactional;
                let plan = Arc::new(plan);
                world.add::<leader::member::Member<Tables>>(&at.name, plan, at.count, &at.zones, false)
            }
        };
    }

    fn build_host(&self, at: &PartName, wiring: &Wiring, world: &mut World) {
        add_beside(self.me, at, self.programs, wiring, world);
    }
}

fn resolve(parameters: &Parameters, names: &Names, problems: &mut Problems) -> Option<Box<dyn Part>> {
    let plan = StorePlan {
        read: parameters.distribution("read"),
        write: parameters.distribution("write"),
        disk: parameters.distribution("disk"),
        cores: count_u32(parameters, "cores"),
        queue: count_u32(parameters, "queue"),
        discipline: Discipline::of(parameters.word("discipline")),
        speed_ppm: speed_ppm(parameters),
        pool: Pool::of(parameters).filter(|pool| pool.per == PoolPer::All),
        start: start(parameters),
        transactional: false,
        isolation: isolation(parameters),
        lock_wait: parameters.span("lock_wait"),
        row_waiting: waiting(parameters),
        idle: parameters.span("idle"),
        session: None,
        first_series: names.first_series,
        mutant: match parameters.get("mutant") {
            Some(Setting::Word(word)) => Mutant::of(word),
            _ => Mutant::Sound,
        },
    };
    let pool = Pool::of(parameters).filter(|pool| pool.per == PoolPer::Process);
    let pool = pool.map(|pool| PoolClient {
        size: pool.connections,
        queue: if pool.queue == u32::MAX { u64::MAX } else { u64::from(pool.queue) },
        timeout: pool.timeout,
        rejected: StoreSeries::Rejected.id(names.first_series),
        connected: StoreSeries::Connected.id(names.first_series),
        waits: StoreSeries::PoolWaits.id(names.first_series),
    });
    let timeout = parameters.span("timeout");
    let leaderless =
        matches!(parameters.get("copy"), Some(Setting::Constructor("quorum" | "multi_leader", _)));
    let led_by = match parameters.get("copy") {
        Some(Setting::Constructor("async" | "sync" | "raft", copy)) if copy.word("begin") == "led" => Some(0),
        _ => None,
    };
    let alive = Keepalive {
        connect: parameters.span("connect"),
        after: parameters.span("keepalive"),
        patience: parameters.span("keepalive_timeout"),
    };
    let keeps_tx = waiting(parameters).undoes == Undoes::Statement;
    let avoid = parameters.span("avoid");
    let client = StoreClient { timeout, pool, leaderless, avoid, alive, led_by, keeps_tx };
    let programs = plan.series(StoreSeries::Programs);
    Some(Box::new(Store {
        me: names.me,
        copies: copies(parameters, names, plan, timeout, problems)?,
        client,
        programs,
    }))
}

/// Tables are numbered in order of name; those that programs name and `start` does not come after and are empty.
fn start(parameters: &Parameters) -> Vec<Initial> {
    let Some(Setting::Table(tables)) = parameters.get("start") else { return Vec::new() };
    let initial = |setting: &Setting| match setting {
        Setting::Constructor(_, each) => Initial {
            n: i64::try_from(each.count("n")).unwrap_or(i64::MAX),
            keys: i64::try_from(each.count("keys")).unwrap_or(i64::MAX),
        },
        other => panic!("a table of forms has {other:?}"),
    };
    tables.values().map(initial).collect()
}
