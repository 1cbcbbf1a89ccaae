//! `tx DB { … }` to code, and what may stand in it.

use crate::base::ids::{PartId, PolicyId};
use crate::base::op::At;
use crate::program::compile::compiler::Compiler;
use crate::program::compile::scope::PartRole;
use crate::program::instr::Instr;
use crate::program::syntax::{Place, Spanned, Step, Steps};

impl Compiler<'_> {
    pub(super) fn transaction(
        &mut self,
        step: &Step,
        db: &Spanned<String>,
        with: Option<&Spanned<String>>,
        body: &Steps,
    ) {
        let policy = self.policy(with);
        let part = self.part(db, PartRole::Stores, "a db");
        if let Some(Err((message, help))) = part.map(|part| self.scope.transacts(part)) {
            self.error(&db.at, message, help);
        }
        if self.within.is_some() {
            let help = "a transaction is one whole: put the steps of both into one, or one after the other";
            self.error(&step.at, "a `tx` cannot stand in a `tx`", help);
        }
        let db = part.unwrap_or(PartId(0));
        let site = self.site();
        let begin = self.emit(Instr::Begin { db, policy: PolicyId(0), end: 0, step: site });
        let outside = self.within.replace(db);
        self.steps(body);
        self.within = outside;
        let site_of_commit = self.site();
        self.emit(Instr::Commit { step: site_of_commit });
        self.program.code[begin] = Instr::Begin { db, policy, end: self.here(), step: site };
    }

    /// `return` within a transaction commits it first.
    pub(super) fn commit_before_return(&mut self, step: &Step) {
        let value = self.hidden(&step.at);
        self.emit(Instr::Store(value));
        let site = self.site();
        self.emit(Instr::Commit { step: site });
        self.emit(Instr::Load(value));
        self.spare.push(value);
    }

    /// What a read of a db says that makes sense only within a transaction, or only outside.
    pub(super) fn read_within(&mut self, step: &Step, place: &Place, db: PartId, at: At, for_update: bool) {
        let name = &place.path[0].value;
        let within = self.within == Some(db);
        if for_update && !within {
            let message =
                "`for update` keeps a row until its transaction is over, and there is none around it";
            self.error(&step.at, message, format!("write `tx {name} {{ … }}` around it"));
        }
        if within && at != At::Primary {
            let message = format!("within `tx {name}` all reads are at its leader");
            self.error(&step.at, message, "leave `at` out, or read before the transaction");
        }
    }

    /// One line of execution, one connection: no branches within a transaction.
    pub(super) fn no_branches_within(&mut self, step: &Step) {
        if self.within.is_some() {
            let message = "`par` and `race` cannot stand in a `tx`: its connection does one thing at a time";
            self.error(&step.at, message, "write the steps one after the other");
        }
    }
}
