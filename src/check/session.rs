//! The four session guarantees of D. Terry et al., "Session guarantees for weakly consistent replicated data" (1994), as
//! P. Viotti and M. Vukolić define them in "Consistency in non-transactional distributed storage systems" (2016): there is one
//! order of all writes (Terry's WriteOrder), a read sees the last one of its key among those visible to it, and
//!
//! * **read your writes**: what a session has written to the key is visible, so the value seen is that or a later one;
//! * **monotonic reads**: so is what it has seen of the key before;
//! * **monotonic writes**: a session's writes stand in its own order, over all keys;
//! * **writes follow reads**: a write stands after everything that its session had seen, over all keys.
//!
//! *Older* and *later* are of that order, not of time. So a session whose second write got the smaller timestamp reads its first one
//! without breaking read your writes: the store had both, and the second before the first. Monotonic writes is what it breaks.
//!
//! Each of them says of some writes that they come before others. A history keeps them just if these edges, with the
//! order in which the store had the versions where that is known, have no cycle. What a cas set comes after what it found: where
//! the store's order is known that is a write that follows a read, and elsewhere it is asked of every order. One pass over each
//! session finds the edges: O(n log n), the logarithm for sorting.
//!
//! What is [`causal`](super::causal) keeps all four in one order, and is told there why. Of one key, and with all four kept in one order,
//! nothing is left that it could complain of. Where the store's
//! order is *not* known, each of them may be kept in some order while no order keeps all: then at least one is broken, and which one
//! nobody can tell from the history ([`check_one`]).
//!
//! What else a read may have seen besides its value is not guessed at: [`causal`](super::causal) does that.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::check::graph::{Edge, Graph};
use crate::check::history::Texts;
use crate::check::relations::{Access, Orders, ReadsFrom, Relations, written};
use crate::check::{Verdict, Witness};

/// What a store may promise a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// A read sees what the session has written, or something later.
    ReadYourWrites,
    /// A read sees what the session has seen, or something later.
    MonotonicReads,
    /// A session's writes take effect in its order.
    MonotonicWrites,
    /// A write takes effect after what its session had seen.
    WritesFollowReads,
}

impl Guarantee {
    /// All, with their names.
    pub const ALL: [(&str, Guarantee); 4] = [
        ("read-your-writes", Guarantee::ReadYourWrites),
        ("monotonic-reads", Guarantee::MonotonicReads),
        ("monotonic-writes", Guarantee::MonotonicWrites),
        ("writes-follow-reads", Guarantee::WritesFollowReads),
    ];
    /// All of them at once.
    pub const EVERY: [Guarantee; 4] = [
        Guarantee::ReadYourWrites,
        Guarantee::MonotonicReads,
        Guarantee::MonotonicWrites,
        Guarantee::WritesFollowReads,
    ];
}

/// Why a write comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// A session promise, by the operation that claims it.
    Promise(Guarantee, u32),
    /// The second was made of the first.
    Found,
    /// The store had them in this order.
    Order,
    /// To a node that stands for several writes, by the operation that brought it there.
    Joins(u32),
}

/// Judges whether one order of the writes keeps these guarantees. Without `orders` any order will do.
pub fn check(
    accesses: &[Access],
    initial: i64,
    texts: &Texts,
    orders: Option<&Orders>,
    guarantees: &[Guarantee],
) -> Verdict {
    let relations = match Relations::of(accesses, initial, texts) {
        Ok(relations) => relations,
        Err(verdict) => return verdict,
    };
    let graph = Graph::new(relations.accesses.len());
    let mut sweep = Sweep { relations: &relations, texts, guarantees, graph };
    match sweep.edges(orders) {
        Err(violated) => violated,
        Ok(()) => match sweep.graph.order() {
            Ok(_) => Verdict::Holds,
            Err(cycle) => Verdict::Violated(sweep.witness(&cycle)),
        },
    }
}

/// Judges one of the guarantees. Where it is kept in some order of the writes, but not in one that also keeps others that could be kept
/// without it, it is undecided: one of them is broken.
pub fn check_one(
    accesses: &[Access],
    initial: i64,
    texts: &Texts,
    orders: Option<&Orders>,
    guarantee: Guarantee,
) -> Verdict {
    let judge = |asked: &[Guarantee]| check(accesses, initial, texts, orders, asked);
    let alone = judge(&[guarantee]);
    if alone != Verdict::Holds || judge(&Guarantee::EVERY) == Verdict::Holds {
        return alone;
    }
    let others: Vec<Guarantee> = Guarantee::EVERY.into_iter().filter(|other| *other != guarantee).collect();
    for some in 1..1usize << others.len() {
        let mut asked: Vec<Guarantee> =
            (0..others.len()).filter(|bit| some >> bit & 1 == 1).map(|bit| others[bit]).collect();
        if judge(&asked) != Verdict::Holds {
            continue;
        }
        asked.push(guarantee);
        if let Verdict::Violated(witness) = judge(&asked) {
            asked.pop();
            let named = |asked: &Guarantee| {
                let name =
                    Guarantee::ALL.iter().find(|(_, other)| other == asked).map_or("", |(name, _)| name);
                name.replace('-', " ")
            };
            let names = asked.iter().map(named).collect::<Vec<_>>().join(", ");
            return Verdict::Unknown(format!(
                "it or {names} is broken, and which one depends on the order in which the store had the writes, which is \
                 not known: {}",
                witness.sentence
            ));
        }
    }
    alone
}

/// What a session has done so far.
#[derive(Default)]
struct Session {
    /// Its writes that are over and of which none is known to come before another; and a node for all that it has seen.
    last_writes: Vec<u32>,
    has_seen: Option<u32>,
    keys: BTreeMap<i64, Seen>,
}

/// What a session has done with a key.
#[derive(Default)]
struct Seen {
    /// Its own writes, as they returned, each with a node for all up to it.
    own: Vec<(u32, u32)>,
    /// Writes that it has seen and of which none is known to come before another, with the reads that saw them.
    last: Vec<(u32, u32)>,
}

struct Sweep<'a> {
    relations: &'a Relations,
    texts: &'a Texts,
    guarantees: &'a [Guarantee],
    graph: Graph<Why>,
}

impl Sweep<'_> {
    fn edges(&mut self, orders: Option<&Orders>) -> Result<(), Verdict> {
        let relations = self.relations;
        let ordered = orders.map(|orders| relations.in_order(orders)).unwrap_or_default();
        let mut is_placed = vec![false; relations.accesses.len()];
        for (before, after) in ordered {
            is_placed[before as usize] = true;
            is_placed[after as usize] = true;
            self.graph.edge(before, after, Why::Order);
        }
        for (number, origin) in (0u32..).zip(&relations.origins) {
            let (ReadsFrom::Write(from), Some(_)) = (*origin, written(relations.call(number))) else {
                continue;
            };
            if !(is_placed[from as usize] && is_placed[number as usize]) {
                self.graph.edge(from, number, Why::Found);
            } else if self.asks(Guarantee::WritesFollowReads) {
                // A store that reads, and then writes with a clock of its own, may put the new value before the one found.
                self.promise(from, number, Guarantee::WritesFollowReads, number);
            }
        }
        let mut first = 0u32;
        for of_session in relations.accesses.chunk_by(|a, b| a.session == b.session) {
            let last = first + of_session.len() as u32;
            self.session(first..last)?;
            first = last;
        }
        Ok(())
    }

    /// Goes through invocations and returns in their order.
    fn session(&mut self, numbers: std::ops::Range<u32>) -> Result<(), Verdict> {
        let mut events: Vec<(u64, bool, u32)> = Vec::new();
        for number in numbers {
            let operation = self.relations.accesses[number as usize].operation;
            events.push((operation.invoked, false, number));
            if !operation.is_pending() {
                events.push((operation.returned, true, number));
            }
        }
        events.sort_unstable();
        let mut session = Session::default();
        // What an operation knew when it was invoked: what has been learnt since is not older than what it saw.
        let mut known: BTreeMap<u32, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        for (_, is_return, number) in events {
            let key = self.relations.accesses[number as usize].key;
            if !is_return {
                let seen = session.keys.entry(key).or_default();
                known.insert(
                    number,
                    (seen.last.iter().map(|last| last.0).collect(), session.last_writes.clone()),
                );
                self.read_edges(number, seen)?;
                self.write_edges(number, &session);
                continue;
            }
            let (saw, wrote) = known.remove(&number).expect("it was invoked");
            self.returned(number, key, &mut session, &saw, &wrote);
        }
        Ok(())
    }

    fn asks(&self, guarantee: Guarantee) -> bool {
        self.guarantees.contains(&guarantee)
    }

    fn promise(&mut self, from: u32, to: u32, guarantee: Guarantee, by: u32) {
        if from != to {
            self.graph.edge(from, to, Why::Promise(guarantee, by));
        }
    }

    /// What a read says of the order, given what its session had done before.
    fn read_edges(&mut self, number: u32, seen: &Seen) -> Result<(), Verdict> {
        let value = match self.relations.origins[number as usize] {
            ReadsFrom::None => return Ok(()),
            ReadsFrom::Initial => None,
            ReadsFrom::Write(write) => Some(write),
        };
        if self.asks(Guarantee::ReadYourWrites)
            && let Some((own, all)) = seen.own.last().copied()
        {
            let Some(value) = value else { return Err(self.nothing(number, own)) };
            // A value of its own is not before itself.
            match seen.own.iter().position(|(own, _)| *own == value) {
                None => self.promise(all, value, Guarantee::ReadYourWrites, number),
                Some(place) => {
                    if let Some(before) = place.checked_sub(1) {
                        self.promise(seen.own[before].1, value, Guarantee::ReadYourWrites, number);
                    }
                    for (own, _) in &seen.own[place + 1..] {
                        self.promise(*own, value, Guarantee::ReadYourWrites, number);
                    }
                }
            }
        }
        if self.asks(Guarantee::MonotonicReads) {
            for (write, read) in &seen.last {
                let Some(value) = value else { return Err(self.nothing(number, *read)) };
                self.promise(*write, value, Guarantee::MonotonicReads, number);
            }
        }
        Ok(())
    }

    /// What a write says of the order.
    fn write_edges(&mut self, number: u32, session: &Session) {
        if written(self.relations.call(number)).is_none() {
            return;
        }
        if self.asks(Guarantee::MonotonicWrites) {
            for before in &session.last_writes {
                self.promise(*before, number, Guarantee::MonotonicWrites, number);
            }
        }
        if let Some(has_seen) = session.has_seen {
            self.promise(has_seen, number, Guarantee::WritesFollowReads, number);
        }
    }

    /// What a session has done once an operation is over.
    fn returned(&mut self, number: u32, key: i64, session: &mut Session, saw: &[u32], wrote: &[u32]) {
        let seen = session.keys.entry(key).or_default();
        if let ReadsFrom::Write(write) = self.relations.origins[number as usize] {
            if self.asks(Guarantee::WritesFollowReads) {
                let node = self.graph.node();
                self.graph.edge(write, node, Why::Joins(number));
                if let Some(before) = session.has_seen.replace(node) {
                    self.graph.edge(before, node, Why::Joins(number));
                }
            }
            seen.last.retain(|(last, _)| !saw.contains(last) && *last != write);
            seen.last.push((write, number));
        }
        if written(self.relations.call(number)).is_some() {
            if self.asks(Guarantee::ReadYourWrites) {
                let node = self.graph.node();
                self.graph.edge(number, node, Why::Joins(number));
                if let Some((_, before)) = seen.own.last() {
                    self.graph.edge(*before, node, Why::Joins(number));
                }
                seen.own.push((number, node));
            }
            session.last_writes.retain(|last| !wrote.contains(last));
            session.last_writes.push(number);
        }
    }

    /// A read of the initial value after something else was there.
    fn nothing(&self, read: u32, other: u32) -> Verdict {
        let told = |number| self.relations.told(number, self.texts);
        let sentence = format!("{} saw the initial value after {}", told(read), told(other));
        let operations = vec![self.relations.place(read), self.relations.place(other)];
        Verdict::Violated(Witness { sentence, operations })
    }

    fn witness(&self, cycle: &[Edge<Why>]) -> Witness {
        let real = |node: u32| (node as usize) < self.relations.accesses.len();
        let first = cycle.iter().position(|edge| real(edge.from)).expect("nodes for several are in no cycle");
        let mut steps: Vec<String> = Vec::new();
        let mut operations: Vec<u32> = Vec::new();
        let mut by: Vec<u32> = Vec::new();
        let mut from = cycle[first].from;
        for edge in cycle[first..].iter().chain(&cycle[..first]) {
            if let Why::Joins(number) | Why::Promise(_, number) = edge.why {
                by.push(number);
            }
            if real(edge.to) {
                steps.push(self.step(from, edge, by[..].first().copied()));
                operations.extend([from, edge.to].into_iter().chain(by.drain(..)));
                from = edge.to;
            }
        }
        let mut places: Vec<usize> = operations.iter().map(|number| self.relations.place(*number)).collect();
        places.sort_unstable();
        places.dedup();
        let sentence = format!("no order of the writes has it that {}", steps.join(" and "));
        Witness { sentence, operations: places }
    }

    /// One step of a cycle; `by` is the operation that saw the earlier one, if one did.
    fn step(&self, from: u32, edge: &Edge<Why>, by: Option<u32>) -> String {
        let told = |number: u32| self.relations.told(number, self.texts);
        let (old, new) = (told(from), told(edge.to));
        match edge.why {
            Why::Order => format!("the store had {old} before {new}"),
            Why::Found | Why::Joins(_) => format!("{new} was made of {old}"),
            Why::Promise(Guarantee::ReadYourWrites, read) => {
                format!("{} was sent after {old} and saw {new}", told(read))
            }
            Why::Promise(Guarantee::MonotonicReads, read) => {
                format!("{} saw {new} where its session had seen {old}", told(read))
            }
            Why::Promise(Guarantee::MonotonicWrites, _) => format!("{old} was sent before {new}"),
            Why::Promise(Guarantee::WritesFollowReads, write) => {
                let read = by.unwrap_or(write);
                if read == write {
                    return format!("{new} found {old}");
                }
                format!("{} saw {old} and {new} was sent later", told(read))
            }
        }
    }
}
