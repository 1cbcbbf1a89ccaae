//! Requests of a stretch of the run as somebody sees them who looks at nothing else: those that were under way when it began
//! come into sight at an age, and those that are when it ends leave it at an age.

use crate::base::cause::Cause;
use crate::base::time::{Span, Time};
use crate::record::probe::Probe;
use crate::record::sample::Sample;
use crate::record::series::Window;
use crate::record::sums::Which;

/// Values in order of size, some one by one and some binned: (value, how many). Nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// One by one.
    pub exact: Vec<u64>,
    /// Binned.
    pub binned: Vec<(u64, u64)>,
}

impl Values {
    fn sorted(mut self) -> Values {
        self.exact.sort_unstable();
        self
    }

    /// How many.
    pub fn many(&self) -> u64 {
        self.exact.len() as u64 + self.binned.iter().map(|(_, many)| many).sum::<u64>()
    }

    /// All in order.
    pub fn steps(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let (mut exact, mut binned) = (0, 0);
        std::iter::from_fn(move || match (self.exact.get(exact), self.binned.get(binned)) {
            (Some(value), other) if other.is_none_or(|(other, _)| value <= other) => {
                exact += 1;
                Some((*value, 1))
            }
            (_, Some(step)) => {
                binned += 1;
                Some(*step)
            }
            _ => None,
        })
    }
}

/// All requests in flight at some time of a window, by their ages, nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Ages at the ends of those that ended in it.
    pub ends: Values,
    /// Ages at which those came into sight that had begun before, in order.
    pub entries: Vec<u64>,
    /// Ages at its end of those that were under way then, in order.
    pub censored: Vec<u64>,
}

/// Requests that were meant to be sent in a window, whenever they ended, nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Of those that got an answer that is expected.
    pub answered: Values,
    /// How many failed.
    pub failed: u64,
    /// Ages when the run ended of those that were open, in order.
    pub open: Vec<u64>,
}

/// What happens to requests that are open when the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Open {
    /// They are under way, of whatever kind.
    AsTheyAre,
    /// They fail.
    Fail,
    /// They succeed at once.
    Succeed,
}

impl Probe {
    /// What is known of the latencies of a window: the first is the run's. `None`: there were too many samples to tell.
    pub fn observed(&self, window: (usize, Window), which: Which, open: Open) -> Option<Observed> {
        let (index, window) = window;
        let mut seen = Observed::default();
        if let Some(distributions) = &self.distributions {
            seen.ends.binned = distributions[index].latencies(which);
        }
        let age = |intended: Time, at: Time| at.since(intended).as_ns();
        for (_, sample) in self.samples_of(index, window)?.filter(|(_, sample)| which.takes(sample.how())) {
            if sample.intended < window.from {
                seen.entries.push(age(sample.intended, window.from));
            }
            match sample.ended() < window.until {
                true => seen.ends.exact.push(sample.latency().as_ns()),
                false => seen.censored.push(age(sample.intended, window.until)),
            }
        }
        let at_once =
            open == Open::Succeed && which != Which::Failed || open == Open::Fail && which == Which::Failed;
        if open == Open::AsTheyAre || which == Which::Any || at_once {
            for intended in self.left_open.iter().take_while(|intended| **intended < window.until) {
                if *intended < window.from {
                    seen.entries.push(age(*intended, window.from));
                }
                match open != Open::AsTheyAre && window.until >= self.end {
                    true => seen.ends.exact.push(age(*intended, window.until)),
                    false => seen.censored.push(age(*intended, window.until)),
                }
            }
        }
        seen.ends.exact.sort_unstable();
        seen.entries.sort_unstable();
        seen.censored.sort_unstable();
        Some(seen)
    }

    /// Those that were meant to be sent in a window: their latencies, or their times of a cause.
    pub fn sent(&self, window: (usize, Window), cause: Option<Cause>) -> Option<Sent> {
        let (index, window) = window;
        let mut sent = Sent::default();
        let exact = cause.filter(|_| self.distributions.is_none());
        let of_cause = exact.and_then(|cause| self.cause_samples.iter().find(|(of, _)| *of == cause));
        if let Some(distributions) = &self.distributions {
            sent.answered.binned = match cause {
                None => distributions[index].latencies(Which::Answered),
                Some(cause) => distributions[index].times(cause, Which::Answered),
            };
            sent.failed +=
                distributions[index].latencies(Which::Failed).iter().map(|(_, many)| many).sum::<u64>();
        }
        for (place, sample) in self.samples_of(index, window)? {
            if !window.contains(sample.intended) {
                continue;
            }
            match (sample.how().is_answer(), cause, of_cause) {
                (false, ..) => sent.failed += 1,
                (true, None, _) => sent.answered.exact.push(sample.latency().as_ns()),
                (true, Some(_), Some((_, times))) => sent.answered.exact.push(*times.get(place)?),
                (true, Some(_), None) => {} // among those of the histogram
            }
        }
        sent.answered = sent.answered.sorted();
        let open = self.left_open.iter().filter(|intended| window.contains(**intended));
        sent.open = open.map(|intended| self.end.since(*intended).as_ns()).collect();
        sent.open.sort_unstable();
        Some(sent)
    }

    /// What those that ended in a window spent on a cause.
    pub fn times(&self, window: (usize, Window), cause: Cause, which: Which) -> Option<Values> {
        let (index, window) = window;
        if let Some(distributions) = &self.distributions {
            return Some(Values { exact: Vec::new(), binned: distributions[index].times(cause, which) });
        }
        let (_, times) = self.cause_samples.iter().find(|(of, _)| *of == cause)?;
        let ended =
            |(_, sample): &(usize, Sample)| sample.ended() < window.until && which.takes(sample.how());
        let times = self.samples_of(index, window)?.filter(ended).map(|(place, _)| times.get(place).copied());
        Some(Values { exact: times.collect::<Option<_>>()?, binned: Vec::new() }.sorted())
    }

    /// The oldest age, at the end of a window, of requests that were under way then and ended in a way that is asked for, or were
    /// still open when the run ended.
    pub fn oldest(&self, window: (usize, Window), which: Which, open: Open) -> Option<u64> {
        let (index, window) = window;
        let under_way = |sample: &Sample| sample.ended() >= window.until && which.takes(sample.how());
        let kept = self.samples_of(index, window).into_iter().flatten().map(|(_, sample)| sample);
        let first = kept.filter(under_way).map(|sample| sample.intended).min();
        let excluded = open == Open::Fail && matches!(which, Which::Ok | Which::Answered)
            || open == Open::Succeed && which == Which::Failed;
        let left = self.left_open.first().copied().filter(|_| !excluded);
        let first = first.into_iter().chain(left).min().filter(|intended| *intended < window.until)?;
        Some(window.until.since(first).as_ns())
    }

    /// The samples of requests that were in flight in a window, in order of their ends, with their places: all, or those that
    /// crossed its edges when the others are in a histogram. `None` when some are neither here nor there.
    fn samples_of(
        &self,
        index: usize,
        window: Window,
    ) -> Option<impl Iterator<Item = (usize, Sample)> + use<'_>> {
        let (first, kept) = match &self.distributions {
            Some(distributions) => (0, &distributions[index].across[..]),
            None => {
                // whatever ends later than this began after the window
                let last = window.until + self.longest + Span::from_ns(1);
                if last > self.covered {
                    return None;
                }
                let from = self.samples.partition_point(|sample| sample.ended() < window.from);
                let until = self.samples.partition_point(|sample| sample.ended() <= last);
                (from, self.samples.get(from..until).unwrap_or(&[]))
            }
        };
        let placed = kept.iter().copied().enumerate().map(move |(place, sample)| (first + place, sample));
        Some(placed.filter(move |(_, sample)| sample.intended < window.until))
    }
}
