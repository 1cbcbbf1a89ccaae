//! What a run leaves behind: counters, levels, request samples. It judges nothing and knows no part.
//!
//! [`recorder`] collects while the run goes on · [`bins`] is how a run is cut · [`probe`] keeps the requests of one
//! program, [`sums`] them by cell, [`sample`] one by one or their distribution, [`observed`] what of them a stretch of the run shows ·
//! [`gaps`] the longest time without a success · [`series`] keeps counters and levels · [`tally`] what programs
//! count · [`history`] what clients asked of stores and what copies took in · [`survey`] what copies hold at an instant ·
//! [`transactions`] which of them belong together · [`replicas`] how far copies are behind ·
//! [`warmup`] finds where a run becomes steady.

pub mod bins;
pub mod ended;
pub mod gaps;
pub mod history;
pub mod holds;
pub mod observed;
pub mod probe;
pub mod recorder;
pub mod replicas;
pub mod sample;
pub mod series;
pub mod sums;
pub mod survey;
pub mod tails;
pub mod tally;
pub mod transactions;
pub mod warmup;
