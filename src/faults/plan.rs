//! When what goes wrong, in one run. A plan names instants and members, so it can be printed, replayed and shrunk.

use crate::base::dist::Dist;
use crate::base::problem::{Place, Problems, known_words, shown};
use crate::base::rng::{Bits, Draws, mix, name_hash};
use crate::base::time::{Span, Time};
use crate::faults::action::Action;
use crate::faults::arguments::{DOES_NOT_FIT, FAULT_CYCLE, UNKNOWN_FAULT, problem};
use crate::faults::target::Who;
use crate::faults::trigger::When;

/// The most times that one fault happens in a run, which is refused beyond: more would not fit a printed plan, and an
/// `every` of 0 would never end.
pub const TIMES_MAX: usize = 100_000;

/// A fault of the timetable.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultEntry {
    /// Its name.
    pub name: String,
    /// When it first happens; `None`: after the first `every`.
    pub at: Option<When>,
    /// After how long it happens again.
    pub every: Option<Dist>,
    /// How long it lasts; `None`: to the end of the run, of the moment that it began with, or for a moment.
    pub lasts: Option<Dist>,
    /// The chance of each time.
    pub chance: f64,
    /// Whether it is over the moment it happens.
    pub momentary: bool,
    /// What it does.
    pub action: Action,
}

/// One time that a fault happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// The fault's name.
    pub fault: String,
    /// When it begins.
    pub at: Time,
    /// When it ends; [`Time::NEVER`]: with the run. A momentary fault ends as it begins.
    pub until: Time,
    /// What it does, with its chances drawn; once it has begun, with its roles looked up.
    pub action: Action,
}

impl FaultEntry {
    /// The times that are known before the run, those of a distribution, and how many there would be. `key` is the run's; each fault's draws depend on it and
    /// on the fault's name alone, so that another fault more or less moves nothing.
    pub fn times(&self, horizon: Time, key: u64) -> (Vec<Occurrence>, u64) {
        let at = match &self.at {
            None => None,
            Some(When::Distribution(distribution)) => Some(distribution),
            Some(_) => return (Vec::new(), 0),
        };
        let mut draws = self.draws(key, 0);
        let gap = |distribution: Option<&Dist>, draws: &mut Draws| {
            distribution.map(|distribution| distribution.span(draws))
        };
        let (first, again) = (gap(at, &mut draws), gap(self.every.as_ref(), &mut draws));
        let mut next = Some(Time::ZERO + first.or(again).unwrap_or(Span::ZERO));
        let mut times = Vec::new();
        for number in 0..TIMES_MAX as u64 {
            let Some(at) = next.filter(|at| *at < horizon) else { return (times, number) };
            times.extend(self.time(at, number, key));
            next = self.after(number, key).map(|span| at + span);
        }
        let more = next.is_some_and(|at| at < horizon);
        (times, TIMES_MAX as u64 + u64::from(more))
    }

    /// Each time has draws of its own: whether it happens does not move the next.
    fn draws(&self, key: u64, number: u64) -> Draws {
        let fault = mix(mix(key, name_hash("fault")), name_hash(&self.name));
        Draws::new(mix(fault, number)).of_property()
    }

    /// The time of that number, if it happens.
    pub fn time(&self, at: Time, number: u64, key: u64) -> Option<Occurrence> {
        let mut draws = self.draws(key, number);
        if let Some(When::Distribution(distribution)) = &self.at {
            distribution.span(&mut draws); // drawn whether it is used or not, as are the others
        }
        self.every.as_ref().map(|distribution| distribution.span(&mut draws));
        let happens = draws.open01() < self.chance;
        let until = match self.lasts.as_ref().map(|distribution| distribution.span(&mut draws)) {
            _ if self.momentary => at,
            Some(span) => at + span,
            None => Time::NEVER,
        };
        let action = self.action.draw(&mut draws);
        happens.then(|| Occurrence { fault: self.name.clone(), at, until, action })
    }

    /// From the time of that number to the next one: a draw of its own, so that the first `every` is not used twice.
    pub fn after(&self, number: u64, key: u64) -> Option<Span> {
        let fault = mix(mix(key, name_hash("fault")), name_hash(&self.name));
        self.every
            .as_ref()
            .map(|distribution| distribution.span(&mut Draws::new(mix(mix(fault, number), 1)).of_property()))
    }
}

impl Occurrence {
    /// One line: `60.000000000 s to 103.000000000 s split: cut between a and b, c`.
    pub fn describe(&self, who: &Who) -> String {
        let (fault, what) = (&self.fault, self.action.describe(who));
        match self.until {
            Time::NEVER => format!("{} to the end {fault}: {what}", self.at),
            until if until == self.at => format!("{} {fault}: {what}", self.at),
            until => format!("{} to {until} {fault}: {what}", self.at),
        }
    }
}

/// Says what is wrong with the faults that entries wait for: `places` are those of the entries' `at`.
pub fn check(entries: &[FaultEntry], places: &[Option<Place>], problems: &mut Problems) {
    let find = |name: &str| entries.iter().position(|entry| entry.name == name);
    let waits_for = |entry: &FaultEntry| entry.at.as_ref().and_then(When::fault).and_then(find);
    for (index, (entry, place)) in entries.iter().zip(places).enumerate() {
        let Some(awaited) = entry.at.as_ref().and_then(When::fault) else { continue };
        let Some(other) = find(awaited).map(|other| &entries[other]) else {
            let names = entries.iter().map(|entry| entry.name.as_str());
            let help = known_words(awaited, "faults", names);
            problem(problems, UNKNOWN_FAULT, place.as_ref(), format!("unknown fault '{}'", shown(awaited)))
                .help(help);
            continue;
        };
        let (mut next, mut steps) = (waits_for(entry), 0);
        while let Some(at) = next.filter(|at| *at != index && steps < entries.len()) {
            (next, steps) = (waits_for(&entries[at]), steps + 1);
        }
        if next == Some(index) {
            let message = format!("'{}' waits for itself", entry.name);
            let help = "let one of the faults in the cycle begin at a time";
            problem(problems, FAULT_CYCLE, place.as_ref(), message).help(help);
        }
        let endless = other.lasts.is_none() && !other.momentary && !matches!(other.at, Some(When::During(_)));
        match &entry.at {
            Some(When::During(_)) if other.momentary => {
                let message = format!("'{awaited}' is over in a moment: nothing happens during it");
                problem(problems, DOES_NOT_FIT, place.as_ref(), message)
                    .help(format!("write `at = \"after({awaited})\"`"));
            }
            Some(When::After(..)) if endless => {
                let message = format!("'{awaited}' lasts to the end of the run: nothing comes after it");
                problem(problems, DOES_NOT_FIT, place.as_ref(), message)
                    .help(format!("give '{awaited}' a `for`"));
            }
            _ => {}
        }
    }
}
