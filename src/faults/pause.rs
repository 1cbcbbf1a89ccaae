//! `pause(app[0])`: processes stand still, as in a garbage collection or a suspended machine; what happens to them waits.

use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::plan::Action;
use crate::faults::target::{Target, Who};
use crate::faults::{Fault, whom};

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
