//! Processes and the main loop. It knows no part and no protocol: only calls, messages, timers, disks, crashes.
//!
//! Data path: [`run`] takes the next event and dispatches it to a [`tier`]; a [`process`] acts through its
//! [`context`], which is a window on the [`kernel`].

pub mod context;
pub mod kernel;
pub mod process;
pub mod run;
pub mod tier;
