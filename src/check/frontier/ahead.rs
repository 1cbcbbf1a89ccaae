//! What a frontier can know of what comes: a value that somebody will see, and that nobody who begins in time writes, must not be lost.
//!
//! This is what P. Gibbons and E. Korach ("Testing shared memories", 1997) call the zone of a value, where several operations may have written
//! it: a configuration that has lost such a value is left out at once and not only when whoever sees it returns, by which time those
//! that have kept it may have been crowded out.

use rustc_hash::FxHashMap;

use crate::check::history::{Call, Operation};
use crate::check::relations::{seen, written};

/// An operation that sees a value, by when it begins.
struct Consumer {
    invoked: u64,
    /// The first of these and all that begin later to return.
    first: (u64, u32),
}

/// Who writes and who sees each value, of objects that have nothing but reads, writes and compare-and-set.
#[derive(Default)]
pub(super) struct Ahead {
    /// When those begin that leave a value behind, in order.
    producers: FxHashMap<i64, Vec<u64>>,
    /// In order.
    consumers: FxHashMap<i64, Vec<Consumer>>,
}

impl Ahead {
    /// Of operations in the order of their invocations. `None`: what some of them leave behind cannot be told from what they do.
    pub fn of(operations: &[Operation]) -> Option<Ahead> {
        let plain = |one: &Operation| {
            matches!(one.call, Call::Read(_) | Call::Write(_) | Call::Cas(..) | Call::Differs(_))
        };
        if !operations.iter().all(plain) {
            return None;
        }
        let mut ahead = Ahead::default();
        for operation in operations {
            if let Some(value) = written(operation.call) {
                ahead.producers.entry(value).or_default().push(operation.invoked);
            }
        }
        for (number, operation) in operations.iter().enumerate().rev() {
            let Some(value) = seen(operation.call).filter(|_| !operation.is_pending()) else { continue };
            let of_value = ahead.consumers.entry(value).or_default();
            let own = (operation.returned, number as u32);
            let first = of_value.last().map_or(own, |later| later.first.min(own));
            of_value.push(Consumer { invoked: operation.invoked, first });
        }
        ahead.consumers.values_mut().for_each(|consumers| consumers.reverse());
        Some(ahead)
    }

    /// When the next operation begins that leaves a value behind.
    pub fn next_producer(&self, value: i64, now: u64) -> u64 {
        let of_value = self.producers.get(&value).map_or(&[][..], Vec::as_slice);
        let next = of_value.partition_point(|invoked| *invoked <= now);
        of_value.get(next).copied().unwrap_or(u64::MAX)
    }

    /// Who begins later, sees a value and returns before `until`.
    pub fn consumer(&self, value: i64, now: u64, until: u64) -> Option<u32> {
        let of_value = self.consumers.get(&value)?;
        let next = of_value.partition_point(|consumer| consumer.invoked <= now);
        let (returned, number) = of_value.get(next)?.first;
        (returned < until).then_some(number)
    }
}
