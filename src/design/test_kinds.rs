//! Kinds of parts for the tests of this room: small, but with every shape of knob.

use crate::base::knob::{Form, Knob, Knobs, Preset, Takes};
use crate::base::problem::Problems;
use crate::base::series::{Series, SeriesKind};
use crate::base::time::Span;
use crate::components::{Kind, Names, Part, PartName, Wiring};
use crate::design::file::{self, Data, Loaded};
use crate::design::render::render;
use crate::design::resolve::{Design, Tables, resolve};
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

fn server(_: &Knobs, _: &Names<'_>, _: &mut Problems) -> Option<Box<dyn Part>> {
    Some(Box::new(Nothing("server")))
}

const fn knob(name: &'static str, takes: Takes, default: Preset) -> Knob {
    Knob { name, takes, default, doc: "What it does." }
}

const fn is(text: &'static str) -> Preset {
    Preset::Is { text, source: "a test" }
}

const SPAN: Takes = Takes::Span { min: Span::from_ns(1), max: Span::MAX };

const RETRY: &[Form] =
    &[Form { name: "fixed", knobs: &[knob("every", Takes::Law, Preset::Required)], doc: "Evenly." }];

const GUARDS: &[Form] = &[
    Form { name: "none", knobs: &[], doc: "Nothing." },
    Form {
        name: "mutex",
        knobs: &[
            knob("ttl", SPAN, Preset::Required),
            knob("wait", Takes::Form(RETRY), is("fixed(50ms)")),
            knob("recheck", Takes::Switch, is("true")),
        ],
        doc: "One at a time.",
    },
    Form { name: "stale", knobs: &[knob("for", SPAN, Preset::Required)], doc: "The old value." },
];

const EACH: &[Form] = &[Form {
    name: "each",
    knobs: &[
        knob("n", Takes::Count { min: 0, max: u64::MAX }, Preset::Required),
        knob("keys", Takes::Count { min: 1, max: 1 << 30 }, Preset::Required),
    ],
    doc: "The same for each key.",
}];

const SERVER: &[Knob] = &[
    knob("cores", Takes::Count { min: 1, max: 1024 }, is("2")),
    knob("threads", Takes::Count { min: 1, max: u64::MAX }, is("unlimited")),
    knob("discipline", Takes::Word(&["fifo", "lifo", "ps"]), is("fifo")),
    knob("pause", Takes::Law, Preset::Absent),
];

const CACHE: &[Knob] = &[
    knob("ttl", SPAN, Preset::Absent),
    knob("jitter", Takes::Share { min: 0.0, max: 1.0 }, is("0%")),
    knob("guard", Takes::Form(GUARDS), is("none")),
    knob("fill", Takes::Call, Preset::Absent),
];

const DB: &[Knob] = &[
    knob("copies", Takes::Count { min: 1, max: 9 }, Preset::Absent),
    knob("read", Takes::Law, is("4ms")),
    knob("start", Takes::Table(&Takes::Form(EACH)), is("{}")),
];

const LB: &[Knob] = &[knob("to", Takes::Part(&["server", "db"]), Preset::Required)];

const HITS: Series =
    Series { name: "hits", kind: SeriesKind::Counter, unit: "reads", doc: "How often.", of_whole: false };
const MISSES: Series = Series { name: "misses", doc: "How seldom.", ..HITS };

const COMMON: &[Knob] = &[
    knob("at", Takes::Zones, Preset::Absent),
    knob("count", Takes::Count { min: 1, max: 4_000_000 }, is("1")),
];

const fn kind(name: &'static str, knobs: &'static [Knob], runs_programs: bool) -> Kind {
    Kind {
        name,
        doc: "A part.",
        common: COMMON,
        knobs,
        series: &[HITS, MISSES],
        runs_programs,
        resolve: server,
    }
}

/// Kinds to test with.
pub static KINDS: [Kind; 4] =
    [kind("server", SERVER, true), kind("cache", CACHE, false), kind("db", DB, true), kind("lb", LB, false)];

/// Tables to test with.
pub fn tables() -> Tables {
    const POLICY: &[Knob] =
        &[knob("timeout", SPAN, is("1s")), knob("retry", Takes::Form(RETRY), Preset::Absent)];
    Tables { kinds: &KINDS, policy: POLICY }
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
