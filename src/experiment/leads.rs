//! Who leads whom in a run, from its beginning: for pictures of what went wrong.

use crate::base::ids::Pid;
use crate::base::time::Time;
use crate::experiment::cell::Cell;
use crate::sim::cluster::Cluster;
use crate::sim::run::World;

/// A member begins to lead the others of its part, as it believes, or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    /// When.
    pub at: Time,
    /// Who.
    pub by: Pid,
    /// Whether it begins.
    pub begins: bool,
}

/// Who leads whom in a run, from its beginning.
#[derive(Clone, Debug, Default)]
pub struct Leads {
    members: Vec<(Pid, bool)>,
    /// What has changed so far, in order.
    pub changes: Vec<Lead>,
}

impl Leads {
    /// Follows the members of all parts that are led.
    pub fn of(cell: &Cell, world: &mut World) -> Leads {
        let led = cell.faults.who.parts.iter().filter_map(|part| Some((part, part.led?)));
        let mut leads = Leads::default();
        for (part, led) in led {
            world.recorder_mut().watch_levels(&[led.leaders]);
            leads.members.extend((0..part.count).map(|member| (Pid::new(part.tier, member), false)));
        }
        leads
    }

    /// Looks who leads now.
    pub fn notice(&mut self, world: &World) {
        for (by, leads) in &mut self.members {
            let begins = Cluster::is_leader(world, *by);
            if begins != *leads {
                *leads = begins;
                self.changes.push(Lead { at: world.now(), by: *by, begins });
            }
        }
    }
}
