//! Who is where, for everybody who calls: one table, shared by all plans.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::{PartId, Pid, ProgramId, SeriesId, TierId, ZoneId};
use crate::base::op::{Args, At, Outcome, Reason};
use crate::base::rng::mix;
use crate::base::time::{ClockTime, Span};
use crate::components::guard::Guard;
use crate::components::lock_client::LockClient;
use crate::sim::keepalive::Keepalive;

/// What callers must know of a part.
#[derive(Clone, Debug)]
pub struct Target {
    /// The tier of its members.
    pub tier: TierId,
    /// How many members.
    pub count: u32,
    /// The load balancer that is the way in.
    pub way_in: Option<PartId>,
    /// The tier that runs its programs beside its members, for a store that has any.
    pub host: Option<TierId>,
    /// What its clients must know besides.
    pub client: Client,
    /// Its place in customers' tokens, for a store that some program reads `at session`.
    pub session: Option<u8>,
    /// By zone of the caller: the members, nearest first. Empty where nobody asks.
    pub near: Arc<[Vec<u32>]>,
    /// By zone of the caller: the members in the nearest zone that has any. Empty where all are in one zone.
    pub closest: Arc<[Vec<u32>]>,
}

impl Target {
    /// The member nearest to a zone that `avoided` does not name; the nearest of all when it names them all.
    fn nearest(&self, from: ZoneId, avoided: impl Fn(Pid) -> bool) -> u32 {
        let Some(near) = self.near.get(from.index()).filter(|_| self.count > 1) else { return 0 };
        let answering = near.iter().find(|member| !avoided(Pid::new(self.tier, **member)));
        *answering.unwrap_or(&near[0])
    }

    /// Any member but one, evenly, that `avoided` does not name; any of them when it names them all, and that one when there is no
    /// other.
    fn any_but(&self, one: Option<u32>, avoided: impl Fn(Pid) -> bool, draw: impl FnOnce(u64) -> u64) -> u32 {
        let candidates = || (0..self.count).filter(|member| Some(*member) != one);
        let answering = || candidates().filter(|member| !avoided(Pid::new(self.tier, *member)));
        let place = |of: usize| if of > 1 { draw(of as u64) as usize } else { 0 };
        let member = match answering().count() {
            0 => candidates().nth(place(candidates().count())),
            of => answering().nth(place(of)),
        };
        member.or(one).unwrap_or(0)
    }
}

/// Who leads which store, as far as a client was told: the first leader, then whoever has refused to be read as a replica.
#[derive(Clone, Debug, Default, Hash)]
pub struct Leading(BTreeMap<PartId, u32>);

impl Leading {
    /// A member has said that it leads.
    pub fn learn(&mut self, store: PartId, member: u32) {
        self.0.insert(store, member);
    }
}

/// Members of stores that did not answer, and until when by our clock they are not asked.
#[derive(Clone, Debug, Default, Hash)]
pub struct Avoided(BTreeMap<Pid, ClockTime>);

impl Avoided {
    /// Whether a member is avoided now.
    pub fn names(&self, member: Pid, clock: ClockTime) -> bool {
        self.0.get(&member).is_some_and(|until| clock < *until)
    }

    /// A member is avoided until then. False if it had been already.
    pub fn add(&mut self, member: Pid, until: ClockTime) -> bool {
        self.0.insert(member, until).is_none()
    }

    /// It is avoided no longer.
    pub fn forgive(&mut self, member: Pid) {
        self.0.remove(&member);
    }
}

/// The members of a store that have been asked for one thing, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tried(u16);

impl Tried {
    /// Whether a member is among them.
    pub fn has(self, member: Pid) -> bool {
        self.0 >> member.member.min(15) & 1 == 1
    }

    /// What identifies the question to the next one, if this identifies the first.
    pub fn identity(self, substream: u64) -> u64 {
        if self.0 == 0 { substream } else { mix(substream, u64::from(self.0) << 32) }
    }

    /// One more. False if it was among them.
    pub fn add(&mut self, member: Pid) -> bool {
        let new = !self.has(member);
        self.0 |= 1 << member.member.min(15);
        new
    }
}

/// What the clients of a part must know of it.
#[derive(Clone, Debug, Default)]
pub enum Client {
    /// Nothing.
    #[default]
    Plain,
    /// It balances for this part.
    Balancer {
        /// The part behind it.
        to: PartId,
    },
    /// It is a cache.
    Cache(Arc<CacheClient>),
    /// It is a store.
    Store(StoreClient),
    /// It is a lock.
    Lock(Arc<LockClient>),
}

/// What the readers of a cache must know.
#[derive(Clone, Debug)]
pub struct CacheClient {
    /// The guard, of which they are one half.
    pub guard: Guard,
    /// How long they wait for an answer.
    pub timeout: Span,
    /// How they rebuild; without it a miss is a failure.
    pub fill: Option<Filling>,
}

/// The program that rebuilds a cache's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filling {
    /// Which.
    pub program: ProgramId,
    /// Its arguments; the key's is 0 here.
    pub args: Args,
    /// Which argument is the key.
    pub key: Option<usize>,
}

impl Filling {
    /// The arguments for a key.
    pub fn args(&self, key: i64) -> Args {
        let mut args = self.args;
        if let Some(index) = self.key {
            args[index] = key;
        }
        args
    }
}

/// What the clients of a store must know.
#[derive(Clone, Copy, Debug)]
pub struct StoreClient {
    /// How long they wait for an answer.
    pub timeout: Span,
    /// The pool of connections that each process keeps, if it keeps one.
    pub pool: Option<PoolClient>,
    /// Whether any member can be asked anything: there is no leader.
    pub leaderless: bool,
    /// How long a member that did not answer is avoided.
    pub avoid: Span,
    /// Who leads at the start, if somebody does.
    pub led_by: Option<u32>,
    /// How long they wait for signs of life, where there are several.
    pub alive: Keepalive,
    /// Whether a transaction goes on when one of its operations has waited for a row in vain.
    pub keeps_tx: bool,
}

impl StoreClient {
    /// The client of a store that is one member, with no pool: it waits so long for an answer, and takes a transaction for over when one
    /// of its operations has waited in vain.
    pub fn plain(timeout: Span) -> StoreClient {
        StoreClient {
            timeout,
            pool: None,
            leaderless: false,
            avoid: Span::ZERO,
            led_by: None,
            alive: Keepalive { connect: timeout, after: timeout, patience: timeout },
            keeps_tx: false,
        }
    }
}

/// A pool of connections in each process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolClient {
    /// Connections.
    pub size: u32,
    /// Requests that may wait for one.
    pub queue: u64,
    /// How long they may wait.
    pub timeout: Span,
    /// Where an operation is counted that it turns away: by the store's own series.
    pub rejected: SeriesId,
    /// Where its connections in use are recorded: a level of the store.
    pub connected: SeriesId,
    /// Where those that wait for one are: another level of the store.
    pub waits: SeriesId,
}

/// All parts, by [`PartId`].
#[derive(Clone, Debug, Default)]
pub struct Directory(pub Vec<Target>);

impl Directory {
    /// A part.
    pub fn target(&self, part: PartId) -> &Target {
        &self.0[part.index()]
    }

    /// The member that a call of `part` from a zone goes to: of its load balancer if it has one; one of the nearest zone that has any,
    /// evenly; of a store the nearest that `avoided` does not name. `draw` draws below a number, where there is a choice.
    pub fn way_in(
        &self,
        part: PartId,
        from: ZoneId,
        avoided: impl Fn(Pid) -> bool,
        draw: impl FnOnce(u64) -> u64,
    ) -> Pid {
        let target = self.target(part);
        if let Some(host) = target.host {
            return Pid::new(host, target.nearest(from, avoided));
        }
        let entry = target.way_in.map_or(target, |balancer| self.target(balancer));
        let member = match entry.closest.get(from.index()) {
            _ if entry.count == 1 => 0,
            Some(closest) if closest.len() == 1 => closest[0],
            Some(closest) => closest[draw(closest.len() as u64) as usize],
            None => draw(u64::from(entry.count)) as u32,
        };
        Pid::new(entry.tier, member)
    }

    /// The member of a keyed part that owns `key`: by a mixed hash, modulo the number of members.
    pub fn owner(&self, part: PartId, key: i64) -> Pid {
        let target = self.target(part);
        let member =
            if target.count == 1 { 0 } else { mix(key as u64, 0x6b65_7973) % u64::from(target.count) };
        Pid::new(target.tier, member as u32)
    }

    /// Who leads a store, as far as a client knows.
    pub fn leader(&self, part: PartId, told: &Leading) -> Option<u32> {
        told.0.get(&part).copied().or(self.store(part).led_by)
    }

    /// The member of a store that an operation goes to, from a zone; members that `avoided` names only when all are, and the one that is
    /// said to lead not at all where a replica is wanted and there is one. `draw` draws below a number, where there is a choice.
    pub fn copy(
        &self,
        part: PartId,
        from: ZoneId,
        at: At,
        leader: Option<u32>,
        avoided: impl Fn(Pid) -> bool,
        draw: impl FnOnce(u64) -> u64,
    ) -> Pid {
        let target = self.target(part);
        let member = match at {
            _ if target.count == 1 => 0,
            At::Copy(member) => u32::from(member).min(target.count - 1),
            At::Any => target.any_but(None, avoided, draw),
            At::Replica => target.any_but(leader, avoided, draw),
            At::Primary | At::Nearest | At::Session => target.nearest(from, avoided),
        };
        Pid::new(target.tier, member)
    }

    /// How long a caller avoids the member of a store that it has asked in vain, and that member, whether it was asked for an operation
    /// or for a program. `None`: it is not to be avoided.
    pub fn avoids(&self, part: PartId, asked: Pid) -> Option<(Pid, Span)> {
        let target = self.target(part);
        match &target.client {
            Client::Store(store) if target.count > 1 && store.avoid > Span::ZERO => {
                Some((Pid::new(target.tier, asked.member), store.avoid))
            }
            _ => None,
        }
    }

    /// How the connection to a member of several is looked after; `None`: there is nobody else to ask.
    pub fn alive(&self, part: PartId) -> Option<Keepalive> {
        let target = self.target(part);
        match &target.client {
            Client::Store(store) if target.count > 1 => Some(store.alive),
            _ => None,
        }
    }

    /// Whether somebody else is to be asked at once: what certainly has not begun, and what only `reads` and lost its connection, if not
    /// all have been `tried`.
    pub fn asks_another(
        &self,
        part: PartId,
        tried: &mut Tried,
        asked: Pid,
        outcome: Outcome,
        reads: bool,
    ) -> bool {
        let may = match outcome {
            Outcome::Fail(Reason::Refused) => true,
            Outcome::Unknown(Reason::Reset) => reads,
            _ => false,
        };
        let target = self.target(part);
        let others = matches!(target.client, Client::Store(_)) && target.count > 1 && target.way_in.is_none();
        may && others
            && tried.add(asked)
            && (0..target.count).any(|other| !tried.has(Pid::new(asked.tier, other)))
    }

    /// The cache's client half.
    ///
    /// # Panics
    /// When the part is no cache: the compiler has checked.
    pub fn cache(&self, part: PartId) -> &Arc<CacheClient> {
        match &self.target(part).client {
            Client::Cache(cache) => cache,
            other => panic!("{other:?} is no cache"),
        }
    }

    /// The lock's client half.
    ///
    /// # Panics
    /// When the part is no lock: the compiler has checked.
    pub fn lock(&self, part: PartId) -> &Arc<LockClient> {
        match &self.target(part).client {
            Client::Lock(lock) => lock,
            other => panic!("{other:?} is no lock"),
        }
    }

    /// The store's client half.
    ///
    /// # Panics
    /// When the part is no store: the compiler has checked.
    pub fn store(&self, part: PartId) -> StoreClient {
        match &self.target(part).client {
            Client::Store(store) => *store,
            other => panic!("{other:?} is no store"),
        }
    }
}
