//! Who wanted locks, who believed to hold them and for how long, and what they did to stores meanwhile: as programs saw it. It judges nothing:
//! [`crate::check::locks`] does. Holds are found by their owners' numbers, so that recording changes no state of the world.

use rustc_hash::FxHashMap;

use crate::base::ids::{OpId, PartId, Pid};
use crate::base::time::Time;

/// A lock that a program wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which lock part, which key.
    pub lock: (PartId, i64),
    /// Who.
    pub by: Pid,
    /// The customer's request of which it was a part; 0: nobody's.
    pub origin: u64,
    /// The hold within which it was asked for, by place.
    pub around: Option<u32>,
    /// When it was asked for.
    pub asked: Time,
    /// When the program knew that it has it; [`Time::NEVER`]: it never did.
    pub granted: Time,
    /// When the program gave it back, gave it up, or crashed; [`Time::NEVER`]: not before the end.
    pub ended: Time,
    /// Its fencing token; 0: none.
    pub token: u64,
}

/// What is known of a lock when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockRequest {
    /// The lock part.
    pub lock: PartId,
    /// The key.
    pub key: i64,
    /// Who asks.
    pub by: Pid,
    /// For which request of a customer.
    pub origin: u64,
    /// Within which hold, by owner.
    pub around: Option<u64>,
}

/// What happened to a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was asked for.
    Requested,
    /// It is held.
    Granted,
    /// It has ended.
    Ended,
}

/// A change that somebody made who held a lock when he sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// By place.
    pub hold: u32,
    /// When it took effect.
    pub at: Time,
}

/// All that is known of locks.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    wanted: bool,
    all: Vec<Hold>,
    steps: Vec<(u32, Step)>,
    effects: Vec<Effect>,
    /// Locks deleted by others: the hold that did, the hold whose it was.
    deleted: Vec<(u32, u32)>,
    by_owner: FxHashMap<u64, u32>,
    acting: FxHashMap<OpId, u32>,
}

impl Holds {
    /// Keeps all there is to know, or nothing.
    pub fn new(wanted: bool) -> Holds {
        Holds { wanted, ..Holds::default() }
    }

    /// Whether anything is kept.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// An owner asks for a lock.
    pub fn asked(&mut self, owner: u64, now: Time, asked: LockRequest) {
        if !self.wanted {
            return;
        }
        let place = self.all.len() as u32;
        self.by_owner.insert(owner, place);
        let LockRequest { lock, key, by, origin, around } = asked;
        let around = around.and_then(|owner| self.by_owner.get(&owner).copied());
        let (granted, ended, token) = (Time::NEVER, Time::NEVER, 0);
        self.all.push(Hold { lock: (lock, key), by, origin, around, asked: now, granted, ended, token });
        self.steps.push((place, Step::Requested));
    }

    /// It asks again under another number.
    pub fn renamed(&mut self, owner: u64, next: u64) {
        if let Some(place) = self.by_owner.get(&owner).copied() {
            self.by_owner.insert(next, place);
        }
    }

    /// It has the lock.
    pub fn granted(&mut self, owner: u64, now: Time, token: u64) {
        if let Some(place) = self.by_owner.get(&owner).copied() {
            let hold = &mut self.all[place as usize];
            (hold.granted, hold.token) = (now, token);
            self.steps.push((place, Step::Granted));
        }
    }

    /// It gives it back, gives up, or crashes.
    pub fn ended(&mut self, owner: u64, now: Time) {
        if let Some(place) = self.by_owner.get(&owner).copied() {
            self.all[place as usize].ended = now;
            self.steps.push((place, Step::Ended));
        }
    }

    /// A member deletes the lock of `of` because `by` says so.
    pub fn deleted(&mut self, by: u64, of: u64) {
        let places = self.by_owner.get(&by).copied().zip(self.by_owner.get(&of).copied());
        self.deleted.extend(places);
    }

    /// A holder sends a change to a store.
    pub fn acts(&mut self, owner: u64, attempt: OpId) {
        if let Some(place) = self.by_owner.get(&owner).copied() {
            self.acting.insert(attempt, place);
        }
    }

    /// A change takes effect.
    pub fn takes_effect(&mut self, attempt: OpId, now: Time) {
        if let Some(hold) = self.acting.remove(&attempt) {
            self.effects.push(Effect { hold, at: now });
        }
    }

    /// All holds, in the order in which they were asked for.
    pub fn all(&self) -> &[Hold] {
        &self.all
    }

    /// What happened to them, in order.
    pub fn steps(&self) -> &[(u32, Step)] {
        &self.steps
    }

    /// What holders did, in the order in which it took effect.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Who deleted whose lock, in order.
    pub fn deletions(&self) -> &[(u32, u32)] {
        &self.deleted
    }
}
