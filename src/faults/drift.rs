//! `drift(kv[0], 200ppm)`, `drift(kv[0], -200ppm)`: a clock runs too fast, or too slow. At the end what it has gathered is
//! set right in one step.

use crate::base::knob::{Form, Knob, Knobs, Preset, Takes};
use crate::base::problem::Problems;
use crate::faults::plan::Action;
use crate::faults::target::{Target, Who};
use crate::faults::{Fault, whom};

/// The fastest that a clock drifts, as a share of time: far beyond any crystal (a bad one has 500 ppm, which is also what
/// NTP corrects at most). What is further off is broken rather than wrong.
const DRIFT_MAX: f64 = 0.1;

/// The fault.
pub const DRIFT: Fault = Fault {
    form: Form {
        name: "drift",
        knobs: &[
            whom("who", Preset::Required, "Members of a part, or all members in a zone."),
            Knob {
                name: "by",
                takes: Takes::Share { min: -DRIFT_MAX, max: DRIFT_MAX },
                default: Preset::Required,
                doc: "How much: `200ppm` too fast, `-200ppm` too slow; at most a tenth.",
            },
        ],
        doc: "Clocks run too fast or too slow, and are set right at the end. Timers count true time all the same.",
    },
    momentary: false,
    resolve,
};

fn resolve(knobs: &Knobs, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(knobs, "who", who, problems)?.members(who);
    Some(Action::Clock { of, jump_ns: 0, drift_ppb: (knobs.number("by") * 1e9).round() as i64 })
}
