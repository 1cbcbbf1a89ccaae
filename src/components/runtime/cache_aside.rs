//! Cache-aside by hand: a `get` of a cache without `fill` fails with `miss` where it would rebuild. What the guard has
//! given it for that – the lock, the lease, the lead of a flight – stays with the program, as it does in a client of
//! memcached that has been told to fill (Nishtala et al., NSDI 2013, section 3.2.1), until the program puts the value
//! or ends without.

use crate::base::cause::Cause;
use crate::base::ids::PartId;
use crate::base::op::Reason;
use crate::base::session::Session;
use crate::base::slab::Key;
use crate::base::time::Span;
use crate::components::guard::Guard;
use crate::components::runtime::host::{Ctx, Server};
use crate::components::runtime::pending_call::{Job, PendingCall};
use crate::components::runtime::reader::{of_cache, release};
use crate::components::runtime::reading::question;
use crate::components::runtime::right::Right;

impl Server {
    /// The activation, the cache and the entry of a reading.
    fn place(&self, key: Key) -> Option<(u64, PartId, i64)> {
        let Some(PendingCall { job: Job::Reading(reading), coroutine: Some(coroutine), .. }) =
            self.pending_calls.get(key)
        else {
            return None;
        };
        Some((self.frames.host(*coroutine)?, reading.cache, reading.entry))
    }

    /// Whether the program of a reading has been told already that the value is missing.
    pub(super) fn has_right(&self, key: Key) -> bool {
        !self.rights.is_empty() && self.place(key).is_some_and(|place| self.rights.contains_key(&place))
    }

    /// The program is told that the value is missing, and keeps what it was given to fill it.
    pub(super) fn yields(&mut self, key: Key, ctx: Ctx) {
        let (clock, place) = (ctx.monotonic(), self.place(key));
        let substream = self.question(key, question::RELEASE);
        let Some(reading) = self.reading(key) else { return };
        let unguarded = matches!(ctx.plan().directory.cache(reading.cache).guard, Guard::None);
        if let Some(place) = place.filter(|_| !unguarded) {
            let leads = std::mem::take(&mut reading.leads);
            let right =
                Right { lock: reading.lock.take(), note: reading.note, leads, began: clock, substream };
            self.rights.insert(place, right);
        }
        self.cache_failed(key, Reason::Miss, ctx);
    }

    /// The program puts what it has made, with what it was given for it; without, it is a plain write.
    pub(super) fn put_given(&mut self, key: Key, ctx: Ctx) {
        let right = self.place(key).and_then(|place| self.rights.remove(&place));
        let Some(reading) = self.reading(key) else { return };
        let mut took = Span::ZERO;
        if let Some(right) = right {
            (reading.lock, reading.note, reading.leads) = (right.lock, right.note, right.leads);
            took = ctx.monotonic().since(right.began);
        }
        self.ask_to_keep(key, took, ctx);
    }

    /// A program has ended: what it was given and has not used it gives back. Those who waited for its value are told
    /// that there is none.
    pub(super) fn abandons(&mut self, activation: u64, on_behalf: Session, ctx: Ctx) {
        if self.rights.is_empty() {
            return; // as wherever programs do not fill by hand
        }
        let all = (activation, PartId(0), i64::MIN)..=(activation, PartId(u16::MAX), i64::MAX);
        let held: Vec<_> = self.rights.range(all).map(|(place, right)| (*place, *right)).collect();
        for (place, right) in held {
            self.rights.remove(&place);
            let (_, cache, entry) = place;
            if let Some(token) = right.lock {
                release((cache, entry), token, right.substream, on_behalf, ctx);
            }
            let followers = if right.leads { self.flights.remove(&(cache, entry)) } else { None };
            for follower in followers.unwrap_or_default() {
                self.charge(follower, Cause::Lock, ctx.now());
                self.call_failed(follower, of_cache(cache, Reason::Miss, ctx));
            }
        }
    }
}
