//! A member's disk: what it keeps in order, and what is said only once it is safe.

use crate::base::ids::Pid;
use crate::base::rng::mix;
use crate::components::mech::mutant::Mutant;
use crate::components::replication::leader::log::{Entry, Log, Place};
use crate::components::replication::leader::member::{Ctx, Member};
use crate::components::replication::leader::messages::{Kept, Message, Record};
use crate::components::replication::leader::plan::{Ack, Rule};
use crate::components::storage::front;
use crate::components::storage::machine::Machine;
use crate::sim::disk::Disk;

/// A log keeps so many entries that are applied, for followers that are behind; when it has twice as many it becomes a snapshot.
const LOG_KEPT: usize = 1 << 13;

impl<M: Machine> Member<M> {
    /// What the disk kept.
    pub(super) fn remember(&mut self, disk: &Disk<Record, Kept<M>>) {
        if let Some(kept) = disk.snapshot.clone() {
            (self.term, self.voted_for, self.lead_term) = (kept.term, kept.voted_for, kept.lead_term);
            (self.machine, self.log, self.merge_log) = (kept.machine, kept.log, kept.merge_log);
            (self.last_applied, self.commit_index) = (kept.at.index, kept.at.index);
            self.lost = kept.lost.into_iter().map(|addition| (addition.origin, addition)).collect();
        }
        for record in &disk.records {
            match record {
                Record::Term(term, voted) => (self.term, self.voted_for) = (*term, *voted),
                Record::LeadTerm(term) => self.lead_term = *term,
                Record::Truncate(index) => self.log.truncate(*index),
                Record::Entry(entry) => self.log.push(entry.clone()),
                Record::Taken(origins) => origins.iter().for_each(|origin| _ = self.lost.remove(origin)),
                Record::Applied(index) => self.commit_index = self.commit_index.max(*index),
            }
        }
        self.durable_index = self.log.last().index;
        self.fits = self.durable_index;
    }

    /// After a restart: our copy is again what it was when its disk last had word of it. Where an acknowledgement has said of
    /// more that readers see it, they wait until they do.
    pub(super) fn replays(&mut self, ctx: Ctx<M>) {
        self.commit_index = self.commit_index.min(self.durable_index);
        while self.last_applied < self.commit_index && self.apply_one(ctx) {}
        self.tells_progress(ctx);
        if ctx.plan().ack == Ack::Apply {
            self.shows_from = self.durable_index;
        }
    }

    /// The term and the vote, on disk.
    pub(super) fn keep_term(&mut self, ctx: Ctx<M>) {
        if ctx.plan().store.mutant != Mutant::ForgetsVote {
            ctx.append(Record::Term(self.term, self.voted_for));
            self.dirty = true;
        }
    }

    pub(super) fn keep(&mut self, record: Record, ctx: Ctx<M>) {
        match &record {
            Record::Entry(entry) => self.log.push(entry.clone()),
            Record::Truncate(index) => {
                let index = *index;
                self.log.truncate(index);
                self.rewinds += 1;
                self.durable_index = self.durable_index.min(index);
                self.covers = self.covers.map(|covers| covers.min(index));
                self.worked = self.worked.min(index);
                self.due = self.due.filter(|(next, _)| *next <= index);
                self.shows_from = self.shows_from.min(index);
            }
            _ => {}
        }
        ctx.append(record);
        self.dirty = true;
    }

    /// Says something once all that was kept so far is safe.
    pub(super) fn say_after(&mut self, to: u32, message: Message<M>, ctx: Ctx<M>) {
        if !self.dirty && self.covers.is_none() {
            return self.say(to, message, ctx);
        }
        self.said_next.push_back((to, message));
        self.sync(ctx);
    }

    pub(super) fn say(&mut self, to: u32, message: Message<M>, ctx: Ctx<M>) {
        let (size, legs) = (message.size_bytes(), &ctx.plan().legs);
        let leg = match &message {
            Message::AppendEntries(append) if !append.entries.is_empty() => legs.write.as_ref(),
            Message::AppendEntriesResponse { .. } => legs.ack.as_ref(),
            _ => None,
        };
        ctx.send_over(leg, Pid::new(ctx.me().tier, to), message, size);
    }

    /// Begins to make safe what has gathered, unless a sync is under way.
    pub(super) fn sync(&mut self, ctx: Ctx<M>) {
        if self.covers.is_some() || !self.dirty && self.said_next.is_empty() {
            return;
        }
        self.shorten(ctx);
        if ctx.plan().rule != Rule::Majority {
            ctx.append(Record::Applied(self.last_applied)); // what readers have seen of it they see after a restart
        }
        self.dirty = false;
        self.covers = Some(self.log.last().index);
        self.said_after = std::mem::take(&mut self.said_next);
        let first = self.log.get(self.durable_index + 1).and_then(|entry| self.substream(entry));
        let cost = front::disk_time(self, first, ctx);
        ctx.sync(cost);
    }

    /// What identifies the work that an entry makes here: after a rewind it may come again.
    pub(super) fn substream(&self, entry: &Entry) -> Option<u64> {
        (entry.substream != 0).then(|| mix(entry.substream, u64::from(self.rewinds)))
    }

    /// A long log becomes a snapshot, as far as it is applied, and an entry's worth for followers that lag.
    fn shorten(&mut self, ctx: Ctx<M>) {
        let applied = (self.last_applied - self.log.base().index.min(self.last_applied)) as usize;
        if applied < 2 * LOG_KEPT {
            return;
        }
        let term = self.log.term(self.last_applied).expect("what was applied is in the log");
        let mut log = self.log.clone();
        log.forget(self.last_applied);
        let kept = self.kept(log, Place { index: self.last_applied, term });
        ctx.snapshot(kept);
        self.log.forget(self.last_applied - LOG_KEPT as u64);
    }

    /// Our copy and the log after it, on disk in the place of all before.
    pub(super) fn snapshot(&mut self, at: Place, ctx: Ctx<M>) {
        let kept = self.kept(self.log.clone(), at);
        ctx.snapshot(kept);
        self.dirty = true;
    }

    fn kept(&self, log: Log, at: Place) -> Kept<M> {
        Kept {
            term: self.term,
            voted_for: self.voted_for,
            lead_term: self.lead_term,
            at,
            machine: self.machine.clone(),
            merge_log: self.merge_log.clone(),
            lost: self.lost.values().copied().collect(),
            log,
        }
    }
}
