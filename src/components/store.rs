//! A keyed store, kind `db`: real values and versions, reads and writes that take time on its cores, writes that are
//! synced before they are acknowledged. This file has its parameters; [`front`] is what every member does,
//! [`node`] the process of a single copy, [`rows`] the machine that applies operations.
//!
//! [`copies`](mod@copies) is how several copies agree · [`lineage`] what is recorded of them.

pub mod copies;
mod fitting;
pub mod front;
pub mod legs;
pub mod lineage;
mod locking;
pub mod node;
pub mod pace;
pub mod rows;
#[cfg(test)]
pub(super) mod tests;
mod transacting;

use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::ids::{PartId, SeriesId};
use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::Problems;
use crate::base::series::series;
use crate::base::time::Span;
use crate::components::cores::{DISCIPLINE, Discipline};
use crate::components::directory::{Client, PoolClient, StoreClient};
use crate::components::pool::{POOL, Pool, PoolPer};
use crate::components::quorum;
use crate::components::quorum::member::Member;
use crate::components::store::copies::{
    AVOID, CONNECT, COPIES, COPY, Copies, FAILOVER, KEEPALIVE, KEEPALIVE_TIMEOUT, MERGE, copies,
};
use crate::components::store::legs::LEGS;
use crate::components::store::node::StoreProcess;
use crate::components::store::rows::{Initial, RowName, Tables};
use crate::components::transactions::Isolation;
use crate::components::transactions::deadlocks::{Undoes, Waiting};
use crate::components::transactions::parameters::{
    DEADLOCK, IDLE, ISOLATION, LOCK_WAIT, LOCK_WAIT_UNDOES, isolation, waiting,
};
use crate::components::{
    COMMON, Kind, Led, Names, Part, PartName, Wiring, count_u32, leader, multi_leader, server, speed_ppm,
};
use crate::record::survey::Holdings;
use crate::sim::keepalive::Keepalive;
use crate::sim::run::World;

/// The kind `db`.
pub const DB: Kind = Kind {
    name: "db",
    doc: "A keyed store with real values and versions.",
    common: COMMON,
    parameters: PARAMETERS,
    series: Series::ALL,
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

series! {
    /// The series, in the order in which users see them.
    pub enum Series {
        Reads: Counter "reads", "operations", "Reads that a member took in; one that was sent on to a leader counts there.";
        Writes: Counter "writes", "operations", "Writes that a member took in; one that was sent on to a leader counts there.";
        Updates: Counter "updates", "operations", "Updates and compare-and-sets that a member took in; one that was sent on to a leader counts there.";
        Rejected: Counter "rejected", "operations", "Operations turned away: no place in a queue, or no connection of a pool, be it the clients' or the store's own.", whole;
        Dropped: Counter "dropped", "requests", "Requests of a quorum's coordinator that a copy had no place for: it does not answer them.";
        Syncs: Counter "syncs", "batches", "Batches of writes made safe.";
        Busy: Level "busy", "operations", "Operations being served.";
        Queue: Level "queue", "operations", "Operations that wait for a core.";
        Connected: Level "connected", "connections", "Connections of pools in use, be they the clients' or the store's own.", whole;
        Repairs: Counter "repairs", "values", "Old values that a quorum's coordinator found in a copy and brought up to date.";
        Hints: Counter "hints", "writes", "Writes that a quorum's coordinator has sent again to a copy that had not confirmed them.";
        Leaders: Level "leaders", "members", "Members that believe they lead.";
        Leaderless: Time "leaderless", "s", "Time during which no member believed that it leads.", whole;
        Elections: Counter "elections", "elections", "Leaders elected.";
        SplitVotes: Counter "split_votes", "candidacies", "Candidates that ran out of time, or gave way to a later term, without having been elected.";
        Truncated: Counter "truncated", "times", "Times that a follower cut off entries of its log which the leader does not have.";
        Snapshots: Counter "snapshots", "copies", "Whole copies sent to followers whose log could not be repaired.";
        Programs: Level "programs", "programs", "Programs under way at its members.";
        Standing: Level "standing", "members", "Members that stand for election, or ask whether they should.";
        Engaged: Level "engaged", "members", "Members that lead or stand for election.";
        Silent: Time "silent", "s", "Time during which no member led or stood for election.", whole;
        Resent: Counter "resent", "times", "Times that a leader of several has sent its changes again to one that had not confirmed them.";
        Merged: Counter "merged", "additions", "Additions of a deposed leader that its successor has added to its own.";
        Commits: Counter "commits", "transactions", "Transactions committed.";
        Aborts: Counter "aborts", "transactions", "Transactions that their clients aborted, or whose clients were not heard of.";
        Conflicts: Counter "conflicts", "transactions", "Transactions aborted because of what others have written or read meanwhile.";
        Deadlocks: Counter "deadlocks", "transactions", "Transactions aborted because they and others waited for each other.";
        LockTimeouts: Counter "lock_timeouts", "transactions", "Transactions aborted because they had waited too long for a lock.";
        LockWaits: Level "lock_waits", "operations", "Operations that wait for the lock of a row.";
        Locks: Counter "locks", "locks", "Locks taken at once; others are handed on.";
        Held: Counter "held", "refusals", "Locks that were not to be had.";
        Lapsed: Counter "lapsed", "locks", "Locks whose holder's time was over when the next one wanted them.";
        ForeignReleases: Counter "foreign_releases", "releases", "Locks given back that somebody else held (`release = \"del\"`).";
        Fenced: Counter "fenced", "operations", "Operations refused because a row had seen a newer fencing token.";
        Behind: Level "behind", "entries", "Entries that copies have not applied and those whose logs they follow have, over all copies.";
        Applied: Counter "applied", "entries", "Entries that copies have applied which others had written, over all copies.";
        Lagged: Time "lagged", "s", "Time from when each of these was written until it was applied: over `applied` it is the mean lag.";
        DirtyReads: Counter "dirty_reads", "reads", "Reads that were shown what a failover has taken back.";
        Up: Level "up", "members", "Members that are up.";
        Outages: Counter "outages", "outages", "Times that a crash left fewer members up than operations need: R or W of a quorum, as many as a commit with a leader, one where each serves by itself.", whole;
        Handovers: Counter "handovers", "handovers", "Times that a leader that was drained has told a copy which had everything to take over.";
        PoolWaits: Level "pool_waits", "operations", "Operations that wait for a connection of a pool, be it the clients' or the store's own.", whole;
    }
}

/// What all members share.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Time on a core for a read.
    pub read: Dist,
    /// Time on a core for anything else.
    pub write: Dist,
    /// Time of the disk for a batch.
    pub disk: Dist,
    /// How many operations are served at once; `u32::MAX`: unlimited.
    pub cores: u32,
    /// How many wait; `u32::MAX`: unlimited.
    pub queue: u32,
    /// In what order.
    pub discipline: Discipline,
    /// Parts per million.
    pub speed_ppm: u32,
    /// The pool that the store itself keeps.
    pub pool: Option<Pool>,
    /// What is in the tables at the start, by table.
    pub start: Vec<Initial>,
    /// Whether programs have transactions on it.
    pub transactional: bool,
    /// How well those are kept apart.
    pub isolation: Isolation,
    /// How long they wait for a lock.
    pub lock_wait: Span,
    /// What becomes of those who wait for each other, or too long.
    pub row_waiting: Waiting,
    /// How long their clients may say nothing.
    pub idle: Span,
    /// Its place in customers' tokens, when it is read `at session`.
    pub session: Option<u8>,
    /// Where the series begin.
    pub first_series: SeriesId,
    /// Whether it acknowledges what its disk does not have yet: the mutant of every store, for tests.
    pub acks_early: bool,
}

impl Plan {
    /// The id of a series.
    pub fn series(&self, series: Series) -> SeriesId {
        series.id(self.first_series)
    }
}

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
                let plan = Plan { transactional, ..plan.clone() };
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
        server::add_beside(self.me, at, self.programs, wiring, world);
    }
}

fn resolve(parameters: &Parameters, names: &Names, problems: &mut Problems) -> Option<Box<dyn Part>> {
    let plan = Plan {
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
        acks_early: false,
    };
    let pool = Pool::of(parameters).filter(|pool| pool.per == PoolPer::Process);
    let pool = pool.map(|pool| PoolClient {
        size: pool.connections,
        queue: if pool.queue == u32::MAX { u64::MAX } else { u64::from(pool.queue) },
        timeout: pool.timeout,
    });
    let timeout = parameters.span("timeout");
    let leaderless =
        matches!(parameters.get("copy"), Some(Setting::Constructor("quorum" | "multi_leader", _)));
    let led_by = match parameters.get("copy") {
        Some(Setting::Constructor("async" | "sync" | "raft", copy)) if copy.word("begin") == "led" => Some(0),
        _ => None,
    };
    let [rejected, connected, pool_waits] =
        [Series::Rejected, Series::Connected, Series::PoolWaits].map(|series| series.id(names.first_series));
    let alive = Keepalive {
        connect: parameters.span("connect"),
        after: parameters.span("keepalive"),
        patience: parameters.span("keepalive_timeout"),
    };
    let keeps_tx = waiting(parameters).undoes == Undoes::Statement;
    let avoid = parameters.span("avoid");
    let client = StoreClient {
        timeout,
        pool,
        rejected,
        connected,
        pool_waits,
        leaderless,
        avoid,
        alive,
        led_by,
        keeps_tx,
    };
    let programs = plan.series(Series::Programs);
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
