//! Distributions, sampled by our own small samplers over portable maths. (Owner: the engine work fills the bodies.)
//! A law of spans is in nanoseconds; the same type serves plain numbers.

use std::sync::Arc;

use crate::base::rng::Bits;
use crate::base::time::Span;

/// A probability law over non-negative numbers (nanoseconds when it is a law of spans).
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(f64),
    /// Uniform on [low, high]; with a step, on low, low + step, ….
    Uniform { low: f64, high: f64, step: Option<f64> },
    /// Exponential.
    Exponential { mean: f64 },
    /// Normal, cut off at zero by drawing again.
    Normal { mean: f64, sd: f64 },
    /// Log-normal: exp of Normal(mu, sigma).
    LogNormal { mu: f64, sigma: f64 },
    /// Gamma.
    Gamma { shape: f64, scale: f64 },
    /// Weibull.
    Weibull { scale: f64, shape: f64 },
    /// Pareto: P(X > x) = (min / x)^alpha for x ≥ min.
    Pareto { min: f64, alpha: f64 },
    /// Log-linear between (share, value) points; shares rise from 0 to 1, values do not fall.
    Quantiles(Arc<[(f64, f64)]>),
    /// One of these values, each as likely.
    Empirical(Arc<[f64]>),
    /// One of these laws, by weight; weights are cumulative shares that end at 1.
    Mix(Arc<[(f64, Dist)]>),
}

impl Dist {
    /// A draw.
    pub fn sample(&self, _bits: &mut impl Bits) -> f64 {
        todo!("engine work")
    }

    /// A draw as a span, to the nearest nanosecond.
    pub fn span(&self, bits: &mut impl Bits) -> Span {
        Span::from_ns((self.sample(bits) + 0.5) as u64)
    }

    /// The mean, where it exists (a Pareto with alpha ≤ 1 has none).
    pub fn mean(&self) -> Option<f64> {
        todo!("engine work")
    }
}
