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
use crate::base::session::Seen;
use crate::base::slab::Key;
use crate::components::desk::Served;
use crate::components::leader::Twin;
use crate::components::leader::member::{Ctx, Member, Timer};
use crate::components::machine::Machine;

/// Bits of a position for the index: 17 million million entries. The term has the other 20: a million elections.
const INDEX_BITS: u32 = 44;

impl<M: Machine> Member<M> {
    /// Where our copy is.
    pub(super) fn position(&self) -> u64 {
        let term = self.log.term(self.applied).unwrap_or(0).min((1 << (64 - INDEX_BITS)) - 1);
        term << INDEX_BITS | self.applied.min((1 << INDEX_BITS) - 1)
    }

    /// Whoever gets this answer has seen our copy as it is now.
    pub(super) fn shown(&self, served: &Served, ctx: Ctx<M>) {
        if let Some(store) = ctx.plan().store.session {
            ctx.saw(served.call, Seen::upto(store, self.position()));
        }
    }

    /// Up to where our copy must be for an operation, if it is not there yet.
    fn lacks(&self, served: &Served, ctx: Ctx<M>) -> Option<u64> {
        let Op::Read { at: At::Session, .. } = served.op else { return None };
        let store = ctx.plan().store.session.filter(|_| ctx.plan().twin != Twin::IgnoresSessions)?;
        Some(ctx.seen(served.call).of(store)).filter(|position| *position > self.position())
    }

    /// Keeps a read that must see more than our copy has. False if it need not wait.
    pub(super) fn waits(&mut self, key: Key, served: &Served, ctx: Ctx<M>) -> bool {
        let Some(position) = self.lacks(served, ctx) else { return false };
        let patience = ctx.plan().patience;
        self.behind.insert((position, key.to_word()), ctx.now() + patience);
        ctx.wake(patience, Timer::Patience);
        true
    }

    /// Our copy has changed: reads that waited for it go on.
    pub(super) fn caught_up(&mut self, ctx: Ctx<M>) {
        let position = self.position();
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
    pub(super) fn gives_up_catching_up(&mut self, ctx: Ctx<M>) {
        let now = ctx.now();
        let over: Vec<(u64, u64)> =
            self.behind.iter().filter(|(_, until)| **until <= now).map(|(waiting, _)| *waiting).collect();
        for waiting in over {
            self.behind.remove(&waiting);
            self.answers(Key::from_word(waiting.1), Outcome::Fail(Reason::Timeout), ctx);
        }
    }
}
