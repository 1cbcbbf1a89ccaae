//! The result contract, as DESIGN fixes it: `results.json` is this, serialised. Names and units are fixed:
//! s, 1/s, 1, $. All maps are ordered; floats print shortest-round-trip.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `results.json`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Results {
    /// Version of this format: 1.
    pub schema: u32,
    /// The experiment's name: its file's stem.
    pub experiment: String,
    /// Its title.
    pub title: String,
    /// Version of splitbrain.
    pub version: String,
    /// The first seed.
    pub seed: u64,
    /// Over all trials, in order; 32 hex digits.
    pub fingerprint: String,
    /// Every default that was used, by path.
    pub defaults: BTreeMap<String, String>,
    /// What is unwise about the experiment: told when it was loaded.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Variant × sweep point, variants in file order, points in sweep order.
    pub cells: Vec<Cell>,
    /// Pairs of variants under the same seeds.
    pub comparisons: Vec<Comparison>,
    /// What `find` found.
    pub findings: BTreeMap<String, Estimate>,
    /// Theory beside simulation.
    pub theory: Vec<Theory>,
    /// The run as a whole.
    pub summary: Summary,
    /// By measure, printed canonically: as its author spells it, which is its key in `results.json`.
    #[serde(skip)]
    pub spelling: BTreeMap<String, String>,
}

/// Something unwise.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Warning {
    /// Documented code, `SB0601`: `splitbrain explain SB0601`.
    pub code: String,
    /// What is unwise, in one sentence.
    pub message: String,
    /// Where: `models/shop.toml:12:3`.
    pub place: Option<String>,
    /// What would be better.
    pub help: Option<String>,
}

/// One variant at one sweep point.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Cell {
    /// The variant's name (`base` when the experiment has none).
    pub variant: String,
    /// The sweep point: path to value as written.
    pub point: BTreeMap<String, String>,
    /// Replications.
    pub runs: u32,
    /// By the measure's expression: as the experiment spells it, otherwise printed canonically.
    pub measures: BTreeMap<String, Estimate>,
    /// By the property's name.
    pub properties: BTreeMap<String, Property>,
    /// Mean time by cause, by program; `_ns` fields, over all runs (`queue_ns`, …), sum to `total_ns`.
    pub causes: BTreeMap<String, BTreeMap<String, u64>>,
    /// Requests that did not succeed, by program, the most frequent first: why, and where. Programs of which all succeeded are left out.
    #[serde(default)]
    pub failures: BTreeMap<String, Vec<Failures>>,
    /// How busy each part was, by its name, after the warm-up and on average over the runs.
    #[serde(default)]
    pub parts: BTreeMap<String, Part>,
    /// What saturates, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
}

/// How busy a part was.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
pub struct Part {
    /// Its kind: `server`, `db`, …
    pub kind: String,
    /// By what it has so much of (`cores`, `threads`, `connections`; `lock`): the share that was in use, on average over time.
    pub utilisation: BTreeMap<String, f64>,
    /// By the same: how many waited for it, on average over time.
    pub waiting: BTreeMap<String, f64>,
    /// What it did, 1/s: requests, calls, operations, locks.
    pub throughput: f64,
    /// What it turned away, or what gave up waiting for a lock, 1/s.
    pub refusals: f64,
}

/// What saturates.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Bottleneck {
    /// The part.
    pub part: String,
    /// What of it: `cores`, `threads`, `connections`, `lock`, `rows`.
    pub resource: String,
    /// How much of that there is, all members together.
    pub units: Option<f64>,
    /// The share of that in use.
    pub utilisation: Option<f64>,
    /// To which cause the waiting is charged.
    pub cause: String,
    /// At which part is waited: in front of it where threads or connections are short because its cores are busy.
    pub waits_at: String,
    /// For what.
    pub waits_for: String,
    /// How many wait, on average over time.
    pub waiting: f64,
    /// What the part turned away, 1/s.
    pub refusals: f64,
    /// The program that a workload calls which loses most time there.
    pub program: Option<String>,
    /// Its mean over all that ended, s.
    pub mean_s: Option<f64>,
    /// Which share of that is waiting there.
    pub share_of_mean: Option<f64>,
    /// Which share of the time of the slowest hundredth of its successes is.
    pub share_of_slowest: Option<f64>,
}

/// Requests of one program that ended for one reason at one part.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Failures {
    /// Why: `timeout`, `overloaded`, the name of a `fail` step, …
    pub reason: String,
    /// The part that said no, or that was asked and gave no answer.
    pub part: String,
    /// How many requests, over all runs.
    pub requests: u64,
    /// Which share of those that ended.
    pub share: f64,
    /// Whether `answers` declares it as an answer that may be expected.
    pub answer: bool,
}

/// A measure over the runs of a cell.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
pub struct Estimate {
    /// Mean over runs; `null` when it is undefined.
    pub mean: Option<f64>,
    /// 95 % interval (Student-t over runs); `null` with fewer than two runs.
    pub ci95: Option<[f64; 2]>,
    /// `s`, `1/s`, `1` or `$`.
    pub unit: String,
    /// Runs in which it was defined.
    pub n: u32,
    /// It is a lower bound: some requests were under way at the end of a run's stretch, for longer than those that ended can tell of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// The share of the requests sent in its stretch that were open when the run ended; the other shares are of those that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<f64>,
    /// What it would be if all that were open failed, and if all succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[f64; 2]>,
    /// The share of successes, where it is of these alone and they are fewer than 99.9 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<f64>,
    /// The measure's expression, printed canonically, where its key is another spelling of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// Why it is undefined, and how percentiles were taken when not exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A property in a cell.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Property {
    /// `always`, `sometimes`, `slo` or `verdict`.
    pub kind: String,
    /// `holds`, `violated` or `unknown`.
    pub outcome: String,
    /// What the experiment expects: one of these, or `either`.
    pub expected: String,
    /// Whether it came as expected.
    pub as_expected: bool,
    /// Seeds of the runs that violate it.
    pub failing_seeds: Vec<u64>,
    /// One sentence, when it is violated or unknown.
    pub witness: String,
    /// The command that runs the first of its failing seeds again, with what the command line has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
}

/// Two variants under the same seeds, run by run.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Comparison {
    /// The measure.
    pub measure: String,
    /// The sweep point.
    pub point: BTreeMap<String, String>,
    /// First variant.
    pub a: String,
    /// Second variant.
    pub b: String,
    /// Mean of a − b.
    pub difference: Option<f64>,
    /// Its 95 % interval.
    pub ci95: Option<[f64; 2]>,
    /// Paired t-test, two-sided.
    pub p_value: Option<f64>,
    /// Correlation of the pairs: what common random numbers reached.
    pub correlation: Option<f64>,
}

/// A closed form or a paper's figure beside the simulation.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Theory {
    /// Its name, with variant and point when there are several.
    pub name: String,
    /// The variant.
    pub variant: String,
    /// The sweep point.
    pub point: BTreeMap<String, String>,
    /// The measure.
    pub of: String,
    /// Mean over runs.
    pub simulated: Option<f64>,
    /// 99 % and 95 %: the 95 % interval of the simulated mean.
    pub ci95: Option<[f64; 2]>,
    /// 99 % interval, which decides.
    pub ci99: Option<[f64; 2]>,
    /// What theory says.
    pub theory: f64,
    /// `s`, `1/s`, `1` or `$`.
    pub unit: String,
    /// Allowed relative difference.
    pub within: f64,
    /// Where the theory is from.
    pub source: String,
    /// A published figure beside it, as its source writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// By the rule of docs/validation.md.
    pub agrees: bool,
    /// Neither: the interval is wider than the tolerance, and more runs would tell.
    #[serde(default)]
    pub undecided: bool,
    /// It is undecided because these were the quick runs: `--full` tells. Such a row does not change the exit status.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_full: bool,
}

/// The run as a whole.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Summary {
    /// Runs done.
    pub trials: u64,
    /// Events of all runs; what several runs share counts for each.
    pub events: u64,
    /// Wall time, s. May differ between two runs of the same thing.
    pub wall_s: f64,
    /// These events per second of wall time. May differ between two runs of the same thing.
    pub events_per_s: f64,
    /// Whether every property and every theory came as expected.
    pub as_expected: bool,
}
