//! `reorder(a, share=10%, window=20ms, to=b)`: a share of datagrams is held back, each for a time of its own, so that later
//! ones overtake it; either way. Requests and answers ride connections, which keep order.

use crate::base::knob::{Form, Knob, Knobs, Preset, Takes};
use crate::base::problem::Problems;
use crate::base::time::Span;
use crate::faults::plan::{Action, Trouble};
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;
use crate::faults::{Fault, side, whom};

/// The fault.
pub const REORDER: Fault = Fault {
    form: Form {
        name: "reorder",
        knobs: &[
            whom("of", Preset::Required, "One side: a zone, members of a part, or a list of these."),
            Knob {
                name: "share",
                takes: Takes::Share { min: 0.0, max: 1.0 },
                default: Preset::Required,
                doc: "The share of datagrams that is held back.",
            },
            Knob {
                name: "window",
                takes: Takes::Span { min: Span::from_ns(1), max: Span::MAX },
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

fn resolve(knobs: &Knobs, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(knobs, "of", who, problems)?;
    let ways = Ways::Between(of, side(knobs, "to", who, problems)?);
    Some(Action::Network { ways, trouble: Trouble::Reorder(knobs.number("share"), knobs.span("window")) })
}
