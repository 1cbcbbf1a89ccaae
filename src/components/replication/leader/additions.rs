//! Additions that a failover would lose, under `async` with `merge = "counter"`. The old leader acknowledges on its side of a cut
//! what its own disk has; the new leader never had it, and its log wins. What the lost entries *added* need not be lost with
//! them: additions commute, so the new leader can add them late. What they were conditional on is not asked again, so a floor
//! that held on both sides may not hold for their sum.
//!
//! Numbered rules:
//! 1. An addition is named by the place of its entry in the log in which it first took effect.
//! 2. A member remembers the additions of its log beyond what a majority has: no later leader lacks the rest.
//! 3. A member whose log does not fit applies what is left of it and takes the whole of the leader's copy. Of the additions
//!    that it remembers, those beyond the last place that both histories share are lost; its disk has them together with
//!    the copy, and keeps them until a leader has taken them.
//! 4. A leader adds each to its log as an entry of its own, without the condition. It has an effect just if the place that
//!    names it is not in the history before it, and no entry before it has brought it: a function of the log, so all copies
//!    agree, and what is sent twice counts once.
//! 5. What was taken may be lost once more by the next failover, and is then handed on under its first name.

use std::collections::BTreeMap;

use crate::base::op::Outcome;
use crate::base::time::Span;
use crate::components::replication::leader::log::{Entry, Place};
use crate::components::replication::leader::member::{Ctx, Member, Role};
use crate::components::replication::leader::merge_log::Addition;
use crate::components::replication::leader::messages::{Message, Record};
use crate::components::storage::front;
use crate::components::storage::machine::Machine;
use crate::components::storage::series::StoreSeries;

/// Additions of a message at most.
const BATCH_MAX: usize = 1024;
/// How long a member waits for a leader's word before it sends again: as a connection does at first.
const AGAIN: Span = Span::from_ms(200);

impl<M: Machine> Member<M> {
    /// Applies an entry of which additions are remembered. `None`: it had no effect.
    pub(super) fn apply_noting(&mut self, index: u64, entry: &Entry, ctx: Ctx<M>) -> Option<Outcome> {
        let op = entry.op?;
        let origin = entry.origin.unwrap_or(Place { index, term: entry.term });
        if entry.origin.is_some() {
            let known = origin.index < index && self.log.contains(origin);
            if known || !self.merge_log.brought.insert(origin) {
                return None;
            }
            front::count(ctx, StoreSeries::Merged);
        }
        let outcome = self.apply_op(&op, entry.attempt, entry, ctx);
        if let Some(op) = M::unconditional(&op).filter(|_| outcome.is_ok()) {
            self.merge_log.note(index, Addition { origin, op, attempt: entry.attempt });
        }
        Some(outcome)
    }

    /// Another history takes the place of ours, of which it has everything up to `common`: what is lost of ours.
    pub(super) fn loses_beyond(&mut self, common: u64, ctx: Ctx<M>) {
        while self.last_applied < self.log.last().index {
            self.apply_one(ctx);
        }
        let lost: Vec<Addition> = self.merge_log.beyond(common).copied().collect();
        self.lost.extend(lost.into_iter().map(|addition| (addition.origin, addition)));
    }

    /// Tells the leader what we have lost, unless we told it a moment ago.
    pub(super) fn hands_on(&mut self, ctx: Ctx<M>) {
        let Some(leader) = self.leader.filter(|_| self.role == Role::Follower && !self.lost.is_empty())
        else {
            return;
        };
        if ctx.monotonic() >= self.hands_on_at {
            self.hands_on_at = ctx.monotonic() + AGAIN;
            let additions = self.lost.values().take(BATCH_MAX).copied().collect();
            self.say(leader, Message::Lost { term: self.term, additions }, ctx);
        }
    }

    /// A member has lost additions.
    pub(super) fn on_lost_additions(&mut self, from: u32, additions: &[Addition], ctx: Ctx<M>) {
        if self.role != Role::Leader {
            return; // it will tell whoever leads
        }
        let mut known = Vec::new();
        for addition in additions {
            let origin = addition.origin;
            if self.merge_log.brought.contains(&origin)
                || origin.index <= self.last_applied && self.log.contains(origin)
            {
                known.push(origin);
            } else if self.taking.insert(origin, from).is_none() {
                let entry = Entry::of(self.term, addition.op, addition.attempt);
                self.propose(Entry { origin: Some(origin), ..entry }, ctx);
            }
        }
        self.tells_taken(from, known, ctx);
    }

    /// Entries that brought additions are applied: whoever sent them can forget them.
    pub(super) fn report_taken(&mut self, ctx: Ctx<M>) {
        let mut by_member: BTreeMap<u32, Vec<Place>> = BTreeMap::new();
        for (from, origin) in std::mem::take(&mut self.taken) {
            by_member.entry(from).or_default().push(origin);
        }
        for (from, origins) in by_member {
            self.tells_taken(from, origins, ctx);
        }
    }

    fn tells_taken(&mut self, to: u32, origins: Vec<Place>, ctx: Ctx<M>) {
        if origins.is_empty() {
        } else if to == ctx.me().member {
            self.forget_taken(origins, ctx);
        } else {
            self.say(to, Message::Taken { term: self.term, origins }, ctx);
        }
    }

    /// A leader has what we had lost. It need not be safe here that it does: who is told twice answers twice.
    pub(super) fn forget_taken(&mut self, origins: Vec<Place>, ctx: Ctx<M>) {
        origins.iter().for_each(|origin| _ = self.lost.remove(origin));
        self.keep(Record::Taken(origins), ctx);
        self.hands_on_at = ctx.monotonic();
        self.hands_on(ctx);
    }

    /// We lead now, and what we have lost ourselves is taken in at once.
    pub(super) fn takes_own(&mut self, ctx: Ctx<M>) {
        let (me, own): (u32, Vec<Addition>) = (ctx.me().member, self.lost.values().copied().collect());
        self.on_lost_additions(me, &own, ctx);
    }
}
