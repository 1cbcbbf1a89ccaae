//! The kinds of entries besides parts: what each key of a design or an experiment may hold. The loader checks by
//! this table, and the JSON Schema is made from it.

use crate::base::parameter::{Parameter, ParameterType, Preset};
use crate::base::time::Span;
use crate::design::limits::RUNS_MAX;

/// A kind of entry, besides the kinds of parts.
#[derive(Clone, Copy, Debug)]
pub struct EntryKind {
    /// The key: `workload`.
    pub name: &'static str,
    /// Whether entries have names: `workload.browse = …`, otherwise `length = …`.
    pub named: bool,
    /// What an entry holds.
    pub holds: Holds,
    /// One sentence.
    pub doc: &'static str,
}

/// What an entry holds.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// One value.
    Value(ParameterType),
    /// A table of parameters.
    Parameters(&'static [Parameter]),
    /// One value, or a table of parameters.
    ValueOrParameters(ParameterType, &'static [Parameter]),
    /// Changes by dotted path.
    Patch,
    /// Lists of values by dotted path.
    Sweep,
    /// An outcome, or a list of them, by property.
    Outcomes,
    /// The text of a program, by name.
    Programs,
    /// Parameters that other tables define (policies).
    Policy,
    /// Nothing yet: a word of the language that this version does not carry out.
    Later,
}

const fn text(name: &'static str, default: Preset, doc: &'static str) -> Parameter {
    Parameter { name, takes: ParameterType::Text, default, doc }
}

const fn share(name: &'static str, default: Preset, doc: &'static str) -> Parameter {
    Parameter { name, takes: ParameterType::Share { min: 0.0, max: 1.0 }, default, doc }
}

const fn span(name: &'static str, default: Preset, doc: &'static str) -> Parameter {
    Parameter { name, takes: ParameterType::Span { min: Span::ZERO, max: Span::MAX }, default, doc }
}

/// The kinds of entries, besides parts, that belong to the design: what a variant, a sweep or a run may change. All
/// others are asked once, of all variants.
const DESIGN: &[&str] = &["zone", "net", "link", "policy", "workload", "answers", "fault", "on"];

/// Whether an entry of that kind is part of the question and not of the design.
pub fn asked_once(kind: &str) -> bool {
    !DESIGN.contains(&kind) && ENTRIES.iter().any(|entry| entry.name == kind)
}

const TEXTS: ParameterType = ParameterType::List(&ParameterType::Text);

/// Parameters of `zone.x`.
pub const ZONE: &[Parameter] = &[share(
    "users",
    Preset::Absent,
    "Share of the users who sit in this zone, 0% to 100%: of a closed loop's users, and of the requests of open loops.",
)];

/// Parameters of `net`, the default path between any two members.
pub const NET: &[Parameter] = &[
    Parameter {
        name: "latency",
        takes: ParameterType::Distribution,
        default: Preset::Is {
            text: "0.25ms",
            source: "half of 0.5 ms, a round trip within a data centre (Dean, 'Numbers everyone should know')",
        },
        doc: "One-way delay.",
    },
    share(
        "loss",
        Preset::Is { text: "0%", source: "a quiet network" },
        "Share of packets lost; a lost packet of a connection is sent again.",
    ),
    share(
        "duplicate",
        Preset::Is { text: "0%", source: "a quiet network" },
        "Share of datagrams that arrive twice.",
    ),
    Parameter {
        name: "bandwidth",
        takes: ParameterType::Bandwidth,
        default: Preset::Absent,
        doc: "Bits per second of a path; without it size costs no time.",
    },
    span(
        "break_after",
        Preset::Is { text: "924.6s", source: "Linux: tcp_retries2 = 15" },
        "A cut longer than this breaks connections.",
    ),
];

/// Parameters of `link."a b"`: those that are not given are the ones of `net`.
pub const LINK: &[Parameter] = &[
    Parameter {
        name: "latency",
        takes: ParameterType::Distribution,
        default: Preset::Absent,
        doc: "One-way delay.",
    },
    share("loss", Preset::Absent, "Share of packets lost; a lost packet of a connection is sent again."),
    share("duplicate", Preset::Absent, "Share of datagrams that arrive twice."),
    Parameter {
        name: "bandwidth",
        takes: ParameterType::Bandwidth,
        default: Preset::Absent,
        doc: "Bits per second of the path.",
    },
    span("break_after", Preset::Absent, "A cut longer than this breaks connections."),
];

/// Parameters of `workload.x`.
pub const WORKLOAD: &[Parameter] = &[
    Parameter {
        name: "do",
        takes: ParameterType::Call,
        default: Preset::Required,
        doc: "What each request is: `product(item=zipf(n=100k, s=1.1))`, or a `mix` of calls.",
    },
    text("arrive", Preset::Required, "When requests come: `poisson(500/s)`, `users(20k, think=exp(20s))`."),
    Parameter {
        name: "with",
        takes: ParameterType::Policy,
        default: Preset::Absent,
        doc: "What the caller does about trouble; without it the policy `default`.",
    },
    span("from", Preset::Absent, "When it begins; without it at the start."),
    span("to", Preset::Absent, "When it ends; without it at the end."),
    Parameter {
        name: "zone",
        takes: ParameterType::Zones,
        default: Preset::Absent,
        doc: "Where its users sit and its requests come from, in equal parts if there are several; without it by the zones' `users` shares.",
    },
];

/// Parameters of `theory.x`.
pub const THEORY: &[Parameter] = &[
    text("of", Preset::Required, "The measure that theory speaks of: `mean(product)`."),
    Parameter {
        name: "is",
        takes: ParameterType::Any,
        default: Preset::Required,
        doc: "What it says: a number, a list in sweep order, or an expression over closed forms.",
    },
    Parameter {
        name: "within",
        takes: ParameterType::NumberOrText,
        default: Preset::Is { text: "2%", source: "docs/validation.md: the rule of agreement" },
        doc: "Difference that still counts as agreement: relative (`2%`), in percentage points (`0.5pt`), or absolute (`0.1ms`).",
    },
    Parameter {
        name: "events",
        takes: ParameterType::Word(&["poisson"]),
        default: Preset::Absent,
        doc: "`poisson`: the measure counts events that do not depend on each other, such as outages, and its interval is the exact one of their sum over all runs; without it Student's t over the runs.",
    },
    text("source", Preset::Required, "Where it is from."),
    Parameter {
        name: "published",
        takes: ParameterType::Any,
        default: Preset::Absent,
        doc: "A published figure to show beside `is`, as its source writes it, where `is` is known better: `published = \"1.85 ms (from 50,000 samples)\"`.",
    },
    Parameter {
        name: "variant",
        takes: ParameterType::Any,
        default: Preset::Absent,
        doc: "The variants that it speaks of; without it all.",
    },
];

/// Parameters of `plot.x`.
pub const PLOT: &[Parameter] = &[
    Parameter {
        name: "line",
        takes: TEXTS,
        default: Preset::Absent,
        doc: "Measures as lines over time, or over the sweep; those of one unit share a picture.",
    },
    Parameter {
        name: "cdf",
        takes: TEXTS,
        default: Preset::Absent,
        doc: "Programs whose latencies are drawn as distributions.",
    },
    Parameter {
        name: "bars",
        takes: TEXTS,
        default: Preset::Absent,
        doc: "Measures as bars with intervals; those of one unit share a picture.",
    },
    Parameter {
        name: "scatter",
        takes: TEXTS,
        default: Preset::Absent,
        doc: "Two measures against each other.",
    },
    Parameter {
        name: "timeline",
        takes: TEXTS,
        default: Preset::Absent,
        doc: "Series and faults over time.",
    },
    Parameter {
        name: "grid",
        takes: TEXTS,
        default: Preset::Absent,
        doc: "The two axes of a grid: `variant` and paths.",
    },
    Parameter { name: "cell", takes: TEXTS, default: Preset::Absent, doc: "What stands in a grid's cells." },
    text(
        "x",
        Preset::Absent,
        "The path along the horizontal axis, swept or set by the variants that are shown; without it time.",
    ),
    text("by", Preset::Absent, "What gets a colour each: `variant` or a path."),
    span("from", Preset::Absent, "Over time: where the picture begins; without it at the start of the run."),
    span(
        "to",
        Preset::Absent,
        "Over time: where the picture ends; without it at the end of the run. It goes on to the end of a fault that begins in it.",
    ),
    text("title", Preset::Absent, "Its title."),
    Parameter {
        name: "log",
        takes: ParameterType::Switch,
        default: Preset::Absent,
        doc: "A logarithmic vertical axis; without it where a percentile is drawn.",
    },
    Parameter {
        name: "variant",
        takes: ParameterType::Any,
        default: Preset::Absent,
        doc: "The variants that it shows; without it all.",
    },
];

const fn one(name: &'static str, takes: ParameterType, doc: &'static str) -> EntryKind {
    EntryKind { name, named: false, holds: Holds::Value(takes), doc }
}

const fn many(name: &'static str, holds: Holds, doc: &'static str) -> EntryKind {
    EntryKind { name, named: true, holds, doc }
}

const RUNS: &[Parameter] = &[
    Parameter {
        name: "quick",
        takes: ParameterType::Count { min: 1, max: RUNS_MAX },
        default: Preset::Required,
        doc: "How many `run` makes unless it is told otherwise: enough to see what happens. 1 to 100,000.",
    },
    Parameter {
        name: "full",
        takes: ParameterType::Count { min: 1, max: RUNS_MAX },
        default: Preset::Required,
        doc: "How many `run --full` makes: enough for every theory to be judged. At least `quick`, at most 100,000.",
    },
];

/// Every kind of entry that is no part, in the order in which an experiment is told.
pub const ENTRIES: &[EntryKind] = &[
    one("title", ParameterType::Text, "One line: what this is."),
    one("about", ParameterType::Text, "What a reader can learn from it."),
    one("use", TEXTS, "Files to join, relative to this one."),
    one("length", ParameterType::Text, "How long a run is: a span, or `trace`."),
    one("warmup", ParameterType::Text, "What is cut off at the start: a span, or `auto` (MSER-5)."),
    one("seed", ParameterType::Count { min: 0, max: i64::MAX as u64 }, "The first seed."),
    EntryKind {
        name: "runs",
        named: false,
        holds: Holds::ValueOrParameters(ParameterType::Any, RUNS),
        doc: "How many runs: a count, `until(ci=5%, on=p99(product), max=64)`, or `{ quick = 3, full = 30 }`; without it 1, or 5 where an `slo` or a \
              `theory` needs an interval.",
    },
    many("zone", Holds::Parameters(ZONE), "A place on the network."),
    EntryKind {
        name: "net",
        named: false,
        holds: Holds::Parameters(NET),
        doc: "The default path between any two members.",
    },
    many("link", Holds::Parameters(LINK), "A path between zones: `\"a b\"` both ways, `\"a > b\"` one way."),
    many("policy", Holds::Policy, "What a caller does about trouble."),
    many("workload", Holds::Parameters(WORKLOAD), "Who calls what, and when."),
    one(
        "answers",
        TEXTS,
        "Names of `fail` steps that are answers which callers may expect, and no failures: `[\"sold_out\"]`.",
    ),
    many("fault", Holds::Parameters(crate::faults::TIMETABLE), "What goes wrong, and when."),
    many("variant", Holds::Patch, "The design with some parameters changed, by dotted path."),
    EntryKind {
        name: "sweep",
        named: false,
        holds: Holds::Sweep,
        doc: "Values to try, by dotted path: a grid over every variant.",
    },
    EntryKind {
        name: "zip",
        named: false,
        holds: Holds::Sweep,
        doc: "Values to try that advance together, by dotted path.",
    },
    many("always", Holds::Value(ParameterType::Text), "Must hold in every run at every instant."),
    many("sometimes", Holds::Value(ParameterType::Text), "Must happen in at least one run."),
    many("slo", Holds::Value(ParameterType::Text), "A bound on a measure, judged with its interval."),
    many("verdict", Holds::Value(TEXTS), "A business need: the properties that it takes."),
    many(
        "expect",
        Holds::Outcomes,
        "What a variant is meant to show: `expect.VARIANT.PROPERTY = \"violated\"`.",
    ),
    many("theory", Holds::Parameters(THEORY), "What a formula or a paper says beside what the run says."),
    one("measures", TEXTS, "Measures to show, besides those that properties, theories and plots name."),
    many("plot", Holds::Parameters(PLOT), "A picture."),
    many("find", Holds::Later, "Capacity under an objective."),
    many("assume", Holds::Later, "Doubt as data."),
    many("on", Holds::Programs, "What each endpoint of a part does: `[on.app]`."),
];
