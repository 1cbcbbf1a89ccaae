//! Who leads.

use crate::base::rng::Bits;
use crate::base::time::Span;
use crate::components::mech::mutant::Mutant;
use crate::components::replication::leader::log::{Entry, Place};
use crate::components::replication::leader::member::{Ctx, Member, Peer, Role, TIMEOUT};
use crate::components::replication::leader::messages::{Message, Record, Timer};
use crate::components::replication::leader::plan::{Election, Rule};
use crate::components::replication::leader::transfer::Transfer;
use crate::components::storage::front;
use crate::components::storage::lock_table::Clocks;
use crate::components::storage::machine::{EntryContext, Machine};
use crate::components::storage::series::StoreSeries;

/// What a member waits for each that comes before it, where the time to an election is not drawn, and the least before it stands
/// again.
const STAGGER: Span = Span::from_ms(100);

impl<M: Machine> Member<M> {
    /// There is a leader, or a vote was given: the time to stand for election begins anew.
    pub(super) fn reset_election_timer(&mut self, again: bool, ctx: Ctx<M>) {
        let after = match &ctx.plan().election {
            Election::Never if !again => return,
            // Only whom a leader has told to stand does, until somebody leads.
            Election::Never => Span::from_secs(1) + Span::from_ns(ctx.stream(TIMEOUT).below(STAGGER.as_ns())),
            Election::Drawn(distribution) => distribution.span(ctx.stream(TIMEOUT)),
            Election::After(span) => {
                let (members, me) = (ctx.members(), ctx.me().member);
                let before = (me + members - self.followed - 1) % members;
                match again {
                    false => *span + STAGGER * u64::from(before),
                    // By lot, or members that stand at fixed times could disturb each other for ever.
                    true => {
                        let least = Span::from_ns(span.as_ns() / 10).max(STAGGER).as_ns();
                        let more = (STAGGER * u64::from(members)).as_ns() + least;
                        Span::from_ns(least + ctx.stream(TIMEOUT).below(more))
                    }
                }
            }
        };
        self.election_deadline = ctx.monotonic() + after;
        self.sets_timer(ctx);
    }

    /// Sets a timer for standing, unless one goes off before: that one sets the next.
    fn sets_timer(&mut self, ctx: Ctx<M>) {
        if self.election_timer.is_none_or(|at| at > self.election_deadline) {
            self.election_timer = Some(self.election_deadline);
            ctx.wake(self.election_deadline.since(ctx.monotonic()), Timer::RequestVote);
        }
    }

    /// The timer went off; it may have been put off meanwhile.
    pub(super) fn maybe_campaign(&mut self, ctx: Ctx<M>) {
        self.election_timer = self.election_timer.filter(|at| *at > ctx.monotonic());
        if self.role == Role::Leader {
            return;
        }
        if ctx.monotonic() < self.election_deadline {
            return self.sets_timer(ctx);
        }
        if let Role::Candidate { pre: false, .. } = self.role {
            front::count(ctx, StoreSeries::SplitVotes);
        }
        self.leader = None;
        if ctx.draining() {
            self.becomes(Role::Follower, ctx); // it is to serve nobody
            return self.reset_election_timer(true, ctx);
        }
        if ctx.plan().decides_alone {
            self.term += 1;
            return self.lead(ctx);
        }
        self.campaign(ctx.plan().pre_vote, false, ctx);
        self.reset_election_timer(true, ctx);
    }

    /// The leader has told us to stand.
    pub(super) fn campaign_as_heir(&mut self, ctx: Ctx<M>) {
        self.campaign(false, true, ctx);
        self.reset_election_timer(true, ctx);
    }

    /// Stands for election, or asks whether it would be elected.
    fn campaign(&mut self, pre: bool, heir: bool, ctx: Ctx<M>) {
        let me = ctx.me().member;
        self.becomes(Role::Candidate { votes: 1 << me, pre }, ctx);
        let last = self.log.last();
        if pre {
            for to in Self::others(ctx) {
                self.say(to, Message::RequestVote { term: self.term + 1, last, pre, heir }, ctx);
            }
        } else {
            self.term += 1;
            self.voted_for = Some(me);
            self.keep_term(ctx);
            for to in Self::others(ctx) {
                self.say_after(to, Message::RequestVote { term: self.term, last, pre, heir }, ctx);
            }
        }
        self.maybe_lead(ctx);
    }

    /// Somebody wants to be elected.
    pub(super) fn on_request_vote(
        &mut self,
        from: u32,
        (term, last): (u64, Place),
        (pre, heir): (bool, bool),
        ctx: Ctx<M>,
    ) {
        let good = last.at_least(self.log.last());
        if pre {
            // No to whoever would depose a leader that we hear.
            let led = self.role == Role::Leader
                || self.leader.is_some() && ctx.monotonic() < self.election_deadline;
            let granted = term > self.term && good && !led;
            return self.say(
                from,
                Message::Vote { term: if granted { term } else { self.term }, granted, pre },
                ctx,
            );
        }
        let loyal = ctx.monotonic() < self.vote_suppressed_until
            || self.role == Role::Leader && self.holds_lease(ctx);
        if loyal && !heir {
            // Somebody may hold a lease: who cannot hear it must not be elected by those who can (section 4.2.3).
            return self.say(from, Message::Vote { term: self.term, granted: false, pre }, ctx);
        }
        if term > self.term {
            self.observe_term(term, ctx);
        }
        let free = self.voted_for.is_none_or(|voted| voted == from);
        let granted = term == self.term && good && free && self.role == Role::Follower;
        if granted && self.voted_for.is_none() {
            self.voted_for = Some(from);
            self.keep_term(ctx);
        }
        if granted {
            self.reset_election_timer(false, ctx);
        }
        self.say_after(from, Message::Vote { term: self.term, granted, pre }, ctx);
    }

    /// Somebody has answered that question.
    pub(super) fn on_request_vote_response(
        &mut self,
        from: u32,
        term: u64,
        granted: bool,
        pre: bool,
        ctx: Ctx<M>,
    ) {
        if !granted && term > self.term {
            return self.observe_term(term, ctx);
        }
        let Role::Candidate { votes, pre: asks } = &mut self.role else { return };
        let of_this_question = *asks == pre && term == if pre { self.term + 1 } else { self.term };
        if granted && of_this_question {
            *votes |= 1 << from;
            self.maybe_lead(ctx);
        }
    }

    fn maybe_lead(&mut self, ctx: Ctx<M>) {
        let Role::Candidate { votes, pre } = self.role else { return };
        if votes.count_ones() < ctx.plan().rule.votes(ctx.members()) {
            return;
        }
        if pre { self.campaign(false, false, ctx) } else { self.lead(ctx) }
    }

    /// Leads from now on.
    pub(super) fn lead(&mut self, ctx: Ctx<M>) {
        let me = ctx.me().member;
        let last = self.log.last().index;
        self.becomes(Role::Leader, ctx);
        self.leader = Some(me);
        self.followed = me;
        self.led_from = last + 1;
        self.shows_from = self.shows_from.min(last);
        self.released = last;
        self.peers = vec![Peer { sent_index: last, ..Peer::default() }; ctx.members() as usize];
        self.rounds.clear();
        self.majority_durable_index = 0;
        self.transfer = Transfer::default();
        self.taking.clear();
        self.owed = None;
        self.early.clear();
        self.counts_as_leader(1, ctx);
        if self.lead_term != self.term {
            front::count(ctx, StoreSeries::Elections);
            self.lead_term = self.term;
            if ctx.plan().rule != Rule::Majority {
                self.keep(Record::LeadTerm(self.term), ctx);
            }
        }
        if ctx.plan().store.mutant != Mutant::CountsOldTerms {
            let told = EntryContext::Clocks(Clocks::of(ctx));
            self.propose(Entry { told, ..Entry::empty(self.term) }, ctx);
        }
        self.takes_own(ctx);
        self.watches_locks(ctx);
        self.heartbeat(ctx);
        self.leader_is_known(ctx);
    }

    /// A message of a later term came from somebody who may not lead.
    pub(super) fn observe_term(&mut self, term: u64, ctx: Ctx<M>) {
        if self.role == Role::Leader && ctx.plan().store.mutant == Mutant::KeepsOldLeader {
            return;
        }
        if term > self.term {
            if let Role::Candidate { pre: false, .. } = self.role {
                front::count(ctx, StoreSeries::SplitVotes);
            }
            self.term = term;
            self.voted_for = None;
            self.leader = None;
            self.keep_term(ctx);
        }
        self.steps_down(ctx);
    }

    /// A leader of this term has written to us. False if we know better.
    pub(super) fn accept_leader(&mut self, from: u32, term: u64, ctx: Ctx<M>) -> bool {
        let stays = self.role == Role::Leader
            && (term == self.term || ctx.plan().store.mutant == Mutant::KeepsOldLeader);
        if term < self.term || stays {
            return false;
        }
        if term > self.term || self.role != Role::Follower {
            self.observe_term(term, ctx);
        }
        if self.leader != Some(from) {
            self.leader = Some(from);
            self.followed = from;
            self.fits = self.last_applied; // of the rest we do not know whether it has it
            self.snapshot_wanted_of = None;
            self.owed = None;
            self.early.clear();
            self.leader_is_known(ctx);
        } else if !self.held.is_empty() {
            self.releases_held(ctx); // it had been asked in vain, and is there
        }
        self.reset_election_timer(false, ctx);
        self.suppress_votes(ctx);
        true
    }

    /// Where leaders have leases, votes for nobody for as long as everybody waits at least before standing for election. Whoever comes
    /// back from a crash may have heard of a leader just before.
    pub(super) fn suppress_votes(&mut self, ctx: Ctx<M>) {
        if let (Some(_), Election::Drawn(distribution)) = (ctx.plan().lease, &ctx.plan().election) {
            self.vote_suppressed_until = ctx.monotonic() + Span::from_ns(distribution.least() as u64);
        }
    }

    fn steps_down(&mut self, ctx: Ctx<M>) {
        let led = self.role == Role::Leader;
        self.becomes(Role::Follower, ctx);
        if led {
            self.fits = self.last_applied;
            self.counts_as_leader(-1, ctx);
            self.deposed(ctx);
            self.reset_election_timer(false, ctx);
        }
    }

    /// Takes a role, and counts those who stand for election and those who do or lead.
    pub(super) fn becomes(&mut self, role: Role, ctx: Ctx<M>) {
        let (plan, now) = (&ctx.plan().store, ctx.now());
        let change = |is: fn(&Role) -> bool| i64::from(is(&role)) - i64::from(is(&self.role));
        let standing = change(|role| matches!(role, Role::Candidate { .. }));
        let engaged = change(|role| *role != Role::Follower);
        self.role = role;
        if standing != 0 {
            ctx.record().level(plan.series(StoreSeries::Standing), now, standing);
        }
        if engaged != 0 {
            ctx.record().occupied(
                plan.series(StoreSeries::Engaged),
                plan.series(StoreSeries::Silent),
                now,
                engaged,
            );
        }
    }
}
