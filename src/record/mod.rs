//! What a run leaves behind: counters, levels, request samples. It judges nothing and knows no part.
//!
//! [`recorder`] collects while the run goes on · [`probe`] keeps the requests of one program · [`series`] keeps
//! counters and levels.

pub mod probe;
pub mod recorder;
pub mod series;
