//! The levels that are decided in polynomial time: read committed, monotonic atomic view, read atomic, causal.
//!
//! R. Biswas and C. Enea, "On the complexity of checking transactional consistency" (OOPSLA 2019): a history is of such a level if there is an
//! order of its transactions that agrees with sessions (where they count), with who read whose writes and with this: if a reader saw
//! what `one` wrote to a key, then every `other` that wrote that key and is visible to the reader was before `one`. What is visible does not depend
//! on the order, so all that it must agree with is gathered once, and there is one if that makes no cycle. Causal consistency goes by the
//! clock of each transaction, one number for each session, and looks at the last visible writer in each (A. Møldrup et al., "AWDIT", PLDI
//! 2025): O(n·k).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::graph::{Edge, Graph};
use crate::check::transactions::form::{Form, INITIAL};
use crate::check::transactions::history::Transactions;
use crate::check::transactions::levels::Axiom;
use crate::check::transactions::room::Room;
use crate::check::transactions::sessions::Sessions;

/// Clocks of so many sessions are kept at once.
const SESSIONS_AT_ONCE: usize = 64;
/// Bytes of an edge of a graph and of its place among those that leave a node.
pub(super) const EDGE_BYTES: u64 = 32;

/// Why one transaction is before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The other wrote the key after it.
    Ww,
    /// The other saw what it wrote.
    Wr,
    /// It saw a version that the other overwrote.
    Rw,
    /// The other is later in its session.
    Session,
    /// The other began after it had returned.
    Time,
    /// Somebody saw the other's version of the key, to whom this one was visible too.
    Before(u32),
}

/// Why, and by which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Because {
    pub step: Step,
    pub key: u32,
}

/// Why there is no order.
#[derive(Clone, Debug)]
pub(super) enum Broken {
    /// What must be before what makes a cycle.
    Cycle(Vec<Edge<Because>>),
    /// A reader saw a version of a key from before what was visible to it.
    Hidden { reader: u32, key: u32, from: u32, hidden: u32 },
    /// Appends of one transaction have another's between them.
    Between(Vec<u32>),
    /// Whichever of two versions of a key was first, there is a cycle.
    Either { key: u32, cycles: [Vec<Edge<Because>>; 2] },
    /// All ways in which versions can have followed each other were tried.
    Exhausted { ways: usize, conflicts: u64 },
}

/// What came of looking for an order.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Found,
    None(Broken),
    Undecided(String),
}

pub(super) type Order = Graph<Because>;

/// The known order of each key's writers as edges.
pub(super) fn known_orders(form: &Form, mut edge: impl FnMut(u32, u32, Because)) {
    for (number, key) in (0u32..).zip(&form.keys) {
        let because = Because { step: Step::Ww, key: number };
        for pair in key.order.windows(2) {
            edge(pair[0], pair[1], because);
        }
        for (last, loose) in
            key.order.last().into_iter().flat_map(|last| key.loose.iter().map(move |by| (last, by)))
        {
            edge(*last, *loose, because);
        }
    }
}

/// Decides such a level.
pub(super) fn decide(
    form: &Form,
    history: &Transactions,
    axiom: Axiom,
    room: &mut Room,
) -> Result<Outcome, String> {
    room.take((form.len() + 2 * form.effective.len()) as u64 * EDGE_BYTES)?;
    let mut order = Order::new(form.effective.len());
    known_orders(form, |from, to, because| order.edge(from, to, because));
    for reader in form.numbers() {
        for read in form.reads(reader).iter().filter(|read| read.from != INITIAL) {
            order.edge(read.from, reader, Because { step: Step::Wr, key: read.key });
        }
    }
    let hidden = match axiom {
        Axiom::Monotonic | Axiom::Atomic => parts(form, axiom, &mut order, room)?,
        Axiom::Causal => {
            let sessions = Sessions::of(form, history);
            for (before, after) in sessions.pairs() {
                order.edge(before, after, Because { step: Step::Session, key: 0 });
            }
            if let Err(cycle) = order.order() {
                return Ok(Outcome::None(Broken::Cycle(cycle)));
            }
            causes(form, &sessions, &mut order, room)?
        }
        _ => None,
    };
    Ok(match (hidden, order.order()) {
        (Some(hidden), _) => Outcome::None(hidden),
        (None, Err(cycle)) => Outcome::None(Broken::Cycle(cycle)),
        (None, Ok(_)) => Outcome::Found,
    })
}

/// Of two keys that transactions wrote together: how many versions of the one show how many of the other, and by whom.
type Shown = FxHashMap<(u32, u32), Vec<(u32, u32, u32)>>;

/// What is seen in part must be seen as a whole: by whatever is read, or by what is read later.
fn parts(form: &Form, axiom: Axiom, order: &mut Order, room: &mut Room) -> Result<Option<Broken>, String> {
    let written = written(form);
    let shown = shown(form, &written, room)?;
    let mut wanted: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    let mut sources: FxHashSet<u32> = FxHashSet::default();
    for reader in form.numbers() {
        let reads = form.reads(reader);
        if reads.len() < 2 {
            continue;
        }
        wanted.clear();
        sources.clear();
        let mut sees = |from: u32, wanted: &mut FxHashMap<u32, Vec<u32>>| {
            if from != INITIAL && sources.insert(from) {
                written[from as usize].iter().for_each(|key| wanted.entry(*key).or_default().push(from));
            }
        };
        if axiom == Axiom::Atomic {
            reads.iter().for_each(|read| sees(read.from, &mut wanted));
        }
        for (place, read) in reads.iter().enumerate() {
            let key = read.key;
            if form.keys[key as usize].is_list {
                let others = if axiom == Axiom::Atomic { reads } else { &reads[..place] };
                for other in others {
                    if other.key == key && other.seen > read.seen {
                        return Ok(Some(Broken::Hidden { reader, key, from: read.from, hidden: other.from }));
                    }
                    let Some(shown) = shown.get(&(other.key, key)) else { continue };
                    let until = shown.partition_point(|(versions, ..)| *versions <= other.seen);
                    if let Some((_, needed, by)) = until.checked_sub(1).map(|last| shown[last])
                        && needed > read.seen
                    {
                        return Ok(Some(Broken::Hidden { reader, key, from: read.from, hidden: by }));
                    }
                }
            } else {
                for other in wanted.get(&key).into_iter().flatten().filter(|other| **other != read.from) {
                    if read.from == INITIAL {
                        return Ok(Some(Broken::Hidden { reader, key, from: INITIAL, hidden: *other }));
                    }
                    room.take(EDGE_BYTES)?;
                    order.edge(*other, read.from, Because { step: Step::Before(reader), key });
                }
            }
            if axiom != Axiom::Atomic {
                sees(read.from, &mut wanted);
            }
        }
    }
    Ok(None)
}

/// By transaction: the keys that it wrote.
pub(super) fn written(form: &Form) -> Vec<Vec<u32>> {
    let mut written = vec![Vec::new(); form.effective.len()];
    for (number, key) in (0u32..).zip(&form.keys) {
        key.order.iter().chain(&key.loose).for_each(|by| written[*by as usize].push(number));
    }
    written
}

fn shown(form: &Form, written: &[Vec<u32>], room: &mut Room) -> Result<Shown, String> {
    let mut shown = Shown::default();
    // By transaction and key: how many versions there were with this one; those that nobody saw are beyond all.
    let mut places: FxHashMap<(u32, u32), u32> = FxHashMap::default();
    for (number, key) in (0u32..).zip(&form.keys).filter(|(_, key)| key.is_list) {
        for (place, by) in (1u32..).zip(&key.order) {
            places.insert((*by, number), place);
        }
    }
    for (by, keys) in (0u32..).zip(written).filter(|(_, keys)| keys.len() > 1) {
        for one in keys {
            let Some(place) = places.get(&(by, *one)) else { continue };
            room.take(keys.len() as u64 * 16)?;
            for other in keys.iter().filter(|other| *other != one && form.keys[**other as usize].is_list) {
                let needed = places.get(&(by, *other)).copied().unwrap_or(u32::MAX);
                shown.entry((*one, *other)).or_default().push((*place, needed, by));
            }
        }
    }
    for versions in shown.values_mut() {
        versions.sort_unstable();
        let mut most = (0, 0);
        for (_, needed, by) in versions {
            most = most.max((*needed, *by));
            (*needed, *by) = most;
        }
    }
    Ok(shown)
}

/// Whatever a transaction may depend on is visible to it.
fn causes(
    form: &Form,
    sessions: &Sessions,
    order: &mut Order,
    room: &mut Room,
) -> Result<Option<Broken>, String> {
    // By key: in which sessions it was written, and when in each.
    let mut writers: FxHashMap<u32, Vec<(u32, Vec<u32>)>> = FxHashMap::default();
    let mut places: FxHashMap<(u32, u32), u32> = FxHashMap::default();
    for (number, key) in (0u32..).zip(&form.keys) {
        let mut all: Vec<(u32, u32)> =
            key.order.iter().chain(&key.loose).map(|by| sessions.place(*by)).collect();
        all.sort_unstable();
        let by_session: &mut Vec<(u32, Vec<u32>)> = writers.entry(number).or_default();
        for (session, at) in all {
            match by_session.last_mut().filter(|(of, _)| *of == session) {
                Some((_, turns)) => turns.push(at),
                None => by_session.push((session, vec![at])),
            }
        }
        if key.is_list {
            (1u32..).zip(&key.order).for_each(|(place, by)| {
                places.insert((*by, number), place);
            });
        }
    }
    let seen_by = Visible::of(form, sessions);
    let at_once = SESSIONS_AT_ONCE.min(sessions.count()) as u64;
    room.take(seen_by.nodes() as u64 * (at_once * 4 + EDGE_BYTES))?;
    for first in (0..sessions.count()).step_by(SESSIONS_AT_ONCE) {
        let width = SESSIONS_AT_ONCE.min(sessions.count() - first);
        let clocks = seen_by.clocks(sessions, first, width);
        for reader in form.numbers() {
            let clock = &clocks[reader as usize * width..][..width];
            for read in form.reads(reader) {
                let key = &form.keys[read.key as usize];
                let by_session = &writers[&read.key];
                let begin = by_session.partition_point(|(session, _)| (*session as usize) < first);
                for (session, turns) in &by_session[begin..] {
                    let Some(until) = clock.get(*session as usize - first) else { break };
                    let Some(last) = turns.partition_point(|turn| turn < until).checked_sub(1) else {
                        continue;
                    };
                    let other = sessions.at(*session, turns[last]);
                    if other == read.from || other == reader {
                        continue;
                    }
                    let hidden = match places.get(&(other, read.key)) {
                        _ if !key.is_list => read.from == INITIAL,
                        Some(place) => *place > read.seen,
                        None => true,
                    };
                    if hidden {
                        let (key, from) = (read.key, read.from);
                        return Ok(Some(Broken::Hidden { reader, key, from, hidden: other }));
                    }
                    if !key.is_list {
                        room.take(EDGE_BYTES)?;
                        let because = Because { step: Step::Before(reader), key: read.key };
                        order.edge(other, read.from, because);
                    }
                }
            }
        }
    }
    Ok(None)
}

/// Sessions and who saw whose writes as a graph; of lists whoever saw a version saw all before it.
struct Visible {
    graph: Graph<()>,
    /// In an order that agrees with it.
    sorted: Vec<u32>,
    transactions: u32,
}

impl Visible {
    fn of(form: &Form, sessions: &Sessions) -> Visible {
        let mut graph = Graph::new(form.effective.len());
        sessions.pairs().for_each(|(before, after)| graph.edge(before, after, ()));
        // By key: the node of who saw so many versions.
        let mut lists: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for (number, key) in (0u32..).zip(&form.keys).filter(|(_, key)| key.is_list) {
            let mut nodes: Vec<u32> = Vec::with_capacity(key.order.len());
            for by in &key.order {
                let node = graph.node();
                graph.edge(*by, node, ());
                nodes.last().into_iter().for_each(|before| graph.edge(*before, node, ()));
                nodes.push(node);
            }
            lists.insert(number, nodes);
        }
        for reader in form.numbers() {
            for read in form.reads(reader).iter().filter(|read| read.from != INITIAL) {
                let last = (read.seen as usize).checked_sub(1);
                let shown = lists.get(&read.key).zip(last).and_then(|(nodes, last)| nodes.get(last));
                graph.edge(shown.copied().unwrap_or(read.from), reader, ());
            }
        }
        let sorted = graph.order().unwrap_or_default();
        Visible { graph, sorted, transactions: form.transactions() }
    }

    fn nodes(&self) -> usize {
        self.graph.nodes()
    }

    /// By node: of so many sessions from `first` on, how many transactions of each are visible.
    fn clocks(&self, sessions: &Sessions, first: usize, width: usize) -> Vec<u32> {
        let mut clocks = vec![0u32; self.graph.nodes() * width];
        let mut clock = vec![0u32; width];
        let leaving = self.graph.leaving();
        for node in &self.sorted {
            clock.copy_from_slice(&clocks[*node as usize * width..][..width]);
            if *node < self.transactions
                && let (session, turn) = sessions.place(*node)
                && let Some(own) = (session as usize).checked_sub(first).and_then(|at| clock.get_mut(at))
            {
                *own = (*own).max(turn + 1);
            }
            for number in leaving.of(*node) {
                let to = self.graph.edges()[*number as usize].to as usize;
                clocks[to * width..][..width]
                    .iter_mut()
                    .zip(&clock)
                    .for_each(|(to, from)| *to = (*to).max(*from));
            }
        }
        clocks
    }
}
