//! Requests under way, and what their customers remember.

use crate::base::ids::{Pid, ZoneId};
use crate::base::op::Reply;
use crate::base::session::CausalContext;
use crate::base::slab::{Key, Slab};
use crate::base::time::{ClockTime, Span, Time};
use crate::components::client::plan::ClientPlan;
use crate::components::directory::{Avoided, Tried};

/// What a customer remembers.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Memory {
    /// What it has seen.
    pub seen: CausalContext,
    /// Members of stores that did not answer it.
    pub avoided: Avoided,
}

/// A request under way.
#[derive(Clone, Debug, Hash)]
pub(super) struct Pending {
    pub number: u64,
    /// Its number among all requests of the workload.
    pub turn: u64,
    pub call: u16,
    pub failures: u32,
    pub intended: Time,
    /// When it was first sent: later than intended only for a serial tester.
    pub sent: Time,
    /// Time of failed attempts and the waits after them.
    pub retrying: Span,
    pub backoff: Span,
    /// Where it comes from.
    pub zone: ZoneId,
    /// Whom it has asked last.
    pub asked: Pid,
    /// Members of a store that have been asked in this attempt.
    pub tried: Tried,
    /// The customer.
    pub session: u64,
    /// What the customer remembers, if anything.
    pub memory: Option<Box<Memory>>,
}

impl Pending {
    /// The customer remembers what an answer has shown, and who gave none.
    pub fn learn(&mut self, reply: &Reply, plan: &ClientPlan, clock: ClockTime) {
        if reply.seen != CausalContext::NOTHING {
            self.memory.get_or_insert_default().seen.merge(reply.seen);
        }
        if reply.outcome.is_no_answer() {
            let part = plan.calls[self.call as usize].to;
            if let Some((member, span)) = plan.directory.avoids(part, self.asked) {
                self.memory.get_or_insert_default().avoided.add(member, clock + span);
            }
        }
    }
}

/// The requests of a caller. There may be millions of customers who have one at a time: theirs lies in the caller itself.
#[derive(Clone, Debug, Hash)]
pub(super) enum Requests {
    /// The request of one customer, and how many there were.
    One(Option<Pending>, u32),
    /// Those of many.
    Many(Slab<Pending>),
}

impl Requests {
    /// None yet, of one customer or of many.
    pub fn new(of_one: bool) -> Requests {
        if of_one { Requests::One(None, 0) } else { Requests::Many(Slab::default()) }
    }

    /// A request begins.
    pub fn insert(&mut self, pending: Pending) -> Key {
        match self {
            Requests::One(one, generation) => {
                debug_assert!(one.is_none(), "a customer has one request at a time");
                *one = Some(pending);
                *generation = generation.wrapping_add(1);
                Key { slot: 0, generation: *generation }
            }
            Requests::Many(many) => many.insert(pending),
        }
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        match self {
            Requests::One(one, _) => usize::from(one.is_some()),
            Requests::Many(many) => many.len(),
        }
    }

    /// A request that is under way.
    pub fn get(&self, key: Key) -> Option<&Pending> {
        match self {
            Requests::One(one, generation) => one.as_ref().filter(|_| key.generation == *generation),
            Requests::Many(many) => many.get(key),
        }
    }

    /// A request that is under way.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut Pending> {
        match self {
            Requests::One(one, generation) => one.as_mut().filter(|_| key.generation == *generation),
            Requests::Many(many) => many.get_mut(key),
        }
    }

    /// Those under way.
    pub fn for_each(&self, mut tell: impl FnMut(&Pending)) {
        match self {
            Requests::One(one, _) => one.iter().for_each(tell),
            Requests::Many(many) => many.iter().for_each(|(_, pending)| tell(pending)),
        }
    }

    /// A request ends.
    pub fn remove(&mut self, key: Key) -> Option<Pending> {
        match self {
            Requests::One(one, generation) => one.take_if(|_| key.generation == *generation),
            Requests::Many(many) => many.remove(key),
        }
    }
}
