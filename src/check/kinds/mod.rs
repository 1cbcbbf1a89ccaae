//! What recorded histories can be of: what their operations are called and mean, and what judges them.
//!
//! To add a model: a file here with a function that takes [`Attempts`] one after the other, makes of them what its checker reads, and says what
//! came out ([`Judged`]); and a line in [`ALL`]. The names of operations in that line are what `--model auto` goes by. `set` is a small
//! example.
//!
//! [`Attempts`]: crate::check::read::attempts::Attempts

pub mod auto;
mod bank;
mod grown;
mod kafka;
mod kind;
mod long_fork;
mod multi_register;
mod mutex;
mod nil;
pub mod objects;
mod pn_counter;
mod queue;
mod set;
mod set_final;
#[cfg(test)]
mod tests;
mod total_queue;
pub mod transactions;
mod unique_ids;
#[cfg(test)]
mod workloads;

use crate::check::model::Model;

pub use kind::{Asked, Judged, Kind, PART, Refused, Shown};
pub use nil::Nil;

/// All, in the order in which users see them.
pub const ALL: &[Kind] = &[
    objects::of(Model::Register, "reads and writes of a register, or of one for each key"),
    objects::of(Model::CasRegister, "reads, writes and compare-and-set"),
    objects::of(Model::Kv, "registers by key, whose texts can be appended to"),
    objects::of(Model::Counter, "additions and reads"),
    objects::of(Model::Mutex, "a lock that one process holds at a time"),
    objects::of(Model::Store, "rows, as the histories of our own runs have them"),
    transactions::LIST_APPEND,
    transactions::RW_REGISTER,
    bank::BANK,
    set::SET,
    multi_register::MULTI_REGISTER,
    set_final::SET_FINAL,
    grown::G_SET,
    grown::BROADCAST,
    pn_counter::PN_COUNTER,
    queue::QUEUE,
    total_queue::TOTAL_QUEUE,
    unique_ids::UNIQUE_IDS,
    long_fork::LONG_FORK,
    kafka::KAFKA,
];
