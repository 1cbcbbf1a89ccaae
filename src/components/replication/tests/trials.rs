//! What the campaigns of all stores share: a script and copies a few milliseconds apart over a bad network, troubles of every kind
//! over each other, and then calm weather in which everybody must serve again.

use std::sync::Arc;

use crate::base::dist::Dist;
use crate::base::ids::{OpId, Pid, ZoneId};
use crate::base::op::{Op, Outcome};
use crate::base::rng::{Bits, Stream};
use crate::base::series::kinds;
use crate::base::time::Span;
use crate::components::script::{Answer, Lines, PART, Script, answers, until};
use crate::components::storage::series::StoreSeries;
use crate::net::effect::{Effect, NodeSet};
use crate::net::path::Path;
use crate::net::{EffectId, Network};
use crate::record::recorder::{RecordPlan, Recorder};
use crate::sim::clock::ClockImpairmentId;
use crate::sim::nodes::Crash;
use crate::sim::order::Order;
use crate::sim::process::Process;
use crate::sim::run::World;

/// When troubles end, ms.
pub const CALM: u64 = 6_000;
/// When runs end, ms.
pub const END: u64 = 14_000;
/// No trouble lasts longer, ms.
pub const LASTS_MAX: u64 = 920;
/// Probes come so often, ms.
const PROBE_EVERY: u64 = 20;
/// The longest latency of a rough path, ms.
pub const LATENCY_MAX: u64 = 4;
/// What a slow disk takes, ms.
pub const SLOW_DISK: u64 = 100;

/// So many milliseconds, as a distribution.
pub fn ms(ms: f64) -> Dist {
    Dist::Constant(ms * 1e6)
}

/// A path on which datagrams overtake each other and come twice. While there are troubles some are lost too.
pub fn rough() -> Path {
    let latency = Dist::Uniform { low: 1e6, high: LATENCY_MAX as f64 * 1e6, step: None };
    Path { latency, duplicate: 0.02, ..Path::default() }
}

/// A script in a zone of its own, and copies in a zone each.
pub fn world<P: Process>(seed: u64, script: Lines, plan: P::Plan, copies: u32, path: Path) -> World {
    let near = Path { latency: ms(0.0), ..Path::default() };
    let all: Vec<ZoneId> = (0..=copies as u8).map(ZoneId).collect();
    let pairs = all.iter().flat_map(|a| all.iter().map(move |b| (*a, *b)));
    let links: Vec<_> =
        pairs.map(|(a, b)| (a, b, if a == b { near.clone() } else { path.clone() })).collect();
    let names = all.iter().map(|zone| format!("z{}", zone.0)).collect();
    let record =
        RecordPlan { length: Span::from_secs(60), series: kinds(StoreSeries::ALL), ..RecordPlan::default() };
    let mut world = World::new(seed, Network::new(seed, names, near, &links), Recorder::new(&record));
    world.add::<Script>("script", Arc::new(script), 1, &all[..1], true);
    world.add::<P>("kv", Arc::new(plan), copies, &all[1..], false);
    world.start();
    world
}

/// A copy.
pub fn copy(member: u32) -> Pid {
    Pid::new(PART.tier, member)
}

/// A blind write.
pub fn write(ms: u64, to: u32, key: i64, n: i64) -> (u64, Pid, Op) {
    (ms, copy(to), Op::Write { table: 0, key, n, parent: OpId(0) })
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impairment {
    /// A machine crashes.
    Machine,
    /// A process crashes.
    Process,
    /// All machines crash.
    Everybody,
    /// A process stands still.
    Pause,
    /// A member can reach no other and be reached by none; clients reach it.
    Cut,
    /// A member can be reached by no other.
    OneWay,
    /// Two members cannot reach each other.
    Between,
    /// Much is lost.
    Loss,
    /// Datagrams of a member are held back and overtake each other, and many come twice.
    Reorder,
    /// A disk is slow.
    Disk,
    /// A clock jumps by up to 2 s, and runs at a rate up to 5 % off.
    Clock,
    /// A member takes in nothing new.
    Drain,
}

/// Everything, but for drains.
pub const ALL: &[Impairment] = &[
    Impairment::Machine,
    Impairment::Process,
    Impairment::Everybody,
    Impairment::Pause,
    Impairment::Cut,
    Impairment::OneWay,
    Impairment::Between,
    Impairment::Loss,
    Impairment::Reorder,
    Impairment::Disk,
    Impairment::Clock,
];

/// A trouble with its time, ms.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    from: u64,
    to: u64,
    what: Impairment,
    member: u32,
    other: u32,
    amount: i64,
}

/// Troubles between 200 ms and [`CALM`], about two at a time.
pub fn impairments(seed: u64, copies: u32, kinds: &[Impairment]) -> Vec<Planned> {
    let mut draws = Stream::new(seed, 7);
    let mut planned = Vec::new();
    let mut from = 200;
    while from < CALM - 100 {
        let what = kinds[draws.below(kinds.len() as u64) as usize];
        let member = draws.below(u64::from(copies)) as u32;
        let other = (member + 1 + draws.below(u64::from(copies.max(2) - 1)) as u32) % copies;
        let lasts = 20 + draws.below(LASTS_MAX - 20);
        let lasts = if what == Impairment::Everybody { lasts / 10 } else { lasts };
        let amount = draws.below(4_000) as i64 - 2_000;
        planned.push(Planned { from, to: (from + lasts).min(CALM), what, member, other, amount });
        from += 50 + draws.below(400);
    }
    planned
}

/// Sails a world through troubles up to [`CALM`]. When it is calm at last, these members stay away for good.
pub fn sail(world: &mut World, planned: &[Planned], copies: u32, away: &[u32]) {
    let mut edges: Vec<(u64, bool, usize)> = Vec::new();
    for (index, impairment) in planned.iter().enumerate() {
        edges.push((impairment.from, true, index));
        edges.push((impairment.to, false, index));
    }
    edges.sort_unstable();
    let mut sailing = Sailing {
        copies,
        down: vec![0; copies as usize],
        effects: vec![Vec::new(); planned.len()],
        clocks: vec![None; planned.len()],
    };
    let everyone = NodeSet::everyone;
    let loss = world.network().add(Effect::Loss { from: everyone(), to: everyone(), share: 0.01 });
    for (at, begins, index) in edges {
        until(world, at);
        match begins {
            true => sailing.begin(world, index, &planned[index]),
            false => sailing.end(world, index, &planned[index]),
        }
    }
    until(world, CALM);
    world.network().lift(loss);
    away.iter().for_each(|member| world.crash(copy(*member), Crash::Machine));
}

struct Sailing {
    copies: u32,
    down: Vec<u32>,
    effects: Vec<Vec<EffectId>>,
    clocks: Vec<Option<ClockImpairmentId>>,
}

impl Sailing {
    fn begin(&mut self, world: &mut World, index: usize, impairment: &Planned) {
        let member = impairment.member;
        let one = |member: u32| NodeSet::zones(&[ZoneId(member as u8 + 1)]);
        let all = || NodeSet::zones(&(1..=self.copies as u8).map(ZoneId).collect::<Vec<_>>());
        let cut = |from, to| Effect::Cut { from, to };
        let effects = match impairment.what {
            Impairment::Machine => return self.crash(world, member, Crash::Machine),
            Impairment::Process => return self.crash(world, member, Crash::Process),
            Impairment::Everybody => {
                return (0..self.copies).for_each(|member| self.crash(world, member, Crash::Machine));
            }
            Impairment::Pause => return world.pause(copy(member)),
            Impairment::Drain => return world.drain(copy(member)),
            Impairment::Disk => {
                let value = SLOW_DISK as f64 * 1e6;
                return world.order(copy(member), Order::Set { parameter: "disk", value });
            }
            Impairment::Clock => {
                let id = world.skew(copy(member), impairment.amount * 1_000_000, impairment.amount * 25_000);
                return self.clocks[index] = Some(id);
            }
            Impairment::Cut => vec![cut(one(member), all()), cut(all(), one(member))],
            Impairment::OneWay => vec![cut(all(), one(member))],
            Impairment::Between => {
                vec![cut(one(member), one(impairment.other)), cut(one(impairment.other), one(member))]
            }
            Impairment::Loss => vec![Effect::Loss { from: all(), to: all(), share: 0.3 }],
            Impairment::Reorder => {
                let window = Span::from_ms(200);
                let reorder = Effect::Reorder { from: one(member), to: all(), share: 0.5, window };
                vec![reorder, Effect::Duplicate { from: one(member), to: all(), share: 0.5 }]
            }
        };
        self.effects[index] = effects.into_iter().map(|effect| world.network().add(effect)).collect();
    }

    fn end(&mut self, world: &mut World, index: usize, impairment: &Planned) {
        self.effects[index].drain(..).for_each(|effect| world.network().lift(effect));
        match impairment.what {
            Impairment::Machine | Impairment::Process => self.restart(world, impairment.member),
            Impairment::Everybody => (0..self.copies).for_each(|member| self.restart(world, member)),
            Impairment::Pause => world.resume(copy(impairment.member)),
            Impairment::Drain => world.undrain(copy(impairment.member)),
            Impairment::Disk => world.order(copy(impairment.member), Order::Reset { parameter: "disk" }),
            Impairment::Clock => {
                self.clocks[index].take().into_iter().for_each(|id| world.clear(copy(impairment.member), id));
            }
            _ => {}
        }
    }

    /// Who is down already stays down until both troubles are over.
    fn crash(&mut self, world: &mut World, member: u32, how: Crash) {
        self.down[member as usize] += 1;
        world.crash(copy(member), how);
    }

    fn restart(&mut self, world: &mut World, member: u32) {
        self.down[member as usize] -= 1;
        if self.down[member as usize] == 0 {
            world.restart(copy(member));
        }
    }
}

/// Writes of rows of their own, from [`CALM`] on, to those who are there: probes of when they serve again.
pub fn probes(lines: &mut Lines, members: &[u32]) {
    for (place, at) in (CALM..END - 3_000).step_by(PROBE_EVERY as usize).enumerate() {
        let key = lines.len() as i64;
        lines.push(write(at, members[place % members.len()], key, 1));
    }
}

/// How long after [`CALM`] the last probe came that was not served, ms.
pub fn recovery(world: &World, lines: &Lines) -> u64 {
    let answers = answers(world, lines.len());
    let failed = lines.iter().zip(&answers).filter(|((at, ..), answer)| *at >= CALM && !is_ok(answer));
    failed.map(|((at, ..), _)| at + PROBE_EVERY - CALM).max().unwrap_or(0)
}

/// Whether it was acknowledged.
pub fn is_ok(answer: &Option<Answer>) -> bool {
    answer.as_ref().is_some_and(|answer| answer.outcome.is_ok())
}

/// Whether it certainly had no effect.
pub fn failed(answer: &Option<Answer>) -> bool {
    answer.as_ref().is_some_and(|answer| matches!(answer.outcome, Outcome::Fail(_)))
}

/// Changes of rows of their own at random members before [`CALM`]; `change` makes the operation for a row.
pub fn rows_of_their_own(seed: u64, copies: u32, count: usize, change: impl Fn(i64) -> Op) -> Lines {
    let mut draws = Stream::new(seed, 8);
    let line = |key: usize| {
        let (at, to) = (100 + draws.below(CALM - 100), draws.below(u64::from(copies)) as u32);
        (at, copy(to), change(key as i64))
    };
    (0..count).map(line).collect()
}

/// A change of a row that some copy has another number of times than it should: the first, as a sentence.
pub fn miscounted(
    world: &World,
    lines: &Lines,
    copies: &[u32],
    count: impl Fn(u32, i64) -> i64,
) -> Option<String> {
    let answers = answers(world, lines.len());
    for (line, ((at, ..), answer)) in lines.iter().zip(&answers).enumerate() {
        let (least, most) = (i64::from(is_ok(answer)), i64::from(!failed(answer)));
        for member in copies {
            let seen = count(*member, line as i64);
            if !(least..=most).contains(&seen) {
                let what = answer.as_ref().map(|answer| (answer.at_ms, answer.outcome));
                return Some(format!(
                    "row {line}, changed at {at} ms and told {what:?}, has {seen} at copy {member}"
                ));
            }
        }
    }
    None
}
