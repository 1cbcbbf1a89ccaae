//! How many copies a store has, and which of them programs read.

use crate::base::op::At;
use crate::base::parameter::Parameters;
use crate::base::problem::Problems;
use crate::components::part::{DOES_NOT_FIT, PartName};
use crate::design::codes;
use crate::design::names::Written;
use crate::design::programs::ProgramText;
use crate::program::compile::scope::PartRole;
use crate::program::instr::{Instr, Programs};

/// `copy[i]` is one that exists; `count` and `copies` do not both say how many there are.
pub(super) fn check(
    written: &[Written<'_>],
    names: &[PartName],
    texts: &[ProgramText<'_>],
    programs: &Programs,
    parameters: &[Option<Parameters>],
    problems: &mut Problems,
) {
    for (part, parameters) in written.iter().zip(parameters) {
        let Some(parameters) = parameters.as_ref().filter(|_| part.kind.role == PartRole::Stores) else {
            continue;
        };
        if let (Some(_), Some(place)) = (parameters.place("copies"), parameters.place("count")) {
            let message = format!("'{}' has both `copies` and `count`", part.entry.key);
            problems.at(DOES_NOT_FIT, place.clone(), message).help("a store has `copies`: leave `count` out");
        }
    }
    for (text, program) in texts.iter().zip(&programs.0) {
        for instr in &program.code {
            let Instr::Read { db, at: At::Copy(copy), .. } = instr else { continue };
            let store = &names[db.index()];
            if u32::from(*copy) < store.count {
                continue;
            }
            let word = format!("copy[{copy}]");
            let start = text.text.as_str().find(&word).unwrap_or(0);
            let place = text.text.place(start..start + word.len());
            let message = format!("`{}` has no `{word}`: it has {} copies", store.name, store.count);
            let help = format!("they are numbered from `copy[0]` to `copy[{}]`", store.count - 1);
            problems.at(codes::OUT_OF_RANGE, place, message).help(help);
        }
    }
}
