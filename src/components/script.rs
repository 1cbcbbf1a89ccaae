#![allow(missing_docs)] // for tests only
//! A scripted client for the tests of parts: it sends what it is told when it is told, and remembers what came back.

use std::convert::Infallible;
use std::sync::Arc;

use crate::base::cause::Causes;
use crate::base::dist::Dist;
use crate::base::ids::{CallId, Pid, SeriesId, TierId, ZoneId};
use crate::base::op::{Op, Outcome, Reply};
use crate::base::rng::mix;
use crate::base::series::{Series, kinds};
use crate::base::session::{CausalContext, Session};
use crate::base::time::{Span, Time};
use crate::net::Network;
use crate::net::path::Path;
use crate::record::recorder::{RecordPlan, Recorder};
use crate::sim::context::Context;
use crate::sim::disk::Disk;
use crate::sim::process::Process;
use crate::sim::request::{CallContext, Request};
use crate::sim::run::{Stop, World};

/// The part under test: its tier comes after the script's.
pub const PART: Pid = Pid::new(TierId(1), 0);

/// What is sent to whom, and when (ms).
pub type Lines = Vec<(u64, Pid, Op)>;

/// An answer: to which line, when (ms), what, and beside it.
#[derive(Clone, Debug, Hash, PartialEq)]
pub struct Answer {
    /// The line.
    pub line: u64,
    /// When.
    pub at_ms: u64,
    /// When, exactly.
    pub at: Time,
    /// What.
    pub outcome: Outcome,
    /// The note.
    pub note: u32,
    /// Where the time went.
    pub causes: Causes,
}

/// The client.
#[derive(Clone, Debug, Hash)]
pub struct Script {
    /// What came back, in order.
    pub answers: Vec<Answer>,
    /// What they have shown: all lines are of one session.
    pub seen: CausalContext,
}

impl Process for Script {
    type Plan = Lines;
    type Message = Infallible;
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(_: &Lines, _: u32) -> Self {
        Script { answers: Vec::new(), seen: CausalContext::NOTHING }
    }
    fn start(&mut self, _: &Disk<(), ()>, ctx: &mut Context<Self>) {
        for (line, (ms, ..)) in ctx.plan().iter().enumerate() {
            ctx.wake_true(Span::from_ms(*ms), line as u64);
        }
    }
    fn on_timer(&mut self, line: u64, ctx: &mut Context<Self>) {
        let (_, to, op) = ctx.plan()[line as usize];
        let request = Request {
            op,
            substream: mix(line, 0),
            size_bytes: 100,
            timeout: None,
            from: None,
            context: CallContext::of(Session { id: 1, trace: 0, causal: self.seen }),
        };
        ctx.call(to, request, line);
    }
    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}
    fn on_reply(&mut self, _: CallId, line: u64, reply: Reply, ctx: &mut Context<Self>) {
        let Reply { outcome, note, seen, causes, .. } = reply;
        self.seen.merge(seen);
        let at = ctx.now();
        self.answers.push(Answer { line, at_ms: at.as_ns() / 1_000_000, at, outcome, note, causes });
    }
}

/// A world with a script and, after it, a part with its series; a network that takes no time.
pub fn world<P: Process>(script: Lines, plan: P::Plan, members: u32, series: &[Series]) -> World {
    let path = Path { latency: Dist::Constant(0.0), ..Path::default() };
    let record = RecordPlan { length: Span::from_secs(60), series: kinds(series), ..RecordPlan::default() };
    let mut world = World::new(1, Network::flat(1, path), Recorder::new(&record));
    world.add::<Script>("script", Arc::new(script), 1, &[ZoneId(0)], true);
    world.add::<P>("part", Arc::new(plan), members, &[ZoneId(0)], false);
    world.start();
    world
}

/// Runs until `ms`.
pub fn until(world: &mut World, ms: u64) {
    assert_eq!(world.until(Time::from_ms(ms)), Stop::Horizon);
}

/// The answers so far, by line: none when there was none yet.
pub fn answers(world: &World, lines: usize) -> Vec<Option<Answer>> {
    let script = &world.members::<Script>(TierId(0)).expect("typed")[0];
    (0..lines as u64).map(|line| script.answers.iter().find(|answer| answer.line == line).cloned()).collect()
}

/// When the answers came, and what they were.
pub fn told(world: &World, lines: usize) -> Vec<(u64, Outcome)> {
    let told = answers(world, lines).into_iter().flatten();
    told.map(|answer| (answer.at_ms, answer.outcome)).collect()
}

/// The total of a counter.
pub fn total(world: &World, series: u16) -> u64 {
    world.recorder().series(SeriesId(series)).total
}

/// A level now.
pub fn level(world: &World, series: u16) -> i64 {
    world.recorder().series(SeriesId(series)).level
}
