//! What a workload does: who calls what, and when.

use std::sync::Arc;

use crate::base::ids::{PartId, PolicyId, ProbeId, ProgramId, ZoneId};
use crate::base::time::Time;
use crate::components::directory::Directory;
use crate::components::mech::arrivals::Arrivals;
use crate::components::mech::key_distribution::KeyDistribution;
use crate::components::mech::policy::{Answers, Policy};

/// One of the calls of a workload.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// Cumulative share.
    pub upto: f64,
    /// Whom.
    pub to: PartId,
    /// Which program; none for a dependency that we do not own.
    pub program: Option<ProgramId>,
    /// Its arguments.
    pub args: Vec<KeyDistribution>,
    /// Where it is recorded.
    pub probe: ProbeId,
}

/// What a workload does.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// A hash of its name: the root of its draws.
    pub name: u64,
    /// When.
    pub arrivals: Arrivals,
    /// What.
    pub calls: Vec<CallPlan>,
    /// What it does about trouble.
    pub policy: PolicyId,
    /// All policies.
    pub policies: Arc<[Policy]>,
    /// Failures that are answers.
    pub answers: Answers,
    /// Who is where.
    pub directory: Arc<Directory>,
    /// Where the workload as a whole is recorded.
    pub probe: ProbeId,
    /// From when on.
    pub from: Time,
    /// Until when requests are sent.
    pub to: Time,
    /// Where the requests of an open loop come from: zones by cumulative share. Without any, from where the tier stands, as those of
    /// users do.
    pub zones: Arc<[(f64, ZoneId)]>,
}
