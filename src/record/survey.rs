//! What the copies of a store hold at an instant.

use crate::base::ids::{OpId, TierId};
use crate::base::op::Value;
use crate::base::time::Time;
use crate::record::history::RowId;

/// What copies hold of some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// By copy, then by row.
    pub copies: Vec<Vec<Value>>,
    /// By row: the versions that go into what all copies would hold if they told each other all that they have and nobody wrote any
    /// more. One, unless copies are merged in a way that keeps what each of them has.
    pub settled: Vec<Vec<OpId>>,
}

/// The copies of a store at an instant of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The store.
    pub store: TierId,
    /// When.
    pub at: Time,
    /// Which rows.
    pub rows: Vec<RowId>,
    /// What they hold.
    pub holdings: Holdings,
}

impl Holdings {
    /// What the one copy holds.
    pub fn one(values: Vec<Value>) -> Holdings {
        Holdings { settled: values.iter().map(|value| vec![value.version]).collect(), copies: vec![values] }
    }
}
