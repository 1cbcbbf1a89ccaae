//! What the loader must know of a kind of part, and what a part is to the rest.

use std::any::Any;
use std::sync::Arc;

use crate::base::ids::{PartId, ProbeId, SeriesId, TierId, ZoneId};
use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::Problems;
use crate::base::series::Series;
use crate::components::directory::{Client, Directory};
use crate::components::mech::cores::{FULL_SPEED, share_ppm};
use crate::components::mech::policy::{Answers, Policy};
use crate::program::compile::scope::PartRole;
use crate::program::instr::SharedPrograms;
use crate::record::survey::Holdings;
use crate::sim::run::World;

/// What the loader must know of a kind of part.
#[derive(Clone, Copy)]
pub struct Kind {
    /// `server`, `cache`, …
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Those of [`COMMON`] that it has.
    pub common: &'static [Parameter],
    /// Its own parameters.
    pub parameters: &'static [Parameter],
    /// What it records of itself while it runs.
    pub series: &'static [Series],
    /// Those of them that count what it has answered.
    pub served: &'static [&'static str],
    /// Those that count what it has turned away.
    pub refused: &'static [&'static str],
    /// Parameters (distributions of spans) whose times an operation takes at least, and how that is said: for timeouts that are shorter.
    pub takes: &'static [(&'static str, &'static str)],
    /// What steps it takes.
    pub role: PartRole,
    /// Whether `[on.part]` programs may be given.
    pub runs_programs: bool,
    /// From checked parameters to a part that can be built; says what does not fit together.
    pub resolve: fn(&Parameters, &Names, &mut Problems) -> Option<Box<dyn Part>>,
}

/// A kind of part of one's own, for a registry of kinds.
pub trait OfKind {
    /// The kind.
    const KIND: Kind;
}

/// Who is who, for `resolve`.
pub struct Names<'a> {
    /// The part being resolved.
    pub me: PartId,
    /// Its name.
    pub name: &'a str,
    /// Where its series begin: series `i` of the kind's list is `SeriesId(first_series.0 + i)`.
    pub first_series: SeriesId,
    /// All parts in order of name: name, kind, tier, member count.
    pub parts: &'a [PartName],
    /// Policies in order of name.
    pub policies: &'a [String],
    /// Zones in order of name.
    pub zones: &'a [String],
}

/// One part of a design.
#[derive(Clone, Debug)]
pub struct PartName {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// What steps it takes.
    pub role: PartRole,
    /// The tier that its members form.
    pub tier: TierId,
    /// How many members.
    pub count: u32,
    /// Their zones, in turn.
    pub zones: Vec<ZoneId>,
}

/// A resolved part: ready to be built into a tier.
pub trait Part: Any + Send + Sync {
    /// For `explain` and tests.
    fn kind(&self) -> &'static str;

    /// What its clients must know of it.
    fn client(&self) -> Client {
        Client::Plain
    }

    /// The parameters that a fault may `set` while the run goes on, by name; each takes one number.
    fn settable(&self) -> &'static [&'static str] {
        &["speed"]
    }

    /// What its copies hold of these rows; `None` for parts that are no stores.
    fn survey(&self, _at: &PartName, _rows: &[(u16, i64)], _world: &World) -> Option<Holdings> {
        None
    }

    /// The series that tell who leads it, if one of its members leads the others: for faults of roles and elections.
    fn led(&self) -> Option<Led> {
        None
    }

    /// Adds the part's tier to the world: makes the plan that all members share and calls [`World::add`], exactly once.
    fn build(&self, at: &PartName, wiring: &Wiring, world: &mut World);

    /// Adds what runs its programs beside its members, for a part that only coordinates them; a server runs its own.
    fn build_host(&self, _at: &PartName, _wiring: &Wiring, _world: &mut World) {}
}

/// What a part records of who leads it: names of two levels among its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Led {
    /// Members that believe they lead.
    pub leaders: &'static str,
    /// Members that stand for election.
    pub standing: &'static str,
}

/// What exists only once the whole design is resolved, and every plan may share.
#[derive(Clone, Default)]
pub struct Wiring {
    /// All programs.
    pub programs: SharedPrograms,
    /// Who is where.
    pub directory: Arc<Directory>,
    /// All policies.
    pub policies: Arc<[Policy]>,
    /// Failures that are answers.
    pub answers: Answers,
    /// By program: where its activations are recorded on the server that runs them; `None` for programs that
    /// workloads call, which are recorded at the client.
    pub probes: Arc<[Option<ProbeId>]>,
}

impl Wiring {
    /// The place in customers' tokens of the store that forms this tier, when it is read `at session`.
    pub fn session(&self, tier: TierId) -> Option<u8> {
        self.directory.0.iter().find(|target| target.tier == tier)?.session
    }
}

const AT: Parameter = Parameter {
    name: "at",
    takes: ParameterType::Zones,
    default: Preset::Absent,
    doc: "The zones of its members, in turn; without it the first zone by name. Who calls it asks members in the nearest zone that has any \
          (by mean latency, among them evenly); an `lb` chooses among all behind it, and a cache's key has one owner, wherever that stands.",
};

const COUNT: Parameter = Parameter {
    name: "count",
    takes: ParameterType::Count { min: 1, max: 4_000_000 },
    default: Preset::Is { text: "1", source: "one of each unless said otherwise" },
    doc: "How many members. 1 to 4 million.",
};

const SPEED: Parameter = Parameter {
    name: "speed",
    takes: ParameterType::Share { min: 0.001, max: 1_000.0 },
    default: Preset::Is { text: "100%", source: "all members are equally fast unless said otherwise" },
    doc: "How fast its cores are, relative to the times that programs state. 0.1% to 100,000%.",
};

/// The parameters of parts whose members work.
pub const COMMON: &[Parameter] = &[AT, COUNT, SPEED];
/// Those of parts that have members who take no time.
pub const PLACED: &[Parameter] = &[AT, COUNT];

/// Code of the loader's problems: parameters that are right one by one but not together.
pub const DOES_NOT_FIT: &str = "SB0123";

/// A count that fits 32 bits, where everything beyond is `unlimited`.
pub fn count_u32(parameters: &Parameters, parameter: &str) -> u32 {
    u32::try_from(parameters.count(parameter)).unwrap_or(u32::MAX)
}

/// `speed`, in parts per million; 100 % where a test gives none.
pub fn speed_ppm(parameters: &Parameters) -> u32 {
    match parameters.get("speed") {
        Some(Setting::Number(share)) => share_ppm(*share),
        _ => FULL_SPEED,
    }
}
