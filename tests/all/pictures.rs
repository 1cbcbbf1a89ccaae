//! What pictures show of an experiment, before they are drawn.

use std::sync::atomic::AtomicBool;

use splitbrain::experiment::draw::draw;
use splitbrain::experiment::drawing::designs;
use splitbrain::experiment::execute::execute;
use splitbrain::experiment::overrides::Overrides;
use splitbrain::experiment::pictures::{Plot, PlotKind};
use splitbrain::experiment::results::Results;

use crate::support::experiment;

const TEXT: &str = r#"
title  = "A station"
length = "20s"
warmup = "0s"
runs   = 3
server.desk  = { cores = 1 }
server.spare = { cores = 1 }
workload.people = { do = "job()", arrive = "poisson(80/s)", to = "18s" }
workload.others = { do = "chat()", arrive = "poisson(10/s)", to = "18s" }
variant.zulu  = {}
variant.alpha = { server.desk.cores = 2 }
variant.mike  = { workload.others.do = "aside()" }
sweep = { workload.people.arrive = ["poisson(40/s)", "poisson(80/s)"] }
fault.stop = { at = "6s", for = "3s", do = "pause(desk)" }
slo.up = "success(job, during=stop) > 90%"
expect.zulu.up = "either: it is not the question"
expect.alpha.up = "either: it is not the question"
expect.mike.up = "either: it is not the question"
[plot.busy]
line = ["desk.busy"]
[plot.times]
line = ["p99(job)", "p50(job)"]
variant = ["zulu"]
to = "7s"
[plot.served]
line = ["success(job)"]
[plot.rates]
bars = ["goodput(job)", "success(job)"]
[plot.map]
grid = ["variant", "workload.people.arrive"]
cell = ["up", "success(job)"]
[on.desk]
job  = "cpu exp(10ms)"
chat = "cpu 1ms"
[on.spare]
aside = "cpu 1ms"
"#;

/// Variants, and the parts that are drawn of them.
type Parts = (Vec<String>, Vec<String>);

fn drawn() -> (Vec<Plot>, Results, Vec<Parts>) {
    let experiment = experiment("pictures.toml", TEXT, &Overrides::default());
    let outcome = execute(&experiment, 2, &|_| {}, &AtomicBool::new(false)).expect("it ends");
    let plots = draw(&experiment, &outcome.cells, &outcome.results);
    let parts = designs(&experiment)
        .into_iter()
        .map(|design| (design.variants, design.graph.nodes.into_iter().map(|node| node.name).collect()));
    (plots, outcome.results, parts.collect())
}

fn find<'a>(plots: &'a [Plot], name: &str) -> &'a Plot {
    plots.iter().find(|plot| plot.name == name).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn pictures_keep_their_rules() {
    let (plots, results, designs) = drawn();
    // A level over time makes no column.
    let busy = find(&plots, "busy");
    assert!(
        matches!(&busy.kind, PlotKind::Line { series, .. } if series.iter().all(|curve| curve.points.len() > 50))
    );
    assert!(results.cells.iter().all(|cell| !cell.measures.contains_key("desk.busy")));
    // Measures of one unit share a picture, which goes on to the end of the fault that begins in it, over all runs.
    let times = find(&plots, "times");
    let PlotKind::Line { series, faults, .. } = &times.kind else { panic!("{times:?}") };
    let of: Vec<(&str, &str)> = series.iter().map(|curve| (&*curve.panel, &*curve.name)).collect();
    let rates = ["poisson(40/s)", "poisson(80/s)"];
    let expected = ["p99(job)", "p50(job)"].map(|measure| rates.map(|rate| (measure, rate))).concat();
    assert_eq!(of, expected);
    let last = series[3].points.last().expect("points").0;
    assert!(last > 8.0 && last < 11.0, "the fault ends at 9 s: {last}");
    assert_eq!(faults, &[("stop".to_owned(), 6.0, 9.0)]);
    assert!(
        series.iter().all(|curve| curve.band.is_some()) && times.note.contains("3 runs"),
        "{}",
        times.note
    );
    // Samples enough: of some 700 in 9.7 seconds a percentile of 99 is not asked of each tenth of a second.
    assert!(series[0].points.len() <= 12, "{}", series[0].points.len());
    // The bound of an objective is drawn, and shares are percentages.
    let served = find(&plots, "served");
    let PlotKind::Line { bounds, .. } = &served.kind else { panic!("{served:?}") };
    assert_eq!(bounds.iter().map(|bound| bound.text.as_str()).collect::<Vec<_>>(), ["> 90 % (up)"]);
    assert_eq!((served.y.unit.as_str(), bounds[0].value), ("%", 0.9));
    // What is of two units is two pictures, and titles say from where to where.
    assert_eq!(
        (find(&plots, "rates").y.unit.as_str(), find(&plots, "rates-2").y.unit.as_str()),
        ("1/s", "%")
    );
    assert!(find(&plots, "rates").title.contains("goodput(job): from "), "{}", find(&plots, "rates").title);
    // Grids are in the order of the file.
    let map = find(&plots, "map");
    assert!(
        matches!(&map.kind, PlotKind::Grid { rows, .. } if *rows == ["zulu", "alpha", "mike"]),
        "{map:?}"
    );
    // A design for each that differs in its parts, without parts that nobody uses.
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = [
        (list(&["zulu", "alpha"]), list(&["others", "people", "desk"])),
        (list(&["mike"]), list(&["others", "people", "desk", "spare"])),
    ];
    assert_eq!(designs, expected);
}

/// One curve goes through variants that set what is along the axis, theory between them as well, and a grid has them as the file does.
#[test]
fn variants_can_be_places_along_an_axis() {
    let text = r#"
length = "40s"
runs = 2
net = { latency = "0ms" }
server.desk = { cores = 1, threads = "unlimited" }
workload.people = { do = "job()", arrive = "poisson(50/s)" }
variant.zulu  = {}
variant.mike  = { workload.people.arrive = "poisson(100/s)" }
variant.alpha = { workload.people.arrive = "poisson(150/s)" }
theory.mean = { of = "mean(job)", is = "mm1(rate=workload.people.arrive, mean=on.desk.job)", within = "20%", source = "M/M/1" }
plot.stick = { line = ["mean(job)"], x = "workload.people.arrive" }
plot.map   = { grid = ["variant", "workload.people.arrive"], cell = ["mean(job)"] }
[on.desk]
job = "cpu exp(5ms)"
"#;
    let experiment = experiment("stick.toml", text, &Overrides::default());
    let outcome = execute(&experiment, 2, &|_| {}, &AtomicBool::new(false)).expect("it ends");
    let plots = draw(&experiment, &outcome.cells, &outcome.results);
    let PlotKind::Line { series, .. } = &find(&plots, "stick").kind else { panic!("{plots:?}") };
    let [measured, theory] = &series[..] else { panic!("one curve and its theory: {series:?}") };
    assert_eq!((&*measured.name, &*theory.name), ("mean(job)", "mean(job) (theory)"));
    assert_eq!(measured.points.iter().map(|(x, _)| *x).collect::<Vec<_>>(), [50.0, 100.0, 150.0]);
    assert!(theory.points.len() > 40, "{}", theory.points.len());
    for (rate, mean) in &theory.points {
        assert!((mean - 1.0 / (200.0 - rate)).abs() < 1e-9, "M/M/1 at {rate}/s: {mean}");
    }
    let PlotKind::Grid { rows, columns, .. } = &find(&plots, "map").kind else { panic!("{plots:?}") };
    assert_eq!(*rows, ["zulu", "mike", "alpha"]);
    assert_eq!(*columns, ["poisson(50/s)", "poisson(100/s)", "poisson(150/s)"]);
}
