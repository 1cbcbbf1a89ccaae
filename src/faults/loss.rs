//! `loss(a, to=b, share=5%)`: a further share of packets is lost, either way. It adds to the link's own loss as an
//! independent cause does.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// The fault.
pub const LOSS: Fault = Fault {
    form: Constructor {
        name: "loss",
        parameters: &[
            whom("of", Preset::Required, "One side: a zone, members of a part, or a list of these."),
            Parameter {
                name: "share",
                takes: ParameterType::Share { min: 0.0, max: 1.0 },
                default: Preset::Required,
                doc: "The share of packets that is lost besides.",
            },
            whom("to", Preset::Absent, "The other side; without it everybody."),
        ],
        doc: "Packets between two sides are lost.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "of", who, problems)?;
    let ways = Ways::Between(of, Target::if_given(parameters, "to", who, problems)?);
    Some(Action::Network { ways, impairment: Impairment::Loss(parameters.number("share")) })
}
