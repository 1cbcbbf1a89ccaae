//! Whether a history is of a level: plain anomalies, then an order of its writes. Where several wrote what a read saw, one writer after the
//! other is tried.

use std::collections::BinaryHeap;

use crate::check::Verdict;
use crate::check::history::PENDING;
use crate::check::search::Budget;
use crate::check::transactions::anomalies::plain;
use crate::check::transactions::form::{Assigned, Form, Open};
use crate::check::transactions::history::Transactions;
use crate::check::transactions::levels::{Axiom, Level};
use crate::check::transactions::polygraph::{NONE, Polygraph};
use crate::check::transactions::prune::{Pruned, passed, prune};
use crate::check::transactions::report::Report;
use crate::check::transactions::room::Room;
use crate::check::transactions::solve::{Learnt, Solved, Solver};
use crate::check::transactions::weak::{Broken, EDGE_BYTES, Outcome};
use crate::check::transactions::writes::Writes;
use crate::check::transactions::{serial, weak};

/// What a transaction or a read costs, in steps, each time that other writers are tried.
const STEPS_EACH: u64 = 64;
/// Bytes of a transaction or an action with what is made of it.
const TRANSACTION_BYTES: u64 = 160;
const ACTION_BYTES: u64 = 160;

/// What came of looking at a history.
pub(super) enum Looked {
    Decided(Verdict),
    /// There is no order, and why.
    Nothing(Broken),
}

pub(super) fn look(history: &Transactions, level: Level, budget: Budget) -> Looked {
    let mut room = Room::new(budget.bytes);
    let actions: usize = history.transactions.iter().map(|one| one.actions.len()).sum();
    let bytes = history.bytes()
        + history.transactions.len() as u64 * TRANSACTION_BYTES
        + actions as u64 * ACTION_BYTES;
    if let Err(why) = room.take(bytes) {
        return Looked::Decided(Verdict::Unknown(told(&why)));
    }
    let (report, writes) = plain(history, Writes::of(history), None);
    match report.verdict(level) {
        Verdict::Holds => {}
        Verdict::Unknown(_) if !report.is_ambiguous => {} // cycles are looked for below
        decided => return Looked::Decided(decided),
    }
    drop::<Report>(report);
    let mut search = Search { history, writes, level, room, steps: budget.nodes, undecided: None };
    match search.writers() {
        Outcome::Found => Looked::Decided(Verdict::Holds),
        Outcome::Undecided(why) => Looked::Decided(Verdict::Unknown(why)),
        Outcome::None(broken) => Looked::Nothing(broken),
    }
}

fn told(why: &str) -> String {
    format!("{why}; `--memory` gives more")
}

struct Search<'a> {
    history: &'a Transactions,
    writes: Writes,
    level: Level,
    room: Room,
    /// How many are left.
    steps: u64,
    undecided: Option<String>,
}

impl Search<'_> {
    /// Tries one writer after the other for each read of what several wrote.
    fn writers(&mut self) -> Outcome {
        let may_see = self.level.axiom() > Axiom::Uncommitted && self.writes.are_shared();
        if may_see && serial::explains(self.history, &mut self.steps, self.room.left()) {
            return Outcome::Found;
        }
        let mut assigned = Assigned::default();
        // What is being tried: a read, who may have written what it saw, and how many of those were tried.
        let mut tried: Vec<((u32, u32), Vec<u32>, usize)> = Vec::new();
        let mut first = None;
        loop {
            let (outcome, open) = self.order(&assigned);
            match outcome {
                Outcome::Found => {
                    // The read with the fewest writers to choose from: what is wrong so far shows soonest there (R. Haralick and G. Elliott, "Increasing tree
                    // search efficiency for constraint satisfaction problems", 1980).
                    let fewest = open.iter().min_by_key(|open| open.candidates.len());
                    let Some(next) = fewest.cloned() else { return Outcome::Found };
                    if open.len() > 1 {
                        // Perhaps the likeliest writers will do.
                        let mut likely = assigned.clone();
                        likely.extend(open.iter().map(|open| (open.read, open.candidates[0])));
                        if let (Outcome::Found, _) = self.order(&likely) {
                            return Outcome::Found;
                        }
                    }
                    tried.push((next.read, next.candidates, 0));
                }
                Outcome::None(broken) if tried.is_empty() => return Outcome::None(broken),
                Outcome::None(broken) => {
                    first.get_or_insert(broken);
                }
                Outcome::Undecided(why) if tried.is_empty() && open.is_empty() => {
                    return Outcome::Undecided(why);
                }
                Outcome::Undecided(why) => {
                    self.undecided.get_or_insert(why);
                }
            }
            loop {
                let Some((read, candidates, at)) = tried.last_mut() else {
                    return match (self.undecided.take(), first) {
                        (Some(why), _) => Outcome::Undecided(why),
                        (None, Some(_)) => Outcome::None(Broken::Exhausted { ways: 0, conflicts: 0 }),
                        (None, None) => Outcome::Undecided("nothing was tried".to_owned()),
                    };
                };
                if let Some(candidate) = candidates.get(*at) {
                    assigned.insert(*read, *candidate);
                    *at += 1;
                    break;
                }
                assigned.remove(read);
                tried.pop();
            }
            if self.steps == 0 {
                return Outcome::Undecided(format!(
                    "reads saw values that several transactions wrote, and the search for which of them was given up with \
                     {} of these reads decided; `--nodes` gives more",
                    tried.len()
                ));
            }
        }
    }

    /// Looks for an order, with what is assumed so far; and the reads of which nothing is.
    fn order(&mut self, assigned: &Assigned) -> (Outcome, Vec<Open>) {
        let mut form = match Form::of(self.history, &self.writes, self.level, assigned) {
            Ok(form) => form,
            Err(between) => return (Outcome::None(Broken::Between(between)), Vec::new()),
        };
        let open = std::mem::take(&mut form.open);
        let size = (form.len() + form.effective.len()) as u64;
        if self.writes.are_shared() {
            self.steps = self.steps.saturating_sub(size * STEPS_EACH);
        }
        let mut room = self.room;
        let outcome = match self.level.axiom() {
            Axiom::Uncommitted | Axiom::Committed | Axiom::Monotonic | Axiom::Atomic | Axiom::Causal => {
                weak::decide(&form, self.history, self.level.axiom(), &mut room)
            }
            Axiom::Parallel | Axiom::Snapshot | Axiom::Serial => self.strong(&form, &mut room),
        };
        (outcome.unwrap_or_else(|why| Outcome::Undecided(told(&why))), open)
    }

    fn strong(&mut self, form: &Form, room: &mut Room) -> Result<Outcome, String> {
        let mut polygraph = match Polygraph::of(form, self.history, self.level, room)? {
            Ok(polygraph) => polygraph,
            Err(broken) => return Ok(Outcome::None(broken)),
        };
        let all = polygraph.choices.len();
        let decided = match prune(&mut polygraph, &mut self.steps, room)? {
            Pruned::Broken(broken) => return Ok(Outcome::None(broken)),
            Pruned::Left(_) if polygraph.choices.is_empty() => return Ok(Outcome::Found),
            Pruned::Left(decided) => decided,
        };
        let order = self.recorded(&polygraph, room)?;
        let mut solver = Solver::new(&polygraph, &order, room)?;
        loop {
            let sides = match solver.solve(&mut self.steps, room) {
                Solved::Sides(sides) => sides,
                Solved::Exhausted => {
                    let (ways, conflicts) = (polygraph.choices.len(), solver.conflicts);
                    return Ok(Outcome::None(Broken::Exhausted { ways, conflicts }));
                }
                Solved::GaveUp(how_far) => {
                    return Ok(Outcome::Undecided(format!(
                        "{decided} of {all} orders of two writes follow from what was seen; the search for the others was \
                         given up {how_far}; `--nodes` and `--memory` give more"
                    )));
                }
            };
            let taken =
                polygraph.known.edges().len() as u64 * EDGE_BYTES + 2 * sides.len() as u64 * EDGE_BYTES;
            room.take(taken)?;
            let mut chosen = polygraph.with_known_alone();
            let known = chosen.bars.len();
            for (choice, side) in polygraph.choices.iter().zip(&sides) {
                chosen.choose(choice, usize::from(*side));
            }
            // What was found is looked at once more, with nothing left open.
            let Ok(order) = chosen.known.order() else {
                return Ok(Outcome::Undecided(
                    "the order that was found has a cycle: this is our mistake".to_owned(),
                ));
            };
            let Some(bar) = passed(&chosen, &order, &mut self.steps) else { return Ok(Outcome::Found) };
            room.give(taken);
            let (by, reader, _) = chosen.bars[bar as usize];
            let with_bars = |(number, choice): (usize, &_)| {
                let side = sides[number];
                polygraph.side(choice, usize::from(side)).bar.map(|_| 2 * number as u32 + u32::from(side))
            };
            let chosen_bars = || polygraph.choices.iter().enumerate().filter_map(with_bars);
            let also = (bar as usize).checked_sub(known).and_then(|at| chosen_bars().nth(at));
            match solver.forbid(by, reader, also, room) {
                Learnt::Something => {}
                Learnt::NoRoom => return Err("no memory is left for the search".to_owned()),
                Learnt::Contradiction => {
                    let (ways, conflicts) = (polygraph.choices.len(), solver.conflicts);
                    return Ok(Outcome::None(Broken::Exhausted { ways, conflicts }));
                }
            }
        }
    }

    /// An order that agrees with what is known, and otherwise as recorded.
    fn recorded(&self, polygraph: &Polygraph, room: &mut Room) -> Result<Vec<u32>, String> {
        let nodes = polygraph.known.nodes();
        room.take(nodes as u64 * 32)?;
        let when = |node: u32| {
            let Some(number) = polygraph.transaction(node) else { return 0 };
            let one = &self.history.transactions[number as usize];
            if one.returned == PENDING { one.invoked } else { one.invoked / 2 + one.returned / 2 }
        };
        let mut entering = vec![0u32; nodes];
        polygraph.known.edges().iter().for_each(|edge| entering[edge.to as usize] += 1);
        let leaving = polygraph.known.leaving();
        let earliest = |node: u32| (u64::MAX - when(node), NONE - node);
        let free = (0..nodes as u32).filter(|node| entering[*node as usize] == 0);
        let mut ready: BinaryHeap<(u64, u32)> = free.map(earliest).collect();
        let mut order = Vec::with_capacity(nodes);
        while let Some((_, node)) = ready.pop() {
            let node = NONE - node;
            order.push(node);
            for number in leaving.of(node) {
                let to = polygraph.known.edges()[*number as usize].to;
                entering[to as usize] -= 1;
                if entering[to as usize] == 0 {
                    ready.push(earliest(to));
                }
            }
        }
        room.give(nodes as u64 * 32);
        Ok(order)
    }
}
