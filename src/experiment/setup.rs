//! One variant at one sweep point, ready to run: the design resolved, everything wired, a world for each seed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::ids::{PartId, ProbeId, SeriesId, TallyId, ZoneId};
use crate::base::knob::Setting;
use crate::base::problem::Problems;
use crate::base::time::Span;
use crate::components::Wiring;
use crate::components::client::{Client as Caller, Plan as CallerPlan};
use crate::components::directory::{CacheClient, Client, Directory, Filling, Target};
use crate::components::policy::Policy;
use crate::design::file::Data;
use crate::design::resolve::Design;
use crate::experiment::workload::{Workload, workloads};
use crate::measures::expression::Names;
use crate::net::Network;
use crate::program::instr::Instr;
use crate::record::recorder::{RecordPlan, Recorder};
use crate::sim::process::{Disk, Process};
use crate::sim::run::World;

/// A design with its workloads, wired.
pub struct Setup {
    /// The design.
    pub design: Design,
    /// Its workloads, in order of name.
    pub workloads: Vec<Workload>,
    wiring: Wiring,
    /// Parts that some workload reaches.
    reached: BTreeSet<PartId>,
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
        let policies: Arc<[Policy]> = design.policies.iter().map(Policy::resolve).collect();
        let directory = Arc::new(directory(&design));
        for workload in &mut workloads {
            workload.plan.policies = policies.clone();
            workload.plan.directory = directory.clone();
        }
        let called: BTreeSet<ProbeId> =
            workloads.iter().flat_map(|workload| workload.plan.calls.iter().map(|call| call.probe)).collect();
        let probes = (0..design.programs.0.len() as u16).map(ProbeId);
        let probes = probes.map(|probe| (!called.contains(&probe)).then_some(probe)).collect();
        let wiring = Wiring { programs: design.programs.clone(), directory, policies, probes };
        let reached = reached(&design, &workloads);
        let probe_names = probe_names(&design, &workloads);
        Some(Setup { design, workloads, wiring, reached, probe_names })
    }

    /// A world for one run.
    pub fn world(&self, seed: u64, record: &RecordPlan) -> World {
        let mut world = World::new(seed, self.network(seed), Recorder::new(record));
        for (index, (name, part)) in self.design.names.iter().zip(&self.design.parts).enumerate() {
            if self.reached.contains(&PartId(index as u16)) {
                part.build(name, &self.wiring, &mut world);
            } else {
                world.add::<Nobody>(&name.name, Arc::new(()), 0, &name.zones, false);
            }
        }
        for workload in &self.workloads {
            let plan: Arc<CallerPlan> = Arc::new(workload.plan.clone());
            let count = workload.plan.arrivals.members();
            world.add::<Caller>(&workload.name, plan, count, &workload.zones, true);
        }
        world
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
            series: self.design.series.len(),
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

    /// Whether anything reaches a part.
    pub fn reaches(&self, part: PartId) -> bool {
        self.reached.contains(&part)
    }
}

/// Stands in for a part that no workload reaches: it is checked and not built.
#[derive(Clone, Hash)]
struct Nobody;

impl Process for Nobody {
    type Plan = ();
    type Message = ();
    type Timer = ();
    type Record = ();
    type Snapshot = ();

    fn build((): &(), _: u32) -> Self {
        Nobody
    }
    fn start(&mut self, _: &Disk<(), ()>, _: &mut crate::sim::context::Context<Self>) {}
    fn on_call(
        &mut self,
        _: crate::base::ids::CallId,
        _: crate::base::op::Op,
        _: &mut crate::sim::context::Context<Self>,
    ) {
    }
}

fn directory(design: &Design) -> Directory {
    let mut targets: Vec<Target> = design
        .names
        .iter()
        .zip(&design.parts)
        .map(|(name, part)| Target {
            tier: name.tier,
            count: name.count,
            way_in: None,
            client: part.client(),
        })
        .collect();
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

/// The parts that calls of workloads lead to, directly or not.
fn reached(design: &Design, workloads: &[Workload]) -> BTreeSet<PartId> {
    let mut todo: Vec<PartId> =
        workloads.iter().flat_map(|workload| workload.plan.calls.iter().map(|call| call.to)).collect();
    let mut reached = BTreeSet::new();
    while let Some(part) = todo.pop() {
        if !reached.insert(part) {
            continue;
        }
        todo.extend(design.behind.get(&part));
        todo.extend(
            design.behind.iter().filter(|(_, behind)| **behind == part).map(|(balancer, _)| *balancer),
        );
        todo.extend(design.fills.get(&part).map(|fill| fill.part));
        for program in design.programs.0.iter().filter(|program| program.part == part) {
            todo.extend(program.calls.iter().map(|site| site.to));
            todo.extend(program.code.iter().filter_map(|instr| match instr {
                Instr::Get { cache, .. } | Instr::Put { cache, .. } | Instr::Drop { cache } => Some(*cache),
                Instr::Read { db, .. } | Instr::Write { db, .. } | Instr::Update { db, .. } => Some(*db),
                _ => None,
            }));
        }
    }
    reached
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

impl Names for Setup {
    fn probe(&self, name: &str) -> Option<ProbeId> {
        let position = self.probe_names.iter().position(|names| names.iter().any(|known| known == name))?;
        Some(ProbeId(position as u16))
    }

    fn series(&self, name: &str) -> Option<SeriesId> {
        self.design.series(name)
    }

    fn tally(&self, name: &str) -> Option<TallyId> {
        let position = self.design.naming.tallies.iter().position(|tally| tally == name)?;
        Some(TallyId(position as u16))
    }

    fn cores(&self, part: &str) -> Option<(f64, SeriesId)> {
        let busy = self.design.series(&format!("{part}.busy"))?;
        let id = self.design.part(part)?;
        match self.design.knobs[id.index()].get("cores") {
            Some(Setting::Count(cores)) if *cores < u64::from(u32::MAX) => {
                Some((*cores as f64 * f64::from(self.design.names[id.index()].count), busy))
            }
            _ => None,
        }
    }

    fn initial(&self, db: &str, table: &str, key: i64) -> Option<f64> {
        let id = self.design.part(db)?;
        let Some(Setting::Table(tables)) = self.design.knobs[id.index()].get("start") else { return None };
        match tables.get(table)? {
            Setting::Form("each", each) if key >= 0 && key as u64 <= each.count("keys") => {
                Some(each.count("n") as f64)
            }
            _ => None,
        }
    }

    fn fault(&self, name: &str) -> bool {
        self.design.entries.named("fault").iter().any(|entry| entry.key == name)
    }

    fn all(&self) -> Vec<String> {
        let mut all: Vec<String> = self.probe_names.iter().flatten().cloned().collect();
        all.extend(self.design.series.iter().cloned());
        all.extend(self.design.naming.tallies.iter().cloned());
        all
    }
}
