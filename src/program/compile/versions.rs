//! Which version of a row a value is that a program puts into a cache, so that a stale one is known to be stale.
//!
//! A variable has the version of the answer that it was taken from, or of the write that it was written by since; a copy
//! of another variable has that one's. Whatever is computed has the version that the program has seen or written last.
//! Versions are kept, in registers without a name that could be written, for variables that are put and for no others.

use std::collections::BTreeSet;

use crate::program::compile::compiler::Compiler;
use crate::program::compile::names::bodies;
use crate::program::instr::Instr;
use crate::program::syntax::{Does, Expr, Spanned, Steps};

/// The variables that a program puts into caches, and those that these are copies of.
pub(super) fn put(steps: &Steps) -> BTreeSet<String> {
    let (mut put, mut copies) = (BTreeSet::new(), Vec::new());
    walk(steps, &mut put, &mut copies);
    loop {
        let more: Vec<String> = copies
            .iter()
            .filter(|(to, of)| put.contains(to) && !put.contains(of))
            .map(|(_, of)| of.clone())
            .collect();
        if more.is_empty() {
            return put;
        }
        put.extend(more);
    }
}

fn walk(steps: &Steps, put: &mut BTreeSet<String>, copies: &mut Vec<(String, String)>) {
    for step in steps {
        match &step.does {
            Does::Put { value: Some(Spanned { value: Expr::Name(name), .. }), .. } => {
                _ = put.insert(name.clone())
            }
            Does::Assign { to, value: Spanned { value: Expr::Name(of), .. } } => {
                copies.push((to.value.clone(), of.clone()));
            }
            _ => {}
        }
        bodies(&step.does).into_iter().chain(&step.otherwise).for_each(|body| walk(body, put, copies));
    }
}

impl Compiler<'_> {
    /// The register with the version of a variable, if that is kept.
    fn version_register(&mut self, name: &str, at: &std::ops::Range<usize>) -> Option<u8> {
        self.put.contains(name).then(|| self.register(&format!("{name} version"), at))
    }

    /// A variable was taken from the last answer.
    pub(super) fn version_taken(&mut self, to: &Spanned<String>) {
        if let Some(register) = self.version_register(&to.value, &to.at) {
            self.emit(Instr::PushVersion);
            self.emit(Instr::Store(register));
        }
    }

    /// A variable was computed.
    pub(super) fn version_assigned(&mut self, to: &Spanned<String>, value: &Spanned<Expr>) {
        if let Some(register) = self.version_register(&to.value, &to.at) {
            self.version_of(value);
            self.emit(Instr::Store(register));
        }
    }

    /// A value was written: if it is that of a variable, the variable has the version of the write.
    pub(super) fn version_written(&mut self, value: &Spanned<Expr>) {
        if let Expr::Name(name) = &value.value
            && let Some(register) = self.version_register(name, &value.at)
        {
            self.emit(Instr::PushVersion);
            self.emit(Instr::Store(register));
        }
    }

    /// Code that pushes the version of a value.
    pub(super) fn version_of(&mut self, value: &Spanned<Expr>) {
        let register = match &value.value {
            Expr::Name(name) => self.version_register(name, &value.at),
            _ => None,
        };
        self.emit(register.map_or(Instr::PushVersion, Instr::Load));
    }
}
