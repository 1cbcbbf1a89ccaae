//! Faults: what goes wrong, and when. One file each, and one line each in [`ALL`]; the order of the list is the order
//! that users see. Faults know no part, no protocol and no kernel: only names ([`target::Who`]) and a
//! [`crate::sim::cluster::Cluster`].
//!
//! Data path: a checked entry (`fault.x = { at, for, every, do }`) becomes a [`plan::FaultEntry`]; [`schedule::Schedule`] makes
//! times of it from the seed – those of a distribution before the run, those of a [`trigger::Trigger`] as the run goes on – and writes
//! them down as a plan that can be printed, replayed and shrunk; [`active::Active`] carries them out.
//!
//! Durations, in numbered rules:
//! 1. `at` and `every` are distributions, drawn once for each time; `every` counts from one beginning to the next, so a time may
//!    begin before the one before it has ended.
//! 2. Without `for` a fault lasts to the end of the run, or of the moment that it waits for. A fault that is over in a moment
//!    (`flush`) has no `for`.
//! 3. Faults add to a set and take only their own from it: of two cuts over each other the later end counts; a process
//!    that two faults crashed starts again when both are over; of several `set`s of one parameter the latest that is still on
//!    holds, then the one before it, then the design.
//! 4. At one instant ends come before beginnings, and both in the order of the faults' names.

pub mod action;
pub mod active;
mod arguments;
pub mod crash;
pub mod cut;
pub mod delay;
pub mod drain;
pub mod drift;
pub mod duplicate;
pub mod error;
pub mod fault;
pub mod flush;
pub mod isolate;
pub mod loss;
pub mod one_way;
pub mod partition_bridge;
pub mod partition_ring;
pub mod pause;
pub mod plan;
pub mod reorder;
pub mod schedule;
pub mod set;
pub mod skew;
pub mod target;
#[cfg(test)]
mod tests;
pub mod trigger;
pub mod ways;

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::arguments::{DOES_NOT_FIT, problem};
use crate::faults::fault::Fault;
use crate::faults::plan::FaultEntry;
use crate::faults::target::Who;
use crate::faults::trigger::{TRIGGERS, When};

/// Every kind of fault.
pub const ALL: &[Fault] = &[
    flush::FLUSH,
    crash::CRASH,
    pause::PAUSE,
    drain::DRAIN,
    cut::CUT,
    one_way::ONE_WAY,
    isolate::ISOLATE,
    partition_bridge::PARTITION_BRIDGE,
    partition_ring::PARTITION_RING,
    loss::LOSS,
    delay::DELAY,
    duplicate::DUPLICATE,
    reorder::REORDER,
    skew::SKEW,
    drift::DRIFT,
    error::ERROR,
    set::SET,
];

/// Their forms, for the parameter `do`.
pub const FORMS: &[Constructor] = &forms();

const fn forms() -> [Constructor; ALL.len()] {
    let mut forms = [ALL[0].form; ALL.len()];
    let mut index = 0;
    while index < forms.len() {
        forms[index] = ALL[index].form;
        index += 1;
    }
    forms
}

/// The parameters of an entry `fault.x`.
pub const TIMETABLE: &[Parameter] = &[
    Parameter {
        name: "do",
        takes: ParameterType::Constructor(FORMS),
        default: Preset::Required,
        doc: "What happens: `crash(app[0], mode=machine)`, `cut(a, from=b)`, `set(app[0].speed, 25%)`.",
    },
    Parameter {
        name: "at",
        takes: ParameterType::DistributionOr(TRIGGERS),
        default: Preset::Absent,
        doc: "When: a time from the start of the run, a distribution of it, or a moment, `during(election(kv))`; without it after the \
              first `every`.",
    },
    Parameter {
        name: "for",
        takes: ParameterType::Distribution,
        default: Preset::Absent,
        doc: "For how long: a time or a distribution; without it to the end of the run, or of the moment.",
    },
    Parameter {
        name: "every",
        takes: ParameterType::Distribution,
        default: Preset::Absent,
        doc: "Again and again, from one beginning to the next: a time or a distribution; during a moment while that lasts.",
    },
    Parameter {
        name: "chance",
        takes: ParameterType::Share { min: 0.0, max: 1.0 },
        default: Preset::Is { text: "100%", source: "what is planned happens" },
        doc: "The chance of each time that it happens at all.",
    },
];

/// A fault of the timetable, from the checked parameters of its entry (see [`TIMETABLE`]).
pub fn resolve(
    name: &str,
    parameters: &Parameters,
    who: &Who,
    problems: &mut Problems,
) -> Option<FaultEntry> {
    let before = problems.0.len();
    let (form, arguments) = parameters.form("do");
    let fault = ALL.iter().find(|fault| fault.form.name == form)?;
    let distribution =
        |parameter: &str| parameters.get(parameter).map(|_| parameters.distribution(parameter));
    let at = When::of(parameters, who, problems);
    if parameters.get("at").is_none() && distribution("every").is_none() {
        problem(problems, DOES_NOT_FIT, parameters.place("do"), format!("'{name}' never happens"))
            .help("write `at = \"1m\"`, or `every = \"10s\"`");
    }
    if fault.momentary && distribution("for").is_some() {
        let message = format!("`{form}` is over in a moment and has no `for`");
        problem(problems, DOES_NOT_FIT, parameters.place("for"), message).help("leave `for` out");
    }
    if distribution("for").is_some_and(|distribution| distribution.most() <= 0.0) {
        problem(problems, DOES_NOT_FIT, parameters.place("for"), format!("'{name}' is over as it begins"))
            .help("write `for = \"10s\"`, or leave `for` out: then it lasts to the end");
    }
    if distribution("every").is_some_and(|distribution| distribution.most() <= 0.0) {
        problem(
            problems,
            DOES_NOT_FIT,
            parameters.place("every"),
            format!("'{name}' would never stop beginning"),
        )
        .help("write `every = \"10s\"`");
    }
    let action = (fault.resolve)(arguments, who, problems)?;
    (problems.0.len() == before).then(|| FaultEntry {
        name: name.to_string(),
        at,
        every: distribution("every"),
        lasts: distribution("for"),
        chance: parameters.number("chance"),
        momentary: fault.momentary,
        action,
    })
}
