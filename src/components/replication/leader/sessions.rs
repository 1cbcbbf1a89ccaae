//! `read … at session`: read-your-writes and monotonic reads by position.
//!
//! A position is the place of the last entry that a copy has applied: its term, then its index. Along one log both grow, and of two
//! logs that parted the later leader's comes after, so a copy that follows a deposed leader does not pass for a newer one. Each answer
//! out of a copy says where the copy was, and the customer's token is the furthest that it was ever told.
//!
//! A copy that is behind its customer's token waits until it has caught up, as MongoDB does for `afterClusterTime`: it does not send the
//! read on, since what it lacks is on its way to it, and since a leader that it reaches may be one that was deposed. The
//! caller's timeout, or the store's, ends the wait. What a failover lost is lost to the token too: the new leader's first entry is beyond
//! it, so the customer goes on and may miss what it wrote; that is what an acknowledgement by one copy is worth.

use crate::base::cause::Cause;
use crate::base::op::{At, Op, Outcome, Reason};
use crate::base::session::CausalContext;
use crate::base::slab::Key;
use crate::components::mech::mutant::Mutant;
use crate::components::mech::station::Served;
use crate::components::replication::leader::member::{Ctx, Member};
use crate::components::replication::leader::messages::Timer;
use crate::components::storage::machine::Machine;

/// Bits of a position for the index: 17 million million entries. The term has the other 20: a million elections.
const INDEX_BITS: u32 = 44;

impl<M: Machine> Member<M> {
    /// Where our copy is.
    pub(super) fn position(&self) -> u64 {
        let term = self.log.term(self.last_applied).unwrap_or(0).min((1 << (64 - INDEX_BITS)) - 1);
        term << INDEX_BITS | self.last_applied.min((1 << INDEX_BITS) - 1)
    }

    /// Whoever gets this answer has seen our copy as it is now.
    pub(super) fn shown(&self, served: &Served, ctx: Ctx<M>) {
        if let Some(store) = ctx.plan().store.session {
            ctx.shows(served.call, CausalContext::upto(store, self.position()));
        }
    }

    /// Up to where our copy must be for an operation, if it is not there yet.
    fn lacks(&self, served: &Served, ctx: Ctx<M>) -> Option<u64> {
        if self.last_applied < self.shows_from {
            return Some(u64::MAX);
        }
        let Op::Read { at: At::Session, .. } = served.op else { return None };
        let store =
            ctx.plan().store.session.filter(|_| ctx.plan().store.mutant != Mutant::IgnoresSessions)?;
        Some(ctx.context(served.call).session.causal.of(store)).filter(|position| *position > self.position())
    }

    /// Keeps a read that must see more than our copy has. False if it need not wait.
    pub(super) fn waits(&mut self, key: Key, served: &Served, ctx: Ctx<M>) -> bool {
        let Some(position) = self.lacks(served, ctx) else { return false };
        let patience = ctx.plan().patience;
        self.behind.insert((position, key.to_word()), ctx.monotonic() + patience);
        ctx.wake(patience, Timer::Patience);
        true
    }

    /// Our copy has changed: reads that waited for it go on.
    pub(super) fn caught_up(&mut self, ctx: Ctx<M>) {
        if self.last_applied < self.shows_from {
            return;
        }
        let mut position = self.position();
        if self.behind.last_key_value().is_some_and(|((needed, _), _)| *needed == u64::MAX) {
            position = u64::MAX; // they have waited for our copy to be open; whoever needs more goes on waiting
        }
        while self.behind.first_key_value().is_some_and(|((needed, _), _)| *needed <= position) {
            let ((_, word), _) = self.behind.pop_first().expect("it is there");
            let (key, now) = (Key::from_word(word), ctx.now());
            if let Some(ask) = self.asks.get_mut(key) {
                ask.charge(Cause::Replication, now);
            }
            self.work(key, ctx);
        }
    }

    /// Reads that have waited for too long.
    pub(super) fn stops_catching_up(&mut self, ctx: Ctx<M>) {
        let clock = ctx.monotonic();
        let over: Vec<(u64, u64)> =
            self.behind.iter().filter(|(_, until)| **until <= clock).map(|(waiting, _)| *waiting).collect();
        for waiting in over {
            self.behind.remove(&waiting);
            self.answers(Key::from_word(waiting.1), Outcome::Fail(Reason::Timeout), ctx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::dist::Dist;
    use crate::base::ids::Pid;
    use crate::base::op::Reason;
    use crate::components::replication::leader::plan::LeaderPlan;
    use crate::components::replication::leader::tests::{
        asynchronous, copy, cut, heal, peek, raft, told, world, write,
    };
    use crate::components::script::until;
    use crate::components::storage::pace::PerCopy;
    use crate::components::storage::rows::Tables;

    /// All lines of a script are of one customer.
    fn read(ms: u64, to: u32) -> (u64, Pid, Op) {
        (ms, copy(to), Op::Read { table: 0, key: 1, taking: None, at: At::Session })
    }

    fn known(mut plan: LeaderPlan<Tables>) -> LeaderPlan<Tables> {
        plan.store.session = Some(1);
        plan
    }

    /// A copy that takes 60 ms to apply an entry.
    fn slow() -> LeaderPlan<Tables> {
        LeaderPlan { apply: PerCopy::all(Dist::Constant(60e6)), ..asynchronous() }
    }

    /// Under Raft the leader's word that the entry is committed comes with its next heartbeat, at 150 ms.
    #[test]
    fn a_copy_waits_until_it_has_what_its_customer_has_seen() {
        let script = vec![write(100, 0, 7), read(110, 2), peek(110, 2), read(200, 2)];
        for plan in [slow(), raft()] {
            let mut world = world(1, script.clone(), known(plan), 3);
            until(&mut world, 300);
            let [written, seen, peeked, later] = told(&world, 4).try_into().expect("four lines");
            assert_eq!(written.map(|told| told.1), Some(Ok(7)));
            assert_eq!(seen.map(|told| told.1), Some(Ok(7)));
            assert!(seen.is_some_and(|told| told.0 > 150), "{seen:?}: it waited");
            assert_eq!(
                peeked,
                Some((114, Ok(0))),
                "who does not say what it has seen is shown what there is"
            );
            assert_eq!(later, Some((204, Ok(7))), "nothing to wait for");
        }
    }

    #[test]
    fn a_mutant_that_ignores_tokens_is_caught() {
        let mut plan = known(slow());
        plan.store.mutant = Mutant::IgnoresSessions;
        let mut world = world(1, vec![write(100, 0, 7), read(106, 2)], plan, 3);
        until(&mut world, 300);
        assert_eq!(
            told(&world, 2),
            [Some((105, Ok(7))), Some((110, Ok(0)))],
            "it does not read its own write"
        );
    }

    /// The old leader's log is longer than the new one's; its places come before all of the new term all the same.
    #[test]
    fn a_deposed_leader_does_not_pass_for_newer_than_what_its_customer_has_seen() {
        let mut script: Vec<_> = (0..9).map(|n| write(600 + n, 0, 2)).collect();
        script.extend([write(2500, 1, 3), peek(2600, 0), read(2600, 0), read(2600, 2)]);
        let mut world = world(1, script, known(asynchronous()), 3);
        until(&mut world, 500);
        let effects = cut(&mut world, &[0], 3);
        until(&mut world, 3200);
        heal(&mut world, effects);
        until(&mut world, 4000);
        let told = told(&world, 13);
        assert_eq!(told[9].map(|told| told.1), Some(Ok(3)));
        assert_eq!(told[10], Some((2604, Ok(2))), "it does not know that it is not leading");
        assert_eq!(told[11], Some((3104, Err(Reason::Timeout))), "it has waited as long as the store does");
        assert_eq!(told[12].map(|told| told.1), Some(Ok(3)));
    }
}
