//! When requests come. Each instant is a function of the request's number and of draws named by it, never of what the
//! system does (open loops); users wait for their answers (closed loops).

use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::quantity::{Quantity, Unit};
use crate::base::rng::Bits;
use crate::base::time::{Span, Time};
use crate::program::distribution::{Files, distribution_of_spans};
use crate::program::syntax::{Arg, ArgKey, Expr, Function, Spanned, SyntaxError};

/// The distributions of arrivals, by name.
pub const DISTRIBUTIONS: [&str; 7] = ["poisson", "even", "rate", "users", "once", "serial", "trace"];
/// The most requests per second of one workload: more than one per nanosecond cannot be told apart.
pub const RATE_MAX: f64 = 1e9;
/// How many thinks a user with a general distribution of thinking is started from: the residual of one of them, chosen by
/// length, is distributed as in equilibrium when there are many.
const RESIDUAL_DRAWS: usize = 64;

/// When requests come.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Poisson, requests per second.
    Poisson(f64),
    /// Evenly spaced, requests per second.
    Even(f64),
    /// Poisson with a rate that is linear between (instant, requests per second) points and constant after the last.
    Rate(Arc<[(Time, f64)]>),
    /// Closed loop.
    Users {
        /// How many.
        count: u32,
        /// Between an answer and the next request.
        think: Dist,
    },
    /// So many at once, at the start.
    Once(u64),
    /// At these instants.
    Trace(Arc<[Time]>),
    /// One tester who means to send evenly but waits for each answer, as simple load generators do.
    Serial {
        /// Requests per second that it means to send.
        rate: f64,
        /// Whether it counts latency from when it sent, and so forgets what it did not send (coordinated omission).
        from_sent: bool,
    },
}

impl Arrivals {
    /// How many independent callers there are.
    pub fn members(&self) -> u32 {
        match self {
            Arrivals::Users { count, .. } => *count,
            _ => 1,
        }
    }

    /// Whether each caller is one customer, who makes one request after the other; otherwise each request is somebody else's.
    pub fn of_one_customer(&self) -> bool {
        matches!(self, Arrivals::Users { .. } | Arrivals::Serial { .. })
    }

    /// When request `number` (from 0) comes, given when the one before came (`from` for the first); `None`: there is none.
    pub fn next(&self, number: u64, from: Time, before: Time, bits: &mut impl Bits) -> Option<Time> {
        match self {
            Arrivals::Poisson(rate) => Some(before + gap(1.0 / rate, bits)),
            Arrivals::Even(rate) | Arrivals::Serial { rate, .. } => {
                Some(from + Span::from_ns((number as f64 * (1e9 / rate) + 0.5) as u64))
            }
            Arrivals::Rate(points) => {
                next_by_rate(points, from, before, -crate::base::math::ln(bits.open01()))
            }
            Arrivals::Once(count) => (number < *count).then_some(from),
            Arrivals::Trace(instants) => instants.get(number as usize).map(|at| from + (*at - Time::ZERO)),
            Arrivals::Users { .. } => None,
        }
    }
}

/// An exponential gap with this mean, seconds.
fn gap(mean_s: f64, bits: &mut impl Bits) -> Span {
    Dist::Exponential { mean: mean_s * 1e9 }.span(bits)
}

/// The first think of a user: what is left of one that was under way when the run began.
pub fn residual(think: &Dist, bits: &mut impl Bits) -> Span {
    match think {
        Dist::Exponential { .. } => think.span(bits),
        Dist::Constant(_) => think.span(bits).scale(bits.open01()),
        _ => {
            let draws: Vec<Span> = (0..RESIDUAL_DRAWS).map(|_| think.span(bits)).collect();
            let total: u64 = draws.iter().map(|span| span.as_ns()).fold(0, u64::saturating_add);
            let mut at = (total as f64 * bits.open01()) as u64;
            for span in draws {
                if at < span.as_ns() {
                    return Span::from_ns(at); // uniform within a span chosen by its length
                }
                at -= span.as_ns();
            }
            Span::ZERO
        }
    }
}

/// Inverts the integral of the rate: the instant at which `expected` more requests have come than by `before`.
fn next_by_rate(points: &[(Time, f64)], from: Time, before: Time, expected: f64) -> Option<Time> {
    let mut at = (before - from).as_secs_f64();
    let mut left = expected;
    for pair in points.windows(2) {
        let ((start, low), (end, high)) = (pair[0], pair[1]);
        let (start, end) = (start.as_secs_f64(), end.as_secs_f64());
        if at >= end {
            continue;
        }
        at = at.max(start);
        let slope = (high - low) / (end - start);
        let rate = low + slope * (at - start);
        let area = (rate + high) / 2.0 * (end - at);
        if area < left {
            left -= area;
            at = end;
            continue;
        }
        // rate·t + slope·t²/2 = left, in the form that is stable for small slopes
        let root = (rate * rate + 2.0 * slope * left).max(0.0).sqrt();
        let step = if rate + root > 0.0 { 2.0 * left / (rate + root) } else { 0.0 };
        return Some(from + Span::from_secs_f64(at + step)).map(|next| next.max(before));
    }
    let (end, rate) = *points.last()?;
    if rate <= 0.0 {
        return None;
    }
    at = at.max(end.as_secs_f64());
    Some((from + Span::from_secs_f64(at + left / rate)).max(before))
}

/// Where traces come from.
pub trait Traces {
    /// The instants of a column of a file, from its first row on, divided by `speed`.
    fn instants(&self, path: &str, column: Option<&str>, speed: f64) -> Result<Arc<[Time]>, String>;
}

/// Every way to arrive: an example, and one sentence.
pub const FORMS: &[(&str, &str)] = &[
    ("poisson(500/s)", "Independent customers at a constant rate: exponential gaps."),
    ("even(500/s)", "One after the other at equal gaps."),
    (
        "rate(0s=800/s, 3m=6000/s)",
        "Independent customers at a rate that goes in straight lines between instants, and stays after the last.",
    ),
    (
        "users(20k, think=exp(20s))",
        "So many users, each of whom waits for the answer and then thinks; begun in their steady state.",
    ),
    ("once(100)", "So many requests at the start."),
    (
        "serial(100/s)",
        "One tester who means to send evenly but waits for each answer; `record=sent` counts latency from the sending, as testers do who omit what they caused.",
    ),
    ("trace(file.csv, column=NAME, speed=1x)", "The instants of a recorded column, divided by `speed`."),
];

const HELP: &str = "write `poisson(500/s)`, `even(500/s)`, `rate(0s=800/s, 3m=6000/s)`, `users(20k, think=exp(20s))`, \
                    `once(100)`, `serial(100/s)` or `trace(file.csv, column=NAME)`";

fn error<T>(at: &std::ops::Range<usize>, message: impl Into<String>) -> Result<T, SyntaxError> {
    Err(SyntaxError { at: at.clone(), message: message.into(), help: Some(HELP.to_owned()) })
}

/// The argument of that name.
fn named<'a>(function: &'a Function, name: &str) -> Option<&'a Spanned<Expr>> {
    let is = |arg: &&Arg| matches!(&arg.key, Some(key) if key.value == ArgKey::Name(name.to_owned()));
    function.args.iter().find(is).map(|arg| &arg.value)
}

/// Reads a distribution of arrivals.
///
/// # Errors
/// When it is none; with its place.
pub fn arrivals(
    expr: &Spanned<Expr>,
    traces: &dyn Traces,
    files: Files<'_>,
) -> Result<Arrivals, SyntaxError> {
    let Expr::Call(function) = &expr.value else {
        return error(&expr.at, format!("`{}` is no distribution of arrivals", expr.value));
    };
    let first = function.args.iter().find(|arg| arg.key.is_none()).map(|arg| &arg.value);
    let named = |name: &str| named(function, name);
    let known: &[&str] = match function.name.value.as_str() {
        "users" => &["think", "n"],
        "serial" => &["record"],
        "trace" => &["column", "speed"],
        _ => &[],
    };
    for arg in &function.args {
        if let Some(Spanned { value: ArgKey::Name(name), at }) = &arg.key
            && !known.contains(&name.as_str())
        {
            return error(at, format!("`{}` takes no `{name}=`", function.name.value));
        }
    }
    let mut unnamed = function.args.iter().filter(|arg| arg.key.is_none());
    if let (Some(arg), false) = (unnamed.nth(1), function.name.value == "rate") {
        return error(&arg.value.at, format!("`{}` takes one value without a name", function.name.value));
    }
    match function.name.value.as_str() {
        "poisson" => rate(first, expr).map(Arrivals::Poisson),
        "even" => rate(first, expr).map(Arrivals::Even),
        "rate" => rates(expr, function),
        "once" => count(first, expr, 100_000_000).map(Arrivals::Once),
        "serial" => {
            let from_sent = match named("record").map(|record| record.value.to_string()).as_deref() {
                None | Some("intended") => false,
                Some("sent") => true,
                Some(other) => return error(&expr.at, format!("`record={other}`: `intended` or `sent`")),
            };
            Ok(Arrivals::Serial { rate: rate(first, expr)?, from_sent })
        }
        "users" => {
            if let (Some(_), Some(n)) = (first, named("n")) {
                return error(&n.at, "`users` says how many twice");
            }
            let users = count(first.or_else(|| named("n")), expr, 10_000_000)? as u32;
            let Some(think) = named("think") else { return error(&expr.at, "`users` needs `think=`") };
            Ok(Arrivals::Users { count: users, think: distribution_of_spans(think, files)? })
        }
        "trace" => trace(expr, function, traces),
        other => {
            let near = crate::base::problem::nearest(other, DISTRIBUTIONS);
            let message = format!("`{other}` is no distribution of arrivals");
            let help = near.map_or(HELP.to_owned(), |near| format!("did you mean `{near}`?"));
            Err(SyntaxError { at: function.name.at.clone(), message, help: Some(help) })
        }
    }
}

/// `trace(file.csv, column=NAME, speed=2x)`.
fn trace(whole: &Spanned<Expr>, function: &Function, traces: &dyn Traces) -> Result<Arrivals, SyntaxError> {
    let Some(path) = function.args.iter().find(|arg| arg.key.is_none()).map(|arg| &arg.value) else {
        return error(&whole.at, "`trace` needs a file");
    };
    let speed = match named(function, "speed").map(|speed| (&speed.value, &speed.at)) {
        None => 1.0,
        Some((Expr::Number(Quantity { value, unit: Unit::Factor, .. }), _)) if *value > 0.0 => *value,
        Some((_, at)) => return error(at, "`speed` must be a factor above 0, `2x`"),
    };
    let column = named(function, "column").map(|column| column.value.to_string());
    let file = crate::components::mech::key_distribution::file_name(&path.value);
    traces.instants(&file, column.as_deref(), speed).map(Arrivals::Trace).map_err(|message| {
        let help = "write `trace(file.csv, column=NAME)`; the path is relative to this file".to_owned();
        SyntaxError { at: path.at.clone(), message, help: Some(help) }
    })
}

fn rate(value: Option<&Spanned<Expr>>, whole: &Spanned<Expr>) -> Result<f64, SyntaxError> {
    match value.map(|value| &value.value) {
        Some(Expr::Number(Quantity { value, unit: Unit::Rate, .. }))
            if *value > 0.0 && *value <= RATE_MAX =>
        {
            Ok(*value)
        }
        Some(other) => error(&whole.at, format!("`{other}` is no rate above 0")),
        None => error(&whole.at, "a rate is missing"),
    }
}

fn count(value: Option<&Spanned<Expr>>, whole: &Spanned<Expr>, max: i64) -> Result<u64, SyntaxError> {
    match value.map(|value| &value.value) {
        Some(Expr::Number(Quantity { unit: Unit::Count, exact: Some(n), .. })) if (1..=max).contains(n) => {
            Ok(*n as u64)
        }
        Some(other) => error(&whole.at, format!("`{other}` is no count from 1 to {max}")),
        None => error(&whole.at, "a count is missing"),
    }
}

fn rates(whole: &Spanned<Expr>, function: &Function) -> Result<Arrivals, SyntaxError> {
    let mut points: Vec<(Time, f64)> = Vec::new();
    for arg in &function.args {
        let at = match arg.key.as_ref().map(|key| &key.value) {
            Some(ArgKey::Number(Quantity { unit: Unit::Span, exact: Some(ns), .. })) => {
                Time::from_ns(*ns as u64)
            }
            Some(ArgKey::Number(Quantity { value, unit: Unit::Count, .. })) if *value == 0.0 => Time::ZERO,
            _ => return error(&arg.value.at, "each rate has its instant, `3m=6000/s`"),
        };
        let Expr::Number(Quantity { value, unit: Unit::Rate, .. }) = arg.value.value else {
            return error(&arg.value.at, "this is no rate");
        };
        if points.last().is_some_and(|(before, _)| at <= *before) {
            return error(&arg.value.at, "instants must rise");
        }
        points.push((at, value));
    }
    match points.first() {
        Some((Time::ZERO, _)) if points.iter().any(|(_, rate)| *rate > 0.0) => {
            Ok(Arrivals::Rate(points.into()))
        }
        _ => error(&whole.at, "`rate` must begin at 0s and be above 0 somewhere"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Draws;

    fn seconds(s: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(s)
    }

    #[test]
    fn a_changing_rate_is_inverted_exactly() {
        // 0 to 10/s over 10 s, then 10/s: 50 requests in the ramp
        let points = [(Time::ZERO, 0.0), (seconds(10.0), 10.0)];
        let at = |expected| next_by_rate(&points, Time::ZERO, Time::ZERO, expected);
        assert_eq!(at(12.5), Some(seconds(5.0)));
        assert_eq!(at(50.0), Some(seconds(10.0)));
        assert_eq!(at(60.0), Some(seconds(11.0)));
        let ends = [(Time::ZERO, 10.0), (seconds(1.0), 0.0)];
        assert_eq!(next_by_rate(&ends, Time::ZERO, Time::ZERO, 5.1), None);
    }

    #[test]
    fn even_arrivals_do_not_drift() {
        let even = Arrivals::Even(3.0);
        let mut bits = Draws::new(1);
        assert_eq!(even.next(3_000_000, Time::ZERO, Time::ZERO, &mut bits), Some(seconds(1e6)));
    }

    #[test]
    fn poisson_counts_have_their_mean() {
        let poisson = Arrivals::Poisson(1000.0);
        let mut at = Time::ZERO;
        for number in 0..100_000 {
            at = poisson
                .next(number, Time::ZERO, at, &mut Draws::new(crate::base::rng::mix(1, number)))
                .unwrap_or(at);
        }
        assert!((at.as_secs_f64() - 100.0).abs() < 1.5, "{at}");
    }
}
