//! `delay(a, add=50ms, to=b)`: packets take longer, either way.

use crate::base::knob::{Form, Knob, Knobs, Preset, Takes};
use crate::base::problem::Problems;
use crate::faults::plan::{Action, Trouble};
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;
use crate::faults::{Fault, side, whom};

/// The fault.
pub const DELAY: Fault = Fault {
    form: Form {
        name: "delay",
        knobs: &[
            whom("of", Preset::Required, "One side: a zone, members of a part, or a list of these."),
            Knob {
                name: "add",
                takes: Takes::Law,
                default: Preset::Required,
                doc: "By how much each packet takes longer: a time or a law.",
            },
            whom("to", Preset::Absent, "The other side; without it everybody."),
        ],
        doc: "Packets between two sides take longer.",
    },
    momentary: false,
    resolve,
};

fn resolve(knobs: &Knobs, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(knobs, "of", who, problems)?;
    let ways = Ways::Between(of, side(knobs, "to", who, problems)?);
    Some(Action::Network { ways, trouble: Trouble::Delay(knobs.law("add")) })
}
