//! From function strings to distributions: `lognormal(p50=4ms, p99=40ms)`. Every parameter is checked; what is wrong
//! is shown where it stands.

use std::ops::Range;
use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::problem::nearest;
use crate::base::quantity::{self, Quantity, Unit};
use crate::program::syntax::{ArgKey, Expr, Function, Spanned, SyntaxError, UnaryOp};

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.3263478740408408;
/// Weights of a `mix` must add up to 100 % this closely.
const WEIGHT_TOLERANCE: f64 = 1e-9;
/// The most values in a `file(…)`.
const VALUES_MAX: usize = 4_000_000;
/// Every law there is, with a correct example each; the order is the order users see.
pub const LAWS: [(&str, &str); 11] = [
    ("uniform", "uniform(2ms, 8ms)"),
    ("exp", "exp(5ms)"),
    ("normal", "normal(12ms, sd=1ms)"),
    ("lognormal", "lognormal(p50=4ms, p99=40ms)"),
    ("gamma", "gamma(mean=5ms, cv=50%)"),
    ("weibull", "weibull(scale=5ms, shape=1.5)"),
    ("pareto", "pareto(min=1ms, alpha=2.5)"),
    ("quantiles", "quantiles(p0=1ms, p50=4ms, p99=40ms, p100=100ms)"),
    ("file", "file(data/sizes.csv)"),
    ("mix", "mix(90%=2ms, 10%=exp(20ms))"),
    ("constant", "constant(5ms)"),
];

/// Reads the text of a file named in a law, or says why not.
pub type ReadFile<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// For places where laws may not name files.
pub fn no_files(path: &str) -> Result<String, String> {
    Err(format!("`{path}` cannot be read from here"))
}

/// A law of spans of time, in nanoseconds: `5ms`, `exp(5ms)`.
pub fn law_of_spans(expr: &Spanned<Expr>, read: &ReadFile) -> Result<Dist, SyntaxError> {
    Reader { spans: true, read }.law(expr)
}

/// A law of plain numbers or sizes in bytes: `5`, `lognormal(p50=2KiB, p99=1MiB)`.
pub fn law_of_numbers(expr: &Spanned<Expr>, read: &ReadFile) -> Result<Dist, SyntaxError> {
    Reader { spans: false, read }.law(expr)
}

/// What one parameter takes.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    /// What is drawn: a span, or a number.
    Value,
    /// A plain number or a share: a shape.
    Shape,
}

/// Parameters of a law, in the order in which bare arguments fill them.
type Names = &'static [(&'static str, Takes)];

/// Values of parameters by their place in [`Names`], each with its place in the text.
type Given = Vec<Option<(f64, Range<usize>)>>;

struct Reader<'a> {
    spans: bool,
    read: &'a ReadFile<'a>,
}

fn refuse<T>(
    at: &Range<usize>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Result<T, SyntaxError> {
    Err(SyntaxError { at: at.clone(), message: message.into(), help: Some(help.into()) })
}

fn example(name: &str) -> String {
    let found = LAWS.iter().find(|(law, _)| *law == name);
    found.map_or_else(String::new, |(_, example)| format!("for example {example}"))
}

impl Reader<'_> {
    fn law(&self, expr: &Spanned<Expr>) -> Result<Dist, SyntaxError> {
        match &expr.value {
            Expr::Number(_) | Expr::Unary(UnaryOp::Minus, _) => {
                Ok(Dist::Constant(self.value(expr, Takes::Value)?))
            }
            Expr::Call(function) => self.function(function, &expr.at),
            Expr::Name(name) if LAWS.iter().any(|(law, _)| law == name) => {
                refuse(&expr.at, format!("`{name}` needs its parameters"), example(name))
            }
            _ => {
                let wanted =
                    if self.spans { "a span or a distribution" } else { "a number or a distribution" };
                let help = "5ms, exp(5ms), lognormal(p50=4ms, p99=40ms); laws take no names of a program";
                refuse(&expr.at, format!("expected {wanted}, found `{}`", expr.value), help)
            }
        }
    }

    fn function(&self, function: &Function, at: &Range<usize>) -> Result<Dist, SyntaxError> {
        use Takes::{Shape, Value};
        let name = function.name.value.as_str();
        let given = |names: Names, needed: usize| self.given(function, at, names, needed);
        let law = Law { name, at };
        match name {
            "constant" => Ok(Dist::Constant(law.of(&given(&[("value", Value)], 1)?, 0))),
            "uniform" => law.uniform(&given(&[("low", Value), ("high", Value), ("step", Value)], 2)?),
            "exp" => Ok(Dist::Exponential { mean: law.positive(&given(&[("mean", Value)], 1)?, 0)? }),
            "normal" => {
                let given = given(&[("mean", Value), ("sd", Value)], 2)?;
                Ok(Dist::Normal { mean: law.positive(&given, 0)?, sd: law.of(&given, 1) })
            }
            "lognormal" => {
                law.lognormal(&given(&[("p50", Value), ("p99", Value), ("mean", Value), ("cv", Shape)], 0)?)
            }
            "gamma" => {
                law.gamma(&given(&[("mean", Value), ("cv", Shape), ("shape", Shape), ("scale", Value)], 0)?)
            }
            "weibull" => {
                let given = given(&[("scale", Value), ("shape", Shape)], 2)?;
                Ok(Dist::Weibull { scale: law.positive(&given, 0)?, shape: law.positive(&given, 1)? })
            }
            "pareto" => {
                let given = given(&[("min", Value), ("alpha", Shape)], 2)?;
                Ok(Dist::Pareto { min: law.positive(&given, 0)?, alpha: law.positive(&given, 1)? })
            }
            "quantiles" => self.quantiles(function, at),
            "file" => self.file(function, at),
            "mix" => self.mix(function, at),
            _ => {
                let names = LAWS.map(|(law, _)| law);
                let help = match nearest(name, names) {
                    Some(near) => format!("did you mean `{near}`? {}", example(near)),
                    None => format!("there are {}", names.join(", ")),
                };
                refuse(&function.name.at, format!("`{name}` is not a distribution"), help)
            }
        }
    }

    /// A number of the right unit, at least 0.
    fn value(&self, expr: &Spanned<Expr>, takes: Takes) -> Result<f64, SyntaxError> {
        let wanted = match (takes, self.spans) {
            (Takes::Value, true) => "a span of time, like 5ms",
            (Takes::Value, false) => "a number, like 5",
            (Takes::Shape, _) => "a plain number, like 1.5",
        };
        let quantity = match &expr.value {
            Expr::Number(quantity) => quantity,
            Expr::Unary(UnaryOp::Minus, inner) if matches!(inner.value, Expr::Number(_)) => {
                return refuse(
                    &expr.at,
                    format!("`{}` is below zero", expr.value),
                    "laws give numbers from 0 up",
                );
            }
            _ => {
                return refuse(
                    &expr.at,
                    format!("expected {wanted}, found `{}`", expr.value),
                    "a law's parameters are numbers",
                );
            }
        };
        match self.fits(quantity, takes) {
            true => Ok(quantity.value),
            false if quantity.unit == Unit::Count && takes == Takes::Value => {
                let help = format!("write {quantity}ms, say; m is minutes");
                refuse(&expr.at, format!("`{quantity}` needs a unit of time"), help)
            }
            false => refuse(
                &expr.at,
                format!("`{quantity}` is {}", quantity.unit.name()),
                format!("expected {wanted}"),
            ),
        }
    }

    fn fits(&self, quantity: &Quantity, takes: Takes) -> bool {
        match takes {
            Takes::Value if self.spans => quantity.unit == Unit::Span,
            Takes::Value => matches!(quantity.unit, Unit::Count | Unit::Bytes),
            Takes::Shape => matches!(quantity.unit, Unit::Count | Unit::Share),
        }
    }

    /// The arguments of `function` by parameter; the first `needed` must be given.
    fn given(
        &self,
        function: &Function,
        at: &Range<usize>,
        names: Names,
        needed: usize,
    ) -> Result<Given, SyntaxError> {
        let law = function.name.value.as_str();
        let mut given: Given = vec![None; names.len()];
        for (place, arg) in function.args.iter().enumerate() {
            let slot = match &arg.key {
                None => place,
                Some(Spanned { value: ArgKey::Name(name), .. }) => {
                    names.iter().position(|(known, _)| known == name).unwrap_or(names.len())
                }
                Some(_) => names.len(),
            };
            let Some((name, takes)) = names.get(slot) else {
                let shown = arg.key.as_ref().map_or(&arg.value.at, |key| &key.at);
                return refuse(shown, format!("`{law}` has no such parameter"), example(law));
            };
            if given[slot].is_some() {
                return refuse(&arg.value.at, format!("`{name}` is given twice"), example(law));
            }
            given[slot] = Some((self.value(&arg.value, *takes)?, arg.value.at.clone()));
        }
        if let Some(missing) = given[..needed].iter().position(Option::is_none) {
            return refuse(at, format!("`{law}` needs `{}`", names[missing].0), example(law));
        }
        Ok(given)
    }

    fn quantiles(&self, function: &Function, at: &Range<usize>) -> Result<Dist, SyntaxError> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for arg in &function.args {
            let percent = match &arg.key {
                Some(Spanned { value: ArgKey::Name(name), .. }) => {
                    name.strip_prefix('p').and_then(|n| n.parse::<f64>().ok())
                }
                _ => None,
            };
            let Some(percent) = percent.filter(|percent| (0.0..=100.0).contains(percent)) else {
                return refuse(
                    &arg.value.at,
                    "each value of `quantiles` belongs to a percentile",
                    example("quantiles"),
                );
            };
            let value = self.value(&arg.value, Takes::Value)?;
            if value <= 0.0 {
                return refuse(
                    &arg.value.at,
                    "quantiles are above zero: between them the law is log-linear",
                    example("quantiles"),
                );
            }
            if points.last().is_some_and(|(share, before)| percent / 100.0 <= *share || value < *before) {
                return refuse(&arg.value.at, "percentiles and their values must rise", example("quantiles"));
            }
            points.push((percent / 100.0, value));
        }
        match points.as_slice() {
            [(0.0, _), .., (1.0, _)] => Ok(Dist::Quantiles(Arc::from(points))),
            _ => refuse(at, "`quantiles` begins with p0 and ends with p100", example("quantiles")),
        }
    }

    fn mix(&self, function: &Function, at: &Range<usize>) -> Result<Dist, SyntaxError> {
        let mut parts: Vec<(f64, Dist)> = Vec::new();
        let mut total = 0.0;
        for arg in &function.args {
            let weight = match &arg.key {
                Some(Spanned { value: ArgKey::Number(weight), .. }) if weight.unit == Unit::Share => {
                    weight.value
                }
                _ => return refuse(&arg.value.at, "each alternative of `mix` has its share", example("mix")),
            };
            total += weight;
            parts.push((total, self.law(&arg.value)?));
        }
        if (total - 1.0).abs() > WEIGHT_TOLERANCE {
            let sum = Quantity { value: total, exact: None, unit: Unit::Share };
            return refuse(at, format!("the shares of `mix` add up to {sum}, not 100%"), example("mix"));
        }
        if let Some(last) = parts.last_mut() {
            last.0 = 1.0;
        }
        Ok(Dist::Mix(Arc::from(parts)))
    }

    /// One value per line, the first column; a heading, blank lines and `#` comments are skipped.
    fn file(&self, function: &Function, at: &Range<usize>) -> Result<Dist, SyntaxError> {
        let path = match function.args.as_slice() {
            [arg] if arg.key.is_none() => match &arg.value.value {
                Expr::Text(path) => path.clone(),
                other => other.to_string(),
            },
            _ => return refuse(at, "`file` takes a path", example("file")),
        };
        let text = match (self.read)(&path) {
            Ok(text) => text,
            Err(why) => return refuse(at, why, "paths are relative to the file that names them"),
        };
        let mut values = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let field = line.split(',').next().unwrap_or("").trim();
            if field.is_empty() || field.starts_with('#') {
                continue;
            }
            match quantity::parse(field) {
                Ok(quantity) if self.fits(&quantity, Takes::Value) && quantity.value >= 0.0 => {
                    values.push(quantity.value)
                }
                Err(_) if values.is_empty() && number == 0 => {} // a heading
                _ => {
                    let help = if self.spans {
                        "one span per line, with its unit: 12ms"
                    } else {
                        "one number per line"
                    };
                    return refuse(at, format!("line {} of `{path}` is `{field}`", number + 1), help);
                }
            }
            if values.len() > VALUES_MAX {
                return refuse(
                    at,
                    format!("`{path}` has more than {VALUES_MAX} values"),
                    "take a sample of it",
                );
            }
        }
        if values.is_empty() {
            return refuse(at, format!("`{path}` has no values"), "one value per line");
        }
        Ok(Dist::Empirical(Arc::from(values)))
    }
}

/// The law being made, for messages.
struct Law<'a> {
    name: &'a str,
    at: &'a Range<usize>,
}

impl Law<'_> {
    fn of(&self, given: &Given, place: usize) -> f64 {
        given[place].as_ref().expect("needed parameters are given").0
    }

    fn positive(&self, given: &Given, place: usize) -> Result<f64, SyntaxError> {
        let (value, at) = given[place].as_ref().expect("needed parameters are given");
        if *value > 0.0 { Ok(*value) } else { refuse(at, "this must be above zero", example(self.name)) }
    }

    fn uniform(&self, given: &Given) -> Result<Dist, SyntaxError> {
        let (low, high) = (self.of(given, 0), self.of(given, 1));
        if low > high {
            return refuse(self.at, "the lower end is above the upper end", example(self.name));
        }
        let step = match given[2] {
            Some(_) => Some(self.positive(given, 2)?),
            None => None,
        };
        if step.is_some_and(|step| step > high - low) {
            return refuse(
                self.at,
                "the step is longer than the whole range",
                "uniform(0ms, 10ms, step=2ms)",
            );
        }
        Ok(Dist::Uniform { low, high, step })
    }

    fn lognormal(&self, given: &Given) -> Result<Dist, SyntaxError> {
        match given.as_slice() {
            [Some(_), Some((_, at)), None, None] => {
                let (p50, p99) = (self.positive(given, 0)?, self.positive(given, 1)?);
                if p99 <= p50 {
                    return refuse(at, "p99 must be above p50", example(self.name));
                }
                let sigma = (libm::log(p99) - libm::log(p50)) / Z99;
                Ok(Dist::LogNormal { mu: libm::log(p50), sigma })
            }
            [None, None, Some(_), Some(_)] => {
                let (mean, cv) = (self.positive(given, 2)?, self.positive(given, 3)?);
                let variance = libm::log1p(cv * cv);
                Ok(Dist::LogNormal { mu: libm::log(mean) - variance / 2.0, sigma: libm::sqrt(variance) })
            }
            _ => refuse(self.at, "`lognormal` takes p50 and p99, or mean and cv", example(self.name)),
        }
    }

    fn gamma(&self, given: &Given) -> Result<Dist, SyntaxError> {
        match given.as_slice() {
            [Some(_), Some(_), None, None] => {
                let (mean, cv) = (self.positive(given, 0)?, self.positive(given, 1)?);
                Ok(Dist::Gamma { shape: 1.0 / (cv * cv), scale: mean * cv * cv })
            }
            [None, None, Some(_), Some(_)] => {
                Ok(Dist::Gamma { shape: self.positive(given, 2)?, scale: self.positive(given, 3)? })
            }
            _ => refuse(self.at, "`gamma` takes mean and cv, or shape and scale", example(self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::syntax::expression;

    fn read(path: &str) -> Result<String, String> {
        match path {
            "a/b.csv" => Ok("latency\n1ms, x\n\n# more\n2ms\n".to_owned()),
            "bad.csv" => Ok("1ms\nfive\n".to_owned()),
            _ => Err(format!("no file `{path}`")),
        }
    }

    fn spans(text: &str) -> Result<Dist, SyntaxError> {
        law_of_spans(&expression(text)?, &read)
    }

    #[test]
    fn every_law_is_read_in_nanoseconds() {
        let sigma = libm::log(10.0) / Z99;
        for (text, law) in [
            ("5ms", Dist::Constant(5e6)),
            ("constant(5ms)", Dist::Constant(5e6)),
            ("uniform(1us, 3us)", Dist::Uniform { low: 1e3, high: 3e3, step: None }),
            ("uniform(0ms, 10ms, step=2ms)", Dist::Uniform { low: 0.0, high: 1e7, step: Some(2e6) }),
            ("exp(1ms)", Dist::Exponential { mean: 1e6 }),
            ("normal(12ms, sd=1ms)", Dist::Normal { mean: 1.2e7, sd: 1e6 }),
            ("gamma(mean=4ms, cv=50%)", Dist::Gamma { shape: 4.0, scale: 1e6 }),
            ("weibull(scale=5ms, shape=1.5)", Dist::Weibull { scale: 5e6, shape: 1.5 }),
            ("pareto(min=1ms, alpha=2.5)", Dist::Pareto { min: 1e6, alpha: 2.5 }),
            (
                "quantiles(p0=1ms, p99.9=4ms, p100=4ms)",
                Dist::Quantiles(Arc::from([(0.0, 1e6), (0.999, 4e6), (1.0, 4e6)])),
            ),
            ("file(a/b.csv)", Dist::Empirical(Arc::from([1e6, 2e6]))),
            (
                "mix(90%=2ms, 10%=exp(20ms))",
                Dist::Mix(Arc::from([(0.9, Dist::Constant(2e6)), (1.0, Dist::Exponential { mean: 2e7 })])),
            ),
        ] {
            assert_eq!(spans(text), Ok(law), "{text}");
        }
        let Ok(Dist::LogNormal { mu, sigma: found }) = spans("lognormal(p50=4ms, p99=40ms)") else {
            panic!("no law")
        };
        assert!((mu - libm::log(4e6)).abs() < 1e-12 && (found - sigma).abs() < 1e-12);
        let Ok(Dist::LogNormal { mu, sigma }) = spans("lognormal(mean=4ms, cv=2)") else { panic!("no law") };
        assert!((libm::exp(mu + sigma * sigma / 2.0) / 4e6 - 1.0).abs() < 1e-12, "the mean is the mean");
        let five = expression("5").unwrap();
        assert_eq!(law_of_numbers(&five, &no_files), Ok(Dist::Constant(5.0)));
    }

    #[test]
    fn a_wrong_parameter_is_shown_where_it_stands() {
        for (text, at, message) in [
            ("5", 0..1, "needs a unit of time"),
            ("exp(5)", 4..5, "needs a unit of time"),
            ("exp(0ms)", 4..7, "above zero"),
            ("exp(-1ms)", 4..8, "below zero"),
            ("exp", 0..3, "needs its parameters"),
            ("exp()", 0..5, "`exp` needs `mean`"),
            ("exp(1ms, 2ms)", 9..12, "no such parameter"),
            ("exp(mean=1ms, men=2ms)", 14..17, "no such parameter"),
            ("uniform(3ms, 1ms)", 0..17, "the lower end is above"),
            ("uniform(low=1ms, low=2ms)", 21..24, "given twice"),
            ("lognormal(p50=4ms, p99=3ms)", 23..26, "p99 must be above p50"),
            ("lognormal(p50=4ms)", 0..18, "takes p50 and p99, or mean and cv"),
            ("weibull(scale=5ms, shape=2ms)", 25..28, "is a span of time"),
            ("quantiles(p50=1ms)", 0..18, "begins with p0"),
            ("quantiles(p0=2ms, p100=1ms)", 23..26, "must rise"),
            ("mix(50%=1ms, 40%=2ms)", 0..21, "add up to 90%"),
            ("mix(1ms, 2ms)", 4..7, "has its share"),
            ("mix()", 0..5, "add up to 0%"),
            ("lognrmal(p50=4ms, p99=3ms)", 0..8, "not a distribution"),
            ("file(nowhere.csv)", 0..17, "no file `nowhere.csv`"),
            ("file(bad.csv)", 0..13, "line 2 of `bad.csv` is `five`"),
            ("mean + 1", 0..8, "expected a span or a distribution"),
        ] {
            let error = spans(text).expect_err(text);
            assert!(error.message.contains(message), "{text}: {error:?}");
            assert_eq!(error.at, at, "{text}: {error:?}");
            assert!(error.help.is_some(), "{text}");
        }
    }
}
