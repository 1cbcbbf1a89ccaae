//! Collects while the run goes on. (Owner: the record work; the signatures below are the contract with the parts.)

use crate::base::cause::Causes;
use crate::base::ids::{ProbeId, SeriesId, TallyId};
use crate::base::time::Time;

/// How a request ended, for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// Success.
    Ok,
    /// It certainly failed.
    Failed,
    /// Nobody knows (timeout, reset).
    Unknown,
}

/// A finished request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finished {
    /// When its sender meant to send it: latency counts from here.
    pub intended: Time,
    /// When it ended.
    pub ended: Time,
    /// How.
    pub how: Ended,
    /// How many attempts it took, at least 1.
    pub attempts: u32,
    /// Where the time went: sums to `ended - intended`.
    pub causes: Causes,
}

/// Collects what happens in one run.
#[derive(Clone, Debug, Default)]
pub struct Recorder {}

#[allow(unused_variables)]
impl Recorder {
    /// Whether a watched counter has changed since it was last asked for (see the monitors).
    #[inline]
    pub fn changed(&self) -> bool {
        false
    }
    /// `n` more of a counter (`pages.hits`).
    pub fn count(&mut self, series: SeriesId, at: Time, n: u64) {
        todo!()
    }
    /// A level changed (`app.busy`); kept as a time-weighted average and a maximum.
    pub fn level(&mut self, series: SeriesId, at: Time, change: i64) {
        todo!()
    }
    /// A request was meant to be sent (in flight from here on).
    pub fn started(&mut self, probe: ProbeId, intended: Time) {
        todo!()
    }
    /// A request ended.
    pub fn finished(&mut self, probe: ProbeId, request: Finished) {
        todo!()
    }
    /// A late reply arrived for a caller that had let go.
    pub fn late(&mut self, probe: ProbeId, at: Time) {
        todo!()
    }
    /// `tally name[key] += by`.
    pub fn tally(&mut self, tally: TallyId, key: i64, at: Time, by: i64) {
        todo!()
    }
}
