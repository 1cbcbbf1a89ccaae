//! Whom a fault is about: `app`, `app[0]`, `app[0..2]` (both ends), `any(app, 2)`, `leader(kv)`, `followers(kv)`, a zone,
//! or a list of these.
//!
//! Numbered rules:
//! 1. What is left to chance is drawn when the plan is made; a role is looked up when the fault begins, and the plan names
//!    from then on whom it struck.
//! 2. `leader(kv)` is every member that believes it leads, right or wrong: two at times, and nobody while an election is
//!    on. Then the fault happens to nobody.
//! 3. `followers(kv)` is every other member that is up. `any(followers(kv), 1)` is the first of them in an order that is
//!    drawn when the plan is made.

use crate::base::ids::{Pid, SeriesId, TierId, ZoneId};
use crate::base::parameter::{ParameterType, Parameters};
use crate::base::problem::{Place, Problems, known_words, shown};
use crate::base::rng::Bits;
use crate::faults::arguments::{SYNTAX, UNKNOWN_FORM, UNKNOWN_PART, WRONG_KIND, problem, text};
use crate::sim::cluster::{Cluster, NodeSet};

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
    /// Whether it has something cached, which it may be told to forget.
    pub caches: bool,
    /// Its tier.
    pub tier: TierId,
    /// How many members.
    pub count: u32,
    /// Their zones, in turn.
    pub zones: Vec<ZoneId>,
    /// The parameters that `set` may set.
    pub settable: Vec<Settable>,
    /// If one of its members leads the others: what it records of that.
    pub led: Option<Led>,
}

/// What a part records of who leads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Led {
    /// The level of members that believe they lead.
    pub leaders: SeriesId,
    /// The level of members that stand for election.
    pub standing: SeriesId,
}

/// A parameter that `set` may set.
#[derive(Clone, Copy, Debug)]
pub struct Settable {
    /// Its name.
    pub parameter: &'static str,
    /// What it takes.
    pub takes: ParameterType,
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

    /// The part of that name.
    pub fn part(&self, name: &str) -> Option<&WhoPart> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The part of a member.
    pub fn part_of(&self, pid: Pid) -> Option<&WhoPart> {
        self.parts.iter().find(|part| part.tier == pid.tier)
    }
}

/// What a member is to the others when a fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It believes that it leads.
    Leader,
    /// It is up and does not.
    Follower,
}

/// Members that are not known from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// As written.
    pub words: String,
    /// From among these, in this order.
    pub of: Vec<Pid>,
    /// Those that are this when the fault begins; `None`: whatever they are.
    pub role: Option<Role>,
    /// So many of them; `None`: all.
    pub n: Option<usize>,
}

/// Whom a fault is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Everything in these zones.
    pub zones: Vec<ZoneId>,
    /// These processes.
    pub pids: Vec<Pid>,
    /// Members that chance or their role will tell.
    pub picks: Vec<Pick>,
}

impl Target {
    /// From a text argument; `None` when it was not given or is wrong, which is then reported.
    pub fn of(
        parameters: &Parameters,
        parameter: &str,
        who: &Who,
        problems: &mut Problems,
    ) -> Option<Target> {
        let (words, place) = text(parameters, parameter)?;
        Target::parse(words, place, who, problems)
    }

    /// The same of an argument that may be left out; the outer `None` when it is wrong.
    pub fn if_given(
        parameters: &Parameters,
        parameter: &str,
        who: &Who,
        problems: &mut Problems,
    ) -> Option<Option<Target>> {
        match text(parameters, parameter) {
            Some(_) => Target::of(parameters, parameter, who, problems).map(Some),
            None => Some(None),
        }
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
                all.picks.extend(one.picks);
            }
            return Some(all);
        }
        if let Some(inner) = words.strip_prefix("any(").and_then(|rest| rest.strip_suffix(')')) {
            return any(inner, place, who, problems);
        }
        if let Some((role, inner)) = role(words) {
            return in_role(words, role, inner, place, who, problems);
        }
        if let Some((form, _)) = words.split_once('(') {
            let message = format!("`{}` is no way to name members", shown(form));
            let help = "write `app[0]`, `any(app, 1)`, `leader(kv)` or `followers(kv)`";
            problem(problems, UNKNOWN_FORM, Some(place), message).help(help);
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

    /// Everybody that it may come to be about, zones aside.
    pub fn all(&self) -> impl Iterator<Item = Pid> {
        self.pids.iter().chain(self.picks.iter().flat_map(|pick| &pick.of)).copied()
    }

    /// The most processes that it may come to be about, zones aside.
    pub fn most(&self) -> usize {
        let picked = self.picks.iter().map(|pick| pick.n.unwrap_or(pick.of.len()).min(pick.of.len()));
        self.pids.len() + picked.sum::<usize>()
    }

    /// The same with its chances drawn; roles are left.
    pub fn draw(&self, bits: &mut impl Bits) -> Target {
        let mut drawn = Target { picks: Vec::new(), ..self.clone() };
        for pick in &self.picks {
            let mut left = pick.of.clone();
            let mut chosen =
                || (!left.is_empty()).then(|| left.swap_remove(bits.below(left.len() as u64) as usize));
            match (pick.role, pick.n) {
                (None, n) => drawn.pids.extend((0..n.unwrap_or(usize::MAX)).map_while(|_| chosen())),
                (Some(_), None) => drawn.picks.push(pick.clone()),
                (Some(_), Some(_)) => {
                    let of = std::iter::from_fn(chosen).collect();
                    drawn.picks.push(Pick { of, ..pick.clone() });
                }
            }
        }
        drawn
    }

    /// The same with its roles looked up: nothing is left open.
    pub fn resolve(&self, cluster: &dyn Cluster) -> Target {
        let mut resolved = Target { picks: Vec::new(), ..self.clone() };
        for pick in &self.picks {
            let fits = |pid: &&Pid| match pick.role {
                None => true,
                Some(Role::Leader) => cluster.is_leader(**pid),
                Some(Role::Follower) => cluster.is_up(**pid) && !cluster.is_leader(**pid),
            };
            let fitting = pick.of.iter().filter(fits).take(pick.n.unwrap_or(usize::MAX));
            resolved.pids.extend(fitting.copied());
        }
        resolved
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
        let picks = self.picks.iter().map(|pick| pick.words.clone());
        let all = zones.chain(pids).chain(picks).collect::<Vec<_>>();
        if all.is_empty() { "nobody".to_string() } else { all.join(", ") }
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
    let (of, n) = (of.trim(), n.trim());
    let among = Target::parse(of, place, who, problems)?.members(who);
    let (members, role) = match &among.picks[..] {
        [] => (among.pids, None),
        [Pick { of, role: Some(role), n: None, .. }] if among.pids.is_empty() => (of.clone(), Some(*role)),
        _ => {
            let message = format!("`{}` is too much for `any` to choose from", shown(of));
            problem(problems, SYNTAX, Some(place), message)
                .help("write `any(app, 1)`, `any(followers(kv), 1)`");
            return None;
        }
    };
    match n.parse::<usize>() {
        Ok(n) if (1..=members.len()).contains(&n) => {
            let pick = Pick { words: format!("any({of}, {n})"), of: members, role, n: Some(n) };
            Some(Target { picks: vec![pick], ..Target::default() })
        }
        _ => {
            let message = format!("'{}' has {} members", shown(of), members.len());
            problem(problems, SYNTAX, Some(place), message).help("write `any(app, 1)`");
            None
        }
    }
}

/// The role and the part of `leader(kv)`.
fn role(words: &str) -> Option<(Role, &str)> {
    let inner = |form: &str| words.strip_prefix(form)?.strip_prefix('(')?.strip_suffix(')');
    let leader = inner("leader").map(|inner| (Role::Leader, inner));
    leader.or_else(|| inner("followers").map(|inner| (Role::Follower, inner)))
}

/// The members that have a role.
fn in_role(
    words: &str,
    role: Role,
    inner: &str,
    place: &Place,
    who: &Who,
    problems: &mut Problems,
) -> Option<Target> {
    let among = Target::parse(inner, place, who, problems)?.members(who);
    if among.pids.is_empty() || !among.picks.is_empty() {
        let message = format!("`{}` names no part that somebody could lead", shown(words));
        problem(problems, SYNTAX, Some(place), message).help("write `leader(kv)` or `followers(kv)`");
        return None;
    }
    let unled = |pid: &Pid| who.part_of(*pid).filter(|part| part.led.is_none());
    if let Some(part) = among.pids.iter().find_map(unled) {
        let message = format!("nobody leads '{}', a {}", part.name, part.kind);
        let led = who.parts.iter().filter(|part| part.led.is_some()).map(|part| part.name.as_str());
        let led = led.collect::<Vec<_>>().join(", ");
        let help = match led.is_empty() {
            true => "a db with `copy = \"raft(…)\"`, `async` or `sync` has a leader".to_string(),
            false => format!("parts with a leader: {led}"),
        };
        problem(problems, WRONG_KIND, Some(place), message).help(help);
        return None;
    }
    let pick = Pick { words: words.to_string(), of: among.pids, role: Some(role), n: None };
    Some(Target { picks: vec![pick], ..Target::default() })
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
