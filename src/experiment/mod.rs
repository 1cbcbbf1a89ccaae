//! From an experiment file to results: variants × sweep points × seeds, trials, statistics.

pub mod cells;
pub mod question;
pub mod results;
pub mod setup;
pub mod statistics;
pub mod theory;
pub mod trace;
pub mod workload;
