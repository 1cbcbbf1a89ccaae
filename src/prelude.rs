//! What a protocol of one's own needs, in one line: `use splitbrain::prelude::*;`. `docs/your-own-protocol.md` is the guide.

pub use crate::base::cause::{Cause, Causes};
pub use crate::base::dist::Dist;
pub use crate::base::ids::{CallId, Pid, SyncId, TierId, TimerId, ZoneId};
pub use crate::base::op::{At, Op, Outcome, Reason, Reply, Value};
pub use crate::base::rng::{Bits, Draws};
pub use crate::base::session::{CausalContext, Session};
pub use crate::base::time::{ClockTime, Span, Time};
pub use crate::check::search::Budget;
pub use crate::check::spec::{Observation, SequentialSpec, States, linearizable};
pub use crate::check::{Verdict, Witness};
pub use crate::net::effect::{Effect, NodeSet, Rule, Ruling};
pub use crate::net::path::Path;
pub use crate::net::{EffectId, Network, Packet};
pub use crate::record::recorder::Recorder;
pub use crate::sim::context::Context;
pub use crate::sim::disk::Disk;
pub use crate::sim::nodes::Crash;
pub use crate::sim::order::Order;
pub use crate::sim::payload::{Payload, Word};
pub use crate::sim::process::Process;
pub use crate::sim::request::{CallContext, Request};
pub use crate::sim::run::{Stop, World};
