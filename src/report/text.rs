//! Numbers for people: three significant digits, a unit on every value, the interval beside the mean. The exact
//! values stand in `results.json`.

use std::collections::BTreeMap;

use crate::experiment::results::{Bottleneck, Estimate};

/// A value with its unit: `12.3 ms`, `1.23k/s`, `$4.50`, `0.987`.
pub fn value(x: f64, unit: &str) -> String {
    let scale = Scale::of(x, unit);
    scale.dress(&digits(x / scale.by))
}

/// As [`value`], or a dash.
pub fn maybe(x: Option<f64>, unit: &str) -> String {
    x.map_or_else(|| "–".to_owned(), |x| value(x, unit))
}

/// Shares of open requests below this stand in `results.json` alone.
const OPEN_MIN: f64 = 0.001;

/// The mean and half the width of its interval, `12.3 ± 0.4 ms`, and what is to be known beside it: `≥ 9.8 s`,
/// `6.9 s (81.2 % succeed)`, `1 (50 % open: 0.5 to 1)`.
pub fn estimate(estimate: &Estimate) -> String {
    let Some(mean) = estimate.mean else { return "undefined".to_owned() };
    let mut text = interval(mean, estimate.ci95, &estimate.unit);
    if estimate.at_least {
        text.insert_str(0, "≥ ");
    }
    if let Some(success) = estimate.success {
        text += &format!(" ({} succeed)", percent(success));
    }
    if let (Some([a, b]), Some(open)) = (estimate.between, estimate.open.filter(|open| *open >= OPEN_MIN)) {
        text += &format!(" ({} open: {} to {})", percent(open), digits(a.min(b)), digits(a.max(b)));
    }
    text
}

/// A share as a percentage.
fn percent(share: f64) -> String {
    format!("{} %", digits(100.0 * share))
}

/// A mean with its interval, if it has one.
pub fn interval(mean: f64, ci95: Option<[f64; 2]>, unit: &str) -> String {
    let Some([low, high]) = ci95 else { return value(mean, unit) };
    let half = (high - low) / 2.0;
    let half = if half < mean.abs() * 1e-12 { 0.0 } else { half }; // what rounding left
    let scale = Scale::of(if mean == 0.0 { half } else { mean }, unit);
    let mean = significant(mean / scale.by);
    let half = beside(&mean, half / scale.by);
    let Scale { before, prefix, after, .. } = scale;
    let space = if after.starts_with('/') { " " } else { "" };
    format!("{before}{mean}{prefix} ± {half}{prefix}{space}{after}")
}

/// A share as whole percents.
fn rounded(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// What saturates, in a sentence.
pub fn bottleneck(one: &Bottleneck) -> String {
    let used = one.utilisation.map(rounded);
    let (part, many) = (&one.part, one.units.map_or(String::new(), digits));
    let state = match (one.resource.as_str(), used) {
        ("lock", Some(used)) => format!("it is held {used} of the time"),
        ("lock" | "rows", _) => "those who want it wait for each other".to_owned(),
        (what, Some(used)) if many == "1" => {
            format!("its only {} is {used} busy", what.trim_end_matches('s'))
        }
        ("connections", Some(used)) => format!("of the {many} connections to it {used} are in use"),
        (what, Some(used)) => format!("its {many} {what} are {used} busy"),
        (what, None) => format!("its {what} do not suffice"),
    };
    let wait = match (one.waits_for.as_str(), one.waits_at == one.part && one.waits_for == one.resource) {
        ("connections", _) => "waiting for a connection".to_owned(),
        ("rows", _) => "waiting for locks of its rows".to_owned(),
        ("lock", true) => "waiting for it".to_owned(),
        (_, true) if many == "1" => "waiting for it".to_owned(),
        (_, true) => "waiting for one".to_owned(),
        (what, false) => format!("waiting for the {what} of {}", one.waits_at),
    };
    let mut text = format!("{part} saturates ({}): {state}", one.cause);
    match (&one.program, one.mean_s, one.share_of_mean) {
        (Some(program), Some(mean), Some(share)) if share >= 0.01 => {
            let (here, whole) = (value(mean * share, "s"), value(mean, "s"));
            text +=
                &format!(", and {wait} is {} of the mean of {program} ({here} of {whole})", rounded(share));
            if let Some(share) = one.share_of_slowest {
                text += &format!(" and {} of its slowest 1 %", rounded(share));
            }
        }
        _ => text += &format!(", and {} wait on average", digits(one.waiting)),
    }
    if one.refusals > 0.0 {
        text += &format!("; it turns {} away", value(one.refusals, "1/s"));
    }
    text
}

/// A sweep point on one line: `app.cores=4 browse.arrive=200/s`; empty for the only one.
pub fn point(point: &BTreeMap<String, String>) -> String {
    point.iter().map(|(path, value)| format!("{}={value}", short_path(path))).collect::<Vec<_>>().join(" ")
}

/// A path without the kind of its part, which readers know: `shop.read` for `db.shop.read`.
pub fn short_path(path: &str) -> String {
    match path.split_once('.') {
        Some((_, rest)) if rest.contains('.') => rest.to_owned(),
        _ => path.to_owned(),
    }
}

/// Variant and point, as a name for a cell.
pub fn place(variant: &str, at: &BTreeMap<String, String>) -> String {
    if at.is_empty() { variant.to_owned() } else { format!("{variant}, {}", point(at)) }
}

/// `1 run`, `5 runs`.
pub fn counted(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Three significant digits, without zeros at the end, and with no exponent between 0.0001 and 10⁶.
pub fn digits(x: f64) -> String {
    let text = significant(x);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// As [`digits`], with its zeros.
fn significant(x: f64) -> String {
    if x.is_nan() {
        return "undefined".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "∞".to_owned() } else { "-∞".to_owned() };
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{x:.2e}");
    let exponent = exponent(&scientific);
    if !(-4..6).contains(&exponent) {
        return scientific;
    }
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    let rounded: f64 = scientific.parse().expect("it was just printed");
    format!("{rounded:.decimals$}")
}

fn exponent(scientific: &str) -> i32 {
    let (_, exponent) = scientific.split_once('e').expect("an exponent was asked for");
    exponent.parse().expect("an exponent is a number")
}

/// Half an interval with the decimals of its mean, or more when it would vanish.
fn beside(mean: &str, half: f64) -> String {
    if half == 0.0 || !half.is_finite() {
        return digits(half);
    }
    let leading = format!("{half:.0e}");
    let exponent = exponent(&leading);
    if mean.contains('e') || !(-6..6).contains(&exponent) {
        return leading;
    }
    let decimals = mean.split_once('.').map_or(0, |(_, after)| after.len());
    let decimals = decimals.max(usize::try_from(-exponent).unwrap_or(0));
    format!("{half:.decimals$}")
}

/// How a value of a unit is written: divided by what, with what around it.
pub struct Scale {
    /// Divide by this.
    pub by: f64,
    before: &'static str,
    prefix: &'static str,
    after: &'static str,
}

impl Scale {
    /// The scale at which a value reads best.
    pub fn of(x: f64, unit: &str) -> Scale {
        let size = x.abs();
        let (by, prefix) = match unit {
            "s" if size >= 0.9995 || size == 0.0 => (1.0, ""),
            "s" if size >= 0.9995e-3 => (1e-3, ""),
            "s" if size >= 0.9995e-6 => (1e-6, ""),
            "s" => (1e-9, ""),
            "%" => (0.01, ""),
            _ if size >= 999_500.0 => (1e6, "M"),
            _ if size >= 9_995.0 => (1e3, "k"),
            _ => (1.0, ""),
        };
        let (before, after) = match unit {
            "s" if by == 1.0 => ("", " s"),
            "s" if by == 1e-3 => ("", " ms"),
            "s" if by == 1e-6 => ("", " µs"),
            "s" => ("", " ns"),
            "1/s" => ("", "/s"),
            "%" => ("", " %"),
            "$" => ("$", ""),
            _ => ("", ""),
        };
        Scale { by, before, prefix, after }
    }

    /// The unit at this scale: `ms`, `k/s`, `$`.
    pub fn symbol(&self) -> String {
        let currency = if self.before.is_empty() { "" } else { " " };
        format!("{}{currency}{}{}", self.before, self.prefix, self.after).trim().to_owned()
    }

    fn dress(&self, text: &str) -> String {
        format!("{}{text}{}{}", self.before, self.prefix, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_three_digits_and_a_unit() {
        let cases = [
            (0.012_345, "s", "12.3 ms"),
            (0.999_9, "s", "1 s"),
            (0.0, "s", "0 s"),
            (1.5e-6, "s", "1.5 µs"),
            (3e-9, "s", "3 ns"),
            (4567.0, "s", "4570 s"),
            (123.4, "1/s", "123/s"),
            (12_345.0, "1/s", "12.3k/s"),
            (2.5e6, "1/s", "2.5M/s"),
            (0.98765, "1", "0.988"),
            (0.98765, "%", "98.8 %"),
            (0.000_000_12, "1", "1.20e-7"),
            (1.5e12, "1", "1.50e6M"),
            (4.5, "$", "$4.5"),
            (-0.02, "s", "-20 ms"),
            (f64::INFINITY, "s", "∞ s"),
        ];
        for (x, unit, expected) in cases {
            assert_eq!(value(x, unit), expected, "{x} {unit}");
        }
        assert_eq!(maybe(None, "s"), "–");
    }

    #[test]
    fn what_saturates_is_said_in_one_sentence() {
        let cores = Bottleneck {
            part: "auth".to_owned(),
            resource: "cores".to_owned(),
            units: Some(1.0),
            utilisation: Some(0.906),
            cause: "queue".to_owned(),
            waits_at: "auth".to_owned(),
            waits_for: "cores".to_owned(),
            waiting: 8.48,
            refusals: 0.0,
            program: Some("page".to_owned()),
            mean_s: Some(0.0608),
            share_of_mean: Some(0.769),
            share_of_slowest: Some(0.93),
        };
        assert_eq!(
            bottleneck(&cores),
            "auth saturates (queue): its only core is 91 % busy, and waiting for it is 77 % of the mean of page (46.8 ms of \
             60.8 ms) and 93 % of its slowest 1 %"
        );
        let pool = Bottleneck {
            resource: "connections".to_owned(),
            waits_for: "connections".to_owned(),
            units: Some(5.0),
            program: None,
            refusals: 12.0,
            ..cores.clone()
        };
        assert_eq!(
            bottleneck(&pool),
            "auth saturates (queue): of the 5 connections to it 91 % are in use, and 8.48 wait on average; it turns 12/s away"
        );
        let threads = Bottleneck {
            waits_at: "app".to_owned(),
            waits_for: "threads".to_owned(),
            units: Some(4.0),
            ..cores
        };
        assert!(
            bottleneck(&threads)
                .contains("its 4 cores are 91 % busy, and waiting for the threads of app is 77 %")
        );
    }

    #[test]
    fn the_interval_shares_the_scale_of_the_mean() {
        assert_eq!(interval(0.0123, Some([0.0119, 0.0127]), "s"), "12.3 ± 0.4 ms");
        assert_eq!(interval(0.5, Some([0.4999, 0.5001]), "1"), "0.500 ± 0.0001");
        assert_eq!(interval(0.5, Some([0.5, 0.5]), "1"), "0.500 ± 0");
        assert_eq!(interval(0.5, None, "1"), "0.5");
        assert_eq!(interval(24.0, Some([23.2, 24.8]), "s"), "24.0 ± 0.8 s");
        assert_eq!(interval(100.0, Some([99.2, 100.8]), "1/s"), "100 ± 0.8 /s");
        assert_eq!(interval(12_345.0, Some([12_000.0, 12_690.0]), "1"), "12.3k ± 0.3k");
        assert_eq!(interval(0.0, Some([-0.001, 0.001]), "s"), "0 ± 1 ms");
    }
}
