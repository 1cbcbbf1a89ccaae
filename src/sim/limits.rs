//! What a world may take before it is stopped: by then it has run away, and would take all memory or never end. The numbers are
//! whoever's makes the world; a world that stays within them does not notice them.

use std::collections::BTreeMap;

use crate::base::ids::TierId;
use crate::base::time::Time;
use crate::sim::event::{Event, KERNEL};
use crate::sim::kernel::Kernel;

/// Events after the last that an instant may have, over which it is looked who takes part in them.
const LAST: u64 = 10_000;

/// How much there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls in flight; coroutines of programs; requests of one workload that have not ended: each.
    pub in_flight: u64,
    /// Events at one instant.
    pub at_instant: u64,
}

impl Limits {
    /// None.
    pub const NONE: Limits = Limits { in_flight: u64::MAX, at_instant: u64::MAX };
}

/// What there was too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Calls that have not been answered, or whose answers are under way.
    Calls,
    /// Programs at work, and their branches.
    Strands,
    /// Requests of one workload that have not ended.
    Requests,
    /// Events at one instant: time does not go on.
    Events,
}

/// A limit that was exceeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What of.
    pub what: What,
    /// How much there may be.
    pub limit: u64,
    /// When.
    pub at: Time,
    /// Where: the tier that has most of it, or all those that take part.
    pub tiers: Vec<TierId>,
}

/// How a world stands against its limits.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    limits: Limits,
    strands: u64,
    instant: Time,
    at_instant: u64,
    /// Who takes part in the last events of an instant, a bit each.
    busy: [u64; 4],
    excess: Option<Excess>,
}

impl Default for Standing {
    fn default() -> Self {
        Standing {
            limits: Limits::NONE,
            strands: 0,
            instant: Time::ZERO,
            at_instant: 0,
            busy: [0; 4],
            excess: None,
        }
    }
}

impl Kernel {
    pub(super) fn limit(&mut self, limits: Limits) {
        self.standing.limits = limits;
    }

    /// The limit that has been exceeded, if any has: from then on nothing can be concluded.
    #[inline(always)]
    pub(super) fn excess(&self) -> Option<&Excess> {
        self.standing.excess.as_ref()
    }

    #[cold]
    fn exceeded(&mut self, what: What, limit: u64, tiers: Vec<TierId>) {
        let at = self.now();
        self.standing.excess.get_or_insert(Excess { what, limit, at, tiers });
    }

    /// Counts an event of the instant that it is.
    #[inline]
    pub(super) fn count_at_instant(&mut self, event: Event) {
        let now = self.now();
        let standing = &mut self.standing;
        if now != standing.instant {
            (standing.instant, standing.at_instant) = (now, 0);
        }
        standing.at_instant += 1;
        if standing.at_instant > standing.limits.at_instant {
            self.stands_still(event);
        }
    }

    #[cold]
    fn stands_still(&mut self, event: Event) {
        let standing = &mut self.standing;
        if event.tier() != KERNEL {
            standing.busy[event.tier() as usize / 64] |= 1 << (event.tier() % 64);
        }
        if standing.at_instant < standing.limits.at_instant.saturating_add(LAST) {
            return;
        }
        let (limit, busy) = (standing.limits.at_instant, standing.busy);
        let tiers = (0..KERNEL).filter(|tier| busy[*tier as usize / 64] >> (tier % 64) & 1 == 1);
        self.exceeded(What::Events, limit, tiers.map(TierId).collect());
    }

    /// One more call is in flight.
    #[inline]
    pub(super) fn count_calls(&mut self) {
        if self.calls.len() as u64 > self.standing.limits.in_flight {
            self.too_many_calls();
        }
    }

    #[cold]
    fn too_many_calls(&mut self) {
        if self.standing.excess.is_some() {
            return;
        }
        let mut by_callee: BTreeMap<TierId, u64> = BTreeMap::new();
        self.calls.each(|call| *by_callee.entry(call.callee.tier).or_default() += 1);
        let most = by_callee.iter().max_by_key(|(_, calls)| **calls).map(|(tier, _)| *tier);
        self.exceeded(What::Calls, self.standing.limits.in_flight, most.into_iter().collect());
    }

    /// A process has `now` coroutines, and had `before`; false if there are too many in all.
    #[inline]
    pub(super) fn count_strands(&mut self, tier: TierId, before: usize, now: usize) -> bool {
        self.standing.strands = (self.standing.strands + now as u64).saturating_sub(before as u64);
        let limit = self.standing.limits.in_flight;
        if self.standing.strands > limit {
            self.exceeded(What::Strands, limit, vec![tier]);
        }
        self.standing.excess.is_none()
    }

    /// A process has so many requests under way.
    #[inline]
    pub(super) fn count_requests(&mut self, tier: TierId, requests: usize) {
        let limit = self.standing.limits.in_flight;
        if requests as u64 > limit {
            self.exceeded(What::Requests, limit, vec![tier]);
        }
    }
}
