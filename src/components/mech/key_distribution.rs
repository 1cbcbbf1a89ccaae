//! What a workload's arguments are: constants, keys by some distribution, columns of a trace. Ranks and keys start at 1.

use std::sync::Arc;

use crate::base::quantity::{Quantity, Unit};
use crate::base::rng::Bits;
use crate::program::distribution::whole_mix;
use crate::program::syntax::{ArgKey, Expr, Function, Spanned, SyntaxError};

/// The most keys of a distribution: ranks are drawn exactly up to here.
pub const KEYS_MAX: i64 = 1 << 52;

/// How an argument is chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyDistribution {
    /// Always the same.
    Constant(i64),
    /// Each of 1 to n, as likely.
    Uniform(i64),
    /// Rank k of 1 to n with a chance proportional to k^−s.
    Zipf(Zipf),
    /// 1 to n in turn, by the number of the request.
    Sequence(i64, Per),
    /// The keys of a trace, by the number of the request.
    Trace(Arc<[i64]>, Per),
    /// A column of the trace that the arrivals come from.
    Column(Arc<[i64]>),
    /// One of these, by cumulative share.
    Mix(Arc<[(f64, KeyDistribution)]>),
}

/// Among whose requests one is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Those of the whole workload, in the order in which they are made.
    Workload,
    /// Those of its user; an open loop is one caller.
    User,
}

/// The number of a request, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Among its user's.
    pub of_user: u64,
    /// Among the workload's.
    pub of_workload: u64,
}

impl Turn {
    fn counted(self, per: Per) -> u64 {
        match per {
            Per::Workload => self.of_workload,
            Per::User => self.of_user,
        }
    }
}

impl KeyDistribution {
    /// The argument of a request.
    pub fn choose(&self, turn: Turn, bits: &mut impl Bits) -> i64 {
        match self {
            KeyDistribution::Constant(n) => *n,
            KeyDistribution::Uniform(n) => 1 + bits.below(*n as u64) as i64,
            KeyDistribution::Zipf(zipf) => zipf.draw(bits),
            KeyDistribution::Sequence(n, per) => 1 + (turn.counted(*per) % *n as u64) as i64,
            KeyDistribution::Trace(keys, per) => keys[(turn.counted(*per) % keys.len() as u64) as usize],
            KeyDistribution::Column(keys) => keys[(turn.of_workload % keys.len() as u64) as usize],
            KeyDistribution::Mix(parts) => {
                let share = bits.open01();
                let part = parts.iter().find(|(upto, _)| share < *upto).or(parts.last());
                part.map_or(0, |(_, key_distribution)| key_distribution.choose(turn, bits))
            }
        }
    }
}

/// Zipf's distribution by rejection-inversion (Hörmann & Derflinger, ACM TOMACS 6(3), 1996): exact, in constant time and space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    n: f64,
    s: f64,
    /// H(1.5) − 1 and H(n + 0.5): the ends of the inverted area.
    left: f64,
    right: f64,
    /// Below this distance a rank is accepted at once.
    near: f64,
}

impl Zipf {
    /// Over ranks 1 to n with exponent s > 0.
    pub fn new(n: i64, s: f64) -> Self {
        let mut zipf = Zipf { n: n as f64, s, left: 0.0, right: 0.0, near: 0.0 };
        zipf.left = zipf.area(1.5) - 1.0;
        zipf.right = zipf.area(zipf.n + 0.5);
        zipf.near = 2.0 - zipf.inverse(zipf.area(2.5) - zipf.height(2.0));
        zipf
    }

    fn height(&self, x: f64) -> f64 {
        libm::exp(-self.s * libm::log(x))
    }

    /// The integral of the height: ((x^(1−s)) − 1) / (1−s), and ln x at s = 1.
    fn area(&self, x: f64) -> f64 {
        let log = libm::log(x);
        let y = (1.0 - self.s) * log;
        let helper = if y.abs() > 1e-8 { libm::expm1(y) / y } else { 1.0 + y / 2.0 * (1.0 + y / 3.0) };
        helper * log
    }

    fn inverse(&self, area: f64) -> f64 {
        let t = (area * (1.0 - self.s)).max(-1.0);
        let helper = if t.abs() > 1e-8 { libm::log1p(t) / t } else { 1.0 - t / 2.0 + t * t / 3.0 };
        libm::exp(helper * area)
    }

    fn draw(&self, bits: &mut impl Bits) -> i64 {
        loop {
            let u = self.right + bits.open01() * (self.left - self.right);
            let x = self.inverse(u);
            let k = (x + 0.5).floor().clamp(1.0, self.n);
            if k - x <= self.near || u >= self.area(k + 0.5) - self.height(k) {
                return k as i64;
            }
        }
    }
}

/// What choosers need from outside: the numbers of a file.
pub trait Columns {
    /// The keys of a trace file in the given format (`text`: one number per line; `i32be`: big-endian words).
    fn keys(&self, path: &str, format: &str) -> Result<Arc<[i64]>, String>;
    /// A column of the trace that the arrivals come from.
    fn column(&self, name: &str) -> Result<Arc<[i64]>, String>;
}

fn error<T>(at: &std::ops::Range<usize>, message: impl Into<String>, help: &str) -> Result<T, SyntaxError> {
    Err(SyntaxError { at: at.clone(), message: message.into(), help: Some(help.to_owned()) })
}

/// Every way to choose an argument: an example, and one sentence.
pub const FORMS: &[(&str, &str)] = &[
    ("7", "Always this number."),
    ("uniform(n)", "1 to n, each as often."),
    ("zipf(n=100k, s=1.1)", "1 to n, the k-th with weight k^-s."),
    (
        "sequence(n, per=workload)",
        "1, 2, … n, 1, …, by the number of the request: among all of the workload in the order in which they are made, or \
         (`per=user`) among those of its user. In a closed loop that order is the run's: it may differ between variants.",
    ),
    (
        "trace(file.txt, format=text, per=workload)",
        "The numbers of a file, one per line, by the number of the request, counted in the same way.",
    ),
    ("column(NAME)", "A column of the trace from which the arrivals come."),
    ("mix(60%=1, 40%=zipf(n=100k, s=1.1))", "One of several, by weight."),
];

const HELP: &str = "write a number, `uniform(n)`, `zipf(n=100k, s=1.1)`, `sequence(n)`, `trace(file, format=text)`, \
                    `column(NAME)`, or a `mix(60%=1, 40%=…)` of them";

/// Reads a key distribution.
///
/// # Errors
/// When it is none; with its place.
pub fn key_distribution(expr: &Spanned<Expr>, columns: &dyn Columns) -> Result<KeyDistribution, SyntaxError> {
    match &expr.value {
        Expr::Number(Quantity { unit: Unit::Count, exact: Some(n), .. }) => Ok(KeyDistribution::Constant(*n)),
        Expr::Unary(crate::program::syntax::UnaryOp::Minus, of) => match key_distribution(of, columns)? {
            KeyDistribution::Constant(n) => Ok(KeyDistribution::Constant(-n)),
            _ => error(&expr.at, "only numbers are negated", HELP),
        },
        Expr::Call(function) => from_function(expr, function, columns),
        other => error(&expr.at, format!("`{other}` chooses nothing"), HELP),
    }
}

fn from_function(
    whole: &Spanned<Expr>,
    function: &Function,
    columns: &dyn Columns,
) -> Result<KeyDistribution, SyntaxError> {
    takes_all(function)?;
    let file = |message: String| SyntaxError { at: whole.at.clone(), message, help: Some(HELP.to_owned()) };
    match function.name.value.as_str() {
        "uniform" => keys(function, whole).map(KeyDistribution::Uniform),
        "sequence" => Ok(KeyDistribution::Sequence(keys(function, whole)?, per(function)?)),
        "zipf" => {
            let n = keys(function, whole)?;
            match named(function, "s").map(|s| &s.value) {
                Some(Expr::Number(quantity)) if quantity.unit == Unit::Count && quantity.value > 0.0 => {
                    Ok(KeyDistribution::Zipf(Zipf::new(n, quantity.value)))
                }
                _ => {
                    error(&whole.at, "`zipf` needs its exponent `s=`, above 0", "write `zipf(n=100k, s=1.1)`")
                }
            }
        }
        "trace" => {
            let path = function.args.iter().find(|arg| arg.key.is_none());
            let Some(path) = path else { return error(&whole.at, "`trace` needs a file", HELP) };
            let format =
                named(function, "format").map_or("text".to_owned(), |format| format.value.to_string());
            let keys = columns.keys(&file_name(&path.value.value), &format).map_err(file)?;
            Ok(KeyDistribution::Trace(keys, per(function)?))
        }
        "column" => match function.args.first().map(|arg| &arg.value.value) {
            Some(Expr::Name(name)) => columns.column(name).map(KeyDistribution::Column).map_err(file),
            _ => error(&whole.at, "`column` names a column", "write `column(GeneratedTokens)`"),
        },
        "mix" => mix_of(whole, function, columns),
        other => error(&function.name.at, format!("`{other}` chooses nothing"), HELP),
    }
}

/// A file name, which may have been read as an expression.
pub fn file_name(expr: &Expr) -> String {
    match expr {
        Expr::Text(text) => text.clone(),
        other => other.to_string().replace(' ', ""),
    }
}

fn mix_of(
    whole: &Spanned<Expr>,
    function: &Function,
    columns: &dyn Columns,
) -> Result<KeyDistribution, SyntaxError> {
    let mut total = 0.0;
    let mut parts = Vec::new();
    for arg in &function.args {
        match &arg.key {
            Some(Spanned { value: ArgKey::Number(Quantity { value, unit: Unit::Share, .. }), .. }) => {
                total += value;
                parts.push((total, key_distribution(&arg.value, columns)?));
            }
            _ => return error(&arg.value.at, "each part of a mix has its share", HELP),
        }
    }
    whole_mix(whole, total)?;
    Ok(KeyDistribution::Mix(parts.into()))
}

fn named<'a>(function: &'a Function, name: &str) -> Option<&'a Spanned<Expr>> {
    let is = |key: &Spanned<ArgKey>| key.value == ArgKey::Name(name.to_owned());
    function.args.iter().find(|arg| arg.key.as_ref().is_some_and(is)).map(|arg| &arg.value)
}

/// No argument is ignored: what a way to choose does not take is refused.
fn takes_all(function: &Function) -> Result<(), SyntaxError> {
    let named: &[&str] = match function.name.value.as_str() {
        "uniform" => &["n"],
        "sequence" => &["n", "per"],
        "zipf" => &["n", "s"],
        "trace" => &["format", "per"],
        _ => return Ok(()), // read argument by argument
    };
    let mut unnamed = 0;
    for arg in &function.args {
        let known = match &arg.key {
            Some(key) => named.iter().any(|name| key.value == ArgKey::Name((*name).to_owned())),
            None => {
                unnamed += 1;
                unnamed == 1
            }
        };
        if !known {
            let at = arg.key.as_ref().map_or(&arg.value.at, |key| &key.at);
            return error(at, format!("`{}` takes no such argument", function.name.value), HELP);
        }
    }
    Ok(())
}

/// `per=workload` or `per=user`.
fn per(function: &Function) -> Result<Per, SyntaxError> {
    let Some(given) = named(function, "per") else { return Ok(Per::Workload) };
    match &given.value {
        Expr::Name(word) if word == "workload" => Ok(Per::Workload),
        Expr::Name(word) if word == "user" => Ok(Per::User),
        other => {
            error(&given.at, format!("`{other}` is nobody's requests"), "write `per=workload` or `per=user`")
        }
    }
}

fn keys(function: &Function, whole: &Spanned<Expr>) -> Result<i64, SyntaxError> {
    let first = || function.args.iter().find(|arg| arg.key.is_none()).map(|arg| &arg.value);
    match named(function, "n").or_else(first).map(|n| (&n.value, &n.at)) {
        Some((Expr::Number(Quantity { unit: Unit::Count, exact: Some(n), .. }), _))
            if (1..=KEYS_MAX).contains(n) =>
        {
            Ok(*n)
        }
        Some((_, at)) => error(at, "this must be a count of keys, at least 1", HELP),
        None => error(&whole.at, format!("`{}` needs a count of keys", function.name.value), HELP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Draws;

    #[test]
    fn zipf_has_the_chances_of_its_distribution() {
        for (n, s) in [(10i64, 1.0), (100, 0.8), (1000, 1.2), (5, 3.0)] {
            let zipf = Zipf::new(n, s);
            let mut bits = Draws::new(n as u64);
            let draws = 400_000;
            let mut counts = vec![0u32; n as usize + 1];
            for _ in 0..draws {
                counts[zipf.draw(&mut bits) as usize] += 1;
            }
            let total: f64 = (1..=n).map(|k| libm::pow(k as f64, -s)).sum();
            for k in [1, 2, 3, n.min(5)] {
                let expected = libm::pow(k as f64, -s) / total;
                let seen = f64::from(counts[k as usize]) / f64::from(draws);
                let error = 5.0 * libm::sqrt(expected / f64::from(draws));
                assert!((seen - expected).abs() < error, "n {n}, s {s}, rank {k}: {seen} against {expected}");
            }
            assert_eq!(counts[0], 0);
        }
    }
}
