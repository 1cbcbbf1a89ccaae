//! What runs the programs of a store, beside its members.

use std::sync::Arc;

use crate::base::ids::{PartId, SeriesId};
use crate::components::mech::cores::{Discipline, FULL_SPEED};
use crate::components::part::{PartName, Wiring};
use crate::components::runtime::host;
use crate::components::runtime::plan::{RecordsAs, RuntimePlan};
use crate::sim::run::World;

/// Adds what runs the programs of a store: a host beside each member, on the same node, so that they crash, stand still and are cut off
/// together. A thread for each program; the cores are the store's.
pub fn add_beside(store: PartId, at: &PartName, programs: SeriesId, wiring: &Wiring, world: &mut World) {
    let plan = RuntimePlan {
        programs: wiring.programs.clone(),
        directory: wiring.directory.clone(),
        policies: wiring.policies.clone(),
        answers: wiring.answers.clone(),
        probes: wiring.probes.clone(),
        cores: u32::MAX,
        discipline: Discipline::Fifo,
        threads: u32::MAX,
        queue: 0,
        speed_ppm: FULL_SPEED,
        told: RecordsAs::Store(programs),
        beside: Some(store),
    };
    world.add_beside::<host::Server>(&format!("{}.programs", at.name), Arc::new(plan), at.tier);
}
