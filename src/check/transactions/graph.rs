//! Dependencies between transactions as a graph, and the smallest cycle of each kind in it.
//!
//! A cycle lies within one strongly connected component, so those are found first, in linear time; a history without anomalies has none
//! of more than one transaction and is done then. Within one, each kind is a search in breadth over (transaction, what
//! was passed so far). A cycle with several reads of what was overwritten is looked for as the shortest walk from each such read
//! back to itself; where such a walk passes a transaction twice it is made of smaller cycles and left out, so where there are smaller
//! ones of a worse kind a [`Kind::G2Item`] can be missed.

use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use crate::check::graph::{self, Leaving};
use crate::check::transactions::levels::Kind;

/// Edges that are looked at in all for one kind; then the smallest cycle found so far is given.
const STEPS_MAX: u64 = 50_000_000;
/// No place.
const NONE: u32 = u32::MAX;

/// How one transaction depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It wrote over the other's version.
    Ww,
    /// It read the other's version.
    Wr,
    /// The other read a version before it wrote the next.
    Rw,
}

/// What a dependency is about: the key, the version of the earlier one and the version of the later one. A value of a list stands for all
/// up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// Which dependency.
    pub how: How,
    /// Of which key.
    pub key: u32,
    /// What was overwritten, written or read.
    pub before: i64,
    /// What was written or read instead.
    pub after: i64,
}

/// One transaction comes before another.
pub type Edge = graph::Edge<Why>;

/// Transactions and what they depend on. Nodes from the number of transactions on stand for "all who replaced a version": an edge into
/// one and an edge out of it are one dependency, so that those of many readers on many writers are not one by one.
#[derive(Clone, Debug)]
pub struct Graph {
    transactions: u32,
    all: graph::Graph<Why>,
}

/// A cycle: its dependencies, one after the other.
pub type Cycle = Vec<Edge>;

/// What a walk has passed: bit 0: the last dependency was a read of what was overwritten; bit 1: there is one besides the first.
type Passed = u8;
const JUST_NOW: Passed = 1;
const ANOTHER: Passed = 2;

/// What cycles of a kind are made of.
struct Search {
    kind: Kind,
    /// The dependency that a cycle of this kind has, by which it is looked for.
    begins: fn(How) -> bool,
    /// What may follow what was passed.
    follows: fn(Passed, How) -> Option<Passed>,
    /// Whether a walk that has passed this may end where it began.
    ends: fn(Passed) -> bool,
}

fn only_writes(_: Passed, how: How) -> Option<Passed> {
    (how == How::Ww).then_some(0)
}

fn no_overwritten(_: Passed, how: How) -> Option<Passed> {
    (how != How::Rw).then_some(0)
}

/// Two in a row come first.
fn in_a_row(passed: Passed, how: How) -> Option<Passed> {
    (passed & ANOTHER != 0 || how == How::Rw).then_some(ANOTHER)
}

/// Two reads of what was overwritten do not follow each other.
fn apart(passed: Passed, how: How) -> Option<Passed> {
    match how {
        How::Rw if passed & JUST_NOW != 0 => None,
        How::Rw => Some(JUST_NOW | ANOTHER),
        How::Ww | How::Wr => Some(passed & ANOTHER),
    }
}

const SEARCHES: [Search; 5] = [
    Search { kind: Kind::G0, begins: |how| how == How::Ww, follows: only_writes, ends: |_| true },
    Search { kind: Kind::G1c, begins: |how| how == How::Wr, follows: no_overwritten, ends: |_| true },
    Search { kind: Kind::GSingle, begins: |how| how == How::Rw, follows: no_overwritten, ends: |_| true },
    Search {
        kind: Kind::GNonadjacent,
        begins: |how| how == How::Rw,
        follows: apart,
        ends: |passed| passed == ANOTHER,
    },
    Search {
        kind: Kind::G2Item,
        begins: |how| how == How::Rw,
        follows: in_a_row,
        ends: |passed| passed == ANOTHER,
    },
];

impl Graph {
    /// A graph of so many transactions without dependencies.
    pub fn new(transactions: usize) -> Self {
        Graph { transactions: transactions as u32, all: graph::Graph::new(transactions) }
    }

    /// One more dependency.
    pub fn edge(&mut self, edge: Edge) {
        self.all.edge(edge.from, edge.to, edge.why);
    }

    /// A node that stands for all who replaced a version.
    pub fn node(&mut self) -> u32 {
        self.all.node()
    }

    /// A smallest cycle of each kind that there is, and whether all were looked for.
    pub fn cycles(&self) -> (Vec<(Kind, Cycle)>, bool) {
        let Some(tangle) = self.tangle() else { return (Vec::new(), true) };
        let (mut found, mut all) = (Vec::new(), true);
        for search in &SEARCHES {
            let mut walk = Walk::new(&tangle, search);
            if let Some(cycle) = walk.smallest() {
                found.push((search.kind, cycle));
            }
            all &= walk.steps < STEPS_MAX;
        }
        (found, all)
    }

    /// The dependencies within components of several transactions, by where they begin; `None` if there are none.
    fn tangle(&self) -> Option<Tangle> {
        let (nodes, edges) = (self.all.nodes(), self.all.edges());
        let mut plain: DiGraph<(), (), u32> = DiGraph::with_capacity(nodes, edges.len());
        (0..nodes).for_each(|_| {
            plain.add_node(());
        });
        plain.extend_with_edges(edges.iter().map(|edge| (edge.from, edge.to)));
        let mut component = vec![NONE; nodes];
        for (number, members) in kosaraju_scc(&plain).into_iter().enumerate().filter(|(_, of)| of.len() > 1) {
            members.iter().for_each(|member| component[member.index()] = number as u32);
        }
        let within = |edge: &&Edge| {
            let of = component[edge.from as usize];
            of != NONE && of == component[edge.to as usize]
        };
        // Of cycles that are as small the one that begins earliest is told.
        let mut within: Vec<&Edge> = edges.iter().filter(within).collect();
        within.sort_by_key(|edge| edge.from);
        let mut inner = graph::Graph::new(nodes);
        within.iter().for_each(|edge| inner.edge(edge.from, edge.to, edge.why));
        let leaving = inner.leaving();
        (!inner.edges().is_empty()).then_some(Tangle { transactions: self.transactions, inner, leaving })
    }
}

/// Dependencies that are part of cycles.
struct Tangle {
    transactions: u32,
    inner: graph::Graph<Why>,
    leaving: Leaving,
}

impl Tangle {
    fn edges(&self) -> &[Edge] {
        self.inner.edges()
    }

    fn is_transaction(&self, node: u32) -> bool {
        node < self.transactions
    }
}

/// A search in breadth for cycles of one kind.
struct Walk<'a> {
    tangle: &'a Tangle,
    search: &'a Search,
    /// By (node, what was passed): in which search it was reached last, by which edge, from what.
    reached: Vec<(u32, u32, Passed)>,
    steps: u64,
}

impl<'a> Walk<'a> {
    fn new(tangle: &'a Tangle, search: &'a Search) -> Self {
        let states = tangle.inner.nodes() * 4;
        Walk { tangle, search, reached: vec![(NONE, NONE, 0); states], steps: 0 }
    }

    /// A cycle with the fewest transactions.
    fn smallest(&mut self) -> Option<Cycle> {
        let mut best: Option<Cycle> = None;
        for (first, edge) in (0u32..).zip(self.tangle.edges()) {
            // Both halves of a dependency have its kind: it is looked for by the one that a transaction begins.
            if !(self.search.begins)(edge.why.how) || !self.tangle.is_transaction(edge.from) {
                continue;
            }
            let most = best.as_ref().map_or(usize::MAX, Vec::len);
            if most == 2 || self.steps >= STEPS_MAX {
                break;
            }
            if let Some(cycle) = self.back(first, most) {
                best = Some(cycle);
            }
        }
        best
    }

    /// The shortest way from an edge's end to its beginning that makes a cycle of fewer than `most` transactions.
    fn back(&mut self, first: u32, most: usize) -> Option<Cycle> {
        let tangle = self.tangle;
        let edge = tangle.edges()[first as usize];
        let passed = if self.search.kind == Kind::GNonadjacent { JUST_NOW } else { 0 };
        let mut queue = VecDeque::from([(edge.to, passed, usize::from(tangle.is_transaction(edge.to)))]);
        self.reached[edge.to as usize * 4 + passed as usize] = (first, first, passed);
        let mut halves = Vec::new();
        while let Some((node, passed, length)) = queue.pop_front() {
            if length + 1 >= most || self.steps >= STEPS_MAX {
                return None;
            }
            halves.push((node, passed));
            while let Some((node, passed)) = halves.pop() {
                for number in tangle.leaving.of(node).iter().copied() {
                    self.steps += 1;
                    let next = tangle.edges()[number as usize];
                    // The second half of a dependency counts as what its first half was.
                    let whole = tangle.is_transaction(node);
                    let now = if whole { (self.search.follows)(passed, next.why.how) } else { Some(passed) };
                    let Some(now) = now else { continue };
                    if next.to == edge.from {
                        let ends = (self.search.ends)(now);
                        if let Some(cycle) = ends.then(|| self.trace(first, number, passed)).flatten() {
                            return Some(cycle);
                        }
                        continue;
                    }
                    let state = &mut self.reached[next.to as usize * 4 + now as usize];
                    if state.0 == first {
                        continue;
                    }
                    *state = (first, number, passed);
                    match tangle.is_transaction(next.to) {
                        true => queue.push_back((next.to, now, length + 1)),
                        false => halves.push((next.to, now)),
                    }
                }
            }
        }
        None
    }

    /// The cycle of a walk, if it passes no transaction twice: from its first edge to its last, before which `passed` held.
    fn trace(&self, first: u32, last: u32, passed: Passed) -> Option<Cycle> {
        let edges = self.tangle.edges();
        let mut walk = vec![edges[last as usize]];
        let (mut node, mut passed) = (edges[last as usize].from, passed);
        loop {
            let (_, by, before) = self.reached[node as usize * 4 + passed as usize];
            walk.push(edges[by as usize]);
            if by == first {
                break;
            }
            (node, passed) = (edges[by as usize].from, before);
        }
        walk.reverse();
        let mut cycle: Cycle = Vec::new();
        for edge in walk {
            match cycle.last_mut() {
                // Two halves make one dependency: the key is the same, the version read is the first half's.
                Some(half) if !self.tangle.is_transaction(half.to) => {
                    half.to = edge.to;
                    half.why.after = edge.why.after;
                }
                _ => cycle.push(edge),
            }
        }
        let mut seen: Vec<u32> = cycle.iter().map(|edge| edge.from).collect();
        seen.sort_unstable();
        let simple = seen.windows(2).all(|pair| pair[0] != pair[1]);
        (simple && cycle.len() > 1).then_some(cycle)
    }
}
