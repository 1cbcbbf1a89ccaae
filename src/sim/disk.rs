//! A member's disk: what is safe, and what is on its way there.

use std::collections::VecDeque;

use crate::base::ids::SyncId;
use crate::base::time::{Span, Time};

/// What a process's disk holds: the last snapshot and the records synced after it.
#[derive(Clone, Debug, Hash)]
pub struct Disk<R, S> {
    /// The last snapshot, if one was taken.
    pub snapshot: Option<S>,
    /// Records appended after the snapshot, oldest first.
    pub records: Vec<R>,
}

impl<R, S> Default for Disk<R, S> {
    fn default() -> Self {
        Disk { snapshot: None, records: Vec::new() }
    }
}

/// What a sync covers: how many of the volatile records, and a snapshot taken before it.
#[derive(Clone)]
struct Flight<S> {
    id: SyncId,
    records: usize,
    snapshot: Option<(S, usize)>,
}

/// A member's disk: what is safe, and what is on its way there.
#[derive(Clone)]
pub(super) struct Drive<R, S> {
    pub(super) safe: Disk<R, S>,
    volatile: VecDeque<R>,
    in_flight: VecDeque<Flight<S>>,
    covered: usize,
    snapshot: Option<(S, usize)>,
    busy_until: Time,
    syncs: u64,
}

impl<R, S> Default for Drive<R, S> {
    fn default() -> Self {
        Drive {
            safe: Disk::default(),
            volatile: VecDeque::new(),
            in_flight: VecDeque::new(),
            covered: 0,
            snapshot: None,
            busy_until: Time::ZERO,
            syncs: 0,
        }
    }
}

impl<R, S> Drive<R, S> {
    pub(super) fn append(&mut self, record: R) {
        self.volatile.push_back(record);
    }

    pub(super) fn snapshot(&mut self, snapshot: S) {
        // What a sync under way covers is safe before this snapshot is, and is none of the records between the two.
        self.snapshot = Some((snapshot, self.volatile.len() - self.covered));
    }

    /// Begins a sync; it ends at the instant in the answer.
    pub(super) fn sync(&mut self, now: Time, cost: Span) -> (SyncId, Time) {
        self.syncs += 1;
        let id = SyncId(self.syncs);
        self.busy_until = self.busy_until.max(now) + cost;
        let records = self.volatile.len() - self.covered;
        self.covered = self.volatile.len();
        self.in_flight.push_back(Flight { id, records, snapshot: self.snapshot.take() });
        (id, self.busy_until)
    }

    /// The oldest sync has ended: what it covers is safe.
    pub(super) fn synced(&mut self) -> Option<SyncId> {
        let flight = self.in_flight.pop_front()?;
        self.covered -= flight.records;
        self.safe.records.extend(self.volatile.drain(..flight.records));
        if let Some((snapshot, uncovered)) = flight.snapshot {
            // Records appended before the snapshot was taken are part of it; later ones stay in the log.
            let later = flight.records.saturating_sub(uncovered.min(flight.records));
            let keep_from = self.safe.records.len() - later;
            self.safe.records.drain(..keep_from);
            self.safe.snapshot = Some(snapshot);
        }
        Some(flight.id)
    }

    pub(super) fn crash(&mut self) {
        *self = Drive { safe: std::mem::take(&mut self.safe), ..Drive::default() };
    }
}
