//! Nodes: which incarnation of a process runs, whether it is up, paused, and what is wrong with its clocks. A tier in which
//! nothing ever went wrong keeps no state per member.

use std::collections::VecDeque;

use crate::base::ids::{Pid, ZoneId};
use crate::base::rng::{mix, name_hash};
use crate::sim::clock::Clock;
use crate::sim::event::Event;

/// How a node is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crash {
    /// The machine: silent, nobody hears of it.
    Machine,
    /// The process: its machine resets connections and refuses new ones.
    Process,
}

/// A node's troubles.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Counts crashes.
    pub incarnation: u16,
    /// How it is down, if it is.
    pub down: Option<Crash>,
    /// How many pauses are in force.
    pub pauses: u32,
    /// What happened to it meanwhile, in order.
    pub deferred: VecDeque<Event>,
    /// How many drains are in force: while there is one, new requests are refused.
    pub drains: u32,
    /// Its clocks.
    pub clock: Clock,
}

/// The nodes of one tier.
#[derive(Clone, Debug)]
pub struct TierNodes {
    /// The tier's name.
    pub name: String,
    /// How many members.
    pub count: u32,
    /// Each request of these has a connection of its own: they stand for many customers.
    pub independent: bool,
    hash: u64,
    /// Its part of a hop's name, where it sends and where it receives.
    hop: (u64, u64),
    zones: Vec<ZoneId>,
    impaired: Option<Vec<Node>>,
}

impl TierNodes {
    /// The nodes of tier `name`, placed in `zones` in turn.
    ///
    /// # Panics
    /// Without a zone.
    pub fn new(name: &str, count: u32, zones: &[ZoneId], independent: bool) -> Self {
        assert!(!zones.is_empty(), "a tier stands somewhere");
        TierNodes {
            name: name.to_string(),
            count,
            independent,
            hash: name_hash(name),
            hop: (mix(name_hash(name), 1), mix(name_hash(name), 2)),
            zones: zones.to_vec(),
            impaired: None,
        }
    }

    /// The same nodes under another name, for a tier that runs beside this one. Their state stays with this one.
    pub(super) fn renamed(&self, name: &str) -> Self {
        TierNodes::new(name, self.count, &self.zones, self.independent)
    }

    /// Where a member stands.
    #[inline]
    pub fn zone(&self, member: u32) -> ZoneId {
        match self.zones[..] {
            [zone] => zone,
            _ => self.zones[(member % self.zones.len() as u32) as usize],
        }
    }

    /// A stable hash of a member's name.
    #[inline]
    pub fn member_hash(&self, member: u32) -> u64 {
        self.hash ^ u64::from(member).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// The hash of the tier's name.
    pub fn name_hash(&self) -> u64 {
        self.hash
    }

    /// Names what is sent from members of this tier to those of another: a hash of both names.
    #[inline]
    pub fn hop(&self, to: &TierNodes) -> u64 {
        self.hop.0.wrapping_add(to.hop.1)
    }

    /// Whether any member was ever in trouble.
    #[inline]
    pub fn impaired(&self) -> bool {
        self.impaired.is_some()
    }

    /// A member's troubles, if it can have any.
    #[inline]
    pub fn node(&self, member: u32) -> Option<&Node> {
        self.impaired.as_ref().map(|nodes| &nodes[member as usize])
    }

    /// A member's troubles; from now on they are kept.
    pub fn node_mut(&mut self, member: u32) -> &mut Node {
        let count = self.count as usize;
        &mut self.impaired.get_or_insert_with(|| vec![Node::default(); count])[member as usize]
    }

    /// A member's incarnation.
    #[inline]
    pub fn incarnation(&self, member: u32) -> u16 {
        self.node(member).map_or(0, |node| node.incarnation)
    }
}

/// A stable hash of a stream's name: (tier, member, purpose).
pub fn stream_name(tier: &TierNodes, pid: Pid, purpose: u8) -> u64 {
    mix(mix(tier.name_hash(), u64::from(pid.member)), u64::from(purpose))
}
