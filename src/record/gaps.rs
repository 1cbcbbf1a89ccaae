//! Successes over time, and the longest stretch without one.

use crate::base::time::{Span, Time};
use crate::record::series::Window;

/// The successes of a stretch of time: the first, the last, and the longest gap between two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    ends: Option<(Time, Time)>,
    longest: Span,
}

impl Gaps {
    /// One more, not before the last.
    pub fn success(&mut self, at: Time) {
        let (first, last) = self.ends.unwrap_or((at, at));
        self.longest = self.longest.max(at.since(last));
        self.ends = Some((first, at));
    }

    /// What came after it.
    pub fn merge(&mut self, later: &Gaps) {
        let Some((first, last)) = later.ends else { return };
        self.success(first);
        let begin = self.ends.map_or(first, |(begin, _)| begin);
        self.longest = self.longest.max(later.longest);
        self.ends = Some((begin, last));
    }

    /// The longest time without a success in a window that holds them all, its ends included.
    pub fn longest(&self, window: Window) -> Span {
        match self.ends {
            None => window.span(),
            Some((first, last)) => self.longest.max(first.since(window.from)).max(window.until.since(last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(instants: &[u64]) -> Gaps {
        let mut gaps = Gaps::default();
        instants.iter().for_each(|at| gaps.success(Time::from_ns(*at)));
        gaps
    }

    #[test]
    fn the_longest_gap_may_be_at_either_end_or_between() {
        let window = Window { from: Time::from_ns(10), until: Time::from_ns(100) };
        for (instants, longest) in
            [(&[][..], 90), (&[50], 50), (&[20, 30, 95], 65), (&[70, 80, 90], 60), (&[12, 13, 14], 86)]
        {
            assert_eq!(gaps(instants).longest(window), Span::from_ns(longest), "{instants:?}");
        }
    }

    #[test]
    fn parts_make_the_whole() {
        let all = [3u64, 9, 9, 40, 41, 77];
        for cut in 0..=all.len() {
            let mut first = gaps(&all[..cut]);
            first.merge(&gaps(&all[cut..]));
            assert_eq!(first, gaps(&all), "cut at {cut}");
        }
    }
}
