//! Copies without a leader: whoever is asked coordinates, asks all copies in parallel and goes on when enough have
//! answered (DeCandia et al., "Dynamo", SOSP 2007). With R + W > N every read meets every acknowledged write – which
//! is not linearizability.
//!
//! **Liveness.** R or W copies that are up and can be reached serve at once: nobody remembers who was away. An operation that has too
//! few answers is given up after the coordinator's patience, and its customer told that nobody knows.
//!
//! [`cell`](crate::components::storage::cell) is what a copy holds of a row and how cells are merged · [`member`] is the process and its copy ·
//! `coordinator` is what it does for clients · `lineage` what is recorded of copies.

mod coordinator;
pub mod lineage;
pub mod member;
pub mod plan;
#[cfg(test)]
mod tests;

pub use lineage::survey;
