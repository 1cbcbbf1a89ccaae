//! `delay(a, add=50ms, to=b)`: packets take longer, either way.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// The fault.
pub const DELAY: Fault = Fault {
    form: Constructor {
        name: "delay",
        parameters: &[
            whom("of", Preset::Required, "One side: a zone, members of a part, or a list of these."),
            Parameter {
                name: "add",
                takes: ParameterType::Distribution,
                default: Preset::Required,
                doc: "By how much each packet takes longer: a time or a distribution.",
            },
            whom("to", Preset::Absent, "The other side; without it everybody."),
        ],
        doc: "Packets between two sides take longer.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "of", who, problems)?;
    let ways = Ways::Between(of, Target::if_given(parameters, "to", who, problems)?);
    Some(Action::Network { ways, impairment: Impairment::Delay(parameters.distribution("add")) })
}
