//! Histories of transactions: which isolation they had.
//!
//! A. Adya, "Weak consistency: a generalized theory and optimistic implementations for distributed transactions" (1999), as K. Kingsbury and
//! P. Alvaro make it checkable from outside in "Elle: inferring isolation anomalies from experimental observations" (VLDB 2020): writes
//! are told apart by their values, so each read names the transaction that it saw, and the order of a key's versions is read off
//! what was seen. Transactions that depend on each other in a cycle cannot have happened one after the other; what the cycle is made of says
//! which isolation is broken.
//!
//! [`check`] finds the anomalies that are plain to see, with the smallest cycle of each kind ([`graph`]). `internal` looks at each transaction
//! alone · `lists` knows the order of the versions of a list that is appended to, for a longer one shows all that came before ·
//! `registers` knows of a register's versions that nothing came before the initial one and that who read a version and then wrote
//! replaced it; or a store's own order is given.
//!
//! [`decide()`] says whether a history is of a [`Level`]. Where nothing plain is against it, there must be an order of the writes that
//! explains what was seen: it is found, or shown not to exist, or the search was given up.
//!
//! [`mod@bank`] and [`mod@set`] judge histories that were made to be judged by a sum or by what is there at the end. Predicates are not looked
//! at: the levels are those of items.

mod anomalies;
pub mod bank;
mod decide;
mod few;
mod form;
mod gather;
pub mod graph;
mod history;
mod internal;
pub mod levels;
mod lists;
mod ordered;
mod polygraph;
mod prune;
mod registers;
mod report;
mod room;
mod serial;
mod sessions;
pub mod set;
mod solve;
mod tell;
#[cfg(test)]
mod tests;
mod weak;
mod writes;

use crate::check::search::Budget;
use crate::check::{Verdict, Witness};
use weak::Broken;

pub use anomalies::check;
pub use history::{Action, Completion, Orders, Transaction, Transactions, What};
pub use levels::Level;

/// Whether a history is of a level, as far as can be said within the budget.
pub fn decide(history: &Transactions, level: Level, budget: Budget) -> Verdict {
    let broken = match decide::look(history, level, budget) {
        decide::Looked::Decided(verdict) => return verdict,
        decide::Looked::Nothing(broken) => broken,
    };
    let few = matches!(broken, Broken::Exhausted { .. }).then(|| few::witness(history, level)).flatten();
    Verdict::Violated(few.unwrap_or_else(|| {
        let (sentence, operations) = tell::broken(history, level, &broken);
        Witness { sentence, operations }
    }))
}
