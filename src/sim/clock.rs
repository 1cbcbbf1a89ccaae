//! A node's two clocks, as operating systems have them. The *monotonic* one (CLOCK_MONOTONIC) has a rate alone: by it a node times
//! whatever it times, so timers, timeouts, leases, polls and sleeps. The *wall* clock (CLOCK_REALTIME) has an offset besides: by it a
//! node says when something was. Neither is true time, in which customers come and think, and networks, disks and cores work.
//!
//! Numbered rules:
//! 1. A rate is a whole number of parts per billion of true time. Readings are exact: what a clock has shown is kept in billionths of a
//!    nanosecond, and only rounded down where it is read.
//! 2. A timer goes off at the first nanosecond of true time at which its clock has counted its span: never before.
//! 3. When a rate changes, timers that run have what is left of them counted at the new rate. They keep their order.
//! 4. When a drift ends, the wall clock is set right in one step and the monotonic one only runs right again: it never jumps.

use crate::base::time::{ClockTime, Span, Time};

/// The rate of a clock with which nothing is wrong, and the number of parts of a nanosecond that are told apart.
const RIGHT: u64 = 1_000_000_000;

/// Names one trouble of a clock, for ending just that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClockImpairmentId(pub u32);

/// One trouble of a clock: it was set wrong, and runs too fast or too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ClockImpairment {
    id: ClockImpairmentId,
    jump_ns: i64,
    drift_ppb: i64,
    since: Time,
}

/// What a node's clocks show against true time. Troubles add up; when one ends the wall clock shows at once what it would
/// without it, as after a correction by a time service that steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Clock {
    impairments: Vec<ClockImpairment>,
    next: u32,
    /// When the rate changed last, and what the monotonic clock had counted by then, in billionths of a nanosecond.
    since: Time,
    counted: u128,
}

impl Clock {
    /// How fast both clocks run, in parts per billion of true time.
    pub fn rate(&self) -> u64 {
        let drift: i128 = self.impairments.iter().map(|impairment| i128::from(impairment.drift_ppb)).sum();
        (i128::from(RIGHT) + drift).clamp(1, i128::from(u64::MAX)) as u64
    }

    fn exact(&self, now: Time) -> u128 {
        self.counted + u128::from(now.since(self.since).as_ns()) * u128::from(self.rate())
    }

    /// What the monotonic clock shows at true time `now`.
    pub fn monotonic(&self, now: Time) -> ClockTime {
        ClockTime::from_ns(whole(self.exact(now) / u128::from(RIGHT)))
    }

    /// What the wall clock shows at true time `now`; never before the start of the run.
    pub fn wall(&self, now: Time) -> ClockTime {
        let off = |impairment: &ClockImpairment| {
            let lasted = i128::from(now.since(impairment.since).as_ns());
            i128::from(impairment.jump_ns)
                + (lasted * i128::from(impairment.drift_ppb)).div_euclid(i128::from(RIGHT))
        };
        let reading = i128::from(now.as_ns()) + self.impairments.iter().map(off).sum::<i128>();
        ClockTime::from_ns(reading.clamp(0, i128::from(u64::MAX)) as u64)
    }

    /// How long it takes in true time until the clock has counted a span.
    pub fn takes(&self, span: Span) -> Span {
        rescaled(span, RIGHT, self.rate())
    }

    /// Jumps by `jump_ns` and runs `drift_ppb` parts per billion too fast from `now` on.
    pub fn impairment(&mut self, now: Time, jump_ns: i64, drift_ppb: i64) -> ClockImpairmentId {
        let id = ClockImpairmentId(self.next);
        self.next += 1;
        (self.counted, self.since) = (self.exact(now), now);
        self.impairments.push(ClockImpairment { id, jump_ns, drift_ppb, since: now });
        id
    }

    /// One trouble ends.
    pub fn lift(&mut self, now: Time, id: ClockImpairmentId) {
        (self.counted, self.since) = (self.exact(now), now);
        self.impairments.retain(|impairment| impairment.id != id);
    }
}

/// A span at one rate, at another: to the next whole nanosecond.
pub(super) fn rescaled(span: Span, from: u64, to: u64) -> Span {
    match from == to || span == Span::MAX {
        true => span,
        false => Span::from_ns(whole((u128::from(span.as_ns()) * u128::from(from)).div_ceil(u128::from(to)))),
    }
}

fn whole(ns: u128) -> u64 {
    u64::try_from(ns).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(s: u64) -> Time {
        Time::from_ns(s * 1_000_000_000)
    }

    fn shows(s: u64) -> ClockTime {
        ClockTime::from_ns(s * 1_000_000_000)
    }

    #[test]
    fn the_wall_clock_jumps_and_drifts_and_is_cleared_again() {
        let mut clock = Clock::default();
        assert_eq!(clock.wall(second(5)), shows(5));
        let jump = clock.impairment(second(10), 2_000_000_000, 0);
        let drift = clock.impairment(second(10), 0, 1_000_000);
        assert_eq!(clock.wall(second(10)), shows(12));
        assert_eq!(clock.wall(second(1010)), shows(1013));
        clock.lift(second(1010), drift);
        assert_eq!(clock.wall(second(1010)), shows(1012), "what it had drifted is gone with the drift");
        let back = clock.impairment(second(1010), -3_000_000_000, 0);
        assert_eq!(clock.wall(second(2000)), shows(1999));
        clock.lift(second(2000), jump);
        clock.lift(second(2000), back);
        assert_eq!(clock.wall(second(2000)), shows(2000));
        clock.impairment(second(2000), -3_000_000_000_000, 0);
        assert_eq!(clock.wall(second(2000)), ClockTime::ZERO, "no clock shows a time before the start");
    }

    #[test]
    fn the_monotonic_clock_keeps_what_it_has_counted_and_knows_no_jump() {
        let mut clock = Clock::default();
        let jump = clock.impairment(second(10), -7_000_000_000, 0);
        assert_eq!(clock.monotonic(second(10)), shows(10), "a step of the wall clock is none of it");
        let twice = clock.impairment(second(20), 0, 1_000_000_000);
        assert_eq!((clock.rate(), clock.monotonic(second(30))), (2_000_000_000, shows(40)));
        clock.lift(second(30), twice);
        clock.lift(second(30), jump);
        assert_eq!(clock.monotonic(second(30)), shows(40), "it does not jump back");
        assert_eq!(clock.monotonic(second(31)), shows(41));
        clock.impairment(second(31), 0, -5_000_000_000);
        assert_eq!(clock.rate(), 1, "a clock that stood still would never let a timer go off");
    }

    #[test]
    fn a_timer_goes_off_at_the_first_nanosecond_at_which_its_clock_has_counted_it() {
        for drift_ppb in [0, 1_000_000_000, -500_000_000, 1, -1, 100_000_000, 333_333_333, -100_000_000] {
            let mut clock = Clock::default();
            clock.impairment(Time::from_ns(3), 0, drift_ppb);
            for began in [3, 4, 1_000_000_007] {
                for span in [0, 1, 2, 3, 1_000, 999_999_999, 3_600_000_000_001] {
                    let due = clock.exact(Time::from_ns(began)) + span * u128::from(RIGHT);
                    let takes = clock.takes(Span::from_ns(span as u64)).as_ns();
                    assert!(clock.exact(Time::from_ns(began + takes)) >= due, "never before");
                    assert!(takes == 0 || clock.exact(Time::from_ns(began + takes - 1)) < due, "at once");
                }
            }
        }
        let mut twice = Clock::default();
        twice.impairment(Time::ZERO, 0, 1_000_000_000);
        assert_eq!(twice.takes(Span::from_secs(7)), Span::from_ms(3500));
        assert_eq!(twice.takes(Span::MAX), Span::MAX, "never is never");
    }
}
