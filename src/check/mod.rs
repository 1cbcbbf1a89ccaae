//! Judges histories: what clients saw, against what an object may do. It knows neither how a history came about nor
//! what it is printed as.
//!
//! [`history`] is what all checkers read · [`read`] makes events of a recorded file and [`kinds`] operations of these · [`consistency`] is what
//! may be asked, and picks the check.
//!
//! *Linearizable*: [`judge`] takes the fastest way. [`register`] decides registers whose written values differ and [`counter`] additions
//! of one amount, both in O(n log n); [`search`] and [`frontier`] decide anything with a [`model`], exponentially in the worst case, and the
//! search an object of one's own as well ([`spec`]). *Weaker*: [`sequential`],
//! [`causal`], [`session`] read histories by their [`relations`], within sessions and from writes to reads. *How far off*: [`staleness`]
//! measures reads; [`versions`] finds lost writes and copies that differ. [`shrink`] makes witnesses small. *Of several objects at once*:
//! [`transactions`] finds the anomalies of isolation.
//!
//! Three verdicts: a history holds, or there is a witness, or it was not decided within the budget and the reason is
//! told.

pub mod causal;
mod clocks;
pub mod consistency;
pub mod counter;
pub mod frontier;
mod graph;
pub mod history;
pub mod judge;
pub mod kinds;
pub mod locks;
pub mod model;
pub mod multi;
mod nowhere;
pub mod observed;
pub mod read;
pub mod register;
pub mod relations;
mod remembered;
#[cfg(test)]
mod samples;
pub mod search;
pub mod sequential;
pub mod session;
pub mod shrink;
pub mod spec;
pub mod staleness;
#[cfg(test)]
mod tests;
pub mod transactions;
pub mod versions;

/// What a checker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The history is what the object may do.
    Holds,
    /// It is not.
    Violated(Witness),
    /// Nobody knows, and why.
    Unknown(String),
}

/// Why a history is none of the object's: as few operations as show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// One sentence.
    pub sentence: String,
    /// The operations that clash, by place in the history.
    pub operations: Vec<usize>,
}

/// The places of those spans (from, to, whether it is named) that are named, and of those nearest to them: at most so many.
pub fn nearest(spans: &[(u64, u64, bool)], most: usize) -> Vec<usize> {
    let named: Vec<(u64, u64, bool)> = spans.iter().filter(|span| span.2).copied().collect();
    let apart =
        |a: (u64, u64, bool), b: (u64, u64, bool)| a.0.saturating_sub(b.1).max(b.0.saturating_sub(a.1));
    let far = |index: &usize| named.iter().map(|other| apart(spans[*index], *other)).min();
    let mut places: Vec<usize> = (0..spans.len()).collect();
    places.sort_by_cached_key(|index| (!spans[*index].2, far(index), *index));
    places.truncate(most);
    places.sort_unstable();
    places
}
