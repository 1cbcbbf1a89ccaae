//! `server`: app servers that run programs ([`runtime`](crate::components::runtime)). A thread is held for the whole program, a core only during `cpu`, a
//! connection of a pool for one step on a db. An abandoned call is worked off to its end and burns capacity.

use std::sync::Arc;

use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::components::mech::cores::{DISCIPLINE, Discipline};
use crate::components::mech::policy::Answers;
use crate::components::part::{COMMON, Kind, Names, Part, PartName, Wiring, count_u32, speed_ppm};
use crate::components::runtime::host;
use crate::components::runtime::plan::{RecordsAs, RuntimePlan, ServerSeries};
use crate::program::compile::scope::PartRole;
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

/// The kind.
pub const KIND: Kind = Kind {
    name: "server",
    doc: "App servers: they run programs.",
    common: COMMON,
    parameters: PARAMETERS,
    series: ServerSeries::ALL,
    served: &["served"],
    refused: &["refused"],
    takes: &[],
    role: PartRole::Runs,
    runs_programs: true,
    resolve,
};

struct ServerPart(RuntimePlan);

fn resolve(parameters: &Parameters, names: &Names, _problems: &mut Problems) -> Option<Box<dyn Part>> {
    Some(Box::new(ServerPart(RuntimePlan {
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
        let plan = RuntimePlan {
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
