//! Who wrote which value, and whether it had an effect.

use rustc_hash::FxHashMap;

use crate::check::transactions::history::{Action, Completion, Seen, Transactions, What};

/// Who wrote a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    /// Which transaction.
    pub by: u32,
    /// Whether it wrote the key again.
    pub replaced: bool,
}

/// All writes by key and value, and which transactions had effects.
pub(super) struct Writes {
    /// Of what one transaction wrote; of others the first.
    by_value: FxHashMap<(u32, i64), Write>,
    /// Of what several transactions wrote: all, in the order of the history.
    shared: FxHashMap<(u32, i64), Vec<Write>>,
    /// By transaction: whether it was committed, as it was told or as somebody saw.
    pub effective: Vec<bool>,
}

impl Writes {
    pub fn of(history: &Transactions) -> Writes {
        let mut by_value: FxHashMap<(u32, i64), Write> = FxHashMap::default();
        let mut shared: FxHashMap<(u32, i64), Vec<Write>> = FxHashMap::default();
        let mut last: FxHashMap<u32, i64> = FxHashMap::default();
        for (by, transaction) in (0u32..).zip(&history.transactions) {
            last.clear();
            for action in &transaction.actions {
                let (What::Append(value) | What::Write(value)) = action.what else { continue };
                let version = (action.key, value);
                let first = *by_value.entry(version).or_insert(Write { by, replaced: false });
                if first.by != by {
                    let all = shared.entry(version).or_insert_with(|| vec![first]);
                    if all.last().is_none_or(|write| write.by != by) {
                        all.push(Write { by, replaced: false });
                    }
                }
                let mut replace = |version: (u32, i64), replaced: bool| {
                    let one = by_value.get_mut(&version).filter(|write| write.by == by);
                    one.into_iter().for_each(|write| write.replaced = replaced);
                    let all = shared.get_mut(&version).into_iter().flatten().filter(|write| write.by == by);
                    all.for_each(|write| write.replaced = replaced);
                };
                if let Some(before) = last.insert(action.key, value) {
                    replace((action.key, before), true);
                    replace(version, false); // the same value may have been written and replaced before
                }
            }
        }
        let effective =
            history.transactions.iter().map(|one| one.completion == Completion::Committed).collect();
        let mut writes = Writes { by_value, shared, effective };
        // Of each list the most that a committed transaction saw.
        let mut lists: FxHashMap<u32, (u32, Seen)> = FxHashMap::default();
        for transaction in history.transactions.iter().filter(|one| one.completion == Completion::Committed) {
            for Action { key, what } in &transaction.actions {
                match *what {
                    What::Read(value) => writes.was_seen(history, *key, value),
                    What::List(seen) => {
                        let (_, most) = lists.entry(seen.list).or_insert((*key, seen));
                        most.len = most.len.max(seen.len);
                    }
                    What::Append(_) | What::Write(_) => {}
                }
            }
        }
        for (key, seen) in lists.into_values() {
            history.elements(seen).iter().for_each(|value| writes.was_seen(history, key, *value));
        }
        writes
    }

    fn was_seen(&mut self, history: &Transactions, key: u32, value: i64) {
        if let Some(write) = self.only(key, value)
            && history.transactions[write.by as usize].completion == Completion::Unknown
        {
            self.effective[write.by as usize] = true;
        }
    }

    /// Who wrote a value, if that is one transaction.
    pub fn only(&self, key: u32, value: i64) -> Option<Write> {
        let write = self.by_value.get(&(key, value)).copied()?;
        (self.shared.is_empty() || !self.shared.contains_key(&(key, value))).then_some(write)
    }

    /// All who wrote a value, in the order of the history.
    pub fn all(&self, key: u32, value: i64) -> &[Write] {
        match self.shared.get(&(key, value)) {
            Some(all) => all,
            None => self.by_value.get(&(key, value)).map_or(&[], std::slice::from_ref),
        }
    }

    /// Whether several transactions wrote one value of a key.
    pub fn are_shared(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Whether a value was written by this transaction and by no other.
    pub fn is_only_of(&self, key: u32, value: i64, by: u32) -> bool {
        self.only(key, value).is_some_and(|write| write.by == by)
    }
}
