//! The kernel's half of limits: whether there is too much of something, and where.

use std::collections::BTreeMap;

use crate::base::ids::TierId;
use crate::sim::event::{Event, KERNEL};
use crate::sim::kernel::Kernel;
use crate::sim::limits::{Exceeded, Excess, Limits};

/// Events of an instant that has too many, over which it is looked who takes part in them.
const WATCHED: u32 = 10_000;

impl Kernel {
    pub(super) fn limit(&mut self, limits: Limits) {
        self.standing.limits = limits;
    }

    /// The limit that has been exceeded, if any has: from then on nothing can be concluded.
    pub(super) fn excess(&self) -> Option<&Excess> {
        self.standing.excess.as_ref()
    }

    #[cold]
    fn exceeded(&mut self, what: Exceeded, limit: u64, tiers: Vec<TierId>) {
        let at = self.now();
        self.standing.excess.get_or_insert(Excess { what, limit, at, tiers });
        self.recorder.interrupt();
    }

    /// Looks after each block of events whether time has gone on since it was last looked. Where too many events were of one instant, it is
    /// looked at the next ones who takes part in them.
    pub(super) fn look_at_time(&mut self, event: Event, block_ends: bool) {
        let (now, events) = (self.now(), self.fingerprint.events());
        let standing = &mut self.standing;
        if !(block_ends || standing.stuck) {
            return;
        }
        if now != standing.instant {
            (standing.instant, standing.before, standing.stuck, standing.watched) = (now, events, false, 0);
            return;
        }
        let limit = standing.limits.at_instant;
        if events - standing.before <= limit {
            return;
        }
        (standing.stuck, self.attentive) = (true, true);
        if event.tier() != KERNEL {
            standing.busy[event.tier() as usize / 64] |= 1 << (event.tier() % 64);
        }
        standing.watched += 1;
        if standing.watched == WATCHED {
            let busy = standing.busy;
            let tiers = (0..KERNEL).filter(|tier| busy[*tier as usize / 64] >> (tier % 64) & 1 == 1);
            self.exceeded(Exceeded::Events, limit, tiers.map(TierId).collect());
        }
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
        self.exceeded(Exceeded::Calls, self.standing.limits.in_flight, most.into_iter().collect());
    }

    /// A process has `now` coroutines, and had `before`; false if there are too many in all.
    #[inline]
    pub(super) fn count_coroutines(&mut self, tier: TierId, before: usize, now: usize) -> bool {
        self.standing.coroutines = (self.standing.coroutines + now as u64).saturating_sub(before as u64);
        let limit = self.standing.limits.in_flight;
        if self.standing.coroutines > limit {
            self.exceeded(Exceeded::Coroutines, limit, vec![tier]);
        }
        self.standing.excess.is_none()
    }

    /// A process has so many requests under way.
    #[inline]
    pub(super) fn count_requests(&mut self, tier: TierId, requests: usize) {
        let limit = self.standing.limits.in_flight;
        if requests as u64 > limit {
            self.exceeded(Exceeded::Requests, limit, vec![tier]);
        }
    }
}
