//! Locks in a cache: `SET key token EX ttl NX`, and release by compare-and-delete. Nothing else, and nothing safer:
//! a lock that has expired is free, whatever its holder believes; a holder that asks again finds it held.

use crate::base::time::{Span, Time};
use crate::components::keyed::Keyed;

/// The locks, by key; apart from the values.
#[derive(Clone, Debug, Default, Hash)]
pub struct Locks(Keyed<i64, Lock>);

#[derive(Clone, Copy, Debug, Hash)]
struct Lock {
    token: u64,
    until: Time,
}

impl Locks {
    /// Sets the lock if it is free. True if it was.
    pub fn acquire(&mut self, key: i64, token: u64, ttl: Span, clock: Time) -> bool {
        if self.0.get(&key).is_some_and(|lock| clock < lock.until) {
            return false;
        }
        self.0.insert(key, Lock { token, until: clock + ttl });
        true
    }

    /// Deletes the lock if `token` holds it. True if it did.
    pub fn release(&mut self, key: i64, token: u64, clock: Time) -> bool {
        let holds = self.0.get(&key).is_some_and(|lock| lock.token == token && clock < lock.until);
        if holds {
            self.0.remove(&key);
        }
        holds
    }

    /// Forgets all locks.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_one_holder_until_it_expires() {
        let mut locks = Locks::default();
        let at = |s| Time::ZERO + Span::from_secs(s);
        let ttl = Span::from_secs(3);
        assert!(locks.acquire(1, 7, ttl, at(0)));
        assert!(!locks.acquire(1, 7, ttl, at(1)), "NX: not even its holder sets it again");
        assert!(!locks.acquire(1, 8, ttl, at(2)));
        assert!(locks.acquire(2, 8, ttl, at(2)), "another key");
        assert!(locks.acquire(1, 8, ttl, at(3)), "expired");
        assert!(!locks.release(1, 7, at(3)), "compare-and-delete leaves the new holder's lock alone");
        assert!(locks.release(1, 8, at(4)));
        assert!(locks.acquire(1, 9, ttl, at(4)));
    }
}
