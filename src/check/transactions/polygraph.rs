//! Parallel snapshot isolation, snapshot isolation and serializability as a polygraph: what must be before what, and choices of
//! which of two versions was first.
//!
//! C. Papadimitriou, "The serializability of concurrent database updates" (JACM 1979); C. Tan et al., "Cobra" (OSDI 2020) for the choices and the
//! chains of those who read a version and replaced it, which nothing comes between; K. Huang et al., "PolySI" (VLDB 2023) for snapshot isolation:
//! there each cycle has two reads of what was overwritten in a row (A. Cerone and A. Gotsman, PODC 2016), so every transaction is two
//! nodes, one that is reached by such a read and must be left otherwise. Parallel snapshot isolation: no cycle has just one such read.

use rustc_hash::FxHashMap;

use crate::check::graph::Edge;
use crate::check::history::PENDING;
use crate::check::transactions::form::{Form, INITIAL};
use crate::check::transactions::history::Transactions;
use crate::check::transactions::levels::{Axiom, Level};
use crate::check::transactions::room::Room;
use crate::check::transactions::sessions::Sessions;
use crate::check::transactions::weak::{Because, Broken, EDGE_BYTES, Order, Step, known_orders, written};

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// Two runs of versions of a key, each without others between: which of them was first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub key: u32,
    /// Who wrote the first version of each.
    first: [u32; 2],
    /// Who wrote the last.
    last: [u32; 2],
    /// Who saw the last: a transaction, or a node for all of them.
    readers: [u32; 2],
}

impl Choice {
    /// Who wrote the first version of each run, which no other run has.
    pub fn first(&self) -> [u32; 2] {
        self.first
    }
}

/// One of the two versions came first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    edges: [(u32, u32, Step); 2],
    len: u8,
    /// The first must not lead to the second.
    pub bar: Option<(u32, u32)>,
}

impl Side {
    pub fn edges(&self) -> &[(u32, u32, Step)] {
        &self.edges[..self.len as usize]
    }
}

/// What must be before what.
pub(super) struct Polygraph {
    axiom: Axiom,
    pub transactions: u32,
    pub known: Order,
    pub choices: Vec<Choice>,
    /// Of parallel snapshots: (later writer, reader of an earlier version, key).
    pub bars: Vec<(u32, u32, u32)>,
}

/// Bytes of a choice, with what is remembered of it while it is looked at.
const CHOICE_BYTES: u64 = 28 + 2 * 12;

impl Polygraph {
    pub fn of(
        form: &Form,
        history: &Transactions,
        level: Level,
        room: &mut Room,
    ) -> Result<Result<Self, Broken>, String> {
        let axiom = level.axiom();
        let transactions = form.transactions();
        let nodes = if axiom == Axiom::Snapshot { 2 * transactions } else { transactions };
        room.take((nodes as usize + 2 * form.len() + form.effective.len()) as u64 * EDGE_BYTES)?;
        let mut polygraph = Polygraph {
            axiom,
            transactions,
            known: Order::new(nodes as usize),
            choices: Vec::new(),
            bars: Vec::new(),
        };
        if axiom == Axiom::Snapshot {
            let stays = Because { step: Step::Session, key: NONE };
            form.numbers().for_each(|number| polygraph.known.edge(number, transactions + number, stays));
        }
        if level.has_sessions() {
            let sessions = Sessions::of(form, history);
            for (before, after) in sessions.pairs() {
                polygraph.dependency(before, after, Because { step: Step::Session, key: 0 });
            }
        }
        if level.has_real_time() {
            polygraph.times(form, history);
        }
        known_orders(form, |from, to, because| polygraph.dependency(from, to, because));
        for reader in form.numbers() {
            for read in form.reads(reader).iter().filter(|read| read.from != INITIAL) {
                polygraph.dependency(read.from, reader, Because { step: Step::Wr, key: read.key });
            }
        }
        Ok(polygraph.versions(form, room)?.map(|()| polygraph))
    }

    /// One comes before another, in sight of it.
    fn dependency(&mut self, from: u32, to: u32, because: Because) {
        if from != to {
            self.known.edge(self.leaves(from), to, because);
        }
    }

    /// From where another in sight of it is reached, and where a read of what it overwrote leads.
    fn leaves(&self, transaction: u32) -> u32 {
        if self.axiom == Axiom::Snapshot { self.transactions + transaction } else { transaction }
    }

    /// Who returned comes before who began later: through nodes for the returns, one after the other.
    fn times(&mut self, form: &Form, history: &Transactions) {
        let because = Because { step: Step::Time, key: 0 };
        let time = |number: u32| &history.transactions[number as usize];
        let mut returns: Vec<u32> =
            form.numbers().filter(|number| time(*number).returned != PENDING).collect();
        returns.sort_by_key(|number| time(*number).returned);
        let mut begins: Vec<u32> = form.numbers().collect();
        begins.sort_by_key(|number| time(*number).invoked);
        let mut begins = begins.into_iter().peekable();
        let mut last = None;
        for number in returns {
            while let Some(begun) = begins.next_if(|begun| time(*begun).invoked <= time(number).returned) {
                last.into_iter().for_each(|last| self.known.edge(last, begun, because));
            }
            let node = self.known.node();
            last.into_iter().for_each(|last| self.known.edge(last, node, because));
            self.known.edge(number, node, because);
            last = Some(node);
        }
        for begun in begins {
            last.into_iter().for_each(|last| self.known.edge(last, begun, because));
        }
    }

    /// What is known of versions by who read them, and the choices.
    fn versions(&mut self, form: &Form, room: &mut Room) -> Result<Result<(), Broken>, String> {
        let written = written(form);
        let mut readers: FxHashMap<(u32, u32), Vec<u32>> = FxHashMap::default();
        for reader in form.numbers() {
            for read in form.reads(reader) {
                let readers = readers.entry((read.key, read.from)).or_default();
                if readers.last() != Some(&reader) {
                    readers.push(reader);
                }
            }
        }
        for (number, key) in (0u32..).zip(&form.keys) {
            let replaces = |by: &u32| written[*by as usize].binary_search(&number).is_ok();
            // Who read a version and replaced it.
            let mut next: FxHashMap<u32, u32> = FxHashMap::default();
            for pair in key.order.windows(2) {
                next.insert(pair[0], pair[1]);
            }
            if let Some(first) = key.order.first() {
                next.insert(INITIAL, *first);
            }
            let mut follows = vec![INITIAL];
            follows.extend(key.order.iter().chain(&key.loose));
            for version in &follows {
                for reader in readers.get(&(number, *version)).into_iter().flatten().filter(|by| replaces(by))
                {
                    if let Some(other) = next.insert(*version, *reader).filter(|other| other != reader) {
                        return Ok(Err(Self::lost(number, other, *reader)));
                    }
                }
            }
            if let Err(broken) = self.runs(number, &follows, &next, &readers, room)? {
                return Ok(Err(broken));
            }
        }
        Ok(Ok(()))
    }

    /// Two who must both come right after one version.
    fn lost(key: u32, one: u32, other: u32) -> Broken {
        let cycle = |first: u32, second: u32| {
            let edge = |from: u32, to: u32, step: Step| Edge { from, to, why: Because { step, key } };
            vec![edge(first, second, Step::Ww), edge(second, first, Step::Rw)]
        };
        Broken::Either { key, cycles: [cycle(one, other), cycle(other, one)] }
    }

    /// Joins versions to runs, and leaves open which run was first.
    fn runs(
        &mut self,
        key: u32,
        versions: &[u32],
        next: &FxHashMap<u32, u32>,
        readers: &FxHashMap<(u32, u32), Vec<u32>>,
        room: &mut Room,
    ) -> Result<Result<(), Broken>, String> {
        let is_next: rustc_hash::FxHashSet<u32> = next.values().copied().collect();
        let mut runs: Vec<(u32, u32, u32)> = Vec::new(); // first, last, readers of the last
        let mut joined = 0;
        for first in versions.iter().filter(|version| !is_next.contains(version)) {
            let mut last = *first;
            joined += 1;
            while let Some(then) = next.get(&last).copied() {
                // Who saw a version and did not replace it comes before who did.
                for reader in
                    readers.get(&(key, last)).into_iter().flatten().filter(|reader| **reader != then)
                {
                    self.overwritten(*reader, then, key);
                }
                if last != INITIAL {
                    self.dependency(last, then, Because { step: Step::Ww, key });
                }
                last = then;
                joined += 1;
            }
            let all = readers.get(&(key, last)).map_or(&[][..], Vec::as_slice);
            let readers = match all {
                [] => NONE,
                [one] => *one,
                all => {
                    let node = self.known.node();
                    let because = Because { step: Step::Rw, key };
                    all.iter().for_each(|reader| self.known.edge(*reader, node, because));
                    node
                }
            };
            runs.push((*first, last, readers));
        }
        if joined < versions.len() {
            // Some versions are only after each other.
            return Ok(Err(Self::around(key, versions, next)));
        }
        self.leave_open(key, &runs, room).map(Ok)
    }

    /// The first of the runs is the one that begins with the initial version; any of two others was before the other.
    fn leave_open(&mut self, key: u32, runs: &[(u32, u32, u32)], room: &mut Room) -> Result<(), String> {
        let start = runs[0];
        for (first, ..) in &runs[1..] {
            if start.1 != INITIAL {
                self.dependency(start.1, *first, Because { step: Step::Ww, key });
            }
            if start.2 != NONE {
                self.overwritten(start.2, *first, key);
            }
        }
        for (at, one) in runs.iter().enumerate().skip(1) {
            for other in &runs[at + 1..] {
                let is_free = |run: &(u32, u32, u32)| run.0 == run.1 && run.2 == NONE;
                if self.axiom == Axiom::Serial && is_free(one) && is_free(other) {
                    continue; // whatever order there is will do
                }
                room.take(CHOICE_BYTES)?;
                let choice = Choice {
                    key,
                    first: [one.0, other.0],
                    last: [one.1, other.1],
                    readers: [one.2, other.2],
                };
                self.choices.push(choice);
            }
        }
        Ok(())
    }

    /// Versions that replace each other around a cycle.
    fn around(key: u32, versions: &[u32], next: &FxHashMap<u32, u32>) -> Broken {
        let mut left: rustc_hash::FxHashSet<u32> = versions.iter().copied().collect();
        let is_next: rustc_hash::FxHashSet<u32> = next.values().copied().collect();
        for first in versions.iter().filter(|version| !is_next.contains(version)) {
            let mut at = Some(*first);
            while let Some(version) = at {
                left.remove(&version);
                at = next.get(&version).copied();
            }
        }
        let begin = versions.iter().copied().find(|version| left.contains(version)).unwrap_or(INITIAL);
        let (mut cycle, mut at) = (Vec::new(), begin);
        while let Some(then) = next.get(&at).copied() {
            cycle.push(Edge { from: at, to: then, why: Because { step: Step::Wr, key } });
            at = then;
            if at == begin || cycle.len() > versions.len() {
                break;
            }
        }
        Broken::Cycle(cycle)
    }

    /// A reader, or all of several, saw what a transaction overwrote.
    fn overwritten(&mut self, reader: u32, by: u32, key: u32) {
        match self.axiom {
            Axiom::Parallel => self.bars.push((by, reader, key)),
            _ => {
                let to = self.leaves(by);
                self.known.edge(reader, to, Because { step: Step::Rw, key });
            }
        }
    }

    /// What follows if the one or the other version was first.
    pub fn side(&self, choice: &Choice, side: usize) -> Side {
        let (last, then, readers) = (choice.last[side], choice.first[1 - side], choice.readers[side]);
        let dependency = (self.leaves(last), then, Step::Ww);
        let overwritten = (readers, self.leaves(then), Step::Rw);
        let bar = None;
        match self.axiom {
            _ if readers == NONE => Side { edges: [dependency; 2], len: 1, bar },
            Axiom::Parallel => Side { edges: [dependency; 2], len: 1, bar: Some((then, readers)) },
            // Who read the version comes after it.
            Axiom::Serial => Side { edges: [overwritten; 2], len: 1, bar },
            _ => Side { edges: [dependency, overwritten], len: 2, bar },
        }
    }

    /// Makes one side of a choice known.
    pub fn choose(&mut self, choice: &Choice, side: usize) {
        let chosen = self.side(choice, side);
        for (from, to, step) in chosen.edges() {
            self.known.edge(*from, *to, Because { step: *step, key: choice.key });
        }
        if let Some((by, reader)) = chosen.bar {
            self.bars.push((by, reader, choice.key));
        }
    }

    /// The same without the choices.
    pub fn with_known_alone(&self) -> Polygraph {
        let (known, bars, choices) = (self.known.clone(), self.bars.clone(), Vec::new());
        Polygraph { axiom: self.axiom, transactions: self.transactions, known, choices, bars }
    }

    /// The transaction that a node is, if it is one.
    pub fn transaction(&self, node: u32) -> Option<u32> {
        match self.axiom {
            Axiom::Snapshot if node < 2 * self.transactions => Some(node % self.transactions),
            _ => (node < self.transactions).then_some(node),
        }
    }

    /// A cycle as steps from transaction to transaction.
    pub fn plain(&self, cycle: &[Edge<Because>]) -> Vec<Edge<Because>> {
        let mut cycle = cycle.to_vec();
        if let Some(begin) = cycle.iter().position(|edge| self.transaction(edge.from).is_some()) {
            cycle.rotate_left(begin);
        }
        let mut plain: Vec<Edge<Because>> = Vec::new();
        let mut open: Option<Edge<Because>> = None;
        for edge in cycle {
            let begun = *open.get_or_insert(edge);
            let Some(to) = self.transaction(edge.to) else { continue };
            open = None;
            let from = self.transaction(begun.from).unwrap_or(to);
            if from != to {
                plain.push(Edge { from, to, why: begun.why });
            }
        }
        plain
    }
}
