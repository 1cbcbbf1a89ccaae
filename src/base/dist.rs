//! Distributions, sampled by our own small samplers over portable maths, so that a draw has the same bits everywhere.
//! A distribution of spans is in nanoseconds; the same type serves plain numbers.
//!
//! The variants are plain data; the constructors check their arguments and say in words what is wrong with them. Most
//! samplers invert the distribution function, one uniform a draw: so two distributions that differ in a parameter and share
//! their draws rise and fall together, which is what makes paired comparisons sharp.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::base::math;
use crate::base::rng::Bits;
use crate::base::time::Span;

/// A probability distribution over non-negative numbers (nanoseconds when it is a distribution of spans).
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(f64),
    /// Uniform on [low, high]; with a step, on low, low + step, ….
    Uniform {
        /// Least value.
        low: f64,
        /// Greatest value.
        high: f64,
        /// Distance of the values; any value without it.
        step: Option<f64>,
    },
    /// Exponential.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// Normal, cut off at zero by drawing again.
    Normal {
        /// Mean before the cut; not negative, so that half of the draws are good at least.
        mean: f64,
        /// Standard deviation before the cut.
        sd: f64,
    },
    /// Log-normal: exp of Normal(mu, sigma).
    LogNormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Gamma.
    Gamma {
        /// Shape; the squared coefficient of variation is its inverse.
        shape: f64,
        /// Scale; the mean is shape × scale.
        scale: f64,
    },
    /// Weibull: P(X > x) = exp(-(x / scale)^shape).
    Weibull {
        /// Scale.
        scale: f64,
        /// Shape; 1 is exponential.
        shape: f64,
    },
    /// Pareto: P(X > x) = (min / x)^alpha for x ≥ min.
    Pareto {
        /// Least value.
        min: f64,
        /// Tail index; no mean up to 1, no variance up to 2.
        alpha: f64,
    },
    /// Log-linear between (share, value) points; shares rise from 0 to 1, values do not fall. A piece that begins at
    /// value 0 has no logarithm and is linear.
    Quantiles(Arc<[(f64, f64)]>),
    /// One of these values, each as likely.
    Empirical(Arc<[f64]>),
    /// One of these distributions, by weight; weights are cumulative shares that end at 1.
    Mix(Arc<[(f64, Dist)]>),
}

impl Dist {
    /// A draw.
    #[inline]
    pub fn sample(&self, bits: &mut impl Bits) -> f64 {
        // The commonest distributions go into the caller, where draws overlap; the others are too long for that.
        match *self {
            Dist::Constant(value) => value,
            Dist::Exponential { mean } => -mean * math::ln(bits.open01()),
            _ => self.sample_longer(bits),
        }
    }

    #[inline(never)]
    fn sample_longer(&self, bits: &mut impl Bits) -> f64 {
        match self {
            &Dist::Constant(value) => value,
            &Dist::Exponential { mean } => -mean * math::ln(bits.open01()),
            &Dist::Uniform { low, high, step: None } => low + (high - low) * bits.open01(),
            &Dist::Uniform { low, high, step: Some(step) } => {
                low + step * bits.below(steps(low, high, step)) as f64
            }
            &Dist::Normal { mean, sd } => loop {
                let value = mean + sd * standard_normal(bits);
                if value >= 0.0 {
                    return value;
                }
            },
            &Dist::LogNormal { mu, sigma } => math::exp(mu + sigma * standard_normal(bits)),
            &Dist::Gamma { shape, scale } => scale * standard_gamma(shape, bits),
            &Dist::Weibull { scale, shape } => scale * math::powf(-math::ln(bits.open01()), 1.0 / shape),
            &Dist::Pareto { min, alpha } => min * math::exp(-math::ln(bits.open01()) / alpha),
            Dist::Quantiles(points) => quantile(points, bits.open01()),
            Dist::Empirical(values) => values[bits.below(values.len() as u64) as usize],
            Dist::Mix(distributions) => {
                let share = bits.open01();
                let chosen = distributions.partition_point(|(cumulative, _)| *cumulative < share);
                distributions[chosen.min(distributions.len() - 1)].1.sample_longer(bits)
            }
        }
    }

    /// A draw as a span, to the nearest nanosecond.
    #[inline]
    pub fn span(&self, bits: &mut impl Bits) -> Span {
        nearest_span(self.sample(bits))
    }

    /// What no draw is below; 0 for a distribution that has no other bound.
    pub fn least(&self) -> f64 {
        match self {
            &Dist::Constant(value) => value,
            &Dist::Uniform { low, .. } => low,
            &Dist::Pareto { min, .. } => min,
            Dist::Quantiles(points) => points[0].1,
            Dist::Empirical(values) => values.iter().copied().fold(f64::INFINITY, f64::min),
            Dist::Mix(distributions) => distributions
                .iter()
                .map(|(_, distribution)| distribution.least())
                .fold(f64::INFINITY, f64::min),
            _ => 0.0,
        }
    }

    /// What no draw is above; infinity for a distribution that has no bound.
    pub fn most(&self) -> f64 {
        match self {
            &Dist::Constant(value) => value,
            &Dist::Uniform { high, .. } => high,
            Dist::Quantiles(points) => points[points.len() - 1].1,
            Dist::Empirical(values) => values.iter().copied().fold(0.0, f64::max),
            Dist::Mix(distributions) => {
                distributions.iter().map(|(_, distribution)| distribution.most()).fold(0.0, f64::max)
            }
            _ => f64::INFINITY,
        }
    }

    /// The mean, where it exists (a Pareto with alpha ≤ 1 has none).
    pub fn mean(&self) -> Option<f64> {
        Some(match self {
            &Dist::Constant(value) => value,
            &Dist::Uniform { low, high, step: None } => (low + high) / 2.0,
            &Dist::Uniform { low, high, step: Some(step) } => {
                low + step * (steps(low, high, step) - 1) as f64 / 2.0
            }
            &Dist::Exponential { mean } => mean,
            &Dist::Normal { mean, sd: 0.0 } => mean,
            // Of a normal cut off at zero: mean + sd × density / P(Z > cut), both at the cut.
            &Dist::Normal { mean, sd } => {
                mean + sd * math::normal_density(mean / sd) / math::normal_cdf(mean / sd)
            }
            &Dist::LogNormal { mu, sigma } => math::exp(mu + sigma * sigma / 2.0),
            &Dist::Gamma { shape, scale } => shape * scale,
            &Dist::Weibull { scale, shape } => scale * math::gamma(1.0 + 1.0 / shape),
            &Dist::Pareto { alpha, .. } if alpha <= 1.0 => return None,
            &Dist::Pareto { min, alpha } => min * alpha / (alpha - 1.0),
            Dist::Quantiles(points) => points.windows(2).map(|ends| mean_between(ends[0], ends[1])).sum(),
            Dist::Empirical(values) => values.iter().sum::<f64>() / values.len() as f64,
            Dist::Mix(distributions) => {
                let mut below = 0.0;
                let mut mean = 0.0;
                for (cumulative, distribution) in distributions.iter() {
                    mean += (cumulative - below) * distribution.mean()?;
                    below = *cumulative;
                }
                mean
            }
        })
    }
}

/// The nearest number of nanoseconds; negative numbers and NaN give none, too large ones saturate.
#[inline]
fn nearest_span(ns: f64) -> Span {
    // Below 2^51 (26 days) adding 2^52 leaves the nearest integer in the low bits of the sum: one addition, where a
    // cast that saturates takes a dozen instructions. One comparison of bits also finds signs and NaN.
    const TWO_TO_52: f64 = 4_503_599_627_370_496.0;
    if ns.to_bits() < (TWO_TO_52 / 2.0).to_bits() {
        Span::from_ns((ns + TWO_TO_52).to_bits() - TWO_TO_52.to_bits())
    } else {
        Span::from_ns((ns + 0.5) as u64)
    }
}

/// A standard normal draw, by inversion.
fn standard_normal(bits: &mut impl Bits) -> f64 {
    math::inverse_normal_cdf(bits.open01())
}

/// A draw from Gamma(shape, 1): G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables" (2000).
fn standard_gamma(shape: f64, bits: &mut impl Bits) -> f64 {
    if shape < 1.0 {
        // Their note for small shapes: Gamma(shape + 1) × U^(1 / shape).
        let larger = standard_gamma(shape + 1.0, bits);
        return larger * math::exp(math::ln(bits.open01()) / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = standard_normal(bits);
        let root = 1.0 + c * z;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let u = bits.open01();
        let z2 = z * z;
        if u < 1.0 - 0.0331 * z2 * z2 || math::ln(u) < 0.5 * z2 + d * (1.0 - v + math::ln(v)) {
            return d * v;
        }
    }
}

/// How many values low, low + step, … there are up to high. The slack keeps 0.3 in (0, 0.1, 0.2, 0.3).
fn steps(low: f64, high: f64, step: f64) -> u64 {
    ((high - low) / step + 1e-9) as u64 + 1
}

/// The value at `share` of a log-linear distribution.
fn quantile(points: &[(f64, f64)], share: f64) -> f64 {
    let end = points.partition_point(|(at, _)| *at < share).clamp(1, points.len() - 1);
    let ((share_low, low), (share_high, high)) = (points[end - 1], points[end]);
    let way = (share - share_low) / (share_high - share_low);
    if low <= 0.0 || low == high {
        return low + (high - low) * way;
    }
    (low * math::exp(way * math::ln(high / low))).min(high)
}

/// What the piece between two points adds to the mean.
fn mean_between((share_low, low): (f64, f64), (share_high, high): (f64, f64)) -> f64 {
    let share = share_high - share_low;
    // Of a log-linear piece it is (high - low) / ln(high / low), which is 0 / 0 when they are close.
    if low <= 0.0 || high - low < 1e-6 * low {
        share * (low + high) / 2.0
    } else {
        share * (high - low) / math::ln(high / low)
    }
}

/// Constructors. An error is a sentence for the user: what is wrong, and what would be right.
impl Dist {
    /// Always `value`.
    pub fn constant(value: f64) -> Result<Dist, String> {
        Ok(Dist::Constant(not_negative("the value", value)?))
    }

    /// Uniform on [low, high], with a step on low, low + step, ….
    pub fn uniform(low: f64, high: f64, step: Option<f64>) -> Result<Dist, String> {
        not_negative("the lower end", low)?;
        if !(high.is_finite() && high >= low) {
            return Err("the upper end must not be below the lower end".into());
        }
        if let Some(step) = step {
            positive("the step", step)?;
            if (high - low) / step >= 9e15 {
                return Err("the step is too small for the range".into());
            }
        }
        Ok(Dist::Uniform { low, high, step })
    }

    /// Exponential.
    pub fn exponential(mean: f64) -> Result<Dist, String> {
        Ok(Dist::Exponential { mean: not_negative("the mean", mean)? })
    }

    /// Normal, cut off at zero.
    pub fn normal(mean: f64, sd: f64) -> Result<Dist, String> {
        Ok(Dist::Normal { mean: not_negative("the mean", mean)?, sd: not_negative("sd", sd)? })
    }

    /// The log-normal with this median and 99th percentile.
    pub fn lognormal_from_quantiles(p50: f64, p99: f64) -> Result<Dist, String> {
        positive("p50", p50)?;
        if !(p99.is_finite() && p99 >= p50) {
            return Err("p99 must not be below p50".into());
        }
        let sigma = math::ln(p99 / p50) / math::inverse_normal_cdf(0.99);
        Ok(Dist::LogNormal { mu: math::ln(p50), sigma })
    }

    /// The log-normal with this mean and coefficient of variation (standard deviation over mean).
    pub fn lognormal_from_mean_cv(mean: f64, cv: f64) -> Result<Dist, String> {
        positive("the mean", mean)?;
        let variance = math::ln_1p(variation(cv)? * cv);
        Ok(Dist::LogNormal { mu: math::ln(mean) - variance / 2.0, sigma: variance.sqrt() })
    }

    /// The gamma with this mean and coefficient of variation; constant when that is 0.
    pub fn gamma_from_mean_cv(mean: f64, cv: f64) -> Result<Dist, String> {
        positive("the mean", mean)?;
        let variance = variation(cv)? * cv;
        // Below 1e-12 the spread is lost in the mean's last digits.
        if variance < 1e-12 {
            return Ok(Dist::Constant(mean));
        }
        Ok(Dist::Gamma { shape: 1.0 / variance, scale: mean * variance })
    }

    /// Weibull.
    pub fn weibull(scale: f64, shape: f64) -> Result<Dist, String> {
        Ok(Dist::Weibull { scale: positive("the scale", scale)?, shape: tail("the shape", shape)? })
    }

    /// Pareto.
    pub fn pareto(min: f64, alpha: f64) -> Result<Dist, String> {
        Ok(Dist::Pareto { min: positive("min", min)?, alpha: tail("alpha", alpha)? })
    }

    /// Log-linear between (share, value) points.
    pub fn quantiles(points: &[(f64, f64)]) -> Result<Dist, String> {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err("quantiles need p0 and p100 at least".into());
        };
        if points.len() < 2 || first.0 != 0.0 || last.0 != 1.0 {
            return Err("quantiles begin with p0 and end with p100".into());
        }
        for &(_, value) in points {
            not_negative("a quantile", value)?;
        }
        for ends in points.windows(2) {
            // A share that is not a number is not less either.
            if ends[0].0.partial_cmp(&ends[1].0) != Some(Ordering::Less) {
                return Err("quantiles must be given in rising order, each once".into());
            }
            if ends[0].1 > ends[1].1 {
                return Err("a higher quantile must not have a lower value".into());
            }
        }
        Ok(Dist::Quantiles(points.into()))
    }

    /// One of `values`, each as likely.
    pub fn empirical(values: &[f64]) -> Result<Dist, String> {
        if values.is_empty() {
            return Err("an empirical distribution needs one value at least".into());
        }
        for &value in values {
            not_negative("a value", value)?;
        }
        Ok(Dist::Empirical(values.into()))
    }

    /// One of `distributions` by its share; shares add to 1.
    pub fn mix(distributions: &[(f64, Dist)]) -> Result<Dist, String> {
        if distributions.is_empty() {
            return Err("a mix needs one distribution at least".into());
        }
        let mut total = 0.0;
        let mut cumulative = Vec::with_capacity(distributions.len());
        for (share, distribution) in distributions {
            total += not_negative("a share", *share)?;
            cumulative.push((total, distribution.clone()));
        }
        if (total - 1.0).abs() > 1e-9 {
            return Err(format!("the shares of a mix add to 100%, not to {}%", (total * 1e6).round() / 1e4));
        }
        for (share, _) in &mut cumulative {
            *share /= total;
        }
        Ok(Dist::Mix(cumulative.into()))
    }
}

fn not_negative(what: &str, value: f64) -> Result<f64, String> {
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(format!("{what} must not be negative")) }
}

fn positive(what: &str, value: f64) -> Result<f64, String> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(format!("{what} must be above 0")) }
}

/// A coefficient of variation. Above 1000 no run is long enough to show the mean.
fn variation(cv: f64) -> Result<f64, String> {
    if (0.0..=1000.0).contains(&cv) { Ok(cv) } else { Err("cv must be from 0 to 1000".into()) }
}

/// An exponent of a tail. Below 0.01 draws overflow; above 10,000 they are constant in all but name.
fn tail(what: &str, exponent: f64) -> Result<f64, String> {
    if (0.01..=1e4).contains(&exponent) {
        Ok(exponent)
    } else {
        Err(format!("{what} must be from 0.01 to 10000"))
    }
}

#[cfg(test)]
#[path = "dist_tests.rs"]
mod tests;
