//! Answers to what is asked of the history of a run ([`crate::measures::asked`]), with what shows them.
//!
//! `seen` makes of operations what checkers read, `orders` puts it before them, `isolated` whole
//! transactions, `locks` who held them · `stale` asks how old what reads saw was · `writes`
//! what became of writes, by the `lineage` of their versions · [`words`] tells operations in a sentence.
//!
//! It knows no part and no protocol: what it must know of a store it is told by [`Facts`].

mod isolated;
mod lineage;
mod locks;
mod orders;
mod seen;
mod stale;
#[cfg(test)]
mod tests;
pub mod words;
mod writes;

use crate::base::ids::{Pid, ProgramId, TierId};
use crate::base::time::Time;
use crate::measures::asked::{Instant, Query, QueryKind};
use crate::measures::expression::During;
use crate::measures::functions::Undefined;
use crate::record::history::{History, RowName, Step};
use crate::record::series::Window;
use crate::record::survey::Survey;

/// What the design says about stores and programs.
pub trait Facts {
    /// A table, `kv.balance`.
    fn table(&self, store: TierId, table: u16) -> String;
    /// A program.
    fn program(&self, program: ProgramId) -> String;
    /// A member of a part, `app[2]`.
    fn member(&self, member: Pid) -> String;
    /// The value of a row that nobody has written.
    fn initial(&self, row: RowName) -> i64;
    /// What becomes of concurrent writes of a store.
    fn merging(&self, store: TierId) -> Merging;
    /// How many copies a store has, 1 to 9.
    fn copies(&self, store: TierId) -> u8;
}

/// What becomes of concurrent writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merging {
    /// One replaces the other: a row has one value.
    Replaces,
    /// Both stay until somebody who has seen them replaces them.
    Keeps,
    /// They are additions, and add up.
    Adds,
}

/// A run that is over.
pub struct Run<'a> {
    /// What was recorded.
    pub history: &'a History,
    /// What copies held when somebody asked.
    pub surveys: &'a [Survey],
    /// When moments were: those that never came are missing.
    pub moments: &'a [(Instant, Time)],
    /// What stretches of the run are.
    pub windows: &'a [(During, Window)],
    /// When the last fault was over, if there was one and all are.
    pub calm: Option<Time>,
    /// What the design says.
    pub facts: &'a dyn Facts,
    /// When it was over.
    pub end: Time,
}

/// A sentence that shows something, and the operations and holds of locks that it names, by place in the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The sentence, without a full stop.
    pub sentence: String,
    /// The operations.
    pub steps: Vec<usize>,
    /// The holds of locks.
    pub holds: Vec<u32>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Its value; 1 or 0 where yes or no was asked for.
    pub value: Result<f64, Undefined>,
    /// What shows it, where there is something to be shown.
    pub witness: Option<Explanation>,
}

impl Finding {
    fn of(value: f64, witness: Option<Explanation>) -> Finding {
        Finding { value: Ok(value), witness }
    }

    fn unknown(why: impl Into<String>) -> Finding {
        Finding { value: Err(Undefined(why.into())), witness: None }
    }
}

/// Answers a question.
pub fn answer(asked: &Query, run: &Run<'_>) -> Finding {
    match asked.what {
        QueryKind::Linearizable => orders::linearizable(&asked.whose, run),
        QueryKind::Sequential => orders::sequential(&asked.whose, run),
        QueryKind::Causal => orders::causal(&asked.whose, run),
        QueryKind::Isolated(level) => isolated::isolated(level, &asked.whose, run),
        QueryKind::Keeps(guarantee) => orders::keeps(guarantee, &asked.whose, run),
        QueryKind::Staleness(stat) => stale::lag(asked, stat, true, run),
        QueryKind::KStale(stat) => stale::lag(asked, stat, false, run),
        QueryKind::Stale(from, until) => stale::stale(asked, from, until, run),
        QueryKind::Lost => writes::lost(&asked.whose, run),
        QueryKind::Unacked => writes::unacked(&asked.whose, run),
        QueryKind::Diverged => writes::diverged(asked, run),
        QueryKind::Converged => writes::converged(&asked.whose, run),
        QueryKind::Locks(what) => locks::locks(what, &asked.whose, run),
    }
}

impl Run<'_> {
    fn time_of(&self, moment: &Instant) -> Result<Time, Undefined> {
        let known = self.moments.iter().find(|(known, _)| known == moment);
        known.map(|(_, time)| *time).ok_or_else(|| Undefined("its moment never came in this run".to_owned()))
    }

    fn window(&self, during: &During) -> Window {
        let known = self.windows.iter().find(|(known, _)| known == during);
        known.map_or(Window { from: Time::NEVER, until: Time::NEVER }, |(_, window)| *window)
    }

    fn name(&self, step: &Step) -> RowName {
        self.history.rows()[step.row.0 as usize]
    }

    fn survey(&self, store: TierId, at: Time) -> Result<&Survey, Undefined> {
        let known = self.surveys.iter().find(|survey| survey.store == store && survey.at == at);
        known.ok_or_else(|| Undefined("nobody looked at the copies then".to_owned()))
    }
}
