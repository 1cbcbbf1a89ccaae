//! What a customer has seen: the token that makes `read … at session` honest. Stores say with their answers how far what they showed
//! goes; clients keep the furthest, send it along with the next request, and servers hand it on to whomever they ask.

/// Stores of a design that can be read `at session`: each has a place in every token, and tokens travel with all calls.
pub const SESSION_STORES_MAX: usize = 2;

/// How far a customer has seen, by store: a position that a store understands and that only grows, 0 for nothing. For a store
/// with a leader it is a place in the log (see [`crate::components::replication::leader`]), as MongoDB's `afterClusterTime` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CausalContext([u64; SESSION_STORES_MAX]);

impl CausalContext {
    /// Nothing yet.
    pub const NOTHING: CausalContext = CausalContext([0; SESSION_STORES_MAX]);

    /// One store up to a position.
    pub fn upto(store: u8, position: u64) -> CausalContext {
        let mut seen = CausalContext::NOTHING;
        seen.0[store as usize] = position;
        seen
    }

    /// How far a store was seen.
    pub fn of(self, store: u8) -> u64 {
        self.0[store as usize]
    }

    /// Takes in what else was seen.
    pub fn merge(&mut self, other: CausalContext) {
        self.0.iter_mut().zip(other.0).for_each(|(ours, theirs)| *ours = (*ours).max(theirs));
    }
}

/// The customer on whose behalf something is done: whoever is asked hands it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Session {
    /// Who it is; 0: nobody, machinery.
    pub id: u64,
    /// The customer's request of which this is a part, the same for all attempts: a trace id, for records. 0: none.
    pub trace: u64,
    /// What it has seen by now.
    pub causal: CausalContext,
}

impl Session {
    /// Nobody's.
    pub const NOBODY: Session = Session { id: 0, trace: 0, causal: CausalContext::NOTHING };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_only_grows_and_each_store_has_its_own() {
        let mut seen = CausalContext::upto(0, 5);
        seen.merge(CausalContext::upto(1, 3));
        seen.merge(CausalContext::upto(0, 4));
        assert_eq!((seen.of(0), seen.of(1)), (5, 3));
    }
}
