//! What must come before what in any one order that explains a history whose values differ.
//!
//! If a read saw w, another write w' of the key does not stand between them. So if w' comes before the read it comes
//! before w, and if it comes after w it comes after the read. The initial value is seen before any write. These rules are
//! applied until nothing new follows. If the writes of each key then stand in one order, any order of the operations that
//! agrees with all of it explains the history.

use std::collections::BTreeMap;

use crate::check::causal;
use crate::check::clocks::{Clocks, KeyWrites};
use crate::check::graph::{Edge, Graph};
use crate::check::relations::{ReadsFrom, Relations, written};
use crate::check::search::Budget;

/// Why an operation comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// One session did them in this order.
    Session,
    /// The second saw what the first wrote.
    Saw,
    /// The store had the first before the second.
    Order,
    /// The first saw something that the second replaced.
    Replaced,
    /// It follows from the others.
    Follows,
}

/// What came of it.
pub(super) enum Saturated {
    /// There is such an order.
    Ordered,
    /// There is none: this must come before itself.
    Cycle(Vec<Edge<Why>>),
    /// Neither is known: what must come before what.
    Partly(Vec<(u32, u32)>),
}

/// Applies the rules to a history and an order of some writes.
pub(super) fn saturate(relations: &Relations, ordered: Vec<(u32, u32)>, budget: Budget) -> Saturated {
    let mut graph = begin(relations, ordered);
    let writes = KeyWrites::new(relations);
    let readers = readers(relations);
    let mut steps = 0u64;
    loop {
        let order = match graph.order() {
            Ok(order) => order,
            Err(cycle) => return Saturated::Cycle(cycle),
        };
        let edges = graph.edges().iter().map(|edge| (edge.from, edge.to));
        let clocks = Clocks::new(relations, edges, &order, budget).filter(|_| steps < budget.nodes);
        let pairs = || graph.edges().iter().map(|edge| (edge.from, edge.to)).collect();
        let Some(clocks) = clocks else { return Saturated::Partly(pairs()) };
        let new = follows(relations, &clocks, &writes, &readers);
        if new.is_empty() {
            return if are_ordered(relations, &clocks, &writes, &order) {
                Saturated::Ordered
            } else {
                Saturated::Partly(pairs())
            };
        }
        steps += (relations.accesses.len() * relations.count) as u64;
        for (from, to) in new {
            graph.edge(from, to, Why::Follows);
        }
    }
}

/// What is known from the beginning.
fn begin(relations: &Relations, ordered: Vec<(u32, u32)>) -> Graph<Why> {
    let mut graph = Graph::new(relations.accesses.len());
    for edge in causal::causes(relations).edges() {
        let why = if edge.why == causal::Why::Saw { Why::Saw } else { Why::Session };
        graph.edge(edge.from, edge.to, why);
    }
    for (before, after) in ordered {
        graph.edge(before, after, Why::Order);
    }
    let writes = KeyWrites::new(relations);
    // The last read of the initial value on each line says it for those before it.
    let mut last = BTreeMap::new();
    for (read, origin) in (0u32..).zip(&relations.origins) {
        if *origin == ReadsFrom::Initial {
            last.insert((relations.accesses[read as usize].key, relations.lines[read as usize].0), read);
        }
    }
    for ((key, _), read) in last {
        for (_, on_line) in writes.of(key) {
            // What saw the initial value and replaced it comes before its own line's next write.
            let other = on_line.iter().find(|(_, write)| *write != read);
            if let Some((_, write)) = other {
                graph.edge(read, *write, Why::Replaced);
            }
        }
    }
    graph
}

/// Of each write, the last reader on each line.
fn readers(relations: &Relations) -> Vec<Vec<u32>> {
    let mut readers: Vec<Vec<u32>> = vec![Vec::new(); relations.accesses.len()];
    for (read, origin) in (0u32..).zip(&relations.origins) {
        if let ReadsFrom::Write(write) = origin {
            let line = |read: u32| relations.lines[read as usize].0;
            let of = &mut readers[*write as usize];
            match of.iter_mut().find(|other| line(**other) == line(read)) {
                Some(earlier) => *earlier = read,
                None => of.push(read),
            }
        }
    }
    readers
}

/// What follows and is not known yet.
fn follows(
    relations: &Relations,
    clocks: &Clocks,
    writes: &KeyWrites,
    readers: &[Vec<u32>],
) -> Vec<(u32, u32)> {
    let mut new = Vec::new();
    // By line: its last reader that must come before the operation at hand. Those before it on the line then do as well.
    let mut last: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for operation in 0..relations.accesses.len() as u32 {
        let is_write = written(relations.call(operation)).is_some();
        for before in writes.last_before(relations, clocks, operation) {
            if let ReadsFrom::Write(origin) = relations.origins[operation as usize]
                && before != origin
                && !clocks.is_before(relations, before, origin)
            {
                new.push((before, origin));
            }
            let readers = readers[before as usize].iter().filter(|_| is_write);
            for reader in readers.filter(|reader| **reader != operation) {
                let (line, place) = relations.lines[*reader as usize];
                if !clocks.is_before(relations, *reader, operation) {
                    let latest = last.entry(line).or_default();
                    *latest = (*latest).max((place, *reader));
                }
            }
        }
        new.extend(std::mem::take(&mut last).into_values().map(|(_, reader)| (reader, operation)));
    }
    new.sort_unstable();
    new.dedup();
    new
}

/// Whether the writes of each key stand in one order.
fn are_ordered(relations: &Relations, clocks: &Clocks, writes: &KeyWrites, order: &[u32]) -> bool {
    let mut places = vec![0u32; order.len()];
    (0u32..).zip(order).for_each(|(place, node)| places[*node as usize] = place);
    writes.keys().all(|key| {
        let of_key = writes.of(key).iter().flat_map(|(_, on)| on.iter().map(|(_, write)| *write));
        let mut all: Vec<u32> = of_key.collect();
        all.sort_by_key(|write| places[*write as usize]);
        all.windows(2).all(|pair| clocks.is_before(relations, pair[0], pair[1]))
    })
}
