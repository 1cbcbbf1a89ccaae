//! The anomalies that are plain to see: within a transaction, in what was seen of lists and registers, and in cycles of what depends on what.

use crate::check::transactions::gather::Dependencies;
use crate::check::transactions::history::{Orders, Transactions};
use crate::check::transactions::report::Report;
use crate::check::transactions::writes::Writes;
use crate::check::transactions::{internal, lists, registers};

/// Finds the anomalies that are plain to see. Without `orders` the order of versions is what can be inferred.
pub fn check(history: &Transactions, orders: Option<&Orders>) -> Report {
    plain(history, Writes::of(history), orders).0
}

/// The same, of writes that are gathered already; they are given back.
pub(super) fn plain(history: &Transactions, writes: Writes, orders: Option<&Orders>) -> (Report, Writes) {
    let mut dependencies = Dependencies::new(history, writes);
    internal::look(&mut dependencies);
    lists::depend(&mut dependencies);
    registers::depend(&mut dependencies, orders);
    dependencies.report()
}
