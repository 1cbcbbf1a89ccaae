//! `drain(app[0])`: processes take no new requests and finish those that they have, as before a deployment. Whoever calls
//! one is refused at once, with certainty; its own calls, messages and timers go on, and so does what comes from its own node: the
//! steps of a program that runs beside a store. A leader hands over first (`components/leader/handover.rs`). A member of `quorum` or
//! `multi_leader` coordinates nothing new, and is a copy as before (Cassandra: `nodetool disablebinary`).

use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::Action;
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};

/// The fault.
pub const DRAIN: Fault = Fault {
    form: Constructor {
        name: "drain",
        parameters: &[whom("who", Preset::Required, "Members of a part, or all members in a zone.")],
        doc: "Processes refuse new requests and finish those that they have. The leader of a store hands over to a copy that has everything; \
              it does not lead again by the end of it.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    Some(Action::Drain(Target::of(parameters, "who", who, problems)?.members(who)))
}
