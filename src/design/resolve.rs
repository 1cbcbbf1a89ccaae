//! From a tree to a checked design: who is there, what their parameters are, what their programs do. Past this point
//! nothing can fail on input.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::{PartId, PolicyId, SeriesId, TierId, ZoneId};
use crate::base::parameter::{Parameter, Parameters, Setting};
use crate::base::problem::{Place, Problems};
use crate::base::series::Series;
use crate::components::Kinds;
use crate::components::mech::policy::Answers;
use crate::components::mech::policy::POLICY;
use crate::components::part::{Kind, Names, Part, PartName};
use crate::design::codes;
use crate::design::copies;
use crate::design::file::Data;
use crate::design::fills::{self, Fill};
use crate::design::limits::{MEMBERS_MAX, MEMBERS_TOTAL_MAX};
use crate::design::locks;
use crate::design::names::{self, DEFAULT_POLICY, Written};
use crate::design::parameters::check;
use crate::design::parameters::checker::{Checker, DefaultUsed, Known};
use crate::design::places::{self, Places, nowhere};
use crate::design::programs::{self, DesignScope, Naming};
use crate::design::retries;
use crate::design::sessions;
use crate::design::shape::{self, Entries};
use crate::design::tree::Table;
use crate::program::instr::Programs;

/// The tables of parameters that a design is checked against.
#[derive(Clone)]
pub struct Tables {
    /// Kinds of parts.
    pub kinds: Kinds,
    /// Parameters of `policy.x`.
    pub policy: &'static [Parameter],
}

impl Tables {
    /// Those of these kinds of parts, with the policies that splitbrain has.
    pub fn of(kinds: &Kinds) -> Tables {
        Tables { kinds: kinds.clone(), policy: POLICY }
    }
}

/// A design, checked.
pub struct Design {
    /// The kinds of parts that it may have.
    pub kinds: Kinds,
    /// Parts in order of name: `PartId` is the index, and so is `TierId`.
    pub names: Vec<PartName>,
    /// The parts, in the same order.
    pub parts: Vec<Box<dyn Part>>,
    /// Their parameters, in the same order.
    pub parameters: Vec<Parameters>,
    /// Names of parts, policies and zones, each in order of name: ids are indices.
    pub known: Known,
    /// Policies' parameters: `PolicyId` is the index.
    pub policies: Vec<Parameters>,
    /// The part behind each load balancer.
    pub behind: BTreeMap<PartId, PartId>,
    /// Stores that take no transactions, and why not.
    pub untransacted: BTreeMap<PartId, String>,
    /// Zones' parameters and the paths between them.
    pub places: Places,
    /// All programs.
    pub programs: Arc<Programs>,
    /// What fills each cache.
    pub fills: BTreeMap<PartId, Fill>,
    /// Failures that are answers.
    pub answers: Answers,
    /// Tables, tallies, failures: names by id.
    pub naming: Naming,
    /// `SeriesId` to `pages.hits`.
    pub series: Vec<(String, Series)>,
    /// Where each part's series begin.
    pub first_series: Vec<SeriesId>,
    /// Defaults that hold, by path.
    pub defaults: BTreeMap<String, DefaultUsed>,
    /// The experiment's entries as written.
    pub entries: Entries,
}

impl Design {
    /// The part of that name.
    pub fn part(&self, name: &str) -> Option<PartId> {
        index(self.names.iter().map(|part| part.name.as_str()), name).map(|index| PartId(index as u16))
    }

    /// The policy of that name.
    pub fn policy(&self, name: &str) -> Option<PolicyId> {
        index(self.known.policies.iter().map(String::as_str), name).map(|index| PolicyId(index as u16))
    }

    /// The policy that holds where none is named.
    pub fn default_policy(&self) -> PolicyId {
        self.policy(DEFAULT_POLICY).expect("it always exists")
    }

    /// The zone of that name.
    pub fn zone(&self, name: &str) -> Option<ZoneId> {
        index(self.known.zones.iter().map(String::as_str), name).map(|index| ZoneId(index as u8))
    }

    /// What names mean in this design: for the calls of workloads (`program::compile::target`), for measures that
    /// name tables and tallies.
    pub fn scope(&mut self) -> DesignScope<'_> {
        DesignScope {
            known: &self.known,
            behind: &self.behind,
            untransacted: &self.untransacted,
            naming: &mut self.naming,
        }
    }

    /// The kind of a part.
    pub fn kind(&self, part: PartId) -> &Kind {
        let name = self.names[part.index()].kind;
        self.kinds.iter().find(|kind| kind.name == name).expect("each part has been resolved as of its kind")
    }

    /// The series of that name, `pages.hits`.
    pub fn series(&self, name: &str) -> Option<SeriesId> {
        index(self.series.iter().map(|(name, _)| name.as_str()), name).map(|index| SeriesId(index as u16))
    }
}

fn index<'a>(mut names: impl Iterator<Item = &'a str>, name: &str) -> Option<usize> {
    names.position(|known| known == name)
}

/// Checks a tree (a joined one, after its patches) as a whole. All problems are found at once; `None` when there are any.
pub fn resolve(tree: &Table, tables: &Tables, data: Data<'_>, problems: &mut Problems) -> Option<Design> {
    let before = problems.0.len();
    let mut defaults = BTreeMap::new();
    let (known, written) = names::collect(tree, &tables.kinds, problems);
    let mut checker = Checker { known: &known, data, defaults: &mut defaults, problems };
    let places = places::places(tree, &mut checker);
    let policies = policies(tree, tables, &mut checker);
    let parameters: Vec<Option<Parameters>> =
        written.iter().map(|part| part_parameters(part, &mut checker)).collect();
    shape::shapes(tree, &mut checker);
    shape::patches(tree, &tables.kinds, problems);
    let names = part_names(&written, &parameters, problems);
    let (series, first_series) = series(&written);
    let parts = parts(&written, &parameters, &names, &first_series, &known, problems);
    let texts = programs::gather(tree, &written, problems);
    let mut naming = Naming::new(&parameters);
    let behind = programs::behind(&written, &parameters);
    programs::balanced_in_cycles(&written, &behind, problems);
    let untransacted = programs::untransacted(&parameters);
    let mut scope =
        DesignScope { known: &known, behind: &behind, untransacted: &untransacted, naming: &mut naming };
    let programs = programs::compile(&texts, &mut scope, data, problems);
    let fills = fills::fills(&parameters, &scope, problems);
    if programs.0.len() == texts.len() {
        programs::cycles(&texts, &programs, &fills, problems);
    }
    programs::limits(&written, &naming, problems);
    let mut answers = Answers::default();
    if programs.0.len() == texts.len() {
        retries::check(&policies, &naming.failures, problems);
        answers = retries::answers(tree, &naming.failures, problems);
        fills::unfilled(&written, &programs, &parameters, problems);
        copies::check(&written, &names, &texts, &programs, &parameters, problems);
    }
    sessions::check(&written, &programs, &parameters, problems);
    locks::check(&written, &programs, &parameters, problems);
    if problems.0.len() > before {
        return None;
    }
    Some(Design {
        kinds: tables.kinds.clone(),
        names,
        parts: parts.into_iter().collect::<Option<_>>()?,
        parameters: parameters.into_iter().collect::<Option<_>>()?,
        policies,
        known,
        behind,
        untransacted,
        places,
        programs: Arc::new(programs),
        fills,
        answers,
        naming,
        series,
        first_series,
        defaults,
        entries: shape::entries(tree),
    })
}

fn policies(tree: &Table, tables: &Tables, checker: &mut Checker<'_>) -> Vec<Parameters> {
    let section = tree.get("policy").and_then(|node| node.table());
    let empty = Table::default();
    let policy = |name: &String, checker: &mut Checker<'_>| {
        let path = format!("policy.{name}");
        let entry = section.and_then(|table| table.entry(name));
        let table =
            entry.and_then(|entry| places::table_of(entry, &path, checker.problems)).unwrap_or(&empty);
        let place = entry.map_or_else(nowhere, |entry| entry.key_place.clone());
        check(&path, table, &place, &[tables.policy], checker)
    };
    checker.known.policies.iter().map(|name| policy(name, checker)).collect()
}

/// The parameters of a part, when all of them are as they should be.
fn part_parameters(part: &Written<'_>, checker: &mut Checker<'_>) -> Option<Parameters> {
    let before = checker.problems.0.len();
    let path = format!("{}.{}", part.kind.name, part.entry.key);
    let table = places::table_of(part.entry, &path, checker.problems)?;
    let parameters =
        check(&path, table, &part.entry.key_place, &[part.kind.common, part.kind.parameters], checker);
    (checker.problems.0.len() == before).then_some(parameters)
}

fn part_names(
    written: &[Written<'_>],
    parameters: &[Option<Parameters>],
    problems: &mut Problems,
) -> Vec<PartName> {
    let mut total = 0;
    let mut names = Vec::new();
    for (index, (part, parameters)) in written.iter().zip(parameters).enumerate() {
        let zones = match parameters.as_ref().and_then(|parameters| parameters.get("at")) {
            Some(Setting::Zones(zones)) => zones.clone(),
            _ => vec![ZoneId(0)], // where a part's place is not given it stands in the first zone by name
        };
        let count = parameters.as_ref().map_or(1, |parameters| members(part.kind, parameters, &zones));
        total += count;
        if count > MEMBERS_MAX {
            let message = format!("'{}' has {count} members: at most {MEMBERS_MAX}", part.entry.key);
            problems.at(codes::LIMIT, part.entry.key_place.clone(), message);
        }
        let tier = TierId(u8::try_from(index).expect("parts are limited"));
        let count = u32::try_from(count.min(MEMBERS_MAX)).expect("members are limited");
        names.push(PartName {
            name: part.entry.key.clone(),
            kind: part.kind.name,
            role: part.kind.role,
            tier,
            count,
            zones,
        });
    }
    if total > MEMBERS_TOTAL_MAX {
        let place: Place = written.last().map_or_else(nowhere, |part| part.entry.key_place.clone());
        problems.at(
            codes::LIMIT,
            place,
            format!("{total} members of all parts: at most {MEMBERS_TOTAL_MAX}"),
        );
    }
    names
}

/// `copies`, of a part that has them (one for each zone that it is at, unless given), or `count`.
fn members(kind: &Kind, parameters: &Parameters, zones: &[ZoneId]) -> u64 {
    let copied = kind.parameters.iter().any(|parameter| parameter.name == "copies");
    match (parameters.get("copies"), parameters.get("count")) {
        (Some(Setting::Count(copies)), _) => *copies,
        (_, Some(Setting::Count(count))) if !copied || parameters.place("count").is_some() => *count,
        _ => zones.len() as u64,
    }
}

fn series(written: &[Written<'_>]) -> (Vec<(String, Series)>, Vec<SeriesId>) {
    let (mut series, mut first_series) = (Vec::new(), Vec::new());
    for part in written {
        first_series
            .push(SeriesId(u16::try_from(series.len()).expect("64 parts have fewer than 65,536 series")));
        let named = |series: &Series| (format!("{}.{}", part.entry.key, series.name), *series);
        series.extend(part.kind.series.iter().map(named));
    }
    (series, first_series)
}

fn parts(
    written: &[Written<'_>],
    parameters: &[Option<Parameters>],
    names: &[PartName],
    first_series: &[SeriesId],
    known: &Known,
    problems: &mut Problems,
) -> Vec<Option<Box<dyn Part>>> {
    let mut parts = Vec::new();
    for (index, (part, parameters)) in written.iter().zip(parameters).enumerate() {
        let before = problems.0.len();
        let me = Names {
            me: PartId(u16::try_from(index).expect("parts are limited")),
            name: &part.entry.key,
            first_series: first_series[index],
            parts: names,
            policies: &known.policies,
            zones: &known.zones,
        };
        let resolved =
            parameters.as_ref().and_then(|parameters| (part.kind.resolve)(parameters, &me, problems));
        if resolved.is_none() && parameters.is_some() && problems.0.len() == before {
            let message = format!("the parameters of '{}' do not fit together", part.entry.key);
            problems.at(codes::DOES_NOT_FIT, part.entry.key_place.clone(), message);
        }
        parts.push(resolved);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::dist::Dist;
    use crate::base::time::Span;
    use crate::design::test_kinds::{loaded, resolved};

    const DESIGN: &str = r#"
zone = { south = { users = "40%" }, north = { users = "60%" } }
link."north south" = { latency = "30ms" }
net.loss = "1%"
server.web = { at = ["south", "north"], count = 4, threads = 200, pause = "exp(5ms)" }
cache.pages = { ttl = "60s", guard = "mutex(3s)", fill = "build(item=key)" }
db.shop = { at = ["south", "north"], start = { stock = "each(500, keys=100k)", items = "each(unlimited, keys=1)" } }
lb.edge = { to = "web" }
policy.pay = { timeout = "800ms" }
workload.w = { do = "page(item=1)", arrive = "poisson(5/s)", with = "pay" }
[on.web]
page = "get pages[item]"
build = "n = read shop.items[item]; return n"
"#;

    #[test]
    fn ids_follow_names_and_parameters_become_numbers() {
        let design = resolved(&loaded(DESIGN)).unwrap_or_else(|shown| panic!("{shown}"));
        let names: Vec<&str> = design.names.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["edge", "pages", "shop", "web"]);
        assert_eq!(design.known.zones, ["north", "south"]);
        let web = design.part("web").expect("there").index();
        assert_eq!((design.names[web].count, &design.names[web].zones[..]), (4, &[ZoneId(1), ZoneId(0)][..]));
        assert_eq!(
            design.names[design.part("shop").expect("there").index()].count,
            2,
            "a copy for each zone"
        );
        assert_eq!(design.parameters[web].count("threads"), 200);
        assert_eq!(design.parameters[web].distribution("pause"), Dist::Exponential { mean: 5e6 });
        let (guard, arguments) = design.parameters[1].form("guard");
        assert_eq!(
            (guard, arguments.span("ttl"), arguments.switch("recheck")),
            ("mutex", Span::from_secs(3), true)
        );
        assert_eq!(design.series("pages.misses"), Some(SeriesId(3)));
        assert_eq!(design.places.path(ZoneId(0), ZoneId(1)).latency, Dist::Constant(30e6));
        assert_eq!(design.places.path(ZoneId(1), ZoneId(1)).latency, Dist::Constant(250e3));
        assert!((design.places.path(ZoneId(1), ZoneId(0)).loss - 0.01).abs() < 1e-15);
        assert_eq!(design.known.policies, ["default", "pay"]);
        assert_eq!(design.naming.tables[2][..2], ["items", "stock"]);
        assert_eq!(design.defaults["server.web.cores"].value, "2");
        assert_eq!(design.defaults["cache.pages.guard.wait"].value, "fixed(50ms)");
        assert!(!design.defaults.contains_key("server.web.threads"));
    }

    #[test]
    fn the_order_of_lines_changes_nothing() {
        let forward = resolved(&loaded(DESIGN)).unwrap_or_else(|shown| panic!("{shown}"));
        let (head, programs) = DESIGN.split_once("[on.web]").expect("there");
        let turned = |text: &str| text.lines().rev().collect::<Vec<_>>().join("\n");
        let backward = format!("{}\n[on.web]\n{}", turned(head), turned(programs));
        let backward = resolved(&loaded(&backward)).unwrap_or_else(|shown| panic!("{shown}"));
        let key = |design: &Design| {
            let programs: Vec<&str> = design.programs.0.iter().map(|program| program.name.as_str()).collect();
            format!(
                "{:?} {:?} {:?} {:?} {programs:?}",
                design.names, design.naming, design.defaults, design.fills
            )
        };
        assert_eq!(key(&forward), key(&backward));
    }
}
