//! What a run leaves behind: counters, levels, request samples. It judges nothing and knows no part.
//!
//! [`recorder`] collects while the run goes on · [`probe`] keeps the requests of one program · [`cells`] is how a run is cut · [`series`] keeps
//! counters and levels · [`tally`] what programs count · [`warmup`] finds where a run becomes steady.

pub mod cells;
pub mod probe;
pub mod recorder;
pub mod series;
pub mod tally;
pub mod warmup;
