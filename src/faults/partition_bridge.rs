//! `partition_bridge(kv)`, `partition_bridge(kv, over=kv[0])`: two halves that do not hear each other, and one member that
//! talks to both. Only members of the part are cut off from each other: clients and everybody else reach them.

use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::{DOES_NOT_FIT, problem, whom};
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// With fewer there is nobody on one of the sides.
const MEMBERS_MIN: usize = 3;

/// The fault.
pub const PARTITION_BRIDGE: Fault = Fault {
    form: Constructor {
        name: "partition_bridge",
        parameters: &[
            whom("of", Preset::Required, "A part of 3 or more members, or so many of them; in their order."),
            whom("over", Preset::Absent, "The one that talks to both halves; without it the middle one."),
        ],
        doc: "Two halves of a part are cut off from each other, and one member talks to both.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "of", who, problems)?.members(who);
    let over = Target::if_given(parameters, "over", who, problems)?.map(|over| over.members(who));
    if of.most() < MEMBERS_MIN {
        let message = format!("a bridge between halves of {} members", of.most());
        let help = format!("it takes {MEMBERS_MIN} members: one of each half, and the one between them");
        problem(problems, DOES_NOT_FIT, parameters.place("of"), message).help(help);
        return None;
    }
    if let Some(over) = &over {
        let all: Vec<_> = of.all().collect();
        if !over.all().all(|pid| all.contains(&pid)) || over.picks.is_empty() && over.pids.len() != 1 {
            let message = "the bridge is one of the members".to_string();
            problem(problems, DOES_NOT_FIT, parameters.place("over"), message)
                .help("write `partition_bridge(kv, over=kv[0])` or `over=leader(kv)`");
            return None;
        }
    }
    Some(Action::Network { ways: Ways::Bridge(of, over), impairment: Impairment::Cut })
}
