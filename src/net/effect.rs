//! Faults of the network while they are active: a set, to which each fault adds and from which it takes only its own.

use crate::base::dist::Dist;
use crate::base::ids::{Pid, ZoneId};
use crate::base::rng::Stream;
use crate::base::time::Span;
use crate::net::{EffectId, End};

/// Some of the nodes: whole zones, and single processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSet {
    zones: u64,
    pids: Vec<Pid>,
    everyone: bool,
}

impl NodeSet {
    /// Every node.
    pub fn everyone() -> Self {
        NodeSet { everyone: true, ..NodeSet::default() }
    }

    /// All nodes of these zones.
    pub fn zones(zones: &[ZoneId]) -> Self {
        NodeSet { zones: zones.iter().fold(0, |set, zone| set | 1 << zone.0), ..NodeSet::default() }
    }

    /// These processes.
    pub fn pids(pids: Vec<Pid>) -> Self {
        NodeSet { pids, ..NodeSet::default() }
    }

    /// Whether `end` is one of them.
    pub fn contains(&self, end: End) -> bool {
        self.everyone || self.zones >> end.zone.0 & 1 == 1 || self.pids.contains(&end.pid)
    }

    fn contains_zone(&self, zone: ZoneId) -> bool {
        self.everyone || self.zones >> zone.0 & 1 == 1
    }
}

/// One fault of the network. Each acts on packets from a node of `from` to a node of `to`, in that direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Nothing gets through.
    Cut {
        /// Senders.
        from: NodeSet,
        /// Receivers.
        to: NodeSet,
    },
    /// A further share of packets is lost.
    Loss {
        /// Senders.
        from: NodeSet,
        /// Receivers.
        to: NodeSet,
        /// Chance, 0 to 1.
        share: f64,
    },
    /// Packets take longer.
    Delay {
        /// Senders.
        from: NodeSet,
        /// Receivers.
        to: NodeSet,
        /// Added to the latency, nanoseconds.
        add: Dist,
    },
}

/// The active effects.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    active: Vec<(EffectId, Effect)>,
    next: u32,
}

impl Effects {
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    pub(super) fn add(&mut self, effect: Effect) -> EffectId {
        let id = EffectId(self.next);
        self.next += 1;
        self.active.push((id, effect));
        id
    }

    pub(super) fn lift(&mut self, id: EffectId) {
        self.active.retain(|(active, _)| *active != id);
    }

    pub(super) fn cuts(&self, sender: End, receiver: End) -> bool {
        self.active.iter().any(|(_, effect)| match effect {
            Effect::Cut { from, to } => from.contains(sender) && to.contains(receiver),
            Effect::Loss { .. } | Effect::Delay { .. } => false,
        })
    }

    pub(super) fn cuts_zones(&self, sender: ZoneId, receiver: ZoneId) -> bool {
        self.active.iter().any(|(_, effect)| match effect {
            Effect::Cut { from, to } => from.contains_zone(sender) && to.contains_zone(receiver),
            Effect::Loss { .. } | Effect::Delay { .. } => false,
        })
    }

    /// The chance of loss with all active effects: independent causes of loss.
    pub(super) fn loss(&self, sender: End, receiver: End, base: f64) -> f64 {
        let kept = self.active.iter().fold(1.0 - base, |kept, (_, effect)| match effect {
            Effect::Loss { from, to, share } if from.contains(sender) && to.contains(receiver) => {
                kept * (1.0 - share)
            }
            _ => kept,
        });
        1.0 - kept
    }

    pub(super) fn delay(&self, sender: End, receiver: End, stream: &mut Stream) -> Span {
        let mut total = Span::ZERO;
        for (_, effect) in &self.active {
            if let Effect::Delay { from, to, add } = effect
                && from.contains(sender)
                && to.contains(receiver)
            {
                total += add.span(stream);
            }
        }
        total
    }
}
