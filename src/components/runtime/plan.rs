//! What all hosts of programs of a tier share, and what they record.

use std::sync::Arc;

use crate::base::ids::{PartId, ProbeId, SeriesId};
use crate::base::series::series;
use crate::components::directory::Directory;
use crate::components::mech::cores::Discipline;
use crate::components::mech::policy::{Answers, Policy};
use crate::program::instr::SharedPrograms;

series! {
    /// The series, in the order in which users see them.
    pub enum ServerSeries {
        Busy: Level "busy", "cores", "Cores that are busy.";
        Threads: Level "threads", "threads", "Threads that are busy.";
        Queued: Level "queued", "requests", "Requests that wait for a thread.";
        Refused: Counter "refused", "requests", "Requests refused because the queue was full.";
        Rebuilds: Counter "rebuilds", "rebuilds", "Rebuilds of cache entries begun here.";
        Runnable: Level "runnable", "steps", "`cpu` steps that wait for a core; with `ps`, how many more there are than cores.";
        Served: Counter "served", "requests", "Requests that had a thread and have ended, whatever became of them.";
    }
}

/// What all servers of a tier share.
#[derive(Clone)]
pub struct RuntimePlan {
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
    /// All of [`ServerSeries`], which begin here.
    Server(SeriesId),
    /// Only the programs under way: a store has other series for the rest.
    Store(SeriesId),
}

impl RuntimePlan {
    /// The id of a series, if it is kept.
    pub(in crate::components::runtime) fn series(&self, series: ServerSeries) -> Option<SeriesId> {
        match self.told {
            RecordsAs::Server(first) => Some(series.id(first)),
            RecordsAs::Store(programs) => (series == ServerSeries::Threads).then_some(programs),
        }
    }
}
