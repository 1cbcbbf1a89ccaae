//! Third pass over a design: the programs of `[on.part]`, and the names that they use.

use std::collections::BTreeMap;

use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::knob::{Knob, Knobs, Setting};
use crate::base::op::{ARGS_MAX, Args, Reason};
use crate::base::problem::{Place, Problems, known_words, shown};
use crate::design::codes;
use crate::design::entries::ENTRIES;
use crate::design::knobs::Known;
use crate::design::limits::{NAMES_MAX, PROGRAM_BYTES_MAX, PROGRAMS_MAX, TABLES_MAX};
use crate::design::names::{DEFAULT_POLICY, Written, name, named};
use crate::design::text::Text;
use crate::design::tree::{Entry, Table};
use crate::program::compile::{PartRole, Scope};
use crate::program::instr::Programs;
use crate::program::syntax::{self, ArgKey, Expr, Function, Spanned};

/// Knobs of `policy.x`.
pub const POLICY: &[Knob] = &[];

/// What fills a cache: a program with its arguments, one of which is the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The part that the program belongs to.
    pub part: PartId,
    /// The program.
    pub program: ProgramId,
    /// Its arguments; that of the key is 0 here.
    pub args: Args,
    /// Which argument is the key.
    pub key: Option<usize>,
}

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
    /// Programs in order of part and name, with their parameters.
    pub programs: Vec<(PartId, String, Vec<String>)>,
}

impl Naming {
    pub(super) fn new(written: &[Written<'_>], knobs: &[Option<Knobs>]) -> Naming {
        let start = |knobs: &Option<Knobs>| match knobs.as_ref().and_then(|knobs| knobs.get("start")) {
            Some(Setting::Table(tables)) => tables.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let tables = knobs.iter().map(start).collect();
        debug_assert_eq!(written.len(), knobs.len());
        Naming { tables, ..Naming::default() }
    }

    /// The program `name` of `part`, or of the one part that has it; `Err` names all parts that do.
    pub fn program(&self, part: Option<PartId>, name: &str) -> Result<(PartId, ProgramId), Vec<PartId>> {
        let fits = |entry: &&(usize, &(PartId, String, Vec<String>))| {
            entry.1.1 == name && part.is_none_or(|part| part == entry.1.0)
        };
        let found: Vec<_> = self.programs.iter().enumerate().collect();
        let found: Vec<_> = found.iter().filter(fits).collect();
        match found[..] {
            [(index, (part, ..))] => {
                Ok((*part, ProgramId(u16::try_from(*index).expect("programs are limited"))))
            }
            _ => Err(found.iter().map(|(_, (part, ..))| *part).collect()),
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
        let part = PartId(u16::try_from(part.unwrap_or(0)).expect("parts are limited"));
        for entry in named(section, problems) {
            texts.extend(program(part, section, entry, written, problems));
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

fn program<'a>(
    part: PartId,
    section: &Entry,
    entry: &'a Entry,
    written: &[Written<'_>],
    problems: &mut Problems,
) -> Option<ProgramText<'a>> {
    let kind_of_part = written.iter().any(|part| part.kind.name == entry.key);
    let kind_of_entry = ENTRIES.iter().any(|kind| kind.name == entry.key);
    let Some(text) = entry.node.text().filter(|_| !kind_of_entry) else {
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
    Some(ProgramText { part, name: &entry.key, text })
}

/// Answers what names in a program mean.
struct Names<'a> {
    written: &'a [Written<'a>],
    known: &'a Known,
    naming: &'a mut Naming,
}

impl Scope for Names<'_> {
    fn part(&self, name: &str) -> Option<(PartId, PartRole)> {
        let index = self.written.iter().position(|part| part.entry.key == name)?;
        let role = match self.written[index].kind.name {
            "cache" => PartRole::Caches,
            "db" => PartRole::Stores,
            "lb" => PartRole::Balances,
            "external" => PartRole::Replies,
            _ => PartRole::Runs,
        };
        Some((PartId(u16::try_from(index).expect("parts are limited")), role))
    }

    fn part_names(&self) -> Vec<String> {
        self.written.iter().map(|part| part.entry.key.clone()).collect()
    }

    fn program(
        &self,
        part: Option<PartId>,
        name: &str,
    ) -> Result<(PartId, ProgramId, Vec<String>), Vec<String>> {
        match self.naming.program(part, name) {
            Ok((part, id)) => Ok((part, id, self.naming.programs[id.index()].2.clone())),
            Err(parts) => {
                Err(parts.iter().map(|part| self.written[part.index()].entry.key.clone()).collect())
            }
        }
    }

    fn table(&mut self, part: PartId, name: &str) -> u16 {
        numbered(&mut self.naming.tables[part.index()], name)
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

/// Compiles all programs and resolves what fills the caches.
pub(super) fn compile(
    texts: &[ProgramText<'_>],
    written: &[Written<'_>],
    knobs: &[Option<Knobs>],
    known: &Known,
    naming: &mut Naming,
    problems: &mut Problems,
) -> (Programs, BTreeMap<PartId, Fill>) {
    naming.programs = texts.iter().map(|text| (text.part, text.name.to_owned(), Vec::new())).collect();
    let programs = Programs::default();
    let scope = Names { written, known, naming };
    let _ = scope.default_policy();
    limits(written, naming, problems);
    let mut fills = BTreeMap::new();
    for (index, knobs) in knobs.iter().enumerate() {
        if let Some(Setting::Text(call, place)) = knobs.as_ref().and_then(|knobs| knobs.get("fill"))
            && let Some(fill) = fill(call, place, written, naming, problems)
        {
            fills.insert(PartId(u16::try_from(index).expect("parts are limited")), fill);
        }
    }
    (programs, fills)
}

fn limits(written: &[Written<'_>], naming: &Naming, problems: &mut Problems) {
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

/// `build_page(item=key)`: which program, and which argument is the key.
fn fill(
    call: &str,
    place: &Place,
    written: &[Written<'_>],
    naming: &Naming,
    problems: &mut Problems,
) -> Option<Fill> {
    // The text stands in the file as it is here unless it was escaped, and then the place is coarse.
    let exact = place.bytes.len() == call.len();
    let text =
        if exact { Text::verbatim(call, place.file, place.bytes.start) } else { Text::all_at(call, place) };
    let expr = match syntax::expression(call) {
        Ok(expr) => expr,
        Err(error) => {
            let problem = problems.at(codes::SYNTAX, text.place(error.at), error.message);
            problem.help(error.help.unwrap_or_else(|| "write `build_page(item=key)`".to_owned()));
            return None;
        }
    };
    let (target, at, args) = match &expr.value {
        Expr::Call(Function { name, args }) => (name.value.as_str(), name.at.clone(), args.as_slice()),
        Expr::Name(name) => (name.as_str(), expr.at.clone(), &[][..]),
        _ => {
            let help = "write `build_page(item=key)`";
            problems
                .at(codes::SYNTAX, text.place(expr.at), "a cache is filled by a call of a program")
                .help(help);
            return None;
        }
    };
    let (part, program) = called(target, text.place(at), written, naming, problems)?;
    let parameters = &naming.programs[program.index()].2;
    let mut fill = Fill { part, program, args: [0; ARGS_MAX], key: None };
    let mut given = vec![false; parameters.len()];
    for (position, arg) in args.iter().enumerate() {
        let index = match &arg.key {
            None => (position < parameters.len()).then_some(position),
            Some(Spanned { value: ArgKey::Name(name), .. }) => {
                parameters.iter().position(|known| known == name)
            }
            Some(_) => None,
        };
        let at = text.place(arg.key.as_ref().map_or(&arg.value.at, |key| &key.at).clone());
        let Some(index) = index.filter(|index| !given[*index]) else {
            let help = known_words("", "its parameters", parameters.iter().map(String::as_str));
            problems
                .at(
                    codes::UNKNOWN_ARGUMENT,
                    at,
                    format!("`{target}` does not take this argument, or not twice"),
                )
                .help(help);
            return None;
        };
        given[index] = true;
        match &arg.value.value {
            Expr::Name(name) if name == "key" => fill.key = Some(index),
            Expr::Number(quantity) if quantity.exact.is_some() => {
                fill.args[index] = quantity.exact.unwrap_or(0)
            }
            _ => {
                let message = "the argument of a fill is `key` or a whole number";
                problems.at(codes::WRONG_TYPE, text.place(arg.value.at.clone()), message);
                return None;
            }
        }
    }
    if let Some(missing) = given.iter().position(|given| !given) {
        let message = format!("`{target}` needs an argument '{}'", parameters[missing]);
        problems
            .at(codes::MISSING_ARGUMENT, place.clone(), message)
            .help(format!("write `{target}({}=key)`", parameters[missing]));
        return None;
    }
    Some(fill)
}

/// `build_page` or `app.build_page`.
fn called(
    target: &str,
    place: Place,
    written: &[Written<'_>],
    naming: &Naming,
    problems: &mut Problems,
) -> Option<(PartId, ProgramId)> {
    let (part, program) =
        target.rsplit_once('.').map_or((None, target), |(part, program)| (Some(part), program));
    let part_id = match part {
        None => None,
        Some(part) => match written.iter().position(|known| known.entry.key == part) {
            Some(index) => Some(PartId(u16::try_from(index).expect("parts are limited"))),
            None => {
                let help = known_words(part, "parts", written.iter().map(|part| part.entry.key.as_str()));
                problems.at(codes::UNKNOWN_PART, place, format!("unknown part '{}'", shown(part))).help(help);
                return None;
            }
        },
    };
    match naming.program(part_id, program) {
        Ok(found) => Some(found),
        Err(parts) if parts.is_empty() => {
            let help =
                known_words(program, "programs", naming.programs.iter().map(|(_, name, _)| name.as_str()));
            problems
                .at(codes::UNKNOWN_PROGRAM, place, format!("unknown program '{}'", shown(program)))
                .help(help);
            None
        }
        Err(parts) => {
            let both: Vec<String> =
                parts.iter().map(|part| format!("`{}.{program}`", written[part.index()].entry.key)).collect();
            let message = format!("'{program}' could mean {}", both.join(" or "));
            problems.at(codes::PROGRAM_TWO_MEANINGS, place, message).help("name the part");
            None
        }
    }
}
