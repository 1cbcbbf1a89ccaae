//! The network: it answers the fate and the delay of a packet. It schedules nothing and does not care about
//! anybody's protocol.
//!
//! Data path: [`Network::route`] is asked when a packet is sent, [`Network::admits`] when it arrives.

pub mod effect;
pub mod path;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::base::ids::{Pid, ZoneId};
use crate::base::rng::{Bits, Stream, mix, name_hash};
use crate::base::time::{Span, Time};
use crate::net::effect::{Effect, Effects, NodeSet};
use crate::net::path::Path;

/// The most zones of a design; the table of paths has this number squared.
pub const ZONES_MAX: usize = 64;

/// Names one active effect, for lifting just that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EffectId(pub u32);

/// One end of a packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The process.
    pub pid: Pid,
    /// Where it stands.
    pub zone: ZoneId,
}

/// A packet, as far as the network looks into it.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Sender.
    pub from: End,
    /// Receiver.
    pub to: End,
    /// Size on the wire, bytes.
    pub size_bytes: u32,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It gets there, then (if it is still admitted when it arrives).
    Arrives(Time),
    /// It is lost on the way, by chance.
    Lost,
    /// There is no way: the path is cut.
    Cut,
}

/// One direction between two zones, while running.
#[derive(Clone, Debug)]
struct Lane {
    path: Path,
    latency: Stream,
    loss: Stream,
    /// What faults draw: one more or less moves no draw of the path itself.
    trouble: Stream,
    busy_until: Time,
    /// Nothing happens to a packet here but its latency, now: the common case, found by one look.
    plain: bool,
}

impl Path {
    /// Whether a packet takes its latency and no more comes of it.
    fn is_plain(&self) -> bool {
        self.loss == 0.0 && self.duplicate == 0.0 && self.bandwidth.is_none()
    }
}

/// The network of a design.
#[derive(Clone, Debug)]
pub struct Network {
    zones: Vec<String>,
    lanes: Vec<Lane>,
    effects: Effects,
}

impl Network {
    /// The network over `zones` (their names), in which `links` name the paths that differ from `default`.
    /// A later link for the same direction replaces an earlier one.
    ///
    /// # Panics
    /// With no zone or more than [`ZONES_MAX`]; the loader has checked.
    pub fn new(seed: u64, zones: Vec<String>, default: Path, links: &[(ZoneId, ZoneId, Path)]) -> Self {
        assert!(!zones.is_empty() && zones.len() <= ZONES_MAX, "1 to {ZONES_MAX} zones");
        let mut lanes = Vec::with_capacity(zones.len() * zones.len());
        for from in &zones {
            for to in &zones {
                let name = mix(name_hash(from), name_hash(to));
                lanes.push(Lane {
                    path: default.clone(),
                    latency: Stream::new(seed, mix(name, name_hash("latency"))),
                    loss: Stream::new(seed, mix(name, name_hash("loss"))),
                    trouble: Stream::new(seed, mix(name, name_hash("trouble"))),
                    busy_until: Time::ZERO,
                    plain: false,
                });
            }
        }
        let mut network = Network { zones, lanes, effects: Effects::default() };
        for (from, to, path) in links {
            let lane = network.lane(*from, *to);
            network.lanes[lane].path = path.clone();
        }
        network.find_plain();
        network
    }

    fn find_plain(&mut self) {
        let untroubled = self.untroubled();
        for lane in &mut self.lanes {
            lane.plain = untroubled && lane.path.is_plain();
        }
    }

    /// One zone and a constant latency: for tests and benchmarks.
    pub fn flat(seed: u64, path: Path) -> Self {
        Network::new(seed, vec!["here".to_string()], path, &[])
    }

    #[inline]
    fn lane(&self, from: ZoneId, to: ZoneId) -> usize {
        from.index() * self.zones.len() + to.index()
    }

    /// The path from one zone to another.
    pub fn path(&self, from: ZoneId, to: ZoneId) -> &Path {
        &self.lanes[self.lane(from, to)].path
    }

    /// When a packet that is sent now arrives, once and for sure; `None` where more can happen to it, for which see
    /// [`Network::duplicates`] and [`Network::route`]. Both draw the same.
    #[inline]
    pub fn route_plain(&mut self, packet: Packet, now: Time) -> Option<Time> {
        let index = self.lane(packet.from.zone, packet.to.zone);
        let lane = &mut self.lanes[index];
        if !lane.plain {
            return None;
        }
        if packet.from.pid == packet.to.pid {
            return Some(now);
        }
        Some(now + lane.path.latency.span(&mut lane.latency))
    }

    /// The fate of a packet that is sent now. A process reaches itself at once.
    pub fn route(&mut self, packet: Packet, now: Time) -> Fate {
        if packet.from.pid == packet.to.pid {
            return Fate::Arrives(now);
        }
        let troubled = !self.effects.is_empty();
        if troubled && self.effects.cuts(packet.from, packet.to) {
            return Fate::Cut;
        }
        let index = self.lane(packet.from.zone, packet.to.zone);
        let lane = &mut self.lanes[index];
        if lane.path.loss > 0.0 && lane.loss.open01() < lane.path.loss {
            return Fate::Lost;
        }
        let mut at = now;
        if troubled {
            let loss = self.effects.loss(packet.from, packet.to);
            if loss > 0.0 && lane.trouble.open01() < loss {
                return Fate::Lost;
            }
            at += self.effects.delay(packet.from, packet.to, &mut lane.trouble);
        }
        at += lane.path.latency.span(&mut lane.latency);
        if let Some(bits_per_s) = lane.path.bandwidth {
            let start = lane.busy_until.max(now);
            let sending = Span::from_secs_f64(f64::from(packet.size_bytes) * 8.0 / bits_per_s);
            lane.busy_until = start + sending;
            at += lane.busy_until - now;
        }
        Fate::Arrives(at)
    }

    /// Whether a datagram is duplicated on the way, by the path's chance or a fault's.
    pub fn duplicates(&mut self, packet: Packet) -> bool {
        let index = self.lane(packet.from.zone, packet.to.zone);
        let lane = &mut self.lanes[index];
        let by_path = lane.path.duplicate > 0.0 && lane.loss.open01() < lane.path.duplicate;
        let by_fault = !self.effects.is_empty()
            && packet.from.pid != packet.to.pid
            && self.effects.duplicates(packet.from, packet.to, &mut lane.trouble);
        by_path || by_fault
    }

    /// For how long faults hold a datagram back on its way, so that later ones overtake it.
    pub fn holds_back(&mut self, packet: Packet) -> Span {
        if self.effects.is_empty() || packet.from.pid == packet.to.pid {
            return Span::ZERO;
        }
        let index = self.lane(packet.from.zone, packet.to.zone);
        self.effects.holds_back(packet.from, packet.to, &mut self.lanes[index].trouble)
    }

    /// Whether no fault of the network is active.
    #[inline]
    pub fn untroubled(&self) -> bool {
        self.effects.is_empty()
    }

    /// Whether a packet that arrives now may: a cut kills what is on the way.
    pub fn admits(&self, from: End, to: End) -> bool {
        self.effects.is_empty() || from.pid == to.pid || !self.effects.cuts(from, to)
    }

    /// Whether packets between these zones can overtake each other or be held up at all.
    pub fn keeps_order(&self, from: ZoneId, to: ZoneId) -> bool {
        let path = self.path(from, to);
        self.effects.is_empty() && path.loss == 0.0 && path.is_constant()
    }

    /// Adds an effect to the active ones.
    pub fn add(&mut self, effect: Effect) -> EffectId {
        let id = self.effects.add(effect);
        self.find_plain();
        id
    }

    /// Lifts one effect; others stay.
    pub fn lift(&mut self, id: EffectId) {
        self.effects.lift(id);
        self.find_plain();
    }

    /// Zones as a graph, an edge for each direction that is not cut as a whole: for pictures and reachability.
    pub fn topology(&self) -> DiGraph<String, Path> {
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = self.zones.iter().map(|zone| graph.add_node(zone.clone())).collect();
        for from in 0..self.zones.len() {
            for to in 0..self.zones.len() {
                let (a, b) = (ZoneId(from as u8), ZoneId(to as u8));
                if from != to && !self.effects.cuts_zones(a, b) {
                    graph.add_edge(nodes[from], nodes[to], self.path(a, b).clone());
                }
            }
        }
        graph
    }

    /// Whether every zone can reach every other, over any number of hops.
    pub fn connected(&self) -> bool {
        petgraph::algo::kosaraju_scc(&self.topology()).len() == 1
    }

    /// A set of all nodes in these zones.
    pub fn zones_set(zones: &[ZoneId]) -> NodeSet {
        NodeSet::zones(zones)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::dist::Dist;
    use crate::base::ids::TierId;

    fn end(zone: u8) -> End {
        End { pid: Pid::new(TierId(0), u32::from(zone)), zone: ZoneId(zone) }
    }

    fn two_zones() -> Network {
        let path = Path { latency: Dist::Constant(1e6), ..Path::default() };
        Network::new(7, vec!["a".into(), "b".into()], path, &[])
    }

    #[test]
    fn a_packet_takes_the_latency_of_its_path() {
        let mut net = two_zones();
        let packet = Packet { from: end(0), to: end(1), size_bytes: 100 };
        assert_eq!(net.route(packet, Time::ZERO), Fate::Arrives(Time::from_ns(1_000_000)));
    }

    #[test]
    fn a_narrow_link_sends_one_packet_after_the_other() {
        let path = Path { latency: Dist::Constant(0.0), bandwidth: Some(8000.0), ..Path::default() };
        let mut net = Network::new(7, vec!["a".into(), "b".into()], path, &[]);
        let packet = Packet { from: end(0), to: end(1), size_bytes: 1000 };
        assert_eq!(net.route(packet, Time::ZERO), Fate::Arrives(Time::ZERO + Span::from_secs(1)));
        assert_eq!(net.route(packet, Time::ZERO), Fate::Arrives(Time::ZERO + Span::from_secs(2)));
    }

    #[test]
    fn overlapping_cuts_are_lifted_one_by_one() {
        let mut net = two_zones();
        let cut = || Effect::Cut { from: NodeSet::zones(&[ZoneId(0)]), to: NodeSet::zones(&[ZoneId(1)]) };
        let (first, second) = (net.add(cut()), net.add(cut()));
        let packet = Packet { from: end(0), to: end(1), size_bytes: 100 };
        assert_eq!(net.route(packet, Time::ZERO), Fate::Cut);
        assert!(!net.connected());
        net.lift(first);
        assert!(!net.admits(end(0), end(1)));
        net.lift(second);
        assert!(net.admits(end(0), end(1)));
        assert!(net.connected());
    }

    #[test]
    fn loss_by_chance_has_its_share() {
        let path = Path { latency: Dist::Constant(0.0), loss: 0.2, ..Path::default() };
        let mut net = Network::new(7, vec!["a".into(), "b".into()], path, &[]);
        let packet = Packet { from: end(0), to: end(1), size_bytes: 100 };
        let lost = (0..10_000).filter(|_| net.route(packet, Time::ZERO) == Fate::Lost).count();
        assert!((1_850..2_150).contains(&lost), "{lost} of 10,000 at 20 %");
    }
}
