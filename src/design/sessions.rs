//! Which stores customers' tokens speak of: those that some program reads `at session` and whose copies follow a log. One copy has seen
//! everything, and a quorum shows what others have seen by asking enough copies.

use crate::base::ids::PartId;
use crate::base::knob::{Knobs, Setting};
use crate::base::op::At;
use crate::base::problem::Problems;
use crate::base::session::SESSION_STORES_MAX;
use crate::design::codes;
use crate::design::names::Written;
use crate::program::instr::{Instr, Programs};

/// The stores in order of name: their places in tokens.
pub fn sessions<'k>(programs: &Programs, knobs: impl Fn(PartId) -> Option<&'k Knobs>) -> Vec<PartId> {
    let read = programs.0.iter().flat_map(|program| &program.code).filter_map(|instr| match instr {
        Instr::Read { db, at: At::Session, .. } => Some(*db),
        _ => None,
    });
    let logged = |part: &PartId| match knobs(*part).and_then(|knobs| knobs.get("copy")) {
        Some(Setting::Form(form, _)) => !["none", "quorum"].contains(form),
        _ => false,
    };
    let mut stores: Vec<PartId> = read.filter(logged).collect();
    stores.sort_unstable();
    stores.dedup();
    stores
}

pub(super) fn limit(
    written: &[Written<'_>],
    programs: &Programs,
    knobs: &[Option<Knobs>],
    problems: &mut Problems,
) {
    let stores = sessions(programs, |part| knobs[part.index()].as_ref());
    if stores.len() <= SESSION_STORES_MAX {
        return;
    }
    let names: Vec<String> =
        stores.iter().map(|store| format!("`{}`", written[store.index()].entry.key)).collect();
    let last = &written[stores[stores.len() - 1].index()].entry.key_place;
    let message = format!(
        "{} stores are read `at session` ({}): at most {SESSION_STORES_MAX}",
        stores.len(),
        names.join(", ")
    );
    problems
        .at(codes::LIMIT, last.clone(), message)
        .help("what a customer has seen of each travels with every call; read the others `at primary`");
}
