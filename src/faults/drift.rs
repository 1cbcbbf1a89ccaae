//! `drift(kv[0], 200ppm)`, `drift(kv[0], -200ppm)`: a node's clocks run too fast, or too slow, and with them all that the node times:
//! timers, timeouts, leases, polls, waits. At the end both run right again; the wall clock is set right in one step, the monotonic one
//! keeps what it has gathered.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::Action;
use crate::faults::arguments::whom;
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};

/// The fastest and the slowest that a clock drifts, as a share of time: twice as fast as true time, or half as fast. Far beyond any
/// crystal (a bad one has 500 ppm, which is also what NTP corrects at most), but virtual machines have had clocks like that.
const FASTEST: f64 = 1.0;
const SLOWEST: f64 = -0.5;

/// The fault.
pub const DRIFT: Fault = Fault {
    form: Constructor {
        name: "drift",
        parameters: &[
            whom("who", Preset::Required, "Members of a part, or all members in a zone."),
            Parameter {
                name: "by",
                takes: ParameterType::Share { min: SLOWEST, max: FASTEST },
                default: Preset::Required,
                doc: "How much: `200ppm` too fast, `-200ppm` too slow; at most `100%` and `-50%`.",
            },
        ],
        doc: "The clocks of nodes run too fast or too slow, and with them all that a node times: timers, timeouts, leases, waits. At the end \
              the wall clock is set right; the monotonic one only runs right again.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "who", who, problems)?.members(who);
    Some(Action::Clock { of, jump_ns: 0, drift_ppb: (parameters.number("by") * 1e9).round() as i64 })
}
