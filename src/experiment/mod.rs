//! From an experiment file to results: variants × sweep points × seeds, trials, statistics.

pub mod results;
pub mod statistics;
pub mod theory;
