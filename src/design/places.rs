//! Zones, links and the default path between members.

use std::collections::BTreeMap;

use crate::base::ids::ZoneId;
use crate::base::parameter::{Parameters, Setting};
use crate::base::problem::{FileId, Place, Problems, known_words, shown};
use crate::design::codes;
use crate::design::entries::{LINK, NET, ZONE};
use crate::design::names::named;
use crate::design::parameters::check;
use crate::design::parameters::checker::Checker;
use crate::design::tree::{Entry, Table};
use crate::net::path::Path;

/// Where things stand and how far apart.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Each zone's parameters, by id.
    pub zones: Vec<Parameters>,
    /// The default path.
    pub net: Parameters,
    /// Paths that differ from it, one direction each; parameters that a link does not give are those of `net`.
    pub links: BTreeMap<(ZoneId, ZoneId), Parameters>,
}

impl Places {
    /// The path from one zone to another, or within one.
    ///
    /// # Panics
    /// Never for places of a resolved design.
    pub fn path(&self, from: ZoneId, to: ZoneId) -> Path {
        let parameters = self.links.get(&(from, to)).unwrap_or(&self.net);
        let bandwidth = match parameters.get("bandwidth") {
            Some(Setting::Number(bits_per_s)) => Some(*bits_per_s),
            _ => None,
        };
        Path {
            latency: parameters.distribution("latency"),
            loss: parameters.number("loss"),
            duplicate: parameters.number("duplicate"),
            bandwidth,
            break_after: parameters.span("break_after"),
        }
    }
}

/// The start of the first file: where what is not given at all would stand.
pub fn nowhere() -> Place {
    Place { file: FileId(0), bytes: 0..0 }
}

pub(super) fn places(tree: &Table, checker: &mut Checker<'_>) -> Places {
    let mut places = Places::default();
    let empty = Table::default();
    let (net, place) = match tree.entry("net") {
        Some(entry) => (table_of(entry, "net", checker.problems), entry.key_place.clone()),
        None => (None, nowhere()),
    };
    places.net = check("net", net.unwrap_or(&empty), &place, &[NET], checker);
    gets_through("net", &places.net, checker);
    places.zones = zones(tree, checker);
    if let Some(section) = tree.entry("link") {
        for entry in named(section, checker.problems) {
            link(entry, &mut places, checker);
        }
    }
    places
}

fn zones(tree: &Table, checker: &mut Checker<'_>) -> Vec<Parameters> {
    let section = tree.get("zone").and_then(|node| node.table());
    let mut total = 0.0;
    let mut zones = Vec::new();
    for name in &checker.known.zones.clone() {
        let Some(entry) = section.and_then(|table| table.entry(name)) else {
            zones.push(Parameters::default());
            continue;
        };
        let path = format!("zone.{name}");
        let Some(table) = table_of(entry, &path, checker.problems) else { continue };
        let parameters = check(&path, table, &entry.key_place, &[ZONE], checker);
        if let Some(Setting::Number(share)) = parameters.get("users") {
            total += share;
        }
        zones.push(parameters);
    }
    // Shares are decimal: a sum may be off by rounding, never by a thousandth.
    if total > 0.0 && (total - 1.0).abs() > 1e-3 {
        let place = tree.entry("zone").map_or_else(nowhere, |entry| entry.key_place.clone());
        let percent = (total * 1e5).round() / 1e3;
        let message = format!("the zones' shares of users are {percent}% together, not 100%");
        checker.problems.at(codes::OUT_OF_RANGE, place, message);
    }
    zones
}

fn link(entry: &Entry, places: &mut Places, checker: &mut Checker<'_>) {
    let one_way = entry.key.contains('>');
    let ends: Vec<&str> = entry.key.split(['>', ' ']).filter(|word| !word.is_empty()).collect();
    let [from, to] = ends[..] else {
        let message = format!("'{}' is no path between two zones", shown(&entry.key));
        let help = "write `link.\"a b\"` for both ways, `link.\"a > b\"` for one";
        checker.problems.at(codes::BAD_NAME, entry.key_place.clone(), message).help(help);
        return;
    };
    let path = format!("link.\"{}\"", entry.key);
    let Some(table) = table_of(entry, &path, checker.problems) else { return };
    let mut parameters = places.net.clone();
    let own = check(&path, table, &entry.key_place, &[LINK], checker);
    gets_through(&path, &own, checker);
    parameters.values.extend(own.values);
    let (Some(from), Some(to)) = (zone(from, entry, checker), zone(to, entry, checker)) else { return };
    for pair in if one_way { vec![(from, to)] } else { vec![(from, to), (to, from)] } {
        if places.links.insert(pair, parameters.clone()).is_some() && from != to {
            let message = format!("the path '{}' is given twice", shown(&entry.key));
            checker
                .problems
                .at(codes::TWICE, entry.key_place.clone(), message)
                .help("`\"a b\"` already means both ways");
        }
    }
}

/// A path on which everything is lost is none.
fn gets_through(path: &str, parameters: &Parameters, checker: &mut Checker<'_>) {
    if let (Some(Setting::Number(loss)), Some(place)) = (parameters.get("loss"), parameters.place("loss"))
        && *loss >= 1.0
    {
        let message = format!("nothing ever gets through where all packets are lost ({})", shown(path));
        let help = "lose less than 100%; a path that is cut for a while is a fault: `cut(a, from=b)`";
        checker.problems.at(codes::OUT_OF_RANGE, place.clone(), message).help(help);
    }
}

fn zone(name: &str, entry: &Entry, checker: &mut Checker<'_>) -> Option<ZoneId> {
    let index = checker.known.zones.iter().position(|known| known == name);
    if index.is_none() {
        let help = known_words(name, "zones", checker.known.zones.iter().map(String::as_str));
        checker
            .problems
            .at(codes::UNKNOWN_ZONE, entry.key_place.clone(), format!("unknown zone '{}'", shown(name)))
            .help(help);
    }
    index.map(|index| ZoneId(u8::try_from(index).expect("zones are limited")))
}

/// The table of an entry, or a problem.
pub(super) fn table_of<'a>(entry: &'a Entry, path: &str, problems: &mut Problems) -> Option<&'a Table> {
    let table = entry.node.table();
    if table.is_none() {
        let message = format!("{} takes a table, not {}", shown(path), entry.node.what());
        let help = format!("write `{} = {{ … }}`", shown(path));
        problems.at(codes::WRONG_TYPE, entry.node.place.clone(), message).help(help);
    }
    table
}
