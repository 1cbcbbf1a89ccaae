//! `partition_ring(kv)`: members in a ring, in the order of their numbers, each of which hears itself and as many of its
//! neighbours before as after it as a majority takes: everybody sees a majority, no two the same one. In another order:
//! `partition_ring(any(kv, 5))`, drawn anew each time. Only members of the part are cut off from each other.

use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::{DOES_NOT_FIT, problem, whom};
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// In a ring of three everybody is everybody's neighbour.
const MEMBERS_MIN: usize = 4;

/// The fault.
pub const PARTITION_RING: Fault = Fault {
    form: Constructor {
        name: "partition_ring",
        parameters: &[whom(
            "of",
            Preset::Required,
            "A part of 4 or more members, or so many of them; in their order.",
        )],
        doc: "Members in a ring, in their order, hear a majority around them each, no two the same one.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "of", who, problems)?.members(who);
    if of.most() < MEMBERS_MIN {
        let message = format!("a ring of {} members, who are all neighbours", of.most());
        let help = format!("it takes {MEMBERS_MIN} members; of three write `partition_bridge(kv)`");
        problem(problems, DOES_NOT_FIT, parameters.place("of"), message).help(help);
        return None;
    }
    Some(Action::Network { ways: Ways::Ring(of), impairment: Impairment::Cut })
}
