//! `duplicate(a, share=5%, to=b)`: a share of datagrams arrives twice, either way. The copy takes a time of its own. Requests
//! and answers ride connections, which tell copies apart.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// The fault.
pub const DUPLICATE: Fault = Fault {
    form: Constructor {
        name: "duplicate",
        parameters: &[
            whom("of", Preset::Required, "One side: a zone, members of a part, or a list of these."),
            Parameter {
                name: "share",
                takes: ParameterType::Share { min: 0.0, max: 1.0 },
                default: Preset::Required,
                doc: "The share of datagrams that arrives twice, besides the link's own.",
            },
            whom("to", Preset::Absent, "The other side; without it everybody."),
        ],
        doc: "Datagrams between two sides arrive twice: what members of a store tell each other.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "of", who, problems)?;
    let ways = Ways::Between(of, Target::if_given(parameters, "to", who, problems)?);
    Some(Action::Network { ways, impairment: Impairment::Duplicate(parameters.number("share")) })
}
