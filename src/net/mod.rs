//! The network: it answers the fate and the delay of a packet. It schedules nothing and does not care about
//! anybody's protocol.
//!
//! Data path: [`Network::route`] is asked when a packet is sent, [`Network::admits`] when it arrives.

pub mod effect;
pub mod path;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::base::ids::{Pid, ZoneId};
use crate::base::rng::{Bits, Identity, Stream, name_hash};
use crate::base::time::{Span, Time};
use crate::net::effect::{Effect, Effects, NodeSet, Ruling};
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
    /// What its draws are named by.
    pub identity: Identity,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
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

/// What is drawn for a packet: each purpose apart from all others, faults' from the path's own.
#[derive(Clone, Copy, Debug)]
struct Purposes {
    latency: u64,
    loss: u64,
    duplicate: u64,
    fault_loss: u64,
    fault_delay: u64,
    fault_duplicate: u64,
    fault_reorder: u64,
}

impl Purposes {
    fn of(seed: u64) -> Self {
        let key = |name: &str| Stream::new(seed, name_hash(name)).bits();
        Purposes {
            latency: key("network / latency"),
            loss: key("network / loss"),
            duplicate: key("network / duplicate"),
            fault_loss: key("network / fault / loss"),
            fault_delay: key("network / fault / delay"),
            fault_duplicate: key("network / fault / duplicate"),
            fault_reorder: key("network / fault / reorder"),
        }
    }
}

/// The network of a design.
#[derive(Clone, Debug)]
pub struct Network {
    zones: Vec<String>,
    lanes: Vec<Lane>,
    effects: Effects,
    purposes: Purposes,
}

impl Network {
    /// The network over `zones` (their names), in which `links` name the paths that differ from `default`.
    /// A later link for the same direction replaces an earlier one.
    ///
    /// # Panics
    /// With no zone or more than [`ZONES_MAX`]; the loader has checked.
    pub fn new(seed: u64, zones: Vec<String>, default: Path, links: &[(ZoneId, ZoneId, Path)]) -> Self {
        assert!(!zones.is_empty() && zones.len() <= ZONES_MAX, "1 to {ZONES_MAX} zones");
        let lane = Lane { path: default, busy_until: Time::ZERO, plain: false };
        let lanes = vec![lane; zones.len() * zones.len()];
        let mut network = Network { zones, lanes, effects: Effects::default(), purposes: Purposes::of(seed) };
        for (from, to, path) in links {
            let lane = network.lane(*from, *to);
            network.lanes[lane].path = path.clone();
        }
        network.find_plain();
        network
    }

    fn find_plain(&mut self) {
        let unimpaired = self.unimpaired();
        for lane in &mut self.lanes {
            lane.plain = unimpaired && lane.path.is_plain();
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
        Some(now + lane.path.latency.span(&mut packet.identity.draws(self.purposes.latency)))
    }

    /// The fate of a packet that is sent now. A process reaches itself at once.
    pub fn route(&mut self, packet: Packet, now: Time) -> Delivery {
        if packet.from.pid == packet.to.pid {
            return Delivery::Arrives(now);
        }
        let impaired = !self.effects.is_empty();
        if impaired && self.effects.cuts(packet.from, packet.to) {
            return Delivery::Cut;
        }
        let index = self.lane(packet.from.zone, packet.to.zone);
        let lane = &mut self.lanes[index];
        let drawn = |purpose: u64| packet.identity.draws(purpose);
        if lane.path.loss > 0.0 && drawn(self.purposes.loss).open01() < lane.path.loss {
            return Delivery::Lost;
        }
        let mut at = now;
        if impaired {
            let loss = self.effects.loss(packet.from, packet.to);
            if loss > 0.0 && drawn(self.purposes.fault_loss).open01() < loss {
                return Delivery::Lost;
            }
            at += self.effects.delay(packet, self.purposes.fault_delay);
            match self.effects.ruling(&packet, now) {
                Ruling::Pass => {}
                Ruling::Drop => return Delivery::Lost,
                Ruling::Delay(more) => at += more,
            }
        }
        at += lane.path.latency.span(&mut drawn(self.purposes.latency));
        if let Some(bits_per_s) = lane.path.bandwidth {
            let start = lane.busy_until.max(now);
            let sending = Span::from_secs_f64(f64::from(packet.size_bytes) * 8.0 / bits_per_s);
            lane.busy_until = start + sending;
            at += lane.busy_until - now;
        }
        Delivery::Arrives(at)
    }

    /// Whether a datagram is duplicated on the way, by the path's chance or a fault's.
    pub fn duplicates(&self, packet: Packet) -> bool {
        let drawn = |purpose: u64| packet.identity.draws(purpose).open01();
        let path = self.path(packet.from.zone, packet.to.zone);
        if path.duplicate > 0.0 && drawn(self.purposes.duplicate) < path.duplicate {
            return true;
        }
        if self.effects.is_empty() || packet.from.pid == packet.to.pid {
            return false;
        }
        let chance = self.effects.duplicate(packet.from, packet.to);
        chance > 0.0 && drawn(self.purposes.fault_duplicate) < chance
    }

    /// For how long faults hold a datagram back on its way, so that later ones overtake it.
    pub fn holds_back(&self, packet: Packet) -> Span {
        if self.effects.is_empty() || packet.from.pid == packet.to.pid {
            return Span::ZERO;
        }
        self.effects.holds_back(packet, self.purposes.fault_reorder)
    }

    /// Whether no fault of the network is active.
    #[inline]
    pub fn unimpaired(&self) -> bool {
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

    /// Adds an effect to the active ones, named by how many there were before it.
    pub fn add(&mut self, effect: Effect) -> EffectId {
        self.add_named(self.effects.added(), effect)
    }

    /// Adds an effect to the active ones; its draws are told from those of others by its name, a hash.
    pub fn add_named(&mut self, name: u64, effect: Effect) -> EffectId {
        let id = self.effects.add(name, effect);
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
    use crate::base::math;
    use crate::base::rng::mix;

    fn end(zone: u8) -> End {
        End { pid: Pid::new(TierId(0), u32::from(zone)), zone: ZoneId(zone) }
    }

    fn two_zones() -> Network {
        let path = Path { latency: Dist::Constant(1e6), ..Path::default() };
        Network::new(7, vec!["a".into(), "b".into()], path, &[])
    }

    fn packet(identity: Identity) -> Packet {
        Packet { from: end(0), to: end(1), size_bytes: 100, identity }
    }

    #[test]
    fn a_packet_takes_the_latency_of_its_path() {
        let mut net = two_zones();
        let packet = packet(Identity::of_call(0, 0));
        assert_eq!(net.route(packet, Time::ZERO), Delivery::Arrives(Time::from_ns(1_000_000)));
    }

    #[test]
    fn a_narrow_link_sends_one_packet_after_the_other() {
        let path = Path { latency: Dist::Constant(0.0), bandwidth: Some(8000.0), ..Path::default() };
        let mut net = Network::new(7, vec!["a".into(), "b".into()], path, &[]);
        let packet = Packet { size_bytes: 1000, ..packet(Identity::of_call(0, 0)) };
        assert_eq!(net.route(packet, Time::ZERO), Delivery::Arrives(Time::ZERO + Span::from_secs(1)));
        assert_eq!(net.route(packet, Time::ZERO), Delivery::Arrives(Time::ZERO + Span::from_secs(2)));
    }

    #[test]
    fn overlapping_cuts_are_lifted_one_by_one() {
        let mut net = two_zones();
        let cut = || Effect::Cut { from: NodeSet::zones(&[ZoneId(0)]), to: NodeSet::zones(&[ZoneId(1)]) };
        let (first, second) = (net.add(cut()), net.add(cut()));
        let packet = packet(Identity::of_call(0, 0));
        assert_eq!(net.route(packet, Time::ZERO), Delivery::Cut);
        assert!(!net.connected());
        net.lift(first);
        assert!(!net.admits(end(0), end(1)));
        net.lift(second);
        assert!(net.admits(end(0), end(1)));
        assert!(net.connected());
    }

    #[test]
    fn rules_say_what_becomes_of_a_packet_until_they_are_lifted() {
        let mut net = two_zones();
        let second = |packet: &Packet| packet.to.zone == ZoneId(1);
        let late = net.add(Effect::rule(move |packet, now| match second(packet) {
            true if now == Time::ZERO => Ruling::Delay(Span::from_ms(2)),
            _ => Ruling::Pass,
        }));
        let packet = packet(Identity::of_call(0, 0));
        let back = Packet { from: packet.to, to: packet.from, ..packet };
        let (at_once, later) = (Delivery::Arrives(Time::from_ms(1)), Delivery::Arrives(Time::from_ms(3)));
        assert_eq!((net.route(packet, Time::ZERO), net.route(back, Time::ZERO)), (later, at_once));
        let lost = net.add(Effect::rule(move |packet, _| match second(packet) {
            true => Ruling::Drop,
            false => Ruling::Pass,
        }));
        assert_eq!((net.route(packet, Time::ZERO), net.route(back, Time::ZERO)), (Delivery::Lost, at_once));
        net.lift(lost);
        net.lift(late);
        assert_eq!(net.route(packet, Time::ZERO), at_once);
    }

    #[test]
    fn loss_by_chance_has_its_share() {
        let path = Path { latency: Dist::Constant(0.0), loss: 0.2, ..Path::default() };
        let mut net = Network::new(7, vec!["a".into(), "b".into()], path, &[]);
        let packet = |call| packet(Identity::of_call(0, call));
        let lost = (0..10_000).filter(|call| net.route(packet(*call), Time::ZERO) == Delivery::Lost).count();
        assert!((1_850..2_150).contains(&lost), "{lost} of 10,000 at 20 %");
    }

    /// Latencies of a path of Exp(1 ms) for so many packets of a kind, in milliseconds.
    fn latencies(named: impl Fn(u64) -> Identity) -> Vec<f64> {
        let path = Path { latency: Dist::Exponential { mean: 1e6 }, ..Path::default() };
        let mut net = Network::new(7, vec!["a".into(), "b".into()], path, &[]);
        let took = |number| match net.route(packet(named(number)), Time::ZERO) {
            Delivery::Arrives(at) => at.as_ns() as f64 / 1e6,
            delivery => panic!("{delivery:?}"),
        };
        (0..100_000).map(took).collect()
    }

    /// Whoever numbers what is sent: calls, transmissions of a call, messages, members. Mean and variance of Exp(1) within four standard
    /// errors, the correlation of neighbours within four, and a chi-square over 100 cells of equal chance.
    #[test]
    fn latencies_have_their_distribution_whatever_names_the_packets() {
        let kinds: [(&str, &dyn Fn(u64) -> Identity); 6] = [
            ("hashes", &|n| Identity::of_call(1, mix(n, 0))),
            ("numbers", &|n| Identity::of_call(1, n)),
            ("transmissions", &|n| Identity::of_call(1, 99).again(n as u32)),
            ("messages", &|n| Identity::counted(1, n as u32).between(3, 4)),
            ("members", &|n| Identity::counted(1, 5).between(n as u32 / 300, n as u32 % 300)),
            ("parts", &|n| Identity::of_call(mix(n, 1).wrapping_add(mix(7, 2)), 99)),
        ];
        for (kind, named) in kinds {
            let all = latencies(named);
            let n = all.len() as f64;
            let mean = all.iter().sum::<f64>() / n;
            let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            let next =
                all.windows(2).map(|two| (two[0] - mean) * (two[1] - mean)).sum::<f64>() / n / variance;
            let error = 1.0 / n.sqrt();
            assert!((mean - 1.0).abs() < 4.0 * error, "{kind}: mean {mean}");
            assert!((variance - 1.0).abs() < 4.0 * error * 8f64.sqrt(), "{kind}: variance {variance}");
            assert!(next.abs() < 4.0 * error, "{kind}: neighbours are correlated by {next}");
            let mut cells = [0u32; 100];
            all.iter().for_each(|x| cells[(((1.0 - math::exp(-x)) * 100.0) as usize).min(99)] += 1);
            let chi: f64 =
                cells.iter().map(|seen| (f64::from(*seen) - n / 100.0).powi(2) / (n / 100.0)).sum();
            assert!((45.0..170.0).contains(&chi), "{kind}: chi-square {chi} with 99 degrees of freedom");
        }
    }

    /// Loss, latency and both of a retransmission are independent of each other: a lost packet's next one is no slower.
    #[test]
    fn purposes_and_transmissions_are_independent() {
        let path = Path { latency: Dist::Exponential { mean: 1e6 }, loss: 0.5, ..Path::default() };
        let mut net = Network::new(3, vec!["a".into(), "b".into()], path, &[]);
        let (mut lost, mut both, mut slow, mut came) = (0, 0, 0, 0);
        for call in 0..100_000 {
            let first = Identity::of_call(1, mix(call, 0));
            let deliveries = [0, 1].map(|times| net.route(packet(first.again(times)), Time::ZERO));
            lost += u32::from(deliveries[0] == Delivery::Lost);
            both += u32::from(deliveries == [Delivery::Lost; 2]);
            if let (Delivery::Lost, Delivery::Arrives(at)) = (deliveries[0], deliveries[1]) {
                came += 1;
                slow += u32::from(at.as_ns() > 693_147); // the median of Exp(1 ms)
            }
        }
        assert!(lost.abs_diff(50_000) < 640 && both.abs_diff(25_000) < 550, "{lost} lost, {both} twice");
        assert!((slow * 2).abs_diff(came) < 640, "{slow} of {came} are slower than the median");
    }

    #[test]
    fn one_more_effect_moves_no_draw_of_another() {
        let held = |others: &[u64]| {
            let mut net = two_zones();
            let everyone = NodeSet::everyone;
            for name in others {
                let effect = Effect::Delay { from: everyone(), to: everyone(), add: Dist::Constant(0.0) };
                net.add_named(*name, effect);
            }
            let add = Dist::Exponential { mean: 1e6 };
            net.add_named(7, Effect::Delay { from: everyone(), to: everyone(), add });
            (0..100).map(|call| net.route(packet(Identity::of_call(1, call)), Time::ZERO)).collect::<Vec<_>>()
        };
        assert_eq!(held(&[]), held(&[1, 2, 3]));
    }
}
