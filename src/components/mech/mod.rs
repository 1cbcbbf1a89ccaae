//! What parts are made of: who comes when, what cores and disks do with jobs, pools, policies, how keys are drawn, what a full cache forgets.

pub mod arrivals;
pub mod cores;
pub mod evict;
pub mod key_distribution;
pub mod keyed;
pub mod mutant;
pub mod policy;
pub mod pool;
pub mod station;
