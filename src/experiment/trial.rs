//! What one run of one cell under one seed leaves behind.

use crate::base::cause::Causes;
use crate::base::ids::{ProbeId, TierId};
use crate::base::op::Reason;
use crate::base::time::Time;
use crate::experiment::course::Course;
use crate::experiment::decision::Decided;
use crate::experiment::meters::Load;
use crate::faults::plan::Occurrence;
use crate::measures::evaluation::Remarks;
use crate::measures::functions::Undefined;
use crate::record::recorder::Recorder;

/// Requests of one probe that did not succeed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The probe.
    pub probe: ProbeId,
    /// How many of its requests ended.
    pub ended: u64,
    /// Why, where, and how many.
    pub why: Vec<(Reason, TierId, u64)>,
}

/// What one run leaves behind.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its seed.
    pub seed: u64,
    /// Its fingerprint.
    pub fingerprint: u128,
    /// Events.
    pub events: u64,
    /// By measure of the cell.
    pub values: Vec<Result<f64, Undefined>>,
    /// What is to be known beside them.
    pub remarks: Vec<Remarks>,
    /// By property of the cell; verdicts see nothing themselves.
    pub seen: Vec<Option<Decided>>,
    /// Time by cause of all requests, by probe that workloads call: requests, and their causes.
    pub causes: Vec<(ProbeId, u64, Causes)>,
    /// What did not succeed, by probe that workloads call: how many ended, and why and where how many of them failed.
    pub failures: Vec<Failed>,
    /// Where the time of the slowest hundredth of the successes of these went, in the order of `causes`.
    pub slowest: Vec<Causes>,
    /// How busy the parts were, in the order of the cell's meters.
    pub loads: Vec<Load>,
    /// What it recorded, when it is kept for pictures.
    pub recorder: Option<Recorder>,
    /// How measures went over time, as the cell's pictures ask.
    pub courses: Vec<Course>,
    /// When the faults were active, by name.
    pub faults: Vec<(String, Time, Time)>,
    /// What happened, in order: instants and members.
    pub plan: Vec<Occurrence>,
    /// What must hold in every run and did not: our mistake.
    pub broken: Option<String>,
    /// What it had too much of, and where: it was cut short, and nothing can be concluded from it.
    pub too_much: Option<String>,
    /// Requests whose percentiles came from a histogram.
    pub approximate: Vec<ProbeId>,
    /// What a reader should know of an automatic warm-up.
    pub warmup_note: Option<String>,
}
