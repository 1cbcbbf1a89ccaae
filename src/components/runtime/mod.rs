//! What runs programs: on app servers, and beside the members of a store.
//!
//! [`host`] carries out what programs ask for · `pending` calls other parts for them · `reader` is the clients'
//! half of a cache's guard, `transactor` that of a store's transactions, `holder` that of locks.

pub mod beside;
mod cache_aside;
mod driver;
mod hold;
mod holder;
pub mod host;
mod pending;
mod pending_call;
pub mod plan;
mod pool;
mod pools;
mod reader;
mod reading;
mod right;
mod transaction;
mod transactor;
