//! Statistics over runs: Student-t intervals, paired comparison, when to stop. Portable maths only.

use crate::base::math;

/// Mean and spread of a measure over runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// Standard error of the mean; 0 for a single run.
    pub error: f64,
    /// Runs.
    pub n: usize,
}

impl Summary {
    /// Over some values; `None` for none.
    pub fn of(values: &[f64]) -> Option<Summary> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let error = if values.len() > 1 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 };
        Some(Summary { mean, error, n: values.len() })
    }

    /// Half the width of the interval at this confidence; `None` with fewer than two runs.
    pub fn half_width(&self, confidence: f64) -> Option<f64> {
        if self.n < 2 {
            return None;
        }
        Some(t_quantile(0.5 + confidence / 2.0, (self.n - 1) as f64) * self.error)
    }

    /// The interval at this confidence.
    pub fn interval(&self, confidence: f64) -> Option<[f64; 2]> {
        self.half_width(confidence).map(|half| [self.mean - half, self.mean + half])
    }
}

/// Two variants under the same seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// Of a − b.
    pub difference: Summary,
    /// Two-sided p-value of the paired t-test; `None` with fewer than two pairs.
    pub p_value: Option<f64>,
    /// Correlation of the pairs; `None` when one side never varies.
    pub correlation: Option<f64>,
}

/// Compares pairs of values, one from each variant under one seed.
pub fn paired(pairs: &[(f64, f64)]) -> Option<Paired> {
    let differences: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
    let difference = Summary::of(&differences)?;
    let p_value = (pairs.len() > 1).then(|| {
        if difference.error == 0.0 {
            return if difference.mean == 0.0 { 1.0 } else { 0.0 };
        }
        t_tails(difference.mean / difference.error, (pairs.len() - 1) as f64)
    });
    let mean = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / pairs.len() as f64;
    let (a, b) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        aa += (x - a) * (x - a);
        bb += (y - b) * (y - b);
        ab += (x - a) * (y - b);
    }
    let correlation = (aa > 0.0 && bb > 0.0).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0));
    Some(Paired { difference, p_value, correlation })
}

/// How theory and simulation stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// The estimate is within the tolerance, and known well enough to say so.
    Agrees,
    /// The whole interval lies outside the tolerance.
    Parts,
    /// Neither is so: more runs will tell.
    Undecided,
}

/// The most of a tolerance that half the 99 % interval of an estimate may be. An estimate whose true value lies at the edge of the tolerance
/// is then still told from one that is 1.7 tolerances off.
const KNOWN_WELL: f64 = 0.7;

/// The rule by which theory and simulation agree: |estimate − reference| ≤ tolerance *and* half the 99 % interval is at most 70 % of the
/// tolerance. They part when the interval lies wholly outside reference ± tolerance.
pub fn agreement(estimate: f64, interval_99: [f64; 2], reference: f64, tolerance: f64) -> Agreement {
    let tolerance = tolerance.max(reference.abs() * 1e-12); // values that are equal but for rounding
    let [low, high] = interval_99;
    let half = (high - estimate).max(estimate - low);
    if (estimate - reference).abs() <= tolerance && half <= KNOWN_WELL * tolerance {
        Agreement::Agrees
    } else if low > reference + tolerance || high < reference - tolerance {
        Agreement::Parts
    } else {
        Agreement::Undecided
    }
}

/// The mean number of events a run, of so many independent ones in so many runs: its exact interval at this confidence (Garwood, Biometrika 28, 1936).
pub fn poisson_interval(events: f64, runs: f64, confidence: f64) -> [f64; 2] {
    let tail = (1.0 - confidence) / 2.0;
    // The smallest mean that gives so many events or more in a share `tail` of all cases, and the largest that gives so many or fewer.
    let low = if events == 0.0 { 0.0 } else { where_it_is(tail, |mean| lower_gamma(events, mean)) };
    let high = where_it_is(1.0 - tail, |mean| lower_gamma(events + 1.0, mean));
    [low / runs, high / runs]
}

/// Where a function that rises from 0 to 1 has a value.
fn where_it_is(value: f64, rising: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 2.0);
    while rising(high) < value {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if rising(middle) < value { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The regularised lower incomplete gamma function P(a, x): the chance of a events or more where x are expected. By its series or by its
/// continued fraction (Lentz), whichever converges (Press et al., section 6.2).
fn lower_gamma(a: f64, x: f64) -> f64 {
    const TERMS_MAX: u32 = 1_000_000;
    const TINY: f64 = 1e-300;
    if x <= 0.0 {
        return 0.0;
    }
    let front = math::exp(a * libm::log(x) - x - math::ln_gamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..TERMS_MAX {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return front * sum;
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for n in 1..TERMS_MAX {
        let n = f64::from(n);
        let factor = -n * (n - a);
        b += 2.0;
        d = factor * d + b;
        d = 1.0 / if d.abs() < TINY { TINY } else { d };
        c = b + factor / c;
        c = if c.abs() < TINY { TINY } else { c };
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 - front * fraction
}

/// The value below which Student's t with `freedom` degrees lies with chance `p`.
pub fn t_quantile(p: f64, freedom: f64) -> f64 {
    if p == 0.5 {
        return 0.0;
    }
    if p < 0.5 {
        return -t_quantile(1.0 - p, freedom);
    }
    where_it_is(p, |t| t_cdf(t, freedom))
}

/// The chance that Student's t with `freedom` degrees lies below `t`.
pub fn t_cdf(t: f64, freedom: f64) -> f64 {
    let tail = t_tails(t, freedom) / 2.0;
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The chance that Student's t with `freedom` degrees lies at least as far from 0 as `t`: the two-sided p-value. It
/// keeps its digits however small it is, which 1 − cdf would not.
pub fn t_tails(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// The regularised incomplete beta function, by its continued fraction (Lentz; Press et al., section 6.4).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = math::exp(
        math::ln_gamma(a + b) - math::ln_gamma(a) - math::ln_gamma(b)
            + a * libm::log(x)
            + b * libm::log(1.0 - x),
    );
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..500 {
        let m = f64::from(m);
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / nonzero(1.0 + term * d);
            c = nonzero(1.0 + term / c);
            result *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, StudentsT};

    use super::*;

    #[test]
    fn students_t_agrees_with_an_independent_one() {
        for freedom in [1.0, 2.0, 4.0, 9.0, 29.0, 99.0] {
            let oracle = StudentsT::new(0.0, 1.0, freedom).expect("valid");
            for p in [0.6, 0.9, 0.975, 0.995, 0.9995] {
                let t = t_quantile(p, freedom);
                assert!((oracle.cdf(t) - p).abs() < 1e-10, "{p} at {freedom}: {t}");
            }
        }
        assert!((t_quantile(0.975, 9.0) - 2.262_157_162_740_99).abs() < 1e-9);
    }

    #[test]
    fn p_values_keep_their_digits_far_out() {
        for t in [0.1f64, 2.0, 50.0, 1e5] {
            // closed form at two degrees of freedom: 1 − t/√(2 + t²), written without cancellation
            let root = (2.0 + t * t).sqrt();
            let exact = 2.0 / (root * (root + t));
            assert!((t_tails(t, 2.0) / exact - 1.0).abs() < 1e-11, "{t}: {} {exact}", t_tails(t, 2.0));
        }
        for (t, freedom) in [(2.0f64, 9.0f64), (5.0, 29.0), (40.0, 3.0)] {
            let x = freedom / (freedom + t * t);
            let oracle = statrs::function::beta::beta_reg(freedom / 2.0, 0.5, x);
            assert!((t_tails(t, freedom) / oracle - 1.0).abs() < 1e-10, "{t} at {freedom}");
        }
        let far = t_tails(60.0, 29.0);
        assert!(far > 0.0 && far < 1e-25, "{far}");
        // with one degree of freedom t is Cauchy's: 1 - 2 atan(t) / pi
        assert!((t_tails(1e6, 1.0) / (2.0 / (std::f64::consts::PI * 1e6)) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn intervals_cover_the_mean_as_often_as_they_say() {
        use crate::base::rng::{Bits, Draws};
        let covered = (0..2000)
            .filter(|seed| {
                let mut bits = Draws::new(*seed);
                let values: Vec<f64> = (0..8).map(|_| math::inverse_normal_cdf(bits.open01())).collect();
                let [low, high] = Summary::of(&values).and_then(|s| s.interval(0.95)).unwrap_or([1.0, 1.0]);
                low <= 0.0 && 0.0 <= high
            })
            .count();
        assert!((1860..1940).contains(&covered), "{covered} of 2000 at 95 %");
    }

    /// By the quantiles of chi-square of another library.
    #[test]
    fn the_exact_interval_of_a_count_is_the_one_in_the_tables() {
        for (events, confidence, low, high) in [
            (0.0, 0.95, 0.0, 3.688_879),
            (1.0, 0.95, 0.025_318, 5.571_643),
            (10.0, 0.95, 4.795_389, 18.390_356),
            (100.0, 0.95, 81.363_991, 121.626_794),
            (10_000.0, 0.99, 9_744.295_610, 10_260.473_827),
        ] {
            let [from, to] = poisson_interval(events, 1.0, confidence);
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.max(1.0);
            assert!(near(from, low) && near(to, high), "{events}: {from} to {to}");
        }
        assert_eq!(poisson_interval(8.0, 4.0, 0.99), poisson_interval(8.0, 1.0, 0.99).map(|end| end / 4.0));
    }

    #[test]
    fn a_wide_interval_never_agrees() {
        let agreement = |estimate, half, reference, tolerance| {
            super::agreement(estimate, [estimate - half, estimate + half], reference, tolerance)
        };
        assert_eq!(agreement(10.1, 0.05, 10.0, 0.2), Agreement::Agrees);
        assert_eq!(agreement(10.15, 0.13, 10.0, 0.2), Agreement::Agrees);
        assert_eq!(agreement(10.1, 0.15, 10.0, 0.2), Agreement::Undecided);
        assert_eq!(agreement(10.1, f64::INFINITY, 10.0, 0.2), Agreement::Undecided);
        assert_eq!(agreement(10.0, 0.0, 10.0, 0.0), Agreement::Agrees);
        // The intervals overlap, and the estimate is off by nearly twice the tolerance.
        assert_eq!(agreement(10.39, 0.2, 10.0, 0.2), Agreement::Undecided);
        assert_eq!(agreement(10.29, 0.1, 10.0, 0.2), Agreement::Undecided);
        assert_eq!(agreement(10.31, 0.1, 10.0, 0.2), Agreement::Parts);
        assert_eq!(agreement(9.69, 0.1, 10.0, 0.2), Agreement::Parts);
        assert_eq!(agreement(10.5, 0.05, 10.0, 0.2), Agreement::Parts);
        assert_eq!(agreement(1.0, 0.0, 0.0, 0.0), Agreement::Parts);
        // An interval that is not in the middle counts by its longer side.
        assert_eq!(super::agreement(10.0, [9.99, 10.15], 10.0, 0.2), Agreement::Undecided);
    }

    #[test]
    fn pairs_are_compared_pair_by_pair() {
        let pairs: Vec<(f64, f64)> = (0..10).map(|i| (f64::from(i) + 1.0, f64::from(i))).collect();
        let compared = paired(&pairs).expect("pairs");
        assert_eq!((compared.difference.mean, compared.p_value), (1.0, Some(0.0)));
        assert!(compared.correlation.is_some_and(|r| (r - 1.0).abs() < 1e-12));
    }
}
