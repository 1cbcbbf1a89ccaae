//! What is known decides choices: a version cannot be the first of two if that would close a cycle (Cobra, OSDI 2020).
//!
//! Who reaches whom is kept for so many targets at once and all nodes, in bits, so that memory stays within bounds.

use crate::check::graph::{Edge, Graph};
use crate::check::transactions::polygraph::{Choice, Polygraph};
use crate::check::transactions::room::Room;
use crate::check::transactions::weak::{Because, Broken, Step};

/// Targets at once, in words of 64.
const WORDS: usize = 16;
/// Edges that are passed with so many targets count as one step of a search.
const EDGES_A_STEP: u64 = 16;
/// Bytes of a question.
const QUESTION_BYTES: u64 = 16;

/// Whether a node reaches a target; and if it does, what cannot be.
#[derive(Clone, Copy)]
struct Question {
    target: u32,
    from: u32,
    about: About,
}

#[derive(Clone, Copy)]
enum About {
    /// This side (0 or 1) of this choice, as `2 * choice + side`.
    Side(u32),
    /// A reader saw a version that was overwritten in its sight, by the place among the bars.
    Bar(u32),
}

/// What pruning came to.
pub(super) enum Pruned {
    /// Nothing more is decided by what is known. The choices that are left are; so many were decided.
    Left(usize),
    /// There is no order.
    Broken(Broken),
}

/// Decides choices until nothing more follows, or so many steps have been made.
pub(super) fn prune(polygraph: &mut Polygraph, steps: &mut u64, room: &mut Room) -> Result<Pruned, String> {
    let mut order = Decided::new(polygraph);
    loop {
        let sorted = match polygraph.known.order() {
            Ok(sorted) => sorted,
            Err(cycle) => return Ok(Pruned::Broken(Broken::Cycle(polygraph.plain(&cycle)))),
        };
        let bytes = (polygraph.known.nodes() * (8 * WORDS + 8)) as u64
            + (2 * polygraph.choices.len() + polygraph.bars.len()) as u64 * QUESTION_BYTES
            + polygraph.known.edges().len() as u64 * 8;
        room.take(bytes)?;
        let found = reached(polygraph, &sorted, steps);
        room.give(bytes);
        let mut impossible = vec![[false; 2]; polygraph.choices.len()];
        for about in found {
            match about {
                About::Side(number) => impossible[number as usize / 2][number as usize % 2] = true,
                About::Bar(number) => return Ok(Pruned::Broken(barred(polygraph, number))),
            }
        }
        let choices = std::mem::take(&mut polygraph.choices);
        let before = choices.len();
        for (choice, impossible) in choices.into_iter().zip(impossible) {
            match impossible {
                [false, false] => polygraph.choices.push(choice),
                [true, true] => return Ok(Pruned::Broken(neither(polygraph, &choice))),
                [first_is_not, _] => order.add(choice, u8::from(first_is_not)),
            }
        }
        if before == polygraph.choices.len() || *steps == 0 {
            return Ok(Pruned::Left(order.count));
        }
        order.put(polygraph, room)?;
    }
}

/// What was decided.
struct Decided {
    count: usize,
    /// That from which all of it follows.
    all: Vec<(Choice, u8)>,
    /// Edges and bars that were known before.
    edges: usize,
    bars: usize,
}

impl Decided {
    fn new(polygraph: &Polygraph) -> Self {
        let (edges, bars) = (polygraph.known.edges().len(), polygraph.bars.len());
        Decided { count: 0, all: Vec::new(), edges, bars }
    }

    fn add(&mut self, choice: Choice, side: u8) {
        self.all.push((choice, side));
        self.count += 1;
    }

    /// Makes it known: of each key as few as the others follow from.
    fn put(&mut self, polygraph: &mut Polygraph, room: &mut Room) -> Result<(), String> {
        polygraph.known.truncate(self.edges);
        polygraph.bars.truncate(self.bars);
        self.all.sort_unstable_by_key(|(choice, side)| (choice.key, choice.first(), *side));
        let mut all = Vec::new();
        for of_key in self.all.chunk_by(|(one, _), (other, _)| one.key == other.key) {
            let kept = reduced(of_key, room)?;
            all.extend(kept.into_iter().map(|number| of_key[number as usize]));
        }
        self.all = all;
        for (choice, side) in &self.all {
            polygraph.choose(choice, usize::from(*side));
        }
        Ok(())
    }
}

/// The places of those decisions from which the others follow: what is before what is before another is before that (A. Aho, M. Garey,
/// J. Ullman, "The transitive reduction of a directed graph", 1972).
fn reduced(decided: &[(Choice, u8)], room: &mut Room) -> Result<Vec<u32>, String> {
    let mut runs: Vec<u32> = decided.iter().flat_map(|(choice, _)| choice.first()).collect();
    runs.sort_unstable();
    runs.dedup();
    let words = runs.len().div_ceil(64);
    let bytes = (runs.len() * words * 8 + decided.len() * 24) as u64;
    room.take(bytes)?;
    let number = |run: u32| runs.partition_point(|other| *other < run) as u32;
    let mut graph: Graph<u32> = Graph::new(runs.len());
    for (place, (choice, side)) in (0u32..).zip(decided) {
        let ends = choice.first().map(number);
        graph.edge(ends[usize::from(*side)], ends[1 - usize::from(*side)], place);
    }
    let mut kept = Vec::new();
    match graph.order() {
        // That they contradict each other is to be seen from all of them.
        Err(_) => kept.extend(0..decided.len() as u32),
        Ok(order) => {
            let mut rank = vec![0u32; runs.len()];
            (0u32..).zip(&order).for_each(|(at, run)| rank[*run as usize] = at);
            let leaving = graph.leaving();
            let mut after = vec![0u64; runs.len() * words];
            for run in order.iter().rev() {
                let mut edges: Vec<u32> = leaving.of(*run).to_vec();
                edges.sort_unstable_by_key(|edge| rank[graph.edges()[*edge as usize].to as usize]);
                for edge in edges {
                    let edge = graph.edges()[edge as usize];
                    let (from, to) = (*run as usize * words, edge.to as usize);
                    if after[from + to / 64] >> (to % 64) & 1 == 0 {
                        kept.push(edge.why);
                        after[from + to / 64] |= 1 << (to % 64);
                        for word in 0..words {
                            after[from + word] |= after[to * words + word];
                        }
                    }
                }
            }
        }
    }
    room.give(bytes);
    Ok(kept)
}

/// Neither of two versions can have been the first.
fn neither(polygraph: &Polygraph, choice: &Choice) -> Broken {
    let cycles = [0, 1].map(|side| {
        let mut with = polygraph.with_known_alone();
        with.choose(choice, side);
        cycle_of(&with)
    });
    Broken::Either { key: choice.key, cycles }
}

/// A cycle, or a way from who overwrote a version to who saw it and back.
fn cycle_of(polygraph: &Polygraph) -> Vec<Edge<Because>> {
    if let Err(cycle) = polygraph.known.order() {
        return polygraph.plain(&cycle);
    }
    for number in 0..polygraph.bars.len() {
        if let Some(cycle) = bar_cycle(polygraph, number as u32) {
            return cycle;
        }
    }
    Vec::new()
}

fn bar_cycle(polygraph: &Polygraph, number: u32) -> Option<Vec<Edge<Because>>> {
    let (by, reader, key) = polygraph.bars[number as usize];
    let mut path = polygraph.known.path(by, reader);
    if path.last().is_some_and(|edge| polygraph.transaction(edge.to).is_none()) {
        path.pop(); // from one of the readers to the node for all of them
    }
    let from = path.last()?.to;
    path.push(Edge { from, to: by, why: Because { step: Step::Rw, key } });
    Some(polygraph.plain(&path))
}

fn barred(polygraph: &Polygraph, number: u32) -> Broken {
    Broken::Cycle(bar_cycle(polygraph, number).unwrap_or_default())
}

/// What cannot be, since the one node does reach the other; of parallel snapshots also whether a known bar is passed.
fn reached(polygraph: &Polygraph, order: &[u32], steps: &mut u64) -> Vec<About> {
    let mut questions: Vec<Question> = Vec::with_capacity(2 * polygraph.choices.len());
    for (number, choice) in (0u32..).zip(&polygraph.choices) {
        for side in 0..2 {
            let chosen = polygraph.side(choice, side);
            let about = About::Side(2 * number + side as u32);
            for (from, to, _) in chosen.edges() {
                questions.push(Question { target: *from, from: *to, about });
            }
            if let Some((by, reader)) = chosen.bar {
                questions.push(Question { target: reader, from: by, about });
            }
        }
    }
    for (number, (by, reader, _)) in (0u32..).zip(&polygraph.bars) {
        questions.push(Question { target: *reader, from: *by, about: About::Bar(number) });
    }
    questions.sort_unstable_by_key(|question| question.target);
    let mut found = Vec::new();
    let nodes = polygraph.known.nodes();
    let leaving = polygraph.known.leaving();
    let edges = polygraph.known.edges();
    let mut column = vec![u32::MAX; nodes];
    let mut bits = vec![[0u64; WORDS]; nodes];
    let mut rest = questions.as_slice();
    while !rest.is_empty() {
        let (mut count, mut until, mut targets) = (0, 0, Vec::new());
        while let Some(question) = rest.get(until) {
            if column[question.target as usize] == u32::MAX {
                if count == 64 * WORDS as u32 {
                    break;
                }
                column[question.target as usize] = count;
                targets.push(question.target);
                count += 1;
            }
            until += 1;
        }
        *steps = steps.saturating_sub(edges.len() as u64 / EDGES_A_STEP);
        for node in order.iter().rev() {
            let mut reaches = [0u64; WORDS];
            for number in leaving.of(*node) {
                let to = edges[*number as usize].to as usize;
                reaches.iter_mut().zip(&bits[to]).for_each(|(all, of)| *all |= of);
                if column[to] != u32::MAX {
                    reaches[column[to] as usize / 64] |= 1 << (column[to] % 64);
                }
            }
            bits[*node as usize] = reaches;
        }
        for question in &rest[..until] {
            let at = column[question.target as usize];
            if bits[question.from as usize][at as usize / 64] >> (at % 64) & 1 == 1 {
                found.push(question.about);
            }
        }
        targets.iter().for_each(|target| column[*target as usize] = u32::MAX);
        rest = &rest[until..];
    }
    found
}

/// A known bar that is passed, by its place.
pub(super) fn passed(polygraph: &Polygraph, order: &[u32], steps: &mut u64) -> Option<u32> {
    reached(polygraph, order, steps).into_iter().find_map(|about| match about {
        About::Bar(number) => Some(number),
        About::Side(_) => None,
    })
}
