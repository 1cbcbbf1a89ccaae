//! A graph that is kept in order while edges come and go (D. Pearce and P. Kelly, "A dynamic topological sort algorithm for directed
//! acyclic graphs", 2006).

use crate::check::transactions::polygraph::{NONE, Polygraph};

/// For what an edge is there: a side of a choice, `2 * choice + side`, or [`NONE`] if it always is.
pub(super) type Literal = u32;

/// An edge at a node: the other node, and for which literal it is there.
type Half = (u32, Literal);

/// The graph, in order.
pub(super) struct Ordered {
    leaving: Vec<Vec<Half>>,
    entering: Vec<Vec<Half>>,
    /// By node: its place.
    pub place: Vec<u32>,
    met: Vec<u32>,
    round: u32,
    /// By node: the edge by which a search came to it.
    by: Vec<Half>,
    /// How many edges were looked at.
    pub steps: u64,
}

impl Ordered {
    pub fn new(polygraph: &Polygraph, order: &[u32]) -> Self {
        let nodes = polygraph.known.nodes();
        let mut place = vec![0; nodes];
        (0u32..).zip(order).for_each(|(at, node)| place[*node as usize] = at);
        let mut ordered = Ordered {
            leaving: vec![Vec::new(); nodes],
            entering: vec![Vec::new(); nodes],
            place,
            met: vec![0; nodes],
            round: 0,
            by: vec![(NONE, NONE); nodes],
            steps: 0,
        };
        for edge in polygraph.known.edges() {
            ordered.leaving[edge.from as usize].push((edge.to, NONE));
            ordered.entering[edge.to as usize].push((edge.from, NONE));
        }
        ordered
    }

    fn meets(&mut self, node: u32) -> bool {
        std::mem::replace(&mut self.met[node as usize], self.round) != self.round
    }

    /// Adds an edge, unless it closes a cycle: then the literals of the others in it.
    pub fn add(&mut self, from: u32, to: u32, literal: Literal) -> Result<(), Vec<Literal>> {
        let (low, high) = (self.place[to as usize], self.place[from as usize]);
        if from == to {
            return Err(Vec::new());
        }
        if low < high {
            let after = self.forwards(from, to, high)?;
            let before = self.backwards(from, low);
            self.reorder(before, after);
        }
        self.leaving[from as usize].push((to, literal));
        self.entering[to as usize].push((from, literal));
        Ok(())
    }

    /// What `to` leads to, up to a place; if that is `from`, there is a cycle.
    fn forwards(&mut self, from: u32, to: u32, high: u32) -> Result<Vec<u32>, Vec<Literal>> {
        self.round += 1;
        self.meets(to);
        let mut found = vec![to];
        let mut done = 0;
        while let Some(node) = found.get(done).copied() {
            done += 1;
            for at in 0..self.leaving[node as usize].len() {
                self.steps += 1;
                let (next, literal) = self.leaving[node as usize][at];
                if next == from {
                    self.by[next as usize] = (node, literal);
                    return Err(self.trace(from, to));
                }
                if self.place[next as usize] < high && self.meets(next) {
                    self.by[next as usize] = (node, literal);
                    found.push(next);
                }
            }
        }
        Ok(found)
    }

    fn trace(&self, from: u32, to: u32) -> Vec<Literal> {
        let (mut literals, mut at) = (Vec::new(), from);
        while at != to {
            let (before, literal) = self.by[at as usize];
            literals.push(literal);
            at = before;
        }
        literals.retain(|literal| *literal != NONE);
        literals
    }

    fn backwards(&mut self, from: u32, low: u32) -> Vec<u32> {
        self.round += 1;
        self.meets(from);
        let mut found = vec![from];
        let mut done = 0;
        while let Some(node) = found.get(done).copied() {
            done += 1;
            for at in 0..self.entering[node as usize].len() {
                self.steps += 1;
                let (next, _) = self.entering[node as usize][at];
                if self.place[next as usize] > low && self.meets(next) {
                    found.push(next);
                }
            }
        }
        found
    }

    /// Those before take the first of all their places, those after the others.
    fn reorder(&mut self, mut before: Vec<u32>, mut after: Vec<u32>) {
        before.sort_unstable_by_key(|node| self.place[*node as usize]);
        after.sort_unstable_by_key(|node| self.place[*node as usize]);
        let nodes: Vec<u32> = before.into_iter().chain(after).collect();
        let mut places: Vec<u32> = nodes.iter().map(|node| self.place[*node as usize]).collect();
        places.sort_unstable();
        nodes.iter().zip(places).for_each(|(node, place)| self.place[*node as usize] = place);
    }

    /// Takes back the last edge from a node, which is the last to another.
    pub fn remove(&mut self, from: u32, to: u32) {
        self.leaving[from as usize].pop();
        self.entering[to as usize].pop();
    }

    /// The literals of the edges from one node to another.
    pub fn way(&mut self, from: u32, to: u32) -> Vec<Literal> {
        self.round += 1;
        self.meets(from);
        let mut found = vec![from];
        let mut done = 0;
        while let Some(node) = found.get(done).copied() {
            done += 1;
            for at in 0..self.leaving[node as usize].len() {
                let (next, literal) = self.leaving[node as usize][at];
                if self.meets(next) {
                    self.by[next as usize] = (node, literal);
                    found.push(next);
                }
                if next == to {
                    return self.trace(to, from);
                }
            }
        }
        Vec::new()
    }
}
