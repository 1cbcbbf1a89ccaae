//! Vocabulary that every room shares: time, names, operations, randomness, distributions, problems.
//! It imports nothing of ours and knows nothing of simulation.

pub mod cause;
pub mod dist;
pub mod ids;
pub mod math;
pub mod op;
pub mod parameter;
pub mod plain;
pub mod problem;
pub mod quantity;
pub mod rng;
pub mod series;
pub mod session;
pub mod slab;
pub mod time;
