//! Checks numbers: their unit, their range.

use crate::base::parameter::{ParameterType, Setting};
use crate::base::problem::shown;
use crate::base::quantity::{Quantity, Unit};
use crate::base::time::Span;
use crate::design::codes;
use crate::design::describe::{describe, example};
use crate::design::parameters::checker::{Checker, Given};
use crate::design::tree::{Node, Value};
use crate::program::distribution::{distribution_of_numbers, distribution_of_spans};
use crate::program::syntax::{Expr, Spanned, UnaryOp};

/// The largest whole number that a float holds exactly: counts without an exact integer stop there.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Checks a single number with its unit.
pub(super) fn quantity(
    checker: &mut Checker<'_>,
    path: &str,
    takes: &'static ParameterType,
    given: Given<'_>,
) -> Option<Setting> {
    if let (
        ParameterType::Count { max: u64::MAX, .. },
        Given::Expr(_, Spanned { value: Expr::Name(name), .. }),
    ) = (takes, given)
        && name == "unlimited"
    {
        return Some(Setting::Count(u64::MAX));
    }
    let Some(quantity) = number(given) else {
        checker.wrong(codes::WRONG_TYPE, given.place(), path, takes, given.what());
        return None;
    };
    let fits = match takes {
        ParameterType::Factor { .. } => matches!(quantity.unit, Unit::Factor | Unit::Count),
        // Nothing is nothing in every unit.
        ParameterType::Span { .. } | ParameterType::Bytes { .. } => quantity.unit == unit_of(takes),
        _ => quantity.unit == unit_of(takes),
    };
    if !fits {
        wrong_unit(checker, path, takes, given, quantity);
        return None;
    }
    match setting(takes, quantity) {
        Ok(setting) => Some(setting),
        Err(bounds) => {
            let message = format!("{} is out of range: {bounds}", shown(path));
            let help = format!("write for example `{}`", example(takes));
            checker.problems.at(codes::OUT_OF_RANGE, given.place(), message).help(help);
            None
        }
    }
}

/// The number that is given, if it is one.
fn number(given: Given<'_>) -> Option<Quantity> {
    match given {
        Given::Node(Node { value: Value::Integer(number), .. }) => {
            Some(Quantity { value: *number as f64, exact: Some(*number), unit: Unit::Count })
        }
        Given::Node(Node { value: Value::Float(number), .. }) => {
            Some(Quantity { value: *number, exact: None, unit: Unit::Count })
        }
        Given::Node(_) => None,
        Given::Expr(text, expr) => match &expr.value {
            Expr::Number(quantity) => Some(*quantity),
            Expr::Unary(UnaryOp::Minus, inner) => {
                let Quantity { value, exact, unit } = number(Given::Expr(text, inner))?;
                Some(Quantity { value: -value, exact: exact.and_then(i64::checked_neg), unit })
            }
            _ => None,
        },
    }
}

const fn unit_of(takes: &ParameterType) -> Unit {
    match takes {
        ParameterType::Share { .. } => Unit::Share,
        ParameterType::Factor { .. } => Unit::Factor,
        ParameterType::Span { .. } | ParameterType::Distribution | ParameterType::DistributionOr(_) => {
            Unit::Span
        }
        ParameterType::Rate => Unit::Rate,
        ParameterType::Bytes { .. } => Unit::Bytes,
        ParameterType::Bandwidth => Unit::BitsPerSecond,
        ParameterType::Dollars => Unit::Dollars,
        ParameterType::DollarsPerHour => Unit::DollarsPerHour,
        _ => Unit::Count,
    }
}

/// A unit in words.
const fn named(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "a bare number",
        Unit::Span => "a time",
        Unit::Rate => "a rate",
        Unit::Bytes => "a size in bytes",
        Unit::BitsPerSecond => "a bandwidth",
        Unit::Share => "a share",
        Unit::Factor => "a factor",
        Unit::Dollars => "a sum of money",
        Unit::DollarsPerHour => "a price per hour",
    }
}

pub(super) fn wrong_unit(
    checker: &mut Checker<'_>,
    path: &str,
    takes: &ParameterType,
    given: Given<'_>,
    quantity: Quantity,
) {
    if quantity.unit == Unit::Count {
        let message =
            format!("{} takes {}, and a number without a unit says none", shown(path), describe(takes));
        let help = with_units(takes, quantity.value);
        checker.problems.at(codes::MISSING_UNIT, given.place(), message).help(help);
        return;
    }
    let message = format!("{} takes {}, not {}", shown(path), describe(takes), named(quantity.unit));
    let help = format!("write for example `{}`", example(takes));
    checker.problems.at(codes::WRONG_UNIT, given.place(), message).help(help);
}

/// The user's own number with the units that it may have meant.
fn with_units(takes: &ParameterType, value: f64) -> String {
    let percent = if value <= 1.0 { value * 100.0 } else { value };
    match takes {
        ParameterType::Span { .. } | ParameterType::Distribution | ParameterType::DistributionOr(_) => {
            format!("write `\"{value}ms\"` or `\"{value}s\"`")
        }
        ParameterType::Share { .. } => format!("write `\"{percent}%\"`"),
        ParameterType::Rate => format!("write `\"{value}/s\"`"),
        ParameterType::Bytes { .. } => format!("write `\"{value}KiB\"` or `\"{value}MiB\"`"),
        ParameterType::Bandwidth => format!("write `\"{value}Mb/s\"` or `\"{value}Gb/s\"`"),
        ParameterType::Dollars => format!("write `\"${value}\"`"),
        ParameterType::DollarsPerHour => format!("write `\"${value}/h\"`"),
        _ => format!("write for example `{}`", example(takes)),
    }
}

/// The setting, or the bounds that it breaks.
fn setting(takes: &ParameterType, quantity: Quantity) -> Result<Setting, String> {
    match takes {
        ParameterType::Count { min, max } => {
            whole(quantity, *min, *max, |count| count.to_string()).map(Setting::Count)
        }
        ParameterType::Bytes { min, max } => {
            whole(quantity, *min, *max, |bytes| format!("{bytes} B")).map(Setting::Count)
        }
        ParameterType::Span { min, max } => {
            let show = |ns| Span::from_ns(ns).to_string();
            let ns = Quantity { exact: quantity.exact.or_else(|| rounded(quantity.value)), ..quantity };
            whole(ns, min.as_ns(), max.as_ns(), show).map(|ns| Setting::Span(Span::from_ns(ns)))
        }
        ParameterType::Share { min, max } => {
            within(quantity.value, *min, *max, |share| format!("{}%", share * 100.0)).map(Setting::Number)
        }
        ParameterType::Factor { min, max } => {
            within(quantity.value, *min, *max, |factor| format!("{factor}x")).map(Setting::Number)
        }
        ParameterType::Rate | ParameterType::Bandwidth if quantity.value <= 0.0 => {
            Err("it must be above 0".to_owned())
        }
        _ if quantity.value < 0.0 || !quantity.value.is_finite() => Err("it must not be below 0".to_owned()),
        _ => Ok(Setting::Number(quantity.value)),
    }
}

/// The nearest whole number, where a float holds it exactly.
fn rounded(value: f64) -> Option<i64> {
    (value.abs() < EXACT_MAX).then_some((value + 0.5).floor() as i64)
}

fn whole(quantity: Quantity, min: u64, max: u64, show: impl Fn(u64) -> String) -> Result<u64, String> {
    let Some(number) = quantity.exact else {
        return Err(if quantity.value.abs() < EXACT_MAX {
            "it must be a whole number"
        } else {
            "it is too large"
        }
        .to_owned());
    };
    match u64::try_from(number) {
        Ok(number) if number > max => Err(format!("at most {}", show(max))),
        Ok(number) if number >= min => Ok(number),
        _ => Err(format!("at least {}", show(min))),
    }
}

fn within(value: f64, min: f64, max: f64, show: impl Fn(f64) -> String) -> Result<f64, String> {
    if value > max {
        Err(format!("at most {}", show(max)))
    } else if value >= min {
        Ok(value)
    } else {
        Err(format!("at least {}", show(min)))
    }
}

/// Checks a distribution.
pub(super) fn distribution(
    checker: &mut Checker<'_>,
    path: &str,
    takes: &'static ParameterType,
    given: Given<'_>,
) -> Option<Setting> {
    use crate::base::dist::Dist;
    if let Some(quantity) = number(given) {
        if quantity.unit != unit_of(takes) {
            wrong_unit(checker, path, takes, given, quantity);
            return None;
        }
        if quantity.value < 0.0 {
            let message = format!("{} is out of range: it must not be below 0", shown(path));
            checker.problems.at(codes::OUT_OF_RANGE, given.place(), message);
            return None;
        }
        return Some(Setting::Distribution(Dist::Constant(quantity.value)));
    }
    let Given::Expr(text, expr) = given else {
        checker.wrong(codes::WRONG_TYPE, given.place(), path, takes, given.what());
        return None;
    };
    let file = text.place(expr.at.clone()).file;
    let data = checker.data;
    let files = move |path: &str| data.read(file, path);
    let distribution = match takes {
        ParameterType::NumberDistribution => distribution_of_numbers(expr, &files),
        _ => distribution_of_spans(expr, &files),
    };
    match distribution {
        Ok(distribution) => Some(Setting::Distribution(distribution)),
        Err(error) => {
            let problem = checker.problems.at(
                codes::BAD_LAW,
                text.place(error.at),
                format!("{}: {}", shown(path), error.message),
            );
            problem.help(error.help.unwrap_or_else(|| format!("write for example `{}`", example(takes))));
            None
        }
    }
}
