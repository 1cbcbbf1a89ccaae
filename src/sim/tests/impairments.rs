//! What becomes of calls and datagrams when nodes crash, stand still or are drained, and when the network loses, cuts, copies
//! and reorders.

use super::*;
use crate::net::EffectId;
use crate::sim::payload::Payload;

/// A cut in one direction: from zone `from` to the other.
fn cut(world: &mut World, from: u8) -> EffectId {
    let zone = |zone: u8| NodeSet::zones(&[ZoneId(zone)]);
    world.network().add(Effect::Cut { from: zone(from), to: zone(1 - from) })
}

fn between(world: &mut World, effect: impl Fn(NodeSet, NodeSet) -> Effect) {
    world.network().add(effect(NodeSet::everyone(), NodeSet::everyone()));
}

fn calls(calls: Vec<u64>, echo_after: u64) -> Plan {
    Plan { calls, echo_after: Span::from_ms(echo_after), ..Plan::default() }
}

#[test]
fn what_a_crashed_node_had_sent_still_arrives() {
    for how in [Crash::Machine, Crash::Process] {
        // The answer has left at 13 ms and is on its way until 23 ms.
        let mut world = world(calls(vec![0], 3), Dist::Constant(10.0 * MS as f64));
        until(&mut world, 15);
        world.crash(ECHO, how);
        until(&mut world, 100);
        assert_eq!(outcomes(&world), vec![(23, Outcome::ok(0))], "{how:?}");
        // So has a request, whose caller is not there any more when the answer comes.
        let mut world = self::world(calls(vec![0], 3), Dist::Constant(10.0 * MS as f64));
        until(&mut world, 5);
        world.crash(CALLER, how);
        until(&mut world, 8);
        world.restart(CALLER);
        until(&mut world, 9);
        assert_eq!(world.population().1, 2, "the call of before, and that of now");
        until(&mut world, 100);
        assert_eq!(echo(&world).seen, vec![(10, 0), (18, 0)], "{how:?}");
        assert_eq!(
            outcomes(&world),
            vec![(31, Outcome::ok(0))],
            "{how:?}: the answer to the first is for nobody"
        );
        assert_eq!(world.population().1, 0);
    }
}

#[test]
fn what_is_for_an_older_incarnation_is_refused() {
    for how in [Crash::Machine, Crash::Process] {
        let mut world = world(calls(vec![0], 3), Dist::Constant(10.0 * MS as f64));
        until(&mut world, 5);
        world.crash(ECHO, how);
        until(&mut world, 6);
        world.restart(ECHO);
        until(&mut world, 100);
        assert!(echo(&world).seen.is_empty());
        assert_eq!(
            outcomes(&world),
            vec![(20, Outcome::Fail(Reason::Refused))],
            "its connection is unknown there"
        );
    }
}

#[test]
fn what_a_dead_machine_had_not_got_through_is_gone_with_it() {
    for (how, told) in [(Crash::Process, vec![(223, Outcome::ok(0))]), (Crash::Machine, vec![])] {
        let mut world = world(calls(vec![0], 3), Dist::Constant(10.0 * MS as f64));
        until(&mut world, 11);
        let effect = cut(&mut world, 1);
        until(&mut world, 20); // it answers at 13 ms, into the cut
        world.crash(ECHO, how);
        world.network().lift(effect);
        until(&mut world, 5000);
        assert_eq!(outcomes(&world), told, "{how:?}: a machine sends what its process left behind");
    }
}

#[test]
fn a_cut_in_one_direction_lets_requests_through_and_no_answers() {
    let timeout = Some(Span::from_ms(100));
    let mut world = world(Plan { timeout, ..calls(vec![10, 60], 3) }, one_ms());
    cut(&mut world, 1);
    until(&mut world, 400);
    assert_eq!(echo(&world).seen, vec![(11, 0), (61, 1)]);
    let unknown = Outcome::Unknown(Reason::Timeout);
    assert_eq!(outcomes(&world), vec![(110, unknown), (160, unknown)]);
}

#[test]
fn what_reaches_a_paused_process_is_cut_off_at_its_arrival_and_not_later() {
    let mut world = world(calls(vec![0, 20], 3), one_ms());
    world.pause(ECHO);
    until(&mut world, 10); // the first has arrived, the second comes into the cut
    let effect = cut(&mut world, 0);
    until(&mut world, 50);
    world.resume(ECHO);
    assert_eq!(echo(&world).seen, vec![(50, 0)], "though there is a cut now");
    until(&mut world, 60);
    world.network().lift(effect);
    until(&mut world, 1000);
    assert_eq!(echo(&world).seen, vec![(50, 0), (221, 1)], "sent again 200 ms after it was cut off");
}

#[test]
fn a_drained_process_finishes_what_it_has_and_refuses_what_is_new() {
    let mut world = world(calls(vec![0, 20, 60], 30), one_ms());
    until(&mut world, 10);
    world.drain(ECHO);
    world.drain(ECHO);
    until(&mut world, 30);
    world.undrain(ECHO);
    until(&mut world, 40);
    assert_eq!(outcomes(&world), vec![(22, Outcome::Fail(Reason::Refused)), (32, Outcome::ok(0))]);
    world.undrain(ECHO);
    until(&mut world, 200);
    assert_eq!(outcomes(&world)[2], (92, Outcome::ok(2)));
}

#[test]
fn a_loss_on_a_connection_costs_retransmissions_that_wait_twice_as_long_each() {
    // Far apart, so that none waits behind another.
    let far_apart: Vec<u64> = (0..400).map(|n| n * 500_000).collect();
    let mut world = world(calls(far_apart, 0), one_ms());
    let (from, to) = (NodeSet::zones(&[ZoneId(0)]), NodeSet::zones(&[ZoneId(1)]));
    world.network().add(Effect::Loss { from, to, share: 0.5 });
    until(&mut world, 400 * 500_000);
    let waits: Vec<u64> = echo(&world).seen.iter().map(|(at, key)| at - 500_000 * *key as u64 - 1).collect();
    // 0.2 s, and 0.4 s more, and 0.8 s more
    let counts =
        [0, 200, 600, 1400, 3000, 6200].map(|wait| waits.iter().filter(|seen| **seen == wait).count());
    assert!(
        counts[0].abs_diff(200) < 40 && counts[1].abs_diff(100) < 35 && counts[2].abs_diff(50) < 25,
        "{counts:?}"
    );
    // It breaks at the first retransmission after `break_after`, 10 s: the one after 12.6 s.
    let broken =
        outcomes(&world).iter().filter(|(_, outcome)| *outcome == Outcome::Unknown(Reason::Reset)).count();
    assert_eq!(
        counts.iter().sum::<usize>() + waits.iter().filter(|wait| **wait == 12_600).count(),
        400 - broken
    );
    assert!((1..=9).contains(&broken), "{broken} of 400 at a chance of 2^-7");
}

#[test]
fn a_packet_that_a_dead_machine_would_send_again_is_lost_for_good() {
    for (how, seen) in [(Crash::Machine, vec![(61, 0)]), (Crash::Process, vec![(61, 0), (201, 0)])] {
        let mut world = world(calls(vec![0], 0), one_ms());
        let everyone = NodeSet::everyone;
        let loss = world.network().add(Effect::Loss { from: everyone(), to: everyone(), share: 1.0 });
        until(&mut world, 50);
        world.network().lift(loss);
        world.crash(CALLER, how);
        until(&mut world, 60);
        world.restart(CALLER);
        until(&mut world, 1000);
        let mut told: Vec<_> = echo(&world).seen.clone();
        told.sort_unstable();
        assert_eq!(told, seen, "{how:?}");
    }
}

#[test]
fn a_lost_packet_holds_up_those_behind_it() {
    let mut world = world(calls((0..100).collect(), 0), one_ms());
    let (from, to) = (NodeSet::zones(&[ZoneId(0)]), NodeSet::zones(&[ZoneId(1)]));
    world.network().add(Effect::Loss { from, to, share: 0.1 });
    until(&mut world, 10_000);
    let seen = &echo(&world).seen;
    assert!(seen.is_sorted_by_key(|(_, key)| *key) && seen.len() == 100);
    assert!(seen.iter().any(|(at, key)| *at >= *key as u64 + 201));
}

#[test]
fn a_link_that_flaps_in_step_with_retransmissions_lets_nothing_through() {
    // Open for half of the time. Retransmissions come after 0.2, 0.6, 1.4, … s, so in step with 200 ms.
    for (period, phase, answered) in [(200, 0, None), (200, 100, Some(12)), (300, 0, Some(212))] {
        let mut world = world(calls(vec![10], 0), one_ms());
        let mut now = phase;
        until(&mut world, now);
        while now < 6_000 {
            let cuts = cut_both_ways(&mut world);
            until(&mut world, now + period / 2);
            cuts.into_iter().for_each(|cut| world.network().lift(cut));
            now += period;
            until(&mut world, now);
        }
        assert_eq!(
            outcomes(&world).first().map(|(at, _)| *at),
            answered,
            "every {period} ms from {phase} ms"
        );
    }
}

/// Sends each of its numbers when it is time, and remembers what came when.
#[derive(Clone, Hash, Debug)]
struct Gossip {
    heard: Vec<(u64, u32)>,
}

/// A number that goes into the event, or one that does not.
#[derive(Clone, Hash, Debug)]
struct Number(u32, bool);

impl Payload for Number {
    type Sent = [u32; 1];
    fn inline(&self) -> Option<u32> {
        self.1.then_some(self.0)
    }
    fn from_inline(bits: u32) -> Self {
        Number(bits, true)
    }
}

impl Process for Gossip {
    type Plan = Vec<u64>;
    type Message = Number;
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(_: &Vec<u64>, _: u32) -> Self {
        Gossip { heard: Vec::new() }
    }
    fn start(&mut self, _: &Disk<(), ()>, ctx: &mut Context<Self>) {
        if ctx.me().member == 0 && ctx.now() == Time::ZERO {
            for (number, ms) in ctx.plan().iter().enumerate() {
                ctx.wake(Span::from_ms(*ms), number as u64);
            }
        }
    }
    fn on_timer(&mut self, number: u64, ctx: &mut Context<Self>) {
        let to = Pid::new(ctx.me().tier, 1);
        ctx.send(to, Number(number as u32, number.is_multiple_of(2)), 100);
    }
    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}
    fn on_message(&mut self, _: Pid, number: Number, ctx: &mut Context<Self>) {
        self.heard.push((ctx.now().as_ns() / MS, number.0));
    }
}

/// Member 0 tells member 1, in another zone, a number at each of these times; it takes 10 ms.
fn gossip(at_ms: Vec<u64>) -> World {
    let path = Path { latency: Dist::Constant(10.0 * MS as f64), ..Path::default() };
    let network = Network::new(1, vec!["a".into(), "b".into()], path, &[]);
    let mut world = World::new(1, network, Recorder::default());
    world.add::<Gossip>("gossip", Arc::new(at_ms), 2, &[ZoneId(0), ZoneId(1)], false);
    world.start();
    world
}

fn heard(world: &World) -> Vec<(u64, u32)> {
    world.members::<Gossip>(TierId(0)).expect("typed")[1].heard.clone()
}

#[test]
fn a_datagram_dies_where_the_path_is_cut_at_its_send_or_at_its_arrival() {
    let mut world = gossip(vec![0, 5, 20, 35, 41]);
    until(&mut world, 12);
    let effect = cut(&mut world, 0);
    until(&mut world, 40);
    world.network().lift(effect);
    until(&mut world, 100);
    assert_eq!(heard(&world), vec![(10, 0), (51, 4)]);
    assert_eq!(world.population().0, 0);
}

#[test]
fn datagrams_wait_for_a_paused_process_and_die_with_a_crashed_one() {
    let hear = |paused: bool, restart_at: u64| {
        let mut world = gossip(vec![0, 1, 15, 16, 30, 31]);
        until(&mut world, 5);
        let other = Pid::new(TierId(0), 1);
        if paused {
            world.pause(other);
            until(&mut world, 20);
            let effect = cut(&mut world, 0);
            until(&mut world, 27); // 2 and 3 arrive into it
            world.network().lift(effect);
            until(&mut world, restart_at);
            world.resume(other);
        } else {
            world.crash(other, Crash::Machine);
            until(&mut world, restart_at);
            world.restart(other);
        }
        until(&mut world, 100);
        assert_eq!(world.population().0, 0);
        heard(&world)
    };
    assert_eq!(hear(true, 35), vec![(35, 0), (35, 1), (40, 4), (41, 5)]);
    assert_eq!(hear(false, 8), vec![(25, 2), (26, 3), (40, 4), (41, 5)], "0 and 1 were for the one before");
    assert_eq!(hear(false, 35), vec![(40, 4), (41, 5)]);
}

#[test]
fn a_crash_ends_what_waits_for_a_paused_process() {
    let mut world = gossip(vec![0, 1, 30]);
    let other = Pid::new(TierId(0), 1);
    world.pause(other);
    until(&mut world, 20);
    world.crash(other, Crash::Process);
    world.restart(other);
    until(&mut world, 100);
    assert_eq!(heard(&world), vec![(40, 2)]);
}

#[test]
fn a_share_of_datagrams_comes_twice_and_calls_once() {
    let mut world = gossip((0..2000).collect());
    between(&mut world, |from, to| Effect::Duplicate { from, to, share: 0.25 });
    until(&mut world, 5000);
    let heard = heard(&world);
    let twice = (0..2000).filter(|n| heard.iter().filter(|(_, heard)| heard == n).count() == 2).count();
    assert_eq!(heard.len(), 2000 + twice);
    assert!(twice.abs_diff(500) < 80, "{twice} of 2,000 came twice");
    let mut world = self::world(calls((0..200).collect(), 0), one_ms());
    between(&mut world, |from, to| Effect::Duplicate { from, to, share: 1.0 });
    until(&mut world, 1000);
    assert_eq!((echo(&world).seen.len(), outcomes(&world).len()), (200, 200));
}

#[test]
fn a_share_of_datagrams_is_overtaken_and_calls_keep_their_order() {
    let (share, window) = (0.25, Span::from_ms(40));
    let mut world = gossip((0..2000).collect());
    between(&mut world, |from, to| Effect::Reorder { from, to, share, window });
    until(&mut world, 5000);
    let heard = heard(&world);
    assert_eq!(heard.len(), 2000, "each comes, and once");
    let held: Vec<u64> =
        heard.iter().map(|(at, n)| at - u64::from(*n) - 10).filter(|held| *held > 0).collect();
    assert!(held.len().abs_diff(500) < 80 && held.iter().all(|held| *held < 40), "{held:?}");
    let mean = held.iter().sum::<u64>() as f64 / held.len() as f64;
    assert!((17.0..23.0).contains(&mean), "held back for {mean} ms on average");
    assert!(!heard.is_sorted_by_key(|(_, n)| *n));
    let mut world = self::world(calls((0..200).collect(), 0), one_ms());
    between(&mut world, |from, to| Effect::Reorder { from, to, share, window });
    until(&mut world, 1000);
    let seen: Vec<(u64, i64)> = (0..200).map(|n| (n as u64 + 1, n)).collect();
    assert_eq!(echo(&world).seen, seen);
}

#[test]
fn a_share_of_datagrams_is_lost_for_good() {
    let mut world = gossip((0..2000).collect());
    between(&mut world, |from, to| Effect::Loss { from, to, share: 0.25 });
    until(&mut world, 5000);
    assert!(heard(&world).len().abs_diff(1500) < 80, "{}", heard(&world).len());
}

#[test]
fn a_fault_more_moves_no_draw_of_a_path() {
    let distribution = Dist::Exponential { mean: 5.0 * MS as f64 };
    let arrivals = |effect: Option<fn(NodeSet, NodeSet) -> Effect>| {
        let path = Path { latency: distribution.clone(), ..Path::default() };
        let mut world = World::new(1, Network::flat(1, path), Recorder::default());
        world.add::<Gossip>("gossip", Arc::new((0..100).collect()), 2, &[ZoneId(0)], false);
        world.start();
        if let Some(effect) = effect {
            between(&mut world, effect);
        }
        until(&mut world, 5000);
        let mut heard = heard(&world);
        heard.sort_unstable_by_key(|(_, n)| *n);
        heard
    };
    let plain = arrivals(None);
    let delayed = arrivals(Some(|from, to| Effect::Delay {
        from,
        to,
        add: Dist::Uniform { low: 1e8, high: 2e8, step: None },
    }));
    assert!(
        plain.iter().zip(&delayed).all(|(a, b)| (99..=200).contains(&(b.0 - a.0))),
        "{plain:?} {delayed:?}"
    );
    let held = arrivals(Some(|from, to| Effect::Reorder { from, to, share: 0.5, window: Span::from_ms(10) }));
    assert!(plain.iter().zip(&held).filter(|(a, b)| a == b).count() > 40);
}
