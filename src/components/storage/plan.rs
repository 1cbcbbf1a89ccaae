//! What all members of a store share, however its copies agree.

use crate::base::dist::Dist;
use crate::base::ids::SeriesId;
use crate::base::time::Span;
use crate::components::mech::cores::Discipline;
use crate::components::mech::mutant::Mutant;
use crate::components::mech::pool::Pool;
use crate::components::storage::rows::Initial;
use crate::components::storage::series::StoreSeries;
use crate::components::storage::transactions::Isolation;
use crate::components::storage::transactions::waiting::Waiting;

/// What all members share.
#[derive(Clone, Debug)]
pub struct StorePlan {
    /// Time on a core for a read.
    pub read: Dist,
    /// Time on a core for anything else.
    pub write: Dist,
    /// Time of the disk for a batch.
    pub disk: Dist,
    /// How many operations are served at once; `u32::MAX`: unlimited.
    pub cores: u32,
    /// How many wait; `u32::MAX`: unlimited.
    pub queue: u32,
    /// In what order.
    pub discipline: Discipline,
    /// Parts per million.
    pub speed_ppm: u32,
    /// The pool that the store itself keeps.
    pub pool: Option<Pool>,
    /// What is in the tables at the start, by table.
    pub start: Vec<Initial>,
    /// Whether programs have transactions on it.
    pub transactional: bool,
    /// How well those are kept apart.
    pub isolation: Isolation,
    /// How long they wait for a lock.
    pub lock_wait: Span,
    /// What becomes of those who wait for each other, or too long.
    pub row_waiting: Waiting,
    /// How long their clients may say nothing.
    pub idle: Span,
    /// Its place in customers' tokens, when it is read `at session`.
    pub session: Option<u8>,
    /// Where the series begin.
    pub first_series: SeriesId,
    /// A rule to break, for tests.
    pub mutant: Mutant,
}

impl StorePlan {
    /// The id of a series.
    pub fn series(&self, series: StoreSeries) -> SeriesId {
        series.id(self.first_series)
    }
}
