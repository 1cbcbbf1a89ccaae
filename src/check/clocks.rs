//! Vector clocks over the lines of a history: of each line, how many operations come before an operation. A partial order
//! of n operations on k lines in n·k numbers, in which every question takes one look.

use std::collections::BTreeMap;

use crate::check::Verdict;
use crate::check::relations::{Relations, written};
use crate::check::search::Budget;

/// The clocks of all operations, each including itself.
pub(super) struct Clocks {
    lines: usize,
    counts: Vec<u32>,
}

impl Clocks {
    /// The clocks of an order given by edges; `order` agrees with all of them. None if they take too much memory.
    pub fn new(
        relations: &Relations,
        edges: impl Iterator<Item = (u32, u32)>,
        order: &[u32],
        budget: Budget,
    ) -> Option<Clocks> {
        let (nodes, lines) = (relations.accesses.len(), relations.count);
        if (nodes as u64).saturating_mul(4 * lines as u64) > budget.bytes {
            return None;
        }
        let mut starts = vec![0u32; nodes + 1];
        let edges: Vec<(u32, u32)> = edges.collect();
        edges.iter().for_each(|(_, to)| starts[*to as usize + 1] += 1);
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let (mut at, mut entering) = (starts.clone(), vec![0u32; edges.len()]);
        for (from, to) in &edges {
            entering[at[*to as usize] as usize] = *from;
            at[*to as usize] += 1;
        }
        let mut counts = vec![0u32; nodes * lines];
        for node in order {
            let node = *node as usize;
            for from in &entering[starts[node] as usize..starts[node + 1] as usize] {
                for line in 0..lines {
                    let before = counts[*from as usize * lines + line];
                    let here = &mut counts[node * lines + line];
                    *here = (*here).max(before);
                }
            }
            let (line, place) = relations.lines[node];
            let own = &mut counts[node * lines + line as usize];
            *own = (*own).max(place);
        }
        Some(Clocks { lines, counts })
    }

    /// The verdict when there is not enough memory for them.
    pub fn too_large(relations: &Relations, budget: Budget) -> Verdict {
        Verdict::Unknown(format!(
            "{} MiB of memory were not enough for {} operations of {} processes (`--memory`)",
            budget.bytes >> 20,
            relations.accesses.len(),
            relations.count
        ))
    }

    /// Whether an operation is another, or comes before it.
    pub fn is_before(&self, relations: &Relations, first: u32, second: u32) -> bool {
        let (line, place) = relations.lines[first as usize];
        self.of(second, line) >= place
    }

    /// How many operations of a line come before an operation or are it.
    pub fn of(&self, operation: u32, line: u32) -> u32 {
        self.counts[operation as usize * self.lines + line as usize]
    }
}

/// Writes on one line: the place of each there and its number.
pub(super) type OnLine = Vec<(u32, u32)>;

/// The writes of each key, by line.
pub(super) struct KeyWrites {
    keys: BTreeMap<i64, Vec<(u32, OnLine)>>,
}

impl KeyWrites {
    /// Gathers them.
    pub fn new(relations: &Relations) -> KeyWrites {
        let mut keys: BTreeMap<i64, BTreeMap<u32, OnLine>> = BTreeMap::new();
        for (number, access) in (0u32..).zip(&relations.accesses) {
            if written(access.operation.call).is_some() {
                let (line, place) = relations.lines[number as usize];
                keys.entry(access.key).or_default().entry(line).or_default().push((place, number));
            }
        }
        KeyWrites { keys: keys.into_iter().map(|(key, lines)| (key, lines.into_iter().collect())).collect() }
    }

    /// The writes of a key, by line.
    pub fn of(&self, key: i64) -> &[(u32, OnLine)] {
        self.keys.get(&key).map_or(&[], Vec::as_slice)
    }

    /// All keys that were written.
    pub fn keys(&self) -> impl Iterator<Item = i64> {
        self.keys.keys().copied()
    }

    /// Of each line the last write of an operation's key that comes before it, itself excluded.
    pub fn last_before(
        &self,
        relations: &Relations,
        clocks: &Clocks,
        operation: u32,
    ) -> impl Iterator<Item = u32> {
        let (own, place) = relations.lines[operation as usize];
        let last = move |(line, writes): &(u32, OnLine)| {
            let until = if *line == own { place - 1 } else { clocks.of(operation, *line) };
            let until = writes.partition_point(|(place, _)| *place <= until);
            until.checked_sub(1).map(|last| writes[last].1)
        };
        self.of(relations.accesses[operation as usize].key).iter().filter_map(last)
    }
}
