//! A member: its log, its disk, its copy of the machine. What it does in each role is in the other files of this folder.

use std::collections::{BTreeMap, VecDeque};

use crate::base::cause::Causes;
use crate::base::ids::{CallId, Pid, SyncId};
use crate::base::op::{Op, Reply};
use crate::base::slab::{Key, Slab};
use crate::base::time::ClockTime;
use crate::components::mech::mutant::Mutant;
use crate::components::mech::station::Served;
use crate::components::replication::leader::log::{Entry, Log, Place};
use crate::components::replication::leader::merge_log::{Addition, MergeLog};
use crate::components::replication::leader::messages::{Kept, Message, Record, Timer};
use crate::components::replication::leader::plan::{Ack, LeaderPlan, Rule};
use crate::components::replication::leader::request::ClientRequest;
use crate::components::replication::leader::transfer::Transfer;
use crate::components::storage::front;
use crate::components::storage::front::{Front, Wake};
use crate::components::storage::lock_waiters::LockWaiters;
use crate::components::storage::machine::{EntryContext, Machine};
use crate::components::storage::plan::StorePlan;
use crate::components::storage::series::StoreSeries;
use crate::components::storage::transactions::host;
use crate::components::storage::transactions::host::{Committing, TransactionManager};
use crate::sim::context::Context;
use crate::sim::disk::Disk;
use crate::sim::order::Order;
use crate::sim::process::Process;

/// Purposes of what it draws.
pub(super) const TIMEOUT: u8 = 1;
pub(super) const APPLY: u8 = 2;
pub(super) const LAG: u8 = 5;
pub(super) const SEND: u8 = 6;

/// What a member is in its term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// It follows whoever leads.
    Follower,
    /// It stands for election, or asks whether it should; a bit for each vote.
    Candidate { votes: u64, pre: bool },
    /// It leads.
    Leader,
}

/// What a leader knows of another member.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Peer {
    /// It has been sent the log up to here.
    pub sent_index: u64,
    /// It has the log up to here.
    pub match_index: u64,
    /// The last of our messages that it has answered.
    pub round: u64,
    /// The last refusal: in which round, and where we were to go on.
    pub refused: (u64, u64),
}

/// A member.
#[derive(Clone, Debug, Hash)]
pub struct Member<M: Machine> {
    front: Front,
    pub(super) machine: M,
    pub(super) last_applied: u64,
    /// How far its applier has got: an entry is applied once it is committed and the applier is through with it.
    pub(super) worked: u64,
    pub(super) commit_index: u64,
    /// While we follow: up to where our log is known to be that of whoever we follow, or was until nobody led.
    pub(super) fits: u64,
    /// While we lead: the first entry of ours. Once it is committed all that was before is too.
    pub(super) led_from: u64,
    /// Nobody reads our copy before it is there: after a restart where an acknowledgement has said that an entry is shown, and when
    /// it is put back to what a leader has, until it is known (`u64::MAX`) how much that is of what it had shown before.
    pub(super) shows_from: u64,
    pub(super) had_shown: u64,
    /// The term of the leader that we have asked for a whole copy.
    pub(super) snapshot_wanted_of: Option<u64>,
    pub(super) log: Log,
    pub(super) term: u64,
    pub(super) voted_for: Option<u32>,
    pub(super) lead_term: u64,
    pub(super) role: Role,
    pub(super) leader: Option<u32>,
    /// The last leader that it knew.
    pub(super) followed: u32,
    /// By our clock, as all that follows: when it stands for election unless it hears of a leader.
    pub(super) election_deadline: ClockTime,
    /// When the next of its timers for that goes off, if any is set. It may set one more, never take one back.
    pub(super) election_timer: Option<ClockTime>,
    /// Until when it votes for nobody, since a leader that it has heard may hold a lease.
    pub(super) vote_suppressed_until: ClockTime,
    /// Our disk has the log up to here; while we lead, a majority's disks have it up to there.
    pub(super) durable_index: u64,
    pub(super) majority_durable_index: u64,
    /// The sync under way will have it up to here.
    pub(super) covers: Option<u64>,
    pub(super) dirty: bool,
    /// What is said once the sync under way is over, and once the next one is.
    pub(super) said_after: VecDeque<(u32, Message<M>)>,
    pub(super) said_next: VecDeque<(u32, Message<M>)>,
    /// To whom we owe word of how far our log is safe: the leader's term, up to where it is its log, and what we have said.
    pub(super) owed: Option<(u64, u64, u64)>,
    /// The entry that the applier works on, and whether a timer is set for when the next is old enough.
    pub(super) working: Option<u64>,
    pub(super) sits: bool,
    /// From when on the next one may be applied, by our wall clock.
    pub(super) due: Option<(u64, ClockTime)>,
    /// While we lead: what may leave, up to where, and whether the sender waits for its turn.
    pub(super) released: u64,
    pub(super) sending: bool,
    /// How often entries of our log were cut off or replaced.
    pub(super) rewinds: u32,
    /// Entries that came before those that they follow.
    pub(super) early: BTreeMap<u64, (Place, Vec<Entry>)>,
    pub(super) peers: Vec<Peer>,
    pub(super) round: u64,
    /// By our clock: when each round began.
    pub(super) rounds: VecDeque<(u64, ClockTime)>,
    pub(super) asks: Slab<ClientRequest>,
    /// Changes in our log, by index, and who waits for them.
    pub(super) proposed: BTreeMap<u64, Key>,
    /// Transactions, where programs have any on this store, and those whose commits are in our log, by index.
    pub(super) transacting: Option<Box<TransactionManager<Key>>>,
    pub(super) committing: BTreeMap<u64, Committing<Key>>,
    /// Those who wait for a lock.
    pub(super) locks: LockWaiters<Key>,
    /// Reads that wait for a round of messages to be answered and an index to be applied.
    pub(super) reads: VecDeque<(u64, u64, Key)>,
    /// Reads that our copy is behind: the position that each needs and its key, and until when they are kept.
    pub(super) behind: BTreeMap<(u64, u64), ClockTime>,
    /// Operations for which we know no leader, and until when they are kept.
    pub(super) held: VecDeque<(ClockTime, Key)>,
    /// The additions of our history.
    pub(super) merge_log: MergeLog,
    /// Additions of a history that we have lost, which no leader has taken yet, and when we tell again.
    pub(super) lost: BTreeMap<Place, Addition>,
    pub(super) hands_on_at: ClockTime,
    /// Additions that entries of ours bring, and whose they are; those that are applied since.
    pub(super) taking: BTreeMap<Place, u32>,
    pub(super) taken: Vec<(u32, Place)>,
    /// What we do, while we lead, to hand over.
    pub(super) transfer: Transfer,
    /// Since when we know who leads.
    pub(super) known_since: ClockTime,
}

/// The context of a member.
pub(super) type Ctx<'a, 'b, M> = &'a mut Context<'b, Member<M>>;

impl<M: Machine> Process for Member<M> {
    type Plan = LeaderPlan<M>;
    type Message = Message<M>;
    type Timer = Timer;
    type Record = Record;
    type Snapshot = Kept<M>;

    fn build(plan: &LeaderPlan<M>, member: u32) -> Self {
        // A cluster that begins led is one in its steady state: everybody has voted for member 0 in term 1.
        let led = plan.begins_led;
        Member {
            front: Front::new(&plan.store),
            machine: M::new(&plan.machine),
            last_applied: 0,
            worked: 0,
            commit_index: 0,
            fits: 0,
            led_from: 0,
            shows_from: 0,
            had_shown: 0,
            snapshot_wanted_of: None,
            log: Log::default(),
            term: u64::from(led),
            voted_for: led.then_some(0),
            lead_term: u64::from(led && member == 0),
            role: Role::Follower,
            leader: None,
            followed: 0,
            election_deadline: ClockTime::ZERO,
            election_timer: None,
            vote_suppressed_until: ClockTime::ZERO,
            durable_index: 0,
            majority_durable_index: 0,
            covers: None,
            dirty: false,
            said_after: VecDeque::new(),
            said_next: VecDeque::new(),
            owed: None,
            working: None,
            sits: false,
            due: None,
            released: 0,
            sending: false,
            rewinds: 0,
            early: BTreeMap::new(),
            peers: Vec::new(),
            round: 0,
            rounds: VecDeque::new(),
            asks: Slab::default(),
            proposed: BTreeMap::new(),
            transacting: plan.store.transactional.then(|| Box::new(TransactionManager::new(&plan.store))),
            committing: BTreeMap::new(),
            locks: LockWaiters::default(),
            reads: VecDeque::new(),
            behind: BTreeMap::new(),
            held: VecDeque::new(),
            merge_log: MergeLog::default(),
            lost: BTreeMap::new(),
            hands_on_at: ClockTime::ZERO,
            taking: BTreeMap::new(),
            taken: Vec::new(),
            transfer: Transfer::default(),
            known_since: ClockTime::ZERO,
        }
    }

    fn start(&mut self, disk: &Disk<Record, Kept<M>>, ctx: &mut Context<Self>) {
        front::risen(ctx);
        self.remember(disk);
        self.replays(ctx);
        let first = ctx.monotonic() == ClockTime::ZERO;
        if !first {
            self.holds_another(None, ctx);
        }
        let plan = ctx.plan();
        // What only the leader's disk decides it may go on deciding after a restart, in the same term: nobody else has been
        // elected in it. A majority's leader stands again, since followers may have what its disk lost.
        let goes_on = self.lead_term == self.term && self.term > 0 && (first || plan.rule != Rule::Majority);
        if goes_on {
            self.lead(ctx);
        } else {
            if first && plan.begins_led {
                self.leader = Some(0);
            }
            if !first {
                self.suppress_votes(ctx);
            }
            self.reset_election_timer(false, ctx);
        }
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        front::arrive(self, call, op, ctx);
    }

    fn on_reply(&mut self, _call: CallId, tag: u64, reply: Reply, ctx: &mut Context<Self>) {
        self.forwarded(Key::from_word(tag), reply, ctx);
    }

    fn on_message(&mut self, from: Pid, message: Message<M>, ctx: &mut Context<Self>) {
        let from = from.member;
        match message {
            Message::AppendEntries(append) => self.on_append_entries(from, append, ctx),
            Message::AppendEntriesResponse { term, up_to, fits, round } => {
                self.on_append_entries_response(from, term, up_to, fits, round, ctx)
            }
            Message::Snapshot { term, whole } => self.on_install_snapshot(from, term, *whole, ctx),
            Message::RequestVote { term, last, pre, heir } => {
                self.on_request_vote(from, (term, last), (pre, heir), ctx)
            }
            Message::TimeoutNow { term } => self.on_timeout_now(from, term, ctx),
            Message::Declined { term } => self.declined(from, term, ctx),
            Message::Vote { term, granted, pre } => {
                self.on_request_vote_response(from, term, granted, pre, ctx)
            }
            Message::Lost { term, additions } if term == self.term && !self.keeps_for_heir() => {
                self.on_lost_additions(from, &additions, ctx)
            }
            Message::Taken { term, origins } if term == self.term => self.forget_taken(origins, ctx),
            Message::Lost { .. } | Message::Taken { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        match timer {
            Timer::Front(wake) => front::woken(self, wake, ctx),
            Timer::RequestVote => self.maybe_campaign(ctx),
            Timer::Heartbeat => self.heartbeat(ctx),
            Timer::Applied => self.applier_done(ctx),
            Timer::Due => self.entry_due(ctx),
            Timer::Send => self.sends(ctx),
            Timer::Patience => {
                self.abandons(ctx);
                self.stops_catching_up(ctx);
            }
            Timer::Handover => self.maybe_transfer(ctx),
            Timer::Linger => self.waits_no_longer(ctx),
        }
    }

    fn on_synced(&mut self, _sync: SyncId, ctx: &mut Context<Self>) {
        front::count(ctx, StoreSeries::Syncs);
        self.durable_index = self.covers.take().unwrap_or(self.durable_index).max(self.durable_index);
        for (to, message) in std::mem::take(&mut self.said_after) {
            self.say(to, message, ctx);
        }
        self.sync(ctx);
        if self.role == Role::Leader {
            self.maybe_commit(ctx);
            self.replicate(ctx); // and with it, what is committed: a follower may apply it when it comes
        } else {
            self.apply(ctx);
        }
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        front::ordered(self, order, ctx);
        self.maybe_transfer(ctx);
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        if self.role == Role::Leader {
            self.counts_as_leader(-1, ctx);
        }
        self.becomes(Role::Follower, ctx);
        host::fallen(self, ctx);
        front::fallen(self, ctx);
    }

    fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }
}

impl<M: Machine> front::Member for Member<M> {
    const COORDINATES: bool = true;
    const SENDS_ON: bool = true;

    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn store(plan: &LeaderPlan<M>) -> &StorePlan {
        &plan.store
    }

    fn needs(plan: &LeaderPlan<M>, members: u32) -> u32 {
        plan.rule.copies(members)
    }

    fn timer(wake: Wake) -> Timer {
        Timer::Front(wake)
    }

    fn serve(&mut self, served: Served, ctx: &mut Context<Self>) {
        self.asked(served, ctx);
    }

    fn helped(&mut self, word: u64, work: &Causes, ctx: &mut Context<Self>) {
        self.worked(Key::from_word(word), work, ctx);
    }

    fn expire(&mut self, ctx: &mut Context<Self>) {
        host::expires(self, ctx);
    }

    fn look_after_locks(&mut self, ctx: &mut Context<Self>) {
        self.expires_locks(ctx);
    }
}

impl<M: Machine> Member<M> {
    /// The copy, as far as it is applied.
    #[cfg(test)]
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// Whether it believes that it leads, and in which term.
    #[cfg(test)]
    pub fn leads(&self) -> Option<u64> {
        (self.role == Role::Leader).then_some(self.term)
    }

    /// Applies what may take effect, as far as the applier has got.
    pub(super) fn apply(&mut self, ctx: Ctx<M>) {
        let goal = self.appliable(ctx.plan());
        self.works_towards(goal, ctx);
        let before = self.last_applied;
        while self.last_applied < goal.min(self.worked) && self.apply_one(ctx) {}
        if self.last_applied != before {
            self.tells_progress(ctx);
        }
        self.owe(ctx);
        self.read_applied(ctx);
        self.caught_up(ctx);
        self.report_taken(ctx);
        self.may_hand_over(ctx);
    }

    /// Applies the next entry, if it is here: this is where a change takes effect on this copy.
    pub(super) fn apply_one(&mut self, ctx: Ctx<M>) -> bool {
        let Some(entry) = self.log.get(self.last_applied + 1).cloned() else { return false };
        self.last_applied += 1;
        let commits = self.about_to_commit(self.last_applied, ctx);
        let outcome = match entry.op {
            Some(_) if ctx.plan().merges && entry.also.is_none() => {
                self.apply_noting(self.last_applied, &entry, ctx)
            }
            _ => entry.changes().fold(None, |first, (op, attempt)| {
                let outcome = self.apply_op(&op, attempt, &entry, ctx);
                first.or(Some(outcome))
            }),
        };
        if let (None, EntryContext::Clocks(clocks), Some(locks)) =
            (entry.op, entry.told, self.machine.locks())
        {
            locks.begins_anew(clocks);
        }
        if let Some(committing) = commits {
            self.commits(committing, ctx);
        } else if let Some(key) = self.proposed.remove(&self.last_applied)
            && let Some(outcome) = outcome
        {
            self.is_applied(key, outcome, ctx);
        }
        match (entry.told, entry.op) {
            (EntryContext::Clocks(_), Some(op)) => self.hands_locks_on(op.lock(), ctx),
            (EntryContext::Clocks(_), None) if self.role == Role::Leader => self.watches_locks(ctx),
            _ => {}
        }
        if let Some(origin) = entry.origin
            && let Some(from) = self.taking.remove(&origin)
        {
            self.taken.push((from, origin));
        }
        true
    }

    /// Tells the leader how far our log is what it needs to be, if that is news.
    pub(super) fn owe(&mut self, ctx: Ctx<M>) {
        let Some((term, up_to, said)) = self.owed else { return };
        let Some(leader) = self.leader.filter(|_| term == self.term && self.role == Role::Follower) else {
            self.owed = None;
            return;
        };
        let has = up_to.min(self.vouches(ctx.plan()));
        if has > said {
            self.owed = if has < up_to { Some((term, up_to, has)) } else { None };
            self.say(leader, Message::AppendEntriesResponse { term, up_to: has, fits: true, round: 0 }, ctx);
        }
    }

    /// How far this copy goes in what an acknowledgement says.
    pub(super) fn vouches(&self, plan: &LeaderPlan<M>) -> u64 {
        match plan.ack {
            _ if plan.store.mutant == Mutant::AcksEarly => u64::MAX,
            Ack::Receive => u64::MAX,
            Ack::Flush => self.durable_index,
            Ack::Apply => self.last_applied.min(self.durable_index),
        }
    }

    /// Counts those who believe that they lead.
    pub(super) fn counts_as_leader(&mut self, change: i64, ctx: Ctx<M>) {
        let (plan, now) = (&ctx.plan().store, ctx.now());
        let (leaders, leaderless) = (plan.series(StoreSeries::Leaders), plan.series(StoreSeries::Leaderless));
        ctx.record().occupied(leaders, leaderless, now, change);
    }

    /// All members but ourselves.
    pub(super) fn others(ctx: &Context<Self>) -> impl Iterator<Item = u32> + use<M> {
        let me = ctx.me().member;
        (0..ctx.members()).filter(move |member| *member != me)
    }
}
