//! Floating-point mathematics that gives the same bits on every machine, for everything that reaches results.
//!
//! std's `ln`, `exp`, `powf` and the like call the platform's library, whose last bits depend on the platform and even
//! on whether the processor has fused multiply-add. Here is either plain IEEE arithmetic, which Rust never contracts,
//! or the `libm` crate. (`sqrt`, `floor`, `abs` and the like are exact in IEEE arithmetic; std's are fine.)

/// Intervals of the table: each covers 1/128 of a binade.
const INTERVALS: usize = 128;
/// Bits of 0.6875, where the reduced argument's range [0.6875, 1.375) begins. It is a boundary of the table's intervals, 1
/// is another, and 1 lies well inside.
const RANGE_BEGIN: u64 = 0x3FE6_0000_0000_0000;
/// (1/c, ln c) for a c in the middle of each interval.
const LN_TABLE: [(f64, f64); INTERVALS] = ln_table();

const fn ln_table() -> [(f64, f64); INTERVALS] {
    let mut table = [(1.0, 0.0); INTERVALS];
    let width = 1u64 << (52 - 7);
    let mut i = 0;
    while i < INTERVALS {
        let begin = RANGE_BEGIN + i as u64 * width;
        let one = 1f64.to_bits();
        // The two intervals that touch 1 keep (1, 0): there the reduction is exact, so that ln keeps its *relative*
        // precision where it goes through zero.
        if begin != one && begin + width != one {
            let inverse = 1.0 / f64::from_bits(begin + width / 2);
            table[i] = (inverse, -ln_by_series(inverse));
        }
        i += 1;
    }
    table
}

/// ln x = 2 artanh((x - 1) / (x + 1)) by its power series, for x in [0.7, 1.5]; for making the table.
const fn ln_by_series(x: f64) -> f64 {
    let s = (x - 1.0) / (x + 1.0);
    let mut sum = 0.0;
    let mut odd = 27;
    while odd >= 3 {
        sum = (sum + 1.0 / odd as f64) * (s * s);
        odd -= 2;
    }
    2.0 * (s + s * sum)
}

/// The natural logarithm: table and polynomial, no branch but for the odd argument, relative error below 8e-14.
///
/// After P. T. P. Tang, "Table-driven implementation of the logarithm function in IEEE floating-point arithmetic" (1990):
/// x = 2^k z, ln x = k ln 2 + ln c + ln(1 + r) with r = z / c - 1. Zero gives minus infinity, negative numbers NaN.
#[inline]
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    // One comparison finds zero, subnormal, negative and infinite numbers and NaN.
    if bits.wrapping_sub(f64::MIN_POSITIVE.to_bits()) >= f64::INFINITY.to_bits() - f64::MIN_POSITIVE.to_bits()
    {
        return ln_of_the_odd(x);
    }
    let offset = bits.wrapping_sub(RANGE_BEGIN);
    let (inverse, ln_c) = LN_TABLE[(offset >> (52 - 7)) as usize % INTERVALS];
    let k = (offset as i64 >> 52) as f64;
    let z = f64::from_bits(bits.wrapping_sub(offset & 0xFFF0_0000_0000_0000));
    let r = z * inverse - 1.0;
    // ln(1 + r) = r - r²/2 + … - r⁶/6, |r| ≤ 2^-7; what is left out is below 2^-44 of it.
    let r2 = r * r;
    let low = r * (1.0 / 3.0) - 0.5;
    let middle = r * (1.0 / 5.0) - 0.25;
    let tail = r2 * (low + r2 * (middle - r2 * (1.0 / 6.0)));
    (k * std::f64::consts::LN_2 + ln_c) + (r + tail)
}

#[cold]
fn ln_of_the_odd(x: f64) -> f64 {
    libm::log(x)
}

/// ln(1 + x), precise for small x.
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// The logarithm to base 10.
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// e^x.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e^x - 1, precise for small x.
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// `base` to the power of `exponent`.
pub fn powf(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

/// The gamma function: gamma(n + 1) = n!.
pub fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}

/// The logarithm of the gamma function, for x > 0.
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The error function's complement.
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// P(Z ≤ z) of a standard normal Z.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The density of a standard normal at `z`.
pub fn normal_density(z: f64) -> f64 {
    const INVERSE_SQRT_TAU: f64 = 0.398_942_280_401_432_7;
    INVERSE_SQRT_TAU * exp(-0.5 * z * z)
}

/// The z with P(Z ≤ z) = p of a standard normal Z, for p in (0, 1); relative error about 1e-15. Minus infinity at 0,
/// infinity at 1, NaN outside.
///
/// M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (1988), PPND16.
pub fn inverse_normal_cdf(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(&CENTRE, r);
    }
    if !(p > 0.0 && p < 1.0) {
        return match p {
            0.0 => f64::NEG_INFINITY,
            1.0 => f64::INFINITY,
            _ => f64::NAN,
        };
    }
    let r = (-ln(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let z = if r <= 5.0 { ratio(&SHOULDER, r - 1.6) } else { ratio(&TAIL, r - 5.0) };
    if q < 0.0 { -z } else { z }
}

/// A rational function: numerator and denominator, coefficients of the highest power first.
type Ratio = [[f64; 8]; 2];

fn ratio(of: &Ratio, x: f64) -> f64 {
    let [numerator, denominator] = of.map(|coefficients| coefficients.iter().fold(0.0, |sum, c| sum * x + c));
    numerator / denominator
}

// The coefficients as printed in the paper, digits beyond an f64 included.
#[allow(clippy::excessive_precision)]
const CENTRE: Ratio = [
    [
        2.5090809287301226727e+3,
        3.3430575583588128105e+4,
        6.7265770927008700853e+4,
        4.5921953931549871457e+4,
        1.3731693765509461125e+4,
        1.9715909503065514427e+3,
        1.3314166789178437745e+2,
        3.3871328727963666080e+0,
    ],
    [
        5.2264952788528545610e+3,
        2.8729085735721942674e+4,
        3.9307895800092710610e+4,
        2.1213794301586595867e+4,
        5.3941960214247511077e+3,
        6.8718700749205790830e+2,
        4.2313330701600911252e+1,
        1.0,
    ],
];
#[allow(clippy::excessive_precision)]
const SHOULDER: Ratio = [
    [
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258e+0,
        3.64784832476320460504e+0,
        5.76949722146069140550e+0,
        4.63033784615654529590e+0,
        1.42343711074968357734e+0,
    ],
    [
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940e+0,
        2.05319162663775882187e+0,
        1.0,
    ],
];
#[allow(clippy::excessive_precision)]
const TAIL: Ratio = [
    [
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580e+0,
        5.46378491116411436990e+0,
        6.65790464350110377720e+0,
    ],
    [
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{Bits, Stream};

    fn relative_error(value: f64, truth: f64) -> f64 {
        if value == truth { 0.0 } else { ((value - truth) / truth).abs() }
    }

    #[test]
    fn the_logarithm_is_within_its_error_everywhere() {
        let mut stream = Stream::new(1, 1);
        let check = |x: f64| {
            let error = relative_error(ln(x), libm::log(x));
            assert!(error < 8e-14, "ln({x:e}) is off by {error:e}");
        };
        for _ in 0..300_000 {
            check(stream.open01());
            check(1.0 + (stream.open01() - 0.5) / 16.0);
            check(f64::from_bits(stream.bits() % f64::INFINITY.to_bits()));
        }
        for exponent in 1..=53 {
            check(1.0 - 2f64.powi(-exponent));
            check(1.0 + 2f64.powi(1 - exponent));
        }
        for interval in 0..4 * INTERVALS as u64 {
            let boundary = RANGE_BEGIN + (interval << 45);
            check(f64::from_bits(boundary - 1));
            check(f64::from_bits(boundary));
        }
    }

    #[test]
    fn the_logarithm_of_odd_arguments_is_what_ieee_says() {
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(-0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert!(ln(-1.0).is_nan());
        assert!(ln(f64::NAN).is_nan());
        assert_eq!(ln(f64::MIN_POSITIVE / 4.0), libm::log(f64::MIN_POSITIVE / 4.0));
        assert!(relative_error(ln(f64::MAX), libm::log(f64::MAX)) < 1e-15);
    }

    #[test]
    fn the_logarithm_never_changes() {
        let golden = [
            (1e-300, 0xC085_9634_47F8_7FB5u64),
            (0.1, 0xC002_6BB1_BBB5_5515u64),
            (0.5, 0xBFE6_2E42_FEFA_39EFu64),
            (0.999, 0xBF50_6467_0D97_9B73u64),
            (1.001, 0x3F50_6035_4F8C_3CC4u64),
            (2.0, 0x3FE6_2E42_FEFA_39EFu64),
            (1e9, 0x4034_B927_F32B_FFB8u64),
        ];
        for (x, bits) in golden {
            assert_eq!(ln(x).to_bits(), bits, "ln({x}) is {:#018x}", ln(x).to_bits());
        }
    }

    #[test]
    fn normal_quantiles_agree_with_the_paper_and_with_the_distribution_function() {
        // The paper's own check values.
        for (p, z) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_814),
            (1e-20, -9.262_340_089_798_408),
        ] {
            assert!(relative_error(inverse_normal_cdf(p), z) < 2e-15, "{p}: {}", inverse_normal_cdf(p));
        }
        for i in 1..1000 {
            let p = i as f64 / 1000.0;
            assert!(relative_error(normal_cdf(inverse_normal_cdf(p)), p) < 1e-13, "{p}");
        }
        assert_eq!(inverse_normal_cdf(0.5), 0.0);
        assert_eq!(inverse_normal_cdf(0.0), f64::NEG_INFINITY);
        assert_eq!(inverse_normal_cdf(1.0), f64::INFINITY);
        assert!(inverse_normal_cdf(1.5).is_nan());
    }

    #[test]
    fn normal_quantiles_never_change() {
        let golden = [
            (1e-16, 0xC020_71B4_C29E_9B5Au64),
            (1e-5, 0xC011_0F3F_8843_A3DAu64),
            (0.07, 0xBFF7_9CD7_0D9C_27F0u64),
            (0.3, 0xBFE0_C7E3_9582_C5FAu64),
            (0.999, 0x4008_B8CB_B720_4470u64),
        ];
        for (p, bits) in golden {
            let z = inverse_normal_cdf(p);
            assert_eq!(z.to_bits(), bits, "of {p} is {:#018x}", z.to_bits());
        }
    }
}
