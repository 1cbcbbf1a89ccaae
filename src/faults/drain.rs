//! `drain(app[0])`: processes take no new requests and finish those that they have, as before a deployment. Whoever calls
//! one is refused at once, with certainty; its own calls, messages and timers go on.

use crate::base::knob::{Form, Knobs, Preset};
use crate::base::problem::Problems;
use crate::faults::plan::Action;
use crate::faults::target::{Target, Who};
use crate::faults::{Fault, whom};

/// The fault.
pub const DRAIN: Fault = Fault {
    form: Form {
        name: "drain",
        knobs: &[whom("who", Preset::Required, "Members of a part, or all members in a zone.")],
        doc: "Processes refuse new requests and finish those that they have.",
    },
    momentary: false,
    resolve,
};

fn resolve(knobs: &Knobs, who: &Who, problems: &mut Problems) -> Option<Action> {
    Some(Action::Drain(Target::of(knobs, "who", who, problems)?.members(who)))
}
