//! From an experiment file to results: variants × sweep points × seeds, trials, statistics.
//!
//! Data path: [`load`](mod@load) reads the [`question`] and makes a [`setup`] for each of the [`cells`] ·
//! [`execute`](mod@execute) runs each [`trial`], or several as one as far as they are one ([`fork`]) · [`outcome`] judges and makes
//! [`results`] · [`draw`](mod@draw) turns [`plot`] entries into [`pictures`], which the report draws.

pub mod advice;
pub mod asked;
pub mod bottleneck;
pub mod budget;
pub mod cells;
pub mod clashes;
pub mod course;
pub mod draw;
pub mod excess;
pub mod execute;
pub mod export;
pub mod facts;
pub mod fork;
#[cfg(test)]
mod identities;
pub mod judging;
pub mod leads;
pub mod load;
pub mod meters;
pub mod outcome;
pub mod overrides;
mod parallel;
pub mod pictures;
pub mod plot;
pub mod question;
pub mod recording;
pub mod results;
pub mod running;
pub mod setup;
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

pub use execute::{Outcome, Progress, Stopped, execute};
pub use load::{Experiment, Failure, Overrides, load};
