//! Where locks can be, and what can be fenced: what a lock's own parameters do not tell.

use crate::base::ids::PartId;
use crate::base::parameter::{Parameters, Setting};
use crate::base::problem::Problems;
use crate::components::locks::is_fenced;
use crate::components::part::DOES_NOT_FIT;
use crate::design::names::Written;
use crate::program::compile::scope::PartRole;
use crate::program::instr::{Instr, Program, Programs};

/// Whether one member of a store decides in which order things happen.
fn has_order(parameters: Option<&Parameters>) -> bool {
    let Some(parameters) = parameters else { return true };
    let leads = !matches!(parameters.get("copy"), Some(Setting::Constructor("quorum" | "multi_leader", _)));
    leads && !matches!(parameters.get("merge"), Some(Setting::Word("counter" | "siblings")))
}

/// Locks are where one member decides; so is whatever fenced steps are on, and those stand in no transaction.
pub(super) fn check(
    written: &[Written<'_>],
    programs: &Programs,
    parameters: &[Option<Parameters>],
    problems: &mut Problems,
) {
    let name = |part: PartId| written[part.index()].entry.key.as_str();
    let parameters_of = |part: PartId| parameters.get(part.index()).and_then(Option::as_ref);
    for (lock, of) in written.iter().zip(parameters).filter(|(part, _)| part.kind.role == PartRole::Locks) {
        let Some(Setting::Part(place)) = of.as_ref().and_then(|of| of.get("in")) else { continue };
        if !has_order(parameters_of(*place)) {
            let message = format!(
                "'{}' is in `{}`, none of whose members decides who was first",
                lock.entry.key,
                name(*place)
            );
            problems
                .at(DOES_NOT_FIT, lock.entry.key_place.clone(), message)
                .help("put it in a db with one copy, or `async`, `sync` or `raft` copies that do not merge");
        }
    }
    for program in &programs.0 {
        for (lock, db) in fenced(program, |lock| parameters_of(lock).is_some_and(is_fenced)) {
            let transacts = programs.0.iter().any(|program| program.transacts_on(db));
            let why = match has_order(parameters_of(db)) {
                false => "none of whose members decides which token was first",
                true if transacts => "which keeps transactions apart by itself",
                true => continue,
            };
            let message =
                format!("`{}` carries tokens of '{}' to `{}`, {why}", program.name, name(lock), name(db));
            problems
                .at(DOES_NOT_FIT, written[lock.index()].entry.key_place.clone(), message)
                .help("leave `fence` out, or use a db with one copy, or `async`, `sync` or `raft` copies, and no `tx` on it");
        }
    }
}

/// Which dbs a program's steps are on within `hold` of which fenced locks: the innermost. Blocks are code in the order of the text.
fn fenced(program: &Program, is_fenced: impl Fn(PartId) -> bool) -> Vec<(PartId, PartId)> {
    let mut held: Vec<PartId> = Vec::new();
    let mut found = Vec::new();
    for instr in &program.code {
        match instr {
            Instr::Acquire { lock, .. } => held.push(*lock),
            Instr::Release => _ = held.pop(),
            Instr::Read { db, .. } | Instr::Write { db, .. } | Instr::Update { db, .. } => {
                let lock = held.iter().rev().copied().find(|lock| is_fenced(*lock));
                found.extend(lock.map(|lock| (lock, *db)));
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
