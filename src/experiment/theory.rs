//! Closed forms, to stand beside the simulation. Each cites its source; arguments carry units and may name knobs of
//! the design by path.

use crate::base::math;
use crate::base::problem::nearest;
use crate::base::quantity::{Quantity, Unit};
use crate::measures::Dimension;
use crate::program::syntax::{Arg, ArgKey, BinaryOp, Expr, Spanned, SyntaxError, UnaryOp};

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
    /// Its arguments, for docs.
    pub args: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// Where it is from.
    pub source: &'static str,
    of: fn(&Given) -> Result<Known, String>,
}

/// Every closed form.
pub const FORMS: &[Form] = &[
    Form {
        name: "mm1",
        args: "rate=, mean=, p=",
        doc: "M/M/1: mean time in the system, or its p-th percentile",
        source: "Kleinrock, Queueing Systems I (1975), section 3.2",
        of: mm1,
    },
    Form {
        name: "mmc",
        args: "rate=, mean=, servers=, of=wait|sojourn|waits, p=",
        doc: "M/M/c: mean wait, time in the system, or share that waits; or a percentile of the wait",
        source: "Erlang (1917); Kleinrock I, section 3.5",
        of: mmc,
    },
    Form {
        name: "mg1",
        args: "rate=, mean=, cv=",
        doc: "M/G/1: mean wait",
        source: "Pollaczek (1930), Khinchine (1932)",
        of: mg1,
    },
    Form {
        name: "md1",
        args: "rate=, mean=",
        doc: "M/D/1: mean wait",
        source: "Pollaczek (1930), Khinchine (1932)",
        of: md1,
    },
    Form {
        name: "erlang_b",
        args: "load=, servers=",
        doc: "share of calls lost",
        source: "Erlang (1917)",
        of: |g| Ok(one(erlang_b(g.plain("load")?, g.plain("servers")?))),
    },
    Form {
        name: "erlang_c",
        args: "load=, servers=",
        doc: "share of calls that wait",
        source: "Erlang (1917)",
        of: |g| Ok(one(erlang_c(g.plain("load")?, g.plain("servers")?))),
    },
    Form {
        name: "mm1k",
        args: "rate=, mean=, places=",
        doc: "M/M/1/K: share of requests lost",
        source: "Kleinrock I, section 3.6",
        of: mm1k,
    },
    Form {
        name: "repairman",
        args: "n=, think=, mean=, of=throughput|response",
        doc: "closed loop of n users and one server",
        source: "Palm (1947); Kleinrock I, section 3.8",
        of: repairman,
    },
    Form {
        name: "che",
        args: "n=, s=, size=",
        doc: "LRU hit ratio under Zipf's law, by Che's approximation",
        source: "Che, Tung & Wang, IEEE JSAC 20(7), 2002; Fricker et al., ITC 2012",
        of: |g| che(g.plain("n")?, g.plain("s")?, g.plain("size")?).map(one),
    },
    Form {
        name: "ttl",
        args: "rate=, ttl=, sliding=0|1",
        doc: "hit ratio of a cache with a TTL under Poisson reads of a key",
        source: "Jung, Berger & Balakrishnan, INFOCOM 2003",
        of: ttl,
    },
    Form {
        name: "stampede",
        args: "rate=, rebuild=",
        doc: "rebuilds per expiry without a guard: 1 + λδ",
        source: "Vattani et al., VLDB 2015, introduction",
        of: |g| Ok(one(1.0 + g.rate("rate")? * g.seconds("rebuild")?)),
    },
    Form {
        name: "xfetch",
        args: "rate=, rebuild=, beta=, of=rebuilds|start",
        doc: "rebuilds per refresh e^(1/β), and how long before expiry the first starts",
        source: "Vattani et al., VLDB 2015; the law of the minimum of exponential thresholds",
        of: xfetch,
    },
    Form {
        name: "amdahl",
        args: "serial=, n=",
        doc: "speed-up on n processors",
        source: "Amdahl (1967)",
        of: |g| {
            let s = g.plain("serial")?;
            Ok(one(1.0 / (s + (1.0 - s) / g.plain("n")?)))
        },
    },
    Form {
        name: "usl",
        args: "contention=, coherence=, n=",
        doc: "speed-up by the universal scalability law",
        source: "Gunther (1993)",
        of: |g| {
            let n = g.plain("n")?;
            Ok(one(n / (1.0 + g.plain("contention")? * (n - 1.0) + g.plain("coherence")? * n * (n - 1.0))))
        },
    },
    Form {
        name: "drain",
        args: "outage=, load=",
        doc: "how long the backlog of an outage takes to drain",
        source: "fluid limit",
        of: |g| {
            let rho = g.plain("load")?;
            Ok(seconds(rho * g.seconds("outage")? / (1.0 - rho)))
        },
    },
    Form {
        name: "exp",
        args: "x",
        doc: "e to the x",
        source: "-",
        of: |g| Ok(one(math::exp(g.plain("x")?))),
    },
    Form { name: "sqrt", args: "x", doc: "square root", source: "-", of: |g| Ok(one(g.plain("x")?.sqrt())) },
];

fn one(value: f64) -> Known {
    Known { value, dimension: Dimension::One }
}

fn seconds(value: f64) -> Known {
    Known { value, dimension: Dimension::Seconds }
}

/// The arguments of a form.
struct Given {
    values: Vec<(String, Known)>,
    words: Vec<(String, String)>,
}

impl Given {
    fn get(&self, name: &str, dimension: Dimension) -> Result<f64, String> {
        match self.values.iter().find(|(key, _)| key == name) {
            Some((_, known)) if known.dimension == dimension => Ok(known.value),
            Some((_, known)) => {
                Err(format!("`{name}` is in {}, not in {}", known.dimension.unit(), dimension.unit()))
            }
            None => Err(format!("`{name}=` is missing")),
        }
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
    fn percent(&self) -> Option<f64> {
        self.values.iter().find(|(key, _)| key == "p").map(|(_, known)| known.value / 100.0)
    }
    fn word(&self, default: &str) -> String {
        self.words.iter().find(|(key, _)| key == "of").map_or(default.to_owned(), |(_, word)| word.clone())
    }
}

fn stable(load: f64) -> Result<f64, String> {
    if load < 1.0 { Ok(load) } else { Err(format!("at a load of {load} the queue grows without bound")) }
}

fn mm1(given: &Given) -> Result<Known, String> {
    let mean = given.seconds("mean")?;
    let sojourn = mean / (1.0 - stable(given.rate("rate")? * mean)?);
    Ok(seconds(match given.percent() {
        Some(p) => -sojourn * libm::log(1.0 - p),
        None => sojourn,
    }))
}

fn mmc(given: &Given) -> Result<Known, String> {
    let (rate, mean, servers) = (given.rate("rate")?, given.seconds("mean")?, given.plain("servers")?);
    let load = stable(rate * mean / servers)?;
    let waits = erlang_c(rate * mean, servers);
    let drain = servers / mean - rate;
    if let Some(p) = given.percent() {
        return Ok(seconds(if 1.0 - p >= waits { 0.0 } else { libm::log(waits / (1.0 - p)) / drain }));
    }
    let wait = waits / (servers / mean * (1.0 - load));
    match given.word("sojourn").as_str() {
        "wait" => Ok(seconds(wait)),
        "waits" => Ok(one(waits)),
        "sojourn" => Ok(seconds(wait + mean)),
        other => Err(format!("`of={other}`: wait, sojourn or waits")),
    }
}

fn mg1(given: &Given) -> Result<Known, String> {
    let (mean, cv) = (given.seconds("mean")?, given.plain("cv")?);
    let load = stable(given.rate("rate")? * mean)?;
    Ok(seconds(load * mean * (1.0 + cv * cv) / (2.0 * (1.0 - load))))
}

fn md1(given: &Given) -> Result<Known, String> {
    let mean = given.seconds("mean")?;
    let load = stable(given.rate("rate")? * mean)?;
    Ok(seconds(load * mean / (2.0 * (1.0 - load))))
}

fn erlang_b(load: f64, servers: f64) -> f64 {
    (1..=servers as u32).fold(1.0, |blocked, n| load * blocked / (f64::from(n) + load * blocked))
}

fn erlang_c(load: f64, servers: f64) -> f64 {
    let blocked = erlang_b(load, servers);
    servers * blocked / (servers - load * (1.0 - blocked))
}

fn mm1k(given: &Given) -> Result<Known, String> {
    let load = given.rate("rate")? * given.seconds("mean")?;
    let places = given.plain("places")? as i32;
    let lost = if load == 1.0 {
        1.0 / f64::from(places + 1)
    } else {
        let top = math::powf(load, f64::from(places));
        (1.0 - load) * top / (1.0 - top * load)
    };
    Ok(one(lost))
}

fn repairman(given: &Given) -> Result<Known, String> {
    let (users, think, mean) = (given.plain("n")?, given.seconds("think")?, given.seconds("mean")?);
    // exact mean value analysis of one queueing station and one delay station (Reiser & Lavenberg, 1980)
    let (mut response, mut throughput) = (mean, 0.0);
    let mut queue = 0.0;
    for n in 1..=users as u32 {
        response = mean * (1.0 + queue);
        throughput = f64::from(n) / (think + response);
        queue = throughput * response;
    }
    match given.word("response").as_str() {
        "response" => Ok(seconds(response)),
        "throughput" => Ok(Known { value: throughput, dimension: Dimension::PerSecond }),
        other => Err(format!("`of={other}`: throughput or response")),
    }
}

/// Hit ratio of an LRU of `size` of `n` keys with popularities k^−s: the characteristic time T solves
/// Σ (1 − e^(−p·T)) = size, and the hit ratio is Σ p (1 − e^(−p·T)).
fn che(n: f64, s: f64, size: f64) -> Result<f64, String> {
    if !(1.0..=1e7).contains(&n) || size <= 0.0 {
        return Err("1 to 10 million keys, and a size above 0".to_owned());
    }
    if size >= n {
        return Ok(1.0);
    }
    let weights: Vec<f64> = (1..=n as u64).map(|k| math::powf(k as f64, -s)).collect();
    let total: f64 = weights.iter().sum();
    let filled = |time: f64| weights.iter().map(|w| -math::exp_m1(-w / total * time)).sum::<f64>();
    let (mut low, mut high) = (0.0, size);
    while filled(high) < size {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if filled(middle) < size {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(weights.iter().map(|w| w / total * -math::exp_m1(-w / total * high)).sum())
}

fn ttl(given: &Given) -> Result<Known, String> {
    let load = given.rate("rate")? * given.seconds("ttl")?;
    let sliding = given.plain("sliding").unwrap_or(0.0) != 0.0;
    Ok(one(if sliding { -math::exp_m1(-load) } else { load / (1.0 + load) }))
}

fn xfetch(given: &Given) -> Result<Known, String> {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let (rate, rebuild, beta) = (given.rate("rate")?, given.seconds("rebuild")?, given.plain("beta")?);
    match given.word("rebuilds").as_str() {
        "rebuilds" => Ok(one(math::exp(1.0 / beta))),
        "start" => Ok(seconds(beta * rebuild * (libm::log(rate * beta * rebuild) + EULER))),
        other => Err(format!("`of={other}`: rebuilds or start")),
    }
}

/// Looks a knob up by its path: its value as it stands in the design.
pub type Knobs<'a> = &'a dyn Fn(&str) -> Option<Quantity>;

fn error<T>(at: &std::ops::Range<usize>, message: impl Into<String>, help: &str) -> Result<T, SyntaxError> {
    Err(SyntaxError { at: at.clone(), message: message.into(), help: Some(help.to_owned()) })
}

/// The value of an expression over closed forms, numbers with units and knobs.
///
/// # Errors
/// With a place in the text.
pub fn evaluate(expr: &Spanned<Expr>, knobs: Knobs<'_>) -> Result<Known, SyntaxError> {
    match &expr.value {
        Expr::Number(quantity) => Ok(known(quantity)),
        Expr::Unary(UnaryOp::Minus, of) => {
            let known = evaluate(of, knobs)?;
            Ok(Known { value: -known.value, ..known })
        }
        Expr::Binary(op, left, right) => {
            let (a, b) = (evaluate(left, knobs)?, evaluate(right, knobs)?);
            arithmetic(*op, a, b)
                .map_or_else(|| error(&expr.at, "these do not go together", "check the units"), Ok)
        }
        Expr::Call(call) => {
            let Some(form) = FORMS.iter().find(|form| form.name == call.name.value) else {
                let near = nearest(&call.name.value, FORMS.iter().map(|form| form.name));
                let names: Vec<&str> = FORMS.iter().map(|form| form.name).collect();
                let help = near.map_or(format!("closed forms: {}", names.join(" ")), |near| {
                    format!("did you mean `{near}`?")
                });
                return error(&call.name.at, format!("unknown closed form `{}`", call.name.value), &help);
            };
            let given = given(&call.args, knobs)?;
            (form.of)(&given).or_else(|why| error(&expr.at, why, &format!("{}({})", form.name, form.args)))
        }
        Expr::Name(_) | Expr::Field(..) => match knobs(&expr.value.to_string()) {
            Some(quantity) => Ok(known(&quantity)),
            None => error(
                &expr.at,
                format!("`{}` is no knob with a number", expr.value),
                "name a knob by its path, `server.app.cores`",
            ),
        },
        other => error(
            &expr.at,
            format!("`{other}` has no value in theory"),
            "write a number or a closed form, `mm1(rate=90/s, mean=10ms)`",
        ),
    }
}

fn given(args: &[Arg], knobs: Knobs<'_>) -> Result<Given, SyntaxError> {
    let mut given = Given { values: Vec::new(), words: Vec::new() };
    for arg in args {
        let name = match arg.key.as_ref().map(|key| &key.value) {
            Some(ArgKey::Name(name)) => name.clone(),
            None => "x".to_owned(),
            Some(ArgKey::Number(_)) => {
                return error(&arg.value.at, "no such argument", "arguments have names");
            }
        };
        match (&arg.value.value, name.as_str()) {
            (Expr::Name(word), "of") => given.words.push((name, word.clone())),
            _ => given.values.push((name, evaluate(&arg.value, knobs)?)),
        }
    }
    Ok(given)
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
    use crate::program::syntax::expression;

    fn value(text: &str) -> Result<f64, String> {
        let knob = |path: &str| (path == "server.app.cores").then(|| Quantity::count(4));
        let parsed = expression(text).map_err(|error| error.message)?;
        evaluate(&parsed, &knob).map(|known| known.value).map_err(|error| error.message)
    }

    #[test]
    fn closed_forms_give_the_textbook_values() {
        for (text, expected, tolerance) in [
            ("mm1(rate=0.5/s, mean=1s)", 2.0, 1e-12),
            ("mm1(rate=0.95/s, mean=1s, p=99)", 92.103, 1e-3),
            ("mmc(rate=1.6/s, mean=1s, servers=2, of=waits)", 0.7111, 1e-4),
            ("mmc(rate=12.8/s, mean=1s, servers=16, of=wait)", 0.09528, 1e-5),
            ("mmc(rate=6.4/s, mean=1s, servers=8, p=99)", 2.390, 1e-3),
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
        ] {
            let got = value(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert!((got - expected).abs() <= tolerance, "{text}: {got}, not {expected}");
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
            ("server.app.nodes", "`server.app.nodes` is no knob with a number"),
        ] {
            assert_eq!(value(text), Err(why.to_owned()), "{text}");
        }
    }
}
