//! Whom a fault is about: `app`, `app[0]`, `app[0..2]` (both ends), `any(app, 2)`, a zone, or a list of these.

use crate::base::ids::{Pid, TierId, ZoneId};
use crate::base::knob::{Knobs, Takes};
use crate::base::problem::{Place, Problems, known_words, shown};
use crate::base::rng::Bits;
use crate::faults::{LATER, SYNTAX, UNKNOWN_PART, problem, text};
use crate::sim::cluster::NodeSet;

/// Who there is.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// Parts in order of name.
    pub parts: Vec<WhoPart>,
    /// Zones in order of name.
    pub zones: Vec<String>,
}

/// A part, as far as faults care.
#[derive(Clone, Debug)]
pub struct WhoPart {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its tier.
    pub tier: TierId,
    /// How many members.
    pub count: u32,
    /// Their zones, in turn.
    pub zones: Vec<ZoneId>,
    /// The knobs that `set` may set.
    pub settable: Vec<Settable>,
}

/// A knob that `set` may set.
#[derive(Clone, Copy, Debug)]
pub struct Settable {
    /// Its name.
    pub knob: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Its value in the design, where that is one number (shares and counts as they are, spans in ns).
    pub design: Option<f64>,
}

impl Who {
    /// A member's name, for plans and messages: `app[0]`.
    pub fn name(&self, pid: Pid) -> String {
        match self.parts.iter().find(|part| part.tier == pid.tier) {
            Some(part) if part.count == 1 => part.name.clone(),
            Some(part) => format!("{}[{}]", part.name, pid.member),
            None => format!("tier {}[{}]", pid.tier.0, pid.member),
        }
    }

    fn part(&self, name: &str) -> Option<&WhoPart> {
        self.parts.iter().find(|part| part.name == name)
    }
}

/// Whom a fault is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Everything in these zones.
    pub zones: Vec<ZoneId>,
    /// These processes.
    pub pids: Vec<Pid>,
    /// So many of these processes, drawn when the plan is made.
    pub any: Vec<(Vec<Pid>, usize)>,
}

impl Target {
    /// From a text argument; `None` when it was not given or is wrong, which is then reported.
    pub fn of(knobs: &Knobs, knob: &str, who: &Who, problems: &mut Problems) -> Option<Target> {
        let (words, place) = text(knobs, knob)?;
        Target::parse(words, place, who, problems)
    }

    /// From the words of a design.
    pub fn parse(words: &str, place: &Place, who: &Who, problems: &mut Problems) -> Option<Target> {
        let words = words.trim();
        if let Some(list) = words.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let mut all = Target::default();
            for one in split(list) {
                let one = Target::parse(one, place, who, problems)?;
                all.zones.extend(one.zones);
                all.pids.extend(one.pids);
                all.any.extend(one.any);
            }
            return Some(all);
        }
        if let Some(inner) = words.strip_prefix("any(").and_then(|rest| rest.strip_suffix(')')) {
            return any(inner, place, who, problems);
        }
        if words.contains('(') {
            let message = format!("`{}` cannot be told before the run in this version", shown(words));
            problem(problems, LATER, Some(place), message).help("name members: `app[0]`, `any(app, 1)`");
            return None;
        }
        match words.split_once('[') {
            Some((name, index)) => {
                let pids = some_members(name.trim(), index, place, who, problems)?;
                Some(Target { pids, ..Target::default() })
            }
            None => named(words, place, who, problems),
        }
    }

    /// The same with its zones' members in place of the zones: for faults of processes.
    pub fn members(mut self, who: &Who) -> Target {
        for part in &who.parts {
            let inside = |member: &u32| {
                let zones = &part.zones;
                !zones.is_empty() && self.zones.contains(&zones[*member as usize % zones.len()])
            };
            self.pids.extend((0..part.count).filter(inside).map(|member| Pid::new(part.tier, member)));
        }
        self.zones.clear();
        self.pids.sort_unstable();
        self.pids.dedup();
        self
    }

    /// The same with its chances drawn.
    pub fn draw(&self, bits: &mut impl Bits) -> Target {
        let mut drawn = Target { any: Vec::new(), ..self.clone() };
        for (of, n) in &self.any {
            let mut left = of.clone();
            for _ in 0..*n {
                let chosen = bits.below(left.len() as u64) as usize;
                drawn.pids.push(left.swap_remove(chosen));
            }
        }
        drawn
    }

    /// As sets for the network; at most two.
    pub fn sets(&self) -> Vec<NodeSet> {
        let mut sets = Vec::new();
        if !self.zones.is_empty() {
            sets.push(NodeSet::zones(&self.zones));
        }
        if !self.pids.is_empty() {
            sets.push(NodeSet::pids(self.pids.clone()));
        }
        sets
    }

    /// As a plan shows it.
    pub fn describe(&self, who: &Who) -> String {
        let zones = self.zones.iter().map(|zone| who.zones[zone.index()].clone());
        let pids = self.pids.iter().map(|pid| who.name(*pid));
        let any = self.any.iter().map(|(of, n)| format!("{n} of {} processes", of.len()));
        zones.chain(pids).chain(any).collect::<Vec<_>>().join(", ")
    }
}

/// The items of a list, split at commas that are not within brackets.
fn split(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0i32, 0, Vec::new());
    for (at, letter) in list.char_indices() {
        match letter {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&list[start..]);
    items
}

fn everybody(part: &WhoPart) -> Vec<Pid> {
    (0..part.count).map(|member| Pid::new(part.tier, member)).collect()
}

/// A part or a zone by its name.
fn named(name: &str, place: &Place, who: &Who, problems: &mut Problems) -> Option<Target> {
    if let Some(part) = who.part(name) {
        return Some(Target { pids: everybody(part), ..Target::default() });
    }
    if let Some(zone) = who.zones.iter().position(|zone| zone == name) {
        return Some(Target { zones: vec![ZoneId(zone as u8)], ..Target::default() });
    }
    unknown(name, place, who, problems);
    None
}

fn unknown(name: &str, place: &Place, who: &Who, problems: &mut Problems) {
    let known = who.parts.iter().map(|part| part.name.as_str()).chain(who.zones.iter().map(String::as_str));
    let help = known_words(name, "parts and zones", known);
    let message = format!("unknown part or zone '{}'", shown(name));
    problem(problems, UNKNOWN_PART, Some(place), message).help(help);
}

/// `NAME, n` of `any(NAME, n)`.
fn any(inner: &str, place: &Place, who: &Who, problems: &mut Problems) -> Option<Target> {
    let Some((of, n)) = inner.rsplit_once(',') else {
        let message = "`any` takes a part and how many of its members".to_string();
        problem(problems, SYNTAX, Some(place), message).help("write `any(app, 1)`");
        return None;
    };
    let pids = Target::parse(of, place, who, problems)?.members(who).pids;
    match n.trim().parse::<usize>() {
        Ok(n) if (1..=pids.len()).contains(&n) => Some(Target { any: vec![(pids, n)], ..Target::default() }),
        _ => {
            let message = format!("'{}' has {} members", shown(of.trim()), pids.len());
            problem(problems, SYNTAX, Some(place), message).help("write `any(app, 1)`");
            None
        }
    }
}

/// `0]` or `0..2]` of a part.
fn some_members(
    name: &str,
    index: &str,
    place: &Place,
    who: &Who,
    problems: &mut Problems,
) -> Option<Vec<Pid>> {
    let Some(part) = who.part(name) else {
        unknown(name, place, who, problems);
        return None;
    };
    let index = index.trim_end_matches(']');
    let (from, to) = index.split_once("..").unwrap_or((index, index));
    match (from.trim().parse::<u32>(), to.trim().parse::<u32>()) {
        (Ok(from), Ok(to)) if from <= to && to < part.count => {
            Some((from..=to).map(|member| Pid::new(part.tier, member)).collect())
        }
        _ => {
            let message = format!("'{name}' has no member [{}]", shown(index));
            let last = part.count - 1;
            let help = format!("its members are {name}[0] to {name}[{last}]");
            problem(problems, UNKNOWN_PART, Some(place), message).help(help);
            None
        }
    }
}
