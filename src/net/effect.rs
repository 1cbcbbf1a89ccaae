//! Faults of the network while they are active: a set, to which each fault adds and from which it takes only its own.

use crate::base::dist::Dist;
use crate::base::ids::{Pid, ZoneId};
use crate::base::rng::{Bits, Stream};
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
    /// A share of datagrams arrives twice.
    Duplicate {
        /// Senders.
        from: NodeSet,
        /// Receivers.
        to: NodeSet,
        /// Chance, 0 to 1.
        share: f64,
    },
    /// A share of datagrams is held back, so that later ones overtake them.
    Reorder {
        /// Senders.
        from: NodeSet,
        /// Receivers.
        to: NodeSet,
        /// Chance, 0 to 1.
        share: f64,
        /// The longest time that one is held back; all times up to it are as likely.
        window: Span,
    },
}

impl Effect {
    /// Senders and receivers.
    fn ends(&self) -> (&NodeSet, &NodeSet) {
        match self {
            Effect::Cut { from, to }
            | Effect::Loss { from, to, .. }
            | Effect::Delay { from, to, .. }
            | Effect::Duplicate { from, to, .. }
            | Effect::Reorder { from, to, .. } => (from, to),
        }
    }

    fn concerns(&self, sender: End, receiver: End) -> bool {
        let (from, to) = self.ends();
        from.contains(sender) && to.contains(receiver)
    }

    /// The same about other names of the same nodes.
    pub fn renamed(mut self, rename: impl Fn(Pid) -> Pid) -> Effect {
        match &mut self {
            Effect::Cut { from, to }
            | Effect::Loss { from, to, .. }
            | Effect::Delay { from, to, .. }
            | Effect::Duplicate { from, to, .. }
            | Effect::Reorder { from, to, .. } => {
                from.pids.iter_mut().chain(&mut to.pids).for_each(|pid| *pid = rename(*pid));
            }
        }
        self
    }
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

    /// The active effects on packets from one node to another.
    fn on(&self, sender: End, receiver: End) -> impl Iterator<Item = &Effect> {
        self.active.iter().map(|(_, effect)| effect).filter(move |effect| effect.concerns(sender, receiver))
    }

    pub(super) fn cuts(&self, sender: End, receiver: End) -> bool {
        self.on(sender, receiver).any(|effect| matches!(effect, Effect::Cut { .. }))
    }

    pub(super) fn cuts_zones(&self, sender: ZoneId, receiver: ZoneId) -> bool {
        self.active.iter().any(|(_, effect)| match effect {
            Effect::Cut { from, to } => from.contains_zone(sender) && to.contains_zone(receiver),
            _ => false,
        })
    }

    /// The chance of loss with all active effects, besides the path's own: independent causes of loss.
    pub(super) fn loss(&self, sender: End, receiver: End) -> f64 {
        let kept = self.on(sender, receiver).fold(1.0, |kept, effect| match effect {
            Effect::Loss { share, .. } => kept * (1.0 - share),
            _ => kept,
        });
        1.0 - kept
    }

    pub(super) fn delay(&self, sender: End, receiver: End, stream: &mut Stream) -> Span {
        let delays = self.on(sender, receiver).filter_map(|effect| match effect {
            Effect::Delay { add, .. } => Some(add),
            _ => None,
        });
        delays.map(|add| add.span(stream)).sum()
    }

    /// Whether an effect makes a second datagram of one.
    pub(super) fn duplicates(&self, sender: End, receiver: End, stream: &mut Stream) -> bool {
        self.on(sender, receiver).any(|effect| match effect {
            Effect::Duplicate { share, .. } => stream.open01() < *share,
            _ => false,
        })
    }

    /// For how long effects hold a datagram back.
    pub(super) fn holds_back(&self, sender: End, receiver: End, stream: &mut Stream) -> Span {
        let mut held = Span::ZERO;
        for effect in self.on(sender, receiver) {
            if let Effect::Reorder { share, window, .. } = effect
                && stream.open01() < *share
            {
                held += window.scale(stream.open01());
            }
        }
        held
    }
}
