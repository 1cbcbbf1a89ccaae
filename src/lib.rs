//! splitbrain is a deterministic discrete-event simulator of backend systems. One run, named by
//! (design, seed, version), yields both honest performance numbers and consistency verdicts, under faults.
//!
//! The rooms, from the ground up; each imports only rooms above it in this list (`tests/all/house.rs` holds that):
//! [`base`] vocabulary · [`engine`] clock and pending events · [`net`] fate and delay of packets ·
//! [`record`] what a run leaves behind · [`program`] the little language of endpoints · [`sim`] processes and
//! the main loop · [`components`] the parts · [`faults`] · [`check`] · [`measures`] · [`design`] TOML to a
//! checked design · [`experiment`] variants, trials, statistics · [`report`] tables, plots, page · [`cli`].

pub mod base;
pub mod check;
pub mod cli;
pub mod components;
pub mod design;
pub mod engine;
pub mod experiment;
pub mod faults;
pub mod measures;
pub mod net;
pub mod program;
pub mod record;
pub mod report;
pub mod sim;
