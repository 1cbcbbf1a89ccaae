//! From an experiment file to results: variants × sweep points × seeds, trials, statistics.
//!
//! Data path: [`load`](mod@load) reads the [`question`] and makes each [`cell`] with its [`setup`] ·
//! [`execute`](mod@execute) makes each [`run`], or several as one as far as they are one ([`fork`]), which leaves a [`trial`] ·
//! [`outcome`] judges and makes [`results`] · [`draw`](mod@draw) turns [`plot`] entries into [`pictures`], which the report draws.

pub mod advice;
pub mod asked;
pub mod bottleneck;
pub mod budget;
pub mod cell;
pub mod cells;
pub mod clashes;
pub mod compiled;
pub mod course;
pub mod decision;
pub mod draw;
pub mod drawing;
pub mod excess;
pub mod execute;
pub mod export;
pub mod facts;
pub mod fork;
#[cfg(test)]
mod identities;
pub mod leads;
pub mod load;
pub mod memory;
pub mod meters;
pub mod outcome;
pub mod overrides;
mod parallel;
pub mod pictures;
pub mod plot;
pub mod question;
pub mod recording;
pub mod results;
pub mod run;
pub mod running;
pub mod setup;
pub mod snapshots;
pub mod statistics;
pub mod swept;
pub mod telling;
pub mod theory;
pub mod timetable;
pub mod tolerance;
pub mod topology;
pub mod trace;
pub mod trial;
pub mod witness;
pub mod workload;

pub use cell::Experiment;
pub use execute::{Outcome, Progress, Stopped, execute};
pub use load::{Failure, load};
pub use overrides::Overrides;
