//! Names of coroutines, holds and transactions, for the host.

use crate::base::slab::Key;
use std::hash::Hash;

/// A coroutine of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoroutineId(pub Key);

/// A hold: one lock from the moment when it is asked for until it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(pub Key);

/// A transaction, through all its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(pub Key);
