//! Arguments of faults: what names whom they are about, and what is said of wrong ones.

use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::{Place, Problem, Problems};

/// Code of the loader's problems: a name that nobody has.
pub(super) const UNKNOWN_PART: &str = "SB0102";
/// Code of the loader's problems: a value of the wrong unit.
pub(super) const WRONG_UNIT: &str = "SB0107";
/// Code of the loader's problems: arguments that are right one by one but not together.
pub(super) const DOES_NOT_FIT: &str = "SB0123";
/// Code of the loader's problems: a text that cannot be read.
pub(super) const SYNTAX: &str = "SB0115";
/// Code of the loader's problems: a form that does not exist.
pub(super) const UNKNOWN_FORM: &str = "SB0110";
/// Code of the loader's problems: a part that is not of the kind that is meant.
pub(super) const WRONG_KIND: &str = "SB0120";
/// Code of the loader's problems: a number beyond its bounds.
pub(super) const OUT_OF_RANGE: &str = "SB0108";
/// Code of the loader's problems: a fault that does not exist.
pub(super) const UNKNOWN_FAULT: &str = "SB0501";
/// Code of the loader's problems: faults that wait for each other.
pub(super) const FAULT_CYCLE: &str = "SB0502";

/// Adds a problem, at a place where there is one.
pub(super) fn problem<'a>(
    problems: &'a mut Problems,
    code: &'static str,
    place: Option<&Place>,
    message: String,
) -> &'a mut Problem {
    match place {
        Some(place) => problems.at(code, place.clone(), message),
        None => problems.overall(code, message),
    }
}

/// A text argument, if it was given.
pub(super) fn text<'a>(parameters: &'a Parameters, parameter: &str) -> Option<(&'a str, &'a Place)> {
    match parameters.get(parameter) {
        Some(Setting::Text(text, place)) => Some((text, place)),
        _ => None,
    }
}

/// The argument that names whom a fault is about.
pub(super) const fn whom(name: &'static str, default: Preset, doc: &'static str) -> Parameter {
    Parameter { name, takes: ParameterType::Text, default, doc }
}
