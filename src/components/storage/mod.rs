//! What every copy of a store has, whatever keeps it in step with the others: connections, cores and answers ([`front`]), rows, locks and the
//! machine that applies operations, clocks of values ([`cell`]), [`transactions`], and how it tells the record what it holds ([`lineage`]).

pub mod cell;
pub mod fences;
pub mod front;
pub mod legs;
pub mod lineage;
pub mod lock_table;
pub mod lock_waiters;
pub mod machine;
pub mod pace;
pub mod plan;
pub mod rows;
pub mod series;
pub mod transactions;
