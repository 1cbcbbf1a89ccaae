//! Who read what somebody else overwrites, among transactions that were there at the same time: Cahill, Röhm and Fekete's two flags
//! (SIGMOD 2008, figures 5 to 8). A transaction with both may be the middle of a cycle and does not commit; one that is to get its second
//! flag after it has committed cannot be stopped any more, so the other one is.

use crate::base::slab::Key;
use crate::components::mech::mutant::Mutant;
use crate::components::storage::rows::RowName;
use crate::components::storage::transactions::{Stage, Transaction, Transactions};

impl<W> Transaction<W> {
    fn is_past(&self) -> bool {
        self.stage != Stage::Active
    }

    /// Whether it was there with one who began after so many commits.
    fn was_with(&self, snapshot: u64) -> bool {
        !matches!(self.stage, Stage::Committed(at) if at <= snapshot)
    }
}

impl<W: Copy> Transactions<W> {
    /// A transaction reads a row. False if it must be aborted.
    pub(super) fn reads_as_serializable(&mut self, key: Key, row: RowName) -> bool {
        let Some(reader) = self.all.get_mut(key) else { return false };
        if reader.is_single() || reader.own(row).is_some() {
            return true; // one row at one instant, or its own
        }
        let snapshot = reader.snapshot;
        if reader.reads.insert(row) {
            match self.readers.rows.get_mut(&row) {
                Some(readers) => readers.push(key),
                None => {
                    self.readers.rows.insert(row, vec![key]);
                }
            }
        }
        let writes = self.locks.holder(row).filter(|holder| *holder != key);
        let writes = writes.filter(|holder| self.all.get(*holder).is_some_and(|one| one.own(row).is_some()));
        let wrote: Vec<Key> = self.versions.since(row, snapshot).map(|old| old.by).chain(writes).collect();
        for writer in wrote {
            let Some(other) = self.all.get_mut(writer) else { continue };
            if other.is_past() && other.outgoing && self.mutant != Mutant::IgnoresFlags {
                return false;
            }
            other.incoming = true;
            self.all.get_mut(key).expect("it reads").outgoing = true;
        }
        true
    }

    /// A transaction writes a row. False if it must be aborted.
    pub(super) fn overwrites(&mut self, key: Key, row: RowName) -> bool {
        let Some(writer) = self.all.get(key) else { return false };
        let (snapshot, is_single) = (writer.snapshot, writer.is_single());
        let readers = self.readers.rows.get(&row).cloned().unwrap_or_default();
        for reader in readers.into_iter().filter(|reader| *reader != key) {
            let Some(other) = self.all.get_mut(reader).filter(|other| other.was_with(snapshot)) else {
                continue;
            };
            // A single operation is over at once and cannot have committed before who is committing.
            if other.is_past() && other.incoming && !is_single && self.mutant != Mutant::IgnoresFlags {
                return false;
            }
            other.outgoing = true;
            self.all.get_mut(key).expect("it writes").incoming = true;
        }
        true
    }

    /// What a transaction has read counts no more.
    pub(super) fn drop_reads(&mut self, key: Key) {
        let Some(transaction) = self.all.get_mut(key) else { return };
        for row in std::mem::take(&mut transaction.reads) {
            if let Some(readers) = self.readers.rows.get_mut(&row) {
                readers.retain(|reader| *reader != key);
                if readers.is_empty() {
                    self.readers.rows.remove(&row);
                }
            }
        }
    }
}
