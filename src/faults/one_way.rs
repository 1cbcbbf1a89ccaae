//! `one_way(a, to=b)`: nothing gets through from one side to another; the way back is open.

use crate::base::knob::{Form, Knobs, Preset};
use crate::base::problem::Problems;
use crate::faults::cut::apart;
use crate::faults::plan::{Action, Trouble};
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;
use crate::faults::{Fault, whom};

/// The fault.
pub const ONE_WAY: Fault = Fault {
    form: Form {
        name: "one_way",
        knobs: &[
            whom("of", Preset::Required, "Who is not heard: a zone, members of a part, or a list of these."),
            whom("to", Preset::Required, "Who does not hear."),
        ],
        doc: "Nothing gets through from one side to another; the way back is open.",
    },
    momentary: false,
    resolve,
};

fn resolve(knobs: &Knobs, who: &Who, problems: &mut Problems) -> Option<Action> {
    let (of, to) = (Target::of(knobs, "of", who, problems)?, Target::of(knobs, "to", who, problems)?);
    apart(&of, &to, knobs.place("to"), problems)?;
    Some(Action::Network { ways: Ways::OneWay(of, to), trouble: Trouble::Cut })
}
