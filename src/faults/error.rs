//! `error(bank, 10%)`: a dependency fails more often.

use crate::base::knob::{Form, Knob, Knobs, Preset, Takes};
use crate::base::problem::Problems;
use crate::faults::plan::Action;
use crate::faults::set::settable;
use crate::faults::target::{Target, Who};
use crate::faults::{Fault, whom};

/// The fault.
pub const ERROR: Fault = Fault {
    form: Form {
        name: "error",
        knobs: &[
            whom("of", Preset::Required, "An external dependency, or some of its members."),
            Knob {
                name: "share",
                takes: Takes::Share { min: 0.0, max: 1.0 },
                default: Preset::Required,
                doc: "The share of calls that fails meanwhile, in place of its `errors`.",
            },
        ],
        doc: "A dependency fails at another share of calls: `set(bank.errors, 10%)`.",
    },
    momentary: false,
    resolve,
};

fn resolve(knobs: &Knobs, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(knobs, "of", who, problems)?.members(who);
    let settable = settable(&of, "errors", knobs.place("of"), who, problems)?;
    let (value, design) = (knobs.number("share"), settable.design);
    Some(Action::Set { of, knob: settable.knob, value, design })
}
