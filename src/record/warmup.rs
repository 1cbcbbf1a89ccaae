//! Where the warm-up ends, by MSER-5: White, Cobb and Spratt, "A comparison of five steady-state truncation
//! heuristics for simulation" (WSC 2000), after White (1997); White and Robinson, "The problem of the initial
//! transient (again), or why MSER works" (Journal of Simulation 4, 2010).
//!
//! The series is cut into batches of five; of all cuts in its first half, take the one that makes the squared
//! standard error of the mean of the rest least. A minimum at the very end of the first half means that the run is
//! too short or never steady.

/// Observations per batch.
pub const BATCH: usize = 5;
/// With fewer batches, nothing is cut off: the estimate would be noise.
pub const BATCHES_MIN: usize = 10;

/// What MSER-5 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// How many observations to leave out at the start.
    pub observations: usize,
    /// Whether the series looks steady after it: the best cut is not the last one that was allowed.
    pub steady: bool,
}

/// MSER-5 on observations in order. A remainder of fewer than five at the end is left aside.
pub fn mser5(observations: impl ExactSizeIterator<Item = f64>) -> Cut {
    let batches = batch_means(observations);
    if batches.len() < BATCHES_MIN {
        return Cut { observations: 0, steady: true };
    }
    let last_allowed = batches.len() / 2;
    let (mut mean, mut squares, mut count) = (0.0f64, 0.0f64, 0.0f64);
    let mut best = (f64::INFINITY, 0);
    for (cut, value) in batches.iter().enumerate().rev() {
        // Welford's recurrence from the back: mean and squared deviations of batches[cut..]
        count += 1.0;
        let difference = value - mean;
        mean += difference / count;
        squares += difference * (value - mean);
        let statistic = squares / (count * count);
        if cut <= last_allowed && statistic <= best.0 {
            best = (statistic, cut);
        }
    }
    Cut { observations: best.1 * BATCH, steady: best.1 < last_allowed }
}

fn batch_means(observations: impl ExactSizeIterator<Item = f64>) -> Vec<f64> {
    let mut means = Vec::with_capacity(observations.len() / BATCH);
    let (mut sum, mut held) = (0.0, 0);
    for value in observations {
        sum += value;
        held += 1;
        if held == BATCH {
            means.push(sum / BATCH as f64);
            (sum, held) = (0.0, 0);
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, word for word, in quadratic time.
    fn naive(values: &[f64]) -> usize {
        let means: Vec<f64> =
            values.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
        let statistic = |cut: usize| {
            let rest = &means[cut..];
            let mean = rest.iter().sum::<f64>() / rest.len() as f64;
            rest.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>()
                / (rest.len() as f64 * rest.len() as f64)
        };
        let cuts = 0..=means.len() / 2;
        cuts.min_by(|a, b| statistic(*a).total_cmp(&statistic(*b))).unwrap() * BATCH
    }

    fn noise(n: u64) -> f64 {
        ((n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64) / (1u64 << 24) as f64
    }

    #[test]
    fn the_transient_is_cut_and_the_rest_kept() {
        let values: Vec<f64> =
            (0..5000).map(|n| noise(n) + if n < 700 { 5.0 - n as f64 / 140.0 } else { 0.0 }).collect();
        let cut = mser5(values.iter().copied());
        assert!(cut.steady);
        assert!((450..800).contains(&cut.observations), "{cut:?}");
        assert_eq!(cut.observations, naive(&values));
    }

    #[test]
    fn it_agrees_with_the_definition_on_noise() {
        for seed in 0..20 {
            let values: Vec<f64> = (0..403).map(|n| noise(n + 1000 * seed)).collect();
            assert_eq!(mser5(values.iter().copied()).observations, naive(&values));
        }
    }

    #[test]
    fn a_series_that_never_settles_is_called_unsteady() {
        assert!(!mser5((0..1000).map(f64::from)).steady);
        assert_eq!(mser5((0..49).map(f64::from)), Cut { observations: 0, steady: true });
    }
}
