//! Axes: from values to places, round ticks, titles with units.

use crate::report::input::Axis;
use crate::report::text::{Scale, digits, value};

/// The unit of shares, which are written as percentages.
const SHARE: &str = "%";

/// An axis with its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruler {
    low: f64,
    high: f64,
    log: bool,
    /// What stands beside the axis.
    pub title: String,
    /// Values, by growing value, with what stands beside them.
    pub ticks: Vec<(f64, String)>,
}

impl Ruler {
    /// An axis around values and what lies beside them, such as the ends of intervals; those that cannot be shown are left out. If asked, a
    /// linear one begins at zero. None goes beyond what is possible: not below zero where no value does, not above all of a share.
    pub fn around(
        axis: &Axis,
        values: impl Iterator<Item = f64> + Clone,
        beside: impl Iterator<Item = f64>,
        (beginning_at_zero, ticks): (bool, usize),
    ) -> Ruler {
        let shown = |x: &f64| x.is_finite() && (!axis.log || *x > 0.0);
        let ends = |(low, high): (f64, f64), x: f64| (low.min(x), high.max(x));
        let own = values.filter(shown).fold((f64::INFINITY, f64::NEG_INFINITY), ends);
        let (mut low, mut high) = beside.filter(shown).fold(own, ends);
        if own.0 >= 0.0 {
            low = low.max(0.0);
        }
        if axis.unit == SHARE && own.1 <= 1.0 {
            high = high.min(1.0);
        }
        match (axis.log, low <= high) {
            // What lies beside may be next to nothing: the floor is that of the values.
            (true, true) => logarithmic(axis, own.0.min(high), high),
            (true, false) => logarithmic(axis, 1.0, 10.0),
            (false, true) => linear(axis, if beginning_at_zero { low.min(0.0) } else { low }, high, ticks),
            (false, false) => linear(axis, 0.0, 1.0, ticks),
        }
    }

    /// An axis of exactly this range.
    pub fn exact(axis: &Axis, low: f64, high: f64, ticks: usize) -> Ruler {
        Ruler { low, high, ..linear(axis, low, high, ticks) }
    }

    /// The same with one tick in so many.
    pub fn thinned(&self, step: usize) -> Ruler {
        Ruler { ticks: self.ticks.iter().step_by(step.max(1)).cloned().collect(), ..self.clone() }
    }

    /// Where a value lies, 0 to 1 along the axis; none when it cannot be shown.
    pub fn share(&self, x: f64) -> Option<f64> {
        if !x.is_finite() || (self.log && x <= 0.0) {
            return None;
        }
        let (low, high, x) = if self.log {
            (libm::log10(self.low), libm::log10(self.high), libm::log10(x))
        } else {
            (self.low, self.high, x)
        };
        Some((x - low) / (high - low))
    }

    /// As [`Ruler::share`], moved to the nearer end when it lies outside.
    pub fn within(&self, x: f64) -> Option<f64> {
        if self.log && x <= 0.0 {
            return Some(0.0);
        }
        self.share(x).map(|share| share.clamp(0.0, 1.0))
    }
}

fn linear(axis: &Axis, low: f64, high: f64, ticks: usize) -> Ruler {
    let high = if high > low { high } else { low + if low == 0.0 { 1.0 } else { low.abs() } };
    let step = round_step((high - low) / ticks.max(2) as f64);
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    let scale = Scale::of((first * step).abs().max((last * step).abs()), &axis.unit);
    let count = (last - first) as usize;
    let ticks = (0..=count).map(|i| {
        let x = (first + i as f64) * step;
        (x, digits(x / scale.by))
    });
    Ruler {
        low: first * step,
        high: last * step,
        log: false,
        title: titled(axis, &[named(&scale.symbol(), &axis.unit)]),
        ticks: ticks.collect(),
    }
}

/// Every tick carries its unit, for a logarithmic axis runs from microseconds to seconds.
fn logarithmic(axis: &Axis, low: f64, high: f64) -> Ruler {
    let (from, to) = (floor_log10(low), -floor_log10(1.0 / high));
    let to = to.max(from + 1);
    let decades = to - from;
    let factors: &[f64] = match decades {
        1 => &[1.0, 2.0, 5.0],
        2 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let every = (decades + 6) / 7;
    let mut ticks = Vec::new();
    for exponent in (from..=to).filter(|exponent| (exponent - from) % every == 0) {
        let power = power_of_ten(exponent);
        let here = factors.iter().map(|factor| factor * power).filter(|x| *x <= power_of_ten(to) * 1.000_001);
        ticks.extend(here.map(|x| (x, value(x, &axis.unit))));
    }
    Ruler {
        low: power_of_ten(from),
        high: power_of_ten(to),
        log: true,
        title: titled(
            axis,
            &[if axis.unit == "s" { "time" } else { named(&axis.unit, &axis.unit) }, "log scale"],
        ),
        ticks,
    }
}

/// What stands for a unit in a title: a plain number is one too.
fn named<'a>(symbol: &'a str, unit: &str) -> &'a str {
    match (symbol, unit) {
        ("", "1") | ("1", _) => "number",
        _ => symbol,
    }
}

fn titled(axis: &Axis, of: &[&str]) -> String {
    let of: Vec<&str> = of.iter().copied().filter(|word| !word.is_empty()).collect();
    match (axis.label.is_empty(), of.is_empty()) {
        (_, true) => axis.label.clone(),
        (true, false) => of.join(", "),
        (false, false) => format!("{} ({})", axis.label, of.join(", ")),
    }
}

fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().expect("it is a number")
}

fn floor_log10(x: f64) -> i32 {
    let exponent = libm::floor(libm::log10(x)) as i32;
    // A power of ten itself may come out one too low.
    if power_of_ten(exponent + 1) <= x * 1.000_000_1 { exponent + 1 } else { exponent }
}

/// The round number (1, 2 or 5 times a power of ten) at or above a step.
fn round_step(step: f64) -> f64 {
    let power = power_of_ten(floor_log10(step));
    let rounds = [1.0, 2.0, 5.0, 10.0];
    rounds.into_iter().map(|round| round * power).find(|round| *round >= step * 0.999_999).unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ruler(unit: &str, log: bool, values: &[f64]) -> Ruler {
        with(unit, log, values, &[])
    }

    fn with(unit: &str, log: bool, values: &[f64], beside: &[f64]) -> Ruler {
        let axis = Axis { label: "x".to_owned(), unit: unit.to_owned(), log };
        Ruler::around(&axis, values.iter().copied(), beside.iter().copied(), (true, 5))
    }

    #[test]
    fn no_axis_goes_beyond_what_is_possible() {
        let share = with("%", false, &[0.2, 0.99], &[-0.2, 1.3]);
        assert_eq!((share.low, share.high, share.title.as_str()), (0.0, 1.0, "x (%)"));
        assert_eq!(share.ticks.last().expect("ticks").1, "100");
        let count = with("1", false, &[3.0, 40.0], &[-7.0, 52.0]);
        assert_eq!((count.low, count.title.as_str()), (0.0, "x (number)"));
        assert!(count.high >= 52.0);
        assert!(with("1", false, &[-3.0], &[]).low <= -3.0, "a difference may be negative");
        let rare = with("%", true, &[0.03, 8e-6], &[1e-12, 0.05]);
        assert_eq!(rare.low, 1e-6, "the floor is that of the values, not of an interval's end");
    }

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        let linear = ruler("s", false, &[0.0003, 0.047]);
        assert_eq!(linear.title, "x (ms)");
        assert_eq!(
            linear.ticks.iter().map(|tick| tick.1.as_str()).collect::<Vec<_>>(),
            ["0", "10", "20", "30", "40", "50"]
        );
        let log = ruler("s", true, &[0.0, 0.0003, 4.0]);
        let texts: Vec<&str> = log.ticks.iter().map(|tick| tick.1.as_str()).collect();
        assert_eq!(texts, ["100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(log.title, "x (time, log scale)");
        assert_eq!(ruler("1", true, &[1.0, 500.0]).ticks[0].1, "1", "a bar says how many times more");
        assert_eq!(log.share(0.0), None);
        assert!(log.share(0.0001).unwrap().abs() < 1e-12);
    }

    #[test]
    fn odd_values_still_give_an_axis() {
        for values in [&[][..], &[0.0], &[5.0], &[f64::NAN], &[-3.0, 2.0], &[1e-300, 1e300], &[1.0]] {
            for log in [false, true] {
                let ruler = ruler("1", log, values);
                assert!(ruler.high > ruler.low, "{values:?}");
                assert!(ruler.ticks.len() >= 2 && ruler.ticks.len() < 20, "{values:?} {:?}", ruler.ticks);
            }
        }
    }
}
