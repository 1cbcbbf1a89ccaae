//! `pause(app[0])`: processes stand still, as in a garbage collection or a suspended machine; what happens to them waits.

use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::Action;
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};

/// The fault.
pub const PAUSE: Fault = Fault {
    form: Constructor {
        name: "pause",
        parameters: &[whom("who", Preset::Required, "Members of a part, or all members in a zone.")],
        doc: "Processes stand still; what happens to them waits.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    Some(Action::Pause(Target::of(parameters, "who", who, problems)?.members(who)))
}
