//! What all members of a cache share, and what they record.

use crate::base::dist::Dist;
use crate::base::ids::SeriesId;
use crate::base::series::series;
use crate::base::time::Span;
use crate::components::cache::entries::Capacity;
use crate::components::guard::Guard;
use crate::components::mech::cores::Discipline;
use crate::components::mech::evict::Policy;

series! {
    /// The series, in the order in which users see them.
    pub enum CacheSeries {
        Hits: Counter "hits", "reads", "Reads answered with a live value.";
        Misses: Counter "misses", "reads", "Reads that found none.";
        Expired: Counter "expired", "entries", "Entries found expired by a reader: once per expiry.";
        Evictions: Counter "evictions", "entries", "Entries that left for want of room.";
        Fills: Counter "fills", "puts", "Values put.";
        Refused: Counter "refused", "puts", "Puts refused: an old lease, or larger than the cache.";
        Rejected: Counter "rejected", "operations", "Operations turned away: no place in the queue for a core.";
        Stale: Counter "stale", "reads", "Reads answered with an expired value.";
        Renewals: Counter "renewals", "reads", "Readers asked to rebuild a value that they also got.";
        Rounds: Counter "rounds", "rebuilds", "First readers sent to rebuild an entry since it was put.";
        Lead: Time "lead", "s", "How long before the entry's expiry these were sent, summed up; nothing once it has expired.";
        Granted: Counter "granted", "tokens", "Tokens given: leases and flights.";
        Locks: Counter "locks", "locks", "Locks taken.";
        Held: Counter "held", "refusals", "Locks that were not to be had.";
        Lapsed: Counter "lapsed", "locks", "Locks whose holder's time was over when the next one wanted them.";
        ForeignReleases: Counter "foreign_releases", "releases", "Locks given back that somebody else held (`release = \"del\"`).";
        Busy: Level "busy", "operations", "Operations being served.";
        Queue: Level "queue", "operations", "Operations that wait for a core.";
    }
}

/// What all members share.
#[derive(Clone, Debug)]
pub struct CachePlan {
    /// How much fits into each.
    pub capacity: Capacity,
    /// Bytes of an entry.
    pub size: Option<Dist>,
    /// How long entries live; `None`: for ever.
    pub lifetime: Option<Span>,
    /// Whether a hit renews the lifetime.
    pub sliding: bool,
    /// Share by which lifetimes are spread.
    pub jitter: f64,
    /// Whether entries and locks expire by the wall clock.
    pub expires_by_wall: bool,
    /// Which entry leaves.
    pub policy: Policy,
    /// The guard.
    pub guard: Guard,
    /// Time on a core for each operation.
    pub serve: Dist,
    /// How many operations are served at once; `u32::MAX`: unlimited.
    pub cores: u32,
    /// How many wait; `u32::MAX`: unlimited.
    pub queue: u32,
    /// In what order.
    pub discipline: Discipline,
    /// Parts per million.
    pub speed_ppm: u32,
    /// Where the series begin.
    pub first_series: SeriesId,
}

impl CachePlan {
    /// The id of a series.
    pub fn series(&self, series: CacheSeries) -> SeriesId {
        series.id(self.first_series)
    }
}
