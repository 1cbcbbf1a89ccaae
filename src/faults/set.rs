//! `set(app[0].speed, 25%)`: a parameter has another value for a while. A parameter that takes a distribution is set to one time.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::{Place, Problems, known_words, shown};
use crate::base::quantity::{Quantity, Unit};
use crate::faults::action::Action;
use crate::faults::arguments::{DOES_NOT_FIT, SYNTAX, WRONG_UNIT, problem, text};
use crate::faults::fault::Fault;
use crate::faults::target::{Settable, Target, Who};

/// The fault.
pub const SET: Fault = Fault {
    form: Constructor {
        name: "set",
        parameters: &[
            Parameter {
                name: "knob",
                takes: ParameterType::Text,
                default: Preset::Required,
                doc: "Whose parameter: `app[0].speed`, `pages.ttl`.",
            },
            Parameter {
                name: "to",
                takes: ParameterType::Text,
                default: Preset::Required,
                doc: "Its value meanwhile: `25%`.",
            },
        ],
        doc: "A parameter has another value for a while.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let ((path, path_place), (value, value_place)) = (text(parameters, "knob")?, text(parameters, "to")?);
    let Some((of, parameter)) = path.rsplit_once('.') else {
        let message = format!("`{}` names no parameter of a part", shown(path));
        problem(problems, SYNTAX, Some(path_place), message).help("write `set(app[0].speed, 25%)`");
        return None;
    };
    let of = Target::parse(of, path_place, who, problems)?.members(who);
    let settable = settable(&of, parameter.trim(), Some(path_place), who, problems)?;
    match read(value.trim(), settable) {
        Ok(value) => Some(Action::Set { of, parameter: settable.parameter, value, design: settable.design }),
        Err((code, message)) => {
            problem(problems, code, Some(value_place), message).help("write it as in the design");
            None
        }
    }
}

/// The parameter of that name, if members of one part are meant and it may be set.
pub(super) fn settable<'a>(
    of: &Target,
    parameter: &str,
    place: Option<&Place>,
    who: &'a Who,
    problems: &mut Problems,
) -> Option<&'a Settable> {
    let mut parts = of.all().filter_map(|pid| who.part_of(pid));
    let Some(part) = parts.next() else {
        let message = "no member of a part is meant".to_string();
        problem(problems, DOES_NOT_FIT, place, message).help("write `set(app[0].speed, 25%)`");
        return None;
    };
    if let Some(other) = parts.find(|other| other.tier != part.tier) {
        let message = format!("a parameter of '{}' and '{}' at once", part.name, other.name);
        problem(problems, DOES_NOT_FIT, place, message).help("write a fault for each part");
        return None;
    }
    let settable = part.settable.iter().find(|settable| settable.parameter == parameter);
    if settable.is_none() {
        let message = format!("`{}` of '{}' cannot be set during a run", shown(parameter), part.name);
        let known = part.settable.iter().map(|settable| settable.parameter);
        let help = known_words(parameter, "what can be set", known);
        problem(problems, DOES_NOT_FIT, place, message).help(help);
    }
    settable
}

/// The value as one number; or what is wrong with it.
fn read(value: &str, settable: &Settable) -> Result<f64, (&'static str, String)> {
    if value == "unlimited" && matches!(settable.takes, ParameterType::Count { max: u64::MAX, .. }) {
        return Ok(u64::MAX as f64);
    }
    let quantity = Quantity::parse(value).map_err(|bad| (SYNTAX, bad.message))?;
    let (unit, min, max) = match settable.takes {
        ParameterType::Count { min, max } => (Unit::Count, min as f64, max as f64),
        ParameterType::Share { min, max } => (Unit::Share, min, max),
        ParameterType::Factor { min, max } => (Unit::Factor, min, max),
        ParameterType::Span { min, max } => (Unit::Span, min.as_ns() as f64, max.as_ns() as f64),
        ParameterType::Distribution => (Unit::Span, 0.0, u64::MAX as f64),
        ParameterType::Rate => (Unit::Rate, f64::MIN_POSITIVE, f64::MAX),
        ParameterType::Bytes { min, max } => (Unit::Bytes, min as f64, max as f64),
        _ => return Err((DOES_NOT_FIT, format!("`{}` does not take one number", settable.parameter))),
    };
    if quantity.unit != unit {
        return Err((WRONG_UNIT, format!("`{}` takes {}", settable.parameter, unit.example())));
    }
    if !(min..=max).contains(&quantity.value) {
        return Err((DOES_NOT_FIT, format!("`{value}` is out of the range of `{}`", settable.parameter)));
    }
    Ok(quantity.value)
}
