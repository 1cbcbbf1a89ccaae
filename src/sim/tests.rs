//! What the kernel promises, each shown by a small world of echoes.

mod impairments;

use std::sync::Arc;

use crate::base::cause::{Cause, Causes};
use crate::base::dist::Dist;
use crate::base::ids::{CallId, Pid, SyncId, TierId, TimerId, ZoneId};
use crate::base::op::{At, Op, Outcome, Reason, Reply};
use crate::base::rng::{Bits, mix};
use crate::base::session::Session;
use crate::base::time::{Span, Time};
use crate::net::Network;
use crate::net::effect::{Effect, NodeSet};
use crate::net::path::Path;
use crate::record::recorder::Recorder;
use crate::sim::context::Context;
use crate::sim::disk::Disk;
use crate::sim::fingerprint::first_difference;
use crate::sim::nodes::Crash;
use crate::sim::process::Process;
use crate::sim::request::{CallContext, Request};
use crate::sim::run::{Stop, World};
use crate::sim::timers::DEAD_SLACK;

const CALLER: Pid = Pid::new(TierId(0), 0);
const ECHO: Pid = Pid::new(TierId(1), 0);
const MS: u64 = 1_000_000;

/// What callers and echoes are told.
#[derive(Clone, Default)]
struct Plan {
    /// When the caller calls, ms; the key of each call is its place in this list.
    calls: Vec<u64>,
    timeout: Option<Span>,
    /// How long an echo takes to answer.
    echo_after: Span,
    /// Whether it answers after a uniform share of that only.
    random: bool,
    /// What a sync costs; an echo with a disk appends each key, syncs, then answers.
    disk: Option<Span>,
}

/// Calls, and remembers what came back and when.
#[derive(Clone, Hash, Debug, PartialEq)]
struct Caller {
    answers: Vec<(u64, u64, Outcome, Causes)>,
    late: Vec<u64>,
}

/// Answers each read with its key, after a while.
#[derive(Clone, Hash, Debug, PartialEq)]
struct Echo {
    held: Vec<(CallId, i64)>,
    seen: Vec<(u64, i64)>,
    kept: Vec<i64>,
    timers: Vec<TimerId>,
}

impl Process for Caller {
    type Plan = Plan;
    type Message = ();
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(_: &Plan, _: u32) -> Self {
        Caller { answers: Vec::new(), late: Vec::new() }
    }
    fn start(&mut self, _: &Disk<(), ()>, ctx: &mut Context<Self>) {
        for (key, ms) in ctx.plan().calls.iter().enumerate() {
            ctx.wake(Span::from_ms(*ms), key as u64);
        }
    }
    fn on_timer(&mut self, key: u64, ctx: &mut Context<Self>) {
        let op = Op::Read { table: 0, key: key as i64, taking: None, at: At::Primary };
        let request = Request {
            op,
            substream: mix(key, 0),
            size_bytes: 100,
            timeout: ctx.plan().timeout,
            from: None,
            context: CallContext::of(Session { id: key, ..Session::NOBODY }),
        };
        ctx.call(ECHO, request, key);
    }
    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}
    fn on_reply(&mut self, _: CallId, tag: u64, reply: Reply, ctx: &mut Context<Self>) {
        self.answers.push((ctx.now().as_ns() / MS, tag, reply.outcome, reply.causes));
    }
    fn on_late(&mut self, _: CallId, tag: u64, _: Op, _: &mut Context<Self>) {
        self.late.push(tag);
    }
}

impl Process for Echo {
    type Plan = Plan;
    type Message = ();
    type Timer = u64;
    type Record = i64;
    type Snapshot = ();

    fn build(_: &Plan, _: u32) -> Self {
        Echo { held: Vec::new(), seen: Vec::new(), kept: Vec::new(), timers: Vec::new() }
    }
    fn start(&mut self, disk: &Disk<i64, ()>, _: &mut Context<Self>) {
        self.kept = disk.records.clone();
    }
    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        let Op::Read { key, .. } = op else { return };
        self.seen.push((ctx.now().as_ns() / MS, key));
        self.held.push((call, key));
        let plan = ctx.plan();
        let share = if plan.random { ctx.stream(0).open01() } else { 1.0 };
        ctx.wake(plan.echo_after.scale(share), key as u64);
        self.timers.push(ctx.set_timer(Span::from_secs(3600), u64::MAX));
    }
    fn on_timer(&mut self, key: u64, ctx: &mut Context<Self>) {
        if let Some(cost) = ctx.plan().disk {
            ctx.append(key as i64);
            ctx.sync(cost);
        } else {
            self.answer(ctx);
        }
        if let Some(timer) = self.timers.pop() {
            ctx.cancel_timer(timer);
        }
    }
    fn on_synced(&mut self, _: SyncId, ctx: &mut Context<Self>) {
        self.answer(ctx);
    }
}

impl Echo {
    fn answer(&mut self, ctx: &mut Context<Self>) {
        if self.held.is_empty() {
            return;
        }
        let (call, key) = self.held.remove(0);
        let causes = Causes::only(Cause::Cpu, ctx.now() - ctx.arrived(call));
        ctx.reply(call, Outcome::ok(key), 0, &causes, 100);
    }
}

fn world(plan: Plan, latency: Dist) -> World {
    let path = Path { latency, break_after: Span::from_secs(10), ..Path::default() };
    let network = Network::new(1, vec!["a".into(), "b".into()], path, &[]);
    let mut world = World::new(1, network, Recorder::default());
    let plan = Arc::new(plan);
    world.add::<Caller>("caller", plan.clone(), 1, &[ZoneId(0)], false);
    world.add::<Echo>("echo", plan, 2, &[ZoneId(1)], false);
    world.start();
    world
}

fn until(world: &mut World, ms: u64) {
    assert_eq!(world.until(Time::from_ms(ms)), Stop::Horizon);
}

fn caller(world: &World) -> &Caller {
    world.members::<Caller>(CALLER.tier).expect("typed")[0]
}

fn echo(world: &World) -> &Echo {
    world.members::<Echo>(ECHO.tier).expect("typed")[0]
}

fn one_ms() -> Dist {
    Dist::Constant(MS as f64)
}

fn outcomes(world: &World) -> Vec<(u64, Outcome)> {
    caller(world).answers.iter().map(|(at, _, outcome, _)| (*at, *outcome)).collect()
}

#[test]
fn the_causes_of_a_call_sum_to_its_time() {
    let mut world = world(Plan { calls: vec![5], echo_after: Span::from_ms(3), ..Plan::default() }, one_ms());
    until(&mut world, 100);
    let (at, tag, outcome, causes) = caller(&world).answers[0];
    assert_eq!((at, tag, outcome), (10, 0, Outcome::ok(0)));
    assert_eq!(causes.of(Cause::Cpu), Span::from_ms(3));
    assert_eq!(causes.of(Cause::Network), Span::from_ms(2));
    assert_eq!(causes.total(), Span::from_ms(5));
    assert_eq!(world.population().1, 0, "no call is left behind");
}

#[test]
fn a_timeout_is_told_exactly_once_and_the_late_answer_is_counted() {
    let timeout = Some(Span::from_ms(4));
    let plan = Plan { calls: vec![0, 1], timeout, echo_after: Span::from_ms(30), ..Plan::default() };
    let mut world = world(plan, one_ms());
    until(&mut world, 100);
    let unknown = Outcome::Unknown(Reason::Timeout);
    assert_eq!(outcomes(&world), vec![(4, unknown), (5, unknown)]);
    assert_eq!(caller(&world).late, vec![0, 1]);
    assert_eq!(world.population().1, 0, "both ends have let go");
}

#[test]
fn a_machine_crash_is_silent_and_a_process_crash_resets() {
    for (how, after) in [(Crash::Machine, Reason::Timeout), (Crash::Process, Reason::Reset)] {
        let timeout = Some(Span::from_ms(50));
        let plan = Plan { calls: vec![0, 20], timeout, echo_after: Span::from_ms(30), ..Plan::default() };
        let mut world = world(plan, one_ms());
        until(&mut world, 10);
        world.crash(ECHO, how);
        until(&mut world, 200);
        let told = outcomes(&world);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told.contains(&(if how == Crash::Machine { 50 } else { 11 }, Outcome::Unknown(after))),
            "{told:?}"
        );
        let second =
            if how == Crash::Machine { Outcome::Unknown(after) } else { Outcome::Fail(Reason::Refused) };
        assert_eq!(told[1].1, second);
        assert_eq!(world.population().1, 0, "no call is left behind");
    }
}

#[test]
fn a_crash_keeps_what_was_synced_and_loses_the_rest() {
    let disk = Some(Span::from_ms(10));
    let plan = Plan { calls: vec![0, 1, 2], echo_after: Span::from_ms(1), disk, ..Plan::default() };
    let mut world = world(plan, one_ms());
    until(&mut world, 25); // syncs end at 12, 22, 32 ms: one disk, one after the other
    world.crash(ECHO, Crash::Machine);
    until(&mut world, 40);
    world.restart(ECHO);
    assert_eq!(echo(&world).kept, vec![0, 1]);
    assert_eq!(outcomes(&world), vec![(13, Outcome::ok(0)), (23, Outcome::ok(1))]);
}

#[test]
fn what_happens_to_a_paused_process_waits_in_order() {
    let plan = Plan { calls: vec![5, 6, 7], echo_after: Span::from_ms(1), ..Plan::default() };
    let mut world = world(plan, one_ms());
    until(&mut world, 2);
    world.pause(ECHO);
    until(&mut world, 50);
    assert!(echo(&world).seen.is_empty());
    world.resume(ECHO);
    assert_eq!(echo(&world).seen, vec![(50, 0), (50, 1), (50, 2)]);
}

#[test]
fn a_timeout_reaches_a_paused_caller_when_it_goes_on() {
    let timeout = Some(Span::from_ms(4));
    let plan = Plan { calls: vec![0], timeout, echo_after: Span::from_ms(30), ..Plan::default() };
    let mut world = world(plan, one_ms());
    until(&mut world, 1);
    world.pause(CALLER);
    until(&mut world, 20);
    assert!(outcomes(&world).is_empty());
    world.resume(CALLER);
    assert_eq!(outcomes(&world), vec![(20, Outcome::Unknown(Reason::Timeout))]);
}

#[test]
fn a_connection_keeps_order_though_latency_varies() {
    let calls = (0..200).collect();
    let distribution = Dist::Uniform { low: 0.0, high: 50.0 * MS as f64, step: None };
    let mut world = world(Plan { calls, ..Plan::default() }, distribution);
    until(&mut world, 1000);
    let keys: Vec<i64> = echo(&world).seen.iter().map(|(_, key)| *key).collect();
    assert_eq!(keys, (0..200).collect::<Vec<_>>());
}

fn cut_both_ways(world: &mut World) -> [crate::net::EffectId; 2] {
    let (a, b) = (|| NodeSet::zones(&[ZoneId(0)]), || NodeSet::zones(&[ZoneId(1)]));
    let there = world.network().add(Effect::Cut { from: a(), to: b() });
    [there, world.network().add(Effect::Cut { from: b(), to: a() })]
}

#[test]
fn a_connection_sends_again_after_a_cut() {
    let mut world = world(Plan { calls: vec![9, 10], ..Plan::default() }, one_ms());
    until(&mut world, 5);
    let cuts = cut_both_ways(&mut world);
    until(&mut world, 300);
    for cut in cuts {
        world.network().lift(cut);
    }
    until(&mut world, 2000);
    // sent at 9 ms into the cut; sent again at 209 ms (still cut) and 609 ms
    assert_eq!(outcomes(&world), vec![(611, Outcome::ok(0)), (611, Outcome::ok(1))]);
}

#[test]
fn a_message_under_way_dies_in_a_cut_and_is_sent_again() {
    let mut world = world(Plan { calls: vec![0], ..Plan::default() }, Dist::Constant(10.0 * MS as f64));
    until(&mut world, 5);
    let cuts = cut_both_ways(&mut world);
    until(&mut world, 50);
    for cut in cuts {
        world.network().lift(cut);
    }
    until(&mut world, 2000);
    assert_eq!(echo(&world).seen, vec![(220, 0)], "10 ms, 200 ms wait, 10 ms again");
}

#[test]
fn a_long_cut_breaks_the_connection() {
    let mut world = world(Plan { calls: vec![9], ..Plan::default() }, one_ms());
    until(&mut world, 5);
    cut_both_ways(&mut world);
    until(&mut world, 60_000);
    let (at, outcome) = outcomes(&world)[0];
    assert_eq!(outcome, Outcome::Unknown(Reason::Reset));
    assert_eq!(at, 9 + 12_600, "the first retransmission after break_after: 0.2 + 0.4 + ... + 6.4 s");
    assert_eq!(world.population().1, 0);
}

#[test]
fn a_clone_continues_to_the_same_fingerprint() {
    let calls = (0..500).collect();
    let plan = Plan { calls, echo_after: Span::from_ms(20), random: true, ..Plan::default() };
    let mut one = world(plan, Dist::Exponential { mean: 5.0 * MS as f64 });
    until(&mut one, 250);
    let mut other = one.clone();
    until(&mut one, 1000);
    until(&mut other, 1000);
    assert_eq!(one.fingerprint().value(), other.fingerprint().value());
    assert_eq!(caller(&one), caller(&other));
    assert!(one.fingerprint().events() > 1000);
}

#[test]
fn the_first_diverging_event_is_named() {
    let build = |spoil: bool| {
        let calls = (0..60_000).map(|i| i / 10 + u64::from(spoil && i == 50_000)).collect();
        let plan = Plan { calls, echo_after: Span::from_ms(1), ..Plan::default() };
        world(plan, one_ms())
    };
    let (mut a, mut b) = (build(false), build(true));
    until(&mut a, 7000);
    until(&mut b, 7000);
    let block = first_difference(a.fingerprint(), b.fingerprint()).expect("they differ");
    let rerun = |spoil| {
        let mut world = build(spoil);
        world.watch_block(block);
        until(&mut world, 7000);
        world.fingerprint().seen().to_vec()
    };
    let (a, b) = (rerun(false), rerun(true));
    let first = a.iter().zip(&b).find(|(a, b)| a != b).expect("the block holds it");
    assert!(first.0.at >= Time::from_ns(5000 * MS) && first.0.at <= Time::from_ns(5001 * MS), "{first:?}");
    assert!(first.0.event.contains("caller[0]"), "{first:?}");
}

/// Each request sets a timer of an hour and cancels it a millisecond later. Few are alive at any time: what is dead must
/// not outnumber them by more than the slack.
#[test]
fn dead_entries_never_outnumber_live_ones_by_more_than_the_slack() {
    let calls = (0..20_000).map(|i| i / 20).collect();
    let mut world = world(Plan { calls, echo_after: Span::from_ms(1), ..Plan::default() }, one_ms());
    let mut most = 0;
    for ms in 1..1000 {
        until(&mut world, ms);
        let (pending, _) = world.population();
        let (dead, live) = (world.dead(), pending - world.dead());
        assert!(dead <= live + 2 * DEAD_SLACK, "{dead} dead and {live} live at {ms} ms");
        most = most.max(dead);
    }
    assert!(most > DEAD_SLACK, "only {most} were ever dead: this tests nothing");
}

#[test]
fn processes_on_one_node_reach_each_other_at_once_and_fall_together() {
    let timeout = Some(Span::from_ms(50));
    let plan =
        Arc::new(Plan { calls: vec![5, 20, 60], timeout, echo_after: Span::from_ms(3), ..Plan::default() });
    let path = Path { latency: one_ms(), ..Path::default() };
    let network = Network::new(1, vec!["a".into(), "b".into()], path, &[]);
    let mut world = World::new(1, network, Recorder::default());
    world.add::<Caller>("caller", plan.clone(), 2, &[ZoneId(0)], false);
    let echo = world.add_beside::<Echo>("echo", plan, CALLER.tier);
    world.start();
    until(&mut world, 21);
    assert_eq!(outcomes(&world), vec![(8, Outcome::ok(0))], "3 ms, and nothing for the network");
    world.crash(Pid::new(echo, 0), Crash::Machine);
    assert!(caller(&world).answers.is_empty(), "the caller is gone as well");
    until(&mut world, 30);
    world.restart(CALLER);
    until(&mut world, 200);
    let told = outcomes(&world);
    assert_eq!(told, vec![(38, Outcome::ok(0)), (53, Outcome::ok(1)), (93, Outcome::ok(2))]);
}
