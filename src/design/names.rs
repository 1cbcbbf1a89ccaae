//! First pass over a design: who is there. Ids follow the order of names, never the order of lines.

use crate::base::problem::{Place, Problems, known_words, shown};
use crate::components::part::Kind;
use crate::design::codes;
use crate::design::entries::ENTRIES;
use crate::design::limits::{NAME_BYTES_MAX, PARTS_MAX, POLICIES_MAX, ZONES_MAX};
use crate::design::parameters::checker::Known;
use crate::design::tree::{Entry, Table};

/// The policy that holds where none is named; it may be given as `policy.default = { … }`.
pub const DEFAULT_POLICY: &str = "default";

/// The one zone of a design that names none.
pub const ONLY_ZONE: &str = "everywhere";

/// Words that mean something in programs and expressions, and so cannot be names.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "at",
    "by",
    "call",
    "cpu",
    "drop",
    "each",
    "else",
    "fail",
    "false",
    "for",
    "from",
    "get",
    "hold",
    "if",
    "leader",
    "mod",
    "none",
    "not",
    "or",
    "par",
    "put",
    "race",
    "read",
    "return",
    "send",
    "size",
    "taking",
    "tally",
    "true",
    "tx",
    "unlimited",
    "update",
    "variant",
    "wait",
    "when",
    "with",
    "write",
];

/// A part as written.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub kind: &'a Kind,
    pub entry: &'a Entry,
}

/// Collects parts (in order of name), policies and zones, and reports kinds of entries that do not exist.
pub(super) fn collect<'a>(
    tree: &'a Table,
    kinds: &'a [Kind],
    problems: &mut Problems,
) -> (Known, Vec<Written<'a>>) {
    let mut parts: Vec<Written<'a>> = Vec::new();
    let mut known = Known::default();
    for entry in tree.entries() {
        if let Some(kind) = kinds.iter().find(|kind| kind.name == entry.key) {
            parts.extend(named(entry, problems).map(|entry| Written { kind, entry }));
        } else if !ENTRIES.iter().any(|kind| kind.name == entry.key) {
            let all = kinds.iter().map(|kind| kind.name).chain(ENTRIES.iter().map(|entry| entry.name));
            let message = format!("unknown kind of entry '{}'", shown(&entry.key));
            let help = known_words(&entry.key, "kinds of entries", all);
            problems.at(codes::UNKNOWN_KIND, entry.key_place.clone(), message).help(help);
        }
    }
    parts.sort_by_key(|part| (part.entry.key.as_str(), part.kind.name));
    for pair in parts.windows(2) {
        if pair[0].entry.key == pair[1].entry.key {
            let later = pair
                .iter()
                .map(|part| &part.entry.key_place)
                .max_by_key(|place| (place.file, place.bytes.start));
            let (first, second) = (pair[0].kind.name, pair[1].kind.name);
            let message = format!("'{}' is both a {first} and a {second}", shown(&pair[1].entry.key));
            let help = "kinds share one namespace of names: call one of them something else";
            problems.at(codes::SAME_NAME, later.expect("two").clone(), message).help(help);
        }
    }
    parts.dedup_by(|a, b| a.entry.key == b.entry.key);
    for part in &parts {
        name(&part.entry.key, &part.entry.key_place, false, problems);
    }
    known.policies = section(tree, "policy", problems);
    if !known.policies.iter().any(|policy| policy == DEFAULT_POLICY) {
        known.policies.push(DEFAULT_POLICY.to_owned());
        known.policies.sort_unstable();
    }
    known.zones = section(tree, "zone", problems);
    if known.zones.is_empty() {
        known.zones.push(ONLY_ZONE.to_owned());
    }
    limit(tree, kinds, parts.len(), &known, problems);
    parts.truncate(PARTS_MAX);
    known.policies.truncate(POLICIES_MAX);
    known.zones.truncate(ZONES_MAX);
    known.parts = parts.iter().map(|part| (part.entry.key.clone(), part.kind.name, part.kind.role)).collect();
    (known, parts)
}

fn limit(tree: &Table, kinds: &[Kind], parts: usize, known: &Known, problems: &mut Problems) {
    let kind_place = || tree.entries().iter().rfind(|entry| kinds.iter().any(|kind| kind.name == entry.key));
    let checks = [
        ("parts", parts, PARTS_MAX, kind_place()),
        ("policies", known.policies.len(), POLICIES_MAX, tree.entry("policy")),
        ("zones", known.zones.len(), ZONES_MAX, tree.entry("zone")),
    ];
    for (what, count, max, entry) in checks {
        if let Some(entry) = entry
            && count > max
        {
            problems.at(codes::LIMIT, entry.key_place.clone(), format!("{count} {what}: at most {max}"));
        }
    }
}

/// The names of a section, sorted.
fn section(tree: &Table, kind: &str, problems: &mut Problems) -> Vec<String> {
    let Some(entry) = tree.entry(kind) else { return Vec::new() };
    let mut names = Vec::new();
    for entry in named(entry, problems) {
        name(&entry.key, &entry.key_place, false, problems);
        names.push(entry.key.clone());
    }
    names.sort_unstable();
    names
}

/// The entries of `kind.name = …`.
pub(super) fn named<'a>(
    entry: &'a Entry,
    problems: &mut Problems,
) -> impl Iterator<Item = &'a Entry> + use<'a> {
    let entries = match entry.node.table() {
        Some(table) => table.entries(),
        None => {
            let message = format!("{} needs a name for each", shown(&entry.key));
            let help = format!("write `{0}.x = …` or `{0} = {{ x = … }}`", entry.key);
            problems.at(codes::WRONG_TYPE, entry.node.place.clone(), message).help(help);
            &[]
        }
    };
    entries.iter()
}

/// Checks that a name is one; `dashes` where it never stands in an expression.
pub(super) fn name(name: &str, place: &Place, dashes: bool, problems: &mut Problems) {
    let shape = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (dashes && c == '-'));
    if !shape || name.len() > NAME_BYTES_MAX {
        let help = format!("letters, digits and `_`, a letter first, at most {NAME_BYTES_MAX}");
        problems.at(codes::BAD_NAME, place.clone(), format!("'{}' is no name", shown(name))).help(help);
    } else if RESERVED.contains(&name) && !dashes {
        let message = format!("'{name}' is a word of the language and cannot be a name");
        problems.at(codes::BAD_NAME, place.clone(), message).help(format!("call it `{name}_1`, say"));
    }
}
