//! Tests of the distributions: against the distribution functions of `statrs`, the moments of `rand_distr`, and
//! golden draws.

use rand_distr::Distribution;
use statrs::distribution::{self as oracle, ContinuousCDF};

use super::*;
use crate::base::rng::Stream;

const DRAWS: usize = 40_000;

fn draws(distribution: &Dist, name: u64) -> Vec<f64> {
    let mut stream = Stream::new(7, name);
    (0..DRAWS).map(|_| distribution.sample(&mut stream)).collect()
}

/// Kolmogorov and Smirnov's distance of the draws from a distribution function, times √n: above 1.95 once in 1000.
fn distance(distribution: &Dist, cdf: impl Fn(f64) -> f64) -> f64 {
    let mut sorted = draws(distribution, 1);
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let apart = |(i, x): (usize, &f64)| {
        let p = cdf(*x);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    sorted.iter().enumerate().map(apart).fold(0.0, f64::max) * n.sqrt()
}

fn check(distribution: Result<Dist, String>, cdf: impl Fn(f64) -> f64) {
    let distribution = distribution.expect("a good distribution");
    let distance = distance(&distribution, cdf);
    assert!(distance < 1.95, "{distribution:?} is off its distribution function by {distance}");
}

#[test]
fn draws_follow_their_distribution_functions() {
    let exponential = oracle::Exp::new(0.25).unwrap();
    check(Dist::exponential(4.0), |x| exponential.cdf(x));
    check(Dist::uniform(2.0, 5.0, None), |x| (x - 2.0) / 3.0);
    let normal = oracle::Normal::new(10.0, 2.0).unwrap();
    check(Dist::normal(10.0, 2.0), |x| normal.cdf(x));
    let wide = oracle::Normal::new(1.0, 2.0).unwrap();
    check(Dist::normal(1.0, 2.0), |x| (wide.cdf(x) - wide.cdf(0.0)) / (1.0 - wide.cdf(0.0)));
    let lognormal = oracle::LogNormal::new(0.5, 1.25).unwrap();
    check(Ok(Dist::LogNormal { mu: 0.5, sigma: 1.25 }), |x| lognormal.cdf(x));
    for shape in [0.2, 1.0, 1.5, 40.0] {
        let gamma = oracle::Gamma::new(shape, 1.0 / 3.0).unwrap();
        check(Ok(Dist::Gamma { shape, scale: 3.0 }), |x| gamma.cdf(x));
    }
    for shape in [0.5, 1.0, 3.0] {
        let weibull = oracle::Weibull::new(shape, 2.0).unwrap();
        check(Dist::weibull(2.0, shape), |x| weibull.cdf(x));
    }
    for alpha in [0.8, 1.51, 10.0] {
        let pareto = oracle::Pareto::new(0.235, alpha).unwrap();
        check(Dist::pareto(0.235, alpha), |x| pareto.cdf(x));
    }
    let distributions =
        [(0.25, Dist::Exponential { mean: 4.0 }), (0.75, Dist::Uniform { low: 1.0, high: 2.0, step: None })];
    check(Dist::mix(&distributions), |x| 0.25 * exponential.cdf(x) + 0.75 * (x - 1.0).clamp(0.0, 1.0));
    // The leaf of a fan-out: log-linear pieces.
    let points = [(0.0, 0.3), (0.5, 1.0), (0.95, 5.0), (0.99, 10.0), (1.0, 100.0)];
    check(Dist::quantiles(&points), |x| {
        let end = points.partition_point(|(_, value)| *value < x).clamp(1, points.len() - 1);
        let ((p0, low), (p1, high)) = (points[end - 1], points[end]);
        p0 + (p1 - p0) * libm::log(x / low) / libm::log(high / low)
    });
}

#[test]
fn a_wrong_distribution_is_caught_by_the_same_test() {
    let other = oracle::Exp::new(1.0 / 4.2).unwrap();
    assert!(distance(&Dist::Exponential { mean: 4.0 }, |x| other.cdf(x)) > 1.95);
}

#[test]
fn means_are_the_means_of_the_draws() {
    let distributions = [
        Dist::constant(3.0),
        Dist::uniform(1.0, 4.0, None),
        Dist::uniform(1.0, 2.05, Some(0.25)),
        Dist::exponential(2.0),
        Dist::normal(1.0, 2.0),
        Dist::normal(1.0, 0.0),
        Dist::lognormal_from_quantiles(4.0, 12.0),
        Dist::lognormal_from_mean_cv(3.0, 0.5),
        Dist::gamma_from_mean_cv(3.0, 1.5),
        Dist::gamma_from_mean_cv(3.0, 0.0),
        Dist::weibull(2.0, 0.9),
        Dist::pareto(1.0, 3.0),
        Dist::quantiles(&[(0.0, 0.0), (0.2, 1.0), (0.5, 1.0), (1.0, 8.0)]),
        Dist::empirical(&[1.0, 2.0, 6.0]),
        Dist::mix(&[(0.9, Dist::Constant(1.0)), (0.1, Dist::Constant(11.0))]),
    ];
    for distribution in distributions {
        let distribution = distribution.expect("a good distribution");
        let values = draws(&distribution, 2);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        let expected = distribution.mean().expect("it has one");
        assert!(
            (mean - expected).abs() <= 3.5 * sd / n.sqrt() + 1e-12 * mean,
            "{distribution:?}: {mean} is not {expected}"
        );
    }
    assert_eq!(Dist::pareto(1.0, 1.0).unwrap().mean(), None);
    assert_eq!(Dist::mix(&[(1.0, Dist::Pareto { min: 1.0, alpha: 0.5 })]).unwrap().mean(), None);
}

/// The constructors' meaning of "mean and cv", against another implementation's draws.
#[test]
fn means_and_variations_are_those_asked_for() {
    let mut other = rand_chacha_for_rand();
    for cv in [0.5, 1.0, 2.0] {
        let shape = 1.0 / (cv * cv);
        let theirs = rand_distr::Gamma::new(shape, 5.0 / shape).unwrap();
        let mut theirs: Vec<f64> = (0..DRAWS).map(|_| theirs.sample(&mut other)).collect();
        let mut ours = draws(&Dist::gamma_from_mean_cv(5.0, cv).unwrap(), 3);
        theirs.sort_by(f64::total_cmp);
        ours.sort_by(f64::total_cmp);
        for share in [0.1, 0.25, 0.5, 0.75, 0.9] {
            let theirs = theirs[(share * DRAWS as f64) as usize];
            let below = ours.partition_point(|x| *x < theirs) as f64 / DRAWS as f64;
            assert!(
                (below - share).abs() < 0.012,
                "cv {cv}: {below} of ours are below their quantile of {share}"
            );
        }
    }
    let Dist::LogNormal { mu, sigma } = Dist::lognormal_from_mean_cv(3.0, 0.5).unwrap() else {
        panic!("a log-normal")
    };
    let distribution = oracle::LogNormal::new(mu, sigma).unwrap();
    use statrs::statistics::Distribution as _;
    assert!((distribution.mean().unwrap() - 3.0).abs() < 1e-9);
    assert!((distribution.std_dev().unwrap() - 1.5).abs() < 1e-9);
    let Dist::LogNormal { mu, sigma } = Dist::lognormal_from_quantiles(4e6, 4e7).unwrap() else {
        panic!("a log-normal")
    };
    let distribution = oracle::LogNormal::new(mu, sigma).unwrap();
    assert!((distribution.cdf(4e6) - 0.5).abs() < 1e-9);
    assert!((distribution.cdf(4e7) - 0.99).abs() < 1e-9);
}

fn rand_chacha_for_rand() -> rand_chacha::ChaCha8Rng {
    rand_core::SeedableRng::from_seed([5; 32])
}

#[test]
fn stepped_and_empirical_distributions_give_each_of_their_values_and_no_other() {
    let mut seen: Vec<u64> = draws(&Dist::uniform(0.0, 0.3, Some(0.1)).unwrap(), 4)
        .iter()
        .map(|x| (x * 10.0).round() as u64)
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [0, 1, 2, 3]);
    let mut seen = draws(&Dist::empirical(&[4.0, 2.0, 2.0]).unwrap(), 4);
    let twos = seen.iter().filter(|x| **x == 2.0).count() as f64 / DRAWS as f64;
    assert!((twos - 2.0 / 3.0).abs() < 0.01, "{twos}");
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    assert_eq!(seen, [2.0, 4.0]);
}

#[test]
fn spans_round_to_the_nearest_nanosecond_and_saturate() {
    let cases = [
        (0.0, 0),
        (0.4, 0),
        (2.6, 3),
        (5e6, 5_000_000),
        (1e15 + 0.25, 1_000_000_000_000_000),
        (3e15, 3_000_000_000_000_000),
    ];
    for (value, ns) in cases {
        assert_eq!(Dist::Constant(value).span(&mut Stream::new(1, 1)), Span::from_ns(ns));
    }
    assert_eq!(nearest_span(f64::INFINITY), Span::MAX);
    assert_eq!(nearest_span(-1.0), Span::ZERO);
    assert_eq!(nearest_span(f64::NAN), Span::ZERO);
}

#[test]
fn bad_arguments_are_refused_in_words() {
    let normal = |mean, sd| Dist::normal(mean, sd);
    let cases = [
        (Dist::constant(-1.0), "the value must not be negative"),
        (Dist::constant(f64::INFINITY), "the value must not be negative"),
        (Dist::uniform(3.0, 2.0, None), "the upper end must not be below the lower end"),
        (Dist::uniform(0.0, f64::NAN, None), "the upper end must not be below the lower end"),
        (Dist::uniform(0.0, 1.0, Some(0.0)), "the step must be above 0"),
        (Dist::uniform(0.0, 1e9, Some(1e-9)), "the step is too small for the range"),
        (normal(-1.0, 1.0), "the mean must not be negative"),
        (normal(1.0, f64::NAN), "sd must not be negative"),
        (Dist::exponential(f64::NAN), "the mean must not be negative"),
        (Dist::lognormal_from_quantiles(0.0, 1.0), "p50 must be above 0"),
        (Dist::lognormal_from_quantiles(2.0, 1.0), "p99 must not be below p50"),
        (Dist::lognormal_from_mean_cv(1.0, -0.1), "cv must be from 0 to 1000"),
        (Dist::gamma_from_mean_cv(0.0, 1.0), "the mean must be above 0"),
        (Dist::weibull(1.0, 0.0), "the shape must be from 0.01 to 10000"),
        (Dist::pareto(0.0, 1.0), "min must be above 0"),
        (Dist::quantiles(&[]), "quantiles need p0 and p100 at least"),
        (Dist::quantiles(&[(0.0, 1.0), (0.9, 2.0)]), "quantiles begin with p0 and end with p100"),
        (
            Dist::quantiles(&[(0.0, 1.0), (0.5, 2.0), (0.5, 3.0), (1.0, 4.0)]),
            "quantiles must be given in rising order, each once",
        ),
        (Dist::quantiles(&[(0.0, 2.0), (1.0, 1.0)]), "a higher quantile must not have a lower value"),
        (Dist::empirical(&[]), "an empirical distribution needs one value at least"),
        (Dist::mix(&[]), "a mix needs one distribution at least"),
        (Dist::mix(&[(0.5, Dist::Constant(1.0))]), "the shares of a mix add to 100%, not to 50%"),
    ];
    for (distribution, message) in cases {
        assert_eq!(distribution, Err(message.to_string()));
    }
}

#[test]
fn draws_never_change() {
    let distributions: [(Dist, [u64; 3]); 11] = [
        (
            Dist::Uniform { low: 1.0, high: 3.0, step: None },
            [0x4002_F834_65AC_8292, 0x3FFD_D01E_CEFA_6E61, 0x4003_EA81_B5BD_4C80],
        ),
        (
            Dist::Uniform { low: 1.0, high: 3.0, step: Some(0.01) },
            [0x4002_F5C2_8F5C_28F6, 0x3FFD_C28F_5C28_F5C2, 0x4003_EB85_1EB8_51EC],
        ),
        (
            Dist::Exponential { mean: 1e6 },
            [0x4117_09E6_0E18_F179, 0x4129_A37F_C783_3544, 0x4111_FCBC_BF01_C0D0],
        ),
        (
            Dist::Normal { mean: 1.0, sd: 1.0 },
            [0x3FF7_BC09_ABA7_55DE, 0x3FEA_7DA7_581F_FB9A, 0x3FFA_8771_BE20_1638],
        ),
        (
            Dist::LogNormal { mu: 1.0, sigma: 2.0 },
            [0x401C_976C_F027_04EC, 0x3FFE_D2B9_AD97_C096, 0x4024_45D8_E438_5A3A],
        ),
        (
            Dist::Gamma { shape: 2.5, scale: 2.0 },
            [0x4017_ABF3_4F15_2261, 0x401A_4B71_4CC5_ADB5, 0x4009_77C3_E5DB_5421],
        ),
        (
            Dist::Gamma { shape: 0.3, scale: 2.0 },
            [0x3FF2_42F2_0A19_A279, 0x3F52_338A_5323_6645, 0x3FE7_35A5_E0AC_822C],
        ),
        (
            Dist::Weibull { scale: 2.0, shape: 0.7 },
            [0x3FDF_D2D5_B050_4ABC, 0x3FF8_F338_96F0_5E06, 0x3FD6_586C_B2F6_6BD4],
        ),
        (
            Dist::Pareto { min: 1.0, alpha: 1.5 },
            [0x3FF4_9405_18EB_90C9, 0x3FFC_035D_AFD5_374F, 0x3FF3_793B_0E5D_24BB],
        ),
        (
            Dist::quantiles(&[(0.0, 0.0), (0.5, 1.0), (1.0, 9.0)]).unwrap(),
            [0x4002_158C_B8BE_78ED, 0x3FEB_A03D_9DF4_DCC2, 0x4007_73F1_AD66_7092],
        ),
        (
            Dist::mix(&[(0.5, Dist::Empirical([1.0, 2.0, 3.0].into())), (0.5, Dist::Constant(4.0))]).unwrap(),
            [0x4010_0000_0000_0000, 0x4008_0000_0000_0000, 0x4010_0000_0000_0000],
        ),
    ];
    for (distribution, golden) in distributions {
        let mut stream = Stream::new(11, 13);
        let drawn = [(); 3].map(|()| distribution.sample(&mut stream).to_bits());
        assert_eq!(drawn, golden, "{distribution:?} gives {drawn:#018X?}");
    }
}
