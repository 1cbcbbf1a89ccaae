//! What those who want a lock must know of it.

use crate::base::ids::{PartId, SeriesId};
use crate::base::op::How;
use crate::base::series::series;
use crate::base::time::Span;
use crate::components::mech::policy::Retry;

series! {
    /// The series, in the order in which users see them.
    pub enum LockSeries {
        Acquired: Counter "acquired", "locks", "Locks that programs got.", whole;
        GivenUp: Counter "given_up", "locks", "Locks that programs waited for in vain.", whole;
        Tries: Counter "tries", "requests", "Times that a member was asked for a lock.", whole;
        Lost: Counter "lost", "renewals", "Renewals that came too late: somebody else may have it, or the place in line.", whole;
        Waiting: Level "waiting", "programs", "Programs that wait for it.", whole;
        Held: Level "held", "programs", "Programs that believe they hold it.", whole;
    }
}

/// Which operations carry a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fencing {
    /// None.
    None,
    /// Those that change something.
    Write,
    /// All.
    ReadWrite,
}

/// What those who want it must know.
#[derive(Clone, Debug)]
pub struct LockClient {
    /// Itself.
    pub me: PartId,
    /// Where it is.
    pub place: PartId,
    /// Whether that is a cache.
    pub in_cache: bool,
    /// What is done while somebody else holds it.
    pub how: How,
    /// Whether a majority of the members is asked for it.
    pub majority: bool,
    /// How long it is held.
    pub ttl: Span,
    /// Whether it is given back by comparing.
    pub compares: bool,
    /// How often it is renewed.
    pub renew: Option<Span>,
    /// What carries its tokens.
    pub fencing: Fencing,
    /// When one asks again.
    pub wait: Retry,
    /// How long one waits.
    pub patience: Span,
    /// How long a member may take to answer.
    pub timeout: Span,
    /// Where the series begin.
    pub first_series: SeriesId,
}

impl LockClient {
    /// The id of a series.
    pub fn series(&self, series: LockSeries) -> SeriesId {
        series.id(self.first_series)
    }

    /// Its number at the part that holds it.
    pub fn number(&self) -> u16 {
        self.me.0
    }
}
