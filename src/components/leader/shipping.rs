//! How the leader's log reaches the others, and what is committed by it.
//!
//! Messages are datagrams that may overtake each other, and the leader does not wait for an answer before it sends the next: a follower
//! keeps entries that come early until those before them are there, as a connection would. What is lost shows at the next heartbeat,
//! whose place is not there.

use crate::components::leader::log::{Entry, Place};
use crate::components::leader::member::{Ctx, Member, Message, Record, Role, Timer};
use crate::components::leader::{Rule, Twin};
use crate::components::machine::Machine;
use crate::components::store::Series;
use crate::components::store::front;

/// Entries of a message at most.
const BATCH_MAX: usize = 1024;
/// Messages that are kept until those before them come.
const EARLY_MAX: usize = 256;
/// Rounds whose answers may still come.
const ROUNDS_MAX: usize = 1024;

impl<M: Machine> Member<M> {
    /// A new entry of ours.
    pub(super) fn propose(&mut self, entry: Entry, ctx: Ctx<M>) {
        self.keep(Record::Entry(entry), ctx);
        self.sync(ctx);
        self.ship(ctx);
        self.may_commit(ctx);
    }

    /// Sends everybody what they have not been sent yet. Where the leader's disk alone decides, only what is safe there, lest
    /// others have what a crash makes it lose.
    pub(super) fn ship(&mut self, ctx: Ctx<M>) {
        let end = self.shippable(ctx);
        for to in Self::others(ctx) {
            if self.peers[to as usize].sent < end {
                self.append(to, ctx);
            }
        }
    }

    fn shippable(&self, ctx: Ctx<M>) -> u64 {
        if ctx.plan().rule == Rule::Majority { self.log.last().index } else { self.safe }
    }

    /// Sends one member what follows what it was sent, if only that we are there.
    fn append(&mut self, to: u32, ctx: Ctx<M>) {
        let end = self.shippable(ctx);
        let peer = &mut self.peers[to as usize];
        let Some(term) = self.log.term(peer.sent) else {
            let at = Place { index: self.applied, term: self.log.term(self.applied).unwrap_or(0) };
            peer.sent = self.applied;
            front::count(ctx, Series::Snapshots);
            let message = Message::Snapshot { term: self.term, at, machine: self.machine.clone() };
            return self.say(to, message, ctx);
        };
        let after = Place { index: peer.sent, term };
        let most = BATCH_MAX.min(end.saturating_sub(peer.sent) as usize);
        let entries = self.log.from(peer.sent, most);
        peer.sent += entries.len() as u64;
        let message =
            Message::Append { term: self.term, after, entries, commit: self.commit, round: self.round };
        self.say(to, message, ctx);
    }

    /// Begins a round: a message to everybody whose answers say that we lead still.
    pub(super) fn begin_round(&mut self, ctx: Ctx<M>) {
        self.round += 1;
        self.rounds.push_back((self.round, ctx.clock()));
        if self.rounds.len() > ROUNDS_MAX {
            self.rounds.pop_front();
        }
        for to in Self::others(ctx) {
            self.append(to, ctx);
        }
    }

    pub(super) fn heartbeat(&mut self, ctx: Ctx<M>) {
        if self.role == Role::Leader {
            self.begin_round(ctx);
            let every = ctx.plan().heartbeat;
            ctx.wake(every, Timer::Heartbeat);
        }
    }

    /// A leader's log came.
    #[allow(clippy::too_many_arguments)] // the message's fields
    pub(super) fn appends(
        &mut self,
        from: u32,
        term: u64,
        after: Place,
        entries: Vec<Entry>,
        commit: u64,
        round: u64,
        ctx: Ctx<M>,
    ) {
        let refusal =
            |member: &Self, up_to| Message::Appended { term: member.term, up_to, fits: false, round };
        if !self.follows(from, term, ctx) {
            let message = refusal(self, 0);
            return self.say(from, message, ctx);
        }
        if after.index > self.log.last().index {
            // What is before it may be on its way still; a heartbeat that finds a gap says that it is not.
            let gap = entries.is_empty();
            if !gap && self.early.len() < EARLY_MAX {
                self.early.insert(after.index, (after, entries));
            }
            if gap {
                let message = refusal(self, self.log.last().index);
                self.say(from, message, ctx);
            }
            return;
        }
        if self.log.term(after.index).is_some_and(|known| known != after.term) {
            // The leader goes on before the first entry of the term that does not fit (section 3.5).
            let wrong = self.log.term(after.index);
            let mut up_to = after.index - 1;
            while up_to > self.log.base().index && self.log.term(up_to) == wrong {
                up_to -= 1;
            }
            let message = refusal(self, up_to);
            return self.say(from, message, ctx);
        }
        let Some(mut end) = self.takes(after, &entries, ctx) else {
            // We have applied what this leader never had: only the whole copy helps.
            let message = Message::Appended { term: self.term, up_to: u64::MAX, fits: false, round };
            return self.say(from, message, ctx);
        };
        while let Some((next, (place, entries))) = self.early.pop_first() {
            if next > end || self.log.term(next) != Some(place.term) {
                if next > end {
                    self.early.insert(next, (place, entries));
                    break;
                }
                continue;
            }
            match self.takes(place, &entries, ctx) {
                Some(further) => end = end.max(further),
                None => break,
            }
        }
        self.sync(ctx);
        let has = end.min(self.vouches(ctx.plan()));
        self.owed = (has < end).then_some((term, end, has));
        self.say(from, Message::Appended { term, up_to: has, fits: true, round }, ctx);
        if commit.min(end) > self.commit {
            self.commit = commit.min(end);
            self.apply(ctx);
        }
    }

    /// Takes entries into the log; says up to where it is the leader's now. `None` if what would have to go is applied.
    fn takes(&mut self, after: Place, entries: &[Entry], ctx: Ctx<M>) -> Option<u64> {
        let mut index = after.index;
        for entry in entries {
            index += 1;
            match self.log.term(index) {
                Some(term) if term == entry.term => continue,
                Some(_) if index <= self.applied => return None,
                None if index <= self.log.base().index => continue,
                Some(_) => {
                    self.keep(Record::Truncate(index - 1), ctx);
                    self.commit = self.commit.min(index - 1);
                    front::count(ctx, Series::Truncated);
                }
                None => {}
            }
            self.keep(Record::Entry(*entry), ctx);
        }
        Some(index)
    }

    /// The whole of the leader's copy came.
    pub(super) fn installs(&mut self, from: u32, term: u64, at: Place, machine: M, ctx: Ctx<M>) {
        if !self.follows(from, term, ctx) {
            return;
        }
        let rewinds = self.log.term(at.index) != Some(at.term);
        if rewinds || at.index > self.applied {
            let old = std::mem::replace(&mut self.machine, machine.clone());
            self.holds_another(Some(&old), ctx);
            (self.applied, self.commit) = (at.index, at.index);
            self.early.clear();
            let mut log = crate::components::leader::log::Log::after(at);
            if !rewinds {
                self.log.from(at.index, usize::MAX).into_iter().for_each(|entry| log.push(entry));
            }
            self.replace(log, at, machine, ctx);
            self.caught_up(ctx);
        }
        let round = 0;
        self.say_after(from, Message::Appended { term, up_to: at.index, fits: true, round }, ctx);
    }

    /// A follower has answered.
    pub(super) fn appended(&mut self, from: u32, term: u64, up_to: u64, fits: bool, round: u64, ctx: Ctx<M>) {
        if term > self.term {
            return self.hears_of(term, ctx);
        }
        if self.role != Role::Leader || term < self.term {
            return;
        }
        let last = self.log.last().index;
        let peer = &mut self.peers[from as usize];
        peer.round = peer.round.max(round);
        if fits {
            peer.has = peer.has.max(up_to);
            peer.sent = peer.sent.max(peer.has);
        } else if up_to == u64::MAX {
            // A place that no log has: the next message is a snapshot.
            peer.sent = u64::MAX;
            self.append(from, ctx);
        } else {
            peer.sent = up_to.min(last).max(peer.has);
            self.append(from, ctx);
        }
        let end = self.shippable(ctx);
        if fits && self.peers[from as usize].sent < end {
            self.append(from, ctx);
        }
        self.may_commit(ctx);
        self.may_read(ctx);
    }

    /// Commits as far as the rule allows.
    pub(super) fn may_commit(&mut self, ctx: Ctx<M>) {
        if self.role != Role::Leader {
            return;
        }
        let (plan, me) = (ctx.plan(), ctx.me().member);
        let mine = if plan.twin == Twin::AcksBeforeSync { self.log.last().index } else { self.safe };
        let mut has: Vec<u64> = self.peers.iter().map(|peer| peer.has).collect();
        has[me as usize] = mine;
        has.sort_unstable_by(|a, b| b.cmp(a));
        let index = has[plan.rule.copies(ctx.members()) as usize - 1];
        let of_our_term = self.log.term(index) == Some(self.term);
        if index > self.commit && (of_our_term || plan.twin == Twin::CountsOldTerms) {
            self.commit = index;
            self.apply(ctx);
        }
    }
}
