//! What is to be seen in a picture, in a few words for its title: from where to where it goes, and whose the ends are.

use crate::experiment::draw::data::told;
use crate::experiment::pictures::{Axis, BarGroup, Curve, GridLine};

/// Values within this of each other are one, relative to the greater one: a small value beside a large one is not nothing.
const SAME: f64 = 0.005;
/// What is this small beside the greatest is nothing: it has come by rounding.
const NOTHING: f64 = 1e-9;

/// `from 1 (mutex and 3 others) to 501 (none)`; nothing where there is but one.
fn ends(values: &[(String, f64)], unit: &str) -> Option<String> {
    let finite: Vec<&(String, f64)> = values.iter().filter(|(_, value)| value.is_finite()).collect();
    let least = finite.iter().map(|(_, value)| *value).reduce(f64::min)?;
    let most = finite.iter().map(|(_, value)| *value).reduce(f64::max)?;
    if finite.len() < 2 {
        return None;
    }
    let nothing = NOTHING * most.abs().max(least.abs());
    let near = |a: f64, b: f64| (a - b).abs() <= nothing.max(SAME * a.abs().max(b.abs()));
    if near(least, most) {
        return Some(format!("{} in all", told(rounded(most), unit)));
    }
    let whose = |of: f64| {
        let names: Vec<&str> =
            finite.iter().filter(|(_, value)| near(*value, of)).map(|(name, _)| name.as_str()).collect();
        match names[..] {
            [] => String::new(),
            [one] => one.to_owned(),
            [one, other] => format!("{one} and {other}"),
            [one, ..] => format!("{one} and {} others", names.len() - 1),
        }
    };
    let (from, to) = (told(rounded(least), unit), told(rounded(most), unit));
    Some(format!("from {from} ({}) to {to} ({})", whose(least), whose(most)))
}

/// Of a large number, three digits: as it stands beside its bar.
fn rounded(value: f64) -> f64 {
    if value.abs() < 1000.0 { value } else { format!("{value:.2e}").parse().unwrap_or(value) }
}

fn full_name(curve: &Curve) -> String {
    [&curve.name, &curve.panel]
        .into_iter()
        .filter(|text| !text.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

/// Of bars: the shortest and the longest.
pub(super) fn bars(groups: &[BarGroup], unit: &str) -> Option<String> {
    let all = groups.iter().flat_map(|group| {
        group.bars.iter().map(|bar| match group.label.is_empty() {
            true => (bar.name.clone(), bar.value),
            false => (format!("{}, {}", bar.name, group.label), bar.value),
        })
    });
    ends(&all.collect::<Vec<_>>(), unit)
}

/// Over time: of shares whose goes down farthest, of others whose goes up farthest.
pub(super) fn over_time(series: &[Curve], unit: &str) -> Option<String> {
    let down = unit == "%" && series.iter().flat_map(|curve| &curve.points).any(|(_, y)| *y > 0.5);
    let extreme = |curve: &Curve| {
        let values = curve.points.iter().map(|(_, y)| *y);
        values.reduce(if down { f64::min } else { f64::max }).map(|value| (full_name(curve), value))
    };
    let ends = ends(&series.iter().filter_map(extreme).collect::<Vec<_>>(), unit)?;
    Some(format!("{} {ends}", if down { "lowest" } else { "highest" }))
}

/// Over a sweep: at its end.
pub(super) fn over_sweep(series: &[Curve], unit: &str, x: &Axis) -> Option<String> {
    let last = series.iter().filter_map(|curve| curve.points.last()).map(|(x, _)| *x).reduce(f64::max)?;
    let there = |curve: &Curve| {
        let value = curve.points.last().filter(|(x, _)| *x == last)?.1;
        Some((full_name(curve), value))
    };
    let ends = ends(&series.iter().filter_map(there).collect::<Vec<_>>(), unit)?;
    Some(format!("{ends} at {}", told(last, &x.unit)))
}

/// Of distributions: within which time all but one in a hundred succeed.
pub(super) fn distribution(curves: &[Curve]) -> Option<String> {
    let p99 = |curve: &Curve| {
        let at = curve.points.iter().find(|(_, share)| *share >= 0.99)?;
        Some((full_name(curve), at.0))
    };
    let ends = ends(&curves.iter().filter_map(p99).collect::<Vec<_>>(), "s")?;
    Some(format!("99 % within {}", ends.replacen("from ", "", 1)))
}

/// Of a grid: how often each property holds.
pub(super) fn grid(cells: &[Vec<Vec<GridLine>>]) -> Option<String> {
    let lines: Vec<&GridLine> = cells.iter().flatten().flatten().collect();
    let mut names: Vec<&str> = Vec::new();
    for line in lines.iter().filter(|line| line.verdict.is_some()) {
        if !names.contains(&line.name.as_str()) {
            names.push(&line.name);
        }
    }
    let told = |name: &&str| {
        let of: Vec<&&GridLine> = lines.iter().filter(|line| line.name == **name).collect();
        let holds = of.iter().filter(|line| line.verdict == Some(true)).count();
        format!("{name} holds in {holds} of {}", of.len())
    };
    (!names.is_empty()).then(|| names.iter().map(told).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_from_where_to_where() {
        let named = |values: &[(&str, f64)]| {
            values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<Vec<_>>()
        };
        let all = named(&[("none", 501.0), ("mutex", 1.0), ("lease", 1.0), ("stale", 1.001)]);
        assert_eq!(ends(&all, "1").as_deref(), Some("from 1 (mutex and 2 others) to 501 (none)"));
        assert_eq!(
            ends(&named(&[("a", 0.25), ("b", 0.5)]), "%").as_deref(),
            Some("from 25 % (a) to 50 % (b)")
        );
        assert_eq!(ends(&named(&[("a", 2.0), ("b", 2.0)]), "1/s").as_deref(), Some("2/s in all"));
        assert_eq!(ends(&named(&[("a", 2.0), ("b", f64::NAN)]), "1"), None);
        let many = named(&[("a", 813.0), ("b", 2425.3)]);
        assert_eq!(ends(&many, "1").as_deref(), Some("from 813 (a) to 2430 (b)"), "as beside its bar");
        let rare = named(&[("a", 0.0), ("b", 0.000_458), ("c", 1e-17), ("d", 0.106)]);
        assert_eq!(
            ends(&rare, "%").as_deref(),
            Some("from 0 % (a and c) to 10.6 % (d)"),
            "b is rare, not nothing"
        );
        let wide = named(&[("a", 0.01), ("b", 0.0075), ("c", 1.5)]);
        assert_eq!(
            ends(&wide, "s").as_deref(),
            Some("from 7.50 ms (b) to 1.50 s (c)"),
            "a is not as short as b"
        );
    }
}
