//! Connections to a store: the parameter `pool` and what it resolves to. With `per=process` each client process has a pool
//! of its own (its half is the client's); with `per=all` the store admits that many operations at once.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::time::Span;

/// A pool of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// How many connections; `u32::MAX`: unlimited.
    pub connections: u32,
    /// Whose they are.
    pub per: PoolPer,
    /// How many operations wait for one; a further one fails with `pool`.
    pub queue: u32,
    /// After this a waiting operation fails with `pool`.
    pub timeout: Span,
}

/// Whose a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolPer {
    /// Each client process has its own.
    Process,
    /// All clients share one, at the store.
    All,
}

impl Pool {
    /// From a checked parameter `pool`; `None` without one: as many connections as wanted.
    pub fn of(parameters: &Parameters) -> Option<Pool> {
        let Some(Setting::Constructor(_, pool)) = parameters.get("pool") else { return None };
        let count = |parameter: &str| u32::try_from(pool.count(parameter)).unwrap_or(u32::MAX);
        Some(Pool {
            connections: count("n"),
            per: if pool.word("per") == "all" { PoolPer::All } else { PoolPer::Process },
            queue: count("queue"),
            timeout: pool.span("timeout"),
        })
    }
}

/// The parameter.
pub const POOL: Parameter = Parameter {
    name: "pool",
    takes: ParameterType::Constructor(POOLS),
    default: Preset::Absent,
    doc: "Connections that operations need; without it there are as many as wanted.",
};

const POOLS: &[Constructor] = &[Constructor {
    name: "pool",
    parameters: &[
        Parameter {
            name: "n",
            takes: ParameterType::Count { min: 1, max: u64::MAX },
            default: Preset::Required,
            doc: "How many connections.",
        },
        Parameter {
            name: "per",
            takes: ParameterType::Word(&["process", "all"]),
            default: Preset::Is { text: "process", source: "client libraries keep a pool per process" },
            doc: "Whether each client process has that many, or all of them together.",
        },
        Parameter {
            name: "queue",
            takes: ParameterType::Count { min: 0, max: u64::MAX },
            default: Preset::Is { text: "unlimited", source: "HikariCP bounds the wait, not the line" },
            doc: "How many operations wait for a connection.",
        },
        Parameter {
            name: "timeout",
            takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
            default: Preset::Is { text: "30s", source: "HikariCP: connectionTimeout" },
            doc: "How long an operation waits for a connection before it fails.",
        },
    ],
    doc: "So many connections; an operation takes one for as long as it lasts.",
}];
