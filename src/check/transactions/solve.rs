//! Looks for a side of each choice such that there is no cycle: a search that learns from conflicts (J. Marques-Silva and K. Sakallah, "GRASP",
//! 1999; "Chaff", 2001) over a graph that is kept in order. A choice is first tried as the order of the moment has it, which began as the recorded
//! one.

use std::collections::BinaryHeap;

use crate::check::transactions::ordered::{Literal, Ordered};
use crate::check::transactions::polygraph::{NONE, Polygraph};
use crate::check::transactions::room::Room;

/// Conflicts before the first restart.
const RESTART: u64 = 128;
/// How much more a conflict counts than the one before.
const DECAY: f64 = 1.0 / 0.95;

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Solved {
    /// The side of each choice.
    Sides(Vec<u8>),
    /// There are none.
    Exhausted,
    /// So many conflicts, and so many of the choices made at most at once.
    GaveUp(String),
}

/// The search.
pub(super) struct Solver<'a> {
    polygraph: &'a Polygraph,
    graph: Ordered,
    clauses: Vec<Vec<Literal>>,
    /// By literal: the clauses that watch it.
    watches: Vec<Vec<u32>>,
    /// By choice: 2 where it is open.
    value: Vec<u8>,
    level: Vec<u32>,
    reason: Vec<u32>,
    trail: Vec<Literal>,
    /// By place in the trail: how many of the literal's edges are in the graph.
    done: usize,
    edges_in: Vec<u8>,
    levels: Vec<usize>,
    activity: Vec<f64>,
    bump: f64,
    heap: BinaryHeap<(u64, u32)>,
    /// By choice: with which activity it stands in the heap last.
    queued: Vec<Option<u64>>,
    marked: Vec<bool>,
    pub conflicts: u64,
    furthest: usize,
}

/// Bytes of what is remembered of a choice and of a node.
const CHOICE_BYTES: u64 = 180;
const NODE_BYTES: u64 = 80;

impl<'a> Solver<'a> {
    /// With the nodes in an order that agrees with what is known.
    pub fn new(polygraph: &'a Polygraph, order: &[u32], room: &mut Room) -> Result<Self, String> {
        let choices = polygraph.choices.len();
        room.take(
            choices as u64 * CHOICE_BYTES
                + polygraph.known.nodes() as u64 * NODE_BYTES
                + polygraph.known.edges().len() as u64 * 24,
        )?;
        Ok(Solver {
            polygraph,
            graph: Ordered::new(polygraph, order),
            clauses: Vec::new(),
            watches: vec![Vec::new(); 2 * choices],
            value: vec![2; choices],
            level: vec![0; choices],
            reason: vec![NONE; choices],
            trail: Vec::new(),
            done: 0,
            edges_in: Vec::new(),
            levels: Vec::new(),
            activity: vec![0.0; choices],
            bump: 1.0,
            heap: (0..choices as u32).map(|choice| (0, NONE - choice)).collect(),
            queued: vec![Some(0); choices],
            marked: vec![false; choices],
            conflicts: 0,
            furthest: 0,
        })
    }

    fn is(&self, literal: Literal) -> Option<bool> {
        let value = self.value[literal as usize / 2];
        (value != 2).then(|| u32::from(value) == literal % 2)
    }

    /// Looks for sides within so many steps.
    pub fn solve(&mut self, steps: &mut u64, room: &mut Room) -> Solved {
        let mut until = RESTART;
        loop {
            let before = self.graph.steps;
            let conflict = self.propagate();
            *steps = steps.saturating_sub(1 + self.graph.steps - before);
            self.furthest = self.furthest.max(self.trail.len());
            if let Some(clause) = conflict {
                self.conflicts += 1;
                match self.learn(clause, room) {
                    Learnt::Something => {}
                    Learnt::Contradiction => return Solved::Exhausted,
                    Learnt::NoRoom => return self.gave_up(),
                }
                if self.conflicts >= until {
                    until = self.conflicts + until / 2 + RESTART;
                    self.back(0);
                }
                continue;
            }
            if *steps == 0 {
                return self.gave_up();
            }
            let Some(choice) = self.next() else { return Solved::Sides(self.value.clone()) };
            // As the order of the moment has it.
            let fits = |side: usize| {
                let chosen = self.polygraph.side(&self.polygraph.choices[choice as usize], side);
                let place = |node: u32| self.graph.place[node as usize];
                chosen.edges().iter().filter(|(from, to, _)| place(*from) > place(*to)).count()
            };
            let side = u32::from(fits(1) < fits(0));
            self.levels.push(self.trail.len());
            self.assign(2 * choice + side, NONE);
        }
    }

    fn gave_up(&self) -> Solved {
        Solved::GaveUp(format!(
            "after {} conflicts, with {} of {} open orders of two writes decided at most",
            self.conflicts,
            self.furthest,
            self.value.len()
        ))
    }

    fn next(&mut self) -> Option<u32> {
        while let Some((_, choice)) = self.heap.pop() {
            let choice = NONE - choice;
            self.queued[choice as usize] = None;
            if self.value[choice as usize] == 2 {
                return Some(choice);
            }
        }
        None
    }

    fn assign(&mut self, literal: Literal, reason: u32) {
        let choice = literal as usize / 2;
        self.value[choice] = (literal % 2) as u8;
        self.level[choice] = self.levels.len() as u32;
        self.reason[choice] = reason;
        self.trail.push(literal);
        self.edges_in.push(0);
    }

    /// Follows what follows; the clause that fails, as literals all of which are false.
    fn propagate(&mut self) -> Option<Vec<Literal>> {
        while let Some(literal) = self.trail.get(self.done).copied() {
            if let Some(clause) = self.enter(self.done, literal) {
                return Some(clause);
            }
            self.done += 1;
            if let Some(clause) = self.watch(literal ^ 1) {
                return Some(self.clauses[clause as usize].clone());
            }
        }
        None
    }

    /// Puts the edges of a literal in.
    fn enter(&mut self, at: usize, literal: Literal) -> Option<Vec<Literal>> {
        let choice = &self.polygraph.choices[literal as usize / 2];
        let side = self.polygraph.side(choice, literal as usize % 2);
        for (from, to, _) in side.edges() {
            if let Err(mut others) = self.graph.add(*from, *to, literal) {
                others.push(literal);
                others.sort_unstable();
                others.dedup();
                others.iter_mut().for_each(|literal| *literal ^= 1);
                return Some(others);
            }
            self.edges_in[at] += 1;
        }
        None
    }

    /// A literal has become false.
    fn watch(&mut self, literal: Literal) -> Option<u32> {
        let mut watching = std::mem::take(&mut self.watches[literal as usize]);
        let (mut at, mut failed) = (0, None);
        while let Some(number) = watching.get(at).copied() {
            let mut clause = std::mem::take(&mut self.clauses[number as usize]);
            if clause[0] == literal {
                clause.swap(0, 1);
            }
            let other = clause[0];
            let instead = match self.is(other) {
                Some(true) => None,
                _ => (2..clause.len()).find(|place| self.is(clause[*place]) != Some(false)),
            };
            match instead {
                Some(place) => {
                    clause.swap(1, place);
                    self.watches[clause[1] as usize].push(number);
                    watching.swap_remove(at);
                }
                None => {
                    at += 1;
                    match self.is(other) {
                        Some(true) => {}
                        Some(false) => failed = Some(number),
                        None => self.assign(other, number),
                    }
                }
            }
            self.clauses[number as usize] = clause;
            if failed.is_some() {
                break;
            }
        }
        self.watches[literal as usize] = watching;
        failed
    }

    /// Learns from a clause that fails, and goes back.
    fn learn(&mut self, mut clause: Vec<Literal>, room: &mut Room) -> Learnt {
        let highest = clause.iter().map(|literal| self.level[*literal as usize / 2]).max().unwrap_or(0);
        self.back(highest as usize);
        if highest == 0 {
            return Learnt::Contradiction;
        }
        let (mut learnt, mut open, mut at) = (Vec::new(), 0, self.trail.len());
        let mut touched = Vec::new();
        loop {
            for literal in clause.drain(..) {
                let choice = literal as usize / 2;
                if self.marked[choice] || self.level[choice] == 0 {
                    continue;
                }
                self.marked[choice] = true;
                touched.push(choice);
                self.more_active(choice);
                if self.level[choice] == highest { open += 1 } else { learnt.push(literal) }
            }
            let literal = loop {
                at -= 1;
                if self.marked[self.trail[at] as usize / 2] {
                    break self.trail[at];
                }
            };
            open -= 1;
            if open == 0 {
                learnt.push(literal ^ 1);
                break;
            }
            let reason = self.reason[literal as usize / 2];
            clause =
                self.clauses[reason as usize].iter().copied().filter(|other| *other != literal).collect();
        }
        touched.into_iter().for_each(|choice| self.marked[choice] = false);
        self.bump *= DECAY;
        let last = learnt.len() - 1;
        learnt.swap(0, last);
        let level = |literal: &Literal| self.level[*literal as usize / 2];
        let second = (1..learnt.len()).max_by_key(|place| level(&learnt[*place]));
        let to = second.map_or(0, |place| level(&learnt[place]));
        second.into_iter().for_each(|place| learnt.swap(1, place));
        self.back(to as usize);
        let number = self.clauses.len() as u32;
        let first = learnt[0];
        let taken = room.take(learnt.len() as u64 * 4 + 64).is_ok();
        if learnt.len() > 1 {
            learnt[..2].iter().for_each(|literal| self.watches[*literal as usize].push(number));
        }
        let alone = learnt.len() == 1;
        self.clauses.push(learnt);
        self.assign(first, if alone { NONE } else { number });
        if taken { Learnt::Something } else { Learnt::NoRoom }
    }

    fn more_active(&mut self, choice: usize) {
        self.activity[choice] += self.bump;
        if self.activity[choice] > 1e100 {
            self.activity.iter_mut().for_each(|activity| *activity *= 1e-100);
            self.bump *= 1e-100;
        }
    }

    /// Takes back what was decided above a level.
    fn back(&mut self, level: usize) {
        let Some(until) = self.levels.get(level).copied() else { return };
        while self.trail.len() > until {
            let (Some(literal), Some(edges)) = (self.trail.pop(), self.edges_in.pop()) else { break };
            let choice = literal as usize / 2;
            let side = self.polygraph.side(&self.polygraph.choices[choice], literal as usize % 2);
            for (from, to, _) in side.edges()[..edges as usize].iter().rev() {
                self.graph.remove(*from, *to);
            }
            self.value[choice] = 2;
            // Bits of floats that are not negative are in the order of the floats.
            let activity = self.activity[choice].to_bits();
            if self.queued[choice].replace(activity) != Some(activity) {
                self.heap.push((activity, NONE - choice as u32));
            }
        }
        self.done = self.done.min(until);
        self.levels.truncate(level);
    }

    /// What was chosen leads from one node to another: it must not. `also` was chosen as well.
    pub fn forbid(&mut self, from: u32, to: u32, also: Option<Literal>, room: &mut Room) -> Learnt {
        let mut clause = self.graph.way(from, to);
        clause.extend(also);
        clause.sort_unstable();
        clause.dedup();
        clause.iter_mut().for_each(|literal| *literal ^= 1);
        self.conflicts += 1;
        self.learn(clause, room)
    }
}

/// What came of learning.
pub(super) enum Learnt {
    Something,
    /// There are no sides.
    Contradiction,
    /// There is no memory left.
    NoRoom,
}
