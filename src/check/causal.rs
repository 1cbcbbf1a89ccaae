//! Causal consistency, with convergence: what an operation may depend on is visible to it, and all agree in which order writes that know
//! nothing of each other are.
//!
//! A. Bouajjani, C. Enea, R. Guerraoui and J. Hamza, "On verifying causal consistency" (POPL 2017): *co* is the least order that
//! contains what each session did and that a read comes after the write that it saw. Their *causal convergence* (CCv) asks for one order of
//! all writes that contains co, such that each read sees the last write of its key among those that come before it in co. Their CC lets each read
//! have such an order of its own, and *causal memory* (CM) each session; both let copies disagree for ever. CCv is what transactions
//! call causal as well (A. Biswas and C. Enea, OOPSLA 2019), and what the stores here promise that merge.
//!
//! So a history that is causal keeps the four guarantees of [`session`](super::session), in one order of the writes. For let *arb* be the
//! order above. What a session wrote or saw of a key before a read comes before the read in co, so the read sees that or a later one in
//! arb: read your writes, monotonic reads. Of two writes of a session, or of a write that it saw and one that it did later, the first
//! comes before the second in co, which arb contains: monotonic writes, writes follow reads. (CC breaks monotonic reads: 1, 2 and 1 again
//! may be seen of two writes that know nothing of each other.)
//!
//! If written values differ, a history is causally convergent just if it has none of five patterns:
//!
//! * **ThinAirRead**: a value that nobody wrote;
//! * **CyclicCO**: something comes before itself;
//! * **WriteCOInitRead**: the initial value is seen though a write of the key comes before the read;
//! * **WriteCORead**: w is seen though another write of the key comes after w and before the read;
//! * **CyclicCF**: co has a cycle with the *conflicts*: w' → w where w is seen though w', of the same key, comes before the read too.
//!
//! What comes before an operation is a vector clock: of each line of operations, how many. Of the writes of a key on a line
//! the last one before a read decides, so n operations on k lines cost O(n·k). A cas is a read and then a write.

#[cfg(test)]
mod tests;

use crate::check::clocks::{Clocks, KeyWrites};
use crate::check::graph::{Edge, Graph};
use crate::check::history::Texts;
use crate::check::relations::{Access, ReadsFrom, Relations};
use crate::check::search::Budget;
use crate::check::{Verdict, Witness};

/// Why an operation comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// One session did them in this order.
    Session,
    /// The second saw what the first wrote.
    Saw,
    /// This read saw the second, though the first was visible to it.
    Conflict(u32),
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
        Err(cycle) => return Verdict::Violated(cyclic(&relations, texts, &cycle)),
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
    let mut graph = graph;
    for read in 0..relations.accesses.len() as u32 {
        let ReadsFrom::Write(origin) = relations.origins[read as usize] else { continue };
        for other in writes.last_before(&relations, &clocks, read).filter(|other| *other != origin) {
            graph.edge(other, origin, Why::Conflict(read));
        }
    }
    match graph.order() {
        Ok(_) => Verdict::Holds,
        Err(cycle) => Verdict::Violated(apart(&relations, texts, &cycle)),
    }
}

/// Why there is no one order of the writes.
fn apart(relations: &Relations, texts: &Texts, cycle: &[Edge<Why>]) -> Witness {
    let mut operations: Vec<u32> = cycle.iter().map(|edge| edge.from).collect();
    operations.extend(cycle.iter().filter_map(|edge| match edge.why {
        Why::Conflict(read) => Some(read),
        _ => None,
    }));
    let sentence = format!("no one order of the writes has it that {}", ways(relations, texts, cycle));
    Witness { sentence, operations: places(relations, &operations) }
}

/// Sessions and what reads saw, as a graph.
pub(super) fn causes(relations: &Relations) -> Graph<Why> {
    let mut graph = Graph::new(relations.accesses.len());
    for (before, after) in relations.session_pairs() {
        graph.edge(before, after, Why::Session);
    }
    for (read, origin) in (0u32..).zip(&relations.origins) {
        if let ReadsFrom::Write(write) = origin {
            graph.edge(*write, read, Why::Saw);
        }
    }
    graph
}

/// A write that comes before a read and after what it saw.
fn overwritten(relations: &Relations, clocks: &Clocks, writes: &KeyWrites, read: u32) -> Option<u32> {
    let origin = relations.origins[read as usize];
    if origin == ReadsFrom::None {
        return None;
    }
    let after_origin = |write: &u32| match origin {
        ReadsFrom::Write(origin) => *write != origin && clocks.is_before(relations, origin, *write),
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
        ReadsFrom::Write(origin) => {
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

fn cyclic(relations: &Relations, texts: &Texts, cycle: &[Edge<Why>]) -> Witness {
    let operations: Vec<u32> = cycle.iter().map(|edge| edge.from).collect();
    let sentence = match cycle {
        [only] => format!("{} saw its own value", relations.told(only.from, texts)),
        _ => format!("operations come before themselves: {}", ways(relations, texts, cycle)),
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
            Why::Conflict(read) => {
                format!("{} saw {to} though it knew of {from}", relations.told(read, texts))
            }
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
