//! A leader that is to serve nobody any more ([`drain`](crate::faults::drain)) hands over before it goes: nobody waits for an election timeout,
//! and nothing that was acknowledged is lost.
//!
//! Leadership transfer (Ongaro 2014, section 3.10), for all three rules; PostgreSQL's managers and MongoDB do the same by their own means
//! (Patroni's `switchover`; `replSetStepDown`, which waits `secondaryCatchUpPeriodSecs` for a member to catch up):
//! 1. The leader takes in nothing new. What others forward is refused, and they keep it until they hear who leads; programs that run at its
//!    own member are finished, and what they ask for is kept until somebody leads.
//! 2. It finishes what it has: operations on cores, changes in the log, commits. Transactions that have not asked to commit come to nothing, since
//!    they live in a leader's memory (PostgreSQL's fast shutdown, which a switchover is, and `replSetStepDown` end them too). Those who wait
//!    in line for a lock are sent away, and ask the next leader, who has their places in his copy.
//! 3. Once another member has the whole log, and has answered since, that one is told to stand for election at once. Nobody refuses it for
//!    having heard a leader lately; the leader's lease is over with the word, for as long as its term is.
//! 4. If it has not been deposed in time, it goes on: it serves again what it may, and tries again after as long. In time is the longest
//!    election timeout (section 3.10), and without one, and until a copy has caught up, what `replSetStepDown` allows.
//!
//! A drained member does not stand for election, and declines when it is told to; it votes, and keeps its copy. The leadership does not
//! come back with the end of the drain.

use crate::base::time::Span;
use crate::components::replication::leader::member::{Ctx, Member, Role};
use crate::components::replication::leader::messages::{Message, Timer};
use crate::components::replication::leader::plan::Election;
use crate::components::replication::leader::transfer::Handover;
use crate::components::storage::front;
use crate::components::storage::machine::Machine;
use crate::components::storage::series::StoreSeries;
use crate::components::storage::transactions::host;

/// How long a copy may take to catch up (MongoDB, `replSetStepDown`: `secondaryCatchUpPeriodSecs`).
const CATCH_UP_MAX: Span = Span::from_secs(10);

impl<M: Machine> Member<M> {
    /// An order, or a heartbeat: a leader that is drained hands over, and one that is drained no more need not.
    pub(super) fn maybe_transfer(&mut self, ctx: Ctx<M>) {
        if self.role != Role::Leader {
            return;
        }
        match self.transfer.handover {
            None if ctx.draining() && ctx.monotonic() >= self.transfer.again_at => self.begin_transfer(ctx),
            Some(Handover { told: None, .. }) if !ctx.draining() => self.stays(ctx),
            Some(Handover { told, until, .. }) if ctx.monotonic() >= until => {
                told.into_iter().for_each(|heir| self.transfer.declined |= 1 << heir);
                self.stays(ctx);
            }
            _ => {}
        }
    }

    fn begin_transfer(&mut self, ctx: Ctx<M>) {
        if ctx.members() < 2 {
            return;
        }
        if self.all_have_declined(ctx) {
            self.transfer.declined = 0;
        }
        let until = ctx.monotonic() + CATCH_UP_MAX;
        self.transfer.handover = Some(Handover { round: self.round + 1, told: None, until });
        host::ends_open(self, ctx);
        self.sends_waiting_away(ctx);
        self.begin_round(ctx);
        self.may_hand_over(ctx);
    }

    /// Tells a member that has everything to stand for election, once there is one and nothing is left to do.
    pub(super) fn may_hand_over(&mut self, ctx: Ctx<M>) {
        let Some(handover) = self.transfer.handover.filter(|handover| handover.told.is_none()) else {
            return;
        };
        if self.role != Role::Leader || !self.has_finished() {
            return;
        }
        let last = self.log.last().index;
        let ready = |member: &u32| {
            let peer = &self.peers[*member as usize];
            let may = self.transfer.declined & 1 << member == 0 && peer.round >= handover.round;
            may && peer.match_index >= last
        };
        let (me, members) = (ctx.me().member, ctx.members());
        let Some(heir) = (1..members).map(|next| (me + next) % members).find(ready) else { return };
        let wait = takes_at_most(&ctx.plan().election);
        self.transfer.handover =
            Some(Handover { told: Some(heir), until: ctx.monotonic() + wait, ..handover });
        self.transfer.has_told = true;
        front::count(ctx, StoreSeries::Handovers);
        self.say(heir, Message::TimeoutNow { term: self.term }, ctx);
        ctx.wake(wait, Timer::Handover);
    }

    /// Whether everything that was asked is done: only what must wait for others is left.
    fn has_finished(&self) -> bool {
        let waits = self.behind.len() + self.held.len();
        self.asks.len() == waits && self.committing.is_empty() && self.last_applied == self.log.last().index
    }

    /// A leader tells us to stand for election at once.
    pub(super) fn on_timeout_now(&mut self, from: u32, term: u64, ctx: Ctx<M>) {
        if term != self.term || self.leader != Some(from) || self.role == Role::Leader {
            return;
        }
        if ctx.draining() {
            return self.say(from, Message::Declined { term }, ctx);
        }
        self.leader = None;
        if ctx.plan().decides_alone {
            self.term += 1;
            return self.lead(ctx);
        }
        self.campaign_as_heir(ctx);
    }

    /// Whoever we have told is to serve nobody either.
    pub(super) fn declined(&mut self, from: u32, term: u64, ctx: Ctx<M>) {
        let Some(handover) = self.transfer.handover.as_mut().filter(|_| term == self.term) else { return };
        if handover.told == Some(from) {
            handover.told = None;
            self.transfer.declined |= 1 << from;
            match self.all_have_declined(ctx) {
                true => self.stays(ctx),
                false => self.may_hand_over(ctx),
            }
        }
    }

    fn all_have_declined(&self, ctx: Ctx<M>) -> bool {
        Self::others(ctx).all(|member| self.transfer.declined & 1 << member != 0)
    }

    /// Leads on for now.
    fn stays(&mut self, ctx: Ctx<M>) {
        self.transfer.handover = None;
        self.transfer.again_at = ctx.monotonic() + takes_at_most(&ctx.plan().election);
        self.watches_locks(ctx);
        self.releases_held(ctx);
    }

    /// Whether what is asked of the leader waits until it is known who leads next.
    pub(super) fn keeps_for_heir(&self) -> bool {
        self.transfer.handover.is_some() && self.role == Role::Leader
    }
}

/// How long it may take until whoever was told leads.
fn takes_at_most(election: &Election) -> Span {
    let most = match election {
        Election::Never => None,
        Election::After(span) => Some(*span),
        Election::Drawn(distribution) => {
            Some(distribution.most()).filter(|most| most.is_finite()).map(|most| Span::from_ns(most as u64))
        }
    };
    most.map_or(CATCH_UP_MAX, |most| most.min(CATCH_UP_MAX))
}
