//! Kinds of parts whose tables do not move: the messages of `tests/designs/bad` are about the loader, and a new knob
//! of a shipped part must not change forty of them.

use splitbrain::base::knob::{Form, Knob, Knobs, Preset, Takes};
use splitbrain::base::problem::Problems;
use splitbrain::base::time::Span;
use splitbrain::components::{Kind, Names, Part, PartName, Wiring};
use splitbrain::design::resolve::Tables;
use splitbrain::sim::run::World;

struct Checked;

impl Part for Checked {
    fn kind(&self) -> &'static str {
        "checked"
    }

    fn build(&self, _at: &PartName, _wiring: &Wiring, _world: &mut World) {
        unreachable!("designs are only checked here")
    }
}

fn resolve(_: &Knobs, _: &Names<'_>, _: &mut Problems) -> Option<Box<dyn Part>> {
    Some(Box::new(Checked))
}

const fn knob(name: &'static str, takes: Takes, default: Preset, doc: &'static str) -> Knob {
    Knob { name, takes, default, doc }
}

const fn is(text: &'static str) -> Preset {
    Preset::Is { text, source: "tests/all/kinds.rs" }
}

const fn form(name: &'static str, knobs: &'static [Knob], doc: &'static str) -> Form {
    Form { name, knobs, doc }
}

const SPAN: Takes = Takes::Span { min: Span::from_ns(1), max: Span::MAX };
const MANY: Takes = Takes::Count { min: 1, max: u64::MAX };
const SHARE: Takes = Takes::Share { min: 0.0, max: 1.0 };

const COMMON: &[Knob] = &[
    knob("at", Takes::Zones, Preset::Absent, "Its zones, in turn."),
    knob("count", Takes::Count { min: 1, max: 4_000_000 }, is("1"), "How many members."),
    knob("speed", Takes::Share { min: 0.001, max: 1_000.0 }, is("100%"), "How fast its cores are."),
];

const SERVER: &[Knob] = &[
    knob("cores", Takes::Count { min: 1, max: 1_024 }, is("2"), "Cores of a member."),
    knob("threads", MANY, is("unlimited"), "Requests that a member works on at once."),
    knob(
        "queue",
        Takes::Count { min: 0, max: u64::MAX },
        is("unlimited"),
        "Requests that wait for a thread.",
    ),
    knob("discipline", Takes::Word(&["fifo", "lifo", "ps"]), is("fifo"), "Who gets the core next."),
    knob("cost", Takes::DollarsPerHour, Preset::Absent, "What a member costs."),
];

const PICKS: &[Form] = &[
    form("random", &[], "Any."),
    form(
        "power_of",
        &[knob("d", Takes::Count { min: 1, max: 64 }, is("2"), "How many are compared.")],
        "The better of d.",
    ),
];

const LB: &[Knob] = &[
    knob("to", Takes::Part(&["server"]), Preset::Required, "The part behind it."),
    knob("pick", Takes::Form(PICKS), is("random"), "Who gets the next request."),
];

const RETRY: &[Form] = &[form(
    "fixed",
    &[
        knob("every", Takes::Law, Preset::Required, "How long to wait."),
        knob("times", Takes::Count { min: 1, max: 1_000 }, Preset::Required, "How often."),
    ],
    "Evenly.",
)];

const POLL: &[Form] =
    &[form("fixed", &[knob("every", Takes::Law, Preset::Required, "How long to wait.")], "Evenly.")];

const GUARDS: &[Form] = &[
    form("none", &[], "Everybody rebuilds."),
    form(
        "mutex",
        &[
            knob("ttl", SPAN, Preset::Required, "When the mutex expires."),
            knob("wait", Takes::Form(POLL), is("fixed(50ms)"), "How the others wait."),
            knob("recheck", Takes::Switch, is("true"), "Whether to look again after acquiring."),
        ],
        "One rebuilds.",
    ),
    form(
        "stale",
        &[knob("for", SPAN, Preset::Required, "For how long the old value serves.")],
        "The old value.",
    ),
];

const CACHE: &[Knob] = &[
    knob("entries", MANY, is("unlimited"), "How many values it holds."),
    knob("ttl", SPAN, Preset::Absent, "When a value expires."),
    knob("jitter", SHARE, is("0%"), "How much the lifetime varies."),
    knob(
        "evict",
        Takes::Word(&["lru", "fifo", "clock", "lfu", "sieve"]),
        is("lru"),
        "Who goes when it is full.",
    ),
    knob("guard", Takes::Form(GUARDS), is("none"), "Who rebuilds."),
    knob("fill", Takes::Call, Preset::Absent, "The program that rebuilds."),
];

const START: &[Form] = &[form(
    "each",
    &[
        knob("n", Takes::Count { min: 0, max: u64::MAX }, Preset::Required, "The value."),
        knob("keys", Takes::Count { min: 1, max: 1 << 30 }, Preset::Required, "How many keys."),
    ],
    "The same for each key.",
)];

const DB: &[Knob] = &[
    knob("read", Takes::Law, is("4ms"), "What a read takes."),
    knob("write", Takes::Law, is("6ms"), "What a write takes."),
    knob("start", Takes::Table(&Takes::Form(START)), is("{}"), "Values at the start."),
];

const EXTERNAL: &[Knob] = &[
    knob("reply", Takes::Law, Preset::Required, "What an answer takes."),
    knob("errors", SHARE, is("0%"), "How many answers are errors."),
];

const POLICY: &[Knob] = &[
    knob("timeout", SPAN, is("1s"), "When the caller gives up."),
    knob("retry", Takes::Form(RETRY), Preset::Absent, "How it tries again."),
];

const fn kind(name: &'static str, doc: &'static str, knobs: &'static [Knob], runs_programs: bool) -> Kind {
    Kind { name, doc, knobs, series: &[("calls", "Calls.")], runs_programs, resolve }
}

static KINDS: [Kind; 5] = [
    kind("server", "App servers.", SERVER, true),
    kind("lb", "A load balancer.", LB, false),
    kind("cache", "A keyed cache.", CACHE, false),
    kind("db", "A keyed store.", DB, true),
    kind("external", "A dependency that we do not own.", EXTERNAL, false),
];

/// The tables.
pub fn tables() -> Tables {
    Tables { kinds: &KINDS, common: COMMON, policy: POLICY }
}
