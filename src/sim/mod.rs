//! Processes and the main loop. It knows no part and no protocol: only calls, messages, timers, disks, crashes.
//!
//! Data path: [`run`] takes the next event and dispatches it to a [`tier`]; a [`process`] acts through its
//! [`context`], which is a window on the [`kernel`].
//!
//! Delivery, in numbered rules:
//! 1. Events leave in order of time; those of one instant in the order in which they were scheduled.
//! 2. Each call gets exactly one answer, or none if the caller crashed or let go.
//! 3. Requests and answers of one ordered pair of members ride one connection and keep their order; a workload's
//!    requests are different customers' and ride a connection each.
//! 4. A message dies if its path is cut when it is sent or when it arrives; a connection sends it again, as it does what
//!    was lost, until it breaks.
//! 5. What is meant for an incarnation that has crashed is dropped. What a crashed node has sent still arrives; what its
//!    machine would have had to send again does not, if the machine is dead.
//! 6. A process that stands still is reached like any other, and acts on it when it goes on.

pub mod alive;
pub mod calls;
pub mod clock;
pub mod cluster;
pub mod connections;
pub mod context;
pub mod deadlines;
pub mod disk;
pub mod event;
mod excess;
pub mod fingerprint;
mod impairments;
pub mod keepalive;
pub mod kernel;
pub mod limits;
pub mod nodes;
pub mod order;
pub mod payload;
pub mod process;
pub mod request;
pub mod run;
mod side;
#[cfg(test)]
mod tests;
pub mod tier;
mod timers;
mod wire;
