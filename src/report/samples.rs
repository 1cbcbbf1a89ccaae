//! A made-up experiment for the tests of reports: two variants, two rates, a property of every outcome, text that
//! must be escaped.

use std::collections::BTreeMap;

use crate::experiment::results::{
    Bottleneck, Cell, Comparison, Estimate, Failures, Part, Property, Results, Summary, Theory,
};
use crate::report::input::*;

const RATES: [&str; 2] = ["100/s", "200/s"];
const VARIANTS: [&str; 2] = ["plain", "single flight"];

fn map<T>(pairs: impl IntoIterator<Item = (&'static str, T)>) -> BTreeMap<String, T> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn estimate(mean: f64, half: f64, unit: &str) -> Estimate {
    Estimate {
        mean: Some(mean),
        ci95: Some([mean - half, mean + half]),
        unit: unit.to_owned(),
        n: 5,
        ..Estimate::default()
    }
}

fn property(outcome: &str, expected: &str, failing_seeds: Vec<u64>, witness: &str) -> Property {
    Property {
        kind: "always".to_owned(),
        outcome: outcome.to_owned(),
        expected: expected.to_owned(),
        as_expected: outcome == expected,
        failing_seeds,
        witness: witness.to_owned(),
        replay: None,
    }
}

fn cell(variant: usize, rate: usize) -> Cell {
    let slow = (2 - variant) as f64 * (1 + rate) as f64;
    let witness = "at 12.5 s, 240 reads of key 7 were at the store at once";
    let crowd = if variant == 0 {
        property("violated", "violated", vec![1, 3], witness)
    } else {
        property("holds", "holds", vec![], "")
    };
    let late = if variant == 1 && rate == 1 {
        property("violated", "holds", vec![4], "p99 is 31 ms")
    } else {
        property("holds", "holds", vec![], "")
    };
    let undecided =
        Estimate { mean: None, ci95: None, note: Some("no such op".to_owned()), ..estimate(0.0, 0.0, "s") };
    Cell {
        variant: VARIANTS[variant].to_owned(),
        point: map([("callers.rate", RATES[rate].to_owned())]),
        runs: 5,
        measures: map([
            ("goodput", estimate(100.0 * (1 + rate) as f64, 0.8, "1/s")),
            ("latency.p99", estimate(0.012 * slow, 0.0004 * slow, "s")),
            ("latency.p99 of pay", undecided),
            ("store.reads", estimate(12_345.0 * slow, 321.0, "1")),
        ]),
        properties: map([("few reads at once", crowd), ("p99 below 30 ms", late)]),
        causes: map([(
            "get <page>",
            map([
                ("queue_ns", 4_000_000),
                ("service_ns", 6_000_000),
                ("network_ns", 2_000_000),
                ("total_ns", 12_000_000),
            ]),
        )]),
        failures: map([(
            "get <page>",
            vec![failures("timeout", "store", 300, false), failures("sold_out", "web", 7, true)],
        )]),
        parts: map([("store", part(slow)), ("web", part(1.0))]),
        bottleneck: (slow > 3.0).then(bottleneck),
    }
}

fn part(slow: f64) -> Part {
    Part {
        kind: "server".to_owned(),
        utilisation: map([("cores", 0.24 * slow), ("threads", 0.031 * slow)]),
        waiting: map([("cores", slow * slow), ("threads", 0.0)]),
        throughput: 123.4,
        refusals: 0.0,
    }
}

fn bottleneck() -> Bottleneck {
    Bottleneck {
        part: "store".to_owned(),
        resource: "cores".to_owned(),
        units: Some(4.0),
        utilisation: Some(0.96),
        cause: "queue".to_owned(),
        waits_at: "store".to_owned(),
        waits_for: "cores".to_owned(),
        waiting: 16.0,
        refusals: 0.0,
        program: Some("get <page>".to_owned()),
        mean_s: Some(0.012),
        share_of_mean: Some(0.333),
        share_of_slowest: Some(0.801),
    }
}

fn failures(reason: &str, part: &str, requests: u64, answer: bool) -> Failures {
    let (reason, part) = (reason.to_owned(), part.to_owned());
    Failures { reason, part, requests, share: requests as f64 / 1000.0, answer }
}

fn theory(variant: usize, agrees: bool) -> Theory {
    Theory {
        name: "M/M/1 wait".to_owned(),
        variant: VARIANTS[variant].to_owned(),
        point: map([("callers.rate", RATES[0].to_owned())]),
        of: "store.wait.mean".to_owned(),
        simulated: Some(0.0102),
        ci95: Some([0.0099, 0.0105]),
        ci99: Some([0.0098, 0.0106]),
        theory: if agrees { 0.01 } else { 0.02 },
        unit: "s".to_owned(),
        within: 0.05,
        source: "Kleinrock 1975, 3.2".to_owned(),
        published: None,
        agrees,
        undecided: false,
        needs_full: false,
    }
}

fn results() -> Results {
    Results {
        schema: 1,
        experiment: "cache-stampede".to_owned(),
        title: "Cache <script>alert(1)</script> stampede".to_owned(),
        version: "0.1.0".to_owned(),
        seed: 1,
        fingerprint: "0123456789abcdef0123456789abcdef".to_owned(),
        defaults: map([("network.delay", "500us".to_owned()), ("store.cores", "4".to_owned())]),
        warnings: Vec::new(),
        cells: (0..4).map(|index| cell(index / 2, index % 2)).collect(),
        comparisons: vec![Comparison {
            measure: "latency.p99".to_owned(),
            point: map([("callers.rate", RATES[0].to_owned())]),
            a: VARIANTS[0].to_owned(),
            b: VARIANTS[1].to_owned(),
            difference: Some(0.012),
            ci95: Some([0.0115, 0.0125]),
            p_value: Some(0.0001),
            correlation: Some(0.91),
        }],
        findings: map([("highest rate", estimate(412.0, 3.0, "1/s"))]),
        theory: vec![theory(0, true), theory(1, false)],
        spelling: BTreeMap::new(),
        summary: Summary {
            trials: 20,
            events: 1_234_567,
            wall_s: 1.25,
            events_per_s: 987_654.0,
            as_expected: false,
        },
    }
}

fn curve(name: &str, f: impl Fn(f64) -> f64, band: bool) -> Curve {
    let points: Vec<(f64, f64)> = (0..=60).map(|i| (f64::from(i), f(f64::from(i)))).collect();
    let band = band.then(|| points.iter().map(|(x, y)| (*x, y * 0.8, y * 1.25)).collect());
    Curve { name: name.to_owned(), points, band, ..Curve::default() }
}

fn axis(label: &str, unit: &str, log: bool) -> Axis {
    Axis { label: label.to_owned(), unit: unit.to_owned(), log }
}

fn plot(name: &str, title: &str, x: Axis, y: Axis, kind: PlotKind) -> Plot {
    Plot { name: name.to_owned(), title: title.to_owned(), note: "mean of 5 runs".to_owned(), x, y, kind }
}

fn timed_plots() -> Vec<Plot> {
    let burst = |height: f64| move |t: f64| 0.004 + height / (1.0 + (t - 35.0) * (t - 35.0));
    let faults = vec![("cache restarts".to_owned(), 30.0, 38.0)];
    let series = vec![curve(VARIANTS[0], burst(2.0), true), curve(VARIANTS[1], burst(0.02), true)];
    let bounds = vec![Bound { panel: String::new(), text: "≤ 1 s (fast)".to_owned(), value: 1.0 }];
    let rows = vec![
        TimelineRow { name: "cache".to_owned(), spans: vec![("down".to_owned(), 30.0, 38.0)] },
        TimelineRow {
            name: "store".to_owned(),
            spans: vec![("slow".to_owned(), 10.0, 14.0), ("overloaded".to_owned(), 33.0, 45.0)],
        },
    ];
    vec![
        plot(
            "latency",
            "p99 latency over time",
            axis("time", "s", false),
            axis("p99 latency", "s", true),
            PlotKind::Line { series, faults, bounds },
        ),
        plot(
            "timeline",
            "What was wrong when",
            axis("time", "s", false),
            Axis::default(),
            PlotKind::Timeline { rows },
        ),
    ]
}

fn still_plots() -> Vec<Plot> {
    let below = |scale: f64| {
        let points = (1..=100).map(|i| {
            let p = f64::from(i) / 101.0;
            (scale * p / (1.0 - p), p)
        });
        points.collect::<Vec<_>>()
    };
    let named = |name: &str, scale| Curve { name: name.to_owned(), points: below(scale), ..Curve::default() };
    let length = |name: &str, value: f64| Length {
        name: name.to_owned(),
        value,
        ci95: Some([value * 0.9, value * 1.1]),
        theory: Some(value * 1.05),
    };
    let bars = |a: f64, b: f64| vec![length(VARIANTS[0], a), length(VARIANTS[1], b)];
    let groups = vec![
        BarGroup { label: "100/s".to_owned(), bars: bars(12_345.0, 1_234.0) },
        BarGroup { label: "200/s".to_owned(), bars: bars(24_000.0, 1_300.0) },
    ];
    let tile = |name: &str, value: &str, verdict| {
        vec![GridLine { name: name.to_owned(), value: value.to_owned(), verdict }]
    };
    let cells = vec![
        vec![tile("✓", "holds", Some(true)), tile("✓", "31 ms", Some(true))],
        vec![tile("✗", "240 reads", Some(false)), tile("", "not asked", None)],
    ];
    let grid = PlotKind::Grid {
        columns: RATES.map(str::to_owned).to_vec(),
        rows: vec!["few reads at once".to_owned(), "p99 below 30 ms".to_owned()],
        cells,
    };
    let bars = PlotKind::Bars { groups, bounds: Vec::new() };
    let curves = vec![named(VARIANTS[0], 0.01), named(VARIANTS[1], 0.004)];
    let points = vec![named(VARIANTS[0], 50.0), named("theory", 30.0)];
    let (latency, none) = (axis("latency", "s", true), Axis::default());
    let fraction = axis("fraction at or below", "1", false);
    vec![
        plot("cdf", "Latency of all requests", latency, fraction, PlotKind::Cdf { curves }),
        plot("reads", "Reads at the store", axis("rate", "1/s", false), axis("reads", "1", false), bars),
        plot("grid", "What held where", none.clone(), none, grid),
        plot(
            "cloud",
            "Rate and share",
            axis("rate", "1/s", true),
            axis("share", "1", false),
            PlotKind::Scatter { points },
        ),
    ]
}

fn graph() -> Graph {
    let node = |name: &str, kind: &str, zone: &str, count, note: &str| GraphNode {
        name: name.to_owned(),
        kind: kind.to_owned(),
        zone: zone.to_owned(),
        count,
        note: note.to_owned(),
    };
    Graph {
        nodes: vec![
            node("callers", "callers", "", 1, "open, 100/s"),
            node("web", "server", "a", 3, "4 cores"),
            node("cache", "cache", "a", 1, "lru, ttl 5s"),
            node("store", "store", "b", 1, "2 cores"),
        ],
        edges: vec![
            (0, 1, String::new()),
            (1, 2, "get".to_owned()),
            (1, 3, "read".to_owned()),
            (3, 2, "fill & <b>".to_owned()),
        ],
    }
}

fn trials() -> Vec<TrialRow> {
    let row = |index: usize| TrialRow {
        variant: VARIANTS[index / 10].to_owned(),
        point: vec![("callers.rate".to_owned(), RATES[index / 5 % 2].to_owned())],
        seed: 1 + index as u64 % 5,
        fingerprint: format!("{index:032x}"),
        values: vec![
            ("goodput".to_owned(), Some(100.0 / (1.0 + index as f64))),
            ("latency.p99, \"all\"".to_owned(), (!index.is_multiple_of(3)).then_some(0.1 * index as f64)),
        ],
    };
    (0..20).map(row).collect()
}

/// The made-up experiment.
pub fn stampede() -> ReportInput {
    let mut plots = timed_plots();
    plots.extend(still_plots());
    ReportInput {
        asked: Vec::new(),
        results: results(),
        about: "What happens when the cache restarts?\n\nWith <b>single flight</b>, one read per key goes to the store."
            .to_owned(),
        variants_in_order: VARIANTS.map(str::to_owned).to_vec(),
        command: "splitbrain run cache-stampede --seed 1 --runs 5".to_owned(),
        out_dir: "out/cache-stampede".to_owned(),
        designs: vec![Drawing { variants: VARIANTS.map(str::to_owned).to_vec(), graph: graph() }],
        plots,
        trials: trials(),
        files: true,
    }
}
