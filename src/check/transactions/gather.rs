//! What transactions did, by value: how they depend on each other, and what is wrong with what they saw.

use std::collections::BTreeMap;

use crate::check::Witness;
use crate::check::transactions::graph::{Edge, Graph, How, Why};
use crate::check::transactions::history::{Completion, Transactions};
use crate::check::transactions::levels::Kind;
use crate::check::transactions::report::{Anomaly, Report};
use crate::check::transactions::tell;
use crate::check::transactions::writes::{Write, Writes};

/// Dependencies and anomalies, while they are gathered.
pub(super) struct Dependencies<'a> {
    pub history: &'a Transactions,
    pub writes: Writes,
    pub graph: Graph,
    found: BTreeMap<Kind, Witness>,
    /// Why not all of it can be known.
    pub unknown: Option<String>,
}

impl<'a> Dependencies<'a> {
    pub fn new(history: &'a Transactions, writes: Writes) -> Self {
        let graph = Graph::new(history.transactions.len());
        Dependencies { history, writes, graph, found: BTreeMap::new(), unknown: None }
    }

    /// Who wrote a value, if that is one transaction and it had an effect.
    pub fn writer(&self, key: u32, value: i64) -> Option<u32> {
        let write = self.writes.only(key, value)?;
        self.writes.effective[write.by as usize].then_some(write.by)
    }

    pub fn depends(&mut self, from: u32, to: u32, how: How, key: u32, before: i64, after: i64) {
        if from != to {
            self.graph.edge(Edge { from, to, why: Why { how, key, before, after } });
        }
    }

    /// One witness of a kind is enough: the first.
    pub fn anomaly(&mut self, kind: Kind, transactions: &[u32], sentence: impl FnOnce() -> String) {
        let history = self.history;
        self.found.entry(kind).or_insert_with(|| Witness {
            sentence: sentence(),
            operations: transactions.iter().map(|one| history.transactions[*one as usize].place).collect(),
        });
    }

    /// A committed transaction saw the version that ends in a value, which it had not written before: whether that may be.
    pub fn saw(&mut self, reader: u32, key: u32, value: i64) {
        let history = self.history;
        let all = self.writes.all(key, value);
        if all.is_empty() {
            return self.anomaly(Kind::Nowhere, &[reader], || tell::nowhere(history, reader, key, value));
        }
        let others = || all.iter().copied().filter(|write| write.by != reader);
        let is_aborted =
            |write: &Write| history.transactions[write.by as usize].completion == Completion::Aborted;
        let Some(first) = others().next() else { return }; // its own alone
        if others().any(|write| !write.replaced && !is_aborted(&write)) {
            return;
        }
        match others().find(|write| !is_aborted(write)) {
            None => {
                let sentence = || tell::aborted(history, reader, first.by, key, value);
                self.anomaly(Kind::G1a, &[reader, first.by], sentence);
            }
            Some(write) => {
                let sentence = || tell::replaced(history, reader, write.by, key, value);
                self.anomaly(Kind::G1b, &[reader, write.by], sentence);
            }
        }
    }

    pub fn report(mut self) -> (Report, Writes) {
        let (cycles, all_searched) = self.graph.cycles();
        for (kind, cycle) in cycles {
            let history = self.history;
            let around: Vec<u32> = cycle.iter().map(|edge| edge.from).collect();
            self.anomaly(kind, &around, || tell::cycle(history, &cycle));
        }
        let is_ambiguous = self.unknown.is_some();
        let unknown = self.unknown.or_else(|| {
            (!all_searched).then(|| {
                "so many transactions depend on each other that not all cycles were looked for".to_owned()
            })
        });
        let anomalies = self.found.into_iter().map(|(kind, witness)| Anomaly { kind, witness }).collect();
        (Report { anomalies, unknown, is_ambiguous }, self.writes)
    }
}
