//! `cut(a, from=[b, c])`: nothing gets through between two sides, either way. Without `from`: between the first side and
//! everybody else; if that side is members of a part and no zone, they are cut off from each other too.

use crate::base::ids::ZoneId;
use crate::base::knob::{Form, Knobs, Preset};
use crate::base::problem::Problems;
use crate::faults::plan::{Action, Trouble};
use crate::faults::target::{Target, Who};
use crate::faults::{DOES_NOT_FIT, Fault, problem, text, whom};

/// The fault.
pub const CUT: Fault = Fault {
    form: Form {
        name: "cut",
        knobs: &[
            whom("of", Preset::Required, "One side: a zone, members of a part, or a list of these."),
            whom("from", Preset::Absent, "The other side; without it everybody else."),
        ],
        doc: "Nothing gets through between two sides.",
    },
    momentary: false,
    resolve,
};

fn resolve(knobs: &Knobs, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(knobs, "of", who, problems)?;
    let with = match text(knobs, "from") {
        Some(_) => Some(Target::of(knobs, "from", who, problems)?),
        None if of.zones.is_empty() => None,
        None => {
            let zones = (0..who.zones.len() as u8).map(ZoneId).filter(|zone| !of.zones.contains(zone));
            Some(Target { zones: zones.collect(), ..Target::default() })
        }
    };
    if with.as_ref().is_some_and(|with| with.sets().is_empty() && with.any.is_empty()) {
        let message = "there is nobody to be cut off from".to_string();
        problem(problems, DOES_NOT_FIT, knobs.place("of"), message).help("write `cut(a, from=b)`");
        return None;
    }
    Some(Action::Network { of, with, trouble: Trouble::Cut })
}
