//! Checks numbers: their unit, their range.

use crate::base::knob::{Setting, Takes};
use crate::base::problem::shown;
use crate::base::quantity::{Quantity, Unit};
use crate::base::time::Span;
use crate::design::codes;
use crate::design::describe::{describe, example};
use crate::design::knobs::{Checker, Given};
use crate::design::tree::{Node, Value};
use crate::program::law::{law_of_numbers, law_of_spans};
use crate::program::syntax::{Expr, Spanned, UnaryOp};

/// The largest whole number that a float holds exactly: counts without an exact integer stop there.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Checks a single number with its unit.
pub(super) fn quantity(
    checker: &mut Checker<'_>,
    path: &str,
    takes: &'static Takes,
    given: Given<'_>,
) -> Option<Setting> {
    if let (Takes::Count { max: u64::MAX, .. }, Given::Expr(_, Spanned { value: Expr::Name(name), .. })) =
        (takes, given)
        && name == "unlimited"
    {
        return Some(Setting::Count(u64::MAX));
    }
    let Some(quantity) = number(given) else {
        checker.wrong(codes::WRONG_TYPE, given.place(), path, takes, given.what());
        return None;
    };
    let fits = match takes {
        Takes::Factor { .. } => matches!(quantity.unit, Unit::Factor | Unit::Count),
        // Nothing is nothing in every unit.
        Takes::Span { .. } | Takes::Bytes { .. } => quantity.unit == unit_of(takes),
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

const fn unit_of(takes: &Takes) -> Unit {
    match takes {
        Takes::Share { .. } => Unit::Share,
        Takes::Factor { .. } => Unit::Factor,
        Takes::Span { .. } | Takes::Law | Takes::LawOr(_) => Unit::Span,
        Takes::Rate => Unit::Rate,
        Takes::Bytes { .. } => Unit::Bytes,
        Takes::Bandwidth => Unit::BitsPerSecond,
        Takes::Dollars => Unit::Dollars,
        Takes::DollarsPerHour => Unit::DollarsPerHour,
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
    takes: &Takes,
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
fn with_units(takes: &Takes, value: f64) -> String {
    let percent = if value <= 1.0 { value * 100.0 } else { value };
    match takes {
        Takes::Span { .. } | Takes::Law | Takes::LawOr(_) => {
            format!("write `\"{value}ms\"` or `\"{value}s\"`")
        }
        Takes::Share { .. } => format!("write `\"{percent}%\"`"),
        Takes::Rate => format!("write `\"{value}/s\"`"),
        Takes::Bytes { .. } => format!("write `\"{value}KiB\"` or `\"{value}MiB\"`"),
        Takes::Bandwidth => format!("write `\"{value}Mb/s\"` or `\"{value}Gb/s\"`"),
        Takes::Dollars => format!("write `\"${value}\"`"),
        Takes::DollarsPerHour => format!("write `\"${value}/h\"`"),
        _ => format!("write for example `{}`", example(takes)),
    }
}

/// The setting, or the bounds that it breaks.
fn setting(takes: &Takes, quantity: Quantity) -> Result<Setting, String> {
    match takes {
        Takes::Count { min, max } => {
            whole(quantity, *min, *max, |count| count.to_string()).map(Setting::Count)
        }
        Takes::Bytes { min, max } => {
            whole(quantity, *min, *max, |bytes| format!("{bytes} B")).map(Setting::Count)
        }
        Takes::Span { min, max } => {
            let show = |ns| Span::from_ns(ns).to_string();
            let ns = Quantity { exact: quantity.exact.or_else(|| rounded(quantity.value)), ..quantity };
            whole(ns, min.as_ns(), max.as_ns(), show).map(|ns| Setting::Span(Span::from_ns(ns)))
        }
        Takes::Share { min, max } => {
            within(quantity.value, *min, *max, |share| format!("{}%", share * 100.0)).map(Setting::Number)
        }
        Takes::Factor { min, max } => {
            within(quantity.value, *min, *max, |factor| format!("{factor}x")).map(Setting::Number)
        }
        Takes::Rate | Takes::Bandwidth if quantity.value <= 0.0 => Err("it must be above 0".to_owned()),
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
pub(super) fn law(
    checker: &mut Checker<'_>,
    path: &str,
    takes: &'static Takes,
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
        return Some(Setting::Law(Dist::Constant(quantity.value)));
    }
    let Given::Expr(text, expr) = given else {
        checker.wrong(codes::WRONG_TYPE, given.place(), path, takes, given.what());
        return None;
    };
    let file = text.place(expr.at.clone()).file;
    let data = checker.data;
    let files = move |path: &str| data.read(file, path);
    let law = match takes {
        Takes::NumberLaw => law_of_numbers(expr, &files),
        _ => law_of_spans(expr, &files),
    };
    match law {
        Ok(law) => Some(Setting::Law(law)),
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
