//! Outstanding calls. A slot is freed when both ends have abandoned it: the caller by an answer, a timeout or
//! [`Calls::abandon`]; the callee's side when the answer has arrived or nothing can come any more.

use crate::base::cause::Causes;
use crate::base::ids::{CallId, Pid, TierId, ZoneId};
use crate::base::op::{Op, Outcome, Reason};
use crate::base::slab::{Key, Slab};
use crate::base::time::Time;
use crate::sim::deadlines::Deadline;
use crate::sim::request::CallContext;

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is asked.
    pub op: Op,
    /// Identifies it among all calls of a run, whatever else happens: what it meets on its way and what is done for it draws by this.
    pub substream: u64,
    /// The caller's word for it.
    pub tag: u64,
    /// Who calls.
    pub caller: Pid,
    /// Which incarnation of the caller.
    pub caller_incarnation: u16,
    /// Which incarnation of the callee it was sent to.
    pub callee_incarnation: u16,
    /// Who is called.
    pub callee: Pid,
    /// Where the caller stands, for this call.
    pub zone: ZoneId,
    /// For whom it is, and as part of what; its causal context is what came with the request, then what the answer adds to it.
    pub context: CallContext,
    /// Size of what is on the way, bytes: the request, then the answer.
    pub size_bytes: u32,
    /// Numbers what is on the way among all that was put on its way: who comes behind whom.
    pub number: u64,
    /// How often what is on the way has been put on it: transmissions before the one under way.
    pub transmissions: u32,
    /// When it was sent.
    pub sent: Time,
    /// When it arrived at the callee.
    pub arrived: Time,
    /// Its timeout.
    pub deadline: Option<Deadline>,
    /// Whether the caller still waits.
    pub awaited: bool,
    /// Whether the callee, the request or the answer is still under way.
    pub handled: bool,
    /// Whether the request has reached the callee.
    pub delivered: bool,
    /// Whether the callee has answered.
    pub answered: bool,
    /// The answer, once there is one.
    pub outcome: Outcome,
    /// Where it failed, if it was not the callee that did.
    pub failed_at: Option<TierId>,
    /// What a guard says beside it.
    pub note: u32,
    /// The callee's time by cause.
    pub causes: Causes,
}

/// All outstanding calls.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    slab: Slab<Call>,
    /// Answers that came too late for their callers.
    pub late: u64,
}

const fn key(id: CallId) -> Key {
    Key { slot: id.slot, generation: id.generation }
}

impl Calls {
    /// A new call, awaited and handled.
    pub fn open(&mut self, call: Call) -> CallId {
        let key = self.slab.insert(call);
        CallId { slot: key.slot, generation: key.generation }
    }

    /// The call, while either end holds it.
    #[inline]
    pub fn get(&self, id: CallId) -> Option<&Call> {
        self.slab.get(key(id))
    }

    /// The call, while either end holds it.
    #[inline]
    pub fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
        self.slab.get_mut(key(id))
    }

    /// Whether the caller still waits for it.
    pub fn awaited(&self, id: CallId) -> bool {
        self.get(id).is_some_and(|call| call.awaited)
    }

    /// The caller stops waiting. True if it waited.
    pub fn abandon(&mut self, id: CallId) -> bool {
        let Some(call) = self.get_mut(id) else { return false };
        let waited = std::mem::replace(&mut call.awaited, false);
        if !call.handled {
            self.slab.free(key(id));
        }
        waited
    }

    /// Nothing will come from the callee's side any more.
    pub fn drop_handled(&mut self, id: CallId) {
        let Some(call) = self.get_mut(id) else { return };
        call.handled = false;
        if !call.awaited {
            self.slab.free(key(id));
        }
    }

    /// The calls that satisfy a condition, in order of place.
    pub fn select(&self, condition: impl Fn(&Call) -> bool) -> Vec<CallId> {
        let chosen = self.slab.iter().filter(|(_, call)| condition(call));
        chosen.map(|(key, _)| CallId { slot: key.slot, generation: key.generation }).collect()
    }

    /// Tells of every call.
    pub fn each(&self, tell: impl FnMut(&Call)) {
        self.slab.iter().map(|(_, call)| call).for_each(tell);
    }

    /// Calls in being.
    pub fn len(&self) -> usize {
        self.slab.len()
    }
}

impl Call {
    /// An answer that the caller's side makes up, because none can come.
    pub fn expire(reason: Reason) -> Outcome {
        match reason {
            Reason::Refused => Outcome::Fail(Reason::Refused),
            other => Outcome::Unknown(other),
        }
    }
}
