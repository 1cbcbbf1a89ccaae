//! splitbrain is a deterministic discrete-event simulator of backend systems. One run, named by
//! (design, seed, version), yields both honest performance numbers and consistency verdicts, under faults.
//!
//! [`experiments`] runs designs that are text · [`prelude`] is for protocols of one's own · `reports` makes tables, JSON and pages of results
//! (feature `plots`) · `command` is the command line (feature `cli`). The layers below are the crate's own; `ARCHITECTURE.md` names them.
//!
//! The smallest whole example: a design out of memory, run, and asked one question.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::atomic::AtomicBool;
//! use splitbrain::experiments::{Overrides, execute, load};
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
// What only the command and the pictures use is not dead in a build without them.
#![cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports))]
// Links to what is the crate's own are for who reads it with that (`cargo doc --document-private-items`, which CI checks).
#![allow(rustdoc::private_intra_doc_links)]

#[cfg(feature = "internals")]
pub mod base;
#[cfg(not(feature = "internals"))]
mod base;
#[cfg(feature = "internals")]
pub mod check;
#[cfg(not(feature = "internals"))]
mod check;
#[cfg(all(feature = "cli", feature = "internals"))]
pub mod cli;
#[cfg(all(feature = "cli", not(feature = "internals")))]
mod cli;
#[cfg(feature = "internals")]
pub mod components;
#[cfg(not(feature = "internals"))]
mod components;
#[cfg(feature = "internals")]
pub mod design;
#[cfg(not(feature = "internals"))]
mod design;
#[cfg(feature = "internals")]
pub mod engine;
#[cfg(not(feature = "internals"))]
mod engine;
#[cfg(feature = "internals")]
pub mod experiment;
#[cfg(not(feature = "internals"))]
mod experiment;
#[cfg(feature = "internals")]
pub mod faults;
#[cfg(not(feature = "internals"))]
mod faults;
#[cfg(feature = "internals")]
pub mod measures;
#[cfg(not(feature = "internals"))]
mod measures;
#[cfg(feature = "internals")]
pub mod net;
#[cfg(not(feature = "internals"))]
mod net;
pub mod prelude;
#[cfg(feature = "internals")]
pub mod program;
#[cfg(not(feature = "internals"))]
mod program;
#[cfg(feature = "internals")]
pub mod record;
#[cfg(not(feature = "internals"))]
mod record;
#[cfg(all(feature = "plots", feature = "internals"))]
pub mod report;
#[cfg(all(feature = "plots", not(feature = "internals")))]
mod report;
#[cfg(feature = "internals")]
pub mod sim;
#[cfg(not(feature = "internals"))]
mod sim;

/// Experiments: files in, results out.
pub mod experiments {
    pub use crate::base::problem::Problems;
    pub use crate::design::file::{ReadError, Reader};
    pub use crate::design::render::render;
    pub use crate::design::source::Sources;
    pub use crate::experiment::cell::Experiment;
    pub use crate::experiment::execute::{Outcome, Progress, Stopped, execute};
    pub use crate::experiment::load::{Failure, load};
    pub use crate::experiment::overrides::Overrides;
    pub use crate::experiment::results::Results;
}

/// Parts of one's own in designs: a [`Kind`](parts::Kind) in a registry, [`Kinds::with`](parts::Kinds::with), that
/// [`Overrides::kinds`](experiments::Overrides::kinds) names. `tests/library` has one.
pub mod parts {
    pub use crate::base::ids::SeriesId;
    pub use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset, Setting};
    pub use crate::base::problem::Problems;
    pub use crate::base::series::{Series, SeriesKind, series_id};
    pub use crate::components::Kinds;
    pub use crate::components::directory::{Client, StoreClient};
    pub use crate::components::part::{COMMON, Kind, Led, Names, OfKind, Part, PartName, Wiring};
    pub use crate::components::storage::rows::apply;
    pub use crate::program::compile::scope::PartRole;
    pub use crate::record::history::attempt;
    pub use crate::record::survey::Holdings;
}

/// What is made of results: tables, `results.json`, the page and its pictures.
#[cfg(feature = "plots")]
pub mod reports {
    pub use crate::report::input::ReportInput;
    pub use crate::report::json::json;
    pub use crate::report::render as page;
    pub use crate::report::table::table;
}

/// The command.
#[cfg(feature = "cli")]
pub mod command {
    pub use crate::cli::{Arguments, carry_out};
}
