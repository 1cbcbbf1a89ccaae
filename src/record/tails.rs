//! Where the time of slow requests went: sums of their causes by latency, in steps of an eighth of each power of two.

use crate::base::cause::Causes;
use crate::base::time::Span;

/// Steps of a power of two, as a power of two.
const STEPS: u32 = 3;

/// Requests by latency: how many, and their time by cause.
#[derive(Clone, Debug, Default)]
pub struct Tails(Vec<(u64, Causes)>);

impl Tails {
    /// One more.
    #[inline]
    pub(super) fn put(&mut self, latency: Span, causes: &Causes) {
        let step = step(latency.as_ns());
        if step >= self.0.len() {
            self.0.resize(step + 1, (0, Causes::NONE));
        }
        let (many, sum) = &mut self.0[step];
        *many += 1;
        sum.merge(causes);
    }

    /// The time by cause of this share of the requests, the slowest, rounded up to a whole step.
    pub(super) fn slowest(&self, share: f64) -> Causes {
        let all: u64 = self.0.iter().map(|(many, _)| many).sum();
        let wanted = all as f64 * share;
        let (mut taken, mut sum) = (0, Causes::NONE);
        for (many, causes) in self.0.iter().rev() {
            if taken as f64 >= wanted {
                break;
            }
            taken += many;
            sum.merge(causes);
        }
        sum
    }
}

/// Which step a latency is in: exact below 2^(STEPS + 1) ns.
fn step(ns: u64) -> usize {
    let Some(power) = ns.checked_ilog2().filter(|power| *power > STEPS) else { return ns as usize };
    let within = (ns >> (power - STEPS)) as usize - (1 << STEPS);
    ((power as usize - STEPS as usize + 1) << STEPS) + within
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::cause::Cause;

    #[test]
    fn steps_are_in_order_and_an_eighth_wide() {
        let mut before = 0;
        for ns in 1..100_000u64 {
            let step = step(ns);
            assert!(step == before || step == before + 1, "{ns}: {step} after {before}");
            before = step;
        }
        assert_eq!(step(u64::MAX) + 1, (64 - STEPS as usize + 1) << STEPS);
        assert_eq!(step(1 << 20) + 8, step(1 << 21));
    }

    #[test]
    fn the_slowest_are_not_the_others() {
        let mut tails = Tails::default();
        for n in 0..1000u64 {
            let (cause, span) =
                if n % 100 == 7 { (Cause::Lock, Span::from_ms(900)) } else { (Cause::Cpu, Span::from_ms(5)) };
            tails.put(span, &Causes::only(cause, span));
        }
        let slowest = tails.slowest(0.01);
        assert_eq!((slowest.of(Cause::Lock), slowest.of(Cause::Cpu)), (Span::from_ms(9000), Span::ZERO));
        assert_eq!(tails.slowest(1.0).total(), Span::from_ms(9000 + 990 * 5));
        assert_eq!(Tails::default().slowest(0.01), Causes::NONE);
    }
}
