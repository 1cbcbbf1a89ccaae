//! splitbrain is a deterministic discrete-event simulator of backend systems. One run, named by
//! (design, seed, version), yields both honest performance numbers and consistency verdicts, under faults.
//!
//! The layers, from the ground up; each imports only layers above it in this list (`tests/all/architecture.rs` holds that):
//! [`base`] vocabulary · [`engine`] clock and pending events · [`net`] fate and delay of packets ·
//! [`record`] what a run leaves behind · [`program`] the little language of endpoints · [`sim`] processes and
//! the main loop · [`components`] the parts · [`faults`] · [`check`] · [`measures`] · [`design`] TOML to a
//! checked design · [`experiment`] variants, trials, statistics · [`report`] tables, plots, page · [`cli`].
//!
//! The smallest whole example: a design out of memory, run, and asked one question.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::atomic::AtomicBool;
//! use splitbrain::experiment::{Overrides, execute, load};
//!
//! let text = r#"
//! length = "60s"
//! net    = { latency = "0s" }
//! server.desk   = { cores = 1 }
//! workload.jobs = { do = "job()", arrive = "poisson(50/s)" }
//! [on.desk]
//! job = "cpu exp(10ms)"
//! "#;
//! let files = BTreeMap::from([("queue.toml".to_owned(), text.as_bytes().to_vec())]);
//! let Ok(experiment) = load(&files, "queue.toml", &Overrides::default()) else { panic!("it is valid") };
//! let outcome = execute(&experiment, 1, &|_| {}, &AtomicBool::new(false)).expect("nobody stops it");
//! let mean = outcome.results.cells[0].measures["mean(job)"].mean.expect("requests ended");
//! assert!((0.015..0.025).contains(&mean), "M/M/1 at half load takes 20 ms, this is {mean} s");
//! ```

//!
//! A protocol of one's own needs [`prelude`] and no design; the guide ends in a running program:
#![doc = include_str!("../docs/your-own-protocol.md")]

pub mod base;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod components;
pub mod design;
pub mod engine;
pub mod experiment;
pub mod faults;
pub mod measures;
pub mod net;
pub mod prelude;
pub mod program;
pub mod record;
#[cfg(feature = "plots")]
pub mod report;
pub mod sim;
