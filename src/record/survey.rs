//! What the copies of a store hold at an instant.

use crate::base::ids::TierId;
use crate::base::op::Value;
use crate::base::time::Time;
use crate::record::history::RowId;

/// What copies hold of some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// By copy, then by row.
    pub copies: Vec<Vec<Value>>,
    /// By row: what all copies would hold if they told each other all that they have and nobody wrote any more.
    pub settled: Vec<Value>,
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
