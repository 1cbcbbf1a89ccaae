//! Kinds of parts for the tests of this layer: small, but with every shape of parameter.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::base::series::{Series, SeriesKind};
use crate::base::time::Span;
use crate::components::Kinds;
use crate::components::part::{Kind, Names, Part, PartName, Wiring};
use crate::design::file::{self, Data, Loaded};
use crate::design::render::render;
use crate::design::resolve::{Design, Tables, resolve};
use crate::program::compile::scope::PartRole;
use crate::sim::run::World;

struct Nothing(&'static str);

impl Part for Nothing {
    fn kind(&self) -> &'static str {
        self.0
    }

    fn build(&self, _at: &PartName, _wiring: &Wiring, _world: &mut World) {
        unreachable!("designs are only checked here")
    }
}

fn server(_: &Parameters, _: &Names<'_>, _: &mut Problems) -> Option<Box<dyn Part>> {
    Some(Box::new(Nothing("server")))
}

const fn parameter(name: &'static str, takes: ParameterType, default: Preset) -> Parameter {
    Parameter { name, takes, default, doc: "What it does." }
}

const fn is(text: &'static str) -> Preset {
    Preset::Is { text, source: "a test" }
}

const SPAN: ParameterType = ParameterType::Span { min: Span::from_ns(1), max: Span::MAX };

const RETRY: &[Constructor] = &[Constructor {
    name: "fixed",
    parameters: &[parameter("every", ParameterType::Distribution, Preset::Required)],
    doc: "Evenly.",
}];

const GUARDS: &[Constructor] = &[
    Constructor { name: "none", parameters: &[], doc: "Nothing." },
    Constructor {
        name: "mutex",
        parameters: &[
            parameter("ttl", SPAN, Preset::Required),
            parameter("wait", ParameterType::Constructor(RETRY), is("fixed(50ms)")),
            parameter("recheck", ParameterType::Switch, is("true")),
        ],
        doc: "One at a time.",
    },
    Constructor {
        name: "stale",
        parameters: &[parameter("for", SPAN, Preset::Required)],
        doc: "The old value.",
    },
];

const EACH: &[Constructor] = &[Constructor {
    name: "each",
    parameters: &[
        parameter("n", ParameterType::Count { min: 0, max: u64::MAX }, Preset::Required),
        parameter("keys", ParameterType::Count { min: 1, max: 1 << 30 }, Preset::Required),
    ],
    doc: "The same for each key.",
}];

const SERVER: &[Parameter] = &[
    parameter("cores", ParameterType::Count { min: 1, max: 1024 }, is("2")),
    parameter("threads", ParameterType::Count { min: 1, max: u64::MAX }, is("unlimited")),
    parameter("discipline", ParameterType::Word(&["fifo", "lifo", "ps"]), is("fifo")),
    parameter("pause", ParameterType::Distribution, Preset::Absent),
];

const CACHE: &[Parameter] = &[
    parameter("ttl", SPAN, Preset::Absent),
    parameter("jitter", ParameterType::Share { min: 0.0, max: 1.0 }, is("0%")),
    parameter("guard", ParameterType::Constructor(GUARDS), is("none")),
    parameter("fill", ParameterType::Call, Preset::Absent),
];

const DB: &[Parameter] = &[
    parameter("copies", ParameterType::Count { min: 1, max: 9 }, Preset::Absent),
    parameter("read", ParameterType::Distribution, is("4ms")),
    parameter("start", ParameterType::Table(&ParameterType::Constructor(EACH)), is("{}")),
];

const LB: &[Parameter] = &[parameter("to", ParameterType::Part(&["server", "db"]), Preset::Required)];

const HITS: Series =
    Series { name: "hits", kind: SeriesKind::Counter, unit: "reads", doc: "How often.", of_whole: false };
const MISSES: Series = Series { name: "misses", doc: "How seldom.", ..HITS };

const COMMON: &[Parameter] = &[
    parameter("at", ParameterType::Zones, Preset::Absent),
    parameter("count", ParameterType::Count { min: 1, max: 4_000_000 }, is("1")),
];

const fn kind(
    name: &'static str,
    parameters: &'static [Parameter],
    role: PartRole,
    runs_programs: bool,
) -> Kind {
    Kind {
        name,
        doc: "A part.",
        common: COMMON,
        parameters,
        series: &[HITS, MISSES],
        served: &["hits"],
        refused: &[],
        takes: &[],
        role,
        runs_programs,
        resolve: server,
    }
}

/// Kinds to test with.
pub static KINDS: [Kind; 4] = [
    kind("server", SERVER, PartRole::Runs, true),
    kind("cache", CACHE, PartRole::Caches, false),
    kind("db", DB, PartRole::Stores, true),
    kind("lb", LB, PartRole::Balances, false),
];

/// Tables to test with.
pub fn tables() -> Tables {
    const POLICY: &[Parameter] = &[
        parameter("timeout", SPAN, is("1s")),
        parameter("retry", ParameterType::Constructor(RETRY), Preset::Absent),
    ];
    Tables { kinds: Kinds::of(&KINDS), policy: POLICY }
}

/// Loads a design that stands in one file.
pub fn loaded(text: &str) -> Loaded {
    let files = std::collections::BTreeMap::from([("a.toml".to_owned(), text.as_bytes().to_vec())]);
    match file::load(&files, "a.toml") {
        Ok(loaded) => loaded,
        Err((sources, problems)) => panic!("{}", render(&sources, &problems, false)),
    }
}

/// Resolves a design, or shows what is wrong.
pub fn resolved(loaded: &Loaded) -> Result<Design, String> {
    let files = std::collections::BTreeMap::<String, Vec<u8>>::new();
    let mut problems = Problems::default();
    let data = Data { reader: &files, sources: &loaded.sources };
    let design = resolve(&loaded.tree, &tables(), data, &mut problems);
    design.ok_or_else(|| render(&loaded.sources, &problems, false))
}
