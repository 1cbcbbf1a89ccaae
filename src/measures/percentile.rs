//! Percentiles: by nearest rank where everything is known, by the product-limit estimate where requests were under way at an
//! edge of what is looked at.
//!
//! Kaplan & Meier, "Nonparametric estimation from incomplete observations" (JASA 53, 1958); with delayed entry it is Lynden-Bell's
//! estimate (MNRAS 155, 1971): Klein & Moeschberger, "Survival Analysis" (2nd edition, 2003), sections 4.2 and 4.6. At each age at
//! which requests ended the share of those that had not ended by then falls by the factor 1 − d/r, where d of the r ended that were in
//! sight at that age. A request that comes into sight at an age, or leaves it, is in sight at that age.

use crate::record::observed::{Observed, Values};

/// A percentile, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantile {
    /// It is this.
    At(u64),
    /// No less than this, which is the oldest age that was seen.
    AtLeast(u64),
}

/// A percent in hundred-millionths, so that 99.9 % of 1000 is 999 and not the next float above.
fn share(percent: f64) -> u64 {
    (percent * 1e6 + 0.5) as u64
}

const WHOLE: u64 = 100_000_000;

/// The rank of a percentile among `n` samples: the ⌈percent·n/100⌉-th smallest, counted from 1.
pub fn rank(percent: f64, n: u64) -> u64 {
    let whole = u128::from(WHOLE);
    ((u128::from(share(percent)) * u128::from(n)).div_ceil(whole) as u64).max(1)
}

/// The value of a rank, counted from 1; `None`: there are fewer.
pub fn by_rank(values: &Values, rank: u64) -> Option<u64> {
    if values.binned.is_empty() {
        return values.exact.get((rank - 1) as usize).copied();
    }
    let mut below = 0;
    values.steps().find_map(|(value, many)| {
        below += many;
        (below >= rank).then_some(value)
    })
}

/// The percentile of values that are all known; `None` of none.
pub fn nearest_rank(values: &Values, percent: f64) -> Option<u64> {
    by_rank(values, rank(percent, values.many()))
}

/// The percentile of what was seen; `None` when nothing was.
pub fn percentile(seen: &Observed, percent: f64) -> Option<Quantile> {
    if seen.entries.is_empty() && seen.censored.is_empty() {
        return nearest_rank(&seen.ends, percent).map(Quantile::At);
    }
    product_limit(seen, percent)
}

/// How far we are among values in order.
#[derive(Default)]
struct Reader {
    exact: usize,
    binned: usize,
    /// How many of the binned lie before.
    in_bins: u64,
}

impl Reader {
    /// Goes on over all values for which `before` holds; says how many lie behind.
    fn skip(&mut self, values: &Values, before: impl Fn(u64) -> bool) -> u64 {
        self.exact += values.exact[self.exact..].partition_point(|value| before(*value));
        while let Some((_, many)) = values.binned.get(self.binned).filter(|(value, _)| before(*value)) {
            self.binned += 1;
            self.in_bins += many;
        }
        self.exact as u64 + self.in_bins
    }
}

/// The product-limit estimate; with nothing under way at either edge it is the nearest rank.
///
/// From one age at which somebody comes into sight or leaves it to the next the factors of the product cancel: of r in sight r − d go on after d
/// ends. So only those ages are looked at, and the ends in between are found by their ranks.
fn product_limit(seen: &Observed, percent: f64) -> Option<Quantile> {
    // Equal but for what rounding has left: the steps of the curve are larger by far.
    let enough = WHOLE.saturating_sub(share(percent)) as f64 / WHOLE as f64 * (1.0 + 1e-9);
    let all = seen.ends.many() + seen.censored.len() as u64;
    let mut in_sight = all - seen.entries.len() as u64;
    let mut longer = 1.0f64; // the share that takes longer
    let (mut ended, mut reader) = (0, Reader::default());
    let (mut entries, mut exits) = (seen.entries.iter().peekable(), seen.censored.iter().peekable());
    loop {
        // Who comes into sight at an age is in sight at it, and so is who leaves it then.
        let (until, change) = match (entries.peek(), exits.peek()) {
            (Some(entry), exit) if exit.is_none_or(|exit| entry <= exit) => {
                let age = **entry;
                (reader.skip(&seen.ends, |value| value < age), entries.next().map(|_| 1))
            }
            (_, Some(exit)) => {
                let age = **exit;
                (reader.skip(&seen.ends, |value| value <= age), exits.next().map(|_| -1))
            }
            _ => (seen.ends.many(), None),
        };
        let left = |many: u64| longer * ((in_sight - many) as f64 / in_sight as f64);
        let many = until - ended;
        if many > 0 && left(many) <= enough {
            // The least number of ends after which few enough are left, from its estimate on.
            let estimate = in_sight as f64 * (1.0 - enough / longer);
            let mut least = (estimate as u64).clamp(1, many);
            while least > 1 && left(least - 1) <= enough {
                least -= 1;
            }
            while left(least) > enough {
                least += 1;
            }
            return by_rank(&seen.ends, ended + least).map(Quantile::At);
        }
        if many > 0 {
            longer = left(many);
        }
        (in_sight, ended) = (in_sight - many, until);
        match change {
            Some(by) => in_sight = in_sight.saturating_add_signed(by),
            None => break,
        }
    }
    let last = seen.ends.exact.last().copied().max(seen.ends.binned.last().map(|(value, _)| *value));
    last.max(seen.censored.last().copied()).map(Quantile::AtLeast)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::rng::{Bits, Stream};

    fn exact(values: &[u64]) -> Values {
        Values { exact: values.to_vec(), binned: Vec::new() }
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let sorted: Vec<u64> = (1..=1000).collect();
        for (percent, value) in
            [(0.0, 1), (50.0, 500), (99.0, 990), (99.9, 999), (99.95, 1000), (100.0, 1000)]
        {
            assert_eq!(nearest_rank(&exact(&sorted), percent), Some(value), "p{percent}");
        }
        assert_eq!(nearest_rank(&exact(&[]), 50.0), None, "an empty sample has no percentile");
    }

    #[test]
    fn with_nothing_open_the_product_limit_is_the_nearest_rank() {
        for n in [1u64, 2, 3, 7, 100, 999, 1000, 12_345] {
            let mut ends: Vec<u64> = (0..n).map(|i| i * 7919 % 1009).collect(); // with ties
            ends.sort_unstable();
            let seen = Observed { ends: exact(&ends), ..Observed::default() };
            for percent in [0.0, 0.1, 1.0, 33.3, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 100.0] {
                let nearest = nearest_rank(&seen.ends, percent).map(Quantile::At);
                assert_eq!(product_limit(&seen, percent), nearest, "p{percent} of {n}");
            }
        }
    }

    /// The estimate as it is written down, factor by factor.
    fn step_by_step(seen: &Observed, percent: f64) -> Option<Quantile> {
        let enough = WHOLE.saturating_sub(share(percent)) as f64 / WHOLE as f64 * (1.0 + 1e-9);
        let mut ages: Vec<u64> = seen.ends.steps().map(|(age, _)| age).collect();
        ages.dedup();
        let mut longer = 1.0f64;
        for age in &ages {
            let ended: u64 = seen.ends.steps().filter(|(other, _)| other == age).map(|(_, many)| many).sum();
            let later: u64 = seen.ends.steps().filter(|(other, _)| other >= age).map(|(_, many)| many).sum();
            let exits = seen.censored.iter().filter(|exit| *exit >= age).count() as u64;
            let to_come = seen.entries.iter().filter(|entry| *entry > age).count() as u64;
            let in_sight = later + exits - to_come;
            longer *= (in_sight - ended) as f64 / in_sight as f64;
            if longer <= enough {
                return Some(Quantile::At(*age));
            }
        }
        ages.last().max(seen.censored.last()).copied().map(Quantile::AtLeast)
    }

    #[test]
    fn it_is_that_of_the_factors_one_by_one() {
        let mut draws = Stream::new(7, 0);
        for case in 0..3_000 {
            let (mut seen, mut binned) = (Observed::default(), BTreeMap::new());
            for _ in 0..draws.below(30) {
                let exit = draws.below(20);
                match draws.below(4) {
                    0 => seen.censored.push(exit),
                    1 => *binned.entry(exit).or_insert(0) += 1,
                    _ => seen.ends.exact.push(exit),
                }
                if draws.below(3) == 0 {
                    seen.entries.push(draws.below(exit + 1));
                }
            }
            seen.ends.binned = binned.into_iter().collect();
            for ages in [&mut seen.ends.exact, &mut seen.censored, &mut seen.entries] {
                ages.sort_unstable();
            }
            for percent in [0.0, 1.0, 25.0, 33.3, 50.0, 66.7, 75.0, 90.0, 99.0, 99.9, 100.0] {
                let both = (product_limit(&seen, percent), step_by_step(&seen, percent));
                assert_eq!(both.0, both.1, "case {case}: p{percent} of {seen:?}");
            }
        }
    }

    /// Remission of 21 children with leukaemia under 6-MP, weeks: Freireich et al. (Blood 21, 1963); the curve is that of Klein &
    /// Moeschberger, table 4.1: .857 at 6, .807 at 7, .753 at 10, .690 at 13, .627 at 16, .538 at 22, .448 at 23.
    #[test]
    fn it_is_that_of_the_textbook_with_censoring() {
        let seen = Observed {
            ends: exact(&[6, 6, 6, 7, 10, 13, 16, 22, 23]),
            entries: Vec::new(),
            censored: vec![6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35],
        };
        let curve = [(6, 0.857), (7, 0.807), (10, 0.753), (13, 0.690), (16, 0.627), (22, 0.538), (23, 0.448)];
        for (week, longer) in curve {
            let at = |share: f64| percentile(&seen, 100.0 * (1.0 - share));
            assert_eq!(at(longer + 0.001), Some(Quantile::At(week)), "down to {longer} in week {week}");
            assert_ne!(at(longer - 0.001), Some(Quantile::At(week)), "and no further");
        }
        assert_eq!(percentile(&seen, 50.0), Some(Quantile::At(23)));
        assert_eq!(percentile(&seen, 60.0), Some(Quantile::AtLeast(35)), "the curve ends at .448");
    }

    /// By hand. Who (entry to exit, + for under way then): a 0–2, b 0–5, c 1–3+, d 3–4, e 3–8, f 6–7, g 0–8+.
    /// At 2: a b c g are in sight, 3/4 go on. At 4: b d e g, 9/16. At 5: b e g, 3/8. At 7: e f g, 1/4. At 8: e g, 1/8.
    #[test]
    fn it_is_that_of_a_computation_by_hand_with_delayed_entry() {
        let seen =
            Observed { ends: exact(&[2, 4, 5, 7, 8]), entries: vec![1, 3, 3, 6], censored: vec![3, 8] };
        let cases = [
            (25.0, 2),
            (26.0, 4),
            (43.75, 4),
            (44.0, 5),
            (62.5, 5),
            (63.0, 7),
            (75.0, 7),
            (76.0, 8),
            (87.5, 8),
        ];
        for (percent, age) in cases {
            assert_eq!(percentile(&seen, percent), Some(Quantile::At(age)), "p{percent}");
        }
        assert_eq!(percentile(&seen, 88.0), Some(Quantile::AtLeast(8)));
    }

    #[test]
    fn where_nothing_ended_the_oldest_age_is_a_bound() {
        let seen = Observed { ends: exact(&[]), entries: vec![4], censored: vec![1, 9] };
        assert_eq!(percentile(&seen, 1.0), Some(Quantile::AtLeast(9)));
        assert_eq!(percentile(&Observed::default(), 50.0), None);
    }

    #[test]
    fn binned_values_have_the_ranks_of_their_values() {
        let values = Values { exact: vec![3, 5, 9], binned: vec![(2, 2), (5, 4), (11, 1)] };
        let all: Vec<u64> = values.steps().flat_map(|(value, many)| vec![value; many as usize]).collect();
        assert_eq!(all, [2, 2, 3, 5, 5, 5, 5, 5, 9, 11]);
        for (place, value) in all.iter().enumerate() {
            assert_eq!(by_rank(&values, place as u64 + 1), Some(*value));
        }
        assert_eq!(by_rank(&values, 11), None);
    }
}
