//! A history as the axioms of isolation speak of it: which transaction wrote the version that a read saw, who wrote each key, and what is
//! known of the order of its versions. Reads of a transaction's own writes and all that is wrong in plain sight are gone.

use rustc_hash::FxHashMap;

use crate::check::history::{NIL, PENDING};
use crate::check::transactions::history::{Completion, Seen, Transactions, What};
use crate::check::transactions::levels::{Axiom, Level};
use crate::check::transactions::writes::{Write, Writes};

/// Instead of a transaction: who wrote the initial versions.
pub(super) const INITIAL: u32 = u32::MAX;

/// A read of what others wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub key: u32,
    /// Who wrote the version, or [`INITIAL`].
    pub from: u32,
    /// Of a list: how many of [`Key::order`] were seen.
    pub seen: u32,
}

/// Who wrote a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    /// Those whose order is known; they come before the others.
    pub order: Vec<u32>,
    /// The others.
    pub loose: Vec<u32>,
    /// Whether a read sees all versions before, and not the last alone.
    pub is_list: bool,
}

/// A read whose value several transactions wrote.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// The transaction and which of its actions.
    pub read: (u32, u32),
    /// Who may have written what it saw, the most likely first.
    pub candidates: Vec<u32>,
}

/// By list: the most that was seen of it, and how many distinct writers so many of its elements have.
type Places = FxHashMap<u32, (Seen, Vec<u32>)>;

/// Which of several writers a read saw.
pub(super) type Assigned = FxHashMap<(u32, u32), u32>;

/// A history.
pub(super) struct Form {
    /// By transaction: whether it had effects.
    pub effective: Vec<bool>,
    /// By transaction: where its reads begin.
    starts: Vec<u32>,
    reads: Vec<Read>,
    pub keys: Vec<Key>,
    /// Reads of which nothing is assumed yet.
    pub open: Vec<Open>,
}

impl Form {
    /// A history without plain anomalies, with what is assumed of reads whose values were written by several.
    ///
    /// # Errors
    /// Appends of one transaction have those of others between them: these transactions.
    pub fn of(
        history: &Transactions,
        writes: &Writes,
        level: Level,
        assigned: &Assigned,
    ) -> Result<Form, Vec<u32>> {
        let mut effective = writes.effective.clone();
        assigned.values().for_each(|by| effective[*by as usize] = true);
        if writes.are_shared() {
            certain(history, writes, &mut effective);
        }
        let mut form = Form {
            effective,
            starts: Vec::with_capacity(history.transactions.len() + 1),
            reads: Vec::new(),
            keys: vec![Key::default(); history.keys.len()],
            open: Vec::new(),
        };
        let places = form.writers(history, writes)?;
        for (number, transaction) in (0u32..).zip(&history.transactions) {
            form.starts.push(form.reads.len() as u32);
            if transaction.completion == Completion::Committed && level.axiom() > Axiom::Uncommitted {
                form.reads_of(history, writes, level, assigned, &places, number);
            }
        }
        form.starts.push(form.reads.len() as u32);
        Ok(form)
    }

    pub fn reads(&self, transaction: u32) -> &[Read] {
        let at = transaction as usize;
        &self.reads[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> u32 {
        self.effective.len() as u32
    }

    /// Those that had effects.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.effective).filter(|(_, effective)| **effective).map(|(number, _)| number)
    }

    /// How many reads there are.
    pub fn len(&self) -> usize {
        self.reads.len()
    }

    /// Finds who wrote each key; for lists how many distinct writers so many elements have.
    fn writers(&mut self, history: &Transactions, writes: &Writes) -> Result<Places, Vec<u32>> {
        let mut longest: FxHashMap<u32, Seen> = FxHashMap::default();
        let mut wrote: Vec<(u32, u32, bool)> = Vec::new(); // key, by, whether it is not in what was seen
        for number in self.numbers() {
            for action in &history.transactions[number as usize].actions {
                match action.what {
                    What::List(seen) => {
                        let most = longest.entry(action.key).or_insert(seen);
                        if seen.len > most.len {
                            *most = seen;
                        }
                    }
                    What::Write(_) | What::Append(_) | What::Read(_) => {}
                }
            }
        }
        let mut places = Places::default();
        let mut shown: rustc_hash::FxHashSet<(u32, i64)> = rustc_hash::FxHashSet::default();
        for (key, seen) in &longest {
            let order = &mut self.keys[*key as usize].order;
            let mut counts = Vec::with_capacity(seen.len as usize + 1);
            counts.push(0);
            for value in history.elements(*seen) {
                shown.insert((*key, *value));
                if let Some(write) =
                    writes.only(*key, *value).filter(|write| self.effective[write.by as usize])
                    && order.last() != Some(&write.by)
                {
                    order.push(write.by);
                }
                counts.push(order.len() as u32);
            }
            places.insert(*key, (*seen, counts));
        }
        let Form { effective, keys, .. } = self;
        for (number, _) in (0u32..).zip(effective).filter(|(_, effective)| **effective) {
            for action in &history.transactions[number as usize].actions {
                match action.what {
                    What::Append(value) => {
                        keys[action.key as usize].is_list = true;
                        wrote.push((action.key, number, !shown.contains(&(action.key, value))));
                    }
                    What::Write(_) => wrote.push((action.key, number, true)),
                    What::List(_) | What::Read(_) => {}
                }
            }
        }
        for key in longest.keys() {
            self.keys[*key as usize].is_list = true;
        }
        wrote.sort_unstable();
        wrote.dedup();
        for (key, by, loose) in wrote {
            let key = &mut self.keys[key as usize];
            let at_the_end = key.order.last() == Some(&by) || key.loose.last() == Some(&by);
            if loose && !at_the_end {
                key.loose.push(by);
            }
        }
        self.contiguous()?;
        Ok(places)
    }

    /// Whether each writer of a list is in its order once.
    fn contiguous(&self) -> Result<(), Vec<u32>> {
        let mut met: FxHashMap<u32, usize> = FxHashMap::default();
        for key in self.keys.iter().filter(|key| key.is_list) {
            met.clear();
            for (place, by) in key.order.iter().chain(&key.loose).enumerate() {
                if let Some(before) = met.insert(*by, place) {
                    let between = key.order.iter().chain(&key.loose).nth(before + 1);
                    return Err(vec![*by, between.copied().unwrap_or(*by)]);
                }
            }
        }
        Ok(())
    }

    fn reads_of(
        &mut self,
        history: &Transactions,
        writes: &Writes,
        level: Level,
        assigned: &Assigned,
        places: &Places,
        reader: u32,
    ) {
        let transaction = &history.transactions[reader as usize];
        // By key: what was written of it so far, and whether others' version was seen.
        let mut own: FxHashMap<u32, (Vec<i64>, bool)> = FxHashMap::default();
        for (at, action) in (0u32..).zip(&transaction.actions) {
            let key = action.key;
            let (written, seen_before) = own.entry(key).or_default();
            let read = match action.what {
                What::Write(value) | What::Append(value) => {
                    written.push(value);
                    continue;
                }
                What::Read(_) if !written.is_empty() => continue,
                _ if *seen_before && level.repeats_reads() => continue,
                What::Read(NIL) => Some(Read { key, from: INITIAL, seen: 0 }),
                What::Read(value) => {
                    let mut candidates = candidates(history, writes, reader, (key, value));
                    match (candidates.len(), assigned.get(&(reader, at))) {
                        (0, _) => continue,
                        (1, _) => Some(Read { key, from: candidates[0], seen: 0 }),
                        (_, Some(by)) => Some(Read { key, from: *by, seen: 0 }),
                        (_, None) => {
                            candidates.sort_by_key(|by| unlikely(history, reader, *by));
                            self.open.push(Open { read: (reader, at), candidates });
                            None
                        }
                    }
                }
                What::List(seen) => {
                    let Some((_, counts)) = places.get(&key) else { continue };
                    let Some(others) = history.elements(seen).strip_suffix(written.as_slice()) else {
                        continue;
                    };
                    let Some(seen) = counts.get(others.len()).copied() else { continue };
                    let from =
                        seen.checked_sub(1).map_or(INITIAL, |at| self.keys[key as usize].order[at as usize]);
                    Some(Read { key, from, seen })
                }
            };
            *seen_before = true;
            self.reads.extend(read);
        }
    }
}

/// Who may have written what a transaction saw.
fn candidates(history: &Transactions, writes: &Writes, reader: u32, (key, value): (u32, i64)) -> Vec<u32> {
    let may_be = |write: &&Write| {
        let completion = history.transactions[write.by as usize].completion;
        write.by != reader && !write.replaced && completion != Completion::Aborted
    };
    writes.all(key, value).iter().filter(may_be).map(|write| write.by).collect()
}

/// Whoever is the only one who can have written what was seen had an effect.
fn certain(history: &Transactions, writes: &Writes, effective: &mut [bool]) {
    let mut own: rustc_hash::FxHashSet<u32> = rustc_hash::FxHashSet::default();
    for (reader, transaction) in
        (0u32..).zip(&history.transactions).filter(|(_, one)| one.completion == Completion::Committed)
    {
        own.clear();
        for action in &transaction.actions {
            match action.what {
                What::Write(_) => {
                    own.insert(action.key);
                }
                What::Read(value) if value != NIL && !own.contains(&action.key) => {
                    if let [by] = candidates(history, writes, reader, (action.key, value))[..] {
                        effective[by as usize] = true;
                    }
                }
                What::Read(_) | What::Append(_) | What::List(_) => {}
            }
        }
    }
}

/// How unlikely it is that a read saw a write, by when they were: the latest that had returned before the reader did is the likeliest.
fn unlikely(history: &Transactions, reader: u32, writer: u32) -> (bool, u64) {
    let (reader, writer) = (&history.transactions[reader as usize], &history.transactions[writer as usize]);
    let end = if writer.returned == PENDING { writer.invoked } else { writer.returned };
    let late = writer.invoked > reader.returned;
    (late, if late { writer.invoked } else { u64::MAX - end })
}
