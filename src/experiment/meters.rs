//! How busy the parts of a run are: of each resource on which requests wait, how much of it is in use and how many wait for it. Read from the
//! parts' own series, so that it costs a run next to nothing.

use crate::base::cause::Cause;
use crate::base::ids::{PartId, SeriesId};
use crate::base::parameter::Setting;
use crate::components::mech::pool::{Pool, PoolPer};
use crate::experiment::setup::Setup;
use crate::experiment::topology::{Caller, arrows};
use crate::record::recorder::Recorder;

/// The share of requests that is called the slowest.
pub const SLOWEST: f64 = 0.01;

/// Something of which a part has so much, and for which requests wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// `cores`, `threads`, `connections`, `lock`, `rows`.
    pub name: &'static str,
    /// To what the time of those that wait for it is charged.
    pub cause: Cause,
    /// How much of it there is in all members together, if that is known and bounded.
    pub units: Option<f64>,
    busy: Option<SeriesId>,
    waiting: SeriesId,
}

/// What tells how busy a part is.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter {
    /// The part.
    pub part: PartId,
    /// What requests wait for at it.
    pub resources: Vec<Resource>,
    served: Vec<SeriesId>,
    refused: Vec<SeriesId>,
}

/// How busy a part was in one run, after the warm-up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// By resource: the share of it that was in use, and how many waited for it, on average over time.
    pub resources: Vec<(Option<f64>, f64)>,
    /// What it did, 1/s.
    pub throughput: f64,
    /// What it turned away, 1/s.
    pub refusals: f64,
}

impl Meter {
    /// What it reads.
    pub fn series(&self) -> impl Iterator<Item = SeriesId> {
        let of_resources =
            self.resources.iter().flat_map(|resource| resource.busy.into_iter().chain([resource.waiting]));
        of_resources.chain(self.served.iter().copied()).chain(self.refused.iter().copied())
    }

    /// How busy the part was in a run that is over.
    pub fn read(&self, recorder: &Recorder) -> Load {
        let (Some(window), cells) = (recorder.windows().first(), recorder.range(0)) else {
            return Load::default();
        };
        let seconds = window.span().as_secs_f64();
        if seconds <= 0.0 {
            return Load { resources: vec![(None, 0.0); self.resources.len()], ..Load::default() };
        }
        let level = |id: SeriesId| recorder.series(id).integral(cells.clone()) as f64 / 1e9 / seconds;
        let rate = |all: &[SeriesId]| {
            all.iter().map(|id| recorder.series(*id).counted(cells.clone())).sum::<u64>() as f64 / seconds
        };
        let share = |resource: &Resource| {
            let busy = resource.busy?;
            match resource.units {
                Some(units) => Some(level(busy) / units),
                // one key of a lock is held by one at a time; of several nobody knows how many there are
                None => (recorder.series(busy).peak(cells.clone()) <= 1).then(|| level(busy)),
            }
        };
        Load {
            resources: self.resources.iter().map(|one| (share(one), level(one.waiting))).collect(),
            throughput: rate(&self.served),
            refusals: rate(&self.refused),
        }
    }
}

/// The meters of all parts that some workload reaches.
pub fn meters(setup: &Setup) -> Vec<Meter> {
    let parts = (0..setup.design.names.len() as u16).map(PartId);
    parts.filter(|part| setup.reaches(*part)).map(|part| meter(setup, part)).collect()
}

fn meter(setup: &Setup, part: PartId) -> Meter {
    let names = &setup.design.names[part.index()];
    let series = |name: &&str| setup.design.series(&format!("{}.{name}", names.name));
    let all = |names: &[&str]| names.iter().filter_map(series).collect::<Vec<_>>();
    let kind = setup.design.kind(part);
    // by the series of those that wait: what for, its cause, what of it is in use
    let resources = [
        ("runnable", "cores", Cause::Queue, Some("busy")),
        ("queue", "cores", Cause::Queue, Some("busy")),
        ("queued", "threads", Cause::Queue, Some("threads")),
        ("pool_waits", "connections", Cause::Pool, Some("connected")),
        ("waiting", "lock", Cause::Lock, Some("held")),
        ("lock_waits", "rows", Cause::Lock, None),
    ];
    let resource =
        |(waiting, name, cause, busy): (&'static str, &'static str, Cause, Option<&'static str>)| {
            Some(Resource {
                name,
                cause,
                units: units(setup, part, name),
                busy: busy.and_then(|busy| series(&busy)),
                waiting: series(&waiting)?,
            })
        };
    let mut resources: Vec<Resource> = resources.into_iter().filter_map(resource).collect();
    // whose use is only known as a share of how many there are
    for resource in resources.iter_mut().filter(|one| one.units.is_none() && one.name != "lock") {
        resource.busy = None;
    }
    Meter { part, resources, served: all(kind.served), refused: all(kind.refused) }
}

/// How much of something a part has.
fn units(setup: &Setup, part: PartId, name: &str) -> Option<f64> {
    let (parameters, count) =
        (&setup.design.parameters[part.index()], setup.design.names[part.index()].count);
    match name {
        "cores" | "threads" => match parameters.get(name) {
            Some(Setting::Count(each)) if *each < u64::from(u32::MAX) => {
                Some(*each as f64 * f64::from(count))
            }
            _ => None,
        },
        "connections" => {
            let pool = Pool::of(parameters).filter(|pool| pool.connections < u32::MAX)?;
            let each = f64::from(pool.connections);
            match pool.per {
                PoolPer::All => (count == 1).then_some(each),
                PoolPer::Process => Some(each * callers(setup, part)).filter(|all| *all > 0.0),
            }
        }
        _ => None,
    }
}

/// How many processes ask a part for something.
fn callers(setup: &Setup, part: PartId) -> f64 {
    let mut callers: Vec<PartId> = arrows(&setup.design, &setup.workloads)
        .into_iter()
        .filter(|arrow| arrow.to == part)
        .filter_map(|arrow| match arrow.from {
            Caller::Part(from) if setup.reaches(from) => Some(from),
            Caller::Part(_) | Caller::Workload(_) => None,
        })
        .collect();
    callers.sort_unstable();
    callers.dedup();
    callers.iter().map(|caller| f64::from(setup.design.names[caller.index()].count)).sum()
}
