//! What a member does for clients: forwards what only a leader may do, reads what any copy may show.

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, OpId, Pid};
use crate::base::op::{At, Op, Outcome, Reason, Reply};
use crate::base::rng::mix;
use crate::base::slab::Key;
use crate::components::mech::mutant::Mutant;
use crate::components::mech::station::Served;
use crate::components::replication::leader::log::Entry;
use crate::components::replication::leader::member::{Ctx, Member, Role};
use crate::components::replication::leader::messages::{HEADER_BYTES, Timer};
use crate::components::replication::leader::plan::Rule;
use crate::components::replication::leader::request::ClientRequest;
use crate::components::replication::leader::transfer::Transfer;
use crate::components::storage::front;
use crate::components::storage::machine::{EntryContext, Machine};
use crate::components::storage::series::StoreSeries;
use crate::record::history::attempt;
use crate::sim::request::{CallContext, Request};

/// Sets the identities of calls that are passed on apart from those that they pass on.
const FORWARD: u64 = 1 << 32;

impl<M: Machine> Member<M> {
    /// An operation came, from a client or from a member that forwards it.
    pub(super) fn asked(&mut self, served: Served, ctx: Ctx<M>) {
        let passed_on = Some(ctx.context(served.call).attempt).filter(|attempt| *attempt != OpId(0));
        let (forwarded, attempt) = (passed_on.is_some(), passed_on.unwrap_or(attempt(served.call)));
        let ask =
            ClientRequest { served, attempt, forwards: 0, spent: Causes::NONE, since: ctx.now(), sent: None };
        let key = self.asks.insert(ask);
        self.find_place(key, forwarded, ctx);
    }

    /// Does it here, or sends it to whoever leads, or keeps it until somebody is known to.
    fn find_place(&mut self, key: Key, forwarded: bool, ctx: Ctx<M>) {
        let Some(ask) = self.asks.get(key).copied() else { return };
        let here = matches!(ask.served.op, Op::Read { at, .. } if at != At::Primary);
        if self.is_for_a_replica(&ask.served.op, ctx) {
            return self.answers(key, Outcome::Fail(Reason::NoReplica), ctx);
        }
        if here && self.waits(key, &ask.served, ctx) {
            return;
        }
        if here || self.role == Role::Leader && !self.keeps_for_heir() {
            return self.work(key, ctx);
        }
        match self.leader {
            _ if forwarded => self.answers(key, Outcome::Fail(Reason::NoLeader), ctx),
            _ if self.role == Role::Leader => self.holds(key, ctx),
            Some(leader) => {
                let request = Request {
                    op: ask.served.op,
                    substream: mix(ctx.substream(ask.served.call), FORWARD + u64::from(ask.forwards)),
                    size_bytes: HEADER_BYTES,
                    timeout: Some(ctx.plan().patience),
                    from: None,
                    context: CallContext { attempt: ask.attempt, ..ctx.context(ask.served.call) },
                };
                let call = ctx.call(Pid::new(ctx.me().tier, leader), request, key.to_word());
                if let Some(ask) = self.asks.get_mut(key) {
                    ask.forwards += 1;
                }
                if let Some(ask) = self.asks.get_mut(key) {
                    ask.sent = Some((leader, call));
                }
            }
            None => self.holds(key, ctx),
        }
    }

    /// Keeps an operation until it is known who leads.
    fn holds(&mut self, key: Key, ctx: Ctx<M>) {
        let patience = ctx.plan().patience;
        self.held.push_back((ctx.monotonic() + patience, key));
        ctx.wake(patience, Timer::Patience);
    }

    /// Whether somebody wants to read a copy that does not lead, and we do and are not the only one.
    fn is_for_a_replica(&self, op: &Op, ctx: Ctx<M>) -> bool {
        matches!(op, Op::Read { at: At::Replica, .. }) && self.role == Role::Leader && ctx.members() > 1
    }

    /// It gets in line for a core.
    pub(super) fn work(&mut self, key: Key, ctx: Ctx<M>) {
        let Some(ask) = self.asks.get(key) else { return };
        let op = ask.served.op;
        if let Op::Begin | Op::Commit | Op::Abort = op {
            return self.worked(key, &Causes::NONE, ctx);
        }
        let writes = !M::is_read(&op) && !matches!(op, Op::ReadForUpdate { .. });
        let substream = mix(ctx.substream(ask.served.call), u64::from(ctx.me().member));
        if front::help(self, writes, substream, key.to_word(), ctx) {
            front::taken_in(op, ctx);
        } else {
            front::count(ctx, StoreSeries::Rejected);
            self.answers(key, Outcome::Fail(Reason::Overloaded), ctx);
        }
    }

    /// It has had its time on a core.
    pub(super) fn worked(&mut self, key: Key, work: &Causes, ctx: Ctx<M>) {
        let now = ctx.now();
        let Some(ask) = self.asks.get_mut(key) else { return };
        ask.spent.merge(work);
        ask.since = now;
        let (served, op, attempt) = (ask.served, ask.served.op, ask.attempt);
        if self.is_for_a_replica(&op, ctx) {
            return self.answers(key, Outcome::Fail(Reason::NoReplica), ctx);
        }
        if matches!(op, Op::Read { at, .. } if at != At::Primary) {
            if self.waits(key, &served, ctx) {
                return; // our copy was put back meanwhile
            }
            self.shown(&served, ctx);
            let seen = self.machine.look(&ctx.plan().machine, &op);
            return self.answers(key, seen, ctx);
        }
        if self.role != Role::Leader {
            return self.answers(key, Outcome::Fail(Reason::NoLeader), ctx);
        }
        if op.lock().is_some() {
            return self.orders_lock(key, op, attempt, ctx);
        }
        if self.transacting.is_some() {
            return self.transacts(key, op, ctx.context(served.call).transaction == 0, ctx);
        }
        let told = ctx
            .context(served.call)
            .fence
            .token(M::is_read(&op))
            .map_or(EntryContext::Nothing, EntryContext::Token);
        if M::is_read(&op) && told == EntryContext::Nothing {
            self.reads_as_leader(key, ctx);
        } else {
            self.proposed.insert(self.log.last().index + 1, key);
            let substream = ctx.substream(served.call);
            self.propose(Entry { substream, told, ..Entry::of(self.term, op, attempt) }, ctx);
        }
    }

    /// A read that must see everything committed before it came.
    pub(super) fn reads_as_leader(&mut self, key: Key, ctx: Ctx<M>) {
        let plan = ctx.plan();
        let asks = plan.rule == Rule::Majority && plan.store.mutant != Mutant::ReadsWhenDeposed;
        if !asks {
            // Nothing newer can be acknowledged by us than what we have committed, once that is all that anybody has.
            let knows = self.commits_its_term() || plan.store.mutant == Mutant::ReadsWhenDeposed;
            let index = if knows { self.commit_index } else { u64::MAX };
            self.reads.push_back((0, index, key));
            return self.answer_reads(ctx);
        }
        if self.holds_lease(ctx) {
            self.reads.push_back((0, self.commit_index, key));
            return self.answer_reads(ctx);
        }
        // One round at a time is under way for reads; those that come meanwhile share the next.
        let waiting = self.reads.back().map_or(0, |(round, ..)| *round);
        if waiting <= self.answered_round(ctx) {
            self.begin_round(ctx);
            self.reads.push_back((self.round, u64::MAX, key));
        } else {
            self.reads.push_back((self.round + 1, u64::MAX, key));
        }
        self.answer_reads(ctx);
    }

    /// The latest round that a majority has answered, ourselves included.
    fn answered_round(&self, ctx: Ctx<M>) -> u64 {
        let majority = Rule::Majority.copies(ctx.members()) as usize;
        self.ranked(self.round, ctx, |peer| peer.round)[majority - 1]
    }

    /// Whether nobody else can have been elected, by our clock, since a majority last answered.
    pub(super) fn holds_lease(&self, ctx: Ctx<M>) -> bool {
        let Some(lease) = ctx.plan().lease.filter(|_| !self.transfer.has_told) else { return false };
        let answered = self.answered_round(ctx);
        let began = self.rounds.iter().rev().find(|(round, _)| *round <= answered);
        began.is_some_and(|(_, began)| ctx.monotonic() < *began + lease) && self.commits_its_term()
    }

    /// Whether an entry of our own term is committed: only then do we know what is (section 6.4).
    pub(super) fn commits_its_term(&self) -> bool {
        self.commit_index >= self.led_from
    }

    /// Reads whose round is answered learn which index they wait for; and the next round begins.
    pub(super) fn answer_reads(&mut self, ctx: Ctx<M>) {
        if self.role != Role::Leader || self.reads.is_empty() {
            return;
        }
        let answered = self.answered_round(ctx);
        let decided = ctx.plan().store.mutant == Mutant::CountsOldTerms || self.commits_its_term();
        let mut wants_round = false;
        for (round, index, _) in &mut self.reads {
            if *index == u64::MAX && *round <= answered && decided {
                *index = self.commit_index;
            }
            wants_round |= *index == u64::MAX && *round > self.round;
        }
        if wants_round {
            self.begin_round(ctx);
        }
        self.read_applied(ctx);
    }

    /// Reads whose index is applied are answered.
    pub(super) fn read_applied(&mut self, ctx: Ctx<M>) {
        while let Some((_, index, key)) = self.reads.front().copied() {
            if index > self.last_applied {
                return;
            }
            self.reads.pop_front();
            let Some(served) = self.asks.get(key).map(|ask| ask.served) else { continue };
            if self.transacting.is_some() {
                self.knows(key, served.op, ctx);
                continue;
            }
            self.shown(&served, ctx);
            let seen = self.machine.look(&ctx.plan().machine, &served.op);
            self.answers(key, seen, ctx);
        }
    }

    /// The leader has answered what we forwarded.
    pub(super) fn forwarded(&mut self, key: Key, reply: Reply, ctx: Ctx<M>) {
        let now = ctx.now();
        let Some(ask) = self.asks.get_mut(key) else { return };
        ask.spent.merge(&reply.causes);
        ask.since = now;
        let asked = ask.sent.take().map(|(member, _)| member);
        let reads = M::is_read(&ask.served.op);
        ctx.shows(ask.served.call, reply.seen);
        let leads_still = self.role != Role::Leader && self.leader == asked;
        match reply.outcome {
            Outcome::Fail(Reason::NoLeader) => {
                // It does not lead (any more): wait until we hear who does.
                if leads_still {
                    self.leader = None;
                }
                self.find_place(key, false, ctx);
            }
            // It is not there, or was not for long enough, and nothing has happened: whoever leads next will do, or itself once it is back.
            Outcome::Fail(Reason::Refused) if leads_still => self.holds(key, ctx),
            Outcome::Unknown(Reason::Reset) if leads_still && reads => self.holds(key, ctx),
            Outcome::Fail(Reason::Refused) => self.find_place(key, false, ctx),
            Outcome::Unknown(Reason::Reset) if reads => self.find_place(key, false, ctx),
            outcome => self.answers(key, outcome, ctx),
        }
    }

    pub(super) fn answers(&mut self, key: Key, outcome: Outcome, ctx: Ctx<M>) {
        let Some(ask) = self.asks.remove(key) else { return };
        self.has_shown(&ask.served.op, outcome, ctx);
        let mut spent = ask.spent;
        spent.add(Cause::Replication, ctx.now() - ask.since);
        front::answer(self, ask.served, outcome, &spent, ctx);
        self.may_hand_over(ctx);
    }

    /// Somebody leads: what was held goes there, and what was read of whoever led before.
    pub(super) fn leader_is_known(&mut self, ctx: Ctx<M>) {
        self.known_since = ctx.monotonic();
        self.releases_held(ctx);
        let mut waits = false;
        for (key, call, reads) in self.sent_elsewhere() {
            waits |= !reads;
            if reads && ctx.abandon(call) {
                self.charges(key, ctx);
                self.find_place(key, false, ctx);
            }
        }
        if waits {
            ctx.wake(ctx.plan().linger, Timer::Linger);
        }
    }

    /// What was sent on to somebody who does not lead now, and whether it only reads: nothing is lost by asking for that again.
    fn sent_elsewhere(&self) -> Vec<(Key, CallId, bool)> {
        let elsewhere = self.asks.iter().filter_map(|(key, ask)| {
            let (_, call) = ask.sent.filter(|(member, _)| Some(*member) != self.leader)?;
            Some((key, call, M::is_read(&ask.served.op)))
        });
        elsewhere.collect()
    }

    /// A leader that is no more has not answered: nobody knows what became of the changes that it was asked for.
    pub(super) fn waits_no_longer(&mut self, ctx: Ctx<M>) {
        if self.leader.is_none() || ctx.monotonic() < self.known_since + ctx.plan().linger {
            return;
        }
        for (key, call, _) in self.sent_elsewhere() {
            if ctx.abandon(call) {
                self.answers(key, Outcome::Unknown(Reason::NoLeader), ctx);
            }
        }
    }

    /// The time that an operation has waited belongs to replication.
    fn charges(&mut self, key: Key, ctx: Ctx<M>) {
        let now = ctx.now();
        if let Some(ask) = self.asks.get_mut(key) {
            ask.sent = None;
            ask.charge(Cause::Replication, now);
        }
    }

    /// What was held is asked for.
    pub(super) fn releases_held(&mut self, ctx: Ctx<M>) {
        for (_, key) in std::mem::take(&mut self.held) {
            self.charges(key, ctx);
            self.find_place(key, false, ctx);
        }
    }

    /// What was held for too long has certainly had no effect.
    pub(super) fn abandons(&mut self, ctx: Ctx<M>) {
        while self.held.front().is_some_and(|(until, _)| *until <= ctx.monotonic()) {
            let (_, key) = self.held.pop_front().expect("it is there");
            self.answers(key, Outcome::Fail(Reason::NoLeader), ctx);
        }
    }

    /// We lead no more: what we proposed may yet be committed by others; what was to be read was not.
    pub(super) fn deposed(&mut self, ctx: Ctx<M>) {
        self.transfer = Transfer::default();
        for key in std::mem::take(&mut self.proposed).into_values() {
            self.answers(key, Outcome::Unknown(Reason::NoLeader), ctx);
        }
        for (_, _, key) in std::mem::take(&mut self.reads) {
            self.answers(key, Outcome::Fail(Reason::NoLeader), ctx);
        }
        self.drops_transactions(ctx);
        self.sends_waiting_away(ctx);
    }
}
