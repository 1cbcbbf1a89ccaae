//! What a fault may do to a world: a narrow window, so that faults know no process and no kernel.

use crate::base::ids::{Pid, SeriesId};
pub use crate::net::EffectId;
pub use crate::net::effect::{Effect, NodeSet};
#[cfg(test)]
pub use crate::net::{End, Network};
pub use crate::sim::clock::ClockImpairmentId;
pub use crate::sim::nodes::Crash;
pub use crate::sim::order::Order;
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
    /// A process takes no new requests and finishes those that it has. Drains nest.
    fn drain(&mut self, pid: Pid);
    /// One drain ends.
    fn undrain(&mut self, pid: Pid);
    /// The wall clock of a process's node jumps by `jump_ns` and both its clocks run `drift_ppb` parts per billion too fast from now on.
    fn skew(&mut self, pid: Pid, jump_ns: i64, drift_ppb: i64) -> ClockImpairmentId;
    /// One trouble of its clock ends.
    fn clear(&mut self, pid: Pid, id: ClockImpairmentId);
    /// Gives an order to a process, if it is up.
    fn order(&mut self, pid: Pid, order: Order);
    /// Adds to the set of the network's active troubles. The name, a hash, tells its draws from those of others.
    fn impairment(&mut self, name: u64, effect: Effect) -> EffectId;
    /// Takes one out of the set; others stay.
    fn lift(&mut self, effect: EffectId);
    /// Whether there is such a process at all.
    fn is_there(&self, pid: Pid) -> bool;
    /// Whether a process is there and up.
    fn is_up(&self, pid: Pid) -> bool;
    /// Whether a process is up and believes that it leads.
    fn is_leader(&self, pid: Pid) -> bool;
    /// A level as it is now; 0 for one of a part that is not there.
    fn level(&self, series: SeriesId) -> i64;
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
    fn impairment(&mut self, name: u64, effect: Effect) -> EffectId {
        let effect = effect.renamed(|pid| self.home(pid));
        self.network().add_named(name, effect)
    }
    fn lift(&mut self, effect: EffectId) {
        self.network().lift(effect);
    }
    fn drain(&mut self, pid: Pid) {
        if self.has(pid) {
            World::drain(self, pid);
        }
    }
    fn undrain(&mut self, pid: Pid) {
        if self.has(pid) {
            World::undrain(self, pid);
        }
    }
    fn skew(&mut self, pid: Pid, jump_ns: i64, drift_ppb: i64) -> ClockImpairmentId {
        match self.has(pid) {
            true => World::skew(self, pid, jump_ns, drift_ppb),
            false => ClockImpairmentId(0),
        }
    }
    fn clear(&mut self, pid: Pid, id: ClockImpairmentId) {
        if self.has(pid) {
            World::clear(self, pid, id);
        }
    }
    fn is_there(&self, pid: Pid) -> bool {
        self.has(pid)
    }
    fn is_up(&self, pid: Pid) -> bool {
        World::is_up(self, pid)
    }
    fn is_leader(&self, pid: Pid) -> bool {
        World::is_leader(self, pid)
    }
    fn level(&self, series: SeriesId) -> i64 {
        self.recorder().series(series).level
    }
}

impl World {
    fn has(&self, pid: Pid) -> bool {
        pid.member < self.count(pid.tier)
    }
}
