//! The shape of an experiment's entries: known keys, right types, names that exist. What they mean is for
//! `experiment` to say.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::parameter::ParameterType;
use crate::base::problem::{Place, Problems, known_words, shown};
use crate::components::part::Kind;
use crate::design::codes;
use crate::design::entries::{ENTRIES, EntryKind, Holds, asked_once};
use crate::design::limits::{TRIALS_MAX, USERS_MAX, WORKLOADS_MAX};
use crate::design::names::{name, named};
use crate::design::parameters::check;
use crate::design::parameters::checker::{Checker, Given};
use crate::design::patch;
use crate::design::places::nowhere;
use crate::design::tree::{Entry, Node, Table, Value};
use crate::program::syntax::{self, Arg, Expr, Spanned};

/// The one variant of an experiment that names none.
pub const ONLY_VARIANT: &str = "base";

/// Kinds of entries that are properties.
const PROPERTIES: &[&str] = &["always", "sometimes", "slo", "verdict"];

/// What an experiment may expect.
const OUTCOMES: &[&str] = &["holds", "violated", "unknown", "either"];

/// The experiment's entries as written, by kind, in file order.
#[derive(Clone, Debug, Default)]
pub struct Entries(BTreeMap<String, Vec<Entry>>);

impl Entries {
    /// The entries of a kind that has names: `workload`, `variant`, `always`.
    pub fn named(&self, kind: &str) -> &[Entry] {
        self.0.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The entry of a kind that has no names: `length`, `sweep`.
    pub fn one(&self, kind: &str) -> Option<&Entry> {
        self.0.get(kind).and_then(|entries| entries.first())
    }
}

/// Gathers the experiment's entries of a tree, without checking anything: for `variant` and `sweep`, which must be
/// known before there is a design to check.
pub fn entries(tree: &Table) -> Entries {
    let mut entries = Entries::default();
    for entry in tree.entries() {
        let Some(kind) = ENTRIES.iter().find(|kind| kind.name == entry.key) else { continue };
        let found = match entry.node.table() {
            Some(table) if kind.named => table.entries().to_vec(),
            _ => vec![entry.clone()],
        };
        entries.0.insert(entry.key.clone(), found);
    }
    entries
}

/// Checks the shape of all entries that are no parts.
pub(super) fn shapes(tree: &Table, checker: &mut Checker<'_>) {
    for entry in tree.entries() {
        let Some(kind) = ENTRIES.iter().find(|kind| kind.name == entry.key) else { continue };
        match kind.holds {
            // Looked at elsewhere: `names`, `places`, `programs`.
            Holds::Programs | Holds::Policy => {}
            _ if ["zone", "link", "net"].contains(&kind.name) => {}
            Holds::Later => {
                let message = format!("`{}` is not available in this version", kind.name);
                checker
                    .problems
                    .at(codes::LATER, entry.key_place.clone(), message)
                    .help("leave it out for now");
            }
            Holds::Sweep => sweep(entry, checker.problems),
            _ if kind.named => {
                for one in named(entry, checker.problems) {
                    // Faults, workloads and properties are spoken of in expressions; the others never are.
                    let dashes = ["variant", "plot", "theory"].contains(&kind.name);
                    if kind.name != "expect" {
                        name(&one.key, &one.key_place, dashes, checker.problems); // `expect` repeats names
                    }
                    shape(kind, &format!("{}.{}", kind.name, one.key), one, checker);
                }
            }
            _ => shape(kind, kind.name, entry, checker),
        }
    }
    references(tree, checker.problems);
    sizes(tree, checker.problems);
    let workloads = tree.get("workload").and_then(Node::table).map_or(0, |table| table.entries().len());
    if workloads > WORKLOADS_MAX {
        let place = tree.entry("workload").expect("just seen").key_place.clone();
        checker.problems.at(codes::LIMIT, place, format!("{workloads} workloads: at most {WORKLOADS_MAX}"));
    }
}

/// Variants × sweep points × runs, and the users of all workloads.
fn sizes(tree: &Table, problems: &mut Problems) {
    let lengths = |kind: &str| -> Vec<u64> {
        let changes = tree.get(kind).and_then(Node::table).map_or_else(Vec::new, patch::changes);
        changes.iter().map(|change| change.value.list_or_itself().len() as u64).collect()
    };
    let variants = entries_of(tree, "variant").len().max(1) as u64;
    let runs = match tree.get("runs").map(|node| &node.value) {
        Some(Value::Integer(runs)) => u64::try_from(*runs).unwrap_or(0),
        Some(Value::Table(table)) => ["quick", "full"]
            .iter()
            .filter_map(|key| match table.get(key)?.value {
                Value::Integer(runs) => u64::try_from(runs).ok(),
                _ => None,
            })
            .max()
            .unwrap_or(1),
        _ => 1, // `until(…)` has a maximum of its own
    };
    let zipped = lengths("zip").into_iter().max().unwrap_or(1);
    let points = lengths("sweep").into_iter().fold(zipped, u64::saturating_mul);
    let trials = variants.saturating_mul(points).saturating_mul(runs);
    if trials > TRIALS_MAX {
        let place = ["runs", "sweep", "zip", "variant"].iter().find_map(|kind| tree.entry(kind));
        let place = place.map_or_else(nowhere, |entry| entry.key_place.clone());
        let message = format!(
            "{variants} variants × {points} points × {runs} runs are {trials} trials: at most {TRIALS_MAX}"
        );
        problems.at(codes::LIMIT, place, message).help("fewer runs, or fewer points");
    }
    let mut users = 0.0;
    for entry in entries_of(tree, "workload") {
        users += entry.node.table().and_then(|table| table.get("arrive")).map_or(0.0, users_of);
        if users > USERS_MAX as f64 {
            let message = format!("{users} users of all workloads: at most {USERS_MAX}");
            problems.at(codes::LIMIT, entry.key_place.clone(), message);
            return;
        }
    }
}

/// The users of `users(20k, …)`; other arrivals have none.
fn users_of(arrive: &Node) -> f64 {
    let expr = arrive.text().and_then(|text| syntax::expression(text.as_str()).ok());
    match expr.map(|expr| expr.value) {
        Some(Expr::Call(function)) if function.name.value == "users" => match function.args.first() {
            Some(Arg { key: None, value: Spanned { value: Expr::Number(users), .. } }) => users.value,
            _ => 0.0,
        },
        _ => 0.0,
    }
}

fn shape(kind: &'static EntryKind, path: &str, entry: &Entry, checker: &mut Checker<'_>) {
    let place = &entry.node.place;
    match (&kind.holds, &entry.node.value) {
        (Holds::Value(ParameterType::Text), Value::List(_) | Value::Table(_))
        | (Holds::Value(ParameterType::Text), Value::Bool(_)) => {
            checker.wrong(codes::WRONG_TYPE, place.clone(), path, &ParameterType::Text, entry.node.what());
        }
        (Holds::Value(ParameterType::Text), Value::Integer(number)) => {
            let message = format!("{path} takes a time, and a number without a unit says none");
            let help = format!("write `\"{number}s\"` or `\"{number}m\"`");
            checker.problems.at(codes::MISSING_UNIT, place.clone(), message).help(help);
        }
        (Holds::Parameters(parameters) | Holds::ValueOrParameters(_, parameters), Value::Table(table)) => {
            check(path, table, &entry.key_place, &[parameters], checker);
        }
        (Holds::Value(takes) | Holds::ValueOrParameters(takes, _), _) => {
            checker.value(path, takes, Given::Node(&entry.node));
        }
        (Holds::Patch, Value::Table(_)) | (Holds::Outcomes, Value::Table(_)) => {}
        _ => {
            let message = format!("{} takes a table, not {}", shown(path), entry.node.what());
            checker
                .problems
                .at(codes::WRONG_TYPE, place.clone(), message)
                .help(format!("write `{path} = {{ … }}`"));
        }
    }
}

/// Sweeps are lists; those of `zip` are equally long.
fn sweep(entry: &Entry, problems: &mut Problems) {
    let Some(table) = entry.node.table() else {
        let message = format!("{} takes a table of lists, not {}", entry.key, entry.node.what());
        let help = format!("write `{} = {{ cache.pages.ttl = [\"1s\", \"10s\"] }}`", entry.key);
        problems.at(codes::SWEEP_SHAPE, entry.node.place.clone(), message).help(help);
        return;
    };
    let mut length = None;
    for change in patch::changes(table) {
        let Value::List(list) = &change.value.value else {
            let message = format!("{} of '{}' is no list", entry.key, shown(&change.path.to_string()));
            let help = format!("write `[{}]`", shown(&change.value.written()));
            problems.at(codes::SWEEP_SHAPE, change.value.place.clone(), message).help(help);
            continue;
        };
        if list.is_empty() {
            problems.at(
                codes::SWEEP_SHAPE,
                change.value.place.clone(),
                "an empty list would leave nothing to run",
            );
        }
        if entry.key == "zip" && *length.get_or_insert(list.len()) != list.len() {
            let message = format!(
                "the lists of a zip advance together: {} and {} values",
                length.unwrap_or(0),
                list.len()
            );
            problems
                .at(codes::SWEEP_SHAPE, change.value.place.clone(), message)
                .help("give them equally many values");
        }
    }
}

/// Names that experiments' entries give each other: verdicts and expectations.
fn references(tree: &Table, problems: &mut Problems) {
    let names = |kind: &str| tree.get(kind).and_then(Node::table).into_iter().flat_map(Table::keys);
    let mut properties: BTreeMap<&str, &str> = BTreeMap::new();
    for kind in PROPERTIES {
        for entry in entries_of(tree, kind) {
            if let Some(other) = properties.insert(&entry.key, kind) {
                let message = format!("'{}' is both `{other}` and `{kind}`", shown(&entry.key));
                let help = "properties share one namespace of names";
                problems.at(codes::SAME_NAME, entry.key_place.clone(), message).help(help);
            }
        }
    }
    let properties: BTreeSet<&str> = properties.into_keys().collect();
    for entry in entries_of(tree, "verdict") {
        for node in entry.node.list_or_itself() {
            if let Some(text) = node.text()
                && !properties.contains(text.as_str())
            {
                let help = known_words(text.as_str(), "properties", properties.iter().copied());
                let message = format!("unknown property '{}'", shown(text.as_str()));
                problems.at(codes::UNKNOWN_PROPERTY, node.place.clone(), message).help(help);
            }
        }
    }
    let mut variants: Vec<&str> = names("variant").collect();
    if variants.is_empty() {
        variants.push(ONLY_VARIANT);
    }
    let known = |name: &str, place: &Place, problems: &mut Problems| {
        if !variants.contains(&name) {
            let help = known_words(name, "variants", variants.iter().copied());
            let message = format!("unknown variant '{}'", shown(name));
            problems.at(codes::UNKNOWN_VARIANT, place.clone(), message).help(help);
        }
    };
    for entry in entries_of(tree, "theory").iter().chain(entries_of(tree, "plot")) {
        let named = entry.node.table().and_then(|table| table.get("variant"));
        for node in named.map_or(&[][..], Node::list_or_itself) {
            known(node.text().map_or("", |text| text.as_str()), &node.place, problems);
        }
    }
    for entry in entries_of(tree, "expect") {
        known(&entry.key, &entry.key_place, problems);
        for entry in entry.node.table().map_or(&[][..], |table| table.entries()) {
            expectation(entry, &properties, problems);
        }
    }
}

/// The entries of `kind.name = …`.
fn entries_of<'a>(tree: &'a Table, kind: &str) -> &'a [Entry] {
    tree.get(kind).and_then(Node::table).map_or(&[][..], Table::entries)
}

fn expectation(entry: &Entry, properties: &BTreeSet<&str>, problems: &mut Problems) {
    if !properties.contains(entry.key.as_str()) {
        let help = known_words(&entry.key, "properties", properties.iter().copied());
        let message = format!("unknown property '{}'", shown(&entry.key));
        problems.at(codes::UNKNOWN_PROPERTY, entry.key_place.clone(), message).help(help);
    }
    for node in entry.node.list_or_itself() {
        let Some(text) = node.text() else {
            let message = format!("an outcome must be a text, not {}", node.what());
            problems.at(codes::OUTCOME, node.place.clone(), message).help("write `\"violated\"`");
            continue;
        };
        let words = text.as_str().trim();
        let outcome = words.split([':', ' ']).next().unwrap_or("");
        if !OUTCOMES.contains(&outcome) || (outcome != "either" && outcome != words) {
            let message = format!("unknown outcome '{}'", shown(words));
            problems.at(codes::OUTCOME, node.place.clone(), message).help(known_words(
                words,
                "outcomes",
                OUTCOMES.iter().copied(),
            ));
        } else if words == "either" {
            problems
                .at(codes::OUTCOME, node.place.clone(), "`either` must say why")
                .help("write `\"either: WHY\"`");
        }
    }
}

/// Checks that every path of variants and sweeps names something, and that what it changes can be changed.
pub(super) fn patches(tree: &Table, kinds: &[Kind], problems: &mut Problems) {
    let entries = entries(tree);
    let mut scratch = tree.clone();
    for entry in entries.named("variant").iter().chain(entries.one("sweep")).chain(entries.one("zip")) {
        for mut change in entry.node.table().map_or_else(Vec::new, patch::changes) {
            if asked_once(&change.path.0[0]) {
                let message = format!(
                    "`{}` is asked once, of all variants and points",
                    shown(&change.path.to_string())
                );
                let help = "a variant and a sweep change the design: parts, workloads, faults, programs";
                problems.at(codes::UNKNOWN_PATH, change.place, message).help(help);
                continue;
            }
            if let (Value::List(list), true) =
                (&change.value.value, entry.key == "sweep" || entry.key == "zip")
            {
                let Some(first) = list.first() else { continue };
                change.value = first.clone();
            }
            patch::set(&mut scratch, &change, kinds, problems);
        }
    }
}
