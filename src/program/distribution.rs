//! From function strings to distributions: `lognormal(p50=4ms, p99=40ms)`.

use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::quantity::{Quantity, Unit};
use crate::program::syntax::{Arg, ArgKey, Expr, Function, Spanned, SyntaxError};

/// Reads the text of a file that a distribution names; an error is a sentence.
pub type Files<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// The standard normal's 99th percentile.
const Z99: f64 = 2.326_347_874_040_840_8;

/// The distributions, with an example each, for messages and docs.
pub const DISTRIBUTIONS: &[(&str, &str)] = &[
    ("uniform", "uniform(1ms, 5ms)"),
    ("exp", "exp(5ms)"),
    ("normal", "normal(5ms, sd=1ms)"),
    ("lognormal", "lognormal(p50=4ms, p99=40ms)"),
    ("gamma", "gamma(mean=5ms, cv=0.5)"),
    ("weibull", "weibull(scale=5ms, shape=1.5)"),
    ("pareto", "pareto(min=1ms, alpha=1.5)"),
    ("quantiles", "quantiles(p0=1ms, p50=2ms, p99=9ms, p100=20ms)"),
    ("file", "file(latencies.csv)"),
    ("mix", "mix(90%=exp(1ms), 10%=50ms)"),
];

/// A distribution of spans, in nanoseconds.
///
/// # Errors
/// When it is none; with its place.
pub fn distribution_of_spans(expr: &Spanned<Expr>, files: Files<'_>) -> Result<Dist, SyntaxError> {
    Reader { unit: Unit::Span, files }.distribution(expr)
}

/// A distribution of plain numbers.
///
/// # Errors
/// When it is none; with its place.
pub fn distribution_of_numbers(expr: &Spanned<Expr>, files: Files<'_>) -> Result<Dist, SyntaxError> {
    Reader { unit: Unit::Count, files }.distribution(expr)
}

struct Reader<'a> {
    unit: Unit,
    files: Files<'a>,
}

fn error<T, U>(at: &Spanned<T>, message: impl Into<String>, help: &str) -> Result<U, SyntaxError> {
    Err(SyntaxError { at: at.at.clone(), message: message.into(), help: Some(help.to_owned()) })
}

impl Reader<'_> {
    fn distribution(&self, expr: &Spanned<Expr>) -> Result<Dist, SyntaxError> {
        match &expr.value {
            Expr::Number(_) => self.value(expr).map(Dist::Constant),
            Expr::Call(function) => self.function(expr, function),
            _ => error(
                expr,
                format!("`{}` is no distribution", expr.value),
                "write `5ms`, `exp(5ms)`, `lognormal(p50=4ms, p99=40ms)`",
            ),
        }
    }

    fn function(&self, whole: &Spanned<Expr>, function: &Function) -> Result<Dist, SyntaxError> {
        let args = Args { whole, function };
        match function.name.value.as_str() {
            "uniform" => {
                args.only(2, &["step"])?;
                let (low, high) = (self.value(args.positional(0)?)?, self.value(args.positional(1)?)?);
                if low > high {
                    return error(
                        whole,
                        "the lower bound is above the upper one",
                        "write `uniform(1ms, 5ms)`",
                    );
                }
                let step = args.named("step").map(|step| self.positive(step)).transpose()?;
                Ok(Dist::Uniform { low, high, step })
            }
            "exp" => {
                args.only(1, &["mean"])?;
                let mean = self.positive(args.named("mean").map_or_else(|| args.positional(0), Ok)?)?;
                Ok(Dist::Exponential { mean })
            }
            "normal" => {
                args.only(1, &["mean", "sd"])?;
                let mean = self.value(args.named("mean").map_or_else(|| args.positional(0), Ok)?)?;
                Ok(Dist::Normal { mean, sd: self.value(args.need("sd")?)? })
            }
            "lognormal" => self.lognormal(&args),
            "gamma" => {
                args.only(0, &["mean", "cv"])?;
                let (mean, cv) = (self.positive(args.need("mean")?)?, plain(args.need("cv")?)?);
                Ok(Dist::Gamma { shape: 1.0 / (cv * cv), scale: mean * cv * cv })
            }
            "weibull" => {
                args.only(0, &["scale", "shape"])?;
                Ok(Dist::Weibull {
                    scale: self.positive(args.need("scale")?)?,
                    shape: plain(args.need("shape")?)?,
                })
            }
            "pareto" => {
                args.only(0, &["min", "alpha"])?;
                Ok(Dist::Pareto {
                    min: self.positive(args.need("min")?)?,
                    alpha: plain(args.need("alpha")?)?,
                })
            }
            "quantiles" => self.quantiles(&args),
            "file" => self.file(&args),
            "mix" => self.mix(&args),
            other => {
                let near = crate::base::problem::nearest(other, DISTRIBUTIONS.iter().map(|(name, _)| *name));
                let help = match near.and_then(|near| DISTRIBUTIONS.iter().find(|(name, _)| *name == near)) {
                    Some((_, example)) => format!("did you mean `{example}`?"),
                    None => {
                        "distributions: uniform exp normal lognormal gamma weibull pareto quantiles file mix"
                            .to_owned()
                    }
                };
                error(&function.name, format!("`{other}` is no distribution"), &help)
            }
        }
    }

    fn lognormal(&self, args: &Args<'_>) -> Result<Dist, SyntaxError> {
        args.only(0, &["p50", "p99", "mean", "cv"])?;
        if let Some(p50) = args.named("p50") {
            let (low, high) = (self.positive(p50)?, self.positive(args.need("p99")?)?);
            if high < low {
                return error(args.whole, "p99 is below p50", "write `lognormal(p50=4ms, p99=40ms)`");
            }
            let mu = libm::log(low);
            return Ok(Dist::LogNormal { mu, sigma: (libm::log(high) - mu) / Z99 });
        }
        let (mean, cv) = (self.positive(args.need("mean")?)?, plain(args.need("cv")?)?);
        let variance = libm::log1p(cv * cv);
        Ok(Dist::LogNormal { mu: libm::log(mean) - variance / 2.0, sigma: libm::sqrt(variance) })
    }

    fn quantiles(&self, args: &Args<'_>) -> Result<Dist, SyntaxError> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for arg in &args.function.args {
            let share = match &arg.key {
                Some(Spanned { value: ArgKey::Name(name), .. }) => name
                    .strip_prefix('p')
                    .and_then(|digits| digits.parse::<f64>().ok())
                    .map(|percent| percent / 100.0),
                _ => None,
            };
            let Some(share) = share.filter(|share| (0.0..=1.0).contains(share)) else {
                return error(
                    &arg.value,
                    "a point of `quantiles` must be named p0 to p100",
                    DISTRIBUTIONS[7].1,
                );
            };
            let value = self.value(&arg.value)?;
            if points.last().is_some_and(|(before, least)| share <= *before || value < *least) {
                return error(&arg.value, "the points of `quantiles` must rise", DISTRIBUTIONS[7].1);
            }
            points.push((share, value));
        }
        if points.len() < 2 || points[0].0 != 0.0 || points[points.len() - 1].0 != 1.0 {
            return error(args.whole, "`quantiles` must begin with p0 and end with p100", DISTRIBUTIONS[7].1);
        }
        if points[0].1 <= 0.0 {
            return error(args.whole, "`quantiles` is log-linear: p0 must be above 0", DISTRIBUTIONS[7].1);
        }
        Ok(Dist::Quantiles(points.into()))
    }

    fn file(&self, args: &Args<'_>) -> Result<Dist, SyntaxError> {
        args.only(1, &[])?;
        let path = args.positional(0)?;
        let name = match &path.value {
            Expr::Text(text) => text.clone(),
            other => other.to_string().replace(' ', ""),
        };
        let text =
            (self.files)(&name).or_else(|why| error(path, why, "the path is relative to this file"))?;
        let mut values = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let cell = line.split(',').next().unwrap_or("").trim();
            if cell.is_empty() || (number == 0 && Quantity::parse(cell).is_err()) {
                continue; // a heading
            }
            let quantity = Quantity::parse(cell).or_else(|bad| {
                error(
                    path,
                    format!("{name}, line {}: {}", number + 1, bad.message),
                    "one value with its unit per line",
                )
            })?;
            if quantity.unit != self.unit || quantity.value < 0.0 {
                let message = format!("{name}, line {}: `{cell}` is not {}", number + 1, self.unit.example());
                return error(path, message, "one value with its unit per line");
            }
            values.push(quantity.value);
        }
        if values.is_empty() {
            return error(path, format!("{name} has no values"), "one value with its unit per line");
        }
        Ok(Dist::Empirical(values.into()))
    }

    fn mix(&self, args: &Args<'_>) -> Result<Dist, SyntaxError> {
        let mut total = 0.0;
        let mut distributions = Vec::new();
        for arg in &args.function.args {
            let Some(Spanned { value: ArgKey::Number(Quantity { value, unit: Unit::Share, .. }), .. }) =
                &arg.key
            else {
                return error(&arg.value, "each part of a mix has its share", DISTRIBUTIONS[9].1);
            };
            total += value;
            distributions.push((total, self.distribution(&arg.value)?));
        }
        whole_mix(args.whole, total)?;
        if let Some(last) = distributions.last_mut() {
            last.0 = 1.0;
        }
        Ok(Dist::Mix(Arc::from(distributions)))
    }

    /// A value of the distribution's unit, at least 0.
    fn value(&self, expr: &Spanned<Expr>) -> Result<f64, SyntaxError> {
        match &expr.value {
            Expr::Number(quantity) if quantity.unit == self.unit => Ok(quantity.value),
            Expr::Number(quantity) if quantity.unit == Unit::Count => {
                error(expr, format!("`{quantity}` has no unit"), &format!("write {}", self.unit.example()))
            }
            other => error(expr, format!("`{other}` is not {}", self.unit.example()), "check the unit"),
        }
    }

    fn positive(&self, expr: &Spanned<Expr>) -> Result<f64, SyntaxError> {
        let value = self.value(expr)?;
        if value > 0.0 { Ok(value) } else { error(expr, "this must be above 0", "write a positive value") }
    }
}

/// Whether the shares of a mix add up.
pub(crate) fn whole_mix(whole: &Spanned<Expr>, total: f64) -> Result<(), SyntaxError> {
    if (total - 1.0).abs() < 1e-9 {
        return Ok(());
    }
    let percent = format!("{:.7}", total * 100.0);
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    error(whole, format!("the shares of this mix add up to {percent}%, not 100%"), DISTRIBUTIONS[9].1)
}

/// A plain positive number.
fn plain(expr: &Spanned<Expr>) -> Result<f64, SyntaxError> {
    match &expr.value {
        Expr::Number(quantity) if quantity.unit == Unit::Count && quantity.value > 0.0 => Ok(quantity.value),
        _ => error(expr, "this must be a plain number above 0", "write `1.5`"),
    }
}

/// The arguments of a function.
struct Args<'a> {
    whole: &'a Spanned<Expr>,
    function: &'a Function,
}

impl<'a> Args<'a> {
    /// Refuses arguments beyond `positional` ones without a name and those named.
    fn only(&self, positional: usize, named: &[&str]) -> Result<(), SyntaxError> {
        let mut unnamed = 0;
        for arg in &self.function.args {
            match &arg.key {
                Some(key) => {
                    let known = matches!(&key.value, ArgKey::Name(name) if named.contains(&name.as_str()));
                    if !known {
                        return error(
                            key,
                            format!("`{}` takes no such argument", self.function.name.value),
                            self.example(),
                        );
                    }
                }
                None => {
                    unnamed += 1;
                    if unnamed > positional {
                        return error(&arg.value, "one argument too many", self.example());
                    }
                }
            }
        }
        Ok(())
    }

    fn example(&self) -> &'static str {
        DISTRIBUTIONS
            .iter()
            .find(|(name, _)| *name == self.function.name.value)
            .map_or("", |(_, example)| example)
    }

    fn positional(&self, index: usize) -> Result<&'a Spanned<Expr>, SyntaxError> {
        let mut unnamed = self.function.args.iter().filter(|arg| arg.key.is_none());
        match unnamed.nth(index) {
            Some(arg) => Ok(&arg.value),
            None => error(
                self.whole,
                format!("`{}` needs another argument", self.function.name.value),
                self.example(),
            ),
        }
    }

    fn named(&self, name: &str) -> Option<&'a Spanned<Expr>> {
        let is = |arg: &&Arg| matches!(&arg.key, Some(key) if key.value == ArgKey::Name(name.to_owned()));
        self.function.args.iter().find(is).map(|arg| &arg.value)
    }

    fn need(&self, name: &str) -> Result<&'a Spanned<Expr>, SyntaxError> {
        match self.named(name) {
            Some(value) => Ok(value),
            None => {
                error(self.whole, format!("`{}` needs `{name}=`", self.function.name.value), self.example())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::syntax::expression;

    fn read(text: &str) -> Result<Dist, SyntaxError> {
        let files = |path: &str| match path {
            "data/x.csv" => Ok("latency\n5ms\n7ms,extra\n".to_owned()),
            other => Err(format!("no file {other}")),
        };
        distribution_of_spans(&expression(text).expect("parses"), &files)
    }

    #[test]
    fn distributions_are_read_with_their_units() {
        for (text, distribution) in [
            ("5ms", Dist::Constant(5e6)),
            ("exp(5ms)", Dist::Exponential { mean: 5e6 }),
            ("uniform(1ms, 2ms, step=500us)", Dist::Uniform { low: 1e6, high: 2e6, step: Some(5e5) }),
            ("normal(12ms, sd=1ms)", Dist::Normal { mean: 1.2e7, sd: 1e6 }),
            ("pareto(min=1ms, alpha=1.5)", Dist::Pareto { min: 1e6, alpha: 1.5 }),
            ("gamma(mean=8ms, cv=0.5)", Dist::Gamma { shape: 4.0, scale: 2e6 }),
            ("file(data/x.csv)", Dist::Empirical(Arc::from([5e6, 7e6]))),
        ] {
            assert_eq!(read(text), Ok(distribution), "{text}");
        }
    }

    #[test]
    fn a_wrong_distribution_is_explained() {
        for (text, message) in [
            ("5", "`5` has no unit"),
            ("exp(5/s)", "`5/s` is not a span, `20ms`"),
            ("expo(5ms)", "`expo` is no distribution"),
            ("uniform(5ms, 1ms)", "the lower bound is above the upper one"),
            ("lognormal(p50=4ms)", "`lognormal` needs `p99=`"),
            ("mix(90%=1ms, 20%=2ms)", "the shares of this mix add up to 110%, not 100%"),
            ("quantiles(p50=1ms, p100=2ms)", "`quantiles` must begin with p0 and end with p100"),
            ("exp(1ms, 2ms)", "one argument too many"),
            ("file(y.csv)", "no file y.csv"),
            ("exp(0ms)", "this must be above 0"),
        ] {
            assert_eq!(read(text).expect_err(text).message, message, "{text}");
        }
    }
}
