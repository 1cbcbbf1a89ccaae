//! `crash(app[0], mode=machine|process)`: memory and what was not synced is lost. A machine dies silently; of a process
//! its machine tells: connections are reset, new ones refused. With `for` it starts again.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::Action;
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::sim::cluster::Crash;

/// The fault.
pub const CRASH: Fault = Fault {
    form: Constructor {
        name: "crash",
        parameters: &[
            whom("who", Preset::Required, "Members of a part, or all members in a zone."),
            Parameter {
                name: "mode",
                takes: ParameterType::Word(&["machine", "process"]),
                default: Preset::Is { text: "machine", source: "the harder case: nobody is told" },
                doc: "Whether the machine dies silently or a process whose machine resets its connections.",
            },
        ],
        doc: "Processes crash; with `for` they start again after it.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let target = Target::of(parameters, "who", who, problems)?.members(who);
    let how = if parameters.word("mode") == "process" { Crash::Process } else { Crash::Machine };
    Some(Action::Crash(target, how))
}
