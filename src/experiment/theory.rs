//! Closed forms, to stand beside the simulation: [`evaluate`] reckons an expression over them, numbers with units and
//! parameters of the design by path. [`FORMS`] lists them, with the source of each.

mod forms;

use crate::base::problem::nearest;
use crate::base::quantity::{Quantity, Unit};
use crate::measures::Dimension;
use crate::program::syntax::{Arg, ArgKey, BinaryOp, Expr, Function, Spanned, SyntaxError, UnaryOp};

pub use forms::FORMS;

/// A value of theory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// In seconds, per second, or plain.
    pub value: f64,
    /// Its unit.
    pub dimension: Dimension,
}

/// A closed form.
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// Its arguments as docs show them: `name=`, with the words that it takes. No others are accepted.
    pub args: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// Where it is from.
    pub source: &'static str,
    of: fn(&Given) -> Result<Known, String>,
}

fn one(value: f64) -> Known {
    Known { value, dimension: Dimension::One }
}

fn seconds(value: f64) -> Known {
    Known { value, dimension: Dimension::Seconds }
}

fn per_second(value: f64) -> Known {
    Known { value, dimension: Dimension::PerSecond }
}

impl Form {
    /// The names of its arguments.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.args.split(", ").map(|arg| arg.split('=').next().unwrap_or(arg))
    }
}

/// The arguments of a form: numbers, not below 0, and words.
struct Given {
    values: Vec<(String, Known)>,
    word: Option<String>,
}

/// The most servers, places or customers of a closed form that goes through them one by one.
const STEPS_MAX: f64 = 1e6;

impl Given {
    fn maybe(&self, name: &str, dimension: Dimension) -> Result<Option<f64>, String> {
        match self.values.iter().find(|(key, _)| key == name) {
            Some((_, known)) if known.dimension != dimension => {
                Err(format!("`{name}` is in {}, not in {}", known.dimension.unit(), dimension.unit()))
            }
            Some((_, known)) if known.value < 0.0 => Err(format!("`{name}` is below 0")),
            Some((_, known)) => Ok(Some(known.value)),
            None => Ok(None),
        }
    }
    fn get(&self, name: &str, dimension: Dimension) -> Result<f64, String> {
        self.maybe(name, dimension)?.ok_or_else(|| format!("`{name}=` is missing"))
    }
    fn plain(&self, name: &str) -> Result<f64, String> {
        self.get(name, Dimension::One)
    }
    fn rate(&self, name: &str) -> Result<f64, String> {
        self.get(name, Dimension::PerSecond)
    }
    fn seconds(&self, name: &str) -> Result<f64, String> {
        self.get(name, Dimension::Seconds)
    }
    /// A whole number from 1.
    fn whole(&self, name: &str) -> Result<u32, String> {
        match self.plain(name)? {
            n if n.fract() == 0.0 && (1.0..=STEPS_MAX).contains(&n) => Ok(n as u32),
            n => Err(format!("`{name}` is {n}, not a whole number from 1 to {STEPS_MAX}")),
        }
    }
    /// `p=99` or `p=99%`, as a share.
    fn percent(&self) -> Result<Option<f64>, String> {
        match self.maybe("p", Dimension::One)? {
            Some(p) if p >= 100.0 => Err("`p` is below 100".to_owned()),
            p => Ok(p.map(|p| p / 100.0)),
        }
    }
    fn word<'a>(&'a self, default: &'a str) -> &'a str {
        self.word.as_deref().unwrap_or(default)
    }
}

/// The numbers of a design, for theory.
pub trait Numbers {
    /// A parameter by its path: its value as it stands in the design.
    fn parameter(&self, path: &str) -> Option<Quantity>;
    /// How long a message is on its way from one zone to another, on average.
    fn latency(&self, from: &str, to: &str) -> Option<Quantity>;
}

fn error<T>(at: &std::ops::Range<usize>, message: impl Into<String>, help: &str) -> Result<T, SyntaxError> {
    Err(SyntaxError { at: at.clone(), message: message.into(), help: Some(help.to_owned()) })
}

/// The value of an expression over closed forms, numbers with units and parameters.
///
/// # Errors
/// With a place in the text.
pub fn evaluate(expr: &Spanned<Expr>, design: &dyn Numbers) -> Result<Known, SyntaxError> {
    let known = value_of(expr, design)?;
    if !known.value.is_finite() {
        return error(&expr.at, format!("`{}` has no finite value", expr.value), "look for a division by 0");
    }
    Ok(known)
}

fn value_of(expr: &Spanned<Expr>, design: &dyn Numbers) -> Result<Known, SyntaxError> {
    match &expr.value {
        Expr::Number(quantity) => Ok(known(quantity)),
        Expr::Unary(UnaryOp::Minus, of) => {
            let known = evaluate(of, design)?;
            Ok(Known { value: -known.value, ..known })
        }
        Expr::Binary(op, left, right) => {
            let (a, b) = (evaluate(left, design)?, evaluate(right, design)?);
            arithmetic(*op, a, b)
                .map_or_else(|| error(&expr.at, "these do not go together", "check the units"), Ok)
        }
        Expr::Call(call) if call.name.value == "latency" => latency(expr, call, design),
        Expr::Call(call) if ["min", "max"].contains(&call.name.value.as_str()) => extreme(expr, call, design),
        Expr::Call(call) => {
            let Some(form) = FORMS.iter().find(|form| form.name == call.name.value) else {
                let names: Vec<&str> =
                    FORMS.iter().map(|form| form.name).chain(["latency", "min", "max"]).collect();
                let near = nearest(&call.name.value, names.iter().copied());
                let help = near.map_or(format!("closed forms: {}", names.join(" ")), |near| {
                    format!("did you mean `{near}`?")
                });
                return error(&call.name.at, format!("unknown closed form `{}`", call.name.value), &help);
            };
            let given = given(form, call, design)?;
            (form.of)(&given).or_else(|why| error(&expr.at, why, &format!("{}({})", form.name, form.args)))
        }
        Expr::Name(_) | Expr::Field(..) => match design.parameter(&expr.value.to_string()) {
            Some(quantity) => Ok(known(&quantity)),
            None => error(
                &expr.at,
                format!(
                    "`{}` is no parameter with a number, and no distribution or program with a mean time",
                    expr.value
                ),
                "name a parameter by its path, `server.app.cores`, or a program that takes one time, `on.app.page`",
            ),
        },
        other => error(
            &expr.at,
            format!("`{other}` has no value in theory"),
            "write a number or a closed form, `mm1(rate=90/s, mean=10ms)`",
        ),
    }
}

/// `latency(a, b)`.
fn latency(expr: &Spanned<Expr>, call: &Function, design: &dyn Numbers) -> Result<Known, SyntaxError> {
    let ends: Vec<String> = call.args.iter().map(|arg| arg.value.value.to_string()).collect();
    let quantity = match &ends[..] {
        [from, to] => design.latency(from, to),
        _ => None,
    };
    let help = "`latency(a, b)` is the mean time from zone a to zone b, one way";
    quantity.map_or_else(
        || error(&expr.at, format!("`{}` is no way between two zones", expr.value), help),
        |quantity| Ok(known(&quantity)),
    )
}

/// `min(a, b)`, `max(a, b, c)`.
fn extreme(expr: &Spanned<Expr>, call: &Function, design: &dyn Numbers) -> Result<Known, SyntaxError> {
    let values: Vec<Known> =
        call.args.iter().map(|arg| evaluate(&arg.value, design)).collect::<Result<_, _>>()?;
    let Some(first) = values.first().filter(|_| call.args.iter().all(|arg| arg.key.is_none())) else {
        return error(&expr.at, format!("`{}` of what?", call.name.value), "write `min(2ms, 3ms)`");
    };
    if values.iter().any(|value| value.dimension != first.dimension) {
        return error(&expr.at, "these do not go together", "check the units");
    }
    let pick = if call.name.value == "min" { f64::min } else { f64::max };
    let value = values.iter().map(|known| known.value).fold(first.value, pick);
    Ok(Known { value, dimension: first.dimension })
}

fn given(form: &Form, call: &Function, design: &dyn Numbers) -> Result<Given, SyntaxError> {
    let mut given = Given { values: Vec::new(), word: None };
    for arg in &call.args {
        let (at, name) = match &arg.key {
            Some(Spanned { at, value: ArgKey::Name(name) }) => (at, name.as_str()),
            Some(Spanned { at, .. }) => return error(at, "no such argument", form.args),
            None => (&arg.value.at, form.names().next().filter(|_| call.args.len() == 1).unwrap_or_default()),
        };
        if !form.names().any(|known| known == name) {
            let help = match nearest(name, form.names()) {
                Some(near) if arg.key.is_some() => format!("did you mean `{near}=`?"),
                _ => format!("write `{}({})`", form.name, form.args),
            };
            return error(at, format!("`{}` takes no such argument", form.name), &help);
        }
        if given.values.iter().any(|(known, _)| known == name) || (name == "of" && given.word.is_some()) {
            return error(at, format!("`{name}` is given twice"), "leave one out");
        }
        match &arg.value.value {
            Expr::Name(word) if name == "of" => given.word = Some(word.clone()),
            _ => given.values.push((name.to_owned(), argument(name, arg, design)?)),
        }
    }
    Ok(given)
}

/// The value of an argument; `p=99%` is `p=99`.
fn argument(name: &str, arg: &Arg, design: &dyn Numbers) -> Result<Known, SyntaxError> {
    match &arg.value.value {
        Expr::Number(quantity) if name == "p" && quantity.unit == Unit::Share => {
            Ok(one(quantity.value * 100.0))
        }
        _ => evaluate(&arg.value, design),
    }
}

fn known(quantity: &Quantity) -> Known {
    match quantity.unit {
        Unit::Span => seconds(quantity.value / 1e9),
        Unit::Rate => Known { value: quantity.value, dimension: Dimension::PerSecond },
        Unit::Dollars | Unit::DollarsPerHour => {
            Known { value: quantity.value, dimension: Dimension::Dollars }
        }
        _ => one(quantity.value),
    }
}

fn arithmetic(op: BinaryOp, a: Known, b: Known) -> Option<Known> {
    let same = a.dimension == b.dimension;
    let dimension = match op {
        BinaryOp::Add | BinaryOp::Subtract if same => a.dimension,
        BinaryOp::Multiply if a.dimension == Dimension::One => b.dimension,
        BinaryOp::Multiply if b.dimension == Dimension::One => a.dimension,
        BinaryOp::Multiply | BinaryOp::Divide if op == BinaryOp::Divide && same => Dimension::One,
        BinaryOp::Divide if b.dimension == Dimension::One => a.dimension,
        BinaryOp::Multiply
            if matches!(
                (a.dimension, b.dimension),
                (Dimension::Seconds, Dimension::PerSecond) | (Dimension::PerSecond, Dimension::Seconds)
            ) =>
        {
            Dimension::One
        }
        _ => return None,
    };
    let value = match op {
        BinaryOp::Add => a.value + b.value,
        BinaryOp::Subtract => a.value - b.value,
        BinaryOp::Multiply => a.value * b.value,
        _ => a.value / b.value,
    };
    Some(Known { value, dimension })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::math;
    use crate::program::syntax::expression;

    struct Two;

    impl Numbers for Two {
        fn parameter(&self, path: &str) -> Option<Quantity> {
            (path == "server.app.cores").then(|| Quantity::count(4))
        }

        fn latency(&self, from: &str, to: &str) -> Option<Quantity> {
            ((from, to) == ("a", "b")).then_some(Quantity { value: 3e6, exact: None, unit: Unit::Span })
        }
    }

    fn value(text: &str) -> Result<f64, String> {
        let parsed = expression(text).map_err(|error| error.message)?;
        evaluate(&parsed, &Two).map(|known| known.value).map_err(|error| error.message)
    }

    #[test]
    fn closed_forms_give_the_textbook_values() {
        for (text, expected, tolerance) in [
            ("mm1(rate=0.5/s, mean=1s)", 2.0, 1e-12),
            ("mm1(rate=0.95/s, mean=1s, p=99)", 92.103, 1e-3),
            ("mmc(rate=1.6/s, mean=1s, servers=2, of=waits)", 0.7111, 1e-4),
            ("mmc(rate=12.8/s, mean=1s, servers=16, of=wait)", 0.09528, 1e-5),
            ("md1(rate=0.8/s, mean=1s)", 2.0, 1e-12),
            ("mg1(rate=0.8/s, mean=1s, cv=1)", 4.0, 1e-12),
            ("repairman(n=20, think=1s, mean=50ms, of=throughput)", 16.8222, 1e-4),
            ("repairman(n=10, think=1s, mean=50ms)", 0.08216, 1e-5),
            ("che(n=10k, s=0.8, size=100)", 0.1566, 1e-4),
            ("che(n=10k, s=1.2, size=1000)", 0.8614, 1e-4),
            ("stampede(rate=100/s, rebuild=500ms)", 51.0, 1e-12),
            ("ttl(rate=0.01/s, ttl=60s)", 0.375, 1e-12),
            ("ttl(rate=0.1/s, ttl=10s, sliding=1)", 0.63212, 1e-5),
            ("xfetch(rate=1000/s, rebuild=500ms, beta=1)", std::f64::consts::E, 1e-12),
            ("xfetch(rate=1000/s, rebuild=500ms, beta=1, of=start)", 3.40, 5e-3),
            ("drain(outage=60s, load=80%)", 240.0, 1e-9),
            ("erlang_b(load=10, servers=10)", 0.2146, 1e-4),
            ("2 * server.app.cores + 1", 9.0, 1e-12),
            ("amdahl(serial=0.1, n=10)", 5.263, 1e-3),
            ("mm1k(rate=0.5/s, mean=1s, places=3)", 0.0666667, 1e-6),
            ("majority(copies=3, up=90%)", 0.972, 1e-12),
            ("majority(copies=3, up=99.9%)", 0.999_997_002, 1e-12),
            ("majority(copies=5, up=99%)", 0.999_990_149_4, 1e-10),
            ("outset(copies=3, up=99.9%)", 0.005_988_006, 1e-12),
            ("outset(copies=5, up=99%)", 30.0 * 0.970_299 * 0.0001, 1e-12),
            ("majority(copies=1000, up=50%)", 0.5 - 0.012_612_509, 1e-8),
        ] {
            check(text, expected, tolerance);
        }
    }

    fn check(text: &str, expected: f64, tolerance: f64) {
        let got = value(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert!(
            (got - expected).abs() <= tolerance * expected.abs().max(1.0),
            "{text}: {got}, not {expected}"
        );
    }

    #[test]
    fn every_row_of_the_queueing_tables_is_met() {
        // mean time in the system and its p99 of M/M/1; mean wait of M/D/1, in units of the service time
        for (load, time, p99, tolerance) in [
            (0.5, 2.0, 9.210, 1e-3),
            (0.8, 5.0, 23.026, 1e-3),
            (0.9, 10.0, 46.052, 1e-3),
            (0.95, 20.0, 92.103, 1e-3),
        ] {
            check(&format!("mm1(rate={load}/s, mean=1s)"), time, 1e-9);
            check(&format!("mm1(rate={load}/s, mean=1s, p=99)"), p99, tolerance);
            check(&format!("mm1(rate={load}/s, mean=1s, p=99%)"), p99, tolerance);
        }
        for (load, wait) in [(0.5, 0.5), (0.8, 2.0), (0.9, 4.5)] {
            check(&format!("md1(rate={load}/s, mean=1s)"), wait, 1e-9);
            check(&format!("md1(rate={load}/s, mean=1s, of=sojourn)"), wait + 1.0, 1e-9);
        }
        for (servers, waits, wait, p99) in [
            (2, 0.7111, 1.77778, 10.661),
            (4, 0.5964, 0.74554, 5.111),
            (8, 0.4576, 0.28603, 2.390),
            (16, 0.3049, 0.09528, 1.068),
        ] {
            let queue = format!("rate={}/s, mean=1s, servers={servers}", 0.8 * f64::from(servers));
            check(&format!("mmc({queue}, of=waits)"), waits, 1e-4);
            check(&format!("mmc({queue}, of=wait)"), wait, 1e-5);
            check(&format!("mmc({queue}, of=wait, p=99)"), p99, 1e-3);
        }
        for (users, throughput, response) in
            [(1, 0.9524, 0.0500), (10, 9.2407, 0.08216), (20, 16.8222, 0.18891), (50, 20.0, 1.5)]
        {
            let loop_of = format!("n={users}, think=1s, mean=50ms");
            check(&format!("repairman({loop_of}, of=throughput)"), throughput, 1e-4);
            check(&format!("repairman({loop_of})"), response, 1e-5);
        }
    }

    #[test]
    fn every_row_of_the_cache_tables_is_met() {
        for (s, small, large) in [(0.8, 0.1566, 0.4367), (1.0, 0.3905, 0.6756), (1.2, 0.6563, 0.8614)] {
            check(&format!("che(n=10k, s={s}, size=100)"), small, 1e-4);
            check(&format!("che(n=10k, s={s}, size=1000)"), large, 1e-4);
        }
        for (rate, ttl, fixed, sliding) in
            [(0.1, 10, 0.5, 0.63212), (1.0, 10, 0.90909, 0.99995), (0.01, 60, 0.375, 0.45119)]
        {
            check(&format!("ttl(rate={rate}/s, ttl={ttl}s)"), fixed, 1e-5);
            check(&format!("ttl(rate={rate}/s, ttl={ttl}s, sliding=1)"), sliding, 1e-5);
        }
        for (rate, rebuild, rebuilds) in [(10, "3s", 31.0), (100, "500ms", 51.0), (1000, "500ms", 501.0)] {
            check(&format!("stampede(rate={rate}/s, rebuild={rebuild})"), rebuilds, 1e-9);
        }
        for (load, time) in [(0.5, 1.2657), (0.7, 1.6145), (0.9, 2.6141), (0.99, 5.4320)] {
            check(&format!("supermarket(load={load}, choices=2)"), time, 1e-4);
        }
    }

    #[test]
    fn forms_agree_with_each_other_where_they_overlap() {
        let same = |a: &str, b: &str| check(a, value(b).unwrap_or_else(|why| panic!("{b}: {why}")), 1e-9);
        same("mmc(rate=0.7/s, mean=1s, servers=1)", "mm1(rate=0.7/s, mean=1s)");
        same("mmc(rate=0.7/s, mean=1s, servers=1, p=99.9)", "mm1(rate=0.7/s, mean=1s, p=99.9)");
        same("mg1(rate=0.7/s, mean=1s, cv=0)", "md1(rate=0.7/s, mean=1s)");
        same("mg1(rate=0.7/s, mean=1s, cv=1, of=sojourn)", "mm1(rate=0.7/s, mean=1s)");
        same("mmck(rate=3/s, mean=1s, servers=4, places=4)", "erlang_b(load=3, servers=4)");
        same("mmck(rate=2/s, mean=1s, servers=1, places=5)", "mm1k(rate=2/s, mean=1s, places=5)");
        same(
            "mmck(rate=3/s, mean=1s, servers=4, places=2000, of=wait)",
            "mmc(rate=3/s, mean=1s, servers=4, of=wait)",
        );
        same("erlang_c(load=3, servers=4)", "mmc(rate=3/s, mean=1s, servers=4, of=waits)");
        same("mva(n=20, think=1s, a=50ms)", "repairman(n=20, think=1s, mean=50ms)");
        same("supermarket(load=0.9, choices=1)", "mm1(rate=0.9/s, mean=1s) / 1s");
        same("usl(contention=0.1, coherence=0, n=10)", "amdahl(serial=0.1, n=10)");
        same("fifo(n=100, s=0, size=25)", "0.25");
        same("che(n=100, s=0, size=25)", "25%");
    }

    #[test]
    fn a_percentile_of_the_time_in_mmc_is_where_its_distribution_says() {
        // the wait is 0 or exponential, the service exponential: integrated numerically
        let (rate, servers) = (2.7, 3.0f64);
        let waits = value("erlang_c(load=2.7, servers=3)").expect("stable");
        let time = value("mmc(rate=2.7/s, mean=1s, servers=3, p=95)").expect("stable");
        let (steps, drain) = (200_000, servers - rate);
        let beyond = |t: f64| -> f64 {
            let width = t / f64::from(steps);
            let middle = |i: i32| (f64::from(i) + 0.5) * width;
            let inside: f64 =
                (0..steps).map(|i| drain * math::exp(-drain * middle(i)) * math::exp(-(t - middle(i)))).sum();
            (1.0 - waits) * math::exp(-t) + waits * (math::exp(-drain * t) + inside * width)
        };
        assert!((beyond(time) - 0.05).abs() < 1e-6, "{time}: {}", beyond(time));
    }

    #[test]
    fn ways_between_zones_and_the_shortest_of_them() {
        check("2 * latency(a, b)", 0.006, 1e-12);
        check("min(latency(a, b), 5ms, 4ms) + max(1ms, 2ms)", 0.005, 1e-12);
        for (text, why) in [
            ("latency(a, c)", "no way between two zones"),
            ("latency(a)", "no way between two zones"),
            ("min(2ms, 3)", "do not go together"),
            ("max()", "of what?"),
        ] {
            let error = value(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn what_has_no_value_is_explained() {
        for (text, why) in [
            ("mm2(rate=1/s)", "unknown closed form `mm2`"),
            ("mm1(rate=1/s)", "`mean=` is missing"),
            ("mm1(rate=1s, mean=1s)", "`rate` is in s, not in 1/s"),
            ("mm1(rate=2/s, mean=1s)", "at a load of 2 the queue grows without bound"),
            ("1s + 1/s", "these do not go together"),
            ("mm1(rate=1/s, mean=1ms, q=99)", "`mm1` takes no such argument"),
            ("mm1(rate=1/s, rate=2/s, mean=1ms)", "`rate` is given twice"),
            ("mm1(rate=-1/s, mean=1ms)", "`rate` is below 0"),
            ("mm1(rate=1/s, mean=1ms, p=100)", "`p` is below 100"),
            (
                "mmc(rate=1/s, mean=1ms, servers=2.5)",
                "`servers` is 2.5, not a whole number from 1 to 1000000",
            ),
            ("mmc(rate=1/s, mean=1ms, servers=2, of=lost)", "`of=lost`: wait, sojourn or waits"),
            ("1 / 0", "`1 / 0` has no finite value"),
            ("drain(outage=60s, load=1)", "at a load of 1 the queue grows without bound"),
            (
                "server.app.nodes",
                "`server.app.nodes` is no parameter with a number, and no distribution or program with a mean time",
            ),
        ] {
            assert_eq!(value(text), Err(why.to_owned()), "{text}");
        }
    }
}
