//! One variant at one sweep point, ready to run: the design resolved, everything wired, a world for each seed.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::ids::{PartId, ProbeId, TierId, ZoneId};
use crate::base::op::{REASONS, Reason};
use crate::base::problem::Problems;
use crate::base::time::{Span, Time};
use crate::components::client::Client as Caller;
use crate::components::client::plan::ClientPlan as CallerPlan;
use crate::components::directory::{CacheClient, Client, Directory, Filling, Target};
use crate::components::mech::policy::Policy;
use crate::components::nobody::Nobody;
use crate::components::part::{PartName, Wiring};
use crate::design::file::Data;
use crate::design::limits::{AT_INSTANT_MAX, IN_FLIGHT_MAX};
use crate::design::resolve::Design;
use crate::design::sessions::sessions;
use crate::experiment::pictures::Graph;
use crate::experiment::topology::{graph, reached};
use crate::experiment::workload::{Workload, workloads};
use crate::net::Network;
use crate::program::compile::scope::PartRole;
use crate::record::history::RowId;
use crate::record::recorder::{RecordPlan, Recorder};
use crate::record::survey::Survey;
use crate::sim::limits::Limits;
use crate::sim::run::World;

/// Members of a part that a caller chooses among by distance: those of a store.
const NEAR_MAX: u32 = 9;

/// A design with its workloads, wired.
pub struct Setup {
    /// The design.
    pub design: Design,
    /// Its workloads, in order of name.
    pub workloads: Vec<Workload>,
    wiring: Wiring,
    /// Parts that some workload reaches.
    reached: BTreeSet<PartId>,
    /// Stores whose programs run beside their members, in tiers after those of parts and workloads.
    hosts: Vec<PartId>,
    /// How much a world may have at once.
    pub limits: Limits,
    /// By probe: the names under which it is measured.
    pub probe_names: Vec<Vec<String>>,
}

impl Setup {
    /// Wires a resolved design.
    pub fn new(mut design: Design, data: Data<'_>, problems: &mut Problems) -> Option<Setup> {
        let before = problems.0.len();
        let first = ProbeId((design.programs.0.len() + design.names.len()) as u16);
        let mut workloads = workloads(&mut design, first, data, problems);
        if problems.0.len() > before {
            return None;
        }
        let policies: Arc<[Policy]> =
            design.policies.iter().map(|policy| Policy::resolve(policy, &design.naming.failures)).collect();
        let reached = reached(&design, &workloads);
        let hosts = hosts(&design, &reached);
        let first_host = design.names.len() + workloads.len();
        let directory = Arc::new(directory(&design, &hosts, first_host));
        for workload in &mut workloads {
            workload.plan.policies = policies.clone();
            workload.plan.answers = design.answers.clone();
            workload.plan.directory = directory.clone();
        }
        let called: BTreeSet<ProbeId> =
            workloads.iter().flat_map(|workload| workload.plan.calls.iter().map(|call| call.probe)).collect();
        let probes = (0..design.programs.0.len() as u16).map(ProbeId);
        let probes = probes.map(|probe| (!called.contains(&probe)).then_some(probe)).collect();
        let answers = design.answers.clone();
        let wiring = Wiring { programs: design.programs.clone(), directory, policies, answers, probes };
        let probe_names = probe_names(&design, &workloads);
        let limits = Limits { in_flight: IN_FLIGHT_MAX, at_instant: AT_INSTANT_MAX };
        Some(Setup { design, workloads, wiring, reached, hosts, limits, probe_names })
    }

    /// A world for one run.
    pub fn world(&self, seed: u64, record: &RecordPlan) -> World {
        let mut world = World::new(seed, self.network(seed), Recorder::new(record));
        world.limit(self.limits);
        for (index, (name, part)) in self.design.names.iter().zip(&self.design.parts).enumerate() {
            if self.reached.contains(&PartId(index as u16)) {
                part.build(name, &self.wiring, &mut world);
            } else {
                world.add::<Nobody>(&name.name, Arc::new(()), 0, &name.zones, false); // checked, not built
            }
        }
        for workload in &self.workloads {
            let plan: Arc<CallerPlan> = Arc::new(workload.plan.clone());
            let count = workload.plan.arrivals.members();
            world.add::<Caller>(&workload.name, plan, count, &workload.zones, true);
        }
        for store in self.hosts.iter().map(|store| store.index()) {
            self.design.parts[store].build_host(&self.design.names[store], &self.wiring, &mut world);
        }
        world
    }

    /// What the copies of a store hold of all rows that anything is known of.
    pub fn survey(&self, store: TierId, at: Time, world: &World) -> Option<Survey> {
        let rows = || world.recorder().history.rows().iter().zip(0..).filter(|(row, _)| row.store == store);
        let names: Vec<(u16, i64)> = rows().map(|(row, _)| (row.table, row.key)).collect();
        let (part, name) = (&self.design.parts[store.0 as usize], &self.design.names[store.0 as usize]);
        let holdings = part.survey(name, &names, world)?;
        let rows = rows().map(|(_, number)| RowId(number)).collect();
        Some(Survey { store, at, rows, holdings })
    }

    fn network(&self, seed: u64) -> Network {
        let zones = &self.design.known.zones;
        let places = &self.design.places;
        let all = || (0..zones.len() as u8).map(ZoneId);
        let links: Vec<_> = all()
            .flat_map(|from| all().map(move |to| (from, to)))
            .map(|(from, to)| (from, to, places.path(from, to)))
            .collect();
        let default = places.path(ZoneId(0), ZoneId(0));
        Network::new(seed, zones.clone(), default, &links)
    }

    /// How many things there are to record.
    pub fn record_plan(&self, length: Span) -> RecordPlan {
        RecordPlan {
            length,
            series: self.design.series.iter().map(|(_, series)| series.kind).collect(),
            tallies: self.design.naming.tallies.len(),
            probes: vec![Default::default(); self.probe_names.len()],
            ..RecordPlan::default()
        }
    }

    /// The probes that workloads' programs are recorded under: what is shown without being asked for.
    pub fn called(&self) -> BTreeSet<ProbeId> {
        self.workloads.iter().flat_map(|workload| workload.plan.calls.iter().map(|call| call.probe)).collect()
    }

    /// The name of a probe in results.
    pub fn probe_name(&self, probe: ProbeId) -> String {
        self.probe_names[probe.index()].last().cloned().unwrap_or_default()
    }

    /// The design as a picture.
    pub fn graph(&self) -> Graph {
        graph(&self.design, &self.workloads)
    }

    /// The store beside whose members a tier runs that store's programs; `None` for other tiers.
    pub fn beside(&self, tier: TierId) -> Option<TierId> {
        let first = self.design.names.len() + self.workloads.len();
        let host = self.hosts.get((tier.0 as usize).checked_sub(first)?)?;
        Some(self.design.names[host.index()].tier)
    }

    /// The name of a reason.
    pub fn reason_name(&self, reason: Reason) -> String {
        match reason {
            Reason::Named(number) => self.design.naming.failures[usize::from(number)].clone(),
            _ => REASONS
                .iter()
                .find(|(_, known, _)| *known == reason)
                .map_or("", |(name, ..)| *name)
                .to_owned(),
        }
    }

    /// The name of a part by its tier, or by that of what runs its programs; of a workload by its own.
    pub fn tier_name(&self, tier: TierId) -> String {
        let tier = self.beside(tier).unwrap_or(tier);
        let parts = self.design.names.iter().map(|part| &part.name);
        let mut all = parts.chain(self.workloads.iter().map(|workload| &workload.name));
        all.nth(usize::from(tier.0)).cloned().unwrap_or_default()
    }

    /// Whether anything reaches a part.
    pub fn reaches(&self, part: PartId) -> bool {
        self.reached.contains(&part)
    }
}

/// The stores that have programs.
fn hosts(design: &Design, reached: &BTreeSet<PartId>) -> Vec<PartId> {
    let runs = |part: &PartId| design.programs.0.iter().any(|program| program.part == *part);
    let stores = reached.iter().filter(|part| design.names[part.index()].role == PartRole::Stores);
    stores.filter(|part| runs(part)).copied().collect()
}

fn directory(design: &Design, hosts: &[PartId], first_host: usize) -> Directory {
    let mut targets: Vec<Target> = design
        .names
        .iter()
        .zip(&design.parts)
        .map(|(name, part)| Target {
            tier: name.tier,
            count: name.count,
            way_in: None,
            host: None,
            client: part.client(),
            session: None,
            near: near(design, name),
            closest: closest(design, name),
        })
        .collect();
    for (store, tier) in hosts.iter().zip(first_host..) {
        targets[store.index()].host =
            Some(TierId(u8::try_from(tier).expect("parts and workloads are limited")));
    }
    for (place, store) in
        sessions(&design.programs, |part| design.parameters.get(part.index())).into_iter().enumerate()
    {
        targets[store.index()].session = Some(place as u8); // the loader has checked how many there are
    }
    for (balancer, behind) in &design.behind {
        targets[behind.index()].way_in = Some(*balancer);
    }
    for (cache, fill) in &design.fills {
        if let Client::Cache(client) = &targets[cache.index()].client {
            let filling = Filling { program: fill.program, args: fill.args, key: fill.key };
            let client = CacheClient { fill: Some(filling), ..client.as_ref().clone() };
            targets[cache.index()].client = Client::Cache(Arc::new(client));
        }
    }
    Directory(targets)
}

/// The members of a part as seen from each zone: those in it first, then by mean latency, then by number.
fn near(design: &Design, part: &PartName) -> Arc<[Vec<u32>]> {
    let from = |zone: ZoneId| {
        let mut members: Vec<u32> = (0..part.count.min(NEAR_MAX)).collect();
        members.sort_by(|a, b| farther(design, zone, home(part, *a), home(part, *b)));
        members
    };
    zones(design).map(from).collect()
}

/// The members of a part in the zone nearest to each zone, for callers that find their way by themselves.
fn closest(design: &Design, part: &PartName) -> Arc<[Vec<u32>]> {
    if (1..part.count).all(|member| home(part, member) == home(part, 0)) {
        return Arc::default();
    }
    let from = |zone: ZoneId| {
        let nearest = (0..part.count.min(part.zones.len() as u32))
            .map(|member| home(part, member))
            .min_by(|a, b| farther(design, zone, *a, *b));
        (0..part.count).filter(|member| Some(home(part, *member)) == nearest).collect()
    };
    zones(design).map(from).collect()
}

fn zones(design: &Design) -> impl Iterator<Item = ZoneId> {
    (0..design.known.zones.len() as u8).map(ZoneId)
}

/// Where a member stands.
fn home(part: &PartName, member: u32) -> ZoneId {
    part.zones[member as usize % part.zones.len()]
}

/// Which of two zones is farther from a third: itself is nearest, then by mean latency.
fn farther(design: &Design, from: ZoneId, a: ZoneId, b: ZoneId) -> Ordering {
    let far = |to: ZoneId| {
        let mean = design.places.path(from, to).latency.mean().unwrap_or(f64::INFINITY);
        (to != from, mean)
    };
    let (a, b) = (far(a), far(b));
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
}

/// Programs, then parts (for calls of dependencies), then workloads.
fn probe_names(design: &Design, workloads: &[Workload]) -> Vec<Vec<String>> {
    let programs = &design.programs.0;
    let mut names: Vec<Vec<String>> = programs
        .iter()
        .map(|program| {
            let long = format!("{}.{}", design.names[program.part.index()].name, program.name);
            let alone = programs.iter().filter(|other| other.name == program.name).count() == 1;
            if alone { vec![long, program.name.clone()] } else { vec![long] }
        })
        .collect();
    names.extend(design.names.iter().map(|part| vec![part.name.clone()]));
    names.extend(workloads.iter().map(|workload| vec![workload.name.clone()]));
    names
}
