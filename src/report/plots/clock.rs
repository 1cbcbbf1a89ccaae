//! Time across a space-time diagram. What matters of a run may be an operation of a millisecond and a failover seconds later: where nothing
//! happens for longer than in all the rest together, the axis is broken, and each piece has a scale of its own. Ticks are in the
//! run's own time, with digits enough to tell the beginning of the shortest thing from its end.

use crate::report::input::Axis;

/// Breaks at most.
const BREAKS_MAX: usize = 5;
/// A gap is left out that is longer than so many times all others that are left, and than so many times the median gap.
const LONG: (f64, f64) = (0.7, 4.0);
/// Width of a break.
const BREAK: f64 = 30.0;
/// Room before and after the events of a piece.
const PAD: f64 = 12.0;
/// Between two ticks.
const TICKS_APART: f64 = 110.0;

/// A piece of the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from: f64,
    to: f64,
    left: f64,
    right: f64,
}

/// The axis: pieces from left to right.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// What stands beside it.
    pub title: String,
    pieces: Vec<Piece>,
    edges: (f64, f64),
}

impl Clock {
    /// An axis between two places for a stretch of time with these events in it; without a unit it is counted and not broken.
    pub fn of(axis: &Axis, (low, high): (f64, f64), events: &[f64], (left, right): (f64, f64)) -> Clock {
        let mut events: Vec<f64> = events.iter().copied().filter(|at| low <= *at && *at <= high).collect();
        events.sort_by(f64::total_cmp);
        events.dedup();
        let title =
            if axis.unit.is_empty() { axis.label.clone() } else { format!("{} ({})", axis.label, axis.unit) };
        let edges = (left, right);
        let whole = Piece { from: low, to: high, left, right };
        if events.is_empty() || axis.unit.is_empty() {
            return Clock { title, pieces: vec![whole], edges };
        }
        let cuts = cuts(&events);
        let mut groups: Vec<&[f64]> = Vec::new();
        let mut begin = 0;
        for cut in cuts.iter().copied().chain([events.len() - 1]) {
            groups.push(&events[begin..=cut]);
            begin = cut + 1;
        }
        let room = right - left - BREAK * cuts.len() as f64 - 2.0 * PAD * groups.len() as f64;
        let mut x = left;
        let mut pieces = Vec::new();
        for group in &groups {
            let width = room * group.len() as f64 / events.len() as f64;
            let (from, to) = (group[0], group[group.len() - 1]);
            pieces.push(Piece { from, to, left: x + PAD, right: x + PAD + width });
            x += width + 2.0 * PAD + BREAK;
        }
        Clock { title, pieces, edges }
    }

    /// Where an instant lies.
    pub fn across(&self, at: f64) -> f64 {
        let mut before: Option<&Piece> = None;
        for piece in &self.pieces {
            if at < piece.from {
                // Before the first piece, or in a break.
                let Some(before) = before else { return (piece.left - PAD).max(self.edges.0) };
                let share = (at - before.to) / (piece.from - before.to);
                return before.right + share * (piece.left - before.right);
            }
            if at <= piece.to {
                let share =
                    if piece.to > piece.from { (at - piece.from) / (piece.to - piece.from) } else { 0.5 };
                return piece.left + share * (piece.right - piece.left);
            }
            before = Some(piece);
        }
        before.map_or(self.edges.0, |last| (last.right + PAD).min(self.edges.1))
    }

    /// The middles of its breaks.
    pub fn breaks(&self) -> Vec<f64> {
        self.pieces.windows(2).map(|pair| f64::midpoint(pair[0].right, pair[1].left)).collect()
    }

    /// Where it has ticks, and what stands there.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let mut ticks = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate() {
            let long = piece.to - piece.from;
            if long <= 0.0 {
                // An instant alone: as many digits as tell it from what is beside it.
                let others = self.pieces.iter().enumerate().filter(|(other, _)| *other != index);
                let apart = others
                    .map(|(_, other)| (piece.from - other.to).abs().min((other.from - piece.from).abs()))
                    .fold(1.0, f64::min);
                ticks.push((self.across(piece.from), written(piece.from, apart / 100.0)));
                continue;
            }
            let many = ((piece.right - piece.left) / TICKS_APART).max(1.0);
            let step = round_step(long / many);
            let first = libm::ceil(piece.from / step - 1e-6) as i64;
            let last = libm::floor(piece.to / step + 1e-6) as i64;
            if first > last {
                ticks.push((piece.left, written(piece.from, long)));
            }
            for number in first..=last {
                let at = number as f64 * step;
                ticks.push((self.across(at.clamp(piece.from, piece.to)), written(at, step)));
            }
        }
        ticks
    }
}

/// After which events the axis is broken, in order.
fn cuts(events: &[f64]) -> Vec<usize> {
    let mut gaps: Vec<(f64, usize)> =
        events.windows(2).enumerate().map(|(index, pair)| (pair[1] - pair[0], index)).collect();
    gaps.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let median = gaps.get(gaps.len() / 2).map_or(0.0, |(gap, _)| *gap);
    let mut left: f64 = gaps.iter().map(|(gap, _)| gap).sum();
    let mut cuts = Vec::new();
    for (gap, index) in gaps.into_iter().take(BREAKS_MAX) {
        left -= gap;
        if gap <= LONG.0 * left || gap <= LONG.1 * median {
            break;
        }
        cuts.push(index);
    }
    cuts.sort_unstable();
    cuts
}

/// A number with the digits that tell a step.
fn written(at: f64, step: f64) -> String {
    let digits = (-libm::floor(libm::log10(step) + 1e-9)).clamp(0.0, 9.0);
    format!("{at:.*}", digits as usize)
}

/// The round number (1, 2 or 5 times a power of ten) at or above a step.
fn round_step(step: f64) -> f64 {
    let power = libm::exp10(libm::floor(libm::log10(step)));
    let rounds = [1.0, 2.0, 5.0, 10.0];
    rounds.into_iter().map(|round| round * power).find(|round| *round >= step * 0.999_999).unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(events: &[f64]) -> Clock {
        let axis = Axis { label: "time".to_owned(), unit: "s".to_owned(), log: false };
        Clock::of(&axis, (0.0, 1e6), events, (100.0, 900.0))
    }

    #[test]
    fn what_lasts_a_millisecond_is_told_apart_from_a_failover_seconds_later() {
        let clock = clock(&[29.9961, 29.9973, 30.0, 35.2, 60.001]);
        assert_eq!(clock.breaks().len(), 2);
        let apart = clock.across(29.9973) - clock.across(29.9961);
        assert!(apart > 20.0, "{apart}");
        let ticks = clock.ticks();
        assert!(ticks.iter().any(|(_, text)| text.starts_with("29.99")), "the run's own time: {ticks:?}");
        assert!(ticks.windows(2).all(|pair| pair[0].1 != pair[1].1), "{ticks:?}");
        let places: Vec<f64> =
            [0.0, 29.9961, 29.9973, 30.0, 33.0, 35.2, 40.0, 60.001, 70.0].map(|at| clock.across(at)).to_vec();
        assert!(places.is_sorted() && places[0] >= 100.0 && places[8] <= 900.0, "{places:?}");
    }

    #[test]
    fn what_is_done_within_a_lock_is_seen_however_long_it_is_held() {
        let clock = clock(&[
            19.799, 19.803, 19.806, 20.0, 21.786, 21.787, 21.789, 21.936, 21.937, 23.0, 23.0, 23.002,
        ]);
        for (from, to) in [(19.803, 19.806), (21.787, 21.789), (23.0, 23.002)] {
            assert!(clock.across(to) - clock.across(from) > 8.0, "{from} to {to}: {clock:?}");
        }
    }

    #[test]
    fn even_steps_are_not_broken() {
        let even: Vec<f64> = (0..9).map(f64::from).collect();
        assert!(clock(&even).breaks().is_empty());
        assert!(clock(&[1.0, 2.0]).breaks().is_empty());
        assert_eq!(clock(&[7.0]).ticks().len(), 1);
        assert!(clock(&[]).ticks().len() > 2);
    }
}
