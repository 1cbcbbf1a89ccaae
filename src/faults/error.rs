//! `error(bank, 10%)`: a dependency fails more often.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::Action;
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::set::settable;
use crate::faults::target::{Target, Who};

/// The fault.
pub const ERROR: Fault = Fault {
    form: Constructor {
        name: "error",
        parameters: &[
            whom("of", Preset::Required, "An external dependency, or some of its members."),
            Parameter {
                name: "share",
                takes: ParameterType::Share { min: 0.0, max: 1.0 },
                default: Preset::Required,
                doc: "The share of calls that fails meanwhile, in place of its `errors`.",
            },
        ],
        doc: "A dependency fails at another share of calls: `set(bank.errors, 10%)`.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "of", who, problems)?.members(who);
    let settable = settable(&of, "errors", parameters.place("of"), who, problems)?;
    let (value, design) = (parameters.number("share"), settable.design);
    Some(Action::Set { of, parameter: settable.parameter, value, design })
}
