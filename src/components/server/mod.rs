//! `server`: app servers that run programs, and what runs the programs of a store ([`add_beside`]). A thread is held for the whole program, a core only during `cpu`, a
//! connection of a pool for one step on a db. An abandoned call is worked off to its end and burns capacity.
//!
//! [`host`] carries out what programs ask for · [`pending`] calls other parts for them · [`reader`] is the clients'
//! half of a cache's guard, `transactor` that of a store's transactions, `holder` that of locks.

mod driver;
mod holder;
pub mod host;
pub mod pending;
mod pools;
pub mod reader;
mod transactor;

use std::sync::Arc;

use crate::base::ids::{PartId, ProbeId, SeriesId};
use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::base::series::series;
use crate::components::cores::{DISCIPLINE, Discipline, FULL_SPEED};
use crate::components::directory::Directory;
use crate::components::policy::{Answers, Policy};
use crate::components::{COMMON, Kind, Names, Part, PartName, Wiring, count_u32, speed_ppm};
use crate::program::instr::SharedPrograms;
use crate::sim::run::World;

/// Its parameters.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "cores",
        takes: ParameterType::Count { min: 1, max: u64::MAX },
        default: Preset::Is { text: "4", source: "a common size of cloud instances (4 vCPU)" },
        doc: "Cores of each: what `cpu` steps need. At least 1, or `unlimited`.",
    },
    Parameter {
        name: "threads",
        takes: ParameterType::Count { min: 1, max: u64::MAX },
        default: Preset::Is { text: "200", source: "Apache Tomcat: maxThreads" },
        doc: "Requests that each handles at once. At least 1, or `unlimited`.",
    },
    Parameter {
        name: "queue",
        takes: ParameterType::Count { min: 0, max: u64::MAX },
        default: Preset::Is { text: "100", source: "Apache Tomcat: acceptCount" },
        doc: "Requests that may wait for a thread; beyond it they are refused as overloaded. 0 or more, or `unlimited`.",
    },
    DISCIPLINE,
];

series! {
    /// The series, in the order in which users see them.
    pub enum Series {
        Busy: Level "busy", "cores", "Cores that are busy.";
        Threads: Level "threads", "threads", "Threads that are busy.";
        Queued: Level "queued", "requests", "Requests that wait for a thread.";
        Refused: Counter "refused", "requests", "Requests refused because the queue was full.";
        Rebuilds: Counter "rebuilds", "rebuilds", "Rebuilds of cache entries begun here.";
        Runnable: Level "runnable", "steps", "`cpu` steps that wait for a core; with `ps`, how many more there are than cores.";
        Served: Counter "served", "requests", "Requests that had a thread and have ended, whatever became of them.";
    }
}

/// The kind.
pub const KIND: Kind = Kind {
    name: "server",
    doc: "App servers: they run programs.",
    common: COMMON,
    parameters: PARAMETERS,
    series: Series::ALL,
    runs_programs: true,
    resolve,
};

/// What all servers of a tier share.
#[derive(Clone)]
pub struct Plan {
    /// All programs.
    pub programs: SharedPrograms,
    /// Who is where.
    pub directory: Arc<Directory>,
    /// All policies.
    pub policies: Arc<[Policy]>,
    /// Failures that are answers.
    pub answers: Answers,
    /// Where activations are recorded, by program.
    pub probes: Arc<[Option<ProbeId>]>,
    /// Cores of each; `u32::MAX` for as many as there are jobs.
    pub cores: u32,
    /// In which order jobs get them.
    pub discipline: Discipline,
    /// Threads of each; `u32::MAX` for as many as there are requests.
    pub threads: u32,
    /// Requests that may wait for a thread.
    pub queue: u64,
    /// Speed of the cores, parts per million.
    pub speed_ppm: u32,
    /// Where what it does is recorded.
    pub told: RecordsAs,
    /// The store on whose members it runs, when it is no server but what runs the programs of a store.
    pub beside: Option<PartId>,
}

/// Where a host of programs records what it does.
#[derive(Clone, Copy, Debug)]
pub enum RecordsAs {
    /// All of [`Series`], which begin here.
    Server(SeriesId),
    /// Only the programs under way: a store has other series for the rest.
    Store(SeriesId),
}

impl Plan {
    /// The id of a series, if it is kept.
    pub(in crate::components::server) fn series(&self, series: Series) -> Option<SeriesId> {
        match self.told {
            RecordsAs::Server(first) => Some(series.id(first)),
            RecordsAs::Store(programs) => (series == Series::Threads).then_some(programs),
        }
    }
}

/// Adds what runs the programs of a store: a host beside each member, on the same node, so that they crash, stand still and are cut off
/// together. A thread for each program; the cores are the store's.
pub fn add_beside(store: PartId, at: &PartName, programs: SeriesId, wiring: &Wiring, world: &mut World) {
    let plan = Plan {
        programs: wiring.programs.clone(),
        directory: wiring.directory.clone(),
        policies: wiring.policies.clone(),
        answers: wiring.answers.clone(),
        probes: wiring.probes.clone(),
        cores: u32::MAX,
        discipline: Discipline::Fifo,
        threads: u32::MAX,
        queue: 0,
        speed_ppm: FULL_SPEED,
        told: RecordsAs::Store(programs),
        beside: Some(store),
    };
    world.add_beside::<host::Server>(&format!("{}.programs", at.name), Arc::new(plan), at.tier);
}

struct ServerPart(Plan);

fn resolve(parameters: &Parameters, names: &Names, _problems: &mut Problems) -> Option<Box<dyn Part>> {
    Some(Box::new(ServerPart(Plan {
        programs: SharedPrograms::default(),
        directory: Arc::default(),
        policies: Arc::default(),
        answers: Answers::default(),
        probes: Arc::default(),
        cores: count_u32(parameters, "cores"),
        discipline: Discipline::of(parameters.word("discipline")),
        threads: count_u32(parameters, "threads"),
        queue: parameters.count("queue"),
        speed_ppm: speed_ppm(parameters),
        told: RecordsAs::Server(names.first_series),
        beside: None,
    })))
}

impl Part for ServerPart {
    fn kind(&self) -> &'static str {
        KIND.name
    }

    fn settable(&self) -> &'static [&'static str] {
        &["speed"]
    }

    fn build(&self, at: &PartName, wiring: &Wiring, world: &mut World) {
        let plan = Plan {
            programs: wiring.programs.clone(),
            directory: wiring.directory.clone(),
            policies: wiring.policies.clone(),
            answers: wiring.answers.clone(),
            probes: wiring.probes.clone(),
            ..self.0.clone()
        };
        world.add::<host::Server>(&at.name, Arc::new(plan), at.count, &at.zones, false);
    }
}
