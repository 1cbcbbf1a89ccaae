//! A member: its log, its disk, its copy of the machine. What it does in each role is in the other files of this room.

use std::collections::{BTreeMap, VecDeque};

use crate::base::cause::Causes;
use crate::base::ids::{CallId, Pid, SyncId};
use crate::base::op::{Op, Reply};
use crate::base::slab::{Key, Slab};
use crate::base::time::Time;
use crate::components::desk::Served;
use crate::components::leader::clients::Ask;
use crate::components::leader::log::{ENTRY_BYTES, Entry, Log, Place};
use crate::components::leader::{Ack, Plan, Rule, Twin};
use crate::components::machine::Machine;
use crate::components::store::front::{self, Front, Wake};
use crate::components::store::{self, Series};
use crate::sim::context::Context;
use crate::sim::process::{Disk, Order, Payload, Process, Word};

/// Size of a message without entries, bytes.
pub(super) const HEADER_BYTES: u32 = 128;
/// A log keeps so many entries that are applied, for followers that are behind; when it has twice as many it becomes a snapshot.
const LOG_KEPT: usize = 1 << 13;
/// Purposes of the streams.
pub(super) const TIMEOUT: u8 = 1;
const APPLY: u8 = 2;

/// What members tell each other. All carry the sender's term.
#[derive(Clone, Debug, Hash)]
pub enum Message<M> {
    /// The leader's log after a place.
    Append {
        /// Term.
        term: u64,
        /// What must be there already.
        after: Place,
        /// What follows.
        entries: Vec<Entry>,
        /// How far the leader has committed.
        commit: u64,
        /// Numbers the leader's messages, so that it can tell which ones were answered.
        round: u64,
    },
    /// What a follower has.
    Appended {
        /// Term.
        term: u64,
        /// Its log is the leader's up to here, and it vouches for it; or, if it is not, where the leader shall go on.
        up_to: u64,
        /// Whether the place was there.
        fits: bool,
        /// The leader's message that this answers.
        round: u64,
    },
    /// The whole of a copy, in place of a log that is no longer there.
    Snapshot {
        /// Term.
        term: u64,
        /// Up to where.
        at: Place,
        /// The copy.
        machine: M,
    },
    /// Elect me.
    Stand {
        /// Term in which it would lead.
        term: u64,
        /// Where its log ends.
        last: Place,
        /// Whether it only asks if it would be.
        pre: bool,
    },
    /// The answer to it.
    Vote {
        /// Term.
        term: u64,
        /// Yes or no.
        granted: bool,
        /// Which question it answers.
        pre: bool,
    },
}

impl<M: Machine> Payload for Message<M> {}

/// What a member's disk keeps in order.
#[derive(Clone, Debug, Hash)]
pub enum Record {
    /// The term, and who has our vote in it.
    Term(u64, Option<u32>),
    /// We lead in this term.
    Leads(u64),
    /// What follows goes after this index.
    Truncate(u64),
    /// The next entry.
    Entry(Entry),
}

/// What a snapshot keeps.
#[derive(Clone, Debug, Hash)]
pub struct Kept<M> {
    term: u64,
    voted: Option<u32>,
    leads: u64,
    at: Place,
    machine: M,
    /// The log after it.
    log: Log,
}

/// Why a member wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// For its front.
    Front(Wake),
    /// The time to stand for election may have come.
    Stand,
    /// Time to tell the others that we lead.
    Heartbeat,
    /// An entry has been applied.
    Applied,
    /// Operations for which no leader is known may have waited for too long.
    Patience,
}

impl Word for Timer {
    fn to_word(self) -> u64 {
        match self {
            Timer::Front(wake) => wake.to_word(),
            Timer::Stand => 2,
            Timer::Heartbeat => 3,
            Timer::Applied => 4,
            Timer::Patience => 5,
        }
    }
    fn from_word(word: u64) -> Self {
        match word {
            2 => Timer::Stand,
            3 => Timer::Heartbeat,
            4 => Timer::Applied,
            5 => Timer::Patience,
            front => Timer::Front(Wake::from_word(front)),
        }
    }
}

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
    pub sent: u64,
    /// It has the log up to here.
    pub has: u64,
    /// The last of our messages that it has answered.
    pub round: u64,
}

/// A member.
#[derive(Clone, Debug, Hash)]
pub struct Member<M: Machine> {
    front: Front,
    pub(super) machine: M,
    pub(super) applied: u64,
    pub(super) commit: u64,
    pub(super) log: Log,
    pub(super) term: u64,
    pub(super) voted: Option<u32>,
    pub(super) leads: u64,
    pub(super) role: Role,
    pub(super) leader: Option<u32>,
    /// The last leader that it knew.
    pub(super) followed: u32,
    /// When it stands for election unless it hears of a leader.
    pub(super) stands_at: Time,
    pub(super) standing_armed: bool,
    /// Our disk has the log up to here.
    pub(super) safe: u64,
    /// The sync under way will have it up to here.
    covers: Option<u64>,
    dirty: bool,
    /// What is said once the sync under way is over, and once the next one is.
    said_after: VecDeque<(u32, Message<M>)>,
    said_next: VecDeque<(u32, Message<M>)>,
    /// To whom we owe word of how far our log is safe: the leader's term, up to where it is its log, and what we have said.
    pub(super) owed: Option<(u64, u64, u64)>,
    pub(super) applying: bool,
    /// Entries that came before those that they follow.
    pub(super) early: BTreeMap<u64, (Place, Vec<Entry>)>,
    pub(super) peers: Vec<Peer>,
    pub(super) round: u64,
    /// By local clock: when each round began.
    pub(super) rounds: VecDeque<(u64, Time)>,
    pub(super) asks: Slab<Ask>,
    /// Changes in our log, by index, and who waits for them.
    pub(super) proposed: BTreeMap<u64, Key>,
    /// Reads that wait for a round of messages to be answered and an index to be applied.
    pub(super) reads: VecDeque<(u64, u64, Key)>,
    /// Reads that our copy is behind: the position that each needs and its key, and until when they are kept.
    pub(super) behind: BTreeMap<(u64, u64), Time>,
    /// Operations for which we know no leader, and until when they are kept.
    pub(super) held: VecDeque<(Time, Key)>,
}

/// The context of a member.
pub(super) type Ctx<'a, 'b, M> = &'a mut Context<'b, Member<M>>;

impl<M: Machine> Process for Member<M> {
    type Plan = Plan<M>;
    type Message = Message<M>;
    type Timer = Timer;
    type Record = Record;
    type Snapshot = Kept<M>;

    fn build(plan: &Plan<M>, member: u32) -> Self {
        // A cluster that begins led is one in its steady state: everybody has voted for member 0 in term 1.
        let led = plan.begins_led;
        Member {
            front: Front::new(&plan.store),
            machine: M::new(&plan.machine),
            applied: 0,
            commit: 0,
            log: Log::default(),
            term: u64::from(led),
            voted: led.then_some(0),
            leads: u64::from(led && member == 0),
            role: Role::Follower,
            leader: None,
            followed: 0,
            stands_at: Time::ZERO,
            standing_armed: false,
            safe: 0,
            covers: None,
            dirty: false,
            said_after: VecDeque::new(),
            said_next: VecDeque::new(),
            owed: None,
            applying: false,
            early: BTreeMap::new(),
            peers: Vec::new(),
            round: 0,
            rounds: VecDeque::new(),
            asks: Slab::default(),
            proposed: BTreeMap::new(),
            reads: VecDeque::new(),
            behind: BTreeMap::new(),
            held: VecDeque::new(),
        }
    }

    fn start(&mut self, disk: &Disk<Record, Kept<M>>, ctx: &mut Context<Self>) {
        self.remember(disk);
        let first = ctx.now() == Time::ZERO;
        if !first {
            self.holds_another(None, ctx);
        }
        let plan = ctx.plan();
        // What only the leader's disk decides it may go on deciding after a restart, in the same term: nobody else has been
        // elected in it. A majority's leader stands again, since followers may have what its disk lost.
        let goes_on = self.leads == self.term && self.term > 0 && (first || plan.rule != Rule::Majority);
        if goes_on {
            self.lead(ctx);
        } else {
            if first && plan.begins_led {
                self.leader = Some(0);
            }
            self.hears(false, ctx);
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
            Message::Append { term, after, entries, commit, round } => {
                self.appends(from, term, after, entries, commit, round, ctx);
            }
            Message::Appended { term, up_to, fits, round } => {
                self.appended(from, term, up_to, fits, round, ctx)
            }
            Message::Snapshot { term, at, machine } => self.installs(from, term, at, machine, ctx),
            Message::Stand { term, last, pre } => self.asked_to_vote(from, term, last, pre, ctx),
            Message::Vote { term, granted, pre } => self.voted(from, term, granted, pre, ctx),
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        match timer {
            Timer::Front(wake) => front::woken(self, wake, ctx),
            Timer::Stand => self.may_stand(ctx),
            Timer::Heartbeat => self.heartbeat(ctx),
            Timer::Applied => {
                self.applying = false;
                self.apply_one(ctx);
                self.apply(ctx);
            }
            Timer::Patience => {
                self.lets_go(ctx);
                self.gives_up_catching_up(ctx);
            }
        }
    }

    fn on_synced(&mut self, _sync: SyncId, ctx: &mut Context<Self>) {
        front::count(ctx, Series::Syncs);
        self.safe = self.covers.take().unwrap_or(self.safe).max(self.safe);
        for (to, message) in std::mem::take(&mut self.said_after) {
            self.say(to, message, ctx);
        }
        self.sync(ctx);
        if self.role == Role::Leader {
            self.ship(ctx);
            self.may_commit(ctx);
        } else {
            self.owe(ctx);
        }
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        front::ordered(self, order, ctx);
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        if self.role == Role::Leader {
            self.counts_as_leader(-1, ctx);
        }
        self.becomes(Role::Follower, ctx);
        front::fallen(self, ctx);
    }

    fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }
}

impl<M: Machine> front::Member for Member<M> {
    const COORDINATES: bool = true;

    fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    fn store(plan: &Plan<M>) -> &store::Plan {
        &plan.store
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
}

impl<M: Machine> Member<M> {
    /// The copy, as far as it is applied.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// Whether it believes that it leads, and in which term.
    pub fn leads(&self) -> Option<u64> {
        (self.role == Role::Leader).then_some(self.term)
    }

    /// What the disk kept.
    fn remember(&mut self, disk: &Disk<Record, Kept<M>>) {
        if let Some(kept) = disk.snapshot.clone() {
            (self.term, self.voted, self.leads) = (kept.term, kept.voted, kept.leads);
            (self.machine, self.log) = (kept.machine, kept.log);
            (self.applied, self.commit) = (kept.at.index, kept.at.index);
        }
        for record in &disk.records {
            match record {
                Record::Term(term, voted) => (self.term, self.voted) = (*term, *voted),
                Record::Leads(term) => self.leads = *term,
                Record::Truncate(index) => self.log.truncate(*index),
                Record::Entry(entry) => self.log.push(*entry),
            }
        }
        self.safe = self.log.last().index;
    }

    /// The term and the vote, on disk.
    pub(super) fn keep_term(&mut self, ctx: Ctx<M>) {
        if ctx.plan().twin != Twin::ForgetsVote {
            ctx.append(Record::Term(self.term, self.voted));
            self.dirty = true;
        }
    }

    pub(super) fn keep(&mut self, record: Record, ctx: Ctx<M>) {
        match record {
            Record::Entry(entry) => self.log.push(entry),
            Record::Truncate(index) => {
                self.log.truncate(index);
                self.safe = self.safe.min(index);
                self.covers = self.covers.map(|covers| covers.min(index));
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
        let size = match &message {
            Message::Append { entries, .. } => HEADER_BYTES + ENTRY_BYTES * entries.len() as u32,
            Message::Snapshot { machine, .. } => {
                HEADER_BYTES.saturating_add(u32::try_from(machine.size_bytes()).unwrap_or(u32::MAX))
            }
            _ => HEADER_BYTES,
        };
        let to = Pid::new(ctx.me().tier, to);
        ctx.send(to, message, size);
    }

    /// Begins to make safe what has gathered, unless a sync is under way.
    pub(super) fn sync(&mut self, ctx: Ctx<M>) {
        if self.covers.is_some() || !self.dirty && self.said_next.is_empty() {
            return;
        }
        self.shorten(ctx);
        self.dirty = false;
        self.covers = Some(self.log.last().index);
        self.said_after = std::mem::take(&mut self.said_next);
        let cost = front::disk_time(self, ctx);
        ctx.sync(cost);
    }

    /// A long log becomes a snapshot, as far as it is applied, and an entry's worth for followers that lag.
    fn shorten(&mut self, ctx: Ctx<M>) {
        let applied = (self.applied - self.log.base().index.min(self.applied)) as usize;
        if applied < 2 * LOG_KEPT {
            return;
        }
        let term = self.log.term(self.applied).expect("what was applied is in the log");
        let at = Place { index: self.applied, term };
        let mut log = self.log.clone();
        log.forget(self.applied);
        let (term, voted, leads) = (self.term, self.voted, self.leads);
        ctx.snapshot(Kept { term, voted, leads, at, machine: self.machine.clone(), log });
        self.log.forget(self.applied - LOG_KEPT as u64);
    }

    /// A copy and the log after it, on disk in the place of all before.
    pub(super) fn snapshot(&mut self, log: Log, at: Place, machine: M, ctx: Ctx<M>) {
        self.safe = at.index;
        self.covers = self.covers.map(|_| at.index);
        let (term, voted, leads) = (self.term, self.voted, self.leads);
        ctx.snapshot(Kept { term, voted, leads, at, machine, log });
        self.dirty = true;
    }

    /// Applies what is committed: a leader and members without a law at once, others one entry after the other.
    pub(super) fn apply(&mut self, ctx: Ctx<M>) {
        while self.applied < self.commit && !self.applying {
            match ctx.plan().apply.as_ref().filter(|_| self.role != Role::Leader) {
                None => self.apply_one(ctx),
                Some(law) => {
                    self.applying = true;
                    let span = law.span(ctx.stream(APPLY));
                    ctx.wake(span, Timer::Applied);
                }
            }
        }
        self.owe(ctx);
        self.read_applied(ctx);
        self.caught_up(ctx);
    }

    fn apply_one(&mut self, ctx: Ctx<M>) {
        if self.applied >= self.commit {
            return; // a snapshot came meanwhile
        }
        let Some(entry) = self.log.get(self.applied + 1).copied() else { return };
        self.applied += 1;
        let outcome = entry.op.map(|op| self.apply_op(&op, entry.attempt, ctx));
        if let Some(key) = self.proposed.remove(&self.applied)
            && let Some(outcome) = outcome
        {
            if let Some(ask) = self.asks.get(key) {
                self.shown(ask.served(), ctx);
            }
            self.answers(key, outcome, ctx);
        }
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
            self.say(leader, Message::Appended { term, up_to: has, fits: true, round: 0 }, ctx);
        }
    }

    /// How far this copy goes in what an acknowledgement says.
    pub(super) fn vouches(&self, plan: &Plan<M>) -> u64 {
        match plan.ack {
            _ if plan.twin == Twin::AcksBeforeSync => u64::MAX,
            Ack::Receive => u64::MAX,
            Ack::Flush => self.safe,
            Ack::Apply => self.applied,
        }
    }

    /// Counts those who believe that they lead.
    pub(super) fn counts_as_leader(&mut self, change: i64, ctx: Ctx<M>) {
        let (plan, now) = (&ctx.plan().store, ctx.now());
        let (leaders, leaderless) = (plan.series(Series::Leaders), plan.series(Series::Leaderless));
        ctx.record().occupied(leaders, leaderless, now, change);
    }

    /// All members but ourselves.
    pub(super) fn others(ctx: &Context<Self>) -> impl Iterator<Item = u32> + use<M> {
        let me = ctx.me().member;
        (0..ctx.members()).filter(move |member| *member != me)
    }
}
