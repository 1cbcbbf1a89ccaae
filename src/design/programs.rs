//! Third pass over a design: the programs of `[on.part]`, and the names that they use.

use std::collections::BTreeMap;

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::Reason;
use crate::base::parameter::{Parameters, Setting};
use crate::base::problem::{Problems, known_words, shown};
use crate::base::rng::{mix, name_hash};
use crate::design::codes;
use crate::design::entries::ENTRIES;
use crate::design::file::Data;
use crate::design::fills::Fill;
use crate::design::limits::{NAMES_MAX, PROGRAM_BYTES_MAX, PROGRAMS_MAX, TABLES_MAX};
use crate::design::names::{DEFAULT_POLICY, Written, name, named};
use crate::design::parameters::checker::Known;
use crate::design::text::Text;
use crate::design::tree::{Entry, Table};
use crate::program::compile;
use crate::program::compile::scope::{PartRole, Scope};
use crate::program::instr::{Instr, Program, Programs};
use crate::program::syntax::steps::WORDS;
use crate::program::syntax::{self, Steps, SyntaxError};

/// A program as written.
pub(super) struct ProgramText<'a> {
    pub part: PartId,
    pub name: &'a str,
    pub text: &'a Text,
}

/// Names that programs introduce, by id: tables per part, tallies, failures.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// Tables of each part: those of `start` in order of name, then as programs name them.
    pub tables: Vec<Vec<String>>,
    /// Tallies.
    pub tallies: Vec<String>,
    /// Names after `fail`: `Reason::Named` is the index.
    pub failures: Vec<String>,
    /// Programs in order of part and name: `ProgramId` is the index.
    pub programs: Vec<ProgramName>,
    /// By part: whether it is a store that keeps siblings.
    siblings: Vec<bool>,
    /// By part: whether it is anything but a cache without `fill`.
    filled: Vec<bool>,
}

/// A program by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramName {
    /// The part that it belongs to.
    pub part: PartId,
    /// Its name.
    pub name: String,
    /// Its parameters, in order of first use.
    pub parameters: Vec<String>,
}

impl Naming {
    pub(super) fn new(parameters: &[Option<Parameters>]) -> Naming {
        let start = |parameters: &Option<Parameters>| match parameters
            .as_ref()
            .and_then(|parameters| parameters.get("start"))
        {
            Some(Setting::Table(tables)) => tables.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let siblings = |parameters: &Option<Parameters>| {
            let parameters = parameters.as_ref();
            let copy = parameters.and_then(|parameters| parameters.get("copy"));
            let merge = parameters.and_then(|parameters| parameters.get("merge"));
            matches!(copy, Some(Setting::Constructor("quorum" | "multi_leader", _)))
                && merge == Some(&Setting::Word("siblings"))
        };
        // Parameters that could not be read have been told of.
        let filled = |parameters: &Option<Parameters>| {
            parameters.as_ref().is_none_or(|parameters| {
                parameters.get("guard").is_none() || parameters.get("fill").is_some()
            })
        };
        Naming {
            tables: parameters.iter().map(start).collect(),
            siblings: parameters.iter().map(siblings).collect(),
            filled: parameters.iter().map(filled).collect(),
            ..Naming::default()
        }
    }
}

/// Collects the programs in order of part and name, and reports entries that are none.
pub(super) fn gather<'a>(
    tree: &'a Table,
    written: &[Written<'_>],
    problems: &mut Problems,
) -> Vec<ProgramText<'a>> {
    let mut texts: Vec<ProgramText<'a>> = Vec::new();
    let Some(on) = tree.entry("on") else { return texts };
    for section in named(on, problems) {
        let part = written.iter().position(|part| part.entry.key == section.key);
        match part {
            None => {
                let runs =
                    written.iter().filter(|part| part.kind.runs_programs).map(|part| part.entry.key.as_str());
                let help = known_words(&section.key, "parts that run programs", runs);
                let message = format!("programs of an unknown part '{}'", shown(&section.key));
                problems.at(codes::ON_UNKNOWN_PART, section.key_place.clone(), message).help(help);
            }
            Some(index) if !written[index].kind.runs_programs => {
                let message =
                    format!("'{}' is a {}, which runs no programs", section.key, written[index].kind.name);
                problems.at(codes::ON_NO_PROGRAMS, section.key_place.clone(), message);
            }
            Some(_) => {}
        }
        for entry in named(section, problems) {
            let Some(text) = program(section, entry, written, problems) else { continue };
            // Of an unknown part: kept with the first one, so that its callers are not told of it as well.
            let part = part.unwrap_or(0);
            if part < written.len() {
                let part = PartId(u16::try_from(part).expect("parts are limited"));
                texts.push(ProgramText { part, name: &entry.key, text });
            }
        }
    }
    texts.sort_by_key(|text| (text.part, text.name));
    if texts.len() > PROGRAMS_MAX {
        let message = format!("{} programs: at most {PROGRAMS_MAX}", texts.len());
        problems.at(codes::LIMIT, on.key_place.clone(), message);
        texts.truncate(PROGRAMS_MAX);
    }
    texts
}

/// Whether a text begins as programs do: an entry that has slipped below a header does not.
fn is_like_a_program(text: &Text) -> bool {
    let first = text.as_str().trim_start().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
    first.is_some_and(|word| WORDS.contains(&word)) || syntax::steps(text.as_str()).is_ok()
}

fn program<'a>(
    section: &Entry,
    entry: &'a Entry,
    written: &[Written<'_>],
    problems: &mut Problems,
) -> Option<&'a Text> {
    let kind_of_part = written.iter().any(|part| part.kind.name == entry.key);
    let kind_of_entry = ENTRIES.iter().any(|kind| kind.name == entry.key);
    // a program may be called `find` or `title`, too, if it looks like one
    let Some(text) = entry.node.text().filter(|text| !kind_of_entry || is_like_a_program(text)) else {
        if kind_of_entry || kind_of_part || entry.node.table().is_some() {
            let message = format!(
                "`{}` below `[on.{}]` would be a program of {}",
                shown(&entry.key),
                section.key,
                section.key
            );
            let help = format!(
                "in TOML a header holds until the next one: move this line above `[on.{}]`",
                section.key
            );
            problems.at(codes::SWALLOWED, entry.key_place.clone(), message).help(help);
        } else {
            let message = format!("program '{}' is {}, not a text", shown(&entry.key), entry.node.what());
            problems
                .at(codes::PROGRAM_TYPE, entry.node.place.clone(), message)
                .help(format!("write `{} = \"cpu 1ms\"`", shown(&entry.key)));
        }
        return None;
    };
    name(&entry.key, &entry.key_place, false, problems);
    if text.as_str().len() > PROGRAM_BYTES_MAX {
        let message = format!(
            "program '{}' has {} bytes: at most {PROGRAM_BYTES_MAX}",
            shown(&entry.key),
            text.as_str().len()
        );
        problems.at(codes::LIMIT, entry.key_place.clone(), message);
        return None;
    }
    Some(text)
}

/// Answers what names in a program, in a workload's call or in a cache's fill mean.
pub struct DesignScope<'a> {
    pub(super) known: &'a Known,
    pub(super) behind: &'a BTreeMap<PartId, PartId>,
    pub(super) untransacted: &'a BTreeMap<PartId, String>,
    pub(super) naming: &'a mut Naming,
}

impl DesignScope<'_> {
    pub(super) fn part_name(&self, part: PartId) -> String {
        self.known.parts[part.index()].0.clone()
    }

    fn role(&self, part: PartId) -> PartRole {
        self.known.parts[part.index()].2
    }
}

impl Scope for DesignScope<'_> {
    fn part(&self, name: &str) -> Option<(PartId, PartRole)> {
        let index = self.known.parts.iter().position(|(known, ..)| known == name)?;
        let part = PartId(u16::try_from(index).expect("parts are limited"));
        Some((part, self.role(part)))
    }

    fn part_names(&self) -> Vec<String> {
        self.known.parts.iter().map(|(name, ..)| name.clone()).collect()
    }

    fn program(
        &self,
        part: Option<PartId>,
        name: &str,
    ) -> Result<(PartId, ProgramId, Vec<String>), Vec<String>> {
        let fits =
            |program: &ProgramName| program.name == name && part.is_none_or(|part| part == program.part);
        let programs = || self.naming.programs.iter().enumerate().filter(|(_, program)| fits(program));
        match (programs().next(), programs().count()) {
            (Some((index, program)), 1) => {
                let id = ProgramId(u16::try_from(index).expect("programs are limited"));
                Ok((program.part, id, program.parameters.clone()))
            }
            _ => Err(programs().map(|(_, program)| self.part_name(program.part)).collect()),
        }
    }

    fn program_names(&self, part: Option<PartId>) -> Vec<String> {
        let of_part = |program: &&ProgramName| part.is_none_or(|part| part == program.part);
        self.naming.programs.iter().filter(of_part).map(|program| program.name.clone()).collect()
    }

    fn table(&mut self, part: PartId, name: &str) -> u16 {
        numbered(&mut self.naming.tables[part.index()], name)
    }

    fn keeps_siblings(&self, db: PartId) -> bool {
        self.naming.siblings.get(db.index()).copied().unwrap_or(false)
    }

    fn policy(&self, name: &str) -> Option<PolicyId> {
        let index = self.known.policies.iter().position(|known| known == name)?;
        Some(PolicyId(u16::try_from(index).expect("policies are limited")))
    }

    fn default_policy(&self) -> PolicyId {
        self.policy(DEFAULT_POLICY).expect("it always exists")
    }

    fn zone(&self, name: &str) -> Option<ZoneId> {
        let index = self.known.zones.iter().position(|known| known == name)?;
        Some(ZoneId(u8::try_from(index).expect("zones are limited")))
    }

    fn tally(&mut self, name: &str) -> TallyId {
        TallyId(numbered(&mut self.naming.tallies, name))
    }

    fn failure(&mut self, name: &str) -> Reason {
        Reason::Named(numbered(&mut self.naming.failures, name))
    }

    fn transacts(&self, db: PartId) -> Result<(), (String, String)> {
        let Some(why) = self.untransacted.get(&db) else { return Ok(()) };
        let message = format!("`{}` {why}", self.part_name(db));
        Err((message, "give it one copy, or `async`, `sync` or `raft` copies that do not merge".to_owned()))
    }

    fn is_filled(&self, cache: PartId) -> bool {
        self.naming.filled.get(cache.index()).copied().unwrap_or(true)
    }

    fn behind(&self, balancer: PartId) -> Option<(PartId, PartRole)> {
        let mut part = *self.behind.get(&balancer)?;
        // Balancers in a cycle have nothing behind them; the loader says so.
        for _ in 0..=self.behind.len() {
            match self.behind.get(&part) {
                Some(next) => part = *next,
                None => return Some((part, self.role(part))),
            }
        }
        None
    }
}

/// The number of a name, a new one if it is new. Past 65,535 names all share the last number: the limits, which are
/// far below, have been reported by then.
fn numbered(names: &mut Vec<String>, name: &str) -> u16 {
    let index = names.iter().position(|known| known == name).unwrap_or_else(|| {
        if names.len() < usize::from(u16::MAX) {
            names.push(name.to_owned());
        }
        names.len() - 1
    });
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// Parts behind load balancers: what their parameter `to` names.
pub(super) fn behind(written: &[Written<'_>], parameters: &[Option<Parameters>]) -> BTreeMap<PartId, PartId> {
    let mut behind = BTreeMap::new();
    for (index, (part, parameters)) in written.iter().zip(parameters).enumerate() {
        if let (PartRole::Balances, Some(Setting::Part(to))) =
            (part.kind.role, parameters.as_ref().and_then(|parameters| parameters.get("to")))
        {
            behind.insert(PartId(u16::try_from(index).expect("parts are limited")), *to);
        }
    }
    behind
}

/// Load balancers that pass calls on to each other in a cycle: none would ever be answered.
pub(super) fn balanced_in_cycles(
    written: &[Written<'_>],
    behind: &BTreeMap<PartId, PartId>,
    problems: &mut Problems,
) {
    for first in behind.keys() {
        let mut part = *first;
        let cycle = (0..behind.len()).any(|_| match behind.get(&part) {
            Some(next) => {
                part = *next;
                part == *first
            }
            None => false,
        });
        if cycle {
            let entry = written[first.index()].entry;
            let message =
                format!("what comes to '{}' comes back to it: there is nobody behind it", entry.key);
            let help = "let the last of several load balancers name a server or an external";
            problems.at(codes::DOES_NOT_FIT, entry.key_place.clone(), message).help(help);
        }
    }
}

/// Stores that take no transactions, and why not.
pub(super) fn untransacted(parameters: &[Option<Parameters>]) -> BTreeMap<PartId, String> {
    let of = |(index, parameters): (usize, &Option<Parameters>)| {
        let parameters = parameters.as_ref()?;
        let why = match (parameters.get("copy"), parameters.get("merge")) {
            (Some(Setting::Constructor(copy @ ("quorum" | "multi_leader"), _)), _) => {
                format!("has no leader (`copy = \"{copy}(…)\"`) who could keep transactions apart")
            }
            (Some(Setting::Constructor("async" | "sync" | "raft", _)), Some(Setting::Word("counter"))) => {
                "adds what a deposed leader had added (`merge = \"counter\"`) to rows that transactions have read"
                    .to_owned()
            }
            _ => return None,
        };
        Some((PartId(u16::try_from(index).expect("parts are limited")), why))
    };
    parameters.iter().enumerate().filter_map(of).collect()
}

/// Compiles all programs; those with mistakes are left out.
pub(super) fn compile(
    texts: &[ProgramText<'_>],
    scope: &mut DesignScope<'_>,
    data: Data<'_>,
    problems: &mut Problems,
) -> Programs {
    let steps: Vec<Option<Steps>> = texts.iter().map(|text| parse(text, problems)).collect();
    scope.naming.programs = texts
        .iter()
        .zip(&steps)
        .map(|(text, steps)| ProgramName {
            part: text.part,
            name: text.name.to_owned(),
            parameters: steps.as_ref().map_or_else(Vec::new, compile::parameters),
        })
        .collect();
    let mut programs = Programs::default();
    for (text, steps) in texts.iter().zip(&steps) {
        let Some(steps) = steps else { continue };
        let site = mix(name_hash(&scope.part_name(text.part)), name_hash(text.name));
        let file = text.text.place(0..0).file;
        let files = |path: &str| data.read(file, path);
        match compile::compile(steps, text.name, text.part, site, scope, &files) {
            Ok(program) => programs.0.push(program),
            Err(errors) => told(text.text, 0, errors, problems),
        }
    }
    programs
}

fn parse(text: &ProgramText<'_>, problems: &mut Problems) -> Option<Steps> {
    match syntax::steps(text.text.as_str()) {
        Ok(steps) => Some(steps),
        Err(errors) => {
            told(text.text, 0, errors, problems);
            None
        }
    }
}

/// Errors in a text, which begins `before` bytes after where they count from.
pub(super) fn told(text: &Text, before: usize, errors: Vec<SyntaxError>, problems: &mut Problems) {
    for error in errors {
        let at = error.at.start.saturating_sub(before)..error.at.end.saturating_sub(before);
        let problem = problems.at(codes::PROGRAM, text.place(at), error.message);
        problem.help = error.help;
    }
}

/// Every program ends: no cycle of calls, those of caches' fills included.
pub(super) fn cycles(
    texts: &[ProgramText<'_>],
    programs: &Programs,
    fills: &BTreeMap<PartId, Fill>,
    problems: &mut Problems,
) {
    let next = |program: &Program| -> Vec<usize> {
        let calls = compile::calls_of(program);
        let filled = program.code.iter().filter_map(|instr| match instr {
            Instr::Get { cache, .. } | Instr::Put { cache, .. } => fills.get(cache).map(|fill| fill.program),
            _ => None,
        });
        calls.into_iter().chain(filled).map(ProgramId::index).collect()
    };
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<_> = programs.0.iter().map(|_| graph.add_node(())).collect();
    for (from, program) in programs.0.iter().enumerate() {
        for to in next(program) {
            graph.update_edge(nodes[from], nodes[to], ());
        }
    }
    for group in tarjan_scc(&graph) {
        let mut members: Vec<usize> = group.iter().map(|node| node.index()).collect();
        members.sort_unstable();
        if members.len() > 1 || graph.find_edge(nodes[members[0]], nodes[members[0]]).is_some() {
            let names: Vec<String> =
                members.iter().map(|index| format!("`{}`", texts[*index].name)).collect();
            let message = format!("{} would never end: a cycle of calls", names.join(", "));
            let help = "programs call each other without coming back, perhaps through the fill of a cache that they get from";
            problems.at(codes::PROGRAM_CIRCLE, texts[members[0]].text.place(0..0), message).help(help);
        }
    }
}

pub(super) fn limits(written: &[Written<'_>], naming: &Naming, problems: &mut Problems) {
    for (part, tables) in written.iter().zip(&naming.tables) {
        if tables.len() > TABLES_MAX {
            let message = format!("'{}' has {} tables: at most {TABLES_MAX}", part.entry.key, tables.len());
            problems.at(codes::LIMIT, part.entry.key_place.clone(), message);
        }
    }
    for (what, names) in [("tallies", &naming.tallies), ("names of failures", &naming.failures)] {
        if names.len() > NAMES_MAX {
            problems.overall(codes::LIMIT, format!("{} {what}: at most {NAMES_MAX}", names.len()));
        }
    }
}
