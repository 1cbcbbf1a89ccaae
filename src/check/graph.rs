//! What must come before what, as a graph; and if that is impossible, the smallest cycle that shows it.

use std::collections::VecDeque;

/// Looking for a smaller cycle goes over so many edges at most; then the smallest of those found is given.
const STEPS_MAX: usize = 5_000_000;
/// No node.
const NONE: u32 = u32::MAX;

/// One thing comes before another, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge<W> {
    /// The earlier one.
    pub from: u32,
    /// The later one.
    pub to: u32,
    /// Why.
    pub why: W,
}

/// A graph of so many nodes.
#[derive(Clone, Debug)]
pub struct Graph<W> {
    nodes: usize,
    edges: Vec<Edge<W>>,
}

/// The edges that leave each node.
pub struct Leaving {
    starts: Vec<u32>,
    edges: Vec<u32>,
}

impl Leaving {
    /// The numbers of a node's edges, in the order in which they were added.
    pub fn of(&self, node: u32) -> &[u32] {
        &self.edges[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }
}

impl<W: Copy> Graph<W> {
    /// A graph without edges.
    pub fn new(nodes: usize) -> Self {
        Graph { nodes, edges: Vec::new() }
    }

    /// One more node.
    pub fn node(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes as u32 - 1
    }

    /// One more edge.
    pub fn edge(&mut self, from: u32, to: u32, why: W) {
        self.edges.push(Edge { from, to, why });
    }

    /// Takes back all edges but the first so many.
    pub fn truncate(&mut self, edges: usize) {
        self.edges.truncate(edges);
    }

    /// All edges, in the order in which they were added.
    pub fn edges(&self) -> &[Edge<W>] {
        &self.edges
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The edges by where they begin.
    pub fn leaving(&self) -> Leaving {
        let mut starts = vec![0u32; self.nodes + 1];
        for edge in &self.edges {
            starts[edge.from as usize + 1] += 1;
        }
        for node in 0..self.nodes {
            starts[node + 1] += starts[node];
        }
        let mut at = starts.clone();
        let mut edges = vec![0; self.edges.len()];
        for (number, edge) in self.edges.iter().enumerate() {
            let place = &mut at[edge.from as usize];
            edges[*place as usize] = number as u32;
            *place += 1;
        }
        Leaving { starts, edges }
    }

    /// The nodes in an order that every edge agrees with.
    ///
    /// # Errors
    /// There is none: a cycle, as its edges one after the other. It is a smallest one unless the graph is huge.
    pub fn order(&self) -> Result<Vec<u32>, Vec<Edge<W>>> {
        let leaving = self.leaving();
        let (order, entering) = self.sorted(&leaving);
        if order.len() == self.nodes { Ok(order) } else { Err(self.cycle(&leaving, &entering)) }
    }

    /// Whether there is such an order.
    pub fn has_order(&self) -> bool {
        self.sorted(&self.leaving()).0.len() == self.nodes
    }

    /// The nodes that come after no cycle, in order; and for each node how many edges enter it from others (A. Kahn 1962).
    fn sorted(&self, leaving: &Leaving) -> (Vec<u32>, Vec<u32>) {
        let mut entering = vec![0u32; self.nodes];
        for edge in &self.edges {
            entering[edge.to as usize] += 1;
        }
        let mut order: Vec<u32> = Vec::with_capacity(self.nodes);
        order.extend((0..self.nodes as u32).filter(|node| entering[*node as usize] == 0));
        let mut done = 0;
        while let Some(node) = order.get(done).copied() {
            done += 1;
            for edge in leaving.of(node) {
                let to = self.edges[*edge as usize].to;
                entering[to as usize] -= 1;
                if entering[to as usize] == 0 {
                    order.push(to);
                }
            }
        }
        (order, entering)
    }

    /// A smallest cycle, by a search in breadth from every node that may be in one.
    fn cycle(&self, leaving: &Leaving, entering: &[u32]) -> Vec<Edge<W>> {
        let mut best = self.some_cycle(entering);
        let mut reached = vec![(NONE, NONE); self.nodes]; // from where the search began, by which edge
        let mut steps = 0;
        for start in (0..self.nodes as u32).filter(|node| entering[*node as usize] > 0) {
            let mut queue = VecDeque::from([(start, 0usize)]);
            'search: while let Some((node, depth)) = queue.pop_front() {
                if depth + 1 >= best.len() {
                    break;
                }
                for number in leaving.of(node) {
                    steps += 1;
                    let to = self.edges[*number as usize].to;
                    if to == start {
                        best = self.trace(&reached, *number, start);
                        break 'search;
                    }
                    if reached[to as usize].0 != start && entering[to as usize] > 0 {
                        reached[to as usize] = (start, *number);
                        queue.push_back((to, depth + 1));
                    }
                }
                if steps > STEPS_MAX {
                    return best;
                }
            }
        }
        best
    }

    /// Some cycle: what an edge enters from a node that has one entering, it can be followed back for ever.
    fn some_cycle(&self, entering: &[u32]) -> Vec<Edge<W>> {
        let mut by = vec![NONE; self.nodes];
        for (number, edge) in (0u32..).zip(&self.edges) {
            if entering[edge.from as usize] > 0 && entering[edge.to as usize] > 0 {
                by[edge.to as usize] = number;
            }
        }
        let first = by.iter().find(|number| **number != NONE).expect("there is a cycle");
        let mut node = self.edges[*first as usize].to;
        // After as many steps as there are nodes it is in the cycle.
        for _ in 0..self.nodes {
            node = self.edges[by[node as usize] as usize].from;
        }
        let (start, mut cycle) = (node, Vec::new());
        while cycle.is_empty() || node != start {
            let edge = self.edges[by[node as usize] as usize];
            cycle.push(edge);
            node = edge.from;
        }
        cycle.reverse();
        // As the others, it begins with its first node.
        let first = (0..cycle.len()).min_by_key(|place| cycle[*place].from).unwrap_or(0);
        cycle.rotate_left(first);
        cycle
    }

    /// The fewest edges that lead from one node to another; none if nothing does.
    pub fn path(&self, from: u32, to: u32) -> Vec<Edge<W>> {
        let leaving = self.leaving();
        let mut reached = vec![(NONE, NONE); self.nodes];
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for number in leaving.of(node) {
                let next = self.edges[*number as usize].to;
                if next == to {
                    return self.trace(&reached, *number, from);
                }
                if reached[next as usize].0 == NONE {
                    reached[next as usize] = (from, *number);
                    queue.push_back(next);
                }
            }
        }
        Vec::new()
    }

    /// The edges by which a search that began at `start` came to its `last` one.
    fn trace(&self, reached: &[(u32, u32)], last: u32, start: u32) -> Vec<Edge<W>> {
        let mut path = vec![self.edges[last as usize]];
        while path[path.len() - 1].from != start {
            let by = reached[path[path.len() - 1].from as usize].1;
            path.push(self.edges[by as usize]);
        }
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(u32, u32)]) -> Graph<()> {
        let nodes = edges.iter().map(|(from, to)| from.max(to) + 1).max().unwrap_or(0);
        let mut graph = Graph::new(nodes as usize);
        for (from, to) in edges {
            graph.edge(*from, *to, ());
        }
        graph
    }

    #[test]
    fn an_order_agrees_with_every_edge() {
        let edges = [(3, 1), (1, 0), (3, 0), (2, 1)];
        let order = graph(&edges).order().unwrap();
        let place = |node: u32| order.iter().position(|other| *other == node).unwrap();
        assert!(order.len() == 4 && edges.iter().all(|(from, to)| place(*from) < place(*to)));
    }

    #[test]
    fn the_smallest_cycle_is_found() {
        let edges = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 4), (2, 4), (6, 7), (7, 8)];
        let cycle = graph(&edges).order().unwrap_err();
        let ends: Vec<(u32, u32)> = cycle.iter().map(|edge| (edge.from, edge.to)).collect();
        assert_eq!(ends, [(4, 5), (5, 6), (6, 4)]);
        assert_eq!(graph(&[(0, 1), (1, 1)]).order().unwrap_err().len(), 1, "before itself");
        let ends = |edges: Vec<Edge<()>>| edges.iter().map(|edge| edge.to).collect::<Vec<u32>>();
        assert_eq!(ends(graph(&edges).path(0, 5)), [1, 2, 4, 5]);
        assert_eq!(ends(graph(&edges).path(8, 0)), [0; 0]);
    }
}
