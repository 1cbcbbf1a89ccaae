//! Transactions of coroutines: what a coroutine was when its transaction began, so that the block can be run again as if for the first time.
//! It knows neither the store nor how often a block is run; the host keeps what it needs under the id.

use crate::program::interpret::ids::TxId;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{OpId, PartId};
use crate::base::op::{Failure, Reason};
use crate::base::rng::mix;
use crate::base::slab::Slab;
use crate::program::instr::{Effect, Instr};
use crate::program::interpret::Holds;
use crate::program::interpret::frame::{Coroutine, Frame};
use crate::program::interpret::locals::Locals;

/// What its draws are named by, besides the number of the attempt.
const ATTEMPT: u64 = 0x7478;

#[derive(Clone, Debug)]
struct Transaction {
    db: PartId,
    /// Where it begins, and where it ends at the latest.
    begin: u32,
    end: u32,
    attempts: u64,
    /// Whether the host has been told to abort it.
    aborted: bool,
    /// The coroutine as it was.
    locals: Locals,
    version: OpId,
    depth: u8,
    held: u8,
    causes: Causes,
}

/// The transactions of all coroutines.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Transactions {
    open: Slab<Transaction>,
    cut_off: VecDeque<TxId>,
}

impl Transactions {
    /// A coroutine begins a transaction, or begins it again.
    pub(super) fn begin(
        &mut self,
        frame: &Frame,
        coroutine: &mut Coroutine,
        locals: &Locals,
        db: PartId,
        end: u32,
    ) -> TxId {
        let key = coroutine.transaction.unwrap_or_else(|| {
            self.open.insert(Transaction {
                db,
                begin: coroutine.pc,
                end,
                attempts: 0,
                aborted: false,
                locals: locals.clone(),
                version: frame.version,
                depth: coroutine.depth,
                held: coroutine.held,
                causes: coroutine.causes,
            })
        });
        coroutine.transaction = Some(key);
        TxId(key)
    }

    fn around(&self, coroutine: &Coroutine) -> Option<&Transaction> {
        self.open.get(coroutine.transaction?)
    }

    /// Whether an `else` that covers some code can take over from a failure of an instruction: only within a transaction, and only if
    /// that is not over by the failure.
    pub(super) fn lets(
        &self,
        coroutine: &Coroutine,
        instr: Instr,
        reason: Reason,
        (start, end): (u32, u32),
    ) -> bool {
        let Some(transaction) = self.around(coroutine) else { return true };
        let within = start > transaction.begin && end <= transaction.end;
        within && !transaction.is_over_by(instr, reason)
    }

    /// A failure that nothing within the transaction takes over: what is asked of the host. `None`: there is no transaction.
    pub(super) fn fails(
        &mut self,
        coroutine: &mut Coroutine,
        holds: &mut Holds,
        failure: Failure,
    ) -> Option<Effect> {
        let key = coroutine.transaction?;
        let transaction = self.open.get_mut(key).expect("a coroutine is in it");
        transaction.aborted = true;
        coroutine.pc = transaction.begin;
        coroutine.depth = transaction.depth;
        holds.end(coroutine, transaction.held);
        Some(Effect::Abort { tx: TxId(key), failure })
    }

    /// The block is run again, as if for the first time but for its draws; the time that it has taken was for nothing.
    pub(super) fn again(&mut self, frame: &mut Frame, coroutine: &mut Coroutine, locals: &mut Locals) {
        let key = coroutine.transaction.expect("there is something to run again");
        let transaction = self.open.get_mut(key).expect("a coroutine is in it");
        transaction.attempts += 1;
        transaction.aborted = false;
        *locals = transaction.locals.clone();
        frame.version = transaction.version;
        let round = &mut locals.rounds[coroutine.depth as usize];
        *round = mix(*round, ATTEMPT + transaction.attempts);
        let mut causes = transaction.causes;
        causes.add(Cause::Retry, coroutine.causes.total() - transaction.causes.total());
        coroutine.causes = causes;
    }

    /// The host does not run it again.
    pub(super) fn given_up(&mut self, coroutine: &mut Coroutine, locals: &mut Locals) {
        if self.around(coroutine).is_some_and(|transaction| transaction.aborted) {
            self.end(coroutine, locals);
        }
    }

    /// It is over: the coroutine goes on as one that is in none.
    pub(super) fn end(&mut self, coroutine: &mut Coroutine, locals: &mut Locals) {
        let Some(key) = coroutine.transaction.take() else { return };
        let transaction = self.open.remove(key).expect("a transaction ends once");
        let depth = transaction.depth as usize;
        locals.rounds[depth] = transaction.locals.rounds[depth];
    }

    /// The coroutine is no more.
    pub(super) fn cut_off(&mut self, coroutine: &mut Coroutine) {
        if let Some(key) = coroutine.transaction.take() {
            self.open.free(key);
            self.cut_off.push_back(TxId(key));
        }
    }

    pub(super) fn next_cut_off(&mut self) -> Option<TxId> {
        self.cut_off.pop_front()
    }

    pub(super) fn of(&self, coroutine: &Coroutine) -> Option<(TxId, PartId)> {
        Some((TxId(coroutine.transaction?), self.around(coroutine)?.db))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

impl Hash for Transaction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Transaction { db, begin, end, attempts, aborted, locals, version, depth, held, causes } = self;
        (db, begin, end, attempts, aborted, version, depth, held, causes).hash(state);
        locals.hash_to(*depth, state);
    }
}

impl Transaction {
    /// Whether the failure of an instruction ends the transaction: if it is the store that failed, and not a condition.
    fn is_over_by(&self, instr: Instr, reason: Reason) -> bool {
        match instr {
            Instr::Commit { .. } => true,
            Instr::Read { db, .. } | Instr::Write { db, .. } | Instr::Update { db, .. } => {
                db == self.db && !matches!(reason, Reason::Condition | Reason::Arithmetic)
            }
            _ => false,
        }
    }
}
