//! Faults of the network while they are active: a set, to which each fault adds and from which it takes only its own.

use std::fmt;
use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::ids::{Pid, ZoneId};
use crate::base::rng::{Bits, Identity, mix};
use crate::base::time::{Span, Time};
use crate::net::{EffectId, End, Packet};

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

/// What a rule says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Whatever else is the matter with it.
    Pass,
    /// It is lost.
    Drop,
    /// It takes this much longer.
    Delay(Span),
}

/// What a rule is asked: of a packet, and when it is sent.
type Asked = dyn Fn(&Packet, Time) -> Ruling + Send + Sync;

/// A fault of one's own: it is asked of each packet that is sent. It must say the same of the same packet at the same instant, or runs
/// are not repeatable; what it draws it draws from [`Packet::identity`].
#[derive(Clone)]
pub struct Rule(Arc<Asked>);

impl fmt::Debug for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Rule")
    }
}

impl PartialEq for Rule {
    /// Whether they are one.
    fn eq(&self, other: &Rule) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// One fault of the network. Each but a rule acts on packets from a node of `from` to a node of `to`, in that direction.
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
    /// Whatever it says.
    Rule(Rule),
}

impl Effect {
    /// A fault of one's own: asked of each packet, and of when it is sent.
    ///
    /// ```
    /// use splitbrain::prelude::*;
    ///
    /// // Nobody hears member 2 in the first second.
    /// let rule = Effect::rule(|packet, now| match packet.from.pid.member {
    ///     2 if now < Time::from_secs(1) => Ruling::Drop,
    ///     _ => Ruling::Pass,
    /// });
    /// let mut network = Network::flat(1, Path::default());
    /// let id = network.add(rule);
    /// network.lift(id);
    /// ```
    pub fn rule(rule: impl Fn(&Packet, Time) -> Ruling + Send + Sync + 'static) -> Effect {
        Effect::Rule(Rule(Arc::new(rule)))
    }

    /// Senders and receivers; a rule asks for itself.
    fn ends(&self) -> Option<(&NodeSet, &NodeSet)> {
        Some(match self {
            Effect::Rule(_) => return None,
            Effect::Cut { from, to }
            | Effect::Loss { from, to, .. }
            | Effect::Delay { from, to, .. }
            | Effect::Duplicate { from, to, .. }
            | Effect::Reorder { from, to, .. } => (from, to),
        })
    }

    fn concerns(&self, sender: End, receiver: End) -> bool {
        self.ends().is_none_or(|(from, to)| from.contains(sender) && to.contains(receiver))
    }

    /// The same about other names of the same nodes.
    pub fn renamed(mut self, rename: impl Fn(Pid) -> Pid) -> Effect {
        match &mut self {
            Effect::Rule(_) => {}
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
    active: Vec<Active>,
    next: u32,
}

/// One of them. Its name tells its draws from those of others, so that one more moves nobody's.
#[derive(Clone, Debug)]
struct Active {
    id: EffectId,
    name: u64,
    effect: Effect,
}

impl Effects {
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// How many there have been.
    pub(super) fn added(&self) -> u64 {
        u64::from(self.next)
    }

    pub(super) fn add(&mut self, name: u64, effect: Effect) -> EffectId {
        let id = EffectId(self.next);
        self.next += 1;
        self.active.push(Active { id, name, effect });
        id
    }

    pub(super) fn lift(&mut self, id: EffectId) {
        self.active.retain(|active| active.id != id);
    }

    /// The active effects on packets from one node to another.
    fn on(&self, sender: End, receiver: End) -> impl Iterator<Item = &Active> {
        self.active.iter().filter(move |active| active.effect.concerns(sender, receiver))
    }

    pub(super) fn cuts(&self, sender: End, receiver: End) -> bool {
        self.on(sender, receiver).any(|active| matches!(active.effect, Effect::Cut { .. }))
    }

    pub(super) fn cuts_zones(&self, sender: ZoneId, receiver: ZoneId) -> bool {
        self.active.iter().any(|active| match &active.effect {
            Effect::Cut { from, to } => from.contains_zone(sender) && to.contains_zone(receiver),
            _ => false,
        })
    }

    /// The chance of loss with all active effects, besides the path's own: independent causes of loss.
    pub(super) fn loss(&self, sender: End, receiver: End) -> f64 {
        self.chance(sender, receiver, |effect| match effect {
            Effect::Loss { share, .. } => Some(*share),
            _ => None,
        })
    }

    /// The chance that a datagram is doubled by any of them.
    pub(super) fn duplicate(&self, sender: End, receiver: End) -> f64 {
        self.chance(sender, receiver, |effect| match effect {
            Effect::Duplicate { share, .. } => Some(*share),
            _ => None,
        })
    }

    /// The chance that one at least of independent causes comes about.
    fn chance(&self, sender: End, receiver: End, share: impl Fn(&Effect) -> Option<f64>) -> f64 {
        let shares = self.on(sender, receiver).filter_map(|active| share(&active.effect));
        1.0 - shares.fold(1.0, |kept, share| kept * (1.0 - share))
    }

    /// What the rules say: it is lost if one of them says so, and takes what they add in all.
    pub(super) fn ruling(&self, packet: &Packet, now: Time) -> Ruling {
        let mut more = Span::ZERO;
        for active in &self.active {
            let Effect::Rule(Rule(rule)) = &active.effect else { continue };
            match rule(packet, now) {
                Ruling::Pass => {}
                Ruling::Drop => return Ruling::Drop,
                Ruling::Delay(span) => more += span,
            }
        }
        if more == Span::ZERO { Ruling::Pass } else { Ruling::Delay(more) }
    }

    /// What all of them add to a packet's way.
    pub(super) fn delay(&self, packet: Packet, purpose: u64) -> Span {
        let delays = self.on(packet.from, packet.to).filter_map(|active| match &active.effect {
            Effect::Delay { add, .. } => Some(add.span(&mut active.draws(packet.identity, purpose))),
            _ => None,
        });
        delays.sum()
    }

    /// For how long effects hold a datagram back.
    pub(super) fn holds_back(&self, packet: Packet, purpose: u64) -> Span {
        let mut held = Span::ZERO;
        for active in self.on(packet.from, packet.to) {
            if let Effect::Reorder { share, window, .. } = active.effect {
                let mut draws = active.draws(packet.identity, purpose);
                if draws.open01() < share {
                    held += window.scale(draws.open01());
                }
            }
        }
        held
    }
}

impl Active {
    /// What this effect draws for a packet.
    fn draws(&self, packet: Identity, purpose: u64) -> impl Bits {
        packet.draws(mix(purpose, self.name))
    }
}
