//! An external dependency, kind `external`: something that we do not own. It answers after a time of its own, fails at
//! times, and turns calls away above a rate. It has no cores that we could fill.

use std::convert::Infallible;
use std::sync::Arc;

use crate::base::cause::{Cause, Causes};
use crate::base::dist::Dist;
use crate::base::ids::{CallId, SeriesId};
use crate::base::op::{Op, Outcome, Reason};
use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::base::rng::Bits;
use crate::base::series::series;
use crate::base::slab::{Key, Slab};
use crate::base::time::{ClockTime, Span};
use crate::components::mech::cores::share_ppm;
use crate::components::part::{
    COMMON, DOES_NOT_FIT, Kind, Names, Part, PartName, Wiring, count_u32, speed_ppm,
};
use crate::program::compile::scope::PartRole;
use crate::sim::context::Context;
use crate::sim::order::Order;
use crate::sim::process::Process;
use crate::sim::run::World;

/// The kind `external`.
pub const EXTERNAL: Kind = Kind {
    name: "external",
    doc: "A dependency that we do not own: a bank, a mail service.",
    common: COMMON,
    parameters: PARAMETERS,
    series: Series::ALL,
    served: &["calls"],
    refused: &["rejected"],
    takes: &[("reply", "an answer takes")],
    role: PartRole::Replies,
    runs_programs: false,
    resolve,
};

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "reply",
        takes: ParameterType::Distribution,
        default: Preset::Required,
        doc: "Time until it answers, however many call.",
    },
    Parameter {
        name: "errors",
        takes: ParameterType::Share { min: 0.0, max: 1.0 },
        default: Preset::Is { text: "0%", source: "no errors unless asked for" },
        doc: "The share of calls that fail, after the time of an answer.",
    },
    Parameter {
        name: "limit",
        takes: ParameterType::Rate,
        default: Preset::Absent,
        doc: "Calls above this rate fail with `overloaded` at once (a token bucket in each member).",
    },
    Parameter {
        name: "burst",
        takes: ParameterType::Count { min: 1, max: 1_000_000_000 },
        default: Preset::Absent,
        doc: "How many calls the bucket holds; without it as many as `limit` lets through in one second.",
    },
];

series! {
    /// The series, in the order in which users see them.
    pub enum Series {
        Calls: Counter "calls", "calls", "Calls that arrived.";
        Errors: Counter "errors", "calls", "Calls that were answered with an error; those above the limit are not among them.";
        Rejected: Counter "rejected", "calls", "Calls above the limit.";
        Busy: Level "busy", "calls", "Calls that wait for their answer.";
    }
}

/// What a fault may set.
const SETTABLE: &[&str] = &["speed", "reply", "errors", "limit"];

/// What all members share.
#[derive(Clone, Debug)]
pub struct Plan {
    reply: Dist,
    errors: f64,
    bucket: Option<Bucket>,
    burst: Option<u32>,
    speed_ppm: u32,
    first_series: SeriesId,
}

struct External {
    plan: Arc<Plan>,
}

impl Part for External {
    fn kind(&self) -> &'static str {
        EXTERNAL.name
    }

    fn settable(&self) -> &'static [&'static str] {
        SETTABLE
    }

    fn build(&self, at: &PartName, _wiring: &Wiring, world: &mut World) {
        world.add::<ExternalProcess>(&at.name, self.plan.clone(), at.count, &at.zones, false);
    }
}

fn resolve(parameters: &Parameters, names: &Names, problems: &mut Problems) -> Option<Box<dyn Part>> {
    let limit = parameters.get("limit").map(|_| parameters.number("limit"));
    let burst = parameters.get("burst").map(|_| count_u32(parameters, "burst"));
    if let (Some(_), None, Some(place)) = (burst, limit, parameters.place("burst")) {
        let message = format!("'{}' has a `burst` but no `limit`", names.name);
        problems.at(DOES_NOT_FIT, place.clone(), message).help("write `limit = \"100/s\"`");
        return None;
    }
    let plan = Plan {
        reply: parameters.distribution("reply"),
        errors: parameters.number("errors"),
        bucket: limit.map(|limit| Bucket::new(limit, burst)),
        burst,
        speed_ppm: speed_ppm(parameters),
        first_series: names.first_series,
    };
    Some(Box::new(External { plan: Arc::new(plan) }))
}

/// A token bucket, as a virtual schedule (GCRA, ITU-T I.371): one token in each interval, the bucket full at the start.
/// In units of 2⁻³² ns, so that no rate drifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Bucket {
    interval: u128,
    burst: u32,
    /// When the bucket will be full again.
    full_at: u128,
}

impl Bucket {
    fn new(rate_per_s: f64, burst: Option<u32>) -> Self {
        let burst = burst.unwrap_or(rate_per_s as u32).max(1);
        Bucket {
            interval: ((1e9 * 4_294_967_296.0 / rate_per_s) as u128).clamp(1, 1 << 90),
            burst,
            full_at: 0,
        }
    }

    /// Takes a token if there is one.
    fn take(&mut self, clock: ClockTime) -> bool {
        let shows = u128::from(clock.as_ns()) << 32;
        let full_at = self.full_at.max(shows) + self.interval;
        let fits = full_at - shows <= self.interval * u128::from(self.burst);
        if fits {
            self.full_at = full_at;
        }
        fits
    }
}

/// A member.
#[derive(Clone, Debug, Hash)]
pub struct ExternalProcess {
    waiting: Slab<(CallId, bool)>,
    bucket: Option<Bucket>,
    reply: Option<Span>,
    errors_ppm: Option<u32>,
    speed_ppm: u32,
}

impl Process for ExternalProcess {
    type Plan = Plan;
    type Message = Infallible;
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(plan: &Plan, _member: u32) -> Self {
        ExternalProcess {
            waiting: Slab::default(),
            bucket: plan.bucket,
            reply: None,
            errors_ppm: None,
            speed_ppm: plan.speed_ppm,
        }
    }

    fn on_call(&mut self, call: CallId, _op: Op, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        count(ctx, Series::Calls, 1);
        if self.bucket.as_mut().is_some_and(|bucket| !bucket.take(ctx.monotonic())) {
            count(ctx, Series::Rejected, 1);
            return ctx.reply(call, Outcome::Fail(Reason::Overloaded), 0, &Causes::NONE, ANSWER_BYTES);
        }
        let mut draws = ctx.serving(REPLY, ctx.substream(call));
        let luck = draws.open01(); // drawn first, so that it is the same whatever the distribution of the time draws
        let fails = match self.errors_ppm {
            Some(ppm) => luck < f64::from(ppm) / 1e6,
            None => luck < plan.errors,
        };
        let time = self.reply.unwrap_or_else(|| plan.reply.span(&mut draws));
        let key = self.waiting.insert((call, fails));
        let ns = u128::from(time.as_ns()) * 1_000_000;
        let slowed = u64::try_from(ns.div_ceil(u128::from(self.speed_ppm))).unwrap_or(u64::MAX);
        ctx.wake_true(Span::from_ns(slowed), key.to_word());
        level(ctx, 1);
    }

    fn on_timer(&mut self, word: u64, ctx: &mut Context<Self>) {
        let Some((call, fails)) = self.waiting.remove(Key::from_word(word)) else { return };
        let outcome = if fails { Outcome::Fail(Reason::Error) } else { Outcome::ok(1) };
        if fails {
            count(ctx, Series::Errors, 1);
        }
        level(ctx, -1);
        let causes = Causes::only(Cause::Wait, ctx.now() - ctx.arrived(call));
        ctx.reply(call, outcome, 0, &causes, ANSWER_BYTES);
    }

    fn on_order(&mut self, order: Order, ctx: &mut Context<Self>) {
        let (parameter, value) = match order {
            Order::Flush | Order::ClockSet | Order::Drain => return,
            Order::Set { parameter, value } => (parameter, Some(value)),
            Order::Reset { parameter } => (parameter, None),
        };
        let plan = ctx.plan();
        match parameter {
            "speed" => self.speed_ppm = value.map_or(plan.speed_ppm, share_ppm),
            "reply" => self.reply = value.map(|ns| Span::from_ns(ns as u64)),
            "errors" => self.errors_ppm = value.map(|share| (share * 1e6 + 0.5) as u32),
            "limit" => self.bucket = value.map_or(plan.bucket, |limit| Some(Bucket::new(limit, plan.burst))),
            _ => {}
        }
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        level(ctx, -(self.waiting.len() as i64));
    }
}

/// Purpose of what it draws for a call.
const REPLY: u8 = 0;
/// Size of an answer, bytes.
const ANSWER_BYTES: u32 = 256;

fn count(ctx: &mut Context<ExternalProcess>, series: Series, n: u64) {
    let (series, now) = (series.id(ctx.plan().first_series), ctx.now());
    ctx.record().count(series, now, n);
}

fn level(ctx: &mut Context<ExternalProcess>, change: i64) {
    let (series, now) = (Series::Busy.id(ctx.plan().first_series), ctx.now());
    ctx.record().level(series, now, change);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::script::{PART, level, told, total, until, world};

    #[test]
    fn a_bucket_lets_its_burst_through_and_then_its_rate() {
        let mut bucket = Bucket::new(3.0, Some(2));
        let at = |ms: u64| ClockTime::ZERO + Span::from_ms(ms);
        let taken: Vec<u64> = (0..=2000).filter(|ms| bucket.take(at(*ms))).collect();
        assert_eq!(taken, vec![0, 1, 334, 667, 1000, 1334, 1667, 2000]);
    }

    #[test]
    fn a_bucket_without_a_burst_holds_one_second() {
        let mut bucket = Bucket::new(100.0, None);
        assert_eq!((0..1000).filter(|_| bucket.take(ClockTime::ZERO)).count(), 100);
        let mut slow = Bucket::new(0.1, None);
        assert!(slow.take(ClockTime::ZERO) && !slow.take(ClockTime::ZERO + Span::from_secs(9)));
        assert!(slow.take(ClockTime::ZERO + Span::from_secs(10)));
    }

    fn plan(errors: f64, limit: Option<f64>) -> Plan {
        Plan {
            reply: Dist::Constant(20e6),
            errors,
            bucket: limit.map(|limit| Bucket::new(limit, Some(2))),
            burst: Some(2),
            speed_ppm: 1_000_000,
            first_series: SeriesId(0),
        }
    }

    fn calls(times: impl IntoIterator<Item = u64>) -> crate::components::script::Lines {
        times.into_iter().map(|ms| (ms, PART, Op::Drop { key: 0 })).collect()
    }

    #[test]
    fn it_answers_after_its_time_however_many_call_and_fails_at_its_share() {
        let mut world = world::<ExternalProcess>(calls(vec![5; 10_000]), plan(0.3, None), 1, Series::ALL);
        until(&mut world, 10);
        assert_eq!(level(&world, Series::Busy as u16), 10_000);
        until(&mut world, 100);
        let told = told(&world, 10_000);
        assert!(told.iter().all(|(at, _)| *at == 25));
        let failed = told.iter().filter(|(_, outcome)| *outcome == Outcome::Fail(Reason::Error)).count();
        assert!(failed.abs_diff(3_000) < 200, "{failed} of 10,000 failed");
        assert_eq!(total(&world, Series::Errors as u16), failed as u64);
        assert_eq!(level(&world, Series::Busy as u16), 0);
    }

    #[test]
    fn above_its_limit_it_turns_calls_away_at_once() {
        let mut world =
            world::<ExternalProcess>(calls([0, 1, 2, 101, 102]), plan(0.0, Some(10.0)), 1, Series::ALL);
        until(&mut world, 1000);
        let overloaded = Outcome::Fail(Reason::Overloaded);
        let yes = Outcome::ok(1);
        let expected = vec![(20, yes), (21, yes), (2, overloaded), (121, yes), (102, overloaded)];
        assert_eq!(told(&world, 5), expected);
        assert_eq!(total(&world, Series::Rejected as u16), 2);
    }

    #[test]
    fn it_can_be_set_slower_and_back() {
        let mut world = world::<ExternalProcess>(calls([0, 100, 200]), plan(0.0, None), 1, Series::ALL);
        until(&mut world, 50);
        world.order(PART, Order::Set { parameter: "reply", value: 70e6 });
        until(&mut world, 199);
        world.order(PART, Order::Reset { parameter: "reply" });
        until(&mut world, 1000);
        assert_eq!(told(&world, 3).into_iter().map(|told| told.0).collect::<Vec<_>>(), [20, 170, 220]);
    }
}
