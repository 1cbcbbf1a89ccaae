//! What a fault may do to a world: a narrow window, so that faults know no process and no kernel.

use crate::base::ids::Pid;
pub use crate::net::EffectId;
pub use crate::net::effect::{Effect, NodeSet};
pub use crate::sim::nodes::Crash;
pub use crate::sim::process::Order;
use crate::sim::run::World;

/// A world, as faults see it.
pub trait Cluster {
    /// A process crashes, if it is up.
    fn crash(&mut self, pid: Pid, how: Crash);
    /// A crashed process starts again.
    fn restart(&mut self, pid: Pid);
    /// A process stands still; what happens to it waits. Pauses nest.
    fn pause(&mut self, pid: Pid);
    /// One pause ends.
    fn resume(&mut self, pid: Pid);
    /// Gives an order to a process, if it is up.
    fn order(&mut self, pid: Pid, order: Order);
    /// Adds to the set of the network's active troubles.
    fn trouble(&mut self, effect: Effect) -> EffectId;
    /// Takes one out of the set; others stay.
    fn lift(&mut self, effect: EffectId);
}

/// Parts that no workload reaches are not built: what is done to their members is done to nobody.
impl Cluster for World {
    fn crash(&mut self, pid: Pid, how: Crash) {
        if self.has(pid) {
            World::crash(self, pid, how);
        }
    }
    fn restart(&mut self, pid: Pid) {
        if self.has(pid) {
            World::restart(self, pid);
        }
    }
    fn pause(&mut self, pid: Pid) {
        if self.has(pid) {
            World::pause(self, pid);
        }
    }
    fn resume(&mut self, pid: Pid) {
        if self.has(pid) {
            World::resume(self, pid);
        }
    }
    fn order(&mut self, pid: Pid, order: Order) {
        if self.has(pid) {
            World::order(self, pid, order);
        }
    }
    fn trouble(&mut self, effect: Effect) -> EffectId {
        self.network().add(effect)
    }
    fn lift(&mut self, effect: EffectId) {
        self.network().lift(effect);
    }
}

impl World {
    fn has(&self, pid: Pid) -> bool {
        pid.member < self.count(pid.tier)
    }
}
