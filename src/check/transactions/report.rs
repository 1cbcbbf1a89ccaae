//! What is wrong with a history, and whether a level permits it.

use crate::check::transactions::levels::{Kind, Level};
use crate::check::{Verdict, Witness};

/// Something wrong, with as few transactions as show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What.
    pub kind: Kind,
    /// Who and how.
    pub witness: Witness,
}

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One of each kind that there is, the worst first.
    pub anomalies: Vec<Anomaly>,
    /// Why the check does not know all, if it does not.
    pub unknown: Option<String>,
    /// Whether that is because nobody can know it.
    pub is_ambiguous: bool,
}

impl Report {
    /// Whether the history is of a level where the store's own orders were given; without them [`decide()`](super::decide()) has to say.
    pub fn verdict(&self, level: Level) -> Verdict {
        match self.anomalies.iter().find(|anomaly| !level.permits(anomaly.kind)) {
            Some(Anomaly { kind, witness }) => Verdict::Violated(Witness {
                sentence: format!("{}: {}", kind.name(), witness.sentence),
                operations: witness.operations.clone(),
            }),
            None => self.unknown.clone().map_or(Verdict::Holds, Verdict::Unknown),
        }
    }

    /// The kinds that were found.
    #[cfg(test)]
    pub fn kinds(&self) -> Vec<Kind> {
        self.anomalies.iter().map(|anomaly| anomaly.kind).collect()
    }
}
