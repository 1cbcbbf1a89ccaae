//! `skew(kv[0], 2s)`, `skew(kv[0], -2s)`: a wall clock jumps; the monotonic one, by which a node times, does not. At the end it jumps back, so that it shows what it would have shown
//! without the fault.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::base::quantity::{Quantity, Unit};
use crate::base::time::Span;
use crate::faults::action::Action;
use crate::faults::arguments::{OUT_OF_RANGE, WRONG_UNIT, problem, text, whom};
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};

/// The furthest that a clock jumps: a hundred years, which fit its 64 bits beside any run.
const JUMP_MAX: Span = Span::from_secs(100 * 365 * 86_400);

/// The fault.
pub const SKEW: Fault = Fault {
    form: Constructor {
        name: "skew",
        parameters: &[
            whom("who", Preset::Required, "Members of a part, or all members in a zone."),
            Parameter {
                name: "by",
                takes: ParameterType::Text,
                default: Preset::Required,
                doc: "How far: `2s` ahead, `-2s` back; at most 100 years.",
            },
        ],
        doc: "The wall clocks of nodes jump, and jump back at the end: what is stamped, or expires at a time of day. What a node times goes by \
              its monotonic clock, which does not jump.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "who", who, problems)?.members(who);
    let (words, place) = text(parameters, "by")?;
    let (sign, span) = match words.strip_prefix('-') {
        Some(back) => (-1, back.trim()),
        None => (1, words),
    };
    let far = match Quantity::parse(span) {
        Ok(far) if far.unit == Unit::Span => far.value,
        _ => {
            let message = format!("a clock jumps by a time, not by `{words}`");
            problem(problems, WRONG_UNIT, Some(place), message)
                .help("write `skew(kv[0], 2s)` or `skew(kv[0], -2s)`");
            return None;
        }
    };
    if far > JUMP_MAX.as_ns() as f64 {
        let message = format!("`{words}` is too far for a clock: at most 100 years");
        problem(problems, OUT_OF_RANGE, Some(place), message).help("write `skew(kv[0], 2s)`");
        return None;
    }
    Some(Action::Clock { of, jump_ns: sign * far as i64, drift_ppb: 0 })
}
