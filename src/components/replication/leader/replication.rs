//! How the leader's log reaches the others, and what is committed by it.
//!
//! Messages are datagrams that may overtake each other, and the leader does not wait for an answer before it sends the next: a follower
//! keeps entries that come early until those before them are there, as a connection would. What is lost shows at the next heartbeat,
//! whose place is not there.

use crate::base::rng::mix;
use crate::components::mech::mutant::Mutant;
use crate::components::replication::leader::log::{Entry, Log, Place};
use crate::components::replication::leader::member::{Ctx, Member, Peer, Role, SEND};
use crate::components::replication::leader::messages::{AppendEntries, CopySnapshot, Message, Record, Timer};
use crate::components::replication::leader::plan::Rule;
use crate::components::storage::cell::COPIES_MAX;
use crate::components::storage::front;
use crate::components::storage::machine::Machine;
use crate::components::storage::series::StoreSeries;

/// Entries of a message at most.
const BATCH_MAX: usize = 1024;
/// Messages that are kept until those before them come.
const EARLY_MAX: usize = 256;
/// Rounds whose answers may still come.
const ROUNDS_MAX: usize = 1024;

impl<M: Machine> Member<M> {
    /// A new entry of ours.
    pub(super) fn propose(&mut self, entry: Entry, ctx: Ctx<M>) {
        let entry = Entry { at: ctx.wall(), ..entry };
        self.has_made(&entry, ctx);
        self.keep(Record::Entry(entry), ctx);
        self.sync(ctx);
        self.replicate(ctx);
        self.maybe_commit(ctx);
    }

    /// Sends everybody what they have not been sent yet, once the sender has its turn.
    pub(super) fn replicate(&mut self, ctx: Ctx<M>) {
        let ready = self.sendable(ctx);
        match &ctx.plan().send {
            None => self.released = self.released.max(ready),
            Some(distribution) if ready > self.released && !self.sending => {
                self.sending = true;
                // Drawn for the first that leaves; in another term it may have to leave again.
                let first = self.log.get(self.released + 1).and_then(|entry| self.substream(entry));
                let span =
                    front::drawn(distribution, SEND, first.map(|substream| mix(substream, self.term)), ctx);
                ctx.wake(span, Timer::Send);
            }
            Some(_) => {}
        }
        self.send_released(ctx);
    }

    /// The sender has its turn: all that there is leaves.
    pub(super) fn sends(&mut self, ctx: Ctx<M>) {
        self.sending = false;
        if self.role == Role::Leader {
            self.released = self.released.max(self.sendable(ctx));
            self.send_released(ctx);
        }
    }

    fn send_released(&mut self, ctx: Ctx<M>) {
        let end = self.released;
        for to in Self::others(ctx) {
            if self.peers[to as usize].sent_index < end {
                self.append(to, ctx);
            }
        }
    }

    /// What may be sent. Where the leader's disk alone decides, only what is safe there, lest others have what a crash makes it lose.
    fn sendable(&self, ctx: Ctx<M>) -> u64 {
        if ctx.plan().rule == Rule::Majority { self.log.last().index } else { self.durable_index }
    }

    /// Sends one member what follows what it was sent, if only that we are there.
    fn append(&mut self, to: u32, ctx: Ctx<M>) {
        let end = self.released;
        let peer = &mut self.peers[to as usize];
        let Some(term) = self.log.term(peer.sent_index) else {
            peer.sent_index = self.last_applied;
            front::count(ctx, StoreSeries::Snapshots);
            let whole = Box::new(self.copy_snapshot());
            return self.say(to, Message::Snapshot { term: self.term, whole }, ctx);
        };
        let after = Place { index: peer.sent_index, term };
        let most = BATCH_MAX.min(end.saturating_sub(peer.sent_index) as usize);
        let entries = self.log.from(peer.sent_index, most);
        peer.sent_index += entries.len() as u64;
        let (term, commit_index, majority_durable_index, round) =
            (self.term, self.commit_index, self.majority_durable_index, self.round);
        self.say(
            to,
            Message::AppendEntries(AppendEntries {
                term,
                after,
                entries,
                commit_index,
                majority_durable_index,
                round,
            }),
            ctx,
        );
    }

    /// Our copy, as far as it is applied.
    fn copy_snapshot(&self) -> CopySnapshot<M> {
        let index = self.last_applied;
        let terms = self.log.terms().up_to(index);
        let at = Place { index, term: terms.at(index) };
        CopySnapshot { at, machine: self.machine.clone(), terms, merge_log: self.merge_log.clone() }
    }

    /// Begins a round: a message to everybody whose answers say that we lead still.
    pub(super) fn begin_round(&mut self, ctx: Ctx<M>) {
        self.round += 1;
        self.rounds.push_back((self.round, ctx.monotonic()));
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
            self.maybe_transfer(ctx);
            let every = ctx.plan().heartbeat;
            ctx.wake(every, Timer::Heartbeat);
        }
    }

    /// A leader's log came.
    pub(super) fn on_append_entries(&mut self, from: u32, append: AppendEntries, ctx: Ctx<M>) {
        let AppendEntries { term, after, entries, commit_index, majority_durable_index, round } = append;
        let refusal = |member: &Self, up_to| Message::AppendEntriesResponse {
            term: member.term,
            up_to,
            fits: false,
            round,
        };
        if !self.accept_leader(from, term, ctx) {
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
        // We have applied what this leader never had, or would lose additions: only the whole copy helps.
        let wants_whole = |member: &mut Self| {
            member.snapshot_wanted_of = Some(term);
            refusal(member, u64::MAX)
        };
        if !self.log.contains(after) {
            // The leader goes on before the first entry of the term that does not fit (section 3.5).
            let wrong = self.log.term(after.index);
            let mut up_to = after.index - 1;
            while up_to > self.last_applied && self.log.term(up_to) == wrong {
                up_to -= 1;
            }
            let message = if up_to < self.last_applied { wants_whole(self) } else { refusal(self, up_to) };
            return self.say(from, message, ctx);
        }
        let Some(mut end) = self.takes(after, &entries, ctx) else {
            let message = wants_whole(self);
            return self.say(from, message, ctx);
        };
        end = self.takes_early(end, ctx);
        self.sync(ctx);
        let has = end.min(self.vouches(ctx.plan()));
        self.owed = (has < end).then_some((term, end, has));
        self.say(from, Message::AppendEntriesResponse { term, up_to: has, fits: true, round }, ctx);
        self.merge_log.settle(majority_durable_index.min(end));
        let was_put_back = self.shows_from == u64::MAX;
        if was_put_back {
            self.shows_from = end.min(self.had_shown); // what the leader has of it is shown again before anything is
        }
        let news = was_put_back || commit_index.min(end) > self.commit_index || end > self.fits;
        (self.commit_index, self.fits) = (self.commit_index.max(commit_index.min(end)), self.fits.max(end));
        if news {
            self.apply(ctx);
        }
        self.hands_on(ctx);
    }

    /// Takes what came before its time, as far as its time has come; says up to where the log is the leader's now.
    fn takes_early(&mut self, mut end: u64, ctx: Ctx<M>) -> u64 {
        while let Some((next, (place, entries))) = self.early.pop_first() {
            if next > end {
                self.early.insert(next, (place, entries));
                break;
            }
            if self.log.term(next) == Some(place.term) {
                match self.takes(place, &entries, ctx) {
                    Some(further) => end = end.max(further),
                    None => break,
                }
            }
        }
        end
    }

    /// Takes entries into the log; says up to where it is the leader's now. `None` if what would have to go is applied.
    fn takes(&mut self, after: Place, entries: &[Entry], ctx: Ctx<M>) -> Option<u64> {
        let mut index = after.index;
        for entry in entries {
            index += 1;
            if self.log.contains(Place { index, term: entry.term }) {
                continue;
            }
            if index <= self.log.last().index {
                if index <= self.last_applied || ctx.plan().merges {
                    return None;
                }
                self.keep(Record::Truncate(index - 1), ctx);
                (self.commit_index, self.fits) = (self.commit_index.min(index - 1), self.fits.min(index - 1));
                front::count(ctx, StoreSeries::Truncated);
            }
            self.keep(Record::Entry(entry.clone()), ctx);
        }
        Some(index)
    }

    /// The whole of the leader's copy came. One that our history has already is old news.
    pub(super) fn on_install_snapshot(
        &mut self,
        from: u32,
        term: u64,
        snapshot: CopySnapshot<M>,
        ctx: Ctx<M>,
    ) {
        if !self.accept_leader(from, term, ctx) {
            return;
        }
        let (at, merges) = (snapshot.at, ctx.plan().merges);
        let asked = self.snapshot_wanted_of.take() == Some(term);
        let rewinds = !self.log.contains(at) || asked && merges;
        if rewinds || asked || at.index > self.last_applied {
            let goes_back = rewinds || at.index < self.last_applied;
            let closed = self.shows_from == u64::MAX; // put back again before anybody has read it
            self.had_shown = if closed { self.had_shown.max(self.last_applied) } else { self.last_applied };
            if rewinds && merges {
                let common = self.log.terms().common(self.log.last().index, &snapshot.terms, at.index);
                self.loses_beyond(common, ctx);
            }
            let mut log = Log::after(at, snapshot.terms);
            if rewinds {
                self.rewinds += 1;
                // Nothing of it is safe before our disk has it.
                (self.durable_index, self.covers) = (0, self.covers.map(|_| 0));
            } else {
                self.log.from(at.index, usize::MAX).into_iter().for_each(|entry| log.push(entry));
            }
            let old = std::mem::replace(&mut self.machine, snapshot.machine);
            self.holds_another(Some(&old), ctx);
            (self.merge_log, self.log) = (snapshot.merge_log, log);
            (self.last_applied, self.worked, self.commit_index) = (at.index, at.index, at.index);
            (self.fits, self.due) = (at.index, None);
            self.shows_from = if goes_back { u64::MAX } else { self.shows_from.min(at.index) };
            self.tells_progress(ctx);
            self.early.clear();
            self.snapshot(at, ctx);
            self.caught_up(ctx);
        }
        let round = 0;
        self.say_after(
            from,
            Message::AppendEntriesResponse { term, up_to: at.index, fits: true, round },
            ctx,
        );
        self.hands_on(ctx);
    }

    /// A follower has answered.
    pub(super) fn on_append_entries_response(
        &mut self,
        from: u32,
        term: u64,
        up_to: u64,
        fits: bool,
        round: u64,
        ctx: Ctx<M>,
    ) {
        if term > self.term {
            return self.observe_term(term, ctx);
        }
        if self.role != Role::Leader || term < self.term {
            return;
        }
        let last = self.log.last().index;
        let peer = &mut self.peers[from as usize];
        peer.round = peer.round.max(round);
        if fits {
            peer.match_index = peer.match_index.max(up_to);
            peer.sent_index = peer.sent_index.max(peer.match_index);
        } else if peer.refused != (round, up_to) {
            // Once in each round: refusals that come twice must not multiply what is sent. A place that no log has asks for a
            // snapshot. It may once have had more: what it acknowledged on receipt a crash may have taken from it.
            peer.refused = (round, up_to);
            peer.sent_index = if up_to == u64::MAX { up_to } else { up_to.min(last) };
            self.append(from, ctx);
        }
        let end = self.released;
        if fits && self.peers[from as usize].sent_index < end {
            self.append(from, ctx);
        }
        self.maybe_commit(ctx);
        self.answer_reads(ctx);
        self.may_hand_over(ctx);
    }

    /// Commits as far as the rule allows.
    pub(super) fn maybe_commit(&mut self, ctx: Ctx<M>) {
        if self.role != Role::Leader {
            return;
        }
        let (plan, copies) = (ctx.plan(), ctx.members());
        let mine =
            if plan.store.mutant == Mutant::AcksEarly { self.log.last().index } else { self.durable_index };
        let has = self.ranked(mine, ctx, |peer| peer.match_index);
        let of_our_term = |member: &Self, index| member.log.term(index) == Some(member.term);
        let majority_durable_index = has[Rule::Majority.copies(copies) as usize - 1];
        if majority_durable_index > self.majority_durable_index && of_our_term(self, majority_durable_index) {
            self.majority_durable_index = majority_durable_index;
            self.merge_log.settle(majority_durable_index);
            self.counts_lost_reads(ctx);
        }
        let index = has[plan.rule.copies(copies) as usize - 1];
        if index > self.commit_index
            && (of_our_term(self, index) || plan.store.mutant == Mutant::CountsOldTerms)
        {
            let knew = self.commits_its_term();
            self.commit_index = index;
            if !knew {
                self.counts_lost_reads(ctx);
            }
            self.apply(ctx);
            self.answer_reads(ctx);
        }
    }

    /// What the members have come to, ourselves to `mine`, from the highest to the lowest.
    pub(super) fn ranked(&self, mine: u64, ctx: Ctx<M>, of: impl Fn(&Peer) -> u64) -> [u64; COPIES_MAX] {
        let mut ranked = [0; COPIES_MAX];
        ranked.iter_mut().zip(&self.peers).for_each(|(place, peer)| *place = of(peer));
        ranked[ctx.me().member as usize] = mine;
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked
    }
}
