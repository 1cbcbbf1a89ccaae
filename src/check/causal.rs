//! Causal consistency: what an operation may depend on is visible to it.
//!
//! A. Bouajjani, C. Enea, R. Guerraoui and J. Hamza, "On verifying causal consistency" (POPL 2017): *co* is the least order that
//! contains what each session did and that a read comes after the write that it saw. If written values differ, a history
//! is causally consistent (their CC) just if it has none of four patterns:
//!
//! * **ThinAirRead**: a value that nobody wrote;
//! * **CyclicCO**: something comes before itself;
//! * **WriteCOInitRead**: the initial value is seen though a write of the key comes before the read;
//! * **WriteCORead**: w is seen though another write of the key comes after w and before the read.
//!
//! What comes before an operation is a vector clock: of each line of operations, how many. Of the writes of a key on a line
//! the last one before a read decides, so n operations on k lines cost O(n·k). A cas is a read and then a write.

#[cfg(test)]
mod tests;

use crate::check::clocks::{Clocks, KeyWrites};
use crate::check::graph::{Edge, Graph};
use crate::check::history::Texts;
use crate::check::relations::{Access, Origin, Relations};
use crate::check::search::Budget;
use crate::check::{Verdict, Witness};

/// Why an operation comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// One session did them in this order.
    Session,
    /// The second saw what the first wrote.
    Saw,
}

/// Judges whether a history is causally consistent. Undecided if values repeat, or if the clocks would take more memory
/// than the budget has.
pub fn check(accesses: &[Access], initial: i64, texts: &Texts, budget: Budget) -> Verdict {
    let relations = match Relations::of(accesses, initial, texts) {
        Ok(relations) => relations,
        Err(verdict) => return verdict,
    };
    let graph = causes(&relations);
    let order = match graph.order() {
        Ok(order) => order,
        Err(circle) => return Verdict::Violated(cyclic(&relations, texts, &circle)),
    };
    let edges = graph.edges().iter().map(|edge| (edge.from, edge.to));
    let Some(clocks) = Clocks::new(&relations, edges, &order, budget) else {
        return Clocks::too_large(&relations, budget);
    };
    let writes = KeyWrites::new(&relations);
    for read in 0..relations.accesses.len() as u32 {
        if let Some(between) = overwritten(&relations, &clocks, &writes, read) {
            return Verdict::Violated(witness(&relations, texts, &graph, read, between));
        }
    }
    Verdict::Holds
}

/// Sessions and what reads saw, as a graph.
pub(super) fn causes(relations: &Relations) -> Graph<Why> {
    let mut graph = Graph::new(relations.accesses.len());
    for (before, after) in relations.session_pairs() {
        graph.edge(before, after, Why::Session);
    }
    for (read, origin) in (0u32..).zip(&relations.origins) {
        if let Origin::Write(write) = origin {
            graph.edge(*write, read, Why::Saw);
        }
    }
    graph
}

/// A write that comes before a read and after what it saw.
fn overwritten(relations: &Relations, clocks: &Clocks, writes: &KeyWrites, read: u32) -> Option<u32> {
    let origin = relations.origins[read as usize];
    if origin == Origin::None {
        return None;
    }
    let after_origin = |write: &u32| match origin {
        Origin::Write(origin) => *write != origin && clocks.is_before(relations, origin, *write),
        _ => true,
    };
    writes.last_before(relations, clocks, read).find(after_origin)
}

fn witness(relations: &Relations, texts: &Texts, graph: &Graph<Why>, read: u32, between: u32) -> Witness {
    let mut operations = vec![read, between];
    let way = graph.path(between, read);
    operations.extend(way.iter().map(|edge| edge.from));
    let (read_told, between_told) = (relations.told(read, texts), relations.told(between, texts));
    let how = ways(relations, texts, &way);
    let sentence = match relations.origins[read as usize] {
        Origin::Write(origin) => {
            let first = graph.path(origin, between);
            operations.extend(first.iter().map(|edge| edge.from));
            format!(
                "{read_told} saw what {between_told} had replaced: {}, and {how}",
                ways(relations, texts, &first)
            )
        }
        _ => format!("{read_told} saw the initial value after {between_told}: {how}"),
    };
    Witness { sentence, operations: places(relations, &operations) }
}

fn cyclic(relations: &Relations, texts: &Texts, circle: &[Edge<Why>]) -> Witness {
    let operations: Vec<u32> = circle.iter().map(|edge| edge.from).collect();
    let sentence = match circle {
        [only] => format!("{} saw its own value", relations.told(only.from, texts)),
        _ => format!("operations come before themselves: {}", ways(relations, texts, circle)),
    };
    Witness { sentence, operations: places(relations, &operations) }
}

/// How one thing led to another.
fn ways(relations: &Relations, texts: &Texts, edges: &[Edge<Why>]) -> String {
    let step = |edge: &Edge<Why>| {
        let (from, to) = (relations.told(edge.from, texts), relations.told(edge.to, texts));
        match edge.why {
            Why::Session => format!("{from} came before {to}"),
            Why::Saw => format!("{to} saw {from}"),
        }
    };
    edges.iter().map(step).collect::<Vec<_>>().join(", ")
}

pub(super) fn places(relations: &Relations, operations: &[u32]) -> Vec<usize> {
    let mut places: Vec<usize> = operations.iter().map(|number| relations.place(*number)).collect();
    places.sort_unstable();
    places.dedup();
    places
}
