//! `isolate(kv[0])`: members are alone. Nothing gets to them or from them, not even between two of them, nor between one
//! and the clients, nor within its zone.

use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// The fault.
pub const ISOLATE: Fault = Fault {
    form: Constructor {
        name: "isolate",
        parameters: &[whom("who", Preset::Required, "Members of a part, or all members in a zone.")],
        doc: "Each of these members is cut off from every other node, clients included.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "who", who, problems)?.members(who);
    Some(Action::Network { ways: Ways::Between(of, None), impairment: Impairment::Cut })
}
