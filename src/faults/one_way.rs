//! `one_way(a, to=b)`: nothing gets through from one side to another; the way back is open.

use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::whom;
use crate::faults::cut::apart;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// The fault.
pub const ONE_WAY: Fault = Fault {
    form: Constructor {
        name: "one_way",
        parameters: &[
            whom("of", Preset::Required, "Who is not heard: a zone, members of a part, or a list of these."),
            whom("to", Preset::Required, "Who does not hear."),
        ],
        doc: "Nothing gets through from one side to another; the way back is open.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let (of, to) =
        (Target::of(parameters, "of", who, problems)?, Target::of(parameters, "to", who, problems)?);
    apart(&of, &to, parameters.place("to"), problems)?;
    Some(Action::Network { ways: Ways::OneWay(of, to), impairment: Impairment::Cut })
}
