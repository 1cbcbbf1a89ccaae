//! From trials to results: means and intervals, verdicts against what was expected, theory beside simulation.

use std::collections::BTreeMap;

use crate::base::cause::Cause;
use crate::base::ids::TierId;
use crate::base::op::Reason;
use crate::base::problem::Problem;
use crate::experiment::bottleneck::{bottleneck, parts};
use crate::experiment::cell::{Cell, Experiment};
use crate::experiment::compiled::Named;
use crate::experiment::decision::Decided;
use crate::experiment::load::theories_of;
use crate::experiment::question::{Expected, PropertyKind, Question, RUNS_MIN, Runs, TheoryEntry};
use crate::experiment::results::{self, Comparison, Estimate, Results, Summary as RunSummary, Theory};
use crate::experiment::statistics::{Agreement, Summary, agreement, paired, poisson_interval};
use crate::experiment::theory::evaluate;
use crate::experiment::trial::Trial;
use crate::measures::Dimension;
use crate::measures::evaluation::Remarks;
use crate::program::syntax::{BinaryOp, expression};

/// Beyond so many variants, each is compared with the first by name only.
const ALL_PAIRS_MAX: usize = 6;

/// The trials of one cell, in order of their seeds.
pub struct CellTrials<'a> {
    /// The cell.
    pub cell: &'a Cell,
    /// Its trials.
    pub trials: Vec<Trial>,
}

/// By measure, printed canonically: as the experiment spells it first, where that is another way.
fn spelling(question: &Question) -> BTreeMap<String, String> {
    let mut spelling = BTreeMap::new();
    let measures = question.measures.iter().chain(question.theories.iter().map(|theory| &theory.of));
    for text in measures {
        let written = text.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
        if let Ok(expr) = expression(text.as_str()) {
            spelling.entry(expr.value.to_string()).or_insert(written);
        }
    }
    spelling.retain(|canonical, written| canonical != written);
    spelling
}

/// Everything that is known after all trials; the two timings are left at 0.
pub fn results(experiment: &Experiment, cells: &[CellTrials<'_>]) -> Results {
    let mut out = Results {
        schema: 1,
        experiment: experiment.name.clone(),
        title: experiment.question.title.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: experiment.question.seed,
        fingerprint: fingerprint(cells),
        defaults: defaults(experiment, cells),
        warnings: warnings(experiment),
        cells: cells.iter().map(|cell| result_cell(experiment, cell)).collect(),
        comparisons: comparisons(experiment, cells),
        findings: BTreeMap::new(),
        theory: cells.iter().flat_map(|cell| theories(experiment, cell)).collect(),
        summary: RunSummary {
            trials: cells.iter().map(|cell| cell.trials.len() as u64).sum(),
            events: cells.iter().flat_map(|cell| &cell.trials).map(|trial| trial.events).sum(),
            wall_s: 0.0,
            events_per_s: 0.0,
            as_expected: true,
        },
        spelling: spelling(&experiment.question),
    };
    let properties =
        out.cells.iter().flat_map(|cell| cell.properties.values()).all(|property| property.as_expected);
    let broken = cells.iter().flat_map(|cell| &cell.trials).any(|trial| trial.broken.is_some());
    out.summary.as_expected =
        properties && out.theory.iter().all(|theory| theory.agrees || theory.needs_full) && !broken;
    out
}

fn fingerprint(cells: &[CellTrials<'_>]) -> String {
    let trials = cells.iter().flat_map(|cell| &cell.trials);
    let bytes: Vec<u8> = trials.flat_map(|trial| trial.fingerprint.to_le_bytes()).collect();
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes))
}

fn defaults(experiment: &Experiment, cells: &[CellTrials<'_>]) -> BTreeMap<String, String> {
    let designed = cells.iter().flat_map(|cell| &cell.cell.setup.design.defaults);
    designed
        .chain(&experiment.question.defaults)
        .map(|(path, used)| (path.clone(), used.value.clone()))
        .collect()
}

fn warnings(experiment: &Experiment) -> Vec<results::Warning> {
    let warning = |told: &Problem| results::Warning {
        code: told.code.to_owned(),
        message: told.message.clone(),
        place: told.place.as_ref().map(|place| experiment.sources.describe(place)),
        help: told.help.clone(),
    };
    experiment.warnings.iter().map(warning).collect()
}

fn estimate(values: &[f64], dimension: Dimension, note: Option<String>) -> Estimate {
    let summary = Summary::of(values);
    Estimate {
        mean: summary.map(|summary| summary.mean),
        ci95: summary.and_then(|summary| summary.interval(0.95)),
        unit: dimension.unit().to_owned(),
        n: values.len() as u32,
        note,
        ..Estimate::default()
    }
}

/// What is to be known beside an estimate: over all runs, each of which has its own.
fn with_remarks(mut estimate: Estimate, named: &Named, remarks: &[(f64, Remarks)]) -> Estimate {
    let mean =
        |of: &dyn Fn(&(f64, Remarks)) -> f64| remarks.iter().map(of).sum::<f64>() / remarks.len() as f64;
    let at_least = remarks.iter().any(|(_, remarks)| remarks.at_least);
    if remarks.is_empty() {
        return estimate;
    }
    estimate.at_least = at_least && named.expression.is_measure();
    if at_least && estimate.note.is_none() {
        let what = if estimate.at_least { "a lower bound" } else { "computed from a lower bound" };
        estimate.note = Some(format!("{what}: requests were under way for so long and had not ended"));
    }
    estimate.open = Some(mean(&|(_, remarks)| remarks.open)).filter(|open| *open > 0.0);
    estimate.success = remarks
        .iter()
        .any(|(_, remarks)| remarks.success.is_some())
        .then(|| mean(&|(_, remarks)| remarks.success.unwrap_or(1.0)));
    if named.expression.is_measure() && remarks.iter().any(|(_, remarks)| remarks.between.is_some()) {
        let side = |of: fn((f64, f64)) -> f64| mean(&|(value, remarks)| remarks.between.map_or(*value, of));
        estimate.between = Some([side(|(fail, _)| fail), side(|(_, succeed)| succeed)]);
    }
    estimate
}

/// The defined values of a measure, in order of seeds.
fn values(cell: &CellTrials<'_>, measure: usize) -> Vec<f64> {
    cell.trials.iter().filter_map(|trial| trial.values[measure].as_ref().ok().copied()).collect()
}

fn result_cell(experiment: &Experiment, cell: &CellTrials<'_>) -> results::Cell {
    let mut measures = BTreeMap::new();
    let listed =
        cell.cell.measures.iter().enumerate().filter(|(index, _)| !cell.cell.unlisted.contains(index));
    for (index, named) in listed {
        let defined = values(cell, index);
        let undefined = cell.trials.iter().find_map(|trial| trial.values[index].as_ref().err());
        let samples = named.expression.samples();
        let approximate = cell.trials.iter().flat_map(|trial| &trial.approximate);
        let percentile = approximate.into_iter().any(|probe| samples.contains(probe));
        let note = match undefined {
            Some(why) if defined.is_empty() => Some(why.0.clone()),
            Some(why) => Some(format!("undefined in {} runs: {}", cell.trials.len() - defined.len(), why.0)),
            None => percentile.then(|| "from a histogram of four digits".to_owned()),
        };
        let note = note.or_else(|| cell.trials.iter().find_map(|trial| trial.warmup_note.clone()));
        let remarks: Vec<(f64, Remarks)> = cell
            .trials
            .iter()
            .filter_map(|trial| Some((*trial.values[index].as_ref().ok()?, trial.remarks[index])))
            .collect();
        let estimate = estimate(&defined, named.expression.unit(), note);
        measures.insert(named.name.clone(), with_remarks(estimate, named, &remarks));
    }
    results::Cell {
        variant: cell.cell.variant.clone(),
        point: experiment.points[cell.cell.point].shown.clone(),
        runs: cell.trials.len() as u32,
        measures,
        properties: properties(experiment, cell),
        causes: causes(cell),
        failures: failures(cell),
        parts: parts(cell),
        bottleneck: bottleneck(cell),
    }
}

/// Why requests did not succeed, by program, the most frequent reason first.
fn failures(cell: &CellTrials<'_>) -> BTreeMap<String, Vec<results::Failures>> {
    let mut all = BTreeMap::new();
    for index in 0..cell.trials.first().map_or(0, |trial| trial.failures.len()) {
        let (probe, mut ended, mut sums) = (cell.trials[0].failures[index].probe, 0, BTreeMap::new());
        for failed in cell.trials.iter().map(|trial| &trial.failures[index]) {
            ended += failed.ended;
            failed.why.iter().for_each(|(reason, at, many)| *sums.entry((*reason, *at)).or_insert(0) += many);
        }
        let setup = &cell.cell.setup;
        let row = |((reason, at), requests): ((Reason, TierId), u64)| results::Failures {
            reason: setup.reason_name(reason),
            part: setup.tier_name(at),
            requests,
            share: requests as f64 / ended.max(1) as f64,
            answer: setup.design.answers.has(reason),
        };
        let mut rows: Vec<results::Failures> = sums.into_iter().map(row).collect();
        rows.sort_by(|a, b| {
            b.requests.cmp(&a.requests).then_with(|| (&a.reason, &a.part).cmp(&(&b.reason, &b.part)))
        });
        if !rows.is_empty() {
            all.insert(setup.probe_name(probe), rows);
        }
    }
    all
}

/// Mean time by cause of the requests of each program, ns; the causes sum to `total_ns` exactly.
fn causes(cell: &CellTrials<'_>) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut all = BTreeMap::new();
    let probes = cell.trials.first().map_or(&[][..], |trial| &trial.causes);
    for (index, (probe, _, _)) in probes.iter().enumerate() {
        let requests: u128 = cell.trials.iter().map(|trial| u128::from(trial.causes[index].1)).sum();
        let mut by_cause = BTreeMap::new();
        let mut total = 0;
        for cause in Cause::ALL {
            let ns: u128 =
                cell.trials.iter().map(|trial| u128::from(trial.causes[index].2.of(cause).as_ns())).sum();
            let mean = (ns / requests.max(1)) as u64;
            if mean > 0 {
                by_cause.insert(format!("{}_ns", cause.name()), mean);
            }
            total += mean;
        }
        by_cause.insert("total_ns".to_owned(), total);
        all.insert(cell.cell.setup.probe_name(*probe), by_cause);
    }
    all
}

/// What the runs say of a property: outcome, failing seeds, a witness.
struct Said {
    outcome: &'static str,
    failing: Vec<u64>,
    witness: String,
}

fn properties(experiment: &Experiment, cell: &CellTrials<'_>) -> BTreeMap<String, results::Property> {
    let judged = &cell.cell.judged;
    let in_verdict =
        |name: &str| judged.iter().any(|other| other.property.takes.iter().any(|taken| taken == name));
    let mut said: BTreeMap<&str, Said> = BTreeMap::new();
    for (index, one) in judged.iter().enumerate() {
        let seen: Vec<(u64, Option<&Decided>)> =
            cell.trials.iter().map(|trial| (trial.seed, trial.seen[index].as_ref())).collect();
        let verdict = match one.property.kind {
            PropertyKind::Always => always(&seen),
            PropertyKind::Sometimes => sometimes(&seen),
            PropertyKind::Slo => objective(one, &seen),
            PropertyKind::Verdict => need(&one.property.takes, &said),
        };
        said.insert(&one.property.name, verdict);
    }
    let mut properties = BTreeMap::new();
    for one in judged {
        let name = &one.property.name;
        let Some(said) = said.get(name.as_str()) else { continue };
        let key = (cell.cell.variant.clone(), name.clone());
        let expected = experiment.question.expected.get(&key).map(|list| &list[cell.cell.point]);
        let (expected, as_expected) = match expected {
            Some(Expected::Outcome(outcome)) => (outcome.clone(), outcome == said.outcome),
            Some(Expected::Either(why)) => (format!("either: {why}"), true),
            None if in_verdict(name) => ("judged by its verdict".to_owned(), true),
            None => ("holds".to_owned(), said.outcome == "holds"),
        };
        let property = results::Property {
            kind: one.property.kind.name().to_owned(),
            outcome: said.outcome.to_owned(),
            expected,
            as_expected,
            failing_seeds: said.failing.clone(),
            witness: said.witness.clone(),
            replay: None,
        };
        properties.insert(name.clone(), property);
    }
    properties
}

fn failing(seen: &[(u64, Option<&Decided>)]) -> Vec<u64> {
    let fails = |seen: &Option<&Decided>| seen.is_some_and(|seen| seen.holds == Some(false));
    seen.iter().filter(|(_, seen)| fails(seen)).map(|(seed, _)| *seed).collect()
}

fn witness(seen: &[(u64, Option<&Decided>)], holds: Option<bool>) -> String {
    let first = seen.iter().filter_map(|(_, seen)| *seen).find(|seen| seen.holds == holds);
    first.map_or(String::new(), |seen| seen.witness.clone())
}

fn always(seen: &[(u64, Option<&Decided>)]) -> Said {
    let failing = failing(seen);
    let undecided = seen.iter().any(|(_, seen)| seen.is_none_or(|seen| seen.holds.is_none()));
    let (outcome, sentence) = if !failing.is_empty() {
        ("violated", witness(seen, Some(false)))
    } else if undecided {
        ("unknown", witness(seen, None))
    } else {
        ("holds", String::new())
    };
    Said { outcome, failing, witness: sentence }
}

fn sometimes(seen: &[(u64, Option<&Decided>)]) -> Said {
    let happened = seen.iter().any(|(_, seen)| seen.is_some_and(|seen| seen.holds == Some(true)));
    if happened {
        return Said { outcome: "holds", failing: Vec::new(), witness: witness(seen, Some(true)) };
    }
    let sentence = format!("it happened in none of {} runs: {}", seen.len(), witness(seen, Some(false)));
    Said { outcome: "violated", failing: failing(seen), witness: sentence }
}

/// An objective over runs, judged twice: with requests that are open at the end as failed, and as succeeded. Where that makes a
/// difference it is not known.
fn objective(judged: &crate::experiment::compiled::Judged, seen: &[(u64, Option<&Decided>)]) -> Said {
    let failing = failing(seen);
    let margins: Vec<[f64; 2]> =
        seen.iter().filter_map(|(_, seen)| seen.and_then(|seen| seen.margins)).collect();
    let undefined = margins.len() < seen.len() || margins.is_empty();
    let comparison = judged.condition.as_ref().and_then(|named| named.expression.comparison());
    let (Some((op, left, _)), false) = (comparison, undefined) else {
        return Said { outcome: "unknown", failing, witness: witness(seen, None) };
    };
    if margins.len() < 2 {
        let seen = seen.iter().find_map(|(_, seen)| seen.map(|seen| seen.witness.as_str())).unwrap_or("");
        let witness = format!("{seen}; one run has no interval: `--runs {RUNS_MIN}` has");
        return Said { outcome: "unknown", failing, witness };
    }
    let name = judged.condition.as_ref().map_or("", |named| &named.name);
    let unit = if left.dimension == Dimension::One { "" } else { left.dimension.unit() };
    let [(if_they_fail, one), (if_they_succeed, other)] = [0, 1].map(|way| {
        let margins: Vec<f64> = margins.iter().map(|margins| margins[way]).collect();
        one_way(op, &margins, unit)
    });
    let (outcome, sentence) = match if_they_fail == if_they_succeed {
        true => (if_they_fail, format!("{name}: {one}")),
        false => (
            "unknown",
            format!("{name}: {one} if requests that are open at the end fail, {other} if they succeed"),
        ),
    };
    Said { outcome, failing, witness: sentence }
}

/// What margins say: the 95 % interval of (left − right) lies wholly on one side, or nothing is decided. Where some have no bound
/// there is no interval, and the runs must agree.
fn one_way(op: BinaryOp, margins: &[f64], unit: &str) -> (&'static str, String) {
    let holds = |margin: f64| crate::program::interpret::binary(op, sign(margin), 0) == Some(1);
    let verdict = |all: &mut dyn Iterator<Item = bool>| {
        let (mut some, mut none) = (false, false);
        all.for_each(|holds| if holds { some = true } else { none = true });
        match (some, none) {
            (true, false) => "holds",
            (false, true) => "violated",
            _ => "unknown",
        }
    };
    let boundless = margins.iter().filter(|margin| !margin.is_finite()).count();
    if boundless > 0 {
        let sentence = format!("in {boundless} of {} runs more than any bound", margins.len());
        return (verdict(&mut margins.iter().map(|margin| holds(*margin))), sentence);
    }
    let summary = Summary::of(margins).and_then(|summary| Some((summary.mean, summary.interval(0.95)?)));
    let Some((mean, [low, high])) = summary else { return ("unknown", "no interval".to_owned()) };
    let sentence =
        format!("on average {mean:+.4} {unit} from the bound, 95 % interval {low:+.4} to {high:+.4} {unit}");
    let sentence = sentence.replace("  ", " ").trim_end().to_owned();
    (verdict(&mut [low, high].into_iter().map(holds)), sentence)
}

fn sign(value: f64) -> i64 {
    if value > 0.0 {
        1
    } else if value < 0.0 {
        -1
    } else {
        0
    }
}

fn need(takes: &[String], said: &BTreeMap<&str, Said>) -> Said {
    let taken = || takes.iter().filter_map(|name| said.get(name.as_str()).map(|said| (name, said)));
    let of = |outcome: &str| {
        taken().filter(|(_, said)| said.outcome == outcome).map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let (violated, unknown) = (of("violated"), of("unknown"));
    let mut failing: Vec<u64> = taken().flat_map(|(_, said)| said.failing.clone()).collect();
    failing.sort_unstable();
    failing.dedup();
    match (violated.is_empty(), unknown.is_empty()) {
        (false, _) => {
            Said { outcome: "violated", failing, witness: format!("violated: {}", violated.join(", ")) }
        }
        (true, false) => {
            Said { outcome: "unknown", failing, witness: format!("undecided: {}", unknown.join(", ")) }
        }
        (true, true) => Said { outcome: "holds", failing, witness: String::new() },
    }
}

fn comparisons(experiment: &Experiment, cells: &[CellTrials<'_>]) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for point in 0..experiment.points.len() {
        let at: Vec<&CellTrials<'_>> = cells.iter().filter(|cell| cell.cell.point == point).collect();
        for (first, a) in at.iter().enumerate() {
            if at.len() > ALL_PAIRS_MAX && first > 0 {
                break;
            }
            for b in &at[first + 1..] {
                let listed = |(index, _): &(usize, &Named)| !a.cell.unlisted.contains(index);
                for (index, named) in a.cell.measures.iter().enumerate().filter(listed) {
                    comparisons.extend(compare(experiment, a, b, index, &named.name));
                }
            }
        }
    }
    comparisons
}

fn compare(
    experiment: &Experiment,
    a: &CellTrials<'_>,
    b: &CellTrials<'_>,
    index: usize,
    name: &str,
) -> Option<Comparison> {
    let other = b.cell.measures.iter().position(|named| named.name == name)?;
    let pairs: Vec<(f64, f64)> = a
        .trials
        .iter()
        .zip(&b.trials)
        .filter(|(x, y)| !x.remarks[index].at_least && !y.remarks[other].at_least) // bounds have no difference
        .filter_map(|(x, y)| Some((*x.values[index].as_ref().ok()?, *y.values[other].as_ref().ok()?)))
        .collect();
    let compared = paired(&pairs)?;
    Some(Comparison {
        measure: name.to_owned(),
        point: experiment.points[a.cell.point].shown.clone(),
        a: a.cell.variant.clone(),
        b: b.cell.variant.clone(),
        difference: Some(compared.difference.mean),
        ci95: compared.difference.interval(0.95),
        p_value: compared.p_value,
        correlation: compared.correlation,
    })
}

fn theories(experiment: &Experiment, cell: &CellTrials<'_>) -> Vec<Theory> {
    theories_of(&experiment.question, &cell.cell.variant)
        .filter_map(|entry| theory(experiment, cell, entry))
        .collect()
}

fn theory(experiment: &Experiment, cell: &CellTrials<'_>, entry: &TheoryEntry) -> Option<Theory> {
    let text = entry.at(cell.cell.point)?;
    let known = expression(text.as_str()).and_then(|expr| evaluate(&expr, cell.cell)).ok()?;
    let index = cell.cell.measures.iter().position(|named| named.text_is(&entry.of))?;
    let Named { name: of, expression } = &cell.cell.measures[index];
    let summary = Summary::of(&values(cell, index));
    let value = known.value;
    let within = entry.within.relative_to(if value == 0.0 { f64::MIN_POSITIVE } else { value });
    let tolerance = entry.within.absolute_to(value);
    let values = values(cell, index);
    let counted = values.iter().all(|value| value.fract() == 0.0).then(|| values.iter().sum::<f64>());
    let interval = |confidence| match entry.counts_events {
        true => Some(poisson_interval(counted?, values.len() as f64, confidence)),
        false => summary?.interval(confidence),
    };
    // One run has no interval of its own: it decides nothing.
    let decides = interval(0.99).unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    let at_least = cell.trials.iter().any(|trial| trial.remarks[index].at_least);
    // A lower bound beyond the reference parts from it; one below it says nothing.
    let verdict = summary.map(|summary| match at_least {
        true if summary.mean - tolerance > value => Agreement::Parts,
        true => Agreement::Undecided,
        false => agreement(summary.mean, decides, value, tolerance),
    });
    let undecided = verdict == Some(Agreement::Undecided);
    let quick = matches!(experiment.question.runs, Runs::Quick { quick, full } if quick < full);
    Some(Theory {
        name: entry.name.clone(),
        variant: cell.cell.variant.clone(),
        point: experiment.points[cell.cell.point].shown.clone(),
        of: of.clone(),
        simulated: summary.map(|summary| summary.mean),
        ci95: interval(0.95),
        ci99: interval(0.99),
        theory: value,
        unit: expression.unit().unit().to_owned(),
        within,
        source: entry.source.clone(),
        published: entry.published.clone(),
        agrees: verdict == Some(Agreement::Agrees),
        undecided,
        needs_full: quick && (verdict.is_none() || undecided),
    })
}
