//! `reorder(a, share=10%, window=20ms, to=b)`: a share of datagrams is held back, each for a time of its own, so that later
//! ones overtake it; either way. Requests and answers ride connections, which keep order.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::base::time::Span;
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// The fault.
pub const REORDER: Fault = Fault {
    form: Constructor {
        name: "reorder",
        parameters: &[
            whom("of", Preset::Required, "One side: a zone, members of a part, or a list of these."),
            Parameter {
                name: "share",
                takes: ParameterType::Share { min: 0.0, max: 1.0 },
                default: Preset::Required,
                doc: "The share of datagrams that is held back.",
            },
            Parameter {
                name: "window",
                takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
                default: Preset::Required,
                doc: "For how long at most; all times up to it are as likely.",
            },
            whom("to", Preset::Absent, "The other side; without it everybody."),
        ],
        doc: "Datagrams between two sides overtake each other: what members of a store tell each other.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "of", who, problems)?;
    let ways = Ways::Between(of, Target::if_given(parameters, "to", who, problems)?);
    Some(Action::Network {
        ways,
        impairment: Impairment::Reorder(parameters.number("share"), parameters.span("window")),
    })
}
